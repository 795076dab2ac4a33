#include "model/event.h"

#include "model_event_world.h"

#include <stdio.h>

#include "base/limits.h"

static struct event event_of(struct change *changes, size_t count)
{
	return (struct event){.recorded = {1559606400123},
			      .editor = "e07",
			      .reason = "wpis do rejestru",
			      .source = "004_72634142d64987e1.txt",
			      .change_count = count,
			      .changes = changes};
}

static void an_event_comes_back_as_it_was(void **state)
{
	struct world *w = *state;
	struct change changes[] = {
		{.id = "pl26-kis-nowiny",
		 .kind = RECORD_ENTITY,
		 .record = club(w, "pl26-kis-nowiny")},
		{.id = "pl26-op-old",
		 .has_supersedes = true,
		 .supersedes = 0,
		 .kind = RECORD_OPERATOR,
		 .retired = true},
	};
	struct event e = event_of(changes, 2);
	struct event back;

	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_ok(event_decode(buf_bytes(&w->out), &w->arena, &back));
	assert_int_equal(back.recorded.ms, 1559606400123);
	assert_string_equal(back.editor, "e07");
	assert_string_equal(back.reason, "wpis do rejestru");
	assert_string_equal(back.source, "004_72634142d64987e1.txt");
	assert_int_equal(back.change_count, 2);
	assert_string_equal(back.changes[0].id, "pl26-kis-nowiny");
	assert_false(back.changes[0].has_supersedes);
	assert_int_equal(back.changes[0].kind, RECORD_ENTITY);
	assert_true(record_same(back.changes[0].record, changes[0].record));
	assert_true(back.changes[1].retired);
	assert_true(back.changes[1].has_supersedes);
	assert_int_equal(back.changes[1].supersedes, 0);
	assert_int_equal(back.changes[1].kind, RECORD_OPERATOR);
	assert_null(back.changes[1].record);
}

static void the_bytes_of_an_event_are_these(void **state)
{
	struct world *w = *state;
	static const uint8_t expected[] = {0x08, 0x05, 0x12, 0x03, 'e',  '0',  '7',  0x2a, 0x09,
					   0x0a, 0x01, 'x',  0x10, 0x07, 0x42, 0x02, 0x08, 0x04};
	struct change change = {.id = "x",
				.has_supersedes = true,
				.supersedes = 7,
				.kind = RECORD_ENTITY,
				.retired = true};
	struct event e = {.recorded = {5}, .editor = "e07", .change_count = 1, .changes = &change};

	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_int_equal(w->out.size, sizeof expected);
	assert_memory_equal(w->out.data, expected, sizeof expected);
}

static void the_size_of_a_change_is_what_it_adds_to_an_event(void **state)
{
	struct world *w = *state;
	struct change change = {.id = "pl26-kis-nowiny",
				.kind = RECORD_ENTITY,
				.record = club(w, "pl26-kis-nowiny")};
	struct event e = event_of(&change, 0);
	size_t before = 0;

	assert_ok(event_encode(&e, &w->scratch, &w->out));
	before = w->out.size;
	buf_clear(&w->out);
	e.change_count = 1;
	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_int_equal(w->out.size - before, change_size(&change, &w->scratch));
}

static void an_event_over_its_bounds_is_not_encoded(void **state)
{
	struct world *w = *state;
	static struct change changes[EVENT_CHANGES_MAX + 1];
	static char long_text[FIELD_BYTES_MAX + 1];
	struct record *r = club(w, "pl26-kis-nowiny");
	struct event e = event_of(changes, 9);

	memset(long_text, 'x', FIELD_BYTES_MAX);
	set_field(&w->arena, r, "other_facts", long_text);
	for (size_t i = 0; i <= EVENT_CHANGES_MAX; i++)
		changes[i] = (struct change){.id = "x", .kind = RECORD_ENTITY, .record = r};
	buf_add_text(&w->out, "kept");
	assert_err(event_encode(&e, &w->scratch, &w->out), ERR_LIMIT);
	assert_string_equal(buf_text(&w->out), "kept");
	e.change_count = EVENT_CHANGES_MAX + 1;
	assert_err(event_encode(&e, &w->scratch, &w->out), ERR_LIMIT);
}

