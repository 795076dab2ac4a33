/* Answers to QUERY and SUMMARY from a view: the same at a node and at a server.
 *
 * Layer: ledger. */
#ifndef SPLOT_LEDGER_ANSWER_H
#define SPLOT_LEDGER_ANSWER_H

#include "ledger/log.h"
#include "ledger/view.h"
#include "model/control.h"

/* A reply that holds nothing but a code and a text (borrowed): every other text is "",
 * every list empty. */
struct control_reply answer_plain(enum err code, const char *text);

/* Before answer_view, for a QUERY that says `until`: finds `at` by the log whose entries the view
 * counts (a node's own, a server's national one), in a transaction of that log's store.  OK for
 * any other request, which stays as it is.  After an error `ret` is the reply: NOT_FOUND when
 * nothing was recorded that early, else the store failed. */
MUST_USE enum err answer_until(const struct log *followed, struct txn *t, struct control_request *q,
			       struct control_reply *ret);

/* Fills the whole of `ret` for a request of verb QUERY or SUMMARY (ARGUMENT for others),
 * `size` apart, which the caller knows.  What is listed lives in the arena and in `t`'s values.
 *
 * QUERY: with `id` that record as of `at`, of any kind when `kind` is NONE (NOT_FOUND when
 * there is none; a tombstone only when `retired`), or its versions, newest first, when `history`:
 * those before event `before_index` of entry `at`; without `id` the records of `kind`.
 * `position` is what the answer stands for; AGAIN when `at` is beyond what is folded.  `more`:
 * page on with `after` and `at`, a history with the place of its last version.
 *
 * SUMMARY: the counts now, those after `after_count`.  `more`: page on with the last of them,
 * and begin again when `position` has become another.
 *
 * Always answers: a failing store is told in the reply as well, and returned, so that the
 * caller can log it; what the asker got wrong is in the reply alone, and OK is returned. */
MUST_USE enum err answer_view(const struct view *v, struct txn *t, const struct control_request *q,
			      struct arena *arena, struct control_reply *ret);

#endif
