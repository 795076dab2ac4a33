/* Opening and reading the view; view_fold.c writes it. */
#include "ledger/view.h"

#include <string.h>

#include "base/limits.h"
#include "ledger/keys.h"
#include "ledger/tally.h"
#include "ledger/view_state.h"

/* Raised whenever what the tables hold is laid out or counted in another way. */
enum { VIEW_FORMAT = 2 };

/* ---- opening ---- */

static enum err check_format(const struct view *v, struct txn *t)
{
	uint64_t format = 0;
	enum err e = state_read(v, t, STATE_FORMAT, &format);

	if (e == ERR_OK && format != VIEW_FORMAT)
		e = ERR_VERSION;
	return e;
}

bool view_format_fits(struct bytes stored)
{
	return stored.size == INDEX_KEY_BYTES && u64_read(stored.data) == VIEW_FORMAT;
}

/* A new view says its format before anything else is in it. */
static enum err begin_format(struct store *s, const struct view *v)
{
	struct txn *t = NULL;
	enum err e = txn_begin(s, true, &t);

	if (e == ERR_OK)
		e = state_write(v, t, STATE_FORMAT, VIEW_FORMAT);
	if (e == ERR_OK)
		return txn_commit(t);
	txn_abort(t);
	return e;
}

static enum err open_tables(struct store *s, bool create, struct view *v)
{
	const struct {
		const char *name;
		struct table *table;
	} tables[] = {
		{"records", &v->records}, {"versions", &v->versions}, {"counts", &v->counts},
		{"links", &v->links},     {"changes", &v->changes},   {"times", &v->times},
		{"status", &v->status},   {"view", &v->state},
	};
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof tables / sizeof tables[0]; i++)
		e = store_table(s, tables[i].name, create, tables[i].table);
	return e;
}

/* VERSION where the table "view" alone says another format: then others may be missing. */
static enum err check_old(struct store *s, struct view *v)
{
	struct txn *t = NULL;
	enum err e = store_table(s, "view", false, &v->state);

	if (e == ERR_OK)
		e = txn_begin(s, false, &t);
	if (e != ERR_OK)
		return e;
	e = check_format(v, t);
	txn_abort(t);
	return e;
}

enum err view_open(struct store *s, bool create, struct view *ret)
{
	struct view v;
	enum err e = check_old(s, &v);

	if (e == ERR_OK || (e == ERR_NOT_FOUND && create)) {
		enum err format = e;

		e = open_tables(s, create, &v);
		if (e == ERR_OK && format == ERR_NOT_FOUND)
			e = begin_format(s, &v);
	}
	if (e == ERR_OK)
		*ret = v;
	return e;
}

enum err view_renew(struct store *s, struct view *ret)
{
	struct view v;
	struct txn *t = NULL;
	enum err e = open_tables(s, true, &v);

	if (e == ERR_OK)
		e = txn_begin(s, true, &t);
	if (e == ERR_OK)
		e = view_clear(&v, t);
	if (e == ERR_OK) {
		e = txn_commit(t);
		t = NULL;
	}
	txn_abort(t);
	if (e == ERR_OK)
		*ret = v;
	return e;
}

enum err view_clear(const struct view *v, struct txn *t)
{
	const struct table tables[] = {v->records, v->versions, v->counts, v->links,
				       v->changes, v->times,    v->state};
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof tables / sizeof tables[0]; i++)
		e = txn_clear(t, tables[i]);
	return e == ERR_OK ? state_write(v, t, STATE_FORMAT, VIEW_FORMAT) : e;
}

enum err state_read(const struct view *v, struct txn *t, const char *name, uint64_t *ret)
{
	struct bytes value = {NULL, 0};
	enum err e = txn_get(t, v->state, bytes_of_text(name), &value);

	if (e == ERR_OK && value.size != INDEX_KEY_BYTES)
		e = ERR_CORRUPT;
	if (e == ERR_OK)
		*ret = u64_read(value.data);
	return e;
}

enum err state_write(const struct view *v, struct txn *t, const char *name, uint64_t x)
{
	uint8_t raw[INDEX_KEY_BYTES];

	u64_write(raw, x);
	return txn_put(t, v->state, bytes_of_text(name), bytes_of(raw, sizeof raw));
}

enum err view_position(const struct view *v, struct txn *t, uint64_t *ret)
{
	uint64_t position = 0;
	enum err e = state_read(v, t, STATE_POSITION, &position);

