#include "model/control.h"

#include "model_support.h"

#include <stdio.h>

#include "base/limits.h"

static void a_request_comes_back_as_it_was(void **state)
{
	const struct control_request q = {.verb = CONTROL_QUERY,
					  .draft = bytes_of("a\0b", 3),
					  .dry_run = true,
					  .kind = RECORD_NETWORK,
					  .id = "pl26-net-konwent",
					  .after = "pl26-net-a",
					  .limit = 50,
					  .at = 12,
					  .history = true,
					  .before_index = UINT64_C(1) << 40,
					  .retired = true,
					  .document = bytes_of_text("doc"),
					  .name = "26",
					  .reason = "why",
					  .until = {-1559606400123},
					  .table = "tiles",
					  .after_key = bytes_of("\0k", 2),
					  .reverse = true,
					  .index = UINT64_MAX,
					  .leaf = bytes_of_text("the leaf hash of number two, 32B"),
					  .size = UINT64_MAX - 1,
					  .key = "splot.example/region/26+0a0b0c0d+AQ==",
					  .after_count = {"networks", "26", "", "all", 0}};
	struct control_request back;
	struct arena arena = {0};
	struct buf raw = {0};

	(void)state;
	assert_ok(control_request_encode(&q, &raw));
	assert_ok(control_request_decode(buf_bytes(&raw), &arena, &back));
	assert_int_equal(back.verb, CONTROL_QUERY);
	assert_true(bytes_equal(back.draft, q.draft));
	assert_true(back.dry_run && back.history && back.retired);
	assert_int_equal(back.kind, RECORD_NETWORK);
	assert_string_equal(back.id, q.id);
	assert_string_equal(back.after, q.after);
	assert_int_equal(back.limit, 50);
	assert_int_equal(back.at, 12);
	assert_true(bytes_equal(back.document, q.document));
	assert_string_equal(back.name, "26");
	assert_string_equal(back.reason, "why");
	assert_true(back.before_index == q.before_index);
	assert_int_equal(back.until.ms, -1559606400123);
	assert_string_equal(back.table, "tiles");
	assert_true(bytes_equal(back.after_key, q.after_key));
	assert_true(back.reverse);
	assert_true(back.index == UINT64_MAX && back.size == UINT64_MAX - 1);
	assert_true(bytes_equal(back.leaf, q.leaf));
	assert_string_equal(back.key, q.key);
	assert_string_equal(back.after_count.metric, "networks");
	assert_string_equal(back.after_count.region, "26");
	assert_string_equal(back.after_count.kind, "");
	assert_string_equal(back.after_count.key, "all");
	buf_free(&raw);
	arena_free(&arena);
}

static void absent_texts_of_a_request_are_empty(void **state)
{
	const struct control_request q = {.verb = CONTROL_STATUS};
	struct control_request back;
	struct arena arena = {0};
	struct buf raw = {0};

	(void)state;
	assert_ok(control_request_encode(&q, &raw));
	assert_ok(control_request_decode(buf_bytes(&raw), &arena, &back));
	assert_string_equal(back.id, "");
	assert_string_equal(back.reason, "");
	assert_int_equal(back.before_index, 0);
	assert_string_equal(back.after_count.metric, "");
	assert_string_equal(back.after_count.key, "");
	assert_int_equal(back.draft.size, 0);
	assert_string_equal(back.table, "");
	assert_string_equal(back.key, "");
	assert_int_equal(back.after_key.size + back.leaf.size, 0);
	assert_int_equal(back.until.ms, 0);
	buf_free(&raw);
	arena_free(&arena);
}

static void odd_requests_are_refused(void **state)
{
	struct control_request q = {.verb = CONTROL_SUMMARY,
				    .after_count = {"networks", "", "", "", 0}};
	struct control_request back;
	struct arena arena = {0};
	struct buf raw = {0};
	static char text[REASON_BYTES_MAX + 2];

	(void)state;
	assert_err(control_request_decode(bytes_of("", 0), &arena, &back), ERR_VERSION);
	put_number(&raw, 1, CONTROL_FOLLOW + 1);
	assert_err(control_request_decode(buf_bytes(&raw), &arena, &back), ERR_VERSION);
	buf_clear(&raw);
	put_number(&raw, 1, CONTROL_QUERY);
	put_number(&raw, 4, 99);
	assert_err(control_request_decode(buf_bytes(&raw), &arena, &back), ERR_DECODE);
	buf_clear(&raw);
	memset(text, 'x', REASON_BYTES_MAX + 1);
	put_number(&raw, 1, CONTROL_WAIVE);
	put_text(&raw, 13, text);
	assert_err(control_request_decode(buf_bytes(&raw), &arena, &back), ERR_LIMIT);
	buf_clear(&raw);
	text[ID_BYTES_MAX + 1] = 0;
	q.after_count.key = text;
	assert_ok(control_request_encode(&q, &raw));
	assert_err(control_request_decode(buf_bytes(&raw), &arena, &back), ERR_LIMIT);
	buf_clear(&raw);
	text[ID_BYTES_MAX] = 0;
	assert_ok(control_request_encode(&q, &raw));
	assert_ok(control_request_decode(buf_bytes(&raw), &arena, &back));
	buf_free(&raw);
	arena_free(&arena);
}

