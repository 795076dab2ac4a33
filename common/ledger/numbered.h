/* Tables whose keys are 8-byte numbers, big-endian.
 *
 * Inside the ledger only. */
#ifndef SPLOT_LEDGER_NUMBERED_H
#define SPLOT_LEDGER_NUMBERED_H

#include "io/store.h"

/* The row of the largest number up to `most`; NOT_FOUND; CORRUPT when its key is no number. */
MUST_USE enum err numbered_last(struct txn *t, struct table table, uint64_t most,
				uint64_t *ret_number, struct bytes *ret_value);

#endif