static void a_full_event_decodes(void **state)
{
	struct world *w = *state;
	static struct change changes[EVENT_CHANGES_MAX];
	struct event e = event_of(changes, EVENT_CHANGES_MAX);
	struct event back;

	for (size_t i = 0; i < EVENT_CHANGES_MAX; i++)
		changes[i] =
			(struct change){.id = "pl26-kis-x", .kind = RECORD_ENTITY, .retired = true};
	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_ok(event_decode(buf_bytes(&w->out), &w->arena, &back));
	assert_int_equal(back.change_count, EVENT_CHANGES_MAX);
}

static void too_many_changes_are_refused(void **state)
{
	struct world *w = *state;
	struct event back;

	for (size_t i = 0; i <= EVENT_CHANGES_MAX; i++)
		put_text(&w->out, 5, "");
	assert_err(event_decode(buf_bytes(&w->out), &w->arena, &back), ERR_LIMIT);
	assert_int_equal(w->arena.used_bytes, 0);
}

static void an_oversized_event_is_refused(void **state)
{
	struct world *w = *state;
	static uint8_t raw[EVENT_BYTES_MAX + 1];
	struct event back;

	assert_err(event_decode(bytes_of(raw, sizeof raw), &w->arena, &back), ERR_LIMIT);
	assert_int_equal(w->arena.used_bytes, 0);
}

static void over_long_texts_are_refused(void **state)
{
	struct world *w = *state;
	static const struct {
		unsigned field;
		size_t max;
	} rows[] = {{2, EDITOR_BYTES_MAX}, {3, REASON_BYTES_MAX}, {4, SOURCE_BYTES_MAX}};
	static uint8_t text[FIELD_BYTES_MAX + 1];
	struct event back;
	struct over over;

	memset(text, 'x', sizeof text);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&w->out);
		put_counted(&w->out, rows[i].field, bytes_of(text, rows[i].max));
		assert_ok(event_decode(buf_bytes(&w->out), &w->arena, &back));
		assert_false(event_over(buf_bytes(&w->out), &over));
		buf_clear(&w->out);
		put_counted(&w->out, rows[i].field, bytes_of(text, rows[i].max + 1));
		assert_err(event_decode(buf_bytes(&w->out), &w->arena, &back), ERR_LIMIT);
		assert_true(event_over(buf_bytes(&w->out), &over));
		assert_int_equal(over.bytes, rows[i].max + 1);
	}
}

/* An event of one change whose bytes are given. */
static enum err decode_change(struct world *w, const struct buf *change, struct event *ret)
{
	struct buf raw = {0};
	enum err err = ERR_OK;

	put_counted(&raw, 5, buf_bytes(change));
	err = event_decode(buf_bytes(&raw), &w->arena, ret);
	buf_free(&raw);
	return err;
}

static void an_over_long_id_or_field_is_refused(void **state)
{
	struct world *w = *state;
	static uint8_t text[FIELD_BYTES_MAX + 1];
	struct buf inner = {0};
	struct event back;

	memset(text, 'x', sizeof text);
	put_counted(&w->out, 1, bytes_of(text, ID_BYTES_MAX));
	assert_ok(decode_change(w, &w->out, &back));
	buf_clear(&w->out);
	put_counted(&w->out, 1, bytes_of(text, ID_BYTES_MAX + 1));
	assert_err(decode_change(w, &w->out, &back), ERR_LIMIT);
	buf_clear(&w->out);
	put_counted(&inner, 2, bytes_of(text, FIELD_BYTES_MAX + 1));
	put_counted(&w->out, 3, buf_bytes(&inner));
	assert_err(decode_change(w, &w->out, &back), ERR_LIMIT);
	buf_free(&inner);
}

