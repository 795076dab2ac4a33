#include "session/commit.h"

/* The cheap checks, before any byte of the events is looked at. */
static enum err check_bounds(const struct tree *before, uint64_t from, uint32_t count,
			     const struct bytes *frames, size_t frame_count)
{
	size_t total = 0;

	if (from != before->size)
		return from > before->size ? ERR_GAP : ERR_OLD;
	if (count == 0 || frame_count == 0)
		return ERR_DECODE;
	if (count > COMMIT_EVENTS_MAX || frame_count > COMMIT_FRAMES_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < frame_count; i++) {
		if (frames[i].size > FRAME_BYTES_MAX || size_add(total, frames[i].size, &total))
			return ERR_LIMIT;
	}
	return total > COMMIT_BYTES_MAX ? ERR_LIMIT : ERR_OK;
}

static enum err check_events(const struct bytes *events, uint32_t count, int region,
			     struct arena *arena)
{
	enum err e = ERR_OK;

	for (uint32_t i = 0; !e && i < count; i++) {
		struct event event = {0};

		arena_reset(arena);
		e = event_decode(events[i], arena, &event);
		if (!e)
			e = event_check_owner(&event, region);
	}
	arena_reset(arena);
	return e;
}

uint64_t commit_frames_size(const struct bytes *frames, size_t frame_count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < frame_count; i++)
		total += frames[i].size;
	return total;
}

enum err commit_check(const struct tree *before, uint64_t from, uint32_t count, struct bytes note,
		      const struct bytes *frames, size_t frame_count, const struct vkey *key,
		      int region, struct arena *arena, struct commit *ret)
{
	struct checkpoint checkpoint;
	struct tree after = *before;
	enum err e = check_bounds(before, from, count, frames, frame_count);

	if (!e)
		e = bundle_split(frames, frame_count, count, ret->events);
	if (!e)
		e = checkpoint_open(note, key, &checkpoint);
	if (e)
		return e;
	if (checkpoint.size != from + count)
		return ERR_GAP;
	for (uint32_t i = 0; i < count; i++)
		tree_append(&after, hash_leaf(ret->events[i]));
	if (!hash_equal(tree_root(&after), checkpoint.root))
		return ERR_ROOT;
	if (region != REGION_NONE)
		e = check_events(ret->events, count, region, arena);
	if (e)
		return e;
	ret->from = from;
	ret->count = count;
	ret->note = note;
	ret->checkpoint = checkpoint;
	ret->after = after;
	return ERR_OK;
}
