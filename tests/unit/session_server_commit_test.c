/* Rules of docs/PROTOCOL.md that the server keeps, each by its name: commits and credit. */
#include "session_server_fixture.h"

/* ---- COMMIT ---- */

static void an_ack_is_sent_only_after_stored(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 6);
	assert_int_equal(update.count, 1);
	assert_int_equal(update.actions[0].kind, SERVER_APPEND);
	assert_int_equal(update.actions[0].commit->count, 6);
	assert_int_equal(held()->durable.size, 0);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(update.count, 1);
	assert_int_equal(reply(0, WIRE_ACK)->size, 6);
	assert_int_equal(held()->durable.size, 6);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(update.count, 0);
}

static void one_ack_stands_for_all_commits_of_a_turn(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 6);
	say_commit(6, 7);
	say_commit(7, 20);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(update.count, 1);
	assert_int_equal(reply(0, WIRE_ACK)->size, 20);
	assert_int_equal(reply(0, WIRE_ACK)->credit, CREDIT);
}

/* A node whose store went back while a commit of its was on the way to the disk must not
 * be told a size that is about to be less than what is here. */
static void a_hello_between_append_and_stored_is_welcomed_with_what_is_stored_then(void **state)
{
	(void)state;
	open_session(&ours, 5);
	say_commit(0, 5);
	message_hello(&said, &ours, 3);
	hear_as(ours.log, PEER_2, 78);
	assert_int_equal(update.count, 0);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(update.count, 2);
	assert_int_equal(reply(0, WIRE_WELCOME)->size, 5);
	assert_int_equal(reply(0, WIRE_WELCOME)->session, 78);
	assert_true(update.actions[0].with_newest);
	assert_memory_equal(update.actions[0].peer, PEER_2, strlen(PEER_2));
	message_anchor(&said, &ours, 78, 3);
	hear_as(ours.log, PEER_2, 0);
	assert_int_equal(reply(0, WIRE_ACK)->size, 3);
}

static void a_hello_between_append_and_a_failure_is_welcomed_with_what_stands(void **state)
{
	(void)state;
	open_session(&ours, 5);
	say_commit(0, 5);
	message_hello(&said, &ours, 5);
	hear_as(ours.log, PEER_2, 78);
	assert_int_equal(update.count, 0);
	step(SERVER_EV_FAILED, ERR_DISK_FULL);
	assert_int_equal(update.count, 2);
	assert_int_equal(reply(0, WIRE_WELCOME)->size, 0);
	assert_false(update.actions[0].with_newest);
	message_anchor(&said, &ours, 78, 0);
	hear_as(ours.log, PEER_2, 0);
	assert_int_equal(reply(0, WIRE_ACK)->credit, CREDIT);
}

static void a_gap_is_refused_with_the_size_expected(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 6);
	say_commit(7, 9);
	expect_refused("gap", 6);
	assert_int_equal(held()->pending.size, 6);
	assert_int_equal(held()->refused[ERR_GAP], 1);
	say_commit(6, 9);
	assert_int_equal(update.actions[0].kind, SERVER_APPEND);
}

static void a_commit_of_another_session_is_refused(void **state)
{
	(void)state;
	open_session(&ours, 20);
	message_commit(&said, &ours, 76, 0, 3);
	hear(PEER);
	expect_refused("session", 0);
	message_commit(&said, &ours, 77, 0, 3);
	hear(PEER_2);
	expect_refused("session", 0);
	assert_int_equal(held()->pending.size, 0);
}

static void a_replay_is_harmless(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 6);
	step(SERVER_EV_STORED, ERR_OK);
	say_commit(0, 6);
	assert_int_equal(update.count, 1);
	assert_int_equal(reply(0, WIRE_ACK)->size, 6);
	say_commit(2, 4);
	assert_int_equal(reply(0, WIRE_ACK)->size, 6);
	assert_int_equal(held()->pending.size, 6);
	assert_int_equal(held()->state, LOG_ACTIVE);
}

static void a_replay_of_what_is_not_stored_yet_waits_for_stored(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 6);
	say_commit(0, 6);
	assert_int_equal(update.count, 0);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(update.count, 1);
	assert_int_equal(reply(0, WIRE_ACK)->size, 6);
}

static void an_ack_never_says_more_than_the_session_showed(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 12);
	message_hello(&said, &ours, 3); /* in the same turn: 0 is durable, 12 pending */
	hear(PEER);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(update.count, 2);
	assert_int_equal(reply(0, WIRE_WELCOME)->size, 12);
	message_anchor(&said, &ours, 77, 3);
	hear(PEER);
	assert_int_equal(reply(0, WIRE_ACK)->size, 3);
	say_commit(0, 5);
	assert_int_equal(reply(0, WIRE_ACK)->size, 5);
	assert_int_equal(held()->durable.size, 12);
}

static void same_size_other_root_in_a_commit_is_a_fork(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 9);
	step(SERVER_EV_STORED, ERR_OK);
	message_commit(&said, &theirs, 77, 5, 9);
	hear(PEER);
	assert_int_equal(update.count, 1);
	assert_int_equal(update.actions[0].kind, SERVER_FREEZE);
	assert_true(bytes_equal(update.actions[0].note, said.frames[1]));
	step(SERVER_EV_STORED, ERR_OK);
	expect_refused("fork", 9);
	assert_int_equal(held()->refused[ERR_FORK], 1);
	assert_int_equal(held()->durable.size, 9);
}

