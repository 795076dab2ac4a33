#include "server/inbox.h"

#include <stdlib.h>

void inbox_open(struct inbox *in)
{
	*in = (struct inbox){.first = NULL};
	in->end = &in->first;
}

enum err inbox_add(struct inbox *in, size_t log, const struct message *m, size_t bytes)
{
	struct inbox_entry *entry = malloc(sizeof *entry);

	if (!entry)
		return ERR_NOMEM;
	*entry = (struct inbox_entry){.message = *m, .log = log, .bytes = bytes};
	*in->end = entry;
	in->end = &entry->next;
	in->count++;
	in->of[log].count++;
	in->of[log].bytes += bytes;
	return ERR_OK;
}

const struct inbox_entry *inbox_first(const struct inbox *in, const bool *blocked)
{
	const struct inbox_entry *entry = in->first;

	while (entry && blocked[entry->log])
		entry = entry->next;
	return entry;
}

/* Unlinks the entry that `link` leads to. */
static struct message unlink_entry(struct inbox *in, struct inbox_entry **link)
{
	struct inbox_entry *entry = *link;
	struct message m = entry->message;

	*link = entry->next;
	if (in->end == &entry->next)
		in->end = link;
	in->count--;
	in->of[entry->log].count--;
	in->of[entry->log].bytes -= entry->bytes;
	free(entry);
	return m;
}

struct message inbox_take(struct inbox *in, const struct inbox_entry *entry)
{
	struct inbox_entry **link = &in->first;

	while (*link != entry)
		link = &(*link)->next;
	return unlink_entry(in, link);
}

void inbox_drop(struct inbox *in, size_t log)
{
	struct inbox_entry **link = &in->first;

	while (*link) {
		struct message m;

		if ((*link)->log != log) {
			link = &(*link)->next;
			continue;
		}
		m = unlink_entry(in, link);
		message_free(&m);
	}
}

void inbox_close(struct inbox *in)
{
	for (size_t log = 0; log < LOGS_MAX; log++)
		inbox_drop(in, log);
}
