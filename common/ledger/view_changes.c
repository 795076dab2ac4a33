/* Reading what changed, in order, and when; and what the daemon says of itself. */
#include <string.h>

#include "ledger/keys.h"
#include "ledger/view.h"
#include "ledger/view_state.h"

static const char STATUS_KEY[] = "now";

/* ---- changes ---- */

struct page {
	struct view_change *rows;
	size_t count, limit;
	size_t bytes, bytes_max;
};

/* One row always fits, so that whoever pages on comes to the end. */
static bool page_takes(const struct page *p, size_t size)
{
	return p->count < p->limit &&
	       (p->count == 0 || (size <= p->bytes_max && p->bytes <= p->bytes_max - size));
}

static enum err place_read(struct bytes key, struct change_place *ret)
{
	struct cursor c = cursor_of(key);

	ret->position = cursor_u64be(&c);
	ret->index = cursor_u64be(&c);
	ret->number = cursor_u32be(&c);
	return key.size == CHANGE_KEY_BYTES ? ERR_OK : ERR_CORRUPT;
}

/* The version that a change made: superseded since, or the current one.  `record`: its key. */
static enum err version_made(const struct view *v, struct txn *t, const struct change_place *place,
			     struct bytes record, struct bytes *ret)
{
	struct key key = {.size = 0};
	enum err e = ERR_OK;

	if (record.size == 0 || record.size > KEY_BYTES_MAX - 1 - (size_t)2 * INDEX_KEY_BYTES)
		return ERR_CORRUPT;
	memcpy(key.data, record.data, record.size);
	key.size = record.size;
	key_add_u8(&key, 0);
	key_add_u64(&key, place->position);
	key_add_u64(&key, place->index);
	e = txn_get(t, v->versions, key_bytes(&key), ret);
	if (e == ERR_NOT_FOUND)
		e = txn_get(t, v->records, record, ret);
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

/* To the first row wanted in either direction; NOT_FOUND. */
static enum err seek_change(struct scan *scan, const struct change_place *from, bool backward,
			    uint64_t end, struct bytes *ret_key, struct bytes *ret_value)
{
	struct key key;
	enum err e = ERR_OK;

	key_change(&key, end, 0, 0);
	if (from && (!backward || from->position < end))
		key_change(&key, from->position, from->index, from->number);
	if (!backward && !from)
		return scan_seek(scan, bytes_of("", 0), ret_key, ret_value);
	e = scan_seek(scan, key_bytes(&key), ret_key, ret_value);
	if (!backward)
		return e == ERR_OK && bytes_equal(*ret_key, key_bytes(&key))
			       ? scan_next(scan, ret_key, ret_value)
			       : e;
	if (e == ERR_NOT_FOUND)
		return scan_last(scan, ret_key, ret_value);
	return e == ERR_OK ? scan_prev(scan, ret_key, ret_value) : e;
}

/* Reads the change under the scan into the page; *ret_full when it has no room for it. */
static enum err take_change(const struct view *v, struct txn *t, const struct change_place *place,
			    struct bytes record, struct arena *arena, struct page *page,
			    bool *ret_full)
{
	struct view_change *row = &page->rows[page->count];
	struct bytes raw = {NULL, 0};
	struct version version;
	enum err e = version_made(v, t, place, record, &raw);

	if (e == ERR_OK && !page_takes(page, raw.size)) {
		*ret_full = true;
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = view_decode(raw, arena, &version);
	if (e == ERR_OK && (version.position != place->position || version.index != place->index))
		e = ERR_CORRUPT;
	if (e != ERR_OK)
		return e;
	*row = (struct view_change){*place, version};
	page->count++;
	page->bytes += raw.size;
	return ERR_OK;
}

enum err view_changes(const struct view *v, struct txn *t, const struct change_place *from,
		      bool backward, uint64_t end, size_t limit, size_t bytes_max,
		      struct arena *arena, struct view_change *ret, size_t *ret_count,
		      bool *ret_more)
{
	struct page page = {.rows = ret, .limit = limit, .bytes_max = bytes_max};
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	bool full = false;
	enum err e = scan_open(t, v->changes, &scan);

	if (e != ERR_OK)
		return e;
	e = seek_change(scan, from, backward, end, &key, &value);
	while (e == ERR_OK && !full) {
		struct change_place place;

		e = place_read(key, &place);
		if (e == ERR_OK && place.position >= end)
			e = ERR_NOT_FOUND;
		if (e == ERR_OK)
			e = take_change(v, t, &place, value, arena, &page, &full);
		if (e == ERR_OK && !full)
			e = backward ? scan_prev(scan, &key, &value)
				     : scan_next(scan, &key, &value);
	}
	scan_close(scan);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	*ret_count = page.count;
	*ret_more = full;
	return ERR_OK;
}

enum err view_before(const struct view *v, struct txn *t, enum record_kind kind, struct bytes id,
		     struct version_place place, struct arena *arena, struct version *ret)
{
	char text[ID_BYTES_MAX + 1];
	struct scan *scan = NULL;
	struct key prefix;
	struct bytes key = {NULL, 0};
	struct bytes raw = {NULL, 0};
	enum err e = view_id_text(id, text);

	if (e == ERR_OK && place.position == 0 && place.index == 0)
		e = ERR_NOT_FOUND; /* the first event of all */
	if (e == ERR_OK)
		e = scan_open(t, v->versions, &scan);
	if (e != ERR_OK)
		return e;
	key_versions(&prefix, kind, text);
	e = versions_seek(scan, &prefix, place, &key, &raw);
	if (e == ERR_OK && !versions_of(key, &prefix))
		e = ERR_NOT_FOUND;
	scan_close(scan);
	return e == ERR_OK ? view_decode(raw, arena, ret) : e;
}

/* ---- times ---- */

enum err view_time(const struct view *v, struct txn *t, uint64_t position, struct wall_ms *ret)
{
	uint8_t key[INDEX_KEY_BYTES];
	struct bytes value = {NULL, 0};
	enum err e = ERR_OK;

	u64_write(key, position);
	e = txn_get(t, v->times, bytes_of(key, sizeof key), &value);
	if (e == ERR_OK && value.size != INDEX_KEY_BYTES)
		e = ERR_CORRUPT;
	if (e == ERR_OK)
		ret->ms = (int64_t)u64_read(value.data);
	return e;
}

enum err view_position_at(const struct view *v, struct txn *t, struct wall_ms until, uint64_t *ret)
{
	uint64_t low = 0; /* entries surely recorded until then */
	uint64_t high = 0;
	enum err e = view_position(v, t, &high);

	while (e == ERR_OK && low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct wall_ms recorded;

		e = view_time(v, t, middle, &recorded);
		if (e == ERR_OK && recorded.ms <= until.ms)
			low = middle + 1;
		else
			high = middle;
	}
	if (e == ERR_OK)
		*ret = low;
	return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
}

/* ---- status ---- */

enum err view_status(const struct view *v, struct txn *t, struct bytes *ret)
{
	return txn_get(t, v->status, bytes_of_text(STATUS_KEY), ret);
}

enum err view_put_status(const struct view *v, struct txn *t, struct bytes status)
{
	return txn_put(t, v->status, bytes_of_text(STATUS_KEY), status);
}
