/* Reading logs: any thread, through table handles alone.  What a writer holds in memory (edge,
 * tree) is touched by log_tree_proved only, which is for the thread that opened or writes the log.
 */
#include <string.h>

#include "base/limits.h"
#include "ledger/keys.h"
#include "ledger/log.h"
#include "ledger/numbered.h"
#include "model/event.h"
#include "model/wire.h"

/* ---- tiles ---- */

static enum err get_tile(const struct log *l, struct txn *t, struct tile_id id, struct bytes *ret)
{
	uint8_t key[TILE_KEY_BYTES];
	enum err e = ERR_OK;

	key[0] = (uint8_t)id.level;
	u64_write(key + 1, id.number);
	e = txn_get(t, l->tiles, bytes_of(key, sizeof key), ret);
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

static enum err reader_tile(void *context, struct tile_id id, struct bytes *ret)
{
	const struct log_reader *r = context;

	return get_tile(r->log, r->txn, id, ret);
}

static enum err reader_node(void *context, unsigned level, uint64_t index, struct hash *ret)
{
	const struct log_reader *r = context;

	return tile_node(&r->tiles, level, index, ret);
}

void log_reader_init(struct log_reader *r, const struct log *l, struct txn *t)
{
	*r = (struct log_reader){
		.log = l,
		.txn = t,
		.tiles = {.context = r, .tile = reader_tile},
		.tree = {.context = r, .node = reader_node},
	};
}

enum err log_tree_at(const struct log *l, struct txn *t, uint64_t size, struct tree *ret)
{
	struct log_reader reader;
	struct bytes note = {NULL, 0};
	uint64_t newest = 0;
	enum err e = log_newest(l, t, &newest, &note);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (size > newest)
		return ERR_ARGUMENT;
	log_reader_init(&reader, l, t);
	return tree_at(&reader.tree, size, ret);
}

enum err log_tree_proved(const struct log *l, struct txn *t, uint64_t size, struct tree *ret)
{
	struct checkpoint newest = {.size = 0, .root = hash_empty()};
	struct bytes note = {NULL, 0};
	uint64_t at = 0;
	struct log_reader reader;
	struct proof proof;
	struct tree tree;
	enum err e = log_tree_at(l, t, size, &tree);

	if (e == ERR_OK)
		e = log_newest(l, t, &at, &note);
	if (e == ERR_OK && (log_note_read(note, &newest) != ERR_OK || newest.size != at))
		e = ERR_CORRUPT;
	/* What was seen when the log was opened, and appended since, counts more than the row. */
	if (e == ERR_OK && newest.size == l->tree.size &&
	    !hash_equal(newest.root, tree_root(&l->tree)))
		e = ERR_CORRUPT;
	log_reader_init(&reader, l, t);
	if (e == ERR_OK || e == ERR_NOT_FOUND) /* an empty log has an empty proof */
		e = proof_consistency(&reader.tree, size, newest.size, &proof);
	if (e == ERR_OK && proof_check_consistency(&proof, size, newest.size, tree_root(&tree),
						   newest.root) != ERR_OK)
		e = ERR_CORRUPT;
	if (e == ERR_OK)
		*ret = tree;
	return e;
}

/* ---- events ---- */

static enum err next_leaf(const struct log *l, struct txn *t, struct log_leaves *leaves,
			  uint64_t index, struct hash *ret)
{
	struct tile_id id = {.level = 0, .number = index / TILE_WIDTH};
	size_t at = (size_t)(index % TILE_WIDTH) * HASH_BYTES;
	enum err e = ERR_OK;

	if (!leaves->tile.data || leaves->number != id.number) {
		leaves->tile.data = NULL;
		e = get_tile(l, t, id, &leaves->tile);
		leaves->number = id.number;
	}
	if (e == ERR_OK && leaves->tile.size < at + HASH_BYTES)
		e = ERR_CORRUPT;
	if (e == ERR_OK)
		memcpy(ret->b, leaves->tile.data + at, HASH_BYTES);
	return e;
}

static enum err stored_leaf(const struct log *l, struct txn *t, uint64_t index, struct hash *ret)
{
	struct log_leaves leaves = {.number = 0};

