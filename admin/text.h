/* Text for a terminal: its width in columns, and data made harmless (what a record says
 * must not steer the terminal). */
#ifndef SPLOT_ADMIN_TEXT_H
#define SPLOT_ADMIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Columns that UTF-8 text takes on a terminal. */
size_t text_width(const char *text);
/* Appends text with control characters, bidirectional controls and bytes that are not
 * UTF-8 written as \n, \x1b, \u202e. */
void text_escape(struct buf *out, const char *text);

/* Formatted text in the arena; "" without memory. */
const char *text_in(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A number of 1 or more in digits alone, as a size or a limit is given. */
bool text_number(const char *text, uint64_t *ret);

/* "1 event", "3 events": a count with its word, in the arena. */
const char *text_count(struct arena *arena, uint64_t count, const char *one, const char *many);

/* A table: titles, then cells row by row; printed when all widths are known. */
enum text_align { ALIGN_LEFT, ALIGN_RIGHT };
enum { TABLE_COLUMNS_MAX = 16 };
struct text_table {
	size_t column_count;
	const char *titles[TABLE_COLUMNS_MAX];
	enum text_align aligns[TABLE_COLUMNS_MAX];
	const char **cells; /* owned array of borrowed (arena) texts */
	size_t cell_count, capacity;
	bool failed;
	struct arena *arena; /* borrowed */
};
struct text_table table_in(struct arena *arena);
void table_column(struct text_table *t, const char *title, enum text_align align);
/* The text is copied, escaped. */
void table_cell(struct text_table *t, const char *text);
void table_cell_uint(struct text_table *t, uint64_t x);
/* Appends the table and frees it. */
void table_print(struct text_table *t, const char *indent, struct buf *out);

#endif
