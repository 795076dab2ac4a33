/* A store as a source.  Each call reads in a transaction of its own and copies what it gives,
 * so that no reader outlives a call: the daemon that writes meanwhile can use its freed pages
 * again at once, and the map may grow between any two calls. */
#include "audit/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "io/store.h"
#include "ledger/national.h"

enum {
	PATH_BYTES_MAX = 4096,
	TABLE_NAME_BYTES = LOG_NAME_BYTES + 16,
	INDEX_BYTES = 8,
	RUN_BYTES_MAX = 1024 * 1024, /* of leaves in one call: a moment of reading */
};

/* One log's tables; not every log has them all. */
struct log_tables {
	struct log_name log;
	struct table events, tiles, checkpoints;
};

struct store_source {
	struct store *store;
	bool owned;
	size_t count;
	struct log_tables logs[LOGS_MAX + 1];
	bool has_cosigned, has_duties;
	struct table cosigned, duties;
	struct buf copy; /* of the leaves given last */
};

static struct store_source *store_of(struct source *s)
{
	return s->context;
}

static struct bytes index_key(uint64_t index, uint8_t key[static INDEX_BYTES])
{
	for (size_t i = 0; i < INDEX_BYTES; i++)
		key[i] = (uint8_t)(index >> (8 * (INDEX_BYTES - 1 - i)));
	return bytes_of(key, INDEX_BYTES);
}

static uint64_t key_index(struct bytes key)
{
	struct cursor c = cursor_of(key);

	return cursor_u64be(&c);
}

/* ---- finding logs ---- */

static struct log_tables *known(struct store_source *x, struct log_name log)
{
	for (size_t i = 0; i < x->count; i++)
		if (log_name_equal(x->logs[i].log, log))
			return &x->logs[i];
	return NULL;
}

static enum err table_of(struct store_source *x, struct log_name log, const char *part,
			 struct table *ret)
{
	char name[TABLE_NAME_BYTES];

	(void)snprintf(name, sizeof name, "%s.%s", log.text, part);
	return store_table(x->store, name, false, ret);
}

/* Opens a log's tables when they are there and were not opened before. */
static enum err look_for(struct store_source *x, struct log_name log, struct log_tables **ret)
{
	struct log_tables *found = known(x, log);
	struct log_tables new = {.log = log};
	enum err e = ERR_OK;

	*ret = found;
	if (found)
		return ERR_OK;
	e = table_of(x, log, "events", &new.events);
	if (e == ERR_OK)
		e = table_of(x, log, "tiles", &new.tiles);
	if (e == ERR_OK)
		e = table_of(x, log, "checkpoints", &new.checkpoints);
	if (e != ERR_OK)
		return e;
	if (x->count == sizeof x->logs / sizeof *x->logs)
		return ERR_LIMIT;
	x->logs[x->count] = new;
	*ret = &x->logs[x->count++];
	return ERR_OK;
}

static enum err look_for_text(struct store_source *x, const char *text)
{
	struct log_tables *found = NULL;
	struct log_name log;
	enum err e = log_name_parse(bytes_of_text(text), &log);

	if (e == ERR_OK)
		e = look_for(x, log, &found);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* A store does not list its tables: every name that a log can have is tried. */
static enum err look_for_all(struct store_source *x)
{
	char text[LOG_NAME_BYTES];
	enum err e = look_for_text(x, "national");

	for (int region = 0; e == ERR_OK && region < REGION_COUNT; region++) {
		e = look_for_text(x, region_at(region)->code);
		for (unsigned n = 2; e == ERR_OK && n <= LOGS_MAX; n++) {
			(void)snprintf(text, sizeof text, "%s/%u", region_at(region)->code, n);
			e = look_for_text(x, text);
		}
	}
	return e;
}

/* The tables that only some stores have. */
static enum err look_for_others(struct store_source *x)
{
	struct log_name national;
	enum err e = log_name_parse(bytes_of_text("national"), &national);

