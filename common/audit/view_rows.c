#include "audit/view_rows.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/view.h"
#include "model/control.h"

enum { PAGE_BYTES = 512 * 1024 };

struct view_rows {
	struct store *store;
	struct view view;
	struct buf copy; /* of what was given last */
	struct stored_row rows[VERIFY_PAGE_ROWS];
};

static enum err table_named(const struct view_rows *r, const char *name, struct table *ret)
{
	const struct {
		const char *name;
		struct table table;
	} tables[] = {
		{"records", r->view.records}, {"versions", r->view.versions},
		{"changes", r->view.changes}, {"times", r->view.times},
		{"view", r->view.state},
	};

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		if (strcmp(tables[i].name, name) != 0)
			continue;
		*ret = tables[i].table;
		return ERR_OK;
	}
	return ERR_ARGUMENT;
}

static enum err state(void *context, struct arena *arena, uint64_t *ret_position,
		      struct count **ret_counts, size_t *ret_count)
{
	const struct view_rows *r = context;
	struct txn *t = NULL;
	bool more = false;
	enum err e = ERR_OK;

	arena_reset(arena);
	e = txn_begin(r->store, false, &t);
	if (e == ERR_OK)
		e = view_position(&r->view, t, ret_position);
	if (e == ERR_OK)
		e = view_counts(&r->view, t, NULL, SIZE_MAX, arena, ret_counts, ret_count, &more);
	txn_abort(t);
	return e;
}

/* Rows with offsets in place of addresses, until the copy moves no more. */
static enum err copy_page(struct view_rows *r, struct scan *scan, struct bytes after,
			  size_t *ret_count)
{
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	size_t count = 0;
	enum err e = scan_seek(scan, after, &key, &value);

	if (e == ERR_OK && after.size && bytes_equal(key, after))
		e = scan_next(scan, &key, &value);
	buf_clear(&r->copy);
	while (e == ERR_OK && count < VERIFY_PAGE_ROWS && r->copy.size < PAGE_BYTES) {
		r->rows[count++] = (struct stored_row){{NULL, key.size}, {NULL, value.size}};
		buf_add_bytes(&r->copy, key);
		buf_add_bytes(&r->copy, value);
		e = scan_next(scan, &key, &value);
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*ret_count = count;
	return buf_check(&r->copy);
}

static enum err page(void *context, const char *table, struct bytes after,
		     const struct stored_row **ret, size_t *ret_count)
{
	struct view_rows *r = context;
	struct txn *t = NULL;
	struct scan *scan = NULL;
	struct table in;
	size_t at = 0;
	size_t count = 0;
	enum err e = table_named(r, table, &in);

	if (e == ERR_OK)
		e = txn_begin(r->store, false, &t);
	if (e == ERR_OK)
		e = scan_open(t, in, &scan);
	if (e == ERR_OK)
		e = copy_page(r, scan, after, &count);
	scan_close(scan);
	txn_abort(t);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < count; i++) {
		r->rows[i].key.data = r->copy.data + at;
		at += r->rows[i].key.size;
		r->rows[i].value.data = r->copy.data + at;
		at += r->rows[i].value.size;
	}
	*ret = r->rows;
	*ret_count = count;
	return ERR_OK;
}

static enum err row(void *context, const char *table, struct bytes key, struct bytes *ret)
{
	struct view_rows *r = context;
	struct txn *t = NULL;
	struct bytes value = {NULL, 0};
	struct table in;
	enum err e = table_named(r, table, &in);

	if (e == ERR_OK)
		e = txn_begin(r->store, false, &t);
	if (e == ERR_OK)
		e = txn_get(t, in, key, &value);
	if (e == ERR_OK) {
		buf_clear(&r->copy);
		buf_add_bytes(&r->copy, value);
		e = buf_check(&r->copy);
	}
	txn_abort(t);
	if (e == ERR_OK)
		*ret = buf_bytes(&r->copy);
	return e;
}

enum err view_rows_open(struct store *store, struct view_rows **ret)
{
	struct view_rows *r = calloc(1, sizeof *r);
	enum err e = r ? view_open(store, false, &r->view) : ERR_NOMEM;

	if (e != ERR_OK) {
		free(r);
		return e;
	}
	r->store = store;
	*ret = r;
	return ERR_OK;
}

void view_rows_close(struct view_rows *r)
{
	if (!r)
		return;
	buf_free(&r->copy);
	free(r);
}

struct verify_rows view_rows_functions(struct view_rows *r)
{
	return (struct verify_rows){r, state, page, row};
}
