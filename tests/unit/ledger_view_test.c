/* The view: what folding gives, now and as of any position, one record and by pages. */
#include "ledger_viewed.h"

/* ---- one record ---- */

/* The name that an entity had when `at` entries were folded; "" retired, NULL not there. */
static const char *name_at(struct viewed *v, const char *id, uint64_t at)
{
	struct txn *t = reading(v);
	struct version found;
	enum err e = view_get_at(&v->view, t, RECORD_ENTITY, bytes_of_text(id), at, &v->f->arena,
				 &found);

	txn_abort(t);
	if (e == ERR_NOT_FOUND)
		return NULL;
	assert_ok(e);
	return found.change.retired ? "" : column(&found, "name");
}

static void a_record_is_created_changed_and_retired(void **state)
{
	struct viewed *v = new_view(*state);
	struct txn *t = NULL;
	struct version found;
	uint64_t position = 9;
	bool used = false;

	t = reading(v);
	assert_ok(view_position(&v->view, t, &position));
	assert_int_equal(position, 0);
	assert_ok(view_id_used(&v->view, t, bytes_of_text("pl26-cis-a"), &used));
	assert_false(used);
	txn_abort(t);

	put_record(v, entity(v, "pl26-cis-a", "CIS", "first"));
	put_record(v, entity(v, "pl26-cis-a", "CIS", "second"));
	retire(v, RECORD_ENTITY, "pl26-cis-a");

	t = reading(v);
	assert_ok(view_position(&v->view, t, &position));
	assert_int_equal(position, 3);
	assert_ok(view_get(&v->view, t, RECORD_ENTITY, bytes_of_text("pl26-cis-a"), &v->f->arena,
			   &found));
	assert_true(found.change.retired);
	assert_int_equal(found.position, 2);
	assert_int_equal(found.index, 2);
	assert_string_equal(found.editor, "e07");
	assert_true(log_name_equal(found.log, name_of("26")));
	assert_ok(view_id_used(&v->view, t, bytes_of_text("pl26-cis-a"), &used));
	assert_true(used);
	assert_err(view_get(&v->view, t, RECORD_OPERATOR, bytes_of_text("pl26-cis-a"), &v->f->arena,
			    &found),
		   ERR_NOT_FOUND);
	txn_abort(t);

	assert_null(name_at(v, "pl26-cis-b", 0));
	assert_string_equal(name_at(v, "pl26-cis-a", 1), "first");
	assert_string_equal(name_at(v, "pl26-cis-a", 2), "second");
	assert_string_equal(name_at(v, "pl26-cis-a", 3), "");
	assert_string_equal(name_at(v, "pl26-cis-a", 0), "");
	done(v);
}

static void ids_that_begin_alike_do_not_mix(void **state)
{
	struct viewed *v = new_view(*state);

	put_record(v, entity(v, "pl26-cis-a", "CIS", "a1"));
	put_record(v, entity(v, "pl26-cis-a-b", "CIS", "b1"));
	put_record(v, entity(v, "pl26-cis-a-b", "CIS", "b2"));
	put_record(v, entity(v, "pl26-cis-a", "CIS", "a2"));
	assert_null(name_at(v, "pl26-cis-a-b", 1));
	assert_string_equal(name_at(v, "pl26-cis-a", 1), "a1");
	assert_string_equal(name_at(v, "pl26-cis-a", 3), "a1");
	assert_string_equal(name_at(v, "pl26-cis-a-b", 2), "b1");
	assert_string_equal(name_at(v, "pl26-cis-a-b", 3), "b2");
	assert_string_equal(name_at(v, "pl26-cis-a", 4), "a2");
	done(v);
}

static struct listing history(struct viewed *v, const char *id, struct version_place before,
			      size_t limit, bool *ret_more)
{
	struct listing l = {arena_alloc(&v->f->arena, limit * sizeof *l.rows), 0};
	struct txn *t = reading(v);

	assert_non_null(l.rows);
	assert_ok(view_history(&v->view, t, RECORD_ENTITY, bytes_of_text(id), before, limit, 100000,
			       &v->f->arena, l.rows, &l.count, ret_more));
	txn_abort(t);
	return l;
}

