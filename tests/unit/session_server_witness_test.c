/* Rules of docs/PROTOCOL.md that the server keeps, each by its name: its own log before the
 * witnesses. */
#include "session_server_fixture.h"

#include "tlog/cosignature.h"

static uint8_t witness_secret[SIGN_SECRET_BYTES];
static struct signer witness; /* of log 26 */
static struct history rival;  /* the server's own log again: another history from entry 5 on */
static struct buf line;

static int begin(void **state)
{
	struct card card;

	(void)set_up(state);
	now.ms = 1795253400123;
	history_card(&ours, &card);
	make_signer(card.witness_key.name, KEY_COSIGNATURE, 1, witness_secret, &witness);
	step(SERVER_EV_TICK, ERR_OK);
	nation_begin(&rival);
	nation_grow(&rival, 5, "told");
	nation_grow(&rival, 30, "told otherwise");
	return 0;
}

static int end(void **state)
{
	history_end(&rival);
	buf_free(&line);
	return tear_down(state);
}

static void tick(int64_t ms)
{
	now.ms += ms;
	step(SERVER_EV_TICK, ERR_OK);
}

/* A node says HELLO that has witnessed `size` entries of such a national log. */
static void greet_having_seen(const struct history *seen, uint64_t size)
{
	message_hello(&said, &ours, 0);
	message_add(&said, bytes_of(NULL, 0));
	message_note(&said, seen, size);
	hear(PEER);
}

static void anchor(void)
{
	message_anchor(&said, &ours, 77, 0);
	hear(PEER);
	assert_int_equal(reply(0, WIRE_ACK)->size, 0);
}

static const struct wire_header *offered(void)
{
	const struct server_action *a = needed(SERVER_OFFER);

	assert_int_equal(a->header.kind, WIRE_OFFER);
	assert_int_equal(a->header.session, 77);
	assert_memory_equal(a->peer, PEER, strlen(PEER));
	return &a->header;
}

/* A round of 8 entries is open, and the node of 26 in it. */
static void offer_8(void)
{
	national_size = 8;
	open_session(&ours, 0);
	tick(SERVER_ROUND_MS);
	assert_int_equal(offered()->size, 8);
}

static void say_cosigned(const struct signer *by, uint64_t said_size, uint64_t signed_size,
			 int64_t time_ms)
{
	struct checkpoint c = {.size = signed_size, .root = tree_root(&nation.trees[signed_size])};
	struct buf text = {0};

	memcpy(c.origin, nation.signer.key.name, sizeof(c.origin));
	assert_ok(checkpoint_text(&c, &text));
	buf_clear(&line);
	assert_ok(note_cosign(buf_bytes(&text), (uint64_t)time_ms / 1000, by, &line));
	buf_free(&text);
	message_header(&said, &(struct wire_header){
				      .kind = WIRE_COSIGNED, .session = 77, .size = said_size});
	message_add(&said, buf_bytes(&line));
	hear(PEER);
}

static void say_declined(enum err code, const struct history *seen, uint64_t size)
{
	message_header(&said, &(struct wire_header){.kind = WIRE_DECLINED,
						    .session = 77,
						    .size = size,
						    .code = code,
						    .text = "why"});
	if (size)
		message_note(&said, seen, size);
	hear(PEER);
}

/* ---- rounds ---- */

static void a_round_offers_what_is_on_disk_to_every_open_session_once(void **state)
{
	(void)state;
	offer_8();
	assert_int_equal(offered()->from, 0);
	tick(1000);
	assert_null(found(SERVER_OFFER));
}

static void a_session_that_is_not_anchored_is_offered_nothing(void **state)
{
	(void)state;
	national_size = 8;
	message_hello(&said, &ours, 0);
	hear(PEER);
	tick(SERVER_ROUND_MS);
	assert_null(found(SERVER_OFFER));
	anchor();
	assert_int_equal(offered()->size, 8); /* later in the round */
}

/* A server that was put back from an older copy hears of it before it signs for more. */
static void the_first_round_gives_witnesses_time_to_say_what_they_saw(void **state)
{
	(void)state;
	national_size = 8;
	open_session(&ours, 0);
	tick(SERVER_ROUND_MS - 1);
	assert_null(found(SERVER_OFFER));
	tick(1);
	assert_int_equal(offered()->size, 8);
}

