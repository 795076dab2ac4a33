/* One moment of a store brought into its copy. */
#include "audit/backup_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

static const char SCRUB_TABLE[] = "scrub";
static const char SCRUB_KEY[] = "pending";

struct bytes backup_index_key(uint64_t index, uint8_t key[static BACKUP_INDEX_BYTES])
{
	for (size_t i = 0; i < BACKUP_INDEX_BYTES; i++)
		key[i] = (uint8_t)(index >> (8 * (BACKUP_INDEX_BYTES - 1 - i)));
	return bytes_of(key, BACKUP_INDEX_BYTES);
}

/* ---- telling ---- */

enum err backup_failed(struct backup *b, struct log_name log, uint64_t at, const char *why,
		       enum err e)
{
	b->report->failed = log;
	b->report->failed_at = at;
	b->report->why = why;
	return e;
}

enum err backup_copy_failed(struct backup *b, struct log_name log, enum err e)
{
	b->report->copy_failed = true;
	return backup_failed(b, log, 0, "the backup's own", e);
}

/* ---- which logs and tables there are ---- */

struct backup_pair *backup_pair(struct backup *b, struct log_name log)
{
	for (size_t i = 0; i < b->pair_count; i++)
		if (log_name_equal(b->pairs[i]->from.name, log))
			return b->pairs[i];
	return NULL;
}

struct backup_pair *backup_followed(struct backup *b)
{
	if (b->pair_count == 0)
		return NULL;
	return b->pairs[b->pair_count - 1]->national ? b->pairs[b->pair_count - 1] : b->pairs[0];
}

struct names {
	size_t count;
	char items[STORE_TABLES][BACKUP_TABLE_NAME_BYTES];
};

static enum err take_name(void *context, const char *name)
{
	struct names *n = context;

	if (n->count == STORE_TABLES || strlen(name) >= BACKUP_TABLE_NAME_BYTES)
		return ERR_LIMIT;
	(void)snprintf(n->items[n->count++], BACKUP_TABLE_NAME_BYTES, "%s", name);
	return ERR_OK;
}

static enum err list_in(struct txn *t, struct names *ret)
{
	ret->count = 0;
	return txn_tables(t, ret, take_name);
}

static enum err list(struct store *s, struct names *ret)
{
	struct txn *t = NULL;
	enum err e = txn_begin(s, false, &t);

	if (e == ERR_OK)
		e = list_in(t, ret);
	txn_abort(t);
	return e;
}

static bool has_name(const struct names *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++)
		if (strcmp(n->items[i], name) == 0)
			return true;
	return false;
}

/* Names come in order, digits before "PL" before "national": pairs keep it. */
static enum err add_pair(struct backup *b, struct log_name log)
{
	struct backup_pair *p = NULL;
	enum err e = ERR_OK;

	if (backup_pair(b, log))
		return ERR_OK; /* met by another table of its */
	if (b->pair_count == LOGS_MAX + 1)
		return ERR_LIMIT;
	p = calloc(1, sizeof *p);
	if (!p)
		return ERR_NOMEM;
	p->national = strcmp(log.text, "national") == 0;
	e = log_open(b->from, log, false, &p->from);
	if (e != ERR_OK) {
		e = backup_failed(b, log, 0, "its newest checkpoint, its events and its tiles",
				  e == ERR_NOT_FOUND ? ERR_CORRUPT : e);
	} else {
		e = log_open(b->to, log, false, &p->to);
		p->fresh = e == ERR_NOT_FOUND;
		if (p->fresh)
			e = ERR_OK;
		else if (e != ERR_OK)
			e = backup_copy_failed(b, log, e);
	}
	if (e != ERR_OK) {
		free(p);
		return e;
	}
	p->row = &b->report->logs[b->pair_count];
	*p->row = (struct backup_log){.log = log};
	b->pairs[b->pair_count++] = p;
	b->report->log_count = b->pair_count;
	return ERR_OK;
}

