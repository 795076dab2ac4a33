/* Folding a source's logs anew, into a store of its own that is thrown away, up to where the
 * stored view stands. */
#include "audit/verify_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/view.h"

enum { EVENTS_AT_ONCE = 20000, PATH_BYTES_MAX = 4096 };

struct folding {
	struct verify *verify;
	struct verify_side side; /* the scratch store */
	struct view_fold *fold;
	struct txn *txn;
	size_t events; /* in the open transaction */
	struct arena arena;
	struct verify_stream logs[LOGS_MAX + 1]; /* by target; opened when it is met */
};

/* ---- one event after the other ---- */

static enum err fold_leaf(struct folding *f, uint64_t position, struct log_name log, uint64_t index,
			  struct bytes leaf, bool there)
{
	f->events++;
	verify_progress(f->verify, "view", 1);
	/* One that is missing was told; as if it could not be read. */
	if (!there)
		return view_fold_undecodable(f->fold);
	return view_fold_stored(f->fold, &f->side.view, f->txn, position, log, index, leaf,
				&f->arena);
}

/* The same for a node's log, of which each event is an entry. */
static enum err fold_own(struct folding *f, struct log_name log, uint64_t index, struct bytes leaf,
			 bool there)
{
	enum err e = ERR_OK;

	if (there) {
		f->events++;
		verify_progress(f->verify, "view", 1);
		return view_fold_own(f->fold, &f->side.view, f->txn, log, index, leaf, &f->arena);
	}
	e = view_fold_time(f->fold, &f->side.view, f->txn, index, NULL);
	return e == ERR_OK ? fold_leaf(f, index, log, index, leaf, there) : e;
}

static enum err fold_accepted(struct folding *f, uint64_t position,
			      const struct national_entry *entry)
{
	struct verify_target *t = verify_target(f->verify, entry->log);
	struct verify_stream *s = NULL;
	struct verify_target all;
	enum err e = ERR_OK;

	if (!t || t->national)
		return ERR_OK; /* told by the check pass */
	s = &f->logs[t - f->verify->targets];
	if (!s->items) {
		all = *t;
		all.size = UINT64_MAX; /* it may have grown since */
		e = verify_stream_open(s, f->verify, &all);
	}
	while (e == ERR_OK && s->next < entry->size) {
		struct bytes leaf = {NULL, 0};
		bool there = false;
		uint64_t index = s->next;

		s->size = entry->size;
		e = verify_stream_next(s, &leaf, &there);
		if (e == ERR_OK && index >= entry->from)
			e = fold_leaf(f, position, t->name, index, leaf, there);
	}
	return e;
}

static enum err fold_entry(struct folding *f, uint64_t position, struct bytes raw, bool there)
{
	struct national_entry entry;
	enum err e = ERR_OK;

	verify_progress(f->verify, "view", 1);
	arena_reset(&f->arena);
	e = there ? national_decode(raw, &f->arena, &entry) : ERR_DECODE;
	if (view_fold_ignores(e)) {
		e = view_fold_time(f->fold, &f->side.view, f->txn, position, NULL);
		return e == ERR_OK ? view_fold_undecodable(f->fold) : e;
	}
	if (e == ERR_OK)
		e = view_fold_time(f->fold, &f->side.view, f->txn, position, &entry.recorded);
	if (e == ERR_OK && entry.kind == NATIONAL_ACCEPTED)
		e = fold_accepted(f, position, &entry);
	f->events++;
	return e;
}

/* ---- transactions ---- */

static enum err flush(struct folding *f, uint64_t position)
{
	enum err e = view_fold_finish(f->fold, &f->side.view, f->txn, position);
	struct txn *t = f->txn;

	f->txn = NULL;
	f->events = 0;
	if (e == ERR_OK)
		return txn_commit(t);
	txn_abort(t);
	return e;
}

static enum err fold_to(struct folding *f, const struct verify_target *followed, uint64_t position)
{
	struct verify_stream s = {.items = NULL};
	struct verify_target to = *followed;
	enum err e = ERR_OK;

	to.size = position;
	e = verify_stream_open(&s, f->verify, &to);
	while (e == ERR_OK && s.next < position) {
		struct bytes leaf = {NULL, 0};
		bool there = false;
		uint64_t at = s.next;

		if (!f->txn)
			e = txn_begin(f->side.store, true, &f->txn);
		if (e == ERR_OK)
			e = verify_stream_next(&s, &leaf, &there);
		if (e == ERR_OK)
			e = followed->national ? fold_entry(f, at, leaf, there)
					       : fold_own(f, followed->name, at, leaf, there);
		if (e == ERR_OK && (f->events >= EVENTS_AT_ONCE || s.next == position))
			e = flush(f, s.next);
	}
	verify_stream_close(&s);
	return e;
}

/* ---- the scratch store ---- */

/* Its files are gone from their folder as soon as they are open: what is folded anew, were it
 * later to be erased, is left behind by no kill. */
