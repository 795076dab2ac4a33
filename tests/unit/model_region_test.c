#include "model/region.h"

#include "model_support.h"

#include "base/limits.h"

static struct bytes t(const char *text)
{
	return bytes_of_text(text);
}

static void sixteen_regions_and_the_ministry_are_found_by_code(void **state)
{
	(void)state;
	for (int i = 0; i < REGION_COUNT; i++)
		assert_int_equal(region_by_code(t(region_at(i)->code)), i);
	assert_string_equal(region_at(12)->slug, "swietokrzyskie");
	assert_string_equal(region_at(REGION_PL)->code, "PL");
	assert_null(region_at(REGION_COUNT));
	assert_null(region_at(REGION_NONE));
}

static void other_codes_name_no_region(void **state)
{
	static const char *const codes[] = {"",  "0",   "00", "01", "34", "33",
					    "2", "260", "pl", "2a", "-2"};

	(void)state;
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		assert_int_equal(region_by_code(t(codes[i])), REGION_NONE);
}

static void log_names_are_codes_generations_and_national(void **state)
{
	static const char *const good[] = {"26",    "PL",           "02",      "26/2",
					   "PL/10", "26/999999999", "national"};
	static const char *const bad[] = {
		"",     "2",  "27", "26/",       "26/0",     "26/1",          "26/02",  "26/2x",
		"26-2", "/2", "pl", "nationalx", "NATIONAL", "26/9999999999", "26/2/2", "26 "};
	struct log_name name;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		assert_ok(log_name_parse(t(good[i]), &name));
		assert_string_equal(name.text, good[i]);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_err(log_name_parse(t(bad[i]), &name), ERR_INVALID);
	assert_string_equal(name.text, "national"); /* untouched by failures */
}

static void a_log_begun_anew_is_of_the_same_region(void **state)
{
	struct log_name first, second, national;

	(void)state;
	assert_ok(log_name_parse(t("26"), &first));
	assert_ok(log_name_parse(t("26/2"), &second));
	assert_ok(log_name_parse(t("national"), &national));
	assert_int_equal(log_name_region(first), log_name_region(second));
	assert_false(log_name_equal(first, second));
	assert_int_equal(log_name_region(national), REGION_NONE);
}

static void a_log_begun_anew_goes_on_from_the_one_before_it(void **state)
{
	static const char *const rows[][2] = {{"26/2", "26"},
					      {"26/3", "26/2"},
					      {"PL/10", "PL/9"},
					      {"02/999999999", "02/999999998"}};
	struct log_name name;
	struct log_name before = {"kept"};

	(void)state;
	assert_ok(log_name_parse(t("26"), &name));
	assert_false(log_name_before(name, &before));
	assert_ok(log_name_parse(t("national"), &name));
	assert_false(log_name_before(name, &before));
	assert_string_equal(before.text, "kept");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_ok(log_name_parse(t(rows[i][0]), &name));
		assert_true(log_name_before(name, &before));
		assert_string_equal(before.text, rows[i][1]);
	}
}

static void origins_name_realm_and_log(void **state)
{
	char origin[ORIGIN_BYTES_MAX];
	struct log_name name;

	(void)state;
	assert_ok(log_name_parse(t("26/2"), &name));
	assert_ok(log_origin("splot.example", name, origin, sizeof origin));
	assert_string_equal(origin, "splot.example/region/26/2");
	assert_ok(national_origin("splot.example", "centre", 1, origin, sizeof origin));
	assert_string_equal(origin, "splot.example/national/centre");
	assert_err(log_origin("splot.example", name, origin, strlen("splot.example/region/26/2")),
		   ERR_LIMIT);
}

