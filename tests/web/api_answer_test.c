/* What every question has in common: paths, parameters, Accept, as_of, problems, the description.
 */
#include "api_support.h"

static void an_answer_says_which_state_it_stands_for(void **state)
{
	struct nation *n = *state;

	HAPPENS(n, "26", "2026-11-01T09:00:00.123Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "Klub A"));
	assert_has(ask(n, "/api/v1/entities"),
		   "{\"position\":1,\"time\":\"2026-11-01T09:00:00.123Z\",\"as_of\":null,");
	assert_status(n, 200);
	assert_string_equal(n->answer.type, "application/json");
	assert_false(n->answer.settled);
	assert_has(ask(n, "/api/v1/entities?as_of=2026-11-05"),
		   "\"as_of\":{\"asked\":\"2026-11-05\",\"position\":1}");
}

static void what_is_not_there_is_a_problem_that_says_what_to_do(void **state)
{
	struct nation *n = *state;
	static const char *const nothing[] = {
		"/api/v1/nothing",
		"/api/v1/",
		"/api/v12",
		"/api/v1/entities/",
		"/api/v1/entities.",
		"/api/v1/records",
		"/api/v1/records//",
		"/api/v1/events",
		"/api/v1/entity",
		"/api",
		"/api/v1/regions/26/more",
	};

	for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
		const char *body = ask(n, nothing[i]);

		assert_status(n, 404);
		assert_string_equal(n->answer.type, "application/problem+json");
		assert_has(body, "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
				 "\"detail\":\"There is nothing at ");
		assert_has(body, "\"next\":\"See /api/v1 for what there is.\"}");
	}
}

static void a_parameter_that_is_not_known_or_given_twice_is_refused(void **state)
{
	struct nation *n = *state;

	assert_has(ask(n, "/api/v1/columns?x=1"), "no \\\"x\\\"");
	assert_status(n, 400);
	assert_has(ask(n, "/api/v1/changes?x=1"), "There are: as_of before limit region kind");
	assert_status(n, 400);
	assert_has(ask(n, "/api/v1/changes?kin=entity"), "no parameter \\\"kin\\\"");
	assert_has(ask(n, "/api/v1/changes?=entity"), "no parameter");
	assert_has(ask(n, "/api/v1/changes?kind=entity&kind=network"), "kind is given twice");
	assert_status(n, 400);
	assert_has(ask(n, "/api/v1/entities?nothing=1"), "no such parameter");
	assert_status(n, 400);
	assert_has(ask(n, "/api/v1/networks?as_of=0&as_of=0"), "as_of.is");
	assert_status(n, 400);
}

static void the_header_accept_chooses_and_refuses(void **state)
{
	struct nation *n = *state;
	static const struct {
		const char *accept, *type; /* NULL: 406 */
	} lists[] = {
		{"", "application/json"},
		{"*/*", "application/json"},
		{"text/csv", "text/csv; charset=utf-8"},
		{"TEXT/CSV", "text/csv; charset=utf-8"},
		{"text/*", "text/csv; charset=utf-8"},
		{"application/*", "application/json"},
		{"text/csv;q=0.5, application/json;q=0.4", "text/csv; charset=utf-8"},
		{"text/csv;q=0.5, application/json", "application/json"},
		{"text/csv; q=0.5 , */*;q=0.6", "application/json"},
		{"application/json;q=0, */*", "text/csv; charset=utf-8"},
		{"text/html, application/xhtml+xml, */*;q=0.8", "application/json"},
		{"image/png", NULL},
		{"text/csv;q=0", NULL},
		{"*/*;q=0", NULL},
		{"application/jso", NULL},
		{", ,;q=1", NULL},
	};

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		(void)ask_as(n, "/api/v1/entities", lists[i].accept);
		assert_status(n, lists[i].type ? 200U : 406U);
		assert_string_equal(n->answer.type,
				    lists[i].type ? lists[i].type : "application/problem+json");
	}
	(void)ask_as(n, "/api/v1/entities.csv", "application/json");
	assert_status(n, 200);
	assert_string_equal(n->answer.type, "text/csv; charset=utf-8");
	(void)ask_as(n, "/api/v1/entities.json", "text/csv");
	assert_string_equal(n->answer.type, "application/json");
	assert_has(ask_as(n, "/api/v1/columns", "text/csv"), "Accept application/json.");
	assert_status(n, 406);
}

