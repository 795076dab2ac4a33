/* How a world begins: its hosts, and what a seed plans for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum {
	FIRST_ACT_MS = FAULTS_END_MS / 5,
	ROTATE_PERMILLE = 80,
	REDACTIONS_MAX = 3,
	RELEASE_PERMILLE = 250,
};

static void make_node(struct world *w, unsigned number)
{
	struct node_host *n = &w->nodes[number];
	unsigned region = number < REGIONS ? number : 0;
	char name[LOG_NAME_BYTES];

	n->w = w;
	n->number = number;
	n->exists = number < REGIONS;
	(void)snprintf(n->disk, sizeof(n->disk), "node-%u", number);
	(void)snprintf(n->copy, sizeof(n->copy), "copy-%u", number);
	if (number == ANEW && w->revoked < REGIONS)
		region = w->revoked;
	(void)snprintf(name, sizeof(name), "%s%s", region_at((int)region)->code,
		       number == ANEW ? "/2" : "");
	if (log_name_parse(bytes_of_text(name), &n->name))
		exit(3);
	n->keys.pairs = keys_of(number == ANEW ? REGIONS + region : region);
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
	keys_server(origin, number, s->secret, &s->signer);
}

static int64_t some_time(struct world *w)
{
	return FIRST_ACT_MS + world_below(w, FAULTS_END_MS - FIRST_ACT_MS);
}

/* Each eighth of all seeds has something of its own beside the usual faults. */
static void plan_story(struct world *w)
{
	w->forked = NODES;
	w->revoked = NODES;
	w->hostile.log = NODES;
	w->thief.node = NODES;
	switch (w->seed % 8) {
	case 0:
		w->forked = world_below(w, REGIONS);
		w->fork_at_ms = FAULTS_END_MS / 4 + world_below(w, FAULTS_END_MS / 2);
		break;
	case 1:
		w->thief.there = true;
		if (w->seed / 8 % 2 == 0)
			w->thief.node = world_below(w, REGION_PL);
		w->thief.server = world_below(w, SERVERS);
		break;
	case 2:
		w->hostile.log = world_below(w, REGIONS);
		break;
	case 4:
		w->put_back = PUT_BACK_PLANNED;
		w->put_back_server = world_below(w, SERVERS);
		w->put_back_at_ms = FAULTS_END_MS / 4 + world_below(w, FAULTS_END_MS / 2);
		break;
	case 6:
		w->revoked = world_below(w, REGIONS);
		break;
	default:
		break;
	}
	/* Some of each eighth; none of those that found something before this was played. */
	w->tight = w->seed / 8 % 4 == 2;
	w->quick = w->seed / 8 % 8 == 7;
	if (w->quick)
		w->delay_ms = 1;
}

/* Whether administrators leave this log to its own story. */
static bool has_a_story(const struct world *w, unsigned log)
{
	return log == w->forked || log == w->revoked || log == w->hostile.log;
}

static void plan_rotations(struct world *w)
{
	for (unsigned i = 0; i < REGIONS; i++) {
		unsigned times = world_chance(w, ROTATE_PERMILLE) ? 1 + world_below(w, 2) : 0;

		for (; times > 0 && i != w->forked && i != w->hostile.log; times--)
			world_plan(w, some_time(w), AT_ROTATE, i, 0, 0, NULL);
	}
}

static void plan_release(struct world *w)
{
	unsigned log = world_below(w, REGIONS);
	unsigned server = world_below(w, SERVERS);
	int64_t at = some_time(w);

	if (has_a_story(w, log))
		return;
	(void)act_plan(w, ACT_FREEZE, server, log, at);
	(void)act_plan(w, ACT_RELEASE, server, log, at + 500 + world_below(w, 8000));
}

static void plan_acts(struct world *w)
{
	plan_rotations(w);
	if (world_chance(w, RELEASE_PERMILLE))
		plan_release(w);
	for (unsigned i = 0; i < SERVERS && w->revoked < REGIONS; i++)
		(void)act_plan(w, ACT_REVOKE, i, w->revoked, some_time(w));
	for (unsigned i = world_below(w, REDACTIONS_MAX + 1); i > 0; i--)
		world_plan(w, some_time(w), AT_ERASE, 0, 0, 0, NULL);
}

void world_begin(struct world *w, uint64_t seed, bool verbose)
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
	plan_story(w);
	for (unsigned i = 0; i < NODES; i++)
		make_node(w, i);
	for (unsigned i = 0; i < SERVERS; i++) {
		make_server(w, i);
		world_plan(w, world_below(w, 2000), AT_SERVER_START, i, 0, 0, NULL);
	}
	hostile_begin(w);
	thief_begin(w);
	for (unsigned i = 0; i < REGIONS; i++)
		world_plan(w, world_below(w, 1000), AT_NODE_START, i, 0, 0, NULL);
	plan_acts(w);
	world_plan(w, 1000, AT_FAULT, 0, 0, 0, NULL);
	world_plan(w, FAULTS_END_MS / 2, AT_CHECK, 0, 0, 0, NULL);
}

static void free_acts(struct world *w)
{
	buf_free(&w->quote);
	for (unsigned i = 0; i < NODES; i++) {
		for (unsigned j = 0; j < SERVERS; j++)
			buf_free(&w->nodes[i].keys.witnessed[j]);
	}
}

void world_free(struct world *w)
{
	for (unsigned i = 0; i < NODES; i++) {
		node_host_crash(&w->nodes[i], NULL);
		chain_free(&w->nodes[i].chain);
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		server_host_crash(&w->servers[i], NULL);
		for (unsigned j = 0; j < LOGS; j++)
			chain_free(&w->servers[i].chains[j]);
	}
	for (size_t i = 0; i < w->heap_count; i++)
		free(w->heap[i].packet);
	free(w->heap);
	free(w->cosigned);
	hostile_free(w);
	free_acts(w);
	buf_free(&w->story);
	memstore_reset();
}
