#include "admin.h"

#include "admin/csv/csv.h"

static struct csv_sheet read_fine(const char *text, char delimiter, struct arena *arena)
{
	struct csv_sheet sheet;
	struct csv_fault fault;

	assert_ok(csv_read(T(text), delimiter, arena, &sheet, &fault));
	assert_int_equal(fault.why, FAULT_FINE);
	return sheet;
}

static void expect_cells(const struct csv_row *row, size_t number, size_t count,
			 const char *const *cells)
{
	assert_int_equal(row->row, number);
	assert_int_equal(row->cell_count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(row->cells[i], cells[i]);
}

#define EXPECT(row, number, ...)                                                                   \
	expect_cells(row, number, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),          \
		     (const char *[]){__VA_ARGS__})

static void cells_keep_their_exact_text(void **state)
{
	struct arena arena = {0};
	struct csv_sheet s = read_fine(
		"a,b,c\r\n  x ,\" y\t\",\r\n\"a\r\nb\",\"q\"\"q\",\"\n\"\r\n", ',', &arena);

	(void)state;
	EXPECT(&s.header, 1, "a", "b", "c");
	assert_int_equal(s.row_count, 2);
	EXPECT(&s.rows[0], 2, "  x ", " y\t", "");
	EXPECT(&s.rows[1], 3, "a\r\nb", "q\"q", "\n");
	csv_sheet_free(&s);
	arena_free(&arena);
}

static void lines_may_end_in_lf_crlf_or_nothing(void **state)
{
	static const char *const texts[] = {"a;b\n1;2\n3;4\n", "a;b\r\n1;2\r\n3;4\r\n",
					    "a;b\n1;2\n3;4", "a;b\r1;2\r3;4\r"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct arena arena = {0};
		struct csv_sheet s = read_fine(texts[i], ';', &arena);

		assert_int_equal(s.row_count, 2);
		EXPECT(&s.rows[0], 2, "1", "2");
		EXPECT(&s.rows[1], 3, "3", "4");
		csv_sheet_free(&s);
		arena_free(&arena);
	}
}

static void empty_rows_are_skipped_but_counted_as_a_spreadsheet_does(void **state)
{
	struct arena arena = {0};
	struct csv_sheet s =
		read_fine("a;b\r\n\r\n;\r\n\"x\r\n\r\ny\";1\r\n\r\n2;3\r\n", ';', &arena);

	(void)state;
	assert_int_equal(s.row_count, 2);
	EXPECT(&s.rows[0], 4, "x\r\n\r\ny", "1");
	EXPECT(&s.rows[1], 6, "2", "3");
	csv_sheet_free(&s);
	arena_free(&arena);
}

static void expect_fault(const char *text, int why, size_t row, size_t column)
{
	struct arena arena = {0};
	struct csv_sheet sheet;
	struct csv_fault fault;

	assert_string_equal(err_code(csv_read(T(text), ',', &arena, &sheet, &fault)), "decode");
	assert_int_equal(fault.why, why);
	assert_int_equal(fault.row, row);
	assert_int_equal(fault.column, column);
	csv_sheet_free(&sheet);
	arena_free(&arena);
}

