/* What the holder of one key may do at a server, and what becomes of who does more. */
#include "session_server_fixture.h"

#include "base/limits.h"
#include "session/server_turn.h"

/* A message by a numbered connection, when so many have been let in. */
static void hear_by(uint64_t connection, uint64_t connections, const char *peer)
{
	struct server_event e = {
		.kind = SERVER_EV_MESSAGE,
		.now = now,
		.peer = bytes_of_text(peer),
		.user = ours.log,
		.frames = said.frames,
		.frame_count = said.count,
		.connection = connection,
		.connections = connections,
		.new_session = 77,
	};

	server_step(&machine, &e, &update);
}

static const struct server_action *closing(void)
{
	return found(SERVER_CLOSE);
}

static void expect_cut_off(uint64_t through)
{
	const struct server_action *a = needed(SERVER_CLOSE);

	assert_true(a->cut_off);
	assert_int_equal(a->connection, through);
	assert_false(held()->open);
}

static void say(struct wire_header header)
{
	message_header(&said, &header);
}

static void heartbeat(void)
{
	say((struct wire_header){.kind = WIRE_HEARTBEAT, .session = 77});
}

static void a_burst_of_messages_is_heard_and_one_more_is_cut_off(void **state)
{
	(void)state;
	open_session(&ours, 20);
	heartbeat();
	now.ms += 60000; /* what opening took is forgotten */
	for (int i = 0; i < PEER_MESSAGES_BURST; i++) {
		hear_by(1, 3, PEER);
		assert_null(closing());
	}
	hear_by(1, 3, PEER);
	expect_refused("rate", 0);
	expect_cut_off(3);
	assert_int_equal(held()->refused[ERR_RATE], 1);
}

static void a_steady_rate_is_never_cut_off(void **state)
{
	(void)state;
	open_session(&ours, 20);
	heartbeat();
	for (int i = 0; i < 100000; i++) {
		now.ms += 2; /* 500 a second */
		hear_by(1, 1, PEER);
		assert_null(closing());
	}
}

/* What follows a failure of the server's own is no fault: nothing else bounds it. */
static void more_bytes_than_a_node_has_reason_to_say_are_cut_off(void **state)
{
	static const uint8_t zeroes[FRAME_BYTES_MAX];
	const uint64_t each = (uint64_t)COMMIT_FRAMES_MAX * FRAME_BYTES_MAX;
	const uint64_t at_once = ((uint64_t)PEER_MIB_BURST + PEER_MIB_PER_S / 4) * 1024 * 1024;
	uint64_t count = 0;

	(void)state;
	open_session(&ours, 20);
	say_commit(0, 3);
	step(SERVER_EV_FAILED, ERR_DISK_FULL);
	now.ms += 60000;
	message_commit(&said, &ours, 77, 3, 4);
	said.count--;
	for (int i = 0; i < COMMIT_FRAMES_MAX; i++)
		message_add(&said, bytes_of(zeroes, sizeof zeroes));
	for (; count < at_once / each - 1; count++) {
		if (count == PEER_MESSAGES_BURST / 2)
			now.ms += 250;
		hear_by(1, 3, PEER);
		assert_null(closing());
	}
	hear_by(1, 3, PEER);
	expect_refused("rate", 0);
	assert_non_null(strstr(update.actions[0].header.text, "bytes"));
	expect_cut_off(3);
}

static void hello_again_and_again_is_cut_off(void **state)
{
	(void)state;
	message_hello(&said, &ours, 20);
	for (int i = 0; i < PEER_HELLOS_BURST; i++) {
		hear_by(1, 1, PEER);
		assert_null(closing());
	}
	hear_by(1, 1, PEER);
	expect_refused("rate", 0);
	expect_cut_off(1);
}

