/* From a file's bytes to rows of a plan: encoding, delimiter, kind, headings, cells. */
#include <string.h>

#include "admin/csv/csv.h"
#include "admin/csv/heading.h"
#include "admin/csv/import.h"
#include "admin/text.h"
#include "io/files.h"

static enum outcome out_of_memory(struct import *im, const char *path, enum err e)
{
	return cli_fail(im->cli, FAILED, e, "%s: %s", path, err_text(e));
}

/* A fault of the file as a whole: nothing of it can be trusted. */
static enum outcome unreadable(struct import *im, const struct finding *f)
{
	enum err e = findings_add(&im->findings, f);

	im->unreadable = true;
	return e == ERR_OK ? DONE : out_of_memory(im, f->file, e);
}

/* ---- encoding ---- */

static size_t line_of(struct bytes raw, size_t at)
{
	size_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += raw.data[i] == '\n';
	return line;
}

static enum outcome encoding_doubtful(struct import *im, const char *path, struct bytes raw,
				      enum encoding_doubt doubt, size_t at)
{
	struct finding f = {.file = path, .row = line_of(raw, at), .column = "", .value = ""};

	f.code = "encoding";
	if (doubt == ENCODING_EITHER) {
		f.text_pl = "nie wiadomo, czy plik jest w Windows-1250, czy w ISO 8859-2; podaj "
			    "--encoding albo zapisz go jako CSV UTF-8";
		f.text_en = "the file may be in windows-1250 or in ISO 8859-2; give --encoding, or "
			    "save it as CSV UTF-8";
	} else if (doubt == ENCODING_UTF16) {
		f.text_pl = "plik jest w UTF-16; zapisz go jako CSV UTF-8";
		f.text_en = "the file is in UTF-16; save it as CSV UTF-8";
	} else if (doubt == ENCODING_NUL) {
		f.text_pl = "bajt zerowy: to nie jest plik tekstowy; zapisz arkusz jako CSV UTF-8";
		f.text_en = "a zero byte: this is no text file; save the sheet as CSV UTF-8";
	} else {
		f.text_pl =
			"bajty, których nie ma w UTF-8, Windows-1250 ani ISO 8859-2; zapisz plik "
			"jako CSV UTF-8";
		f.text_en =
			"bytes that are in none of UTF-8, windows-1250 and ISO 8859-2; save the "
			"file as CSV UTF-8";
	}
	return unreadable(im, &f);
}

/* Fills `text`; *ret_fine false when a finding says why not. */
static enum outcome decode(struct import *im, struct import_file *file, struct bytes raw,
			   struct buf *text, bool *ret_fine)
{
	const char *asked = cli_option(im->cli, "encoding");
	enum encoding_doubt doubt = ENCODING_CLEAR;
	size_t at = 0;
	enum err e = ERR_OK;

	*ret_fine = false;
	if (asked)
		file->encoding = encoding_named(asked);
	else
		doubt = encoding_detect(raw, &file->encoding, &at);
	if (file->encoding == ENCODING_COUNT)
		return cli_fail(im->cli, MISUSED, ERR_ARGUMENT,
				"--encoding is UTF-8, windows-1250 or ISO-8859-2, not \"%s\"",
				asked);
	if (doubt != ENCODING_CLEAR)
		return encoding_doubtful(im, file->path, raw, doubt, at);
	e = encoding_to_utf8(raw, file->encoding, text);
	if (e == ERR_ENCODING)
		return encoding_doubtful(im, file->path, raw, ENCODING_NEITHER, 0);
	if (e != ERR_OK)
		return out_of_memory(im, file->path, e);
	*ret_fine = true;
	return DONE;
}

/* ---- delimiter and kind ---- */

static enum outcome find_delimiter(struct import *im, struct import_file *file, struct bytes text)
{
	static const struct {
		const char *name;
		char delimiter;
	} names[] = {{"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {",", ','}, {";", ';'}};
	const char *asked = cli_option(im->cli, "delimiter");

	if (!asked) {
		file->delimiter = heading_delimiter(text, &im->cli->arena);
		return DONE;
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (!strcmp(asked, names[i].name)) {
			file->delimiter = names[i].delimiter;
			return DONE;
		}
	}
	return cli_fail(im->cli, MISUSED, ERR_ARGUMENT,
			"--delimiter is comma, semicolon or tab, not \"%s\"", asked);
}

/* By a name such as entities.csv, entities-2026.csv. */
static const struct kind *kind_by_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (int k = RECORD_KIND_FIRST; k <= (int)RECORD_KIND_LAST; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);
		size_t size = kind ? strlen(kind->plural) : 0;

		if (kind && !strncmp(name, kind->plural, size) &&
		    (!name[size] || strchr(".-_ ", name[size])))
			return kind;
	}
	return NULL;
}

