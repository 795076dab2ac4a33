#include "admin.h"

#include "admin/draft.h"
#include "base/limits.h"

/* Packs drafts of records with notes of that size; every event must really fit. */
static size_t pack(size_t count, size_t note_size, size_t *ret_events)
{
	struct arena arena = {0};
	struct arena scratch = {0};
	struct change *changes = calloc(count, sizeof *changes);
	char *note = calloc(1, note_size + 1);
	struct draft d = {"reason", "source", changes, count};
	size_t packed = 0;

	assert_true(changes && note);
	memset(note, 'n', note_size);
	for (size_t i = 0; i < count; i++) {
		struct record *r = record_new(&arena, RECORD_OPERATOR);
		char id[32];

		(void)snprintf(id, sizeof id, "pl26-op-o%zu", i);
		assert_non_null(r);
		assert_ok(record_set(r, &arena, 0, T(id)));
		assert_ok(record_set(
			r, &arena, (size_t)field_named(kind_of(RECORD_OPERATOR), "note"), T(note)));
		changes[i] = (struct change){
			.id = record_get(r, 0), .kind = RECORD_OPERATOR, .record = r};
	}
	*ret_events = 0;
	while (packed < count) {
		size_t end = draft_event_end(&d, packed, &scratch);
		struct event e = {.editor = "an-editor-of-the-longest-name-xx",
				  .recorded = {INT64_MAX},
				  .reason = d.reason,
				  .source = d.source,
				  .change_count = end - packed,
				  .changes = changes + packed};
		struct buf raw = {0};

		if (end == packed)
			break;
		assert_ok(event_encode(&e, &scratch, &raw));
		assert_true(raw.size <= EVENT_BYTES_MAX);
		buf_free(&raw);
		packed = end;
		++*ret_events;
	}
	free(changes);
	free(note);
	arena_free(&arena);
	arena_free(&scratch);
	return packed;
}

static void events_are_filled_but_never_over_their_bounds(void **state)
{
	size_t events = 0;

	(void)state;
	assert_int_equal(pack(500, 1000, &events), 500);
	assert_in_range(events, 8, 9); /* 500 KB in events of 64 KiB */
	assert_int_equal(pack(2500, 0, &events), 2500);
	assert_int_equal(events, 3); /* 1,024 changes each */
	assert_int_equal(pack(16, FIELD_BYTES_MAX, &events), 16);
	assert_in_range(events, 3, 4);
	assert_int_equal(pack(0, 0, &events), 0);
	assert_int_equal(events, 0);
}

static void a_record_that_fits_no_event_is_told(void **state)
{
	struct arena arena = {0};
	struct arena scratch = {0};
	struct record *r = record_new(&arena, RECORD_ENTITY);
	const struct change change = {.id = "pl26-kis-x", .kind = RECORD_ENTITY, .record = r};
	const struct draft d = {"reason", "source", &change, 1};
	char text[FIELD_BYTES_MAX + 1];

	(void)state;
	assert_non_null(r);
	memset(text, 'x', FIELD_BYTES_MAX);
	text[FIELD_BYTES_MAX] = '\0';
	for (size_t f = 0; f < 9; f++)
		assert_ok(record_set(r, &arena, f, T(text)));
	assert_int_equal(draft_event_end(&d, 0, &scratch), 0);
	arena_free(&arena);
	arena_free(&scratch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_filled_but_never_over_their_bounds),
		cmocka_unit_test(a_record_that_fits_no_event_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
