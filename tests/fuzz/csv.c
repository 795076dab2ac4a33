/* Files that are imported: encoding, delimiter, cells, headings, and the plan against a small
 * register.  Cells that were read are written and read to the same. */
#include "fuzz.h"

#include <iconv.h>

#include "admin/csv/csv.h"
#include "admin/csv/encoding.h"
#include "admin/csv/heading.h"
#include "admin/csv/plan.h"
#include "model/text.h"

enum { REGION_26 = 12, HELD = 2 };

/* ---- cells ---- */

static void add_row(const struct csv_row *row, char delimiter, struct buf *out)
{
	for (size_t i = 0; i < row->cell_count; i++) {
		if (i > 0)
			buf_add_u8(out, (uint8_t)delimiter);
		csv_write_cell(out, row->cells[i], delimiter);
	}
	buf_add_text(out, "\r\n");
}

static void same_row(const struct csv_row *a, const struct csv_row *b)
{
	ALWAYS(a->cell_count == b->cell_count && !b->quote_column);
	for (size_t i = 0; i < a->cell_count; i++)
		ALWAYS(strcmp(a->cells[i], b->cells[i]) == 0);
}

static void cells_again(const struct csv_sheet *sheet, char delimiter, struct arena *arena)
{
	struct csv_sheet again = {.row_count = 0};
	struct csv_fault fault = {.why = FAULT_FINE};
	struct buf out = {.data = NULL};
	size_t place = 0;

	add_row(&sheet->header, delimiter, &out);
	for (size_t i = 0; i < sheet->row_count; i++)
		if (!sheet->rows[i].quote_column)
			add_row(&sheet->rows[i], delimiter, &out);
	ALWAYS(csv_read(fuzz_done(&out), delimiter, arena, &again, &fault) == ERR_OK);
	same_row(&sheet->header, &again.header);
	for (size_t i = 0; i < sheet->row_count; i++)
		if (!sheet->rows[i].quote_column) {
			ALWAYS(place < again.row_count);
			same_row(&sheet->rows[i], &again.rows[place++]);
		}
	ALWAYS(place == again.row_count);
	csv_sheet_free(&again);
	buf_free(&out);
}

/* ---- the plan ---- */

static void hold(struct plan *p, struct arena *arena, const char *id, bool retired)
{
	struct version *v = NULL;
	struct record *r = record_new(arena, p->kind->kind);

	p->now.rows = reallocarray(p->now.rows, p->now.count + 1, sizeof *p->now.rows);
	ALWAYS(r && p->now.rows);
	v = &p->now.rows[p->now.count++];
	ALWAYS(record_set(r, arena, 0, bytes_of_text(id)) == ERR_OK);
	if (field_named(p->kind, "region") > 0)
		ALWAYS(record_set(r, arena, (size_t)field_named(p->kind, "region"),
				  bytes_of_text("26")) == ERR_OK);
	*v = (struct version){
		.log = {"26"}, .index = 3, .change = {.id = id, .kind = p->kind->kind}};
	v->change.retired = retired;
	v->change.record = retired ? NULL : r;
}

static void compare(struct plan *p, const struct plan_options *options, struct arena *arena,
		    struct findings *findings)
{
	size_t count = 0;

	hold(p, arena, "pl26-cis-a", false);
	hold(p, arena, "pl26-kis-z", true);
	ALWAYS(plan_compare(p, options, arena, findings) == ERR_OK);
	for (int fate = ROW_SAME; fate <= ROW_CONFLICT; fate++)
		count += plan_count(p, (enum row_fate)fate);
	ALWAYS(count == p->row_count);
	for (size_t i = 0; i < p->row_count; i++) {
		const struct plan_row *row = &p->rows[i];

		ALWAYS(row->fate != ROW_ADDED || (*row->id && row->record && !row->flawed));
		ALWAYS(row->fate != ROW_CHANGED || (row->current && row->record));
	}
	findings_sort(findings);
	for (size_t i = 0; i < findings->count; i++) {
		struct buf out = {.data = NULL};

		finding_print(&findings->items[i], i % 2, &out);
		ALWAYS(buf_check(&out) == ERR_OK);
		buf_free(&out);
	}
}

static void plan(const struct csv_sheet *sheet, const struct kind *kind, uint8_t how,
		 struct arena *arena)
{
	struct plan_options options = {.region = REGION_26,
				       .own = how & 1,
				       .overwrite = how & 2,
				       .retire_missing = how & 4,
				       .incomplete = how & 8};
	struct plan p = {.kind = kind};
	struct findings findings = {.items = NULL};
	int fields[CSV_COLUMNS_MAX];

	if (heading_map(kind, &sheet->header, "f.csv", arena, fields, &findings) == ERR_OK) {
		for (size_t i = 0; i < sheet->row_count; i++) {
			const struct csv_row *from = &sheet->rows[i];
			struct plan_row row = {.file = "f.csv", .row = from->row, .id = ""};

			if (from->quote_column || from->cell_count != sheet->header.cell_count)
				continue;
			row.cells = arena_alloc(arena, kind->field_count * sizeof *row.cells);
			ALWAYS(row.cells);
			memset(row.cells, 0, kind->field_count * sizeof *row.cells);
			for (size_t k = 0; k < from->cell_count; k++) {
				ALWAYS(fields[k] >= HEADING_STATE &&
				       fields[k] < (int)kind->field_count);
				if (fields[k] >= 0)
					row.cells[fields[k]] = from->cells[k];
				else if (fields[k] == HEADING_STATE)
					row.has_state = state_parse(from->cells[k], &row.state);
			}
			ALWAYS(plan_add_row(&p, &row) == ERR_OK);
		}
		compare(&p, &options, arena, &findings);
	}
	plan_free(&p);
	findings_free(&findings);
}

