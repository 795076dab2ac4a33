#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "admin/csv/plan.h"

static enum err add_repair(struct plan *p, const struct plan_repair *repair)
{
	if (p->repair_count == p->repair_capacity) {
		size_t capacity = p->repair_capacity ? 2 * p->repair_capacity : 64;
		struct plan_repair *items = reallocarray(p->repairs, capacity, sizeof *items);

		if (!items)
			return ERR_NOMEM;
		p->repairs = items;
		p->repair_capacity = capacity;
	}
	p->repairs[p->repair_count++] = *repair;
	return ERR_OK;
}

enum err plan_repair_row(struct plan *p, struct plan_row *row, struct arena *arena)
{
	struct buf text = {0};
	enum err e = ERR_OK;

	static_assert(sizeof row->unsure == 8, "a bit for each field");
	if (p->kind->field_count > 64)
		return ERR_INTERNAL;
	for (size_t f = 0; f < p->kind->field_count && e == ERR_OK; f++) {
		struct plan_repair repair = {row, (int)f, row->cells[f], NULL};

		if (!row->cells[f] || !*row->cells[f])
			continue;
		buf_clear(&text);
		switch (repair_cell(&p->kind->fields[f], bytes_of_text(row->cells[f]), &text)) {
		case REPAIR_NONE:
			break;
		case REPAIR_DONE:
			repair.to = arena_text(arena, buf_bytes(&text));
			e = repair.to ? buf_check(&text) : ERR_NOMEM;
			if (e == ERR_OK)
				e = add_repair(p, &repair);
			row->cells[f] = repair.to;
			break;
		case REPAIR_UNSURE:
			row->unsure |= UINT64_C(1) << f;
			break;
		}
		if (p->kind->fields[f].type == FIELD_ID && row->cells[f])
			row->id = row->cells[f];
	}
	buf_free(&text);
	return e;
}
