/* What must hold: nothing confirmed is lost, every log has one history, the view is what the logs
 * fold to, and all agree soon after the faults are over. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

static const char SCRATCH[] = "scratch";

void check_promise(struct world *w, unsigned server, unsigned region)
{
	const struct promise *p = &w->promised[server][region];
	const struct chain *c = &w->servers[server].chains[region];

	if (!w->servers[server].up ||
	    (w->put_back == PUT_BACK_RUNS && server == w->put_back_server))
		return;
	if (c->count < p->size)
		world_fail(w, "server %u lost log %s: %" PRIu64 " were confirmed, %" PRIu64 " left",
			   server, w->nodes[region].name.text, p->size, c->count);
	else if (p->size > 0 && c->at[p->size] != p->chain)
		world_fail(w, "server %u changed confirmed events of log %s", server,
			   w->nodes[region].name.text);
}

void check_prefix(struct world *w, unsigned server, unsigned region)
{
	const struct chain *a = &w->servers[server].chains[region];
	const struct chain *b = &w->nodes[region].chain;
	uint64_t both = a->count < b->count ? a->count : b->count;

	if (!w->servers[server].up || !w->nodes[region].up || world_is_forked(w, region))
		return;
	if (both > 0 && a->at[both] != b->at[both])
		world_fail(w, "server %u and node %s tell two histories", server,
			   w->nodes[region].name.text);
}

void check_opened(struct node_host *n)
{
	unsigned region = n->number == TWIN ? n->w->forked : n->number;

	for (unsigned i = 0; i < SERVERS && !world_is_forked(n->w, n->number); i++) {
		const struct promise *p = &n->w->promised[i][region];

		if (n->machine.size < p->size)
			world_fail(n->w,
				   "node %s takes edits at %" PRIu64 ", but %" PRIu64
				   " events were confirmed",
				   n->name.text, n->machine.size, p->size);
	}
}

void check_accepted(struct node_host *n)
{
	if (n->safe.size > 0 &&
	    (n->chain.count < n->safe.size || n->chain.at[n->safe.size] != n->safe.chain))
		world_fail(n->w, "node %s lost what it had accepted", node_host_name(n));
}

/* ---- views ---- */

static const char *const VIEW_TABLES[] = {"records", "versions", "counts", "links",
					  "changes", "times",    "view"};

static void compare_view(struct world *w, const char *who, const char *disk)
{
	for (size_t i = 0; i < sizeof(VIEW_TABLES) / sizeof(VIEW_TABLES[0]); i++) {
		if (!memstore_same(disk, SCRATCH, VIEW_TABLES[i]))
			world_fail(w, "%s: the view's %s are not what the log folds to", who,
				   VIEW_TABLES[i]);
	}
}

static enum err open_scratch(struct store **ret_store, struct view *ret)
{
	const struct store_options options = {.map_bytes = 0};
	enum err e = ERR_OK;

	memstore_wipe(SCRATCH);
	e = store_open(SCRATCH, &options, ret_store);
	return e ? e : view_open(*ret_store, true, ret);
}

static enum err fold_node_anew(struct node_host *n, const struct view *v, struct txn *read,
			       struct txn *write)
{
	enum err e = ERR_OK;

	for (uint64_t i = 0; !e && i < n->log.tree.size; i++) {
		struct bytes raw;
		struct event event;

		arena_reset(&n->arena);
		e = log_event(&n->log, read, i, &raw);
		if (!e)
			e = event_decode(raw, &n->arena, &event);
		if (!e)
			e = view_fold_time(n->fold, v, write, i, &event.recorded);
		if (!e)
			e = view_fold_event(n->fold, v, write, i, n->log.name, i, &event);
	}
	return e ? e : view_fold_finish(n->fold, v, write, n->log.tree.size);
}

static void check_node_view(struct node_host *n)
{
	struct store *scratch = NULL;
	struct txn *read = NULL;
	struct txn *write = NULL;
	struct view v;
	enum err e = open_scratch(&scratch, &v);

	if (!e)
		e = txn_begin(n->store, false, &read);
	if (!e)
		e = txn_begin(scratch, true, &write);
	if (!e)
		e = fold_node_anew(n, &v, read, write);
	if (!e) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	txn_abort(read);
	if (e)
		world_fail(n->w, "node %s cannot fold anew: %s", n->name.text, err_code(e));
	else if (n->log.tree.size > 0)
		compare_view(n->w, n->name.text, n->disk);
	store_close(scratch);
}

/* Folds in one go what was folded in many pieces, through crashes. */
static enum err fold_server_anew(struct server_host *s, struct store *scratch, const struct view *v)
{
	const struct log_finder finder = {s, server_host_find};
	struct txn *read = NULL;
	struct txn *write = NULL;
	uint64_t position = 0;
	size_t events = 0;
	enum err e = txn_begin(s->store, false, &read);

	if (!e)
		e = txn_begin(scratch, true, &write);
	if (!e)
		e = national_fold(&s->national, &finder, read, v, write, s->fold, &s->arena,
				  SIZE_MAX / 2, &position, &events);
	if (!e && position != s->national.tree.size)
		e = ERR_INTERNAL;
	if (!e) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	txn_abort(read);
	return e;
}

static void check_server_view(struct server_host *s)
{
	struct store *scratch = NULL;
	struct view v;
	enum err e = open_scratch(&scratch, &v);

	if (!e)
		e = fold_server_anew(s, scratch, &v);
	if (e)
		world_fail(s->w, "server %u cannot fold anew: %s", s->number, err_code(e));
	else if (s->national.tree.size > 0)
		compare_view(s->w, server_host_name(s), s->view_disk);
	store_close(scratch);
}