static void fetching_again_and_again_waits(void **state)
{
	(void)state;
	server_holds(6);
	open_session(&ours, 20);
	say((struct wire_header){.kind = WIRE_FETCH, .session = 77, .log = ours.log, .from = 2});
	for (int i = 0; i < PEER_FETCHES_BURST; i++) {
		hear_by(1, 1, PEER);
		assert_int_equal(needed(SERVER_SEND_RANGE)->from, 2);
	}
	for (int i = 0; i < 100; i++) {
		hear_by(1, 1, PEER);
		assert_int_equal(update.count, 0);
	}
	/* The newest question is answered when its time has come, and once. */
	say((struct wire_header){.kind = WIRE_FETCH, .session = 77, .log = ours.log, .from = 5});
	hear_by(1, 1, PEER);
	now.ms += 1000;
	step(SERVER_EV_TICK, ERR_OK);
	assert_int_equal(needed(SERVER_SEND_RANGE)->from, 5);
	assert_int_equal(needed(SERVER_SEND_RANGE)->session, 77);
	assert_memory_equal(needed(SERVER_SEND_RANGE)->peer, PEER, strlen(PEER));
	now.ms += 1000;
	step(SERVER_EV_TICK, ERR_OK);
	assert_null(found(SERVER_SEND_RANGE));
}

static void too_many_refusals_are_the_last(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say((struct wire_header){.kind = WIRE_HEARTBEAT, .session = 78});
	now.ms += 60000;
	for (int i = 0; i < PEER_REFUSALS_BURST; i++) {
		hear_by(1, 1, PEER);
		expect_refused("session", 0);
		assert_null(closing());
	}
	hear_by(1, 1, PEER);
	expect_refused("rate", 0);
	expect_cut_off(1);
}

static void what_a_peer_that_was_cut_off_sends_is_not_answered(void **state)
{
	(void)state;
	open_session(&ours, 20);
	held()->credit_left = 0;
	message_commit(&said, &ours, 77, 0, 6);
	hear_by(2, 5, PEER);
	expect_refused("credit", 0);
	expect_cut_off(5);
	message_hello(&said, &ours, 20);
	for (uint64_t old = 1; old <= 5; old++) {
		hear_by(old, 6, PEER);
		assert_int_equal(update.count, 0);
	}
	/* A connection that was let in after the penalty speaks again. */
	hear_by(6, 6, PEER);
	assert_int_equal(reply(update.count - 2, WIRE_WELCOME)->session, 77);
}

static void a_message_with_too_many_frames_is_refused(void **state)
{
	struct server_event e = {.kind = SERVER_EV_MESSAGE,
				 .peer = bytes_of_text(PEER),
				 .user = ours.log,
				 .excess = true};

	(void)state;
	open_session(&ours, 20);
	message_commit(&said, &ours, 77, 0, 6);
	e.now = now;
	e.frames = said.frames;
	e.frame_count = said.count;
	server_step(&machine, &e, &update);
	expect_refused("limit", 0);
	assert_int_equal(held()->pending.size, 0);
}

static void a_new_session_ends_the_connections_before_it(void **state)
{
	const struct server_action *a = NULL;

	(void)state;
	message_hello(&said, &ours, 20);
	hear_by(4, 4, PEER);
	hear_by(7, 7, "other");
	a = needed(SERVER_CLOSE);
	assert_false(a->cut_off);
	assert_int_equal(a->connection, 6);
	hear_by(4, 7, PEER);
	assert_int_equal(update.count, 0);
}

static void a_hello_that_is_refused_ends_nothing(void **state)
{
	(void)state;
	message_hello(&said, &ours, 20);
	hear_by(4, 4, PEER);
	say((struct wire_header){.kind = WIRE_HELLO, .protocol = 77, .log = ours.log});
	hear_by(7, 7, "other");
	expect_refused("version", 0);
	assert_null(closing());
	assert_true(held()->open);
}

static void a_commit_larger_than_asked_for_is_taken_now_and_then(void **state)
{
	(void)state;
	machine.commit_events = 4;
	open_session(&ours, 20);
	say_commit(0, 6);
	assert_int_equal(needed(SERVER_APPEND)->commit->count, 6);
	say_commit(6, 11);
	expect_refused("busy", 6);
	say_commit(6, 10); /* as many as it asks for: at any time */
	assert_int_equal(needed(SERVER_APPEND)->commit->count, 4);
	now.ms += PEER_LARGE_COMMIT_S * 1000 - 1;
	say_commit(10, 15);
	expect_refused("busy", 10);
	now.ms += 1;
	say_commit(10, 15);
	assert_int_equal(needed(SERVER_APPEND)->commit->count, 5);
	machine.commit_bytes = 10;
	say_commit(15, 16);
	expect_refused("busy", 15);
}

