/* Whatever is asked, seeded: an answer or a problem, well-formed, and the same a second time. */
#include "api_support.h"

#include "base/time.h"

enum { QUESTIONS = 4000, LONG_BYTES = 600 };

static uint64_t state_of_chance;

static size_t any(size_t below)
{
	state_of_chance ^= state_of_chance << 13;
	state_of_chance ^= state_of_chance >> 7;
	state_of_chance ^= state_of_chance << 17;
	return (size_t)(state_of_chance % below);
}

#define ANY_OF(list) (list)[any(sizeof(list) / sizeof(list)[0])]

static const char *any_text(struct nation *n)
{
	static const char *const words[] = {
		"",
		"26",
		"PL",
		"entity",
		"entities",
		"pl26-kis-a",
		"CIS",
		"2026-11-02",
		"2019",
		"1",
		"0",
		"-1",
		"999999",
		"name",
		"-name",
		"status",
		"active",
		"łódź",
		"%F0%9F%98%80",
		"0-0-0",
		"1-0-1",
		"18446744073709551615",
		"kind,status",
		"as_of",
		"%22%3C%27%26",
		"../..",
		"a%2Fb",
		"2026-11-01T09:00:00Z",
		"-",
		".",
		"pl24-op-a",
		"26/2",
		"%01%7F",
		"%EF%BF%BD",
	};
	char *text = NULL;

	if (any(50))
		return ANY_OF(words);
	text = arena_alloc(&n->arena, LONG_BYTES + 1);
	assert_non_null(text);
	memset(text, 'x', LONG_BYTES);
	text[LONG_BYTES] = '\0';
	return text;
}

static void any_url(struct nation *n, struct buf *ret)
{
	static const char *const paths[] = {
		"",
		"/openapi.json",
		"/columns",
		"/site",
		"/summary",
		"/regions",
		"/regions/26",
		"/entities",
		"/operators",
		"/networks.csv",
		"/memberships.json",
		"/statistics",
		"/records/pl26-kis-a",
		"/records/pl24-op-a/history",
		"/changes",
		"/conflicts",
		"/quality",
		"/coverage",
		"/status",
		"/events",
		"/logs/26/proof/0",
	};
	static const char *const names[] = {
		"as_of",         "q",         "sort",     "limit",       "cursor", "facets",
		"before",        "region",    "kind",     "entity_kind", "id",     "log",
		"editor",        "field",     "from",     "to",          "status", "name.from",
		"started_on.to", "id.starts", "as_of.is", "national",    "size",   "x",
		"value.from",    "name",
	};

	buf_clear(ret);
	buf_printf(ret, "/api/v1%s", ANY_OF(paths));
	if (any(20) == 0)
		buf_printf(ret, "/%s", any_text(n));
	for (size_t i = 0, count = any(4); i < count; i++)
		buf_printf(ret, "%c%s=%s", i ? '&' : '?', ANY_OF(names), any_text(n));
}

/* Braces, brackets and quotes fit, and nothing but the end of a line is behind them. */
static bool is_json(const char *text)
{
	size_t depth = 0;
	bool inside = false;

	for (const char *at = text; *at; at++) {
		if (inside && *at == '\\' && at[1])
			at++;
		else if (*at == '"')
			inside = !inside;
		else if (inside && (unsigned char)*at < ' ')
			return false;
		else if (!inside && (*at == '{' || *at == '['))
			depth++;
		else if (!inside && (*at == '}' || *at == ']') &&
			 (depth-- == 0 || (!depth && at[1] && strcmp(at + 1, "\n") != 0)))
			return false;
	}
	return *text == '{' && !depth && !inside;
}

static void assert_answer(const struct nation *n, const char *url, const char *body)
{
	static const unsigned fine[] = {200, 400, 404, 406, 410, 503};
	bool known = false;

	for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
		known |= n->answer.status == fine[i];
	if (!known || !n->answer.type)
		fail_msg("%s: %u", url, n->answer.status);
	if (n->answer.status != 200)
		assert_string_equal(n->answer.type, "application/problem+json");
	if (strstr(n->answer.type, "json") && !is_json(body))
		fail_msg("%s: no JSON: %s", url, body);
}

static void whatever_is_asked_is_answered(void **state)
{
	static const char *const accepts[] = {
		NULL, "*/*", "text/csv", "text/*;q=0.1", "image/png", ";q=,,", "application/json"};
	struct nation *n = *state;
	const char *given = getenv("SPLOT_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)wall_now().ms;
	struct buf url = {.data = NULL};
	size_t good = 0;

	(void)printf("seed %llu (repeat with SPLOT_SEED)\n", (unsigned long long)seed);
	state_of_chance = seed * 2654435761U + 1;
	HAPPENS(n, "24", "2026-11-01T09:00:00Z",
		PUT(n, RECORD_OPERATOR, "id", "pl24-op-a", "name", "Fundacja A", "note", "=1"));
	HAPPENS(n, "26", "2026-11-02T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "Łódź",
		    "operator_id", "pl24-op-a", "started_on", "2019"),
		PUT(n, RECORD_STATISTIC, "id", "st-26-a", "value", "49.0", "as_of", "2019"));
	HAPPENS(n, "26", "2026-11-03T09:00:00Z", END(RECORD_ENTITY, "pl26-kis-a"));
	for (int i = 0; i < QUESTIONS; i++) {
		const char *accept = ANY_OF(accepts);
		const char *again = NULL;
		char *first = NULL;

		any_url(n, &url);
		first = strdup(ask_as(n, buf_text(&url), accept));
		assert_non_null(first);
		assert_answer(n, buf_text(&url), first);
		good += n->answer.status == 200;
		again = ask_as(n, buf_text(&url), accept);
		if (strcmp(first, again) != 0)
			fail_msg("%s: another answer the second time", buf_text(&url));
		free(first);
	}
	buf_free(&url);
	assert_true(good > QUESTIONS / 20); /* not only problems were asked for */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whatever_is_asked_is_answered, nation_setup,
						nation_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
