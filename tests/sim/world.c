#include "world.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* ---- histories ---- */

void chain_clear(struct chain *c)
{
	c->count = 0;
}

void chain_free(struct chain *c)
{
	free(c->at);
	*c = (struct chain){0};
}

static void chain_add(struct chain *c, struct bytes event)
{
	uint64_t x = c->at[c->count] ^ 0x2545f4914f6cdd1dU;

	for (size_t i = 0; i < event.size; i++)
		x = (x ^ event.data[i]) * 0x100000001b3U;
	c->at[++c->count] = x ^ x >> 29;
}

enum err chain_follow(struct chain *c, const struct log *log, struct store *store)
{
	struct txn *read = NULL;
	enum err e = ERR_OK;

	if (c->capacity <= log->tree.size) {
		c->capacity = 2 * log->tree.size + 64;
		c->at = realloc(c->at, c->capacity * sizeof(*c->at));
		if (!c->at)
			exit(3);
	}
	if (c->count == 0)
		c->at[0] = 1;
	if (c->count == log->tree.size)
		return ERR_OK;
	e = txn_begin(store, false, &read);
	while (!e && c->count < log->tree.size) {
		struct bytes event;

		e = log_event(log, read, c->count, &event);
		if (!e)
			chain_add(c, event);
	}
	txn_abort(read);
	return e;
}

/* ---- making the world ---- */

void world_signer(const char *name, uint8_t type, uint8_t tag, unsigned number, uint8_t *secret,
		  struct signer *ret)
{
	uint8_t seed[SIGN_SEED_BYTES] = {tag, (uint8_t)number};
	uint8_t public[SIGN_PUBLIC_BYTES];

	if (crypto_sign_seed_keypair(public, secret, seed) ||
	    vkey_make(name, type, public, &ret->key))
		exit(3);
	ret->secret = secret;
}

static void make_node(struct world *w, unsigned number)
{
	struct node_host *n = &w->nodes[number];
	char origin[ORIGIN_BYTES_MAX + 1];
	unsigned region = number < REGIONS ? number : 0;

	n->w = w;
	n->number = number;
	n->exists = number < REGIONS;
	(void)snprintf(n->disk, sizeof(n->disk), "node-%u", number);
	(void)snprintf(n->copy, sizeof(n->copy), "copy-%u", number);
	if (log_name_parse(bytes_of_text(region_at((int)region)->code), &n->name) ||
	    log_origin(REALM, n->name, origin, sizeof(origin)))
		exit(3);
	world_signer(origin, KEY_ED25519, 1, region, n->secret, &n->signer);
	(void)snprintf(origin, sizeof(origin), "%s/witness/%s", REALM, n->name.text);
	world_signer(origin, KEY_COSIGNATURE, 3, region, n->witness_secret, &n->witness);
}

static void make_server(struct world *w, unsigned number)
{
	struct server_host *s = &w->servers[number];
	char origin[ORIGIN_BYTES_MAX + 1];

	s->w = w;
	s->number = number;
	s->inbox_end = &s->inbox;
	(void)snprintf(s->disk, sizeof(s->disk), "server-%u.logs", number);
	(void)snprintf(s->view_disk, sizeof(s->view_disk), "server-%u.view", number);
	(void)snprintf(s->copy, sizeof(s->copy), "server-%u.copy", number);
	(void)snprintf(s->newest, sizeof(s->newest), "server-%u.newest", number);
	if (national_origin(REALM, server_host_name(s), 1, origin, sizeof(origin)))
		exit(3);
	world_signer(origin, KEY_ED25519, 2, number, s->secret, &s->signer);
}

static void begin(struct world *w, uint64_t seed, bool verbose)
{
	memset(w, 0, sizeof(*w));
	memstore_reset();
	w->seed = seed;
	w->random = seed * 0x9e3779b97f4a7c15U + 1;
	w->verbose = verbose;
	w->end_ms = FAULTS_END_MS + CONVERGE_MS;
	w->loss_permille = world_below(w, 20);
	w->double_permille = world_below(w, 20);
	w->delay_ms = 1 + world_below(w, 40);
	w->forked = NODES;
	if (seed % 8 == 0) {
		w->forked = world_below(w, REGIONS);
		w->fork_at_ms = FAULTS_END_MS / 4 + world_below(w, FAULTS_END_MS / 2);
	}
	if (seed % 8 == 4) {
		w->put_back = PUT_BACK_PLANNED;
		w->put_back_server = world_below(w, SERVERS);
		w->put_back_at_ms = FAULTS_END_MS / 4 + world_below(w, FAULTS_END_MS / 2);
	}
	for (unsigned i = 0; i < NODES; i++)
		make_node(w, i);
	for (unsigned i = 0; i < SERVERS; i++) {
		make_server(w, i);
		world_plan(w, world_below(w, 2000), AT_SERVER_START, i, 0, 0, NULL);
	}
	for (unsigned i = 0; i < REGIONS; i++)
		world_plan(w, world_below(w, 1000), AT_NODE_START, i, 0, 0, NULL);
	world_plan(w, 1000, AT_FAULT, 0, 0, 0, NULL);
	world_plan(w, FAULTS_END_MS / 2, AT_CHECK, 0, 0, 0, NULL);
}