static void rounds_are_no_closer_than_their_time(void **state)
{
	(void)state;
	offer_8();
	say_cosigned(&witness, 8, 8, now.ms);
	national_size = 9;
	step(SERVER_EV_STORED, ERR_OK);
	tick(SERVER_ROUND_MS - 1);
	assert_null(found(SERVER_OFFER));
	tick(1);
	assert_int_equal(offered()->size, 9);
	assert_int_equal(offered()->from, 8);
}

static void no_round_begins_when_nothing_was_added(void **state)
{
	(void)state;
	offer_8();
	say_cosigned(&witness, 8, 8, now.ms);
	step(SERVER_EV_STORED, ERR_OK);
	tick(SERVER_ROUND_MS);
	assert_null(found(SERVER_OFFER));
	assert_int_equal(machine.round_size, 8);
}

static void an_offer_without_an_answer_is_made_again(void **state)
{
	(void)state;
	offer_8();
	tick(SERVER_ROUND_MS - 1);
	assert_null(found(SERVER_OFFER));
	tick(1);
	assert_int_equal(offered()->size, 8);
}

static void a_clock_that_was_put_back_keeps_no_round_waiting(void **state)
{
	(void)state;
	offer_8();
	now.ms -= 1000 * SERVER_ROUND_MS;
	step(SERVER_EV_TICK, ERR_OK);
	assert_int_equal(offered()->size, 8);
	say_cosigned(&witness, 8, 8, now.ms);
	national_size = 9;
	step(SERVER_EV_STORED, ERR_OK);
	now.ms -= 1000 * SERVER_ROUND_MS;
	step(SERVER_EV_TICK, ERR_OK);
	assert_int_equal(offered()->size, 9);
}

static void a_new_session_is_offered_what_the_older_one_did_not_answer(void **state)
{
	(void)state;
	offer_8();
	message_hello(&said, &ours, 0);
	hear(PEER);
	anchor();
	assert_int_equal(offered()->size, 8);
}

static void the_ministry_does_not_witness_its_own_server(void **state)
{
	struct history ministry;
	struct card card;

	(void)state;
	history_begin(&ministry, "PL", 4);
	history_card(&ministry, &card);
	assert_ok(server_machine_enrol(&machine, &card, &ministry.trees[0], LOG_ACTIVE));
	message_hello(&said, &ministry, 0);
	hear_as(ministry.log, PEER, 77);
	message_anchor(&said, &ministry, 77, 0);
	hear_as(ministry.log, PEER, 0);
	assert_int_equal(reply(0, WIRE_ACK)->size, 0);
	national_size = 8;
	tick(SERVER_ROUND_MS);
	assert_null(found(SERVER_OFFER));
	history_end(&ministry);
}

/* ---- what a node has witnessed ---- */

static void an_offer_begins_where_the_node_left_off(void **state)
{
	(void)state;
	national_size = 8;
	greet_having_seen(&nation, 6);
	(void)reply(0, WIRE_WELCOME);
	anchor();
	tick(SERVER_ROUND_MS);
	assert_int_equal(offered()->from, 6);
}

static void a_note_of_more_than_this_server_holds_is_a_rollback(void **state)
{
	(void)state;
	greet_having_seen(&rival, 30);
	expect_refused("rollback", 0);
	assert_true(bytes_equal(needed(SERVER_ROLLED_BACK)->note, said.frames[2]));
	assert_false(held()->open);
}

static void another_root_at_a_size_that_is_held_is_a_rollback(void **state)
{
	(void)state;
	greet_having_seen(&rival, 7);
	assert_non_null(found(SERVER_ROLLED_BACK));
}

static void a_note_of_what_the_log_contains_is_none(void **state)
{
	(void)state;
	greet_having_seen(&rival, 5); /* to here both histories are one */
	(void)reply(0, WIRE_WELCOME);
	assert_null(found(SERVER_ROLLED_BACK));
}

static void a_note_that_our_key_did_not_sign_tells_nothing(void **state)
{
	struct signer own = rival.signer;
	uint8_t secret[SIGN_SECRET_BYTES];

	(void)state;
	make_signer(own.key.name, KEY_ED25519, 41, secret, &rival.signer);
	greet_having_seen(&rival, 30);
	(void)reply(0, WIRE_WELCOME);
	assert_null(found(SERVER_ROLLED_BACK));
	assert_int_equal(held()->witnessed, 0);
}

