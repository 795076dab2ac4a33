/* A log that a server froze, released or not (docs/PROTOCOL.md, sections 9 and 15): nothing of what
 * is here is shown to it until both histories are known to be one. */
#include "session_node_frozen.h"

static void a_frozen_log_asks_slowly_until_it_is_released(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	say_frozen(ERR_FROZEN);
	for (int i = 0; i < 3; i++) { /* no answer is heard: anything may be lost */
		expect_asked_after(ASKED_AGAIN_MS);
		assert_true(node.gated);
	}
	welcome(0, 4);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 9);
	assert_true(node.gated);
	welcome(0, 4);
	(void)expect(0, NODE_SEND_SIGNED, WIRE_ANCHOR);
	ack(0, 4);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_false(node.gated);
}

static void a_branch_is_not_shown_to_a_server_that_released_the_log(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	for (int i = 0; i < 2; i++) {
		expect_asked_after(ASKED_AGAIN_MS);
		welcome_by(&theirs, 9);
		assert_null(found(0, NODE_SEND_SIGNED));
		assert_int_equal(found(0, NODE_ALARM) != NULL, i == 0);
		assert_int_equal(node.links[0].phase, NODE_FROZEN);
		assert_int_equal(node.links[0].refused, ERR_FORK);
		assert_true(node.gated);
		welcome(0, 9); /* unasked */
		assert_int_equal(update.count, 0);
	}
}

static void expect_still_frozen(enum err why, bool news)
{
	assert_null(found(0, NODE_SEND_SIGNED));
	assert_null(found(0, NODE_SEND));
	assert_null(found(0, NODE_APPEND));
	assert_int_equal(found(0, NODE_ALARM) != NULL, news);
	assert_int_equal(node.links[0].phase, NODE_FROZEN);
	assert_int_equal(node.links[0].refused, why);
	assert_true(node.gated);
}

static void what_is_shown_of_a_released_log_must_be_signed_by_it(void **state)
{
	struct history foreign;

	(void)state;
	history_begin(&foreign, "26", 2);
	history_grow(&foreign, 20, "other keys");
	begin(4, 4, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome_showing(&ours, 1000000, 9); /* more than the note says */
	expect_still_frozen(ERR_PROOF, true);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome_showing(&ours, 4, 3); /* another size */
	expect_still_frozen(ERR_PROOF, false);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome_showing(&foreign, 9, 9);
	expect_still_frozen(ERR_UNKNOWN_KEY, true);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome_showing(&foreign, 4, 4);
	expect_still_frozen(ERR_UNKNOWN_KEY, false);
	expect_asked_after(ASKED_AGAIN_MS);
	say_welcome(&ours, 4, 4);
	forge(&said);
	hear(0);
	expect_still_frozen(ERR_SIGNATURE, true);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome_by(&ours, 4);
	assert_int_equal(node.links[0].phase, NODE_GREETING);
	history_end(&foreign);
}

static void what_a_server_holds_more_of_a_released_log_is_fetched_before_ours_is_shown(void **state)
{
	(void)state;
	begin(4, 9, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	expect_fetched_unshown(&ours, 4);
	hear_range(&ours, 4, 9);
	(void)needed(0, NODE_APPEND);
	tree_event(NODE_EV_STORED, &ours, 9);
	assert_null(found(0, NODE_SEND_SIGNED));
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_false(node.gated);
	tree_event(NODE_EV_GREW, &ours, 10);
	assert_int_equal(expect(0, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 9);
	now_ms += NODE_SILENCE_MS; /* and in the next session it is shown */
	tick(0);
	tick(NODE_BACKOFF_MOST_MS);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 10);
}

static void a_branch_is_not_shown_to_a_server_that_holds_more_either(void **state)
{
	(void)state;
	begin(7, 7, true, 1); /* another history, from 5 events on */
	tick(0);
	say_frozen(ERR_FORK);
	for (int i = 0; i < 2; i++) {
		expect_fetched_unshown(&theirs, 7);
		hear_range(&theirs, 7, 9);
		expect_still_frozen(ERR_ROOT, i == 0);
	}
}

static void
a_connection_that_breaks_while_a_released_log_is_fetched_shows_nothing_either(void **state)
{
	(void)state;
	begin(4, 9, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	expect_fetched_unshown(&ours, 4);
	tick(NODE_SILENCE_MS);
	assert_int_equal(node.links[0].phase, NODE_AWAY);
	tick(NODE_BACKOFF_MOST_MS);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 0);
	welcome_by(&theirs, 4); /* it holds less by now: compared here */
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 4);
}

static void what_came_from_elsewhere_meanwhile_is_compared_before_it_is_shown(void **state)
{
	for (int fork = 0; fork < 2; fork++) {
		(void)state;
		begin(4, 9, true, 2);
		tick(0);
		say_frozen(ERR_FROZEN);
		expect_asked_after(ASKED_AGAIN_MS);
		welcome_showing(fork ? &theirs : &ours, 9, 9);
		for (int i = 0; i < 50 && node.links[1].phase != NODE_GREETING; i++)
			tick(100);
		meet(1, 9);
		assert_int_equal(expect(1, NODE_SEND, WIRE_FETCH)->header.from, 4);
		message_range(&said, &ours, SESSION + 1, 4, 9);
		hear(1);
		tree_event(NODE_EV_STORED, &ours, 9);
		ack(0, 0);
		assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 0);
		welcome_showing(fork ? &theirs : &ours, 9, 9);
		if (fork)
			expect_still_frozen(ERR_FORK, true);
		else
			assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 9);
		node_machine_free(&node);
	}
}

