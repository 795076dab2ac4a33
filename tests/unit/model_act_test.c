#include "model/event.h"

#include "model_event_world.h"

#include "base/limits.h"

/* ---- what an event says of its own log ---- */

static struct log_name log_named(const char *text)
{
	struct log_name name;

	assert_ok(log_name_parse(bytes_of_text(text), &name));
	return name;
}

static struct event continues_of(const char *log, struct bytes checkpoint)
{
	return (struct event){.recorded = {5},
			      .editor = "e07",
			      .reason = "key lost",
			      .act = EVENT_CONTINUES,
			      .old_log = log_named(log),
			      .old_size = UINT64_C(1) << 40,
			      .document = checkpoint};
}

static void an_act_of_a_log_comes_back_as_it_was(void **state)
{
	struct world *w = *state;
	struct event e = continues_of("26", bytes_of("note\0\n", 6));
	struct event back;

	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_ok(event_decode(buf_bytes(&w->out), &w->arena, &back));
	assert_int_equal(back.act, EVENT_CONTINUES);
	assert_string_equal(back.old_log.text, "26");
	assert_true(back.old_size == e.old_size);
	assert_true(bytes_equal(back.document, e.document));
	assert_string_equal(back.reason, "key lost");
	assert_int_equal(back.change_count, 0);
	buf_clear(&w->out);
	e = (struct event){
		.recorded = {6}, .act = EVENT_ROTATES, .document = bytes_of_text("card")};
	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_ok(event_decode(buf_bytes(&w->out), &w->arena, &back));
	assert_int_equal(back.act, EVENT_ROTATES);
	assert_string_equal(back.old_log.text, "");
	assert_true(bytes_equal(back.document, e.document));
}

static void the_bytes_of_an_act_are_these(void **state)
{
	struct world *w = *state;
	static const uint8_t expected[] = {0x08, 0x05, 0x32, 0x0b, 0x0a, 0x09, 0x0a, 0x02,
					   '2',  '6',  0x10, 0x07, 0x1a, 0x01, 'n'};
	const struct event e = {.recorded = {5},
				.act = EVENT_CONTINUES,
				.old_log = log_26(),
				.old_size = 7,
				.document = bytes_of_text("n")};

	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_int_equal(w->out.size, sizeof expected);
	assert_memory_equal(w->out.data, expected, sizeof expected);
}

static void an_act_of_a_newer_program_is_seen_as_unknown(void **state)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t size;
	} rows[] = {{"an act that says nothing", "\x32\x00", 2},
		    {"an act of kind 9", "\x32\x04\x4a\x02\x08\x01", 6}};
	struct world *w = *state;
	struct event back;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (event_decode(bytes_of(rows[i].bytes, rows[i].size), &w->arena, &back) != ERR_OK)
			fail_msg("%s does not decode", rows[i].what);
		assert_int_equal(back.act, EVENT_ACT_UNKNOWN);
		assert_err(event_check_owner(&back, REGION_26), ERR_INVALID);
		assert_err(event_encode(&back, &w->scratch, &w->out), ERR_ARGUMENT);
		assert_int_equal(w->out.size, 0);
	}
}

static void odd_acts_do_not_decode(void **state)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t size;
	} rows[] = {
		{"two acts", "\x32\x00\x32\x00", 4},
		{"two kinds in one act", "\x32\x08\x0a\x04\x0a\x02\x32\x36\x12\x00", 10},
		{"no old log", "\x32\x02\x0a\x00", 4},
		{"an old log that is none", "\x32\x06\x0a\x04\x0a\x02\x32\x37", 8},
	};
	struct world *w = *state;
	struct event back;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (event_decode(bytes_of(rows[i].bytes, rows[i].size), &w->arena, &back) !=
		    ERR_DECODE)
			fail_msg("%s was not refused", rows[i].what);
	}
}

static void the_document_of_an_act_has_a_bound(void **state)
{
	static uint8_t note[NOTE_BYTES_MAX + 1];
	struct world *w = *state;
	struct event e = continues_of("26", bytes_of(note, NOTE_BYTES_MAX));
	struct buf inner = {0};
	struct buf act = {0};
	struct event back;

	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_ok(event_decode(buf_bytes(&w->out), &w->arena, &back));
	buf_clear(&w->out);
	e.document.size++;
	assert_err(event_encode(&e, &w->scratch, &w->out), ERR_LIMIT);
	assert_int_equal(w->out.size, 0);
	put_counted(&inner, 1, e.document);
	put_counted(&act, 2, buf_bytes(&inner)); /* rotate */
	put_counted(&w->out, 6, buf_bytes(&act));
	assert_err(event_decode(buf_bytes(&w->out), &w->arena, &back), ERR_LIMIT);
	buf_free(&inner);
	buf_free(&act);
}

