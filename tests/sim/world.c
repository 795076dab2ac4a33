#include "world.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"

/* ---- chance ---- */

/* splitmix64: any seed gives a good stream. */
uint64_t world_random(struct world *w)
{
	uint64_t x = w->random += 0x9e3779b97f4a7c15U;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9U;
	x = (x ^ x >> 27) * 0x94d049bb133111ebU;
	return x ^ x >> 31;
}

unsigned world_below(struct world *w, unsigned bound)
{
	return (unsigned)(world_random(w) % bound);
}

bool world_chance(struct world *w, unsigned permille)
{
	return world_below(w, 1000) < permille;
}

/* ---- the story ---- */

__attribute__((format(printf, 3, 0))) static void line(struct world *w, const char *who,
						       const char *format, va_list args)
{
	char text[512];

	(void)vsnprintf(text, sizeof(text), format, args);
	if (w->verbose)
		(void)printf("%8.3f s  %-9s %s\n", (double)w->now_ms / 1000, who, text);
	else
		buf_printf(&w->story, "%8.3f s  %-9s %s\n", (double)w->now_ms / 1000, who, text);
}

void world_tell(struct world *w, const char *who, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(w, who, format, args);
	va_end(args);
}

void world_fail(struct world *w, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line(w, "BROKEN", format, args);
	va_end(args);
	w->failed = true;
}

/* ---- what comes next ---- */

