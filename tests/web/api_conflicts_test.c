/* What disagrees, leads nowhere, or may be there twice. */
#include "api_support.h"

#include "api/core_name.h"
#include "api/duplicates.h"
#include "register/fold.h"

static const char *const morning = "2026-11-01T09:00:00Z";

/* ---- names ---- */

static struct core_name core(const char *name, const char *place)
{
	struct common_words words;
	struct buf folded = {.data = NULL};
	struct buf where = {.data = NULL};
	struct core_name ret;

	common_words_init(&words);
	assert_ok(fold_text(bytes_of_text(name), &folded));
	assert_ok(fold_text(bytes_of_text(place), &where));
	core_name_of(&words, buf_text(&folded), buf_text(&where), &ret);
	buf_free(&folded);
	buf_free(&where);
	return ret;
}

static bool same(const char *a, const char *b, const char *place)
{
	struct core_name x = core(a, place);
	struct core_name y = core(b, place);

	return core_name_same(&x, &y);
}

static bool similar(const char *a, const char *b)
{
	struct core_name x = core(a, "");
	struct core_name y = core(b, "");

	return core_name_similar(&x, &y) && core_name_similar(&y, &x);
}

static void names_are_the_same_without_legal_forms_marks_and_the_place(void **state)
{
	(void)state;
	assert_true(same("Fundacja „Nadzieja Rodzinie”", "Stowarzyszenie NADZIEJA rodzinie", ""));
	assert_true(same("Centrum Integracji Społecznej w Gdańsku", "CIS Gdańsk", "Gdańsk"));
	assert_true(same("Klub Integracji Społecznej w Jeleniej Górze", "KIS Jelenia Góra",
			 "Jelenia Góra"));
	assert_true(same("CIS w Żywcu", "CIS Żywiec", "Żywiec"));
	assert_false(same("KIS nr 1 Kraków", "KIS nr 2 Kraków", "Kraków"));
	assert_false(same("KIS Kielce (Fundacja Pestka)", "KIS Kielce", "Kielce"));
	assert_false(same("KIS Promyk", "KIS Promień", "Kraków"));
}

static void names_are_similar_when_one_word_is_another_or_is_missing(void **state)
{
	(void)state;
	assert_true(similar("Nadzieja Rodzinie", "Nadzieja Rodzinie Chmielnik"));
	assert_true(similar("Nadzieja Naszej Rodzinie", "Nadzieja Rodzinie"));
	assert_true(similar("Pomocna Dłoń Kielce", "Pomocna Dłoń Kielecka"));
	assert_false(similar("Nadzieja Rodzinie", "Nadzieja Rodzinie"));
	assert_false(similar("Nadzieja", "Nadzieja Rodzinie"));          /* one word the same */
	assert_false(similar("Nadzieja Rodzinie", "Nadzieja Dzieciom")); /* and here */
	assert_false(similar("Pomocna Dłoń 1 Kielce", "Pomocna Dłoń 2 Kielce"));
	assert_false(similar("Pomocna Dłoń Kielce", "Kielce Dłoń Pomocna"));
	assert_false(similar("A B C D", "A B"));
	assert_false(similar("", ""));
}

/* ---- duplicates ---- */

static void operators_of_one_number_are_proposed_first(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", morning,
		PUT(n, RECORD_OPERATOR, "id", "pl26-op-a", "name", "Stowarzyszenie Wspólna Droga",
		    "nip", "5251008875", "form", "stowarzyszenie"),
		PUT(n, RECORD_OPERATOR, "id", "pl26-op-b", "name", "Fundacja Wspólna Droga", "form",
		    "fundacja"));
	HAPPENS(n, "24", "2026-11-01T10:00:00Z",
		PUT(n, RECORD_OPERATOR, "id", "pl24-op-c", "name", "Wspólny Dom", "nip",
		    "5251008875"),
		PUT(n, RECORD_OPERATOR, "id", "pl24-op-d", "name", "Inny", "nip", "1111111111"));
	body = ask(n, "/api/v1/conflicts");
	assert_status(n, 200);
	assert_has(body, "\"duplicates\":[{\"score\":0.95,\"reasons\":[\"same_nip\"],\"records\":"
			 "[{\"id\":\"pl26-op-a\",\"kind\":\"operator\",\"title\":\"Stowarzyszenie "
			 "Wspólna Droga\",\"region\":\"26\",\"place\":null,\"operator\":null},"
			 "{\"id\":\"pl24-op-c\",");
	assert_has(body, "{\"score\":0.49,\"reasons\":[\"same_name_and_region\",\"different_form\"]"
			 ",\"records\":[{\"id\":\"pl26-op-a\"");
	assert_int_equal(times_in(body, "\"score\""), 2);
	assert_has(body, "\"more\":{\"statistics\":false,\"unresolved\":false,\"duplicates\":"
			 "false}}");
}

