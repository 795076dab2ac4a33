/* Leaves of a source's logs one by one, in any order: read in blocks, of which the last ones used
 * are kept, so that memory is bounded however long a log is. */
#ifndef SPLOT_ADMIN_LOG_LEAF_READER_H
#define SPLOT_ADMIN_LOG_LEAF_READER_H

#include "audit/source.h"
#include "base/limits.h"
#include "base/time.h"

enum {
	LEAF_BLOCK = TILE_WIDTH, /* an export's entry bundle */
	LEAF_BLOCKS_KEPT = 64,   /* those of all logs, and some that were superseded */
	LEAF_BYTES_KEPT = 32 * 1024 * 1024,
};

struct leaf_block {
	struct log_name log;
	uint64_t first;   /* index of its first leaf */
	uint64_t used;    /* when, in calls; 0: an empty slot */
	struct buf bytes; /* owned: the leaves, one behind the other */
	size_t count;     /* leaves in it: a run from the first */
	size_t ends[LEAF_BLOCK];
};

struct leaf_log {
	struct log_name log;
	uint64_t size; /* of its newest checkpoint, when last asked; 0: none */
};

struct leaf_reader {
	struct source *source; /* borrowed */
	uint64_t calls;
	struct leaf_block *blocks; /* owned array of LEAF_BLOCKS_KEPT */
	struct source_leaves *run; /* owned: what a call of the source gives */
	size_t log_count;
	struct leaf_log logs[LOGS_MAX + 1];
	struct buf note; /* scratch */
};

MUST_USE enum err leaf_reader_open(struct leaf_reader *r, struct source *s);
void leaf_reader_close(struct leaf_reader *r); /* also a zeroed one */

/* The size of a log's newest checkpoint; `anew`: asks the source again.  0 when it is empty or is
 * not there. */
MUST_USE enum err leaf_size(struct leaf_reader *r, struct log_name log, bool anew, uint64_t *ret);
/* Valid until the next call; size 0: redacted.  NOT_FOUND at or above the size, and for a leaf
 * that is missing. */
MUST_USE enum err leaf_at(struct leaf_reader *r, struct log_name log, uint64_t index,
			  struct bytes *ret);
/* How many leading leaves of `size` were recorded at or before `until` (recorded times never fall).
 * One that cannot be read counts with the one before it. */
MUST_USE enum err leaf_size_at(struct leaf_reader *r, struct log_name log, uint64_t size,
			       struct wall_ms until, uint64_t *ret);

#endif
