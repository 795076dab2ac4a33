/* A server that released a log and holds more of it, and what goes wrong before it was fetched. */
#include "session_node_frozen.h"

static void begin_released(uint64_t size, size_t links)
{
	begin(size, 30, true, links);
	tick(0);
	say_frozen(ERR_FROZEN);
}

static void hear_nothing_from(uint64_t from)
{
	hear_header(0,
		    (struct wire_header){
			    .kind = WIRE_RANGE, .session = SESSION, .log = ours.log, .from = from});
}

static void what_does_not_help_is_tried_again_at_once_and_then_ever_more_slowly(void **state)
{
	int64_t began_ms = 0;

	(void)state;
	begin_released(4, 1);
	expect_fetched_unshown(&ours, 4);
	hear_nothing_from(4);
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 0);
	began_ms = now_ms;
	for (int i = 0; i < 8; i++) {
		welcome_by(&ours, 9);
		ack(0, 0);
		hear_nothing_from(4);
		assert_int_equal(node.links[0].phase, NODE_AWAY);
		while (node.links[0].phase == NODE_AWAY)
			tick(10);
	}
	assert_true(now_ms - began_ms > NODE_BACKOFF_MOST_MS / 2);
}

static void what_cannot_be_read_there_is_asked_for_ever_more_slowly(void **state)
{
	int64_t began_ms = 0;

	(void)state;
	begin_released(4, 1);
	expect_fetched_unshown(&ours, 4);
	began_ms = now_ms;
	for (int i = 0; i < 8; i++) {
		refuse(0, ERR_CORRUPT, 9);
		assert_int_equal(node.links[0].phase, NODE_AWAY);
		while (node.links[0].phase == NODE_AWAY)
			tick(10);
		welcome_by(&ours, 9);
		ack(0, 0);
		assert_int_equal(node.links[0].phase, NODE_FETCHING);
	}
	assert_true(now_ms - began_ms > NODE_BACKOFF_MOST_MS / 2);
}

static void what_is_wrong_each_time_is_told_once(void **state)
{
	(void)state;
	begin_released(4, 1);
	for (int i = 0; i < 3; i++) {
		expect_fetched_unshown(&ours, 4);
		message_range(&said, &ours, SESSION, 4, 9);
		forge(&said);
		hear(0);
		assert_int_equal(node.links[0].phase, NODE_FROZEN);
		assert_int_equal(node.links[0].refused, ERR_SIGNATURE);
		assert_int_equal(found(0, NODE_ALARM) != NULL, i == 0);
	}
}

static void limits_that_are_too_small_each_time_are_told_once(void **state)
{
	struct wire_header header = {.kind = WIRE_WELCOME, .session = SESSION, .size = 9};

	(void)state;
	begin_released(4, 1);
	tick(ASKED_AGAIN_MS);
	for (int i = 0; i < 3; i++) {
		message_header(&said, &header);
		message_note(&said, &ours, 9);
		hear(0);
		assert_int_equal(node.links[0].refused, ERR_LIMIT);
		assert_int_equal(found(0, NODE_ALARM) != NULL, i == 0);
		tick(2 * NODE_REFUSED_MS);
	}
}

static void what_was_said_of_another_history_is_forgotten_when_it_is_ours_after_all(void **state)
{
	(void)state;
	begin_released(7, 1);
	expect_fetched_unshown(&theirs, 7);
	hear_range(&theirs, 7, 9);
	assert_int_equal(node.links[0].refused, ERR_ROOT);
	expect_fetched_unshown(&theirs, 7); /* once more: it is not known yet */
	assert_int_equal(node.links[0].refused, ERR_ROOT);
	hear_range(&theirs, 7, 9);
	expect_asked_after(ASKED_AGAIN_MS);
	welcome_by(&ours, 5);
	assert_int_equal(node.links[0].phase, NODE_GREETING);
	assert_int_equal(node.links[0].refused, ERR_OK);
	assert_string_equal(node.links[0].refused_text, "");
}

static void who_is_waived_after_its_history_proved_to_be_ours_is_waited_for(void **state)
{
	(void)state;
	begin_released(4, 1);
	tick(ASKED_AGAIN_MS);
	welcome_by(&ours, 30);
	ack(0, 0);
	hear_range(&ours, 4, 5);
	tree_event(NODE_EV_STORED, &ours, 5);
	waive(0);
	assert_true(node.gated);
	assert_null(found(0, NODE_OPENED));
	hear_range(&ours, 5, 30);
	tree_event(NODE_EV_STORED, &ours, 30);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_false(node.gated);
}

/* All duties are told with the WELCOME. */
static void a_duty_that_could_not_be_done_while_it_was_frozen_is_not_asked_for_twice(void **state)
{
	struct node_event undone;

	(void)state;
	begin_released(4, 1);
	undone = event_of(NODE_EV_UNDONE, 0);
	step(&undone);
	expect_fetched_unshown(&ours, 4);
	tick(10);
	assert_int_equal(node.links[0].phase, NODE_FETCHING);
}

static void who_says_all_the_time_that_it_is_frozen_is_asked_all_the_same(void **state)
{
	unsigned asked = 0;

	(void)state;
	begin_released(4, 1);
	for (int i = 0; i < 60; i++) {
		tick(10000);
		asked += found(0, NODE_SEND_SIGNED) != NULL;
		say_frozen(ERR_FROZEN);
	}
	assert_true(asked >= 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_does_not_help_is_tried_again_at_once_and_then_ever_more_slowly),
		TEST(what_cannot_be_read_there_is_asked_for_ever_more_slowly),
		TEST(what_is_wrong_each_time_is_told_once),
		TEST(limits_that_are_too_small_each_time_are_told_once),
		TEST(what_was_said_of_another_history_is_forgotten_when_it_is_ours_after_all),
		TEST(who_is_waived_after_its_history_proved_to_be_ours_is_waited_for),
		TEST(a_duty_that_could_not_be_done_while_it_was_frozen_is_not_asked_for_twice),
		TEST(who_says_all_the_time_that_it_is_frozen_is_asked_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
