/* Rules of docs/PROTOCOL.md that the server keeps, each by its name: opening a session, trust. */
#include "session_server_fixture.h"

/* ---- HELLO ---- */

static void hello_is_answered_with_size_credit_and_limits(void **state)
{
	const struct wire_header *h = NULL;

	(void)state;
	server_holds(4);
	message_hello(&said, &ours, 9);
	hear(PEER);
	h = reply(0, WIRE_WELCOME);
	assert_int_equal(h->session, 77);
	assert_int_equal(h->size, 4);
	assert_int_equal(h->credit, CREDIT);
	assert_int_equal(h->commit_events, COMMIT_EVENTS_ASKED);
	assert_int_equal(h->commit_bytes, COMMIT_BYTES_ASKED);
	assert_true(update.actions[0].with_newest);
	assert_memory_equal(update.actions[0].peer, PEER, strlen(PEER));
	assert_int_equal(update.count, 2);
	assert_int_equal(update.actions[1].kind, SERVER_SEND_DUTIES);
	assert_int_equal(update.actions[1].session, 77);
	assert_memory_equal(update.actions[1].peer, PEER, strlen(PEER));
}

static void an_empty_log_has_no_checkpoint_to_show(void **state)
{
	(void)state;
	message_hello(&said, &ours, 0);
	hear(PEER);
	(void)reply(0, WIRE_WELCOME);
	assert_false(update.actions[0].with_newest);
}

static void another_protocol_is_refused(void **state)
{
	struct wire_header h = {.kind = WIRE_HELLO, .protocol = 2, .log = ours.log};

	(void)state;
	message_header(&said, &h);
	hear(PEER);
	expect_refused("version", 0);
}

static void a_hello_for_another_log_is_refused(void **state)
{
	(void)state;
	message_hello(&said, &other, 3);
	hear(PEER); /* with the key of 26 */
	expect_refused("owner", 0);
	assert_false(server_machine_log(&machine, other.log)->open);
}

/* Its keys may be newer than what is known here: the anchor has to verify. */
static void a_hello_by_unknown_keys_tells_nothing_and_its_anchor_is_refused(void **state)
{
	struct history thief;

	(void)state;
	server_holds(3);
	history_begin(&thief, "26", 9);
	history_grow(&thief, 3, "thief");
	message_hello(&said, &thief, 3);
	hear(PEER);
	(void)reply(0, WIRE_WELCOME);
	assert_int_equal(held()->state, LOG_ACTIVE);
	message_anchor(&said, &thief, 77, 3);
	hear(PEER);
	expect_refused("unknown-key", 3);
	assert_false(held()->anchored);
	history_end(&thief);
}

static void a_hello_whose_checkpoint_is_of_another_size_is_refused(void **state)
{
	struct wire_header h = {
		.kind = WIRE_HELLO, .protocol = WIRE_PROTOCOL, .log = ours.log, .size = 8};

	(void)state;
	message_header(&said, &h);
	message_note(&said, &ours, 7);
	hear(PEER);
	expect_refused("decode", 0);
	said.count = 1;
	hear(PEER);
	expect_refused("decode", 0);
}

static void a_new_hello_ends_the_older_session(void **state)
{
	(void)state;
	open_session(&ours, 9);
	message_hello(&said, &ours, 9);
	hear_as(ours.log, PEER_2, 78);
	assert_int_equal(reply(0, WIRE_WELCOME)->session, 78);
	say_commit(0, 3);
	expect_refused("session", 0);
}

static void a_key_that_no_log_is_enrolled_for_is_refused(void **state)
{
	struct log_name stranger = {"30"};

	(void)state;
	message_hello(&said, &ours, 0);
	hear_as(stranger, PEER, 77);
	expect_refused("unknown-key", 0);
	assert_int_equal(machine.refused_unknown[ERR_UNKNOWN_KEY], 1);
}

