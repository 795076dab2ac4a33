/* splotctl log in the national order, and the acts that stand in a log. */
#include "admin_log.h"

static void the_national_log_orders_what_it_accepted(void **state)
{
	struct fake_log *a = fake_log("24");
	struct fake_log *b = fake_log("26");
	struct fake_log *national = fake_log("national");

	(void)state;
	for (int i = 0; i < 3; i++) {
		say_one(a, "e01", entity("pl24-kis-a", "", "Katowice"));
		say_one(b, "e02", entity("pl26-kis-a", "", "Kielce"));
	}
	accept(national, b, 0, 1);
	accept(national, a, 0, 2);
	accept(national, b, 1, 3);
	begin("national");
	assert_string_equal(all_back(), "26@2 26@1 24@1 24@0 26@0");
	begin("national");
	filter.region = region_by_code(T("24"));
	assert_string_equal(all_back(), "24@1 24@0");
	begin("national");
	filter.log = name_of("26");
	walk.limit = 1;
	assert_string_equal(all_back(), "26@2");
	begin("national");
	walk.entries = true;
	assert_string_equal(all_back(), "national@2 national@1 national@0");
	assert_non_null(strstr(buf_text(&texts), "accepted 26@1 to 2\n"));
	assert_non_null(strstr(buf_text(&texts), "accepted 26@0\n"));
}

static void events_that_were_accepted_and_are_not_here_are_counted(void **state)
{
	struct fake_log *a = fake_log("24");
	struct fake_log *national = fake_log("national");
	struct fake_log other = {.name = name_of("26")};

	(void)state;
	say_one(a, "e01", entity("pl24-kis-a", "", "Katowice"));
	accept(national, a, 0, 3);
	accept(national, &other, 0, 5);
	begin("national");
	buf_clear(&told);
	assert_ok(walk_range(&walk, 0, 2, true));
	assert_string_equal(buf_text(&told), "24@0");
	assert_int_equal(walk.absent, 7);
}

static void an_act_tells_who_erased_an_event_and_why(void **state)
{
	struct fake_log *l = NULL;
	struct fake_log *national = NULL;
	uint8_t leaf[HASH_BYTES] = {1};
	struct national_entry act = {.kind = NATIONAL_ACT,
				     .act = "redact",
				     .by = "a01",
				     .reason = "a name stood in it",
				     .index = 1,
				     .leaf = bytes_of(leaf, sizeof leaf)};

	(void)state;
	l = small_log();
	national = fake_log("national");
	accept(national, l, 0, 5);
	act.log = l->name;
	enter(national, &act);
	buf_free(&l->leaves[1]);
	begin("national");
	assert_string_equal(all_back(), "26@4 26@3 26@2 26@1 26@0");
	assert_non_null(
		strstr(buf_text(&texts),
		       "26@1, redacted: its bytes were erased, its hash stands: "
		       "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
		       "  national@1, 1970-01-01T00:00:00.000Z, a01: a name stood in it\n"));
	begin("national");
	walk.entries = true;
	filter.editor = "a01";
	assert_string_equal(all_back(), "national@1");
	assert_string_equal(
		buf_text(&texts),
		"national@1, 1970-01-01T00:00:00.000Z, redact 26@1, a01: a name stood in it\n");
}

static void a_national_log_begun_anew_tells_what_it_goes_on_from(void **state)
{
	struct fake_log *national = fake_log("national");
	struct national_entry act = {.kind = NATIONAL_ACT,
				     .act = "continues",
				     .log = name_of("national"),
				     .by = "a01",
				     .reason = "its disk was lost",
				     .document = T("a note"),
				     .other = T("splot.example/region/26+dff46af4+AQOhB7/"
						"zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"),
				     .size = 23};

	(void)state;
	enter(national, &act);
	begin("national");
	walk.entries = true;
	assert_string_equal(all_back(), "national@0");
	assert_string_equal(buf_text(&texts),
			    "national@0, 1970-01-01T00:00:00.000Z, continues national, as "
			    "splot.example/region/26 at size 23, a01: its disk was lost\n");
}

static void acts_of_a_log_are_told_plainly(void **state)
{
	struct fake_log *l = fake_log("26/2");
	struct event e = {.editor = "a01",
			  .reason = "anew",
			  .source = "",
			  .act = EVENT_CONTINUES,
			  .old_size = 7,
			  .document = T("a note")};

	(void)state;
	e.old_log = name_of("26");
	assert_ok(event_encode(&e, &arena, &l->leaves[l->size++]));
	begin("26/2");
	assert_string_equal(all_back(), "26/2@0");
	assert_non_null(strstr(buf_text(&texts),
			       "  continues the log 26, of which the first 7 events stand\n"));
	begin("26/2");
	filter.kind = RECORD_ENTITY; /* an act is of no kind */
	assert_string_equal(all_back(), "");
}

int main(void)
{
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, end)
	const struct CMUnitTest tests[] = {
		LOG_TEST(the_national_log_orders_what_it_accepted),
		LOG_TEST(events_that_were_accepted_and_are_not_here_are_counted),
		LOG_TEST(an_act_tells_who_erased_an_event_and_why),
		LOG_TEST(a_national_log_begun_anew_tells_what_it_goes_on_from),
		LOG_TEST(acts_of_a_log_are_told_plainly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
