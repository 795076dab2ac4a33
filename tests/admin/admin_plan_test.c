#include "admin.h"

#include "admin/csv/plan.h"
#include "base/limits.h"

/* A register of three clubs at region 26, and files against it. */
struct story {
	struct arena arena;
	struct findings findings;
	struct plan plan;
	struct plan_options options;
};

static const struct kind *kind(void)
{
	return kind_of(RECORD_ENTITY);
}

static int set_up(void **state)
{
	struct story *s = calloc(1, sizeof *s);

	assert_non_null(s);
	s->plan.kind = kind();
	s->options.region = region_by_code(T("26"));
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct story *s = *state;

	plan_free(&s->plan);
	findings_free(&s->findings);
	arena_free(&s->arena);
	free(s);
	return 0;
}

static struct record *club(struct story *s, const char *id, const char *place, const char *status)
{
	static const struct {
		const char *name, *value;
	} always[] = {{"region", "26"}, {"kind", "KIS"}, {"name", "Klub"}};
	struct record *r = record_new(&s->arena, RECORD_ENTITY);

	assert_non_null(r);
	for (size_t i = 0; i < 3; i++)
		assert_ok(record_set(r, &s->arena, (size_t)field_named(kind(), always[i].name),
				     T(always[i].value)));
	assert_ok(record_set(r, &s->arena, (size_t)field_named(kind(), "id"), T(id)));
	assert_ok(record_set(r, &s->arena, (size_t)field_named(kind(), "place"), T(place)));
	assert_ok(record_set(r, &s->arena, (size_t)field_named(kind(), "status"), T(status)));
	return r;
}

/* Adds a version; ids come in order.  A NULL place: a tombstone. */
static void hold(struct story *s, struct snapshot *in, uint64_t index, const char *id,
		 const char *place, const char *status)
{
	struct version v = {.index = index, .change = {.id = id, .kind = RECORD_ENTITY}};

	if (place)
		v.change.record = club(s, id, place, status);
	else
		v.change.retired = true;
	in->rows = reallocarray(in->rows, in->count + 1, sizeof *in->rows);
	assert_non_null(in->rows);
	in->rows[in->count++] = v;
}

static struct plan_row *row(struct story *s, size_t number, const char *id, const char *place,
			    const char *status)
{
	struct plan_row r = {.file = "f.csv", .row = number, .id = ""};
	const struct {
		const char *name, *value;
	} cells[] = {{"id", id},       {"region", "26"}, {"kind", "KIS"},
		     {"name", "Klub"}, {"place", place}, {"status", status}};

	r.cells = arena_alloc(&s->arena, kind()->field_count * sizeof *r.cells);
	assert_non_null(r.cells);
	memset(r.cells, 0, kind()->field_count * sizeof *r.cells);
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		r.cells[field_named(kind(), cells[i].name)] = cells[i].value;
	assert_ok(plan_add_row(&s->plan, &r));
	return &s->plan.rows[s->plan.row_count - 1];
}

/* As `row`, exported at that size. */
static void came_back(struct story *s, uint64_t size, size_t number, const char *id,
		      const char *place, const char *status)
{
	struct plan_row *r = row(s, number, id, place, status);

	r->has_state = state_parse("26@1", &r->state);
	r->state.size = size;
	s->plan.three_way = true;
}

static void compare(struct story *s)
{
	assert_ok(plan_compare(&s->plan, &s->options, &s->arena, &s->findings));
}

static const char *to_be(const struct story *s, size_t row_index, const char *column)
{
	return record_get_named(s->plan.rows[row_index].record, column);
}

static void expect_fate(const struct story *s, size_t row_index, enum row_fate fate)
{
	assert_int_equal(s->plan.rows[row_index].fate, fate);
}

static void expect_finding(const struct story *s, size_t i, size_t number, const char *column,
			   const char *code)
{
	assert_true(i < s->findings.count);
	assert_int_equal(s->findings.items[i].row, number);
	assert_string_equal(s->findings.items[i].column, column);
	assert_string_equal(s->findings.items[i].code, code);
}

