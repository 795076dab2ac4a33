#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/day.h"

#define assert_ok(e) assert_string_equal(err_code(e), "ok")

static int64_t first_of(const char *text)
{
	struct moment m;

	assert_ok(moment_parse(text, &m));
	return m.first.ms;
}

static int64_t last_of(const char *text)
{
	struct moment m;

	assert_ok(moment_parse(text, &m));
	return m.last.ms;
}

static void expect_day(const char *text, const char *first, const char *last)
{
	assert_int_equal(first_of(text), first_of(first));
	assert_int_equal(last_of(text), first_of(last));
}

static void a_day_is_that_of_Warsaw_winter_and_summer(void **state)
{
	(void)state;
	expect_day("2026-11-21", "2026-11-20T23:00:00.000Z", "2026-11-21T22:59:59.999Z");
	expect_day("2026-07-01", "2026-06-30T22:00:00.000Z", "2026-07-01T21:59:59.999Z");
	expect_day("2026-12-31", "2026-12-30T23:00:00.000Z", "2026-12-31T22:59:59.999Z");
	expect_day("2028-02-29", "2028-02-28T23:00:00.000Z", "2028-02-29T22:59:59.999Z");
}

static void the_days_on_which_the_clock_changes_have_23_and_25_hours(void **state)
{
	(void)state;
	expect_day("2026-03-28", "2026-03-27T23:00:00.000Z", "2026-03-28T22:59:59.999Z");
	expect_day("2026-03-29", "2026-03-28T23:00:00.000Z", "2026-03-29T21:59:59.999Z");
	expect_day("2026-03-30", "2026-03-29T22:00:00.000Z", "2026-03-30T21:59:59.999Z");
	expect_day("2026-10-24", "2026-10-23T22:00:00.000Z", "2026-10-24T21:59:59.999Z");
	expect_day("2026-10-25", "2026-10-24T22:00:00.000Z", "2026-10-25T22:59:59.999Z");
	expect_day("2026-10-26", "2026-10-25T23:00:00.000Z", "2026-10-26T22:59:59.999Z");
}

/* Against the C library's reading of the same zone: every day of 1990 to 2110. */
static void every_day_begins_where_the_zone_says(void **state)
{
	(void)state;
	assert_int_equal(setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1), 0);
	tzset();
	for (int day = 0; day < 121 * 365; day++) {
		struct tm begin = {.tm_year = 90, .tm_mon = 0, .tm_mday = 1 + day, .tm_isdst = -1};
		time_t at = mktime(&begin); /* gives the date its usual form, too */
		struct tm end = {.tm_year = 90, .tm_mon = 0, .tm_mday = 2 + day, .tm_isdst = -1};
		char text[16];

		assert_true(strftime(text, sizeof text, "%Y-%m-%d", &begin) > 0);
		assert_int_equal(first_of(text), (int64_t)at * 1000);
		assert_int_equal(last_of(text), (int64_t)mktime(&end) * 1000 - 1);
	}
	assert_int_equal(unsetenv("TZ"), 0);
}

static void a_time_is_utc_to_the_second_or_the_millisecond(void **state)
{
	struct moment m;

	(void)state;
	assert_ok(moment_parse("1970-01-02T03:04:05.678Z", &m));
	assert_int_equal(m.first.ms, ((24 + 3) * 3600 + 4 * 60 + 5) * 1000LL + 678);
	assert_int_equal(m.last.ms, m.first.ms);
	assert_false(m.day);
	assert_ok(moment_parse("1970-01-02T03:04:05Z", &m));
	assert_int_equal(m.last.ms - m.first.ms, 999);
	assert_ok(moment_parse("2026-01-01", &m));
	assert_true(m.day);
}

static void what_no_calendar_has_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"today",
		"2026",
		"20261121",
		"2026-11",
		"2026-1-21",
		"2026-11-31",
		"2026-13-01",
		"2026-00-10",
		"2026-01-00",
		"2027-02-29",
		"1969-12-31",
		"21.11.2026",
		"2026-11-21 ",
		" 2026-11-21",
		"2026-11-21T09:30",
		"2026-11-21T09:30:00",
		"2026-11-21T24:00:00Z",
		"2026-11-21T09:60:00Z",
		"2026-11-21T09:30:60Z",
		"2026-11-21T09:30:00.1Z",
		"2026-11-21T09:30:00.123",
		"2026-02-30T09:30:00Z",
	};
	struct moment m;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (moment_parse(bad[i], &m) != ERR_INVALID)
			fail_msg("\"%s\" was read", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_day_is_that_of_Warsaw_winter_and_summer),
		cmocka_unit_test(the_days_on_which_the_clock_changes_have_23_and_25_hours),
		cmocka_unit_test(every_day_begins_where_the_zone_says),
		cmocka_unit_test(a_time_is_utc_to_the_second_or_the_millisecond),
		cmocka_unit_test(what_no_calendar_has_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
