#include "server/batch.h"

size_t batch_next(size_t events, bool was_full, int64_t took_us)
{
	if (took_us > BATCH_US && events > BATCH_EVENTS_LEAST)
		return events / 2;
	if (was_full && took_us < BATCH_US / 2 && events < BATCH_EVENTS_MOST)
		return events * 2;
	return events;
}