	if (e == ERR_OK || e == ERR_NOT_FOUND) {
		*ret = position;
		e = ERR_OK;
	}
	return e;
}

/* ---- one record ---- */

enum err view_decode(struct bytes raw, struct arena *arena, struct version *ret)
{
	enum err e = version_decode(raw, arena, ret);

	return e == ERR_OK || e == ERR_NOMEM ? e : ERR_CORRUPT;
}

enum err view_id_text(struct bytes id, char text[static ID_BYTES_MAX + 1])
{
	if (id.size > ID_BYTES_MAX || (id.size && memchr(id.data, 0, id.size)))
		return ERR_NOT_FOUND;
	if (id.size)
		memcpy(text, id.data, id.size);
	text[id.size] = 0;
	return ERR_OK;
}

enum err view_get(const struct view *v, struct txn *t, enum record_kind kind, struct bytes id,
		  struct arena *arena, struct version *ret)
{
	char text[ID_BYTES_MAX + 1];
	struct key key;
	struct bytes raw = {NULL, 0};
	enum err e = view_id_text(id, text);

	if (e != ERR_OK)
		return e;
	key_record(&key, kind, text);
	e = txn_get(t, v->records, key_bytes(&key), &raw);
	return e == ERR_OK ? view_decode(raw, arena, ret) : e;
}

/* No version stands before (0, 0): it means that all are wanted. */
static bool is_bound(struct version_place before)
{
	return before.position || before.index;
}

enum err versions_seek(struct scan *scan, const struct key *prefix, struct version_place before,
		       struct bytes *ret_key, struct bytes *ret_value)
{
	struct key wanted = *prefix;
	enum err e = ERR_OK;

	if (is_bound(before)) {
		key_add_u64(&wanted, before.position);
		key_add_u64(&wanted, before.index);
	} else { /* 0x01 ends what begins with the prefix, which ends in 0 */
		wanted.data[wanted.size - 1] = 1;
	}
	e = scan_seek(scan, key_bytes(&wanted), ret_key, ret_value);
	if (e == ERR_NOT_FOUND)
		e = scan_last(scan, ret_key, ret_value);
	else if (e == ERR_OK)
		e = scan_prev(scan, ret_key, ret_value);
	return e;
}

bool versions_of(struct bytes key, const struct key *prefix)
{
	return key.size == prefix->size + (size_t)2 * INDEX_KEY_BYTES &&
	       memcmp(key.data, prefix->data, prefix->size) == 0;
}

/* The superseded version that was current when `at` entries had been folded. */
static enum err version_at(const struct view *v, struct txn *t, enum record_kind kind,
			   const char *id, uint64_t at, struct bytes *ret)
{
	struct scan *scan = NULL;
	struct key prefix;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = scan_open(t, v->versions, &scan);

	if (e != ERR_OK)
		return e;
	key_versions(&prefix, kind, id);
	e = versions_seek(scan, &prefix, (struct version_place){at, 0}, &key, &value);
	if (e == ERR_OK && !versions_of(key, &prefix))
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		*ret = value;
	scan_close(scan);
	return e;
}

/* From a record's current version to the one of `at`; `raw` follows. */
static enum err step_back(const struct view *v, struct txn *t, enum record_kind kind, uint64_t at,
			  struct arena *arena, struct version *version, struct bytes *raw)
{
	enum err e = ERR_OK;

	if (at == 0 || version->position < at)
		return ERR_OK;
	e = version_at(v, t, kind, version->change.id, at, raw);
	return e == ERR_OK ? view_decode(*raw, arena, version) : e;
}

enum err view_get_at(const struct view *v, struct txn *t, enum record_kind kind, struct bytes id,
		     uint64_t at, struct arena *arena, struct version *ret)
{
	struct version found;
	struct bytes raw = {NULL, 0};
	enum err e = view_get(v, t, kind, id, arena, &found);

	if (e == ERR_OK)
		e = step_back(v, t, kind, at, arena, &found, &raw);
	if (e == ERR_OK)
		*ret = found;
	return e;
}

enum err view_id_used(const struct view *v, struct txn *t, struct bytes id, bool *ret)
{
	char text[ID_BYTES_MAX + 1];
	enum err e = view_id_text(id, text);

	for (int k = RECORD_KIND_FIRST; e == ERR_OK && k <= RECORD_KIND_LAST; k++) {
		struct key key;
		struct bytes raw = {NULL, 0};

		key_record(&key, (enum record_kind)k, text);
		e = txn_get(t, v->records, key_bytes(&key), &raw);
		if (e == ERR_OK) {
			*ret = true;
			return ERR_OK;
		}
		if (e == ERR_NOT_FOUND)
			e = ERR_OK;
	}
	if (e == ERR_OK || e == ERR_NOT_FOUND) {
		*ret = false;
		e = ERR_OK;
	}
	return e;
}

