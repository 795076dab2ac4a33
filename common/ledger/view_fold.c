/* Folding events into the view. */
#include <stdlib.h>

#include "ledger/keys.h"
#include "ledger/links.h"
#include "ledger/metrics.h"
#include "ledger/tally.h"
#include "ledger/view.h"
#include "ledger/view_state.h"

struct view_fold {
	struct metrics metrics;
	struct link_columns columns;
	struct tally tally;
	struct arena arena;    /* for one change */
	struct buf superseded; /* the current version's bytes, before they are overwritten */
	struct buf encoded;    /* the next version's */
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
	e = version_decode(raw, &f->arena, ret);
	if (e != ERR_OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
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
		e = recount(f, v, t, known ? &before.change : NULL, c);
	return e;
}

enum err view_fold_event(struct view_fold *f, const struct view *v, struct txn *t,
			 uint64_t position, struct log_name log, uint64_t index,
			 const struct event *event)
{
	struct version next = {
		.position = position,
		.log = log,
		.index = index,
		.recorded = event->recorded,
		.editor = event->editor,
		.reason = event->reason,
		.source = event->source,
	};
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

enum err view_fold_finish(struct view_fold *f, const struct view *v, struct txn *t,
			  uint64_t position)
{
	enum err e = tally_write(&f->tally, v->counts, t);

	return e == ERR_OK ? state_write(v, t, STATE_POSITION, position) : e;
}

void view_fold_abandon(struct view_fold *f)
{
	tally_clear(&f->tally);
}