/* ---- the file ---- */

static void read_text(struct bytes text, uint8_t how, struct arena *arena)
{
	struct csv_sheet sheet = {.row_count = 0};
	struct csv_fault fault = {.why = FAULT_FINE};
	char delimiter = heading_delimiter(text, arena);
	const struct kind *kind = kind_of((enum record_kind)(RECORD_KIND_FIRST + how / 16 % 5));
	enum err e = csv_read(text, delimiter, arena, &sheet, &fault);

	ALWAYS(delimiter == ',' || delimiter == ';' || delimiter == '\t');
	if (e == ERR_OK) {
		ALWAYS(fault.why == FAULT_FINE && sheet.header.cell_count > 0);
		ALWAYS(sheet.header.cell_count <= CSV_COLUMNS_MAX);
		for (size_t i = 0; i < sheet.row_count; i++)
			ALWAYS(sheet.rows[i].cell_count <= CSV_COLUMNS_MAX);
		cells_again(&sheet, delimiter, arena);
		plan(&sheet, kind, how, arena);
	} else {
		ALWAYS(fault.why != FAULT_FINE);
	}
	csv_sheet_free(&sheet);
}

static void all_utf8(struct bytes text)
{
	while (text.size > 0) {
		size_t size = utf8_character(text);

		ALWAYS(size > 0 && text.data[0] != 0);
		text = bytes_of(text.data + size, text.size - size);
	}
}

/* The tables of both encodings stay loaded: else each input would load them anew. */
static void keep_tables(void)
{
	static bool kept;
	static volatile iconv_t tables[2]; /* else nothing would hold them, for nobody reads it */

	if (kept)
		return;
	kept = true;
	tables[0] = iconv_open("UTF-8", encoding_name(ENCODING_WINDOWS_1250));
	tables[1] = iconv_open("UTF-8", encoding_name(ENCODING_ISO_8859_2));
	(void)tables;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes raw = fuzz_copy(bytes_of(data + (size > 0), size - (size > 0)));
	struct arena arena = {.head = NULL};
	struct buf text = {.data = NULL};
	enum text_encoding encoding = ENCODING_COUNT;
	size_t at = 0;
	enum encoding_doubt doubt = encoding_detect(raw, &encoding, &at);

	keep_tables();
	if (doubt != ENCODING_CLEAR) {
		ALWAYS(at < raw.size);
	} else {
		ALWAYS(encoding < ENCODING_COUNT);
		if (encoding_to_utf8(raw, encoding, &text) == ERR_OK) {
			struct bytes copy = fuzz_copy(buf_bytes(&text));

			all_utf8(copy);
			read_text(copy, size ? data[0] : 0, &arena);
			fuzz_free(copy);
		}
	}
	buf_free(&text);
	arena_free(&arena);
	fuzz_free(raw);
	return 0;
}

static void add(struct seeds *to, const char *name, uint8_t how, const char *text)
{
	struct buf b = {.data = NULL};

	buf_add_u8(&b, how);
	buf_add_text(&b, text);
	seed_add(to, name, fuzz_done(&b));
	buf_free(&b);
}

/* One column more than there may be. */
static void add_wide(struct seeds *to)
{
	struct buf b = {.data = NULL};

	buf_add_text(&b, "id");
	for (int i = 0; i < CSV_COLUMNS_MAX; i++)
		buf_add_text(&b, ",name");
	buf_add_text(&b, "\n");
	add(to, "columns-too-many", 16, buf_text(&b));
	buf_free(&b);
}

void fuzz_seeds(struct seeds *to)
{
	for (uint8_t k = 0; k < 5; k++) {
		const struct kind *kind = kind_of((enum record_kind)(RECORD_KIND_FIRST + k));
		struct buf b = {.data = NULL};
		char name[32];

		for (size_t i = 0; i < kind->field_count; i++)
			buf_printf(&b, "%s%s", i ? "," : "", kind->fields[i].name);
		buf_add_text(&b, "\r\npl26-cis-a,26,CIS\r\n");
		(void)snprintf(name, sizeof name, "columns-%u", k);
		add(to, name, (uint8_t)(16 * k), buf_text(&b));
		buf_free(&b);
	}
	add_wide(to);
	add(to, "labels", 16, "Identyfikator;Nazwa;splot_state\n;\"Klub \"\"A\"\"\";26@3\n");
	add(to, "windows-1250", 16, "id;name\n;\xa3\xb9ka\n");
	add(to, "iso", 16, "id;name\n;\xa3\xb1ka\n");
	add(to, "quotes", 20, "id,name\n\"a\"b,c\n\"x,\ny\",z\n");
	add(to, "rows", 21,
	    "id,region,kind,name,place,status,teryt4,nip,postcode\n"
	    "pl26-cis-a,26,CIS,Centrum,Kielce,active,2661,525-234-40-78,25-001\n"
	    ",26,KIS,Klub,Kielce,active,261,5252344078,25001\n");
	add(to, "bom", 16, "\xef\xbb\xbfid\tname\r\na\tb\r\n");
}
