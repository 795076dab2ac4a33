/* What changed, in order: read both ways by pages, with what it superseded and when; folded by a
 * server of several logs, and what a log begun anew undoes. */
#include "ledger_fixture.h"

#include "ledger/view.h"

enum { ALL = 1000, WIDE = 1000 * 1000 };

struct viewed {
	struct fixture *f;
	struct view view;
	struct view_fold *fold;
	uint64_t position;
	struct view_change rows[ALL];
	size_t count;
	bool more;
};

static struct viewed *new_view(struct fixture *f)
{
	struct viewed *v = arena_alloc(&f->arena, sizeof *v);

	assert_non_null(v);
	*v = (struct viewed){.f = f};
	assert_ok(view_open(f->store, true, &v->view));
	assert_ok(view_fold_new(&v->fold));
	return v;
}

static struct txn *reading(struct viewed *v)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(v->f->store, false, &t));
	return t;
}

/* One entry of one event, recorded at that time. */
static void fold_at(struct viewed *v, const char *log, uint64_t index, struct event e, int64_t ms)
{
	struct txn *t = NULL;
	struct wall_ms at = {ms};

	assert_ok(txn_begin(v->f->store, true, &t));
	assert_ok(view_fold_time(v->fold, &v->view, t, v->position, &at));
	assert_ok(view_fold_event(v->fold, &v->view, t, v->position, name_of(log), index, &e));
	assert_ok(view_fold_finish(v->fold, &v->view, t, ++v->position));
	assert_ok(txn_commit(t));
}

static struct change entity(struct viewed *v, const char *id, const char *name)
{
	return put_change(record_with(&v->f->arena, RECORD_ENTITY, "id", id, "kind", "CIS", "name",
				      name, NULL));
}

static void put(struct viewed *v, const char *log, uint64_t index, const char *id, const char *name)
{
	struct change c = entity(v, id, name);

	fold_at(v, log, index, event_of(&c, 1), 1000 * ((int64_t)v->position + 1));
}

static void read_changes(struct viewed *v, const struct change_place *from, bool backward,
			 uint64_t end, size_t limit, size_t bytes_max)
{
	struct txn *t = reading(v);

	assert_ok(view_changes(&v->view, t, from, backward, end, limit, bytes_max, &v->f->arena,
			       v->rows, &v->count, &v->more));
	txn_abort(t);
}

static void assert_row(const struct viewed *v, size_t i, uint64_t position, uint64_t index,
		       uint32_t number, const char *id, const char *name)
{
	const struct view_change *row = &v->rows[i];

	assert_true(i < v->count);
	assert_int_equal(row->place.position, position);
	assert_int_equal(row->place.index, index);
	assert_int_equal(row->place.number, number);
	assert_int_equal(row->version.position, position);
	assert_int_equal(row->version.index, index);
	assert_string_equal(row->version.change.id, id);
	if (!name)
		assert_true(row->version.change.retired);
	else
		assert_string_equal(record_get_named(row->version.change.record, "name"), name);
}

/* Entries 0 to 4: a created; b and c created by one event; a changed; b retired; c and a changed.
 */
static struct viewed *a_short_story(struct fixture *f)
{
	struct viewed *v = new_view(f);
	struct change both[2];
	struct change gone = retire_change(RECORD_ENTITY, "pl26-cis-b");

	put(v, "26", 0, "pl26-cis-a", "a");
	both[0] = entity(v, "pl26-cis-c", "c");
	both[1] = entity(v, "pl26-cis-b", "b");
	fold_at(v, "26", 1, event_of(both, 2), 2000);
	put(v, "24", 0, "pl26-cis-a", "a twice");
	fold_at(v, "26", 2, event_of(&gone, 1), 4000);
	both[0] = entity(v, "pl26-cis-c", "c twice");
	both[1] = entity(v, "pl26-cis-a", "a thrice");
	fold_at(v, "26", 3, event_of(both, 2), 5000);
	return v;
}

static void done(struct viewed *v)
{
	view_fold_free(v->fold);
}

/* ---- the order ---- */

