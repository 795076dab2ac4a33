#include "ledger/rows.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "ledger/answer.h"
#include "ledger/log.h"

enum {
	/* Room that the rest of a reply takes beside its rows. */
	REPLY_SLACK_BYTES = 4 * 1024,
	ROWS_BYTES_MAX = CONTROL_BYTES_MAX - REPLY_SLACK_BYTES,
	ROW_BYTES = 24, /* of one row beside key and value */
	TABLE_NAME_BYTES = LOG_NAME_BYTES + 16,
};

static const char *const log_tables[] = {"events", "tiles", "checkpoints", "cosigned", "redacted"};
static const char *const view_tables[] = {"records", "versions", "changes", "times", "view"};

static const char *one_of(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (name && strcmp(name, names[i]) == 0)
			return names[i];
	return NULL;
}

static bool asks_view(const struct control_request *q)
{
	return q->name && strcmp(q->name, ROWS_OF_VIEW) == 0;
}

/* The first row in the direction asked for. */
static enum err first_row(struct scan *c, const struct control_request *q, struct bytes *ret_key,
			  struct bytes *ret_value)
{
	enum err e = ERR_OK;

	if (!q->after_key.size)
		return q->reverse ? scan_last(c, ret_key, ret_value)
				  : scan_next(c, ret_key, ret_value);
	e = scan_seek(c, q->after_key, ret_key, ret_value);
	if (q->reverse)
		return e == ERR_OK || e == ERR_NOT_FOUND ? scan_prev(c, ret_key, ret_value) : e;
	if (e == ERR_OK && bytes_equal(*ret_key, q->after_key))
		e = scan_next(c, ret_key, ret_value);
	return e;
}

static enum err read_rows(struct scan *c, const struct control_request *q, struct arena *arena,
			  struct control_reply *ret)
{
	size_t limit = q->limit && q->limit < QUERY_ROWS_MAX ? q->limit : QUERY_ROWS_MAX;
	struct stored_row *rows = arena_alloc(arena, limit * sizeof *rows);
	struct bytes key, value;
	size_t bytes = 0;
	size_t count = 0;
	enum err e = rows ? first_row(c, q, &key, &value) : ERR_NOMEM;

	while (e == ERR_OK) {
		bytes += ROW_BYTES + key.size + value.size;
		if (count == limit || (count > 0 && bytes > ROWS_BYTES_MAX)) {
			ret->more = true;
			break;
		}
		e = arena_bytes(arena, key, &rows[count].key);
		if (e == ERR_OK)
			e = arena_bytes(arena, value, &rows[count].value);
		if (e != ERR_OK)
			return e;
		count++;
		e = q->reverse ? scan_prev(c, &key, &value) : scan_next(c, &key, &value);
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	ret->rows = rows;
	ret->row_count = count;
	return ERR_OK;
}

static enum err open_view_table(struct store *s, const struct control_request *q, struct table *ret)
{
	const char *table = one_of(view_tables, sizeof view_tables / sizeof *view_tables, q->table);

	return table ? store_table(s, table, false, ret) : ERR_ARGUMENT;
}

static enum err open_table(struct store *s, const struct control_request *q, struct table *ret)
{
	char name[TABLE_NAME_BYTES];
	struct log_name log;
	const char *table = one_of(log_tables, sizeof log_tables / sizeof *log_tables, q->table);
	enum err e = log_name_parse(bytes_of_text(q->name ? q->name : ""), &log);

	if (asks_view(q))
		return open_view_table(s, q, ret);
	if (e != ERR_OK || !table)
		return ERR_ARGUMENT;
	if (strcmp(table, "redacted") == 0) /* a node has one log, and this beside it */
		return store_table(s, table, false, ret);
	(void)snprintf(name, sizeof name, "%s.%s", log.text, table);
	return store_table(s, name, false, ret);
}

enum err rows_answer(struct store *s, const struct control_request *q, struct arena *arena,
		     struct control_reply *ret)
{
	struct txn *read = NULL;
	struct scan *scan = NULL;
	struct table table;
	enum err e = open_table(s, q, &table);

	*ret = answer_plain(ERR_OK, "");
	if (e == ERR_ARGUMENT || e == ERR_NOT_FOUND) {
		*ret = answer_plain(e, e == ERR_ARGUMENT
					       ? "no log has such a table: events, tiles, "
						 "checkpoints, cosigned and redacted are "
						 "known; of the view: records, versions, "
						 "changes, times, view"
					       : "that log, or that table of it, is not here");
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = txn_begin(s, false, &read);
	if (e == ERR_OK)
		e = scan_open(read, table, &scan);
	if (e == ERR_OK)
		e = read_rows(scan, q, arena, ret);
	scan_close(scan);
	txn_abort(read);
	if (e != ERR_OK)
		*ret = answer_plain(e, err_text(e));
	return e;
}
