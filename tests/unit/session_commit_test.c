#include "session_fixture.h"

static struct history ours;
static struct arena arena;
static struct bytes slots[COMMIT_EVENTS_MAX];

static int set_up(void **state)
{
	(void)state;
	history_begin(&ours, "26", 1);
	history_grow(&ours, 20, "first");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	history_end(&ours);
	arena_free(&arena);
	return 0;
}

/* Checks a COMMIT message's parts against the tree of `before` events. */
static enum err check(const struct message *m, uint64_t before, uint64_t from, uint32_t count,
		      struct commit *ret)
{
	*ret = (struct commit){.events = slots};
	return commit_check(&ours.trees[before], from, count, m->frames[1], m->frames + 2,
			    m->count - 2, &ours.signer.key, log_name_region(ours.log), &arena, ret);
}

static void a_commit_that_holds_gives_the_tree_after_it(void **state)
{
	struct message m = {0};
	struct commit c;

	(void)state;
	message_commit(&m, &ours, 1, 3, 9);
	assert_ok(check(&m, 3, 3, 6, &c));
	assert_int_equal(c.after.size, 9);
	assert_true(hash_equal(tree_root(&c.after), tree_root(&ours.trees[9])));
	assert_int_equal(c.count, 6);
	assert_true(bytes_equal(c.events[5], buf_bytes(&ours.events[8])));
	message_free(&m);
}

/* Each change is stored and folded by itself, with a copy of its event's texts. */
static void the_work_of_a_commit_is_that_of_its_changes(void **state)
{
	struct change changes[] = {{.id = "pl26-a", .kind = RECORD_ENTITY, .retired = true},
				   {.id = "pl26-b", .kind = RECORD_ENTITY, .retired = true},
				   {.id = "pl26-c", .kind = RECORD_ENTITY, .retired = true}};
	struct message m = {0};
	struct commit c;

	(void)state;
	history_add_event(
		&ours, (struct event){.reason = "seven b", .changes = changes, .change_count = 3});
	message_commit(&m, &ours, 1, 18, 21);
	assert_ok(check(&m, 18, 18, 3, &c));
	assert_int_equal(c.work, 3 * EVENT_WORK_BYTES + 2 * (CHANGE_WORK_BYTES + 7));
	message_free(&m);
}

static void events_may_lie_in_several_frames(void **state)
{
	struct message m = {0};
	struct commit c;

	(void)state;
	message_header(&m, &(struct wire_header){.kind = WIRE_COMMIT, .session = 1});
	message_note(&m, &ours, 6);
	message_events(&m, &ours, 0, 2);
	message_events(&m, &ours, 2, 6);
	assert_ok(check(&m, 0, 0, 6, &c));
	message_free(&m);
}

static void a_gap_is_refused(void **state)
{
	struct message m = {0};
	struct commit c;

	(void)state;
	message_commit(&m, &ours, 1, 3, 9);
	assert_err(check(&m, 2, 3, 6, &c), "gap");
	assert_err(check(&m, 4, 3, 6, &c), "old");
	message_free(&m);
}

static void a_commit_without_events_is_refused(void **state)
{
	struct message m = {0};
	struct commit c;

	(void)state;
	message_commit(&m, &ours, 1, 3, 9);
	assert_err(check(&m, 3, 3, 0, &c), "decode");
	m.count = 2;
	assert_err(check(&m, 3, 3, 6, &c), "decode");
	message_free(&m);
}

static void too_many_events_are_refused_before_they_are_read(void **state)
{
	struct message m = {0};
	struct commit c;

	(void)state;
	message_commit(&m, &ours, 1, 3, 9);
	assert_err(check(&m, 3, 3, COMMIT_EVENTS_MAX + 1, &c), "limit");
	assert_err(check(&m, 3, 3, UINT32_MAX, &c), "limit");
	message_free(&m);
}

static void a_count_that_the_frames_do_not_hold_is_refused(void **state)
{
	struct message m = {0};
	struct commit c;

	(void)state;
	message_commit(&m, &ours, 1, 3, 9);
	assert_err(check(&m, 3, 3, 5, &c), "decode");
	assert_err(check(&m, 3, 3, 7, &c), "decode");
	m.frames[2].size--; /* torn */
	assert_err(check(&m, 3, 3, 6, &c), "decode");
	message_free(&m);
}

static void a_commit_over_its_bytes_is_refused(void **state)
{
	struct message m = {0};
	struct commit c;
	static uint8_t zeros[FRAME_BYTES_MAX + 1];

	(void)state;
	message_header(&m, &(struct wire_header){.kind = WIRE_COMMIT, .session = 1});
	message_note(&m, &ours, 6);
	message_add(&m, bytes_of(zeros, FRAME_BYTES_MAX + 1));
	assert_err(check(&m, 0, 0, 6, &c), "limit");
	m.frames[2].size = FRAME_BYTES_MAX;
	for (size_t i = 3; i < 7; i++)
		message_add(&m, bytes_of(zeros, FRAME_BYTES_MAX)); /* 1.25 MiB in all */
	assert_err(check(&m, 0, 0, 6, &c), "limit");
	message_free(&m);
}

