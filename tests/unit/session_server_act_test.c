/* Rules of docs/PROTOCOL.md that the server keeps, each by its name: acts of a log and of the
 * administrator. */
#include "session_server_fixture.h"

static struct next_keys next;
static struct history anew; /* log 26/2 */

static int begin(void **state)
{
	(void)set_up(state);
	next_keys_begin(&next, &ours, 21);
	memset(&anew, 0, sizeof(anew));
	return 0;
}

static int end(void **state)
{
	buf_free(&next.enrolment);
	history_end(&anew);
	return tear_down(state);
}

/* ---- erased events ---- */

static void an_event_without_bytes_needs_an_act(void **state)
{
	(void)state;
	open_session(&ours, 20);
	ours.erased = 4;
	say_commit(0, 6);
	expect_refused("redacted", 0);
	assert_int_equal(held()->pending.size, 0);
	erased = 4;
	say_commit(0, 6);
	assert_int_equal(needed(SERVER_APPEND)->commit->redacted, 1);
	assert_int_equal(held()->pending.size, 6);
}

static void bytes_that_an_act_erased_ahead_are_not_stored(void **state)
{
	const struct commit *commit = NULL;

	(void)state;
	open_session(&ours, 20);
	erased = 4;
	say_commit(0, 6);
	commit = needed(SERVER_APPEND)->commit;
	assert_int_equal(commit->redacted, 1);
	assert_int_equal(commit->events[4].size, 0);
	assert_true(
		hash_equal(commit_leaf(commit->events[4]), hash_leaf(buf_bytes(&ours.events[4]))));
	assert_true(commit->events[5].size > 0);
	say_commit(6, 9);
	assert_int_equal(needed(SERVER_APPEND)->commit->redacted, 0);
}

/* Event 4, by the leaf hash of event 5. */
static enum err next_misnamed(void *context, struct log_name log, uint64_t from,
			      uint64_t *ret_index, struct hash *ret_leaf)
{
	enum err e = next_redacted(context, log, from, ret_index, ret_leaf);

	if (!e)
		*ret_leaf = hash_leaf(buf_bytes(&ours.events[5]));
	return e;
}

static void an_act_that_named_another_event_ahead_erases_nothing(void **state)
{
	const struct commit *commit = NULL;

	(void)state;
	open_session(&ours, 20);
	erased = 4;
	machine.lookup.next_redacted = next_misnamed;
	say_commit(0, 6);
	commit = needed(SERVER_APPEND)->commit;
	assert_int_equal(commit->redacted, 0);
	assert_true(commit->events[4].size > 0);
}

static void what_cannot_be_looked_up_is_not_stored(void **state)
{
	(void)state;
	open_session(&ours, 20);
	erased = 4;
	disk_fails = true;
	say_commit(0, 6);
	disk_fails = false;
	expect_refused("io", 0);
	assert_int_equal(held()->pending.size, 0);
	say_commit(0, 6);
	assert_int_equal(needed(SERVER_APPEND)->commit->redacted, 1);
}

/* ---- other keys ---- */

/* Events 0 … 29 by the old key, 30 names the other one; the commit of them is on its way. */
static void say_rotation(void)
{
	server_holds(28);
	history_rotate(&ours, buf_bytes(&next.enrolment));
	open_session(&ours, 28);
	message_commit(&said, &ours, 77, 28, 31);
	message_sign_also(&said, &next.signer);
	hear(PEER);
}

/* What follows is signed by the new key alone. */
static void say_with_next_keys(uint64_t from, uint64_t size)
{
	struct signer old = ours.signer;

	ours.signer = next.signer;
	say_commit(from, size);
	ours.signer = old;
}

static void other_keys_are_taken_up_when_they_are_stored(void **state)
{
	(void)state;
	say_rotation();
	assert_true(needed(SERVER_APPEND)->commit->rotates);
	assert_memory_equal(held()->card.log_key.public, ours.signer.key.public, SIGN_PUBLIC_BYTES);
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(reply(0, WIRE_ACK)->size, 31);
	assert_memory_equal(held()->card.log_key.public, next.signer.key.public, SIGN_PUBLIC_BYTES);
	history_grow(&ours, 2, "after");
	say_commit(31, 33);
	expect_refused("unknown-key", 31);
	say_with_next_keys(31, 33);
	assert_non_null(found(SERVER_APPEND));
}

static void commits_behind_a_rotation_need_not_wait_for_it(void **state)
{
	(void)state;
	say_rotation();
	history_grow(&ours, 2, "after");
	say_with_next_keys(31, 33);
	assert_non_null(found(SERVER_APPEND));
	step(SERVER_EV_STORED, ERR_OK);
	assert_int_equal(reply(0, WIRE_ACK)->size, 33);
}