/* The only kind that knows every heading. */
static const struct kind *kind_by_header(const struct csv_row *header)
{
	const struct kind *found = NULL;

	for (int k = RECORD_KIND_FIRST; k <= (int)RECORD_KIND_LAST; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);

		if (!kind || heading_known(kind, header) != header->cell_count)
			continue;
		if (found)
			return NULL;
		found = kind;
	}
	return found;
}

static enum outcome find_kind(struct import *im, struct import_file *file,
			      const struct csv_row *header)
{
	const char *asked = cli_option(im->cli, "kind");

	if (asked) {
		file->kind = kind_named(asked);
		if (!file->kind)
			return cli_fail(im->cli, MISUSED, ERR_ARGUMENT,
					"\"%s\" is no kind: operators, entities, networks, "
					"memberships or statistics",
					asked);
		return DONE;
	}
	file->kind = kind_by_name(file->path);
	if (!file->kind)
		file->kind = kind_by_header(header);
	if (!file->kind)
		return cli_fail(im->cli, MISUSED, ERR_ARGUMENT,
				"%s: neither its name nor its headings say which kind of record it "
				"holds; give --kind",
				file->path);
	return DONE;
}

/* ---- rows ---- */

static enum err ragged(struct import *im, const struct import_file *file, const struct csv_row *row,
		       size_t expected)
{
	struct arena *arena = &im->cli->arena;
	const struct finding f = {
		file->path,
		row->row,
		"",
		"",
		"cells",
		text_in(arena, "wiersz ma %zu komórek, a nagłówek %zu; popraw wiersz",
			row->cell_count, expected),
		text_in(arena, "the row has %zu cells, the header %zu; correct the row",
			row->cell_count, expected)};

	return findings_add(&im->findings, &f);
}

/* The heading above a cell, else the column's number. */
static const char *column_name(struct import *im, const struct csv_sheet *sheet, size_t column)
{
	const struct csv_row *header = &sheet->header;

	if (header->cells && column <= header->cell_count)
		return header->cells[column - 1];
	return text_in(&im->cli->arena, "%zu", column);
}

#define MISQUOTED_PL                                                                                      \
	"cudzysłów w środku komórki; cała komórka musi stać w cudzysłowie, a cudzysłowy w niej " \
	"podwojone"
#define MISQUOTED_EN                                                                               \
	"a quote inside a cell; the whole cell must stand in quotes, and quotes in it doubled"

static enum err misquoted(struct import *im, const struct import_file *file,
			  const struct csv_sheet *sheet, const struct csv_row *row)
{
	const struct finding f = {file->path,  row->row, column_name(im, sheet, row->quote_column),
				  "",          "quote",  MISQUOTED_PL,
				  MISQUOTED_EN};

	return findings_add(&im->findings, &f);
}

static enum err bad_state(struct import *im, const struct import_file *file,
			  const struct csv_row *from, const char *text)
{
	const struct finding f = {
		file->path,
		from->row,
		STATE_COLUMN,
		text,
		"bad-state",
		"ta kolumna mówi, z jakiego stanu rejestru pochodzi wiersz; przywróć ją z eksportu",
		"this column says which state of the register the row is from; restore it from the "
		"export"};

	return findings_add(&im->findings, &f);
}

static enum err add_row(struct import *im, const struct import_file *file,
			const struct csv_row *from, const int *fields, struct plan *plan)
{
	struct plan_row row = {.file = file->path, .row = from->row, .id = ""};
	size_t field_count = file->kind->field_count;

	row.cells = arena_alloc(&im->cli->arena, field_count * sizeof *row.cells);
	if (!row.cells)
		return ERR_NOMEM;
	for (size_t f = 0; f < field_count; f++)
		row.cells[f] = NULL;
	for (size_t i = 0; i < from->cell_count; i++) {
		if (fields[i] >= 0) {
			row.cells[fields[i]] = from->cells[i];
		} else if (*from->cells[i]) {
			row.has_state = state_parse(from->cells[i], &row.state);
			if (!row.has_state)
				return bad_state(im, file, from, from->cells[i]);
		}
	}
	return plan_add_row(plan, &row);
}