static void a_local_unit_has_its_bodys_regon(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", morning,
		PUT(n, RECORD_OPERATOR, "id", "pl26-op-a", "name", "A", "regon", "123456785"),
		PUT(n, RECORD_OPERATOR, "id", "pl26-op-b", "name", "B", "regon", "12345678512347"),
		PUT(n, RECORD_OPERATOR, "id", "pl26-op-c", "name", "C", "krs", "0000123456"),
		PUT(n, RECORD_OPERATOR, "id", "pl26-op-d", "name", "C", "krs", "0000123457"));
	body = ask(n, "/api/v1/conflicts");
	assert_has(body, "{\"score\":0.95,\"reasons\":[\"same_regon\"]");
	/* a name in common, but the numbers say otherwise */
	assert_int_equal(times_in(body, "\"score\""), 1);
}

static void entities_are_compared_with_those_of_their_kind_and_place(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", morning, PUT(n, RECORD_OPERATOR, "id", "pl26-op-x", "name", "Fundacja X"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "KIS Kielce",
		    "place", "Kielce", "operator_id", "pl26-op-x"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-b", "kind", "KIS", "name",
		    "Klub Integracji Społecznej w Kielcach", "place", "KIELCE", "operator_name",
		    "Gmina Kielce"),
		PUT(n, RECORD_ENTITY, "id", "pl26-cis-a", "kind", "CIS", "name", "CIS Kielce",
		    "place", "Kielce"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-c", "kind", "KIS", "name", "KIS Promyk",
		    "place", "Busko"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-d", "kind", "KIS", "name", "KIS Iskra",
		    "place", "Busko"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-e", "kind", "KIS", "name", "KIS Iskra",
		    "place", "Pińczów"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-f", "kind", "KIS", "name", "KIS"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-g", "kind", "KIS", "name", "KIS"));
	body = ask(n, "/api/v1/conflicts");
	assert_has(body, "\"duplicates\":[{\"score\":0.80,\"reasons\":[\"same_name_and_place\"],"
			 "\"records\":[{\"id\":\"pl26-kis-a\",\"kind\":\"entity\",\"title\":"
			 "\"KIS Kielce\",\"region\":\"26\",\"place\":\"Kielce\",\"operator\":"
			 "\"Fundacja X\"},{\"id\":\"pl26-kis-b\",");
	assert_has(body, "\"operator\":\"Gmina Kielce\"}");
	assert_int_equal(times_in(body, "\"score\""), 1); /* no place: nothing to compare */
}

static void an_address_in_common_is_a_reason(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", morning,
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-c", "kind", "KIS", "name", "KIS Promyk",
		    "place", "Busko", "street", "Długa", "building", "3"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-d", "kind", "KIS", "name", "KIS Iskra",
		    "place", "Busko", "street", "ul. DŁUGA", "building", "3"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-e", "kind", "KIS", "name", "KIS Lampa",
		    "place", "Busko", "street", "Długa", "building", "4"));
	body = ask(n, "/api/v1/conflicts");
	assert_has(body, "\"duplicates\":[{\"score\":0.60,\"reasons\":[\"same_address\"],"
			 "\"records\":[{\"id\":\"pl26-kis-c\"");
	assert_int_equal(times_in(body, "\"score\""), 1);
}

static void many_of_one_name_are_not_paired_with_each_other(void **state)
{
	struct nation *n = *state;
	struct change changes[EVENT_CHANGES_MAX];
	const char *body = NULL;

	for (size_t i = 0; i < EVENT_CHANGES_MAX; i++) {
		char id[64];

		(void)snprintf(id, sizeof id, "pl26-kis-%04zu", i);
		changes[i] = PUT(n, RECORD_ENTITY, "id", id, "kind", "KIS", "name", "KIS Kielce",
				 "place", "Kielce");
		changes[i].id = record_get_named(changes[i].record, "id");
	}
	happens(n, "26", morning, changes, EVENT_CHANGES_MAX);
	body = ask(n, "/api/v1/conflicts");
	assert_int_equal(times_in(body, "\"score\""),
			 DUPLICATE_BLOCK_MAX * (DUPLICATE_BLOCK_MAX - 1) / 2);
	assert_has(body, "\"duplicates\":true}}");
}

/* ---- claims ---- */

