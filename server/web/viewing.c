/* The view of another process, followed into memory. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "server/web/web.h"

enum {
	OPEN_AGAIN_MS = 500,
	LOOK_MS = 250,        /* whether the environment is still the one on disk */
	REWRITING_MS = 10000, /* to wait for it to be replaced */
	STATUS_MS = 5000,     /* to wait for the daemon's first word of itself */
};

/* ---- closing ---- */

static void forget_register(struct viewing *v)
{
	follower_free(&v->now);
	v->ready = false;
	v->seen = false;
	v->more = false;
	v->fresh_count = 0;
	v->fresh_lost = false;
}

void viewing_close(struct web *w)
{
	struct viewing *v = &w->viewing;

	if (w->snapshots)
		snapshots_close(w->snapshots);
	store_close(v->store);
	v->store = NULL;
	forget_register(v);
}

static uint64_t file_of(const char *folder)
{
	char path[4096];
	struct stat st;
	int n = snprintf(path, sizeof path, "%s/data.mdb", folder);

	return n > 0 && (size_t)n < sizeof path && stat(path, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static void close_until(struct web *w, const char *why, int64_t ms)
{
	log_line(LOG_NOTICE, "view %s: %s; it is opened again", w->settings.view, why);
	viewing_close(w);
	w->viewing.next_open.ms = mono_now().ms + ms;
}

/* ---- opening ---- */

static enum err begin(struct viewing *v)
{
	v->opening++;
	v->opened = mono_now();
	v->has_status = false;
	buf_clear(&v->status_raw);
	return follower_new(&v->now);
}

static void tell_closed(struct web *w, enum err e)
{
	struct viewing *v = &w->viewing;

	if (!v->announced)
		log_line(LOG_WARN,
			 "view %s: %s; tried again every %d ms. Does the daemon run, and may this "
			 "account read there (the group of the folder)?",
			 w->settings.view,
			 e == ERR_VERSION ? "it was folded by another release" : err_text(e),
			 OPEN_AGAIN_MS);
	v->announced = true;
}

static enum err open_store(struct web *w)
{
	const struct store_options options = {.read_only = true, .apart = true};
	struct viewing *v = &w->viewing;
	enum err e = store_open(w->settings.view, &options, &v->store);

	if (e == ERR_OK)
		e = view_open(v->store, false, &v->view);
	if (e == ERR_OK)
		e = begin(v);
	if (e == ERR_OK)
		e = snapshots_open(w->snapshots, v->store, &v->view);
	return e;
}

static void open_again(struct web *w)
{
	struct viewing *v = &w->viewing;
	struct mono_ms now = mono_now();
	enum err e = ERR_OK;

	/* Who rewrites a store needs it for himself. */
	if (v->file != 0 && now.ms < v->next_open.ms && file_of(w->settings.view) == v->file)
		return;
	if (v->file == 0 && now.ms < v->next_open.ms)
		return;
	v->file = 0;
	e = open_store(w);
	if (e == ERR_OK) {
		w->counters.views_opened++;
		v->announced = false;
		return;
	}
	tell_closed(w, e);
	viewing_close(w);
	v->next_open.ms = now.ms + OPEN_AGAIN_MS;
}

/* ---- what the daemon says of itself ---- */

static enum err take_status(struct viewing *v, struct txn *t)
{
	struct bytes raw = {NULL, 0};
	enum err e = view_status(&v->view, t, &raw);

	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (v->has_status && bytes_equal(raw, buf_bytes(&v->status_raw)))
		return ERR_OK;
	buf_clear(&v->status_raw);
	buf_add_bytes(&v->status_raw, raw);
	e = buf_check(&v->status_raw);
	arena_reset(&v->status_arena);
	v->has_status = false;
	if (e == ERR_OK)
		e = control_reply_decode(buf_bytes(&v->status_raw), &v->status_arena, &v->status);
	v->has_status = e == ERR_OK;
	v->status_number++;
	/* Of a newer release, maybe: then nothing is known of it. */
	return e == ERR_NOMEM ? e : ERR_OK;
}

static bool is_rewriting(const struct viewing *v)
{
	return v->has_status && v->status.state && strcmp(v->status.state, "rewriting") == 0;
}

/* ---- following ---- */

static void note_entry(void *context, uint64_t position, uint32_t regions)
{
	struct viewing *v = context;

	if (v->fresh_count == FRESH_ENTRIES_MAX)
		v->fresh_lost = true;
	else
		v->fresh[v->fresh_count++] =
			(struct fresh_entry){.position = position, .regions = regions};
}

/* Whether the view is about as far as its log: one that is folded anew would say that nothing is
 * there.  A daemon says of itself at once, unless it does not run. */
static bool is_whole(const struct viewing *v, uint64_t position)
{
	if (!v->has_status)
		return mono_now().ms - v->opened.ms > STATUS_MS;
	return position >= v->status.size - v->status.size / 100;
}

static void judge_ready(struct web *w)
{
	struct viewing *v = &w->viewing;
	uint64_t position = follower_position(&v->now);

	if (v->ready || v->more || !is_whole(v, position))
		return;
	v->ready = true;
	log_line(LOG_NOTICE, "view %s: position %llu, the register is in memory (%zu MiB)",
		 w->settings.view, (unsigned long long)position,
		 catalog_memory(v->now.catalog) >> 20);
	feed_begun_anew(w);
}

static enum err follow_view(struct web *w, struct txn *t, int64_t budget_us)
{
	struct viewing *v = &w->viewing;
	uint64_t position = 0;
	enum err e = view_position(&v->view, t, &position);

	/* It is folded anew in its place. */
	if (e == ERR_OK && position < follower_position(&v->now))
		return ERR_ROLLBACK;
	if (e == ERR_OK)
		e = follow(&v->now, &v->view, t, position, budget_us, &w->follow_arena,
			   v->ready ? note_entry : NULL, v, &v->more);
	return e == ERR_OK ? take_status(v, t) : e;
}

static void look_at_file(struct web *w)
{
	struct viewing *v = &w->viewing;
	struct mono_ms now = mono_now();

	if (now.ms < v->next_look.ms)
		return;
	v->next_look.ms = now.ms + LOOK_MS;
	if (store_replaced(v->store))
		close_until(w, "another one stands in its place", 0);
}

static void give_up(struct web *w, enum err e)
{
	struct viewing *v = &w->viewing;

	if (e == ERR_ROLLBACK || e == ERR_AGAIN) {
		close_until(w, e == ERR_AGAIN ? "it was read for too long" : "it is folded anew",
			    0);
		return;
	}
	v->file = 0;
	close_until(w, err_text(e), OPEN_AGAIN_MS);
}

void viewing_turn(struct web *w, int64_t budget_us)
{
	struct viewing *v = &w->viewing;
	struct txn *t = NULL;
	uint64_t stamp = 0;
	enum err e = ERR_OK;

	if (!v->store && !w->closing)
		open_again(w);
	else if (v->store)
		look_at_file(w);
	if (!v->store)
		return;
	stamp = store_stamp(v->store); /* before reading: what comes later is seen later */
	if (v->seen && !v->more && stamp == v->stamp) {
		judge_ready(w);
		return;
	}
	e = txn_begin(v->store, false, &t);
	if (e == ERR_OK)
		e = follow_view(w, t, budget_us);
	if (e == ERR_OK)
		e = txn_stands(t);
	txn_abort(t);
	if (e != ERR_OK) {
		give_up(w, e);
		return;
	}
	v->stamp = stamp;
	v->seen = true;
	feed_fresh(w);
	judge_ready(w);
	if (is_rewriting(v)) {
		v->file = file_of(w->settings.view);
		close_until(w, "it is being rewritten", REWRITING_MS);
	}
}

/* ---- for answers ---- */

struct stamp viewing_stamp(const struct web *w)
{
	const struct viewing *v = &w->viewing;

	return (struct stamp){.view = v->opening,
			      .position = v->ready ? follower_position(&v->now) + 1 : 0,
			      .status = v->status_number + 1};
}

struct api_context viewing_context(struct web *w, struct txn *t, const struct follower *past)
{
	struct viewing *v = &w->viewing;
	const struct follower *f = past ? past : &v->now;

	return (struct api_context){.catalog = f->catalog,
				    .past = past != NULL,
				    .movements = f->movements,
				    .view = &v->view,
				    .txn = t,
				    .status = v->has_status ? &v->status : NULL,
				    .now = wall_now(),
				    .export_folder = w->settings.export,
				    .site = w->settings.site,
				    .site_count = w->settings.site_count,
				    .powiats = w->settings.powiats.areas,
				    .powiat_count = w->settings.powiats.area_count,
				    .arena = &w->arena};
}
