/* A region's object, as the summary lists it and /regions/NN gives it.
 *
 * Inside the api layer. */
#ifndef SPLOT_API_PLACES_H
#define SPLOT_API_PLACES_H

#include "api/claims.h"
#include "api/sums.h"

enum {
	STATED_MAX = 200,       /* claims beside one region's numbers, the newest */
	CLAIM_GROUPS_MAX = 500, /* in one answer */
};

/* What every region's object is made from. */
struct nation {
	const struct api_context *x;
	struct wall_ms moment; /* that the answer speaks of */
	day_number today;
	struct sums sums;
	struct claims claims;
};
/* NOMEM. */
MUST_USE enum err nation_make(const struct api_context *x, const struct api_request *rq,
			      struct nation *ret);

/* The members of region `place` (as region_at), without brackets.  NOMEM. */
MUST_USE enum err write_region(struct json *j, const struct nation *n, int place);
/* "regions": [ … 17 ].  NOMEM. */
MUST_USE enum err write_regions(struct json *j, const struct nation *n);

/* Members that a region and the nation have alike; `place` may be SUMS_NATION.  NOMEM. */
void write_membership(struct json *j, const struct place_sums *p);
void write_freshness(struct json *j, const struct freshness *f);
void write_quarter(struct json *j, const struct nation *n, int place);
void write_stated(struct json *j, const struct nation *n, int owner);
/* `key`: [{MEMBER: text | null, "count"}] of a table; `kinds`: with "kind" before it.  NOMEM. */
MUST_USE enum err write_cells(struct json *j, const struct nation *n, enum sums_table table,
			      int place, const char *key, const char *member, bool kinds);

#endif
