/* Records and counts of two views, in the order of their keys. */
#include "audit/compare_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* ---- one record ---- */

enum err compare_record_row(struct bytes key, struct bytes stored, struct arena *arena,
			    struct buf *ret, struct version *ret_version)
{
	struct buf anew = {.data = NULL};
	struct version v;
	enum err e = version_decode(stored, arena, &v);

	if (e != ERR_OK)
		return e == ERR_NOMEM ? e : ERR_CORRUPT;
	v.position = 0; /* each server's own */
	e = version_encode(&v, arena, &anew);
	buf_clear(ret);
	buf_add_u32be(ret, (uint32_t)key.size);
	buf_add_bytes(ret, key);
	buf_add_u32be(ret, (uint32_t)anew.size);
	buf_add_bytes(ret, buf_bytes(&anew));
	buf_free(&anew);
	if (e == ERR_OK)
		e = buf_check(ret);
	if (e == ERR_OK)
		*ret_version = v;
	return e;
}

/* ---- a table in pages ---- */

struct records {
	struct compare *compare;
	int side;
	struct stored_row rows[VERIFY_PAGE_ROWS];
	size_t at, count;
	bool last;
	struct buf copy, after;
	struct tree tree;
	/* the present one */
	bool there;
	struct log_name log;
	uint64_t index;
};

/* Copied: what a source gives is gone with the next question to it. */
static enum err next_page(struct records *r)
{
	const struct verify_rows *view = r->compare->sides[r->side].view;
	const struct stored_row *rows = NULL;
	size_t count = 0;
	size_t at = 0;
	enum err e = view->page(view->context, "records", buf_bytes(&r->after), &rows, &count);

	if (e != ERR_OK)
		return e;
	if (count > VERIFY_PAGE_ROWS)
		return ERR_DECODE;
	buf_clear(&r->copy);
	for (size_t i = 0; i < count; i++) {
		buf_add_bytes(&r->copy, rows[i].key);
		buf_add_bytes(&r->copy, rows[i].value);
		r->rows[i] =
			(struct stored_row){{NULL, rows[i].key.size}, {NULL, rows[i].value.size}};
	}
	e = buf_check(&r->copy);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		r->rows[i].key.data = r->copy.data + at;
		at += r->rows[i].key.size;
		r->rows[i].value.data = r->copy.data + at;
		at += r->rows[i].value.size;
	}
	r->at = 0;
	r->count = e == ERR_OK ? count : 0;
	r->last = count == 0;
	if (e == ERR_OK && count) {
		/* Behind the last, or paging would go round. */
		if (bytes_compare(r->rows[count - 1].key, buf_bytes(&r->after)) <= 0)
			return ERR_DECODE;
		buf_clear(&r->after);
		buf_add_bytes(&r->after, r->rows[count - 1].key);
		e = buf_check(&r->after);
	}
	return e;
}

/* Whether a record counts here: all do between two servers, those of the shared logs beside a
 * node. */
static bool is_compared(const struct compare_report *r, struct log_name log)
{
	if (!r->of_one_log)
		return true;
	for (size_t i = 0; i < r->log_count; i++)
		if (log_name_equal(r->logs[i].log, log))
			return true;
	return false;
}

/* The next record that counts; `there` false past the end. */
static enum err next_record(struct records *r)
{
	struct compare *c = r->compare;
	enum err e = ERR_OK;

	r->there = false;
	while (e == ERR_OK && !r->there) {
		struct version v;

		if (r->at == r->count && !r->last)
			e = next_page(r);
		if (e != ERR_OK || r->at == r->count)
			break;
		arena_reset(&c->arena);
		e = compare_record_row(r->rows[r->at].key, r->rows[r->at].value, &c->arena,
				       &c->row[r->side], &v);
		if (e != ERR_OK)
			break;
		r->there = is_compared(c->report, v.log);
		r->log = v.log;
		r->index = v.index;
		buf_clear(&c->key[r->side]);
		buf_add_bytes(&c->key[r->side], r->rows[r->at].key);
		e = buf_check(&c->key[r->side]);
		r->at++;
	}
	if (e == ERR_OK && r->there) {
		tree_append(&r->tree, hash_leaf(buf_bytes(&c->row[r->side])));
		c->report->records[r->side]++;
	}
	if (e != ERR_OK)
		c->failed = r->side;
	return e;
}

static struct records *records_new(struct compare *c, int side)
{
	struct records *r = calloc(1, sizeof *r);

	if (r) {
		r->compare = c;
		r->side = side;
		tree_init(&r->tree);
	}
	return r;
}

static void records_free(struct records *r)
{
	if (!r)
		return;
	buf_free(&r->copy);
	buf_free(&r->after);
	free(r);
}

/* ---- both, side by side ---- */

static void differ(struct compare *c, const struct records *a, const struct records *b)
{
	const struct records *both[2] = {a, b};
	const struct bytes key = buf_bytes(&c->key[a ? 0 : 1]);
	struct compare_record *row = &c->report->first[c->report->first_count];
	size_t size = key.size ? key.size - 1 : 0;

	if (c->report->differing++ >= COMPARE_FIRST || key.size == 0)
		return;
	c->report->first_count++;
	*row = (struct compare_record){.kind = (enum record_kind)key.data[0]};
	memcpy(row->id, key.data + 1, size < ID_BYTES_MAX ? size : ID_BYTES_MAX);
	for (int side = 0; side < 2; side++) {
		if (!both[side])
			continue;
		row->there[side] = true;
		row->log[side] = both[side]->log;
		row->index[side] = both[side]->index;
	}
}

