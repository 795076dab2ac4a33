/* splotctl log over one log: order, filters, differences, blocks. */
#include "admin_log.h"

/* ---- differences ---- */

static void a_difference_names_what_changed_and_nothing_else(void **state)
{
	struct change old = entity("pl26-kis-a", "active", "Kielce");
	struct change new = entity("pl26-kis-a", "", "Kielce");
	struct difference d;
	size_t at = 0;

	(void)state;
	assert_true(difference_next(old.record, new.record, &at, &d));
	assert_string_equal(d.field->name, "status");
	assert_string_equal(d.from, "active");
	assert_string_equal(d.to, "");
	assert_false(difference_next(old.record, new.record, &at, &d));
	assert_true(difference_has(old.record, new.record, "status"));
	assert_false(difference_has(old.record, new.record, "place"));
}

static void a_new_record_differs_in_every_field_that_is_not_empty(void **state)
{
	struct change new = entity("pl26-kis-a", "", "Kielce");
	struct difference d;
	size_t at = 0;

	(void)state;
	assert_true(difference_next(NULL, new.record, &at, &d));
	assert_string_equal(d.field->name, "place");
	assert_false(difference_next(NULL, new.record, &at, &d));
	assert_false(difference_has(new.record, NULL, "place")); /* it ends */
	/* a version of another kind is nothing to compare with */
	assert_true(difference_has(record_new(&arena, RECORD_NETWORK), new.record, "place"));
}

/* ---- one log ---- */

static void a_log_is_told_newest_first_with_what_each_field_was(void **state)
{
	(void)state;
	(void)small_log();
	begin("26");
	assert_string_equal(all_back(), "26@4 26@3 26@2 26@1 26@0");
	assert_string_equal(buf_text(&texts),
			    "26@4, 1970-01-01T00:00:04.000Z, e01: because (letter 1)\n"
			    "  - pl26-kis-b (entity), retired\n"
			    "26@3, 1970-01-01T00:00:03.000Z, e01: because (letter 1)\n"
			    "  ~ pl26-kis-a (entity)\n"
			    "      status: \"active\" -> \"closed\"\n"
			    "  ~ pl26-kis-b (entity)\n"
			    "      status: \"\" -> \"active\"\n"
			    "26@2, 1970-01-01T00:00:02.000Z, e02: because (letter 1)\n"
			    "  ~ pl26-kis-a (entity)\n"
			    "      status: \"\" -> \"active\"\n"
			    "26@1, 1970-01-01T00:00:01.000Z, e02: because (letter 1)\n"
			    "  + pl26-kis-b (entity)\n"
			    "      place: \"Busko\"\n"
			    "26@0, 1970-01-01T00:00:00.000Z, e01: because (letter 1)\n"
			    "  + pl26-kis-a (entity)\n"
			    "      place: \"Kielce\"\n");
}

static void a_line_of_json_says_the_same(void **state)
{
	(void)state;
	(void)small_log();
	begin("26");
	as_json = true;
	filter.record = "pl26-kis-b";
	filter.field = "status";
	assert_string_equal(all_back(), "26@3");
	assert_string_equal(
		buf_text(&texts),
		"{\"log\":\"26\",\"index\":3,\"national\":null,\"recorded\":"
		"\"1970-01-01T00:00:03.000Z\",\"editor\":\"e01\",\"reason\":\"because\","
		"\"source\":\"letter 1\",\"act\":null,\"changes\":[{\"kind\":\"entity\",\"id\":"
		"\"pl26-kis-b\",\"change\":\"changed\",\"supersedes\":1,\"before_known\":true,"
		"\"fields\":[{\"field\":\"status\",\"from\":\"\",\"to\":\"active\"}]}],"
		"\"others\":1}\n");
}

