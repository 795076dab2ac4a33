/* A peer that keeps no rule.  It has the keys of one enrolled log, of which it also tells a true
 * history now and then; it speaks as a stranger as well; and it has got hold of what honest nodes
 * said, and says it again, whole, damaged, or inside its own session. */
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum {
	ACT_MEAN_MS = 250,
	FIRST_MS = 3000,
	CAPTURE_PERMILLE = 300,
	STRANGER_PERMILLE = 300,
	EVENTS_MOST = 64,
	EVENTS_AT_ONCE = 4,
};

/* Frames that are being made. */
struct words {
	struct buf frames[FRAMES];
	size_t count;
	bool lies;  /* as packet.lies */
	bool twice; /* said so, one right after the other */
};

static struct buf *add_frame(struct words *m)
{
	return &m->frames[m->count < FRAMES ? m->count++ : FRAMES - 1];
}

static void free_words(struct words *m)
{
	for (size_t i = 0; i < FRAMES; i++)
		buf_free(&m->frames[i]);
}

static bool is_there(const struct world *w)
{
	return w->hostile.log < REGIONS;
}

void hostile_begin(struct world *w)
{
	struct hostile *h = &w->hostile;

	if (!is_there(w))
		return;
	w->nodes[h->log].exists = false;
	for (unsigned i = 0; i < SERVERS; i++) {
		for (unsigned j = 0; j < 2; j++)
			memcpy(h->peer[i][j],
			       (uint8_t[PEER_SIZE]){0xff, 0, 0, (uint8_t)i, (uint8_t)j}, PEER_SIZE);
	}
	world_plan(w, FIRST_MS, AT_HOSTILE, 0, 0, 0, NULL);
}

void hostile_free(struct world *w)
{
	for (size_t i = 0; i < CAPTURED_MAX; i++)
		free(w->hostile.captured[i]);
	for (size_t i = 0; i < EVENTS_MOST; i++)
		buf_free(&w->hostile.events[i]);
}

void hostile_capture(struct world *w, const struct packet *like, const struct bytes *frames,
		     size_t count)
{
	struct hostile *h = &w->hostile;
	struct packet **slot = &h->captured[h->captured_next % CAPTURED_MAX];

	if (!is_there(w) || !world_chance(w, CAPTURE_PERMILLE))
		return;
	free(*slot);
	*slot = packet_make(frames, count);
	(*slot)->server = like->server;
	h->captured_next++;
}

/* ---- what it hears ---- */

static void hear(struct world *w, unsigned server, bool stranger, const struct bytes *frames)
{
	struct hostile *h = &w->hostile;
	struct wire_header header = {0};

	if (wire_decode(frames[0], &header))
		return;
	if (stranger && header.kind != WIRE_REFUSED)
		world_fail(w, "server %u answers a stranger", server);
	if (header.kind == WIRE_RANGE && !log_name_equal(header.log, w->nodes[h->log].name))
		world_fail(w, "server %u gives log %s to the keys of another", server,
			   header.log.text);
	if (header.kind == WIRE_WELCOME || header.kind == WIRE_ACK ||
	    header.code == ERR_DISK_FULL || header.code == ERR_BUSY)
		h->taken[server] = 0;
	if (header.kind == WIRE_WELCOME) {
		h->session[server] = header.session;
		h->held[server] = header.size;
	} else if (header.kind == WIRE_ACK) {
		h->held[server] = header.size;
	}
}

bool hostile_hears(struct world *w, unsigned server, const uint8_t *peer,
		   const struct bytes *frames, size_t count)
{
	if (!is_there(w) || peer[0] != 0xff)
		return false;
	if (count > 0)
		hear(w, server, peer[4] == 1, frames);
	return true;
}

/* ---- its own history ---- */

static struct hash root_of(const struct world *w, uint64_t size)
{
	struct tree tree;

	tree_init(&tree);
	for (uint64_t i = 0; i < size; i++)
		tree_append(&tree, hash_leaf(buf_bytes(&w->hostile.events[i])));
	return tree_root(&tree);
}

static void sign(struct world *w, uint64_t size, struct hash root, struct buf *ret)
{
	const struct signer *by = &keys_of(w->hostile.log)->signer;
	struct checkpoint c = {.size = size, .root = root};

	memcpy(c.origin, by->key.name, sizeof(c.origin));
	if (checkpoint_sign(&c, by, ret))
		world_fail(w, "the hostile peer cannot sign");
}

