/* Versions, as a view stores them: what decodes is encoded and decoded to the same, and shown. */
#include "fuzz.h"
#include "json_check.h"
#include "samples.h"

#include "model/json.h"

static void show(const struct version *v)
{
	struct buf out = {.data = NULL};
	struct json j = json_to(&out);

	json_version(&j, v);
	ALWAYS(json_fits(fuzz_done(&out)));
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {.head = NULL};
	struct buf once = {.data = NULL};
	struct buf twice = {.data = NULL};
	struct version v, again;

	if (version_decode(bytes_of(data, size), &arena, &v) == ERR_OK) {
		ALWAYS(v.change.id && strlen(v.change.id) <= ID_BYTES_MAX);
		ALWAYS(version_encode(&v, &arena, &once) == ERR_OK);
		ALWAYS(version_decode(buf_bytes(&once), &arena, &again) == ERR_OK);
		ALWAYS(version_encode(&again, &arena, &twice) == ERR_OK);
		ALWAYS(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
		ALWAYS(v.index == again.index && v.position == again.position &&
		       v.change.kind == again.change.kind &&
		       v.change.retired == again.change.retired);
		ALWAYS(!v.change.record || record_same(v.change.record, again.change.record));
		show(&v);
	}
	buf_free(&once);
	buf_free(&twice);
	arena_free(&arena);
	return 0;
}

void fuzz_seeds(struct seeds *to)
{
	struct arena arena = {.head = NULL};
	struct event e = sample_event(&arena);

	for (size_t i = 0; i < SAMPLE_CHANGES; i++) {
		struct version v = {.position = 300 + i,
				    .log = {"26"},
				    .index = i,
				    .recorded = e.recorded,
				    .editor = "e1",
				    .reason = "r",
				    .source = "s",
				    .change = e.changes[i]};
		struct buf out = {.data = NULL};
		char name[32];

		ALWAYS(version_encode(&v, &arena, &out) == ERR_OK);
		(void)snprintf(name, sizeof name, "kind-%zu", i);
		seed_add(to, name, buf_bytes(&out));
		buf_free(&out);
	}
	arena_free(&arena);
}
