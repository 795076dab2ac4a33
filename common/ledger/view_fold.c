/* Folding events into the view. */
#include <stdlib.h>
#include <string.h>

#include "ledger/keys.h"
#include "ledger/links.h"
#include "ledger/metrics.h"
#include "ledger/tally.h"
#include "ledger/view.h"
#include "ledger/view_state.h"

/* Records looked at in one go while they are being changed. */
enum { UNDO_PAGE = 256 };

struct view_fold {
	struct metrics metrics;
	struct link_columns columns;
	struct tally tally;
	struct arena arena;    /* for one change */
	struct buf superseded; /* the current version's bytes, before they are overwritten */
	struct buf encoded;    /* the next version's */
	struct arena undo;     /* for one page of records that an event may undo */
	struct arena before;   /* for the versions of one of them, one after the other */
	uint32_t number;       /* of the next change of this event */
	uint64_t work;         /* see view_fold_work */
};

enum err view_fold_new(struct view_fold **ret)
{
	struct view_fold *f = calloc(1, sizeof *f);
	enum err e = ERR_OK;

	if (!f)
		return ERR_NOMEM;
	e = metrics_init(&f->metrics);
	if (e == ERR_OK)
		e = link_columns_init(&f->columns);
	if (e == ERR_OK)
		*ret = f;
	else
		view_fold_free(f);
	return e;
}

void view_fold_free(struct view_fold *f)
{
	if (!f)
		return;
	metrics_free(&f->metrics);
	tally_free(&f->tally);
	arena_free(&f->arena);
	arena_free(&f->undo);
	arena_free(&f->before);
	buf_free(&f->superseded);
	buf_free(&f->encoded);
	free(f);
}

/* Keeps the version that stands under `key`, if any; NOT_FOUND when there is none. */
static enum err supersede(struct view_fold *f, const struct view *v, struct txn *t,
			  const struct key *key, struct version *ret)
{
	struct bytes raw = {NULL, 0};
	struct key old = *key;
	enum err e = txn_get(t, v->records, key_bytes(key), &raw);

	if (e != ERR_OK)
		return e;
	e = view_decode(raw, &f->arena, ret);
	if (e != ERR_OK)
		return e;
	buf_clear(&f->superseded);
	buf_add_bytes(&f->superseded, raw);
	e = buf_check(&f->superseded);
	if (e != ERR_OK)
		return e;
	key_add_u8(&old, 0);
	key_add_u64(&old, ret->position);
	key_add_u64(&old, ret->index);
	return txn_put(t, v->versions, key_bytes(&old), buf_bytes(&f->superseded));
}

static enum err recount(struct view_fold *f, const struct view *v, struct txn *t,
			const struct change *before, const struct change *after)
{
	struct links links = {v, t, &f->columns, &f->tally, &f->arena};
	struct standing from =
		standing_of(after->id, before && !before->retired ? before->record : NULL);
	struct standing to = standing_of(after->id, after->retired ? NULL : after->record);
	enum err e = metrics_move(&f->metrics, &f->tally, after->kind, &from, &to);

	return e == ERR_OK ? links_move(&links, after->kind, after->id, &from, &to) : e;
}

/* Rows that come in order of their keys; one that does not means that the tables do not fit. */
static enum err append(struct txn *t, struct table table, struct bytes key, struct bytes value)
{
	enum err e = txn_append(t, table, key, value);

	return e == ERR_EXISTS ? ERR_CORRUPT : e;
}

static enum err note_change(struct view_fold *f, const struct view *v, struct txn *t,
			    const struct version *next, const struct key *record)
{
	struct key key;

	if (f->number == UINT32_MAX)
		return ERR_LIMIT;
	key_change(&key, next->position, next->index, f->number++);
	return append(t, v->changes, key_bytes(&key), key_bytes(record));
}

static enum err fold_change(struct view_fold *f, const struct view *v, struct txn *t,
			    const struct version *next)
{
	const struct change *c = &next->change;
	struct version before;
	struct key key;
	bool known = true;
	enum err e = ERR_OK;

	if (!kind_of(c->kind))
		return tally_add(&f->tally, "changes_of_unknown_kind", "PL", "", "all", 1);
	arena_reset(&f->arena);
	buf_clear(&f->encoded);
	key_record(&key, c->kind, c->id);
	e = version_encode(next, &f->arena, &f->encoded);
	if (e == ERR_OK)
		e = supersede(f, v, t, &key, &before);
	if (e == ERR_NOT_FOUND) {
		known = false;
		e = ERR_OK;
	}
	if (e == ERR_OK)
		e = txn_put(t, v->records, key_bytes(&key), buf_bytes(&f->encoded));
	if (e == ERR_OK)
		e = note_change(f, v, t, next, &key);
	if (e == ERR_OK)
		e = recount(f, v, t, known ? &before.change : NULL, c);
	return e;
}

