/* The view's own numbers: its cursor and its format.
 *
 * Inside the ledger only. */
#ifndef SPLOT_LEDGER_VIEW_STATE_H
#define SPLOT_LEDGER_VIEW_STATE_H

#include "ledger/view.h"

#define STATE_POSITION "position"

/* NOT_FOUND, CORRUPT. */
MUST_USE enum err state_read(const struct view *v, struct txn *t, const char *name, uint64_t *ret);
MUST_USE enum err state_write(const struct view *v, struct txn *t, const char *name, uint64_t x);

#endif
