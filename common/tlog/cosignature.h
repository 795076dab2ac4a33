/* C2SP tlog-cosignature: cosignature/v1, a witness's timestamped statement about a checkpoint.
 * A key of type KEY_COSIGNATURE signs "cosignature/v1\ntime SECONDS\n" and the note's text;
 * the line's body is the time, eight bytes big-endian, and the signature.
 *
 * note_verify checks such lines as well.  Layer: tlog. */
#ifndef SPLOT_TLOG_COSIGNATURE_H
#define SPLOT_TLOG_COSIGNATURE_H

#include "tlog/note.h"

enum { COSIGNATURE_BYTES = 8 + SIGNATURE_BYTES };

/* Appends one signature line about `text` (a note's text), to stand behind that note.
 * `time_s`: seconds since 1970, at most 2^63 - 1.  ARGUMENT when the signer's key is of
 * another type. */
MUST_USE enum err note_cosign(struct bytes text, uint64_t time_s, const struct signer *by,
			      struct buf *ret);
/* As note_verify for a key of type KEY_COSIGNATURE, and gives the time that it states (the
 * latest, should it state several). */
MUST_USE enum err note_cosigned_at(const struct note *n, const struct vkey *key,
				   uint64_t *ret_time_s);

/* One line's decoded body: SIGNATURE unless it is a good cosignature of `text`. */
MUST_USE enum err cosignature_check(struct bytes text, struct bytes body,
				    const uint8_t public[static SIGN_PUBLIC_BYTES],
				    uint64_t *ret_time_s);

#endif
