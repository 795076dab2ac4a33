#include "base/histogram.h"

const uint64_t histogram_bounds_us[HISTOGRAM_BOUNDS] = {HISTOGRAM_BOUNDS_US};

void histogram_note(struct histogram *h, int64_t us)
{
	uint64_t took = us > 0 ? (uint64_t)us : 0;
	unsigned i = 0;

	while (i < HISTOGRAM_BOUNDS && took > histogram_bounds_us[i])
		i++;
	h->counts[i]++;
	h->sum_us += took;
}

void histogram_add(struct histogram *to, const struct histogram *from)
{
	for (unsigned i = 0; i <= HISTOGRAM_BOUNDS; i++)
		to->counts[i] += from->counts[i];
	to->sum_us += from->sum_us;
}
