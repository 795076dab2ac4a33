/* What goes wrong, and when. */
#include <string.h>

#include "world.h"

enum { FAULT_MEAN_MS = 700 };

static unsigned any_node(struct world *w)
{
	return world_below(w, REGIONS);
}

static unsigned any_server(struct world *w)
{
	return world_below(w, SERVERS);
}

static void disconnect(struct world *w)
{
	unsigned node = any_node(w);
	unsigned server = any_server(w);

	wire_break(w, node, server);
	world_tell(w, "network", "connection of %s and %s breaks", w->nodes[node].name.text,
		   server_host_name(&w->servers[server]));
}

/* One way or both, one node or all of them. */
static void partition(struct world *w)
{
	unsigned server = any_server(w);
	unsigned ways = 1 + world_below(w, 3);
	unsigned first = any_node(w);
	unsigned last = world_chance(w, 250) ? NODES - 1 : first;
	int64_t until = w->now_ms + 500 + world_below(w, 14000);

	if (last != first)
		first = 0;
	for (unsigned i = first; i <= last; i++) {
		if (ways & 1)
			w->wires[i][server].blocked_up_ms = until;
		if (ways & 2)
			w->wires[i][server].blocked_down_ms = until;
	}
	world_tell(w, "network", "nothing %s %s %s until %.3f s",
		   ways == 1   ? "to"
		   : ways == 2 ? "from"
			       : "to or from",
		   server_host_name(&w->servers[server]),
		   last == first ? w->nodes[first].name.text : "for everybody",
		   (double)until / 1000);
}

static void start_again(struct world *w, unsigned node)
{
	world_plan(w, 100 + world_below(w, 5000), AT_NODE_START, node, 0, w->nodes[node].epoch,
		   NULL);
}

static void crash_node(struct world *w)
{
	struct node_host *n = &w->nodes[any_node(w)];

	if (!n->up)
		return;
	if (world_chance(w, 300))
		node_host_fall(n, "the power fails");
	else
		node_host_crash(n, "killed");
	start_again(w, n->number);
}

static enum memstore_death any_death(struct world *w)
{
	return (enum memstore_death)(1 + world_below(w, MEMSTORE_DEATHS - 1));
}

static void kill_node_in_commit(struct world *w)
{
	struct node_host *n = &w->nodes[any_node(w)];

	if (n->up)
		memstore_kill_at_commit(n->disk, any_death(w));
}

static void crash_server(struct world *w)
{
	struct server_host *s = &w->servers[any_server(w)];

	if (!s->up)
		return;
	if (world_chance(w, 400))
		server_host_fall(s, "the power fails");
	else
		server_host_crash(s, "killed");
	world_plan(w, 100 + world_below(w, 6000), AT_SERVER_START, s->number, 0, s->epoch, NULL);
}

static void kill_server_in_commit(struct world *w)
{
	struct server_host *s = &w->servers[any_server(w)];

	if (s->up)
		memstore_kill_at_commit(world_chance(w, 300) ? s->view_disk : s->disk,
					any_death(w));
}

static void lose_view(struct world *w)
{
	struct server_host *s = &w->servers[any_server(w)];

	if (!s->up)
		return;
	server_host_crash(s, "killed, and its view is lost");
	memstore_wipe(s->view_disk);
	world_plan(w, 100 + world_below(w, 2000), AT_SERVER_START, s->number, 0, s->epoch, NULL);
}

static void fill_node(struct world *w)
{
	struct node_host *n = &w->nodes[any_node(w)];

	memstore_fill(n->disk, true);
	world_tell(w, n->name.text, "the disk is full");
	world_plan(w, 500 + world_below(w, 5000), AT_DISK_FREE, n->number, false, 0, NULL);
}

static void fill_server(struct world *w)
{
	struct server_host *s = &w->servers[any_server(w)];

	memstore_fill(s->disk, true);
	world_tell(w, server_host_name(s), "the disk is full");
	world_plan(w, 500 + world_below(w, 4000), AT_DISK_FREE, s->number, true, 0, NULL);
}

static void copy_store(struct world *w)
{
	struct node_host *n = &w->nodes[any_node(w)];

	if (!n->up || n->damage.there || memstore_copy(n->disk, n->copy))
		return;
	n->has_copy = true;
	n->copy_size = n->log.tree.size;
}

