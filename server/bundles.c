#include "server/bundles.h"

#include "model/wire.h"

enum err bundles_read(struct bundles *b, const struct log *l, struct txn *t, uint64_t from,
		      uint32_t count)
{
	size_t start = 0; /* of the frame being filled */
	enum err e = count > COMMIT_EVENTS_MAX ? ERR_LIMIT : ERR_OK;

	*b = (struct bundles){.bytes = {.limit = COMMIT_BYTES_MAX}};
	for (uint32_t i = 0; i < count && e == ERR_OK; i++) {
		struct bytes event = {NULL, 0};

		e = log_event(l, t, from + i, &event);
		if (e != ERR_OK)
			break;
		if (b->bytes.size - start + 2 + event.size > FRAME_BYTES_MAX) {
			if (b->count == COMMIT_FRAMES_MAX - 1)
				e = ERR_LIMIT;
			else
				b->ends[b->count++] = b->bytes.size;
			start = b->bytes.size;
		}
		bundle_add(&b->bytes, event);
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
