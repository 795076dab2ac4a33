/* The node's machine with two servers, driven by a script of messages, ticks and what a driver
 * tells.  Its log is a part of an invented history; servers sign nothing, so what they send of it
 * is signed by the log's own keys, as it was once.  Checked: what is taken back is signed and gives
 * its root, nothing is said of more than is held, and edits wait while a server is ahead. */
#include "fuzz.h"
#include "history.h"

#include "session/node.h"

enum { LINKS_MOST = 3, STEPS_MAX = 400, START_MS = 50000 };

static struct fuzz_key log_key, next_key, witness_key, nation_key;
static struct history ours, theirs; /* two histories with one beginning */

static void make_all(void)
{
	static bool made;
	struct card next;

	if (made)
		return;
	made = true;
	fuzz_log_key(&log_key, "region/26", 1);
	fuzz_log_key(&next_key, "region/26", 2);
	fuzz_log_key(&witness_key, "witness/26", 3);
	fuzz_log_key(&nation_key, "national/a", 4);
	history_begin(&ours, "26", &log_key);
	history_begin(&theirs, "26", &log_key);
	history_grow(&ours, 4, "common");
	history_grow(&theirs, 4, "common");
	history_grow(&ours, 6, "first");
	history_grow(&theirs, 27, "second");
	history_card(&ours, &next_key, &witness_key, 1, &next);
	history_rotate(&ours, &next_key, &next);
	history_grow(&ours, 20, "later");
}

struct world {
	struct node_machine machine;
	struct node_update update;
	struct message said;
	uint64_t size; /* of our log, durable */
	bool appending;
	uint64_t appended; /* size after it */
	bool sending[SERVERS_MAX];
	struct node_action commit[SERVERS_MAX];
	uint64_t told[SERVERS_MAX]; /* the most that a server acknowledged or claimed */
	bool shown[SERVERS_MAX];    /* it showed a checkpoint of the size that it claims */
	uint64_t erased;
	struct mono_ms now;
	uint32_t random;
};

/* ---- lookups ---- */

static enum err key_at(void *context, uint64_t size, struct vkey *ret)
{
	(void)context;
	*ret = size > ours.rotated ? next_key.signer.key : log_key.signer.key;
	return ERR_OK;
}

static enum err root_at(void *context, uint64_t size, struct hash *ret)
{
	const struct world *w = context;

	ALWAYS(size <= w->size);
	*ret = tree_root(&ours.trees[size]);
	return ERR_OK;
}

static bool redacted(void *context, uint64_t index, struct hash leaf)
{
	const struct world *w = context;

	return index == w->erased && index < ours.count &&
	       hash_equal(leaf, hash_leaf(buf_bytes(&ours.events[index])));
}

/* ---- every action is checked ---- */

static void check_append(struct world *w, const struct node_action *a)
{
	const struct commit *commit = a->commit;
	struct tree tree = ours.trees[w->size];
	struct vkey key;
	struct checkpoint c;

	ALWAYS(!w->appending && commit->from == w->size && commit->count > 0);
	ALWAYS(key_at(NULL, commit->from + commit->count, &key) == ERR_OK);
	ALWAYS(checkpoint_open(commit->note, &key, &c) == ERR_OK);
	ALWAYS(c.size == commit->from + commit->count && c.size <= ours.count);
	for (uint32_t i = 0; i < commit->count; i++) {
		if (commit->events[i].size == 0)
			ALWAYS(redacted(w, commit->from + i, commit_leaf(commit->events[i])));
		tree_append(&tree, commit_leaf(commit->events[i]));
	}
	ALWAYS(hash_equal(tree_root(&tree), c.root));
	w->appending = true;
	w->appended = c.size;
}

