/* Days as the register writes them, and the sums of small worlds: freshness, networks, sectors,
 * quality, coverage, and the same of a day that is over. */
#include "api_support.h"

#include "api/lapse.h"
#include "api/pieces.h"
#include "api/sums.h"

static const char *const morning = "2026-11-01T09:00:00Z";

/* ---- days ---- */

static void a_reduced_date_reaches_from_its_first_day_to_its_last(void **state)
{
	static const struct {
		const char *text;
		day_number first, last;
	} dates[] = {
		{"2019-07-04", 20190704, 20190704},
		{"2019", 20190101, 20191231},
		{"2016-02", 20160201, 20160229},
		{"1900-02", 19000201, 19000228},
		{"2000-02", 20000201, 20000229},
		{"2026-11", 20261101, 20261130},
		{"", 0, 0},
		{"2019-13", 0, 0},
		{"2019-00", 0, 0},
		{"2019-02-29", 0, 0},
		{"2019-02-00", 0, 0},
		{"19-02-01", 0, 0},
		{"0000", 0, 0},
		{"2019-", 0, 0},
		{"2019-1", 0, 0},
		{"2019-01-01 ", 0, 0},
		{"około 2019", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
		if (date_first(dates[i].text) != dates[i].first ||
		    date_last(dates[i].text) != dates[i].last)
			fail_msg("%s: %u … %u", dates[i].text, date_first(dates[i].text),
				 date_last(dates[i].text));
	}
}

static void a_day_begins_at_midnight_in_warsaw(void **state)
{
	static const struct {
		const char *time;
		day_number day;
	} times[] = {
		{"2026-11-21T22:59:59.999Z", 20261121}, {"2026-11-21T23:00:00.000Z", 20261122},
		{"2026-07-21T21:59:59.999Z", 20260721}, {"2026-07-21T22:00:00.000Z", 20260722},
		{"2026-12-31T23:00:00.000Z", 20270101}, {"2026-03-29T12:00:00.000Z", 20260329},
	};

	(void)state;
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++)
		assert_int_equal(day_of(time_of(times[i].time)), times[i].day);
	assert_int_equal(day_after_months(20261122, 6), 20270522);
	assert_int_equal(day_after_months(20261122, 12), 20271122);
	assert_int_equal(day_after_months(20261231, 2), 20270231);
}

/* ---- lapses ---- */

static void a_status_lapses_after_its_last_day_or_five_years_by_estimate(void **state)
{
	enum { TODAY = 20261122 };
	static const struct {
		const char *kind, *status, *from, *to;
		const char *valid_to; /* NULL: nothing lapses */
		bool estimated;
		enum lapse_state lapse;
	} cases[] = {
		{"CIS", "active", "2013-12-02", "2018-12-03", "2018-12-03", false, LAPSED},
		{"CIS", "", "", "2026-11-22", "2026-11-22", false, LAPSE_WITHIN_6_MONTHS},
		{"CIS", "", "", "2026-11-21", "2026-11-21", false, LAPSED},
		{"CIS", "", "", "2026", "2026", false, LAPSE_WITHIN_6_MONTHS},
		{"CIS", "", "", "2025", "2025", false, LAPSED},
		{"CIS", "", "", "2027-05-22", "2027-05-22", false, LAPSE_WITHIN_6_MONTHS},
		{"CIS", "", "", "2027-05-23", "2027-05-23", false, LAPSE_WITHIN_12_MONTHS},
		{"CIS", "", "", "2027-11-23", "2027-11-23", false, LAPSE_NOT_SOON},
		{"CIS", "", "2021-12-01", "", "2026-12-01", true, LAPSE_WITHIN_6_MONTHS},
		{"CIS", "", "2016-02-29", "", "2021-02-28", true, LAPSED},
		{"CIS", "", "2022-03", "", "2027-03", true, LAPSE_WITHIN_6_MONTHS},
		{"CIS", "", "2022", "", "2027", true, LAPSE_NOT_SOON},
		{"CIS", "", "2021-12-01", "soon", "2026-12-01", true, LAPSE_WITHIN_6_MONTHS},
		{"CIS", "", "", "", NULL, false, LAPSE_NOT_SOON},
		{"CIS", "ceased", "", "2018-12-03", NULL, false, LAPSE_NOT_SOON},
		{"CIS", "expired", "", "2018-12-03", NULL, false, LAPSE_NOT_SOON},
		{"KIS", "active", "", "2018-12-03", NULL, false, LAPSE_NOT_SOON},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct lapse got;
		bool any = lapse_of_texts(cases[i].kind, cases[i].status, cases[i].from,
					  cases[i].to, TODAY, &got);

		assert_int_equal(any, cases[i].valid_to != NULL);
		if (!any)
			continue;
		assert_string_equal(got.valid_to, cases[i].valid_to);
		assert_int_equal(got.estimated, cases[i].estimated);
		if (got.state != cases[i].lapse)
			fail_msg("%s %s: %d", cases[i].from, cases[i].to, (int)got.state);
	}
}