	return next_leaf(l, t, &leaves, index, ret);
}

enum err log_leaf(const struct log *l, struct txn *t, uint64_t index, struct hash *ret)
{
	struct bytes note = {NULL, 0};
	uint64_t size = 0;
	enum err e = log_newest(l, t, &size, &note);

	if (e == ERR_OK && index >= size)
		e = ERR_NOT_FOUND;
	return e == ERR_OK ? stored_leaf(l, t, index, ret) : e;
}

enum err log_event(const struct log *l, struct txn *t, uint64_t index, struct bytes *ret)
{
	struct log_leaves leaves = {.number = 0};

	return log_event_next(l, t, &leaves, index, ret);
}

enum err log_event_next(const struct log *l, struct txn *t, struct log_leaves *leaves,
			uint64_t index, struct bytes *ret)
{
	uint8_t key[INDEX_KEY_BYTES];
	struct bytes event = {NULL, 0};
	struct hash leaf;
	struct hash own;
	enum err e = ERR_OK;

	u64_write(key, index);
	e = txn_get(t, l->events, bytes_of(key, sizeof key), &event);
	if (e == ERR_OK && event.size == 0)
		e = ERR_REDACTED;
	if (e == ERR_OK)
		e = next_leaf(l, t, leaves, index, &leaf);
	if (e != ERR_OK)
		return e;
	own = hash_leaf(event);
	if (!hash_equal(own, leaf))
		return ERR_CORRUPT;
	*ret = event;
	return ERR_OK;
}

/* ---- time ---- */

static bool has_no_time(enum err e)
{
	return e == ERR_REDACTED || e == ERR_DECODE;
}

/* When event `index` was recorded, or the next one before it that says. */
static enum err time_at(const struct log *l, struct txn *t, uint64_t index, struct wall_ms *ret)
{
	enum err e = ERR_REDACTED;

	for (uint64_t i = index + 1; has_no_time(e) && i-- > 0;) {
		struct bytes raw = {NULL, 0};

		e = log_event(l, t, i, &raw);
		if (e == ERR_OK)
			e = recorded_time(raw, ret);
		if (has_no_time(e) && i == 0) {
			ret->ms = INT64_MIN;
			return ERR_OK;
		}
	}
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

enum err log_size_at(const struct log *l, struct txn *t, struct wall_ms until, uint64_t *ret)
{
	struct bytes note = {NULL, 0};
	uint64_t size = 0; /* the first of those known to be later, or the end */
	uint64_t kept = 0; /* all before it are not */
	enum err e = log_newest(l, t, &size, &note);

	if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	while (e == ERR_OK && kept < size) {
		uint64_t middle = kept + (size - kept) / 2;
		struct wall_ms at = {0};

		e = time_at(l, t, middle, &at);
		if (at.ms <= until.ms)
			kept = middle + 1;
		else
			size = middle;
	}
	if (e == ERR_OK)
		*ret = kept;
	return e;
}

/* ---- chunks ---- */

/* How many events from `from` on, at most `most`, have a packed size within `bytes_max` and are
 * work within `work_max`; one that rotates keys is the last. */
static enum err count_fitting(const struct log *l, struct txn *t, uint64_t from, uint32_t most,
			      size_t bytes_max, uint64_t work_max, uint32_t *ret_count)
{
	uint8_t first[INDEX_KEY_BYTES];
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes event = {NULL, 0};
	size_t total = 0;
	uint64_t work = 0;
	uint32_t count = 0;
	enum err e = scan_open(t, l->events, &scan);

	if (e != ERR_OK)
		return e;
	u64_write(first, from);
	e = scan_seek(scan, bytes_of(first, sizeof first), &key, &event);
	while (e == ERR_OK && count < most) {
		if (key.size != INDEX_KEY_BYTES || u64_read(key.data) != from + count ||
		    event.size > EVENT_BYTES_MAX) {
			e = ERR_CORRUPT;
			break;
		}
		work += event_work_of(event);
		if (bundle_packed(event.size) > bytes_max - total || work > work_max)
			break;
		total += bundle_packed(event.size);
		count++;
		if (event_rotates(event))
			break;
		if (count < most)
			e = scan_next(scan, &key, &event);
	}
	scan_close(scan);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*ret_count = count;
	return ERR_OK;
}

enum err log_fit(const struct log *l, struct txn *t, uint64_t from, uint64_t size, size_t bytes_max,
		 uint32_t *ret_count)
{
	uint64_t most = size > from ? size - from : 0;

	if (most > COMMIT_EVENTS_MAX)
		most = COMMIT_EVENTS_MAX;
	return count_fitting(l, t, from, (uint32_t)most, bytes_max, COMMIT_WORK_MAX, ret_count);
}

/* ---- checkpoints ---- */

enum err log_note_read(struct bytes note, struct checkpoint *ret)
{
	const uint8_t *blank = note.size ? memmem(note.data, note.size, "\n\n", 2) : NULL;

