#include "admin/log/leaf_reader.h"

#include <stdlib.h>
#include <string.h>

#include "model/event.h"

enum err leaf_reader_open(struct leaf_reader *r, struct source *s)
{
	*r = (struct leaf_reader){.source = s};
	r->blocks = calloc(LEAF_BLOCKS_KEPT, sizeof *r->blocks);
	r->run = calloc(1, sizeof *r->run);
	if (r->blocks && r->run)
		return ERR_OK;
	leaf_reader_close(r);
	return ERR_NOMEM;
}

void leaf_reader_close(struct leaf_reader *r)
{
	for (size_t i = 0; r->blocks && i < LEAF_BLOCKS_KEPT; i++)
		buf_free(&r->blocks[i].bytes);
	free(r->blocks);
	free(r->run);
	buf_free(&r->note);
	*r = (struct leaf_reader){0};
}

/* ---- sizes ---- */

enum err leaf_size(struct leaf_reader *r, struct log_name log, bool anew, uint64_t *ret)
{
	struct leaf_log *found = NULL;
	uint64_t size = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i < r->log_count && !found; i++)
		if (log_name_equal(r->logs[i].log, log))
			found = &r->logs[i];
	if (found && !anew) {
		*ret = found->size;
		return ERR_OK;
	}
	if (!found && r->log_count == sizeof r->logs / sizeof *r->logs)
		return ERR_LIMIT;
	buf_clear(&r->note);
	e = r->source->ops->newest(r->source, log, &size, &r->note);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (!found) {
		found = &r->logs[r->log_count++];
		found->log = log;
	}
	found->size = e == ERR_OK ? size : 0;
	*ret = found->size;
	return ERR_OK;
}

/* ---- blocks ---- */

/* The block of these leaves, or the slot to read it into: an empty one, else the one that was
 * not used for longest.  Others go when too much is kept. */
static struct leaf_block *slot_for(struct leaf_reader *r, struct log_name log, uint64_t first)
{
	struct leaf_block *oldest = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < LEAF_BLOCKS_KEPT; i++) {
		struct leaf_block *b = &r->blocks[i];

		if (b->used && b->first == first && log_name_equal(b->log, log))
			return b;
		kept += b->bytes.capacity;
		if (!oldest || b->used < oldest->used)
			oldest = b;
	}
	for (size_t i = 0; kept > LEAF_BYTES_KEPT && i < LEAF_BLOCKS_KEPT; i++) {
		buf_free(&r->blocks[i].bytes);
		r->blocks[i].used = 0;
	}
	buf_clear(&oldest->bytes);
	oldest->log = log;
	oldest->first = first;
	oldest->count = 0;
	oldest->used = 0;
	return oldest;
}

/* Reads on behind what the block holds until leaf `index` is in it; NOT_FOUND at a gap. */
static enum err extend(struct leaf_reader *r, struct leaf_block *b, uint64_t index, uint64_t size)
{
	uint64_t end = size - b->first < LEAF_BLOCK ? size : b->first + LEAF_BLOCK;

	while (b->first + b->count <= index) {
		enum err e =
			r->source->ops->leaves(r->source, b->log, b->first + b->count, end, r->run);

		if (e != ERR_OK)
			return e;
		if (!r->run->count)
			return ERR_NOT_FOUND;
		for (size_t i = 0; i < r->run->count && b->first + b->count < end; i++) {
			buf_add_bytes(&b->bytes, r->run->items[i]);
			b->ends[b->count++] = b->bytes.size;
		}
		e = buf_check(&b->bytes);
		if (e != ERR_OK) {
			b->used = 0;
			return e;
		}
	}
	return ERR_OK;
}

/* A leaf behind a gap, by itself. */
static enum err read_alone(struct leaf_reader *r, struct log_name log, uint64_t index,
			   uint64_t size, struct bytes *ret)
{
	enum err e = r->source->ops->leaves(r->source, log, index, size, r->run);

	if (e == ERR_OK && r->run->count)
		*ret = r->run->items[0];
	return e == ERR_OK && !r->run->count ? ERR_NOT_FOUND : e;
}

enum err leaf_at(struct leaf_reader *r, struct log_name log, uint64_t index, struct bytes *ret)
{
	struct leaf_block *b = NULL;
	uint64_t size = 0;
	size_t place = (size_t)(index % LEAF_BLOCK);
	size_t start = 0;
	enum err e = leaf_size(r, log, false, &size);

	if (e == ERR_OK && index >= size)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK)
		return e;
	b = slot_for(r, log, index - place);
	b->used = ++r->calls;
	if (place >= b->count)
		e = extend(r, b, index, size);
	if (e == ERR_NOT_FOUND && place > b->count)
		return read_alone(r, log, index, size, ret);
	if (e != ERR_OK)
		return e;
	start = place ? b->ends[place - 1] : 0;
	*ret = bytes_of(b->bytes.data + start, b->ends[place] - start);
	return ERR_OK;
}

/* ---- times ---- */

/* When leaf `index` was recorded, or the last one before it whose time is known; 0 when none. */
static enum err time_at(struct leaf_reader *r, struct log_name log, uint64_t index,
			struct wall_ms *ret)
{
	*ret = (struct wall_ms){0};
	for (uint64_t i = index + 1; i > 0; i--) {
		struct bytes leaf = {NULL, 0};
		enum err e = leaf_at(r, log, i - 1, &leaf);

		if (e != ERR_OK && e != ERR_NOT_FOUND)
			return e;
		if (e == ERR_OK && leaf.size && recorded_time(leaf, ret) == ERR_OK)
			return ERR_OK;
	}
	return ERR_OK;
}

enum err leaf_size_at(struct leaf_reader *r, struct log_name log, uint64_t size,
		      struct wall_ms until, uint64_t *ret)
{
	uint64_t low = 0;
	uint64_t high = size;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct wall_ms at;
		enum err e = time_at(r, log, middle, &at);

		if (e != ERR_OK)
			return e;
		if (at.ms <= until.ms)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return ERR_OK;
}
