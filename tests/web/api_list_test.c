/* Lists: pages of JSON and rows of CSV. */
#include "api_support.h"

static void a_few_records(struct nation *n)
{
	HAPPENS(n, "26", "2026-11-01T09:00:00Z",
		PUT(n, RECORD_OPERATOR, "id", "pl26-op-a", "name", "Fundacja A", "region", "26"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-z", "kind", "KIS", "name", "Żuraw", "status",
		    "active"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-l", "kind", "KIS", "name", "Łódź"));
	HAPPENS(n, "24", "2026-11-02T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl24-cis-a", "kind", "CIS", "name", "Alfa",
		    "operator_id", "pl26-op-a", "started_on", "2019-05", "status", "active"));
}

static void a_record_has_all_its_columns_and_its_version(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	a_few_records(n);
	body = ask(n, "/api/v1/operators");
	assert_has(body,
		   "\"kind\":\"operator\",\"total\":1,\"limit\":50,\"sort\":\"name\",\"next\":"
		   "null,\"records\":[{\"id\":\"pl26-op-a\",\"name\":\"Fundacja A\",\"form\":"
		   "null,\"sector\":null,\"krs\":null,\"nip\":null,\"regon\":null,"
		   "\"form_basis\":null,\"region\":\"26\",\"source\":null,\"note\":null,"
		   "\"version\":{\"log\":\"26\",\"index\":0,\"position\":0,\"recorded\":"
		   "\"2026-11-01T09:00:00.000Z\"}}],\"facets\":[]}");
}

static void pages_follow_one_another_by_next(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;
	const char *next = NULL;
	char url[512];

	a_few_records(n);
	body = ask(n, "/api/v1/entities?limit=2&kind=KIS&kind=CIS&as_of=2");
	assert_has(body, "\"total\":3,\"limit\":2,\"sort\":\"name\",\"next\":\"/api/v1/entities?"
			 "limit=2&kind=KIS&kind=CIS&as_of=2&cursor=");
	assert_true(strstr(body, "\"Alfa\"") < strstr(body, "\"Łódź\"") &&
		    strstr(body, "\"Łódź\""));
	assert_lacks(body, "Żuraw");
	next = strstr(body, "\"next\":\"") + strlen("\"next\":\"");
	(void)snprintf(url, sizeof url, "%.*s", (int)strcspn(next, "\""), next);
	body = ask(n, url);
	assert_status(n, 200);
	assert_has(body, "\"total\":3,\"limit\":2,\"sort\":\"name\",\"next\":null,");
	assert_has(body, "Żuraw");
	assert_lacks(body, "Alfa");
}

static void filters_searches_and_facets_are_what_the_register_knows(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	a_few_records(n);
	assert_has(ask(n, "/api/v1/entities?q=lodz"), "\"total\":1,");
	assert_has(ask(n, "/api/v1/entities?started_on.to=2019"), "\"total\":1,");
	assert_has(ask(n, "/api/v1/entities?id.starts=pl26-&status="), "\"total\":1,");
	body = ask(n, "/api/v1/entities?facets=kind,status&kind=KIS&sort=-id");
	assert_has(body, "\"sort\":\"-id\"");
	assert_has(body,
		   "\"facets\":[{\"field\":\"kind\",\"distinct\":2,\"values\":[{\"value\":\"KIS\","
		   "\"count\":2},{\"value\":\"CIS\",\"count\":1}]},{\"field\":\"status\","
		   "\"distinct\":2,\"values\":[");
	assert_has(body, "{\"value\":null,\"count\":1}");
}

static void what_cannot_be_asked_is_explained(void **state)
{
	struct nation *n = *state;
	static const struct {
		const char *url, *part;
	} cases[] = {
		{"/api/v1/entities?limit=0", "limit: a number from 1 to 1000."},
		{"/api/v1/entities?limit=1001", "limit: a number from 1 to 1000."},
		{"/api/v1/entities?sort=nothing", "sort: entities have no column"},
		{"/api/v1/entities?cursor=x", "cursor"},
		{"/api/v1/entities.csv?cursor=x", "cursor"},
		{"/api/v1/entities?facets=kind,kind", "facets: kind is there twice."},
		{"/api/v1/entities?name.from=1", "only dates and numbers have .from and .to"},
		{"/api/v1/entities?started_on.from=May", "a bound is a date"},
		{"/api/v1/entities?q=a&q=b", "q: there twice."},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *body = ask(n, cases[i].url);

		assert_status(n, 400);
		assert_has(body, cases[i].part);
		assert_has(body, "\"next\":\"The columns are at /api/v1/columns;");
	}
}

static void the_column_as_of_is_asked_for_by_another_name(void **state)
{
	struct nation *n = *state;

	HAPPENS(n, "26", "2026-11-01T09:00:00Z",
		PUT(n, RECORD_STATISTIC, "id", "st-26-a", "as_of", "2019", "value", "5"),
		PUT(n, RECORD_STATISTIC, "id", "st-26-b", "value", "6"));
	assert_has(ask(n, "/api/v1/statistics?as_of.is=2019"), "\"total\":1,");
	assert_has(ask(n, "/api/v1/statistics?as_of.is="), "\"id\":\"st-26-b\"");
	assert_has(ask(n, "/api/v1/statistics?as_of.from=2018&as_of.to=2020"), "\"total\":1,");
	assert_has(ask(n, "/api/v1/statistics?as_of=0"), "\"total\":0,");
}

static void csv_has_every_row_in_order_and_the_name_of_a_file(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	a_few_records(n);
	body = ask(n, "/api/v1/operators.csv");
	assert_string_equal(n->answer.type, "text/csv; charset=utf-8");
	assert_string_equal(n->answer.filename, "operators-2026-11-22.csv");
	assert_string_equal(body,
			    "id,name,form,sector,krs,nip,regon,form_basis,region,source,note\r\n"
			    "pl26-op-a,Fundacja A,,,,,,,26,,\r\n");
	body = ask(n, "/api/v1/entities.csv?sort=-name&as_of=2026-11-01");
	assert_int_equal(times_in(body, "\r\n"), 3);
	assert_true(strstr(body, "Żuraw") < strstr(body, "Łódź"));
	assert_string_equal(n->answer.filename, "entities-2026-11-01.csv");
	assert_true(n->answer.settled);
	assert_int_equal(times_in(ask(n, "/api/v1/entities.csv?limit=1"), "\r\n"), 2);
}

static void a_cell_that_looks_like_a_formula_is_made_harmless(void **state)
{
	struct nation *n = *state;
	static const struct {
		const char *cell, *written;
	} cases[] = {
		{"=1+1", "\"'=1+1\""},
		{"+cmd", "\"'+cmd\""},
		{"-cmd", "\"'-cmd\""},
		{"@A1", "\"'@A1\""},
		{"\tx", "\"'\tx\""},
		{"\rx", "\"'\rx\""},
		{"\n=x", "\"'\n=x\""},
		{"=\"a\"", "\"'=\"\"a\"\"\""},
		{"-5", "-5"},
		{"+48.5", "+48.5"},
		{"-5,5", "\"-5,5\""},
		{"-5+1", "\"'-5+1\""},
		{"-", "\"'-\""},
		{"-5.", "\"'-5.\""},
		{"+.5", "\"'+.5\""},
		{"a=b", "a=b"},
		{" =a", " =a"},
		{"a,b", "\"a,b\""},
		{"a \"b\"", "\"a \"\"b\"\"\""},
		{"a\nb", "\"a\nb\""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char expected[128];

		HAPPENS(n, "26", "2026-11-01T09:00:00Z",
			PUT(n, RECORD_OPERATOR, "id", "pl26-op-a", "note", cases[i].cell));
		(void)snprintf(expected, sizeof expected,
			       "id,name,form,sector,krs,nip,regon,form_basis,region,source,note\r\n"
			       "pl26-op-a,,,,,,,,,,%s\r\n",
			       cases[i].written);
		assert_string_equal(ask(n, "/api/v1/operators.csv"), expected);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, nation_setup, nation_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_record_has_all_its_columns_and_its_version),
		TEST(pages_follow_one_another_by_next),
		TEST(filters_searches_and_facets_are_what_the_register_knows),
		TEST(what_cannot_be_asked_is_explained),
		TEST(the_column_as_of_is_asked_for_by_another_name),
		TEST(csv_has_every_row_in_order_and_the_name_of_a_file),
		TEST(a_cell_that_looks_like_a_formula_is_made_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