	if (note.size > NOTE_BYTES_MAX)
		return ERR_LIMIT;
	if (!blank)
		return ERR_DECODE;
	return checkpoint_parse(bytes_of(note.data, (size_t)(blank - note.data) + 1), false, ret);
}

enum err log_checkpoint(const struct log *l, struct txn *t, uint64_t size, struct bytes *ret)
{
	uint8_t key[INDEX_KEY_BYTES];

	u64_write(key, size);
	return txn_get(t, l->checkpoints, bytes_of(key, sizeof key), ret);
}

enum err log_newest(const struct log *l, struct txn *t, uint64_t *ret_size, struct bytes *ret_note)
{
	return numbered_last(t, l->checkpoints, UINT64_MAX, ret_size, ret_note);
}

/* The largest checkpoint whose events are work within `work_max`; NOT_FOUND. */
static enum err chunk_within(const struct log *l, struct txn *t, uint64_t from, uint64_t work_max,
			     uint64_t *ret_size, struct bytes *ret_note)
{
	struct bytes note = {NULL, 0};
	uint32_t count = 0;
	uint64_t size = 0;
	enum err e =
		count_fitting(l, t, from, COMMIT_EVENTS_MAX, COMMIT_BYTES_MAX, work_max, &count);

	if (e == ERR_OK)
		e = numbered_last(t, l->checkpoints, from + count, &size, &note);
	if (e == ERR_OK && size <= from)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK) {
		*ret_size = size;
		*ret_note = note;
	}
	return e;
}

enum err log_chunk(const struct log *l, struct txn *t, uint64_t from, uint64_t *ret_size,
		   struct bytes *ret_note)
{
	enum err e = log_newest(l, t, ret_size, ret_note);

	if (e == ERR_OK && *ret_size <= from)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK)
		return e;
	e = chunk_within(l, t, from, COMMIT_WORK_MAX, ret_size, ret_note);
	if (e == ERR_NOT_FOUND) /* sealed before there was a bound of work */
		e = chunk_within(l, t, from, UINT64_MAX, ret_size, ret_note);
	/* Each commit kept the other bounds, so that one that ends within them is always there. */
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

/* ---- cutting ---- */

/* Where no stored checkpoint ends what fits, one is signed there.  What a key sealed that is gone
 * goes whole, though a server asks for less, when all before it has landed. */
static enum err cut_unsealed(const struct log *l, struct txn *t, const struct log_cut *c,
			     uint32_t *count)
{
	struct bytes note;
	uint64_t size = 0;
	enum err e = ERR_OK;

	if (c->under_way && c->narrow) {
		*count = 0; /* soon a stored one may fit */
		return ERR_OK;
	}
	if (*count == 0 || c->signs(c->context, c->from + *count))
		return ERR_OK;
	*count = 0;
	if (c->under_way)
		return ERR_OK;
	e = log_chunk(l, t, c->from, &size, &note);
	if (e == ERR_OK)
		*count = (uint32_t)(size - c->from);
	return e;
}

enum err log_cut(const struct log *l, struct txn *t, const struct log_cut *c, uint32_t *ret_count)
{
	const uint64_t most = c->from + c->events_max;
	struct bytes note;
	uint64_t sealed = 0;
	uint32_t count = 0;
	enum err e = log_fit(l, t, c->from, c->size < most ? c->size : most, c->bytes_max, &count);

	if (e != ERR_OK)
		return e;
	e = numbered_last(t, l->checkpoints, c->from + count, &sealed, &note);
	if (e == ERR_OK && sealed > c->from)
		count = (uint32_t)(sealed - c->from);
	else if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = cut_unsealed(l, t, c, &count);
	if (e == ERR_OK)
		*ret_count = count;
	return e;
}