static void unname_scratch(const char *folder)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[PATH_BYTES_MAX];
		int n = snprintf(path, sizeof path, "%s/%s", folder, names[i]);

		if (n > 0 && (size_t)n < sizeof path)
			(void)unlink(path);
	}
	(void)rmdir(folder);
}

static enum err open_scratch(struct folding *f, const char *folder)
{
	struct store_options options = {.mode = STORE_UNSYNCED};
	char path[PATH_BYTES_MAX];
	int n = snprintf(path, sizeof path, "%s/verify-XXXXXX", folder);
	enum err e = ERR_OK;

	if (n < 0 || (size_t)n >= sizeof path)
		return ERR_ARGUMENT;
	if (!mkdtemp(path))
		return errno == EACCES || errno == EROFS ? ERR_DENIED
		       : errno == ENOSPC                 ? ERR_DISK_FULL
							 : ERR_IO;
	e = store_open(path, &options, &f->side.store);
	unname_scratch(path);
	if (e == ERR_OK)
		e = view_open(f->side.store, true, &f->side.view);
	if (e == ERR_OK)
		e = view_fold_new(&f->fold);
	return e;
}

static void close_folding(struct folding *f)
{
	txn_abort(f->txn);
	for (size_t i = 0; i < sizeof f->logs / sizeof *f->logs; i++)
		verify_stream_close(&f->logs[i]);
	view_fold_free(f->fold);
	arena_free(&f->arena);
	arena_free(&f->side.arena);
	store_close(f->side.store);
	free(f);
}

/* ---- the stored view ---- */

/* Whether the log is as long as the view says that it folded. */
static enum err check_position(struct verify *v, uint64_t position)
{
	const struct verify_target *followed = verify_followed(v);
	struct buf note = {.data = NULL};
	uint64_t size = followed->size;
	enum err e = ERR_OK;

	if (position > size)
		e = v->source->ops->newest(v->source, followed->name, &size, &note);
	buf_free(&note);
	if (e == ERR_OK && position > size)
		e = ERR_ROLLBACK;
	return e;
}

static const char *view_trouble(enum err e)
{
	switch ((int)e) {
	case ERR_ROLLBACK:
		return "it stands behind the end of the log";
	case ERR_VERSION:
		return "another release folded it";
	case ERR_NOT_FOUND:
		return "there is none";
	default:
		return err_text(e);
	}
}

static enum err check_format(const struct verify_rows *rows)
{
	struct bytes format = {NULL, 0};
	enum err e = rows->row(rows->context, "view", bytes_of_text("format"), &format);

	return e == ERR_OK && !view_format_fits(format) ? ERR_VERSION : e;
}

/* OK with *ret_ok false when it is no view to compare, which is told. */
static enum err open_stored(struct verify *v, struct verify_side *ret, bool *ret_ok)
{
	const struct verify_target *followed = verify_followed(v);
	enum err e = ERR_OK;

	ret->store = v->options->view;
	ret->rows = ret->store ? NULL : v->options->rows;
	e = ret->rows ? check_format(ret->rows) : view_open(ret->store, false, &ret->view);
	if (e == ERR_OK)
		e = verify_side_read(ret);
	if (e == ERR_OK)
		e = check_position(v, ret->position);
	*ret_ok = e == ERR_OK;
	if (e == ERR_OK || (!verify_is_damage(e) && e != ERR_VERSION && e != ERR_ROLLBACK))
		return e;
	verify_found(v, DAMAGE_VIEW, followed->name, ret->position, "%s", view_trouble(e));
	return ERR_OK;
}

static enum err fold_and_compare(struct verify *v, const struct verify_side *stored)
{
	struct folding *f = calloc(1, sizeof *f);
	enum err e = f ? ERR_OK : ERR_NOMEM;

	if (e != ERR_OK)
		return e;
	f->verify = v;
	e = open_scratch(f, v->options->scratch);
	if (e == ERR_OK)
		e = fold_to(f, verify_followed(v), stored->position);
	if (e == ERR_OK)
		e = verify_side_read(&f->side);
	if (e == ERR_OK)
		e = verify_compare(v, stored, &f->side);
	close_folding(f);
	return e;
}

enum err verify_fold_all(struct verify *v, const char *scratch, struct store **ret)
{
	const struct verify_target *followed = verify_followed(v);
	struct folding *f = calloc(1, sizeof *f);
	enum err e = f ? ERR_OK : ERR_NOMEM;

	if (e != ERR_OK)
		return e;
	f->verify = v;
	e = followed ? open_scratch(f, scratch) : ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = fold_to(f, followed, followed->size);
	if (e == ERR_OK) {
		*ret = f->side.store;
		f->side.store = NULL;
	}
	close_folding(f);
	return e;
}

enum err verify_view(struct verify *v)
{
	struct verify_side stored = {.store = NULL};
	bool ok = false;
	enum err e = open_stored(v, &stored, &ok);

	if (e == ERR_OK && ok) {
		e = fold_and_compare(v, &stored);
		v->report->view_checked = e == ERR_OK;
		v->report->position = stored.position;
	}
	arena_free(&stored.arena);
	return e;
}
