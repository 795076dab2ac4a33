/* Counts of active centres and clubs as somebody stated them: statistics with the measure
 * active_count.  Pure. */
#ifndef SPLOT_ADMIN_CSV_CLAIMS_H
#define SPLOT_ADMIN_CSV_CLAIMS_H

#include "admin/snapshot.h"

struct claim { /* texts borrowed from the snapshot */
	const char *region, *kind, *as_of, *qualifier, *value, *value_max, *reported_by;
};

struct claims {
	struct claim *items; /* owned array */
	size_t count;
};

MUST_USE enum err claims_collect(struct claims *cs, const struct snapshot *statistics);
void claims_free(struct claims *cs);
/* The newest by as_of (of two that are as new, the one whose id comes first); NULL: none. */
const struct claim *claims_newest(const struct claims *cs, const char *region, const char *kind);
/* Two reporters give different values (one reporter's values over time are a series). */
bool claims_conflict(const struct claims *cs, const char *region, const char *kind);
/* What stands before a figure of that qualifier: "~", "<", ">" or "". */
const char *claim_sign(const char *qualifier);

#endif
