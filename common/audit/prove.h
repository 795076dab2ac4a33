/* Proofs of one event: its bytes and inclusion under the region's checkpoint, and that
 * checkpoint's inclusion in the national log, as tlog-proof files.
 *
 * Layer: audit. */
#ifndef SPLOT_AUDIT_PROVE_H
#define SPLOT_AUDIT_PROVE_H

#include "audit/source.h"
#include "tlog/proof_file.h"

/* A tree_reader over a source's tiles, with a small cache: the newest tile of each level. */
struct source_tree {
	struct source *source;
	struct log_name log;
	uint64_t size; /* of the checkpoint under which tiles are read: an export's own */
	struct tile_reader tiles;
	struct tree_reader tree;
	struct buf cached[TREE_LEVELS_MAX];
	struct tile_id cached_id[TREE_LEVELS_MAX];
};
void source_tree_init(struct source_tree *t, struct source *s, struct log_name log, uint64_t size);
void source_tree_free(struct source_tree *t);

/* Inclusion of event `index` of `log` under the log's first stored checkpoint that covers it
 * (from an export: its only one), with the event as `extra`.  Appends the file.  NOT_FOUND,
 * REDACTED (the file is there, without `extra`, and what is returned is all there is), CORRUPT
 * when the source does not fit itself.  Signatures are not looked at. */
MUST_USE enum err prove_event(struct source *s, struct log_name log, uint64_t index,
			      struct buf *ret, struct checkpoint *ret_under);
/* Inclusion of the national entry that accepted the checkpoint of `size` of `log`, under the
 * newest cosigned national checkpoint that covers it, else the newest; the entry as `extra`.
 * NOT_FOUND: it is not there.  An export's regional checkpoint may be newer than its national
 * one.  Reads the national log from its beginning. */
MUST_USE enum err prove_accepted(struct source *s, struct log_name log, uint64_t size,
				 struct buf *ret);
/* Consistency of two sizes of one log, old <= size, from the source's tiles.  NOT_FOUND when the
 * source holds less than `size`; CORRUPT when tiles are missing. */
MUST_USE enum err prove_consistency(struct source *s, struct log_name log, uint64_t old,
				    uint64_t size, struct proof *ret);

#endif
