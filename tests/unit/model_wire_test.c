#include "model/wire.h"

#include "model_support.h"

static struct log_name log_named(const char *text)
{
	struct log_name name;

	assert_ok(log_name_parse(bytes_of_text(text), &name));
	return name;
}

static void every_header_comes_back_with_its_own_fields(void **state)
{
	const struct wire_header full = {.protocol = 1,
					 .log = log_named("26/2"),
					 .session = UINT64_MAX,
					 .size = 2,
					 .from = 3,
					 .index = 4,
					 .count = UINT32_MAX,
					 .credit = 6,
					 .commit_events = 7,
					 .commit_bytes = 8,
					 .code = ERR_GAP,
					 .text = "brak zdarzeń"};
	const struct wire_header expected[] = {
		{.kind = WIRE_HELLO, .protocol = 1, .log = full.log, .size = 2},
		{.kind = WIRE_WELCOME,
		 .session = full.session,
		 .size = 2,
		 .credit = 6,
		 .commit_events = 7,
		 .commit_bytes = 8},
		{.kind = WIRE_ANCHOR, .session = full.session, .size = 2},
		{.kind = WIRE_COMMIT, .session = full.session, .from = 3, .count = full.count},
		{.kind = WIRE_ACK, .session = full.session, .size = 2, .credit = 6},
		{.kind = WIRE_REFUSED,
		 .session = full.session,
		 .size = 2,
		 .code = ERR_GAP,
		 .text = "brak zdarzeń"},
		{.kind = WIRE_FETCH, .session = full.session, .log = full.log, .from = 3},
		{.kind = WIRE_RANGE,
		 .session = full.session,
		 .log = full.log,
		 .from = 3,
		 .count = full.count},
		{.kind = WIRE_HEARTBEAT, .session = full.session, .size = 2},
		{.kind = WIRE_FEED, .index = 4, .log = full.log, .from = 3, .count = full.count},
		{.kind = WIRE_OFFER, .session = full.session, .from = 3, .size = 2},
		{.kind = WIRE_COSIGNED, .session = full.session, .size = 2},
		{.kind = WIRE_DECLINED,
		 .session = full.session,
		 .size = 2,
		 .code = ERR_GAP,
		 .text = "brak zdarzeń"},
		{.kind = WIRE_DUTY, .session = full.session, .index = 4, .size = 2},
	};
	struct buf raw = {0};

	(void)state;
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		struct wire_header h = full;
		struct wire_header back;
		struct wire_header want;

		memset(&want, 0, sizeof want);
		memcpy(&want, &expected[i], sizeof want);
		h.kind = expected[i].kind;
		buf_clear(&raw);
		assert_ok(wire_encode(&h, &raw));
		assert_ok(wire_decode(buf_bytes(&raw), &back));
		assert_int_equal(back.kind, want.kind);
		assert_int_equal(back.protocol, want.protocol);
		assert_string_equal(back.log.text, want.log.text);
		assert_int_equal(back.session, want.session);
		assert_int_equal(back.size, want.size);
		assert_int_equal(back.from, want.from);
		assert_int_equal(back.index, want.index);
		assert_int_equal(back.count, want.count);
		assert_int_equal(back.credit, want.credit);
		assert_int_equal(back.commit_events, want.commit_events);
		assert_int_equal(back.commit_bytes, want.commit_bytes);
		assert_int_equal(back.code, want.code);
		assert_string_equal(back.text, want.text);
	}
	buf_free(&raw);
}

static void the_bytes_of_a_commit_header_are_these(void **state)
{
	static const uint8_t expected[] = {0x22, 0x06, 0x08, 0x05, 0x10, 0x07, 0x18, 0x02};
	const struct wire_header h = {.kind = WIRE_COMMIT, .session = 5, .from = 7, .count = 2};
	struct buf raw = {0};

	(void)state;
	assert_ok(wire_encode(&h, &raw));
	assert_int_equal(raw.size, sizeof expected);
	assert_memory_equal(raw.data, expected, sizeof expected);
	buf_free(&raw);
}