static void note_of(struct world *w, uint64_t size, bool other, struct buf *ret)
{
	struct hash root = root_of(w, size);

	root.b[0] = (uint8_t)(other ? ~root.b[0] : root.b[0]);
	sign(w, size, root, ret);
}

/* Of its own region, or of another's. */
static void make_event(struct world *w, unsigned owner, struct buf *ret)
{
	struct arena arena = {0};
	struct node_host *n = &w->nodes[owner];
	char id[ID_BYTES_MAX];
	struct change change = {.retired = true};
	struct event event = {.recorded = {WALL_BEGIN_MS + w->now_ms},
			      .editor = "e66",
			      .reason = "hostile",
			      .source = "",
			      .change_count = 1,
			      .changes = &change};

	(void)node_host_id(n, world_below(w, 12), &change.kind, id);
	change.id = id;
	if (event_encode(&event, &arena, ret))
		world_fail(w, "the hostile peer cannot write an event");
	arena_free(&arena);
}

static struct wire_header header_of(const struct world *w, unsigned server, enum wire_kind kind)
{
	return (struct wire_header){.kind = kind,
				    .protocol = kind == WIRE_HELLO ? WIRE_PROTOCOL : 0,
				    .log = w->nodes[w->hostile.log].name,
				    .session = w->hostile.session[server]};
}

static void begin(struct world *w, struct words *m, const struct wire_header *header)
{
	if (wire_encode(header, add_frame(m)))
		world_fail(w, "the hostile peer cannot write a header");
}

static void say_hello(struct world *w, unsigned server, struct words *m)
{
	struct wire_header header = header_of(w, server, WIRE_HELLO);

	header.session = 0;
	header.size = w->hostile.event_count;
	begin(w, m, &header);
	if (header.size > 0)
		note_of(w, header.size, false, add_frame(m));
}

static void say_anchor(struct world *w, unsigned server, struct words *m)
{
	struct wire_header header = header_of(w, server, WIRE_ANCHOR);

	header.size = w->hostile.held[server];
	if (header.size > w->hostile.event_count)
		header.size = w->hostile.event_count;
	begin(w, m, &header);
	if (header.size > 0)
		note_of(w, header.size, false, add_frame(m));
}

/* What it has and that server has not, as the header of a commit; its history grows so that there
 * is some. */
static struct wire_header next_commit(struct world *w, unsigned server, unsigned count)
{
	struct hostile *h = &w->hostile;
	struct wire_header header = header_of(w, server, WIRE_COMMIT);

	header.from = h->held[server] < h->event_count ? h->held[server] : h->event_count;
	while (h->event_count < header.from + count && h->event_count < EVENTS_MOST)
		make_event(w, h->log, &h->events[h->event_count++]);
	header.count = (uint32_t)(h->event_count - header.from);
	return header;
}

static void say_commit(struct world *w, unsigned server, struct words *m)
{
	struct hostile *h = &w->hostile;
	struct wire_header header = next_commit(w, server, 1 + world_below(w, EVENTS_AT_ONCE));

	begin(w, m, &header);
	note_of(w, h->event_count, false, add_frame(m));
	for (uint64_t i = header.from; i < h->event_count; i++)
		bundle_add(&m->frames[2], buf_bytes(&h->events[i]));
	m->count = 3;
}

/* ---- its lies ---- */

/* Another history of its own log. */
static void say_fork(struct world *w, unsigned server, struct words *m)
{
	struct wire_header header = header_of(w, server, WIRE_HELLO);

	header.session = 0;
	header.size = 1 + world_below(w, 4);
	if (header.size > w->hostile.event_count)
		return;
	w->hostile.forked = true;
	begin(w, m, &header);
	note_of(w, header.size, true, add_frame(m));
}

/* A record of another region, signed by its own key. */
static void say_anothers(struct world *w, unsigned server, struct words *m)
{
	struct hostile *h = &w->hostile;
	struct wire_header header = header_of(w, server, WIRE_COMMIT);
	struct buf event = {0};
	size_t count = h->event_count;

	if (count >= EVENTS_MOST || h->events[count].size > 0)
		return;
	make_event(w, (h->log + 1 + world_below(w, REGIONS - 1)) % REGIONS, &event);
	header.from = count;
	header.count = 1;
	begin(w, m, &header);
	h->events[count] = event;
	note_of(w, count + 1, false, add_frame(m));
	bundle_add(add_frame(m), buf_bytes(&event));
	buf_free(&h->events[count]);
}

