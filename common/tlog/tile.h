/* tlog-tiles v0.1.0: height-8 tiles.  Tile (L, N) holds up to 256 hashes: those of the
 * perfect subtrees of 2^(8 L) leaves numbered N * 256 … N * 256 + 255.
 *
 * Layer: tlog. */
#ifndef SPLOT_TLOG_TILE_H
#define SPLOT_TLOG_TILE_H

#include "tlog/tree.h"

enum {
	TILE_HEIGHT = 8,
	TILE_WIDTH = 256,
	TILE_BYTES = TILE_WIDTH * HASH_BYTES,
	TILE_PATH_BYTES = 64
};

struct tile_id {
	unsigned level;
	uint64_t number;
};

/* How many hashes tile `id` has when the log has `size` leaves (0..256). */
unsigned tile_width(struct tile_id id, uint64_t size);

/* "tile/0/x001/x234/067", with ".p/5" when width < 256; level UINT_MAX names an entry
 * bundle ("tile/entries/…"). */
void tile_path(struct tile_id id, unsigned width, char path[static TILE_PATH_BYTES]);

/* Gives a stored tile's hashes (full or partial); `ret_hashes` stays valid until the next call. */
struct tile_reader {
	void *context;
	MUST_USE enum err (*tile)(void *context, struct tile_id id, struct bytes *ret_hashes);
};

/* A tree_reader over tiles: one node hash, computed from the tile that holds its row.
 * CORRUPT when a tile is shorter than the node needs. */
MUST_USE enum err tile_node(const struct tile_reader *tiles, unsigned level, uint64_t index,
			    struct hash *ret);

/* Appending with tiles: the right-edge tile of each level, filled in memory. */
struct tile_edge {
	uint64_t size;                                /* leaves appended */
	struct hash row[TREE_LEVELS_MAX][TILE_WIDTH]; /* the last, incomplete tile of each level */
};

/* Called for each tile that became full. */
typedef MUST_USE enum err tile_full_fn(void *context, struct tile_id id, const struct hash *hashes);

void tile_edge_init(struct tile_edge *e);
/* Loads the edge of a log of `size` leaves from its stored tiles. */
MUST_USE enum err tile_edge_load(struct tile_edge *e, const struct tile_reader *tiles,
				 uint64_t size);
MUST_USE enum err tile_edge_append(struct tile_edge *e, struct hash leaf, tile_full_fn *full,
				   void *context);
/* The incomplete tile of a level: its number and how many hashes (0: none to store). */
unsigned tile_edge_partial(const struct tile_edge *e, unsigned level, uint64_t *ret_number);

#endif
