/* Follows a view: puts its changes into a register in memory, entry by entry, in slices.  Start-up,
 * what comes later and a register of the past are the same. */
#ifndef SPLOT_WEB_FOLLOW_H
#define SPLOT_WEB_FOLLOW_H

#include "ledger/view.h"
#include "register/catalog.h"
#include "register/movement.h"

struct follower {
	struct catalog *catalog;     /* owned */
	struct movements *movements; /* owned */
	struct change_place last;    /* the last change that was put */
	bool begun;                  /* there is one */
	bool prepared;               /* its register was ordered, once it had all there was */
};

/* Told of each entry that changed something: of which regions' records (bits by region's number).
 */
typedef void follow_entry(void *context, uint64_t position, uint32_t regions);

MUST_USE enum err follower_new(struct follower *ret);
void follower_free(struct follower *f); /* also a zeroed one */
uint64_t follower_position(const struct follower *f);

/* Goes on to `end` entries (they are folded), for about `budget_us`, but stops only where the
 * register is as it was between two entries.  `told` may be NULL.  `ret_more`: it is not there
 * yet. */
MUST_USE enum err follow(struct follower *f, const struct view *v, struct txn *t, uint64_t end,
			 int64_t budget_us, struct arena *arena, follow_entry *told, void *context,
			 bool *ret_more);

#endif
