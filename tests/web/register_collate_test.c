#include "register/collate.h"

#include "register/ranking.h"
#include "register_support.h"

static struct collator *polish;

static int open_collator(void **state)
{
	(void)state;
	return collator_new(&polish) == ERR_OK ? 0 : 1;
}

static int close_collator(void **state)
{
	(void)state;
	collator_free(polish);
	return 0;
}

static int order(const char *a, const char *b)
{
	struct buf x = {.data = NULL};
	struct buf y = {.data = NULL};
	int result = 0;

	assert_ok(collator_key(polish, bytes_of_text(a), &x));
	assert_ok(collator_key(polish, bytes_of_text(b), &y));
	result = bytes_compare(buf_bytes(&x), buf_bytes(&y));
	buf_free(&x);
	buf_free(&y);
	return result;
}

static void the_alphabet_is_in_its_order(void **state)
{
	static const char *const letters[] = {
		"a", "ą", "b", "c", "ć", "d", "e", "ę", "f", "g", "h", "i",
		"j", "k", "l", "ł", "m", "n", "ń", "o", "ó", "p", "q", "r",
		"s", "ś", "t", "u", "v", "w", "x", "y", "z", "ź", "ż",
	};
	char longer[16];

	(void)state;
	for (size_t i = 1; i < sizeof letters / sizeof letters[0]; i++) {
		assert_true(order(letters[i - 1], letters[i]) < 0);
		/* It is the letter that decides, not what follows. */
		(void)snprintf(longer, sizeof longer, "%szzz", letters[i - 1]);
		assert_true(order(longer, letters[i]) < 0);
	}
}

static void places_sort_as_a_polish_reader_expects(void **state)
{
	static const char *const places[] = {
		"Cieszyn", "Częstochowa", "Ćmielów", "Lublin", "Łask",   "Łódź", "Mielec",
		"Słupsk",  "Szczecin",    "Środa",   "Zamość", "Źródła", "Żary",
	};

	(void)state;
	for (size_t i = 1; i < sizeof places / sizeof places[0]; i++)
		assert_true(order(places[i - 1], places[i]) < 0);
}

static void numbers_inside_a_text_sort_by_value(void **state)
{
	(void)state;
	assert_true(order("KIS nr 2", "KIS nr 10") < 0);
	assert_true(order("3/2016", "12/2016") < 0);
}

static void case_decides_last(void **state)
{
	(void)state;
	assert_true(order("klub", "Klub A") < 0);
	assert_true(order("KLUB", "klub") != 0);
	assert_int_equal(order("Łódź", "Łódź"), 0);
}

static void a_key_is_bounded_and_the_rest_of_a_long_text_does_not_count(void **state)
{
	struct buf text = {.data = NULL};
	struct buf key = {.data = NULL};

	(void)state;
	for (int i = 0; i < 4000; i++)
		buf_add_text(&text, "ż");
	assert_ok(collator_key(polish, buf_bytes(&text), &key));
	assert_in_range(key.size, 1, COLLATE_KEY_MAX);
	assert_int_equal(order(buf_text(&text), (const char *)text.data + 2), 0);
	buf_free(&text);
	buf_free(&key);
	assert_true(order("", "a") < 0);
	assert_ok(collator_key(polish, bytes_of("\xff\xfe\xc5", 3), &key)); /* no UTF-8 */
	buf_free(&key);
}

/* ---- numbers ---- */

static void numbers_sort_by_value_whatever_their_digits(void **state)
{
	static const char *const rising[] = {
		"-1000", "-12.75", "-12.5", "-12", "-1.5", "-1", "-0.01",    "0",          "0.009",
		"0.1",   "1",      "1.05",  "1.5", "2",    "10", "99999999", "100000000.5"};
	uint8_t a[NUMBER_KEY_MAX];
	uint8_t b[NUMBER_KEY_MAX];
	size_t a_size = 0;
	size_t b_size = 0;

	(void)state;
	for (size_t i = 1; i < sizeof rising / sizeof rising[0]; i++) {
		assert_true(number_key(rising[i - 1], a, &a_size));
		assert_true(number_key(rising[i], b, &b_size));
		assert_true(bytes_compare(bytes_of(a, a_size), bytes_of(b, b_size)) < 0);
	}
}

static void digits_that_say_nothing_do_not_count(void **state)
{
	static const char *const same[][2] = {
		{"49", "49.0"}, {"007", "7"}, {"-0.0", "0"}, {"0.50", "000.5"}, {"-3.10", "-3.1"}};
	uint8_t a[NUMBER_KEY_MAX];
	uint8_t b[NUMBER_KEY_MAX];
	size_t a_size = 0;
	size_t b_size = 0;

	(void)state;
	for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
		assert_true(number_key(same[i][0], a, &a_size));
		assert_true(number_key(same[i][1], b, &b_size));
		assert_true(bytes_equal(bytes_of(a, a_size), bytes_of(b, b_size)));
	}
}

static void what_is_no_number_has_no_key(void **state)
{
	static const char *const others[] = {"",    "-",  ".",   "1.",    ".5", "1,5", "1e3",
					     "0x1", "+1", "--1", "1.2.3", " 1", "1 ",  "około 6"};
	uint8_t key[NUMBER_KEY_MAX];
	char longest[NUMBER_KEY_MAX + 2];
	size_t size = 0;

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_false(number_key(others[i], key, &size));
	memset(longest, '9', sizeof longest);
	longest[sizeof longest - 1] = 0;
	assert_false(number_key(longest, key, &size));
	longest[NUMBER_KEY_MAX - 4] = 0;
	assert_true(number_key(longest, key, &size));
	assert_in_range(size, 1, NUMBER_KEY_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_alphabet_is_in_its_order),
		cmocka_unit_test(places_sort_as_a_polish_reader_expects),
		cmocka_unit_test(numbers_inside_a_text_sort_by_value),
		cmocka_unit_test(case_decides_last),
		cmocka_unit_test(a_key_is_bounded_and_the_rest_of_a_long_text_does_not_count),
		cmocka_unit_test(numbers_sort_by_value_whatever_their_digits),
		cmocka_unit_test(digits_that_say_nothing_do_not_count),
		cmocka_unit_test(what_is_no_number_has_no_key),
	};

	return cmocka_run_group_tests(tests, open_collator, close_collator);
}
