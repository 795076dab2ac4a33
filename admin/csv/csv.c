#include "admin/csv/csv.h"

#include <csv.h>
#include <stdlib.h>
#include <string.h>

/* What libcsv's callbacks gather. */
struct reader {
	struct arena *arena;
	struct csv_sheet *sheet;
	struct csv_row now; /* the row being read */
	const char *cells[CSV_COLUMNS_MAX];
	bool after_cr;   /* a CR ended the row before: its LF is no row */
	bool row_ended;  /* since this was last made false */
	bool first_only; /* stop caring behind the header */
	enum err err;
	struct csv_fault fault;
};

static void on_cell(void *data, size_t size, void *context)
{
	struct reader *r = context;

	r->after_cr = false;
	if (r->err != ERR_OK)
		return;
	if (r->now.cell_count == CSV_COLUMNS_MAX) {
		r->err = ERR_LIMIT;
		r->fault = (struct csv_fault){FAULT_WIDE, r->now.row, CSV_COLUMNS_MAX};
		return;
	}
	r->cells[r->now.cell_count] = arena_text(r->arena, bytes_of(data, size));
	if (!r->cells[r->now.cell_count])
		r->err = ERR_NOMEM;
	else
		r->now.cell_count++;
}

static bool all_empty(const struct reader *r)
{
	for (size_t i = 0; i < r->now.cell_count; i++)
		if (*r->cells[i])
			return false;
	return true;
}

/* Moves the row being read into the sheet. */
static void keep_row(struct reader *r)
{
	size_t size = r->now.cell_count * sizeof *r->now.cells;
	struct csv_sheet *s = r->sheet;

	r->now.cells = arena_alloc(r->arena, size);
	if (!r->now.cells) {
		r->err = ERR_NOMEM;
		return;
	}
	memcpy(r->now.cells, r->cells, size);
	if (!s->header.cells) {
		s->header = r->now;
		return;
	}
	if (s->row_count == IMPORT_ROWS_MAX) {
		r->err = ERR_LIMIT;
		r->fault = (struct csv_fault){FAULT_LONG, r->now.row, 1};
		return;
	}
	if (s->row_count == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 256;
		struct csv_row *rows = reallocarray(s->rows, capacity, sizeof *rows);

		if (!rows) {
			r->err = ERR_NOMEM;
			return;
		}
		s->rows = rows;
		s->capacity = capacity;
	}
	s->rows[s->row_count++] = r->now;
}

static void on_row(int end, void *context)
{
	struct reader *r = context;

	r->row_ended = true;
	if (end == '\n' && r->after_cr) { /* the second half of CRLF */
		r->after_cr = false;
		return;
	}
	r->after_cr = end == '\r';
	if (r->err != ERR_OK || (r->first_only && r->sheet->header.cells))
		return;
	if (r->now.quote_column || (r->now.cell_count && !all_empty(r)))
		keep_row(r);
	r->now = (struct csv_row){.row = r->now.row + 1};
}

/* libcsv would take blanks at the ends of a cell away. */
static int never(unsigned char c)
{
	(void)c;
	return 0;
}

/* Where the line that begins at `from` ends: behind its CR, LF or CRLF. */
static size_t line_end(struct bytes text, size_t from)
{
	while (from < text.size && text.data[from] != '\r' && text.data[from] != '\n')
		from++;
	if (from + 1 < text.size && text.data[from] == '\r' && text.data[from + 1] == '\n')
		from++;
	return from < text.size ? from + 1 : text.size;
}

static enum err begin(struct csv_parser *p, char delimiter)
{
	if (csv_init(p, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0)
		return ERR_NOMEM;
	csv_set_delim(p, (unsigned char)delimiter);
	csv_set_space_func(p, never);
	return ERR_OK;
}

/* The row being read has a quote that does not fit. */
static void end_bad_row(struct reader *r)
{
	r->now.quote_column = r->now.cell_count + 1;
	on_cell("", 0, r);
	on_row('\n', r);
}

/* Line by line, so that the place where a row began is known when its quotes do not fit. */
static enum err parse(struct bytes text, char delimiter, struct reader *r)
{
	struct csv_parser p;
	size_t row_start = 0;
	bool open = false;
	bool broken = false;
	enum err e = begin(&p, delimiter);

