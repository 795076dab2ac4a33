/* One kind of the register as of one position, in id order. */
#ifndef SPLOT_ADMIN_SNAPSHOT_H
#define SPLOT_ADMIN_SNAPSHOT_H

#include "admin/ask.h"

struct snapshot {
	enum record_kind kind;
	uint64_t position;    /* that it stands for */
	struct version *rows; /* owned array, sorted by id; texts in the arena given */
	size_t count, capacity;
};

/* Pages through the register; `at` 0: as it is now.  `retired`: tombstones too.  Told. */
enum outcome snapshot_load(struct link *l, enum record_kind kind, uint64_t at, bool retired,
			   struct arena *arena, struct snapshot *ret);
void snapshot_free(struct snapshot *s);
/* NULL when there is none of that id. */
const struct version *snapshot_find(const struct snapshot *s, const char *id);

#endif
