#include "ledger/log.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "ledger/keys.h"

enum { TABLE_NAME_BYTES = LOG_NAME_BYTES + 16 };

/* ---- opening ---- */

static enum err open_table(struct store *s, struct log_name name, const char *part, bool create,
			   struct table *ret)
{
	char full[TABLE_NAME_BYTES];

	(void)snprintf(full, sizeof full, "%s.%s", name.text, part);
	return store_table(s, full, create, ret);
}

/* What the newest checkpoint says, without its signature: who may have signed is another
 * layer's knowledge. An empty log has the empty tree. */
static enum err read_newest(const struct log *l, struct txn *t, struct checkpoint *ret)
{
	struct bytes note = {NULL, 0};
	uint64_t size = 0;
	enum err e = log_newest(l, t, &size, &note);

	if (e == ERR_NOT_FOUND) {
		*ret = (struct checkpoint){.size = 0, .root = hash_empty()};
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = log_note_read(note, ret);
	if (e == ERR_OK && ret->size != size)
		e = ERR_CORRUPT;
	return e == ERR_DECODE || e == ERR_ENCODING || e == ERR_LIMIT ? ERR_CORRUPT : e;
}

/* Events must end exactly where the checkpoint says. */
static enum err check_events_end(const struct log *l, struct txn *t, uint64_t size)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = scan_open(t, l->events, &scan);

	if (e != ERR_OK)
		return e;
	e = scan_last(scan, &key, &value);
	if (e == ERR_NOT_FOUND)
		e = size == 0 ? ERR_OK : ERR_CORRUPT;
	else if (e == ERR_OK &&
		 (size == 0 || key.size != INDEX_KEY_BYTES || u64_read(key.data) != size - 1))
		e = ERR_CORRUPT;
	scan_close(scan);
	return e;
}

enum err log_reload(struct log *l, struct txn *read)
{
	struct log_reader reader;
	struct checkpoint newest;
	struct tile_edge edge;
	struct tree tree;
	struct hash root;
	enum err e = read_newest(l, read, &newest);

	if (e == ERR_OK)
		e = check_events_end(l, read, newest.size);
	if (e != ERR_OK)
		return e;
	log_reader_init(&reader, l, read);
	e = tile_edge_load(&edge, &reader.tiles, newest.size);
	if (e == ERR_OK)
		e = tree_at(&reader.tree, newest.size, &tree);
	if (e != ERR_OK)
		return e == ERR_ARGUMENT ? ERR_CORRUPT : e;
	root = tree_root(&tree);
	if (!hash_equal(root, newest.root))
		return ERR_CORRUPT;
	l->edge = edge;
	l->tree = tree;
	l->tiles_size = newest.size;
	return ERR_OK;
}

enum err log_open(struct store *s, struct log_name name, bool create, struct log *ret)
{
	struct log l;
	struct txn *read = NULL;
	enum err e = ERR_OK;

	memset(&l, 0, sizeof l);
	l.name = name;
	e = open_table(s, name, "events", create, &l.events);
	if (e == ERR_OK)
		e = open_table(s, name, "tiles", create, &l.tiles);
	if (e == ERR_OK)
		e = open_table(s, name, "checkpoints", create, &l.checkpoints);
	if (e == ERR_OK)
		e = txn_begin(s, false, &read);
	if (e != ERR_OK)
		return e;
	e = log_reload(&l, read);
	txn_abort(read);
	if (e == ERR_OK)
		*ret = l;
	return e;
}

/* ---- appending ---- */

struct append {
	const struct log *log;
	struct txn *txn;
};

static enum err put_tile(const struct log *l, struct txn *t, struct tile_id id,
			 const struct hash *hashes, unsigned width)
{
	uint8_t key[TILE_KEY_BYTES];

	key[0] = (uint8_t)id.level;
	u64_write(key + 1, id.number);
	return txn_put(t, l->tiles, bytes_of(key, sizeof key),
		       bytes_of(hashes, (size_t)width * HASH_BYTES));
}

static enum err tile_is_full(void *context, struct tile_id id, const struct hash *hashes)
{
	const struct append *a = context;

	return put_tile(a->log, a->txn, id, hashes, TILE_WIDTH);
}

/* Stores what is kept of an event, which may be nothing, and its leaf hash. */
static enum err append(struct log *l, struct txn *t, struct bytes stored, struct hash leaf)
{
	struct append context = {l, t};
	uint8_t key[INDEX_KEY_BYTES];
	enum err e = ERR_OK;

	u64_write(key, l->edge.size);
	e = txn_append(t, l->events, bytes_of(key, sizeof key), stored);
	if (e == ERR_EXISTS)
		return ERR_INTERNAL; /* the edge is not that of the store: a log_reload is missing
				      */
	if (e == ERR_OK)
		e = tile_edge_append(&l->edge, leaf, tile_is_full, &context);
	if (e == ERR_OK)
		tree_append(&l->tree, leaf);
	return e;
}

enum err log_append(struct log *l, struct txn *t, struct bytes event)
{
	if (event.size > EVENT_BYTES_MAX)
		return ERR_LIMIT;
	if (event.size == 0) /* would look like one that was erased */
		return ERR_ARGUMENT;
	return append(l, t, event, hash_leaf(event));
}

enum err log_append_redacted(struct log *l, struct txn *t, struct hash leaf)
{
	return append(l, t, bytes_of("", 0), leaf);
}

enum err log_redact(const struct log *l, struct txn *t, uint64_t index, struct hash leaf)
{
	uint8_t key[INDEX_KEY_BYTES];
	struct hash stored;
	enum err e = log_leaf(l, t, index, &stored);

	if (e != ERR_OK)
		return e;
	if (!hash_equal(stored, leaf))
		return ERR_ROOT;
	u64_write(key, index);
	return txn_put(t, l->events, bytes_of(key, sizeof key), bytes_of("", 0));
}

enum err log_last(const struct log *l, struct txn *t, struct bytes *ret)
{
	uint8_t key[INDEX_KEY_BYTES];

	if (l->edge.size == 0)
		return ERR_NOT_FOUND;
	u64_write(key, l->edge.size - 1);
	return txn_get(t, l->events, bytes_of(key, sizeof key), ret);
}

/* A partial tile is written only when its row has grown since the last seal. */
static enum err put_partial_tiles(const struct log *l, struct txn *t)
{
	enum err e = ERR_OK;

	for (unsigned level = 0; e == ERR_OK && level < TREE_LEVELS_MAX; level++) {
		unsigned shift = level * TILE_HEIGHT;
		struct tile_id id = {.level = level};
		unsigned width = 0;

		if (l->edge.size >> shift == l->tiles_size >> shift)
			break;
		width = tile_edge_partial(&l->edge, level, &id.number);
		if (width > 0)
			e = put_tile(l, t, id, l->edge.row[level], width);
	}
	return e;
}

enum err log_seal(struct log *l, struct txn *t, struct bytes note)
{
	uint8_t key[INDEX_KEY_BYTES];
	struct checkpoint c;
	struct hash root;
	enum err e = log_note_read(note, &c);

	if (e != ERR_OK)
		return e;
	root = tree_root(&l->tree);
	if (c.size != l->edge.size || !hash_equal(c.root, root))
		return ERR_ROOT;
	e = put_partial_tiles(l, t);
	if (e != ERR_OK)
		return e;
	u64_write(key, l->edge.size);
	e = txn_put(t, l->checkpoints, bytes_of(key, sizeof key), note);
	if (e == ERR_OK)
		l->tiles_size = l->edge.size;
	return e;
}