enum lie { ANOTHER_ROOT, ANOTHER_SIZE, ANOTHER_ORDER, ANOTHER_EVENT, CUT, LIES };

/* Two of the lies are of the signature: then its own history is another one. */
static void lie_in_note(struct world *w, enum lie lie, uint64_t size, struct buf *ret)
{
	w->hostile.forked = w->hostile.forked || lie == ANOTHER_ROOT || lie == ANOTHER_SIZE;
	if (lie == ANOTHER_SIZE)
		sign(w, size, root_of(w, size - 1), ret);
	else
		note_of(w, size, lie == ANOTHER_ROOT, ret);
}

/* The others are of the events.  False when chance made true ones. */
static bool lie_in_events(struct world *w, enum lie lie, const struct wire_header *header,
			  struct buf *ret)
{
	const struct buf *events = &w->hostile.events[header->from];
	struct buf one = {0};
	struct buf truth = {0};
	bool false_ones = lie == ANOTHER_ROOT || lie == ANOTHER_SIZE;

	make_event(w, w->hostile.log, &one);
	for (uint32_t i = 0; i < header->count; i++) {
		bool last = i + 1 == header->count;
		const struct buf *e = &events[lie == ANOTHER_ORDER ? header->count - 1 - i : i];
		struct bytes event = buf_bytes(lie == ANOTHER_EVENT && last ? &one : e);

		bundle_add(&truth, buf_bytes(&events[i]));
		bundle_add(ret, lie == CUT && last ? bytes_of(event.data, event.size - 1) : event);
	}
	false_ones = false_ones || !bytes_equal(buf_bytes(&truth), buf_bytes(ret));
	buf_free(&truth);
	buf_free(&one);
	return false_ones;
}

/* Good events in its own session, by its own key; but not those whose root it signs. */
static void say_false(struct world *w, unsigned server, struct words *m)
{
	struct wire_header header = next_commit(w, server, 2 + world_below(w, EVENTS_AT_ONCE));
	enum lie lie = (enum lie)world_below(w, LIES);

	if (header.count == 0)
		return;
	begin(w, m, &header);
	lie_in_note(w, lie, header.from + header.count, add_frame(m));
	m->lies = lie_in_events(w, lie, &header, add_frame(m));
}

/* No commit that fits; twice, it is more than the credit. */
static void say_too_much(struct world *w, unsigned server, struct words *m)
{
	enum { FRAMES_OF_IT = 4, FRAME_BYTES = CREDIT / 2 / FRAMES_OF_IT + 1 };
	static const uint8_t nothing[FRAME_BYTES];
	struct wire_header header = header_of(w, server, WIRE_COMMIT);

	header.from = w->hostile.held[server] + EVENTS_MOST;
	header.count = 1;
	begin(w, m, &header);
	note_of(w, w->hostile.event_count, false, add_frame(m));
	for (unsigned i = 0; i < FRAMES_OF_IT; i++)
		buf_add(add_frame(m), nothing, sizeof(nothing));
	m->twice = true;
}

static void say_fetch(struct world *w, unsigned server, struct words *m)
{
	struct wire_header header = header_of(w, server, WIRE_FETCH);

	header.log = w->nodes[world_below(w, REGIONS)].name;
	begin(w, m, &header);
}

static const struct packet *captured(struct world *w)
{
	const struct hostile *h = &w->hostile;
	size_t known = h->captured_next < CAPTURED_MAX ? h->captured_next : CAPTURED_MAX;

	return known ? h->captured[world_below(w, (unsigned)known)] : NULL;
}

static void repeat(struct words *m, const struct packet *p)
{
	for (size_t i = 0; p && i < p->frame_count; i++)
		buf_add_bytes(add_frame(m), p->frames[i]);
}

static void say_again(struct world *w, unsigned server, struct words *m)
{
	(void)server;
	repeat(m, captured(w));
}