	if (e == ERR_OK && !x->has_cosigned) {
		e = cosigned_open(x->store, false, &x->cosigned);
		x->has_cosigned = e == ERR_OK;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	/* A server's table of this name has another form; its acts are in its national log. */
	if (e == ERR_OK && !x->has_duties && !known(x, national)) {
		e = store_table(x->store, "redacted", false, &x->duties);
		x->has_duties = e == ERR_OK;
		e = e == ERR_NOT_FOUND ? ERR_OK : e;
	}
	return e;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct log_name *)a)->text, ((const struct log_name *)b)->text);
}

static enum err store_names(struct source *s, struct source_names *ret)
{
	struct store_source *x = store_of(s);
	enum err e = look_for_all(x);

	if (e == ERR_OK)
		e = look_for_others(x);
	if (e != ERR_OK)
		return e;
	ret->count = x->count;
	for (size_t i = 0; i < x->count; i++)
		ret->items[i] = x->logs[i].log;
	/* Digits, "PL", "national": bytewise is the order promised. */
	qsort(ret->items, ret->count, sizeof *ret->items, by_name);
	return ERR_OK;
}

/* ---- checkpoints ---- */

/* The checkpoint of a size above `after`, or the newest. */
static enum err read_checkpoint(struct source *s, struct log_name log, const uint64_t *after,
				uint64_t *ret_size, struct buf *ret_note)
{
	struct store_source *x = store_of(s);
	struct log_tables *tables = NULL;
	uint8_t wanted[INDEX_BYTES];
	struct txn *read = NULL;
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes note = {NULL, 0};
	enum err e = look_for(x, log, &tables);

	if (e == ERR_OK && after && *after == UINT64_MAX)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = txn_begin(x->store, false, &read);
	if (e != ERR_OK)
		return e;
	e = scan_open(read, tables->checkpoints, &scan);
	if (e == ERR_OK)
		e = after ? scan_seek(scan, index_key(*after + 1, wanted), &key, &note)
			  : scan_last(scan, &key, &note);
	if (e == ERR_OK && (key.size != INDEX_BYTES || note.size > NOTE_BYTES_MAX))
		e = ERR_CORRUPT;
	if (e == ERR_OK) {
		buf_add_bytes(ret_note, note);
		e = buf_check(ret_note);
	}
	if (e == ERR_OK)
		*ret_size = key_index(key);
	scan_close(scan);
	txn_abort(read);
	return e;
}

static enum err store_newest(struct source *s, struct log_name log, uint64_t *ret_size,
			     struct buf *ret_note)
{
	return read_checkpoint(s, log, NULL, ret_size, ret_note);
}

static enum err store_checkpoint(struct source *s, struct log_name log, uint64_t after,
				 uint64_t *ret_size, struct buf *ret_note)
{
	return read_checkpoint(s, log, &after, ret_size, ret_note);
}

static enum err store_cosigned(struct source *s, uint64_t size, uint64_t *ret_size,
			       struct buf *ret_note)
{
	struct store_source *x = store_of(s);
	struct txn *read = NULL;
	struct bytes note = {NULL, 0};
	uint64_t found = 0;
	enum err e = look_for_others(x);

	if (e == ERR_OK && !x->has_cosigned)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = txn_begin(x->store, false, &read);
	if (e != ERR_OK)
		return e;
	e = cosigned_at(x->cosigned, read, size, &found, &note);
	if (e == ERR_OK) {
		buf_add_bytes(ret_note, note);
		e = buf_check(ret_note);
	}
	if (e == ERR_OK)
		*ret_size = found;
	txn_abort(read);
	return e;
}

/* ---- leaves and tiles ---- */

/* Copies a run of leaves; items hold offsets until the copy moves no more.  A value longer
 * than any event is cut where it is no event any more. */
static enum err copy_run(struct store_source *x, struct scan *scan, uint64_t from, uint64_t size,
			 struct source_leaves *ret)
{
	uint8_t wanted[INDEX_BYTES];
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	size_t count = 0;
	enum err e = scan_seek(scan, index_key(from, wanted), &key, &value);

