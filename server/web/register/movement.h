/* What happened to the register on which day: records that came, ended, moved, changed operator,
 * joined or left a network.  Counted as versions are put, so that a quarter is a sum of days.
 *
 * Layer: register.  Pure. */
#ifndef SPLOT_REGISTER_MOVEMENT_H
#define SPLOT_REGISTER_MOVEMENT_H

#include "register/catalog.h"

enum movement {
	MOVEMENT_NEW,      /* an entity that was not there */
	MOVEMENT_ENDED,    /* retired, or its status became expired, ceased or deleted */
	MOVEMENT_MOVED,    /* another place or gmina */
	MOVEMENT_OPERATOR, /* another operator */
	MOVEMENT_JOINED,   /* a membership began */
	MOVEMENT_LEFT,     /* a membership was retired or got an end */
	MOVEMENT_EDITED,   /* any other change of any record */
	MOVEMENT_COUNT
};
const char *movement_name(enum movement m); /* "new", "ended", "moved", "operator_changed", … */

struct movements; /* opaque: counts by day (Warsaw), region, kind of record or entity */
MUST_USE enum err movements_new(struct movements **ret);
void movements_free(struct movements *m); /* NULL-safe */
/* What a version does to the catalog, called before it is put. */
MUST_USE enum err movements_note(struct movements *m, const struct catalog *before,
				 const struct version *v);
/* The sum over events recorded in [from, to); `region` NULL: all. */
uint64_t movements_sum(const struct movements *m, enum movement what, const char *region,
		       struct wall_ms from, struct wall_ms to);

#endif
