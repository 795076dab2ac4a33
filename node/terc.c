#include "node/terc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "io/files.h"

enum { GMINA_DIGITS = 7, POWIAT_DIGITS = 4 };

/* ---- just enough CSV to find one column of digits ---- */

/* Reads one cell into `cell` (cut when longer, which no code is) and tells whether the line
 * ends with it. */
static bool read_cell(struct cursor *c, char separator, char *cell, size_t room)
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
		if (x != '\r' && used + 1 < room)
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

/* Which column is headed `teryt`; -1 when none is. */
static int find_column(struct cursor *c, char separator)
{
	char cell[16];
	bool last = false;
	int found = -1;

	for (int column = 0; !last; column++) {
		last = read_cell(c, separator, cell, sizeof cell);
		if (found < 0 && strcmp(cell, "teryt") == 0)
			found = column;
	}
	return found;
}

/* ---- the table ---- */

static int compare_codes(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static bool code_number(const char *text, size_t digits, uint32_t *ret)
{
	uint32_t number = 0;

	if (strlen(text) != digits || strspn(text, "0123456789") != digits)
		return false;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + (uint32_t)(text[i] - '0');
	*ret = number;
	return true;
}

static bool table_add(struct terc_table *t, const char *code)
{
	uint32_t number = 0;

	if (code_number(code, GMINA_DIGITS, &number)) {
		t->gminas[t->gmina_count++] = number;
		t->powiats[t->powiat_count++] = number / 1000;
		return true;
	}
	if (code_number(code, POWIAT_DIGITS, &number)) {
		t->powiats[t->powiat_count++] = number;
		return true;
	}
	return false;
}

/* Reads every row; OK, or CONFIG with `why` telling the row. */
static enum err read_rows(struct cursor *c, char separator, int column, const char *path,
			  struct terc_table *t, char *why, size_t why_size)
{
	char cell[16];

	for (unsigned row = 2; cursor_left(c) > 0; row++) {
		char code[16] = "";
		bool last = false;
		int at = 0;

		for (; !last; at++) {
			last = read_cell(c, separator, cell, sizeof cell);
			if (at == column)
				memcpy(code, cell, sizeof code);
		}
		if (at == 1 && code[0] == 0)
			continue; /* an empty line */
		if (table_add(t, code))
			continue;
		(void)snprintf(why, why_size,
			       "terc %s: row %u: %s is no code: seven digits name a gmina, four a "
			       "powiat",
			       path, row, code);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

static enum err parse(struct bytes file, const char *path, struct terc_table *ret, char *why,
		      size_t why_size)
{
	struct cursor c = cursor_of(file);
	char separator = separator_of(file);
	size_t lines = 1;
	int column = 0;

	if (file.size >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0)
		(void)cursor_bytes(&c, 3);
	column = find_column(&c, separator);
	if (column < 0) {
		(void)snprintf(why, why_size,
			       "terc %s: no column is headed teryt; name the column of codes so",
			       path);
		return ERR_CONFIG;
	}
	for (size_t i = 0; i < file.size; i++)
		lines += file.data[i] == '\n';
	ret->gminas = calloc(lines, sizeof *ret->gminas);
	ret->powiats = calloc(lines, sizeof *ret->powiats);
	if (!ret->gminas || !ret->powiats)
		return ERR_NOMEM;
	return read_rows(&c, separator, column, path, ret, why, why_size);
}

enum err terc_load(const char *path, struct terc_table *ret, char *why, size_t why_size)
{
	struct buf file = {.limit = IMPORT_FILE_BYTES_MAX};
	struct terc_table t = {0};
	enum err e = file_read(path, IMPORT_FILE_BYTES_MAX, &file);

	if (e != ERR_OK) {
		(void)snprintf(why, why_size, "terc %s: %s", path, err_text(e));
		e = ERR_CONFIG;
	} else {
		e = parse(buf_bytes(&file), path, &t, why, why_size);
	}
	buf_free(&file);
	if (e != ERR_OK) {
		terc_free(&t);
		return e;
	}
	qsort(t.gminas, t.gmina_count, sizeof *t.gminas, compare_codes);
	qsort(t.powiats, t.powiat_count, sizeof *t.powiats, compare_codes);
	*ret = t;
	return ERR_OK;
}

void terc_free(struct terc_table *t)
{
	free(t->gminas);
	free(t->powiats);
	*t = (struct terc_table){0};
}

static bool powiat_known(const void *context, const char *code4)
{
	const struct terc_table *t = context;
	uint32_t number = 0;

	return code_number(code4, POWIAT_DIGITS, &number) &&
	       bsearch(&number, t->powiats, t->powiat_count, sizeof number, compare_codes);
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
	if (!t->powiats)
		return (struct terc){0};
	return (struct terc){t, powiat_known, t->gmina_count ? gmina_known : NULL};
}