static void an_act_of_the_owner_is_let_through_alone(void **state)
{
	struct change change = {.id = "pl26-op-x", .kind = RECORD_OPERATOR, .retired = true};
	struct event e = continues_of("26", bytes_of_text("note\n"));

	(void)state;
	assert_ok(event_check_owner(&e, REGION_26));
	e.old_log = log_named("24");
	assert_err(event_check_owner(&e, REGION_26), ERR_OWNER);
	e.old_log = log_named("national");
	assert_err(event_check_owner(&e, REGION_26), ERR_OWNER);
	e.old_log = log_named("26/2");
	assert_ok(event_check_owner(&e, REGION_26));
	e.changes = &change;
	e.change_count = 1;
	assert_err(event_check_owner(&e, REGION_26), ERR_INVALID);
	e.change_count = 0;
	e.document.size = 0;
	assert_err(event_check_owner(&e, REGION_26), ERR_INVALID);
	e.act = EVENT_ROTATES;
	assert_err(event_check_owner(&e, REGION_26), ERR_INVALID);
	e.document = bytes_of_text("card");
	assert_ok(event_check_owner(&e, REGION_26));
}

/* ---- the recorded time alone ---- */

static void the_recorded_time_is_read_alone(void **state)
{
	struct world *w = *state;
	struct change change = {.id = "x",
				.kind = RECORD_ENTITY,
				.record = make_record(&w->arena, RECORD_ENTITY, "id", "x", NULL)};
	struct event e = {.recorded = {1559606400123},
			  .editor = "e07",
			  .change_count = 1,
			  .changes = &change};
	const struct national_entry n = {.recorded = {77}, .kind = NATIONAL_ACT, .act = "enrol"};
	struct wall_ms at = {1};

	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_ok(recorded_time(buf_bytes(&w->out), &at));
	assert_int_equal(at.ms, 1559606400123);
	buf_clear(&w->out);
	assert_ok(national_encode(&n, &w->out));
	assert_ok(recorded_time(buf_bytes(&w->out), &at));
	assert_int_equal(at.ms, 77);
	buf_clear(&w->out);
	e.recorded.ms = -2; /* before 1970 */
	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_ok(recorded_time(buf_bytes(&w->out), &at));
	assert_int_equal(at.ms, -2);
	buf_clear(&w->out);
	e.recorded.ms = 0; /* not on the wire at all */
	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_ok(recorded_time(buf_bytes(&w->out), &at));
	assert_int_equal(at.ms, 0);
	buf_clear(&w->out);
	put_text(&w->out, 2, "e07"); /* another order of fields */
	put_number(&w->out, 1, 9);
	assert_ok(recorded_time(buf_bytes(&w->out), &at));
	assert_int_equal(at.ms, 9);
}

static void no_time_is_read_from_odd_bytes(void **state)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t size;
	} rows[] = {
		{"nothing", "", 0},
		{"a tag alone", "\x08", 1},
		{"a varint without an end", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12},
		{"a text where the time belongs", "\x0a\x01x", 3},
		{"a torn field before it", "\x12\x05x", 3},
	};
	struct wall_ms at = {1};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (recorded_time(bytes_of(rows[i].bytes, rows[i].size), &at) != ERR_DECODE)
			fail_msg("%s was not refused", rows[i].what);
	}
	assert_int_equal(at.ms, 1); /* untouched */
}

static void an_event_that_rotates_is_known_without_decoding_it(void **state)
{
	struct world *w = *state;
	struct event e = {.recorded = {7}, .editor = "e07", .reason = "rotate", .source = "2"};
	struct bytes raw;

	e.act = EVENT_ROTATES;
	e.document = bytes_of_text("card");
	assert_ok(event_encode(&e, &w->scratch, &w->out));
	raw = buf_bytes(&w->out);
	assert_true(event_rotates(raw));
	for (size_t size = 0; size < raw.size; size++)
		assert_false(event_rotates(bytes_of(raw.data, size))); /* torn */
	buf_clear(&w->out);
	e.act = EVENT_CONTINUES;
	assert_ok(log_name_parse(bytes_of_text("26"), &e.old_log));
	e.old_size = 5;
	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_false(event_rotates(buf_bytes(&w->out)));
	buf_clear(&w->out);
	put_number(&w->out, 6, 2); /* no message where the act belongs */
	assert_false(event_rotates(buf_bytes(&w->out)));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_act_of_a_log_comes_back_as_it_was),
		TEST(the_bytes_of_an_act_are_these),
		TEST(an_act_of_a_newer_program_is_seen_as_unknown),
		TEST(odd_acts_do_not_decode),
		TEST(the_document_of_an_act_has_a_bound),
		TEST(an_act_of_the_owner_is_let_through_alone),
		TEST(the_recorded_time_is_read_alone),
		TEST(no_time_is_read_from_odd_bytes),
		TEST(an_event_that_rotates_is_known_without_decoding_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
