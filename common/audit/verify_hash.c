/* The hash pass: every leaf of a log, its tiles, and the roots that its checkpoints say.
 *
 * Leaves come in blocks of one level-0 tile.  Where what is stored there and what the leaves give
 * differ, the level above tells which of the two was signed; the pass goes on with that, so that
 * one altered byte is one finding and not one of everything behind it. */
#include "audit/verify_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/log.h"

/* How much is known of a leaf's bytes. */
enum leaf_state { LEAF_HASHED, LEAF_ERASED, LEAF_ABSENT };

struct pass {
	struct verify *verify;
	struct verify_target *target;
	struct tree tree;
	struct hash rows[TREE_LEVELS_MAX][TILE_WIDTH]; /* the last tile of each level above 0 */
	/* the block being filled */
	unsigned width;
	unsigned unknown; /* of them not hashed */
	struct hash hashes[TILE_WIDTH];
	uint8_t states[TILE_WIDTH];
	struct buf tile; /* as it is stored */
	/* the checkpoint that comes next; none: size 0 */
	uint64_t checkpoint;
	struct buf note;
	struct hash run[SOURCE_LEAVES_MAX]; /* of the leaves read last */
	/* a run of leaves that are missing */
	uint64_t missing_from, missing;
};

static enum err read_tile(struct pass *p, struct tile_id id, unsigned width, struct buf *ret)
{
	struct source *s = p->verify->source;

	buf_clear(ret);
	return s->ops->tile(s, p->target->name, id, width, ret);
}

static void found_tile(struct pass *p, enum damage d, struct tile_id id, unsigned width)
{
	char path[TILE_PATH_BYTES];

	tile_path(id, width, path);
	verify_found(p->verify, d, p->target->name, id.number, "%s", path);
}

/* ---- tiles above the leaves ---- */

static enum err check_tile(struct pass *p, struct tile_id id, const struct hash *hashes,
			   unsigned width)
{
	size_t size = (size_t)width * HASH_BYTES;
	enum err e = read_tile(p, id, width, &p->tile);

	p->verify->report->tiles++;
	if (e == ERR_NOT_FOUND)
		found_tile(p, DAMAGE_TILE_MISSING, id, width);
	else if (verify_is_damage(e) || (e == ERR_OK && memcmp(p->tile.data, hashes, size) != 0))
		found_tile(p, DAMAGE_TILE, id, width);
	return e == ERR_OK || verify_is_damage(e) ? ERR_OK : e;
}

/* How many hashes the row of a level has in a log of `size`. */
static uint64_t row_size(unsigned level, uint64_t size)
{
	return size >> (TILE_HEIGHT * level);
}

/* Before a leaf is appended that makes tiles full: what the rows above get.  The tree's edge holds
 * all that is to the left of it. */
static enum err fill_rows(struct pass *p, struct hash leaf)
{
	const uint64_t size = p->tree.size + 1;
	struct hash h = leaf;
	enum err e = ERR_OK;

	for (unsigned level = 1; e == ERR_OK && level < TREE_LEVELS_MAX; level++) {
		const uint64_t row = row_size(level, size);
		const struct tile_id id = {level, (row - 1) / TILE_WIDTH};

		if (row << (TILE_HEIGHT * level) != size)
			break;
		for (unsigned k = TILE_HEIGHT * (level - 1); k < TILE_HEIGHT * level; k++)
			h = hash_node(p->tree.edge[k], h);
		p->rows[level][(row - 1) % TILE_WIDTH] = h;
		if (row % TILE_WIDTH == 0)
			e = check_tile(p, id, p->rows[level], TILE_WIDTH);
	}
	return e;
}

static enum err check_partial_tiles(struct pass *p)
{
	enum err e = ERR_OK;

	for (unsigned level = 1; e == ERR_OK && level < TREE_LEVELS_MAX; level++) {
		const uint64_t row = row_size(level, p->tree.size);
		const struct tile_id id = {level, row / TILE_WIDTH};

		if (row % TILE_WIDTH)
			e = check_tile(p, id, p->rows[level], (unsigned)(row % TILE_WIDTH));
	}
	return e;
}

/* ---- one block ---- */

/* Root over the log with the block's hashes as given, or over a full block alone. */
static struct hash root_with(const struct pass *p, const struct hash *hashes, bool alone)
{
	struct tree tree;

	tree_init(&tree);
	if (!alone)
		tree = p->tree;
	for (unsigned i = 0; i < p->width; i++)
		tree_append(&tree, hashes[i]);
	return tree_root(&tree);
}

/* The hash over the block that the level above holds; for the last block, the newest root. */
static enum err block_parent(struct pass *p, struct tile_id id, struct hash *ret)
{
	struct tile_id above = {.level = 1, .number = id.number / TILE_WIDTH};
	unsigned at = (unsigned)(id.number % TILE_WIDTH);
	struct buf raw = {.data = NULL};
	enum err e = ERR_OK;

