/* A record as the catalog has it, as JSON and as CSV.
 *
 * Inside the api layer. */
#ifndef SPLOT_API_ROW_H
#define SPLOT_API_ROW_H

#include "model/json.h"
#include "register/catalog.h"

/* Every column in order, unknown ones null, and "version". */
void write_row(struct json *j, const struct catalog *c, enum record_kind kind, size_t row);

/* RFC 4180, with CRLF.  A cell that a spreadsheet would take for a formula begins with an
 * apostrophe, in quotes. */
void csv_header(struct buf *out, const struct kind *kind);
void csv_row(struct buf *out, const struct catalog *c, enum record_kind kind, size_t row);

#endif