static void other_keys_that_could_not_be_stored_are_forgotten(void **state)
{
	(void)state;
	say_rotation();
	step(SERVER_EV_FAILED, ERR_DISK_FULL);
	expect_refused("disk-full", 28);
	assert_memory_equal(held()->card.log_key.public, ours.signer.key.public, SIGN_PUBLIC_BYTES);
	say_commit(28, 30);
	assert_non_null(found(SERVER_APPEND));
	step(SERVER_EV_STORED, ERR_OK);
	assert_memory_equal(held()->card.log_key.public, ours.signer.key.public, SIGN_PUBLIC_BYTES);
}

static void a_rotation_to_another_transport_key_is_refused(void **state)
{
	(void)state;
	buf_clear(&next.enrolment);
	memset(next.card.curve_public, 8, sizeof(next.card.curve_public));
	assert_ok(card_sign(&next.card, &next.signer, &next.enrolment));
	say_rotation();
	expect_refused("invalid", 28);
	assert_int_equal(held()->pending.size, 28);
}

static void a_rotation_to_keys_of_another_log_is_refused(void **state)
{
	struct card taken;

	(void)state;
	history_card(&other, &taken);
	buf_clear(&next.enrolment);
	memcpy(next.card.witness_key.public, taken.witness_key.public, SIGN_PUBLIC_BYTES);
	assert_ok(vkey_make(next.card.witness_key.name, KEY_COSIGNATURE, taken.witness_key.public,
			    &next.card.witness_key));
	assert_ok(card_sign(&next.card, &next.signer, &next.enrolment));
	say_rotation();
	expect_refused("invalid", 28);
	assert_int_equal(held()->pending.size, 28);
}

/* Two logs rotate in one turn: neither card is another's yet. */
static void a_rotation_to_keys_that_another_log_is_about_to_have_is_refused(void **state)
{
	struct next_keys same;

	(void)state;
	say_rotation();
	assert_true(needed(SERVER_APPEND)->commit->rotates);
	next_keys_begin(&same, &other, 21);
	history_rotate(&other, buf_bytes(&same.enrolment));
	message_hello(&said, &other, 0);
	hear_as(other.log, PEER_2, 88);
	message_anchor(&said, &other, 88, 0);
	hear_as(other.log, PEER_2, 0);
	message_commit(&said, &other, 88, 0, other.count);
	message_sign_also(&said, &same.signer);
	hear_as(other.log, PEER_2, 0);
	expect_refused("invalid", 0);
	buf_free(&same.enrolment);
}

static void a_rotation_to_a_key_that_the_log_had_or_to_one_too_many_is_refused(void **state)
{
	(void)state;
	key_answer = ERR_EXISTS;
	say_rotation();
	expect_refused("invalid", 28);
	key_answer = ERR_LIMIT;
	hear(PEER);
	expect_refused("invalid", 28);
	assert_int_equal(held()->pending.size, 28);
	key_answer = ERR_OK;
	hear(PEER);
	assert_true(needed(SERVER_APPEND)->commit->rotates);
}

static void a_rotation_that_an_act_names_ahead_stays_whole(void **state)
{
	const struct commit *commit = NULL;

	(void)state;
	erased = 30;
	say_rotation();
	commit = needed(SERVER_APPEND)->commit;
	assert_true(commit->rotates);
	assert_int_equal(commit->redacted, 0);
	assert_true(commit->events[2].size > 0);
}

static void a_commit_from_before_a_rotation_is_old_and_no_strangers(void **state)
{
	(void)state;
	say_rotation();
	step(SERVER_EV_STORED, ERR_OK);
	say_commit(20, 25);
	expect_refused("old", 31);
}

static void an_anchor_that_comes_again_behind_a_rotation_is_old_and_no_strangers(void **state)
{
	(void)state;
	say_rotation();
	step(SERVER_EV_STORED, ERR_OK);
	message_anchor(&said, &ours, 77, 28);
	hear(PEER);
	expect_refused("old", 31);
}

/* ---- a log begun anew ---- */

/* Log 26/2 is enrolled; its event 0 says that `old` ended at `said_size`, and quotes a checkpoint
 * of `signed_size` by that signer. */
static void begin_anew_quoting(const char *old, uint64_t said_size, const struct signer *by,
			       uint64_t signed_size)
{
	struct history like = ours;
	struct buf note = {0};
	struct tree empty;
	struct card card;

	assert_ok(log_name_parse(bytes_of_text(old), &like.log));
	history_begin(&anew, "26/2", 3);
	sign_root(by, by->key.name, signed_size, &ours.trees[signed_size], &note);
	history_continue(&anew, &like, said_size, buf_bytes(&note));
	history_grow(&anew, 3, "anew");
	buf_free(&note);
	tree_init(&empty);
	history_card(&anew, &card);
	assert_ok(server_machine_enrol(&machine, &card, &empty, LOG_ACTIVE));
}

