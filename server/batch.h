/* How much one transaction of the view folds: LMDB keeps the memory of its largest transaction, and
 * who waits for a change waits for the batch before it. */
#ifndef SPLOT_SERVER_BATCH_H
#define SPLOT_SERVER_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* A batch is as many events as take about so much time, large ones counted as so many small
	 * ones. */
	BATCH_US = 5000,
	BATCH_EVENTS_LEAST = 4,
	BATCH_EVENTS_MOST = 8192,
	BATCH_EVENTS_FIRST = 64,
};

/* The bound of the batch after one of at most `events` that took `took_us` microseconds of work.
 * `was_full`: it left something over.  One that was not full says nothing of larger ones. */
size_t batch_next(size_t events, bool was_full, int64_t took_us);

#endif
