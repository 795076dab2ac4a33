/* A simulated node's store: its log, its view, and what is kept beside them. */
#include <inttypes.h>
#include <string.h>

#include "world.h"

enum { SMALL_MAP = 30000 /* some nodes begin with a map that fills */ };

static const char SCRUB_PENDING[] = "pending";

/* ---- writing ---- */

enum err node_log_append(struct node_host *n, struct txn *t, struct bytes raw,
			 const struct event *event)
{
	uint64_t index = n->log.tree.size;
	enum err e = log_append(&n->log, t, raw);

	if (!e)
		e = view_fold_time(n->fold, &n->view, t, index, &event->recorded);
	if (!e)
		e = view_fold_event(n->fold, &n->view, t, index, n->log.name, index, event);
	if (!e && event->recorded.ms > n->last_recorded.ms)
		n->last_recorded = event->recorded;
	return e;
}

static enum err append_redacted(struct node_host *n, struct txn *t, struct hash leaf)
{
	uint64_t index = n->log.tree.size;
	enum err e = log_append_redacted(&n->log, t, leaf);

	if (!e)
		e = view_fold_time(n->fold, &n->view, t, index, NULL);
	return e ? e : view_fold_redacted(n->fold);
}

void node_log_undo(struct node_host *n, struct txn *t)
{
	struct txn *read = NULL;
	enum err e = ERR_OK;

	txn_abort(t);
	view_fold_abandon(n->fold);
	e = txn_begin(n->store, false, &read);
	if (!e)
		e = log_reload(&n->log, read);
	if (e)
		node_host_noticed(n, "its log cannot be read again", e);
	txn_abort(read);
}

/* Seals, folds, commits; on failure nothing of it stands. */
enum err node_log_finish(struct node_host *n, struct txn *t, struct bytes note)
{
	enum err e = ERR_OK;

	if (note.size == 0) {
		buf_clear(&n->note);
		e = node_keys_sign(n, n->log.tree.size, &n->log.tree, &n->note);
		note = buf_bytes(&n->note);
	}
	if (!e)
		e = log_seal(&n->log, t, note);
	if (!e)
		e = view_fold_finish(n->fold, &n->view, t, n->log.tree.size);
	if (!e) {
		e = txn_commit(t);
		t = NULL;
	}
	if (e && memstore_died(n->disk))
		return e;
	if (e)
		node_log_undo(n, t);
	if (e == ERR_SYNC)
		n->fault = e;
	if (!e)
		node_keys_raise_mark(n);
	return e;
}

bool node_log_grow(struct node_host *n, enum err why)
{
	if (why != ERR_MAP_FULL || n->fault || store_grow(n->store))
		return false;
	n->w->tally.grown++;
	return true;
}

/* ---- fetched events ---- */

/* As its leaf hash when it came so, or when a duty came ahead of it. */
static enum err append_fetched(struct node_host *n, struct txn *t, struct bytes raw)
{
	struct hash leaf = commit_leaf(raw);
	struct event event;
	bool redacted = false;
	enum err e = node_duty_redacts(n, t, n->log.tree.size, leaf, &redacted);

	if (!e && (!raw.size || (redacted && !event_is_act(raw))))
		return append_redacted(n, t, leaf);
	arena_reset(&n->arena);
	if (!e)
		e = event_decode(raw, &n->arena, &event);
	return e ? e : node_log_append(n, t, raw, &event);
}

static enum err try_fetched(struct node_host *n, const struct commit *c)
{
	struct txn *t = NULL;
	enum err e = txn_begin(n->store, true, &t);

	for (uint32_t i = 0; !e && i < c->count; i++)
		e = append_fetched(n, t, c->events[i]);
	if (e) {
		node_log_undo(n, t);
		return e;
	}
	return node_log_finish(n, t, c->note);
}

enum err node_log_fetched(struct node_host *n, const struct commit *c)
{
	struct commit clean = *c;
	enum err e = ERR_OK;

	buf_clear(&n->note);
	e = node_keys_keep(n, c->note, c->rotates ? &c->next.log_key : NULL, &n->note);
	clean.note = buf_bytes(&n->note);
	if (e)
		return e;
	e = try_fetched(n, &clean);
	while (e && node_log_grow(n, e))
		e = try_fetched(n, &clean);
	if (!e && c->rotates)
		e = node_keys_follow(n, &c->next.log_key, c->from + c->count);
	return e;
}