static void a_nul_inside_a_text_is_refused(void **state)
{
	struct world *w = *state;
	struct buf inner = {0};
	struct event back;

	put_counted(&inner, 2, bytes_of("a\0b", 3));
	put_counted(&w->out, 3, buf_bytes(&inner));
	assert_err(decode_change(w, &w->out, &back), ERR_DECODE);
	buf_clear(&w->out);
	put_counted(&w->out, 3, bytes_of("e\0", 2));
	assert_err(event_decode(buf_bytes(&w->out), &w->arena, &back), ERR_DECODE);
	buf_free(&inner);
}

static void two_values_of_one_field_are_refused(void **state)
{
	struct world *w = *state;
	struct event back;

	put_text(&w->out, 2, "e07");
	assert_ok(event_decode(buf_bytes(&w->out), &w->arena, &back));
	put_text(&w->out, 2, "e08");
	assert_err(event_decode(buf_bytes(&w->out), &w->arena, &back), ERR_DECODE);
	buf_clear(&w->out);
	put_text(&w->out, 3, ""); /* becomes an operator … */
	put_text(&w->out, 4, ""); /* … and an entity */
	assert_err(decode_change(w, &w->out, &back), ERR_DECODE);
}

static void odd_bytes_do_not_decode(void **state)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t size;
	} rows[] = {
		{"a tag alone", "\x12", 1},
		{"a length beyond the end",
		 "\x12\x05"
		 "e07",
		 5},
		{"a length of 2^35", "\x12\x80\x80\x80\x80\x80\x01", 7},
		{"a varint without an end", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12},
		{"field number 0", "\x02\x00", 2},
		{"a group", "\x13\x14", 2},
		{"wire type 7", "\x17\x00", 2},
		{"text where a number belongs", "\x0a\x01x", 3},
		{"a number where text belongs", "\x10\x01", 2},
		{"a fixed number where text belongs", "\x15\x01\x02\x03\x04", 5},
		{"an inner length beyond the change", "\x2a\x02\x0a\x05", 4},
		{"a tag of six bytes", "\x88\x80\x80\x80\x80\x00\x01", 7},
	};
	struct world *w = *state;
	struct event back;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (event_decode(bytes_of(rows[i].bytes, rows[i].size), &w->arena, &back) !=
		    ERR_DECODE)
			fail_msg("%s was not refused", rows[i].what);
	}
}

static void text_that_breaks_field_rules_is_kept(void **state)
{
	struct world *w = *state;
	struct buf inner = {0};
	struct event back;

	put_text(&inner, 2, "\xc5 U+FFFD \xef\xbf\xbd tab\t");
	put_text(&w->out, 1, "pl26-op-x");
	put_counted(&w->out, 3, buf_bytes(&inner));
	assert_ok(decode_change(w, &w->out, &back));
	assert_string_equal(record_get(back.changes[0].record, 1),
			    "\xc5 U+FFFD \xef\xbf\xbd tab\t");
	buf_free(&inner);
}

static void fields_of_a_newer_program_are_kept(void **state)
{
	struct world *w = *state;
	struct buf inner = {0};
	struct buf raw = {0};
	struct event back;
	struct event again;
	struct change copied;

	put_text(&inner, 1, "pl26-op-x");
	put_text(&inner, 200, "later");
	put_number(&inner, 201, 7);
	put_text(&w->out, 1, "pl26-op-x");
	put_counted(&w->out, 3, buf_bytes(&inner));
	assert_ok(decode_change(w, &w->out, &back));
	copied = back.changes[0];
	copied.record = record_copy(&w->arena, copied.record);
	again = (struct event){.change_count = 1, .changes = &copied};
	put_counted(&raw, 5, buf_bytes(&w->out));
	buf_clear(&w->out);
	assert_ok(event_encode(&again, &w->scratch, &w->out));
	assert_true(bytes_equal(buf_bytes(&w->out), buf_bytes(&raw)));
	buf_free(&inner);
	buf_free(&raw);
}

