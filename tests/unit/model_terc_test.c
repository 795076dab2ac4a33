/* The table of TERYT codes. */
#include "model_support.h"

#include "model/terc.h"

static char why[512];

static enum err parse(const char *text, struct terc_table *ret)
{
	why[0] = 0;
	return terc_table_parse(bytes_of_text(text), "t.csv", ret, why, sizeof why);
}

static bool knows_powiat(struct terc_table *t, const char *code)
{
	struct terc asked = terc_of(t);

	return asked.powiat_known(asked.context, code);
}

static bool knows_gmina(struct terc_table *t, const char *code)
{
	struct terc asked = terc_of(t);

	return asked.gmina_known(asked.context, code);
}

static void gminas_name_their_powiats_as_well(void **state)
{
	struct terc_table t;

	(void)state;
	assert_ok(parse("\xef\xbb\xbfteryt\r\n2604012\r\n2601013\r\n\r\n2662\r\n2601023\r\n", &t));
	assert_int_equal(t.gmina_count, 3);
	assert_int_equal(t.area_count, 3);
	assert_string_equal(t.areas[0].code, "2601");
	assert_string_equal(t.areas[1].code, "2604");
	assert_string_equal(t.areas[2].code, "2662");
	assert_true(knows_powiat(&t, "2601") && knows_powiat(&t, "2662"));
	assert_false(knows_powiat(&t, "2602") || knows_powiat(&t, "") || knows_powiat(&t, "26"));
	assert_true(knows_gmina(&t, "2601023"));
	assert_false(knows_gmina(&t, "2601033") || knows_gmina(&t, "2601") || knows_gmina(&t, ""));
	terc_table_free(&t);
}

static void a_column_of_names_names_the_powiats(void **state)
{
	struct terc_table t;

	(void)state;
	assert_ok(parse("region;name;teryt\n26;Busko-Zdrój;2601013\n26;buski;2601\n"
			"26;\"Kielce; miasto\";2661\n26;;2604\n",
			&t));
	assert_int_equal(t.area_count, 3);
	assert_string_equal(t.areas[0].name, "buski"); /* not the gmina's */
	assert_string_equal(t.areas[1].name, "");
	assert_string_equal(t.areas[2].name, "Kielce; miasto");
	terc_table_free(&t);
}

static void a_table_of_powiats_alone_does_not_judge_gminas(void **state)
{
	struct terc_table t;

	(void)state;
	assert_ok(parse("teryt\n2601\n", &t));
	assert_null(terc_of(&t).gmina_known);
	terc_table_free(&t);
	assert_null(terc_of(&t).powiat_known); /* no table */
}

static void what_is_no_code_or_no_name_is_told_by_its_row(void **state)
{
	static char wide[400];
	struct terc_table t;

	(void)state;
	assert_err(parse("code\n2601\n", &t), ERR_CONFIG);
	assert_non_null(strstr(why, "no column is headed teryt"));
	assert_err(parse("", &t), ERR_CONFIG);
	assert_err(parse("teryt\n2601\n26\n", &t), ERR_CONFIG);
	assert_non_null(strstr(why, "t.csv: row 3: 26 is no code"));
	assert_err(parse("teryt\n26o1\n", &t), ERR_CONFIG);
	assert_err(parse("teryt,name\n2601,\xb3\xf3\n", &t), ERR_CONFIG);
	assert_non_null(strstr(why, "row 2: the name"));
	assert_err(parse("teryt,name\n2601,a\tb\n", &t), ERR_CONFIG);
	memcpy(wide, "teryt,name\n2601,", 16);
	memset(wide + 16, 'x', sizeof wide - 17);
	assert_err(parse(wide, &t), ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gminas_name_their_powiats_as_well),
		cmocka_unit_test(a_column_of_names_names_the_powiats),
		cmocka_unit_test(a_table_of_powiats_alone_does_not_judge_gminas),
		cmocka_unit_test(what_is_no_code_or_no_name_is_told_by_its_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
