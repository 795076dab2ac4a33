/* A log begun anew: what the old one said from some size on is undone, and nothing else. */
#include "ledger_fixture.h"
#include "ledger_recount.h"
#include "ledger_world.h"

#include "ledger/view.h"

enum { SEEDS = 20, OLD_EVENTS = 60 };

struct viewed {
	struct fixture *f;
	struct view view;
	struct view_fold *fold;
	uint64_t position;
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

static void fold_at(struct viewed *v, const char *log, uint64_t index, const struct event *e)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(v->f->store, true, &t));
	assert_ok(view_fold_event(v->fold, &v->view, t, v->position, name_of(log), index, e));
	assert_ok(view_fold_finish(v->fold, &v->view, t, ++v->position));
	assert_ok(txn_commit(t));
}

static void put(struct viewed *v, const char *log, uint64_t index, const char *id, const char *name)
{
	struct change c = put_change(record_with(&v->f->arena, RECORD_ENTITY, "id", id, "kind",
						 "CIS", "name", name, NULL));
	struct event e = event_of(&c, 1);

	fold_at(v, log, index, &e);
}

static void retire(struct viewed *v, const char *log, uint64_t index, const char *id)
{
	struct change c = retire_change(RECORD_ENTITY, id);
	struct event e = event_of(&c, 1);

	fold_at(v, log, index, &e);
}

static void begin_anew(struct viewed *v, const char *log, const char *old, uint64_t old_size)
{
	struct event e = event_of(NULL, 0);

	e.act = EVENT_CONTINUES;
	e.old_log = name_of(old);
	e.old_size = old_size;
	e.reason = "begun anew";
	fold_at(v, log, 0, &e);
}

/* What a record is now: its name, "retired", or "" when there never was one. */
static const char *standing(struct viewed *v, const char *id)
{
	struct version found;
	struct txn *t = NULL;
	enum err e = ERR_OK;

	assert_ok(txn_begin(v->f->store, false, &t));
	e = view_get(&v->view, t, RECORD_ENTITY, bytes_of_text(id), &v->f->arena, &found);
	txn_abort(t);
	if (e == ERR_NOT_FOUND)
		return "";
	assert_ok(e);
	return found.change.retired ? "retired" : record_get_named(found.change.record, "name");
}

static void assert_right_counts(struct viewed *v, const char *when)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(v->f->store, false, &t));
	assert_counts_are_right(&v->view, t, &v->f->arena, when);
	txn_abort(t);
}

static void what_the_old_log_said_from_there_on_is_undone(void **state)
{
	struct fixture *f = *state;
	struct viewed *v = new_view(f);
	struct version found;
	struct txn *t = NULL;

	put(v, "26", 0, "pl26-cis-kept", "kept");
	put(v, "26", 1, "pl26-cis-changed", "before");
	put(v, "26", 2, "pl26-cis-ended", "before");
	retire(v, "26", 3, "pl26-cis-gone");
	put(v, "24", 4, "pl24-cis-other", "another log's");
	put(v, "26", 4, "pl26-cis-changed", "once");
	put(v, "26", 5, "pl26-cis-changed", "twice");
	retire(v, "26", 6, "pl26-cis-ended");
	put(v, "26", 7, "pl26-cis-new", "new");
	put(v, "26", 8, "pl26-cis-gone", "again");
	begin_anew(v, "26/2", "26", 4);

	assert_string_equal(standing(v, "pl26-cis-kept"), "kept");
	assert_string_equal(standing(v, "pl26-cis-changed"), "before");
	assert_string_equal(standing(v, "pl26-cis-ended"), "before");
	assert_string_equal(standing(v, "pl26-cis-gone"), "retired");
	assert_string_equal(standing(v, "pl26-cis-new"), "retired");
	assert_string_equal(standing(v, "pl24-cis-other"), "another log's");
	assert_right_counts(v, "begun anew");

	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(view_get(&v->view, t, RECORD_ENTITY, bytes_of_text("pl26-cis-changed"), &f->arena,
			   &found));
	assert_int_equal(found.position, 10);
	assert_int_equal(found.index, 0);
	assert_string_equal(found.log.text, "26/2");
	assert_string_equal(found.reason, "begun anew");
	assert_ok(view_get_at(&v->view, t, RECORD_ENTITY, bytes_of_text("pl26-cis-changed"), 7,
			      &f->arena, &found)); /* what was said is not hidden */
	assert_string_equal(record_get_named(found.change.record, "name"), "twice");
	assert_ok(view_get(&v->view, t, RECORD_ENTITY, bytes_of_text("pl26-cis-kept"), &f->arena,
			   &found));
	assert_int_equal(found.position, 0);
	txn_abort(t);
	view_fold_free(v->fold);
}

