/* A stored view against one that was folded anew up to `position`, row by row.
 *
 * The stored one may be folded on meanwhile: a record that changed since has its version of that
 * time among the superseded ones.  Its rows are copied in pages, so that no reader outlives a
 * page. */
#include "audit/verify_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "ledger/view.h"
#include "model/control.h"

enum {
	PAGE_BYTES = 512 * 1024,
	PLACE_BYTES = 17,      /* behind a record's key: 0, position, index, eight bytes each */
	CHANGE_KEY_BYTES = 20, /* position, index, eight bytes each; number, four */
};

struct row {
	struct bytes key, value;
};

enum which { RECORDS, VERSIONS, CHANGES, TIMES };

/* A table read in pages. */
struct walk {
	const struct verify_side *side;
	enum which which;
	struct row rows[VERIFY_PAGE_ROWS];
	size_t at, count;
	bool last; /* no page follows */
	struct buf copy, after;
};

struct comparison {
	struct verify *verify;
	const struct verify_side *stored, *anew;
	uint64_t position; /* of both */
	struct arena arena;
	struct buf value;          /* of a row looked up */
	struct walk *left, *right; /* anew, stored */
};

/* ---- reading ---- */

static struct table table_of(const struct verify_side *side, enum which which)
{
	switch (which) {
	case VERSIONS:
		return side->view.versions;
	case CHANGES:
		return side->view.changes;
	case TIMES:
		return side->view.times;
	case RECORDS:
		break;
	}
	return side->view.records;
}

static const char *name_of(enum which which)
{
	static const char *const names[] = {[RECORDS] = "records",
					    [VERSIONS] = "versions",
					    [CHANGES] = "changes",
					    [TIMES] = "times"};

	return names[which];
}

static void take_row(struct walk *w, struct bytes key, struct bytes value)
{
	w->rows[w->count++] = (struct row){{NULL, key.size}, {NULL, value.size}};
	buf_add_bytes(&w->copy, key);
	buf_add_bytes(&w->copy, value);
}

/* Fills the rows with offsets into the copy, which may move while it grows. */
static enum err copy_page(struct walk *w, struct txn *t)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = scan_open(t, table_of(w->side, w->which), &scan);

	if (e == ERR_OK)
		e = scan_seek(scan, buf_bytes(&w->after), &key, &value);
	if (e == ERR_OK && w->after.size && bytes_equal(key, buf_bytes(&w->after)))
		e = scan_next(scan, &key, &value);
	while (e == ERR_OK) {
		take_row(w, key, value);
		if (w->count == VERIFY_PAGE_ROWS || w->copy.size >= PAGE_BYTES)
			break;
		e = scan_next(scan, &key, &value);
	}
	w->last = e == ERR_NOT_FOUND;
	scan_close(scan);
	return w->last ? ERR_OK : e;
}

static enum err read_page(struct walk *w)
{
	struct txn *t = NULL;
	enum err e = txn_begin(w->side->store, false, &t);

	if (e == ERR_OK)
		e = copy_page(w, t);
	txn_abort(t);
	return e;
}

/* Each row behind the last, or paging would go round. */
static enum err ask_page(struct walk *w)
{
	const struct verify_rows *from = w->side->rows;
	const struct stored_row *rows = NULL;
	struct bytes last = buf_bytes(&w->after);
	size_t count = 0;
	enum err e = from->page(from->context, name_of(w->which), last, &rows, &count);

	for (size_t i = 0; e == ERR_OK && i < count && w->count < VERIFY_PAGE_ROWS; i++) {
		if (bytes_compare(rows[i].key, last) <= 0)
			e = ERR_DECODE;
		else
			take_row(w, rows[i].key, rows[i].value);
		last = rows[i].key;
	}
	w->last = e == ERR_OK && count == 0;
	return e;
}

static enum err next_page(struct walk *w)
{
	size_t at = 0;
	enum err e = ERR_OK;

	w->at = 0;
	w->count = 0;
	buf_clear(&w->copy);
	e = w->side->rows ? ask_page(w) : read_page(w);
	if (e == ERR_OK)
		e = buf_check(&w->copy);
	for (size_t i = 0; e == ERR_OK && i < w->count; i++) {
		w->rows[i].key.data = w->copy.data + at;
		at += w->rows[i].key.size;
		w->rows[i].value.data = w->copy.data + at;
		at += w->rows[i].value.size;
	}
	if (e == ERR_OK && w->count) {
		buf_clear(&w->after);
		buf_add_bytes(&w->after, w->rows[w->count - 1].key);
		e = buf_check(&w->after);
	}
	return e;
}