/* The store is lost, or an older copy is put back; the keys and their mark are kept. */
static void restore_store(struct world *w)
{
	struct node_host *n = &w->nodes[any_node(w)];
	bool copy = n->has_copy && world_chance(w, 700);

	if (!n->up || n->number == w->forked || n->number == w->thief.node)
		return;
	n->damage = (struct damage){0};
	node_host_crash(n, copy ? "an older copy is put back" : "its store is lost");
	n->safe = (struct promise){0};
	memstore_wipe(n->disk);
	if (copy && memstore_copy(n->copy, n->disk))
		world_fail(w, "a copy cannot be put back");
	wire_forget(w, n->number);
	w->tally.restores++;
	start_again(w, n->number);
}

static void copy_server(struct world *w)
{
	struct server_host *s = &w->servers[w->put_back_server];

	if (w->put_back != PUT_BACK_PLANNED || w->now_ms < w->put_back_at_ms || !s->up ||
	    s->damage.there || memstore_copy(s->disk, s->copy))
		return;
	w->put_back = PUT_BACK_COPIED;
	memcpy(s->hearing_copy, s->hearing, sizeof(s->hearing));
	w->copied_size = server_host_size(s);
}

bool fault_put_back(struct world *w)
{
	struct server_host *s = &w->servers[w->put_back_server];

	if (w->put_back != PUT_BACK_COPIED || server_host_size(s) == w->copied_size)
		return false;
	w->put_back = PUT_BACK_RUNS;
	w->put_back_at_ms = w->now_ms;
	w->end_ms = w->now_ms + CONVERGE_MS;
	if (memstore_copy(s->disk, s->newest))
		world_fail(w, "a server's store cannot be copied");
	server_host_crash(s, "an older copy is put in place of its store");
	memstore_wipe(s->disk);
	memstore_wipe(s->view_disk);
	if (memstore_copy(s->copy, s->disk))
		world_fail(w, "a copy cannot be put back");
	memcpy(s->hearing_newest, s->hearing, sizeof(s->hearing));
	memcpy(s->hearing, s->hearing_copy, sizeof(s->hearing));
	world_plan(w, 500, AT_SERVER_START, s->number, 0, s->epoch, NULL);
	return true;
}

/* Somebody copies a node with its keys, and both go on. */
static void start_twin(struct world *w)
{
	struct node_host *n = &w->nodes[w->forked];
	struct node_host *twin = &w->nodes[TWIN];

	if (twin->exists || w->forked == NODES || w->now_ms < w->fork_at_ms || !n->up ||
	    n->log.tree.size == 0 || !n->keys.mark_found || n->damage.there)
		return;
	twin->exists = true;
	twin->name = n->name;
	twin->keys = n->keys;
	memset(twin->keys.witnessed, 0, sizeof(twin->keys.witnessed));
	for (unsigned i = 0; i < SERVERS; i++)
		buf_add_bytes(&twin->keys.witnessed[i], buf_bytes(&n->keys.witnessed[i]));
	if (memstore_copy(n->disk, twin->disk))
		world_fail(w, "a node cannot be copied");
	world_tell(w, "world", "node %s is copied, and both go on", n->name.text);
	node_host_start(twin);
}

/* ---- clocks, slow and stalled hosts ---- */

static int64_t any_jump(struct world *w)
{
	static const int64_t JUMPS_MS[] = {200, 3000, 600000, 7200000, 86400000};
	enum { COUNT = sizeof(JUMPS_MS) / sizeof(JUMPS_MS[0]) };
	int64_t ms = JUMPS_MS[world_below(w, COUNT)];

	return world_chance(w, 500) ? ms : -ms;
}

static void jump_clock(struct world *w)
{
	int64_t ms = any_jump(w);
	unsigned host = world_below(w, REGIONS + 2 * SERVERS);
	bool node = host < REGIONS;
	int64_t *clock =
		node ? &w->nodes[host].clock_ms : &w->servers[(host - REGIONS) % SERVERS].clock_ms;

	*clock += ms;
	w->tally.jumps++;
	world_tell(w, node ? w->nodes[host].name.text : "server", "its clock jumps by %lld ms",
		   (long long)ms);
}