static void rows_are_new_changed_the_same_or_missing(void **state)
{
	struct story *s = *state;

	hold(s, &s->plan.now, 3, "pl26-kis-a", "Kielce", "active");
	hold(s, &s->plan.now, 4, "pl26-kis-b", "Busko", "active");
	hold(s, &s->plan.now, 5, "pl26-kis-c", "Końskie", "active");
	row(s, 2, "pl26-kis-a", "Kielce", "active");
	row(s, 3, "pl26-kis-b", "Busko", "suspended");
	row(s, 4, "pl26-kis-new", "Ostrowiec", "");
	compare(s);
	assert_int_equal(s->findings.count, 0);
	expect_fate(s, 0, ROW_SAME);
	expect_fate(s, 1, ROW_CHANGED);
	assert_string_equal(to_be(s, 1, "status"), "suspended");
	expect_fate(s, 2, ROW_ADDED);
	assert_int_equal(s->plan.missing_count, 1);
	assert_string_equal(s->plan.missing[0].current->change.id, "pl26-kis-c");
	assert_false(s->plan.missing[0].retire);
}

static void a_column_that_the_file_lacks_stays_as_it_is(void **state)
{
	struct story *s = *state;

	hold(s, &s->plan.now, 3, "pl26-kis-a", "Kielce", "active");
	row(s, 2, "pl26-kis-a", "Kielce", NULL);
	row(s, 3, "pl26-kis-new", "Busko", NULL);
	compare(s);
	expect_fate(s, 0, ROW_SAME);
	expect_fate(s, 1, ROW_ADDED);
	assert_string_equal(to_be(s, 1, "status"), "");
}

static void an_empty_cell_empties_the_field(void **state)
{
	struct story *s = *state;

	hold(s, &s->plan.now, 3, "pl26-kis-a", "Kielce", "active");
	row(s, 2, "pl26-kis-a", "Kielce", "");
	compare(s);
	expect_fate(s, 0, ROW_CHANGED);
	assert_string_equal(to_be(s, 0, "status"), "");
}

static void every_problem_is_listed_not_only_the_first(void **state)
{
	struct story *s = *state;

	row(s, 2, "pl26-kis-a", "Kielce", "aktywny");
	row(s, 3, "pl26-kis-b", "Busko", "active");
	row(s, 4, "pl24-kis-c", "Bytom", "active");
	compare(s);
	expect_fate(s, 0, ROW_BAD);
	expect_fate(s, 1, ROW_ADDED);
	expect_fate(s, 2, ROW_BAD);
	assert_true(s->findings.count >= 2);
	assert_int_equal(s->findings.items[0].row, 2);
	assert_string_equal(s->findings.items[0].column, "status");
	assert_int_equal(s->findings.items[s->findings.count - 1].row, 4);
}

static void two_rows_of_one_id_are_both_bad(void **state)
{
	struct story *s = *state;

	row(s, 2, "pl26-kis-a", "Kielce", "active");
	row(s, 3, "pl26-kis-a", "Busko", "active");
	compare(s);
	expect_finding(s, 0, 2, "id", "duplicate-id");
	expect_finding(s, 1, 3, "id", "duplicate-id");
	expect_fate(s, 0, ROW_BAD);
	expect_fate(s, 1, ROW_BAD);
}

static void the_id_of_an_ended_record_is_refused(void **state)
{
	struct story *s = *state;

	hold(s, &s->plan.now, 9, "pl26-kis-a", NULL, NULL);
	row(s, 2, "pl26-kis-a", "Kielce", "active");
	compare(s);
	expect_finding(s, 0, 2, "id", "retired-id");
	assert_int_equal(s->plan.missing_count, 0);
}

static void rows_of_other_owners_are_left_aside_when_asked(void **state)
{
	struct story *s = *state;

	row(s, 2, "pl24-kis-x", "Bytom", "no such status");
	row(s, 3, "pl26-kis-a", "Kielce", "active");
	row(s, 4, "whose?", "Kielce", "active");
	s->options.own = true;
	compare(s);
	expect_fate(s, 0, ROW_ASIDE);
	expect_fate(s, 1, ROW_ADDED);
	expect_fate(s, 2, ROW_BAD); /* nobody's: somebody has to hear of it */
	assert_int_equal(s->findings.items[0].row, 4);
}