static bool before(const struct occurrence *a, const struct occurrence *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void world_plan(struct world *w, int64_t in_ms, enum occasion what, unsigned host, unsigned other,
		uint64_t epoch, struct packet *packet)
{
	struct occurrence new = {w->now_ms + in_ms, w->order++, what, host, other, epoch, packet};
	size_t i = w->heap_count++;

	if (i == w->heap_capacity) {
		w->heap_capacity = w->heap_capacity ? 2 * w->heap_capacity : 1024;
		w->heap = realloc(w->heap, w->heap_capacity * sizeof(new));
		if (!w->heap)
			exit(3);
	}
	for (; i > 0 && before(&new, &w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = new;
}

static struct occurrence take(struct world *w)
{
	struct occurrence first = w->heap[0];
	struct occurrence last = w->heap[--w->heap_count];
	size_t i = 0;

	for (size_t child = 1; child < w->heap_count; child = 2 * i + 1) {
		if (child + 1 < w->heap_count && before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!before(&w->heap[child], &last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return first;
}

/* ---- playing ---- */

unsigned world_log_of(const struct world *w, unsigned node)
{
	return node == TWIN ? w->forked : node;
}

bool world_is_forked(const struct world *w, unsigned node)
{
	return w->nodes[TWIN].exists && (node == w->forked || node == TWIN);
}

bool world_is_revoked(const struct world *w, unsigned log)
{
	return log == w->revoked;
}

bool world_is_hostile(const struct world *w, unsigned log)
{
	return log < NODES && log == w->hostile.log;
}

bool world_was_put_back(const struct world *w, unsigned server)
{
	return w->put_back >= PUT_BACK_RUNS && server == w->put_back_server;
}

uint64_t world_illness(const struct damage *d)
{
	return d->there && !d->view ? d->number : 0;
}

/* Everything that was taken away is given back, and clocks are set. */
static void calm_down(struct world *w)
{
	w->calm = true;
	world_tell(w, "world", "no more faults");
	for (unsigned i = 0; i < NODES; i++) {
		struct node_host *n = &w->nodes[i];

		memstore_fill(n->disk, false);
		memstore_kill_at_commit(n->disk, MEMSTORE_LIVES);
		n->clock_ms = 0;
		n->slow_until_ms = 0;
		for (unsigned j = 0; j < SERVERS; j++) {
			w->wires[i][j].blocked_up_ms = 0;
			w->wires[i][j].blocked_down_ms = 0;
		}
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		struct server_host *s = &w->servers[i];

		memstore_fill(s->disk, false);
		memstore_fill(s->view_disk, false);
		memstore_kill_at_commit(s->disk, MEMSTORE_LIVES);
		memstore_kill_at_commit(s->view_disk, MEMSTORE_LIVES);
		s->clock_ms = 0;
		s->slow_until_ms = 0;
	}
	w->loss_permille = 0;
	w->double_permille = 0;
}

/* Damage that nobody met is found by whoever verifies: it must be. */
static void verify_damaged(struct world *w)
{
	for (unsigned i = 0; i < NODES; i++) {
		struct node_host *n = &w->nodes[i];

		if (n->up && n->damage.there)
			check_node_found(n);
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		struct server_host *s = &w->servers[i];

		if (s->up && s->damage.there)
			check_server_found(s);
	}
}

static void at_end(struct world *w)
{
	w->end_ms = w->now_ms;
	check_views(w);
	check_records(w);
	check_evidence(w);
	check_witnessed(w);
}

static void at_check(struct world *w)
{
	char why[160] = "";

	if (w->now_ms < FAULTS_END_MS) {
		check_views(w);
		world_plan(w, FAULTS_END_MS - w->now_ms, AT_CHECK, 0, 0, 0, NULL);
		return;
	}
	if (!w->calm)
		calm_down(w);
	verify_damaged(w);
	if (check_converged(w, why)) {
		world_tell(w, "world", "all agree");
		if (w->converge_ms == 0)
			w->converge_ms = w->now_ms - FAULTS_END_MS;
		if (fault_put_back(w))
			world_plan(w, 250, AT_CHECK, 0, 0, 0, NULL);
		else
			at_end(w);
	} else if (w->now_ms + 250 > w->end_ms) {
		world_fail(w, "no agreement %d s after the faults: %s", CONVERGE_MS / 1000, why);
	} else {
		world_plan(w, 250, AT_CHECK, 0, 0, 0, NULL);
	}
}

/* Something of a host that stands still, or is slow, comes later. */
static bool waits(struct world *w, const struct occurrence *o)
{
	int64_t until = 0;

	if (o->what == AT_NODE_TICK || o->what == AT_NODE_DUE || o->what == AT_NODE_EDIT ||
	    o->what == AT_ROTATE)
		until = w->nodes[o->host].busy_until_ms;
	else if (o->what == AT_SERVER_TICK || o->what == AT_SERVER_WAIT ||
		 o->what == AT_SERVER_TURN || o->what == AT_SERVER_FOLD)
		until = w->servers[o->host].stalled_until_ms;
	if (w->now_ms >= until)
		return false;
	world_plan(w, until - w->now_ms, o->what, o->host, o->other, o->epoch, o->packet);
	return true;
}

static void happen(struct world *w, struct occurrence *o)
{
	struct node_host *n = &w->nodes[o->host < NODES ? o->host : 0];
	struct server_host *s = &w->servers[o->host < SERVERS ? o->host : 0];
	bool node_lives = n->up && n->epoch == o->epoch;
	bool server_lives = s->up && s->epoch == o->epoch;

	if (waits(w, o))
		return;
	switch (o->what) {
	case AT_NODE_TICK:
		if (node_lives)
			node_host_tick(n);
		break;
	case AT_NODE_DUE:
		if (node_lives)
			node_host_due(n);
		break;
	case AT_NODE_EDIT:
		if (node_lives)
			node_host_edit(n);
		break;
	case AT_NODE_START:
		if (n->exists && !n->up && n->epoch == o->epoch)
			node_host_start(n);
		break;
	case AT_SERVER_TICK:
		if (server_lives)
			server_host_tick(s);
		break;
	case AT_SERVER_WAIT:
		if (server_lives)
			server_host_wait(s);
		break;
	case AT_SERVER_TURN:
		if (server_lives)
			server_host_turn(s);
		break;
	case AT_SERVER_FOLD:
		if (server_lives)
			server_host_fold(s);
		break;
	case AT_SERVER_START:
		if (!s->up && s->epoch == o->epoch)
			server_host_start(s);
		break;
	case AT_ESTABLISH:
		wire_establish(w, o->host, o->other, o->epoch);
		break;
	case AT_DELIVER:
		wire_deliver(w, o->packet);
		break;
	case AT_FAULT:
		fault_strike(w);
		break;
	case AT_DISK_FREE:
		memstore_fill(o->other ? w->servers[o->host].disk : w->nodes[o->host].disk, false);
		break;
	case AT_ACT:
		act_try(w, o->host);
		break;
	case AT_BEGIN_ANEW:
		act_begin_anew(w);
		break;
	case AT_ERASE:
		act_erase(w);
		break;
	case AT_ROTATE:
		node_keys_rotate(n);
		break;
	case AT_HOSTILE:
		hostile_act(w);
		break;
	case AT_THIEF:
		thief_act(w);
		break;
	case AT_CHECK:
		at_check(w);
		break;
	}
}

/* What a step wrote is looked at at once, so that a story that fails ends where it went wrong. */
static void check_step(struct world *w, const struct occurrence *o)
{
	bool start = o->what == AT_NODE_START || o->what == AT_SERVER_START;

	if (w->failed)
		return;
	if (o->what == AT_NODE_EDIT || o->what == AT_NODE_START)
		check_node_step(&w->nodes[o->host], start);
	else if (o->what == AT_SERVER_FOLD || o->what == AT_SERVER_START)
		check_server_step(&w->servers[o->host], start);
}

bool world_play(struct world *w, uint64_t seed, bool verbose)
{
	world_begin(w, seed, verbose);
	while (!w->failed && w->heap_count > 0 && w->heap[0].at_ms <= w->end_ms) {
		struct occurrence o = take(w);

		w->now_ms = o.at_ms;
		happen(w, &o);
		check_step(w, &o);
		if (w->now_ms >= w->end_ms)
			break;
	}
	if (!w->failed && w->now_ms < w->end_ms)
		world_fail(w, "nothing is left to happen");
	return !w->failed;
}
