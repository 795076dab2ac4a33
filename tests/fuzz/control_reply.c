/* Replies of the control socket, and the row "status" of a view, which is one: what decodes is
 * encoded and decoded to the same. */
#include "fuzz.h"
#include "replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {.head = NULL};
	struct buf once = {.data = NULL};
	struct buf twice = {.data = NULL};
	struct control_reply r, again;

	if (control_reply_decode(bytes_of(data, size), &arena, &r) == ERR_OK) {
		ALWAYS((unsigned)r.code < ERR_COUNT && r.text && r.role && r.state && r.policy);
		for (size_t i = 0; i < r.histogram_count; i++)
			ALWAYS(r.histograms[i].bound_count <= HISTOGRAM_BOUNDS_MAX);
		ALWAYS(control_reply_encode(&r, &arena, &once) == ERR_OK);
		ALWAYS(control_reply_decode(buf_bytes(&once), &arena, &again) == ERR_OK);
		ALWAYS(control_reply_encode(&again, &arena, &twice) == ERR_OK);
		ALWAYS(bytes_equal(buf_bytes(&once), buf_bytes(&twice)));
		ALWAYS(r.code == again.code && r.version_count == again.version_count &&
		       r.row_count == again.row_count && r.peer_count == again.peer_count &&
		       r.more == again.more && strcmp(r.text, again.text) == 0);
	}
	buf_free(&once);
	buf_free(&twice);
	arena_free(&arena);
	return 0;
}

void fuzz_seeds(struct seeds *to)
{
	for (int kind = 0; kind < REPLY_KINDS; kind++) {
		struct buf out = {.data = NULL};
		char name[32];

		sample_reply_encode(kind, &out);
		(void)snprintf(name, sizeof name, "kind-%d", kind);
		seed_add(to, name, buf_bytes(&out));
		buf_free(&out);
	}
}
