/* The network: connections that break, partitions, messages that are late, lost or doubled. */
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { LATE_COPY_MS = 2000, STRAGGLER_PERMILLE = 300, SPIKE_PERMILLE = 5, SPIKE_MS = 1000 };

static bool blocked(const struct world *w, const struct wire *wire)
{
	return w->now_ms < wire->blocked_up_ms || w->now_ms < wire->blocked_down_ms;
}

static void try_again(struct world *w, unsigned node, unsigned server)
{
	world_plan(w, 1 + world_below(w, 100), AT_ESTABLISH, node, server,
		   w->wires[node][server].connection, NULL);
}

void wire_connect(struct world *w, unsigned node, unsigned server)
{
	wire_close(w, node, server);
	w->wires[node][server].wanted = true;
	w->wires[node][server].socket++;
	try_again(w, node, server);
}

/* The handshake: only who is enrolled gets in, and not again and again.  A connection that a
 * revoked key had stays, so that what it says is judged as well. */
static bool is_admitted(struct world *w, unsigned node, unsigned server)
{
	struct server_host *s = &w->servers[server];

	return world_is_revoked(w, node) ||
	       server_machine_admit(&s->machine, w->nodes[node].name, server_host_wall(s));
}

void wire_establish(struct world *w, unsigned node, unsigned server, uint64_t connection)
{
	struct wire *wire = &w->wires[node][server];

	if (!wire->wanted || wire->established || wire->connection != connection)
		return;
	if (!w->servers[server].up || blocked(w, wire) || !is_admitted(w, node, server)) {
		try_again(w, node, server);
		return;
	}
	wire->established = true;
	w->peers++;
	for (int i = 0; i < PEER_SIZE; i++)
		wire->peer[i] = (uint8_t)(w->peers >> 8 * (PEER_SIZE - 1 - i));
}

void wire_break(struct world *w, unsigned node, unsigned server)
{
	struct wire *wire = &w->wires[node][server];

	wire->established = false;
	wire->connection++;
	if (wire->wanted)
		try_again(w, node, server);
}

void wire_close(struct world *w, unsigned node, unsigned server)
{
	struct wire *wire = &w->wires[node][server];

	wire->wanted = false;
	wire->established = false;
	wire->connection++;
}

/* ---- messages ---- */

struct packet *packet_make(const struct bytes *frames, size_t count)
{
	struct packet *p = NULL;
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += frames[i].size;
	p = calloc(1, sizeof(*p) + size);
	if (!p)
		exit(3);
	size = 0;
	for (size_t i = 0; i < count; i++) {
		if (frames[i].size)
			memcpy(p->data + size, frames[i].data, frames[i].size);
		p->frames[i] = bytes_of(p->data + size, frames[i].size);
		size += frames[i].size;
	}
	p->frame_count = count;
	return p;
}

static int64_t delay(struct world *w)
{
	return 1 + world_below(w, w->delay_ms) +
	       (world_chance(w, SPIKE_PERMILLE) ? world_below(w, SPIKE_MS) : 0);
}

/* One copy in order, and sometimes another one later. */
static void send(struct world *w, struct wire *wire, const struct packet *like,
		 const struct bytes *frames, size_t count)
{
	int64_t *last = like->to_server ? &wire->last_up_ms : &wire->last_down_ms;
	int64_t at = w->now_ms + delay(w);
	int copies = world_chance(w, w->double_permille) ? 2 : 1;

	if (w->now_ms < (like->to_server ? wire->blocked_up_ms : wire->blocked_down_ms) ||
	    world_chance(w, w->loss_permille)) {
		w->tally.lost++;
		return;
	}
	if (at < *last)
		at = *last;
	*last = at;
	w->tally.doubled += copies > 1;
	while (copies-- > 0) {
		struct packet *p = packet_make(frames, count);

		p->to_server = like->to_server;
		p->node = like->node;
		p->server = like->server;
		p->connection = wire->connection;
		p->socket = wire->socket;
		p->illness = like->illness;
		memcpy(p->peer, wire->peer, PEER_SIZE);
		world_plan(w, at - w->now_ms, AT_DELIVER, 0, 0, 0, p);
		at += 1 + world_below(w, LATE_COPY_MS);
	}
}

enum err wire_up(struct world *w, unsigned node, unsigned server, const struct bytes *frames,
		 size_t count)
{
	struct wire *wire = &w->wires[node][server];
	const struct packet like = {.to_server = true, .node = node, .server = server};

	if (!wire->established)
		return ERR_AGAIN;
	hostile_capture(w, &like, frames, count);
	send(w, wire, &like, frames, count);
	return ERR_OK;
}

void wire_down(struct world *w, unsigned server, const uint8_t *peer, const struct bytes *frames,
	       size_t count)
{
	if (hostile_hears(w, server, peer, frames, count))
		return;
	for (unsigned node = 0; node < NODES; node++) {
		struct wire *wire = &w->wires[node][server];
		const struct packet like = {.node = node,
					    .server = server,
					    .illness = world_illness(&w->servers[server].damage)};

		if (wire->established && memcmp(wire->peer, peer, PEER_SIZE) == 0)
			send(w, wire, &like, frames, count);
	}
}

/* Held back by a node that stands still, or is slow. */
static bool wait_for(struct world *w, const struct node_host *n, struct packet *p)
{
	if (w->now_ms >= n->busy_until_ms)
		return false;
	world_plan(w, n->busy_until_ms - w->now_ms, AT_DELIVER, 0, 0, 0, p);
	return true;
}

static void deliver_down(struct world *w, struct packet *p, bool present)
{
	struct node_host *n = &w->nodes[p->node];
	bool same_socket = w->wires[p->node][p->server].socket == p->socket;

	if (!n->up || (!present && (!same_socket || !world_chance(w, STRAGGLER_PERMILLE)))) {
		free(p);
		return;
	}
	if (wait_for(w, n, p))
		return;
	node_host_hear(n, p->server, p);
	n->busy_until_ms = w->now_ms + (w->now_ms < n->slow_until_ms ? n->slow_ms : 0);
	free(p);
}

/* What was under way when a connection broke may still come, behind messages of the connection
 * that followed; at the node's end only to the socket that it was for. */
void wire_deliver(struct world *w, struct packet *p)
{
	const struct wire *wire = &w->wires[p->node < NODES ? p->node : 0][p->server];
	struct server_host *s = &w->servers[p->server];
	bool present = wire->established && wire->connection == p->connection;

	if (p->frame_count > 0 && !p->to_server)
		deliver_down(w, p, present);
	else if (p->frame_count > 0 && s->up &&
		 (p->hostile || present || world_chance(w, STRAGGLER_PERMILLE)))
		server_host_hear(s, p);
	else
		free(p);
}

void wire_forget(struct world *w, unsigned node)
{
	for (size_t i = 0; i < w->heap_count; i++) {
		struct packet *p = w->heap[i].packet;

		if (p && p->to_server && p->node == node && !p->hostile)
			p->frame_count = 0;
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		for (struct packet *p = w->servers[i].inbox; p; p = p->next) {
			if (p->node == node && !p->hostile)
				p->frame_count = 0;
		}
	}
}
