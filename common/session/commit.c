#include "session/commit.h"

#include <string.h>

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

struct hash commit_leaf(struct bytes event)
{
	struct hash leaf;

	if (event.size > 0)
		return hash_leaf(event);
	memcpy(leaf.b, event.data, sizeof(leaf.b));
	return leaf;
}

/* Other keys: whoever holds the new ones agrees to it by signing the note, too. */
static enum err check_rotation(const struct event *event, const struct vkey *key,
			       struct commit *commit)
{
	struct note note;
	enum err e = card_open(event->document, &commit->next);

	if (e)
		return e == ERR_SIGNATURE ? e : ERR_INVALID;
	if (commit->next.server || strcmp(commit->next.log_key.name, key->name) != 0 ||
	    memcmp(commit->next.log_key.public, key->public, SIGN_PUBLIC_BYTES) == 0)
		return ERR_INVALID;
	e = note_parse(commit->note, &note);
	if (!e)
		e = note_verify(&note, &commit->next.log_key);
	commit->rotates = true;
	return e;
}

static enum err check_act(const struct event *event, uint32_t number, const struct vkey *key,
			  struct commit *commit)
{
	if (event->act == EVENT_CONTINUES) {
		commit->continues = true;
		return commit->from + number == 0 ? ERR_OK : ERR_INVALID;
	}
	if (event->act == EVENT_ROTATES)
		return number + 1 == commit->count ? check_rotation(event, key, commit)
						   : ERR_INVALID;
	return ERR_OK;
}

static enum err check_events(int region, const struct vkey *key, struct arena *arena,
			     struct commit *commit)
{
	enum err e = ERR_OK;

	for (uint32_t i = 0; !e && i < commit->count; i++) {
		struct event event = {.reason = "", .source = ""};

		if (commit->events[i].size == 0) { /* redacted: nothing but the hash is known */
			commit->work += EVENT_WORK_BYTES;
			continue;
		}
		arena_reset(arena);
		e = event_decode(commit->events[i], arena, &event);
		if (!e)
			e = event_check_owner(&event, region);
		if (!e)
			e = check_act(&event, i, key, commit);
		if (!e)
			commit->work += event_work(&event);
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
	struct commit c = {.from = from, .count = count, .note = note, .events = ret->events};
	enum err e = check_bounds(before, from, count, frames, frame_count);

	ret->work = 0;
	if (!e)
		e = bundle_split(frames, frame_count, count, c.events);
	if (!e)
		e = checkpoint_open(note, key, &c.checkpoint);
	if (e)
		return e;
	if (c.checkpoint.size != from + count)
		return ERR_GAP;
	c.after = *before;
	for (uint32_t i = 0; i < count; i++) {
		tree_append(&c.after, commit_leaf(c.events[i]));
		c.redacted += c.events[i].size == 0;
	}
	if (!hash_equal(tree_root(&c.after), c.checkpoint.root))
		return ERR_ROOT;
	if (region != REGION_NONE)
		e = check_events(region, key, arena, &c);
	ret->work = c.work;
	if (!e)
		*ret = c;
	return e;
}
