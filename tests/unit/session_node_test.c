/* The node's part of docs/PROTOCOL.md: each rule by its name. */
#include "session_fixture.h"

#include "session/node.h"

enum { SESSION = 500, CREDIT = 4 * COMMIT_BYTES_MAX };

static struct history ours;   /* log 26, as this node has it or had it once */
static struct history theirs; /* log 26 again, another history from index 5 on */
static struct node_machine node;
static struct node_update update;
static struct message said;
static int64_t now_ms;

static int set_up(void **state)
{
	(void)state;
	history_begin(&ours, "26", 1);
	history_grow(&ours, 5, "common");
	history_begin(&theirs, "26", 1);
	history_grow(&theirs, 5, "common");
	history_grow(&ours, 35, "first");
	history_grow(&theirs, 35, "second");
	now_ms = 50000;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	history_end(&ours);
	history_end(&theirs);
	node_machine_free(&node);
	message_free(&said);
	return 0;
}

/* ---- speaking to the machine ---- */

static void begin(uint64_t size, uint64_t highwater, bool found, size_t links)
{
	assert_ok(node_machine_init(&node, ours.log, &ours.signer.key, &ours.trees[size], highwater,
				    found, links));
}

static struct node_event event_of(enum node_event_kind kind, size_t link)
{
	return (struct node_event){
		.kind = kind, .mono = {now_ms}, .wall = {now_ms}, .random = 12345, .link = link};
}

static void step(const struct node_event *e)
{
	node_step(&node, e, &update);
}

static void tick(int64_t ms)
{
	struct node_event e;

	now_ms += ms;
	e = event_of(NODE_EV_TICK, 0);
	step(&e);
}

static void hear(size_t link)
{
	struct node_event e = event_of(NODE_EV_MESSAGE, link);

	e.frames = said.frames;
	e.frame_count = said.count;
	step(&e);
}

static void hear_header(size_t link, struct wire_header h)
{
	message_header(&said, &h);
	hear(link);
}

static void tree_event(enum node_event_kind kind, const struct history *h, uint64_t size)
{
	struct node_event e = event_of(kind, 0);

	e.tree = &h->trees[size];
	step(&e);
}

static void sent(size_t link, uint64_t size, uint64_t bytes)
{
	struct node_event e = event_of(NODE_EV_SENT, link);

	e.size = size;
	e.bytes = bytes;
	step(&e);
}

static const struct node_action *found(size_t link, enum node_action_kind kind)
{
	for (size_t i = 0; i < update.count; i++) {
		if (update.actions[i].kind == kind && update.actions[i].link == link)
			return &update.actions[i];
	}
	return NULL;
}

static const struct node_action *expect(size_t link, enum node_action_kind kind,
					enum wire_kind header)
{
	const struct node_action *a = found(link, kind);

	assert_non_null(a);
	assert_int_equal(a->header.kind, header);
	return a;
}

static void welcome(size_t link, uint64_t size)
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

static void ack(size_t link, uint64_t size)
{
	hear_header(link, (struct wire_header){.kind = WIRE_ACK,
					       .session = SESSION + link,
					       .size = size,
					       .credit = CREDIT});
}

static void refuse(size_t link, enum err code, uint64_t size)
{
	hear_header(link, (struct wire_header){.kind = WIRE_REFUSED,
					       .session = SESSION + link,
					       .code = code,
					       .text = "why",
					       .size = size});
}

/* From AWAY to the anchor's acknowledgement, the server holding `size`. */
static void meet(size_t link, uint64_t size)
{
	if (node.links[link].phase == NODE_AWAY)
		tick(NODE_BACKOFF_MOST_MS);
	welcome(link, size);
	ack(link, size < node.size ? size : node.size);
}

/* ---- the way to LIVE ---- */