static void every_verb_decodes(void **state)
{
	struct arena arena = {0};
	struct buf raw = {0};

	(void)state;
	for (int verb = CONTROL_EDIT; verb <= CONTROL_FOLLOW; verb++) {
		const struct control_request q = {.verb = (enum control_verb)verb};
		struct control_request back;

		buf_clear(&raw);
		assert_ok(control_request_encode(&q, &raw));
		assert_ok(control_request_decode(buf_bytes(&raw), &arena, &back));
		assert_int_equal(back.verb, verb);
	}
	buf_free(&raw);
	arena_free(&arena);
}

static void over_long_fields_of_a_request_are_refused(void **state)
{
	static uint8_t filler[NOTE_BYTES_MAX + 1];
	static const struct {
		unsigned field;
		size_t max;
		enum err over;
	} rows[] = {
		{11, NOTE_BYTES_MAX, ERR_LIMIT}, /* document */
		{12, ORIGIN_BYTES_MAX, ERR_LIMIT},
		{13, REASON_BYTES_MAX, ERR_LIMIT},
		{17, ID_BYTES_MAX, ERR_LIMIT}, /* table */
		{18, ID_BYTES_MAX, ERR_LIMIT}, /* after_key */
		{21, 32, ERR_DECODE},          /* leaf: a hash or nothing */
		{23, KEY_NAME_BYTES_MAX + 64, ERR_LIMIT},
	};
	struct control_request back;
	struct over over;
	struct arena arena = {0};
	struct buf raw = {0};

	(void)state;
	memset(filler, 'x', sizeof filler);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		buf_clear(&raw);
		put_number(&raw, 1, CONTROL_REDACT);
		put_counted(&raw, rows[i].field, bytes_of(filler, rows[i].max));
		assert_ok(control_request_decode(buf_bytes(&raw), &arena, &back));
		buf_clear(&raw);
		put_number(&raw, 1, CONTROL_REDACT);
		put_counted(&raw, rows[i].field, bytes_of(filler, rows[i].max + 1));
		assert_err(control_request_decode(buf_bytes(&raw), &arena, &back), rows[i].over);
		assert_int_equal(control_request_over(buf_bytes(&raw), &over),
				 rows[i].over == ERR_LIMIT);
		if (rows[i].over == ERR_LIMIT) {
			assert_int_equal(over.bytes, rows[i].max + 1);
			assert_int_equal(over.bytes_max, rows[i].max);
		}
	}
	buf_clear(&raw);
	put_number(&raw, 1, CONTROL_REDACT);
	put_counted(&raw, 21, bytes_of(filler, 31));
	assert_err(control_request_decode(buf_bytes(&raw), &arena, &back), ERR_DECODE);
	buf_free(&raw);
	arena_free(&arena);
}

static void the_part_that_is_too_long_is_named(void **state)
{
	static char filler[REASON_BYTES_MAX + 8];
	struct arena arena = {0};
	struct buf raw = {0};

	(void)state;
	memset(filler, 'x', sizeof filler - 1);
	put_number(&raw, 1, CONTROL_FREEZE);
	put_text(&raw, 13, filler);
	assert_string_equal(control_request_why(buf_bytes(&raw), ERR_LIMIT, &arena),
			    "the reason is 1031 bytes long and may have 1024: shorten it");
	buf_clear(&raw);
	filler[ID_BYTES_MAX + 1] = 0;
	put_number(&raw, 1, CONTROL_QUERY);
	put_text(&raw, 5, filler);
	assert_string_equal(control_request_why(buf_bytes(&raw), ERR_LIMIT, &arena),
			    "the id is 129 bytes long and may have 128: shorten it");
	assert_string_equal(control_request_why(buf_bytes(&raw), ERR_DECODE, &arena),
			    "the request does not decode; use the splotctl of this release");
	buf_free(&raw);
	arena_free(&arena);
}