static void say_flipped(struct world *w, unsigned server, struct words *m)
{
	struct buf *frame = NULL;

	(void)server;
	repeat(m, captured(w));
	if (m->count == 0)
		return;
	frame = &m->frames[world_below(w, (unsigned)m->count)];
	if (frame->size > 0) {
		uint8_t *byte = &frame->data[world_below(w, (unsigned)frame->size)];

		*byte = (uint8_t)(*byte ^ 1 << world_below(w, 8));
	}
}

/* Frames that are cut, left out, or change places. */
static void say_torn(struct world *w, unsigned server, struct words *m)
{
	size_t a = 0;
	size_t b = 0;
	struct buf kept;

	(void)server;
	repeat(m, captured(w));
	if (m->count == 0)
		return;
	a = world_below(w, (unsigned)m->count);
	b = world_below(w, (unsigned)m->count);
	if (m->frames[a].size > 0 && world_chance(w, 600))
		m->frames[a].size = world_below(w, (unsigned)m->frames[a].size);
	kept = m->frames[a];
	m->frames[a] = m->frames[b];
	m->frames[b] = kept;
	if (world_chance(w, 300))
		m->count--;
}

/* Another node's words in its own session, and under its own name. */
static void say_as_own(struct world *w, unsigned server, struct words *m)
{
	struct wire_header header = {0};
	const struct packet *p = captured(w);

	if (!p || wire_decode(p->frames[0], &header))
		return;
	repeat(m, p);
	header.session = header.kind == WIRE_HELLO ? 0 : w->hostile.session[server];
	if (world_chance(w, 500) && header.log.text[0])
		header.log = w->nodes[w->hostile.log].name;
	if (world_chance(w, 500) && header.kind == WIRE_COMMIT)
		header.from = w->hostile.held[server];
	if (world_chance(w, 300))
		header.size = world_below(w, 100);
	buf_clear(&m->frames[0]);
	if (wire_encode(&header, &m->frames[0]))
		m->count = 0;
}

/* ---- what it does next ---- */

static const struct {
	unsigned weight;
	bool own; /* said with its own key, never as a stranger */
	void (*say)(struct world *w, unsigned server, struct words *m);
} DEEDS[] = {
	{4, true, say_hello},    {6, true, say_anchor},   {5, true, say_commit},
	{1, true, say_fork},     {3, true, say_anothers}, {4, true, say_false},
	{2, true, say_too_much}, {2, false, say_fetch},   {5, false, say_again},
	{5, false, say_flipped}, {4, false, say_torn},    {6, false, say_as_own},
};

static size_t any_deed(struct world *w)
{
	enum { COUNT = sizeof(DEEDS) / sizeof(DEEDS[0]) };
	unsigned total = 0;
	unsigned at = 0;
	size_t i = 0;

	for (size_t j = 0; j < COUNT; j++)
		total += DEEDS[j].weight;
	for (at = world_below(w, total); at >= DEEDS[i].weight; i++)
		at -= DEEDS[i].weight;
	return i;
}

static void send(struct world *w, unsigned server, bool stranger, const struct words *m)
{
	struct bytes frames[FRAMES];
	struct packet *p = NULL;

	for (size_t i = 0; i < m->count; i++)
		frames[i] = buf_bytes(&m->frames[i]);
	p = packet_make(frames, m->count);
	p->to_server = true;
	p->hostile = true;
	p->lies = m->lies;
	p->node = stranger ? STRANGER : w->hostile.log;
	p->server = server;
	memcpy(p->peer, w->hostile.peer[server][stranger], PEER_SIZE);
	w->tally.hostile++;
	world_plan(w, 1 + world_below(w, w->delay_ms), AT_DELIVER, 0, 0, 0, p);
}

void hostile_act(struct world *w)
{
	struct words m = {.count = 0};
	unsigned server = world_below(w, SERVERS);
	size_t deed = any_deed(w);

	if (w->now_ms >= FAULTS_END_MS)
		return;
	world_plan(w, 1 + world_below(w, 2 * ACT_MEAN_MS), AT_HOSTILE, 0, 0, 0, NULL);
	DEEDS[deed].say(w, server, &m);
	for (int times = m.twice ? 2 : 1; m.count > 0 && times > 0; times--)
		send(w, server, !DEEDS[deed].own && world_chance(w, STRANGER_PERMILLE), &m);
	free_words(&m);
}