static void what_origins_are_made_of_is_read_back(void **state)
{
	static const char *const realms[] = {"splot.example", "S",
					     "a/region/b",    "a/region",
					     "a/witness",     "a/region/26",
					     "a/national/b",  "region/26",
					     "A_1-b.C/d",     "a/national/x/region/26/2"};
	char text[3][ORIGIN_BYTES_MAX + 1];
	struct log_name name;
	struct origin_parts o;

	(void)state;
	assert_ok(log_name_parse(t("26/2"), &name));
	for (size_t i = 0; i < sizeof realms / sizeof realms[0]; i++) {
		assert_ok(log_origin(realms[i], name, text[ORIGIN_REGION], sizeof text[0]));
		assert_ok(national_origin(realms[i], "region", 1, text[ORIGIN_NATIONAL],
					  sizeof text[0]));
		assert_ok(witness_origin(realms[i], name, text[ORIGIN_WITNESS], sizeof text[0]));
		for (int kind = 0; kind < 3; kind++) {
			assert_ok(origin_parse(t(text[kind]), &o));
			assert_int_equal(o.kind, kind);
			assert_string_equal(o.realm, realms[i]);
			assert_string_equal(o.log.text,
					    kind == ORIGIN_NATIONAL ? "national" : "26/2");
			assert_string_equal(o.server, kind == ORIGIN_NATIONAL ? "region" : "");
		}
	}
}

static void a_national_log_begun_anew_has_a_number(void **state)
{
	static const char *const parts[] = {"region", "national", "witness"};
	static const uint32_t generations[] = {1, 2, 10, LOG_GENERATION_MAX};
	char text[ORIGIN_BYTES_MAX + 1] = "kept";
	struct origin_parts o;

	(void)state;
	for (size_t i = 0; i < sizeof generations / sizeof generations[0]; i++) {
		assert_ok(national_origin("a/national/x", "centrum", generations[i], text,
					  sizeof text));
		assert_ok(origin_parse(t(text), &o));
		assert_int_equal(o.kind, ORIGIN_NATIONAL);
		assert_string_equal(o.realm, "a/national/x");
		assert_string_equal(o.server, "centrum");
		assert_string_equal(o.log.text, "national");
		assert_int_equal(o.generation, generations[i]);
	}
	assert_string_equal(text, "a/national/x/national/centrum/999999999");
	/* a server may be called by a number */
	assert_ok(origin_parse(t("a/national/2"), &o));
	assert_string_equal(o.server, "2");
	assert_int_equal(o.generation, 1);
	assert_ok(origin_parse(t("a/national/2/2"), &o));
	assert_string_equal(o.server, "2");
	assert_int_equal(o.generation, 2);
	/* what would be read back as another one */
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		assert_err(national_origin("a", parts[i], 2, text, sizeof text), ERR_INVALID);
	assert_err(national_origin("a", "b", 0, text, sizeof text), ERR_INVALID);
	assert_err(national_origin("a", "b", LOG_GENERATION_MAX + 1, text, sizeof text),
		   ERR_INVALID);
	assert_err(national_origin("a", "b", 2, text, strlen("a/national/b/2")), ERR_LIMIT);
	assert_ok(national_origin("a", "b", 2, text, strlen("a/national/b/2") + 1));
	assert_string_equal(text, "a/national/b/2");
}

static void what_is_no_origin_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"splot.example",
		"splot.example/region",
		"splot.example/region/",
		"/region/26",
		"region/26",
		"/national/centrum",
		"a/national/",
		"a/witness/",
		/* logs that there are not */
		"a/region/27",
		"a/region/national",
		"a/witness/national",
		"a/region/26/",
		"a/region/26/1",
		"a/region/26/02",
		"a/region//26",
		"a/region/26/2/2",
		"a/region/26/region/27",
		"a/region/26/9999999999",
		/* the last part decides */
		"a/region/26/witness/x",
		"a/national/region/x",
		/* servers */
		"a/national/b/c",
		"a/national/b/",
		"a/national/b/0",
		"a/national/b/1",
		"a/national/b/02",
		"a/national/b/2/2",
		"a/national/b/9999999999",
		"a/national/b/-2",
		"a/national//2",
		"a/national/-b",
		"a/national/b.",
		"a/national/b c",
		/* realms */
		".a/region/26",
		"a-/region/26",
		"a//region/26",
		"a b/region/26",
		"a+b/region/26",
		"\xc5\x82/region/26",
		"a\n/region/26",
	};
	static const char nul[] = "a\0b/region/26";
	struct origin_parts o = {.realm = "kept"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_err(origin_parse(t(bad[i]), &o), ERR_INVALID);
	assert_err(origin_parse(bytes_of(nul, sizeof nul - 1), &o), ERR_INVALID);
	assert_err(origin_parse(bytes_of("a/region/26", sizeof "a/region/26"), &o), ERR_INVALID);
	assert_err(origin_parse(bytes_of(NULL, 0), &o), ERR_INVALID);
	assert_string_equal(o.realm, "kept"); /* untouched by failures */
}

