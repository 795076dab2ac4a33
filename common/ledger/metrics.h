/* What the summary counts, as a table, and how one record's change moves it.
 *
 * Inside the ledger only. */
#ifndef SPLOT_LEDGER_METRICS_H
#define SPLOT_LEDGER_METRICS_H

#include "ledger/tally.h"
#include "ledger/view.h"
#include "model/record.h"

/* The table of metrics with its columns looked up once. */
struct metric_row;
struct metrics {
	struct metric_row *rows; /* owned */
	size_t count;
	size_t first[RECORD_KIND_LAST + 2]; /* rows of kind k: first[k] … first[k + 1] - 1 */
};

MUST_USE enum err metrics_init(struct metrics *m);
void metrics_free(struct metrics *m);

/* A record as it was or becomes; NULL record: not there (new, or retired). */
struct standing {
	const struct record *record;
	const char *region; /* code of the owner */
};
struct standing standing_of(const char *id, const struct record *record);

/* The rows that one record's own columns give: `from` is taken out, `to` put in. */
MUST_USE enum err metrics_move(const struct metrics *m, struct tally *t, enum record_kind kind,
			       const struct standing *from, const struct standing *to);

#endif
