/* The table of powiaty, for the coverage answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "io/files.h"
#include "server/web/settings.h"

enum { POWIAT_DIGITS = 4, GMINA_DIGITS = 7, CELL_BYTES = 128, AREAS_MAX = 4096 };

struct columns {
	char separator;
	int teryt, name; /* -1: none */
};

struct reading {
	struct terc_area *areas;
	size_t count, room;
};

/* One cell, cut at its room; true when the line ends with it. */
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
		if (!quoted && (x == separator || x == '\n'))
			break;
		if (x != '\r' && used + 1 < CELL_BYTES)
			cell[used++] = x;
	}
	cell[used] = 0;
	return cursor_left(c) == 0 || c->at[-1] == '\n';
}

static struct columns read_heading(struct cursor *c)
{
	struct columns found = {.separator = ',', .teryt = -1, .name = -1};
	char cell[CELL_BYTES];
	bool last = false;

	for (size_t i = 0; i < cursor_left(c) && c->at[i] != '\n'; i++)
		if (c->at[i] == ';')
			found.separator = ';';
	for (int column = 0; !last; column++) {
		last = read_cell(c, found.separator, cell);
		if (strcmp(cell, "teryt") == 0)
			found.teryt = column;
		if (strcmp(cell, "name") == 0)
			found.name = column;
	}
	return found;
}

static enum err take(struct reading *r, const char *code, const char *name)
{
	struct terc_area *more = NULL;
	size_t room = r->room ? 2 * r->room : 512;

	if (r->count == AREAS_MAX)
		return ERR_LIMIT;
	if (r->count == r->room) {
		more = reallocarray(r->areas, room, sizeof *more);
		if (!more)
			return ERR_NOMEM;
		r->areas = more;
		r->room = room;
	}
	r->areas[r->count] =
		(struct terc_area){.code = strndup(code, POWIAT_DIGITS), .name = strdup(name)};
	r->count++;
	return r->areas[r->count - 1].code && r->areas[r->count - 1].name ? ERR_OK : ERR_NOMEM;
}

static enum err read_row(struct cursor *c, const struct columns *columns, struct reading *r)
{
	char code[CELL_BYTES] = "";
	char name[CELL_BYTES] = "";
	char cell[CELL_BYTES];
	size_t digits = 0;
	bool last = false;

	for (int column = 0; !last; column++) {
		last = read_cell(c, columns->separator, cell);
		if (column == columns->teryt)
			memcpy(code, cell, sizeof code);
		if (column == columns->name)
			memcpy(name, cell, sizeof name);
	}
	digits = strspn(code, "0123456789");
	if (code[digits] || (digits != POWIAT_DIGITS && digits != GMINA_DIGITS))
		return ERR_OK; /* a heading of a group, a voivodeship */
	return take(r, code, digits == POWIAT_DIGITS ? name : "");
}

/* ---- one row for each ---- */

/* By code; of one code the row with a name first. */
static int by_code(const void *a, const void *b)
{
	const struct terc_area *x = a;
	const struct terc_area *y = b;
	int order = strcmp(x->code, y->code);

	return order != 0 ? order : (y->name[0] != 0) - (x->name[0] != 0);
}

static void free_area(struct terc_area *a)
{
	/* They are ours: made by strdup. */
	free((void *)(uintptr_t)a->code);
	free((void *)(uintptr_t)a->name);
}

static void only_once(struct reading *r)
{
	size_t kept = 0;

	if (r->count > 1)
		qsort(r->areas, r->count, sizeof *r->areas, by_code);
	for (size_t i = 0; i < r->count; i++) {
		if (kept > 0 && strcmp(r->areas[kept - 1].code, r->areas[i].code) == 0)
			free_area(&r->areas[i]);
		else
			r->areas[kept++] = r->areas[i];
	}
	r->count = kept;
}

void terc_free(struct terc_area *areas, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free_area(&areas[i]);
	free(areas);
}

enum err terc_load(const char *path, struct terc_area **ret, size_t *ret_count, char *why)
{
	struct buf file = {.data = NULL};
	struct reading r = {.areas = NULL};
	struct columns columns = {.teryt = -1};
	struct cursor c = {.at = NULL};
	enum err e = file_read(path, IMPORT_FILE_BYTES_MAX, &file);

	if (e != ERR_OK) {
		(void)snprintf(why, WHY_BYTES, "terc = %s: %s", path, err_text(e));
		buf_free(&file);
		return ERR_CONFIG;
	}
	c = cursor_of(buf_bytes(&file));
	if (file.size >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0)
		(void)cursor_bytes(&c, 3);
	columns = read_heading(&c);
	while (e == ERR_OK && columns.teryt >= 0 && cursor_left(&c) > 0)
		e = read_row(&c, &columns, &r);
	buf_free(&file);
	if (e == ERR_OK && r.count > 0) {
		only_once(&r);
		*ret = r.areas;
		*ret_count = r.count;
		return ERR_OK;
	}
	terc_free(r.areas, r.count);
	(void)snprintf(why, WHY_BYTES,
		       "terc = %s: %s; it needs a heading with the column teryt (and maybe name), "
		       "and below it codes of four or seven digits",
		       path, e == ERR_OK ? "no powiat in it" : err_text(e));
	return e == ERR_NOMEM ? e : ERR_CONFIG;
}
