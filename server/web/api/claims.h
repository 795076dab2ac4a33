/* Statistics as claims: who says which number of what, and where two disagree.
 *
 * Inside the api layer.  Pure. */
#ifndef SPLOT_API_CLAIMS_H
#define SPLOT_API_CLAIMS_H

#include "api/pieces.h"

/* All claims on one region, kind, measure and unit, the newest first.  They disagree when two
 * reporters are among them and two values: one reporter's values at different days are a series.
 * (The view's count of conflicts, ledger/links.c, is that of the measure active_count.) */
struct claim_group {
	int owner; /* REGION_NONE: of no region */
	size_t first, count;
	bool disagree;
};
struct claims {
	const size_t *rows;               /* of statistics, by groups */
	const struct claim_group *groups; /* by region, kind, measure, unit */
	size_t row_count, group_count;
};

/* In the arena.  NOMEM. */
MUST_USE enum err claims_make(const struct catalog *c, struct arena *arena, struct claims *ret);

/* Those that say how many CIS or KIS there are in a region, the newest first and `max` at most. */
size_t claims_stated(const struct claims *l, const struct catalog *c, int owner, size_t max,
		     size_t *ret);
/* How many groups of a region disagree. */
size_t claims_conflicts(const struct claims *l, int owner);

/* The newest stated number of a kind in a region; false when nobody stated one. */
bool claims_newest(const struct claims *l, const struct catalog *c, int owner, const char *kind,
		   uint64_t *ret);

/* {"kind","measure","unit","disagree","claims":[…]}; `region`: with "region" before the kind. */
void write_claim_group(struct json *j, const struct catalog *c, const struct claims *l,
		       const struct claim_group *g, bool region);

#endif