/* The present row; NULL past the end. */
static enum err walk_row(struct walk *w, const struct row **ret)
{
	enum err e = ERR_OK;

	if (w->at == w->count && !w->last)
		e = next_page(w);
	if (e == ERR_OK)
		*ret = w->at < w->count ? &w->rows[w->at] : NULL;
	return e;
}

static struct walk *walk_new(const struct verify_side *side, enum which which)
{
	struct walk *w = calloc(1, sizeof *w);

	if (w) {
		w->side = side;
		w->which = which;
	}
	return w;
}

static void walk_free(struct walk *w)
{
	if (!w)
		return;
	buf_free(&w->copy);
	buf_free(&w->after);
	free(w);
}

/* One row, copied; NOT_FOUND. */
static enum err look_up(struct comparison *c, const struct verify_side *side, enum which which,
			struct bytes key, struct bytes *ret)
{
	struct txn *t = NULL;
	struct bytes value = {NULL, 0};
	enum err e = ERR_OK;

	if (side->rows) {
		e = side->rows->row(side->rows->context, name_of(which), key, &value);
	} else {
		e = txn_begin(side->store, false, &t);
		if (e == ERR_OK)
			e = txn_get(t, table_of(side, which), key, &value);
	}
	if (e == ERR_OK) {
		buf_clear(&c->value);
		buf_add_bytes(&c->value, value);
		e = buf_check(&c->value);
	}
	txn_abort(t);
	if (e == ERR_OK)
		*ret = buf_bytes(&c->value);
	return e;
}

/* ---- telling ---- */

static bool decode(struct comparison *c, struct bytes raw, struct version *ret)
{
	return version_decode(raw, &c->arena, ret) == ERR_OK;
}