static void the_bytes_of_an_offer_and_its_answers_are_these(void **state)
{
	static const struct {
		struct wire_header h;
		const char *bytes;
		size_t size;
	} rows[] = {
		{{.kind = WIRE_OFFER, .session = 5, .from = 7, .size = 9},
		 "\x5a\x06\x08\x05\x10\x07\x18\x09",
		 8},
		{{.kind = WIRE_COSIGNED, .session = 5, .size = 9}, "\x62\x04\x08\x05\x10\x09", 6},
		{{.kind = WIRE_DECLINED, .session = 5, .size = 9, .code = ERR_OLD, .text = "x"},
		 "\x6a\x0c\x08\x05\x10\x09\x1a\x03old\x22\x01x",
		 14},
		{{.kind = WIRE_DUTY, .session = 5, .index = 7, .size = 9},
		 "\x72\x06\x08\x05\x10\x07\x18\x09",
		 8},
	};
	struct buf raw = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&raw);
		assert_ok(wire_encode(&rows[i].h, &raw));
		assert_int_equal(raw.size, rows[i].size);
		assert_memory_equal(raw.data, rows[i].bytes, raw.size);
	}
	buf_free(&raw);
}

static void a_header_of_no_kind_is_not_encoded(void **state)
{
	const struct wire_header h = {.kind = WIRE_NONE};
	const struct wire_header beyond = {.kind = WIRE_DUTY + 1};
	struct buf raw = {0};

	(void)state;
	assert_err(wire_encode(&h, &raw), ERR_ARGUMENT);
	assert_err(wire_encode(&beyond, &raw), ERR_ARGUMENT);
	assert_int_equal(raw.size, 0);
	buf_free(&raw);
}

static void odd_headers_are_refused(void **state)
{
	static const struct {
		const char *what;
		const char *bytes;
		size_t size;
		enum err err;
	} rows[] = {
		{"nothing", "", 0, ERR_DECODE},
		{"a kind of later", "\xa2\x06\x00", 3, ERR_VERSION},
		{"two kinds", "\x22\x00\x2a\x00", 4, ERR_DECODE},
		{"a torn commit", "\x22\x06\x08\x05\x10", 5, ERR_DECODE},
		{"a hello without a log", "\x0a\x02\x08\x01", 4, ERR_DECODE},
		{"a hello of log 27",
		 "\x0a\x06\x08\x01\x12\x02"
		 "27",
		 8, ERR_DECODE},
		{"a log with a NUL",
		 "\x0a\x07\x08\x01\x12\x03"
		 "26\0",
		 9, ERR_DECODE},
		{"text", "GET / HTTP/1.1\r\n", 16, ERR_DECODE},
	};
	static uint8_t big[HEADER_BYTES_MAX + 1];
	struct wire_header back = {.session = 77};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum err err = wire_decode(bytes_of(rows[i].bytes, rows[i].size), &back);

		if (err != rows[i].err)
			fail_msg("%s: %s", rows[i].what, err_code(err));
	}
	assert_err(wire_decode(bytes_of(big, sizeof big), &back), ERR_LIMIT);
	assert_int_equal(back.session, 77); /* untouched */
}

static void a_header_full_of_unknown_fields_takes_no_memory(void **state)
{
	struct buf raw = {0};
	struct buf inner = {0};
	struct wire_header back;

	(void)state;
	while (inner.size + 16 < HEADER_BYTES_MAX)
		buf_add(&inner, "\x78\x01", 2);
	put_counted(&raw, 4, buf_bytes(&inner));
	assert_err(wire_decode(buf_bytes(&raw), &back), ERR_DECODE);
	buf_clear(&raw);
	buf_clear(&inner);
	put_number(&inner, 15, 1); /* a few are well */
	put_number(&inner, 2, 9);
	put_counted(&raw, 4, buf_bytes(&inner));
	assert_ok(wire_decode(buf_bytes(&raw), &back));
	assert_int_equal(back.from, 9);
	buf_free(&raw);
	buf_free(&inner);
}

static void an_unknown_code_is_internal_and_a_text_stays_on_one_line(void **state)
{
	struct buf raw = {0};
	struct buf inner = {0};
	struct wire_header back;
	static char text[2 * TEXT_BYTES_MAX];

	(void)state;
	put_text(&inner, 2, "no-such-code");
	put_text(&inner, 3, "one\ntwo\x1b[2J");
	put_counted(&raw, 6, buf_bytes(&inner));
	assert_ok(wire_decode(buf_bytes(&raw), &back));
	assert_int_equal(back.code, ERR_INTERNAL);
	assert_string_equal(back.text, "one two [2J");
	buf_clear(&raw);
	buf_clear(&inner);
	memset(text, 'x', TEXT_BYTES_MAX - 1);
	memcpy(text + TEXT_BYTES_MAX - 1, "ż!", 4);
	put_text(&inner, 3, text);
	put_counted(&raw, 6, buf_bytes(&inner));
	assert_ok(wire_decode(buf_bytes(&raw), &back));
	assert_int_equal(strlen(back.text), TEXT_BYTES_MAX - 1); /* the letter is not torn */
	buf_free(&raw);
	buf_free(&inner);
}

