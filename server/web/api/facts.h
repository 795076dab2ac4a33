/* What does not change about the regions: the seats of their authorities, their offices of social
 * policy (ROPS), and where their tiles lie.
 *
 * Inside the api layer. */
#ifndef SPLOT_API_FACTS_H
#define SPLOT_API_FACTS_H

#include "model/region.h"

struct region_facts {
	const char *seat;      /* of the regional assembly, whose office keeps the log */
	const char *rops_name; /* "" for the ministry */
	const char *rops_short;
	const char *iso;        /* ISO 3166-2 */
	int tile_col, tile_row; /* -1: no tile */
};

/* i in 0 … REGION_COUNT - 1, as region_at. */
const struct region_facts *region_facts(int i);

#endif