void check_views(struct world *w)
{
	for (unsigned i = 0; i < NODES; i++) {
		if (w->nodes[i].up)
			check_node_view(&w->nodes[i]);
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		struct server_host *s = &w->servers[i];

		if (s->up && s->folded == s->national.tree.size)
			check_server_view(s);
	}
}

static bool same_version(const struct version *a, const struct version *b)
{
	return a->index == b->index && a->recorded.ms == b->recorded.ms &&
	       strcmp(a->reason, b->reason) == 0 && a->change.retired == b->change.retired &&
	       (a->change.retired || record_same(a->change.record, b->change.record));
}

static void check_records_of(struct node_host *n, struct server_host *s, struct txn *here,
			     struct txn *there)
{
	char id[ID_BYTES_MAX];
	enum record_kind kind = RECORD_NONE;

	arena_reset(&n->arena);
	for (unsigned i = 0; node_host_id(n, i, &kind, id); i++) {
		struct version a, b;
		enum err e = view_get(&n->view, here, kind, bytes_of_text(id), &n->arena, &a);
		enum err f = view_get(&s->view, there, kind, bytes_of_text(id), &n->arena, &b);

		if (e != f || (e && e != ERR_NOT_FOUND) || (!e && !same_version(&a, &b)))
			world_fail(n->w, "%s is another record at server %u than at its node", id,
				   s->number);
	}
}

void check_records(struct world *w)
{
	for (unsigned i = 0; i < REGIONS * SERVERS; i++) {
		struct node_host *n = &w->nodes[i / SERVERS];
		struct server_host *s = &w->servers[i % SERVERS];
		struct txn *here = NULL;
		struct txn *there = NULL;

		if (world_is_forked(w, n->number))
			continue;
		if (txn_begin(n->store, false, &here) || txn_begin(s->view_store, false, &there))
			world_fail(w, "views cannot be read");
		else
			check_records_of(n, s, here, there);
		txn_abort(here);
		txn_abort(there);
	}
}

/* ---- the end ---- */

static bool link_is_well(const struct node_host *n, const struct server_host *s,
			 char why[static 160])
{
	unsigned region = n->number == TWIN ? n->w->forked : n->number;
	const struct server_log *log =
		server_machine_log(&n->w->servers[s->number].machine, n->name);
	const struct node_link *link = &n->machine.links[s->number];
	bool forked = world_is_forked(n->w, n->number);

	(void)snprintf(why, 160,
		       "%s at %s: phase %d, %" PRIu64 " of %" PRIu64 " confirmed%s, %" PRIu64
		       " of %" PRIu64 " cosigned",
		       node_host_name(n), server_host_name(s), (int)link->phase, link->confirmed,
		       n->machine.size, n->machine.gated ? ", gated" : "", log ? log->cosigned : 0,
		       s->national.tree.size);
	if (forked)
		return log && log->state == LOG_FROZEN;
	return log && log->state == LOG_ACTIVE && link->phase == NODE_LIVE &&
	       link->confirmed == n->machine.size && !n->machine.gated &&
	       (region == REGION_PL || log->cosigned == s->national.tree.size) &&
	       s->logs[region].tree.size == n->machine.size;
}

bool check_converged(struct world *w, char why[static 160])
{
	for (unsigned i = 0; i < SERVERS; i++) {
		const struct server_host *s = &w->servers[i];

		(void)snprintf(why, 160, "server %u is an older copy, and nobody noticed", i);
		if (w->put_back == PUT_BACK_RUNS && w->put_back_server == i)
			return false;
		(void)snprintf(why, 160, "server %u is down, or its view behind", i);
		if (!s->up || s->folded != s->national.tree.size)
			return false;
	}
	for (unsigned i = 0; i < NODES; i++) {
		const struct node_host *n = &w->nodes[i];

		(void)snprintf(why, 160, "node %s is down", node_host_name(n));
		if (n->exists && !n->up)
			return false;
		for (unsigned j = 0; n->exists && j < SERVERS; j++) {
			if (!link_is_well(n, &w->servers[j], why))
				return false;
		}
	}
	return true;
}

/* The national log tells of every freeze, with both notes. */
static bool has_evidence(struct server_host *s, struct log_name name)
{
	struct txn *read = NULL;
	struct arena arena = {0};
	bool found = false;
	enum err e = txn_begin(s->store, false, &read);

	for (uint64_t i = 0; !e && i < s->national.tree.size; i++) {
		struct national_entry entry;
		struct bytes raw;

		e = log_event(&s->national, read, i, &raw);
		if (!e)
			e = national_decode(raw, &arena, &entry);
		if (!e && entry.kind == NATIONAL_ACT && strcmp(entry.act, "freeze") == 0 &&
		    log_name_equal(entry.log, name))
			found = entry.document.size > 0 && entry.other.size > 0;
	}
	arena_free(&arena);
	txn_abort(read);
	return !e && found;
}

void check_evidence(struct world *w)
{
	for (unsigned i = 0; i < SERVERS; i++) {
		struct server_host *s = &w->servers[i];

		for (unsigned j = 0; j < REGIONS; j++) {
			const struct server_log *log =
				server_machine_log(&s->machine, w->nodes[j].name);
			bool frozen = log && log->state == LOG_FROZEN;

			w->tally.frozen += frozen;
			if (frozen != world_is_forked(w, j))
				world_fail(w, "log %s is %sfrozen at server %u",
					   w->nodes[j].name.text, frozen ? "" : "not ", i);
			else if (frozen && !has_evidence(s, w->nodes[j].name))
				world_fail(w, "server %u kept no evidence against log %s", i,
					   w->nodes[j].name.text);
		}
	}
}
