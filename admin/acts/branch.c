#include "admin/acts/branch.h"

#include <string.h>

#include "base/limits.h"

struct pair {
	struct source *sides[2];
	struct buf tiles[2]; /* owned */
	struct log_name log;
	const struct source *failed; /* that could not be read */
};

static enum err read_tiles(struct pair *p, struct tile_id id, unsigned width)
{
	for (size_t i = 0; i < 2; i++) {
		struct source *s = p->sides[i];
		enum err e = ERR_OK;

		buf_clear(&p->tiles[i]);
		e = s->ops->tile(s, p->log, id, width, &p->tiles[i]);
		if (e == ERR_OK && p->tiles[i].size / HASH_BYTES < width)
			e = ERR_CORRUPT;
		if (e != ERR_OK) {
			p->failed = s;
			return e == ERR_NOT_FOUND ? ERR_CORRUPT : e; /* the size says it is there */
		}
	}
	return ERR_OK;
}

/* The first of a level's hashes [from, end) that differs; `end` when none does. */
static enum err first_difference(struct pair *p, unsigned level, uint64_t from, uint64_t end,
				 uint64_t *ret)
{
	while (from < end) {
		const struct tile_id id = {level, from / TILE_WIDTH};
		uint64_t first = id.number * TILE_WIDTH;
		unsigned width = end - first < TILE_WIDTH ? (unsigned)(end - first) : TILE_WIDTH;
		enum err e = read_tiles(p, id, width);

		if (e != ERR_OK)
			return e;
		for (; from < first + width; from++) {
			size_t at = (size_t)(from - first) * HASH_BYTES;

			if (memcmp(p->tiles[0].data + at, p->tiles[1].data + at, HASH_BYTES) != 0) {
				*ret = from;
				return ERR_OK;
			}
		}
	}
	*ret = end;
	return ERR_OK;
}

enum err branch_fork(struct source *a, struct source *b, struct log_name log, uint64_t common,
		     uint64_t *ret, const struct source **ret_at)
{
	struct pair p = {.sides = {a, b}, .log = log};
	uint64_t same = 0; /* leading leaves known to be the same */
	enum err e = ERR_OK;

	/* From the hashes of the most leaves down: each level is gone through where the one
	 * above differs, or behind it. */
	for (unsigned level = TREE_LEVELS_MAX; level-- > 0 && e == ERR_OK;) {
		unsigned shift = level * TILE_HEIGHT;
		uint64_t found = 0;

		e = first_difference(&p, level, same >> shift, common >> shift, &found);
		same = found << shift;
	}
	buf_free(&p.tiles[0]);
	buf_free(&p.tiles[1]);
	if (e == ERR_OK)
		*ret = same;
	else
		*ret_at = p.failed;
	return e;
}
