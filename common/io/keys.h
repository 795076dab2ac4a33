/* Secret keys on disk and in guarded memory.  The file is text, mode 0600:
 *
 *     # splot secret keys: whoever reads this file can speak for this log
 *     kind node            (or server)
 *     name splot.example/region/26     (origin of the log the keys speak for)
 *     log-seed BASE64      (Ed25519 seed: signs the log's checkpoints)
 *     witness-seed BASE64  (Ed25519 seed: cosigns the national log; nodes only)
 *     curve-secret BASE64  (X25519)
 *
 * and, in a node's file once its keys were rotated, oldest first:
 *
 *     previous-log-key VKEY SIZE   (a key that signed checkpoints up to that size)
 *     old-log-seed BASE64          (the last of them: signs beside the new one …)
 *     old-until MS                 (… until then, milliseconds since 1970)
 *
 * Layer: io. */
#ifndef SPLOT_IO_KEYS_H
#define SPLOT_IO_KEYS_H

#include "base/bytes.h"
#include "base/limits.h"

enum key_kind { KEYS_NODE, KEYS_SERVER };

enum {
	KEYS_PREVIOUS_MAX = LOG_KEYS_MAX - 1,
	KEY_TEXT_BYTES = KEY_NAME_BYTES_MAX + 80, /* a verifier key's text */
};

struct previous_key {
	char vkey[KEY_TEXT_BYTES]; /* not looked into here */
	uint64_t size;             /* checkpoints of up to this size are signed by it */
};

struct keys {
	enum key_kind kind;
	char name[ORIGIN_BYTES_MAX + 1];
	/* all in one sodium_malloc region, read-only once loaded; owned */
	uint8_t *log_secret;     /* 64: Ed25519 secret as libsodium keeps it */
	uint8_t *witness_secret; /* 64; NULL for a server */
	uint8_t *curve_secret;   /* 32 */
	uint8_t *old_secret;     /* 64: the log key before this one; NULL when it signs no more */
	uint8_t log_public[32];
	uint8_t witness_public[32];
	uint8_t curve_public[32];
	uint8_t old_public[32];
	int64_t old_until_ms;
	size_t previous_count;
	struct previous_key previous[KEYS_PREVIOUS_MAX]; /* in order of size */
};

/* Makes new keys and writes them; EXISTS rather than overwrite.  ARGUMENT when the name is
 * empty, over ORIGIN_BYTES_MAX, or holds spaces, '+' or other than ASCII. */
MUST_USE enum err keys_generate(const char *path, enum key_kind kind, const char *name);
/* NOT_FOUND; DENIED when others may read the file (mode) or it is another user's;
 * DECODE, LIMIT; `why` (a buffer of TEXT_BYTES_MAX + 1, may be NULL) says what and what to do. */
MUST_USE enum err keys_load(const char *path, struct keys *ret, char *why);
void keys_free(struct keys *k); /* wipes; also a zeroed one */

/* ---- rotation: the next keys wait in a file beside those in use, "<path>.next" ---- */

enum { KEYS_PATH_BYTES = 4096 };

void keys_next_path(const char *path, char ret[static KEYS_PATH_BYTES]);
/* Makes the next keys of a node: other log and witness keys, the same name and the same curve
 * secret.  EXISTS when some wait already; ARGUMENT for a server's; else as keys_load. */
MUST_USE enum err keys_generate_next(const char *path, char *why);
/* Puts the next keys in place of those at `path`, at once and synced; what was there stays as
 * a previous key, named `old_vkey`, of checkpoints up to `size`, and its seed until `until_ms` (0:
 * it is forgotten).  LIMIT when the file would be too long or names too many.  May be repeated
 * after a failure. */
MUST_USE enum err keys_install_next(const char *path, const char *old_vkey, uint64_t size,
				    int64_t until_ms, char *why);
/* Removes next keys that were installed already (a kill came in between); others stay. */
MUST_USE enum err keys_drop_installed(const char *path, const struct keys *installed);
/* The newest of the previous keys signed checkpoints up to `size`, and no other.  ARGUMENT when
 * that is not past where the one before it ended. */
MUST_USE enum err keys_move_end(const char *path, uint64_t size, char *why);
/* Writes the file anew without the old seed. */
MUST_USE enum err keys_forget_old(const char *path, char *why);

#endif