static void events_of_one_entry_share_its_position(void **state)
{
	struct viewed *v = new_view(*state);
	struct change changes[5];
	struct event events[5];
	struct listing l;
	bool more = false;

	put_record(v, entity(v, "pl26-cis-a", "CIS", "old"));
	for (size_t i = 0; i < 5; i++) {
		char name[] = {(char)('p' + i), 0};

		changes[i] = put_change(entity(v, "pl26-cis-a", "CIS", name));
		events[i] = event_of(&changes[i], 1);
	}
	fold_entry_of(v, events, 5);
	put_record(v, entity(v, "pl26-cis-a", "CIS", "new"));
	assert_string_equal(name_at(v, "pl26-cis-a", 1), "old");
	assert_string_equal(name_at(v, "pl26-cis-a", 2), "t");
	assert_string_equal(name_at(v, "pl26-cis-a", 3), "new");

	l = history(v, "pl26-cis-a", (struct version_place){0, 0}, 100, &more);
	assert_false(more);
	assert_int_equal(l.count, 7);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(l.rows[i].index, 6 - i);
	l = history(v, "pl26-cis-a", (struct version_place){2, 0}, 5, &more);
	assert_int_equal(l.count, 5); /* all of the entry before */
	assert_true(more);
	l = history(v, "pl26-cis-a", (struct version_place){1, 3}, 1, &more);
	assert_int_equal(l.rows[0].index, 2); /* inside an entry */
	assert_true(more);
	l = history(v, "pl26-cis-a", (struct version_place){1, 0}, 5, &more);
	assert_int_equal(l.count, 1);
	assert_false(more);
	done(v);
}

/* Puts versions `first` to before `end` of one entity, in one entry. */
static void fold_versions(struct viewed *v, const char *id, size_t first, size_t end)
{
	struct change *changes = arena_alloc(&v->f->arena, (end - first) * sizeof *changes);
	struct event *events = arena_alloc(&v->f->arena, (end - first) * sizeof *events);

	assert_true(changes && events);
	for (size_t i = first; i < end; i++) {
		char name[24];

		(void)snprintf(name, sizeof name, "%zu", i);
		changes[i - first] = put_change(entity(v, id, "CIS", name));
		events[i - first] = event_of(&changes[i - first], 1);
	}
	fold_entry_of(v, events, end - first);
}

static void an_entry_of_more_versions_than_a_page_holds_is_read_whole(void **state)
{
	enum { FIRST = 1500, ALL = 4000, PAGE = 7 };
	struct viewed *v = new_view(*state);
	struct version_place before = {0, 0};
	size_t left = ALL;
	bool more = true;

	/* The first entry, whose position is 0, and another; a neighbour after each. */
	fold_versions(v, "pl26-cis-a", 0, FIRST);
	put_record(v, entity(v, "pl26-cis-a-b", "CIS", "b"));
	v->index = FIRST;
	fold_versions(v, "pl26-cis-a", FIRST, ALL);
	put_record(v, entity(v, "pl26-cis", "CIS", "c"));
	while (more) {
		struct listing l = history(v, "pl26-cis-a", before, PAGE, &more);

		assert_true(l.count > 0 && l.count <= left);
		for (size_t i = 0; i < l.count; i++) {
			left--;
			assert_int_equal(strtoul(column(&l.rows[i], "name"), NULL, 10), left);
			assert_int_equal(l.rows[i].index, left);
		}
		before.position = l.rows[l.count - 1].position;
		before.index = l.rows[l.count - 1].index;
	}
	assert_int_equal(left, 0);
	done(v);
}

