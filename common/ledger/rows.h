/* Answers to ROWS from a store that holds logs or a view: the same at a node and at a server.
 *
 * Layer: ledger. */
#ifndef SPLOT_LEDGER_ROWS_H
#define SPLOT_LEDGER_ROWS_H

#include "io/store.h"
#include "model/control.h"

/* The name in place of a log's that asks for the view's tables. */
#define ROWS_OF_VIEW "view"

/* Fills the whole of `ret`, `size` and `position` apart, for a request of verb ROWS: exact bytes of
 * table q->table of log q->name, or of the view, in key order (or backwards), those after
 * q->after_key, as many as fit a reply; an empty list past the end.  ARGUMENT for a name or table
 * that there is none of, NOT_FOUND for one that is not here.
 *
 * All rows are of one moment and are copied into the arena: no transaction stays open.  Not
 * to be called while this thread reads in the same store.
 *
 * Always answers: a failing store is told in the reply as well, and returned, so that the
 * caller can log it; what the asker got wrong is in the reply alone, and OK is returned. */
MUST_USE enum err rows_answer(struct store *s, const struct control_request *q, struct arena *arena,
			      struct control_reply *ret);

#endif
