/* One record, its references both ways, its warnings and its history. */
#include "api_support.h"

static void an_operator_a_club_and_a_network(struct nation *n)
{
	HAPPENS(n, "24", "2026-11-01T09:00:00Z",
		PUT(n, RECORD_OPERATOR, "id", "pl24-op-a", "name", "Fundacja A"),
		PUT(n, RECORD_NETWORK, "id", "pl24-net-a", "name_pl", "Forum A", "verified_on",
		    "2026-10-01"));
	HAPPENS(n, "26", "2026-11-02T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "Klub A",
		    "operator_id", "pl24-op-a"),
		PUT(n, RECORD_MEMBERSHIP, "id", "pl24-net-a--pl26-kis-a", "network_id",
		    "pl24-net-a", "entity_id", "pl26-kis-a"));
}

static void references_are_resolved_both_ways(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	an_operator_a_club_and_a_network(n);
	body = ask(n, "/api/v1/records/pl26-kis-a");
	assert_status(n, 200);
	assert_has(body, "\"kind\":\"entity\",\"id\":\"pl26-kis-a\",\"title\":\"Klub A\","
			 "\"retired\":false,\"record\":{\"id\":\"pl26-kis-a\",");
	assert_has(body,
		   "\"editor\":\"e07\",\"reason\":\"test\",\"source\":\"letter\",\"version\":{"
		   "\"log\":\"26\",\"index\":0,\"position\":1,\"recorded\":"
		   "\"2026-11-02T09:00:00.000Z\"}");
	assert_has(body, "\"refers\":[{\"field\":\"operator_id\",\"id\":\"pl24-op-a\",\"kind\":"
			 "\"operator\",\"title\":\"Fundacja A\",\"resolved\":true}]");
	assert_has(body, "\"referred\":[{\"kind\":\"membership\",\"field\":\"entity_id\",\"id\":"
			 "\"pl24-net-a--pl26-kis-a\",\"title\":\"pl24-net-a--pl26-kis-a\","
			 "\"record\":{\"id\":");
	assert_has(body, "\"referred_more\":false");
	body = ask(n, "/api/v1/records/pl24-op-a");
	assert_has(body, "\"referred\":[{\"kind\":\"entity\",\"field\":\"operator_id\",\"id\":"
			 "\"pl26-kis-a\",\"title\":\"Klub A\",");
	assert_has(body, "\"warnings\":[]");
}

static void a_reference_that_leads_nowhere_says_so(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", "2026-11-02T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "Klub A",
		    "operator_id", "pl24-op-never", "verified_on", "2026-11-01"));
	body = ask(n, "/api/v1/records/pl26-kis-a");
	assert_has(body, "\"refers\":[{\"field\":\"operator_id\",\"id\":\"pl24-op-never\",\"kind\":"
			 "null,\"title\":null,\"resolved\":false}]");
	assert_has(body, "\"warnings\":[{\"code\":\"unresolved_reference\",\"field\":"
			 "\"operator_id\",\"text_pl\":");
}

static void one_that_ended_keeps_its_last_title(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	an_operator_a_club_and_a_network(n);
	HAPPENS(n, "24", "2026-11-03T09:00:00Z", END(RECORD_OPERATOR, "pl24-op-a"));
	body = ask(n, "/api/v1/records/pl24-op-a");
	assert_has(body, "\"title\":\"Fundacja A\",\"retired\":true,\"record\":null,");
	assert_has(body, "\"referred\":[{\"kind\":\"entity\",\"field\":\"operator_id\","
			 "\"id\":\"pl26-kis-a\"");
	assert_has(ask(n, "/api/v1/records/pl26-kis-a"),
		   "\"refers\":[{\"field\":\"operator_id\",\"id\":\"pl24-op-a\",\"kind\":"
		   "\"operator\",\"title\":\"Fundacja A\",\"resolved\":false}]");
	/* an end that is told twice */
	HAPPENS(n, "24", "2026-11-04T09:00:00Z", END(RECORD_OPERATOR, "pl24-op-a"));
	assert_has(ask(n, "/api/v1/records/pl24-op-a"), "\"title\":\"Fundacja A\"");
	assert_has(ask(n, "/api/v1/records/pl24-op-a?as_of=2"), "\"retired\":false");
}

static void what_was_never_there_is_not_found_also_before_it_came(void **state)
{
	struct nation *n = *state;

	an_operator_a_club_and_a_network(n);
	assert_has(ask(n, "/api/v1/records/pl26-kis-b"), "There is no record pl26-kis-b.");
	assert_status(n, 404);
	assert_has(ask(n, "/api/v1/records/pl26-kis-a?as_of=1"), "pl26-kis-a at that time.");
	assert_status(n, 404);
	(void)ask(n, "/api/v1/records/pl26-kis-a?as_of=0");
	assert_status(n, 404);
	(void)ask(n, "/api/v1/records/pl26-kis-b/history");
	assert_status(n, 404);
	(void)ask(n, "/api/v1/records/pl26-kis-a/history?as_of=0");
	assert_status(n, 404);
}

