#include "server/web/follow.h"

#include <time.h>

enum { CHANGES_AT_ONCE = 256, BYTES_AT_ONCE = 1024 * 1024 };

enum err follower_new(struct follower *ret)
{
	struct follower f = {.catalog = NULL};
	enum err e = catalog_new(&f.catalog);

	if (e == ERR_OK)
		e = movements_new(&f.movements);
	if (e != ERR_OK) {
		follower_free(&f);
		return e;
	}
	*ret = f;
	return ERR_OK;
}

void follower_free(struct follower *f)
{
	catalog_free(f->catalog);
	movements_free(f->movements);
	*f = (struct follower){.catalog = NULL};
}

uint64_t follower_position(const struct follower *f)
{
	return catalog_position(f->catalog);
}

static int64_t worked_us(void)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- one change ---- */

static uint32_t region_bit(int region)
{
	return region < 0 ? 0 : (uint32_t)1 << region;
}

/* Whose record it is: by its id, and by the region that it names. */
static uint32_t regions_of(const struct version *v)
{
	uint32_t bits = region_bit(id_owner(bytes_of_text(v->change.id)));

	if (v->change.record)
		bits |= region_bit(region_by_code(
			bytes_of_text(record_get_named(v->change.record, "region"))));
	return bits | region_bit(log_name_region(v->log));
}

static enum err put(struct follower *f, const struct view_change *change)
{
	enum err e = movements_note(f->movements, f->catalog, &change->version);

	if (e == ERR_OK)
		e = catalog_put(f->catalog, &change->version);
	if (e == ERR_OK) {
		f->last = change->place;
		f->begun = true;
	}
	return e;
}

/* ---- many ---- */

struct walk {
	struct follower *f;
	follow_entry *told;
	void *context;
	uint64_t entry; /* whose changes are being put */
	uint32_t regions;
	bool inside; /* some of that entry were */
};

static void tell(struct walk *w)
{
	if (w->inside && w->told)
		w->told(w->context, w->entry, w->regions);
	w->inside = false;
	w->regions = 0;
}

static enum err put_page(struct walk *w, const struct view_change *changes, size_t count)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		if (w->inside && changes[i].place.position != w->entry)
			tell(w);
		w->entry = changes[i].place.position;
		w->inside = true;
		w->regions |= regions_of(&changes[i].version);
		e = put(w->f, &changes[i]);
	}
	return e;
}

/* What stands for entries that changed nothing: the time of the last one. */
static enum err stand_at(struct follower *f, const struct view *v, struct txn *t, uint64_t position)
{
	struct wall_ms time = catalog_time(f->catalog);
	enum err e = position > 0 ? view_time(v, t, position - 1, &time) : ERR_OK;

	if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	if (e == ERR_OK)
		catalog_stands_at(f->catalog, position, time);
	return e;
}

enum err follow(struct follower *f, const struct view *v, struct txn *t, uint64_t end,
		int64_t budget_us, struct arena *arena, follow_entry *told, void *context,
		bool *ret_more)
{
	struct view_change changes[CHANGES_AT_ONCE];
	struct walk w = {.f = f, .told = told, .context = context};
	int64_t began_us = worked_us();
	uint64_t until = end;
	bool more = true;
	enum err e = ERR_OK;

	if (follower_position(f) >= end) {
		*ret_more = false;
		return ERR_OK;
	}
	while (more && e == ERR_OK) {
		size_t count = 0;

		arena_reset(arena);
		e = view_changes(v, t, f->begun ? &f->last : NULL, false, until, CHANGES_AT_ONCE,
				 BYTES_AT_ONCE, arena, changes, &count, &more);
		if (e == ERR_OK)
			e = put_page(&w, changes, count);
		/* Out of time: to the end of the entry that was begun, no further. */
		if (w.inside && until == end && worked_us() - began_us > budget_us)
			until = w.entry + 1;
	}
	tell(&w);
	if (e == ERR_OK)
		e = stand_at(f, v, t, until);
	if (e == ERR_OK && until >= end && !f->prepared) {
		e = catalog_prepare(f->catalog); /* or the first question waits for it */
		f->prepared = e == ERR_OK;
	}
	*ret_more = until < end;
	return e;
}
