/* What a commit may say of its own log: events erased by an act, other keys, a log begun anew. */
#include "session_fixture.h"

static struct history ours;
static struct next_keys next;
static struct message said;
static struct arena arena;
static struct bytes slots[COMMIT_EVENTS_MAX];
static struct commit commit;

static int set_up(void **state)
{
	(void)state;
	history_begin(&ours, "26", 1);
	history_grow(&ours, 8, "first");
	next_keys_begin(&next, &ours, 21);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	history_end(&ours);
	buf_free(&next.enrolment);
	message_free(&said);
	arena_free(&arena);
	return 0;
}

/* Checks what was said against a tree that holds `from` of its events. */
static enum err check(uint64_t from)
{
	commit = (struct commit){.events = slots};
	return commit_check(&ours.trees[from], from, (uint32_t)(ours.count - from), said.frames[1],
			    said.frames + 2, said.count - 2, &ours.signer.key,
			    log_name_region(ours.log), &arena, &commit);
}

/* The rest of the history from `from` on, its note signed by both keys. */
static enum err check_rotation(uint64_t from)
{
	message_commit(&said, &ours, 1, from, ours.count);
	message_sign_also(&said, &next.signer);
	return check(from);
}

/* ---- erased events ---- */

static void an_erased_event_stands_by_its_leaf_hash(void **state)
{
	(void)state;
	ours.erased = 5;
	message_commit(&said, &ours, 1, 3, 8);
	assert_ok(check(3));
	assert_int_equal(commit.redacted, 1);
	assert_int_equal(commit.events[2].size, 0);
	assert_true(
		hash_equal(commit_leaf(commit.events[2]), hash_leaf(buf_bytes(&ours.events[5]))));
	assert_true(hash_equal(tree_root(&commit.after), tree_root(&ours.trees[8])));
}

static void a_wrong_hash_in_place_of_an_event_is_refused(void **state)
{
	struct hash wrong = hash_empty();
	struct buf frame = {0};

	(void)state;
	message_header(&said, &(struct wire_header){.kind = WIRE_COMMIT, .session = 1});
	message_note(&said, &ours, 8);
	bundle_add_redacted(&frame, wrong.b);
	message_add(&said, buf_bytes(&frame));
	assert_err(check(7), "root");
	buf_free(&frame);
}

/* ---- other keys ---- */

static void a_rotation_gives_the_next_card(void **state)
{
	(void)state;
	history_rotate(&ours, buf_bytes(&next.enrolment));
	assert_ok(check_rotation(3));
	assert_true(commit.rotates);
	assert_memory_equal(commit.next.log_key.public, next.signer.key.public, SIGN_PUBLIC_BYTES);
}

static void a_rotation_that_the_new_key_did_not_sign_is_refused(void **state)
{
	(void)state;
	history_rotate(&ours, buf_bytes(&next.enrolment));
	message_commit(&said, &ours, 1, 3, ours.count);
	assert_err(check(3), "unknown-key");
}

static void nothing_follows_a_rotation_in_its_commit(void **state)
{
	(void)state;
	history_rotate(&ours, buf_bytes(&next.enrolment));
	history_grow(&ours, 1, "after");
	assert_err(check_rotation(3), "invalid");
}

static void a_rotation_to_the_same_key_is_refused(void **state)
{
	struct card same;
	struct buf enrolment = {0};

	(void)state;
	history_card(&ours, &same);
	assert_ok(card_sign(&same, &ours.signer, &enrolment));
	history_rotate(&ours, buf_bytes(&enrolment));
	assert_err(check_rotation(8), "invalid");
	buf_free(&enrolment);
}

static void a_rotation_to_keys_of_another_log_is_refused(void **state)
{
	struct history other;
	struct next_keys foreign;

	(void)state;
	history_begin(&other, "24", 2);
	next_keys_begin(&foreign, &other, 22);
	history_rotate(&ours, buf_bytes(&foreign.enrolment));
	assert_err(check_rotation(8), "invalid");
	buf_free(&foreign.enrolment);
	history_end(&other);
}

static void a_rotation_by_a_card_that_its_key_did_not_sign_is_refused(void **state)
{
	struct bytes raw = buf_bytes(&next.enrolment);
	uint8_t *at = NULL;

	(void)state;
	at = memmem(next.enrolment.data, raw.size, "curve-key B", 11);
	assert_non_null(at);
	at[10] = 'C';
	history_rotate(&ours, buf_bytes(&next.enrolment));
	assert_err(check_rotation(8), "signature");
}

static void garbage_instead_of_a_card_is_refused(void **state)
{
	(void)state;
	history_rotate(&ours, bytes_of_text("no card"));
	assert_err(check_rotation(8), "invalid");
}

/* ---- a log begun anew ---- */

static void only_event_0_goes_on_from_an_old_log(void **state)
{
	struct history anew;
	struct buf note = {0};

	(void)state;
	sign_root(&ours.signer, ours.signer.key.name, 8, &ours.trees[8], &note);
	history_continue(&ours, &ours, 8, buf_bytes(&note));
	message_commit(&said, &ours, 1, 3, ours.count);
	assert_err(check(3), "invalid");
	history_begin(&anew, "26/2", 3);
	history_continue(&anew, &ours, 8, buf_bytes(&note));
	message_commit(&said, &anew, 1, 0, 1);
	commit = (struct commit){.events = slots};
	assert_ok(commit_check(&anew.trees[0], 0, 1, said.frames[1], said.frames + 2, 1,
			       &anew.signer.key, log_name_region(anew.log), &arena, &commit));
	assert_true(commit.continues);
	history_end(&anew);
	buf_free(&note);
}

/* In the first place of a later commit, or in a later place of the first one. */
static void an_event_that_goes_on_from_an_old_log_has_one_place(void **state)
{
	struct buf note = {0};
	struct history anew;

	(void)state;
	sign_root(&ours.signer, ours.signer.key.name, 8, &ours.trees[8], &note);
	history_continue(&ours, &ours, 8, buf_bytes(&note));
	message_commit(&said, &ours, 1, 8, 9);
	assert_err(check(8), "invalid");
	history_begin(&anew, "26/2", 3);
	history_grow(&anew, 1, "first");
	history_continue(&anew, &ours, 8, buf_bytes(&note));
	message_commit(&said, &anew, 1, 0, 2);
	commit = (struct commit){.events = slots};
	assert_err(commit_check(&anew.trees[0], 0, 2, said.frames[1], said.frames + 2,
				said.count - 2, &anew.signer.key, log_name_region(anew.log), &arena,
				&commit),
		   "invalid");
	history_end(&anew);
	buf_free(&note);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_erased_event_stands_by_its_leaf_hash),
		TEST(a_wrong_hash_in_place_of_an_event_is_refused),
		TEST(a_rotation_gives_the_next_card),
		TEST(a_rotation_that_the_new_key_did_not_sign_is_refused),
		TEST(nothing_follows_a_rotation_in_its_commit),
		TEST(a_rotation_to_the_same_key_is_refused),
		TEST(a_rotation_to_keys_of_another_log_is_refused),
		TEST(a_rotation_by_a_card_that_its_key_did_not_sign_is_refused),
		TEST(garbage_instead_of_a_card_is_refused),
		TEST(only_event_0_goes_on_from_an_old_log),
		TEST(an_event_that_goes_on_from_an_old_log_has_one_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