static void a_smaller_size_with_another_root_is_a_fork(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 9);
	step(SERVER_EV_STORED, ERR_OK);
	message_commit(&said, &theirs, 77, 5, 7);
	hear(PEER);
	assert_int_equal(update.actions[0].kind, SERVER_FREEZE);
}

static void a_commit_that_overlaps_the_end_is_refused_as_old(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 9);
	say_commit(5, 12);
	expect_refused("old", 9);
	assert_int_equal(held()->pending.size, 9);
}

static void a_commit_that_continues_another_history_is_refused(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 9);
	step(SERVER_EV_STORED, ERR_OK);
	message_commit(&said, &theirs, 77, 9, 12);
	hear(PEER);
	expect_refused("root", 9);
	assert_int_equal(held()->state, LOG_ACTIVE); /* nothing of size 12 is held to compare */
}

static void an_altered_event_changes_nothing(void **state)
{
	(void)state;
	open_session(&ours, 20);
	message_commit(&said, &ours, 77, 0, 3);
	said.bufs[2].data[5] ^= 1;
	hear(PEER);
	expect_refused("root", 0);
	assert_int_equal(held()->pending.size, 0);
	assert_int_equal(held()->refused[ERR_ROOT], 1);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(update.count, 0);
}

static void a_record_of_another_region_is_refused(void **state)
{
	struct history h;

	(void)state;
	open_session(&ours, 20);
	history_begin(&h, "26", 1);
	history_add(&h, "pl24-op-1", "not ours");
	message_commit(&said, &h, 77, 0, 1);
	hear(PEER);
	expect_refused("owner", 0);
	history_end(&h);
}

static void what_failed_to_be_stored_is_refused_and_may_come_again(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 6);
	step(SERVER_EV_STORED, ERR_OK);
	say_commit(6, 9);
	say_commit(9, 12);
	step(SERVER_EV_FAILED, ERR_DISK_FULL);
	assert_int_equal(update.count, 1);
	expect_refused("disk-full", 6);
	assert_int_equal(held()->pending.size, 6);
	for (int i = 0; i <= PEER_REFUSALS_BURST; i++) { /* it was under way: no news, no fault */
		say_commit(12, 14);
		assert_int_equal(update.count, 0);
		now.ms += 10;
	}
	say_commit(6, 12);
	assert_int_equal(update.actions[0].kind, SERVER_APPEND);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(reply(0, WIRE_ACK)->size, 12);
	say_commit(14, 15);
	expect_refused("gap", 12);
}

static void a_failure_is_told_to_those_who_had_appends_only(void **state)
{
	(void)state;
	open_session(&ours, 20);
	message_hello(&said, &other, 3);
	hear_as(other.log, PEER_2, 80);
	message_anchor(&said, &other, 80, 0);
	hear_as(other.log, PEER_2, 81);
	say_commit(0, 6);
	step(SERVER_EV_FAILED, ERR_MAP_FULL);
	assert_int_equal(update.count, 1);
	assert_memory_equal(update.actions[0].peer, PEER, strlen(PEER));
}

/* ---- credit ---- */

static void a_peer_that_ignores_its_credit_is_cut_off(void **state)
{
	uint64_t bytes = 0;

	(void)state;
	open_session(&ours, 20);
	message_commit(&said, &ours, 77, 0, 6);
	bytes = commit_frames_size(said.frames + 2, said.count - 2);
	held()->credit_left = bytes;
	hear(PEER);
	assert_int_equal(update.actions[0].kind, SERVER_APPEND);
	assert_int_equal(held()->credit_left, 0);
	say_commit(6, 9);
	assert_int_equal(update.count, 2);
	expect_refused("credit", 6);
	assert_int_equal(update.actions[1].kind, SERVER_CLOSE);
	assert_memory_equal(update.actions[1].peer, PEER, strlen(PEER));
	assert_false(held()->open);
	assert_int_equal(held()->pending.size, 6);
}

static void an_ack_grants_what_was_taken_again(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 6);
	assert_true(held()->credit_left < CREDIT);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(held()->credit_left, CREDIT);
}

static void a_credit_too_small_for_a_commit_is_no_configuration(void **state)
{
	struct server_machine m;

	(void)state;
	assert_err(server_machine_init(&m, REALM, &nation.signer.key, COMMIT_BYTES_MAX - 1,
				       (struct server_lookup){.root = root}),
		   "argument");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_ack_is_sent_only_after_stored),
		TEST(one_ack_stands_for_all_commits_of_a_turn),
		TEST(a_hello_between_append_and_stored_is_welcomed_with_what_is_stored_then),
		TEST(a_hello_between_append_and_a_failure_is_welcomed_with_what_stands),
		TEST(a_gap_is_refused_with_the_size_expected),
		TEST(a_commit_of_another_session_is_refused),
		TEST(a_replay_is_harmless),
		TEST(a_replay_of_what_is_not_stored_yet_waits_for_stored),
		TEST(an_ack_never_says_more_than_the_session_showed),
		TEST(same_size_other_root_in_a_commit_is_a_fork),
		TEST(a_smaller_size_with_another_root_is_a_fork),
		TEST(a_commit_that_overlaps_the_end_is_refused_as_old),
		TEST(a_commit_that_continues_another_history_is_refused),
		TEST(an_altered_event_changes_nothing),
		TEST(a_record_of_another_region_is_refused),
		TEST(what_failed_to_be_stored_is_refused_and_may_come_again),
		TEST(a_failure_is_told_to_those_who_had_appends_only),
		TEST(a_peer_that_ignores_its_credit_is_cut_off),
		TEST(an_ack_grants_what_was_taken_again),
		TEST(a_credit_too_small_for_a_commit_is_no_configuration),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
