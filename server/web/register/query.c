#include "register/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "register/query_parts.h"

void *arena_zeroed(struct arena *a, size_t size)
{
	void *at = arena_alloc(a, size);

	return at ? memset(at, 0, size) : NULL;
}

/* ---- the least of many ---- */

enum err picks_new(struct picks *p, size_t most, struct arena *arena)
{
	*p = (struct picks){.most = most};
	p->heap = arena_alloc(arena, most * sizeof *p->heap);
	return p->heap ? ERR_OK : ERR_NOMEM;
}

static void sink(struct picks *p, struct pick x)
{
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= p->count)
			break;
		if (child + 1 < p->count && p->heap[child + 1].order > p->heap[child].order)
			child++;
		if (p->heap[child].order <= x.order)
			break;
		p->heap[at] = p->heap[child];
		at = child;
	}
	p->heap[at] = x;
}

static void rise(struct picks *p, struct pick x)
{
	size_t at = p->count++;

	while (at > 0 && p->heap[(at - 1) / 2].order < x.order) {
		p->heap[at] = p->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	p->heap[at] = x;
}

void picks_offer(struct picks *p, uint64_t order, uint32_t what)
{
	if (p->count < p->most)
		rise(p, (struct pick){order, what});
	else if (p->most && order < p->heap[0].order)
		sink(p, (struct pick){order, what});
}

static int compare_picks(const void *a, const void *b)
{
	const struct pick *x = a;
	const struct pick *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

void picks_sort(struct picks *p)
{
	if (p->count)
		qsort(p->heap, p->count, sizeof *p->heap, compare_picks);
}

/* ---- the page ---- */

/* A row's place as one number: the rank of its value, then that of its id.  Unknown comes last
 * both ways, ids rise both ways. */
struct order {
	struct ranking *values, *ids;
	const uint32_t *value_ranks, *id_ranks;
	const text_id *column, *id_column;
	bool descending;
};

static enum err order_new(const struct run *x, struct order *ret)
{
	const struct query *q = x->query;
	struct order o = {.descending = q->descending};
	enum err e = catalog_ranking(x->catalog, q->kind, q->sort, &o.values);

	if (e == ERR_OK)
		e = catalog_ranking(x->catalog, q->kind, 0, &o.ids);
	if (e != ERR_OK)
		return e;
	o.value_ranks = ranking_ranks(o.values);
	o.id_ranks = ranking_ranks(o.ids);
	o.column = catalog_column(x->catalog, q->kind, q->sort);
	o.id_column = catalog_column(x->catalog, q->kind, 0);
	*ret = o;
	return ERR_OK;
}

static uint64_t order_of(const struct order *o, size_t row)
{
	text_id value = o->column[row];
	uint64_t rank = value ? o->value_ranks[value] : UINT32_MAX;

	if (value && o->descending)
		rank = UINT32_MAX - rank;
	return rank << 32 | o->id_ranks[o->id_column[row]];
}

/* The number of the place itself: rows that come after it have a greater one. */
static uint64_t order_of_place(const struct order *o, const struct place *p)
{
	bool found = true;
	uint64_t rank = p->unknown ? UINT32_MAX : ranking_place(o->values, p->key, &found);
	uint64_t id = UINT32_MAX;

	/* The value is gone: between the last before it and the next. */
	if (!found)
		return (o->descending ? UINT32_MAX - rank - 1 : rank) << 32 | UINT32_MAX;
	if (!p->unknown && o->descending)
		rank = UINT32_MAX - rank;
	id = ranking_place(o->ids, p->id, &found);
	return rank << 32 | id;
}

static enum err read_place(const struct query *q, const struct order *o, struct arena *arena,
			   uint64_t *ret, char *why)
{
	struct place place = {.kind = RECORD_NONE};
	enum err e = cursor_read(q->cursor, arena, &place);

	if (e == ERR_NOMEM)
		return e;
	if (e != ERR_OK || place.kind != q->kind || place.sort != q->sort ||
	    place.descending != q->descending) {
		(void)snprintf(why, TEXT_BYTES_MAX + 1,
			       "cursor: none of this list in this order; begin at the first page");
		return ERR_INVALID;
	}
	*ret = order_of_place(o, &place);
	return ERR_OK;
}

static enum err write_next(const struct run *x, const struct order *o, size_t row, const char **ret)
{
	const struct query *q = x->query;
	struct buf key = {.data = NULL};
	struct place place = {
		.kind = q->kind,
		.sort = q->sort,
		.descending = q->descending,
		.unknown = !o->column[row],
		.id = bytes_of_text(catalog_of(x->catalog, o->id_column[row])),
	};
	enum err e = ERR_OK;

	if (!place.unknown)
		e = ranking_key(o->values, o->column[row], &key);
	place.key = buf_bytes(&key);
	if (e == ERR_OK) {
		*ret = cursor_write(&place, x->arena);
		e = *ret ? ERR_OK : ERR_NOMEM;
	}
	buf_free(&key);
	return e;
}

static enum err write_rows(const struct run *x, const struct order *o, const struct picks *p,
			   struct query_result *ret)
{
	size_t limit = x->query->limit;
	bool more = limit && p->count > limit;
	size_t count = more ? limit : p->count;
	size_t *rows = arena_alloc(x->arena, count * sizeof *rows);

	if (!rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		rows[i] = p->heap[i].what;
	ret->rows = rows;
	ret->row_count = count;
	return more ? write_next(x, o, rows[count - 1], &ret->next) : ERR_OK;
}

static enum err run_page(const struct run *x, struct query_result *ret, char *why)
{
	const struct query *q = x->query;
	struct order o;
	struct picks p;
	uint64_t after = 0;
	enum err e = order_new(x, &o);

	if (e == ERR_OK && q->cursor)
		e = read_place(q, &o, x->arena, &after, why);
	if (e == ERR_OK) /* one more tells whether there is a next page */
		e = picks_new(&p, q->limit && q->limit < ret->total ? q->limit + 1 : ret->total,
			      x->arena);
	if (e != ERR_OK)
		return e;
	for (size_t row = 0; row < x->rows; row++) {
		uint64_t order = 0;

		if (x->state[row] != ROW_PASSES)
			continue;
		order = order_of(&o, row);
		if (order > after)
			picks_offer(&p, order, (uint32_t)row);
	}
	picks_sort(&p);
	return write_rows(x, &o, &p, ret);
}

enum err query_run(const struct catalog *c, const struct query *q, struct arena *arena,
		   struct query_result *ret, char *why)
{
	struct run x = {.catalog = c, .query = q, .kind = kind_of(q->kind), .arena = arena};
	struct query_result result = {.total = 0};
	enum err e = ERR_OK;

	if (!x.kind || q->sort >= x.kind->field_count)
		return ERR_ARGUMENT;
	x.rows = catalog_count(c, q->kind);
	x.state = arena_zeroed(arena, x.rows);
	if (!x.state)
		return ERR_NOMEM;
	e = run_filters(&x);
	if (e == ERR_OK)
		e = run_search(&x);
	for (size_t row = 0; row < x.rows; row++)
		result.total += x.state[row] == ROW_PASSES;
	if (e == ERR_OK)
		e = run_page(&x, &result, why);
	for (size_t i = 0; i < q->facet_count && e == ERR_OK; i++)
		e = run_facet(&x, q->facets[i], &result.facets[i]);
	if (e == ERR_OK)
		*ret = result;
	return e;
}
