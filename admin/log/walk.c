#include "admin/log/walk.h"

#include <string.h>
#include "ledger/view.h"

static bool is_national(struct log_name log)
{
	return log_name_region(log) == REGION_NONE;
}

enum err walk_open(struct log_walk *w, struct source *s)
{
	*w = (struct log_walk){0};
	return leaf_reader_open(&w->leaves, s);
}

void walk_close(struct log_walk *w)
{
	for (size_t i = 0; i < PREDECESSORS_KEPT; i++)
		arena_free(&w->before[i].arena);
	arena_free(&w->arena);
	arena_free(&w->entry);
	keyring_free(w->keys);
	leaf_reader_close(&w->leaves);
	*w = (struct log_walk){0};
}

static bool enough(const struct log_walk *w)
{
	return w->limit && w->shown >= w->limit;
}

/* Counts the item; tells it; the limit is reached when nobody wants more. */
static void tell(struct log_walk *w, const struct log_item *item)
{
	w->shown++;
	if (!w->tell(w->context, item))
		w->limit = w->shown;
}

/* ---- times ---- */

/* What of a log was recorded in the time asked for.  Found once a log: while a log is followed
 * no time is bounded above. */
static enum err window_of(struct log_walk *w, struct log_name log, struct log_window *ret)
{
	struct log_window new = {.log = log, .to = UINT64_MAX};
	const struct wall_ms before = {w->since.ms - 1};
	uint64_t size = 0;
	enum err e = ERR_OK;

	if (!w->has_since && !w->has_until) {
		*ret = new;
		return ERR_OK;
	}
	for (size_t i = 0; i < w->window_count; i++) {
		if (log_name_equal(w->windows[i].log, log)) {
			*ret = w->windows[i];
			return ERR_OK;
		}
	}
	e = leaf_size(&w->leaves, log, false, &size);
	if (e == ERR_OK && w->has_since)
		e = leaf_size_at(&w->leaves, log, size, before, &new.from);
	if (e == ERR_OK && w->has_until)
		e = leaf_size_at(&w->leaves, log, size, w->until, &new.to);
	if (e != ERR_OK)
		return e;
	if (w->window_count < sizeof w->windows / sizeof *w->windows)
		w->windows[w->window_count++] = new;
	*ret = new;
	return ERR_OK;
}

/* ---- the version before ---- */

/* An event that was superseded; `read` says whether it could be had. */
static const struct predecessor *predecessor_of(struct log_walk *w, struct log_name log,
						uint64_t index)
{
	struct predecessor *p = &w->before[0];
	struct bytes leaf = {NULL, 0};

	for (size_t i = 0; i < PREDECESSORS_KEPT; i++) {
		struct predecessor *kept = &w->before[i];

		if (kept->used && kept->index == index && log_name_equal(kept->log, log)) {
			kept->used = ++w->calls;
			return kept;
		}
		if (kept->used < p->used)
			p = kept;
	}
	arena_reset(&p->arena);
	p->log = log;
	p->index = index;
	p->used = ++w->calls;
	p->read = leaf_at(&w->leaves, log, index, &leaf);
	if (p->read == ERR_OK && !leaf.size)
		p->read = ERR_REDACTED;
	if (p->read == ERR_OK)
		p->read = event_decode(leaf, &p->arena, &p->event);
	return p;
}

/* What a change of event `index` replaces, by the log alone. */
static void find_before(struct log_walk *w, struct log_name log, uint64_t index,
			const struct change *c, struct shown_change *ret)
{
	const struct predecessor *p = NULL;

	*ret = (struct shown_change){.change = c};
	if (!c->has_supersedes)
		return;
	ret->before_lost = true;
	if (c->supersedes >= index)
		return;
	p = predecessor_of(w, log, c->supersedes);
	for (size_t i = 0; p->read == ERR_OK && i < p->event.change_count; i++) {
		if (strcmp(p->event.changes[i].id, c->id) != 0)
			continue;
		ret->before = p->event.changes[i].record;
		ret->before_lost = !ret->before;
	}
}

