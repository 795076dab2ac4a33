/* What changed, newest first; and the events for those who listen. */
#include "api_support.h"

#include "model/json.h"

static void three_days(struct nation *n)
{
	HAPPENS(n, "24", "2026-11-01T09:00:00Z",
		PUT(n, RECORD_OPERATOR, "id", "pl24-op-a", "name", "Fundacja A"));
	HAPPENS(n, "26", "2026-11-02T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "Klub A"),
		PUT(n, RECORD_ENTITY, "id", "pl26-cis-b", "kind", "CIS", "name", "Centrum B"));
	HAPPENS(n, "26", "2026-11-03T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "Klub A", "status",
		    "active"),
		END(RECORD_ENTITY, "pl26-cis-b"));
}

/* The places of an answer's changes, in order, each with a space behind it. */
static const char *places(struct nation *n, const char *url)
{
	const char *body = ask(n, url);
	struct buf found = {.data = NULL};
	const char *text = NULL;
	static const char key[] = "{\"place\":\"";

	if (n->answer.status != 200)
		fail_msg("%s: %s", url, body);
	for (const char *at = strstr(body, key); at; at = strstr(at, key)) {
		at += strlen(key);
		buf_add(&found, at, strcspn(at, "\""));
		buf_add_text(&found, " ");
	}
	text = arena_text(&n->scratch, buf_bytes(&found));
	buf_free(&found);
	return text;
}

static void changes_are_shown_newest_first_with_what_they_changed(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	three_days(n);
	assert_string_equal(places(n, "/api/v1/changes"), "2-1-1 2-1-0 1-0-1 1-0-0 0-0-0 ");
	body = ask(n, "/api/v1/changes?limit=2");
	assert_has(body,
		   "\"changes\":[{\"place\":\"2-1-1\",\"kind\":\"entity\",\"id\":\"pl26-cis-b\","
		   "\"title\":\"Centrum B\",\"region\":\"26\",\"log\":\"26\",\"index\":1,"
		   "\"position\":2,\"recorded\":\"2026-11-03T09:00:00.000Z\",\"editor\":\"e07\","
		   "\"reason\":\"test\",\"source\":\"letter\",\"created\":false,\"retired\":true,"
		   "\"diff\":[],\"proof\":null},{\"place\":\"2-1-0\",");
	assert_has(body, "\"diff\":[{\"field\":\"status\",\"from\":null,\"to\":\"active\"}]");
	assert_has(body, "\"next\":\"/api/v1/changes?limit=2&before=2-1-0\"");
	assert_string_equal(places(n, "/api/v1/changes?limit=2&before=2-1-0"), "1-0-1 1-0-0 ");
	assert_string_equal(places(n, "/api/v1/changes?limit=2&before=1-0-0"), "0-0-0 ");
	assert_has(buf_text(&n->body), "\"next\":null");
	assert_string_equal(places(n, "/api/v1/changes?before=0-0-0"), "");
	assert_string_equal(places(n, "/api/v1/changes?as_of=1"), "0-0-0 ");
	assert_string_equal(places(n, "/api/v1/changes?as_of=0"), "");
	/* a cursor behind the state that is asked for is its end */
	assert_string_equal(places(n, "/api/v1/changes?as_of=1&before=2-1-1"), "0-0-0 ");
}

static void each_filter_leaves_what_it_says(void **state)
{
	struct nation *n = *state;
	static const struct {
		const char *filter, *left;
	} cases[] = {
		{"region=26", "2-1-1 2-1-0 1-0-1 1-0-0 "},
		{"region=32", ""},
		{"kind=operator", "0-0-0 "},
		{"entity_kind=CIS", "2-1-1 1-0-1 "},
		{"id=pl26-kis-a", "2-1-0 1-0-0 "},
		{"log=24", "0-0-0 "},
		{"log=26/2", ""},
		{"editor=e07&limit=1", "2-1-1 "},
		{"editor=e08", ""},
		{"field=status", "2-1-0 "},
		{"from=2026-11-02", "2-1-1 2-1-0 1-0-1 1-0-0 "},
		{"to=2026-11-02", "1-0-1 1-0-0 0-0-0 "},
		{"from=2026-11-02&to=2026-11-02&kind=entity&region=26&entity_kind=KIS", "1-0-0 "},
	};
	static const char *const wrong[] = {
		"region=00",
		"kind=entities",
		"kind=",
		"entity_kind=",
		"entity_kind=cis",
		"id=",
		"log=x",
		"editor=",
		"field=nothing",
		"from=2026",
		"to=2026-11-02T00:00:00Z",
		"before=1-2",
		"limit=201",
		"limit=x",
	};
	char url[160];

	three_days(n);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		(void)snprintf(url, sizeof url, "/api/v1/changes?%s", cases[i].filter);
		assert_string_equal(places(n, url), cases[i].left);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		(void)snprintf(url, sizeof url, "/api/v1/changes?%s", wrong[i]);
		(void)ask(n, url);
		if (n->answer.status != 400)
			fail_msg("%s", url);
	}
}

static void what_is_looked_through_for_one_answer_is_bounded_and_next_goes_on(void **state)
{
	enum { EVENTS = 5, EACH = 900 };
	struct nation *n = *state;
	struct change *changes = calloc(EACH, sizeof *changes);
	char id[48];

	assert_non_null(changes);
	HAPPENS(n, "24", "2026-11-01T09:00:00Z", PUT(n, RECORD_OPERATOR, "id", "pl24-op-a"));
	for (int e = 0; e < EVENTS; e++) {
		for (int i = 0; i < EACH; i++) {
			(void)snprintf(id, sizeof id, "pl26-kis-%d-%d", e, i);
			changes[i] = PUT(n, RECORD_ENTITY, "id", id);
		}
		happens(n, "26", "2026-11-02T09:00:00Z", changes, EACH);
	}
	free(changes);
	assert_string_equal(places(n, "/api/v1/changes?kind=operator"), "");
	assert_has(buf_text(&n->body), "\"next\":\"/api/v1/changes?kind=operator&before=3-2-700\"");
	assert_string_equal(places(n, "/api/v1/changes?kind=operator&before=3-2-700"), "");
	assert_has(buf_text(&n->body), "&before=1-0-500\"");
	assert_string_equal(places(n, "/api/v1/changes?kind=operator&before=1-0-500"), "0-0-0 ");
	assert_has(buf_text(&n->body), "\"next\":null");
}