static void a_record_of_an_unknown_kind_is_let_through(void **state)
{
	struct world *w = *state;
	struct buf inner = {0};
	struct event back;

	put_text(&w->out, 1, "pl26-new-x");
	put_text(&w->out, 12, "a kind of later");
	assert_ok(decode_change(w, &w->out, &back));
	assert_int_equal(back.changes[0].kind, RECORD_NONE);
	assert_null(back.changes[0].record);
	buf_clear(&w->out);
	put_number(&inner, 1, 77);
	put_counted(&w->out, 8, buf_bytes(&inner));
	assert_ok(decode_change(w, &w->out, &back));
	assert_true(back.changes[0].retired);
	assert_int_equal(back.changes[0].kind, RECORD_NONE);
	buf_free(&inner);
}

static void the_worst_event_stays_inside_the_memory_ceiling(void **state)
{
	struct world *w = *state;
	struct event back;

	/* As many unknown fields of two bytes as fit. */
	while (w->out.size + 4 < EVENT_BYTES_MAX)
		buf_add(&w->out, "\x50\x01", 2);
	assert_ok(event_decode(buf_bytes(&w->out), &w->arena, &back));
	arena_reset(&w->arena);
	buf_clear(&w->out);
	/* The most changes, each the largest record of the fewest bytes, all else fields. */
	for (size_t i = 0; i < EVENT_CHANGES_MAX; i++)
		put_counted(&w->out, 5, bytes_of("\x22\x00", 2));
	while (w->out.size + 4 < EVENT_BYTES_MAX)
		buf_add(&w->out, "\x50\x01", 2);
	assert_ok(event_decode(buf_bytes(&w->out), &w->arena, &back));
	assert_int_equal(back.change_count, EVENT_CHANGES_MAX);
}

static void a_small_arena_gives_no_memory(void **state)
{
	struct world *w = *state;
	struct change change = {.id = "x", .kind = RECORD_ENTITY, .record = club(w, "x")};
	struct event e = event_of(&change, 1);
	struct arena small = {.limit_bytes = 256};
	struct event back;

	assert_ok(event_encode(&e, &w->scratch, &w->out));
	assert_err(event_decode(buf_bytes(&w->out), &small, &back), ERR_NOMEM);
	assert_int_equal(small.limit_bytes, 256);
	arena_free(&small);
}

static enum err owner_check(struct world *w, const char *id, struct record *r)
{
	struct change change = {
		.id = id, .kind = r ? record_kind(r) : RECORD_OPERATOR, .record = r, .retired = !r};
	struct event e = event_of(&change, 1);

	(void)w;
	return event_check_owner(&e, REGION_26);
}

static void a_change_of_another_owner_is_refused(void **state)
{
	struct world *w = *state;
	struct record *r = club(w, "pl26-kis-nowiny");

	assert_ok(owner_check(w, "pl26-kis-nowiny", r));
	assert_ok(owner_check(w, "pl26-op-x", NULL));
	assert_err(owner_check(w, "pl24-op-x", NULL), ERR_OWNER);
	assert_err(owner_check(w, "no-owner", NULL), ERR_OWNER);
	assert_err(owner_check(w, "", NULL), ERR_INVALID);
	set_field(&w->arena, r, "region", "24");
	assert_err(owner_check(w, "pl26-kis-nowiny", r), ERR_OWNER);
	r = make_record(&w->arena, RECORD_MEMBERSHIP, "id", "pl26-net-a--pl26-kis-b", "network_id",
			"pl24-net-rada", NULL);
	assert_err(owner_check(w, "pl26-net-a--pl26-kis-b", r), ERR_OWNER);
}

static void an_event_that_changes_nothing_is_refused(void **state)
{
	const struct event nothing = {.editor = "e07", .reason = "r", .source = "s"};

	(void)state;
	assert_err(event_check_owner(&nothing, REGION_26), ERR_INVALID);
}

static void a_record_under_another_id_is_refused(void **state)
{
	struct world *w = *state;

	assert_err(owner_check(w, "pl26-kis-nowiny", club(w, "pl26-kis-mostki")), ERR_INVALID);
}

