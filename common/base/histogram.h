/* How often something took how long: counts between fixed bounds, nothing allocated.
 *
 * Layer: base. */
#ifndef SPLOT_BASE_HISTOGRAM_H
#define SPLOT_BASE_HISTOGRAM_H

#include <stdint.h>

/* From a sync of a good disk to a node that was away for days. */
#define HISTOGRAM_BOUNDS_US                                                                        \
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,     \
		2500000, 5000000, 10000000, 60000000, 3600000000, 86400000000
enum { HISTOGRAM_BOUNDS = 19 };

extern const uint64_t histogram_bounds_us[HISTOGRAM_BOUNDS]; /* rising */

struct histogram {
	uint64_t counts[HISTOGRAM_BOUNDS + 1]; /* up to each bound and above the one before; above
						  all */
	uint64_t sum_us;
};

/* Less than nothing, by clocks that differ, counts as nothing. */
void histogram_note(struct histogram *h, int64_t us);
/* Adds what `from` counted to `to`. */
void histogram_add(struct histogram *to, const struct histogram *from);

#endif
