#include "model/validate.h"

#include "model_support.h"

struct row {
	enum field_type type;
	const char *cell;
	const char *expected; /* NULL: nothing repaired; UNSURE: refused */
};

static const char UNSURE[] = "?";

static const struct field *field_of(enum field_type type)
{
	static struct field field;

	field = (struct field){.type = type,
			       .values = "CIS KIS WTZ ZAZ źródło jst_gmina",
			       .refers_to = RECORD_OPERATOR};
	return &field;
}

static void check_rows(const struct row *rows, size_t count)
{
	struct buf out = {0};

	for (size_t i = 0; i < count; i++) {
		enum repair result = REPAIR_NONE;
		enum repair expected = REPAIR_DONE;

		buf_clear(&out);
		result = repair_cell(field_of(rows[i].type), bytes_of_text(rows[i].cell), &out);
		if (!rows[i].expected)
			expected = REPAIR_NONE;
		else if (rows[i].expected == UNSURE)
			expected = REPAIR_UNSURE;
		if (result != expected ||
		    (result == REPAIR_DONE && strcmp(buf_text(&out), rows[i].expected) != 0))
			fail_msg("type %d, \"%s\": result %d, \"%s\"", (int)rows[i].type,
				 rows[i].cell, (int)result, buf_text(&out));
	}
	buf_free(&out);
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void valid_cells_and_text_are_not_touched(void **state)
{
	static const struct row rows[] = {
		{FIELD_REGION, "02", NULL},       {FIELD_DATE, "2009", NULL},
		{FIELD_DATE, "2019-06-04", NULL}, {FIELD_BOOL, "true", NULL},
		{FIELD_UINT, "21", NULL},         {FIELD_DECIMAL, "49.0", NULL},
		{FIELD_DECIMAL, "1.234", NULL},   {FIELD_ENUM, "CIS", NULL},
		{FIELD_TEXT, " mar.16 ", NULL},   {FIELD_TEXT, "PRAWDA", NULL},
		{FIELD_LIST, "a;b", NULL},        {FIELD_KRS, "0000012345", NULL},
		{FIELD_DATE, "", NULL},           {FIELD_TERYT7, "2604172", NULL},
	};

	(void)state;
	CHECK(rows);
}

static void lost_leading_zeros_come_back(void **state)
{
	static const struct row rows[] = {
		{FIELD_REGION, "2", "02"},
		{FIELD_REGION, "8", "08"},
		{FIELD_REGION, "3", NULL},
		{FIELD_REGION, "pl", "PL"},
		{FIELD_TERYT4, "264", "0264"},
		{FIELD_TERYT4, "364", NULL},
		{FIELD_TERYT7, "264011", "0264011"},
		{FIELD_TERYT7, "26041", NULL},
		{FIELD_KRS, "12345", "0000012345"},
		{FIELD_KRS, "123", NULL},
		{FIELD_KRS, "1,23E+09", UNSURE},
		{FIELD_REGON, "13272620", "013272620"},
		{FIELD_REGON, "13272621", NULL},
		{FIELD_REGON, "123 456 785", "123456785"},
		{FIELD_REGON, "1,23457E+13", UNSURE},
		{FIELD_NIP, "525-100-88-75", "5251008875"},
		{FIELD_NIP, "PL 525 100 88 75", "5251008875"},
		{FIELD_NIP, "525-100-88-76", NULL},
		{FIELD_NIP, "5,25E+09", UNSURE},
		{FIELD_POSTCODE, "26052", "26-052"},
		{FIELD_POSTCODE, "26 052", "26-052"},
		{FIELD_POSTCODE, "26–052", "26-052"},
		{FIELD_POSTCODE, "6052", UNSURE},
		{FIELD_POSTCODE, "260521", NULL},
	};

	(void)state;
	CHECK(rows);
}

static void dates_are_read_where_one_reading_is_left(void **state)
{
	static const struct row rows[] = {
		{FIELD_DATE, "4.06.2019", "2019-06-04"},
		{FIELD_DATE, "04.06.2019", "2019-06-04"},
		{FIELD_DATE, "4.6.2019 r.", "2019-06-04"},
		{FIELD_DATE, "2019 r.", "2019"},
		{FIELD_DATE, "4-06-2019", "2019-06-04"},
		{FIELD_DATE, "2019-06-04 00:00:00", "2019-06-04"},
		{FIELD_DATE, "2019-06-04T00:00:00Z", "2019-06-04"},
		{FIELD_DATE, "4.06.2019 0:00", "2019-06-04"},
		{FIELD_DATE, "2019-06-04 12:30:00", UNSURE},
		{FIELD_DATE, "2019.06.04", "2019-06-04"},
		{FIELD_DATE, "2019-6-4", "2019-06-04"},
		{FIELD_DATE, "25/06/2019", "2019-06-25"},
		{FIELD_DATE, "06/25/2019", "2019-06-25"},
		{FIELD_DATE, "4/4/2019", "2019-04-04"},
		{FIELD_DATE, "00.06.2019", UNSURE},
		{FIELD_DATE, "2019-06-00", UNSURE},
		{FIELD_DATE, "4/06/2019", UNSURE},
		{FIELD_DATE, "4.06.19", UNSURE},
		{FIELD_DATE, "06.2019", "2019-06"},
		{FIELD_DATE, "2019.06", "2019-06"},
		{FIELD_DATE, "mar.16", "2016-03"},
		{FIELD_DATE, "mar 16", "2016-03"},
		{FIELD_DATE, "Mar-16", "2016-03"},
		{FIELD_DATE, "marzec 2016", "2016-03"},
		{FIELD_DATE, "marca 2016", "2016-03"},
		{FIELD_DATE, "2016 marzec", "2016-03"},
		{FIELD_DATE, "gru.05", "2005-12"},
		{FIELD_DATE, "paź.18", "2018-10"},
		{FIELD_DATE, "PAŹDZIERNIK 2018", "2018-10"},
		{FIELD_DATE, "Dec-05", "2005-12"},
		{FIELD_DATE, "May 2016", "2016-05"},
		{FIELD_DATE, "5 marca 2016", "2016-03-05"},
		{FIELD_DATE, "05-mar-16", "2016-03-05"},
		{FIELD_DATE, "mar.85", UNSURE},
		{FIELD_DATE, "16.mar", UNSURE},
		{FIELD_DATE, "43620", UNSURE},
		{FIELD_DATE, "43620.5", UNSURE},
		{FIELD_DATE, "31.02.2019", NULL},
		{FIELD_DATE, "31.13.2019", NULL},
		{FIELD_DATE, "martes 2016", NULL},
		{FIELD_DATE, "wkrótce", NULL},
		{FIELD_DATE, " 2019-06-04 ", "2019-06-04"},
		{FIELD_DATE, "'2019", "2019"},
	};

	(void)state;
	CHECK(rows);
}

static void figures_are_read_where_one_reading_is_left(void **state)
{
	static const struct row rows[] = {
		{FIELD_UINT, "1 234", "1234"},
		{FIELD_UINT,
		 "1\xc2\xa0"
		 "234",
		 "1234"},
		{FIELD_UINT, "21,0", "21"},
		{FIELD_UINT, "21.00", "21"},
		{FIELD_UINT, "1.234", UNSURE},
		{FIELD_UINT, "1,000", UNSURE},
		{FIELD_UINT, "1.23E+10", UNSURE},
		{FIELD_UINT, "21,5", NULL},
		{FIELD_UINT, "12 34", NULL},
		{FIELD_UINT, "007", NULL},
		{FIELD_UINT, "-3", NULL},
		{FIELD_DECIMAL, "49,0", "49.0"},
		{FIELD_DECIMAL, "60 600,00", "60600.00"},
		{FIELD_DECIMAL,
		 "60\xc2\xa0"
		 "600",
		 "60600"},
		{FIELD_DECIMAL, "60.600,00", "60600.00"},
		{FIELD_DECIMAL, "1,060,600.50", "1060600.50"},
		{FIELD_DECIMAL, "0,125", "0.125"},
		{FIELD_DECIMAL, "1 060,125", "1060.125"},
		{FIELD_DECIMAL, "1,234", UNSURE},
		{FIELD_DECIMAL, "1,23E+10", UNSURE},
		{FIELD_DECIMAL, "1,2,3", NULL},
		{FIELD_DECIMAL, "1.2,3.4", NULL},
		{FIELD_DECIMAL, "60 60", NULL},
		{FIELD_DECIMAL, ",", NULL},
	};

	(void)state;
	CHECK(rows);
}

static void words_are_read_in_either_language(void **state)
{
	static const struct row rows[] = {
		{FIELD_BOOL, "PRAWDA", "true"},
		{FIELD_BOOL, "FAŁSZ", "false"},
		{FIELD_BOOL, "TRUE", "true"},
		{FIELD_BOOL, "False", "false"},
		{FIELD_BOOL, "tak", "true"},
		{FIELD_BOOL, "Nie", "false"},
		{FIELD_BOOL, "1", "true"},
		{FIELD_BOOL, "0", "false"},
		{FIELD_BOOL, "może", NULL},
		{FIELD_ENUM, "cis", "CIS"},
		{FIELD_ENUM, "Zrodlo", "źródło"},
		{FIELD_ENUM, "JST gmina", "jst_gmina"},
		{FIELD_ENUM, "CI", NULL},
		{FIELD_ENUM, " KIS", "KIS"},
		{FIELD_LIST, "a.txt; b.txt;", "a.txt;b.txt"},
		{FIELD_LIST, "a;;b", NULL},
		{FIELD_ID, " pl26-op-x ", "pl26-op-x"},
		{FIELD_ID, "PL26-OP-X", NULL},
		{FIELD_REF, "pl26-op-x\xc2\xa0", "pl26-op-x"},
		{FIELD_TERYT7, "=\"0264011\"", "0264011"},
		{FIELD_TERYT7, "'0264011", "0264011"},
	};

	(void)state;
	CHECK(rows);
}

static void no_cell_breaks_the_repair(void **state)
{
	static const char *const alphabet[] = {
		"0",  "1", "2",  "9",   " ",   ".",        ",",    "-",
		"/",  ":", "E+", "mar", "ź",   "\xc2\xa0", "\xc5", "r.",
		"\"", "=", "'",  ";",   "maj", "00:00",    "PL",   "\xe2\x80\xaf"};
	uint64_t random = test_seed();
	struct buf cell = {0};
	struct buf out = {0};

	(void)state;
	for (int i = 0; i < 100000; i++) {
		const struct field *field =
			field_of((enum field_type)(next_random(&random) % (FIELD_REGON + 1)));
		uint64_t parts = next_random(&random) % 12;

		buf_clear(&cell);
		for (; parts > 0; parts--)
			buf_add_text(&cell, alphabet[next_random(&random) %
						     (sizeof alphabet / sizeof alphabet[0])]);
		buf_clear(&out);
		if (repair_cell(field, buf_bytes(&cell), &out) == REPAIR_DONE) {
			/* What was repaired is valid, so a second repair leaves it. */
			struct buf again = {0};

			assert_int_equal(repair_cell(field, buf_bytes(&out), &again), REPAIR_NONE);
			buf_free(&again);
		}
	}
	buf_clear(&cell);
	for (int i = 0; i < 5000; i++)
		buf_add_text(&cell, "1 ");
	assert_int_equal(repair_cell(field_of(FIELD_UINT), buf_bytes(&cell), &out), REPAIR_NONE);
	assert_int_equal(repair_cell(field_of(FIELD_UINT), bytes_of("1\0", 2), &out), REPAIR_NONE);
	buf_free(&cell);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_cells_and_text_are_not_touched),
		cmocka_unit_test(lost_leading_zeros_come_back),
		cmocka_unit_test(dates_are_read_where_one_reading_is_left),
		cmocka_unit_test(figures_are_read_where_one_reading_is_left),
		cmocka_unit_test(words_are_read_in_either_language),
		cmocka_unit_test(no_cell_breaks_the_repair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