/* ---- bundles ---- */

static void events_are_split_as_they_were_packed(void **state)
{
	struct buf first = {0};
	struct buf second = {0};
	struct bytes frames[2];
	struct bytes events[3];

	(void)state;
	bundle_add(&first, bytes_of_text("one"));
	bundle_add(&first, bytes_of("\0", 1));
	bundle_add(&second, bytes_of_text("three"));
	assert_int_equal(first.size, 2 + 3 + 2 + 1);
	frames[0] = buf_bytes(&first);
	frames[1] = buf_bytes(&second);
	assert_ok(bundle_split(frames, 2, 3, events));
	assert_true(bytes_equal(events[0], bytes_of_text("one")));
	assert_int_equal(events[1].size, 1);
	assert_true(bytes_equal(events[2], bytes_of_text("three")));
	assert_err(bundle_split(frames, 2, 2, events), ERR_DECODE);
	assert_err(bundle_split(frames, 1, 3, events), ERR_DECODE);
	assert_ok(bundle_split(frames, 0, 0, events));
	assert_err(bundle_split(frames, 1, 0, events), ERR_DECODE);
	buf_free(&first);
	buf_free(&second);
}

static void torn_and_empty_events_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
	} rows[] = {{"\0", 1},      {"\0\0", 2}, {"\0\2x", 3},
		    {"\0\1x\0", 4}, {"", 0},     {"\xff\xffx", 3}};
	struct bytes events[4];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct bytes frame = bytes_of(rows[i].bytes, rows[i].size);

		assert_err(bundle_split(&frame, 1, 1, events), ERR_DECODE);
	}
}

static void a_redacted_event_travels_as_its_leaf_hash(void **state)
{
	uint8_t leaf[BUNDLE_LEAF_BYTES];
	struct buf frame = {0};
	struct bytes whole;
	struct bytes events[3];

	(void)state;
	for (size_t i = 0; i < sizeof leaf; i++)
		leaf[i] = (uint8_t)(0xa0 + i);
	bundle_add(&frame, bytes_of_text("one"));
	bundle_add_redacted(&frame, leaf);
	bundle_add(&frame, bytes_of_text("three"));
	assert_int_equal(frame.size, 2 + 3 + 2 + 32 + 2 + 5);
	whole = buf_bytes(&frame);
	assert_ok(bundle_split(&whole, 1, 3, events));
	assert_true(bytes_equal(events[0], bytes_of_text("one")));
	assert_int_equal(events[1].size, 0);
	assert_memory_equal(events[1].data, leaf, sizeof leaf);
	assert_true(bytes_equal(events[2], bytes_of_text("three")));
	/* An empty event through the usual door is no redacted one. */
	bundle_add(&frame, bytes_of("", 0));
	assert_int_not_equal(buf_check(&frame), ERR_OK);
	buf_free(&frame);
}

static void a_torn_redacted_event_is_refused(void **state)
{
	static const uint8_t leaf[BUNDLE_LEAF_BYTES];
	struct buf frame = {0};
	struct bytes whole;
	struct bytes events[2];

	(void)state;
	bundle_add_redacted(&frame, leaf);
	for (size_t size = 1; size < frame.size; size++) {
		uint8_t *torn = malloc(size); /* of exactly that size: reading on is seen */
		struct bytes part;

		assert_non_null(torn);
		memcpy(torn, frame.data, size);
		part = bytes_of(torn, size);
		assert_err(bundle_split(&part, 1, 1, events), ERR_DECODE);
		free(torn);
	}
	whole = buf_bytes(&frame);
	assert_ok(bundle_split(&whole, 1, 1, events));
	assert_err(bundle_split(&whole, 1, 2, events), ERR_DECODE);
	assert_err(bundle_split(&whole, 1, 0, events), ERR_DECODE);
	buf_free(&frame);
}

static void a_commit_over_its_bounds_is_refused(void **state)
{
	static uint8_t room[FRAME_BYTES_MAX + 1];
	struct bytes frames[COMMIT_FRAMES_MAX + 1];
	static struct bytes events[COMMIT_EVENTS_MAX + 1];

	(void)state;
	for (size_t i = 0; i <= COMMIT_FRAMES_MAX; i++)
		frames[i] = bytes_of(room, FRAME_BYTES_MAX);
	assert_err(bundle_split(frames, COMMIT_FRAMES_MAX + 1, 1, events), ERR_LIMIT);
	assert_err(bundle_split(frames, 5, 1, events), ERR_LIMIT);
	assert_err(bundle_split(frames, 1, COMMIT_EVENTS_MAX + 1, events), ERR_LIMIT);
	frames[0].size++;
	assert_err(bundle_split(frames, 1, 1, events), ERR_LIMIT);
}