/* ---- events ---- */

/* Gathers the changes that pass; the versions before are copied, since others follow. */
static enum err take_changes(struct log_walk *w, struct log_item *item)
{
	const struct event *event = &item->event;

	item->changes = arena_alloc(&w->arena, (event->change_count + 1) * sizeof *item->changes);
	if (!item->changes)
		return ERR_NOMEM;
	for (size_t i = 0; i < event->change_count; i++) {
		struct shown_change *shown = &item->changes[item->change_count];

		if (!filter_takes_record(w->filter, &event->changes[i])) {
			item->others++;
			continue;
		}
		find_before(w, item->log, item->index, &event->changes[i], shown);
		if (!filter_takes_change(w->filter, shown->change, shown->before)) {
			item->others++;
			continue;
		}
		if (shown->before) {
			shown->before = record_copy(&w->arena, shown->before);
			if (!shown->before)
				return ERR_NOMEM;
		}
		item->change_count++;
	}
	return ERR_OK;
}

/* Reads the acts of the national log, once more when there are new ones. */
static enum err read_acts(struct log_walk *w)
{
	const struct log_name national = {"national"};
	struct keyring *keys = NULL;
	uint64_t size = 0;
	enum err e = leaf_size(&w->leaves, national, w->keys != NULL, &size);

	if (e != ERR_OK || (w->keys && size == w->keys_size))
		return e;
	e = keyring_new(&keys);
	if (e == ERR_OK)
		e = keyring_read(keys, w->leaves.source);
	if (e != ERR_OK) {
		keyring_free(keys);
		return e;
	}
	keyring_free(w->keys);
	w->keys = keys;
	w->keys_size = size;
	return ERR_OK;
}

static enum err order_by_act(struct log_walk *w, struct log_item *item)
{
	const struct log_name national = {"national"};
	const struct redaction *found = NULL;
	struct bytes leaf = {NULL, 0};
	enum err e = ERR_OK;

	if (w->keys)
		found = keyring_redaction(w->keys, item->log, item->index);
	if (!found) {
		e = read_acts(w);
		if (e == ERR_OK)
			found = keyring_redaction(w->keys, item->log, item->index);
	}
	if (e != ERR_OK || !found)
		return e;
	item->order_index = found->national_index;
	e = leaf_at(&w->leaves, national, found->national_index, &leaf);
	if (e == ERR_OK)
		item->has_order = national_decode(leaf, &w->arena, &item->order) == ERR_OK;
	return e;
}

static enum err order_by_duty(struct log_walk *w, struct log_item *item)
{
	struct source *s = w->leaves.source;
	struct buf duty = {0};
	uint64_t index = 0;
	enum err e = ERR_NOT_FOUND;

	item->order_index = UINT64_MAX;
	if (s->ops->duty)
		e = s->ops->duty(s, item->log, item->index, &index, &duty);
	if (e == ERR_OK && index == item->index)
		item->has_order =
			national_decode(buf_bytes(&duty), &w->arena, &item->order) == ERR_OK;
	buf_free(&duty);
	return e;
}

