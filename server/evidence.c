#include "server/evidence.h"

#include <string.h>

enum { NUMBER_BYTES = 8, EVIDENCE_ROWS_MAX = 256, REPLY_BYTES_MAX = CONTROL_BYTES_MAX / 2 };

enum err evidence_open(struct evidence *v, struct store *s)
{
	return store_table(s, "evidence", true, &v->table);
}

static enum err key_of(struct log_name log, const uint64_t *number, struct buf *ret)
{
	buf_add_text(ret, log.text);
	buf_add_u8(ret, 0);
	if (number)
		buf_add_u64be(ret, *number);
	return buf_check(ret);
}

enum err evidence_put(const struct evidence *v, struct txn *write, struct log_name log,
		      uint64_t number, struct bytes note, struct bytes other)
{
	struct buf key = {.data = NULL};
	struct buf value = {.data = NULL};
	enum err e = note.size > NOTE_BYTES_MAX || other.size > NOTE_BYTES_MAX ? ERR_LIMIT : ERR_OK;

	buf_add_u32be(&value, (uint32_t)note.size);
	buf_add_bytes(&value, note);
	buf_add_bytes(&value, other);
	if (e == ERR_OK)
		e = key_of(log, &number, &key);
	if (e == ERR_OK)
		e = buf_check(&value);
	if (e == ERR_OK)
		e = txn_put(write, v->table, buf_bytes(&key), buf_bytes(&value));
	buf_free(&key);
	buf_free(&value);
	return e;
}

enum err evidence_against(const struct evidence *v, struct txn *read, struct log_name log,
			  bool *ret)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	struct buf prefix = {.data = NULL};
	enum err e = key_of(log, NULL, &prefix);

	if (e == ERR_OK)
		e = scan_open(read, v->table, &scan);
	if (e == ERR_OK)
		e = scan_seek(scan, buf_bytes(&prefix), &key, &value);
	if (e == ERR_OK)
		*ret = key.size > prefix.size && memcmp(key.data, prefix.data, prefix.size) == 0;
	else if (e == ERR_NOT_FOUND)
		*ret = false;
	scan_close(scan);
	buf_free(&prefix);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- the answer ---- */

/* When the entry of the freeze was recorded; a note of our own log has none. */
static uint64_t time_of(const struct log *national, struct txn *read, const struct evidence_row *r)
{
	struct bytes entry = {NULL, 0};
	struct wall_ms at = {0};

	if (strcmp(r->log, national->name.text) == 0 ||
	    log_event(national, read, r->index, &entry) != ERR_OK ||
	    recorded_time(entry, &at) != ERR_OK)
		return 0;
	return at.ms > 0 ? (uint64_t)at.ms : 0;
}

static enum err row_of(struct bytes key, struct bytes value, struct arena *arena,
		       struct evidence_row *ret)
{
	struct cursor k = cursor_of(key);
	struct cursor v = cursor_of(value);
	size_t name = key.size > NUMBER_BYTES ? key.size - NUMBER_BYTES - 1 : 0;
	struct evidence_row row = {.server = ""};
	enum err e = ERR_OK;

	row.log = arena_text(arena, cursor_bytes(&k, name));
	(void)cursor_u8(&k);
	row.index = cursor_u64be(&k);
	row.note = cursor_bytes(&v, cursor_u32be(&v));
	row.other = cursor_bytes(&v, cursor_left(&v));
	if (!row.log)
		return ERR_NOMEM;
	if (cursor_finish(&k) != ERR_OK || cursor_finish(&v) != ERR_OK)
		return ERR_CORRUPT;
	e = arena_bytes(arena, row.note, &row.note);
	if (e == ERR_OK)
		e = arena_bytes(arena, row.other, &row.other);
	if (e == ERR_OK)
		*ret = row;
	return e;
}

enum err evidence_answer(const struct evidence *v, struct txn *read, const struct log *national,
			 const struct control_request *q, struct arena *arena,
			 struct control_reply *ret)
{
	struct evidence_row *rows = arena_alloc(arena, EVIDENCE_ROWS_MAX * sizeof *rows);
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	size_t bytes = 0;
	size_t count = 0;
	enum err e = rows ? scan_open(read, v->table, &scan) : ERR_NOMEM;

	if (e != ERR_OK)
		return e;
	for (e = scan_seek(scan, q->after_key, &key, &value); e == ERR_OK;
	     e = scan_next(scan, &key, &value)) {
		if (bytes_equal(key, q->after_key))
			continue;
		bytes += key.size + value.size;
		ret->more = count == EVIDENCE_ROWS_MAX || (count > 0 && bytes > REPLY_BYTES_MAX);
		if (ret->more)
			break;
		e = row_of(key, value, arena, &rows[count]);
		if (e != ERR_OK)
			break;
		rows[count].at_ms = time_of(national, read, &rows[count]);
		count++;
	}
	scan_close(scan);
	ret->evidence = rows;
	ret->evidence_count = count;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
