/* When a centre's status lapses: its valid_to, or, where that is not known, five years after its
 * valid_from as an estimate.
 *
 * Inside the api layer.  Pure. */
#ifndef SPLOT_API_LAPSE_H
#define SPLOT_API_LAPSE_H

#include "api/pieces.h"

enum lapse_state { LAPSE_NOT_SOON, LAPSE_WITHIN_12_MONTHS, LAPSE_WITHIN_6_MONTHS, LAPSED };
/* "lapsed", "within_6_months", "within_12_months"; NULL for LAPSE_NOT_SOON. */
const char *lapse_name(enum lapse_state s);

struct lapse {
	char valid_to[DAY_TEXT_BYTES]; /* as precise as what it is taken from */
	day_number last;               /* last day that this can mean */
	bool estimated;
	enum lapse_state state;
};
/* False when nothing can lapse: no CIS, no date, or one that ended already. */
bool lapse_of(const struct catalog *c, size_t entity, day_number today, struct lapse *ret);
/* The same of one entity's columns. */
bool lapse_of_texts(const char *kind, const char *status, const char *valid_from,
		    const char *valid_to, day_number today, struct lapse *ret);

#endif