static void changes_stand_in_order_each_with_what_the_record_became(void **state)
{
	struct viewed *v = a_short_story(*state);

	read_changes(v, NULL, false, UINT64_MAX, ALL, WIDE);
	assert_int_equal(v->count, 7);
	assert_false(v->more);
	assert_row(v, 0, 0, 0, 0, "pl26-cis-a", "a");
	assert_row(v, 1, 1, 1, 0, "pl26-cis-c", "c");
	assert_row(v, 2, 1, 1, 1, "pl26-cis-b", "b");
	assert_row(v, 3, 2, 0, 0, "pl26-cis-a", "a twice");
	assert_row(v, 4, 3, 2, 0, "pl26-cis-b", NULL);
	assert_row(v, 5, 4, 3, 0, "pl26-cis-c", "c twice");
	assert_row(v, 6, 4, 3, 1, "pl26-cis-a", "a thrice");
	assert_string_equal(v->rows[3].version.log.text, "24");
	assert_int_equal(v->rows[3].version.recorded.ms, 1000); /* by the event's own word */
	done(v);
}

static void backwards_the_newest_comes_first_and_the_first_last(void **state)
{
	struct viewed *v = a_short_story(*state);
	struct change_place place = {4, 3, 0};

	read_changes(v, NULL, true, UINT64_MAX, ALL, WIDE);
	assert_int_equal(v->count, 7);
	assert_row(v, 0, 4, 3, 1, "pl26-cis-a", "a thrice");
	assert_row(v, 6, 0, 0, 0, "pl26-cis-a", "a");
	read_changes(v, &place, true, UINT64_MAX, 1, WIDE);
	assert_int_equal(v->count, 1);
	assert_true(v->more);
	assert_row(v, 0, 3, 2, 0, "pl26-cis-b", NULL);
	place = (struct change_place){0, 0, 0};
	read_changes(v, &place, true, UINT64_MAX, ALL, WIDE);
	assert_int_equal(v->count, 0);
	assert_false(v->more);
	done(v);
}

static void nothing_of_entries_at_the_end_or_behind_it_is_read(void **state)
{
	struct viewed *v = a_short_story(*state);
	struct change_place place = {4, 3, 0};

	read_changes(v, NULL, false, 3, ALL, WIDE);
	assert_int_equal(v->count, 4);
	assert_false(v->more);
	read_changes(v, NULL, true, 3, ALL, WIDE);
	assert_int_equal(v->count, 4);
	assert_row(v, 0, 2, 0, 0, "pl26-cis-a", "a twice");
	read_changes(v, &place, true, 3, ALL, WIDE); /* a place behind the end */
	assert_int_equal(v->count, 4);
	read_changes(v, &place, false, 3, ALL, WIDE);
	assert_int_equal(v->count, 0);
	read_changes(v, NULL, false, 0, ALL, WIDE);
	assert_int_equal(v->count, 0);
	read_changes(v, NULL, true, 0, ALL, WIDE);
	assert_int_equal(v->count, 0);
	done(v);
}

static void a_view_without_changes_has_none(void **state)
{
	struct viewed *v = new_view(*state);

	read_changes(v, NULL, false, UINT64_MAX, ALL, WIDE);
	assert_int_equal(v->count, 0);
	assert_false(v->more);
	read_changes(v, NULL, true, UINT64_MAX, ALL, WIDE);
	assert_int_equal(v->count, 0);
	done(v);
}

/* ---- pages ---- */

/* All, by pages of that many rows and bytes, are as in one: none twice, none left out. */
static void assert_paged(struct viewed *v, bool backward, size_t limit, size_t bytes_max)
{
	struct change_place last;
	const struct change_place *from = NULL;
	struct change_place whole[ALL];
	size_t count = 0;
	size_t at = 0;

	read_changes(v, NULL, backward, UINT64_MAX, ALL, WIDE);
	count = v->count;
	for (size_t i = 0; i < count; i++)
		whole[i] = v->rows[i].place;
	do {
		read_changes(v, from, backward, UINT64_MAX, limit, bytes_max);
		assert_true(v->count > 0 && v->count <= limit);
		for (size_t i = 0; i < v->count; i++, at++) {
			assert_true(at < count);
			assert_memory_equal(&v->rows[i].place.position, &whole[at].position, 8);
			assert_memory_equal(&v->rows[i].place.index, &whole[at].index, 8);
			assert_memory_equal(&v->rows[i].place.number, &whole[at].number, 4);
		}
		last = v->rows[v->count - 1].place;
		from = &last;
	} while (v->more);
	assert_int_equal(at, count);
}