static void check_action(struct world *w, const struct node_action *a)
{
	const struct node_link *link = &w->machine.links[a->link];
	struct buf raw = {.data = NULL};

	ALWAYS(a->link < w->machine.link_count || a->kind == NODE_OPENED);
	if (a->kind == NODE_SEND || a->kind == NODE_SEND_SIGNED || a->kind == NODE_SEND_COMMIT) {
		ALWAYS(wire_encode(&a->header, &raw) == ERR_OK && raw.size <= HEADER_BYTES_MAX);
		buf_free(&raw);
	}
	switch (a->kind) {
	case NODE_SEND_SIGNED:
		ALWAYS(a->header.size <= w->size);
		break;
	case NODE_SEND_COMMIT:
		ALWAYS(!w->sending[a->link] && link->phase == NODE_LIVE);
		ALWAYS(a->header.from < a->size && a->size <= w->size);
		ALWAYS(a->bytes_max <= COMMIT_BYTES_MAX && a->events_max <= COMMIT_EVENTS_MAX &&
		       a->events_max > 0);
		w->sending[a->link] = true;
		w->commit[a->link] = *a;
		break;
	case NODE_APPEND:
		check_append(w, a);
		break;
	case NODE_OPENED:
		ALWAYS(!w->machine.gated && !w->appending);
		break;
	case NODE_WITNESS:
	case NODE_CARRY_OUT:
		ALWAYS(a->frame_count == 4 && a->frames);
		break;
	case NODE_CONNECT:
		break;
	case NODE_SEND:
	case NODE_ALARM:
		ALWAYS(strnlen(link->refused_text, sizeof link->refused_text) <= TEXT_BYTES_MAX);
		break;
	}
}

static void check_machine(const struct world *w)
{
	const struct node_machine *m = &w->machine;

	ALWAYS(m->size == w->size && m->tree.size == w->size && m->appending == w->appending);
	ALWAYS(m->fetcher < m->link_count || m->fetcher == SERVERS_MAX);
	for (size_t i = 0; i < m->link_count; i++) {
		const struct node_link *l = &m->links[i];
		uint64_t bytes = 0;

		ALWAYS(l->flight_count <= NODE_FLIGHTS_MAX);
		for (size_t k = 0; k < l->flight_count; k++) {
			bytes += l->flights[k].bytes;
			ALWAYS(l->flights[k].size <= w->size);
		}
		ALWAYS(bytes == l->under_way_bytes);
		ALWAYS(l->confirmed <= w->size && l->confirmed <= w->told[i]);
		ALWAYS(!l->ahead || (m->gated && w->shown[i]));
		ALWAYS(l->phase != NODE_LIVE || (l->session != 0 && l->agreed));
		ALWAYS(l->phase != NODE_LIVE || l->sent <= w->size);
		ALWAYS(l->attempts < 100000);
	}
}

static void step(struct world *w, const struct node_event *e)
{
	node_step(&w->machine, e, &w->update);
	ALWAYS(w->update.count <= NODE_ACTIONS_MAX);
	for (size_t i = 0; i < w->machine.link_count; i++)
		if (!w->machine.links[i].sending)
			w->sending[i] = false; /* of a session that is over */
	for (size_t i = 0; i < w->update.count; i++) {
		if (w->update.actions[i].kind == NODE_SEND_COMMIT)
			w->sending[w->update.actions[i].link] = false;
		check_action(w, &w->update.actions[i]);
	}
	check_machine(w);
}

static struct node_event event_of(const struct world *w, enum node_event_kind kind, size_t link)
{
	return (struct node_event){.kind = kind,
				   .mono = w->now,
				   .wall = {w->now.ms},
				   .random = w->random,
				   .link = link};
}

/* ---- what a driver tells ---- */

static void settle(struct world *w, bool stored)
{
	struct node_event e = event_of(w, stored ? NODE_EV_STORED : NODE_EV_FAILED, 0);

	if (!w->appending)
		return;
	w->appending = false;
	if (stored)
		w->size = w->appended;
	e.tree = &ours.trees[w->size];
	step(w, &e);
}

/* The log takes edits only while the gate is open, and not beside fetched events. */
static void grow(struct world *w, size_t count)
{
	struct node_event e = event_of(w, NODE_EV_GREW, 0);

	if (w->machine.gated || w->appending || w->size + count > ours.count)
		return;
	w->size += count;
	e.tree = &ours.trees[w->size];
	e.bytes = 100 * count;
	step(w, &e);
}

/* What was asked for goes out, or does not now. */
static void sent(struct world *w, size_t link, uint8_t how)
{
	struct node_event e = event_of(w, NODE_EV_SENT, link);
	const struct node_action *a = &w->commit[link];
	uint64_t most = a->size - a->header.from;

	if (!w->sending[link])
		return;
	w->sending[link] = false;
	if (most > a->events_max)
		most = a->events_max;
	e.size = a->header.from + (how % 4 == 0 ? 0 : 1 + how % most);
	e.bytes = how % 4 == 0 ? 0 : 80 * (e.size - a->header.from);
	step(w, &e);
}

