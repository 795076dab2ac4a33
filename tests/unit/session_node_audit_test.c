/* The node's part of docs/PROTOCOL.md, each rule by its name: witnessing, duties, distrust, keys
 * that changed, erased events. */
#include "session_node_fixture.h"

/* An OFFER or DUTY of the link's session in `frames` frames. */
static void ask(size_t link, enum wire_kind kind, uint64_t session, size_t frames)
{
	message_header(&said, &(struct wire_header){
				      .kind = kind, .session = session, .from = 3, .size = 8});
	while (said.count < frames)
		message_add(&said, bytes_of_text("x"));
	hear(link);
}

/* ---- what a server asks for ---- */

static void an_offer_is_handed_on_to_be_witnessed(void **state)
{
	const struct node_action *a = NULL;

	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	ask(0, WIRE_OFFER, SESSION, 4);
	a = expect(0, NODE_WITNESS, WIRE_OFFER);
	assert_int_equal(a->header.session, SESSION);
	assert_int_equal(a->header.from, 3);
	assert_int_equal(a->header.size, 8);
	assert_int_equal(a->frame_count, 4);
	assert_ptr_equal(a->frames, said.frames);
}

static void a_duty_is_handed_on_to_be_carried_out(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	welcome(0, 9);
	ask(0, WIRE_DUTY, SESSION, 4); /* before the anchor: a RANGE may need it */
	assert_int_equal(expect(0, NODE_CARRY_OUT, WIRE_DUTY)->frame_count, 4);
}

/* Heartbeats of the server keep the session for so long. */
static void pass(int64_t ms)
{
	for (; ms > 0; ms -= 1000) {
		hear_header(0, (struct wire_header){
				       .kind = WIRE_HEARTBEAT, .session = SESSION, .size = 9});
		tick(1000);
		assert_int_equal(node.links[0].phase, NODE_LIVE);
	}
}

static void a_duty_that_had_no_room_is_told_again_in_a_new_session(void **state)
{
	struct node_event undone;

	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	undone = event_of(NODE_EV_UNDONE, 0);
	step(&undone);
	pass(NODE_UNDONE_MS - 1000);
	tick(1000);
	(void)expect(0, NODE_SEND_SIGNED, WIRE_HELLO);
	meet(0, 9);
	pass((int64_t)2 * NODE_UNDONE_MS); /* and that is all */
}

static void what_is_asked_outside_the_session_or_in_another_form_is_not_heard(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 9);
	ask(0, WIRE_OFFER, 1, 4);
	assert_int_equal(update.count, 0);
	ask(0, WIRE_OFFER, SESSION, 3);
	assert_int_equal(update.count, 0);
	ask(0, WIRE_DUTY, SESSION, 5);
	assert_int_equal(update.count, 0);
	ask(0, WIRE_DUTY, 1, 4);
	assert_int_equal(update.count, 0);
}

static void the_ministry_does_not_witness(void **state)
{
	struct history ministry;

	(void)state;
	history_begin(&ministry, "PL", 4);
	assert_ok(node_machine_init(&node, ministry.log, &LOOKUP, &ministry.trees[0], 0, true, 1));
	meet(0, 0);
	ask(0, WIRE_OFFER, SESSION, 4);
	assert_null(found(0, NODE_WITNESS));
	history_end(&ministry);
}

static void a_frozen_log_is_told_its_duties_and_nothing_else(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	hear_header(0, (struct wire_header){.kind = WIRE_REFUSED, .code = ERR_FROZEN});
	assert_int_equal(node.links[0].phase, NODE_FROZEN);
	ask(0, WIRE_DUTY, 0, 4);
	assert_int_equal(expect(0, NODE_CARRY_OUT, WIRE_DUTY)->frame_count, 4);
	assert_int_equal(node.links[0].phase, NODE_FROZEN);
	ask(0, WIRE_DUTY, 0, 3);
	assert_int_equal(update.count, 0);
	ask(0, WIRE_DUTY, SESSION, 4); /* when it was released with another history than ours */
	(void)expect(0, NODE_CARRY_OUT, WIRE_DUTY);
	ask(0, WIRE_OFFER, 0, 4);
	assert_int_equal(update.count, 0);
	ack(0, 9);
	assert_int_equal(update.count, 0);
	assert_int_equal(node.links[0].phase, NODE_FROZEN);
}