/* The act that ordered the erasure: from the national log, else what the node was told. */
static enum err find_order(struct log_walk *w, struct log_item *item)
{
	enum err e = w->has_national ? order_by_act(w, item) : order_by_duty(w, item);

	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err show_redacted(struct log_walk *w, struct log_item *item)
{
	enum err e = ERR_OK;

	if (filter_wants_changes(w->filter) || w->filter->editor) {
		w->hidden++;
		return ERR_OK;
	}
	item->kind = ITEM_REDACTED;
	e = find_order(w, item);
	if (e == ERR_OK)
		tell(w, item);
	return e;
}

/* A leaf that is damaged or does not decode is shown as one; any other trouble ends the walk. */
static enum err show_unreadable(struct log_walk *w, struct log_item *item, enum err why)
{
	if (why != ERR_NOT_FOUND && why != ERR_CORRUPT && !view_fold_ignores(why))
		return why;
	item->kind = ITEM_UNREADABLE;
	item->problem = why;
	tell(w, item);
	return ERR_OK;
}

static enum err show_event(struct log_walk *w, struct log_name log, uint64_t index,
			   const uint64_t *entry)
{
	struct log_item item = {.log = log, .index = index, .has_entry = entry != NULL};
	struct bytes leaf = {NULL, 0};
	enum err e = leaf_at(&w->leaves, log, index, &leaf);

	arena_reset(&w->arena);
	item.entry = entry ? *entry : 0;
	if (e == ERR_OK && !leaf.size)
		return show_redacted(w, &item);
	if (e == ERR_OK)
		e = event_decode(leaf, &w->arena, &item.event);
	if (e != ERR_OK)
		return show_unreadable(w, &item, e);
	if (!filter_takes_editor(w->filter, item.event.editor))
		return ERR_OK;
	e = take_changes(w, &item);
	if (e == ERR_OK && (item.change_count || !filter_wants_changes(w->filter)))
		tell(w, &item);
	return e;
}

/* Events [from, to) of a log, as far as they are here and of the time asked for. */
static enum err walk_events(struct log_walk *w, struct log_name log, uint64_t from, uint64_t to,
			    const uint64_t *entry, bool backward)
{
	struct log_window window;
	enum err e = window_of(w, log, &window);

	if (e != ERR_OK)
		return e;
	from = from > window.from ? from : window.from;
	to = to < window.to ? to : window.to;
	while (e == ERR_OK && from < to && !enough(w)) {
		e = show_event(w, log, backward ? to - 1 : from, entry);
		if (backward)
			to--;
		else
			from++;
	}
	return e;
}

/* ---- the national log ---- */

static enum err walk_accepted(struct log_walk *w, uint64_t index, const struct national_entry *n,
			      bool backward)
{
	uint64_t size = 0;
	uint64_t to = n->size;
	enum err e = leaf_size(&w->leaves, n->log, false, &size);

	if (e == ERR_OK && size < to)
		e = leaf_size(&w->leaves, n->log, true, &size);
	if (e != ERR_OK)
		return e;
	if (size < to) {
		w->absent += to - (n->from > size ? n->from : size);
		to = size;
	}
	return walk_events(w, n->log, n->from, to, &index, backward);
}

static enum err show_entry(struct log_walk *w, uint64_t index, bool backward)
{
	struct log_item item = {.kind = ITEM_ENTRY, .index = index, .log = w->order};
	struct bytes leaf = {NULL, 0};
	enum err e = leaf_at(&w->leaves, w->order, index, &leaf);

	arena_reset(&w->entry);
	if (e == ERR_OK)
		e = national_decode(leaf, &w->entry, &item.national);
	if (e != ERR_OK)
		return show_unreadable(w, &item, e);
	if (!filter_takes_log(w->filter, item.national.log))
		return ERR_OK;
	if (!w->entries)
		return item.national.kind == NATIONAL_ACCEPTED
			       ? walk_accepted(w, index, &item.national, backward)
			       : ERR_OK;
	if (filter_takes_editor(w->filter,
				item.national.kind == NATIONAL_ACT ? item.national.by : ""))
		tell(w, &item);
	return ERR_OK;
}

enum err walk_range(struct log_walk *w, uint64_t from, uint64_t to, bool backward)
{
	struct log_window window = {.to = UINT64_MAX};
	enum err e = ERR_OK;

	if (!is_national(w->order) && !filter_takes_log(w->filter, w->order))
		return ERR_OK;
	if (!is_national(w->order))
		return walk_events(w, w->order, from, to, NULL, backward);
	if (w->entries)
		e = window_of(w, w->order, &window);
	from = from > window.from ? from : window.from;
	to = to < window.to ? to : window.to;
	while (e == ERR_OK && from < to && !enough(w)) {
		e = show_entry(w, backward ? to - 1 : from, backward);
		if (backward)
			to--;
		else
			from++;
	}
	return e;
}
