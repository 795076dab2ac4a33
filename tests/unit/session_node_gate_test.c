/* The node's part of docs/PROTOCOL.md, each rule by its name: fetching back, and the gate. */
#include "session_node_fixture.h"

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
	a = needed(0, NODE_APPEND);
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

/* Nobody is there to fetch from: what these keys signed would be signed anew. */
static void a_store_below_its_mark_waits_without_servers_too(void **state)
{
	(void)state;
	begin(8, 9, true, 0);
	assert_true(node.gated);
	tick(NODE_BACKOFF_MOST_MS);
	assert_true(node.gated);
	assert_null(found(0, NODE_OPENED));
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

static void a_waived_server_that_shows_more_is_waited_for_while_it_is_there(void **state)
{
	struct node_event e;

	(void)state;
	begin(4, 9, true, 1);
	tick(0);
	welcome(0, 9);
	e = event_of(NODE_EV_WAIVE, 0);
	step(&e);
	assert_true(node.gated);
	ack(0, 4);
	assert_int_equal(node.links[0].phase, NODE_FETCHING);
	step(&e);
	assert_true(node.gated);
	fetch_range(4, 9);
	tree_event(NODE_EV_STORED, &ours, 9);
	assert_false(node.gated);
}

static void a_server_that_proved_more_and_went_away_is_waited_for(void **state)
{
	(void)state;
	begin(4, 4, true, 1);
	meet(0, 4);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	tick(NODE_SILENCE_MS);
	meet(0, 9);
	assert_true(node.gated);
	tick(NODE_SILENCE_MS);
	assert_int_equal(node.links[0].phase, NODE_AWAY);
	assert_true(node.gated);
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

/* ---- a server that is heard, and brings nothing ---- */

static void say_heartbeat(size_t link, uint64_t size)
{
	hear_header(link, (struct wire_header){
				  .kind = WIRE_HEARTBEAT, .session = SESSION + link, .size = size});
}

static void a_server_that_sends_nothing_of_what_it_holds_is_dropped_for_another(void **state)
{
	int64_t began_ms = 0;

	(void)state;
	begin(4, 30, true, 2);
	meet(0, 30);
	meet(1, 20);
	assert_int_equal(node.fetcher, 0);
	for (began_ms = now_ms; node.fetcher == 0; tick(1000)) {
		say_heartbeat(0, 30);
		say_heartbeat(1, 20);
		assert_true(now_ms - began_ms <= NODE_STALLED_MS);
	}
	assert_int_equal(node.links[0].phase, NODE_AWAY);
	tick(1000); /* the other's time begins now */
	assert_int_equal(node.fetcher, 1);
	message_range(&said, &ours, SESSION + 1, 4, 20);
	hear(1);
	(void)needed(1, NODE_APPEND);
	tree_event(NODE_EV_STORED, &ours, 20);
	assert_int_equal(node.links[1].phase, NODE_LIVE);
	assert_true(node.gated); /* the first proved that it holds more */
	waive(0);
	assert_false(node.gated);
	welcome(0, 30); /* says the same again */
	ack(0, 4);      /* to a HELLO of before; now ours is shown at 20 */
	welcome(0, 30);
	ack(0, 20);
	assert_false(node.gated);
	message_range(&said, &ours, SESSION, 20, 30);
	hear(0); /* and sends it after all */
	(void)needed(0, NODE_APPEND);
	assert_true(node.gated);
	tree_event(NODE_EV_STORED, &ours, 30);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	assert_false(node.gated);
	tick(NODE_SILENCE_MS);
	tick(NODE_BACKOFF_MOST_MS);
	welcome(0, 35); /* it did send, so it is waited for again */
	assert_true(node.gated);
}

static void a_server_that_sends_slowly_is_not_dropped_while_each_range_comes(void **state)
{
	(void)state;
	begin(4, 30, true, 1);
	meet(0, 30);
	for (uint64_t size = 5; size < 10; size++) {
		for (int i = 0; i < 25; i++) {
			say_heartbeat(0, 30);
			tick(1000);
			assert_int_equal(node.links[0].phase, NODE_FETCHING);
		}
		fetch_range(size - 1, size);
		tree_event(NODE_EV_STORED, &ours, size);
	}
	assert_int_equal(node.links[0].phase, NODE_FETCHING);
}

/* One RANGE in 6 seconds, also of what was asked for again meanwhile. */
static void a_line_that_is_slow_is_not_taken_for_a_server_that_stalls(void **state)
{
	uint64_t asked[512] = {0};
	size_t said_count = 0, sent_count = 0;
	int64_t began_ms = 0, free_ms = 0;
	const struct node_action *again = NULL;

	(void)state;
	begin(4, 30, true, 1);
	meet(0, 30);
	waive(0);
	began_ms = now_ms;
	free_ms = now_ms + 6000;
	asked[said_count++] = 4;
	while (node.size < 12) {
		assert_true(now_ms - began_ms < 300000);
		if (sent_count < said_count && now_ms >= free_ms) {
			uint64_t from = asked[sent_count++];

			free_ms = now_ms + 6000;
			message_range(&said, &ours, SESSION, from, from + 1);
			hear(0);
			if (found(0, NODE_APPEND))
				tree_event(NODE_EV_STORED, &ours, from + 1);
		} else {
			tick(250);
		}
		again = found(0, NODE_SEND);
		if (again && again->header.kind == WIRE_FETCH) {
			if (sent_count == said_count)
				free_ms = now_ms + 6000;
			assert_true(said_count < 512);
			asked[said_count++] = again->header.from;
		}
		assert_int_equal(node.links[0].phase, NODE_FETCHING);
		assert_true(node.gated);
	}
}

/* One that sends what was sent already, as often as it likes, and now and then something new. */
static void old_ranges_keep_a_server_the_fetcher_for_a_while_only(void **state)
{
	(void)state;
	begin(4, 30, true, 1);
	tick(NODE_NOTHING_NEW_MS);
	meet(0, 30);
	tick(1000);
	for (uint64_t size = 5; size <= 9; size++) {
		int64_t began_ms = now_ms;

		fetch_range(size - 1, size);
		assert_non_null(found(0, NODE_APPEND));
		tree_event(NODE_EV_STORED, &ours, size);
		while (size < 9 && now_ms - began_ms < NODE_NOTHING_NEW_MS - 30000) {
			say_heartbeat(0, 30);
			tick(5000);
			if ((now_ms - began_ms) % 25000 == 0)
				fetch_range(4, 5);
		}
	}
	for (int64_t began_ms = now_ms; node.links[0].phase == NODE_FETCHING; tick(1000)) {
		fetch_range(4, 9);
		assert_true(now_ms - began_ms <= NODE_NOTHING_NEW_MS);
	}
	assert_int_equal(node.links[0].phase, NODE_AWAY);
	assert_true(node.links[0].stalled);
}

static void a_waiver_does_not_open_the_gate_while_one_that_stalled_before_is_asked(void **state)
{
	(void)state;
	begin(4, 30, true, 1);
	tick(0);
	for (int i = 0; node.links[0].phase != NODE_AWAY; i++) {
		assert_true(i < 60);
		if (node.links[0].phase == NODE_GREETING)
			welcome(0, 30);
		tick(1000);
	}
	meet(0, 30);
	assert_int_equal(node.links[0].phase, NODE_FETCHING);
	waive(0);
	assert_true(node.gated);
	fetch_range(4, 30);
	tree_event(NODE_EV_STORED, &ours, 30);
	assert_false(node.gated);
}

static void one_that_stalled_and_is_waived_counts_again_once_it_sent_something(void **state)
{
	(void)state;
	begin(4, 30, true, 1);
	meet(0, 30);
	while (node.links[0].phase == NODE_FETCHING) {
		say_heartbeat(0, 30);
		tick(1000);
	}
	assert_true(node.gated);
	waive(0);
	assert_false(node.gated);
	for (int session = 0; session < 3; session++) {
		meet(0, 30);
		assert_int_equal(node.links[0].phase, NODE_FETCHING);
		assert_false(node.gated);
		tick(NODE_SILENCE_MS);
		assert_int_equal(node.links[0].phase, NODE_AWAY);
		assert_false(node.gated);
	}
	meet(0, 30);
	fetch_range(4, 9);
	assert_true(node.gated);
	tree_event(NODE_EV_STORED, &ours, 9);
	assert_true(node.gated);
}

static void a_duty_that_is_not_done_does_not_keep_a_stalled_server_the_fetcher(void **state)
{
	int64_t began_ms = 0;

	(void)state;
	begin(4, 30, true, 1);
	meet(0, 30);
	for (began_ms = now_ms; node.links[0].phase == NODE_FETCHING; tick(1000)) {
		struct node_event undone = event_of(NODE_EV_UNDONE, 0);

		if (now_ms == began_ms)
			step(&undone);
		say_heartbeat(0, 30);
		assert_true(now_ms - began_ms <= NODE_STALLED_MS);
	}
	assert_int_equal(node.links[0].phase, NODE_AWAY);
	assert_true(node.links[0].stalled);
}

static void a_server_that_never_answers_an_anchor_is_dropped(void **state)
{
	int64_t began_ms = 0;

	(void)state;
	begin(4, 30, true, 1);
	tick(0);
	for (began_ms = now_ms; node.links[0].phase != NODE_AWAY; tick(1000)) {
		if (node.links[0].phase == NODE_GREETING)
			welcome(0, 30);
		assert_true(now_ms - began_ms <= NODE_STALLED_MS);
	}
	while (node.links[0].phase != NODE_GREETING)
		tick(1000);
	welcome(0, 30); /* says the same again */
	assert_true(node.gated);
	waive(0);
	assert_false(node.gated);
}

static void a_server_is_not_dropped_for_what_could_not_be_stored_here(void **state)
{
	(void)state;
	begin(4, 30, true, 1);
	meet(0, 30);
	for (int i = 0; i < 20; i++) {
		struct node_event failed = event_of(NODE_EV_FAILED, 0);

		fetch_range(4, 9);
		(void)needed(0, NODE_APPEND);
		step(&failed);
		say_heartbeat(0, 30);
		tick(NODE_AGAIN_MOST_MS);
		assert_int_equal(node.links[0].phase, NODE_FETCHING);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		TEST(a_store_below_its_mark_waits_without_servers_too),
		TEST(a_waived_server_is_not_waited_for),
		TEST(a_server_that_proves_more_closes_the_gate_until_fetched),
		TEST(an_edit_before_the_server_answered_is_shown_at_the_anchor),
		TEST(a_waived_server_that_comes_back_with_more_closes_the_gate),
		TEST(a_waived_server_that_shows_more_is_waited_for_while_it_is_there),
		TEST(a_server_that_proved_more_and_went_away_is_waited_for),
		TEST(a_larger_heartbeat_is_asked_to_prove_it),
		TEST(a_server_that_sends_nothing_of_what_it_holds_is_dropped_for_another),
		TEST(a_server_that_sends_slowly_is_not_dropped_while_each_range_comes),
		TEST(a_line_that_is_slow_is_not_taken_for_a_server_that_stalls),
		TEST(old_ranges_keep_a_server_the_fetcher_for_a_while_only),
		TEST(one_that_stalled_and_is_waived_counts_again_once_it_sent_something),
		TEST(a_waiver_does_not_open_the_gate_while_one_that_stalled_before_is_asked),
		TEST(a_duty_that_is_not_done_does_not_keep_a_stalled_server_the_fetcher),
		TEST(a_server_that_never_answers_an_anchor_is_dropped),
		TEST(a_server_is_not_dropped_for_what_could_not_be_stored_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