static void pages_by_number_and_by_bytes_neither_repeat_nor_skip(void **state)
{
	struct viewed *v = new_view(*state);
	struct change many[40];

	for (uint64_t entry = 0; entry < 10; entry++) {
		for (size_t i = 0; i < 40; i++) {
			char id[32];
			char name[32];

			(void)snprintf(id, sizeof id, "pl26-cis-%zu", i);
			(void)snprintf(name, sizeof name, "of %llu", (unsigned long long)entry);
			many[i] = entity(v, arena_text(&v->f->arena, bytes_of_text(id)),
					 arena_text(&v->f->arena, bytes_of_text(name)));
		}
		fold_at(v, "26", entry, event_of(many, 40), 1000);
	}
	for (int backward = 0; backward < 2; backward++) {
		assert_paged(v, backward, 1, WIDE);
		assert_paged(v, backward, 7, WIDE);
		assert_paged(v, backward, 400, WIDE);
		assert_paged(v, backward, ALL, 1); /* each row alone is too large, and comes */
		assert_paged(v, backward, ALL, 1000);
	}
	done(v);
}

/* ---- what stood before ---- */

static const char *name_before(struct viewed *v, const char *id, struct version_place place)
{
	struct txn *t = reading(v);
	struct version found;
	enum err e = view_before(&v->view, t, RECORD_ENTITY, bytes_of_text(id), place, &v->f->arena,
				 &found);

	txn_abort(t);
	if (e == ERR_NOT_FOUND)
		return "none";
	assert_ok(e);
	return found.change.retired ? "retired" : record_get_named(found.change.record, "name");
}

static void what_a_change_superseded_is_the_version_before_it(void **state)
{
	struct viewed *v = a_short_story(*state);

	assert_string_equal(name_before(v, "pl26-cis-a", (struct version_place){4, 3}), "a twice");
	assert_string_equal(name_before(v, "pl26-cis-a", (struct version_place){2, 0}), "a");
	assert_string_equal(name_before(v, "pl26-cis-a", (struct version_place){0, 0}), "none");
	assert_string_equal(name_before(v, "pl26-cis-b", (struct version_place){3, 2}), "b");
	assert_string_equal(name_before(v, "pl26-cis-b", (struct version_place){1, 1}), "none");
	assert_string_equal(name_before(v, "pl26-cis-c", (struct version_place){4, 3}), "c");
	assert_string_equal(name_before(v, "pl26-cis-", (struct version_place){4, 3}), "none");
	put(v, "26", 4, "pl26-cis-b", "b again");
	assert_string_equal(name_before(v, "pl26-cis-b", (struct version_place){5, 4}), "retired");
	done(v);
}

/* ---- a log begun anew ---- */

static void what_is_undone_are_changes_of_the_event_that_undoes_it(void **state)
{
	struct viewed *v = new_view(*state);
	struct event anew = event_of(NULL, 0);

	put(v, "26", 0, "pl26-cis-a", "a");
	put(v, "26", 1, "pl26-cis-b", "b");
	put(v, "26", 2, "pl26-cis-a", "stolen");
	put(v, "26", 3, "pl26-cis-c", "stolen");
	put(v, "24", 0, "pl24-cis-d", "d");
	anew.act = EVENT_CONTINUES;
	anew.old_log = name_of("26");
	anew.old_size = 2;
	fold_at(v, "26/2", 0, anew, 9000);
	read_changes(v, &(struct change_place){4, 0, 0}, false, UINT64_MAX, ALL, WIDE);
	assert_int_equal(v->count, 2);
	assert_row(v, 0, 5, 0, 0, "pl26-cis-a", "a");
	assert_row(v, 1, 5, 0, 1, "pl26-cis-c", NULL);
	assert_string_equal(v->rows[0].version.log.text, "26/2");
	assert_string_equal(name_before(v, "pl26-cis-a", (struct version_place){5, 0}), "stolen");
	read_changes(v, NULL, false, 5, ALL, WIDE);
	assert_int_equal(v->count, 5); /* what was said is not hidden */
	assert_row(v, 2, 2, 2, 0, "pl26-cis-a", "stolen");
	done(v);
}