static void a_peer_without_a_usable_address_is_counted_only(void **state)
{
	(void)state;
	message_hello(&said, &ours, 0);
	hear("");
	assert_int_equal(update.count, 0);
	hear("seventeen-bytes-x");
	assert_int_equal(update.count, 0);
	assert_int_equal(machine.refused_unknown[ERR_ARGUMENT], 2);
}

/* ---- ANCHOR ---- */

static void an_anchor_stands_at_exactly_the_smaller_size(void **state)
{
	(void)state;
	server_holds(4);
	message_hello(&said, &ours, 9);
	hear(PEER);
	message_anchor(&said, &ours, 77, 3);
	hear(PEER);
	expect_refused("argument", 4);
	message_anchor(&said, &ours, 77, 4);
	hear(PEER);
	assert_int_equal(reply(0, WIRE_ACK)->size, 4);
	assert_true(held()->anchored);
}

static void an_anchor_of_a_node_that_is_behind_stands_at_its_size(void **state)
{
	(void)state;
	server_holds(9);
	open_session(&ours, 4);
	assert_int_equal(held()->agreed, 4);
}

static void commits_before_the_anchor_are_refused(void **state)
{
	(void)state;
	message_hello(&said, &ours, 9);
	hear(PEER);
	say_commit(0, 3);
	expect_refused("session", 0);
	assert_int_equal(held()->pending.size, 0);
}

static void different_roots_freeze_only_that_log(void **state)
{
	(void)state;
	server_holds(9);
	message_hello(&said, &theirs, 20); /* more than we hold: nothing to compare yet */
	hear(PEER);
	(void)reply(0, WIRE_WELCOME);
	message_anchor(&said, &theirs, 77, 9);
	hear(PEER);
	assert_int_equal(update.count, 1);
	assert_int_equal(update.actions[0].kind, SERVER_FREEZE);
	assert_true(log_name_equal(update.actions[0].log, ours.log));
	assert_true(bytes_equal(update.actions[0].note, said.frames[1]));
	assert_false(held()->open);
	step(SERVER_EV_STORED, ERR_OK);
	expect_refused("fork", 9);
	assert_int_equal(held()->state, LOG_FROZEN);
	assert_int_equal(server_machine_log(&machine, other.log)->state, LOG_ACTIVE);
	message_hello(&said, &other, 3);
	hear_as(other.log, PEER_2, 80);
	(void)reply(0, WIRE_WELCOME);
}

static void another_root_in_a_hello_is_a_fork(void **state)
{
	(void)state;
	server_holds(9);
	message_hello(&said, &theirs, 7);
	hear(PEER);
	assert_int_equal(update.actions[0].kind, SERVER_FREEZE);
}

static void a_frozen_log_hears_nothing(void **state)
{
	(void)state;
	held()->state = LOG_FROZEN;
	message_hello(&said, &ours, 3);
	hear(PEER);
	expect_refused("frozen", 0);
	assert_int_equal(held()->refused[ERR_FROZEN], 1);
}

static void a_freeze_is_told_only_after_stored_and_undone_when_it_failed(void **state)
{
	(void)state;
	server_holds(9);
	message_hello(&said, &theirs, 7);
	hear(PEER);
	assert_int_equal(update.actions[0].kind, SERVER_FREEZE);
	hear(PEER);
	expect_refused("again", 9);
	step(SERVER_EV_FAILED, ERR_DISK_FULL);
	expect_refused("disk-full", 9);
	assert_int_equal(held()->state, LOG_ACTIVE);
	hear(PEER);
	assert_int_equal(update.actions[0].kind, SERVER_FREEZE);
}

static void a_freeze_that_failed_brings_no_session_back(void **state)
{
	(void)state;
	server_holds(9);
	open_session(&ours, 9);
	message_anchor(&said, &theirs, 77, 9);
	hear(PEER);
	assert_int_equal(update.actions[0].kind, SERVER_FREEZE);
	assert_false(held()->open);
	step(SERVER_EV_FAILED, ERR_DISK_FULL);
	assert_int_equal(held()->state, LOG_ACTIVE);
	assert_false(held()->open);
	say_commit(9, 12);
	expect_refused("session", 9);
	assert_int_equal(held()->pending.size, 9);
}

