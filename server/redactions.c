#include "server/redactions.h"

#include <string.h>
#include <time.h>

#include "server/folder.h"

enum {
	ACT_BYTES = 8,
	/* Another program may be reading the store: a verification renews every 50 ms. */
	SCRUB_TRIES = 50,
	SCRUB_WAIT_MS = 100,
};

static const char PENDING_KEY[] = "pending";

/* ---- the table ---- */

static enum err key_of(struct log_name log, uint64_t index, struct buf *ret)
{
	buf_add_text(ret, log.text);
	buf_add_u8(ret, 0);
	buf_add_u64be(ret, index);
	return buf_check(ret);
}

/* NOT_FOUND for another log's row. */
static enum err row_read(struct log_name log, struct bytes key, struct bytes value,
			 struct redacted *ret)
{
	struct cursor k = cursor_of(key);
	struct cursor v = cursor_of(value);
	struct redacted row;

	if (!bytes_equal(cursor_bytes(&k, strlen(log.text)), bytes_of_text(log.text)) ||
	    cursor_u8(&k) != 0)
		return ERR_NOT_FOUND;
	row.index = cursor_u64be(&k);
	cursor_copy(&v, row.leaf.b, HASH_BYTES);
	row.act = cursor_u64be(&v);
	if (cursor_finish(&k) != ERR_OK || cursor_finish(&v) != ERR_OK)
		return ERR_CORRUPT;
	*ret = row;
	return ERR_OK;
}

static enum err any_row(const struct redactions *r, struct store *s, bool *ret)
{
	struct txn *read = NULL;
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = txn_begin(s, false, &read);

	if (e == ERR_OK)
		e = scan_open(read, r->events, &scan);
	if (e == ERR_OK)
		e = scan_next(scan, &key, &value);
	scan_close(scan);
	txn_abort(read);
	*ret = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err redactions_open(struct redactions *r, struct store *s)
{
	enum err e = store_table(s, "redacted", true, &r->events);

	if (e == ERR_OK)
		e = store_table(s, "scrub", true, &r->scrub);
	return e == ERR_OK ? any_row(r, s, &r->any) : e;
}

enum err redactions_put(struct redactions *r, struct txn *write, struct log_name log,
			const struct redacted *what)
{
	struct buf key = {.data = NULL};
	struct buf value = {.data = NULL};
	enum err e = key_of(log, what->index, &key);

	buf_add(&value, what->leaf.b, HASH_BYTES);
	buf_add_u64be(&value, what->act);
	if (e == ERR_OK)
		e = buf_check(&value);
	if (e == ERR_OK)
		e = txn_put(write, r->events, buf_bytes(&key), buf_bytes(&value));
	buf_free(&key);
	buf_free(&value);
	r->any = true;
	return e;
}

enum err redactions_next(const struct redactions *r, struct txn *t, struct log_name log,
			 uint64_t from, struct redacted *ret)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	struct buf first = {.data = NULL};
	enum err e = key_of(log, from, &first);

	if (e == ERR_OK)
		e = scan_open(t, r->events, &scan);
	if (e == ERR_OK)
		e = scan_seek(scan, buf_bytes(&first), &key, &value);
	if (e == ERR_OK)
		e = row_read(log, key, value, ret);
	scan_close(scan);
	buf_free(&first);
	return e;
}

/* ---- scrubbing ---- */

enum err redactions_ask_scrub(const struct redactions *r, struct txn *write)
{
	return txn_put(write, r->scrub, bytes_of_text(PENDING_KEY), bytes_of("", 0));
}

static enum err is_pending(struct store *s, struct table *ret_table, bool *ret)
{
	struct txn *read = NULL;
	struct bytes value = {NULL, 0};
	enum err e = store_table(s, "scrub", false, ret_table);

	if (e == ERR_OK)
		e = txn_begin(s, false, &read);
	if (e == ERR_OK)
		e = txn_get(read, *ret_table, bytes_of_text(PENDING_KEY), &value);
	txn_abort(read);
	*ret = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err settle(struct store *s, struct table scrub)
{
	struct txn *write = NULL;
	enum err e = txn_begin(s, true, &write);

	if (e != ERR_OK)
		return e;
	e = txn_delete(write, scrub, bytes_of_text(PENDING_KEY));
	if (e == ERR_OK)
		return txn_commit(write);
	txn_abort(write);
	return e;
}

/* In a store of its own opening: is there something to do, or (`done`) it is done. */
static enum err look(const char *path, const struct store_options *options, bool done,
		     bool *ret_pending)
{
	struct store *s = NULL;
	struct table scrub = {0};
	enum err e = store_open(path, options, &s);

	if (e == ERR_OK)
		e = is_pending(s, &scrub, ret_pending);
	if (e == ERR_OK && done && *ret_pending)
		e = settle(s, scrub);
	store_close(s);
	return e;
}

static enum err compact(const char *path)
{
	const struct timespec moment = {.tv_nsec = SCRUB_WAIT_MS * 1000000L};
	enum err e = store_compact(path);

	for (int i = 0; e == ERR_BUSY && i < SCRUB_TRIES; i++) {
		(void)nanosleep(&moment, NULL);
		e = store_compact(path);
	}
	return e;
}

enum err redactions_scrub(const char *logs_path, const char *view_path,
			  const struct store_options *options, bool *ret_done, enum err *ret_waits)
{
	bool pending = false;
	enum err e = look(logs_path, options, false, &pending);

	*ret_waits = ERR_OK;
	*ret_done = false;
	if (e != ERR_OK || !pending)
		return e;
	e = folder_throw_away(view_path);
	if (e == ERR_OK)
		e = compact(logs_path);
	if (e == ERR_BUSY || e == ERR_DISK_FULL) {
		*ret_waits = e;
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = look(logs_path, options, true, &pending);
	*ret_done = e == ERR_OK;
	return e;
}