static void more_referrers_than_are_shown_are_said(void **state)
{
	enum { REFERRERS = 501 };
	struct nation *n = *state;
	struct change *changes = calloc(REFERRERS, sizeof *changes);
	const char *body = NULL;
	char id[32];

	assert_non_null(changes);
	an_operator_a_club_and_a_network(n);
	for (int i = 0; i < REFERRERS; i++) {
		(void)snprintf(id, sizeof id, "pl26-kis-n%03d", i);
		changes[i] = PUT(n, RECORD_ENTITY, "id", id, "operator_id", "pl24-op-a");
	}
	happens(n, "26", "2026-11-03T09:00:00Z", changes, REFERRERS);
	free(changes);
	body = ask(n, "/api/v1/records/pl24-op-a");
	assert_has(body, "\"referred_more\":true");
	assert_int_equal(times_in(body, "\"field\":\"operator_id\""), 500);
	assert_has(body, "{\"kind\":\"entity\",\"field\":\"operator_id\",\"id\":\"pl26-kis-n498\"");
	assert_lacks(body, "pl26-kis-n499");
}

static void a_record_is_warned_of_by_the_day_that_is_asked_for(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", "2026-11-02T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-cis-a", "kind", "CIS", "name", "A", "valid_from",
		    "2022-03-01"));
	HAPPENS(n, "26", "2026-11-02T10:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-cis-a", "kind", "CIS", "name", "A", "valid_to",
		    "2026-11-10", "verified_on", "2025-11-05"));
	body = ask(n, "/api/v1/records/pl26-cis-a?as_of=1");
	assert_has(body, "\"code\":\"status_lapses_within_6_months\",\"field\":\"valid_to\"");
	assert_has(body, "\"code\":\"valid_to_estimated\"");
	assert_has(body, "\"code\":\"never_verified\",\"field\":\"verified_on\"");
	n->now = time_of("2026-11-20");
	body = ask(n, "/api/v1/records/pl26-cis-a?as_of=2026-11-03");
	assert_has(body, "\"code\":\"status_lapses_within_6_months\"");
	assert_lacks(body, "\"code\":\"verified");
	body = ask(n, "/api/v1/records/pl26-cis-a");
	assert_has(body, "\"code\":\"status_lapsed\",\"field\":\"valid_to\"");
	assert_has(body, "\"code\":\"verified_over_12_months_ago\"");
	assert_lacks(body, "valid_to_estimated");
}

static void a_history_goes_back_version_by_version(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	an_operator_a_club_and_a_network(n);
	HAPPENS(n, "26", "2026-11-03T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "Klub B", "place",
		    "Busko"));
	HAPPENS(n, "26", "2026-11-04T09:00:00Z", END(RECORD_ENTITY, "pl26-kis-a"));
	n->context.export_folder = "/tmp";
	body = ask(n, "/api/v1/records/pl26-kis-a/history");
	assert_has(body,
		   "\"id\":\"pl26-kis-a\",\"kind\":\"entity\",\"title\":\"Klub B\",\"versions\":"
		   "[{\"log\":\"26\",\"index\":2,\"position\":3,\"recorded\":"
		   "\"2026-11-04T09:00:00.000Z\",\"editor\":\"e07\",\"reason\":\"test\","
		   "\"source\":\"letter\",\"created\":false,\"retired\":true,\"diff\":[],"
		   "\"proof\":\"/api/v1/logs/26/proof/2\"},");
	assert_has(body,
		   "\"created\":false,\"retired\":false,\"diff\":[{\"field\":\"name\",\"from\":"
		   "\"Klub A\",\"to\":\"Klub B\"},{\"field\":\"operator_id\",\"from\":"
		   "\"pl24-op-a\",\"to\":null},{\"field\":\"place\",\"from\":null,\"to\":"
		   "\"Busko\"}]");
	assert_has(body,
		   "\"created\":true,\"retired\":false,\"diff\":[{\"field\":\"kind\",\"from\":"
		   "null,\"to\":\"KIS\"},");
	assert_has(body, "\"next\":null}");
	body = ask(n, "/api/v1/records/pl26-kis-a/history?limit=1&as_of=3");
	assert_has(body, "\"index\":1,\"position\":2,");
	assert_has(body,
		   "\"next\":\"/api/v1/records/pl26-kis-a/history?limit=1&as_of=3&before=2-1\"");
	body = ask(n, "/api/v1/records/pl26-kis-a/history?limit=1&as_of=3&before=2-1");
	assert_has(body, "\"title\":\"Klub B\",\"versions\":[{\"log\":\"26\",\"index\":0,");
	assert_has(body, "\"created\":true");
	assert_has(body, "\"next\":null}");
	n->context.export_folder = NULL;
	body = ask(n, "/api/v1/records/pl26-kis-a/history?before=0-0");
	assert_has(body, "\"versions\":[],\"next\":null}");
	/* a cursor behind the state that is asked for is its end */
	assert_int_equal(times_in(ask(n, "/api/v1/records/pl26-kis-a/history?as_of=3&before=9-9"),
				  "\"proof\":null"),
			 2);
	for (int i = 0; i < 6; i++) {
		static const char *const wrong[] = {"before=x",    "before=1",  "before=1-2-3",
						    "before=1--2", "limit=201", "limit=0"};
		char url[96];

		(void)snprintf(url, sizeof url, "/api/v1/records/pl26-kis-a/history?%s", wrong[i]);
		(void)ask(n, url);
		assert_status(n, 400);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, nation_setup, nation_teardown)
	const struct CMUnitTest tests[] = {
		TEST(references_are_resolved_both_ways),
		TEST(a_reference_that_leads_nowhere_says_so),
		TEST(one_that_ended_keeps_its_last_title),
		TEST(what_was_never_there_is_not_found_also_before_it_came),
		TEST(more_referrers_than_are_shown_are_said),
		TEST(a_record_is_warned_of_by_the_day_that_is_asked_for),
		TEST(a_history_goes_back_version_by_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
