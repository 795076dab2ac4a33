/* Entries of the national log: what decodes is encoded and decoded to the same. */
#include "fuzz.h"

#include "model/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {.head = NULL};
	struct buf once = {.data = NULL};
	struct buf twice = {.data = NULL};
	struct national_entry n, again;
	struct wall_ms at = {0};
	enum err e = national_decode(bytes_of(data, size), &arena, &n);

	if (e == ERR_OK && n.kind != NATIONAL_NONE) {
		ALWAYS(n.act && n.by && n.reason && size <= EVENT_BYTES_MAX);
		ALWAYS(recorded_time(bytes_of(data, size), &at) == ERR_OK &&
		       at.ms == n.recorded.ms);
		ALWAYS(national_encode(&n, &once) == ERR_OK);
		ALWAYS(national_decode(buf_bytes(&once), &arena, &again) == ERR_OK);
		ALWAYS(national_encode(&again, &twice) == ERR_OK);
		ALWAYS(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
		ALWAYS(n.kind == again.kind && log_name_equal(n.log, again.log) &&
		       n.size == again.size && n.from == again.from && n.index == again.index &&
		       bytes_equal(n.checkpoint, again.checkpoint) &&
		       bytes_equal(n.document, again.document) && bytes_equal(n.leaf, again.leaf) &&
		       strcmp(n.act, again.act) == 0 && strcmp(n.reason, again.reason) == 0);
	} else if (e == ERR_OK) {
		ALWAYS(national_encode(&n, &once) == ERR_ARGUMENT);
	}
	buf_free(&once);
	buf_free(&twice);
	arena_free(&arena);
	return 0;
}

void fuzz_seeds(struct seeds *to)
{
	static const char *const acts[] = {"enrol", "freeze", "redact", "rotate", "continues", ""};
	struct national_entry accepted = {.recorded = {1764000000000},
					  .kind = NATIONAL_ACCEPTED,
					  .log = {"26"},
					  .from = 3,
					  .size = 9,
					  .checkpoint = bytes_of_text("note")};
	struct buf out = {.data = NULL};
	struct arena arena = {.head = NULL};
	struct national_entry back;

	ALWAYS(national_encode(&accepted, &out) == ERR_OK);
	seed_add(to, "accepted", buf_bytes(&out));
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
		struct national_entry act = {.recorded = {1764000000000},
					     .kind = NATIONAL_ACT,
					     .log = {"26/2"},
					     .act = acts[i],
					     .by = "a01",
					     .reason = "why",
					     .document = bytes_of_text("one"),
					     .other = bytes_of_text("two"),
					     .index = 5,
					     .size = 7,
					     .leaf = bytes_of_text("leaf")};
		char name[32];

		buf_clear(&out);
		ALWAYS(national_encode(&act, &out) == ERR_OK);
		ALWAYS(national_decode(buf_bytes(&out), &arena, &back) == ERR_OK);
		ALWAYS(back.index == act.index && back.size == act.size &&
		       bytes_equal(back.document, act.document) &&
		       bytes_equal(back.other, act.other) && bytes_equal(back.leaf, act.leaf));
		(void)snprintf(name, sizeof name, "act-%zu", i);
		seed_add(to, name, buf_bytes(&out));
	}
	buf_free(&out);
	arena_free(&arena);
}
