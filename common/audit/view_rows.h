/* The view in a store that this process has open, as rows that are asked for (verify.h): what reads
 * a running daemon's view so reads a stored one as well.  Each call reads in a transaction of its
 * own and copies what it gives.
 *
 * Layer: audit. */
#ifndef SPLOT_AUDIT_VIEW_ROWS_H
#define SPLOT_AUDIT_VIEW_ROWS_H

#include "audit/verify.h"

struct view_rows; /* opaque */

/* The store is borrowed, and used by one thread at a time.  NOT_FOUND when it holds no view,
 * VERSION when another release folded it. */
MUST_USE enum err view_rows_open(struct store *store, struct view_rows **ret);
void view_rows_close(struct view_rows *r);                   /* NULL-safe */
struct verify_rows view_rows_functions(struct view_rows *r); /* valid as long as `r` */

#endif
