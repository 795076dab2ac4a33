/* What a server keeps beside the logs: versions of records in its view, entries of its national
 * log. */
#include "model/event.h"

#include "model_event_world.h"

static void a_version_comes_back_as_it_was(void **state)
{
	struct world *w = *state;
	struct version v = {.position = 17,
			    .log = log_26(),
			    .index = 3,
			    .recorded = {1559606400123},
			    .editor = "e07",
			    .reason = "r",
			    .source = "s",
			    .change = {.id = "pl26-kis-nowiny",
				       .has_supersedes = true,
				       .supersedes = 2,
				       .kind = RECORD_ENTITY,
				       .record = club(w, "pl26-kis-nowiny")}};
	struct version back;

	assert_ok(version_encode(&v, &w->scratch, &w->out));
	assert_ok(version_decode(buf_bytes(&w->out), &w->arena, &back));
	assert_int_equal(back.position, 17);
	assert_string_equal(back.log.text, "26");
	assert_int_equal(back.index, 3);
	assert_int_equal(back.recorded.ms, 1559606400123);
	assert_string_equal(back.editor, "e07");
	assert_string_equal(back.change.id, "pl26-kis-nowiny");
	assert_int_equal(back.change.supersedes, 2);
	assert_true(record_same(back.change.record, v.change.record));
}

static void a_version_without_change_or_log_does_not_decode(void **state)
{
	struct world *w = *state;
	struct version back;

	put_text(&w->out, 2, "26");
	assert_err(version_decode(buf_bytes(&w->out), &w->arena, &back), ERR_DECODE);
	buf_clear(&w->out);
	put_text(&w->out, 2, "27");
	put_text(&w->out, 8, "");
	assert_err(version_decode(buf_bytes(&w->out), &w->arena, &back), ERR_DECODE);
}

static void entries_of_the_national_log_come_back(void **state)
{
	struct world *w = *state;
	struct national_entry e = {.recorded = {5},
				   .kind = NATIONAL_ACCEPTED,
				   .log = log_26(),
				   .from = 3,
				   .size = 9,
				   .checkpoint = bytes_of_text("note\n")};
	struct national_entry back;

	assert_ok(national_encode(&e, &w->out));
	assert_ok(national_decode(buf_bytes(&w->out), &w->arena, &back));
	assert_int_equal(back.kind, NATIONAL_ACCEPTED);
	assert_string_equal(back.log.text, "26");
	assert_int_equal(back.from, 3);
	assert_int_equal(back.size, 9);
	assert_true(bytes_equal(back.checkpoint, e.checkpoint));
	buf_clear(&w->out);
	e = (struct national_entry){.recorded = {6},
				    .kind = NATIONAL_ACT,
				    .act = "freeze",
				    .by = "server",
				    .reason = "two histories",
				    .document = bytes_of("a\0b", 3),
				    .other = bytes_of_text("c")};
	assert_ok(national_encode(&e, &w->out));
	assert_ok(national_decode(buf_bytes(&w->out), &w->arena, &back));
	assert_int_equal(back.kind, NATIONAL_ACT);
	assert_string_equal(back.act, "freeze");
	assert_string_equal(back.by, "server");
	assert_string_equal(back.reason, "two histories");
	assert_string_equal(back.log.text, "");
	assert_true(bytes_equal(back.document, e.document));
	assert_true(bytes_equal(back.other, e.other));
	buf_clear(&w->out);
	e = (struct national_entry){.recorded = {7},
				    .kind = NATIONAL_ACT,
				    .log = log_26(),
				    .act = "redact",
				    .by = "e01",
				    .index = 17,
				    .size = UINT64_MAX,
				    .leaf = bytes_of("leaf\0", 5)};
	assert_ok(national_encode(&e, &w->out));
	assert_ok(national_decode(buf_bytes(&w->out), &w->arena, &back));
	assert_string_equal(back.act, "redact");
	assert_true(back.index == 17 && back.size == UINT64_MAX && back.from == 0);
	assert_true(bytes_equal(back.leaf, e.leaf));
	e.kind = NATIONAL_NONE;
	assert_err(national_encode(&e, &w->out), ERR_ARGUMENT);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_version_comes_back_as_it_was),
		TEST(a_version_without_change_or_log_does_not_decode),
		TEST(entries_of_the_national_log_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
