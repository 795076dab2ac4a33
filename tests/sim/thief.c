/* A thief who speaks to nodes in the sessions of a server, some seeds with its signing key, too.
 * What he offers for a cosignature is no true growth of what was witnessed: a witness must not
 * cosign it, and is told apart from his honest server only when two histories are signed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum {
	FIRST_MS = 4000,
	DEED_MEAN_MS = 700,
	DECEIVES_MS = FAULTS_END_MS / 2, /* from then on */
	PROOF_HASHES_MOST = 4,
	MORE_MOST = 40, /* entries that he invents */
};

void thief_begin(struct world *w)
{
	if (w->thief.there)
		world_plan(w, FIRST_MS, AT_THIEF, 0, 0, 0, NULL);
}

bool world_distrusts(const struct world *w, unsigned node, unsigned server)
{
	return w->thief.distrusted && node == w->thief.node && server == w->thief.server;
}

void thief_is_found_out(struct node_host *n, unsigned server)
{
	if (n->number != n->w->thief.node || server != n->w->thief.server)
		world_fail(n->w, "node %s distrusts another server", n->name.text);
	n->w->thief.distrusted = true;
	n->w->tally.distrusted++;
}

void thief_start(struct node_host *n)
{
	const struct node_event e = {.kind = NODE_EV_DISTRUST, .link = n->w->thief.server};

	if (world_distrusts(n->w, n->number, n->w->thief.server))
		node_host_step(n, &e);
}

/* ---- what he offers ---- */

enum offer {
	SAME_SIZE,   /* what was witnessed, with hashes that prove nothing */
	FIRST,       /* another history, to who witnessed none yet: the proof must be empty */
	OTHER_PLACE, /* another history, from where nothing was witnessed */
	LONGER_FORK, /* another history, longer than what was witnessed */
	EQUAL_FORK,  /* another history of the size that was witnessed */
};

static struct hash any_hash(struct world *w)
{
	struct hash hash;

	for (size_t i = 0; i < sizeof(hash.b); i++)
		hash.b[i] = (uint8_t)world_below(w, 256);
	return hash;
}

static void forge(struct world *w, unsigned server, uint64_t size, struct buf *ret)
{
	const struct signer *by = &w->servers[server].signer;
	struct checkpoint c = {.size = size, .root = any_hash(w)};

	memcpy(c.origin, by->key.name, sizeof(c.origin));
	if (checkpoint_sign(&c, by, ret))
		world_fail(w, "the thief cannot sign");
}

/* The size that the node witnessed, and the note. */
static uint64_t seen_by(struct node_host *n, unsigned server, struct buf *ret)
{
	struct checkpoint seen = {.size = 0};
	struct txn *read = NULL;
	struct bytes note;

	if (txn_begin(n->store, false, &read) == ERR_OK &&
	    node_host_witnessed(n, server, read, &note) == ERR_OK &&
	    log_note_read(note, &seen) == ERR_OK)
		buf_add_bytes(ret, note);
	txn_abort(read);
	return seen.size;
}

static void hear(struct node_host *n, unsigned server, const struct wire_header *header,
		 struct bytes note, bool fork)
{
	struct world *w = n->w;
	struct node_link *link = &n->machine.links[server];
	struct hash proof[PROOF_HASHES_MOST];
	size_t count = 1 + world_below(w, PROOF_HASHES_MOST);
	struct buf first = {0};
	struct bytes frames[4] = {{NULL, 0}, note, {NULL, 0}, {NULL, 0}};
	struct packet *p = NULL;
	uint64_t epoch = n->epoch;

	for (size_t i = 0; i < count; i++)
		proof[i] = any_hash(w);
	if (wire_encode(header, &first))
		world_fail(w, "the thief cannot write a header");
	frames[0] = buf_bytes(&first);
	frames[2] = bytes_of(proof, count * HASH_BYTES);
	p = packet_make(frames, 4);
	p->hostile = true;
	p->lies = fork;
	p->node = n->number;
	p->server = server;
	w->tally.thefts++;
	node_host_hear(n, server, p);
	if (n->up && n->epoch == epoch && (link->phase == NODE_DISTRUSTED) != fork)
		world_fail(w, "node %s %s server %u after a thief's offer of %" PRIu64,
			   n->name.text, fork ? "trusts" : "distrusts", server, header->size);
	buf_free(&first);
	free(p);
}

static void offer(struct node_host *n, unsigned server, bool deceive)
{
	struct world *w = n->w;
	struct wire_header header = {.kind = WIRE_OFFER,
				     .session = n->machine.links[server].session};
	uint64_t more = 1 + world_below(w, MORE_MOST);
	struct buf note = {0};
	struct buf forged = {0};
	uint64_t seen = seen_by(n, server, &note);
	enum offer what = seen == 0 ? FIRST : world_chance(w, 700) ? SAME_SIZE : OTHER_PLACE;

	if (deceive && seen > 0)
		what = world_chance(w, 500) ? LONGER_FORK : EQUAL_FORK;
	header.from = what == OTHER_PLACE ? seen + more : seen;
	header.size = seen;
	if (what == FIRST || what == LONGER_FORK)
		header.size += more;
	if (what == OTHER_PLACE)
		header.size += 2 * more;
	if (what != SAME_SIZE)
		forge(w, server, header.size, &forged);
	hear(n, server, &header, buf_bytes(what == SAME_SIZE ? &note : &forged),
	     what == LONGER_FORK || what == EQUAL_FORK);
	buf_free(&note);
	buf_free(&forged);
}

/* An administrator of the office: edits are not to wait for a server that nothing is taken from. */
static void go_on_without(struct world *w)
{
	struct node_host *n = &w->nodes[w->thief.node];
	struct node_event waive = {.kind = NODE_EV_WAIVE, .link = w->thief.server};

	if (!w->thief.distrusted)
		return;
	world_plan(w, DEED_MEAN_MS, AT_THIEF, 0, 0, 0, NULL);
	if (!n->up || !n->machine.gated || n->machine.links[waive.link].waived)
		return;
	world_tell(w, node_host_name(n), "goes on without server %zu", waive.link);
	node_host_step(n, &waive);
}

void thief_act(struct world *w)
{
	bool deceive = w->now_ms >= DECEIVES_MS && w->thief.node < REGIONS && !w->thief.distrusted;
	struct node_host *n = &w->nodes[deceive ? w->thief.node : world_below(w, REGIONS)];
	unsigned server = deceive ? w->thief.server : world_below(w, SERVERS);

	if (w->now_ms >= FAULTS_END_MS) {
		go_on_without(w);
		return;
	}
	world_plan(w, 1 + world_below(w, 2 * DEED_MEAN_MS), AT_THIEF, 0, 0, 0, NULL);
	if (n->number != REGION_PL && n->up && !n->damage.there && w->now_ms >= n->busy_until_ms &&
	    w->wires[n->number][server].established && n->machine.links[server].phase == NODE_LIVE)
		offer(n, server, deceive);
}
