/* What waits at a server: the order of each log, bounds by log, and that nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/inbox.h"

static struct inbox inbox;
static bool blocked[LOGS_MAX];

static int set_up(void **state)
{
	(void)state;
	memset(blocked, 0, sizeof blocked);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	inbox_close(&inbox);
	assert_int_equal(inbox.count, 0);
	for (size_t log = 0; log < LOGS_MAX; log++)
		assert_null(inbox.of[log].first);
	return 0;
}

/* Messages are told apart by their connection. */
static void add(size_t log, uint64_t connection)
{
	const struct message m = {.connection = connection};

	assert_int_equal(inbox_add(&inbox, log, &m, 100), ERR_OK);
}

static uint64_t take(void)
{
	size_t log = inbox_first(&inbox, blocked);

	return log < LOGS_MAX ? inbox_take(&inbox, log).connection : 0;
}

static void messages_come_out_as_they_came_but_for_logs_that_are_blocked(void **state)
{
	(void)state;
	add(3, 1);
	add(5, 2);
	add(3, 3);
	add(5, 4);
	blocked[3] = true;
	assert_int_equal(take(), 2);
	blocked[3] = false;
	assert_int_equal(take(), 1);
	blocked[5] = true;
	assert_int_equal(take(), 3);
	assert_int_equal(take(), 0);
	add(3, 5); /* behind what is blocked, which was the last */
	assert_int_equal(take(), 5);
	blocked[5] = false;
	assert_int_equal(take(), 4);
	assert_int_equal(take(), 0);
	add(7, 6);
	assert_int_equal(take(), 6);
}

static void what_waits_is_counted_by_log(void **state)
{
	(void)state;
	add(3, 1);
	add(3, 2);
	add(5, 3);
	assert_int_equal(inbox.count, 3);
	assert_int_equal(inbox.of[3].count, 2);
	assert_int_equal(inbox.of[3].bytes, 200);
	assert_int_equal(take(), 1);
	assert_int_equal(inbox.of[3].bytes, 100);
	assert_int_equal(inbox.of[5].count, 1);
}

static void a_log_is_dropped_alone(void **state)
{
	(void)state;
	add(3, 1);
	add(5, 2);
	add(3, 3);
	inbox_drop(&inbox, 3);
	assert_int_equal(inbox.of[3].count, 0);
	assert_int_equal(inbox.count, 1);
	add(3, 4);
	assert_int_equal(take(), 2);
	assert_int_equal(take(), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(messages_come_out_as_they_came_but_for_logs_that_are_blocked),
		TEST(what_waits_is_counted_by_log),
		TEST(a_log_is_dropped_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
