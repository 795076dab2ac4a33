#include "register/query_parts.h"

/* Most frequent first, then as the column sorts, unknown last. */
static uint64_t facet_order(size_t count, text_id text, const uint32_t *ranks)
{
	uint32_t rank = text ? ranks[text] : UINT32_MAX;

	return (uint64_t)(UINT32_MAX - (uint32_t)count) << 32 | rank;
}

static enum err choose(struct run *x, const uint32_t *counts, const text_id *seen, size_t distinct,
		       const uint32_t *ranks, struct facet *ret)
{
	size_t most = distinct < QUERY_FACET_VALUES ? distinct : QUERY_FACET_VALUES;
	struct facet_value *values = arena_alloc(x->arena, most * sizeof *values);
	struct picks p;

	if (!values || picks_new(&p, most, x->arena) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; i < distinct; i++)
		picks_offer(&p, facet_order(counts[seen[i]], seen[i], ranks), seen[i]);
	picks_sort(&p);
	for (size_t i = 0; i < p.count; i++)
		values[i] = (struct facet_value){p.heap[i].what, counts[p.heap[i].what]};
	ret->values = values;
	ret->value_count = p.count;
	ret->distinct = distinct;
	return ERR_OK;
}

enum err run_facet(struct run *x, size_t field, struct facet *ret)
{
	const text_id *column = catalog_column(x->catalog, x->query->kind, field);
	uint32_t *counts = arena_zeroed(x->arena, catalog_texts(x->catalog) * sizeof *counts);
	text_id *seen = arena_alloc(x->arena, x->rows * sizeof *seen);
	struct ranking *ranking = NULL;
	size_t distinct = 0;
	enum err e = ERR_OK;

	if (!counts || !seen)
		return ERR_NOMEM;
	e = catalog_ranking(x->catalog, x->query->kind, field, &ranking);
	if (e != ERR_OK)
		return e;
	for (size_t row = 0; row < x->rows; row++) {
		if (x->state[row] != ROW_PASSES && x->state[row] != field + 1)
			continue;
		if (counts[column[row]]++ == 0)
			seen[distinct++] = column[row];
	}
	ret->field = field;
	return choose(x, counts, seen, distinct, ranking_ranks(ranking), ret);
}
