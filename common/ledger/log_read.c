/* Reading logs: any thread, through table handles alone; what a writer holds in memory
 * (edge, tree) is never touched here. */
#include <string.h>

#include "base/limits.h"
#include "ledger/keys.h"
#include "ledger/log.h"

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

/* ---- events ---- */

/* The stored leaf hash against the event's own. */
static enum err check_leaf(const struct log *l, struct txn *t, uint64_t index, struct bytes event)
{
	struct tile_id id = {.level = 0, .number = index / TILE_WIDTH};
	size_t at = (size_t)(index % TILE_WIDTH) * HASH_BYTES;
	struct bytes tile = {NULL, 0};
	struct hash leaf;
	enum err e = get_tile(l, t, id, &tile);

	if (e != ERR_OK)
		return e;
	if (tile.size < at + HASH_BYTES)
		return ERR_CORRUPT;
	leaf = hash_leaf(event);
	return memcmp(leaf.b, tile.data + at, HASH_BYTES) == 0 ? ERR_OK : ERR_CORRUPT;
}

enum err log_event(const struct log *l, struct txn *t, uint64_t index, struct bytes *ret)
{
	uint8_t key[INDEX_KEY_BYTES];
	struct bytes event = {NULL, 0};
	enum err e = ERR_OK;

	u64_write(key, index);
	e = txn_get(t, l->events, bytes_of(key, sizeof key), &event);
	if (e == ERR_OK)
		e = check_leaf(l, t, index, event);
	if (e == ERR_OK)
		*ret = event;
	return e;
}

/* How many events from `from` on, at most `most`, have a packed size within `bytes_max`. */
static enum err count_fitting(const struct log *l, struct txn *t, uint64_t from, uint32_t most,
			      size_t bytes_max, uint32_t *ret_count)
{
	uint8_t first[INDEX_KEY_BYTES];
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes event = {NULL, 0};
	size_t total = 0;
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
		if (event.size + 2 > bytes_max - total)
			break;
		total += event.size + 2;
		count++;
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
	return count_fitting(l, t, from, (uint32_t)most, bytes_max, ret_count);
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
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes note = {NULL, 0};
	enum err e = scan_open(t, l->checkpoints, &scan);

	if (e != ERR_OK)
		return e;
	e = scan_last(scan, &key, &note);
	scan_close(scan);
	if (e != ERR_OK)
		return e;
	if (key.size != INDEX_KEY_BYTES)
		return ERR_CORRUPT;
	*ret_size = u64_read(key.data);
	*ret_note = note;
	return ERR_OK;
}

/* The largest checkpoint of a size up to `most`. */
static enum err last_checkpoint(const struct log *l, struct txn *t, uint64_t most,
				uint64_t *ret_size, struct bytes *ret_note)
{
	uint8_t wanted[INDEX_KEY_BYTES];
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes note = {NULL, 0};
	enum err e = scan_open(t, l->checkpoints, &scan);

	if (e != ERR_OK)
		return e;
	u64_write(wanted, most);
	e = scan_seek(scan, bytes_of(wanted, sizeof wanted), &key, &note);
	if (e == ERR_NOT_FOUND)
		e = scan_last(scan, &key, &note);
	else if (e == ERR_OK && !bytes_equal(key, bytes_of(wanted, sizeof wanted)))
		e = scan_prev(scan, &key, &note);
	if (e == ERR_OK && key.size != INDEX_KEY_BYTES)
		e = ERR_CORRUPT;
	if (e == ERR_OK) {
		*ret_size = u64_read(key.data);
		*ret_note = note;
	}
	scan_close(scan);
	return e;
}

enum err log_chunk(const struct log *l, struct txn *t, uint64_t from, uint64_t *ret_size,
		   struct bytes *ret_note)
{
	struct bytes note = {NULL, 0};
	uint32_t count = 0;
	uint64_t size = 0;
	enum err e = count_fitting(l, t, from, COMMIT_EVENTS_MAX, COMMIT_BYTES_MAX, &count);

	if (e == ERR_OK && count == 0)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK)
		return e;
	e = last_checkpoint(l, t, from + count, &size, &note);
	/* Each commit kept these bounds, so that one that ends within them is always there. */
	if (e == ERR_NOT_FOUND || (e == ERR_OK && size <= from))
		return ERR_CORRUPT;
	if (e == ERR_OK) {
		*ret_size = size;
		*ret_note = note;
	}
	return e;
}
