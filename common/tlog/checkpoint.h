/* C2SP tlog-checkpoint v1.0.0: "origin\nsize\nbase64(root)\n", here without extension lines.
 *
 * Layer: tlog. */
#ifndef SPLOT_TLOG_CHECKPOINT_H
#define SPLOT_TLOG_CHECKPOINT_H

#include "tlog/note.h"

struct checkpoint {
	char origin[ORIGIN_BYTES_MAX + 1];
	uint64_t size;
	struct hash root;
};

/* The note's text alone.  Foreign checkpoints may carry extension lines: accepted when
 * `extensions` is true, else DECODE. */
MUST_USE enum err checkpoint_parse(struct bytes text, bool extensions, struct checkpoint *ret);
/* Appends the three lines. */
MUST_USE enum err checkpoint_text(const struct checkpoint *c, struct buf *ret);
/* Appends the signed note. */
MUST_USE enum err checkpoint_sign(const struct checkpoint *c, const struct signer *by,
				  struct buf *ret);
/* Parses and verifies a whole note: the origin must equal the key's name (ORIGIN).
 * Also DECODE, UNKNOWN_KEY, SIGNATURE. */
MUST_USE enum err checkpoint_open(struct bytes note, const struct vkey *key,
				  struct checkpoint *ret);

#endif