static void what_a_spreadsheet_damaged_is_repaired_and_listed(void **state)
{
	struct story *s = *state;
	int created = field_named(kind(), "created_on");

	row(s, 2, "pl26-kis-a", "Kielce", "active")->cells[created] = "4.06.2019";
	compare(s);
	expect_fate(s, 0, ROW_ADDED);
	assert_int_equal(s->plan.repair_count, 1);
	assert_string_equal(s->plan.repairs[0].from, "4.06.2019");
	assert_string_equal(s->plan.repairs[0].to, "2019-06-04");
	assert_string_equal(to_be(s, 0, "created_on"), "2019-06-04");
}

/* ---- rows without an id ---- */

static void a_row_without_id_gets_one_and_the_same_file_again_finds_it(void **state)
{
	struct story *s = *state;
	const char *minted = NULL;
	char kept[ID_BYTES_MAX + 1];

	row(s, 2, "", "Kielce", "active");
	row(s, 3, "", "Kielce", "suspended");
	compare(s);
	expect_fate(s, 0, ROW_ADDED);
	expect_fate(s, 1, ROW_ADDED);
	assert_true(s->plan.rows[0].minted);
	assert_string_not_equal(s->plan.rows[0].id, s->plan.rows[1].id);
	assert_int_equal(strncmp(s->plan.rows[0].id, "pl26-kis-kielce", 15), 0);
	minted = s->plan.rows[0].id;
	(void)snprintf(kept, sizeof kept, "%s", minted);

	plan_free(&s->plan);
	s->plan.kind = kind();
	hold(s, &s->plan.now, 0, kept, "Kielce", "active");
	row(s, 2, "", "Kielce", "active");
	row(s, 3, "", "Kielce", "suspended");
	compare(s);
	expect_fate(s, 0, ROW_SAME);
	assert_string_equal(s->plan.rows[0].id, kept);
	expect_fate(s, 1, ROW_ADDED);
	assert_string_not_equal(s->plan.rows[1].id, kept);
}

/* ---- files that come back ---- */

static void a_base(struct story *s, uint64_t size)
{
	s->plan.bases[0].size = size;
	s->plan.base_count = 1;
	hold(s, &s->plan.bases[0].rows, 3, "pl26-kis-a", "Kielce", "active");
	hold(s, &s->plan.bases[0].rows, 4, "pl26-kis-b", "Busko", "active");
}

static void what_changed_in_the_register_meanwhile_is_not_reverted(void **state)
{
	struct story *s = *state;

	a_base(s, 5);
	hold(s, &s->plan.now, 6, "pl26-kis-a", "Kielce", "suspended");
	hold(s, &s->plan.now, 4, "pl26-kis-b", "Busko", "active");
	came_back(s, 5, 2, "pl26-kis-a", "Kielce Południe", "active");
	came_back(s, 5, 3, "pl26-kis-b", "Busko", "active");
	compare(s);
	assert_int_equal(s->plan.conflict_count, 0);
	expect_fate(s, 0, ROW_CHANGED);
	assert_string_equal(to_be(s, 0, "status"), "suspended");
	assert_string_equal(to_be(s, 0, "place"), "Kielce Południe");
	expect_fate(s, 1, ROW_SAME);
}

static void a_field_changed_on_both_sides_is_a_conflict(void **state)
{
	struct story *s = *state;

	a_base(s, 5);
	hold(s, &s->plan.now, 6, "pl26-kis-a", "Kielce", "suspended");
	came_back(s, 5, 2, "pl26-kis-a", "Kielce", "ceased");
	compare(s);
	expect_fate(s, 0, ROW_CONFLICT);
	assert_int_equal(s->plan.conflict_count, 1);
	assert_string_equal(s->plan.conflicts[0].base, "active");
	assert_string_equal(s->plan.conflicts[0].in_register, "suspended");
	assert_string_equal(s->plan.conflicts[0].in_file, "ceased");
}