static void a_national_log_that_cannot_be_read_is_no_rollback(void **state)
{
	(void)state;
	disk_fails = true;
	greet_having_seen(&nation, 6);
	(void)reply(0, WIRE_WELCOME);
	assert_null(found(SERVER_ROLLED_BACK));
}

/* ---- COSIGNED ---- */

static void a_good_cosignature_is_kept_and_counts_once_it_is_stored(void **state)
{
	(void)state;
	offer_8();
	say_cosigned(&witness, 8, 8, now.ms);
	assert_int_equal(needed(SERVER_COSIGNED)->from, 8);
	assert_true(bytes_equal(needed(SERVER_COSIGNED)->note, buf_bytes(&line)));
	assert_int_equal(update.count, 1);
	assert_int_equal(held()->cosigned, 0);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(held()->cosigned, 8);
	assert_int_equal(held()->cosigned_at.ms, now.ms / 1000 * 1000);
	assert_int_equal(held()->witnessed, 8);
}

static void a_cosignature_that_was_not_stored_is_asked_for_again(void **state)
{
	(void)state;
	offer_8();
	say_cosigned(&witness, 8, 8, now.ms);
	step(SERVER_EV_FAILED, ERR_DISK_FULL);
	assert_int_equal(held()->cosigned, 0);
	tick(SERVER_ROUND_MS);
	assert_int_equal(offered()->size, 8);
}

static void a_cosignature_said_twice_is_kept_once(void **state)
{
	(void)state;
	offer_8();
	say_cosigned(&witness, 8, 8, now.ms);
	hear(PEER);
	assert_int_equal(update.count, 0);
	step(SERVER_EV_STORED, ERR_OK);
	hear(PEER);
	assert_int_equal(update.count, 0);
}

static void a_cosignature_of_what_was_not_offered_is_not_kept(void **state)
{
	(void)state;
	offer_8();
	say_cosigned(&witness, 7, 7, now.ms);
	assert_int_equal(update.count, 0);
	say_cosigned(&witness, 8, 7, now.ms); /* the line of another checkpoint */
	assert_int_equal(update.count, 0);
	assert_int_equal(held()->refused[ERR_SIGNATURE], 1);
}

static void a_cosignature_by_another_key_is_counted_and_the_session_goes_on(void **state)
{
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer thief;

	(void)state;
	offer_8();
	make_signer(witness.key.name, KEY_COSIGNATURE, 9, secret, &thief);
	say_cosigned(&thief, 8, 8, now.ms);
	assert_int_equal(update.count, 0);
	assert_int_equal(held()->refused[ERR_UNKNOWN_KEY], 1);
	say_commit(0, 3);
	assert_non_null(found(SERVER_APPEND));
}

static void a_cosignature_of_an_impossible_time_is_not_kept(void **state)
{
	(void)state;
	offer_8();
	say_cosigned(&witness, 8, 8, now.ms + SERVER_SKEW_MS + 2000);
	say_cosigned(&witness, 8, 8, now.ms - SERVER_SKEW_MS - 2000);
	assert_int_equal(held()->refused[ERR_CLOCK], 2);
	say_cosigned(&witness, 8, 8, now.ms - SERVER_SKEW_MS + 2000);
	assert_non_null(found(SERVER_COSIGNED));
}

static void who_cosigns_badly_or_declines_again_and_again_is_cut_off(void **state)
{
	(void)state;
	offer_8();
	for (int i = 0; i < PEER_REFUSALS_BURST; i++) {
		if (i % 2)
			say_cosigned(&witness, 8, 7, now.ms);
		else
			say_declined(ERR_PROOF, &nation, 0);
		assert_null(found(SERVER_CLOSE));
	}
	say_cosigned(&witness, 8, 7, now.ms);
	assert_true(needed(SERVER_CLOSE)->cut_off);
}