#define STAT(n, log, id, as_of, measure, value, reporter)                                          \
	HAPPENS(n, log, morning,                                                                   \
		PUT(n, RECORD_STATISTIC, "id", id, "region", log, "as_of", as_of, "kind", "CIS",   \
		    "measure", measure, "value", value, "unit", "count", "reported_by", reporter))

static void two_reporters_and_two_values_are_a_conflict(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	STAT(n, "26", "st-26-a", "2017", "active_count", "6", "UW");
	STAT(n, "26", "st-26-b", "2019", "active_count", "6", "ROPS");
	assert_has(ask(n, "/api/v1/conflicts"), "\"statistics\":[],");
	STAT(n, "26", "st-26-c", "2018", "active_count", "8", "UW");
	/* one reporter's series, and another measure */
	STAT(n, "24", "st-24-a", "2017", "active_count", "6", "UW");
	STAT(n, "24", "st-24-b", "2018", "active_count", "8", "UW");
	STAT(n, "24", "st-24-c", "2018", "new_count", "2", "ROPS");
	body = ask(n, "/api/v1/conflicts");
	assert_has(body, "\"statistics\":[{\"region\":\"26\",\"kind\":\"CIS\",\"measure\":"
			 "\"active_count\",\"unit\":\"count\",\"claims\":[{\"id\":\"st-26-b\"");
	assert_int_equal(times_in(body, "\"claims\":"), 1);
	assert_int_equal(times_in(body, "\"id\":\"st-26-"), 3);
	body = ask(n, "/api/v1/regions/26");
	assert_has(body, "\"conflicts\":1,");
	assert_has(body, "\"stated\":[{\"id\":\"st-26-b\",\"region\":\"26\",\"kind\":\"CIS\","
			 "\"measure\":\"active_count\",\"qualifier\":null,\"value\":\"6\","
			 "\"value_max\":null,\"unit\":\"count\",\"as_of\":\"2019\","
			 "\"reported_by\":\"ROPS\",\"source\":null},{\"id\":\"st-26-c\"");
	assert_has(body, "\"claims\":[{\"kind\":\"CIS\",\"measure\":\"active_count\",\"unit\":"
			 "\"count\",\"disagree\":true,\"claims\":[");
	body = ask(n, "/api/v1/regions/24");
	assert_has(body, "\"conflicts\":0,");
	assert_has(body, "\"measure\":\"new_count\",\"unit\":\"count\",\"disagree\":false");
	/* it says how many are new, not how many there are */
	assert_int_equal(times_in(body, "\"st-24-c\""), 1);
}

/* ---- references ---- */

static void a_reference_is_resolved_by_a_record_of_its_kind_alone(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	HAPPENS(n, "26", morning,
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "A", "operator_id",
		    "pl24-op-x"),
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-b", "kind", "KIS", "name", "B", "operator_id",
		    "pl26-kis-a"),
		PUT(n, RECORD_NETWORK, "id", "pl26-net-x", "name_pl", "X", "form", "siec",
		    "parent_id", "pl26-net-y"));
	body = ask(n, "/api/v1/conflicts");
	assert_int_equal(times_in(body, "\"refers_to\""), 3);
	HAPPENS(n, "24", "2026-11-01T10:00:00Z",
		PUT(n, RECORD_OPERATOR, "id", "pl24-op-x", "name", "X"));
	body = ask(n, "/api/v1/conflicts");
	assert_has(body, "\"unresolved\":[{\"id\":\"pl26-kis-b\",\"kind\":\"entity\",\"title\":"
			 "\"B\",\"region\":\"26\",\"field\":\"operator_id\",\"refers_to\":"
			 "\"pl26-kis-a\"},{\"id\":\"pl26-net-x\",\"kind\":\"network\",\"title\":"
			 "\"X\",\"region\":\"26\",\"field\":\"parent_id\",\"refers_to\":"
			 "\"pl26-net-y\"}]");
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, nation_setup, nation_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_the_same_without_legal_forms_marks_and_the_place),
		cmocka_unit_test(names_are_similar_when_one_word_is_another_or_is_missing),
		STORY(operators_of_one_number_are_proposed_first),
		STORY(a_local_unit_has_its_bodys_regon),
		STORY(entities_are_compared_with_those_of_their_kind_and_place),
		STORY(an_address_in_common_is_a_reason),
		STORY(many_of_one_name_are_not_paired_with_each_other),
		STORY(two_reporters_and_two_values_are_a_conflict),
		STORY(a_reference_is_resolved_by_a_record_of_its_kind_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
