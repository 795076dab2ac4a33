#include "admin.h"

#include "admin/csv/heading.h"

static struct arena arena;
static struct findings findings;
static int fields[CSV_COLUMNS_MAX];

static int tear_down(void **state)
{
	(void)state;
	findings_free(&findings);
	arena_free(&arena);
	return 0;
}

static enum err map(enum record_kind kind, size_t count, const char **cells)
{
	const struct csv_row header = {.row = 1, .cell_count = count, .cells = cells};

	findings_free(&findings);
	return heading_map(kind_of(kind), &header, "file.csv", &arena, fields, &findings);
}

#define MAP(kind, ...)                                                                             \
	map(kind, sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *),                          \
	    (const char *[]){__VA_ARGS__})

static const char *field_name(enum record_kind kind, size_t column)
{
	return fields[column] < 0 ? "" : kind_of(kind)->fields[fields[column]].name;
}

static void columns_are_found_in_any_order_and_case(void **state)
{
	(void)state;
	assert_ok(MAP(RECORD_ENTITY, "NAME", " Id ", "powiat"));
	assert_string_equal(field_name(RECORD_ENTITY, 0), "name");
	assert_string_equal(field_name(RECORD_ENTITY, 1), "id");
	assert_string_equal(field_name(RECORD_ENTITY, 2), "powiat");
}

static void polish_and_english_labels_are_headings(void **state)
{
	(void)state;
	assert_ok(
		MAP(RECORD_ENTITY, "Identyfikator", "WOJEWÓDZTWO", "miejscowość", "GMINA (TERYT)"));
	assert_string_equal(field_name(RECORD_ENTITY, 1), "region");
	assert_string_equal(field_name(RECORD_ENTITY, 2), "place");
	assert_string_equal(field_name(RECORD_ENTITY, 3), "gmina");
	assert_ok(MAP(RECORD_OPERATOR, "id", "Tax ID", "basis of form"));
	assert_string_equal(field_name(RECORD_OPERATOR, 1), "nip");
	assert_string_equal(field_name(RECORD_OPERATOR, 2), "form_basis");
}

/* "gmina" is the name of one column and the label of another. */
static void a_file_of_column_names_is_read_by_names_and_one_of_labels_by_labels(void **state)
{
	(void)state;
	assert_ok(MAP(RECORD_ENTITY, "id", "gmina", "gmina_name"));
	assert_string_equal(field_name(RECORD_ENTITY, 1), "gmina");
	assert_ok(MAP(RECORD_ENTITY, "identyfikator", "gmina", "gmina (TERYT)"));
	assert_string_equal(field_name(RECORD_ENTITY, 1), "gmina_name");
	assert_string_equal(field_name(RECORD_ENTITY, 2), "gmina");
}

static void a_heading_that_may_mean_two_columns_is_refused(void **state)
{
	(void)state;
	assert_string_equal(err_code(MAP(RECORD_ENTITY, "identyfikator", "gmina", "register_no")),
			    "invalid");
	assert_int_equal(findings.count, 1);
	assert_string_equal(findings.items[0].code, "ambiguous-column");
	assert_string_equal(findings.items[0].column, "gmina");
	assert_int_equal(findings.items[0].row, 1);
}

static void unknown_and_repeated_columns_are_refused_by_name(void **state)
{
	(void)state;
	assert_string_equal(err_code(MAP(RECORD_OPERATOR, "id", "telefon", "", "nazwa", "name")),
			    "invalid");
	assert_int_equal(findings.count, 3);
	assert_string_equal(findings.items[0].code, "unknown-column");
	assert_string_equal(findings.items[0].column, "telefon");
	assert_string_equal(findings.items[1].code, "unknown-column");
	assert_string_equal(findings.items[2].code, "repeated-column");
}

static void the_state_column_is_known_for_every_kind(void **state)
{
	(void)state;
	assert_ok(MAP(RECORD_NETWORK, "id", "splot_state"));
	assert_int_equal(fields[1], HEADING_STATE);
	assert_ok(MAP(RECORD_NETWORK, "identyfikator", "nazwa", "splot_state"));
	assert_int_equal(fields[2], HEADING_STATE);
}

/* All column names, Polish labels and English labels, each joined by a delimiter. */
static void the_delimiter_is_found_from_the_header(void **state)
{
	static const char delimiters[] = {',', ';', '\t'};

	(void)state;
	for (size_t d = 0; d < sizeof delimiters; d++) {
		for (int way = 0; way < 3; way++) {
			const struct kind *kind = kind_of(RECORD_STATISTIC);
			struct buf text = {0};

			for (size_t f = 0; f < kind->field_count; f++) {
				const struct field *field = &kind->fields[f];

				if (f)
					buf_add_u8(&text, (uint8_t)delimiters[d]);
				csv_write_cell(&text,
					       way == 0   ? field->name
					       : way == 1 ? field->label_pl
							  : field->label_en,
					       delimiters[d]);
			}
			buf_add_text(&text, "\r\n1,2;3\t4\r\n");
			assert_int_equal(heading_delimiter(buf_bytes(&text), &arena),
					 delimiters[d]);
			buf_free(&text);
		}
	}
}

/* Every label of every kind leads back to its column, or is told to be ambiguous. */
static void every_label_is_known(void **state)
{
	(void)state;
	for (int k = RECORD_KIND_FIRST; k <= (int)RECORD_KIND_LAST; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);

		for (size_t f = 0; f < kind->field_count; f++) {
			const char *const labels[] = {kind->fields[f].name,
						      kind->fields[f].label_pl,
						      kind->fields[f].label_en};

			for (size_t i = 0; i < 3; i++) {
				int found[CSV_COLUMNS_MAX];
				size_t count = heading_meanings(kind, labels[i], found);
				bool there = false;

				for (size_t m = 0; m < count; m++)
					there = there || found[m] == (int)f;
				assert_true(there);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_found_in_any_order_and_case),
		cmocka_unit_test(polish_and_english_labels_are_headings),
		cmocka_unit_test(
			a_file_of_column_names_is_read_by_names_and_one_of_labels_by_labels),
		cmocka_unit_test(a_heading_that_may_mean_two_columns_is_refused),
		cmocka_unit_test(unknown_and_repeated_columns_are_refused_by_name),
		cmocka_unit_test(the_state_column_is_known_for_every_kind),
		cmocka_unit_test(the_delimiter_is_found_from_the_header),
		cmocka_unit_test(every_label_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
