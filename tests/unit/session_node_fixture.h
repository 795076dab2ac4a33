/* A node's machine, and what is said to it. */
#ifndef SPLOT_TESTS_SESSION_NODE_FIXTURE_H
#define SPLOT_TESTS_SESSION_NODE_FIXTURE_H

#include "session_fixture.h"

#include "session/node.h"

enum { SESSION = 500, CREDIT = 4 * COMMIT_BYTES_MAX };

static struct history ours;   /* log 26, as this node has it or had it once */
static struct history theirs; /* log 26 again, another history from index 5 on */
static struct node_machine node;
static struct node_update update;
static struct message said;
static int64_t now_ms;
static uint64_t erased; /* the event that a duty erased; UINT64_MAX: none */

static inline int set_up(void **state)
{
	(void)state;
	history_begin(&ours, "26", 1);
	history_grow(&ours, 5, "common");
	history_begin(&theirs, "26", 1);
	history_grow(&theirs, 5, "common");
	history_grow(&ours, 35, "first");
	history_grow(&theirs, 35, "second");
	erased = UINT64_MAX;
	now_ms = 50000;
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	history_end(&ours);
	history_end(&theirs);
	node_machine_free(&node);
	message_free(&said);
	return 0;
}

/* ---- speaking to the machine ---- */

static inline enum err key_at(void *context, uint64_t size, struct vkey *ret)
{
	const struct history *h = context;

	(void)size;
	*ret = h->signer.key;
	return ERR_OK;
}

static inline bool redacted(void *context, uint64_t index, struct hash leaf)
{
	const struct history *h = context;

	return index == erased && hash_equal(leaf, hash_leaf(buf_bytes(&h->events[index])));
}

static inline enum err root_at(void *context, uint64_t size, struct hash *ret)
{
	const struct history *h = context;

	*ret = tree_root(&h->trees[size]);
	return ERR_OK;
}

static const struct node_lookup LOOKUP = {&ours, key_at, redacted, root_at};

static inline void begin(uint64_t size, uint64_t highwater, bool found, size_t links)
{
	assert_ok(node_machine_init(&node, ours.log, &LOOKUP, &ours.trees[size], highwater, found,
				    links));
}

static inline struct node_event event_of(enum node_event_kind kind, size_t link)
{
	return (struct node_event){
		.kind = kind, .mono = {now_ms}, .wall = {now_ms}, .random = 12345, .link = link};
}

static inline void step(const struct node_event *e)
{
	node_step(&node, e, &update);
}

static inline void tick(int64_t ms)
{
	struct node_event e;

	now_ms += ms;
	e = event_of(NODE_EV_TICK, 0);
	step(&e);
}

static inline void hear(size_t link)
{
	struct node_event e = event_of(NODE_EV_MESSAGE, link);

	e.frames = said.frames;
	e.frame_count = said.count;
	step(&e);
}

static inline void hear_header(size_t link, struct wire_header h)
{
	message_header(&said, &h);
	hear(link);
}

static inline void tree_event(enum node_event_kind kind, const struct history *h, uint64_t size)
{
	struct node_event e = event_of(kind, 0);

	e.tree = &h->trees[size];
	step(&e);
}

static inline void sent(size_t link, uint64_t size, uint64_t bytes)
{
	struct node_event e = event_of(NODE_EV_SENT, link);

	e.size = size;
	e.bytes = bytes;
	step(&e);
}

static inline const struct node_action *found(size_t link, enum node_action_kind kind)
{
	for (size_t i = 0; i < update.count; i++) {
		if (update.actions[i].kind == kind && update.actions[i].link == link)
			return &update.actions[i];
	}
	return NULL;
}

/* As found, but it must be there. */
static inline const struct node_action *needed(size_t link, enum node_action_kind kind)
{
	static struct node_action nothing;
	const struct node_action *a = found(link, kind);

	assert_non_null(a);
	return a ? a : &nothing;
}

static inline const struct node_action *expect(size_t link, enum node_action_kind kind,
					       enum wire_kind header)
{
	const struct node_action *a = needed(link, kind);

	assert_int_equal(a->header.kind, header);
	return a;
}

static inline void welcome(size_t link, uint64_t size)
{
	struct wire_header h = {.kind = WIRE_WELCOME,
				.session = SESSION + link,
				.size = size,
				.credit = CREDIT,
				.commit_events = COMMIT_EVENTS_MAX,
				.commit_bytes = COMMIT_BYTES_MAX};

	message_header(&said, &h);
	if (size)
		message_note(&said, &ours, size);
	hear(link);
}

static inline void ack(size_t link, uint64_t size)
{
	hear_header(link, (struct wire_header){.kind = WIRE_ACK,
					       .session = SESSION + link,
					       .size = size,
					       .credit = CREDIT});
}

static inline void refuse(size_t link, enum err code, uint64_t size)
{
	hear_header(link, (struct wire_header){.kind = WIRE_REFUSED,
					       .session = SESSION + link,
					       .code = code,
					       .text = "why",
					       .size = size});
}

/* From AWAY to the anchor's acknowledgement, the server holding `size`. */
static inline void meet(size_t link, uint64_t size)
{
	if (node.links[link].phase == NODE_AWAY)
		tick(NODE_BACKOFF_MOST_MS);
	welcome(link, size);
	ack(link, size < node.size ? size : node.size);
}

static inline void waive(size_t link)
{
	struct node_event e = event_of(NODE_EV_WAIVE, link);

	step(&e);
}

static inline void distrust(size_t link)
{
	struct node_event e = event_of(NODE_EV_DISTRUST, link);

	step(&e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