static void a_reply_comes_back_with_what_the_audit_needs(void **state)
{
	const struct stored_row rows[] = {
		{bytes_of("\0\0\0\0\0\0\0\1", 8), bytes_of("a\0b", 3)},
		{bytes_of("\0\0\0\0\0\0\0\2", 8), bytes_of("", 0)}, /* redacted */
	};
	const struct evidence_row evidence = {
		"26", 4, "centre", bytes_of_text("note\n"), bytes_of_text("other\n"), 5};
	const struct witness_row witnesses[] = {{"26", "w1", 6, 7}, {"24", "w2", 0, 0}};
	const struct control_reply reply = {.rows = rows,
					    .row_count = 2,
					    .evidence = &evidence,
					    .evidence_count = 1,
					    .witnesses = witnesses,
					    .witness_count = 2,
					    .key = "k",
					    .cosigned = bytes_of_text("cosigned\n"),
					    .quorum = true,
					    .policy = "quorum any",
					    .verified = "{}"};
	struct control_reply back;
	struct arena arena = {0};
	struct buf raw = {0};

	(void)state;
	assert_ok(control_reply_encode(&reply, &arena, &raw));
	assert_ok(control_reply_decode(buf_bytes(&raw), &arena, &back));
	assert_int_equal(back.row_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(bytes_equal(back.rows[i].key, rows[i].key));
		assert_true(bytes_equal(back.rows[i].value, rows[i].value));
	}
	assert_int_equal(back.evidence_count, 1);
	assert_string_equal(back.evidence[0].log, "26");
	assert_string_equal(back.evidence[0].server, "centre");
	assert_true(back.evidence[0].index == 4 && back.evidence[0].at_ms == 5);
	assert_true(bytes_equal(back.evidence[0].note, evidence.note));
	assert_true(bytes_equal(back.evidence[0].other, evidence.other));
	assert_int_equal(back.witness_count, 2);
	assert_string_equal(back.witnesses[0].key, "w1");
	assert_true(back.witnesses[0].size == 6 && back.witnesses[0].at_ms == 7);
	assert_string_equal(back.witnesses[1].log, "24");
	assert_string_equal(back.key, "k");
	assert_true(bytes_equal(back.cosigned, reply.cosigned));
	assert_true(back.quorum);
	assert_string_equal(back.policy, "quorum any");
	assert_string_equal(back.verified, "{}");
	buf_free(&raw);
	arena_free(&arena);
}

static void a_reply_comes_back_with_all_its_rows(void **state)
{
	struct arena arena = {0};
	struct record *r = make_record(&arena, RECORD_OPERATOR, "id", "pl26-op-pestka", "name",
				       "Fundacja Pestka", NULL);
	const struct problem problem = {3, "name", "…", "personal-data", "po polsku", "in English"};
	struct version version = {
		.position = 4,
		.index = 2,
		.editor = "e07",
		.change = {.id = "pl26-op-pestka", .kind = RECORD_OPERATOR, .record = r}};
	const struct count_row counts[] = {{"entities", "26", "KIS", "", 9},
					   {"x", "", "", "k", -1}};
	const struct peer_row peer = {"centre", "live", 7, 8, 9, 10, "note", bytes_of_text("n\n")};
	const struct refusal_row refusal = {"26", "gap", 5};
	const struct trust_row trust = {"26", "enrolled", "k1", "k2", "k3", 11};
	const struct control_reply reply = {.code = ERR_CONFLICT,
					    .text = "changed",
					    .index = 1,
					    .size = 2,
					    .position = 3,
					    .problems = &problem,
					    .problem_count = 1,
					    .versions = &version,
					    .version_count = 1,
					    .more = true,
					    .counts = counts,
					    .count_count = 2,
					    .role = "node",
					    .identity = "26",
					    .realm = "splot.example",
					    .state = "open",
					    .note = "n",
					    .started_ms = 99,
					    .peers = &peer,
					    .peer_count = 1,
					    .refusals = &refusal,
					    .refusal_count = 1,
					    .trust = &trust,
					    .trust_count = 1};
	struct control_reply back;
	struct buf raw = {0};

	(void)state;
	assert_ok(log_name_parse(bytes_of_text("26"), &version.log));
	assert_ok(control_reply_encode(&reply, &arena, &raw));
	assert_ok(control_reply_decode(buf_bytes(&raw), &arena, &back));
	assert_int_equal(back.code, ERR_CONFLICT);
	assert_string_equal(back.text, "changed");
	assert_true(back.index == 1 && back.size == 2 && back.position == 3 && back.more);
	assert_true(back.problem_count == 1 && back.version_count == 1 && back.count_count == 2 &&
		    back.peer_count == 1 && back.refusal_count == 1 && back.trust_count == 1);
	assert_int_equal(back.problems[0].row, 3);
	assert_string_equal(back.problems[0].value, "…");
	assert_string_equal(back.problems[0].text_en, "in English");
	assert_string_equal(back.versions[0].change.id, "pl26-op-pestka");
	assert_true(record_same(back.versions[0].change.record, r));
	assert_string_equal(back.counts[0].metric, "entities");
	assert_int_equal(back.counts[1].value, -1);
	assert_string_equal(back.peers[0].state, "live");
	assert_int_equal(back.peers[0].last_commit_ms, 10);
	assert_true(bytes_equal(back.peers[0].checkpoint, peer.checkpoint));
	assert_string_equal(back.refusals[0].code, "gap");
	assert_string_equal(back.trust[0].curve_key, "k3");
	assert_string_equal(back.identity, "26");
	assert_int_equal(back.started_ms, 99);
	buf_free(&raw);
	arena_free(&arena);
}

