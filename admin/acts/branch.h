/* Where two histories of one log part. */
#ifndef SPLOT_ADMIN_ACTS_BRANCH_H
#define SPLOT_ADMIN_ACTS_BRANCH_H

#include "audit/source.h"

/* The first leaf below `common` (a size that both have) that is not the same in both, by their
 * stored hashes; `common` when all are.  Errors are `ret_at`'s (a or b). */
MUST_USE enum err branch_fork(struct source *a, struct source *b, struct log_name log,
			      uint64_t common, uint64_t *ret, const struct source **ret_at);

#endif