static void hello_anchor_live(void **state)
{
	const struct node_action *a = NULL;

	(void)state;
	begin(9, 9, true, 1);
	assert_false(node.gated);
	tick(0);
	assert_non_null(found(0, NODE_CONNECT));
	a = expect(0, NODE_SEND_SIGNED, WIRE_HELLO);
	assert_int_equal(a->header.size, 9);
	assert_int_equal(a->header.protocol, WIRE_PROTOCOL);
	welcome(0, 4);
	a = expect(0, NODE_SEND_SIGNED, WIRE_ANCHOR);
	assert_int_equal(a->header.size, 4);
	assert_int_equal(a->header.session, SESSION);
	ack(0, 4);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_int_equal(node.links[0].confirmed, 4);
	a = expect(0, NODE_SEND_COMMIT, WIRE_COMMIT);
	assert_int_equal(a->header.from, 4);
	assert_int_equal(a->size, 9);
	assert_int_equal(a->events_max, COMMIT_EVENTS_MAX);
	assert_int_equal(a->bytes_max, COMMIT_BYTES_MAX);
}

static void nothing_is_sent_before_the_anchor_is_acknowledged(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	tree_event(NODE_EV_GREW, &ours, 10);
	assert_null(found(0, NODE_SEND_COMMIT));
	welcome(0, 4);
	tree_event(NODE_EV_GREW, &ours, 11);
	assert_null(found(0, NODE_SEND_COMMIT));
}

static void an_unanswered_hello_is_said_again(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	tick(NODE_AGAIN_LEAST_MS - 1);
	assert_int_equal(update.count, 0);
	tick(1);
	(void)expect(0, NODE_SEND_SIGNED, WIRE_HELLO);
	assert_null(found(0, NODE_CONNECT));
}

static void silence_leads_to_a_new_connection_with_back_off(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	tick(NODE_SILENCE_MS);
	assert_int_equal(node.links[0].phase, NODE_AWAY);
	assert_null(found(0, NODE_CONNECT));
	tick(NODE_BACKOFF_LEAST_MS);
	assert_non_null(found(0, NODE_CONNECT));
}

static void back_off_grows_to_its_bound(void **state)
{
	int64_t wait = 0;

	(void)state;
	begin(9, 9, true, 1);
	for (int i = 0; i < 20; i++) {
		tick(NODE_BACKOFF_MOST_MS);
		assert_int_equal(node.links[0].phase, NODE_GREETING);
		tick(NODE_SILENCE_MS);
		assert_int_equal(node.links[0].phase, NODE_AWAY);
		wait = node.links[0].retry_at.ms - now_ms;
		assert_in_range(wait, NODE_BACKOFF_LEAST_MS / 2, NODE_BACKOFF_MOST_MS);
	}
	assert_in_range(wait, NODE_BACKOFF_MOST_MS / 2, NODE_BACKOFF_MOST_MS);
}

static void an_idle_session_says_heartbeats(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	tick(NODE_HEARTBEAT_MS - 1);
	assert_int_equal(update.count, 0);
	tick(1);
	assert_int_equal(expect(0, NODE_SEND, WIRE_HEARTBEAT)->header.size, 9);
	hear_header(0, (struct wire_header){.kind = WIRE_HEARTBEAT, .session = SESSION, .size = 9});
	tick(NODE_SILENCE_MS - 1);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
}

static void a_welcome_that_nobody_asked_for_is_ignored(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	welcome(0, 4);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_int_equal(node.links[0].confirmed, 9);
}

static void limits_too_small_for_an_event_are_not_taken(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	hear_header(0, (struct wire_header){.kind = WIRE_WELCOME,
					    .session = SESSION,
					    .credit = CREDIT,
					    .commit_events = 1,
					    .commit_bytes = EVENT_BYTES_MAX});
	assert_int_equal(node.links[0].phase, NODE_REFUSED);
	assert_non_null(found(0, NODE_ALARM));
}

/* ---- commits ---- */

static void commits_are_pipelined_inside_the_credit(void **state)
{
	(void)state;
	begin(30, 30, true, 1);
	meet(0, 0);
	for (uint64_t size = 5; size <= 20; size += 5) {
		assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, size - 5);
		sent(0, size, COMMIT_BYTES_MAX);
	}
	assert_null(found(0, NODE_SEND_COMMIT)); /* the window of 4 MiB is used up */
	ack(0, 5);
	assert_int_equal(node.links[0].confirmed, 5);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 20);
}