static void an_event_altered_on_the_way_is_refused(void **state)
{
	struct message m = {0};
	struct commit c;

	(void)state;
	message_commit(&m, &ours, 1, 3, 9);
	m.bufs[2].data[m.bufs[2].size - 1] ^= 1;
	assert_err(check(&m, 3, 3, 6, &c), "root");
	message_free(&m);
}

static void a_checkpoint_of_another_size_is_refused(void **state)
{
	struct message m = {0};
	struct commit c;

	(void)state;
	message_header(&m, &(struct wire_header){.kind = WIRE_COMMIT, .session = 1});
	message_note(&m, &ours, 10);
	message_events(&m, &ours, 3, 9);
	assert_err(check(&m, 3, 3, 6, &c), "gap");
	message_free(&m);
}

static void a_forged_checkpoint_is_refused(void **state)
{
	struct history thief;
	struct message m = {0};
	struct buf note = {0};
	struct commit c;

	(void)state;
	history_begin(&thief, "26", 99); /* the right name, another key */
	message_header(&m, &(struct wire_header){.kind = WIRE_COMMIT, .session = 1});
	sign_root(&thief.signer, ours.signer.key.name, 9, &ours.trees[9], &note);
	message_add(&m, buf_bytes(&note));
	message_events(&m, &ours, 3, 9);
	assert_err(check(&m, 3, 3, 6, &c), "unknown-key");
	history_end(&thief);
	buf_free(&note);
	message_free(&m);
}

static void a_checkpoint_of_another_log_is_refused(void **state)
{
	struct message m = {0};
	struct buf note = {0};
	struct commit c;

	(void)state;
	message_header(&m, &(struct wire_header){.kind = WIRE_COMMIT, .session = 1});
	sign_root(&ours.signer, REALM "/region/24", 9, &ours.trees[9], &note);
	message_add(&m, buf_bytes(&note));
	message_events(&m, &ours, 3, 9);
	assert_err(check(&m, 3, 3, 6, &c), "origin");
	buf_free(&note);
	message_free(&m);
}

/* A history that is wrong in its events, but rightly signed. */
static enum err check_whole(struct history *h)
{
	struct message m = {0};
	struct commit c = {.events = slots};
	enum err e = ERR_OK;

	message_commit(&m, h, 1, 0, h->count);
	e = commit_check(&h->trees[0], 0, (uint32_t)h->count, m.frames[1], m.frames + 2, 1,
			 &h->signer.key, log_name_region(h->log), &arena, &c);
	message_free(&m);
	return e;
}

static void a_record_of_another_region_is_refused(void **state)
{
	struct history h;

	(void)state;
	history_begin(&h, "26", 1);
	history_grow(&h, 2, "well");
	history_add(&h, "pl24-op-0", "not ours");
	assert_err(check_whole(&h), "owner");
	history_end(&h);
}

static void an_event_that_does_not_decode_is_refused(void **state)
{
	struct history h;

	(void)state;
	history_begin(&h, "26", 1);
	history_add_raw(&h, bytes_of_text("\xff\xff\xff garbage"));
	assert_err(check_whole(&h), "decode");
	history_end(&h);
}

static void too_many_changes_in_an_event_are_refused(void **state)
{
	struct history h;
	struct buf raw = {0};

	(void)state;
	history_begin(&h, "26", 1);
	for (size_t i = 0; i <= EVENT_CHANGES_MAX; i++) { /* field 5, an empty change */
		buf_add_u8(&raw, 5 << 3 | 2);
		buf_add_u8(&raw, 0);
	}
	history_add_raw(&h, buf_bytes(&raw));
	assert_err(check_whole(&h), "limit");
	history_end(&h);
	buf_free(&raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_commit_that_holds_gives_the_tree_after_it),
		cmocka_unit_test(the_work_of_a_commit_is_that_of_its_changes),
		cmocka_unit_test(events_may_lie_in_several_frames),
		cmocka_unit_test(a_gap_is_refused),
		cmocka_unit_test(a_commit_without_events_is_refused),
		cmocka_unit_test(too_many_events_are_refused_before_they_are_read),
		cmocka_unit_test(a_count_that_the_frames_do_not_hold_is_refused),
		cmocka_unit_test(a_commit_over_its_bytes_is_refused),
		cmocka_unit_test(an_event_altered_on_the_way_is_refused),
		cmocka_unit_test(a_checkpoint_of_another_size_is_refused),
		cmocka_unit_test(a_forged_checkpoint_is_refused),
		cmocka_unit_test(a_checkpoint_of_another_log_is_refused),
		cmocka_unit_test(a_record_of_another_region_is_refused),
		cmocka_unit_test(an_event_that_does_not_decode_is_refused),
		cmocka_unit_test(too_many_changes_in_an_event_are_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
