/* The keys that signed the checkpoints of one log one after the other: each up to a size, and at
 * that size, where a rotation ends it, together with the next.
 *
 * Layer: tlog. */
#ifndef SPLOT_TLOG_SUCCESSION_H
#define SPLOT_TLOG_SUCCESSION_H

#include "tlog/checkpoint.h"

struct succession {
	size_t count;                   /* at least one */
	struct vkey keys[LOG_KEYS_MAX]; /* in the order in which they signed; of one name */
	uint64_t ends[LOG_KEYS_MAX];    /* of each but the last: the largest size that it signs */
};

/* Which key signs checkpoints of `size`: the first that reaches that far, else the last. */
size_t succession_at(const struct succession *s, uint64_t size);
/* Whether a stored note is whole: it says `size`, whoever has to sign that did, and no line by
 * another of the keys is bad (who knows that key would refuse the note).  CORRUPT for another size;
 * else what checkpoint_open and note_verify_all say. */
MUST_USE enum err succession_check(const struct succession *s, uint64_t size, struct bytes note);
/* Gives, into *ret, which is empty, the lines of a note that are good by one of the keys or by
 * `next` (NULL: none); UNKNOWN_KEY when none is, and what note_parse says. */
MUST_USE enum err succession_keep(const struct succession *s, struct bytes note,
				  const struct vkey *next, struct buf *ret);
/* Signs the note in *ret, of `size`, by the last key, where it is the one that a rotation of that
 * size introduces and has not signed. */
MUST_USE enum err succession_introduce(const struct succession *s, uint64_t size,
				       const struct signer *last, struct buf *ret);
/* Gives, into *ret, which is empty, what a damaged note is worth: its good lines, and such a
 * signature by the last key.  NOT_FOUND, and nothing, when somebody's who has to sign is missing.
 */
MUST_USE enum err succession_mend(const struct succession *s, uint64_t size, struct bytes note,
				  const struct signer *last, struct buf *ret);

#endif
