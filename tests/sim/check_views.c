/* What must hold of views: each is what its logs fold to, and a server shows of every record what
 * the record's node does. */
#include <string.h>

#include "checks.h"

static const char SCRATCH[] = "scratch";

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

/* Recorded times never fall: readers of the past rely on it. */
static enum err check_time(struct world *w, struct bytes raw, struct wall_ms *last)
{
	struct wall_ms now = *last;
	enum err e = raw.size ? recorded_time(raw, &now) : ERR_OK;

	if (now.ms < last->ms)
		world_fail(w, "an event was recorded before the one before it");
	*last = now;
	return e;
}

static enum err fold_node_anew(struct node_host *n, const struct view *v, struct txn *read,
			       struct txn *write)
{
	struct wall_ms last = {INT64_MIN};
	enum err e = ERR_OK;

	for (uint64_t i = 0; !e && i < n->log.tree.size; i++) {
		struct bytes raw = {NULL, 0};

		e = log_event(&n->log, read, i, &raw);
		if (e == ERR_REDACTED)
			e = ERR_OK;
		if (!e)
			e = check_time(n->w, raw, &last);
		if (!e)
			e = view_fold_own(n->fold, v, write, n->log.name, i, raw, &n->arena);
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
	const struct log_finder finder = archive_finder(&s->archive);
	struct txn *read = NULL;
	struct txn *write = NULL;
	uint64_t position = 0;
	size_t events = 0;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (!e)
		e = txn_begin(scratch, true, &write);
	if (!e)
		e = national_fold(s->archive.national, &finder, read, v, write, s->fold, &s->arena,
				  SIZE_MAX / 2, &position, &events);
	if (!e && position != server_host_size(s))
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
	else if (server_host_size(s) > 0)
		compare_view(s->w, server_host_name(s), s->view_disk);
	store_close(scratch);
}

static bool node_can_be_read(const struct node_host *n)
{
	return n->up && !n->damage.there;
}

static bool server_can_be_read(const struct server_host *s)
{
	return s->up && !s->damage.there && s->folded == server_host_size(s);
}

void check_views(struct world *w)
{
	for (unsigned i = 0; i < NODES; i++) {
		if (node_can_be_read(&w->nodes[i]))
			check_node_view(&w->nodes[i]);
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		if (server_can_be_read(&w->servers[i]))
			check_server_view(&w->servers[i]);
	}
}

void check_node_step(struct node_host *n, bool start)
{
	enum { CHECKED_ONE_IN = 10 };

	if (node_can_be_read(n) && (start || ++n->steps % CHECKED_ONE_IN == 0))
		check_node_view(n);
}

/* A thousand events take long to fold. */
void check_server_step(struct server_host *s, bool start)
{
	enum { CHECKED_ONE_IN = 64 };

	if (server_can_be_read(s) && (start || ++s->steps % CHECKED_ONE_IN == 0))
		check_server_view(s);
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
	for (unsigned i = 0; i < LOGS * SERVERS; i++) {
		struct node_host *n = &w->nodes[i / SERVERS];
		struct server_host *s = &w->servers[i % SERVERS];
		struct txn *here = NULL;
		struct txn *there = NULL;

		if (!n->up || world_is_forked(w, n->number) || n->number == ANEW ||
		    n->number == w->revoked || world_distrusts(w, n->number, s->number))
			continue;
		if (txn_begin(n->store, false, &here) || txn_begin(s->view_store, false, &there))
			world_fail(w, "views cannot be read");
		else
			check_records_of(n, s, here, there);
		txn_abort(here);
		txn_abort(there);
	}
}
