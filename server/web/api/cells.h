/* Counts by table, place, kind and text: many records, few different cells.
 *
 * Inside the api layer.  Pure. */
#ifndef SPLOT_API_CELLS_H
#define SPLOT_API_CELLS_H

#include "register/catalog.h"

struct cell {
	uint64_t key; /* 0: free */
	size_t count;
};
struct cells {
	struct arena *arena;
	struct cell *slots; /* in the arena; a power of two of them */
	size_t slot_count, used;
	bool failed; /* without memory: what is counted is too little */
	bool settled;
};

struct cells cells_in(struct arena *arena);
/* `count` more; `table` and `place` and `kind` are below 256. */
void cells_add(struct cells *c, unsigned table, unsigned place, unsigned kind, text_id value,
	       size_t count);
/* After the last cells_add and before cells_list.  NOMEM. */
MUST_USE enum err cells_settle(struct cells *c);

/* Cell `i` of settled ones, below `used`. */
struct cell_at {
	unsigned table, place, kind;
	text_id value;
	size_t count;
};
struct cell_at cell_at(const struct cells *c, size_t i);

struct cell_row {
	unsigned kind;
	text_id value;
	const char *text;
	size_t count;
	unsigned rank; /* of the text in `order` */
};
/* The rows of a table's place: by kind, then as `order` (texts separated by spaces) has them, then
 * other texts bytewise, the empty one last.  NOMEM. */
MUST_USE enum err cells_list(const struct cells *c, const struct catalog *catalog, unsigned table,
			     unsigned place, const char *order, struct cell_row **ret,
			     size_t *ret_count);

#endif
