/* What happened to the register on which day: records that came, ended, moved, changed operator,
 * joined or left a network.  Counted as versions are put, so that a quarter is a sum of hours.
 *
 * Layer: register.  Pure. */
#ifndef SPLOT_REGISTER_MOVEMENT_H
#define SPLOT_REGISTER_MOVEMENT_H

#include "register/catalog.h"

/* One version may be more than one of them; one that changes nothing is none. */
enum movement {
	MOVEMENT_NEW,   /* an entity that was not there */
	MOVEMENT_ENDED, /* its status became expired, ceased or deleted, or it was retired before */
	MOVEMENT_MOVED, /* another place or gmina; not: the first that is known, or none any more */
	MOVEMENT_OPERATOR, /* another operator; the same */
	MOVEMENT_JOINED,   /* a membership without an end came, or lost its end */
	MOVEMENT_LEFT,     /* a membership without an end was retired, or got one */
	MOVEMENT_EDITED,   /* any other change of any record */
	MOVEMENT_COUNT
};
const char *movement_name(enum movement m); /* "new", "ended", "moved", "operator_changed", … */

struct movements; /* opaque: counts by hour and region */
MUST_USE enum err movements_new(struct movements **ret);
void movements_free(struct movements *m); /* NULL-safe */
/* What a version does to the catalog, called before it is put. */
MUST_USE enum err movements_note(struct movements *m, const struct catalog *before,
				 const struct version *v);
/* The sum over events recorded in [from, to), two whole hours such as midnights in Warsaw (others
 * are taken as the next one); `region` NULL: all. */
uint64_t movements_sum(const struct movements *m, enum movement what, const char *region,
		       struct wall_ms from, struct wall_ms to);
size_t movements_memory(const struct movements *m);

#endif
