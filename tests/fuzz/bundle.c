/* Event bundles: frames are split into exactly the events that they were made of; put together
 * again these are the same bytes.  Input: how many events, how many frames, each behind its size.
 */
#include "fuzz.h"

#include "model/wire.h"
#include "session/commit.h"

enum { FRAMES = COMMIT_FRAMES_MAX + 1 };

static void again(const struct bytes *frames, size_t frame_count, const struct bytes *events,
		  uint32_t count)
{
	struct buf out = {.data = NULL};
	struct buf all = {.data = NULL};
	size_t packed = 0;

	for (size_t i = 0; i < frame_count; i++)
		buf_add_bytes(&all, frames[i]);
	for (uint32_t i = 0; i < count; i++) {
		packed += bundle_packed(events[i].size);
		if (events[i].size == 0)
			bundle_add_redacted(&out, events[i].data);
		else
			bundle_add(&out, events[i]);
		(void)commit_leaf(events[i]);
	}
	ALWAYS(bytes_equal(fuzz_done(&out), fuzz_done(&all)));
	ALWAYS(packed <= COMMIT_BYTES_MAX && count <= COMMIT_EVENTS_MAX);
	ALWAYS(commit_frames_size(frames, frame_count) == all.size);
	buf_free(&out);
	buf_free(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bytes events[COMMIT_EVENTS_MAX];
	struct bytes frames[FRAMES];
	struct cursor in = cursor_of(bytes_of(data, size));
	uint32_t count = cursor_u16be(&in);
	size_t frame_count = cursor_u8(&in) % (FRAMES + 1);
	enum err e = ERR_OK;

	for (size_t i = 0; i < frame_count; i++) {
		size_t want = cursor_u16be(&in);

		if (i + 1 == frame_count || want > cursor_left(&in))
			want = cursor_left(&in);
		frames[i] = fuzz_copy(cursor_bytes(&in, want));
	}
	if (count == UINT16_MAX)
		count = UINT32_MAX;
	e = bundle_split(frames, frame_count, count, events);
	ALWAYS(e == ERR_OK || e == ERR_DECODE || e == ERR_LIMIT);
	if (e == ERR_OK)
		again(frames, frame_count, events, count);
	for (size_t i = 0; i < frame_count; i++)
		fuzz_free(frames[i]);
	return 0;
}

void fuzz_seeds(struct seeds *to)
{
	const uint8_t leaf[BUNDLE_LEAF_BYTES] = {1, 2, 3};
	struct buf frame = {.data = NULL};
	struct buf input = {.data = NULL};

	for (unsigned frames = 1; frames <= 3; frames++) {
		char name[32];

		buf_clear(&frame);
		bundle_add(&frame, bytes_of_text("one event"));
		bundle_add_redacted(&frame, leaf);
		bundle_add(&frame, bytes_of_text("x"));
		buf_clear(&input);
		buf_add_u16be(&input, (uint16_t)(3 * frames));
		buf_add_u8(&input, (uint8_t)frames);
		for (unsigned i = 0; i < frames; i++) {
			buf_add_u16be(&input, (uint16_t)frame.size);
			buf_add_bytes(&input, buf_bytes(&frame));
		}
		(void)snprintf(name, sizeof name, "frames-%u", frames);
		seed_add(to, name, fuzz_done(&input));
	}
	buf_free(&frame);
	buf_free(&input);
}
