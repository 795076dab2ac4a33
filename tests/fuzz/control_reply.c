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

/* A histogram of one bucket more than there may be, field 29 of a reply; bounds rise, the last
 * bucket has none. */
static void add_buckets(struct seeds *to)
{
	struct buf buckets = {.data = NULL};
	struct buf b = {.data = NULL};

	for (uint8_t i = 0; i <= HISTOGRAM_BOUNDS_MAX; i++) {
		buf_add(&buckets, "\x12\x02\x08", 3);
		buf_add_u8(&buckets, (uint8_t)(i + 1));
	}
	buf_add(&buckets, "\x12\x00", 2);
	ALWAYS(buckets.size >= 128 && buckets.size < 256); /* a length of two bytes */
	buf_add(&b, "\xea\x01", 2);
	buf_add_u8(&b, (uint8_t)(buckets.size | 0x80));
	buf_add_u8(&b, 1);
	buf_add_bytes(&b, buf_bytes(&buckets));
	seed_add(to, "buckets-too-many", fuzz_done(&b));
	buf_free(&buckets);
	buf_free(&b);
}

void fuzz_seeds(struct seeds *to)
{
	add_buckets(to);
	for (int kind = 0; kind < REPLY_KINDS; kind++) {
		struct buf out = {.data = NULL};
		char name[32];

		sample_reply_encode(kind, &out);
		(void)snprintf(name, sizeof name, "kind-%d", kind);
		seed_add(to, name, buf_bytes(&out));
		buf_free(&out);
	}
}
