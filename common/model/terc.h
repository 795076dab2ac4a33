/* The TERYT codes that exist, from a CSV file with a column `teryt`: seven digits name a gmina,
 * four a powiat; a gmina's first four digits name its powiat as well.  A column `name`, when there
 * is one, names the powiats of rows with four digits; further columns are not looked at.
 *
 * Layer: model. */
#ifndef SPLOT_MODEL_TERC_H
#define SPLOT_MODEL_TERC_H

#include "model/validate.h"

/* A code of four digits and, where the table has it, the powiat's name; else "". */
struct terc_area {
	const char *code, *name;
};

struct terc_table {              /* zeroed: no table */
	uint32_t *gminas;        /* sorted */
	struct terc_area *areas; /* every powiat once, sorted by code */
	size_t gmina_count, area_count;
	struct arena arena; /* owns all of it */
};

/* A whole file's bytes; `path` is for the message alone.  CONFIG when it cannot be used: `why` says
 * what and what to do; NOMEM. */
MUST_USE enum err terc_table_parse(struct bytes file, const char *path, struct terc_table *ret,
				   char *why, size_t why_size);
void terc_table_free(struct terc_table *t);

/* The table as validation asks it: it must outlive the result.  Without a table: NULL
 * functions. */
struct terc terc_of(struct terc_table *t);

#endif