/* ---- pages ---- */

/* A page being filled: versions up to a number and an encoded size. */
struct page {
	struct version *rows;
	size_t count, limit;
	size_t bytes, bytes_max;
};

/* One row always fits, so that whoever pages on comes to the end. */
static bool page_takes(const struct page *p, size_t size)
{
	return p->count < p->limit &&
	       (p->count == 0 || (size <= p->bytes_max && p->bytes <= p->bytes_max - size));
}

static void page_add(struct page *p, const struct version *v, size_t size)
{
	p->rows[p->count++] = *v;
	p->bytes += size;
}

/* What a list looks for, and where what it passes over is decoded: not in the asker's
 * arena, which would grow with the table. */
struct listing {
	const struct view *view;
	struct txn *txn;
	enum record_kind kind;
	uint64_t at;
	bool retired;
	struct arena scratch;
};

/* The version of a record to be listed, encoded; NOT_FOUND when it is passed over. */
static enum err version_listed(struct listing *l, struct bytes *raw)
{
	struct version found;
	enum err e = ERR_OK;

	arena_reset(&l->scratch);
	e = view_decode(*raw, &l->scratch, &found);
	if (e == ERR_OK)
		e = step_back(l->view, l->txn, l->kind, l->at, &l->scratch, &found, raw);
	if (e == ERR_OK && found.change.retired && !l->retired)
		e = ERR_NOT_FOUND;
	return e;
}

/* Fills a page from the records that `scan` gives from `key` on. */
static enum err fill_list(struct listing *l, struct scan *scan, struct bytes key, struct bytes raw,
			  struct arena *arena, struct page *page, bool *ret_more)
{
	enum err e = ERR_OK;

