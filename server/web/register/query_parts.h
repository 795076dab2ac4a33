/* The parts of a question that is being answered.
 *
 * Layer: register, of use inside it only. */
#ifndef SPLOT_REGISTER_QUERY_PARTS_H
#define SPLOT_REGISTER_QUERY_PARTS_H

#include "register/inside.h"
#include "register/query.h"

/* What became of a row so far: it passes, it fails by filters on one field alone (that field's
 * number + 1), or for more than one reason. */
enum { ROW_PASSES = 0, ROW_FAILS = 0xff };

struct run {
	const struct catalog *catalog;
	const struct query *query;
	const struct kind *kind;
	struct arena *arena;
	size_t rows;
	uint8_t *state; /* by row */
};

/* Zeroed; NULL without memory. */
void *arena_zeroed(struct arena *a, size_t size);

/* YYYY, YYYY-MM or YYYY-MM-DD, whatever the digits are. */
bool query_is_date(const char *text);

MUST_USE enum err run_filters(struct run *x);
MUST_USE enum err run_search(struct run *x);
MUST_USE enum err run_facet(struct run *x, size_t field, struct facet *ret);

/* ---- the least of many ---- */

struct pick {
	uint64_t order;
	uint32_t what; /* row or text */
};
/* Keeps the `most` least that it was offered. */
struct picks {
	struct pick *heap; /* the greatest first */
	size_t count, most;
};
MUST_USE enum err picks_new(struct picks *p, size_t most, struct arena *arena);
void picks_offer(struct picks *p, uint64_t order, uint32_t what);
void picks_sort(struct picks *p); /* the least first; nothing is offered afterwards */

/* ---- cursors ---- */

/* The place behind a row, in the order of a question. */
struct place {
	enum record_kind kind;
	size_t sort;
	bool descending;
	bool unknown;     /* the row's value is; `key` is empty */
	struct bytes key; /* of the value, as the column's ranking makes it */
	struct bytes id;
};
/* URL-safe text in the arena; NULL without memory. */
const char *cursor_write(const struct place *place, struct arena *arena);
/* INVALID for any text that cursor_write does not make; NOMEM */
MUST_USE enum err cursor_read(const char *text, struct arena *arena, struct place *ret);

#endif