/* Else a commit that is full would outgrow its bound when they are redacted. */
static void short_events_count_as_the_hash_that_may_stay_of_them(void **state)
{
	enum { SHORT = 4000, FRAMES = 5 };
	static const uint8_t raw[EVENT_BYTES_MAX];
	static struct bytes events[COMMIT_EVENTS_MAX];
	struct bytes frames[FRAMES + 1];
	struct buf three = {0};
	struct buf shorts = {0};

	(void)state;
	for (int i = 0; i < 3; i++)
		bundle_add(&three, bytes_of(raw, EVENT_BYTES_MAX));
	for (int i = 0; i < SHORT; i++)
		bundle_add(&shorts, bytes_of(raw, 1));
	assert_ok(buf_check(&three));
	assert_ok(buf_check(&shorts));
	for (int i = 0; i < FRAMES; i++)
		frames[i] = buf_bytes(&three);
	frames[FRAMES - 1].size = (size_t)2 * (2 + EVENT_BYTES_MAX);
	frames[FRAMES] = buf_bytes(&shorts);
	assert_ok(bundle_split(frames + 1, FRAMES, 11 + SHORT, events));
	assert_err(bundle_split(frames, FRAMES + 1, 14 + SHORT, events), ERR_LIMIT);
	buf_free(&three);
	buf_free(&shorts);
}

static void an_event_that_does_not_fit_spoils_the_frame(void **state)
{
	static uint8_t event[EVENT_BYTES_MAX + 1];
	struct buf frame = {0};

	(void)state;
	bundle_add(&frame, bytes_of(event, EVENT_BYTES_MAX));
	assert_ok(buf_check(&frame));
	bundle_add(&frame, bytes_of(event, EVENT_BYTES_MAX + 1));
	assert_int_not_equal(buf_check(&frame), ERR_OK);
	buf_free(&frame);
}

static size_t packed_size(const struct bytes *events, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += 2 + (events[i].size ? events[i].size : BUNDLE_LEAF_BYTES);
	return size;
}

static void damaged_headers_and_frames_do_no_harm(void **state)
{
	uint64_t random = test_seed();
	const struct wire_header h = {
		.kind = WIRE_RANGE, .session = 5, .log = log_named("26"), .from = 300, .count = 3};
	struct buf raw = {0};
	struct buf frame = {0};
	struct bytes events[3];

	(void)state;
	assert_ok(wire_encode(&h, &raw));
	bundle_add(&frame, bytes_of_text("one"));
	bundle_add_redacted(&frame, (const uint8_t *)"the leaf hash of number two, 32B");
	bundle_add(&frame, bytes_of_text("three"));
	for (int i = 0; i < 50000; i++) {
		struct wire_header back;
		uint8_t *block = NULL;
		struct bytes bad = damaged(buf_bytes(&raw), &random, &block);

		(void)!wire_decode(bad, &back);
		free(block);
		bad = damaged(buf_bytes(&frame), &random, &block);
		if (bundle_split(&bad, 1, 3, events) == ERR_OK)
			assert_int_equal(packed_size(events, 3), bad.size);
		free(block);
	}
	buf_free(&raw);
	buf_free(&frame);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_header_comes_back_with_its_own_fields),
		cmocka_unit_test(the_bytes_of_a_commit_header_are_these),
		cmocka_unit_test(the_bytes_of_an_offer_and_its_answers_are_these),
		cmocka_unit_test(a_header_of_no_kind_is_not_encoded),
		cmocka_unit_test(odd_headers_are_refused),
		cmocka_unit_test(a_header_full_of_unknown_fields_takes_no_memory),
		cmocka_unit_test(an_unknown_code_is_internal_and_a_text_stays_on_one_line),
		cmocka_unit_test(events_are_split_as_they_were_packed),
		cmocka_unit_test(torn_and_empty_events_are_refused),
		cmocka_unit_test(a_redacted_event_travels_as_its_leaf_hash),
		cmocka_unit_test(a_torn_redacted_event_is_refused),
		cmocka_unit_test(a_commit_over_its_bounds_is_refused),
		cmocka_unit_test(short_events_count_as_the_hash_that_may_stay_of_them),
		cmocka_unit_test(an_event_that_does_not_fit_spoils_the_frame),
		cmocka_unit_test(damaged_headers_and_frames_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