/* ---- events ---- */

static const char *event_at(struct nation *n, uint64_t position, const char *region,
			    uint64_t *ret_count)
{
	struct txn *t = NULL;

	buf_clear(&n->body);
	assert_ok(txn_begin(n->store, false, &t));
	n->context.view = &n->view;
	n->context.txn = t;
	n->context.arena = &n->scratch;
	assert_ok(api_event(&n->context, position, region, &n->body, ret_count));
	txn_abort(t);
	assert_null(memchr(n->body.data, '\n', n->body.size));
	return buf_text(&n->body);
}

static void an_entry_is_one_line_of_json(void **state)
{
	struct nation *n = *state;
	uint64_t count = 99;

	three_days(n);
	assert_string_equal(
		event_at(n, 2, NULL, &count),
		"{\"position\":2,\"time\":\"2026-11-03T09:00:00.000Z\",\"log\":\"26\",\"changes\":["
		"{\"kind\":\"entity\",\"id\":\"pl26-kis-a\",\"title\":\"Klub A\",\"region\":\"26\","
		"\"created\":false,\"retired\":false,\"fields\":[\"status\"]},"
		"{\"kind\":\"entity\",\"id\":\"pl26-cis-b\",\"title\":\"Centrum "
		"B\",\"region\":\"26\","
		"\"created\":false,\"retired\":true,\"fields\":[]}],\"more\":0}");
	assert_int_equal(count, 2);
	assert_has(
		event_at(n, 0, NULL, &count),
		"\"log\":\"24\",\"changes\":[{\"kind\":\"operator\",\"id\":\"pl24-op-a\",\"title\":"
		"\"Fundacja A\",\"region\":\"24\",\"created\":true,\"retired\":false,\"fields\":"
		"[\"name\"]}],\"more\":0}");
	assert_int_equal(count, 1);
	assert_has(event_at(n, 2, "24", &count), "\"log\":\"26\",\"changes\":[],\"more\":0}");
	assert_int_equal(count, 0);
	/* an entry without changes */
	happens(n, "26", "2026-11-04T09:00:00Z", NULL, 0);
	assert_string_equal(event_at(n, 3, NULL, &count),
			    "{\"position\":3,\"time\":\"2026-11-04T09:00:00.000Z\",\"log\":null,"
			    "\"changes\":[],\"more\":0}");
}

static void an_entry_of_many_changes_shows_a_hundred_and_counts_the_others(void **state)
{
	enum { EACH = 250 };
	struct nation *n = *state;
	struct change changes[EACH];
	char id[48];
	uint64_t count = 0;
	const char *body = NULL;

	for (int i = 0; i < EACH; i++) {
		(void)snprintf(id, sizeof id, i % 2 ? "pl26-kis-%d" : "pl24-kis-%d", i);
		changes[i] = PUT(n, RECORD_ENTITY, "id", id);
	}
	happens(n, "26", "2026-11-02T09:00:00Z", changes, EACH);
	body = event_at(n, 0, NULL, &count);
	assert_int_equal(count, EACH);
	assert_int_equal(times_in(body, "\"id\""), 100);
	assert_has(body, "],\"more\":150}");
	body = event_at(n, 0, "24", &count);
	assert_int_equal(count, 125);
	assert_int_equal(times_in(body, "\"region\":\"24\""), 100);
	assert_has(body, "],\"more\":25}");
}

/* A node is free to sign what no editor would write. */
static void an_entry_of_many_long_titles_still_fits_a_message(void **state)
{
	enum { EACH = 100, TITLE = 8000, MESSAGE = 256 * 1024 };
	struct nation *n = *state;
	struct change changes[EACH];
	char title[TITLE + 1] = "";
	char id[48];
	uint64_t count = 0;
	size_t shown = 0;
	const char *body = NULL;
	char more[32];

	memset(title, 1, TITLE); /* each such byte takes six in JSON */
	for (int i = 0; i < EACH; i++) {
		(void)snprintf(id, sizeof id, "pl26-kis-%d", i);
		changes[i] = PUT(n, RECORD_ENTITY, "id", id, "name", title);
	}
	happens(n, "26", "2026-11-02T09:00:00Z", changes, EACH);
	body = event_at(n, 0, NULL, &count);
	assert_int_equal(count, EACH);
	shown = times_in(body, "\"id\"");
	assert_in_range(shown, 1, EACH - 1);
	assert_true(strlen(body) < MESSAGE);
	(void)snprintf(more, sizeof more, "],\"more\":%zu}", EACH - shown);
	assert_has(body, more);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, nation_setup, nation_teardown)
	const struct CMUnitTest tests[] = {
		TEST(changes_are_shown_newest_first_with_what_they_changed),
		TEST(each_filter_leaves_what_it_says),
		TEST(what_is_looked_through_for_one_answer_is_bounded_and_next_goes_on),
		TEST(an_entry_is_one_line_of_json),
		TEST(an_entry_of_many_changes_shows_a_hundred_and_counts_the_others),
		TEST(an_entry_of_many_long_titles_still_fits_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
