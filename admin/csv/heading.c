#include "admin/csv/heading.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utf8proc.h>

#include "admin/text.h"

static bool is_ascii(const char *text)
{
	while (*text && !((unsigned char)*text & 0x80))
		text++;
	return !*text;
}

/* Letter case and compatibility forms do not matter. */
static bool same_heading(const char *a, const char *b)
{
	const utf8proc_option_t how = UTF8PROC_NULLTERM | UTF8PROC_STABLE | UTF8PROC_CASEFOLD |
				      UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
	utf8proc_uint8_t *x = NULL;
	utf8proc_uint8_t *y = NULL;
	bool same = false;

	if (is_ascii(a) && is_ascii(b)) /* nearly all: without folding */
		return !strcasecmp(a, b);
	same = utf8proc_map((const utf8proc_uint8_t *)a, 0, &x, how) >= 0 &&
	       utf8proc_map((const utf8proc_uint8_t *)b, 0, &y, how) >= 0 &&
	       !strcmp((const char *)x, (const char *)y);
	free(x);
	free(y);
	return same;
}

/* A copy without blanks around it. */
static const char *trimmed(const char *text, struct arena *arena)
{
	size_t size = 0;

	text += strspn(text, " \t\r\n");
	size = strlen(text);
	while (size && strchr(" \t\r\n", text[size - 1]))
		size--;
	return arena_text(arena, bytes_of(text, size));
}

enum reading { BY_NAME, BY_POLISH, BY_ENGLISH, READINGS };

static const char *label(const struct field *field, enum reading reading)
{
	if (reading == BY_NAME)
		return field->name;
	return reading == BY_POLISH ? field->label_pl : field->label_en;
}

/* The one field that a heading means in that reading; -1: none, or more than one. */
static int meaning(const struct kind *kind, const char *heading, enum reading reading)
{
	int found = HEADING_UNKNOWN;

	for (size_t f = 0; f < kind->field_count; f++) {
		if (!same_heading(label(&kind->fields[f], reading), heading))
			continue;
		if (found >= 0)
			return HEADING_UNKNOWN;
		found = (int)f;
	}
	return found;
}

size_t heading_meanings(const struct kind *kind, const char *heading, int *ret_fields)
{
	size_t count = 0;

	for (size_t f = 0; f < kind->field_count && count < CSV_COLUMNS_MAX; f++) {
		bool fits = false;

		for (int r = BY_NAME; r < READINGS; r++)
			fits = fits ||
			       same_heading(label(&kind->fields[f], (enum reading)r), heading);
		if (fits)
			ret_fields[count++] = (int)f;
	}
	return count;
}

size_t heading_known(const struct kind *kind, const struct csv_row *header)
{
	struct arena scratch = {0};
	int fields[CSV_COLUMNS_MAX];
	size_t known = 0;

	for (size_t i = 0; i < header->cell_count; i++) {
		const char *heading = trimmed(header->cells[i], &scratch);

		if (heading && (same_heading(heading, STATE_COLUMN) ||
				heading_meanings(kind, heading, fields)))
			known++;
	}
	arena_free(&scratch);
	return known;
}

static enum err complain(struct findings *findings, const char *file, const char *heading,
			 const char *code, const char *text_pl, const char *text_en)
{
	const struct finding f = {file, 1, heading, "", code, text_pl, text_en};

	return findings_add(findings, &f);
}

/* The columns that an ambiguous heading may mean, by name. */
static const char *choices(const struct kind *kind, const int *fields, size_t count,
			   struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; i < count; i++)
		text = text_in(arena, "%s%s%s", text, i ? ", " : "", kind->fields[fields[i]].name);
	return text;
}

/* One heading for itself. */
static enum err map_alone(const struct kind *kind, const char *heading, const char *file,
			  struct arena *arena, int *ret, struct findings *findings)
{
	int fields[CSV_COLUMNS_MAX];
	size_t count = heading_meanings(kind, heading, fields);
	const char *names = NULL;