static void begin_anew(const char *old, uint64_t size)
{
	begin_anew_quoting(old, size, &ours.signer, size);
}

/* Its entry 0 quotes a root that the old log never had. */
static void begin_anew_from_another_history(void)
{
	memcpy(&ours.trees[12], &theirs.trees[12], sizeof(ours.trees[12]));
	begin_anew("26", 12);
	memcpy(&ours.trees[12], &ours.trees[13], sizeof(ours.trees[12]));
}

static void say_anew(uint64_t from, uint64_t size)
{
	message_hello(&said, &anew, 0);
	hear_as(anew.log, PEER_2, 88);
	message_anchor(&said, &anew, 88, 0);
	hear_as(anew.log, PEER_2, 0);
	message_commit(&said, &anew, 88, from, size);
	hear_as(anew.log, PEER_2, 0);
}

static void a_log_begun_anew_goes_on_from_a_frozen_one(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew("26", 12);
	assert_ok(server_machine_freeze(&machine, ours.log));
	say_anew(0, 2);
	assert_true(needed(SERVER_APPEND)->commit->continues);
}

static void a_log_is_not_begun_anew_while_the_old_one_is_active(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew("26", 12);
	say_anew(0, 2);
	expect_refused("denied", 0);
}

static void a_log_begun_anew_goes_on_from_no_more_than_what_stands(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew("26", 12);
	assert_ok(server_machine_freeze(&machine, ours.log));
	held()->stands = 11;
	say_anew(0, 2);
	expect_refused("invalid", 0);
	held()->stands = 12;
	say_anew(0, 2);
	assert_non_null(found(SERVER_APPEND));
}

static void what_stood_at_a_freeze_is_forgotten_by_a_release(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew("26", 12);
	assert_ok(server_machine_freeze(&machine, ours.log));
	held()->stands = 11;
	assert_ok(server_machine_release(&machine, ours.log));
	assert_ok(server_machine_revoke(&machine, ours.log));
	say_anew(0, 2);
	assert_non_null(found(SERVER_APPEND));
}

static void a_log_begun_anew_quotes_what_is_held_of_the_old_one(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew_from_another_history();
	assert_ok(server_machine_freeze(&machine, ours.log));
	say_anew(0, 2);
	expect_refused("invalid", 0);
}

static void a_quote_from_before_the_old_log_was_rotated_counts_by_what_it_says(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew("26", 12);
	assert_ok(server_machine_freeze(&machine, ours.log));
	held()->card.log_key = next.card.log_key;
	say_anew(0, 2);
	assert_true(needed(SERVER_APPEND)->commit->continues);
}

static void a_quote_by_an_unknown_key_that_says_otherwise_is_refused(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew_from_another_history();
	assert_ok(server_machine_freeze(&machine, ours.log));
	held()->card.log_key = next.card.log_key;
	say_anew(0, 2);
	expect_refused("invalid", 0);
}

static void a_log_begun_anew_names_the_one_before_it(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew("26/3", 12);
	assert_ok(server_machine_freeze(&machine, ours.log));
	say_anew(0, 2);
	expect_refused("invalid", 0);
}

static void a_log_begun_anew_must_say_so_and_another_must_not(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew("26", 12);
	assert_ok(server_machine_freeze(&machine, ours.log));
	history_end(&anew);
	history_begin(&anew, "26/2", 3);
	history_grow(&anew, 3, "as if nothing had been");
	say_anew(0, 2);
	expect_refused("invalid", 0);
	assert_ok(server_machine_release(&machine, ours.log));
	server_holds(0);
	history_end(&ours);
	history_begin(&ours, "26", 1);
	history_continue(&ours, &ours, 1, bytes_of_text("a note"));
	history_grow(&ours, 3, "first");
	open_session(&ours, 0);
	say_commit(0, 2);
	expect_refused("invalid", 0);
}

/* ---- the administrator ---- */

static void an_administrator_freezes_and_releases(void **state)
{
	(void)state;
	open_session(&ours, 20);
	assert_ok(server_machine_freeze(&machine, ours.log));
	say_commit(0, 3);
	expect_refused("frozen", 0);
	assert_ok(server_machine_release(&machine, ours.log));
	say_commit(0, 3);
	expect_refused("session", 0);
	open_session(&ours, 20);
	say_commit(0, 3);
	assert_non_null(found(SERVER_APPEND));
}