	while (e == ERR_OK && key.size == INDEX_BYTES && key_index(key) == from + count) {
		if (value.size > EVENT_BYTES_MAX)
			value.size = EVENT_BYTES_MAX + 1;
		ret->items[count++] = bytes_of(NULL, value.size);
		buf_add_bytes(&x->copy, value);
		if (count == SOURCE_LEAVES_MAX || count == size - from ||
		    x->copy.size >= RUN_BYTES_MAX)
			break;
		e = scan_next(scan, &key, &value);
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	ret->count = count;
	return count ? buf_check(&x->copy) : ERR_NOT_FOUND;
}

static enum err store_leaves(struct source *s, struct log_name log, uint64_t from, uint64_t size,
			     struct source_leaves *ret)
{
	struct store_source *x = store_of(s);
	struct log_tables *tables = NULL;
	struct txn *read = NULL;
	struct scan *scan = NULL;
	size_t at = 0;
	enum err e = from < size ? look_for(x, log, &tables) : ERR_NOT_FOUND;

	if (e == ERR_OK)
		e = txn_begin(x->store, false, &read);
	if (e != ERR_OK)
		return e;
	buf_clear(&x->copy);
	e = scan_open(read, tables->events, &scan);
	if (e == ERR_OK)
		e = copy_run(x, scan, from, size, ret);
	scan_close(scan);
	txn_abort(read);
	for (size_t i = 0; e == ERR_OK && i < ret->count; i++) {
		ret->items[i].data = x->copy.data + at;
		at += ret->items[i].size;
	}
	return e;
}

static enum err store_tile(struct source *s, struct log_name log, struct tile_id id, unsigned width,
			   struct buf *ret)
{
	struct store_source *x = store_of(s);
	struct log_tables *tables = NULL;
	uint8_t key[1 + INDEX_BYTES];
	struct txn *read = NULL;
	struct bytes hashes = {NULL, 0};
	enum err e = id.level < TREE_LEVELS_MAX ? look_for(x, log, &tables) : ERR_NOT_FOUND;

	if (e == ERR_OK)
		e = txn_begin(x->store, false, &read);
	if (e != ERR_OK)
		return e;
	key[0] = (uint8_t)id.level;
	(void)index_key(id.number, key + 1);
	e = txn_get(read, tables->tiles, bytes_of(key, sizeof key), &hashes);
	if (e == ERR_OK && (hashes.size > TILE_BYTES || hashes.size % HASH_BYTES))
		e = ERR_CORRUPT;
	if (e == ERR_OK && hashes.size < (size_t)width * HASH_BYTES)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK) {
		buf_add_bytes(ret, hashes);
		e = buf_check(ret);
	}
	txn_abort(read);
	return e;
}

/* ---- what a store does not say ---- */

/* Its keys are in its national log, or in a keys file beside it. */
static enum err store_keys(struct source *s, struct log_name log, struct buf *ret)
{
	(void)s;
	(void)log;
	(void)ret;
	return ERR_NOT_FOUND;
}

static enum err store_policy(struct source *s, struct buf *ret)
{
	(void)s;
	(void)ret;
	return ERR_NOT_FOUND;
}

/* A node's table "redacted": index -> leaf hash ‖ entry. */
static enum err store_duty(struct source *s, struct log_name log, uint64_t from,
			   uint64_t *ret_index, struct buf *ret_entry)
{
	struct store_source *x = store_of(s);
	uint8_t wanted[INDEX_BYTES];
	struct txn *read = NULL;
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = look_for_others(x);

	if (e == ERR_OK && (!x->has_duties || !known(x, log)))
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = txn_begin(x->store, false, &read);
	if (e != ERR_OK)
		return e;
	e = scan_open(read, x->duties, &scan);
	if (e == ERR_OK)
		e = scan_seek(scan, index_key(from, wanted), &key, &value);
	if (e == ERR_OK && (key.size != INDEX_BYTES || value.size < HASH_BYTES))
		e = ERR_CORRUPT;
	if (e == ERR_OK) {
		buf_add(ret_entry, value.data + HASH_BYTES, value.size - HASH_BYTES);
		e = buf_check(ret_entry);
	}
	if (e == ERR_OK)
		*ret_index = key_index(key);
	scan_close(scan);
	txn_abort(read);
	return e;
}