static void
a_store_that_was_lost_while_its_log_was_frozen_is_fetched_back_after_the_release(void **state)
{
	(void)state;
	begin(0, 9, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	expect_fetched_unshown(&ours, 0);
	hear_range(&ours, 0, 9);
	tree_event(NODE_EV_STORED, &ours, 9);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_false(node.gated);
}

static void a_server_that_released_a_log_and_holds_nothing_of_it_is_told_all(void **state)
{
	(void)state;
	begin(4, 4, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome(0, 0);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 4);
}

static void
an_answer_that_comes_after_the_log_was_said_to_be_frozen_still_is_not_heard(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	expect_asked_after(ASKED_AGAIN_MS);
	say_frozen(ERR_FROZEN);
	assert_null(found(0, NODE_ALARM));
	welcome(0, 4);
	assert_int_equal(update.count, 0);
}

static void a_server_that_holds_nothing_any_more_is_told_no_branch(void **state)
{
	(void)state;
	begin(4, 4, true, 1);
	tick(0);
	say_frozen(ERR_FORK);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome(0, 0);
	expect_still_frozen(ERR_OLD, true);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome_showing(&ours, 4, 3); /* whatever else comes between does not change that */
	expect_still_frozen(ERR_PROOF, true);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome(0, 0);
	expect_still_frozen(ERR_OLD, true);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome(0, 4);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 4);
}

static void an_empty_store_is_shown_to_an_empty_server_even_after_a_fork(void **state)
{
	(void)state;
	begin(0, 0, true, 1);
	tick(0);
	say_frozen(ERR_FORK);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome(0, 0);
	(void)expect(0, NODE_SEND_SIGNED, WIRE_HELLO);
	welcome(0, 0);
	ack(0, 0);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
}

static void why_a_log_is_frozen_is_what_was_said_last_but_a_fork_is_not_forgotten(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	expect_asked_after(ASKED_AGAIN_MS);
	say_frozen(ERR_DISK_FULL);
	assert_int_equal(node.links[0].refused, ERR_FROZEN);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome_showing(&ours, 4, 3);
	expect_still_frozen(ERR_PROOF, true);
	expect_asked_after(ASKED_AGAIN_MS);
	say_frozen(ERR_FROZEN); /* once more, before it could be compared */
	expect_still_frozen(ERR_FROZEN, true);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome_by(&theirs, 9);
	expect_still_frozen(ERR_FORK, true);
	expect_asked_after(ASKED_AGAIN_MS);
	say_frozen(ERR_FROZEN);
	expect_still_frozen(ERR_FORK, false);
	welcome(0, 4); /* nothing is asked now */
	assert_int_equal(update.count, 0);
}

static void a_log_that_is_frozen_again_is_told_again(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	for (int i = 0; i < 2; i++) {
		say_frozen(ERR_FROZEN);
		assert_non_null(found(0, NODE_ALARM));
		expect_asked_after(ASKED_AGAIN_MS);
		welcome(0, 9);
		welcome(0, 9);
		ack(0, 9);
		assert_int_equal(node.links[0].phase, NODE_LIVE);
		assert_false(node.gated);
	}
}

static void a_fork_that_is_over_does_not_count_when_the_log_is_frozen_again(void **state)
{
	(void)state;
	begin(4, 4, true, 1);
	tick(0);
	say_frozen(ERR_FORK);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome(0, 4);
	welcome(0, 4);
	ack(0, 4);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	say_frozen(ERR_FROZEN);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome(0, 0);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 4);
}

static void a_question_that_was_not_answered_is_asked_on_another_connection(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	say_frozen(ERR_FROZEN);
	expect_asked_after(ASKED_AGAIN_MS);
	assert_null(found(0, NODE_CONNECT));
	expect_asked_after(ASKED_AGAIN_MS);
	assert_non_null(found(0, NODE_CONNECT));
	say_frozen(ERR_FROZEN);
	expect_asked_after(ASKED_AGAIN_MS);
	assert_null(found(0, NODE_CONNECT));
}