static void those_that_lapse_are_told_the_earliest_first(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", morning,
		PUT(n, RECORD_ENTITY, "id", "pl26-cis-a", "kind", "CIS", "name", "A", "valid_to",
		    "2027-08-01"),
		PUT(n, RECORD_ENTITY, "id", "pl26-cis-b", "kind", "CIS", "name", "B", "valid_from",
		    "2021-10-01"),
		PUT(n, RECORD_ENTITY, "id", "pl26-cis-c", "kind", "CIS", "name", "C", "valid_to",
		    "2040"));
	body = ask(n, "/api/v1/quality");
	assert_status(n, 200);
	assert_has(body, "\"lapsing\":[{\"id\":\"pl26-cis-b\",\"title\":\"B\",\"region\":\"26\","
			 "\"valid_to\":\"2026-10-01\",\"estimated\":true,\"state\":\"lapsed\"},"
			 "{\"id\":\"pl26-cis-a\",\"title\":\"A\",\"region\":\"26\",\"valid_to\":"
			 "\"2027-08-01\",\"estimated\":false,\"state\":\"within_12_months\"}]");
}

/* ---- freshness ---- */

static void freshness_is_told_by_the_last_day_that_a_date_can_mean(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", morning,
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "A", "verified_on",
		    "2025-11-21"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-b", "kind", "KIS", "name", "B", "verified_on",
		    "2025-11-22"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-c", "kind", "KIS", "name", "C", "verified_on",
		    "2025"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-d", "kind", "KIS", "name", "D", "verified_on",
		    "2019-05"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-e", "kind", "KIS", "name", "E"));
	body = ask(n, "/api/v1/regions/26");
	assert_has(body, "\"freshness\":{\"of\":5,\"known\":4,\"never\":1,\"oldest\":\"2019-05\","
			 "\"median\":\"2025-11-21\",\"over_12_months\":2}");
	body = ask(n, "/api/v1/regions/24");
	assert_has(body, "\"freshness\":{\"of\":0,\"known\":0,\"never\":0,\"oldest\":null,"
			 "\"median\":null,\"over_12_months\":0}");
	assert_has(body, "\"has_records\":false");
	body = ask(n, "/api/v1/quality");
	assert_has(body, "\"never_verified\":[{\"region\":\"26\",\"count\":1,\"of\":5}]");
	assert_has(body, "\"oldest\":[{\"id\":\"pl26-kis-d\",\"kind\":\"entity\",\"title\":\"D\","
			 "\"region\":\"26\",\"verified_on\":\"2019-05\"},{\"id\":\"pl26-kis-a\"");
	assert_has(body, "{\"kind\":\"entity\",\"field\":\"verified_on\",\"region\":\"26\","
			 "\"unknown\":1,\"of\":5}");
	assert_lacks(body, "valid_to"); /* asked of centres alone, and there is none */
}

/* ---- memberships ---- */

