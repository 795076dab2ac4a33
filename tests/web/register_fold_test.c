#include "register/fold.h"

#include "register_support.h"

static const char *folded(const char *text)
{
	static struct buf out;

	buf_clear(&out);
	assert_ok(fold_text(bytes_of_text(text), &out));
	return buf_text(&out);
}

static void polish_letters_lose_their_marks_and_their_case(void **state)
{
	(void)state;
	assert_string_equal(folded("ZAŻÓŁĆ GĘŚLĄ JAŹŃ"), "zazolc gesla jazn");
	assert_string_equal(folded("zażółć gęślą jaźń"), "zazolc gesla jazn");
	assert_string_equal(folded("Łódź"), "lodz");
}

static void a_letter_and_its_mark_apart_are_the_letter(void **state)
{
	(void)state;
	assert_string_equal(folded("Ło\xcc\x81"
				   "dz\xcc\x81"),
			    "lodz");
}

static void other_languages_fold_to_plain_letters_too(void **state)
{
	(void)state;
	assert_string_equal(folded("Straße Æsir Øre Đak Þing Ħ ŋ İı"),
			    "strasse aesir ore dak thing h n ii");
	assert_string_equal(folded("ŽILINA Čeladná"), "zilina celadna");
	assert_string_equal(folded("ﬁrma ② Ⅷ"), "firma 2 viii");
	assert_string_equal(folded("Львів"), "львів");
}

static void what_is_no_letter_or_digit_is_one_space_between_words(void **state)
{
	(void)state;
	assert_string_equal(folded("  ul.Długa 3/5 — „Przy-jaźń”! "), "ul dluga 3 5 przy jazn");
	assert_string_equal(folded("..."), "");
	assert_string_equal(folded(""), "");
	assert_string_equal(folded("PS-III.9423.8.2018"), "ps iii 9423 8 2018");
}

static void bytes_that_are_no_text_are_gaps(void **state)
{
	(void)state;
	assert_string_equal(folded("a\xff"
				   "b\xc5"),
			    "a b");
	assert_string_equal(folded("\xed\xa0\x80x\xc0\x80y"), "x y");
}

static void a_folded_text_is_bounded_however_its_characters_grow(void **state)
{
	struct buf text = {.data = NULL};
	struct buf out = {.data = NULL};

	(void)state;
	for (int i = 0; i < 2730; i++) /* one character of three bytes that becomes many words */
		buf_add_text(&text, "\xef\xb7\xba");
	buf_add_text(&out, "before");
	assert_ok(fold_text(buf_bytes(&text), &out));
	assert_true(out.size > 4096 && out.size <= 6 + FOLD_BYTES_MAX);
	assert_memory_equal(out.data, "before", 6);
	buf_free(&text);
	buf_free(&out);
}

static void folding_what_is_folded_changes_nothing(void **state)
{
	struct buf once = {.data = NULL};
	struct buf twice = {.data = NULL};
	uint64_t chance = seed_of_run();

	(void)state;
	for (int i = 0; i < 2000; i++) {
		uint8_t raw[24];
		size_t size = any(&chance, sizeof raw + 1);

		for (size_t k = 0; k < size; k++)
			raw[k] = (uint8_t)(any(&chance, 3) ? 0xc4 + any(&chance, 2)
							   : any(&chance, 256));
		buf_clear(&once);
		buf_clear(&twice);
		assert_ok(fold_text(bytes_of(raw, size), &once));
		assert_ok(fold_text(buf_bytes(&once), &twice));
		assert_string_equal(buf_text(&once), buf_text(&twice));
	}
	buf_free(&once);
	buf_free(&twice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polish_letters_lose_their_marks_and_their_case),
		cmocka_unit_test(a_letter_and_its_mark_apart_are_the_letter),
		cmocka_unit_test(other_languages_fold_to_plain_letters_too),
		cmocka_unit_test(what_is_no_letter_or_digit_is_one_space_between_words),
		cmocka_unit_test(bytes_that_are_no_text_are_gaps),
		cmocka_unit_test(a_folded_text_is_bounded_however_its_characters_grow),
		cmocka_unit_test(folding_what_is_folded_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
