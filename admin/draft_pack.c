#include <string.h>

#include "admin/draft.h"
#include "base/limits.h"

/* What the node adds: editor and time; and the tags of reason and source. */
enum { EVENT_SPARE_BYTES = 96 };

size_t draft_event_end(const struct draft *d, size_t from, struct arena *scratch)
{
	size_t used = strlen(d->reason) + strlen(d->source) + EVENT_SPARE_BYTES;
	size_t end = from;

	while (end < d->count && end - from < EVENT_CHANGES_MAX) {
		size_t more = change_size(&d->changes[end], scratch);

		arena_reset(scratch);
		if (!more || more > EVENT_BYTES_MAX || used > EVENT_BYTES_MAX - more)
			break;
		used += more;
		end++;
	}
	return end;
}