/* Else its node would send it again and again: its time never comes. */
static void a_commit_that_no_server_takes_is_refused_for_that_and_not_put_off(void **state)
{
	static const uint8_t zeros[FRAME_BYTES_MAX];

	(void)state;
	machine.commit_events = 4;
	open_session(&ours, 20);
	say_commit(0, 6);
	assert_int_equal(needed(SERVER_APPEND)->commit->count, 6);
	held()->credit_left = 4 * COMMIT_BYTES_MAX;
	message_commit(&said, &ours, 77, 6, 8);
	for (size_t size = 0; size < COMMIT_BYTES_MAX; size += sizeof(zeros))
		message_add(&said, bytes_of(zeros, sizeof(zeros)));
	hear(PEER);
	expect_refused("limit", 6);
	say((struct wire_header){
		.kind = WIRE_COMMIT, .session = 77, .from = 6, .count = COMMIT_EVENTS_MAX + 1});
	message_note(&said, &ours, 8);
	message_events(&said, &ours, 6, 8);
	hear(PEER);
	expect_refused("limit", 6);
}

enum { WORK_BURST = PEER_WORK_MIB_BURST * 1024 * 1024 };

static void acknowledgements_wait_until_the_work_is_forgotten(void **state)
{
	uint64_t credit = 0;
	int64_t begun = 0;

	(void)state;
	open_session(&ours, 20);
	say_commit(0, 3);
	assert_true(held()->work_due >= 3U * EVENT_WORK_BYTES);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(reply(0, WIRE_ACK)->size, 3);
	assert_false(server_machine_waits(&machine));
	held()->work_due = (uint64_t)WORK_BURST * 160; /* none of it is forgiven */
	credit = held()->credit_left;
	say_commit(3, 6);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(update.count, 0);
	assert_int_equal(held()->durable.size, 6);
	assert_true(server_machine_waits(&machine));
	/* Neither what is said twice nor an anchor brings the credit back before. */
	say_commit(3, 6);
	assert_int_equal(update.count, 0);
	message_anchor(&said, &ours, 77, 0);
	hear(PEER);
	assert_null(found(SERVER_SEND));
	assert_true(held()->credit_left < credit);
	begun = now.ms;
	while (server_machine_waits(&machine)) {
		assert_null(found(SERVER_SEND));
		now.ms += 100;
		assert_true(now.ms - begun <= 20200);
		step(SERVER_EV_TICK, ERR_OK);
	}
	assert_true(now.ms - begun >= 19000); /* 160 MiB, of which one comes at once */
	assert_int_equal(reply(0, WIRE_ACK)->size, 6);
	assert_int_equal(held()->credit_left, credit);
	assert_false(server_machine_waits(&machine));
}

/* Another log's full disk, or a map that grew, is nothing to whom the disk has already. */
static void what_waits_for_its_acknowledgement_is_not_refused_by_a_later_failure(void **state)
{
	(void)state;
	open_session(&ours, 20);
	held()->work_due = (uint64_t)WORK_BURST * 2;
	say_commit(0, 3);
	step(SERVER_EV_STORED, ERR_OK);
	assert_true(server_machine_waits(&machine));
	step(SERVER_EV_FAILED, ERR_DISK_FULL);
	assert_null(found(SERVER_SEND));
	for (int i = 0; i < 2; i++) {
		now.ms += 4000;
		step(SERVER_EV_TICK, ERR_OK);
	}
	assert_int_equal(held()->durable.size, 3);
	assert_false(server_machine_waits(&machine));
}