static void a_log_that_an_administrator_freezes_has_no_session(void **state)
{
	(void)state;
	open_session(&ours, 20);
	assert_ok(server_machine_freeze(&machine, ours.log));
	assert_int_equal(held()->state, LOG_FROZEN);
	assert_false(held()->open);
	assert_err(server_machine_freeze(&machine, (struct log_name){"30"}), "not-found");
}

static void a_root_that_cannot_be_read_is_no_fork(void **state)
{
	(void)state;
	server_holds(9);
	disk_fails = true;
	message_hello(&said, &theirs, 7);
	hear(PEER);
	expect_refused("io", 9);
	assert_int_equal(held()->state, LOG_ACTIVE);
}

/* ---- FETCH, HEARTBEAT, silence ---- */

static void a_node_fetches_its_own_log(void **state)
{
	(void)state;
	server_holds(9);
	open_session(&ours, 4);
	message_header(&said,
		       &(struct wire_header){
			       .kind = WIRE_FETCH, .session = 77, .log = ours.log, .from = 4});
	hear(PEER);
	assert_int_equal(update.count, 1);
	assert_int_equal(update.actions[0].kind, SERVER_SEND_RANGE);
	assert_int_equal(update.actions[0].from, 4);
	assert_int_equal(update.actions[0].session, 77);
	assert_memory_equal(update.actions[0].peer, PEER, strlen(PEER));
}

static void a_node_cannot_fetch_another_log(void **state)
{
	(void)state;
	open_session(&ours, 4);
	message_header(&said,
		       &(struct wire_header){.kind = WIRE_FETCH, .session = 77, .log = other.log});
	hear(PEER);
	expect_refused("denied", 0);
}

static void a_heartbeat_is_answered_with_the_durable_size(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 6);
	message_header(&said,
		       &(struct wire_header){.kind = WIRE_HEARTBEAT, .session = 77, .size = 25});
	hear(PEER);
	assert_int_equal(reply(0, WIRE_HEARTBEAT)->size, 0);
	assert_int_equal(held()->claimed, 25);
}

static void a_silent_session_ends(void **state)
{
	(void)state;
	open_session(&ours, 20);
	now.ms += SERVER_SILENCE_MS;
	step(SERVER_EV_TICK, ERR_OK);
	assert_true(held()->open);
	now.ms += 1;
	step(SERVER_EV_TICK, ERR_OK);
	assert_false(held()->open);
	say_commit(0, 3);
	expect_refused("session", 0);
}

/* ---- trust ---- */

static void a_revoked_key_in_an_open_session_is_not_heard(void **state)
{
	(void)state;
	open_session(&ours, 20);
	assert_ok(server_machine_revoke(&machine, ours.log));
	say_commit(0, 6);
	expect_refused("denied", 0);
	assert_int_equal(held()->pending.size, 0);
	assert_int_equal(held()->refused[ERR_DENIED], 1);
	message_hello(&said, &ours, 20);
	hear(PEER);
	expect_refused("denied", 0);
	assert_err(server_machine_revoke(&machine, (struct log_name){"30"}), "not-found");
}

static void a_revoked_log_keeps_what_was_on_its_way_to_the_disk(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 6);
	assert_ok(server_machine_revoke(&machine, ours.log));
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(update.count, 0);
	assert_int_equal(held()->durable.size, 6);
}

static void enrolling_again_ends_the_session(void **state)
{
	struct card card;

	(void)state;
	open_session(&ours, 20);
	history_card(&ours, &card);
	assert_ok(server_machine_enrol(&machine, &card, &ours.trees[0], LOG_ACTIVE));
	assert_int_equal(machine.log_count, 2);
	say_commit(0, 6);
	expect_refused("session", 0);
}