/* ---- what servers say ---- */

static void hear(struct world *w, size_t link)
{
	struct node_event e = event_of(w, NODE_EV_MESSAGE, link);

	e.frames = message_done(&w->said);
	e.frame_count = w->said.count;
	step(w, &e);
	message_over(&w->said);
}

static void claim(struct world *w, size_t link, const struct wire_header *h)
{
	if (link < SERVERS_MAX && w->told[link] < h->size)
		w->told[link] = h->size;
}

static void say(struct world *w, struct cursor *in)
{
	static const enum wire_kind kinds[] = {WIRE_WELCOME,   WIRE_ACK,   WIRE_RANGE, WIRE_REFUSED,
					       WIRE_HEARTBEAT, WIRE_OFFER, WIRE_DUTY,  WIRE_HELLO};
	uint8_t kind = cursor_u8(in);
	uint8_t how = cursor_u8(in);
	size_t link = (kind / 8) % (LINKS_MOST + 1);
	const struct history *h = how & 0x80 ? &theirs : &ours;
	uint64_t size = cursor_u8(in);
	uint64_t session = how & 0x40 ? size : 500 + link;
	struct wire_header header = {.kind = kinds[kind % 8],
				     .session = session,
				     .log = h->log,
				     .size = size,
				     .credit = COMMIT_BYTES_MAX,
				     .commit_events = COMMIT_EVENTS_MAX,
				     .commit_bytes = COMMIT_BYTES_MAX,
				     .text = "why"};

	if (header.kind == WIRE_RANGE) {
		size = size % (h->count + 1);
		header.from =
			how & 0x20 ? cursor_u8(in) % (size + 1) : (w->size < size ? w->size : size);
		header.count = (uint32_t)(size - header.from);
	}
	if (header.kind == WIRE_WELCOME && how & 0x20) {
		header.credit = cursor_u32be(in);
		header.commit_events = cursor_u16be(in);
		header.commit_bytes = cursor_u32be(in);
	}
	if (header.kind == WIRE_DUTY && how & 0x20)
		header.session = 0;
	header.code = (enum err)(size % ERR_COUNT);
	message_header(&w->said, &header);
	if (header.kind == WIRE_WELCOME || header.kind == WIRE_RANGE) {
		if (size > 0)
			history_note(h, size % (h->count + 1), message_frame(&w->said));
	}
	if (how & 0x04) /* under another history's checkpoint */
		h = h == &ours ? &theirs : &ours;
	if (header.kind == WIRE_RANGE && size <= h->count)
		message_events(&w->said, h, header.from, size,
			       how & 0x10 ? header.from : UINT64_MAX);
	while ((header.kind == WIRE_OFFER || header.kind == WIRE_DUTY) && w->said.count < 4)
		(void)message_frame(&w->said);
	if (how & 0x08)
		message_spoil(&w->said, in);
	claim(w, link, &header);
	if (how & 0x08) { /* whatever it became */
		w->told[link % SERVERS_MAX] = UINT64_MAX;
		w->shown[link % SERVERS_MAX] = true;
	}
	if (header.kind == WIRE_WELCOME && size > 0 && size <= ours.count)
		w->shown[link % SERVERS_MAX] = true;
	hear(w, link);
}

static void tick(struct world *w, uint16_t ms)
{
	struct node_event e;

	w->now.ms += ms;
	e = event_of(w, NODE_EV_TICK, 0);
	step(w, &e);
}

