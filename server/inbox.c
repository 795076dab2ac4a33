#include "server/inbox.h"

#include <stdlib.h>

enum err inbox_add(struct inbox *in, size_t log, const struct message *m, size_t bytes)
{
	struct inbox_entry *entry = malloc(sizeof *entry);

	if (!entry)
		return ERR_NOMEM;
	*entry = (struct inbox_entry){.message = *m, .bytes = bytes, .number = in->came++};
	if (in->of[log].first)
		*in->of[log].end = entry;
	else
		in->of[log].first = entry;
	in->of[log].end = &entry->next;
	in->of[log].count++;
	in->of[log].bytes += bytes;
	in->count++;
	return ERR_OK;
}

size_t inbox_first(const struct inbox *in, const bool *blocked)
{
	size_t best = LOGS_MAX;

	for (size_t log = 0; log < LOGS_MAX; log++)
		if (in->of[log].first && !blocked[log] &&
		    (best == LOGS_MAX || in->of[log].first->number < in->of[best].first->number))
			best = log;
	return best;
}

struct message inbox_take(struct inbox *in, size_t log)
{
	struct inbox_entry *entry = in->of[log].first;
	struct message m = entry->message;

	in->of[log].first = entry->next;
	in->of[log].count--;
	in->of[log].bytes -= entry->bytes;
	in->count--;
	free(entry);
	return m;
}

void inbox_drop(struct inbox *in, size_t log)
{
	while (in->of[log].first) {
		struct message m = inbox_take(in, log);

		message_free(&m);
	}
}

void inbox_close(struct inbox *in)
{
	for (size_t log = 0; log < LOGS_MAX; log++)
		inbox_drop(in, log);
}