static void what_was_witnessed_comes_back_exactly(void **state)
{
	const struct witnessed_row rows[] = {
		{"centrum", "a/national/centrum", bytes_of_text("first\n"), false},
		{"centrum", "a/national/centrum/2", bytes_of_text("second\n"), true},
	};
	const struct control_reply reply = {.witnessed = rows, .witnessed_count = 2};
	struct control_reply back;
	struct arena arena = {0};
	struct buf raw = {0};

	(void)state;
	assert_ok(control_reply_encode(&reply, &arena, &raw));
	assert_ok(control_reply_decode(buf_bytes(&raw), &arena, &back));
	assert_int_equal(back.witnessed_count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(back.witnessed[i].server, rows[i].server);
		assert_string_equal(back.witnessed[i].origin, rows[i].origin);
		assert_true(bytes_equal(back.witnessed[i].note, rows[i].note));
		assert_int_equal(back.witnessed[i].followed, rows[i].followed);
	}
	buf_free(&raw);
	arena_free(&arena);
}

static void histograms_come_back_with_every_bucket(void **state)
{
	static struct histogram_row rows[2];
	const struct control_reply reply = {.histograms = rows,
					    .histogram_count = 2,
					    .written_ms = 12,
					    .interval_ms = 13,
					    .checkpoint = bytes_of_text("signed")};
	struct control_reply back;
	struct arena arena = {0};
	struct buf raw = {0};

	(void)state;
	rows[0] = (struct histogram_row){.name = "store", .sum_us = 99};
	rows[0].counts[0] = 3; /* no bound at all */
	rows[1] = (struct histogram_row){.name = "wide", .bound_count = HISTOGRAM_BOUNDS_MAX};
	for (uint64_t i = 0; i < HISTOGRAM_BOUNDS_MAX; i++) {
		rows[1].bounds_us[i] = UINT64_C(1) << (i + 20);
		rows[1].counts[i] = i;
	}
	rows[1].counts[HISTOGRAM_BOUNDS_MAX] = UINT64_MAX;
	assert_ok(control_reply_encode(&reply, &arena, &raw));
	assert_ok(control_reply_decode(buf_bytes(&raw), &arena, &back));
	assert_true(back.written_ms == 12 && back.interval_ms == 13);
	assert_true(bytes_equal(back.checkpoint, reply.checkpoint));
	assert_int_equal(back.histogram_count, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct histogram_row *h = &back.histograms[i];

		assert_string_equal(h->name, rows[i].name);
		assert_int_equal(h->sum_us, rows[i].sum_us);
		assert_int_equal(h->bound_count, rows[i].bound_count);
		assert_memory_equal(h->bounds_us, rows[i].bounds_us, sizeof h->bounds_us);
		assert_memory_equal(h->counts, rows[i].counts, sizeof h->counts);
	}
	buf_free(&raw);
	arena_free(&arena);
}

