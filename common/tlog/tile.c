#include "tlog/tile.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Tile level L holds the row at height 8 L of the tree. */
static uint64_t row_size(unsigned tile_level, uint64_t size)
{
	return tile_level < TREE_LEVELS_MAX ? size >> (TILE_HEIGHT * tile_level) : 0;
}

unsigned tile_width(struct tile_id id, uint64_t size)
{
	uint64_t row = row_size(id.level, size);

	if (id.number > row / TILE_WIDTH)
		return 0;
	row -= id.number * TILE_WIDTH;
	return row < TILE_WIDTH ? (unsigned)row : TILE_WIDTH;
}

/* The number in groups of three digits, each but the last behind an "x". */
void tile_path(struct tile_id id, unsigned width, char path[static TILE_PATH_BYTES])
{
	unsigned groups[8];
	unsigned count = 0;
	uint64_t rest = id.number;
	int at = 0;

	do {
		groups[count++] = (unsigned)(rest % 1000);
		rest /= 1000;
	} while (rest);
	if (id.level == UINT_MAX)
		at = snprintf(path, TILE_PATH_BYTES, "tile/entries");
	else
		at = snprintf(path, TILE_PATH_BYTES, "tile/%u", id.level);
	while (count-- > 0)
		at += snprintf(path + at, TILE_PATH_BYTES - (size_t)at, count ? "/x%03u" : "/%03u",
			       groups[count]);
	if (width < TILE_WIDTH)
		(void)snprintf(path + at, TILE_PATH_BYTES - (size_t)at, ".p/%u", width);
}

/* The root over 2^height hashes, 0 < height <= 8. */
static struct hash fold(const struct hash *hashes, unsigned height)
{
	struct hash row[TILE_WIDTH / 2];
	size_t width = (size_t)1 << (height - 1);

	for (size_t i = 0; i < width; i++)
		row[i] = hash_node(hashes[2 * i], hashes[2 * i + 1]);
	for (width /= 2; width > 0; width /= 2) {
		for (size_t i = 0; i < width; i++)
			row[i] = hash_node(row[2 * i], row[2 * i + 1]);
	}
	return row[0];
}

/* Copies `count` hashes from position `first` of a stored tile. */
static enum err read_hashes(const struct tile_reader *tiles, struct tile_id id, unsigned first,
			    unsigned count, struct hash *ret)
{
	struct bytes raw = {NULL, 0};
	enum err e = tiles->tile(tiles->context, id, &raw);

	if (e)
		return e;
	if (raw.size > TILE_BYTES || raw.size % HASH_BYTES ||
	    raw.size / HASH_BYTES < (size_t)first + count)
		return ERR_CORRUPT;
	memcpy(ret, raw.data + (size_t)first * HASH_BYTES, (size_t)count * HASH_BYTES);
	return ERR_OK;
}

enum err tile_node(const struct tile_reader *tiles, unsigned level, uint64_t index,
		   struct hash *ret)
{
	struct hash hashes[TILE_WIDTH / 2];
	unsigned height = level % TILE_HEIGHT; /* of the node above its tile's row */
	struct tile_id id = {level / TILE_HEIGHT, 0};
	uint64_t first = index << height;
	enum err e = ERR_OK;

	if (id.level >= TREE_LEVELS_MAX || first >> height != index)
		return ERR_ARGUMENT;
	id.number = first / TILE_WIDTH;
	e = read_hashes(tiles, id, (unsigned)(first % TILE_WIDTH), 1U << height, hashes);
	if (e)
		return e;
	*ret = height ? fold(hashes, height) : hashes[0];
	return ERR_OK;
}

/* ---- the right edge ---- */

void tile_edge_init(struct tile_edge *e)
{
	memset(e, 0, sizeof(*e));
}

enum err tile_edge_load(struct tile_edge *e, const struct tile_reader *tiles, uint64_t size)
{
	struct tile_edge loaded;

	if (size > INT64_MAX)
		return ERR_ARGUMENT;
	tile_edge_init(&loaded);
	loaded.size = size;
	for (unsigned level = 0; level < TREE_LEVELS_MAX; level++) {
		struct tile_id id = {level, 0};
		unsigned width = tile_edge_partial(&loaded, level, &id.number);
		enum err failed = ERR_OK;

		if (width > 0)
			failed = read_hashes(tiles, id, 0, width, loaded.row[level]);
		if (failed)
			return failed;
	}
	*e = loaded;
	return ERR_OK;
}

/* Hashes behind a row's width are scratch, so that until the size grows nothing has changed:
 * a refusal by `full` leaves the edge as it was. */
enum err tile_edge_append(struct tile_edge *e, struct hash leaf, tile_full_fn *full, void *context)
{
	struct hash h = leaf;

	if (e->size >= INT64_MAX)
		return ERR_LIMIT;
	for (unsigned level = 0; level < TREE_LEVELS_MAX; level++) {
		struct tile_id id = {level, 0};
		unsigned width = tile_edge_partial(e, level, &id.number);
		enum err failed = ERR_OK;

		e->row[level][width] = h;
		if (width < TILE_WIDTH - 1)
			break;
		failed = full(context, id, e->row[level]);
		if (failed)
			return failed;
		h = fold(e->row[level], TILE_HEIGHT);
	}
	e->size++;
	return ERR_OK;
}

unsigned tile_edge_partial(const struct tile_edge *e, unsigned level, uint64_t *ret_number)
{
	uint64_t row = row_size(level, e->size);

	*ret_number = row / TILE_WIDTH;
	return (unsigned)(row % TILE_WIDTH);
}