	*ret = count == 1 ? fields[0] : HEADING_UNKNOWN;
	if (count == 1)
		return ERR_OK;
	if (count > 1) {
		names = choices(kind, fields, count, arena);
		return complain(
			findings, file, heading, "ambiguous-column",
			text_in(arena,
				"może znaczyć więcej niż jedną kolumnę; wpisz jedną z nazw: %s",
				names),
			text_in(arena, "may mean more than one column; write one of the names: %s",
				names));
	}
	if (!*heading)
		return complain(findings, file, "", "unknown-column",
				"kolumna bez nagłówka; usuń ją",
				"a column without a heading; remove it");
	return complain(findings, file, heading, "unknown-column",
			text_in(arena, "nie ma takiej kolumny w %s; usuń ją albo popraw nagłówek",
				kind->plural),
			text_in(arena, "%s have no such column; remove it or correct the heading",
				kind->plural));
}

/* All headings in one reading; false when one of them does not fit it. */
static bool map_all(const struct kind *kind, const char *const *headings, size_t count,
		    enum reading reading, int *ret_fields)
{
	for (size_t i = 0; i < count; i++) {
		ret_fields[i] = same_heading(headings[i], STATE_COLUMN)
					? HEADING_STATE
					: meaning(kind, headings[i], reading);
		if (ret_fields[i] == HEADING_UNKNOWN)
			return false;
	}
	return true;
}

static enum err refuse_repeats(const char *const *headings, const int *fields, size_t count,
			       const char *file, struct arena *arena, struct findings *findings)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < i; k++) {
			enum err e = ERR_OK;

			if (fields[i] == HEADING_UNKNOWN || fields[i] != fields[k])
				continue;
			e = complain(
				findings, file, headings[i], "repeated-column",
				text_in(arena, "kolumny %zu i %zu to ta sama kolumna; zostaw jedną",
					k + 1, i + 1),
				text_in(arena, "columns %zu and %zu are the same column; leave one",
					k + 1, i + 1));
			if (e != ERR_OK)
				return e;
		}
	}
	return ERR_OK;
}

enum err heading_map(const struct kind *kind, const struct csv_row *header, const char *file,
		     struct arena *arena, int *ret_fields, struct findings *findings)
{
	const char *headings[CSV_COLUMNS_MAX];
	size_t count = header->cell_count;
	size_t before = findings->count;
	bool mapped = false;
	enum err e = ERR_OK;

	if (count > CSV_COLUMNS_MAX)
		return ERR_LIMIT;
	for (size_t i = 0; i < count; i++) {
		headings[i] = trimmed(header->cells[i], arena);
		if (!headings[i])
			return ERR_NOMEM;
	}
	for (int r = BY_NAME; r < READINGS && !mapped; r++)
		mapped = map_all(kind, headings, count, (enum reading)r, ret_fields);
	for (size_t i = 0; i < count && !mapped && e == ERR_OK; i++) {
		if (same_heading(headings[i], STATE_COLUMN))
			ret_fields[i] = HEADING_STATE;
		else
			e = map_alone(kind, headings[i], file, arena, &ret_fields[i], findings);
	}
	if (e == ERR_OK)
		e = refuse_repeats(headings, ret_fields, count, file, arena, findings);
	if (e == ERR_OK && findings->count > before)
		e = ERR_INVALID;
	return e;
}

char heading_delimiter(struct bytes text, struct arena *arena)
{
	static const char delimiters[] = {',', ';', '\t'};
	size_t best_known = 0;
	size_t best_cells = 0;
	char best = ',';

	for (size_t d = 0; d < sizeof delimiters; d++) {
		struct csv_row header;

		if (csv_first_row(text, delimiters[d], arena, &header) != ERR_OK)
			continue;
		for (int k = RECORD_KIND_FIRST; k <= (int)RECORD_KIND_LAST; k++) {
			const struct kind *kind = kind_of((enum record_kind)k);
			size_t known = kind ? heading_known(kind, &header) : 0;

			if (known > best_known ||
			    (known == best_known && header.cell_count > best_cells)) {
				best_known = known;
				best_cells = header.cell_count;
				best = delimiters[d];
			}
		}
	}
	return best;
}