static void overwrite_settles_conflicts_and_nothing_else(void **state)
{
	struct story *s = *state;

	a_base(s, 5);
	hold(s, &s->plan.now, 6, "pl26-kis-a", "Morawica", "suspended");
	came_back(s, 5, 2, "pl26-kis-a", "Kielce", "ceased");
	s->options.overwrite = true;
	compare(s);
	expect_fate(s, 0, ROW_CHANGED);
	assert_string_equal(to_be(s, 0, "status"), "ceased");
	assert_string_equal(to_be(s, 0, "place"), "Morawica");
}

static void a_record_added_meanwhile_is_not_missing_and_one_taken_out_is(void **state)
{
	struct story *s = *state;

	a_base(s, 5);
	hold(s, &s->plan.now, 3, "pl26-kis-a", "Kielce", "active");
	hold(s, &s->plan.now, 4, "pl26-kis-b", "Busko", "active");
	hold(s, &s->plan.now, 7, "pl26-kis-c", "Końskie", "active");
	came_back(s, 5, 2, "pl26-kis-a", "Kielce", "active");
	s->options.retire_missing = true;
	compare(s);
	assert_int_equal(s->plan.missing_count, 1);
	assert_string_equal(s->plan.missing[0].current->change.id, "pl26-kis-b");
	assert_true(s->plan.missing[0].retire);
	assert_int_equal(s->plan.conflict_count, 0);
}

static void taking_out_what_was_changed_meanwhile_is_a_conflict(void **state)
{
	struct story *s = *state;

	a_base(s, 5);
	hold(s, &s->plan.now, 3, "pl26-kis-a", "Kielce", "active");
	hold(s, &s->plan.now, 8, "pl26-kis-b", "Busko", "suspended");
	came_back(s, 5, 2, "pl26-kis-a", "Kielce", "active");
	s->options.retire_missing = true;
	compare(s);
	assert_int_equal(s->plan.conflict_count, 1);
	assert_string_equal(s->plan.conflicts[0].id, "pl26-kis-b");
	assert_null(s->plan.conflicts[0].row);
}

static void a_row_of_a_record_that_ended_meanwhile_is_left_in_peace_unless_changed(void **state)
{
	struct story *s = *state;

	a_base(s, 5);
	hold(s, &s->plan.now, 6, "pl26-kis-a", NULL, NULL);
	hold(s, &s->plan.now, 7, "pl26-kis-b", NULL, NULL);
	came_back(s, 5, 2, "pl26-kis-a", "Kielce", "active");
	came_back(s, 5, 3, "pl26-kis-b", "Busko", "suspended");
	compare(s);
	expect_fate(s, 0, ROW_SAME);
	expect_fate(s, 1, ROW_BAD);
	expect_finding(s, 0, 3, "id", "retired-id");
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		STORY(rows_are_new_changed_the_same_or_missing),
		STORY(a_column_that_the_file_lacks_stays_as_it_is),
		STORY(an_empty_cell_empties_the_field),
		STORY(every_problem_is_listed_not_only_the_first),
		STORY(two_rows_of_one_id_are_both_bad),
		STORY(the_id_of_an_ended_record_is_refused),
		STORY(rows_of_other_owners_are_left_aside_when_asked),
		STORY(what_a_spreadsheet_damaged_is_repaired_and_listed),
		STORY(a_row_without_id_gets_one_and_the_same_file_again_finds_it),
		STORY(what_changed_in_the_register_meanwhile_is_not_reverted),
		STORY(a_field_changed_on_both_sides_is_a_conflict),
		STORY(overwrite_settles_conflicts_and_nothing_else),
		STORY(a_record_added_meanwhile_is_not_missing_and_one_taken_out_is),
		STORY(taking_out_what_was_changed_meanwhile_is_a_conflict),
		STORY(a_row_of_a_record_that_ended_meanwhile_is_left_in_peace_unless_changed),
	};
#undef STORY

	return cmocka_run_group_tests(tests, NULL, NULL);
}
