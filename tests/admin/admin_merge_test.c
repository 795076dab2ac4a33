#include "admin.h"

#include "admin/merge.h"

static void one_changed_side_wins_and_two_different_ones_conflict(void **state)
{
	static const struct {
		const char *base, *in_register, *in_file;
		enum merge expected;
	} cases[] = {
		{"a", "a", "a", MERGE_KEEP},
		{"a", "a", "b", MERGE_TAKE},
		{"a", "b", "a", MERGE_KEEP},
		{"a", "b", "b", MERGE_KEEP},
		{"a", "b", "c", MERGE_CONFLICT},
		{"a", "a", "", MERGE_TAKE},
		{"a", "", "a", MERGE_KEEP},
		{"", "b", "c", MERGE_CONFLICT},
		{"a", "", "c", MERGE_CONFLICT},
		{NULL, "a", "b", MERGE_TAKE},
		{NULL, "a", "a", MERGE_KEEP},
		{NULL, "a", "", MERGE_TAKE},
		/* A spreadsheet rewrote the line ends. */
		{"x\r\ny", "x\r\ny", "x\ny", MERGE_KEEP},
		{"x\r\ny", "z", "x\ny", MERGE_KEEP},
		{"x\r\ny", "x\r\ny", "x\n\ny", MERGE_TAKE},
		{"x\ry", "x\ry", "xy", MERGE_TAKE},
		{NULL, "x\r\ny", "x\ny", MERGE_TAKE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(merge_field(cases[i].base, cases[i].in_register, cases[i].in_file),
				 cases[i].expected);
}

static void a_state_names_log_and_size(void **state)
{
	struct state_mark mark;

	(void)state;
	assert_true(state_parse("26@118", &mark));
	assert_string_equal(mark.log, "26");
	assert_int_equal(mark.size, 118);
	assert_true(state_parse("national/centrum@0", &mark));
	assert_string_equal(mark.log, "national/centrum");
	assert_true(state_parse("26/2@18446744073709551615", &mark));
	assert_true(mark.size == UINT64_MAX);
}

static void what_is_no_state_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"26",
		"@5",
		"26@",
		"26@x",
		"26@-1",
		"26@1 ",
		"26@18446744073709551616",
		"a-name-that-is-much-longer-than-any-log-or-server-could-ever-be-called-in-this-"
		"world-or"
		"-another@1",
	};
	struct state_mark mark;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_false(state_parse(texts[i], &mark));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_changed_side_wins_and_two_different_ones_conflict),
		cmocka_unit_test(a_state_names_log_and_size),
		cmocka_unit_test(what_is_no_state_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