static void as_of_is_a_day_in_Warsaw_a_time_or_a_position(void **state)
{
	struct nation *n = *state;
	static const struct {
		const char *asked;
		unsigned status, total;
		bool settled;
	} cases[] = {
		{"2026-10-31", 200, 0, true}, /* before the first entry: empty */
		{"2026-11-01", 200, 1, true}, /* 22:59:59.999Z is the end of the day */
		{"2026-11-01T22:59:59.999Z", 200, 1, true},
		{"2026-11-01T22:59:59.998Z", 200, 0, true},
		{"2026-11-01T23:00:00Z", 200, 2,
		 false}, /* the whole second; nothing is behind it */
		{"2026-11-02", 200, 2, false},
		{"2030-01-01", 200, 2, false}, /* yet to come: now */
		{"0", 200, 0, true},
		{"1", 200, 1, true},
		{"2", 200, 2, true},
		{"3", 404, 0, false},
		{"", 400, 0, false},
		{"yesterday", 400, 0, false},
		{"2026-02-30", 400, 0, false},
		{"-1", 400, 0, false},
		{"1234567890123456789", 400, 0, false},
	};

	HAPPENS(n, "26", "2026-11-01T22:59:59.999Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "A"));
	HAPPENS(n, "24", "2026-11-01T23:00:00.000Z",
		PUT(n, RECORD_ENTITY, "id", "pl24-kis-b", "kind", "KIS", "name", "B"));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char url[128];
		char total[32];
		const char *body = NULL;

		(void)snprintf(url, sizeof url, "/api/v1/entities?as_of=%s", cases[i].asked);
		(void)snprintf(total, sizeof total, "\"total\":%u,", cases[i].total);
		body = ask(n, url);
		assert_status(n, cases[i].status);
		if (cases[i].status == 200)
			assert_has(body, total);
		if (n->answer.settled != cases[i].settled)
			fail_msg("%s", url);
	}
	assert_has(ask(n, "/api/v1/entities?as_of=3"),
		   "Position 3 is not reached yet: this register is at 2.");
	assert_has(ask(n, "/api/v1/entities?as_of=2026-10-31"),
		   "{\"position\":0,\"time\":null,\"as_of\":{\"asked\":\"2026-10-31\",\"position\":"
		   "0}");
}

/* Who makes a register of the past only to say that there is no such thing can be kept busy. */
static void no_past_is_asked_for_where_as_of_means_nothing(void **state)
{
	static const char *const urls[] = {"/api/v1/status?as_of=0", "/api/v1/nothing?as_of=0",
					   "/api/v1/openapi.json?as_of=0",
					   "/api/v1/logs/26/proof/0?as_of=0", "/api/v2?as_of=0"};
	struct nation *n = *state;

	HAPPENS(n, "26", "2026-11-02T09:00:00Z", PUT(n, RECORD_ENTITY, "id", "pl26-kis-a"));
	for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
		(void)ask(n, urls[i]);
		assert_in_range(n->answer.status, 400, 404);
		assert_false(n->context.past);
	}
	(void)ask(n, "/api/v1/summary?as_of=0");
	assert_true(n->context.past);
	(void)ask(n, "/api/v1/entities.csv?as_of=0");
	assert_true(n->context.past);
}

