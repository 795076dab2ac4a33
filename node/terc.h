/* The TERYT codes that exist, from a CSV file with a column `teryt`: seven digits name a
 * gmina, four a powiat; a gmina's first four digits name its powiat as well. */
#ifndef SPLOT_NODE_TERC_H
#define SPLOT_NODE_TERC_H

#include "model/validate.h"

struct terc_table {
	uint32_t *gminas, *powiats; /* sorted; owned; NULL when no table is configured */
	size_t gmina_count, powiat_count;
};

/* CONFIG when the file cannot be used: `why` says what and what to do. */
MUST_USE enum err terc_load(const char *path, struct terc_table *ret, char *why, size_t why_size);
void terc_free(struct terc_table *t);

/* The table as validation asks it: it must outlive the result.  Without a table: NULL
 * functions. */
struct terc terc_of(struct terc_table *t);

#endif
