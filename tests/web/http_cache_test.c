#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "http/cache.h"

static unsigned freed;

static void count_freed(void *value)
{
	(void)value;
	freed++;
}

static struct cache *make(size_t bytes)
{
	struct cache *c = NULL;

	freed = 0;
	assert_int_equal(cache_new(bytes, count_freed, &c), ERR_OK);
	return c;
}

static struct bytes key(const char *text)
{
	return bytes_of_text(text);
}

static const struct stamp now = {.view = 1, .position = 5, .status = 9};
static const struct mono_ms at = {1000}, no_end = {0};
static char value[2];

static void what_was_put_is_found(void **state)
{
	struct cache *c = make(10000);

	(void)state;
	assert_null(cache_get(c, key("a"), now, at));
	assert_true(cache_put(c, key("a"), now, no_end, &value[0], 100));
	assert_true(cache_put(c, key("b"), now, no_end, &value[1], 100));
	assert_ptr_equal(cache_get(c, key("a"), now, at), &value[0]);
	assert_ptr_equal(cache_get(c, key("b"), now, at), &value[1]);
	assert_null(cache_get(c, key("ab"), now, at));
	assert_true(cache_put(c, key("a"), now, no_end, &value[1], 100));
	assert_int_equal(freed, 1);
	assert_ptr_equal(cache_get(c, key("a"), now, at), &value[1]);
	cache_free(c);
	assert_int_equal(freed, 3);
}

static void a_value_is_good_for_its_stamp_alone(void **state)
{
	struct cache *c = make(10000);
	struct stamp later = {.view = 1, .position = 6, .status = 9};
	struct stamp settled = {.view = 1, .position = 0, .status = 0};
	struct stamp anew = {.view = 2, .position = 5, .status = 9};
	struct stamp told = {.view = 1, .position = 5, .status = 10};

	(void)state;
	assert_true(cache_put(c, key("a"), now, no_end, value, 100));
	assert_null(cache_get(c, key("a"), later, at));
	assert_int_equal(freed, 1);
	assert_true(cache_put(c, key("t"), now, no_end, value, 100));
	assert_null(cache_get(c, key("t"), told, at));
	assert_int_equal(freed, 2);
	assert_null(cache_get(c, key("a"), now, at)); /* it is gone for good */
	assert_true(cache_put(c, key("s"), settled, no_end, value, 100));
	assert_non_null(cache_get(c, key("s"), later, at));
	assert_null(cache_get(c, key("s"), anew, at));
	cache_free(c);
}

static void a_value_ends_with_its_time(void **state)
{
	struct cache *c = make(10000);

	(void)state;
	assert_true(cache_put(c, key("a"), now, (struct mono_ms){2000}, value, 100));
	assert_non_null(cache_get(c, key("a"), now, (struct mono_ms){2000}));
	assert_null(cache_get(c, key("a"), now, (struct mono_ms){2001}));
	cache_free(c);
}

static void the_one_used_longest_ago_makes_room(void **state)
{
	struct cache *c = make(3 * 1000);
	char name[16];

	(void)state;
	for (int i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof name, "%d", i);
		assert_true(cache_put(c, key(name), now, no_end, value, 700));
	}
	assert_non_null(cache_get(c, key("0"), now, at));
	assert_true(cache_put(c, key("3"), now, no_end, value, 700));
	assert_null(cache_get(c, key("1"), now, at));
	assert_non_null(cache_get(c, key("0"), now, at));
	assert_non_null(cache_get(c, key("3"), now, at));
	assert_int_equal(freed, 1);
	assert_true(cache_bytes(c) <= 3 * 1000);
	cache_free(c);
}

static void what_is_larger_than_all_is_not_kept(void **state)
{
	struct cache *c = make(1000);

	(void)state;
	assert_false(cache_put(c, key("a"), now, no_end, value, 5000));
	assert_int_equal(freed, 1);
	assert_int_equal(cache_count(c), 0);
	assert_int_equal(cache_bytes(c), 0);
	cache_free(c);
	assert_int_equal(freed, 1);
}

static void what_grows_makes_others_go(void **state)
{
	struct cache *c = make(2000);

	(void)state;
	assert_true(cache_put(c, key("a"), now, no_end, value, 500));
	assert_true(cache_put(c, key("b"), now, no_end, value, 500));
	cache_grew(c, key("b"), 900);
	assert_null(cache_get(c, key("a"), now, at));
	assert_non_null(cache_get(c, key("b"), now, at));
	cache_grew(c, key("none"), 900);
	assert_int_equal(cache_count(c), 1);
	assert_null(cache_get(c, key("b"), (struct stamp){.view = 2}, at));
	assert_int_equal(cache_bytes(c), 0); /* what it grew by is gone as well */
	cache_free(c);
}

static void many_keys_stay_within_the_bound(void **state)
{
	struct cache *c = make(100000);
	char name[32];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(name, sizeof name, "/api/v1/entities?q=%d", i);
		assert_true(cache_put(c, key(name), now, no_end, value, 300));
		assert_true(cache_bytes(c) <= 100000);
	}
	assert_int_equal(freed + cache_count(c), 20000);
	cache_free(c);
	assert_int_equal(freed, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_is_found),
		cmocka_unit_test(a_value_is_good_for_its_stamp_alone),
		cmocka_unit_test(a_value_ends_with_its_time),
		cmocka_unit_test(the_one_used_longest_ago_makes_room),
		cmocka_unit_test(what_is_larger_than_all_is_not_kept),
		cmocka_unit_test(what_grows_makes_others_go),
		cmocka_unit_test(many_keys_stay_within_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
