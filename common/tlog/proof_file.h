/* C2SP tlog-proof, "c2sp.org/tlog-proof@v1": one entry's inclusion proof with the checkpoint
 * that it leads to, as a text file that anybody can verify offline.
 *
 * Splot puts the leaf's exact bytes into the `extra` line, so that the file proves something
 * by itself; whoever verifies hashes them and trusts them only when the proof holds.
 *
 * Layer: tlog. */
#ifndef SPLOT_TLOG_PROOF_FILE_H
#define SPLOT_TLOG_PROOF_FILE_H

#include "tlog/checkpoint.h"
#include "tlog/tree.h"

struct proof_file {
	struct bytes extra; /* decoded, never empty; in the arena; {NULL, 0}: no such line */
	bool has_extra;
	uint64_t index;
	struct proof proof;
	struct bytes note; /* a slice of the file */
};

/* DECODE (form, too many hashes, not canonical), LIMIT, ENCODING.  Nothing is verified. */
MUST_USE enum err proof_file_parse(struct bytes raw, struct arena *arena, struct proof_file *ret);
/* Appends the file's text; the note is put verbatim.  ARGUMENT: what could not be read back. */
MUST_USE enum err proof_file_write(const struct proof_file *p, struct buf *ret);

#endif
