/* A server's national log: one entry for each accepted checkpoint and administrative act,
 * and the folding of what it accepted into the view.
 *
 * Layer: ledger. */
#ifndef SPLOT_LEDGER_NATIONAL_H
#define SPLOT_LEDGER_NATIONAL_H

#include "ledger/log.h"
#include "ledger/view.h"
#include "model/event.h"

/* Appends a verified commit to its log and its Accepted entry to the national log, in one
 * write transaction; `note` becomes the log's stored checkpoint.  The caller seals the
 * national log once at the end of the transaction (log_seal).
 * An event of size 0 is a redacted one: its data are the 32 bytes of its leaf hash. */
MUST_USE enum err national_accept(struct log *national, struct log *log, struct txn *t,
				  struct wall_ms now, const struct bytes *events, uint32_t count,
				  struct bytes note);
/* Appends an administrative act. */
MUST_USE enum err national_act(struct log *national, struct txn *t,
			       const struct national_entry *act);

/* How many events of `log` the first `national_size` entries accepted.  Reads back from there to
 * the log's newest accepted entry, or to its enrolment: some microseconds for each entry between,
 * so seconds where a log said nothing for a million entries.  ARGUMENT past the end. */
MUST_USE enum err national_size_of(const struct log *national, struct txn *read,
				   struct log_name log, uint64_t national_size, uint64_t *ret);

/* Whether an entry is number `index` of the national log of `key`: by that log's checkpoint, which
 * is of `size`, and the proof for it.  PROOF, DECODE, and what checkpoint_open says. */
MUST_USE enum err national_prove(const struct vkey *key, struct bytes note, uint64_t size,
				 uint64_t index, struct bytes entry, struct bytes proof);

/* ---- cosigned checkpoints: table "national.cosigned" (size, 8 bytes -> signed note with
 * witnesses' lines) ---- */

/* Opens the table of a store that has a national log; NOT_FOUND. */
MUST_USE enum err cosigned_open(struct store *s, bool create, struct table *ret);
/* Puts a note in place of that size's; the newest 64 sizes are kept. */
MUST_USE enum err cosigned_put(struct table cosigned, struct txn *t, uint64_t size,
			       struct bytes note);
/* The newest at or below `size` (UINT64_MAX: of all); NOT_FOUND. */
MUST_USE enum err cosigned_at(struct table cosigned, struct txn *t, uint64_t size,
			      uint64_t *ret_size, struct bytes *ret_note);

/* Finds a log's tables by name for reading; NULL when there is none. */
struct log_finder {
	void *context;
	const struct log *(*find)(void *context, struct log_name name);
};

/* Folds entries of the national log from the view's position on into the view: whole
 * entries, until the work (view_fold_work) of `most_events` of the smallest events was done or the
 * log ends; counts and cursor are written (view_fold_finish).  The caller commits.  `ret_position`:
 * entries folded in all; `ret_events`: events folded now (0 entries left: nothing was done).
 * CORRUPT when the cursor is ahead of the log: throw the view away and fold anew. */
MUST_USE enum err national_fold(const struct log *national, const struct log_finder *logs,
				struct txn *logs_read, const struct view *view,
				struct txn *view_write, struct view_fold *fold, struct arena *arena,
				size_t most_events, uint64_t *ret_position, size_t *ret_events);

#endif