	if (e != ERR_OK)
		return e;
	for (size_t at = 0; at < text.size && r->err == ERR_OK;) {
		size_t end = line_end(text, at);

		r->row_ended = false;
		broken = csv_parse(&p, text.data + at, end - at, on_cell, on_row, r) != end - at;
		at = end;
		if (broken && (csv_error(&p) != CSV_EPARSE || !r->sheet->header.cells))
			break;
		if (broken) {
			at = line_end(text, row_start);
			end_bad_row(r);
			csv_free(&p);
			e = begin(&p, delimiter);
			if (e != ERR_OK)
				return e;
			broken = false;
		}
		if (r->row_ended)
			row_start = at;
	}
	open = !broken && csv_fini(&p, on_cell, on_row, r) != 0;
	if (r->err == ERR_OK && (broken || open)) {
		r->err = csv_error(&p) == CSV_EPARSE ? ERR_DECODE : ERR_NOMEM;
		r->fault = (struct csv_fault){open ? FAULT_OPEN_QUOTE : FAULT_QUOTE, r->now.row,
					      r->now.cell_count + 1};
	}
	csv_free(&p);
	return r->err;
}

/* A spreadsheet writes the width that it once had: empty cells behind the last heading. */
static void drop_empty_tail(struct csv_sheet *s)
{
	size_t width = s->header.cell_count;

	while (width && !*s->header.cells[width - 1])
		width--;
	for (size_t i = 0; i < s->row_count; i++) {
		const struct csv_row *row = &s->rows[i];

		for (size_t c = width;
		     !row->quote_column && c < row->cell_count && c < s->header.cell_count; c++)
			if (*row->cells[c])
				width = c + 1;
	}
	s->header.cell_count = width;
	for (size_t i = 0; i < s->row_count; i++) {
		struct csv_row *row = &s->rows[i];

		while (row->cell_count > width && !*row->cells[row->cell_count - 1])
			row->cell_count--;
	}
}

enum err csv_read(struct bytes text, char delimiter, struct arena *arena, struct csv_sheet *ret,
		  struct csv_fault *ret_fault)
{
	struct csv_sheet sheet = {0};
	struct reader r = {.arena = arena, .sheet = &sheet, .now = {.row = 1}};
	enum err e = parse(text, delimiter, &r);

	if (e == ERR_OK && !sheet.header.cells) {
		e = ERR_DECODE;
		r.fault = (struct csv_fault){FAULT_EMPTY, 0, 0};
	}
	if (e == ERR_OK)
		drop_empty_tail(&sheet);
	*ret_fault = r.fault;
	*ret = sheet;
	return e;
}

void csv_sheet_free(struct csv_sheet *s)
{
	free(s->rows);
	*s = (struct csv_sheet){0};
}

enum err csv_first_row(struct bytes text, char delimiter, struct arena *arena, struct csv_row *ret)
{
	struct csv_sheet sheet = {0};
	struct reader r = {.arena = arena, .sheet = &sheet, .now = {.row = 1}, .first_only = true};
	enum err e = ERR_OK;
	bool quoted = false;
	size_t size = 0;

	/* Only what is needed is parsed: up to the line end that stands outside quotes and
	 * behind something. */
	for (bool any = false; size < text.size; size++) {
		uint8_t c = text.data[size];

		quoted = quoted != (c == '"');
		if (!quoted && any && (c == '\r' || c == '\n'))
			break;
		any = any || (c != '\r' && c != '\n');
	}
	e = parse(bytes_of(text.data, size), delimiter, &r);
	if (e == ERR_OK && !sheet.header.cells)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		*ret = sheet.header;
	free(sheet.rows);
	return e;
}

void csv_write_cell(struct buf *out, const char *text, char delimiter)
{
	const char special[] = {delimiter, '"', '\r', '\n', '\0'};

	if (!strpbrk(text, special)) {
		buf_add_text(out, text);
		return;
	}
	buf_add_u8(out, '"');
	while (*text) {
		size_t plain = strcspn(text, "\"");

		buf_add(out, text, plain);
		text += plain;
		if (*text) {
			buf_add_text(out, "\"\"");
			text++;
		}
	}
	buf_add_u8(out, '"');
}
