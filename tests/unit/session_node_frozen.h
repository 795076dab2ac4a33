/* A log that a server froze, and released while it held more or less than the node. */
#ifndef SPLOT_TESTS_SESSION_NODE_FROZEN_H
#define SPLOT_TESTS_SESSION_NODE_FROZEN_H

#include "session_node_fixture.h"

static inline void say_frozen(enum err code)
{
	hear_header(0, (struct wire_header){.kind = WIRE_REFUSED, .code = code, .text = "why"});
	assert_int_equal(node.links[0].phase, NODE_FROZEN);
}

enum { ASKED_AGAIN_MS = NODE_REFUSED_MS / 2 + 12345 /* the chance in event_of */ };

static inline void expect_asked_after(int64_t ms)
{
	tick(ms - 1);
	assert_int_equal(update.count, 0);
	tick(1);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 0);
	assert_int_equal(node.links[0].phase, NODE_FROZEN);
}

/* Of the size that it claims, by a note of `shown` events of this history. */
static inline void say_welcome(const struct history *h, uint64_t size, uint64_t shown)
{
	struct wire_header header = {.kind = WIRE_WELCOME,
				     .session = SESSION,
				     .size = size,
				     .credit = CREDIT,
				     .commit_events = COMMIT_EVENTS_MAX,
				     .commit_bytes = COMMIT_BYTES_MAX};

	message_header(&said, &header);
	message_note(&said, h, shown);
}

static inline void welcome_showing(const struct history *h, uint64_t size, uint64_t shown)
{
	say_welcome(h, size, shown);
	hear(0);
}

static inline void welcome_by(const struct history *h, uint64_t size)
{
	welcome_showing(h, size, size);
}

/* Signed with the node's own key name, but not by its key. */
static inline void forge(struct message *m)
{
	uint8_t *last = m->bufs[1].data + m->bufs[1].size - 10;

	*last = *last == 'A' ? 'B' : 'A';
}

/* It released the log and holds 9 events; asked for those that follow ours. */
static inline void expect_fetched_unshown(const struct history *h, uint64_t size)
{
	expect_asked_after(ASKED_AGAIN_MS);
	welcome_showing(h, 9, 9);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_ANCHOR)->header.size, 0);
	assert_true(node.gated);
	ack(0, 0);
	assert_null(found(0, NODE_SEND_SIGNED));
	assert_int_equal(expect(0, NODE_SEND, WIRE_FETCH)->header.from, size);
}

static inline void hear_range(const struct history *h, uint64_t from, uint64_t size)
{
	message_range(&said, h, SESSION, from, size);
	hear(0);
}

#endif
