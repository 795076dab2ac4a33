/* Which column of the register each column of a file is: by column name, Polish label or
 * English label, whatever the case.  Pure. */
#ifndef SPLOT_ADMIN_CSV_HEADING_H
#define SPLOT_ADMIN_CSV_HEADING_H

#include "admin/csv/csv.h"
#include "admin/csv/finding.h"
#include "model/record.h"

/* The last column of export --excel: "<log>@<size>". */
#define STATE_COLUMN "splot_state"

enum { HEADING_STATE = -2, HEADING_UNKNOWN = -1 };

/* One heading: every field index that it may mean is set in `ret_fields` (room for
 * CSV_COLUMNS_MAX); returns how many. */
size_t heading_meanings(const struct kind *kind, const char *heading, int *ret_fields);

/* Fills ret_fields[i] with the field of column i, or HEADING_STATE.  When all headings are
 * column names, they are read as such; else all as Polish, else all as English labels; else
 * each for itself, and then one that may mean two columns is refused.  What is wrong
 * (unknown, ambiguous, repeated, empty) is added; INVALID then. */
MUST_USE enum err heading_map(const struct kind *kind, const struct csv_row *header,
			      const char *file, struct arena *arena, int *ret_fields,
			      struct findings *findings);

/* How many headings mean something for this kind. */
size_t heading_known(const struct kind *kind, const struct csv_row *header);

/* The delimiter under which most headings of any kind are known: ',' ';' or tab. */
char heading_delimiter(struct bytes text, struct arena *arena);

#endif
