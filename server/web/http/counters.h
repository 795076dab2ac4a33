/* What the program counts of itself. */
#ifndef SPLOT_WEB_HTTP_COUNTERS_H
#define SPLOT_WEB_HTTP_COUNTERS_H

#include <stdint.h>

#include "base/bytes.h"
#include "http/guard.h"

enum { COUNTER_STATUSES = 600, COUNTER_BUCKETS = 14 };

/* X(NAME, "text in the metrics") */
#define DROP_TABLE(X)                                                                              \
	X(SLOW_HEAD, "slow_head")                                                                  \
	X(IDLE, "idle")                                                                            \
	X(SLOW_READER, "slow_reader")                                                              \
	X(STALLED, "stalled")                                                                      \
	X(STALLED_EVENTS, "stalled_events")

enum drop {
#define DROP_ENUM(name, text) DROP_##name,
	DROP_TABLE(DROP_ENUM)
#undef DROP_ENUM
		DROP_COUNT
};

/* All are of the answering thread; `snapshots_*` are set by their owner. */
struct counters {
	uint64_t answers[COUNTER_STATUSES]; /* by status */
	uint64_t refused[GUARD_COUNT];      /* by what was wrong */
	uint64_t dropped[DROP_COUNT];       /* connections shut by us */
	uint64_t seconds[COUNTER_BUCKETS];  /* answers by the time to make them; not cumulative */
	uint64_t seconds_us;                /* their sum */
	uint64_t cache_hits, cache_misses;
	uint64_t connections_taken;
	uint64_t connections, readers;      /* now */
	uint64_t cache_bytes, bodies_bytes; /* now */
	uint64_t large_bytes;               /* of bodies_bytes */
	uint64_t messages;                  /* server-sent events made */
	uint64_t snapshots_made, snapshots_failed, snapshots_kept, snapshots_bytes;
	uint64_t catalog_bytes, views_opened;
};

void counters_answer(struct counters *c, unsigned status, uint64_t took_us);
/* Appends the Prometheus text. */
void counters_write(const struct counters *c, struct buf *ret);

#endif