static void more_records_than_are_looked_at_in_one_go_are_numbered_on(void **state)
{
	enum { RECORDS = 700, EVENTS = 7 };
	struct viewed *v = new_view(*state);
	struct event anew = event_of(NULL, 0);
	struct change *many = arena_alloc(&v->f->arena, RECORDS * sizeof *many);

	assert_non_null(many);
	for (size_t i = 0; i < RECORDS; i++) {
		char id[32];

		(void)snprintf(id, sizeof id, "pl26-cis-%zu", i);
		many[i] = entity(v, arena_text(&v->f->arena, bytes_of_text(id)), "x");
	}
	for (uint64_t i = 0; i < EVENTS; i++)
		fold_at(v, "26", i, event_of(many + i * (RECORDS / EVENTS), RECORDS / EVENTS), 1);
	anew.act = EVENT_CONTINUES;
	anew.old_log = name_of("26");
	anew.old_size = 0;
	fold_at(v, "26/2", 0, anew, 9000);
	read_changes(v, NULL, true, UINT64_MAX, RECORDS, WIDE);
	assert_int_equal(v->count, RECORDS);
	assert_true(v->more);
	for (uint32_t i = 0; i < RECORDS; i++) {
		assert_int_equal(v->rows[i].place.position, EVENTS);
		assert_int_equal(v->rows[i].place.number, RECORDS - 1 - i);
		assert_true(v->rows[i].version.change.retired);
	}
	done(v);
}

/* ---- times ---- */

static int64_t time_of(struct viewed *v, uint64_t position)
{
	struct wall_ms at = {-1};
	struct txn *t = reading(v);
	enum err e = view_time(&v->view, t, position, &at);

	txn_abort(t);
	if (e == ERR_NOT_FOUND)
		return -1;
	assert_ok(e);
	return at.ms;
}

static uint64_t position_at(struct viewed *v, int64_t ms)
{
	uint64_t position = 0;
	struct txn *t = reading(v);

	assert_ok(view_position_at(&v->view, t, (struct wall_ms){ms}, &position));
	txn_abort(t);
	return position;
}

static void a_day_is_the_entries_that_were_recorded_until_then(void **state)
{
	static const int64_t times[] = {100, 200, 200, 200, 300, 250, 400};
	struct viewed *v = new_view(*state);

	assert_int_equal(position_at(v, INT64_MAX), 0);
	for (uint64_t i = 0; i < 7; i++) {
		struct change c = entity(v, "pl26-cis-a", "a");

		fold_at(v, "26", i, event_of(&c, 1), times[i]);
	}
	assert_int_equal(time_of(v, 0), 100);
	assert_int_equal(time_of(v, 5), 300); /* a clock that was put back */
	assert_int_equal(time_of(v, 7), -1);
	assert_int_equal(position_at(v, 99), 0);
	assert_int_equal(position_at(v, 100), 1);
	assert_int_equal(position_at(v, 199), 1);
	assert_int_equal(position_at(v, 200), 4);
	assert_int_equal(position_at(v, 299), 4);
	assert_int_equal(position_at(v, 300), 6);
	assert_int_equal(position_at(v, 400), 7);
	assert_int_equal(position_at(v, INT64_MAX), 7);
	assert_int_equal(position_at(v, INT64_MIN), 0);
	done(v);
}

static void an_entry_that_says_no_time_has_that_of_the_one_before(void **state)
{
	struct viewed *v = new_view(*state);
	struct event e = event_of(NULL, 0);
	struct change c = entity(v, "pl26-cis-a", "a");
	struct arena arena = {.head = NULL};
	struct bytes stored;
	struct txn *t = NULL;

	e.changes = &c;
	e.change_count = 1;
	e.recorded.ms = 777;
	stored = encoded(v->f, &e);
	assert_ok(txn_begin(v->f->store, true, &t));
	assert_ok(view_fold_own(v->fold, &v->view, t, name_of("26"), 0, stored, &arena));
	assert_ok(view_fold_own(v->fold, &v->view, t, name_of("26"), 1, bytes_of("", 0), &arena));
	assert_ok(view_fold_own(v->fold, &v->view, t, name_of("26"), 2, bytes_of_text("no event"),
				&arena));
	assert_ok(view_fold_finish(v->fold, &v->view, t, 3));
	assert_ok(txn_commit(t));
	arena_free(&arena);
	assert_int_equal(time_of(v, 0), 777);
	assert_int_equal(time_of(v, 1), 777);
	assert_int_equal(time_of(v, 2), 777);
	assert_int_equal(position_at(v, 776), 0);
	assert_int_equal(position_at(v, 777), 3);
	read_changes(v, NULL, false, UINT64_MAX, ALL, WIDE);
	assert_int_equal(v->count, 1);
	done(v);
}

