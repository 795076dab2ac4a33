/* CSV files: reading over libcsv so that every cell keeps its exact text, finding the
 * delimiter, and writing with minimal quotes.  Pure. */
#ifndef SPLOT_ADMIN_CSV_CSV_H
#define SPLOT_ADMIN_CSV_CSV_H

#include "base/bytes.h"
#include "base/limits.h"

enum { CSV_COLUMNS_MAX = 256 };

struct csv_row {
	size_t row; /* as a spreadsheet counts: 1 is the header */
	size_t cell_count;
	const char **cells;  /* in the arena */
	size_t quote_column; /* a quote there does not fit, so the cells say nothing; 0: fine */
};

struct csv_sheet {
	struct csv_row header;
	struct csv_row *rows; /* owned array */
	size_t row_count, capacity;
};

/* Where reading stopped, and why. */
struct csv_fault {
	enum { FAULT_FINE, FAULT_QUOTE, FAULT_OPEN_QUOTE, FAULT_WIDE, FAULT_LONG, FAULT_EMPTY } why;
	size_t row, column; /* counted from 1 */
};

/* Text is UTF-8 without zero bytes.  Rows whose cells are all empty are skipped but counted.
 * A row whose quotes do not fit is kept with its quote_column, and reading goes on behind its
 * first line, so that a quote too many swallows no rows.  Empty cells behind the last heading
 * are dropped.  DECODE with *ret_fault when the header's quotes do not fit or nothing closes
 * one, LIMIT over IMPORT_ROWS_MAX or CSV_COLUMNS_MAX, NOMEM. */
MUST_USE enum err csv_read(struct bytes text, char delimiter, struct arena *arena,
			   struct csv_sheet *ret, struct csv_fault *ret_fault);
void csv_sheet_free(struct csv_sheet *s);

/* The text's first row alone: cells as they would be split by that delimiter. */
MUST_USE enum err csv_first_row(struct bytes text, char delimiter, struct arena *arena,
				struct csv_row *ret);

/* Appends one cell, in quotes only when it holds the delimiter, a quote, CR or LF. */
void csv_write_cell(struct buf *out, const char *text, char delimiter);

#endif