void world_free(struct world *w)
{
	for (unsigned i = 0; i < NODES; i++) {
		node_host_crash(&w->nodes[i], NULL);
		chain_free(&w->nodes[i].chain);
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		server_host_crash(&w->servers[i], NULL);
		for (unsigned j = 0; j < REGIONS; j++)
			chain_free(&w->servers[i].chains[j]);
	}
	for (size_t i = 0; i < w->heap_count; i++)
		free(w->heap[i].packet);
	free(w->heap);
	free(w->cosigned);
	buf_free(&w->story);
	memstore_reset();
}

/* ---- playing ---- */

bool world_is_forked(const struct world *w, unsigned node)
{
	return w->nodes[TWIN].exists && (node == w->forked || node == TWIN);
}

bool world_was_put_back(const struct world *w, unsigned server)
{
	return w->put_back >= PUT_BACK_RUNS && server == w->put_back_server;
}

/* Everything that was taken away is given back. */
static void calm_down(struct world *w)
{
	w->calm = true;
	world_tell(w, "world", "no more faults");
	for (unsigned i = 0; i < NODES; i++) {
		memstore_fill(w->nodes[i].disk, false);
		memstore_kill_at_commit(w->nodes[i].disk, MEMSTORE_LIVES);
		for (unsigned j = 0; j < SERVERS; j++) {
			w->wires[i][j].blocked_up_ms = 0;
			w->wires[i][j].blocked_down_ms = 0;
		}
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		memstore_fill(w->servers[i].disk, false);
		memstore_fill(w->servers[i].view_disk, false);
		memstore_kill_at_commit(w->servers[i].disk, MEMSTORE_LIVES);
		memstore_kill_at_commit(w->servers[i].view_disk, MEMSTORE_LIVES);
	}
	w->loss_permille = 0;
	w->double_permille = 0;
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
	if (check_converged(w, why)) {
		world_tell(w, "world", "all agree");
		if (w->converge_ms == 0)
			w->converge_ms = w->now_ms - FAULTS_END_MS;
		if (fault_put_back(w)) {
			world_plan(w, 250, AT_CHECK, 0, 0, 0, NULL);
			return;
		}
		w->end_ms = w->now_ms;
		check_views(w);
		check_records(w);
		check_evidence(w);
		check_witnessed(w);
	} else if (w->now_ms + 250 > w->end_ms) {
		world_fail(w, "no agreement %d s after the faults: %s", CONVERGE_MS / 1000, why);
	} else {
		world_plan(w, 250, AT_CHECK, 0, 0, 0, NULL);
	}
}

static void happen(struct world *w, struct occurrence *o)
{
	struct node_host *n = &w->nodes[o->host < NODES ? o->host : 0];
	struct server_host *s = &w->servers[o->host < SERVERS ? o->host : 0];
	bool node_lives = n->up && n->epoch == o->epoch;
	bool server_lives = s->up && s->epoch == o->epoch;

	switch (o->what) {
	case AT_NODE_TICK:
		if (node_lives)
			node_host_tick(n);
		break;
	case AT_NODE_EDIT:
		if (node_lives)
			node_host_edit(n);
		break;
	case AT_NODE_START:
		if (!n->up && n->epoch == o->epoch)
			node_host_start(n);
		break;
	case AT_SERVER_TICK:
		if (server_lives)
			server_host_tick(s);
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
	case AT_CHECK:
		at_check(w);
		break;
	}
}

bool world_play(struct world *w, uint64_t seed, bool verbose)
{
	begin(w, seed, verbose);
	while (!w->failed && w->heap_count > 0 && w->heap[0].at_ms <= w->end_ms) {
		struct occurrence o = take(w);

		w->now_ms = o.at_ms;
		happen(w, &o);
		if (w->now_ms >= w->end_ms)
			break;
	}
	if (!w->failed && w->now_ms < w->end_ms)
		world_fail(w, "nothing is left to happen");
	return !w->failed;
}