static void a_log_begun_anew_twice_undoes_the_second_alone(void **state)
{
	struct viewed *v = new_view(*state);

	put(v, "26", 0, "pl26-cis-a", "first");
	put(v, "26", 1, "pl26-cis-a", "undone");
	put(v, "26", 2, "pl26-cis-b", "undone");
	begin_anew(v, "26/2", "26", 1);
	put(v, "26/2", 1, "pl26-cis-b", "second");
	put(v, "26/2", 2, "pl26-cis-a", "undone too");
	put(v, "26/2", 3, "pl26-cis-b", "undone too");
	begin_anew(v, "26/3", "26/2", 2);
	assert_string_equal(standing(v, "pl26-cis-a"), "first");
	assert_string_equal(standing(v, "pl26-cis-b"), "second");
	assert_right_counts(v, "twice");
	view_fold_free(v->fold);
}

/* The records of a view as they stand: what they say, not who said it. */
static struct bytes said(struct viewed *v)
{
	struct buf all = {.data = NULL};
	struct bytes kept;
	struct txn *t = NULL;

	assert_ok(txn_begin(v->f->store, false, &t));
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		struct listing l =
			list_all(&v->view, t, &v->f->arena, (enum record_kind)k, 0, false);

		for (size_t i = 0; i < l.count; i++) {
			const struct change *c = &l.rows[i].change;

			buf_printf(&all, "%s", c->id);
			for (size_t j = 0; j < kind_of(c->kind)->field_count; j++)
				buf_printf(&all, "|%s", record_get(c->record, j));
			buf_add_u8(&all, '\n');
		}
		free(l.rows);
	}
	txn_abort(t);
	assert_ok(buf_check(&all));
	kept = bytes_of(arena_text(&v->f->arena, buf_bytes(&all)), all.size);
	buf_free(&all);
	return kept;
}

/* Two views: one is told everything and then the undoing, one only what stands. */
static void tell_one_story(uint64_t seed)
{
	struct fixture f;
	struct fixture other;
	struct viewed *v = NULL;
	struct viewed *without = NULL;
	struct world w = {.state = seed};
	uint64_t stands = 0;
	uint64_t old = 0;

	fixture_start(&f);
	fixture_start(&other);
	v = new_view(&f);
	without = new_view(&other);
	w.arena = &f.arena;
	stands = 1 + world_random(&w, OLD_EVENTS - 2);
	for (uint64_t i = 0; i < OLD_EVENTS; i++) {
		struct event e = world_event(&w);

		fold_at(v, "26", old, &e);
		if (old < stands)
			fold_at(without, "26", old, &e);
		old++;
	}
	begin_anew(v, "26/2", "26", stands);
	assert_right_counts(v, "undone");
	assert_true(bytes_equal(said(v), said(without)));
	for (uint64_t i = 1; i < 20; i++) {
		struct event e = world_event(&w);

		fold_at(v, "26/2", i, &e);
		fold_at(without, "26/2", i, &e);
	}
	assert_right_counts(v, "gone on");
	assert_true(bytes_equal(said(v), said(without)));
	view_fold_free(v->fold);
	view_fold_free(without->fold);
	fixture_stop(&f);
	fixture_stop(&other);
}

static void at_random_what_stands_is_all_that_stands(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		tell_one_story(seed);
}

static void more_records_than_a_page_are_all_undone(void **state)
{
	struct viewed *v = new_view(*state);
	char id[40];

	for (unsigned i = 0; i < 700; i++) {
		(void)snprintf(id, sizeof id, "pl26-cis-%04u", i);
		put(v, "26", i, id, "first");
	}
	begin_anew(v, "26/2", "26", 300);
	for (unsigned i = 0; i < 700; i++) {
		(void)snprintf(id, sizeof id, "pl26-cis-%04u", i);
		assert_string_equal(standing(v, id), i < 300 ? "first" : "retired");
	}
	view_fold_free(v->fold);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_the_old_log_said_from_there_on_is_undone),
		TEST(a_log_begun_anew_twice_undoes_the_second_alone),
		TEST(more_records_than_a_page_are_all_undone),
		cmocka_unit_test(at_random_what_stands_is_all_that_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