/* ---- events about the log itself ---- */

static enum err try_act(struct node_host *n, struct event *event, const struct signer *also)
{
	struct buf raw = {0};
	struct txn *t = NULL;
	enum err e = txn_begin(n->store, true, &t);

	event->recorded = node_host_wall(n);
	if (event->recorded.ms < n->last_recorded.ms)
		event->recorded = n->last_recorded;
	arena_reset(&n->arena);
	if (!e)
		e = event_encode(event, &n->arena, &raw);
	if (!e)
		e = event_check_owner(event, log_name_region(n->name));
	if (!e)
		e = node_log_append(n, t, buf_bytes(&raw), event);
	buf_free(&raw);
	buf_clear(&n->note);
	if (!e)
		e = node_keys_sign(n, n->log.tree.size, &n->log.tree, &n->note);
	if (!e && also)
		e = note_sign_also(also, &n->note);
	if (e) {
		node_log_undo(n, t);
		return e;
	}
	return node_log_finish(n, t, buf_bytes(&n->note));
}

enum err node_log_act(struct node_host *n, struct event *event, const struct signer *also)
{
	enum err e = try_act(n, event, also);

	while (e && node_log_grow(n, e))
		e = try_act(n, event, also);
	return e;
}

/* ---- opening ---- */

enum err node_log_open(struct node_host *n)
{
	const struct store_options options = {.map_bytes = n->number % 3 == 0 ? SMALL_MAP : 0};
	enum err e = store_open(n->disk, &options, &n->store);

	if (!e)
		e = view_open(n->store, true, &n->view);
	if (!e)
		e = log_open(n->store, n->name, true, &n->log);
	if (!e)
		e = store_table(n->store, "witnessed", true, &n->witnessed);
	if (!e)
		e = store_table(n->store, "redacted", true, &n->redacted);
	if (!e)
		e = store_table(n->store, "scrub", true, &n->scrub);
	return e;
}

/* ---- scrubbing ---- */

static enum err fold_all(struct node_host *n, struct txn *t)
{
	enum err e = view_clear(&n->view, t);

	for (uint64_t i = 0; !e && i < n->log.tree.size; i++) {
		struct bytes stored = {NULL, 0};

		e = log_event(&n->log, t, i, &stored);
		if (e == ERR_REDACTED)
			e = ERR_OK;
		if (!e)
			e = view_fold_own(n->fold, &n->view, t, n->name, i, stored, &n->arena);
	}
	return e ? e : view_fold_finish(n->fold, &n->view, t, n->log.tree.size);
}

static enum err rebuild_once(struct node_host *n)
{
	struct txn *t = NULL;
	enum err e = txn_begin(n->store, true, &t);

	if (!e)
		e = fold_all(n, t);
	if (!e)
		return txn_commit(t);
	txn_abort(t);
	view_fold_abandon(n->fold);
	return e;
}

static enum err settle(struct node_host *n)
{
	struct txn *t = NULL;
	enum err e = txn_begin(n->store, true, &t);

	if (!e)
		e = txn_delete(t, n->scrub, bytes_of_text(SCRUB_PENDING));
	if (!e)
		return txn_commit(t);
	txn_abort(t);
	return e;
}

/* Folded anew, and the file written anew, so that the erased bytes are in neither. */
enum err node_log_scrub(struct node_host *n, bool *ret_wanted)
{
	struct txn *read = NULL;
	struct bytes row;
	enum err e = txn_begin(n->store, false, &read);

	if (!e)
		e = txn_get(read, n->scrub, bytes_of_text(SCRUB_PENDING), &row);
	txn_abort(read);
	*ret_wanted = e == ERR_OK;
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = rebuild_once(n);
	while (e && node_log_grow(n, e))
		e = rebuild_once(n);
	if (e)
		return e;
	store_close(n->store);
	n->store = NULL;
	e = store_compact(n->disk);
	if (!e)
		e = node_log_open(n);
	return e ? e : settle(n);
}