static struct version version_of(uint64_t position, struct log_name log, uint64_t index,
				 const struct event *event)
{
	return (struct version){
		.position = position,
		.log = log,
		.index = index,
		.recorded = event->recorded,
		.editor = event->editor,
		.reason = event->reason,
		.source = event->source,
	};
}

static enum err fold_changes(struct view_fold *f, const struct view *v, struct txn *t,
			     struct version next, const struct event *event)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < event->change_count; i++) {
		next.change = event->changes[i];
		e = fold_change(f, v, t, &next);
	}
	return e;
}

enum err view_fold_undecodable(struct view_fold *f)
{
	return tally_add(&f->tally, "undecodable_events", "PL", "", "all", 1);
}

enum err view_fold_redacted(struct view_fold *f)
{
	return tally_add(&f->tally, "redacted_events", "PL", "", "all", 1);
}

/* ---- a log begun anew ---- */

static bool is_undone(const struct version *v, const struct event *event)
{
	return log_name_equal(v->log, event->old_log) && v->index >= event->old_size;
}

/* The newest superseded version of a record that still stands; NOT_FOUND. */
static enum err version_standing(struct view_fold *f, const struct view *v, struct txn *t,
				 const struct version *current, const struct event *event,
				 struct version *ret)
{
	struct scan *scan = NULL;
	struct key prefix;
	struct bytes key = {NULL, 0};
	struct bytes raw = {NULL, 0};
	enum err e = scan_open(t, v->versions, &scan);

	if (e != ERR_OK)
		return e;
	key_versions(&prefix, current->change.kind, current->change.id);
	e = versions_seek(scan, &prefix, (struct version_place){0, 0}, &key, &raw);
	while (e == ERR_OK) {
		arena_reset(&f->before); /* whoever stole a key may have said it a million times */
		e = versions_of(key, &prefix) ? view_decode(raw, &f->before, ret) : ERR_NOT_FOUND;
		if (e != ERR_OK || !is_undone(ret, event))
			break;
		e = scan_prev(scan, &key, &raw);
	}
	scan_close(scan);
	return e;
}

/* Gives a record whose current version is undone the one from before, or ends it. */
static enum err undo(struct view_fold *f, const struct view *v, struct txn *t, struct version next,
		     const struct version *current, const struct event *event)
{
	struct version standing;
	enum err e = version_standing(f, v, t, current, event, &standing);

	next.change = (struct change){
		.id = current->change.id,
		.kind = current->change.kind,
		.retired = e == ERR_NOT_FOUND || standing.change.retired,
	};
	if (e == ERR_OK)
		next.change.record = standing.change.record;
	return e == ERR_OK || e == ERR_NOT_FOUND ? fold_change(f, v, t, &next) : e;
}

/* The current versions after `after` that are undone, up to a page of them or of records
 * passed; `after` moves on.  NOT_FOUND past the last record. */
static enum err find_undone(struct view_fold *f, const struct view *v, struct txn *t,
			    const struct event *event, struct key *after,
			    struct version ret[static UNDO_PAGE], size_t *ret_count)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes raw = {NULL, 0};
	size_t passed = 0;
	enum err e = scan_open(t, v->records, &scan);

	*ret_count = 0;
	if (e != ERR_OK)
		return e;
	arena_reset(&f->undo);
	e = scan_seek(scan, key_bytes(after), &key, &raw);
	if (e == ERR_OK && bytes_equal(key, key_bytes(after)))
		e = scan_next(scan, &key, &raw);
	for (; e == ERR_OK && passed < UNDO_PAGE; passed++) {
		e = view_decode(raw, &f->undo, &ret[*ret_count]);
		if (e == ERR_OK && key.size > sizeof after->data)
			e = ERR_CORRUPT;
		if (e != ERR_OK)
			break;
		*ret_count += is_undone(&ret[*ret_count], event);
		after->size = key.size;
		memcpy(after->data, key.data, key.size);
		if (passed + 1 < UNDO_PAGE)
			e = scan_next(scan, &key, &raw);
	}
	scan_close(scan);
	return e;
}

/* The first event of a log begun anew: what the old log said from `event->old_size` on is undone.
 * Each record whose current version is such a one gets its newest version from before as a new
 * version of this event, or ends when there was none. */