static void what_is_said_twice_or_refused_is_work_as_well(void **state)
{
	uint64_t work = 0;

	(void)state;
	open_session(&ours, 20);
	say_commit(0, 3);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(held()->work_due, 0);
	held()->work_due = (uint64_t)WORK_BURST * 2;
	work = held()->work_due;
	say_commit(0, 3);
	assert_true(held()->work_due > work - (uint64_t)WORK_BURST);
	work = held()->work_due;
	message_commit(&said, &ours, 77, 5, 6);
	hear(PEER);
	expect_refused("gap", 3);
	assert_true(held()->work_due > work);
}

/* Each event is as many changes as one may have, with a long reason: some 2.5 MiB of work. */
static void grow_heavy(struct history *h, size_t count)
{
	static struct change changes[EVENT_CHANGES_MAX];
	static char ids[EVENT_CHANGES_MAX][24];
	static char reason[REASON_BYTES_MAX + 1];

	memset(reason, 'r', REASON_BYTES_MAX);
	for (size_t i = 0; i < EVENT_CHANGES_MAX; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "pl26-op-%zu", i);
		changes[i] =
			(struct change){.id = ids[i], .kind = RECORD_OPERATOR, .retired = true};
	}
	while (count--)
		history_add_event(h, (struct event){.reason = reason,
						    .change_count = EVENT_CHANGES_MAX,
						    .changes = changes});
}

static void a_commit_of_too_much_work_is_refused_and_what_was_read_of_it_counts(void **state)
{
	static struct history heavy;
	const uint64_t each = EVENT_WORK_BYTES + (uint64_t)(EVENT_CHANGES_MAX - 1) *
							 (CHANGE_WORK_BYTES + REASON_BYTES_MAX);
	const uint64_t most = COMMIT_WORK_MAX / each;

	(void)state;
	history_begin(&heavy, "26", 1);
	grow_heavy(&heavy, most + 1);
	open_session(&heavy, most + 1);
	message_commit(&said, &heavy, 77, 0, most + 1);
	hear(PEER);
	expect_refused("limit", 0);
	assert_non_null(strstr(update.actions[0].header.text, "more changes"));
	assert_true(held()->work_due > (uint64_t)COMMIT_WORK_MAX - (uint64_t)WORK_BURST);
	now.ms += PEER_LARGE_COMMIT_S * 1000;
	message_commit(&said, &heavy, 77, 0, most);
	hear(PEER);
	assert_int_equal(needed(SERVER_APPEND)->commit->work, most * each);
	history_end(&heavy);
}

/* Says the message so often as nothing new may be said, and once more. */
static void expect_cut_off_when_said_again(const char *peer)
{
	for (int i = 0; i < PEER_REFUSALS_BURST; i++) {
		hear(peer);
		assert_null(found(SERVER_CLOSE));
	}
	hear(peer);
	assert_true(needed(SERVER_CLOSE)->cut_off);
	expect_refused("rate", held()->pending.size);
}

static void who_says_the_same_commit_again_and_again_is_cut_off(void **state)
{
	(void)state;
	open_session(&ours, 20);
	say_commit(0, 3);
	step(SERVER_EV_STORED, ERR_OK);
	message_commit(&said, &ours, 77, 0, 3);
	expect_cut_off_when_said_again(PEER);
}

static void who_anchors_again_and_again_is_cut_off(void **state)
{
	(void)state;
	open_session(&ours, 20);
	message_anchor(&said, &ours, 77, 0);
	expect_cut_off_when_said_again(PEER);
}

static void what_a_log_says_next_waits_while_it_owes(void **state)
{
	(void)state;
	open_session(&ours, 20);
	assert_false(server_machine_owes(&machine, ours.log, now));
	held()->work_due = (uint64_t)WORK_BURST * 3 / 2;
	assert_true(server_machine_owes(&machine, ours.log, now));
	assert_false(server_machine_owes(&machine, other.log, now));
	assert_false(server_machine_owes(&machine, (struct log_name){"30"}, now));
	now.ms += 2 * 1000 * PEER_WORK_MIB_BURST / PEER_WORK_MIB_PER_S;
	assert_false(server_machine_owes(&machine, ours.log, now));
}