static void a_remainder_of_the_credit_bounds_the_commit(void **state)
{
	(void)state;
	begin(30, 30, true, 1);
	meet(0, 0);
	sent(0, 5, CREDIT - COMMIT_BYTES_MAX / 2);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->bytes_max, COMMIT_BYTES_MAX / 2);
	sent(0, 6, COMMIT_BYTES_MAX / 2 - 100);
	assert_null(found(0, NODE_SEND_COMMIT)); /* not worth a signature */
}

static void no_more_than_64_commits_are_under_way(void **state)
{
	(void)state;
	begin(HISTORY_MAX / 2, 0, true, 1);
	meet(0, 0);
	node.links[0].flight_count = NODE_FLIGHTS_MAX - 1;
	sent(0, 1, 100);
	assert_null(found(0, NODE_SEND_COMMIT));
}

static void only_one_commit_is_asked_for_at_a_time(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	assert_non_null(found(0, NODE_SEND_COMMIT));
	tree_event(NODE_EV_GREW, &ours, 10);
	assert_null(found(0, NODE_SEND_COMMIT));
	sent(0, 9, 100);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 9);
}

static void a_commit_that_could_not_be_sent_is_tried_at_the_next_tick(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	sent(0, 0, 0);
	assert_int_equal(update.count, 0);
	tree_event(NODE_EV_GREW, &ours, 10);
	assert_int_equal(update.count, 0);
	tick(1);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 4);
}

/* Else the driver would be told to try one and the other in turn, for ever. */
static void two_servers_that_take_nothing_are_left_alone_until_the_next_tick(void **state)
{
	(void)state;
	begin(9, 9, true, 2);
	meet(0, 4);
	meet(1, 4);
	sent(0, 0, 0);
	assert_null(found(1, NODE_SEND_COMMIT)); /* still asked for */
	sent(1, 0, 0);
	assert_int_equal(update.count, 0);
	tick(1);
	assert_non_null(found(0, NODE_SEND_COMMIT));
	assert_non_null(found(1, NODE_SEND_COMMIT));
}

static void an_ack_is_cumulative(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 0);
	sent(0, 3, 100);
	sent(0, 6, 100);
	sent(0, 9, 100);
	ack(0, 6);
	assert_int_equal(node.links[0].confirmed, 6);
	assert_int_equal(node.links[0].flight_count, 1);
	assert_int_equal(node.links[0].under_way_bytes, 100);
}

static void an_ack_of_another_session_is_ignored(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 0);
	sent(0, 9, 100);
	hear_header(0, (struct wire_header){.kind = WIRE_ACK, .session = 1, .size = 9});
	assert_int_equal(node.links[0].confirmed, 0);
}

static void an_ack_of_more_than_was_sent_confirms_nothing(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 0);
	sent(0, 3, 100);
	ack(0, 9);
	assert_int_equal(node.links[0].confirmed, 0);
	assert_int_not_equal(node.links[0].phase, NODE_LIVE);
}

static void commits_without_acknowledgement_are_sent_again(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	sent(0, 9, 100);
	hear_header(0, (struct wire_header){.kind = WIRE_HEARTBEAT, .session = SESSION, .size = 4});
	now_ms += NODE_SILENCE_MS - 1;
	hear_header(0, (struct wire_header){.kind = WIRE_HEARTBEAT, .session = SESSION, .size = 4});
	tick(1);
	(void)expect(0, NODE_SEND_SIGNED, WIRE_HELLO);
	meet(0, 4);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 4);
}

/* ---- refusals ---- */

static void a_gap_leads_to_a_new_anchor_at_the_servers_size(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	sent(0, 9, 100);
	refuse(0, ERR_GAP, 4);
	(void)expect(0, NODE_SEND_SIGNED, WIRE_HELLO);
	meet(0, 4);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 4);
}

static void a_second_refusal_without_progress_backs_off(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	refuse(0, ERR_GAP, 4);
	meet(0, 4);
	refuse(0, ERR_GAP, 4);
	assert_int_equal(node.links[0].phase, NODE_AWAY);
	assert_null(found(0, NODE_SEND_SIGNED));
}

static void a_closed_session_is_opened_again(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	refuse(0, ERR_SESSION, 9);
	(void)expect(0, NODE_SEND_SIGNED, WIRE_HELLO);
}

