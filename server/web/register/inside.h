/* What a question needs of the catalog beside its rows.
 *
 * Layer: register, of use inside it only. */
#ifndef SPLOT_REGISTER_INSIDE_H
#define SPLOT_REGISTER_INSIDE_H

#include "register/ranking.h"

enum ranking_order catalog_order(const struct field *field);
/* The ranking that column is sorted by, with every text of it ranked.  NOMEM */
MUST_USE enum err catalog_ranking(const struct catalog *c, enum record_kind kind, size_t field,
				  struct ranking **ret);
const struct pool *catalog_pool(const struct catalog *c);
/* The row of the record with that id; SIZE_MAX when there is none. */
size_t catalog_row(const struct catalog *c, enum record_kind kind, text_id id);

#endif
