/* Writes one log's bundles and tiles.  Leaves are hashed on the way and the tree is built here,
 * so that what an export holds gives its checkpoint's root, whatever tiles the source keeps. */
#include "audit/export_internal.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/event.h"
#include "tlog/encoding.h"

enum { PROGRESS_LEAVES = 65536 };

struct growing {
	struct exported *x;
	struct export_run *run;
	struct source_tree tree; /* the source's, to begin from and for leaves that are erased */
	struct tile_edge edge;
	struct tree compact;
	struct buf bundle; /* the leaves of the present bundle */
	struct source_leaves leaves;
	bool leaves_lost; /* the source was asked for something else meanwhile */
	uint64_t at;
};

/* ---- erased events ---- */

enum err export_add_erased(struct exported *x, uint64_t index, struct hash leaf)
{
	struct erased *more = NULL;
	size_t at = x->erased_count;
	size_t room = 0;

	while (at > 0 && x->erased[at - 1].index >= index)
		at--;
	if (at < x->erased_count && x->erased[at].index == index)
		return ERR_OK;
	if (x->erased_count == x->erased_room) {
		room = x->erased_room ? 2 * x->erased_room : 16;
		more = reallocarray(x->erased, room, sizeof *more);
		if (!more)
			return ERR_NOMEM;
		x->erased = more;
		x->erased_room = room;
	}
	memmove(&x->erased[at + 1], &x->erased[at], (x->erased_count - at) * sizeof *x->erased);
	x->erased[at] = (struct erased){.index = index, .leaf = leaf};
	x->erased_count++;
	return ERR_OK;
}