	while (e == ERR_OK && key.size > 0 && key.data[0] == (uint8_t)l->kind) {
		struct version found;

		e = version_listed(l, &raw);
		if (e == ERR_OK && !page_takes(page, raw.size)) {
			*ret_more = true;
			return ERR_OK;
		}
		if (e == ERR_OK)
			e = view_decode(raw, arena, &found);
		if (e == ERR_OK)
			page_add(page, &found, raw.size);
		if (e == ERR_OK || e == ERR_NOT_FOUND)
			e = scan_next(scan, &key, &raw);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err view_list(const struct view *v, struct txn *t, enum record_kind kind, const char *after,
		   uint64_t at, bool retired, size_t limit, size_t bytes_max, struct arena *arena,
		   struct version *ret_versions, size_t *ret_count, bool *ret_more)
{
	struct page page = {.rows = ret_versions, .limit = limit, .bytes_max = bytes_max};
	struct listing listing = {.view = v, .txn = t, .kind = kind, .at = at, .retired = retired};
	struct scan *scan = NULL;
	struct key first;
	struct bytes key = {NULL, 0};
	struct bytes raw = {NULL, 0};
	bool more = false;
	enum err e = scan_open(t, v->records, &scan);

	if (e != ERR_OK)
		return e;
	key_record(&first, kind, after ? after : "");
	e = scan_seek(scan, key_bytes(&first), &key, &raw);
	if (e == ERR_OK && after && *after && bytes_equal(key, key_bytes(&first)))
		e = scan_next(scan, &key, &raw);
	if (e == ERR_OK)
		e = fill_list(&listing, scan, key, raw, arena, &page, &more);
	else if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	scan_close(scan);
	arena_free(&listing.scratch);
	if (e == ERR_OK) {
		*ret_count = page.count;
		*ret_more = more;
	}
	return e;
}

static bool is_before(const struct version *v, struct version_place before)
{
	return !is_bound(before) || v->position < before.position ||
	       (v->position == before.position && v->index < before.index);
}

static enum err fill_history(struct scan *scan, const struct key *prefix,
			     struct version_place before, struct arena *arena, struct page *page,
			     bool *ret_more)
{
	struct bytes key = {NULL, 0};
	struct bytes raw = {NULL, 0};
	enum err e = versions_seek(scan, prefix, before, &key, &raw);

	while (e == ERR_OK && versions_of(key, prefix)) {
		struct version found;

		if (!page_takes(page, raw.size)) {
			*ret_more = true;
			return ERR_OK;
		}
		e = view_decode(raw, arena, &found);
		if (e != ERR_OK)
			break;
		page_add(page, &found, raw.size);
		e = scan_prev(scan, &key, &raw);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err view_history(const struct view *v, struct txn *t, enum record_kind kind, struct bytes id,
		      struct version_place before, size_t limit, size_t bytes_max,
		      struct arena *arena, struct version *ret_versions, size_t *ret_count,
		      bool *ret_more)
{
	struct page page = {.rows = ret_versions, .limit = limit, .bytes_max = bytes_max};
	char text[ID_BYTES_MAX + 1];
	struct scan *scan = NULL;
	struct key current;
	struct key prefix;
	struct bytes raw = {NULL, 0};
	struct version newest;
	bool more = false;
	enum err e = view_id_text(id, text);

	if (e != ERR_OK)
		return e;
	key_record(&current, kind, text);
	e = txn_get(t, v->records, key_bytes(&current), &raw);
	if (e == ERR_OK)
		e = view_decode(raw, arena, &newest);
	if (e == ERR_OK)
		e = scan_open(t, v->versions, &scan);
	if (e != ERR_OK)
		return e;
	key_versions(&prefix, kind, text);
	if (is_before(&newest, before)) {
		if (page_takes(&page, raw.size))
			page_add(&page, &newest, raw.size);
		else
			more = true;
	}
	if (!more)
		e = fill_history(scan, &prefix, before, arena, &page, &more);
	scan_close(scan);
	if (e == ERR_OK) {
		*ret_count = page.count;
		*ret_more = more;
	}
	return e;
}

/* ---- counts ---- */

struct rows {
	struct count *items; /* in the arena */
	size_t count, capacity;
};

static enum err rows_add(struct rows *r, struct arena *arena, const struct count *row)
{
	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? r->capacity * 2 : 512;
		struct count *wider = arena_alloc(arena, capacity * sizeof *wider);

		if (!wider)
			return ERR_NOMEM;
		if (r->count)
			memcpy(wider, r->items, r->count * sizeof *wider);
		r->items = wider;
		r->capacity = capacity;
	}
	r->items[r->count++] = *row;
	return ERR_OK;
}

/* A key's four texts, each but the last ended by a NUL. */
static enum err read_count(struct bytes key, struct bytes value, struct arena *arena,
			   struct count *ret)
{
	const char **parts[] = {&ret->metric, &ret->region, &ret->kind, &ret->key};
	const char *at = arena_text(arena, key);
	const char *end = at ? at + key.size : NULL;

	if (!at)
		return ERR_NOMEM;
	for (size_t i = 0; i < 4; i++) {
		if (at > end)
			return ERR_CORRUPT;
		*parts[i] = at;
		at += strlen(at) + 1;
	}
	return at == end + 1 ? count_read(value, &ret->value) : ERR_CORRUPT;
}

/* To the first row after `after`, whether that one is there or has become 0. */
static enum err seek_count(struct scan *scan, const struct count *after, struct bytes *ret_key,
			   struct bytes *ret_value)
{
	struct key last;
	enum err e = ERR_OK;

	if (!after)
		return scan_seek(scan, bytes_of("", 0), ret_key, ret_value);
	key_count(&last, after->metric, after->region, after->kind, after->key);
	e = scan_seek(scan, key_bytes(&last), ret_key, ret_value);
	if (e == ERR_OK && bytes_equal(*ret_key, key_bytes(&last)))
		e = scan_next(scan, ret_key, ret_value);
	return e;
}

enum err view_counts(const struct view *v, struct txn *t, const struct count *after,
		     size_t bytes_max, struct arena *arena, struct count **ret_rows,
		     size_t *ret_count, bool *ret_more)
{
	struct rows rows = {.items = NULL};
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	size_t bytes = 0;
	enum err e = scan_open(t, v->counts, &scan);

	if (e != ERR_OK)
		return e;
	e = seek_count(scan, after, &key, &value);
	while (e == ERR_OK) {
		struct count row;

		bytes += key.size + COUNT_ROW_BYTES;
		if (rows.count && bytes > bytes_max)
			break;
		e = read_count(key, value, arena, &row);
		if (e == ERR_OK)
			e = rows_add(&rows, arena, &row);
		if (e == ERR_OK)
			e = scan_next(scan, &key, &value);
	}
	scan_close(scan);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*ret_rows = rows.items;
	*ret_count = rows.count;
	*ret_more = e == ERR_OK;
	return ERR_OK;
}
