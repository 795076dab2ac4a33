#include "model/terc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/text.h"

enum { GMINA_DIGITS = 7, POWIAT_DIGITS = 4, CELL_BYTES = 256 };

/* ---- just enough CSV to find two columns ---- */

/* Reads one cell (a longer one is cut, and is no code and no name then) and tells whether the line
 * ends with it. */
static bool read_cell(struct cursor *c, char separator, char cell[static CELL_BYTES])
{
	size_t used = 0;
	bool quoted = false;

	while (cursor_left(c) > 0) {
		char x = (char)cursor_u8(c);

		if (x == '"') {
			quoted = !quoted;
			continue;
		}
		if (!quoted && (x == separator || x == '\n')) {
			cell[used] = 0;
			return x == '\n';
		}
		if (x != '\r' && used + 1 < CELL_BYTES)
			cell[used++] = x;
	}
	cell[used] = 0;
	return true;
}

static char separator_of(struct bytes file)
{
	for (size_t i = 0; i < file.size && file.data[i] != '\n'; i++)
		if (file.data[i] == ';' || file.data[i] == ',')
			return (char)file.data[i];
	return ',';
}

struct columns {
	char separator;
	int teryt, name; /* -1: none is headed so */
};

static void find_columns(struct cursor *c, struct columns *ret)
{
	char cell[CELL_BYTES];
	bool last = false;

	for (int column = 0; !last; column++) {
		last = read_cell(c, ret->separator, cell);
		if (ret->teryt < 0 && strcmp(cell, "teryt") == 0)
			ret->teryt = column;
		if (ret->name < 0 && strcmp(cell, "name") == 0)
			ret->name = column;
	}
}

/* ---- rows ---- */

static bool code_number(const char *text, size_t digits, uint32_t *ret)
{
	if (strlen(text) != digits || !all_digits(text))
		return false;
	*ret = digits_value(text, digits);
	return true;
}

/* Characters of UTF-8, none of which moves the cursor of whoever prints it. */
static bool is_name(const char *text)
{
	struct bytes left = bytes_of_text(text);

	while (left.size > 0) {
		size_t size = utf8_character(left);

		if (size == 0 || utf8_code_point(left) < 0x20)
			return false;
		left = bytes_of(left.data + size, left.size - size);
	}
	return strlen(text) < CELL_BYTES - 1;
}

static bool add_area(struct terc_table *t, const char *code, const char *name)
{
	struct terc_area *area = &t->areas[t->area_count++];

	area->code = arena_text(&t->arena, bytes_of(code, POWIAT_DIGITS));
	area->name = *name ? arena_text(&t->arena, bytes_of_text(name)) : "";
	return area->code && area->name;
}

/* One row; OK, CONFIG for one that is no code, INVALID for one with no name. */
static enum err add_row(struct terc_table *t, const char *code, const char *name)
{
	uint32_t number = 0;

	if (code_number(code, GMINA_DIGITS, &number)) {
		t->gminas[t->gmina_count++] = number;
		return add_area(t, code, "") ? ERR_OK : ERR_NOMEM;
	}
	if (!code_number(code, POWIAT_DIGITS, &number))
		return ERR_CONFIG;
	if (!is_name(name))
		return ERR_INVALID;
	return add_area(t, code, name) ? ERR_OK : ERR_NOMEM;
}

static enum err read_rows(struct cursor *c, const struct columns *columns, struct terc_table *t,
			  unsigned *ret_row, char code[static CELL_BYTES])
{
	char name[CELL_BYTES] = "";
	char cell[CELL_BYTES];
	enum err e = ERR_OK;

	for (unsigned row = 2; e == ERR_OK && cursor_left(c) > 0; row++) {
		bool last = false;
		int at = 0;

		*ret_row = row;
		code[0] = 0;
		for (; !last; at++) {
			last = read_cell(c, columns->separator, cell);
			if (at == columns->teryt)
				memcpy(code, cell, sizeof cell);
			if (at == columns->name)
				memcpy(name, cell, sizeof cell);
		}
		if (at > 1 || code[0] != 0) /* else an empty line */
			e = add_row(t, code, name);
	}
	return e;
}

