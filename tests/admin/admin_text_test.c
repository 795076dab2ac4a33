#include "admin.h"

#include "admin/text.h"

static void expect_escaped(const char *text, const char *expected)
{
	struct buf out = {0};

	text_escape(&out, text);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void what_would_steer_a_terminal_is_written_out(void **state)
{
	(void)state;
	expect_escaped("zażółć 漢", "zażółć 漢");
	expect_escaped("a\nb\r\tc", "a\\nb\\r\\tc");
	expect_escaped("\033[2J\007\177", "\\x1b[2J\\x07\\x7f");
	expect_escaped("a\u202eb\xc2\x85"
		       "c",
		       "a\\u202eb\\u0085c");
	expect_escaped("bad \xff\xc5", "bad \\xff\\xc5");
}

static void width_counts_columns_and_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(text_width(""), 0);
	assert_int_equal(text_width("śląskie"), 7);
	assert_int_equal(text_width("漢字"), 4);
	assert_int_equal(text_width("e\u0301"), 1);
}

static void numbers_stand_under_each_other(void **state)
{
	struct arena arena = {0};
	struct buf out = {0};
	struct text_table t = table_in(&arena);

	(void)state;
	table_column(&t, "region", ALIGN_LEFT);
	table_column(&t, "KIS", ALIGN_RIGHT);
	table_column(&t, "note", ALIGN_LEFT);
	table_cell(&t, "łódzkie");
	table_cell_uint(&t, 7);
	table_cell(&t, "");
	table_cell(&t, "śląskie, długie");
	table_cell(&t, "–");
	table_cell(&t, "a\nb");
	table_print(&t, "  ", &out);
	assert_string_equal(buf_text(&out), "  region           KIS  note\n"
					    "  łódzkie            7\n"
					    "  śląskie, długie    –  a\\nb\n");
	buf_free(&out);
	arena_free(&arena);
}

static void a_number_is_digits_alone_from_one_to_the_most_that_fits(void **state)
{
	static const char *const bad[] = {"",   "0",  "000", "-1",   "+1",
					  " 1", "1 ", "1.0", "0x10", "18446744073709551616"};
	uint64_t number = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(text_number(bad[i], &number));
	assert_int_equal(number, 7);
	assert_true(text_number("18446744073709551615", &number));
	assert_true(number == UINT64_MAX);
	assert_true(text_number("0118", &number));
	assert_int_equal(number, 118);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_would_steer_a_terminal_is_written_out),
		cmocka_unit_test(width_counts_columns_and_not_bytes),
		cmocka_unit_test(numbers_stand_under_each_other),
		cmocka_unit_test(a_number_is_digits_alone_from_one_to_the_most_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