static void the_index_names_every_path(void **state)
{
	struct nation *n = *state;
	const char *body = ask(n, "/api/v1");

	assert_has(body, "{\"name\":\"Rejestr CIS i KIS\",\"endpoints\":[{\"path\":\"/api/v1\",");
	assert_has(body, "{\"path\":\"/api/v1/records/{id}/history\",");
	assert_has(body, "{\"path\":\"/api/v1/statistics.csv\",");
	assert_has(body, "{\"path\":\"/api/v1/events\",");
}

static void the_description_has_every_column_and_nothing_left_to_fill_in(void **state)
{
	struct nation *n = *state;
	const char *body = ask(n, "/api/v1/openapi.json");
	char part[128];

	assert_status(n, 200);
	assert_lacks(body, "\"@");
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);

		for (size_t f = 0; f < kind->field_count; f++) {
			(void)snprintf(part, sizeof part, "\"#/components/parameters/%s.%s%s\"",
				       kind->name, kind->fields[f].name,
				       strcmp(kind->fields[f].name, "as_of") == 0 ? ".is" : "");
			assert_int_equal(times_in(body, part), 3);
		}
	}
	assert_has(body, "\"enum\":[\"CIS\",\"KIS\",\"WTZ\",\"ZAZ\",null]");
	assert_has(body, "\"verified_on\",\"as_of\",\"source\",\"note\",\"version\"]");
}

static void columns_are_those_of_the_register(void **state)
{
	struct nation *n = *state;
	const char *body = ask(n, "/api/v1/columns");

	assert_has(body,
		   "{\"kinds\":[{\"name\":\"operator\",\"plural\":\"operators\",\"label_pl\":");
	assert_has(body, "{\"name\":\"operator_id\",\"type\":\"ref\",\"values\":[],"
			 "\"refers_to\":\"operator\",\"required\":false,");
	assert_has(body, "{\"name\":\"unit\",\"type\":\"enum\",\"values\":[\"count\",\"persons\","
			 "\"percent\",\"PLN\"],\"refers_to\":null,\"required\":true,");
}

static void the_site_says_whose_it_is_as_far_as_that_is_known(void **state)
{
	struct nation *n = *state;
	const struct site_text texts[] = {{"body", "Urząd \"A\""}, {"url", ""}, {"a\"b", "c"}};
	struct control_reply status = {.role = "node", .identity = "26", .realm = "splot.test"};
	const struct terc_area area = {"2601", "buski"};

	assert_has(ask(n, "/api/v1/site"),
		   "{\"texts\":{},\"role\":null,\"identity\":null,\"realm\":null,\"region\":null,"
		   "\"languages\":[\"pl\",\"en\"],\"version\":\"");
	n->context.site = texts;
	n->context.site_count = 3;
	n->context.status = &status;
	n->context.export_folder = "/tmp";
	n->context.powiats = &area;
	n->context.powiat_count = 1;
	assert_has(ask(n, "/api/v1/site"),
		   "{\"texts\":{\"body\":\"Urząd "
		   "\\\"A\\\"\",\"url\":null,\"a\\\"b\":\"c\"},\"role\":\"node\","
		   "\"identity\":\"26\",\"realm\":\"splot.test\",\"region\":\"26\",");
	assert_has(buf_text(&n->body), "\"export\":true,\"terc\":true}");
	assert_true(n->answer.live);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, nation_setup, nation_teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_says_which_state_it_stands_for),
		TEST(what_is_not_there_is_a_problem_that_says_what_to_do),
		TEST(a_parameter_that_is_not_known_or_given_twice_is_refused),
		TEST(the_header_accept_chooses_and_refuses),
		TEST(as_of_is_a_day_in_Warsaw_a_time_or_a_position),
		TEST(no_past_is_asked_for_where_as_of_means_nothing),
		TEST(the_index_names_every_path),
		TEST(the_description_has_every_column_and_nothing_left_to_fill_in),
		TEST(columns_are_those_of_the_register),
		TEST(the_site_says_whose_it_is_as_far_as_that_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