/* `realm` and `server` letters long. */
static enum err parse_national_of(size_t realm, size_t server, struct origin_parts *ret)
{
	struct buf b = {0};
	enum err e = ERR_OK;

	for (size_t i = 0; i < realm; i++)
		buf_add_u8(&b, 'r');
	buf_add_text(&b, "/national/");
	for (size_t i = 0; i < server; i++)
		buf_add_u8(&b, 's');
	assert_ok(buf_check(&b));
	e = origin_parse(buf_bytes(&b), ret);
	buf_free(&b);
	return e;
}

static void an_origin_and_its_names_have_bounds(void **state)
{
	const size_t part = strlen("/national/");
	struct origin_parts o;

	(void)state;
	assert_ok(parse_national_of(REALM_BYTES_MAX, 1, &o));
	assert_int_equal(strlen(o.realm), REALM_BYTES_MAX);
	assert_err(parse_national_of(REALM_BYTES_MAX + 1, 1, &o), ERR_INVALID);
	assert_ok(parse_national_of(1, SERVER_NAME_BYTES - 1, &o));
	assert_int_equal(strlen(o.server), SERVER_NAME_BYTES - 1);
	assert_err(parse_national_of(1, SERVER_NAME_BYTES, &o), ERR_INVALID);
	assert_ok(
		parse_national_of(REALM_BYTES_MAX, ORIGIN_BYTES_MAX - REALM_BYTES_MAX - part, &o));
	assert_err(parse_national_of(REALM_BYTES_MAX, ORIGIN_BYTES_MAX - REALM_BYTES_MAX - part + 1,
				     &o),
		   ERR_INVALID);
}

static void an_id_names_its_owner(void **state)
{
	(void)state;
	assert_int_equal(id_owner(t("pl26-kis-nowiny")), region_by_code(t("26")));
	assert_int_equal(id_owner(t("pl26-net-x--pl24-cis-y")), region_by_code(t("26")));
	assert_int_equal(id_owner(t("st-26-2019-kis-x-y")), region_by_code(t("26")));
	assert_int_equal(id_owner(t("pl-net-ksr")), REGION_PL);
	assert_int_equal(id_owner(t("st-pl-2017-cis-x")), REGION_PL);
	assert_int_equal(id_owner(t("pl27-kis-x")), REGION_NONE);
	assert_int_equal(id_owner(t("pl26")), REGION_NONE);
	assert_int_equal(id_owner(t("plPL-kis-x")), REGION_NONE);
	assert_int_equal(id_owner(t("st-27-2019")), REGION_NONE);
	assert_int_equal(id_owner(t("kis-26")), REGION_NONE);
	assert_int_equal(id_owner(t("")), REGION_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_regions_and_the_ministry_are_found_by_code),
		cmocka_unit_test(other_codes_name_no_region),
		cmocka_unit_test(log_names_are_codes_generations_and_national),
		cmocka_unit_test(a_log_begun_anew_is_of_the_same_region),
		cmocka_unit_test(a_log_begun_anew_goes_on_from_the_one_before_it),
		cmocka_unit_test(origins_name_realm_and_log),
		cmocka_unit_test(what_origins_are_made_of_is_read_back),
		cmocka_unit_test(a_national_log_begun_anew_has_a_number),
		cmocka_unit_test(what_is_no_origin_is_refused),
		cmocka_unit_test(an_origin_and_its_names_have_bounds),
		cmocka_unit_test(an_id_names_its_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