static void the_same_record_twice_in_an_event_is_refused(void **state)
{
	static struct change changes[EVENT_CHANGES_MAX];
	static char ids[EVENT_CHANGES_MAX][24];
	struct event e = event_of(changes, EVENT_CHANGES_MAX);

	(void)state;
	for (size_t i = 0; i < EVENT_CHANGES_MAX; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "pl26-op-%zu", i);
		changes[i] =
			(struct change){.id = ids[i], .kind = RECORD_OPERATOR, .retired = true};
	}
	assert_ok(event_check_owner(&e, REGION_26));
	changes[EVENT_CHANGES_MAX - 1].id = "pl26-op-0";
	assert_err(event_check_owner(&e, REGION_26), ERR_INVALID);
}

/* ---- damage ---- */

static void damaged_bytes_are_refused_or_encode_again(void **state)
{
	struct world *w = *state;
	uint64_t seed = test_seed();
	uint64_t random = seed;
	struct change changes[] = {
		{.id = "pl26-kis-nowiny",
		 .kind = RECORD_ENTITY,
		 .record = club(w, "pl26-kis-nowiny")},
		{.id = "pl26-op-old",
		 .has_supersedes = true,
		 .supersedes = 300,
		 .kind = RECORD_OPERATOR,
		 .retired = true},
		{.id = "pl26-kis-mostki",
		 .kind = RECORD_ENTITY,
		 .record = club(w, "pl26-kis-mostki")},
	};
	struct event e = event_of(changes, 3);
	struct buf again = {0};
	struct arena arena = {0};

	e.act = EVENT_CONTINUES; /* beside changes: an event decodes all the same */
	e.old_log = log_26();
	e.document = bytes_of_text("note\n");
	assert_ok(event_encode(&e, &w->scratch, &w->out));
	for (int i = 0; i < 20000; i++) {
		uint8_t *block = NULL;
		struct bytes raw = damaged(buf_bytes(&w->out), &random, &block);
		struct event back;
		struct version version;
		struct national_entry entry;

		arena_reset(&arena);
		buf_clear(&again);
		if (event_decode(raw, &arena, &back) == ERR_OK) {
			enum err expected = back.act == EVENT_ACT_UNKNOWN ? ERR_ARGUMENT : ERR_OK;
			struct wall_ms at;

			(void)!event_check_owner(&back, REGION_26);
			if (event_encode(&back, &arena, &again) != expected)
				fail_msg("seed %llu, round %d: decoded but does not encode",
					 (unsigned long long)seed, i);
			if (raw.size &&
			    (recorded_time(raw, &at) != ERR_OK || at.ms != back.recorded.ms))
				fail_msg("seed %llu, round %d: two readings of one time",
					 (unsigned long long)seed, i);
		}
		(void)!version_decode(raw, &arena, &version);
		(void)!national_decode(raw, &arena, &entry);
		free(block);
	}
	buf_free(&again);
	arena_free(&arena);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_comes_back_as_it_was),
		TEST(the_bytes_of_an_event_are_these),
		TEST(the_size_of_a_change_is_what_it_adds_to_an_event),
		TEST(an_event_over_its_bounds_is_not_encoded),
		TEST(a_full_event_decodes),
		TEST(too_many_changes_are_refused),
		TEST(an_oversized_event_is_refused),
		TEST(over_long_texts_are_refused),
		TEST(an_over_long_id_or_field_is_refused),
		TEST(a_nul_inside_a_text_is_refused),
		TEST(two_values_of_one_field_are_refused),
		TEST(odd_bytes_do_not_decode),
		TEST(text_that_breaks_field_rules_is_kept),
		TEST(fields_of_a_newer_program_are_kept),
		TEST(a_record_of_an_unknown_kind_is_let_through),
		TEST(the_worst_event_stays_inside_the_memory_ceiling),
		TEST(a_small_arena_gives_no_memory),
		TEST(a_change_of_another_owner_is_refused),
		TEST(an_event_that_changes_nothing_is_refused),
		TEST(a_record_under_another_id_is_refused),
		TEST(the_same_record_twice_in_an_event_is_refused),
		TEST(damaged_bytes_are_refused_or_encode_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
