#include "model/wire.h"

void bundle_add(struct buf *frame, struct bytes event)
{
	if (event.size == 0 || event.size > EVENT_BYTES_MAX) {
		frame->failed = true; /* its length does not fit: buf_check() tells */
		return;
	}
	buf_add_u16be(frame, (uint16_t)event.size);
	buf_add_bytes(frame, event);
}

void bundle_add_redacted(struct buf *frame, const uint8_t leaf[static BUNDLE_LEAF_BYTES])
{
	buf_add_u16be(frame, 0);
	buf_add(frame, leaf, BUNDLE_LEAF_BYTES);
}

/* The next event; of a redacted one the place of its leaf hash. */
static struct bytes next_event(struct cursor *c)
{
	uint16_t size = cursor_u16be(c);

	if (size > 0)
		return cursor_bytes(c, size);
	return bytes_of(cursor_bytes(c, BUNDLE_LEAF_BYTES).data, 0);
}

static enum err check_bounds(const struct bytes *frames, size_t frame_count, uint32_t count)
{
	size_t total = 0;

	if (count > COMMIT_EVENTS_MAX || frame_count > COMMIT_FRAMES_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < frame_count; i++) {
		if (frames[i].size > FRAME_BYTES_MAX)
			return ERR_LIMIT;
		total += frames[i].size; /* at most 8 frames of 256 KiB */
	}
	return total > COMMIT_BYTES_MAX ? ERR_LIMIT : ERR_OK;
}

enum err bundle_split(const struct bytes *frames, size_t frame_count, uint32_t count,
		      struct bytes *ret_events)
{
	uint32_t found = 0;
	size_t total = 0;
	enum err err = check_bounds(frames, frame_count, count);

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < frame_count; i++) {
		struct cursor c = cursor_of(frames[i]);

		if (cursor_left(&c) == 0)
			return ERR_DECODE;
		while (cursor_left(&c) > 0) {
			struct bytes event = next_event(&c);

			if (c.err != ERR_OK || found == count)
				return ERR_DECODE;
			ret_events[found++] = event;
			total += bundle_packed(event.size); /* of at most COMMIT_EVENTS_MAX */
		}
	}
	if (found != count)
		return ERR_DECODE;
	return total > COMMIT_BYTES_MAX ? ERR_LIMIT : ERR_OK;
}