static enum err merge(struct compare *c, struct records *a, struct records *b)
{
	enum err e = next_record(a);

	if (e == ERR_OK)
		e = next_record(b);
	while (e == ERR_OK && (a->there || b->there)) {
		int order = !a->there ? 1
			    : !b->there
				    ? -1
				    : bytes_compare(buf_bytes(&c->key[0]), buf_bytes(&c->key[1]));

		if (order != 0)
			differ(c, order < 0 ? a : NULL, order > 0 ? b : NULL);
		else if (!bytes_equal(buf_bytes(&c->row[0]), buf_bytes(&c->row[1])))
			differ(c, a, b);
		if (order <= 0)
			e = next_record(a);
		if (e == ERR_OK && order >= 0)
			e = next_record(b);
	}
	c->report->records_digest[0] = tree_root(&a->tree);
	c->report->records_digest[1] = tree_root(&b->tree);
	return e;
}

static enum err compare_records(struct compare *c)
{
	struct records *a = records_new(c, 0);
	struct records *b = records_new(c, 1);
	enum err e = a && b ? merge(c, a, b) : ERR_NOMEM;

	records_free(a);
	records_free(b);
	return e;
}

/* ---- counts ---- */

/* Beside a node only its region's: what the nation counts, it has not. */
static bool is_counted(const struct compare_report *r, const char *region)
{
	if (!r->of_one_log)
		return true;
	for (size_t i = 0; i < r->log_count; i++) {
		int index = log_name_region(r->logs[i].log);

		if (index != REGION_NONE && index != REGION_PL &&
		    !strcmp(region_at(index)->code, region))
			return true;
	}
	return false;
}

/* A tree for each region and side; counts come sorted, a region's rows in their order. */
struct counted {
	struct tree trees[COMPARE_REGIONS_MAX][2];
};

static enum err region_row(struct compare_report *r, struct counted *trees, const char *region,
			   size_t *ret)
{
	struct compare_region *row = &r->regions[r->region_count];

	for (size_t i = 0; i < r->region_count; i++) {
		*ret = i;
		if (!strcmp(r->regions[i].region, region))
			return ERR_OK;
	}
	if (r->region_count == COMPARE_REGIONS_MAX || strlen(region) >= sizeof row->region)
		return ERR_DECODE;
	memcpy(row->region, region, strlen(region) + 1);
	tree_init(&trees->trees[r->region_count][0]);
	tree_init(&trees->trees[r->region_count][1]);
	*ret = r->region_count++;
	return ERR_OK;
}

static enum err add_count(struct compare *c, struct counted *trees, int side,
			  const struct count *count)
{
	struct buf row = {.data = NULL};
	size_t at = 0;
	enum err e = ERR_OK;

	if (!is_counted(c->report, count->region))
		return ERR_OK;
	e = region_row(c->report, trees, count->region, &at);
	buf_add(&row, count->metric, strlen(count->metric) + 1);
	buf_add(&row, count->kind, strlen(count->kind) + 1);
	buf_add(&row, count->key, strlen(count->key) + 1);
	buf_add_u64be(&row, (uint64_t)count->value);
	if (e == ERR_OK)
		e = buf_check(&row);
	if (e == ERR_OK) {
		tree_append(&trees->trees[at][side], hash_leaf(buf_bytes(&row)));
		c->report->regions[at].rows[side]++;
	}
	buf_free(&row);
	return e;
}

static enum err compare_counts(struct compare *c, struct count *const counts[static 2],
			       const size_t sizes[static 2])
{
	struct counted *trees = calloc(1, sizeof *trees);
	enum err e = trees ? ERR_OK : ERR_NOMEM;

	for (int side = 0; side < 2; side++) {
		for (size_t i = 0; e == ERR_OK && i < sizes[side]; i++)
			e = add_count(c, trees, side, &counts[side][i]);
	}
	for (size_t i = 0; e == ERR_OK && i < c->report->region_count; i++) {
		c->report->regions[i].digest[0] = tree_root(&trees->trees[i][0]);
		c->report->regions[i].digest[1] = tree_root(&trees->trees[i][1]);
	}
	free(trees);
	return e;
}

/* ---- all of it ---- */

enum err compare_views(struct compare *c)
{
	struct count *counts[2] = {NULL, NULL};
	size_t sizes[2] = {0, 0};
	enum err e = ERR_OK;

	for (int side = 0; e == ERR_OK && side < 2; side++) {
		const struct verify_rows *view = c->sides[side].view;

		c->failed = side;
		e = view->state(view->context, &c->counts_arena[side], &c->report->position[side],
				&counts[side], &sizes[side]);
		if (e == ERR_BUSY ||
		    (e == ERR_OK && c->report->position[side] != c->report->size[side]))
			e = ERR_AGAIN;
	}
	if (e == ERR_OK)
		e = compare_records(c);
	return e == ERR_OK ? compare_counts(c, counts, sizes) : e;
}
