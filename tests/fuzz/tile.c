/* Tiles: appending leaf by leaf gives the tiles that the rows of hashes say, from which the tree is
 * had back, its edge loaded and nodes read; damaged tiles are refused, never read past. */
#include "fuzz.h"

#include <limits.h>

#include "tlog/tile.h"

enum { TILES_MAX = 16, SIZE_MAX_HERE = 1100 };

struct kept {
	size_t count;
	struct {
		struct tile_id id;
		size_t size; /* bytes */
		uint8_t data[TILE_BYTES + 64];
	} tiles[TILES_MAX];
};

static enum err keep(struct kept *k, struct tile_id id, const struct hash *hashes, unsigned width)
{
	ALWAYS(k->count < TILES_MAX && width <= TILE_WIDTH);
	k->tiles[k->count].id = id;
	k->tiles[k->count].size = (size_t)width * HASH_BYTES;
	memcpy(k->tiles[k->count].data, hashes, (size_t)width * HASH_BYTES);
	k->count++;
	return ERR_OK;
}

static enum err keep_full(void *context, struct tile_id id, const struct hash *hashes)
{
	return keep(context, id, hashes, TILE_WIDTH);
}

static enum err stored(void *context, struct tile_id id, struct bytes *ret)
{
	struct kept *k = context;
	static struct bytes last;

	fuzz_free(last); /* valid until the next call, and no longer */
	last = bytes_of(NULL, 0);
	for (size_t i = 0; i < k->count; i++) {
		if (k->tiles[i].id.level != id.level || k->tiles[i].id.number != id.number)
			continue;
		last = fuzz_copy(bytes_of(k->tiles[i].data, k->tiles[i].size));
		*ret = last;
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

static enum err node(void *context, unsigned level, uint64_t index, struct hash *ret)
{
	return tile_node(context, level, index, ret);
}

static struct hash leaf_of(uint64_t i)
{
	return hash_leaf(bytes_of(&i, sizeof i));
}

static void damage(struct kept *k, struct cursor *in)
{
	while (fuzz_more(in) && k->count > 0) {
		size_t i = cursor_u8(in) % k->count;
		uint16_t size = cursor_u16be(in) % (TILE_BYTES + 64);

		if (size % 2)
			k->tiles[i].data[size % TILE_BYTES] ^= 1;
		else
			k->tiles[i].size = size;
	}
}

/* Whatever is read from damaged tiles: an answer or a refusal. */
static void read_damaged(const struct tile_reader *tiles, const struct tree_reader *reader,
			 uint64_t size)
{
	static struct tile_edge e;
	struct tree t;
	struct proof p;
	struct hash h;

	fuzz_any(tile_edge_load(&e, tiles, size));
	fuzz_any(tree_at(reader, size, &t));
	fuzz_any(proof_inclusion(reader, size / 2, size, &p));
	fuzz_any(proof_consistency(reader, size / 3, size, &p));
	for (unsigned level = 0; level < 80; level++)
		fuzz_any(tile_node(tiles, level, size >> (level < 64 ? level : 63), &h));
}

static void grow_and_read(uint64_t size, struct cursor *in)
{
	static struct kept k;
	static struct tile_edge e, loaded;
	struct tile_reader tiles = {&k, stored};
	struct tree_reader reader = {&tiles, node};
	struct tree t, back;

	k.count = 0;
	tile_edge_init(&e);
	tree_init(&t);
	for (uint64_t i = 0; i < size; i++) {
		ALWAYS(tile_edge_append(&e, leaf_of(i), keep_full, &k) == ERR_OK);
		tree_append(&t, leaf_of(i));
	}
	for (unsigned level = 0; level < TREE_LEVELS_MAX; level++) {
		struct tile_id id = {level, 0};
		unsigned width = tile_edge_partial(&e, level, &id.number);

		ALWAYS(width == tile_width(id, size));
		if (width > 0)
			ALWAYS(keep(&k, id, e.row[level], width) == ERR_OK);
	}
	ALWAYS(tree_at(&reader, size, &back) == ERR_OK);
	ALWAYS(hash_equal(tree_root(&back), tree_root(&t)));
	ALWAYS(tile_edge_load(&loaded, &tiles, size) == ERR_OK && loaded.size == size);
	for (unsigned level = 0; level < TREE_LEVELS_MAX; level++) {
		uint64_t number = 0;
		unsigned width = tile_edge_partial(&e, level, &number);

		ALWAYS(memcmp(loaded.row[level], e.row[level], width * sizeof(struct hash)) == 0);
	}
	damage(&k, in);
	read_damaged(&tiles, &reader, size);
}

/* Of any number: the path is a text, and widths add up to the row. */
static void paths(struct cursor *in)
{
	struct tile_id id = {cursor_u8(in), cursor_u64be(in)};
	uint64_t size = cursor_u64be(in);
	char path[TILE_PATH_BYTES];
	unsigned width = tile_width(id, size);

	ALWAYS(width <= TILE_WIDTH);
	if (id.number > 0 && width > 0)
		ALWAYS(tile_width((struct tile_id){id.level, id.number - 1}, size) == TILE_WIDTH);
	tile_path(id, width, path);
	ALWAYS(strnlen(path, sizeof path) < sizeof path);
	id.level = UINT_MAX;
	tile_path(id, width, path);
	ALWAYS(strncmp(path, "tile/entries/", 13) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor in = cursor_of(bytes_of(data, size));
	uint16_t what = cursor_u16be(&in);

	if (what % 2)
		paths(&in);
	else
		grow_and_read(what / 2 % SIZE_MAX_HERE, &in);
	return 0;
}

void fuzz_seeds(struct seeds *to)
{
	static const uint16_t sizes[] = {0, 1, 255, 256, 257, 600, 1024, 1099};
	static const uint8_t far[] = {0, 1,    3,   0,   0,   0, 1, 0, 0, 0,
				      5, 0x7f, 255, 255, 255, 0, 0, 0, 9};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint8_t input[5] = {(uint8_t)(sizes[i] >> 7), (uint8_t)(sizes[i] << 1), 1, 0, 64};
		char name[32];

		(void)snprintf(name, sizeof name, "size-%u", sizes[i]);
		seed_add(to, name, bytes_of(input, i % 2 ? 5 : 2));
	}
	seed_add(to, "path", bytes_of(far, sizeof far));
}
