/* Counts that depend on more than one record: entities in a regional network, and
 * statistics in conflict.  What they need to stay right, whichever record comes first, is
 * kept in the view's table "links":
 *
 *   'm' ‖ entity id                           current memberships in regional networks
 *   'g' ‖ region 0 kind                       reporters, values: how many different ones
 *   'r' ‖ region 0 kind 0 reporter            claims of that reporter
 *   'v' ‖ region 0 kind 0 value               claims of that value
 *
 * each number 8 bytes, big-endian, never 0 (deleted instead).
 *
 * Inside the ledger only. */
#ifndef SPLOT_LEDGER_LINKS_H
#define SPLOT_LEDGER_LINKS_H

#include "ledger/metrics.h"

/* Columns that links look at, found once. */
struct link_columns {
	size_t entity_kind;
	size_t network_id, entity_id;
	size_t statistic_kind, measure, value, reported_by;
};

MUST_USE enum err link_columns_init(struct link_columns *c);

struct links {
	const struct view *view;
	struct txn *txn;
	const struct link_columns *columns;
	struct tally *tally;
	struct arena *arena; /* scratch */
};

/* Moves what a record of this kind and id adds to such counts from one standing to the
 * next.  The record itself may be stored before or after. */
MUST_USE enum err links_move(const struct links *l, enum record_kind kind, const char *id,
			     const struct standing *from, const struct standing *to);

#endif