/* ---- the table ---- */

static int compare_codes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* By code; of one code the row with a name first. */
static int compare_areas(const void *a, const void *b)
{
	const struct terc_area *x = a;
	const struct terc_area *y = b;
	int order = strcmp(x->code, y->code);

	return order ? order : (*y->name != 0) - (*x->name != 0);
}

static void sort(struct terc_table *t)
{
	size_t kept = 0;

	if (t->gmina_count > 0)
		qsort(t->gminas, t->gmina_count, sizeof *t->gminas, compare_codes);
	if (t->area_count > 0)
		qsort(t->areas, t->area_count, sizeof *t->areas, compare_areas);
	for (size_t i = 0; i < t->area_count; i++)
		if (kept == 0 || strcmp(t->areas[kept - 1].code, t->areas[i].code) != 0)
			t->areas[kept++] = t->areas[i];
	t->area_count = kept;
}

static enum err parse(struct bytes file, const char *path, struct terc_table *t, char *why,
		      size_t why_size)
{
	struct cursor c = cursor_of(file);
	struct columns columns = {.separator = separator_of(file), .teryt = -1, .name = -1};
	char code[CELL_BYTES] = "";
	unsigned row = 0;
	size_t lines = 1;
	enum err e = ERR_OK;

	if (file.size >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0)
		(void)cursor_bytes(&c, 3);
	find_columns(&c, &columns);
	if (columns.teryt < 0) {
		(void)snprintf(why, why_size,
			       "terc %s: no column is headed teryt; name the column of codes so",
			       path);
		return ERR_CONFIG;
	}
	for (size_t i = 0; i < file.size; i++)
		lines += file.data[i] == '\n';
	t->gminas = arena_alloc(&t->arena, lines * sizeof *t->gminas);
	t->areas = arena_alloc(&t->arena, lines * sizeof *t->areas);
	if (!t->gminas || !t->areas)
		return ERR_NOMEM;
	e = read_rows(&c, &columns, t, &row, code);
	if (e == ERR_CONFIG)
		(void)snprintf(why, why_size,
			       "terc %s: row %u: %.20s is no code: seven digits name a gmina, four "
			       "a powiat",
			       path, row, code);
	if (e == ERR_INVALID)
		(void)snprintf(why, why_size,
			       "terc %s: row %u: the name is no text of UTF-8, or too long for one",
			       path, row);
	return e == ERR_INVALID ? ERR_CONFIG : e;
}

enum err terc_table_parse(struct bytes file, const char *path, struct terc_table *ret, char *why,
			  size_t why_size)
{
	struct terc_table t = {.areas = NULL};
	enum err e = parse(file, path, &t, why, why_size);

	if (e != ERR_OK) {
		terc_table_free(&t);
		return e;
	}
	sort(&t);
	*ret = t;
	return ERR_OK;
}

void terc_table_free(struct terc_table *t)
{
	arena_free(&t->arena);
	*t = (struct terc_table){.areas = NULL};
}

/* ---- asked ---- */

static int compare_code(const void *code, const void *area)
{
	return strcmp(code, ((const struct terc_area *)area)->code);
}

static bool powiat_known(const void *context, const char *code4)
{
	const struct terc_table *t = context;

	return bsearch(code4, t->areas, t->area_count, sizeof *t->areas, compare_code) != NULL;
}

static bool gmina_known(const void *context, const char *code7)
{
	const struct terc_table *t = context;
	uint32_t number = 0;

	return code_number(code7, GMINA_DIGITS, &number) &&
	       bsearch(&number, t->gminas, t->gmina_count, sizeof number, compare_codes);
}

struct terc terc_of(struct terc_table *t)
{
	if (!t->areas)
		return (struct terc){0};
	return (struct terc){t, powiat_known, t->gmina_count ? gmina_known : NULL};
}
