/* Changes of counts, gathered in memory while a batch folds and written once.
 *
 * Inside the ledger only. */
#ifndef SPLOT_LEDGER_TALLY_H
#define SPLOT_LEDGER_TALLY_H

#include "io/store.h"

struct tally_slot;
struct tally {
	struct tally_slot *slots; /* owned; a power of two of them, or none */
	size_t capacity;
	size_t used;
	struct arena keys; /* kept from batch to batch */
};

void tally_free(struct tally *t);
/* Forgets every change. */
void tally_clear(struct tally *t);
/* One row of the summary: metric, region, kind, key. */
MUST_USE enum err tally_add(struct tally *t, const char *metric, const char *region,
			    const char *kind, const char *key, int64_t change);
/* Adds the changes to the stored counts; one that becomes 0 is deleted.  Empty afterwards;
 * after a failure: abort the transaction and tally_clear. */
MUST_USE enum err tally_write(struct tally *t, struct table counts, struct txn *txn);

/* A stored number; CORRUPT when it is none. */
MUST_USE enum err count_read(struct bytes value, int64_t *ret);

#endif
