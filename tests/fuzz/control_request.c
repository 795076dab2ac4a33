/* Requests of the control socket: what decodes is encoded and decoded to the same, and drafts
 * inside are events. */
#include "fuzz.h"
#include "samples.h"

#include "model/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {.head = NULL};
	struct buf once = {.data = NULL};
	struct buf twice = {.data = NULL};
	struct control_request q, again;
	struct event e;

	if (control_request_decode(bytes_of(data, size), &arena, &q) == ERR_OK) {
		ALWAYS(q.verb > CONTROL_NONE && q.id && q.after && q.name && q.reason && q.table &&
		       q.key);
		ALWAYS(strlen(q.id) <= ID_BYTES_MAX && strlen(q.reason) <= REASON_BYTES_MAX);
		ALWAYS(q.leaf.size == 0 || q.leaf.size == 32);
		ALWAYS(control_request_encode(&q, &once) == ERR_OK);
		ALWAYS(control_request_decode(buf_bytes(&once), &arena, &again) == ERR_OK);
		ALWAYS(control_request_encode(&again, &twice) == ERR_OK);
		ALWAYS(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
		ALWAYS(q.verb == again.verb && q.kind == again.kind && q.at == again.at &&
		       q.until.ms == again.until.ms && strcmp(q.name, again.name) == 0 &&
		       bytes_equal(q.draft, again.draft) && q.limit == again.limit);
		fuzz_any(event_decode(q.draft, &arena, &e));
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
	struct buf draft = {.data = NULL};
	struct control_request q = {.dry_run = true,
				    .kind = RECORD_ENTITY,
				    .id = "pl26-cis-a",
				    .after = "pl26-cis-0",
				    .limit = 10,
				    .at = 77,
				    .until = {1764000000000},
				    .history = true,
				    .before_index = 3,
				    .retired = true,
				    .document = bytes_of_text("note"),
				    .name = "26",
				    .reason = "why",
				    .table = "events",
				    .after_key = bytes_of_text("key"),
				    .reverse = true,
				    .index = 5,
				    .leaf = bytes_of_text("0123456789abcdef0123456789abcdef"),
				    .size = 9,
				    .key = "k",
				    .after_count = {"m", "26", "CIS", "x", 0}};

	ALWAYS(event_encode(&e, &arena, &draft) == ERR_OK);
	q.draft = buf_bytes(&draft);
	for (int verb = CONTROL_EDIT; verb <= CONTROL_CONTINUE; verb++) {
		struct control_request plain = {.verb = (enum control_verb)verb,
						.id = "",
						.after = "",
						.name = "26",
						.reason = "",
						.table = "",
						.key = ""};
		struct buf out = {.data = NULL};
		char name[32];

		(void)snprintf(name, sizeof name, "verb-%d", verb);
		ALWAYS(control_request_encode(&plain, &out) == ERR_OK);
		seed_add(to, name, buf_bytes(&out));
		buf_free(&out);
	}
	for (int verb = CONTROL_EDIT; verb <= CONTROL_QUERY; verb++) {
		struct buf out = {.data = NULL};

		q.verb = (enum control_verb)verb;
		ALWAYS(control_request_encode(&q, &out) == ERR_OK);
		seed_add(to, verb == CONTROL_EDIT ? "full-edit" : "full-query", buf_bytes(&out));
		buf_free(&out);
	}
	buf_free(&draft);
	arena_free(&arena);
}
