/* The simulated server's view: what splot-server's second thread does. */
#include "world.h"

enum { FOLD_EVENTS = 64 };

static enum err fold_once(struct server_host *s, struct txn *read, size_t *ret_events)
{
	const struct log_finder finder = archive_finder(&s->archive);
	struct txn *write = NULL;
	enum err e = txn_begin(s->view_store, true, &write);

	if (e)
		return e;
	e = national_fold(s->archive.national, &finder, read, &s->view, write, s->fold, &s->arena,
			  FOLD_EVENTS, &s->folded, ret_events);
	if (!e)
		return txn_commit(write);
	txn_abort(write);
	return e;
}

void server_host_fold(struct server_host *s)
{
	struct txn *read = NULL;
	uint64_t before = s->folded;
	size_t events = 0;
	enum err e = txn_begin(s->archive.store, false, &read);

	world_plan(s->w, 1 + world_below(s->w, SERVER_FOLD_MS), AT_SERVER_FOLD, s->number, 0,
		   s->epoch, NULL);
	if (!e)
		e = fold_once(s, read, &events);
	txn_abort(read);
	if (!server_host_survives(s))
		return;
	s->w->tally.folds += events;
	if (!e)
		return;
	view_fold_abandon(s->fold);
	s->folded = before;
	if (e == ERR_SYNC)
		s->fault = e;
	else if (e != ERR_DISK_FULL)
		server_host_noticed(s, "its logs cannot be folded", e);
	(void)server_host_survives(s);
}
