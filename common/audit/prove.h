/* Proofs of one event: its bytes and inclusion under the region's checkpoint, and that
 * checkpoint's inclusion in the national log, as tlog-proof files.
 *
 * Layer: audit. */
#ifndef SPLOT_AUDIT_PROVE_H
#define SPLOT_AUDIT_PROVE_H

#include "audit/source.h"
#include "tlog/policy.h"
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
/* The tree of all that the source holds of a log; NOT_FOUND when that is less than `least`. */
MUST_USE enum err source_tree_open(struct source_tree *t, struct source *s, struct log_name log,
				   uint64_t least);
void source_tree_free(struct source_tree *t);

/* A cosigned note in place of itself as it is published (policy_trim). */
MUST_USE enum err note_shorten(const struct policy *p, struct buf *note);

/* What was proved, beside the file. */
struct proved {
	struct checkpoint under;
	struct hash leaf;
};

/* Inclusion of event `index` of `log` under the log's first stored checkpoint that covers it
 * (from an export: its only one), with the event as `extra`; of an entry of the national log under
 * the newest cosigned checkpoint that covers it, as it is published, else the newest.  Appends the
 * file.  NOT_FOUND, REDACTED (the file is there, without `extra`, and what is returned is all there
 * is), CORRUPT when the source does not fit itself.  Signatures are not looked at. */
MUST_USE enum err prove_event(struct source *s, struct log_name log, uint64_t index,
			      struct buf *ret, struct proved *ret_proved);
/* Inclusion of the national entry that accepted the checkpoint of `size` of `log`, under the
 * newest cosigned national checkpoint that covers it, else the newest; the entry as `extra`.
 * NOT_FOUND: it is not there.  An export's regional checkpoint may be newer than its national
 * one.  Reads the national log back from its end. */
MUST_USE enum err prove_accepted(struct source *s, struct log_name log, uint64_t size,
				 struct buf *ret, struct proved *ret_proved);
#endif