static void each_filter_leaves_what_it_names(void **state)
{
	(void)state;
	(void)small_log();
	begin("26");
	filter.record = "pl26-kis-a";
	assert_string_equal(all_back(), "26@3 26@2 26@0");
	begin("26");
	filter.editor = "e02";
	assert_string_equal(all_back(), "26@2 26@1");
	begin("26");
	filter.field = "place";
	assert_string_equal(all_back(), "26@1 26@0");
	begin("26");
	filter.kind = RECORD_NETWORK;
	assert_string_equal(all_back(), "");
	begin("26");
	filter.region = region_by_code(T("24"));
	assert_string_equal(all_back(), "");
	begin("26");
	filter.kind = RECORD_ENTITY;
	filter.editor = "e01";
	filter.record = "pl26-kis-b";
	assert_string_equal(all_back(), "26@4 26@3");
}

static void a_limit_ends_it_and_the_other_direction_is_oldest_first(void **state)
{
	(void)state;
	(void)small_log();
	begin("26");
	walk.limit = 2;
	assert_string_equal(all_back(), "26@4 26@3");
	begin("26");
	buf_clear(&told);
	assert_ok(walk_range(&walk, 1, 4, false));
	assert_string_equal(buf_text(&told), "26@1 26@2 26@3");
}

static void times_bound_it_on_both_sides_inclusively(void **state)
{
	(void)state;
	(void)small_log();
	begin("26");
	walk.has_since = true;
	walk.since.ms = 1000;
	walk.has_until = true;
	walk.until.ms = 3000;
	assert_string_equal(all_back(), "26@3 26@2 26@1");
	begin("26");
	walk.has_since = true;
	walk.since.ms = 1001;
	assert_string_equal(all_back(), "26@4 26@3 26@2");
	begin("26");
	walk.has_until = true;
	walk.until.ms = -1;
	assert_string_equal(all_back(), "");
}

/* ---- long logs ---- */

static void a_long_log_is_read_in_blocks_each_once(void **state)
{
	struct fake_log *l = fake_log("26");

	(void)state;
	say_one(l, "e01", entity("pl26-kis-a", "0", "Kielce"));
	for (unsigned i = 1; i < FAKE_EVENTS_MAX; i++)
		say_one(l, i % 2 ? "e01" : "e02",
			after(entity("pl26-kis-a", i % 2 ? "1" : "0", "Kielce"), i - 1));
	begin("26");
	filter.field = "status";
	assert_int_equal(strlen(all_back()) > 0, true);
	/* 700 events in runs of at most 100 within blocks of 256 */
	assert_int_equal(fake_calls, 3 + 3 + 2);
	assert_non_null(strstr(buf_text(&texts), "status: \"0\" -> \"1\""));
}

static void what_was_appended_meanwhile_is_found_when_asked_anew(void **state)
{
	struct fake_log *l = fake_log("26");
	uint64_t size = 0;

	(void)state;
	say_one(l, "e01", entity("pl26-kis-a", "", "Kielce"));
	begin("26");
	buf_clear(&told);
	assert_ok(leaf_size(&walk.leaves, walk.order, true, &size));
	assert_ok(walk_range(&walk, 0, size, false));
	say_one(l, "e01", after(entity("pl26-kis-a", "active", "Kielce"), 0));
	assert_ok(leaf_size(&walk.leaves, walk.order, true, &size));
	assert_ok(walk_range(&walk, 1, size, false));
	assert_string_equal(buf_text(&told), "26@0 26@1");
}

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, end)
	const struct CMUnitTest tests[] = {
		LOG_TEST(a_difference_names_what_changed_and_nothing_else),
		LOG_TEST(a_new_record_differs_in_every_field_that_is_not_empty),
		LOG_TEST(a_log_is_told_newest_first_with_what_each_field_was),
		LOG_TEST(a_line_of_json_says_the_same),
		LOG_TEST(each_filter_leaves_what_it_names),
		LOG_TEST(a_limit_ends_it_and_the_other_direction_is_oldest_first),
		LOG_TEST(times_bound_it_on_both_sides_inclusively),
		LOG_TEST(a_long_log_is_read_in_blocks_each_once),
		LOG_TEST(what_was_appended_meanwhile_is_found_when_asked_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