static enum err fold_continues(struct view_fold *f, const struct view *v, struct txn *t,
			       uint64_t position, struct log_name log, uint64_t index,
			       const struct event *event)
{
	const struct version next = version_of(position, log, index, event);
	struct version *page = calloc(UNDO_PAGE, sizeof *page);
	struct key after = {.size = 0};
	enum err e = page ? ERR_OK : ERR_NOMEM;

	while (e == ERR_OK) {
		size_t count = 0;
		enum err undone = ERR_OK;

		e = find_undone(f, v, t, event, &after, page, &count);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			break;
		for (size_t i = 0; undone == ERR_OK && i < count; i++)
			undone = undo(f, v, t, next, &page[i], event);
		if (undone != ERR_OK)
			e = undone;
	}
	free(page);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- one event, whatever it is ---- */

enum err view_fold_event(struct view_fold *f, const struct view *v, struct txn *t,
			 uint64_t position, struct log_name log, uint64_t index,
			 const struct event *event)
{
	f->number = 0;
	switch (event->act) {
	case EVENT_CHANGES:
		return fold_changes(f, v, t, version_of(position, log, index, event), event);
	case EVENT_CONTINUES:
		return fold_continues(f, v, t, position, log, index, event);
	case EVENT_ROTATES: /* of the log's keys, which are not of the register */
		return ERR_OK;
	case EVENT_ACT_UNKNOWN:
		break;
	}
	return view_fold_undecodable(f);
}

uint64_t view_fold_work(const struct view_fold *f)
{
	return f->work;
}

/* Whether a stored event says anything; else it was redacted, or it does not decode. */
static enum err decode_event(struct view_fold *f, struct bytes stored, struct arena *arena,
			     struct event *ret, bool *ret_decoded)
{
	enum err e = ERR_OK;

	*ret_decoded = false;
	f->work += stored.size;
	if (stored.size == 0) {
		f->work += EVENT_WORK_BYTES;
		return ERR_OK;
	}
	arena_reset(arena);
	e = event_decode(stored, arena, ret);
	*ret_decoded = e == ERR_OK;
	f->work += e == ERR_OK ? event_work(ret) : EVENT_WORK_BYTES;
	return view_fold_ignores(e) ? ERR_OK : e;
}

enum err view_fold_stored(struct view_fold *f, const struct view *v, struct txn *t,
			  uint64_t position, struct log_name log, uint64_t index,
			  struct bytes stored, struct arena *arena)
{
	struct event event;
	bool decoded = false;
	enum err e = decode_event(f, stored, arena, &event, &decoded);

	if (e != ERR_OK)
		return e;
	if (decoded)
		return view_fold_event(f, v, t, position, log, index, &event);
	return stored.size ? view_fold_undecodable(f) : view_fold_redacted(f);
}

enum err view_fold_own(struct view_fold *f, const struct view *v, struct txn *t,
		       struct log_name log, uint64_t index, struct bytes stored,
		       struct arena *arena)
{
	struct event event;
	bool decoded = false;
	enum err e = decode_event(f, stored, arena, &event, &decoded);

	if (e == ERR_OK)
		e = view_fold_time(f, v, t, index, decoded ? &event.recorded : NULL);
	if (e != ERR_OK)
		return e;
	if (decoded)
		return view_fold_event(f, v, t, index, log, index, &event);
	return stored.size ? view_fold_undecodable(f) : view_fold_redacted(f);
}

/* ---- entries ---- */

/* Whoever looks a time up does so by halving: no clock that was put back may show. */
enum err view_fold_time(struct view_fold *f, const struct view *v, struct txn *t, uint64_t position,
			const struct wall_ms *recorded)
{
	struct wall_ms before = {0};
	struct key key = {.size = 0};
	uint8_t raw[INDEX_KEY_BYTES];
	enum err e = position ? view_time(v, t, position - 1, &before) : ERR_OK;

	(void)f;
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	if (recorded && recorded->ms > before.ms)
		before = *recorded;
	u64_write(raw, (uint64_t)before.ms);
	key_add_u64(&key, position);
	return append(t, v->times, key_bytes(&key), bytes_of(raw, sizeof raw));
}

bool view_fold_ignores(enum err e)
{
	return e == ERR_DECODE || e == ERR_LIMIT || e == ERR_ENCODING || e == ERR_INVALID;
}

enum err view_fold_finish(struct view_fold *f, const struct view *v, struct txn *t,
			  uint64_t position)
{
	enum err e = tally_write(&f->tally, v->counts, t);

	f->work = 0;
	return e == ERR_OK ? state_write(v, t, STATE_POSITION, position) : e;
}

void view_fold_abandon(struct view_fold *f)
{
	tally_clear(&f->tally);
	f->work = 0;
}
