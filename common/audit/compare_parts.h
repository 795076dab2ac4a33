/* What the files of a comparison share.
 *
 * Inside the audit only. */
#ifndef SPLOT_AUDIT_COMPARE_PARTS_H
#define SPLOT_AUDIT_COMPARE_PARTS_H

#include "audit/compare.h"
#include "ledger/view.h"
#include "model/control.h"

struct compare {
	const struct compare_side *sides;
	struct compare_report *report;
	int failed;     /* the side that could not be read */
	bool server[2]; /* it has a national log */
	struct arena arena;
	struct arena counts_arena[2];
	struct buf key[2], row[2]; /* the record that each side stands at */
};

/* Records and counts of both, AGAIN when a view does not stand where its logs do. */
MUST_USE enum err compare_views(struct compare *c);

#endif
