/* What one key may do: a rate and a burst, integers only, whatever the clock does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/allowance.h"

static struct wall_ms at(int64_t ms)
{
	return (struct wall_ms){ms};
}

static void a_burst_passes_and_one_more_does_not(void **state)
{
	struct allowance a = {0};

	(void)state;
	for (int i = 0; i < 64; i++)
		assert_true(allowance_take(&a, 8, 64, 1, at(1000)));
	assert_false(allowance_take(&a, 8, 64, 1, at(1000)));
}

static void it_comes_back_at_its_rate_also_in_single_milliseconds(void **state)
{
	struct allowance a = {0};
	int taken = 0;

	(void)state;
	assert_true(allowance_take(&a, 8, 64, 64, at(1000)));
	for (int64_t ms = 1001; ms <= 11000; ms++)
		taken += allowance_take(&a, 8, 64, 1, at(ms));
	assert_int_equal(taken, 80);
}

static void more_than_a_burst_is_never_saved(void **state)
{
	struct allowance a = {0};

	(void)state;
	assert_true(allowance_take(&a, 8, 64, 1, at(1000)));
	assert_false(allowance_take(&a, 8, 64, 65, at(INT64_MAX)));
	assert_true(allowance_take(&a, 8, 64, 64, at(INT64_MAX)));
	assert_false(allowance_take(&a, 8, 64, 1, at(INT64_MAX)));
}

static void what_is_refused_takes_nothing(void **state)
{
	struct allowance a = {0};

	(void)state;
	assert_false(allowance_take(&a, 1, 10, 11, at(5)));
	assert_true(allowance_take(&a, 1, 10, 10, at(5)));
}

static void a_clock_put_back_forgets_nothing_and_goes_on_from_there(void **state)
{
	struct allowance a = {0};

	(void)state;
	assert_true(allowance_take(&a, 10, 10, 10, at(1000000)));
	assert_false(allowance_take(&a, 10, 10, 1, at(1000)));
	assert_false(allowance_take(&a, 10, 10, 1, at(INT64_MIN)));
	assert_true(allowance_take(&a, 10, 10, 10, at(INT64_MAX)));
	assert_false(allowance_take(&a, 10, 10, 1, at(0)));
	assert_true(allowance_take(&a, 10, 10, 1, at(100)));
}

static void the_largest_numbers_refuse_and_do_not_wrap(void **state)
{
	struct allowance a = {0};

	(void)state;
	assert_false(allowance_take(&a, UINT64_MAX, 100, UINT64_MAX, at(1)));
	assert_false(allowance_take(&a, UINT64_MAX, 100, UINT64_MAX / 1000, at(INT64_MAX)));
	assert_true(allowance_take(&a, UINT64_MAX, 100, 100, at(INT64_MAX)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_and_one_more_does_not),
		cmocka_unit_test(it_comes_back_at_its_rate_also_in_single_milliseconds),
		cmocka_unit_test(more_than_a_burst_is_never_saved),
		cmocka_unit_test(what_is_refused_takes_nothing),
		cmocka_unit_test(a_clock_put_back_forgets_nothing_and_goes_on_from_there),
		cmocka_unit_test(the_largest_numbers_refuse_and_do_not_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
