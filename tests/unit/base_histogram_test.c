/* Counts between bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/histogram.h"

static void what_takes_as_long_as_a_bound_is_counted_up_to_it(void **state)
{
	struct histogram h = {.sum_us = 0};

	(void)state;
	histogram_note(&h, 0);
	histogram_note(&h, 100);
	histogram_note(&h, 101);
	histogram_note(&h, INT64_MAX);
	assert_int_equal(h.counts[0], 2);
	assert_int_equal(h.counts[1], 1);
	assert_int_equal(h.counts[HISTOGRAM_BOUNDS], 1);
	assert_int_equal(h.sum_us, (uint64_t)INT64_MAX + 201);
}

static void what_took_less_than_nothing_took_nothing(void **state)
{
	struct histogram h = {.sum_us = 0};

	(void)state;
	histogram_note(&h, -5);
	histogram_note(&h, INT64_MIN);
	assert_int_equal(h.counts[0], 2);
	assert_int_equal(h.sum_us, 0);
}

static void bounds_rise_and_the_last_is_a_day(void **state)
{
	(void)state;
	for (unsigned i = 1; i < HISTOGRAM_BOUNDS; i++)
		assert_true(histogram_bounds_us[i] > histogram_bounds_us[i - 1]);
	assert_int_equal(histogram_bounds_us[HISTOGRAM_BOUNDS - 1], INT64_C(86400) * 1000000);
}

static void what_two_counted_is_added_up(void **state)
{
	struct histogram a = {.sum_us = 0};
	struct histogram b = {.sum_us = 0};

	(void)state;
	histogram_note(&a, 300);
	histogram_note(&b, 300);
	histogram_note(&b, 7000);
	histogram_add(&a, &b);
	assert_int_equal(a.counts[2], 2);
	assert_int_equal(a.counts[6], 1);
	assert_int_equal(a.sum_us, 7600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_takes_as_long_as_a_bound_is_counted_up_to_it),
		cmocka_unit_test(what_took_less_than_nothing_took_nothing),
		cmocka_unit_test(bounds_rise_and_the_last_is_a_day),
		cmocka_unit_test(what_two_counted_is_added_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