static void a_full_disk_at_the_server_is_waited_for(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	sent(0, 9, 100);
	refuse(0, ERR_DISK_FULL, 4);
	assert_int_equal(node.links[0].phase, NODE_AWAY);
	assert_string_equal(node.links[0].refused_text, "why");
	meet(0, 4);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 4);
	sent(0, 9, 100);
	ack(0, 9);
	assert_string_equal(node.links[0].refused_text, "");
}

static void a_revoked_key_is_tried_slowly_and_alarms_once(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	hear_header(0, (struct wire_header){.kind = WIRE_REFUSED, .code = ERR_DENIED, .text = "r"});
	assert_int_equal(node.links[0].phase, NODE_REFUSED);
	assert_non_null(found(0, NODE_ALARM));
	tick(NODE_REFUSED_MS / 2 - 1);
	assert_int_equal(update.count, 0);
	tick(NODE_REFUSED_MS * 2);
	assert_non_null(found(0, NODE_CONNECT));
	hear_header(0, (struct wire_header){.kind = WIRE_REFUSED, .code = ERR_DENIED, .text = "r"});
	assert_null(found(0, NODE_ALARM));
}

static void a_fork_freezes_the_link_and_closes_the_gate(void **state)
{
	(void)state;
	begin(9, 9, true, 2);
	meet(0, 4);
	meet(1, 4);
	refuse(0, ERR_FORK, 9);
	assert_int_equal(node.links[0].phase, NODE_FROZEN);
	assert_non_null(found(0, NODE_ALARM));
	assert_true(node.gated);
	tick(NODE_REFUSED_MS);
	assert_null(found(0, NODE_CONNECT));
	assert_null(found(0, NODE_SEND));
	assert_int_not_equal(node.links[1].phase, NODE_FROZEN);
}

static void a_server_that_went_back_gets_everything_again_and_alarms_once(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 0);
	sent(0, 9, 100);
	ack(0, 9);
	refuse(0, ERR_SESSION, 3);
	meet(0, 3);
	assert_non_null(found(0, NODE_ALARM));
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 3);
	refuse(0, ERR_SESSION, 3);
	meet(0, 3);
	assert_null(found(0, NODE_ALARM));
}

/* ---- fetching ---- */

static void fetch_range(uint64_t from, uint64_t size)
{
	message_range(&said, &ours, SESSION, from, size);
	hear(0);
}

static void a_node_that_is_behind_fetches_and_goes_on(void **state)
{
	const struct node_action *a = NULL;

	(void)state;
	begin(4, 9, true, 1);
	assert_true(node.gated);
	meet(0, 9);
	a = expect(0, NODE_SEND, WIRE_FETCH);
	assert_int_equal(a->header.from, 4);
	fetch_range(4, 7);
	a = found(0, NODE_APPEND);
	assert_non_null(a);
	assert_int_equal(a->commit->after.size, 7);
	assert_int_equal(a->commit->count, 3);
	assert_int_equal(node.size, 4); /* not before it is stored */
	tree_event(NODE_EV_STORED, &ours, 7);
	assert_int_equal(expect(0, NODE_SEND, WIRE_FETCH)->header.from, 7);
	assert_true(node.gated);
	fetch_range(7, 9);
	tree_event(NODE_EV_STORED, &ours, 9);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_int_equal(node.links[0].confirmed, 9);
	assert_false(node.gated);
	assert_non_null(found(0, NODE_OPENED));
	tick(1);
	assert_null(found(0, NODE_OPENED));
}

static void fetched_events_are_verified(void **state)
{
	(void)state;
	begin(4, 9, true, 1);
	meet(0, 9);
	message_range(&said, &ours, SESSION, 4, 7);
	said.bufs[2].data[said.bufs[2].size - 1] ^= 1;
	hear(0);
	assert_null(found(0, NODE_APPEND));
	assert_int_equal(node.links[0].phase, NODE_REFUSED);
	assert_non_null(found(0, NODE_ALARM));
	assert_true(node.gated);
}

static void a_range_that_was_not_asked_for_is_ignored(void **state)
{
	(void)state;
	begin(4, 9, true, 1);
	meet(0, 9);
	fetch_range(5, 7);
	assert_null(found(0, NODE_APPEND));
	fetch_range(4, 7);
	assert_non_null(found(0, NODE_APPEND));
	fetch_range(4, 7); /* again, while the first is on its way to the disk */
	assert_null(found(0, NODE_APPEND));
}