static void a_list_is_paged_by_number_and_by_bytes(void **state)
{
	struct viewed *v = new_view(*state);
	struct version rows[8];
	struct txn *t = NULL;
	size_t count = 0;
	bool more = false;

	for (char c = 'a'; c < 'f'; c++) {
		char id[] = {'p', 'l', '2', '6', '-', 'c', 'i', 's', '-', c, 0};

		put_record(v, entity(v, id, "CIS", id));
	}
	retire(v, RECORD_ENTITY, "pl26-cis-c");
	t = reading(v);
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "", 0, false, 2, 100000, &v->f->arena, rows,
			    &count, &more));
	assert_int_equal(count, 2);
	assert_true(more);
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "pl26-cis-b", 0, false, 2, 100000,
			    &v->f->arena, rows, &count, &more));
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].change.id, "pl26-cis-d");
	assert_false(more); /* exactly at the end */
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "pl26-cis-b", 0, true, 8, 100000,
			    &v->f->arena, rows, &count, &more));
	assert_int_equal(count, 3);
	assert_true(rows[0].change.retired);
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "", 0, true, 8, 1, &v->f->arena, rows,
			    &count, &more));
	assert_int_equal(count, 1); /* never none, whatever its size */
	assert_true(more);
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "", 5, false, 8, 100000, &v->f->arena, rows,
			    &count, &more));
	assert_int_equal(count, 5); /* before it was retired */
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "", 3, false, 8, 100000, &v->f->arena, rows,
			    &count, &more));
	assert_int_equal(count, 3); /* before the others came */
	assert_ok(view_list(&v->view, t, RECORD_NETWORK, "", 0, true, 8, 100000, &v->f->arena, rows,
			    &count, &more));
	assert_int_equal(count, 0);
	txn_abort(t);
	done(v);
}

static void what_a_list_passes_over_takes_no_memory(void **state)
{
	struct viewed *v = new_view(*state);
	struct arena small = {.limit_bytes = 100 * 1024};
	struct version rows[8];
	struct txn *t = NULL;
	size_t count = 0;
	bool more = true;

	put_record(v, entity(v, "pl26-cis-a", "CIS", "first"));
	for (int i = 0; i < 500; i++) {
		char id[32];

		(void)snprintf(id, sizeof id, "pl26-cis-%03d", i);
		put_record(v, entity(v, id, "CIS", "later"));
	}
	t = reading(v);
	assert_ok(view_list(&v->view, t, RECORD_ENTITY, "", 1, false, 8, 100000, &small, rows,
			    &count, &more));
	txn_abort(t);
	assert_int_equal(count, 1);
	assert_false(more);
	assert_string_equal(column(&rows[0], "name"), "first");
	arena_free(&small);
	done(v);
}

static void an_abandoned_fold_leaves_nothing(void **state)
{
	struct viewed *v = new_view(*state);
	struct change c = put_change(entity(v, "pl26-cis-a", "CIS", "a"));
	struct event e = event_of(&c, 1);
	struct txn *t = NULL;

	assert_ok(txn_begin(v->f->store, true, &t));
	assert_ok(view_fold_event(v->fold, &v->view, t, 0, name_of("26"), 0, &e));
	txn_abort(t);
	view_fold_abandon(v->fold);
	put_record(v, entity(v, "pl26-cis-b", "CIS", "b"));
	assert_int_equal(count_of(v, "entities,PL,,"), 1);
	assert_null(name_at(v, "pl26-cis-a", 0));
	done(v);
}

static void a_view_of_another_format_is_not_opened(void **state)
{
	struct viewed *v = new_view(*state);
	uint8_t raw[8] = {0, 0, 0, 0, 0, 0, 0, 99};
	struct view again;
	struct txn *t = NULL;

	assert_ok(view_open(v->f->store, false, &again));
	assert_ok(txn_begin(v->f->store, true, &t));
	assert_ok(txn_put(t, v->view.state, bytes_of_text("format"), bytes_of(raw, sizeof raw)));
	assert_ok(txn_commit(t));
	assert_err(view_open(v->f->store, false, &again), ERR_VERSION);
	assert_err(view_open(v->f->store, true, &again), ERR_VERSION);
	done(v);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_record_is_created_changed_and_retired),
		TEST(ids_that_begin_alike_do_not_mix),
		TEST(events_of_one_entry_share_its_position),
		TEST(an_entry_of_more_versions_than_a_page_holds_is_read_whole),
		TEST(a_list_is_paged_by_number_and_by_bytes),
		TEST(what_a_list_passes_over_takes_no_memory),
		TEST(an_abandoned_fold_leaves_nothing),
		TEST(a_view_of_another_format_is_not_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
