#include "server/bundles.h"

#include "model/wire.h"

enum err bundles_read(struct bundles *b, const struct log *l, struct txn *t, uint64_t from,
		      uint32_t count)
{
	size_t start = 0; /* of the frame being filled */
	struct log_leaves leaves = {.number = 0};
	enum err e = count > COMMIT_EVENTS_MAX ? ERR_LIMIT : ERR_OK;

	*b = (struct bundles){.bytes = {.limit = COMMIT_BYTES_MAX}};
	for (uint32_t i = 0; i < count && e == ERR_OK; i++) {
		struct bytes event = {NULL, 0};
		struct hash leaf;
		size_t size = 0;

		e = log_event_next(l, t, &leaves, from + i, &event);
		size = e == ERR_REDACTED ? BUNDLE_LEAF_BYTES : event.size;
		if (e == ERR_REDACTED)
			e = log_leaf(l, t, from + i, &leaf);
		if (e != ERR_OK)
			break;
		if (b->bytes.size - start + 2 + size > FRAME_BYTES_MAX) {
			if (b->count == COMMIT_FRAMES_MAX - 1)
				e = ERR_LIMIT;
			else
				b->ends[b->count++] = b->bytes.size;
			start = b->bytes.size;
		}
		if (event.size > 0)
			bundle_add(&b->bytes, event);
		else
			bundle_add_redacted(&b->bytes, leaf.b);
	}
	if (e == ERR_OK)
		e = buf_check(&b->bytes);
	if (e != ERR_OK) {
		bundles_free(b);
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	}
	if (b->bytes.size > start)
		b->ends[b->count++] = b->bytes.size;
	return ERR_OK;
}

size_t bundles_frames(const struct bundles *b, struct bytes frames[static COMMIT_FRAMES_MAX])
{
	size_t start = 0;

	for (size_t i = 0; i < b->count; i++) {
		frames[i] = bytes_of(b->bytes.data + start, b->ends[i] - start);
		start = b->ends[i];
	}
	return b->count;
}

void bundles_free(struct bundles *b)
{
	buf_free(&b->bytes);
	b->count = 0;
}