static void a_server_that_released_a_log_and_takes_too_little_is_told_of(void **state)
{
	struct wire_header header = {.kind = WIRE_WELCOME,
				     .session = SESSION,
				     .size = 9,
				     .credit = CREDIT,
				     .commit_bytes = COMMIT_BYTES_MAX};

	(void)state;
	begin(4, 9, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	expect_asked_after(ASKED_AGAIN_MS);
	message_header(&said, &header);
	message_note(&said, &ours, 9);
	hear(0);
	assert_non_null(found(0, NODE_ALARM));
	assert_int_equal(node.links[0].phase, NODE_REFUSED);
	assert_int_equal(node.links[0].refused, ERR_LIMIT);
	tick(2 * NODE_REFUSED_MS);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 0);
}

/* ---- a server that froze the log, and that edits do not wait for ---- */

static void edits_go_on_while_the_history_of_a_waived_server_is_compared(void **state)
{
	(void)state;
	begin(7, 7, true, 1);
	tick(0);
	say_frozen(ERR_FORK);
	waive(0);
	assert_false(node.gated);
	for (int i = 0; i < 3; i++) {
		expect_asked_after(ASKED_AGAIN_MS);
		welcome_by(&theirs, 9);
		assert_false(node.gated);
		ack(0, 0);
		assert_false(node.gated);
		hear_range(&theirs, 7, 9);
		assert_false(node.gated);
		assert_null(found(0, NODE_OPENED));
		assert_int_equal(node.links[0].refused, ERR_ROOT);
		assert_int_equal(node.links[0].phase, NODE_FROZEN);
	}
}

static void edits_wait_while_what_a_waived_server_holds_more_of_our_history_is_stored(void **state)
{
	(void)state;
	begin(4, 4, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	waive(0);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome(0, 9);
	ack(0, 0);
	assert_false(node.gated);
	hear_range(&ours, 4, 9);
	(void)needed(0, NODE_APPEND);
	assert_true(node.gated);
	tree_event(NODE_EV_STORED, &ours, 9);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_false(node.gated);
}

static void
a_server_that_is_waived_while_it_is_fetched_from_unshown_is_waited_for_no_more(void **state)
{
	(void)state;
	begin(4, 9, true, 1);
	tick(0);
	say_frozen(ERR_FROZEN);
	expect_fetched_unshown(&ours, 4);
	assert_true(node.gated);
	waive(0);
	assert_false(node.gated);
}

static void nobody_is_taken_for_a_server_that_released_a_log_unasked(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	say_frozen(ERR_FORK);
	welcome(0, 4);
	assert_int_equal(update.count, 0);
	assert_int_equal(node.links[0].phase, NODE_FROZEN);
	assert_true(node.gated);
}

static void a_frozen_link_may_become_distrusted(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	refuse(0, ERR_FROZEN, 9);
	distrust(0);
	assert_int_equal(node.links[0].phase, NODE_DISTRUSTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_frozen_log_asks_slowly_until_it_is_released),
		TEST(a_branch_is_not_shown_to_a_server_that_released_the_log),
		TEST(what_is_shown_of_a_released_log_must_be_signed_by_it),
		TEST(what_a_server_holds_more_of_a_released_log_is_fetched_before_ours_is_shown),
		TEST(a_branch_is_not_shown_to_a_server_that_holds_more_either),
		TEST(a_connection_that_breaks_while_a_released_log_is_fetched_shows_nothing_either),
		TEST(what_came_from_elsewhere_meanwhile_is_compared_before_it_is_shown),
		TEST(a_store_that_was_lost_while_its_log_was_frozen_is_fetched_back_after_the_release),
		TEST(a_server_that_released_a_log_and_holds_nothing_of_it_is_told_all),
		TEST(an_answer_that_comes_after_the_log_was_said_to_be_frozen_still_is_not_heard),
		TEST(a_server_that_holds_nothing_any_more_is_told_no_branch),
		TEST(an_empty_store_is_shown_to_an_empty_server_even_after_a_fork),
		TEST(why_a_log_is_frozen_is_what_was_said_last_but_a_fork_is_not_forgotten),
		TEST(a_log_that_is_frozen_again_is_told_again),
		TEST(a_fork_that_is_over_does_not_count_when_the_log_is_frozen_again),
		TEST(a_question_that_was_not_answered_is_asked_on_another_connection),
		TEST(a_server_that_released_a_log_and_takes_too_little_is_told_of),
		TEST(edits_go_on_while_the_history_of_a_waived_server_is_compared),
		TEST(edits_wait_while_what_a_waived_server_holds_more_of_our_history_is_stored),
		TEST(a_server_that_is_waived_while_it_is_fetched_from_unshown_is_waited_for_no_more),
		TEST(nobody_is_taken_for_a_server_that_released_a_log_unasked),
		TEST(a_frozen_link_may_become_distrusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