/* size of the first note, 4 bytes; both notes. */
static enum err split_evidence(struct bytes value, struct buf *ret_note, struct buf *ret_other)
{
	struct cursor c = cursor_of(value);
	struct bytes note = cursor_bytes(&c, cursor_u32be(&c));
	struct bytes other = cursor_bytes(&c, cursor_left(&c));
	enum err e = cursor_finish(&c);

	if (e != ERR_OK || note.size > NOTE_BYTES_MAX || other.size > NOTE_BYTES_MAX)
		return ERR_CORRUPT;
	buf_clear(ret_note);
	buf_clear(ret_other);
	buf_add_bytes(ret_note, note);
	buf_add_bytes(ret_other, other);
	e = buf_check(ret_note);
	return e == ERR_OK ? buf_check(ret_other) : e;
}

static enum err store_evidence(struct source *s, struct buf *key, struct buf *ret_note,
			       struct buf *ret_other)
{
	struct store_source *x = store_of(s);
	struct table table;
	struct txn *read = NULL;
	struct scan *scan = NULL;
	struct bytes found = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = store_table(x->store, "evidence", false, &table);

	if (e == ERR_OK)
		e = txn_begin(x->store, false, &read);
	if (e != ERR_OK)
		return e;
	e = scan_open(read, table, &scan);
	if (e == ERR_OK)
		e = scan_seek(scan, buf_bytes(key), &found, &value);
	if (e == ERR_OK && key->size && bytes_equal(found, buf_bytes(key)))
		e = scan_next(scan, &found, &value);
	if (e == ERR_OK)
		e = split_evidence(value, ret_note, ret_other);
	if (e == ERR_OK) {
		buf_clear(key);
		buf_add_bytes(key, found);
		e = buf_check(key);
	}
	scan_close(scan);
	txn_abort(read);
	return e;
}

/* ---- opening ---- */

static void store_source_close(struct source *s)
{
	struct store_source *x = store_of(s);

	if (x->owned)
		store_close(x->store);
	buf_free(&x->copy);
	free(x);
}

static const struct source_ops store_ops = {
	.names = store_names,
	.newest = store_newest,
	.leaves = store_leaves,
	.tile = store_tile,
	.checkpoint = store_checkpoint,
	.cosigned = store_cosigned,
	.keys = store_keys,
	.policy = store_policy,
	.duty = store_duty,
	.evidence = store_evidence,
	.close = store_source_close,
};

/* NOT_FOUND when the store holds no log. */
static enum err open_source(struct store *store, bool owned, const char *what, struct source *ret)
{
	struct store_source *x = calloc(1, sizeof *x);
	enum err e = x ? ERR_OK : ERR_NOMEM;

	if (e == ERR_OK) {
		x->store = store;
		x->owned = owned;
		e = look_for_all(x);
		if (e == ERR_OK && x->count == 0)
			e = ERR_NOT_FOUND;
	}
	if (e != ERR_OK) {
		free(x);
		return e;
	}
	*ret = (struct source){.ops = &store_ops, .context = x};
	(void)snprintf(ret->what, sizeof ret->what, "%s", what);
	return ERR_OK;
}

enum err source_of_store(struct store *store, const char *what, struct source *ret)
{
	return open_source(store, false, what, ret);
}

static bool has_data(const char *folder, const char *sub, char path[static PATH_BYTES_MAX])
{
	struct stat st;
	int n = snprintf(path, PATH_BYTES_MAX, "%s%s/data.mdb", folder, sub);

	if (n < 0 || n >= PATH_BYTES_MAX || stat(path, &st) != 0)
		return false;
	path[n - (int)strlen("/data.mdb")] = '\0';
	return true;
}

enum err source_open_store(const char *folder, struct source *ret)
{
	struct store_options options = {.read_only = true};
	char path[PATH_BYTES_MAX];
	struct store *store = NULL;
	enum err e = ERR_OK;

	if (!has_data(folder, "/logs", path) && !has_data(folder, "", path))
		return ERR_NOT_FOUND;
	e = store_open(path, &options, &store);
	if (e == ERR_OK)
		e = open_source(store, true, path, ret);
	if (e != ERR_OK)
		store_close(store);
	return e;
}