static enum err add_rows(struct backup *b, const char *name, bool gone)
{
	struct backup_rows *r = &b->rows[b->rows_count];
	enum err e = ERR_OK;

	if (b->rows_count == BACKUP_TABLES_MAX)
		return ERR_LIMIT;
	*r = (struct backup_rows){.gone = gone};
	(void)snprintf(r->name, sizeof r->name, "%s", name);
	if (!gone)
		e = store_table(b->from, name, false, &r->from);
	if (e != ERR_OK)
		return e;
	e = store_table(b->to, name, false, &r->to);
	r->fresh = e == ERR_NOT_FOUND;
	if (e != ERR_OK && !r->fresh)
		return e;
	b->rows_count++;
	if (!gone && strcmp(name, "redacted") == 0) {
		b->has_redacted = true;
		b->redacted = r->from;
	}
	return ERR_OK;
}

static void note_unknown(struct backup_report *r, const char *name)
{
	if (r->unknown_count < BACKUP_UNKNOWN_TOLD)
		(void)snprintf(r->unknown[r->unknown_count], BACKUP_TABLE_NAME_BYTES, "%s", name);
	r->unknown_count++;
}

static enum err open_source(struct backup *b, const struct names *names)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < names->count; i++) {
		struct log_name log;

		switch (backup_kind_of(names->items[i], &log)) {
		case BACKUP_LOG:
			e = add_pair(b, log);
			break;
		case BACKUP_UNKNOWN:
			note_unknown(b->report, names->items[i]);
			e = add_rows(b, names->items[i], false);
			break;
		case BACKUP_ROWS:
			e = add_rows(b, names->items[i], false);
			break;
		case BACKUP_OWN:
		case BACKUP_VIEW:
			break;
		}
	}
	return e;
}

/* A log that only the copy has. */
static enum err check_left(struct backup *b, struct log_name log)
{
	struct log *l = NULL;
	uint64_t size = 0;
	enum err e = ERR_OK;

	if (backup_pair(b, log))
		return ERR_OK;
	l = calloc(1, sizeof *l);
	if (!l)
		return ERR_NOMEM;
	e = log_open(b->to, log, false, l);
	size = l->edge.size;
	free(l);
	if (e == ERR_NOT_FOUND) /* a kill came while its tables were made */
		return ERR_OK;
	if (e != ERR_OK)
		return backup_copy_failed(b, log, e);
	return size == 0
		       ? ERR_OK
		       : backup_failed(b, log, 0, "the backup holds this log, the source does not",
				       ERR_ROLLBACK);
}

static enum err open_copy(struct backup *b, const struct names *source, struct names *scratch)
{
	enum err e = list(b->to, scratch);

	for (size_t i = 0; e == ERR_OK && i < scratch->count; i++) {
		const char *name = scratch->items[i];
		struct log_name log;
		enum backup_kind kind = backup_kind_of(name, &log);

		if (kind == BACKUP_LOG)
			e = check_left(b, log);
		else if ((kind == BACKUP_ROWS || kind == BACKUP_UNKNOWN) && !has_name(source, name))
			e = add_rows(b, name, true);
	}
	return e;
}

static enum err open_tables(struct backup *b)
{
	struct names *source = calloc(1, sizeof *source);
	struct names *now = calloc(1, sizeof *now);
	enum err e = source && now ? list(b->from, source) : ERR_NOMEM;

	if (e == ERR_OK)
		e = open_source(b, source);
	if (e == ERR_OK)
		e = open_copy(b, source, now);
	/* Tables are opened before reading begins: one that came meanwhile asks for another try. */
	if (e == ERR_OK)
		e = txn_begin(b->from, false, &b->read);
	b->renewed_us = mono_us();
	if (e == ERR_OK)
		e = list_in(b->read, now);
	if (e == ERR_OK && now->count != source->count)
		e = ERR_AGAIN;
	free(source);
	free(now);
	return e;
}

/* What the copy lacks is made when nothing speaks against copying any more: tables without rows,
 * each by itself. */