/* ---- the status ---- */

static void the_status_stays_when_the_view_is_folded_anew(void **state)
{
	struct viewed *v = a_short_story(*state);
	struct bytes said = {NULL, 0};
	struct txn *t = reading(v);

	assert_err(view_status(&v->view, t, &said), ERR_NOT_FOUND);
	txn_abort(t);
	assert_ok(txn_begin(v->f->store, true, &t));
	assert_ok(view_put_status(&v->view, t, bytes_of_text("first")));
	assert_ok(view_put_status(&v->view, t, bytes_of_text("second")));
	assert_ok(view_clear(&v->view, t));
	assert_ok(txn_commit(t));
	read_changes(v, NULL, false, UINT64_MAX, ALL, WIDE);
	assert_int_equal(v->count, 0);
	assert_int_equal(time_of(v, 0), -1);
	t = reading(v);
	assert_ok(view_status(&v->view, t, &said));
	assert_true(bytes_equal(said, bytes_of_text("second")));
	txn_abort(t);
	done(v);
}

/* ---- views of other releases ---- */

static void a_view_of_another_release_is_emptied_and_laid_out_anew(void **state)
{
	struct viewed *v = a_short_story(*state);
	uint8_t old[8] = {0, 0, 0, 0, 0, 0, 0, 1};
	struct txn *t = NULL;
	struct view renewed;
	uint64_t position = 9;

	assert_ok(txn_begin(v->f->store, true, &t));
	assert_ok(txn_put(t, v->view.state, bytes_of_text("format"), bytes_of(old, sizeof old)));
	assert_ok(txn_commit(t));
	assert_err(view_open(v->f->store, true, &renewed), ERR_VERSION);
	assert_ok(view_renew(v->f->store, &renewed));
	t = reading(v);
	assert_ok(view_position(&renewed, t, &position));
	txn_abort(t);
	assert_int_equal(position, 0);
	assert_ok(view_open(v->f->store, false, &renewed));
	v->position = 0;
	put(v, "26", 0, "pl26-cis-a", "a");
	read_changes(v, NULL, false, UINT64_MAX, ALL, WIDE);
	assert_int_equal(v->count, 1);
	done(v);
}

static void a_row_out_of_order_is_damage_not_a_crash(void **state)
{
	struct viewed *v = a_short_story(*state);
	struct change c = entity(v, "pl26-cis-a", "again");
	struct event e = event_of(&c, 1);
	struct txn *t = NULL;
	struct wall_ms at = {1};

	assert_ok(txn_begin(v->f->store, true, &t));
	assert_err(view_fold_event(v->fold, &v->view, t, 2, name_of("26"), 0, &e), ERR_CORRUPT);
	assert_err(view_fold_time(v->fold, &v->view, t, 4, &at), ERR_CORRUPT);
	assert_err(view_fold_time(v->fold, &v->view, t, 9, &at), ERR_CORRUPT);
	txn_abort(t);
	view_fold_abandon(v->fold);
	assert_ok(txn_begin(v->f->store, true, &t));
	assert_ok(txn_put(t, v->view.changes, bytes_of_text("short"), bytes_of_text("\x04")));
	assert_ok(txn_commit(t));
	t = reading(v);
	assert_err(view_changes(&v->view, t, NULL, true, UINT64_MAX, ALL, WIDE, &v->f->arena,
				v->rows, &v->count, &v->more),
		   ERR_CORRUPT);
	txn_abort(t);
	done(v);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(changes_stand_in_order_each_with_what_the_record_became),
		TEST(backwards_the_newest_comes_first_and_the_first_last),
		TEST(nothing_of_entries_at_the_end_or_behind_it_is_read),
		TEST(a_view_without_changes_has_none),
		TEST(pages_by_number_and_by_bytes_neither_repeat_nor_skip),
		TEST(what_a_change_superseded_is_the_version_before_it),
		TEST(what_is_undone_are_changes_of_the_event_that_undoes_it),
		TEST(more_records_than_are_looked_at_in_one_go_are_numbered_on),
		TEST(a_day_is_the_entries_that_were_recorded_until_then),
		TEST(an_entry_that_says_no_time_has_that_of_the_one_before),
		TEST(the_status_stays_when_the_view_is_folded_anew),
		TEST(a_view_of_another_release_is_emptied_and_laid_out_anew),
		TEST(a_row_out_of_order_is_damage_not_a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