static void a_session_begins_when_the_work_before_it_is_forgotten(void **state)
{
	(void)state;
	open_session(&ours, 20);
	held()->work_due = WORK_BURST;
	assert_true(server_paid(&machine, held(), now));
	held()->work_due = 1;
	message_hello(&said, &ours, 20);
	hear(PEER);
	assert_null(found(SERVER_SEND));
	now.ms += 1;
	step(SERVER_EV_TICK, ERR_OK);
	assert_int_equal(reply(0, WIRE_WELCOME)->session, 77);
}

static void a_key_connects_so_often_and_then_waits(void **state)
{
	(void)state;
	for (int i = 0; i < PEER_HANDSHAKES_BURST; i++)
		assert_true(server_machine_admit(&machine, ours.log, now));
	assert_false(server_machine_admit(&machine, ours.log, now));
	assert_int_equal(held()->refused[ERR_RATE], 1);
	now.ms += 1000 / PEER_HANDSHAKES_PER_S;
	assert_true(server_machine_admit(&machine, ours.log, now));
	assert_false(server_machine_admit(&machine, (struct log_name){"30"}, now));
}

/* How long the key stays out, to the millisecond. */
static int64_t penalty_ms(void)
{
	int64_t begun = now.ms;

	while (!server_machine_admit(&machine, ours.log, now))
		now.ms++;
	return now.ms - begun;
}

static void a_penalty_doubles_to_a_bound_and_is_forgotten(void **state)
{
	int64_t expected = PEER_PENALTY_MS;

	(void)state;
	for (int i = 0; i < 12; i++) {
		server_machine_cut_off(&machine, ours.log, 1, now);
		assert_int_equal(penalty_ms(), expected);
		expected = expected * 2 < PEER_PENALTY_MS_MAX ? expected * 2 : PEER_PENALTY_MS_MAX;
	}
	assert_int_equal(expected, PEER_PENALTY_MS_MAX);
	now.ms += PEER_PENALTY_FORGOTTEN_MS;
	server_machine_cut_off(&machine, ours.log, 1, now);
	assert_int_equal(penalty_ms(), PEER_PENALTY_MS);
}

static void a_clock_put_back_shuts_nobody_out_for_long(void **state)
{
	(void)state;
	server_machine_cut_off(&machine, ours.log, 1, now);
	assert_false(server_machine_admit(&machine, ours.log, now));
	now.ms -= 86400000;
	assert_true(server_machine_admit(&machine, ours.log, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_burst_of_messages_is_heard_and_one_more_is_cut_off),
		TEST(a_steady_rate_is_never_cut_off),
		TEST(more_bytes_than_a_node_has_reason_to_say_are_cut_off),
		TEST(hello_again_and_again_is_cut_off),
		TEST(fetching_again_and_again_waits),
		TEST(too_many_refusals_are_the_last),
		TEST(what_a_peer_that_was_cut_off_sends_is_not_answered),
		TEST(a_message_with_too_many_frames_is_refused),
		TEST(a_new_session_ends_the_connections_before_it),
		TEST(a_hello_that_is_refused_ends_nothing),
		TEST(a_commit_larger_than_asked_for_is_taken_now_and_then),
		TEST(a_commit_that_no_server_takes_is_refused_for_that_and_not_put_off),
		TEST(acknowledgements_wait_until_the_work_is_forgotten),
		TEST(what_waits_for_its_acknowledgement_is_not_refused_by_a_later_failure),
		TEST(what_is_said_twice_or_refused_is_work_as_well),
		TEST(a_commit_of_too_much_work_is_refused_and_what_was_read_of_it_counts),
		TEST(who_says_the_same_commit_again_and_again_is_cut_off),
		TEST(who_anchors_again_and_again_is_cut_off),
		TEST(what_a_log_says_next_waits_while_it_owes),
		TEST(a_session_begins_when_the_work_before_it_is_forgotten),
		TEST(a_key_connects_so_often_and_then_waits),
		TEST(a_penalty_doubles_to_a_bound_and_is_forgotten),
		TEST(a_clock_put_back_shuts_nobody_out_for_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
