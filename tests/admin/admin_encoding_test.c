#include "admin.h"

#include "admin/csv/encoding.h"

/* "zażółć gęślą jaźń ŚŹĄ" as an office program writes it. */
#define UTF8         "zażółć gęślą jaźń ŚŹĄ"
#define WINDOWS_1250 "za\xbf\xf3\xb3\xe6 g\xea\x9cl\xb9 ja\x9f\xf1 \x8c\x8f\xa5"
#define ISO_8859_2   "za\xbf\xf3\xb3\xe6 g\xea\xb6l\xb1 ja\xbc\xf1 \xa6\xac\xa1"

static void expect(struct bytes raw, enum text_encoding expected, const char *text)
{
	struct buf out = {0};
	enum text_encoding found = ENCODING_COUNT;
	size_t at = 0;

	assert_int_equal(encoding_detect(raw, &found, &at), ENCODING_CLEAR);
	assert_string_equal(encoding_name(found), encoding_name(expected));
	assert_ok(encoding_to_utf8(raw, found, &out));
	assert_string_equal(buf_text(&out), text);
	buf_free(&out);
}

static void each_encoding_is_told_by_its_polish_letters(void **state)
{
	(void)state;
	expect(T(UTF8), ENCODING_UTF8, UTF8);
	expect(T(WINDOWS_1250), ENCODING_WINDOWS_1250, UTF8);
	expect(T(ISO_8859_2), ENCODING_ISO_8859_2, UTF8);
	expect(T("plain"), ENCODING_UTF8, "plain");
	expect(T(""), ENCODING_UTF8, "");
}

static void a_byte_order_mark_is_taken_away(void **state)
{
	(void)state;
	expect(T("\xef\xbb\xbf" UTF8), ENCODING_UTF8, UTF8);
}

static void office_quotes_and_dashes_mean_windows(void **state)
{
	(void)state;
	expect(T("\x84"
		 "a\x94 \x96 \x85"),
	       ENCODING_WINDOWS_1250, "„a” – …");
	/* even beside a byte that would be a letter in ISO 8859-2 */
	expect(T("\x84\xb1\x94"), ENCODING_WINDOWS_1250, "„±”");
}

static void letters_that_both_tables_share_decide_nothing_and_need_not(void **state)
{
	(void)state;
	expect(T("\xf3\xb3\xe6\xea\xf1"), ENCODING_WINDOWS_1250, "ółćęń");
}

static void contradicting_letters_are_refused(void **state)
{
	enum text_encoding found = ENCODING_COUNT;
	size_t at = 0;

	(void)state;
	assert_int_equal(encoding_detect(T("ab\xb9\xb1"), &found, &at), ENCODING_EITHER);
	assert_int_equal(at, 3);
	assert_int_equal(encoding_detect(T("x\xbe"), &found, &at), ENCODING_EITHER);
	assert_int_equal(at, 1);
}

static void what_no_table_has_is_refused(void **state)
{
	enum text_encoding found = ENCODING_COUNT;
	struct buf out = {0};
	size_t at = 0;

	(void)state;
	assert_int_equal(encoding_detect(T("a\x81\xb9"), &found, &at), ENCODING_NEITHER);
	assert_int_equal(at, 1);
	assert_int_equal(encoding_detect(bytes_of("a\0b", 3), &found, &at), ENCODING_NUL);
	assert_int_equal(encoding_detect(bytes_of("\xff\xfe"
						  "a\0",
						  4),
					 &found, &at),
			 ENCODING_UTF16);
	assert_string_equal(err_code(encoding_to_utf8(T("\xb9"), ENCODING_UTF8, &out)), "encoding");
	assert_string_equal(err_code(encoding_to_utf8(T("\x81"), ENCODING_WINDOWS_1250, &out)),
			    "encoding");
	buf_free(&out);
}

/* Whatever the letters: written in a table, they are read back the same. */
static void every_polish_letter_comes_back(void **state)
{
	static const char pairs[][3][3] = {
		{"ą", "\xb9", "\xb1"}, {"ć", "\xe6", "\xe6"}, {"ę", "\xea", "\xea"},
		{"ł", "\xb3", "\xb3"}, {"ń", "\xf1", "\xf1"}, {"ó", "\xf3", "\xf3"},
		{"ś", "\x9c", "\xb6"}, {"ź", "\x9f", "\xbc"}, {"ż", "\xbf", "\xbf"},
		{"Ą", "\xa5", "\xa1"}, {"Ć", "\xc6", "\xc6"}, {"Ę", "\xca", "\xca"},
		{"Ł", "\xa3", "\xa3"}, {"Ń", "\xd1", "\xd1"}, {"Ó", "\xd3", "\xd3"},
		{"Ś", "\x8c", "\xa6"}, {"Ź", "\x8f", "\xac"}, {"Ż", "\xaf", "\xaf"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		struct buf out = {0};

		assert_ok(encoding_to_utf8(T(pairs[i][1]), ENCODING_WINDOWS_1250, &out));
		assert_string_equal(buf_text(&out), pairs[i][0]);
		buf_clear(&out);
		assert_ok(encoding_to_utf8(T(pairs[i][2]), ENCODING_ISO_8859_2, &out));
		assert_string_equal(buf_text(&out), pairs[i][0]);
		buf_free(&out);
	}
}

/* The converter works in pieces: their seams must not show. */
static void a_long_text_is_converted_whole(void **state)
{
	const size_t size = 100003;
	char *raw = malloc(size);
	struct buf out = {0};

	(void)state;
	assert_non_null(raw);
	memset(raw, '\xb9', size);
	assert_ok(encoding_to_utf8(bytes_of(raw, size), ENCODING_WINDOWS_1250, &out));
	assert_int_equal(out.size, 2 * size);
	for (size_t i = 0; i < size; i++)
		assert_memory_equal(out.data + 2 * i, "ą", 2);
	buf_free(&out);
	free(raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_encoding_is_told_by_its_polish_letters),
		cmocka_unit_test(a_byte_order_mark_is_taken_away),
		cmocka_unit_test(office_quotes_and_dashes_mean_windows),
		cmocka_unit_test(letters_that_both_tables_share_decide_nothing_and_need_not),
		cmocka_unit_test(contradicting_letters_are_refused),
		cmocka_unit_test(what_no_table_has_is_refused),
		cmocka_unit_test(every_polish_letter_comes_back),
		cmocka_unit_test(a_long_text_is_converted_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
