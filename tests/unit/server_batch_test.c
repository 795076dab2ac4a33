/* How large the next batch of folding is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/batch.h"

static void a_full_batch_that_was_quick_is_doubled_up_to_a_bound(void **state)
{
	size_t events = BATCH_EVENTS_FIRST;

	(void)state;
	for (int i = 0; i < 64; i++) {
		size_t next = batch_next(events, true, 0);

		assert_true(next == events * 2 || events == BATCH_EVENTS_MOST);
		assert_true(next <= BATCH_EVENTS_MOST);
		events = next;
	}
	assert_int_equal(events, BATCH_EVENTS_MOST);
}

static void what_left_nothing_over_gives_no_reason_to_grow(void **state)
{
	(void)state;
	assert_int_equal(batch_next(64, false, 0), 64);
}

static void one_that_took_too_long_is_halved_full_or_not(void **state)
{
	size_t events = BATCH_EVENTS_MOST;

	(void)state;
	assert_int_equal(batch_next(64, true, BATCH_US + 1), 32);
	for (int i = 0; i < 64; i++)
		events = batch_next(events, false, BATCH_US + 1);
	assert_int_equal(events, BATCH_EVENTS_LEAST);
}

static void a_fitting_one_stays(void **state)
{
	(void)state;
	assert_int_equal(batch_next(64, true, BATCH_US), 64);
	assert_int_equal(batch_next(64, true, BATCH_US / 2), 64);
}

#define TEST(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_full_batch_that_was_quick_is_doubled_up_to_a_bound),
		TEST(what_left_nothing_over_gives_no_reason_to_grow),
		TEST(one_that_took_too_long_is_halved_full_or_not),
		TEST(a_fitting_one_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