static void a_card_of_another_realm_is_not_enrolled(void **state)
{
	struct card card;

	(void)state;
	history_card(&ours, &card);
	memcpy(card.realm, "x", 2);
	assert_err(server_machine_enrol(&machine, &card, &ours.trees[0], LOG_ACTIVE), "argument");
}

/* ---- odd frames ---- */

static void garbage_is_refused_and_counted(void **state)
{
	(void)state;
	open_session(&ours, 20);
	message_free(&said);
	hear(PEER); /* no frame at all */
	expect_refused("decode", 0);
	message_add(&said, bytes_of_text("\xff\xfe garbage"));
	hear(PEER);
	expect_refused("decode", 0);
	assert_int_equal(held()->refused[ERR_DECODE], 2);
	assert_true(held()->open);
}

static void an_oversized_header_is_refused(void **state)
{
	static uint8_t zeros[HEADER_BYTES_MAX + 1];

	(void)state;
	message_free(&said);
	message_add(&said, bytes_of(zeros, sizeof(zeros)));
	hear(PEER);
	expect_refused("limit", 0);
}

static void what_only_a_server_says_is_refused(void **state)
{
	(void)state;
	open_session(&ours, 20);
	message_header(&said, &(struct wire_header){.kind = WIRE_ACK, .session = 77, .size = 9});
	hear(PEER);
	expect_refused("decode", 0);
}

static void too_few_or_too_many_frames_are_refused(void **state)
{
	(void)state;
	open_session(&ours, 20);
	message_commit(&said, &ours, 77, 0, 3);
	said.count = 2;
	hear(PEER);
	expect_refused("decode", 0);
	message_commit(&said, &ours, 77, 0, 3);
	while (said.count < FRAMES_MAX)
		message_add(&said, bytes_of_text("x"));
	hear(PEER);
	expect_refused("decode", 0);
	message_anchor(&said, &ours, 77, 0);
	message_add(&said, bytes_of_text("x"));
	hear(PEER);
	expect_refused("decode", 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hello_is_answered_with_size_credit_and_limits),
		TEST(an_empty_log_has_no_checkpoint_to_show),
		TEST(another_protocol_is_refused),
		TEST(a_hello_for_another_log_is_refused),
		TEST(a_hello_by_unknown_keys_tells_nothing_and_its_anchor_is_refused),
		TEST(a_hello_whose_checkpoint_is_of_another_size_is_refused),
		TEST(a_new_hello_ends_the_older_session),
		TEST(a_key_that_no_log_is_enrolled_for_is_refused),
		TEST(a_peer_without_a_usable_address_is_counted_only),
		TEST(an_anchor_stands_at_exactly_the_smaller_size),
		TEST(an_anchor_of_a_node_that_is_behind_stands_at_its_size),
		TEST(commits_before_the_anchor_are_refused),
		TEST(different_roots_freeze_only_that_log),
		TEST(another_root_in_a_hello_is_a_fork),
		TEST(a_frozen_log_hears_nothing),
		TEST(a_freeze_is_told_only_after_stored_and_undone_when_it_failed),
		TEST(a_freeze_that_failed_brings_no_session_back),
		TEST(a_log_that_an_administrator_freezes_has_no_session),
		TEST(a_root_that_cannot_be_read_is_no_fork),
		TEST(a_node_fetches_its_own_log),
		TEST(a_node_cannot_fetch_another_log),
		TEST(a_heartbeat_is_answered_with_the_durable_size),
		TEST(a_silent_session_ends),
		TEST(a_revoked_key_in_an_open_session_is_not_heard),
		TEST(a_revoked_log_keeps_what_was_on_its_way_to_the_disk),
		TEST(enrolling_again_ends_the_session),
		TEST(a_card_of_another_realm_is_not_enrolled),
		TEST(garbage_is_refused_and_counted),
		TEST(an_oversized_header_is_refused),
		TEST(what_only_a_server_says_is_refused),
		TEST(too_few_or_too_many_frames_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
