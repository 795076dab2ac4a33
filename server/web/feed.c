/* What readers of events are told: each entry that changed something, and the status. */
#include <string.h>

#include "http/limits.h"
#include "server/web/web.h"

enum { STATUS_MS = 1000 };

/* NULL for all. */
static const char *scope_region(unsigned scope)
{
	return scope == EVENTS_ALL ? NULL : region_at((int)scope - 1)->code;
}

/* ---- an entry ---- */

static enum err entry_data(struct web *w, struct txn *t, unsigned scope, uint64_t entry,
			   struct buf *ret)
{
	struct api_context x = viewing_context(w, t, NULL);
	uint64_t count = 0;
	enum err e = ERR_OK;

	arena_reset(&w->arena);
	e = api_event(&x, entry, scope_region(scope), ret, &count);
	if (e == ERR_OK && txn_stands(t) != ERR_OK)
		e = ERR_BUSY;
	return e == ERR_OK && count == 0 ? ERR_NOT_FOUND : e;
}

static void tell_scope(struct web *w, struct txn *t, unsigned scope, uint64_t entry)
{
	struct buf data = {.limit = MESSAGE_BYTES_MAX};
	enum err e = entry_data(w, t, scope, entry, &data);

	if (e == ERR_OK)
		events_add(w->events, scope, entry, buf_bytes(&data));
	else if (e != ERR_NOT_FOUND)
		events_lost(w->events, entry + 1); /* readers find it in the view */
	buf_free(&data);
}

static void tell_entry(struct web *w, struct txn *t, const struct fresh_entry *fresh)
{
	for (unsigned scope = EVENTS_ALL; scope < EVENTS_SCOPES; scope++) {
		bool of_scope =
			scope == EVENTS_ALL || (fresh->regions & ((uint32_t)1 << (scope - 1)));

		if (of_scope && events_wanted(w->events, scope))
			tell_scope(w, t, scope, fresh->position);
	}
}

void feed_fresh(struct web *w)
{
	struct viewing *v = &w->viewing;
	struct txn *t = NULL;

	if (v->fresh_count > 0 && events_any(w->events) &&
	    txn_begin(v->store, false, &t) == ERR_OK) {
		for (size_t i = 0; i < v->fresh_count; i++)
			tell_entry(w, t, &v->fresh[i]);
		txn_abort(t);
	} else if (v->fresh_count > 0) {
		v->fresh_lost = true;
	}
	if (v->fresh_lost)
		events_lost(w->events, follower_position(&v->now));
	v->fresh_count = 0;
	v->fresh_lost = false;
}

/* ---- for the ring's owner ---- */

/* The first entry from `from` on that changed anything. */
static enum err next_entry(struct web *w, struct txn *t, uint64_t from, uint64_t *ret)
{
	const struct change_place before = {
		.position = from - 1, .index = UINT64_MAX, .number = UINT32_MAX};
	struct viewing *v = &w->viewing;
	struct view_change change;
	size_t count = 0;
	bool more = false;
	enum err e = ERR_OK;

	arena_reset(&w->arena);
	e = view_changes(&v->view, t, from > 0 ? &before : NULL, false, follower_position(&v->now),
			 1, 1, &w->arena, &change, &count, &more);
	if (e == ERR_OK && count == 0)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		*ret = change.place.position;
	return e;
}

static enum err look_for(struct web *w, struct txn *t, unsigned scope, uint64_t from,
			 struct buf *data, uint64_t *ret)
{
	for (int i = 0; i < REPLAY_ENTRIES_A_TURN; i++) {
		uint64_t entry = 0;
		enum err e = next_entry(w, t, from, &entry);

		if (e == ERR_OK)
			e = entry_data(w, t, scope, entry, data);
		else
			return e;
		if (e == ERR_OK)
			*ret = entry;
		if (e != ERR_NOT_FOUND)
			return e;
		buf_clear(data);
		from = entry + 1;
		*ret = entry;
	}
	return ERR_AGAIN;
}

static enum err next(void *context, unsigned scope, uint64_t from, struct buf *data,
		     uint64_t *ret_entry)
{
	struct web *w = context;
	struct txn *t = NULL;
	enum err e = w->viewing.ready ? txn_begin(w->viewing.store, false, &t) : ERR_CLOSED;

	if (e == ERR_OK)
		e = look_for(w, t, scope, from, data, ret_entry);
	txn_abort(t);
	return e;
}

static enum err hello(void *context, struct buf *data)
{
	struct web *w = context;
	struct viewing *v = &w->viewing;
	uint64_t position = v->ready ? follower_position(&v->now) : 0;
	const char *identity = v->has_status && v->status.identity ? v->status.identity : "";

	/* An identity is a log's or a server's name: nothing in it needs an escape. */
	buf_printf(data, "{\"position\":%llu,\"identity\":\"%s\"}", (unsigned long long)position,
		   identity);
	return buf_check(data);
}

enum err feed_open(struct web *w)
{
	const struct events_source source = {.context = w, .next = next, .hello = hello};

	return events_new(w->door, &source, w->settings.readers_max, &w->events);
}

void feed_begun_anew(struct web *w)
{
	events_reset(w->events, follower_position(&w->viewing.now));
}

/* ---- the status ---- */

static void tell_status(struct web *w)
{
	struct viewing *v = &w->viewing;
	struct buf data = {.limit = MESSAGE_BYTES_MAX};
	struct api_context x;
	struct txn *t = NULL;
	enum err e = txn_begin(v->store, false, &t);

	arena_reset(&w->arena);
	if (e == ERR_OK) {
		x = viewing_context(w, t, NULL);
		e = api_status_event(&x, &data);
	}
	txn_abort(t);
	if (e == ERR_OK && !bytes_equal(buf_bytes(&data), buf_bytes(&w->status_event))) {
		buf_clear(&w->status_event);
		buf_add_bytes(&w->status_event, buf_bytes(&data));
		events_status(w->events, buf_bytes(&data));
	}
	buf_free(&data);
}

void feed_turn(struct web *w, struct mono_ms now)
{
	events_turn(w->events);
	events_tick(w->events, now);
	if (!w->viewing.ready || !events_any(w->events) || now.ms < w->next_status.ms)
		return;
	w->next_status.ms = now.ms + STATUS_MS;
	tell_status(w);
}