static void duties_of_a_distrusted_server_are_not_heard(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	tick(0);
	hear_header(0, (struct wire_header){.kind = WIRE_REFUSED, .code = ERR_FROZEN});
	distrust(0);
	ask(0, WIRE_DUTY, 0, 4);
	assert_int_equal(update.count, 0);
}

/* ---- distrust ---- */

static void a_distrusted_server_hears_and_is_heard_no_more(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	meet(0, 4);
	distrust(0);
	assert_int_equal(node.links[0].phase, NODE_DISTRUSTED);
	assert_non_null(found(0, NODE_ALARM));
	assert_int_equal(node.links[0].refused, ERR_FORK);
	assert_true(strlen(node.links[0].refused_text) > 0);
	tick(NODE_REFUSED_MS * 2);
	assert_int_equal(update.count, 0);
	welcome(0, 4);
	assert_int_equal(update.count, 0);
	ask(0, WIRE_OFFER, SESSION, 4);
	assert_int_equal(update.count, 0);
	distrust(0);
	assert_null(found(0, NODE_ALARM));
}

/* ---- a server whose national log began anew ---- */

static void follow(size_t link)
{
	struct node_event e = event_of(NODE_EV_FOLLOW, link);

	step(&e);
}

static void hold(size_t link)
{
	struct node_event e = event_of(NODE_EV_HOLD, link);

	step(&e);
}

static void nothing_is_sent_to_a_held_server_until_it_is_followed(void **state)
{
	(void)state;
	begin(9, 9, true, 2);
	hold(0);
	assert_int_equal(node.links[0].phase, NODE_HELD);
	assert_false(node.gated);
	tick(NODE_REFUSED_MS * 2);
	assert_null(found(0, NODE_CONNECT));
	assert_non_null(found(1, NODE_CONNECT));
	welcome(0, 9);
	assert_int_equal(update.count, 0);
	ask(0, WIRE_DUTY, 0, 4);
	assert_int_equal(update.count, 0);
	meet(1, 9); /* the other one is served */
	assert_int_equal(node.links[1].phase, NODE_LIVE);
	follow(0);
	assert_non_null(found(0, NODE_CONNECT));
	assert_int_equal(expect(0, NODE_SEND_SIGNED, WIRE_HELLO)->header.size, 9);
	welcome(0, 0);
	ack(0, 0);
	assert_int_equal(node.links[0].phase, NODE_LIVE);
	follow(0); /* once is enough */
	assert_int_equal(update.count, 0);
	hold(0); /* and a link in use is never held */
	assert_int_equal(node.links[0].phase, NODE_LIVE);
}

static void a_gate_that_is_closed_waits_for_a_held_server_or_a_waiver(void **state)
{
	struct node_event waive;

	(void)state;
	begin(9, 0, false, 2);
	hold(0);
	meet(1, 9);
	assert_true(node.gated);
	waive = event_of(NODE_EV_WAIVE, 0);
	step(&waive);
	assert_false(node.gated);
	assert_int_equal(node.links[0].phase, NODE_HELD);
}

static void what_is_distrusted_is_neither_held_nor_followed(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	distrust(0);
	hold(0);
	assert_int_equal(node.links[0].phase, NODE_DISTRUSTED);
	follow(0);
	assert_int_equal(update.count, 0);
}

static void edits_go_on_and_the_other_server_is_served(void **state)
{
	(void)state;
	begin(9, 9, true, 2);
	meet(0, 9);
	meet(1, 9);
	distrust(0);
	assert_false(node.gated);
	tree_event(NODE_EV_GREW, &ours, 10);
	assert_null(found(0, NODE_SEND_COMMIT));
	assert_int_equal(expect(1, NODE_SEND_COMMIT, WIRE_COMMIT)->header.from, 9);
	assert_false(node.gated);
}

static void distrust_that_is_known_at_the_start_keeps_the_gate_open(void **state)
{
	(void)state;
	begin(9, 9, true, 1);
	distrust(0);
	assert_non_null(found(0, NODE_ALARM));
	tick(NODE_BACKOFF_MOST_MS);
	assert_null(found(0, NODE_CONNECT));
	assert_false(node.gated);
}

