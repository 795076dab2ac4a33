#include "admin.h"

#include "admin/csv/claims.h"

static struct claim items[] = {
	{"32", "CIS", "2016-11-28", "exact", "11", "", "UW"},
	{"32", "CIS", "2019-07-04", "exact", "6", "", "ROPS"},
	{"32", "KIS", "2019-07-04", "claimed", "0", "", "ROPS"},
	{"18", "CIS", "2017-12-31", "exact", "12", "", "SIRES"},
	{"18", "CIS", "2019-07-04", "exact", "17", "", "SIRES"},
	{"04", "KIS", "2018", "exact", "5", "", "A"},
	{"04", "KIS", "2017", "exact", "5", "", "B"},
};
static const struct claims all = {items, sizeof items / sizeof *items};

static void the_newest_figure_is_shown(void **state)
{
	(void)state;
	assert_string_equal(claims_newest(&all, "32", "CIS")->value, "6");
	assert_string_equal(claims_newest(&all, "32", "KIS")->value, "0");
	assert_string_equal(claims_newest(&all, "18", "CIS")->value, "17");
	assert_null(claims_newest(&all, "26", "CIS"));
}

static void two_reporters_with_two_values_conflict_but_a_series_does_not(void **state)
{
	(void)state;
	assert_true(claims_conflict(&all, "32", "CIS"));
	assert_false(claims_conflict(&all, "32", "KIS"));
	assert_false(claims_conflict(&all, "18", "CIS"));
	assert_false(claims_conflict(&all, "04", "KIS"));
	assert_false(claims_conflict(&all, "26", "CIS"));
}

static void only_active_counts_are_collected(void **state)
{
	static const char *const measures[] = {"active_count", "ksr_new_count"};
	const struct kind *kind = kind_of(RECORD_STATISTIC);
	struct arena arena = {0};
	struct version rows[2] = {0};
	struct snapshot s = {.rows = rows, .count = 2};
	struct claims found = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct record *r = record_new(&arena, RECORD_STATISTIC);

		assert_non_null(r);
		assert_ok(record_set(r, &arena, (size_t)field_named(kind, "measure"),
				     T(measures[i])));
		assert_ok(record_set(r, &arena, (size_t)field_named(kind, "region"), T("26")));
		rows[i].change.record = r;
	}
	assert_ok(claims_collect(&found, &s));
	assert_int_equal(found.count, 1);
	assert_string_equal(found.items[0].region, "26");
	claims_free(&found);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_figure_is_shown),
		cmocka_unit_test(two_reporters_with_two_values_conflict_but_a_series_does_not),
		cmocka_unit_test(only_active_counts_are_collected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