/* What is to be erased does not wait until people have decided how the log goes on. */
static void the_node_of_a_frozen_log_is_told_its_duties(void **state)
{
	const struct server_action *a = NULL;

	(void)state;
	server_holds(20);
	assert_ok(server_machine_freeze(&machine, ours.log));
	message_hello(&said, &ours, 20);
	hear(PEER);
	expect_refused("frozen", 20);
	a = needed(SERVER_SEND_DUTIES);
	assert_int_equal(a->session, 0);
	assert_true(log_name_equal(a->log, ours.log));
	assert_memory_equal(a->peer, PEER, sizeof(PEER) - 1);
	assert_false(held()->open);
	say_commit(20, 22);
	expect_refused("frozen", 20);
	assert_null(found(SERVER_SEND_DUTIES));
	assert_ok(server_machine_revoke(&machine, ours.log));
	message_hello(&said, &ours, 20);
	hear(PEER);
	expect_refused("denied", 20);
	assert_null(found(SERVER_SEND_DUTIES));
}

static void only_a_frozen_log_is_released(void **state)
{
	(void)state;
	assert_err(server_machine_release(&machine, ours.log), "argument");
	assert_ok(server_machine_revoke(&machine, ours.log));
	assert_err(server_machine_release(&machine, ours.log), "argument");
	assert_ok(server_machine_freeze(&machine, ours.log));
	assert_int_equal(held()->state, LOG_REVOKED);
	assert_err(server_machine_release(&machine, (struct log_name){"30"}), "not-found");
	assert_err(server_machine_freeze(&machine, (struct log_name){"30"}), "not-found");
}

/* ---- what a quote may not say ---- */

static void a_quote_of_another_size_than_it_says_is_refused(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew_quoting("26", 11, &ours.signer, 12);
	assert_ok(server_machine_freeze(&machine, ours.log));
	say_anew(0, 2);
	expect_refused("invalid", 0);
}

static void a_quote_of_more_than_is_held_is_refused(void **state)
{
	(void)state;
	server_holds(10);
	begin_anew("26", 12);
	assert_ok(server_machine_freeze(&machine, ours.log));
	held()->stands = UINT64_MAX;
	say_anew(0, 2);
	expect_refused("invalid", 0);
}

/* Another log's checkpoint that happens to have the same root. */
static void a_quote_of_another_log_is_refused(void **state)
{
	(void)state;
	server_holds(20);
	begin_anew_quoting("26", 12, &other.signer, 12);
	assert_ok(server_machine_freeze(&machine, ours.log));
	say_anew(0, 2);
	expect_refused("origin", 0);
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_without_bytes_needs_an_act),
		TEST(bytes_that_an_act_erased_ahead_are_not_stored),
		TEST(an_act_that_named_another_event_ahead_erases_nothing),
		TEST(what_cannot_be_looked_up_is_not_stored),
		TEST(other_keys_are_taken_up_when_they_are_stored),
		TEST(commits_behind_a_rotation_need_not_wait_for_it),
		TEST(other_keys_that_could_not_be_stored_are_forgotten),
		TEST(a_rotation_to_another_transport_key_is_refused),
		TEST(a_rotation_to_keys_of_another_log_is_refused),
		TEST(a_rotation_to_keys_that_another_log_is_about_to_have_is_refused),
		TEST(a_rotation_to_a_key_that_the_log_had_or_to_one_too_many_is_refused),
		TEST(a_rotation_that_an_act_names_ahead_stays_whole),
		TEST(a_commit_from_before_a_rotation_is_old_and_no_strangers),
		TEST(an_anchor_that_comes_again_behind_a_rotation_is_old_and_no_strangers),
		TEST(a_log_begun_anew_goes_on_from_a_frozen_one),
		TEST(a_log_is_not_begun_anew_while_the_old_one_is_active),
		TEST(a_log_begun_anew_goes_on_from_no_more_than_what_stands),
		TEST(what_stood_at_a_freeze_is_forgotten_by_a_release),
		TEST(a_log_begun_anew_quotes_what_is_held_of_the_old_one),
		TEST(a_quote_from_before_the_old_log_was_rotated_counts_by_what_it_says),
		TEST(a_quote_by_an_unknown_key_that_says_otherwise_is_refused),
		TEST(a_log_begun_anew_names_the_one_before_it),
		TEST(a_log_begun_anew_must_say_so_and_another_must_not),
		TEST(an_administrator_freezes_and_releases),
		TEST(the_node_of_a_frozen_log_is_told_its_duties),
		TEST(only_a_frozen_log_is_released),
		TEST(a_quote_of_another_size_than_it_says_is_refused),
		TEST(a_quote_of_more_than_is_held_is_refused),
		TEST(a_quote_of_another_log_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
