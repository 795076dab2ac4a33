/* How much of something is allowed at once and over time: what was used is forgotten at a steady
 * rate, and may never be more than the burst.
 *
 * Pure: time comes in as an argument.  Layer: base. */
#ifndef SPLOT_BASE_ALLOWANCE_H
#define SPLOT_BASE_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct allowance {
	uint64_t used_milli; /* thousandths */
	struct wall_ms at;
};

/* Takes `amount`; false, and nothing is taken, when that is more than is left.  A clock that was
 * put back forgets nothing and refuses nothing by itself. */
bool allowance_take(struct allowance *a, uint64_t per_s, uint64_t burst, uint64_t amount,
		    struct wall_ms now);

#endif