static void histograms_whose_bounds_do_not_rise_are_refused(void **state)
{
	static const uint64_t odd[][3] = {{5, 5, 0}, {5, 4, 0}, {0, 4, 0}};
	struct histogram_row row = {.name = "store", .bound_count = 2};
	const struct control_reply reply = {.histograms = &row, .histogram_count = 1};
	struct control_reply back;
	struct arena arena = {0};
	struct buf raw = {0};

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		memcpy(row.bounds_us, odd[i], sizeof odd[i]);
		buf_clear(&raw);
		assert_ok(control_reply_encode(&reply, &arena, &raw));
		assert_err(control_reply_decode(buf_bytes(&raw), &arena, &back), ERR_DECODE);
	}
	/* a histogram without buckets */
	assert_err(control_reply_decode(bytes_of("\xea\x01\x00", 3), &arena, &back), ERR_DECODE);
	buf_free(&raw);
	arena_free(&arena);
}

static void a_reply_over_its_bound_is_not_encoded(void **state)
{
	struct arena arena = {0};
	struct buf raw = {0};
	static struct problem problems[1200];
	static char text[256];
	struct control_reply reply = {.problems = problems, .problem_count = 1200};

	(void)state;
	memset(text, 'x', sizeof text - 1);
	for (size_t i = 0; i < 1200; i++)
		problems[i] = (struct problem){i, "", "", "", text, ""};
	assert_err(control_reply_encode(&reply, &arena, &raw), ERR_LIMIT);
	assert_int_equal(raw.size, 0);
	buf_free(&raw);
	arena_free(&arena);
}

static void damaged_replies_do_no_harm(void **state)
{
	uint64_t random = test_seed();
	struct arena arena = {0};
	struct arena other = {0};
	struct record *r = make_record(&arena, RECORD_OPERATOR, "id", "pl26-op-pestka", NULL);
	const struct problem problem = {3, "name", "", "bad-date", "po polsku", "in English"};
	struct version version = {
		.change = {.id = "pl26-op-pestka", .kind = RECORD_OPERATOR, .record = r}};
	const struct count_row counts[] = {{"entities", "26", "KIS", "", 9}};
	const struct stored_row stored = {bytes_of("k", 1), bytes_of("value", 5)};
	const struct evidence_row evidence = {"26", 4, "", bytes_of("n", 1), bytes_of("o", 1), 5};
	const struct witness_row witness = {"26", "w1", 6, 7};
	const struct histogram_row histogram = {"store", 1, {100}, {1, 2}, 3};
	const struct control_reply reply = {.rows = &stored,
					    .row_count = 1,
					    .histograms = &histogram,
					    .histogram_count = 1,
					    .evidence = &evidence,
					    .evidence_count = 1,
					    .witnesses = &witness,
					    .witness_count = 1,
					    .problems = &problem,
					    .problem_count = 1,
					    .versions = &version,
					    .version_count = 1,
					    .counts = counts,
					    .count_count = 1,
					    .role = "node"};
	struct buf raw = {0};

	(void)state;
	assert_ok(log_name_parse(bytes_of_text("26"), &version.log));
	assert_ok(control_reply_encode(&reply, &arena, &raw));
	for (int i = 0; i < 10000; i++) {
		struct control_reply back;
		struct control_request request;
		uint8_t *block = NULL;
		struct bytes bad = damaged(buf_bytes(&raw), &random, &block);

		arena_reset(&other);
		(void)!control_reply_decode(bad, &other, &back);
		(void)!control_request_decode(bad, &other, &request);
		free(block);
	}
	buf_free(&raw);
	arena_free(&other);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_comes_back_as_it_was),
		cmocka_unit_test(absent_texts_of_a_request_are_empty),
		cmocka_unit_test(odd_requests_are_refused),
		cmocka_unit_test(every_verb_decodes),
		cmocka_unit_test(over_long_fields_of_a_request_are_refused),
		cmocka_unit_test(the_part_that_is_too_long_is_named),
		cmocka_unit_test(a_reply_comes_back_with_what_the_audit_needs),
		cmocka_unit_test(a_reply_comes_back_with_all_its_rows),
		cmocka_unit_test(what_was_witnessed_comes_back_exactly),
		cmocka_unit_test(histograms_come_back_with_every_bucket),
		cmocka_unit_test(histograms_whose_bounds_do_not_rise_are_refused),
		cmocka_unit_test(a_reply_over_its_bound_is_not_encoded),
		cmocka_unit_test(damaged_replies_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