static void a_quote_in_the_wrong_place_is_named_by_row_and_column(void **state)
{
	static const struct {
		const char *text;
		size_t row, column;
	} cases[] = {
		{"a,b\n1,2\nx,y\"z\n", 3, 2},
		{"a,b\r\n\"x\"y,2\r\n", 2, 1},
		{"a,b\n\"x\" ,2\n", 2, 1},
		{"a,b\n1,y\"z", 2, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena arena = {0};
		struct csv_sheet s = read_fine(cases[i].text, ',', &arena);
		const struct csv_row *last = &s.rows[s.row_count - 1];

		assert_int_equal(last->row, cases[i].row);
		assert_int_equal(last->quote_column, cases[i].column);
		csv_sheet_free(&s);
		arena_free(&arena);
	}
	expect_fault("a,b\"c\n1,2\n", FAULT_QUOTE, 1, 2);
	expect_fault("a,b\n1,\"2\n3,4\n", FAULT_OPEN_QUOTE, 2, 2);
}

/* The quote of row 3 is closed by one of row 6, whose row is then read for itself. */
static void rows_behind_a_quote_that_does_not_fit_are_read(void **state)
{
	struct arena arena = {0};
	struct csv_sheet s = read_fine("a,b\r\n1,\"x\r\ny\"\r\n2,\"z\r\n3,c\r\n4,d\r\n5,\"e\"\r\n"
				       "6,f\"\r\n7,g\r\n",
				       ',', &arena);

	(void)state;
	assert_int_equal(s.row_count, 7);
	EXPECT(&s.rows[0], 2, "1", "x\r\ny");
	assert_int_equal(s.rows[1].row, 3);
	assert_int_equal(s.rows[1].quote_column, 2);
	EXPECT(&s.rows[2], 4, "3", "c");
	EXPECT(&s.rows[3], 5, "4", "d");
	EXPECT(&s.rows[4], 6, "5", "e");
	assert_int_equal(s.rows[5].quote_column, 2);
	EXPECT(&s.rows[6], 8, "7", "g");
	csv_sheet_free(&s);
	arena_free(&arena);
}

static void empty_cells_behind_the_last_heading_are_dropped(void **state)
{
	struct arena arena = {0};
	struct csv_sheet s = read_fine("a;b;;\n1;2;;\n3;4;;;;\n5;;;\n6\n", ';', &arena);

	(void)state;
	EXPECT(&s.header, 1, "a", "b");
	EXPECT(&s.rows[0], 2, "1", "2");
	EXPECT(&s.rows[1], 3, "3", "4");
	EXPECT(&s.rows[2], 4, "5", "");
	EXPECT(&s.rows[3], 5, "6");
	csv_sheet_free(&s);
	s = read_fine("a;b;;\n1;2;x;\n", ';', &arena);
	EXPECT(&s.header, 1, "a", "b", "");
	EXPECT(&s.rows[0], 2, "1", "2", "x");
	csv_sheet_free(&s);
	arena_free(&arena);
}

static void a_file_without_a_header_is_refused(void **state)
{
	(void)state;
	expect_fault("", FAULT_EMPTY, 0, 0);
	expect_fault("\r\n\r\n", FAULT_EMPTY, 0, 0);
}

static void too_many_columns_are_refused(void **state)
{
	struct arena arena = {0};
	struct buf text = {0};
	struct csv_sheet sheet;
	struct csv_fault fault;

	(void)state;
	for (int i = 0; i <= CSV_COLUMNS_MAX; i++)
		buf_add_text(&text, "x,");
	assert_string_equal(err_code(csv_read(buf_bytes(&text), ',', &arena, &sheet, &fault)),
			    "limit");
	assert_int_equal(fault.why, FAULT_WIDE);
	csv_sheet_free(&sheet);
	buf_free(&text);
	arena_free(&arena);
}

static void the_first_row_is_found_behind_quoted_line_breaks(void **state)
{
	struct arena arena = {0};
	struct csv_row row;

	(void)state;
	assert_ok(csv_first_row(T("\r\n\"a\nb\";c\r\nx\"y;z\r\n"), ';', &arena, &row));
	EXPECT(&row, 2, "a\nb", "c");
	assert_string_equal(err_code(csv_first_row(T(""), ';', &arena, &row)), "not-found");
	arena_free(&arena);
}

static void quotes_are_written_only_where_they_are_needed(void **state)
{
	static const char *const cases[][2] = {
		{"plain", "plain"},   {"", ""},
		{"a,b", "\"a,b\""},   {"a;b", "a;b"},
		{" a ", " a "},       {"say \"x\"", "\"say \"\"x\"\"\""},
		{"a\rb", "\"a\rb\""}, {"a\nb", "\"a\nb\""},
		{"=1+1", "=1+1"},     {"'", "'"},
		{"\"", "\"\"\"\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct buf out = {0};

		csv_write_cell(&out, cases[i][0], ',');
		assert_string_equal(buf_text(&out), cases[i][1]);
		buf_free(&out);
	}
}

/* ---- round trips ---- */

static const char *const pieces[] = {
	"",    "a",  "zażółć", ",",  ";",   "\t",  "\"", "\"\"", "\r\n", "\n",    "\r",
	" ",   "  ", "'",      "=1", "@x",  "-5",  "漢", "🌳",    "NULL", "\\n",   "%s",
	"007", "0",  "1,50",   "…",  "„q”", "<b>", "\\", "#",    "x\"y", "\"x\"", "é",
};

static void random_cell(uint64_t *state, struct buf *cell)
{
	uint32_t count = test_random(state, 5);

	buf_clear(cell);
	for (uint32_t i = 0; i < count; i++)
		buf_add_text(cell, pieces[test_random(state, sizeof pieces / sizeof *pieces)]);
}

static void what_is_written_is_read_back(void **state)
{
	enum { ROWS = 5000, COLUMNS = 4 };
	uint64_t seed = test_seed();

	(void)state;
	for (size_t d = 0; d < 3; d++) {
		const char delimiter = ",;\t"[d];
		uint64_t random = seed + d;
		struct arena arena = {0};
		struct buf text = {0};
		struct buf cell = {0};
		struct csv_sheet s;
		size_t next = 0;

		for (int r = 0; r <= ROWS; r++) {
			for (int c = 0; c < COLUMNS; c++) {
				random_cell(&random, &cell);
				csv_write_cell(&text, c ? buf_text(&cell) : "id", delimiter);
				buf_add_text(&text,
					     c + 1 < COLUMNS ? (char[]){delimiter, 0} : "\r\n");
			}
		}
		s = read_fine(buf_text(&text), delimiter, &arena);
		assert_int_equal(s.row_count, ROWS);
		random = seed + d;
		for (int r = 0; r <= ROWS; r++) {
			const struct csv_row *row = r ? &s.rows[next++] : &s.header;

			assert_int_equal(row->row, r + 1);
			for (size_t c = 0; c < COLUMNS; c++) {
				random_cell(&random, &cell);
				assert_string_equal(row->cells[c], c ? buf_text(&cell) : "id");
			}
		}
		csv_sheet_free(&s);
		buf_free(&text);
		buf_free(&cell);
		arena_free(&arena);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cells_keep_their_exact_text),
		cmocka_unit_test(lines_may_end_in_lf_crlf_or_nothing),
		cmocka_unit_test(empty_rows_are_skipped_but_counted_as_a_spreadsheet_does),
		cmocka_unit_test(a_quote_in_the_wrong_place_is_named_by_row_and_column),
		cmocka_unit_test(rows_behind_a_quote_that_does_not_fit_are_read),
		cmocka_unit_test(empty_cells_behind_the_last_heading_are_dropped),
		cmocka_unit_test(a_file_without_a_header_is_refused),
		cmocka_unit_test(too_many_columns_are_refused),
		cmocka_unit_test(the_first_row_is_found_behind_quoted_line_breaks),
		cmocka_unit_test(quotes_are_written_only_where_they_are_needed),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
