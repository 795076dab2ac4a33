/* Times as distinct types, so that a wall clock never meets a monotonic one.
 * Pure code gets its times as arguments; only drivers call the *_now functions.
 *
 * Layer: base. */
#ifndef SPLOT_BASE_TIME_H
#define SPLOT_BASE_TIME_H

#include <stdint.h>

#include "base/error.h"

struct wall_ms { /* milliseconds since 1970-01-01T00:00:00Z */
	int64_t ms;
};

struct mono_ms { /* milliseconds of a clock that never jumps */
	int64_t ms;
};

struct wall_ms wall_now(void);
struct mono_ms mono_now(void);
int64_t mono_us(void); /* the same in microseconds: how long something took */

/* "2026-11-21T09:30:00.123Z" into text[25]. */
void wall_format(struct wall_ms t, char text[static 25]);

#endif
