/* The node's part of docs/PROTOCOL.md, each rule by its name: sessions, commits, refusals. */
#include "session_node_fixture.h"

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

static void what_is_little_gathers_while_a_commit_is_under_way(void **state)
{
	struct node_event much = event_of(NODE_EV_GREW, 0);

	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	tree_event(NODE_EV_GREW, &ours, 10);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 9);
	sent(0, 10, 100);
	tree_event(NODE_EV_GREW, &ours, 11);
	tree_event(NODE_EV_GREW, &ours, 12);
	assert_null(found(0, NODE_SEND_COMMIT));
	assert_int_equal(node_machine_due_ms(&node), INT64_MAX); /* the ACK is what it waits for */
	now_ms += NODE_SPACING_MS;
	ack(0, 10);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 10);
	sent(0, 12, 200);
	much.tree = &ours.trees[13];
	much.bytes = NODE_SMALL_BYTES;
	step(&much);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 12);
}

static void what_is_little_goes_no_oftener_than_a_server_hears(void **state)
{
	struct node_event much = event_of(NODE_EV_GREW, 0);
	int64_t due_ms = 0;

	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	tree_event(NODE_EV_GREW, &ours, 10);
	sent(0, 10, 100);
	due_ms = now_ms + NODE_SPACING_MS;
	ack(0, 10);
	tree_event(NODE_EV_GREW, &ours, 11);
	assert_null(found(0, NODE_SEND_COMMIT));
	assert_int_equal(node_machine_due_ms(&node), due_ms);
	tick(NODE_SPACING_MS - 1);
	assert_null(found(0, NODE_SEND_COMMIT));
	tick(1);
	assert_int_equal(now_ms, due_ms);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 10);
	sent(0, 11, 100);
	ack(0, 11);
	assert_int_equal(node_machine_due_ms(&node), INT64_MAX);
	much.tree = &ours.trees[12];
	much.bytes = NODE_SMALL_BYTES;
	step(&much); /* what is much does not wait */
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 11);
}

static void a_remainder_of_the_credit_bounds_the_commit(void **state)
{
	(void)state;
	begin(30, 30, true, 1);
	meet(0, 0);
	for (uint64_t i = 1; i < CREDIT / COMMIT_BYTES_MAX; i++)
		sent(0, i, COMMIT_BYTES_MAX);
	sent(0, CREDIT / COMMIT_BYTES_MAX, COMMIT_BYTES_MAX / 2);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->bytes_max, COMMIT_BYTES_MAX / 2);
	sent(0, 6, COMMIT_BYTES_MAX / 2 - 100);
	assert_null(found(0, NODE_SEND_COMMIT)); /* not worth a signature */
}

/* A server takes one now and then: what comes behind it would be refused, again and again. */
static void
nothing_follows_a_commit_larger_than_was_asked_for_and_busy_waits_in_the_session(void **state)
{
	(void)state;
	begin(30, 30, true, 1);
	meet(0, 0);
	node.links[0].commit_events = 4;
	sent(0, 5, 500);
	assert_null(found(0, NODE_SEND_COMMIT));
	assert_int_equal(node_machine_due_ms(&node), INT64_MAX);
	refuse(0, ERR_BUSY, 0);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_null(found(0, NODE_SEND_COMMIT));
	assert_null(found(0, NODE_SEND_SIGNED));
	assert_int_equal(node_machine_due_ms(&node), now_ms + NODE_LATER_MS);
	tick(NODE_LATER_MS);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 0);
	sent(0, 5, 500);
	ack(0, 5);
	assert_int_equal(node.links[0].refused, ERR_OK);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 5);
	sent(0, 7, 100);
	refuse(0, ERR_BUSY, 5); /* of an ordinary one: something else is wrong there */
	assert_int_equal(node.links[0].phase, NODE_AWAY);
}

static void a_credit_too_small_for_an_event_is_not_taken_over(void **state)
{
	struct wire_header none = {.kind = WIRE_ACK, .session = SESSION, .size = 4};

	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	message_header(&said, &none);
	hear(0);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_int_equal(node.links[0].credit_bytes, CREDIT);
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

static void a_server_that_was_put_back_is_waited_for(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	hear_header(0,
		    (struct wire_header){.kind = WIRE_REFUSED, .code = ERR_ROLLBACK, .text = "r"});
	assert_int_equal(node.links[0].phase, NODE_AWAY);
	assert_int_equal(node.links[0].refused, ERR_ROLLBACK);
	meet(0, 4);
	assert_non_null(found(0, NODE_SEND_COMMIT));
}

static void a_revoked_key_is_tried_slowly_and_alarms_once_each_time(void **state)
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
	tick(NODE_REFUSED_MS * 2);
	welcome(0, 9);
	ack(0, 9);
	hear_header(0, (struct wire_header){.kind = WIRE_HEARTBEAT, .session = SESSION, .size = 9});
	hear_header(0, (struct wire_header){.kind = WIRE_REFUSED, .code = ERR_DENIED, .text = "r"});
	assert_non_null(found(0, NODE_ALARM)); /* it was well in between */
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
		TEST(what_is_little_gathers_while_a_commit_is_under_way),
		TEST(what_is_little_goes_no_oftener_than_a_server_hears),
		TEST(a_remainder_of_the_credit_bounds_the_commit),
		TEST(nothing_follows_a_commit_larger_than_was_asked_for_and_busy_waits_in_the_session),
		TEST(a_credit_too_small_for_an_event_is_not_taken_over),
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
		TEST(a_server_that_was_put_back_is_waited_for),
		TEST(a_revoked_key_is_tried_slowly_and_alarms_once_each_time),
		TEST(a_fork_freezes_the_link_and_closes_the_gate),
		TEST(a_server_that_went_back_gets_everything_again_and_alarms_once),
		TEST(garbage_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