/* What stands in a row's key as a record's id: shown where its value cannot be. */
static void key_text(struct bytes key, size_t tail, char text[static ID_BYTES_MAX + 1])
{
	size_t size = key.size > 1 + tail ? key.size - 1 - tail : 0;

	size = size > ID_BYTES_MAX ? ID_BYTES_MAX : size;
	memcpy(text, key.data + 1, size);
	for (size_t i = 0; i < size; i++)
		if (text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
	text[size] = 0;
}

/* The log and event that `raw`, else `other`, says; either may be of size 0. */
static void tell(struct comparison *c, enum damage damage, struct bytes key, struct bytes raw,
		 struct bytes other, const char *why)
{
	struct version v = {.index = 0};
	char id[ID_BYTES_MAX + 1];

	arena_reset(&c->arena);
	if (!(raw.size && decode(c, raw, &v)) && !(other.size && decode(c, other, &v)))
		v = (struct version){.index = 0};
	key_text(key, damage == DAMAGE_VERSION ? PLACE_BYTES : 0, id);
	verify_found(c->verify, damage, v.log, v.index, "%s: %s", id, why);
}

/* ---- records ---- */

static void place_key(struct buf *ret, struct bytes record_key, uint64_t position, uint64_t index)
{
	buf_clear(ret);
	buf_add_bytes(ret, record_key);
	buf_add_u8(ret, 0);
	buf_add_u64be(ret, position);
	buf_add_u64be(ret, index);
}

/* Whether a stored current version is newer than what is compared. */
static bool is_newer(struct comparison *c, struct bytes raw)
{
	struct version v;

	arena_reset(&c->arena);
	return decode(c, raw, &v) && v.position >= c->position;
}

/* A record that changed since: its version of that time is superseded now. */
static enum err check_superseded(struct comparison *c, const struct row *anew)
{
	struct buf key = {.data = NULL};
	struct version v;
	struct bytes stored = {NULL, 0};
	enum err e = ERR_OK;

	arena_reset(&c->arena);
	if (!decode(c, anew->value, &v))
		return ERR_INTERNAL;
	place_key(&key, anew->key, v.position, v.index);
	e = buf_check(&key);
	if (e == ERR_OK)
		e = look_up(c, c->stored, VERSIONS, buf_bytes(&key), &stored);
	if (e == ERR_NOT_FOUND)
		tell(c, DAMAGE_VERSION, buf_bytes(&key), anew->value, anew->value,
		     "a version is missing");
	else if (e == ERR_OK && !bytes_equal(stored, anew->value))
		tell(c, DAMAGE_VERSION, buf_bytes(&key), anew->value, stored,
		     "a version says something else");
	buf_free(&key);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err match_record(struct comparison *c, const struct row *anew, const struct row *stored)
{
	const struct bytes none = {NULL, 0};

	c->verify->report->records += anew != NULL;
	if (!anew) {
		if (!is_newer(c, stored->value))
			tell(c, DAMAGE_RECORD, stored->key, stored->value, none,
			     "the logs do not give it");
		return ERR_OK;
	}
	if (!stored) {
		tell(c, DAMAGE_RECORD, anew->key, anew->value, none, "it is missing");
		return ERR_OK;
	}
	if (bytes_equal(anew->value, stored->value))
		return ERR_OK;
	if (is_newer(c, stored->value))
		return check_superseded(c, anew);
	tell(c, DAMAGE_RECORD, anew->key, anew->value, stored->value, "it says something else");
	return ERR_OK;
}

/* ---- versions ---- */

static bool place_of(struct bytes key, uint64_t *ret_position, struct bytes *ret_record)
{
	struct cursor c;

	if (key.size <= PLACE_BYTES)
		return false;
	*ret_record = bytes_of(key.data, key.size - PLACE_BYTES);
	c = cursor_of(bytes_of(key.data + key.size - PLACE_BYTES, PLACE_BYTES));
	(void)cursor_u8(&c);
	*ret_position = cursor_u64be(&c);
	return true;
}

/* A stored version that was not superseded then: it came later, or was the current one. */
static enum err check_later(struct comparison *c, const struct row *stored)
{
	const struct bytes none = {NULL, 0};
	struct bytes record = {NULL, 0};
	struct bytes value = {NULL, 0};
	uint64_t position = 0;
	bool fits = false;
	enum err e = ERR_OK;

	if (place_of(stored->key, &position, &record)) {
		if (position >= c->position)
			return ERR_OK;
		e = look_up(c, c->anew, RECORDS, record, &value);
		fits = e == ERR_OK && bytes_equal(value, stored->value);
		if (fits) {
			e = look_up(c, c->stored, RECORDS, record, &value);
			fits = e == ERR_OK && is_newer(c, value);
		}
	}
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	if (!fits)
		tell(c, DAMAGE_VERSION, stored->key, stored->value, none,
		     "the logs do not give it");
	return ERR_OK;
}

static enum err match_version(struct comparison *c, const struct row *anew,
			      const struct row *stored)
{
	const struct bytes none = {NULL, 0};

	c->verify->report->versions += anew != NULL;
	if (!anew)
		return check_later(c, stored);
	if (!stored)
		tell(c, DAMAGE_VERSION, anew->key, anew->value, none, "a version is missing");
	else if (!bytes_equal(anew->value, stored->value))
		tell(c, DAMAGE_VERSION, anew->key, anew->value, stored->value,
		     "a version says something else");
	return ERR_OK;
}

/* ---- what changed, and when: rows of entries ---- */

/* Named by the entry of the log that the view follows, which begins the row's key. */
static void tell_entry(struct comparison *c, const struct row *row, const char *why)
{
	struct cursor at = cursor_of(row->key);
	uint64_t position = cursor_u64be(&at);
	char id[ID_BYTES_MAX + 1];
	bool change = row->key.size == CHANGE_KEY_BYTES;

	key_text(change ? row->value : bytes_of("", 0), 0, id);
	verify_found(c->verify, DAMAGE_CHANGE, verify_followed(c->verify)->name, position, "%s: %s",
		     change ? id : "time", why);
}

static void match_entry(struct comparison *c, const struct row *anew, const struct row *stored)
{
	struct cursor at = cursor_of(stored ? stored->key : anew->key);

	if (anew && !stored)
		tell_entry(c, anew, "it is missing");
	else if (anew && !bytes_equal(anew->value, stored->value))
		tell_entry(c, anew, "it says something else");
	else if (!anew && cursor_u64be(&at) < c->position) /* else it was folded since */
		tell_entry(c, stored, "the logs do not give it");
}

static enum err match_change(struct comparison *c, const struct row *anew, const struct row *stored)
{
	c->verify->report->changes += anew != NULL;
	match_entry(c, anew, stored);
	return ERR_OK;
}

static enum err match_time(struct comparison *c, const struct row *anew, const struct row *stored)
{
	c->verify->report->times += anew != NULL;
	match_entry(c, anew, stored);
	return ERR_OK;
}

/* ---- a table of both ---- */

static enum err merge(struct comparison *c, enum which which,
		      enum err (*match)(struct comparison *c, const struct row *anew,
					const struct row *stored))
{
	enum err e = ERR_OK;

	c->left = walk_new(c->anew, which);
	c->right = walk_new(c->stored, which);
	if (!c->left || !c->right)
		e = ERR_NOMEM;
	while (e == ERR_OK) {
		const struct row *a = NULL;
		const struct row *b = NULL;
		int order = 0;

		e = walk_row(c->left, &a);
		if (e == ERR_OK)
			e = walk_row(c->right, &b);
		if (e != ERR_OK || (!a && !b))
			break;
		order = !a ? 1 : !b ? -1 : bytes_compare(a->key, b->key);
		e = match(c, order <= 0 ? a : NULL, order >= 0 ? b : NULL);
		c->left->at += order <= 0;
		c->right->at += order >= 0;
	}
	walk_free(c->left);
	walk_free(c->right);
	c->left = NULL;
	c->right = NULL;
	return e;
}

/* ---- counts ---- */

enum err verify_side_read(struct verify_side *s)
{
	struct txn *t = NULL;
	bool more = false;
	enum err e = ERR_OK;

	if (s->rows)
		return s->rows->state(s->rows->context, &s->arena, &s->position, &s->counts,
				      &s->count);
	e = txn_begin(s->store, false, &t);
	if (e != ERR_OK)
		return e;
	e = view_position(&s->view, t, &s->position);
	if (e == ERR_OK)
		e = view_counts(&s->view, t, NULL, SIZE_MAX, &s->arena, &s->counts, &s->count,
				&more);
	txn_abort(t);
	return e;
}

static int count_order(const struct count *a, const struct count *b)
{
	int order = strcmp(a->metric, b->metric);

	order = order ? order : strcmp(a->region, b->region);
	order = order ? order : strcmp(a->kind, b->kind);
	return order ? order : strcmp(a->key, b->key);
}

static void tell_count(struct comparison *c, const struct count *row, int64_t stored, int64_t anew)
{
	struct log_name nobody = {""};

	verify_found(c->verify, DAMAGE_TALLY, nobody, 0,
		     "%s %s %s %s: stored %" PRId64 ", folded %" PRId64, row->metric, row->region,
		     row->kind, row->key, stored, anew);
}

static void match_counts(struct comparison *c)
{
	const struct verify_side *stored = c->stored;
	const struct verify_side *anew = c->anew;
	size_t i = 0;
	size_t j = 0;

	while (i < stored->count || j < anew->count) {
		int order = i == stored->count ? 1
			    : j == anew->count ? -1
					       : count_order(&stored->counts[i], &anew->counts[j]);

		if (order < 0)
			tell_count(c, &stored->counts[i], stored->counts[i].value, 0);
		else if (order > 0)
			tell_count(c, &anew->counts[j], 0, anew->counts[j].value);
		else if (stored->counts[i].value != anew->counts[j].value)
			tell_count(c, &stored->counts[i], stored->counts[i].value,
				   anew->counts[j].value);
		c->verify->report->counts++;
		i += order <= 0;
		j += order >= 0;
	}
}

enum err verify_compare(struct verify *v, const struct verify_side *stored,
			const struct verify_side *anew)
{
	struct comparison c = {
		.verify = v, .stored = stored, .anew = anew, .position = anew->position};
	enum err e = merge(&c, RECORDS, match_record);

	if (e == ERR_OK)
		e = merge(&c, VERSIONS, match_version);
	if (e == ERR_OK)
		e = merge(&c, CHANGES, match_change);
	if (e == ERR_OK)
		e = merge(&c, TIMES, match_time);
	if (e == ERR_OK)
		match_counts(&c);
	arena_free(&c.arena);
	buf_free(&c.value);
	return e;
}
