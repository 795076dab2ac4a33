/* C2SP signed-note v1.0.0: text, blank line, signature lines "— name base64(id || sig)".
 *
 * Layer: tlog. */
#ifndef SPLOT_TLOG_NOTE_H
#define SPLOT_TLOG_NOTE_H

#include "base/bytes.h"
#include "base/limits.h"
#include "tlog/hash.h"

enum {
	KEY_ED25519 = 0x01,     /* Ed25519 over the note text */
	KEY_COSIGNATURE = 0x04, /* cosignature/v1 */
	SIGN_PUBLIC_BYTES = 32,
	SIGN_SEED_BYTES = 32,
	SIGN_SECRET_BYTES = 64,
	SIGNATURE_BYTES = 64,
	VKEY_BYTES = KEY_NAME_BYTES_MAX + 1 + 8 + 1 + 64,
};

/* A verifier key: "name+hash8hex+base64(type || public)". */
struct vkey {
	char name[KEY_NAME_BYTES_MAX + 1];
	uint32_t id;  /* first four bytes of SHA-256(name || 0x0A || type || public) */
	uint8_t type; /* KEY_ED25519 or KEY_COSIGNATURE */
	uint8_t public[SIGN_PUBLIC_BYTES];
};

/* DECODE (form), LIMIT (name), SIGNATURE (hash does not fit), VERSION (a type not known here). */
MUST_USE enum err vkey_parse(struct bytes text, struct vkey *ret);
/* INVALID (a name with spaces or '+', or none), LIMIT, VERSION. */
MUST_USE enum err vkey_make(const char *name, uint8_t type,
			    const uint8_t public[static SIGN_PUBLIC_BYTES], struct vkey *ret);
void vkey_text(const struct vkey *k, char text[static VKEY_BYTES]);

/* A key that signs.  The secret lies where the caller put it (sodium_malloc); not owned. */
struct signer {
	struct vkey key;
	const uint8_t *secret; /* SIGN_SECRET_BYTES, borrowed */
};

/* A note split into its parts: slices of the bytes given. */
struct note_signature {
	struct bytes name;
	uint32_t key_id;
	uint8_t body[128]; /* decoded bytes behind the key id */
	size_t body_size;  /* 0: longer, thus of an algorithm not known here; left out */
};
struct note {
	struct bytes text; /* with its final newline: what is signed */
	size_t signature_count;
	struct note_signature signatures[NOTE_SIGNATURES_MAX];
};

/* DECODE, ENCODING (not UTF-8, control characters), LIMIT.  The slices last as long as `raw`;
 * the signatures in *ret are scratch on failure. */
MUST_USE enum err note_parse(struct bytes raw, struct note *ret);
/* OK when the note carries a good signature by `key`; UNKNOWN_KEY when it carries none by
 * it; SIGNATURE when it carries a bad one.  Lines by other keys are ignored.  libsodium's
 * strict verification is the rule.  Keys of either type; the time that a cosignature states
 * is had from note_cosigned_at (tlog/cosignature.h). */
MUST_USE enum err note_verify(const struct note *n, const struct vkey *key);
/* The same by all the keys that one signer is known to have had: OK when one of them or more
 * signed, and SIGNATURE when a line by any of them is bad, whatever the others say. */
MUST_USE enum err note_verify_all(const struct note *n, const struct vkey *keys, size_t count);
/* Appends the note with those of its lines alone that are good ones by one of the keys, in their
 * order; UNKNOWN_KEY, and nothing, when none is. */
MUST_USE enum err note_keep(const struct note *n, const struct vkey *keys, size_t count,
			    struct buf *ret);
/* Appends text (must end in a newline), blank line and one signature line.  ARGUMENT when
 * the key is not of type KEY_ED25519 or not the secret's. */
MUST_USE enum err note_sign(struct bytes text, const struct signer *by, struct buf *ret);
/* Appends one more signature line by another key to a whole note that stands in *ret (a log
 * whose key was rotated signs with both for a while).  ARGUMENT as above; DECODE and what else
 * note_parse says; LIMIT.  *ret stays as it was on failure, but for want of memory. */
MUST_USE enum err note_sign_also(const struct signer *by, struct buf *ret);
/* The same unless a line by that key stands there: SIGNATURE when that one is bad. */
MUST_USE enum err note_sign_once(const struct signer *by, struct buf *ret);

#endif