static void more_than_one_line_is_no_cosignature(void **state)
{
	(void)state;
	offer_8();
	say_cosigned(&witness, 8, 8, now.ms);
	step(SERVER_EV_FAILED, ERR_DISK_FULL);
	buf_add_bytes(&said.bufs[1], buf_bytes(&line));
	said.frames[1] = buf_bytes(&said.bufs[1]);
	hear(PEER);
	assert_int_equal(update.count, 0);
	assert_int_equal(held()->refused[ERR_DECODE], 1);
}

/* ---- DECLINED ---- */

static void an_older_witness_is_offered_from_its_size_once(void **state)
{
	(void)state;
	offer_8();
	say_declined(ERR_OLD, &nation, 3);
	assert_int_equal(offered()->from, 3);
	assert_int_equal(offered()->size, 8);
	say_declined(ERR_OLD, &nation, 2);
	assert_int_equal(update.count, 0);
	assert_int_equal(held()->refused[ERR_OLD], 1);
}

static void a_witness_that_lost_its_store_is_offered_from_nothing(void **state)
{
	(void)state;
	national_size = 8;
	greet_having_seen(&nation, 6);
	anchor();
	tick(SERVER_ROUND_MS);
	assert_int_equal(offered()->from, 6);
	say_declined(ERR_OLD, &nation, 0);
	assert_int_equal(offered()->from, 0);
}

static void a_declined_offer_that_shows_a_longer_log_of_ours_is_a_rollback(void **state)
{
	(void)state;
	offer_8();
	say_declined(ERR_OLD, &rival, 30);
	assert_non_null(found(SERVER_ROLLED_BACK));
}

static void a_passing_reason_is_waited_out(void **state)
{
	(void)state;
	offer_8();
	say_declined(ERR_DISK_FULL, &nation, 3);
	assert_int_equal(update.count, 0);
	assert_int_equal(held()->refused[ERR_DISK_FULL], 1);
	assert_string_equal(held()->declined_text, "why");
	tick(SERVER_ROUND_MS);
	assert_int_equal(offered()->from, 3);
}

static void why_a_node_does_not_cosign_is_known_until_it_does(void **state)
{
	(void)state;
	offer_8();
	assert_string_equal(held()->declined_text, "");
	say_declined(ERR_ROLLBACK, &nation, 0);
	assert_string_equal(held()->declined_text, "why");
	assert_null(found(SERVER_ROLLED_BACK)); /* it is the node's word, of another log */
	tick(SERVER_ROUND_MS);
	assert_int_equal(offered()->size, 8);
	say_cosigned(&witness, 8, 8, now.ms);
	step(SERVER_EV_STORED, ERR_OK);
	assert_string_equal(held()->declined_text, "");
}

static void who_sees_two_histories_is_not_asked_again_in_that_session(void **state)
{
	(void)state;
	offer_8();
	say_declined(ERR_FORK, &nation, 3);
	tick(SERVER_ROUND_MS);
	assert_null(found(SERVER_OFFER));
	assert_int_equal(held()->refused[ERR_FORK], 1);
}

static void an_answer_without_an_offer_changes_nothing(void **state)
{
	(void)state;
	open_session(&ours, 0);
	say_declined(ERR_OLD, &nation, 3);
	assert_int_equal(update.count, 0);
	say_cosigned(&witness, 8, 8, now.ms);
	assert_int_equal(update.count, 0);
}

/* ---- who is not asked ---- */

static void a_log_that_is_frozen_does_not_witness(void **state)
{
	(void)state;
	national_size = 8;
	open_session(&ours, 0);
	held()->state = LOG_FROZEN; /* while its session is open */
	tick(SERVER_ROUND_MS);
	assert_null(found(SERVER_OFFER));
}

static void who_witnessed_more_than_the_round_is_not_asked(void **state)
{
	(void)state;
	national_size = 8;
	greet_having_seen(&nation, 9);
	anchor();
	tick(SERVER_ROUND_MS);
	assert_null(found(SERVER_OFFER));
}

static void what_is_being_stored_is_not_asked_for_again(void **state)
{
	(void)state;
	offer_8();
	say_cosigned(&witness, 8, 8, now.ms);
	tick(SERVER_ROUND_MS);
	assert_null(found(SERVER_OFFER));
}