/* It may hold what these keys signed, and nothing is taken from it. */
static void a_gate_that_is_closed_waits_for_a_waiver_of_a_distrusted_server(void **state)
{
	(void)state;
	begin(4, 9, true, 1);
	distrust(0);
	tick(NODE_BACKOFF_MOST_MS);
	assert_true(node.gated);
	waive(0);
	assert_false(node.gated);
}

static void fetching_from_a_server_that_is_distrusted_then_ends(void **state)
{
	(void)state;
	begin(4, 4, true, 2);
	meet(0, 9);
	assert_int_equal(node.fetcher, 0);
	distrust(0);
	assert_int_equal(node.fetcher, SERVERS_MAX);
	assert_false(node.links[0].ahead);
	meet(1, 9);
	assert_int_equal(node.fetcher, 1);
}

/* ---- keys that changed ---- */

static struct history later; /* log 26 as `ours`, its notes by other keys */

/* Notes of more than 6 events are by the later key. */
static enum err key_by_size(void *context, uint64_t size, struct vkey *ret)
{
	(void)context;
	*ret = size > 6 ? later.signer.key : ours.signer.key;
	return ERR_OK;
}

static void fetched_commits_are_checked_by_the_key_of_their_size(void **state)
{
	const struct node_lookup lookup = {&ours, key_by_size, redacted, root_at};

	(void)state;
	history_begin(&later, "26", 21);
	for (size_t i = 0; i < 9; i++)
		history_add_raw(&later, buf_bytes(&ours.events[i]));
	assert_ok(node_machine_init(&node, ours.log, &lookup, &ours.trees[4], 9, true, 1));
	tick(0);
	message_header(&said, &(struct wire_header){.kind = WIRE_WELCOME,
						    .session = SESSION,
						    .size = 9,
						    .credit = CREDIT,
						    .commit_events = COMMIT_EVENTS_MAX,
						    .commit_bytes = COMMIT_BYTES_MAX});
	message_note(&said, &later, 9); /* what it claims is signed by the later key */
	hear(0);
	ack(0, 4);
	message_range(&said, &ours, SESSION, 4, 6); /* by the older one */
	hear(0);
	assert_non_null(found(0, NODE_APPEND));
	tree_event(NODE_EV_STORED, &ours, 6);
	message_range(&said, &later, SESSION, 6, 9);
	hear(0);
	assert_non_null(found(0, NODE_APPEND));
	history_end(&later);
}

/* ---- erased events ---- */

static void an_erased_event_is_fetched_only_under_a_duty(void **state)
{
	(void)state;
	ours.erased = 5;
	begin(4, 9, true, 1);
	meet(0, 9);
	message_range(&said, &ours, SESSION, 4, 7);
	hear(0);
	assert_null(found(0, NODE_APPEND));
	assert_int_equal(node.links[0].phase, NODE_REFUSED);
	assert_int_equal(node.links[0].refused, ERR_REDACTED);
	assert_non_null(found(0, NODE_ALARM));
	erased = 5;
	tick(NODE_REFUSED_MS * 2);
	meet(0, 9);
	message_range(&said, &ours, SESSION, 4, 7);
	hear(0);
	assert_int_equal(needed(0, NODE_APPEND)->commit->redacted, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_offer_is_handed_on_to_be_witnessed),
		TEST(a_duty_is_handed_on_to_be_carried_out),
		TEST(a_duty_that_had_no_room_is_told_again_in_a_new_session),
		TEST(what_is_asked_outside_the_session_or_in_another_form_is_not_heard),
		TEST(the_ministry_does_not_witness),
		TEST(a_frozen_log_is_told_its_duties_and_nothing_else),
		TEST(duties_of_a_distrusted_server_are_not_heard),
		TEST(a_distrusted_server_hears_and_is_heard_no_more),
		TEST(edits_go_on_and_the_other_server_is_served),
		TEST(distrust_that_is_known_at_the_start_keeps_the_gate_open),
		TEST(a_gate_that_is_closed_waits_for_a_waiver_of_a_distrusted_server),
		TEST(fetching_from_a_server_that_is_distrusted_then_ends),
		TEST(nothing_is_sent_to_a_held_server_until_it_is_followed),
		TEST(a_gate_that_is_closed_waits_for_a_held_server_or_a_waiver),
		TEST(what_is_distrusted_is_neither_held_nor_followed),
		TEST(fetched_commits_are_checked_by_the_key_of_their_size),
		TEST(an_erased_event_is_fetched_only_under_a_duty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