static void stall(struct world *w)
{
	unsigned host = world_below(w, REGIONS + SERVERS);
	int64_t until = w->now_ms + 1000 + world_below(w, 15000);
	bool node = host < REGIONS;

	w->tally.stalls++;
	if (node)
		w->nodes[host].busy_until_ms = until;
	else
		w->servers[host - REGIONS].stalled_until_ms = until;
	world_tell(w, node ? w->nodes[host].name.text : "server", "stands still until %.3f s",
		   (double)until / 1000);
}

static void slow_down(struct world *w)
{
	unsigned host = world_below(w, REGIONS + SERVERS);
	int64_t until = w->now_ms + 2000 + world_below(w, 10000);
	bool node = host < REGIONS;

	w->tally.stalls++;
	if (node) {
		w->nodes[host].slow_until_ms = until;
		w->nodes[host].slow_ms = 10 + world_below(w, 120);
	} else {
		w->servers[host - REGIONS].slow_until_ms = until;
		w->servers[host - REGIONS].slow_ms = 100 + world_below(w, 1000);
	}
	world_tell(w, node ? w->nodes[host].name.text : "server", "is slow until %.3f s",
		   (double)until / 1000);
}

/* ---- damage at rest ---- */

static const struct place {
	const char *table;
	bool summed_only; /* nothing but the store's sums protects it */
	bool view;
} PLACES[] = {
	{".events", false, false}, {".tiles", false, false}, {".checkpoints", false, false},
	{"records", true, true},   {"versions", true, true}, {"counts", true, true},
	{"trust", true, false},
};

static const struct place *any_place(struct world *w)
{
	return &PLACES[world_below(w, sizeof(PLACES) / sizeof(PLACES[0]))];
}

static void damage_node(struct world *w)
{
	struct node_host *n = &w->nodes[any_node(w)];
	const struct place *p = any_place(w);
	uint64_t chance = world_random(w);

	if (!n->up || n->damage.there || n->number == w->forked || n->number == w->thief.node)
		return;
	n->damage.where =
		memstore_damage(n->disk, p->table, chance, p->summed_only || world_chance(w, 500));
	if (!n->damage.where)
		return;
	n->damage.there = true;
	n->damage.view = p->view;
	n->damage.number = ++w->tally.damaged;
	world_tell(w, n->name.text, "one bit of its %s flips", n->damage.where);
}

static void damage_server(struct world *w)
{
	struct server_host *s = &w->servers[any_server(w)];
	const struct place *p = any_place(w);
	uint64_t chance = world_random(w);

	if (!s->up || s->damage.there || w->put_back == PUT_BACK_RUNS)
		return;
	s->damage.where = memstore_damage(p->view ? s->view_disk : s->disk, p->table, chance,
					  p->summed_only || world_chance(w, 500));
	if (!s->damage.where)
		return;
	s->damage.there = true;
	s->damage.view = p->view;
	s->damage.number = ++w->tally.damaged;
	world_tell(w, server_host_name(s), "one bit of its %s flips", s->damage.where);
}

/* By weight. */
static const struct {
	unsigned weight;
	void (*strike)(struct world *w);
} faults[] = {
	{6, disconnect},    {4, partition},
	{4, crash_node},    {4, kill_node_in_commit},
	{3, crash_server},  {4, kill_server_in_commit},
	{1, lose_view},     {2, fill_node},
	{2, fill_server},   {4, copy_store},
	{2, restore_store}, {3, jump_clock},
	{2, stall},         {2, slow_down},
	{2, damage_node},   {1, damage_server},
};

void fault_strike(struct world *w)
{
	enum { COUNT = sizeof(faults) / sizeof(faults[0]) };
	unsigned total = 0;
	unsigned at = 0;

	if (w->now_ms >= FAULTS_END_MS)
		return;
	world_plan(w, 1 + world_below(w, 2 * FAULT_MEAN_MS), AT_FAULT, 0, 0, 0, NULL);
	start_twin(w);
	copy_server(w);
	for (size_t i = 0; i < COUNT; i++)
		total += faults[i].weight;
	at = world_below(w, total);
	for (size_t i = 0; i < COUNT; i++) {
		if (at < faults[i].weight) {
			faults[i].strike(w);
			return;
		}
		at -= faults[i].weight;
	}
}