static enum err make_tables(struct backup *b)
{
	enum err e = store_table(b->to, SCRUB_TABLE, true, &b->scrub);

	for (size_t i = 0; e == ERR_OK && i < b->pair_count; i++)
		if (b->pairs[i]->fresh)
			e = log_open(b->to, b->pairs[i]->from.name, true, &b->pairs[i]->to);
	for (size_t i = 0; e == ERR_OK && i < b->rows_count; i++)
		if (b->rows[i].fresh)
			e = store_table(b->to, b->rows[i].name, true, &b->rows[i].to);
	return e;
}

/* ---- writing ---- */

enum err backup_wrote(struct backup *b, size_t bytes)
{
	struct txn *t = b->write;
	enum err e = ERR_OK;

	b->report->rows_written++;
	b->report->bytes_written += bytes;
	b->part_bytes += bytes;
	if (b->part_bytes < BACKUP_PART_BYTES)
		return ERR_OK;
	if (!b->options->in_parts)
		return ERR_LIMIT;
	b->part_bytes = 0;
	b->write = NULL;
	e = txn_commit(t);
	return e == ERR_OK ? txn_begin(b->to, true, &b->write) : e;
}

/* ---- small tables ---- */

static enum err put_changed(struct backup *b, const struct backup_rows *r)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	struct bytes copied = {NULL, 0};
	enum err e = scan_open(b->read, r->from, &scan);

	if (e == ERR_OK)
		e = scan_next(scan, &key, &value);
	while (e == ERR_OK) {
		b->report->rows_read++;
		e = txn_get(b->write, r->to, key, &copied);
		if (e == ERR_NOT_FOUND || (e == ERR_OK && !bytes_equal(copied, value))) {
			e = txn_put(b->write, r->to, key, value);
			if (e == ERR_OK)
				e = backup_wrote(b, key.size + value.size);
		}
		if (e == ERR_OK)
			e = scan_next(scan, &key, &value);
	}
	scan_close(scan);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Keys of rows that the source has no more, each behind its size; the scan ends before anything is
 * deleted. */
static enum err find_gone(struct backup *b, const struct backup_rows *r, struct buf *ret)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = scan_open(b->write, r->to, &scan);

	if (e == ERR_OK)
		e = scan_next(scan, &key, &value);
	while (e == ERR_OK) {
		e = txn_get(b->read, r->from, key, &value);
		if (e == ERR_NOT_FOUND) {
			buf_add_u16be(ret, (uint16_t)key.size);
			buf_add_bytes(ret, key);
			e = ERR_OK;
		}
		if (e == ERR_OK)
			e = scan_next(scan, &key, &value);
	}
	scan_close(scan);
	return e == ERR_NOT_FOUND ? buf_check(ret) : e;
}

static enum err delete_gone(struct backup *b, const struct backup_rows *r)
{
	struct buf keys = {.data = NULL};
	struct cursor c;
	enum err e = find_gone(b, r, &keys);

	c = cursor_of(buf_bytes(&keys));
	while (e == ERR_OK && cursor_left(&c) > 0) {
		struct bytes key = cursor_bytes(&c, cursor_u16be(&c));

		e = txn_delete(b->write, r->to, key);
		if (e == ERR_OK)
			e = backup_wrote(b, key.size);
	}
	buf_free(&keys);
	return e;
}

static enum err copy_rows(struct backup *b)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < b->rows_count; i++) {
		const struct backup_rows *r = &b->rows[i];

		if (r->gone) {
			e = txn_clear(b->write, r->to);
			continue;
		}
		e = put_changed(b, r);
		if (e == ERR_OK)
			e = delete_gone(b, r);
	}
	return e;
}

/* ---- all of it ---- */

static enum err fix(struct backup *b)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < b->pair_count; i++)
		e = backup_fix_log(b, b->pairs[i]);
	return e == ERR_OK ? backup_redactions(b, &b->redactions) : e;
}