static void one_step(struct world *w, struct cursor *in)
{
	struct node_event e;
	size_t link = 0;

	switch (cursor_u8(in) % 12) {
	case 0:
	case 1:
		tick(w, cursor_u16be(in));
		break;
	case 2:
		settle(w, true);
		break;
	case 3:
		settle(w, false);
		break;
	case 4:
		grow(w, cursor_u8(in) % 8);
		break;
	case 5:
		link = cursor_u8(in) % LINKS_MOST;
		sent(w, link, cursor_u8(in));
		break;
	case 6:
		message_raw(&w->said, in);
		link = cursor_u8(in) % (LINKS_MOST + 1);
		w->told[link] = UINT64_MAX;
		w->shown[link] = true;
		hear(w, link);
		break;
	case 7:
		link = cursor_u8(in);
		e = event_of(w,
			     link & 0x80   ? NODE_EV_DISTRUST
			     : link & 0x40 ? NODE_EV_UNDONE
					   : NODE_EV_WAIVE,
			     link % (LINKS_MOST + 1));
		step(w, &e);
		break;
	case 8:
		w->random = cursor_u32be(in);
		break;
	default:
		say(w, in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct cursor in = cursor_of(bytes_of(data, size));
	struct node_lookup lookup = {&w, key_at, redacted, root_at};
	uint8_t what = 0;
	uint64_t highwater = 0;

	make_all();
	memset(&w, 0, sizeof w);
	w.size = cursor_u8(&in) % 16;
	highwater = cursor_u8(&in) % 32;
	what = cursor_u8(&in);
	w.erased = cursor_u8(&in);
	w.now.ms = START_MS;
	ALWAYS(node_machine_init(&w.machine, ours.log, &lookup, &ours.trees[w.size], highwater,
				 what & 0x80, what % (LINKS_MOST + 1)) == ERR_OK);
	for (int i = 0; i < STEPS_MAX && fuzz_more(&in); i++)
		one_step(&w, &in);
	node_machine_free(&w.machine);
	message_free(&w.said);
	return 0;
}

/* ---- seeds ---- */

#define TICK                1, 200, 0
#define WELCOME(link, size) 11, 8 * (link), 0, size
#define ACK(link, size)     11, 8 * (link) + 1, 0, size
#define RANGE(link, size)   11, 8 * (link) + 2, 0, size
#define REFUSED(link, code) 11, 8 * (link) + 3, 0, code
#define STORED              2
#define GREW(count)         4, count
#define SENT(link)          5, link, 1

void fuzz_seeds(struct seeds *to)
{
	static const uint8_t usual[] = {
		5,       5,       0x81,      255,     TICK,    WELCOME(0, 5), ACK(0, 5),
		GREW(3), SENT(0), ACK(0, 8), GREW(2), SENT(0), ACK(0, 10),    TICK};
	static const uint8_t other_events[] = {4,         12, 0x81, 255, TICK, WELCOME(0, 12),
					       ACK(0, 4), 11, 2,    4,   9,    STORED};
	static const uint8_t claimed[] = {4, 12, 0x81, 255, TICK, WELCOME(0, 200), ACK(0, 4)};
	static const uint8_t behind[] = {
		4,           12,     0x81,         255,    TICK,    WELCOME(0, 12), ACK(0, 4),
		RANGE(0, 9), STORED, RANGE(0, 12), STORED, GREW(1), SENT(0)};
	static const uint8_t new_store[] = {0,
					    0,
					    2,
					    255,
					    TICK,
					    WELCOME(0, 11),
					    WELCOME(1, 20),
					    ACK(0, 0),
					    ACK(1, 0),
					    RANGE(1, 20),
					    STORED,
					    TICK};
	static const uint8_t refused[] = {5,
					  5,
					  0x83,
					  255,
					  TICK,
					  WELCOME(0, 5),
					  REFUSED(0, 22),
					  REFUSED(1, 12),
					  TICK,
					  REFUSED(2, 18),
					  TICK,
					  7,
					  0,
					  7,
					  129};
	static const uint8_t erased[] = {4,  12, 0x81,   5,  TICK, WELCOME(0, 12), ACK(0, 4), 11, 2,
					 16, 9,  STORED, 11, 6,    0x20,           3,         11, 5,
					 0,  3};
	static const uint8_t failing[] = {
		4,         12,          0x81, 255,  TICK,        WELCOME(0, 12),
		ACK(0, 4), RANGE(0, 9), 3,    TICK, RANGE(0, 9), STORED,
		11,        4,           0,    3};

	seed_add(to, "other-events", bytes_of(other_events, sizeof other_events));
	seed_add(to, "claim", bytes_of(claimed, sizeof claimed));
	seed_add(to, "usual", bytes_of(usual, sizeof usual));
	seed_add(to, "behind", bytes_of(behind, sizeof behind));
	seed_add(to, "new-store", bytes_of(new_store, sizeof new_store));
	seed_add(to, "refused", bytes_of(refused, sizeof refused));
	seed_add(to, "erased", bytes_of(erased, sizeof erased));
	seed_add(to, "failing", bytes_of(failing, sizeof failing));
}