static void what_could_not_be_stored_is_fetched_again_later(void **state)
{
	struct node_event e;

	(void)state;
	begin(4, 9, true, 1);
	meet(0, 9);
	fetch_range(4, 7);
	e = event_of(NODE_EV_FAILED, 0);
	step(&e);
	assert_null(found(0, NODE_SEND));
	tick(NODE_AGAIN_MOST_MS);
	assert_int_equal(expect(0, NODE_SEND, WIRE_FETCH)->header.from, 4);
}

static void a_lost_range_is_asked_for_again(void **state)
{
	(void)state;
	begin(4, 9, true, 1);
	meet(0, 9);
	tick(NODE_AGAIN_LEAST_MS);
	assert_int_equal(expect(0, NODE_SEND, WIRE_FETCH)->header.from, 4);
}

static void the_longest_history_is_fetched_first_and_the_others_anchored_anew(void **state)
{
	(void)state;
	begin(4, 0, false, 2);
	tick(0);
	welcome(0, 6);
	welcome(1, 9);
	ack(1, 4);
	assert_int_equal(node.fetcher, 1);
	ack(0, 4);
	assert_int_equal(node.fetcher, 1);
	message_range(&said, &ours, SESSION + 1, 4, 9);
	hear(1);
	tree_event(NODE_EV_STORED, &ours, 9);
	assert_int_equal(node.links[1].phase, NODE_LIVE);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 9);
	assert_true(node.gated); /* 0 has not agreed to the longer history yet */
	welcome(0, 6);
	ack(0, 6);
	assert_false(node.gated);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 6);
}

static void a_claim_without_our_signature_is_not_believed(void **state)
{
	struct wire_header h = {.kind = WIRE_WELCOME,
				.session = SESSION,
				.size = 1000,
				.credit = CREDIT,
				.commit_events = COMMIT_EVENTS_MAX,
				.commit_bytes = COMMIT_BYTES_MAX};

	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	message_header(&said, &h);
	message_note(&said, &ours, 9);
	hear(0);
	assert_int_equal(node.links[0].phase, NODE_REFUSED);
	assert_false(node.gated);
}

/* ---- the gate ---- */

static void without_servers_the_gate_is_open(void **state)
{
	(void)state;
	begin(0, 0, false, 0);
	assert_false(node.gated);
}

static void a_new_store_waits_until_every_server_has_answered(void **state)
{
	(void)state;
	begin(0, 0, false, 2);
	assert_true(node.gated);
	meet(0, 0);
	assert_true(node.gated);
	meet(1, 0);
	assert_false(node.gated);
	assert_non_null(found(0, NODE_OPENED));
}

static void a_store_below_its_highwater_mark_waits(void **state)
{
	(void)state;
	begin(8, 9, true, 1);
	assert_true(node.gated);
	node_machine_free(&node);
	begin(9, 9, true, 1);
	assert_false(node.gated);
}

static void a_waived_server_is_not_waited_for(void **state)
{
	struct node_event e;

	(void)state;
	begin(0, 0, false, 2);
	meet(0, 0);
	assert_true(node.gated);
	e = event_of(NODE_EV_WAIVE, 1);
	step(&e);
	assert_false(node.gated);
	assert_non_null(found(0, NODE_OPENED));
}

static void a_server_that_proves_more_closes_the_gate_until_fetched(void **state)
{
	(void)state;
	begin(4, 4, true, 1); /* store and mark were put back together */
	assert_false(node.gated);
	tick(0);
	welcome(0, 9);
	assert_true(node.gated);
	ack(0, 4);
	fetch_range(4, 9);
	tree_event(NODE_EV_STORED, &ours, 9);
	assert_false(node.gated);
}

static void an_edit_before_the_server_answered_is_shown_at_the_anchor(void **state)
{
	(void)state;
	begin(5, 5, true, 1);
	tick(0);
	tree_event(NODE_EV_GREW, &theirs, 6); /* the server holds another event 5 */
	welcome(0, 9);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_ANCHOR)->header.size, 5);
	ack(0, 5);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 6);
	refuse(0, ERR_FORK, 9); /* of the old session: ignored */
	assert_int_equal(node.links[0].phase, NODE_GREETING);
	hear_header(0, (struct wire_header){.kind = WIRE_REFUSED, .code = ERR_FORK, .text = "f"});
	assert_int_equal(node.links[0].phase, NODE_FROZEN);
	assert_true(node.gated);
}