static void a_size_that_a_decline_only_claims_is_not_offered_from(void **state)
{
	(void)state;
	offer_8();
	message_header(&said, &(struct wire_header){.kind = WIRE_DECLINED,
						    .session = 77,
						    .size = 3,
						    .code = ERR_OLD,
						    .text = "why"});
	hear(PEER); /* without the note that would say so */
	assert_int_equal(update.count, 0);
	assert_int_equal(held()->refused[ERR_OLD], 1);
	say_declined(ERR_OLD, &nation, 9); /* above the round */
	assert_int_equal(update.count, 0);
	assert_int_equal(held()->refused[ERR_OLD], 2);
}

static void a_decline_of_nothing_counts_nothing(void **state)
{
	(void)state;
	open_session(&ours, 0);
	say_declined(ERR_FORK, &nation, 3);
	assert_int_equal(held()->refused[ERR_FORK], 0);
	assert_false(held()->declined);
}

/* Good, but of the checkpoint's text and what comes before the line. */
static void a_cosignature_of_another_text_is_not_kept(void **state)
{
	struct checkpoint c = {.size = 8, .root = tree_root(&nation.trees[8])};
	struct buf text = {0};

	(void)state;
	offer_8();
	memcpy(c.origin, nation.signer.key.name, sizeof(c.origin));
	assert_ok(checkpoint_text(&c, &text));
	buf_add_text(&text, "\nmore\n");
	buf_clear(&line);
	buf_add_text(&line, "more\n\n");
	assert_ok(note_cosign(buf_bytes(&text), (uint64_t)now.ms / 1000, &witness, &line));
	buf_free(&text);
	message_header(&said,
		       &(struct wire_header){.kind = WIRE_COSIGNED, .session = 77, .size = 8});
	message_add(&said, buf_bytes(&line));
	hear(PEER);
	assert_int_equal(update.count, 0);
	assert_int_equal(held()->refused[ERR_DECODE], 1);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_round_offers_what_is_on_disk_to_every_open_session_once),
		TEST(a_session_that_is_not_anchored_is_offered_nothing),
		TEST(the_first_round_gives_witnesses_time_to_say_what_they_saw),
		TEST(rounds_are_no_closer_than_their_time),
		TEST(no_round_begins_when_nothing_was_added),
		TEST(an_offer_without_an_answer_is_made_again),
		TEST(a_clock_that_was_put_back_keeps_no_round_waiting),
		TEST(a_new_session_is_offered_what_the_older_one_did_not_answer),
		TEST(the_ministry_does_not_witness_its_own_server),
		TEST(an_offer_begins_where_the_node_left_off),
		TEST(a_note_of_more_than_this_server_holds_is_a_rollback),
		TEST(another_root_at_a_size_that_is_held_is_a_rollback),
		TEST(a_note_of_what_the_log_contains_is_none),
		TEST(a_note_that_our_key_did_not_sign_tells_nothing),
		TEST(a_national_log_that_cannot_be_read_is_no_rollback),
		TEST(a_good_cosignature_is_kept_and_counts_once_it_is_stored),
		TEST(a_cosignature_that_was_not_stored_is_asked_for_again),
		TEST(a_cosignature_said_twice_is_kept_once),
		TEST(a_cosignature_of_what_was_not_offered_is_not_kept),
		TEST(a_cosignature_by_another_key_is_counted_and_the_session_goes_on),
		TEST(a_cosignature_of_an_impossible_time_is_not_kept),
		TEST(who_cosigns_badly_or_declines_again_and_again_is_cut_off),
		TEST(more_than_one_line_is_no_cosignature),
		TEST(an_older_witness_is_offered_from_its_size_once),
		TEST(a_witness_that_lost_its_store_is_offered_from_nothing),
		TEST(a_declined_offer_that_shows_a_longer_log_of_ours_is_a_rollback),
		TEST(why_a_node_does_not_cosign_is_known_until_it_does),
		TEST(a_passing_reason_is_waited_out),
		TEST(who_sees_two_histories_is_not_asked_again_in_that_session),
		TEST(an_answer_without_an_offer_changes_nothing),
		TEST(a_log_that_is_frozen_does_not_witness),
		TEST(who_witnessed_more_than_the_round_is_not_asked),
		TEST(what_is_being_stored_is_not_asked_for_again),
		TEST(a_size_that_a_decline_only_claims_is_not_offered_from),
		TEST(a_decline_of_nothing_counts_nothing),
		TEST(a_cosignature_of_another_text_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