static void an_entity_is_in_a_network_until_its_membership_ends(void **state)
{
	struct nation *n = *state;
	const char *in = "\"membership\":[{\"kind\":\"CIS\",\"in_network\":0,\"base\":0},{\"kind\":"
			 "\"KIS\",\"in_network\":1,\"base\":3}";

	HAPPENS(n, "26", morning,
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "A"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-b", "kind", "KIS", "name", "B"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-c", "kind", "KIS", "name", "C"),
		PUT(n, RECORD_MEMBERSHIP, "id", "pl26-net-x--pl26-kis-a", "network_id",
		    "pl26-net-x", "entity_id", "pl26-kis-a", "role", "member", "until", "2026-11"),
		PUT(n, RECORD_MEMBERSHIP, "id", "pl26-net-x--pl26-kis-b", "network_id",
		    "pl26-net-x", "entity_id", "pl26-kis-b", "role", "member", "until",
		    "2026-11-21"),
		PUT(n, RECORD_MEMBERSHIP, "id", "pl26-net-y--pl26-kis-a", "network_id",
		    "pl26-net-y", "entity_id", "pl26-kis-a", "role", "chair"));
	HAPPENS(n, "PL", "2026-11-01T10:00:00Z",
		PUT(n, RECORD_MEMBERSHIP, "id", "pl-net-z--pl26-kis-c", "network_id", "pl-net-z",
		    "entity_id", "pl26-kis-c", "role", "member"));
	assert_has(ask(n, "/api/v1/regions/26"), in);
	assert_has(ask(n, "/api/v1/summary"), in);
	/* the day before B's ended */
	assert_has(ask(n, "/api/v1/regions/26?as_of=2026-11-21"),
		   "{\"kind\":\"KIS\",\"in_network\":2,\"base\":3}");
	/* its region's network, not the ministry's */
	HAPPENS(n, "26", "2026-11-22T09:00:00Z",
		PUT(n, RECORD_MEMBERSHIP, "id", "pl26-net-y--pl26-kis-c", "network_id",
		    "pl26-net-y", "entity_id", "pl26-kis-c", "role", "member"));
	assert_has(ask(n, "/api/v1/regions/26"), "{\"kind\":\"KIS\",\"in_network\":2,\"base\":3}");
}

/* ---- sums ---- */

static void a_region_and_the_nation_are_summed_up(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", morning,
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "A", "status",
		    "active", "operator_form", "fundacja", "operator_sector", "ngo", "street", "X"),
		PUT(n, RECORD_ENTITY, "id", "pl26-cis-b", "kind", "CIS", "name", "B", "status",
		    "registered", "operator_sector", "jst"),
		PUT(n, RECORD_ENTITY, "id", "pl26-cis-c", "kind", "CIS", "name", "C",
		    "operator_sector", "ngo"),
		PUT(n, RECORD_NETWORK, "id", "pl26-net-x", "name_pl", "X", "form", "forum",
		    "status", "active", "coordinator_state", "vacant"),
		PUT(n, RECORD_OPERATOR, "id", "pl26-op-x", "name", "X"));
	HAPPENS(n, "24", "2026-11-01T10:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl24-zaz-a", "kind", "ZAZ", "name", "Z",
		    "operator_sector", "ngo"),
		PUT(n, RECORD_NETWORK, "id", "pl24-net-x", "name_pl", "X", "form", "siec"));
	body = ask(n, "/api/v1/regions/26");
	assert_has(body, "\"entities\":{\"all\":3,\"CIS\":2,\"KIS\":1,\"WTZ\":0,\"ZAZ\":0},"
			 "\"operators\":1,\"networks\":1,\"memberships\":0,\"statistics\":0,");
	assert_has(body, "\"by_sector\":[{\"sector\":\"jst\",\"count\":1},{\"sector\":\"ngo\","
			 "\"count\":2}]");
	assert_has(body, "\"coordinator\":{\"present\":0,\"substituted\":0,\"vacant\":1,\"none\":0,"
			 "\"unknown\":0}");
	assert_has(body, "\"networks_by_status\":[{\"status\":\"active\",\"count\":1}]");
	assert_has(body, "\"completeness\":{\"known\":1,\"of\":30}");
	assert_has(body, "\"name_pl\":\"świętokrzyskie\"");
	body = ask(n, "/api/v1/summary");
	assert_has(body, "\"totals\":{\"operators\":1,\"entities\":4,\"networks\":2,"
			 "\"memberships\":0,\"statistics\":0}");
	assert_has(body, "\"by_status\":[{\"kind\":\"CIS\",\"status\":\"registered\",\"count\":1},"
			 "{\"kind\":\"CIS\",\"status\":null,\"count\":1},{\"kind\":\"KIS\","
			 "\"status\":\"active\",\"count\":1},{\"kind\":\"ZAZ\",\"status\":null,"
			 "\"count\":1}]");
	assert_has(body, "\"by_operator_sector\":[{\"kind\":\"CIS\",\"sector\":\"jst\",\"count\":1}"
			 ",{\"kind\":\"CIS\",\"sector\":\"ngo\",\"count\":1},");
	assert_has(body, "\"networks_by_form\":[{\"form\":\"forum\",\"count\":1},{\"form\":"
			 "\"siec\",\"count\":1}]");
	assert_has(body, "\"regions_without_entities\":14,\"stated_cis\":null");
	assert_has(body, "{\"kind\":\"entity\",\"field\":\"street\",\"known\":1,\"of\":4}");
	assert_int_equal(times_in(body, "\"tile_col\":"), REGION_COUNT);
	assert_int_equal(times_in(body, "\"tile_col\":null"), 1);
}

