/* Files that show how two signed checkpoints of one log stand to each other, for whoever was
 * not there.
 *
 * A consistency file is the request that C2SP tlog-witness v1.0.0 defines: "old SIZE", the proof's
 * hashes in base64, one a line, an empty line, and the newer signed checkpoint verbatim.
 *
 * Layer: audit. */
#ifndef SPLOT_AUDIT_CONSISTENCY_H
#define SPLOT_AUDIT_CONSISTENCY_H

#include "audit/source.h"
#include "tlog/checkpoint.h"
#include "tlog/tree.h"

enum { CONSISTENCY_BYTES_MAX = 32 + PROOF_HASHES_MAX * 45 + 1 + NOTE_BYTES_MAX };

struct consistency_file {
	uint64_t old;
	struct proof proof;
	struct bytes note; /* a slice of the file */
};

/* DECODE (form, too many hashes), LIMIT. */
MUST_USE enum err consistency_parse(struct bytes raw, struct consistency_file *ret);
/* Appends the file. */
MUST_USE enum err consistency_write(const struct consistency_file *f, struct buf *ret);

/* How two checkpoints of one origin stand to each other. */
enum relation {
	RELATION_SAME,    /* size and root */
	RELATION_GREW,    /* the proof shows that the larger one grew from the smaller */
	RELATION_FORKED,  /* two roots at one size, at the sizes given or, by the proof, at the
			     smaller one: no single history has both */
	RELATION_UNKNOWN, /* of different size, and nothing shows how they hang together */
};

/* Which it is.  `proof` (may be NULL) leads from `old_root`, at the smaller size, to the larger
 * checkpoint; a proof that does not verify is as none.  ORIGIN: two logs. */
MUST_USE enum err consistency_judge(const struct checkpoint *a, const struct checkpoint *b,
				    const struct proof *proof, const struct hash *old_root,
				    enum relation *ret);

/* The proof from the source's tiles that leads to the larger of two checkpoints, and the root that
 * the larger one's tree has at the smaller size.  ROOT when the source's history is not the
 * larger one's; NOT_FOUND when the source ends before it. */
MUST_USE enum err consistency_prove(struct source *s, struct log_name log,
				    const struct checkpoint *smaller,
				    const struct checkpoint *larger, struct proof *ret_proof,
				    struct hash *ret_old_root);

#endif