static enum err add_rows(struct import *im, struct import_file *file, const struct csv_sheet *sheet,
			 const int *fields)
{
	struct plan *plan = &im->plans[file->kind->kind - RECORD_KIND_FIRST];
	enum err e = ERR_OK;

	plan->kind = file->kind;
	file->rows = sheet->row_count;
	for (size_t i = 0; i < sheet->row_count && e == ERR_OK; i++) {
		const struct csv_row *row = &sheet->rows[i];

		if (row->quote_column)
			e = misquoted(im, file, sheet, row);
		else if (row->cell_count == sheet->header.cell_count)
			e = add_row(im, file, row, fields, plan);
		else
			e = ragged(im, file, row, sheet->header.cell_count);
	}
	return e;
}

/* What libcsv could not read, in words. */
static enum outcome csv_broken(struct import *im, const struct import_file *file,
			       const struct csv_sheet *sheet, const struct csv_fault *fault)
{
	static const struct {
		const char *code, *pl, *en;
	} texts[] = {
		[FAULT_QUOTE] = {"quote", MISQUOTED_PL, MISQUOTED_EN},
		[FAULT_OPEN_QUOTE] = {"quote", "cudzysłów, którego nic nie zamyka, do końca pliku",
				      "a quote that nothing closes before the end of the file"},
		[FAULT_WIDE] = {"too-many-columns", "za dużo kolumn", "too many columns"},
		[FAULT_LONG] = {"too-many-rows", "za dużo wierszy; podziel plik",
				"too many rows; split the file"},
		[FAULT_EMPTY] = {"empty-file", "plik jest pusty: brak nawet nagłówka",
				 "the file is empty: there is not even a header"},
	};
	struct finding f = {file->path, fault->row, "", "", NULL, NULL, NULL};

	f.code = texts[fault->why].code;
	f.text_pl = texts[fault->why].pl;
	f.text_en = texts[fault->why].en;
	if (fault->column)
		f.column = column_name(im, sheet, fault->column);
	return unreadable(im, &f);
}

static enum outcome load_text(struct import *im, struct import_file *file, struct bytes text)
{
	struct csv_sheet sheet = {0};
	struct csv_fault fault = {0};
	int fields[CSV_COLUMNS_MAX];
	enum outcome outcome = find_delimiter(im, file, text);
	enum err e = ERR_OK;

	if (outcome != DONE)
		return outcome;
	e = csv_read(text, file->delimiter, &im->cli->arena, &sheet, &fault);
	if (e != ERR_OK && fault.why != FAULT_FINE)
		outcome = csv_broken(im, file, &sheet, &fault);
	else if (e != ERR_OK)
		outcome = out_of_memory(im, file->path, e);
	if (outcome == DONE && sheet.header.cells)
		outcome = find_kind(im, file, &sheet.header);
	if (outcome == DONE && file->kind) {
		e = heading_map(file->kind, &sheet.header, file->path, &im->cli->arena, fields,
				&im->findings);
		im->unreadable = im->unreadable || e == ERR_INVALID;
		if (e == ERR_OK)
			e = add_rows(im, file, &sheet, fields);
		if (e != ERR_OK && e != ERR_INVALID)
			outcome = out_of_memory(im, file->path, e);
	}
	csv_sheet_free(&sheet);
	return outcome;
}

enum outcome import_load(struct import *im, const char *path)
{
	struct import_file *file = &im->files[im->file_count++];
	struct buf raw = {0};
	struct buf text = {0};
	bool fine = false;
	enum outcome outcome = DONE;
	enum err e = file_read(path, IMPORT_FILE_BYTES_MAX, &raw);

	*file = (struct import_file){.path = path};
	if (e != ERR_OK)
		outcome = cli_fail(im->cli, FAILED, e, "%s: %s", path, err_text(e));
	else
		outcome = decode(im, file, buf_bytes(&raw), &text, &fine);
	if (outcome == DONE && fine)
		outcome = load_text(im, file, buf_bytes(&text));
	buf_free(&raw);
	buf_free(&text);
	return outcome;
}