static void a_past_day_is_summed_up_as_it_was(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", "2026-08-01T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "A"));
	HAPPENS(n, "26", "2026-11-10T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-b", "kind", "KIS", "name", "B"));
	body = ask(n, "/api/v1/summary");
	assert_true(n->answer.live);
	assert_has(body, "\"quarter\":{\"from\":\"2026-10-01\",\"new\":1,");
	body = ask(n, "/api/v1/summary?as_of=2026-09-01");
	assert_false(n->answer.live);
	assert_has(body, "\"totals\":{\"operators\":0,\"entities\":1,");
	assert_has(body, "\"quarter\":{\"from\":\"2026-07-01\",\"new\":1,");
	assert_has(body, "\"replication\":[]");
	body = ask(n, "/api/v1/summary?as_of=2026-07-31");
	assert_has(body, "\"totals\":{\"operators\":0,\"entities\":0,");
	assert_has(body, "\"quarter\":{\"from\":\"2026-07-01\",\"new\":0,");
}

static void a_code_that_is_no_region_is_not_found(void **state)
{
	struct nation *n = *state;

	assert_has(ask(n, "/api/v1/regions/03"), "\"next\":\"See /api/v1/regions");
	assert_status(n, 404);
	assert_has(ask(n, "/api/v1/regions/PL"), "\"seat\":\"Warszawa\"");
	assert_status(n, 200);
}

/* ---- coverage ---- */

static void powiaty_are_covered_by_what_has_not_ended(void **state)
{
	struct nation *n = *state;
	static const struct terc_area areas[] = {
		{"2604", "kielecki"}, {"2605", ""}, {"2606", "opatowski"}, {"2607", "ostrowiecki"}};

	assert_has(ask(n, "/api/v1/coverage"),
		   "\"configured\":false,\"partial\":true,\"with\":null,"
		   "\"without\":null,\"powiaty\":[]");
	HAPPENS(n, "26", morning,
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "A", "powiat",
		    "2604"),
		PUT(n, RECORD_ENTITY, "id", "pl26-cis-b", "kind", "CIS", "name", "B", "powiat",
		    "2606", "status", "ceased"),
		PUT(n, RECORD_ENTITY, "id", "pl26-wtz-c", "kind", "WTZ", "name", "C", "powiat",
		    "2605"));
	n->context.powiats = areas;
	n->context.powiat_count = sizeof areas / sizeof areas[0];
	assert_has(ask(n, "/api/v1/coverage"),
		   "\"configured\":true,\"partial\":true,\"with\":1,\"without\":3,\"powiaty\":["
		   "{\"powiat\":\"2604\",\"name\":\"kielecki\",\"region\":\"26\",\"CIS\":0,"
		   "\"KIS\":1},{\"powiat\":\"2605\",\"name\":null,\"region\":\"26\",\"CIS\":0,"
		   "\"KIS\":0},{\"powiat\":\"2606\",\"name\":\"opatowski\",\"region\":\"26\","
		   "\"CIS\":0,\"KIS\":0}");
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, nation_setup, nation_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reduced_date_reaches_from_its_first_day_to_its_last),
		cmocka_unit_test(a_day_begins_at_midnight_in_warsaw),
		cmocka_unit_test(a_status_lapses_after_its_last_day_or_five_years_by_estimate),
		STORY(those_that_lapse_are_told_the_earliest_first),
		STORY(freshness_is_told_by_the_last_day_that_a_date_can_mean),
		STORY(an_entity_is_in_a_network_until_its_membership_ends),
		STORY(a_region_and_the_nation_are_summed_up),
		STORY(a_past_day_is_summed_up_as_it_was),
		STORY(a_code_that_is_no_region_is_not_found),
		STORY(powiaty_are_covered_by_what_has_not_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
