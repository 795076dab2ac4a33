/* What must hold: nothing confirmed is lost, every log has one history, the view is what the logs
 * fold to, and all agree soon after the faults are over. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checks.h"

void check_promise(struct world *w, unsigned server, unsigned log)
{
	const struct promise *p = &w->promised[server][log];
	const struct chain *c = &w->servers[server].chains[log];

	if (!w->servers[server].up ||
	    (w->put_back == PUT_BACK_RUNS && server == w->put_back_server))
		return;
	if (c->count < p->size)
		world_fail(w, "server %u lost log %s: %" PRIu64 " were confirmed, %" PRIu64 " left",
			   server, w->nodes[log].name.text, p->size, c->count);
	else if (p->size > 0 && c->at[p->size] != p->chain)
		world_fail(w, "server %u changed confirmed events of log %s", server,
			   w->nodes[log].name.text);
}

void check_prefix(struct world *w, unsigned server, unsigned log)
{
	const struct chain *a = &w->servers[server].chains[log];
	const struct chain *b = &w->nodes[log].chain;
	uint64_t both = a->count < b->count ? a->count : b->count;

	if (!w->servers[server].up || !w->nodes[log].up || world_is_forked(w, log))
		return;
	if (both > 0 && a->at[both] != b->at[both])
		world_fail(w, "server %u and node %s tell two histories", server,
			   w->nodes[log].name.text);
}

void check_opened(struct node_host *n)
{
	unsigned log = world_log_of(n->w, n->number);

	for (unsigned i = 0; i < SERVERS && !world_is_forked(n->w, n->number); i++) {
		const struct promise *p = &n->w->promised[i][log];

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

/* ---- the end ---- */

/* Another key of its own is as good as the same: whether the log is heard at all is the server's.
 */
static bool stands_as_it_should(const struct world *w, unsigned log, enum server_log_state state)
{
	if (world_is_forked(w, log))
		return state == LOG_FROZEN;
	return state == (log == w->revoked ? LOG_REVOKED : LOG_ACTIVE);
}

static bool link_is_well(const struct node_host *n, struct server_host *s, char why[static 160])
{
	const struct world *w = n->w;
	unsigned number = world_log_of(w, n->number);
	const struct server_log *log = server_machine_log(&s->machine, n->name);
	const struct node_link *link = &n->machine.links[s->number];

	(void)snprintf(why, 160,
		       "%s at %s: phase %d, %" PRIu64 " of %" PRIu64 " confirmed%s, %" PRIu64
		       " of %" PRIu64 " cosigned",
		       node_host_name(n), server_host_name(s), (int)link->phase, link->confirmed,
		       n->machine.size, n->machine.gated ? ", gated" : "", log ? log->cosigned : 0,
		       server_host_size(s));
	if (!log || !stands_as_it_should(w, number, log->state))
		return false;
	if (world_is_forked(w, number) || number == w->revoked)
		return true;
	if (world_distrusts(w, number, s->number))
		return link->phase == NODE_DISTRUSTED && !n->machine.gated;
	return link->phase == NODE_LIVE && link->confirmed == n->machine.size &&
	       !n->machine.gated && (number != ANEW || n->machine.size > 0) &&
	       (log_name_region(n->name) == REGION_PL || log->cosigned == server_host_size(s)) &&
	       server_host_log(s, number)->tree.size == n->machine.size;
}

bool check_converged(struct world *w, char why[static 160])
{
	(void)snprintf(why, 160, "an administrator's act cannot be done");
	if (!acts_done(w))
		return false;
	for (unsigned i = 0; i < SERVERS; i++) {
		const struct server_host *s = &w->servers[i];

		(void)snprintf(why, 160, "server %u is an older copy, and nobody noticed", i);
		if (w->put_back == PUT_BACK_RUNS && w->put_back_server == i)
			return false;
		(void)snprintf(why, 160, "server %u is down, or its view behind", i);
		if (!s->up || s->again || s->folded != server_host_size(s))
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
	return check_erased(w, why);
}

/* The national log tells of every freeze, with both notes, and they are kept beside it. */
static bool has_evidence(struct server_host *s, struct log_name name)
{
	struct txn *read = NULL;
	struct arena arena = {0};
	bool found = false;
	bool kept = false;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (!e)
		e = evidence_against(&s->evidence, read, name, &kept);
	for (uint64_t i = 0; !e && !found && i < server_host_size(s); i++) {
		struct national_entry entry;
		struct bytes raw;

		e = log_event(s->archive.national, read, i, &raw);
		if (!e)
			e = national_decode(raw, &arena, &entry);
		if (!e && entry.kind == NATIONAL_ACT && strcmp(entry.act, "freeze") == 0 &&
		    log_name_equal(entry.log, name))
			found = entry.document.size > 0 && entry.other.size > 0;
	}
	arena_free(&arena);
	txn_abort(read);
	return !e && found && kept;
}

static void check_log(struct server_host *s, unsigned log)
{
	struct world *w = s->w;
	const struct server_log *state = server_machine_log(&s->machine, w->nodes[log].name);
	bool frozen = state && state->state == LOG_FROZEN;

	w->tally.frozen += frozen;
	if (frozen && !has_evidence(s, w->nodes[log].name))
		world_fail(w, "server %u kept no evidence against log %s", s->number,
			   w->nodes[log].name.text);
	if (!world_is_hostile(w, log) && frozen != world_is_forked(w, log))
		world_fail(w, "log %s is %sfrozen at server %u", w->nodes[log].name.text,
			   frozen ? "" : "not ", s->number);
}

void check_evidence(struct world *w)
{
	for (unsigned i = 0; i < SERVERS; i++) {
		for (unsigned j = 0; j < LOGS; j++)
			check_log(&w->servers[i], j);
	}
}