	if (p->width < TILE_WIDTH) {
		*ret = p->target->newest;
		return ERR_OK;
	}
	e = read_tile(p, above, at + 1, &raw);
	if (e == ERR_OK)
		memcpy(ret->b, raw.data + (size_t)at * HASH_BYTES, HASH_BYTES);
	buf_free(&raw);
	return e;
}

/* Leaves and tile differ: whose word was signed?  True: the tile's. */
static enum err tile_is_right(struct pass *p, struct tile_id id, const struct hash *stored,
			      bool *ret)
{
	bool alone = p->width == TILE_WIDTH;
	struct hash parent;
	struct hash by_tile = root_with(p, stored, alone);
	enum err e = block_parent(p, id, &parent);

	if (e == ERR_OK)
		*ret = hash_equal(by_tile, parent);
	else if (verify_is_damage(e))
		*ret = false;
	return e == ERR_OK || verify_is_damage(e) ? ERR_OK : e;
}

/* Takes what the tile says where the leaves do not say it themselves. */
static void fill_unknown(struct pass *p, uint64_t from, const struct hash *stored)
{
	for (unsigned i = 0; i < p->width; i++) {
		const struct redaction *r = NULL;

		if (p->states[i] == LEAF_HASHED)
			continue;
		r = keyring_redaction(p->verify->options->trusted, p->target->name, from + i);
		if (stored)
			p->hashes[i] = stored[i];
		else if (r)
			p->hashes[i] = r->leaf;
		if (p->states[i] != LEAF_ERASED)
			continue;
		p->target->row->redacted++;
		if (!r)
			verify_found(p->verify, DAMAGE_LEAF_ERASED, p->target->name, from + i, "%s",
				     verify_followed(p->verify)->national
					     ? ""
					     : "no national log is here to look for one");
		else if (!hash_equal(r->leaf, p->hashes[i]))
			verify_found(p->verify, DAMAGE_LEAF_ERASED, p->target->name, from + i,
				     "national entry %" PRIu64 " is about another event there",
				     r->national_index);
	}
}

/* Leaves against their tile. */
static enum err settle_block(struct pass *p, uint64_t from)
{
	struct tile_id id = {.level = 0, .number = from / TILE_WIDTH};
	size_t size = (size_t)p->width * HASH_BYTES;
	struct hash *stored = NULL;
	bool right = false;
	enum err e = read_tile(p, id, p->width, &p->tile);

	p->verify->report->tiles++;
	if (e == ERR_NOT_FOUND)
		found_tile(p, DAMAGE_TILE_MISSING, id, p->width);
	else if (verify_is_damage(e))
		found_tile(p, DAMAGE_TILE, id, p->width);
	else if (e != ERR_OK)
		return e;
	else
		stored = (struct hash *)(void *)p->tile.data;
	if (p->unknown)
		fill_unknown(p, from, stored);
	if (!stored || memcmp(stored, p->hashes, size) == 0)
		return ERR_OK;
	e = tile_is_right(p, id, stored, &right);
	if (e != ERR_OK)
		return e;
	if (!right)
		found_tile(p, DAMAGE_TILE, id, p->width);
	for (unsigned i = 0; right && i < p->width; i++) {
		if (hash_equal(stored[i], p->hashes[i]))
			continue;
		verify_found(p->verify, DAMAGE_LEAF, p->target->name, from + i, "%s", "");
		p->hashes[i] = stored[i];
	}
	return ERR_OK;
}

/* ---- checkpoints ---- */

static enum err next_checkpoint(struct pass *p)
{
	struct source *s = p->verify->source;
	uint64_t size = 0;
	enum err e = ERR_OK;

	buf_clear(&p->note);
	e = s->ops->checkpoint(s, p->target->name, p->checkpoint, &size, &p->note);
	if (e == ERR_OK) {
		p->checkpoint = size;
	} else if (verify_is_damage(e)) {
		if (e != ERR_NOT_FOUND)
			verify_found(p->verify, DAMAGE_CHECKPOINT, p->target->name, p->checkpoint,
				     "the one after it: %s", err_text(e));
		p->checkpoint = UINT64_MAX;
		e = ERR_OK;
	}
	return e;
}

/* What a checkpoint of the tree's present size says; who signed it is another pass. */
static enum err check_checkpoint(struct pass *p)
{
	struct checkpoint c;
	struct hash root = tree_root(&p->tree);
	enum err e = log_note_read(buf_bytes(&p->note), &c);

