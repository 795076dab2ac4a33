/* splotctl log over what is erased, missing or spoilt: named or counted, never made up. */
#include "admin_log.h"

static void an_erased_event_is_named_and_what_it_held_is_not_made_up(void **state)
{
	struct fake_log *l = NULL;

	(void)state;
	l = small_log();
	buf_free(&l->leaves[2]);
	begin("26");
	assert_string_equal(all_back(), "26@4 26@3 26@2 26@1 26@0");
	assert_non_null(strstr(buf_text(&texts), "26@2, redacted"));
	assert_non_null(strstr(buf_text(&texts),
			       "  ~ pl26-kis-a (entity), the version before cannot be read: 26@2\n"
			       "      place: \"Kielce\"\n"
			       "      status: \"closed\"\n"));
}

static void an_erased_event_that_a_filter_cannot_judge_is_counted(void **state)
{
	struct fake_log *l = NULL;

	(void)state;
	l = small_log();
	buf_free(&l->leaves[2]);
	begin("26");
	filter.editor = "e02";
	buf_clear(&told);
	assert_ok(walk_range(&walk, 0, 5, true));
	assert_string_equal(buf_text(&told), "26@1");
	assert_int_equal(walk.hidden, 1);
}

static void missing_and_spoilt_events_are_named_and_the_rest_is_told(void **state)
{
	struct fake_log *l = NULL;

	(void)state;
	l = small_log();
	l->missing[1] = true;
	buf_clear(&l->leaves[3]);
	buf_add_text(&l->leaves[3], "no event at all");
	begin("26");
	assert_string_equal(all_back(), "26@4 26@3 26@2 26@1 26@0");
	assert_non_null(strstr(buf_text(&texts), "26@3, cannot be read: "));
	assert_non_null(strstr(buf_text(&texts), "26@1, cannot be read: nothing of that name"));
}

static void a_change_that_names_a_later_or_foreign_event_has_no_version_before(void **state)
{
	struct fake_log *l = fake_log("26");

	(void)state;
	say_one(l, "e01", entity("pl26-kis-a", "", "Kielce"));
	say_one(l, "e01", after(entity("pl26-kis-b", "", "Busko"), 0));
	say_one(l, "e01", after(entity("pl26-kis-a", "", "Busko"), 2));
	say_one(l, "e01", after(entity("pl26-kis-a", "", "Busko"), UINT64_MAX));
	begin("26");
	assert_string_equal(all_back(), "26@3 26@2 26@1 26@0");
	for (unsigned i = 1; i <= 3; i++) {
		char line[80];

		(void)snprintf(line, sizeof line, "the version before cannot be read: 26@%llu\n",
			       i == 1   ? 0ULL
			       : i == 2 ? 2ULL
					: (unsigned long long)UINT64_MAX);
		assert_non_null(strstr(buf_text(&texts), line));
	}
}

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, end)
	const struct CMUnitTest tests[] = {
		LOG_TEST(an_erased_event_is_named_and_what_it_held_is_not_made_up),
		LOG_TEST(an_erased_event_that_a_filter_cannot_judge_is_counted),
		LOG_TEST(missing_and_spoilt_events_are_named_and_the_rest_is_told),
		LOG_TEST(a_change_that_names_a_later_or_foreign_event_has_no_version_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