static enum err copy_logs(struct backup *b)
{
	const struct backup_pair *followed = backup_followed(b);
	enum err e = ERR_OK;

	/* Regions first: then every checkpoint that the national log accepts is there. */
	for (size_t i = 0; e == ERR_OK && i < b->pair_count; i++)
		e = backup_copy_log(b, b->pairs[i]);
	for (size_t i = 0; e == ERR_OK && followed && followed->national && i < b->pair_count;
	     i++) {
		const struct backup_pair *p = b->pairs[i];

		if (!p->national && p->size > p->row->before && p->accepted != p->size)
			e = backup_failed(b, p->from.name, p->accepted,
					  "no national entry accepted what comes from here on",
					  ERR_CORRUPT);
	}
	return e;
}

static enum err ask_scrub(struct backup *b)
{
	return b->report->erased
		       ? txn_put(b->write, b->scrub, bytes_of_text(SCRUB_KEY), bytes_of("", 0))
		       : ERR_OK;
}

/* What was erased while reading went on would be missing here and stand in no table. */
static enum err check_redactions(struct backup *b)
{
	struct tree now;
	enum err e = txn_renew(b->read);

	if (e == ERR_OK)
		e = backup_redactions(b, &now);
	if (e == ERR_OK && !hash_equal(tree_root(&now), tree_root(&b->redactions)))
		e = ERR_AGAIN;
	return e;
}

static enum err copy(struct backup *b)
{
	struct txn *t = NULL;
	enum err e = open_tables(b);

	if (e == ERR_OK)
		e = fix(b);
	if (e == ERR_OK)
		e = make_tables(b);
	if (e == ERR_OK)
		e = txn_begin(b->to, true, &b->write);
	if (e == ERR_OK)
		e = copy_rows(b);
	if (e == ERR_OK)
		e = backup_erase(b);
	if (e == ERR_OK)
		e = ask_scrub(b);
	if (e == ERR_OK)
		e = copy_logs(b);
	if (e == ERR_OK)
		e = check_redactions(b);
	if (e != ERR_OK)
		return e;
	t = b->write;
	b->write = NULL;
	return txn_commit(t);
}

enum err backup_copy(struct store *from, struct store *to, const struct backup_options *options,
		     struct backup_report *ret)
{
	struct backup *b = calloc(1, sizeof *b);
	enum err e = b ? ERR_OK : ERR_NOMEM;

	*ret = (struct backup_report){.why = ""};
	if (e == ERR_OK) {
		b->from = from;
		b->to = to;
		b->options = options;
		b->report = ret;
		e = copy(b);
		txn_abort(b->write);
		txn_abort(b->read);
		for (size_t i = 0; i < b->pair_count; i++) {
			buf_free(&b->pairs[i]->note);
			free(b->pairs[i]);
		}
		arena_free(&b->arena);
	}
	free(b);
	if (e == ERR_DISK_FULL || e == ERR_MAP_FULL || e == ERR_SYNC)
		ret->copy_failed = true;
	return e;
}

/* ---- scrubbing ---- */

enum err backup_scrub_waits(struct store *copy, bool *ret)
{
	struct txn *t = NULL;
	struct table table;
	struct bytes value = {NULL, 0};
	enum err e = store_table(copy, SCRUB_TABLE, false, &table);

	if (e == ERR_OK)
		e = txn_begin(copy, false, &t);
	if (e == ERR_OK)
		e = txn_get(t, table, bytes_of_text(SCRUB_KEY), &value);
	txn_abort(t);
	*ret = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err backup_scrubbed(struct store *copy)
{
	struct txn *t = NULL;
	struct table table;
	enum err e = store_table(copy, SCRUB_TABLE, false, &table);

	if (e == ERR_OK)
		e = txn_begin(copy, true, &t);
	if (e == ERR_OK)
		e = txn_delete(t, table, bytes_of_text(SCRUB_KEY));
	if (e == ERR_OK)
		return txn_commit(t);
	txn_abort(t);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
