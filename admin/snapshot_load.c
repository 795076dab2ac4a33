#include <stdlib.h>
#include <string.h>

#include "admin/snapshot.h"

static enum err take_page(struct snapshot *s, const struct control_reply *page)
{
	size_t need = s->count + page->version_count;

	if (need > s->capacity) {
		size_t capacity = 2 * need;
		struct version *rows = reallocarray(s->rows, capacity, sizeof *rows);

		if (!rows)
			return ERR_NOMEM;
		s->rows = rows;
		s->capacity = capacity;
	}
	for (size_t i = 0; i < page->version_count; i++) {
		const struct version *v = &page->versions[i];

		/* In id order, or paging would go round and searching would miss. */
		if (s->count && strcmp(s->rows[s->count - 1].change.id, v->change.id) >= 0)
			return ERR_DECODE;
		s->rows[s->count++] = *v;
	}
	return page->more && !page->version_count ? ERR_DECODE : ERR_OK;
}

enum outcome snapshot_load(struct link *l, enum record_kind kind, uint64_t at, bool retired,
			   struct arena *arena, struct snapshot *ret)
{
	struct snapshot s = {.kind = kind};
	struct control_request q = {
		.verb = CONTROL_QUERY, .kind = kind, .at = at, .retired = retired};
	struct control_reply page = {.more = true};
	enum outcome outcome = DONE;

	while (outcome == DONE && page.more) {
		enum err e = ERR_OK;

		outcome = link_ask(l, &q, arena, &page);
		if (outcome != DONE)
			break;
		s.position = page.position;
		q.at = page.position;
		e = take_page(&s, &page);
		if (e != ERR_OK)
			outcome = link_lost(l, e);
		else if (s.count)
			q.after = s.rows[s.count - 1].change.id;
	}
	if (outcome != DONE)
		snapshot_free(&s);
	*ret = s;
	return outcome;
}
