/* A run of a log's events as frames: what RANGE and FEED carry. */
#ifndef SPLOT_SERVER_BUNDLES_H
#define SPLOT_SERVER_BUNDLES_H

#include "ledger/log.h"

struct bundles {
	struct buf bytes; /* owned */
	size_t ends[COMMIT_FRAMES_MAX];
	size_t count;
};

/* Reads `count` events from `from` on.  LIMIT when they are more than a commit. */
MUST_USE enum err bundles_read(struct bundles *b, const struct log *l, struct txn *t, uint64_t from,
			       uint32_t count);
/* Slices for sending; gives how many. */
size_t bundles_frames(const struct bundles *b, struct bytes frames[static COMMIT_FRAMES_MAX]);
void bundles_free(struct bundles *b);

#endif