static bool is_erased(const struct exported *x, uint64_t index)
{
	size_t low = 0;
	size_t high = x->erased_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (x->erased[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low < x->erased_count && x->erased[low].index == index;
}

/* "INDEX LEAF ACT": the entry of the national log that says so, or "-". */
static enum err write_redacted(const struct exported *x, struct export_run *run)
{
	struct buf text = {0};
	enum err e = ERR_OK;

	for (size_t i = 0; i < x->erased_count; i++) {
		const struct erased *r = &x->erased[i];
		const struct redaction *act = keyring_redaction(run->keys, x->log, r->index);

		buf_printf(&text, "%" PRIu64 " ", r->index);
		encoding_add_base64(&text, bytes_of(r->leaf.b, HASH_BYTES));
		if (act && act->national_index != UINT64_MAX)
			buf_printf(&text, " %" PRIu64 "\n", act->national_index);
		else
			buf_add_text(&text, " -\n");
	}
	e = buf_check(&text);
	if (e == ERR_OK && x->erased_count)
		e = export_put_changed(x->folder, "redacted", buf_bytes(&text), run);
	buf_free(&text);
	return e;
}

/* ---- bundles ---- */

static enum err leaf_hash(struct growing *g, struct bytes leaf, uint64_t index, struct hash *ret)
{
	if (leaf.size == 0) {
		g->leaves_lost = true;
		return g->tree.tree.node(g->tree.tree.context, 0, index, ret);
	}
	*ret = hash_leaf(leaf);
	return ERR_OK;
}

/* Whether an act erases this event: this one, and not what another leaf there would have been. */
static bool is_redacted(const struct growing *g, struct bytes leaf, uint64_t index,
			struct hash hash)
{
	const struct redaction *act = keyring_redaction(g->run->keys, g->x->log, index);

	return act && hash_equal(act->leaf, hash) && !event_is_act(leaf);
}

/* Puts a leaf into the bundle; what an act erased stays out even while the source holds it. */
static enum err add_to_bundle(struct growing *g, struct bytes leaf, uint64_t index,
			      struct hash *ret_hash)
{
	bool gone = leaf.size == 0;
	enum err e =
		leaf.size > EVENT_BYTES_MAX ? ERR_CORRUPT : leaf_hash(g, leaf, index, ret_hash);

	if (e == ERR_OK)
		gone = gone || is_redacted(g, leaf, index, *ret_hash);
	if (e == ERR_OK && gone)
		e = export_add_erased(g->x, index, *ret_hash);
	if (e != ERR_OK)
		return e;
	buf_add_u16be(&g->bundle, gone ? 0 : (uint16_t)leaf.size);
	if (!gone)
		buf_add_bytes(&g->bundle, leaf);
	return buf_check(&g->bundle);
}

/* Writes the bundle that stands in g->bundle. */
static enum err put_bundle(struct growing *g, uint64_t number, unsigned width, bool others)
{
	char path[TILE_PATH_BYTES];
	enum err e = ERR_OK;

	tile_path((struct tile_id){.level = UINT_MAX, .number = number}, width, path);
	e = export_put(g->x->folder, path, buf_bytes(&g->bundle), g->run);
	if (e == ERR_OK && width < TILE_WIDTH)
		e = export_add_partial(g->x, path);
	if (e == ERR_OK && others) /* they still hold what was erased */
		export_drop_bundles(g->x, number, path);
	buf_clear(&g->bundle);
	return e;
}

/* The leaves from `at` on. */
static enum err read_leaves(struct growing *g, uint64_t at, uint64_t end)
{
	struct source *s = g->run->source;
	enum err e = s->ops->leaves(s, g->x->log, at, end, &g->leaves);

	g->leaves_lost = false;
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

/* Writes a bundle anew that held an event which was erased since. */
static enum err mend_bundle(struct growing *g, uint64_t number)
{
	uint64_t first = number * TILE_WIDTH;
	uint64_t end = g->x->written - first > TILE_WIDTH ? first + TILE_WIDTH : g->x->written;
	struct hash unused;
	uint64_t at = first;
	enum err e = ERR_OK;

	while (e == ERR_OK && at < end) {
		e = read_leaves(g, at, end);
		for (size_t i = 0; e == ERR_OK && i < g->leaves.count && !g->leaves_lost; i++, at++)
			e = add_to_bundle(g, g->leaves.items[i], at, &unused);
	}
	return e == ERR_OK ? put_bundle(g, number, (unsigned)(end - first), true) : e;
}

static enum err mend(struct growing *g)
{
	const struct redaction *all = NULL;
	size_t count = keyring_redactions(g->run->keys, &all);
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		struct hash leaf;

		if (!log_name_equal(all[i].log, g->x->log) || all[i].index >= g->x->written ||
		    is_erased(g->x, all[i].index))
			continue;
		e = g->tree.tree.node(g->tree.tree.context, 0, all[i].index, &leaf);
		if (e == ERR_OK && hash_equal(leaf, all[i].leaf))
			e = mend_bundle(g, all[i].index / TILE_WIDTH);
	}
	return e;
}

/* ---- tiles ---- */

static enum err put_tile(struct growing *g, struct tile_id id, const struct hash *hashes,
			 unsigned width)
{
	char path[TILE_PATH_BYTES];
	enum err e = ERR_OK;

	tile_path(id, width, path);
	e = export_put(g->x->folder, path, bytes_of(hashes, (size_t)width * HASH_BYTES), g->run);
	if (e == ERR_OK && width < TILE_WIDTH)
		e = export_add_partial(g->x, path);
	return e;
}

static enum err tile_is_full(void *context, struct tile_id id, const struct hash *hashes)
{
	return put_tile(context, id, hashes, TILE_WIDTH);
}

/* The right edge; a row that did not grow since the folder's checkpoint has its file. */
static enum err put_edge(struct growing *g)
{
	enum err e = ERR_OK;

	for (unsigned level = 0; e == ERR_OK && level < TREE_LEVELS_MAX; level++) {
		unsigned shift = level * TILE_HEIGHT;
		struct tile_id id = {.level = level};
		unsigned width = tile_edge_partial(&g->edge, level, &id.number);

		if (width > 0 && g->edge.size >> shift != g->x->size >> shift)
			e = put_tile(g, id, g->edge.row[level], width);
	}
	return e;
}

/* ---- growing ---- */

static enum err note_progress(struct growing *g)
{
	struct checkpoint so_far = g->x->target;

	so_far.size = g->at;
	so_far.root = tree_root(&g->compact);
	return export_note_progress(g->x, &so_far, g->run);
}

static enum err add_leaf(struct growing *g, struct bytes leaf)
{
	struct hash hash;
	enum err e = add_to_bundle(g, leaf, g->at, &hash);

	if (e == ERR_OK)
		e = tile_edge_append(&g->edge, hash, tile_is_full, g);
	if (e != ERR_OK)
		return e;
	tree_append(&g->compact, hash);
	g->at++;
	if (g->at % TILE_WIDTH == 0)
		e = put_bundle(g, g->at / TILE_WIDTH - 1, TILE_WIDTH, false);
	if (e == ERR_OK && g->at % PROGRESS_LEAVES == 0 && g->at < g->x->target.size)
		e = note_progress(g);
	return e;
}

static enum err add_leaves(struct growing *g)
{
	struct export_run *run = g->run;
	uint64_t end = g->x->target.size;
	enum err e = ERR_OK;

	while (e == ERR_OK && g->at < end) {
		e = read_leaves(g, g->at, end);
		for (size_t i = 0; e == ERR_OK && i < g->leaves.count && !g->leaves_lost; i++) {
			e = add_leaf(g, g->leaves.items[i]);
			run->done += g->at > g->x->written;
			run->report.leaves += g->at > g->x->written;
		}
		if (e == ERR_OK && run->progress)
			run->progress(run->context, run->done, run->total);
	}
	return e;
}

static enum err grow(struct growing *g)
{
	struct exported *x = g->x;
	struct hash root;
	enum err e = ERR_OK;

	/* The last bundle is partial: it is written whole once more. */
	g->at = x->written - x->written % TILE_WIDTH;
	e = tile_edge_load(&g->edge, &g->tree.tiles, g->at);
	if (e == ERR_OK)
		e = tree_at(&g->tree.tree, g->at, &g->compact);
	if (e == ERR_OK)
		e = add_leaves(g);
	if (e != ERR_OK)
		return e;
	root = tree_root(&g->compact);
	if (!hash_equal(root, x->target.root))
		return ERR_CORRUPT;
	if (g->bundle.size)
		e = put_bundle(g, g->at / TILE_WIDTH, (unsigned)(g->at % TILE_WIDTH), false);
	return e == ERR_OK ? put_edge(g) : e;
}

enum err export_grow(struct exported *x, struct export_run *run)
{
	struct growing *g = calloc(1, sizeof *g);
	size_t erased = x->erased_count;
	enum err e = g ? ERR_OK : ERR_NOMEM;

	if (e != ERR_OK)
		return e;
	g->x = x;
	g->run = run;
	source_tree_init(&g->tree, run->source, x->log, x->target.size);
	e = mend(g);
	if (e == ERR_OK && x->target.size > x->size)
		e = grow(g);
	if (e == ERR_OK && (erased != x->erased_count || x->target.size > x->size))
		e = write_redacted(x, run);
	source_tree_free(&g->tree);
	buf_free(&g->bundle);
	free(g);
	if (e == ERR_OK)
		x->changed = !bytes_equal(buf_bytes(&x->note), buf_bytes(&x->target_note));
	return e;
}