	p->verify->report->checkpoints++;
	p->target->row->checkpoints++;
	if (e != ERR_OK || c.size != p->checkpoint)
		verify_found(p->verify, DAMAGE_CHECKPOINT, p->target->name, p->checkpoint, "%s",
			     e == ERR_OK ? "it says another size" : err_text(e));
	else if (!hash_equal(c.root, root))
		verify_found(p->verify, DAMAGE_ROOT, p->target->name, p->checkpoint, "%s", "");
	return next_checkpoint(p);
}

/* ---- the stream ---- */

static enum err flush_block(struct pass *p)
{
	enum err e = settle_block(p, p->tree.size);

	for (unsigned i = 0; e == ERR_OK && i < p->width; i++) {
		if (i == TILE_WIDTH - 1)
			e = fill_rows(p, p->hashes[i]);
		tree_append(&p->tree, p->hashes[i]);
		if (e == ERR_OK && p->tree.size == p->checkpoint)
			e = check_checkpoint(p);
	}
	verify_progress(p->verify, "hash", p->width);
	p->width = 0;
	p->unknown = 0;
	return e;
}

static enum err add_leaf(struct pass *p, enum leaf_state state, struct hash hash)
{
	p->states[p->width] = (uint8_t)state;
	p->hashes[p->width] = hash;
	p->unknown += state != LEAF_HASHED;
	p->width++;
	return p->width == TILE_WIDTH ? flush_block(p) : ERR_OK;
}

static void tell_missing(struct pass *p)
{
	if (p->missing > 1)
		verify_found(p->verify, DAMAGE_LEAF_MISSING, p->target->name, p->missing_from,
			     "and all up to %" PRIu64, p->missing_from + p->missing - 1);
	else if (p->missing)
		verify_found(p->verify, DAMAGE_LEAF_MISSING, p->target->name, p->missing_from, "%s",
			     "");
	p->missing = 0;
}

static enum err add_missing(struct pass *p, uint64_t index)
{
	if (p->missing++ == 0)
		p->missing_from = index;
	return add_leaf(p, LEAF_ABSENT, hash_empty());
}

/* The whole run is hashed before anything else is asked of the source: its bytes last no longer. */
static enum err add_run(struct pass *p, const struct source_leaves *run)
{
	struct verify_report *report = p->verify->report;
	enum err e = ERR_OK;

	tell_missing(p);
	for (size_t i = 0; i < run->count; i++) {
		report->leaf_bytes += run->items[i].size;
		p->run[i] = hash_leaf(run->items[i]);
	}
	for (size_t i = 0; e == ERR_OK && i < run->count; i++)
		e = add_leaf(p, run->items[i].size ? LEAF_HASHED : LEAF_ERASED, p->run[i]);
	report->leaves += run->count;
	return e;
}

static enum err stream_leaves(struct pass *p)
{
	struct source_leaves *run = p->verify->run;
	struct source *s = p->verify->source;
	const uint64_t size = p->target->size;
	uint64_t at = 0;
	enum err e = ERR_OK;

	while (e == ERR_OK && at < size) {
		e = s->ops->leaves(s, p->target->name, at, size, run);
		if (e == ERR_OK) {
			e = add_run(p, run);
			at += run->count;
		} else if (verify_is_damage(e)) {
			e = add_missing(p, at++);
		}
	}
	tell_missing(p);
	return e == ERR_OK && p->width ? flush_block(p) : e;
}

/* A store whose events go on behind its newest checkpoint; one that is written meanwhile has a
 * newer one then. */
static enum err check_end(struct pass *p)
{
	struct source *s = p->verify->source;
	const uint64_t end = p->target->size;
	struct buf note = {.data = NULL};
	uint64_t size = 0;
	enum err e = ERR_OK;

	if (!p->verify->options->is_store)
		return ERR_OK;
	e = s->ops->leaves(s, p->target->name, end, UINT64_MAX, p->verify->run);
	if (e == ERR_OK) {
		e = s->ops->newest(s, p->target->name, &size, &note);
		buf_free(&note);
		if (e == ERR_NOT_FOUND || (e == ERR_OK && size <= end))
			verify_found(p->verify, DAMAGE_LEAF_EXTRA, p->target->name, end, "%s", "");
	}
	return e == ERR_OK || verify_is_damage(e) ? ERR_OK : e;
}

enum err verify_hashes(struct verify *v, struct verify_target *t)
{
	struct pass *p = calloc(1, sizeof *p);
	enum err e = p ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK) {
		p->verify = v;
		p->target = t;
		tree_init(&p->tree);
		e = next_checkpoint(p);
	}
	if (e == ERR_OK)
		e = stream_leaves(p);
	if (e == ERR_OK)
		e = check_partial_tiles(p);
	if (e == ERR_OK) {
		t->row->root = tree_root(&p->tree);
		e = check_end(p);
	}
	if (p) {
		buf_free(&p->tile);
		buf_free(&p->note);
	}
	free(p);
	return e;
}