static void a_waived_server_that_comes_back_with_more_closes_the_gate(void **state)
{
	struct node_event e;

	(void)state;
	begin(4, 9, true, 1);
	e = event_of(NODE_EV_WAIVE, 0);
	step(&e);
	assert_false(node.gated);
	meet(0, 9);
	assert_true(node.gated);
	tick(NODE_SILENCE_MS); /* it goes away again: not waited for */
	assert_int_equal(node.links[0].phase, NODE_AWAY);
	assert_false(node.gated);
}

static void a_larger_heartbeat_is_asked_to_prove_it(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	hear_header(0,
		    (struct wire_header){.kind = WIRE_HEARTBEAT, .session = SESSION, .size = 10});
	(void)expect(0, NODE_SEND_SIGNED, WIRE_HELLO);
	assert_false(node.gated);
}

/* ---- odd messages ---- */

static void garbage_changes_nothing(void **state)
{
	struct node_machine before;

	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	before = node;
	message_free(&said);
	hear(0);
	message_add(&said, bytes_of_text("\xff\xfe"));
	hear(0);
	message_hello(&said, &ours, 3);
	hear(0);
	assert_int_equal(update.count, 0);
	assert_memory_equal(&before, &node, sizeof(node));
	hear(7); /* no such link */
	assert_int_equal(update.count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hello_anchor_live),
		TEST(nothing_is_sent_before_the_anchor_is_acknowledged),
		TEST(an_unanswered_hello_is_said_again),
		TEST(silence_leads_to_a_new_connection_with_back_off),
		TEST(back_off_grows_to_its_bound),
		TEST(an_idle_session_says_heartbeats),
		TEST(a_welcome_that_nobody_asked_for_is_ignored),
		TEST(limits_too_small_for_an_event_are_not_taken),
		TEST(commits_are_pipelined_inside_the_credit),
		TEST(a_remainder_of_the_credit_bounds_the_commit),
		TEST(no_more_than_64_commits_are_under_way),
		TEST(only_one_commit_is_asked_for_at_a_time),
		TEST(a_commit_that_could_not_be_sent_is_tried_at_the_next_tick),
		TEST(two_servers_that_take_nothing_are_left_alone_until_the_next_tick),
		TEST(an_ack_is_cumulative),
		TEST(an_ack_of_another_session_is_ignored),
		TEST(an_ack_of_more_than_was_sent_confirms_nothing),
		TEST(commits_without_acknowledgement_are_sent_again),
		TEST(a_gap_leads_to_a_new_anchor_at_the_servers_size),
		TEST(a_second_refusal_without_progress_backs_off),
		TEST(a_closed_session_is_opened_again),
		TEST(a_full_disk_at_the_server_is_waited_for),
		TEST(a_revoked_key_is_tried_slowly_and_alarms_once),
		TEST(a_fork_freezes_the_link_and_closes_the_gate),
		TEST(a_server_that_went_back_gets_everything_again_and_alarms_once),
		TEST(a_node_that_is_behind_fetches_and_goes_on),
		TEST(fetched_events_are_verified),
		TEST(a_range_that_was_not_asked_for_is_ignored),
		TEST(what_could_not_be_stored_is_fetched_again_later),
		TEST(a_lost_range_is_asked_for_again),
		TEST(the_longest_history_is_fetched_first_and_the_others_anchored_anew),
		TEST(a_claim_without_our_signature_is_not_believed),
		TEST(without_servers_the_gate_is_open),
		TEST(a_new_store_waits_until_every_server_has_answered),
		TEST(a_store_below_its_highwater_mark_waits),
		TEST(a_waived_server_is_not_waited_for),
		TEST(a_server_that_proves_more_closes_the_gate_until_fetched),
		TEST(an_edit_before_the_server_answered_is_shown_at_the_anchor),
		TEST(a_waived_server_that_comes_back_with_more_closes_the_gate),
		TEST(a_larger_heartbeat_is_asked_to_prove_it),
		TEST(garbage_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
