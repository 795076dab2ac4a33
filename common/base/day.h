/* Days of the register: Europe/Warsaw by its POSIX zone "CET-1CEST,M3.5.0,M10.5.0/3", so that
 * no table of zones is needed.  Pure.
 *
 * Layer: base. */
#ifndef SPLOT_BASE_DAY_H
#define SPLOT_BASE_DAY_H

#include <stdbool.h>

#include "base/time.h"

/* What a person wrote for a moment. */
struct moment {
	struct wall_ms first, last; /* of the day, the second or the millisecond that is meant */
	bool day;
};

/* "2026-11-21", a day in Warsaw, or "2026-11-21T09:30:00.123Z", a time in UTC (the fraction may
 * be absent); years 1970 to 9999.  INVALID. */
MUST_USE enum err moment_parse(const char *text, struct moment *ret);

#endif
