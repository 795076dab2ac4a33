#include "register_support.h"

static void put_sample(struct fixture *f)
{
	put(f, RECORD_OPERATOR, "pl10-op-jutro", "name", "Fundacja „Jutro”", NULL);
	put(f, RECORD_OPERATOR, "pl26-op-gmina", "name", "Gmina Sitkówka-Nowiny", NULL);
	put(f, RECORD_ENTITY, "pl10-cis-a", "region", "10", "kind", "CIS", "name",
	    "Centrum Integracji Społecznej w Łodzi", "place", "Łódź", "operator_id",
	    "pl10-op-jutro", "registered_on", "2016-03-14", "status", "status_granted",
	    "participants_total", "120", NULL);
	put(f, RECORD_ENTITY, "pl26-kis-b", "region", "26", "kind", "KIS", "name", "KIS Nowiny",
	    "place", "Nowiny", "street", "ul.Białe Zagłębie", "operator_id", "pl26-op-gmina",
	    "registered_on", "2019", "status", "registered", "participants_total", "9", NULL);
	put(f, RECORD_ENTITY, "pl26-kis-c", "region", "26", "kind", "KIS", "name", "KIS Łagów",
	    "place", "Łagów", "registered_on", "2016-11", "powiat", "2604", NULL);
	put(f, RECORD_ENTITY, "pl26-wtz-d", "region", "26", "kind", "WTZ", "name", "WTZ Ćmielów",
	    "place", "Ćmielów", "status", "active", "participants_total", "około 30", "powiat",
	    "2607", NULL);
}

/* A story needs the sample; each gets its own. */
static int open_sample(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	if (!f)
		return 1;
	fixture_open(f);
	put_sample(f);
	*state = f;
	return 0;
}

static int close_sample(void **state)
{
	fixture_close(*state);
	free(*state);
	return 0;
}

#define found_ids(asked) found(f, RECORD_ENTITY, asked)

static void without_a_question_all_come_by_name(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids(""), "pl10-cis-a pl26-kis-c pl26-kis-b pl26-wtz-d");
	assert_string_equal(found(f, RECORD_STATISTIC, ""), "");
}

/* ---- filters ---- */

static void a_filter_takes_any_of_its_values_and_all_filters_must_hold(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids("region=26&sort=id"), "pl26-kis-b pl26-kis-c pl26-wtz-d");
	assert_string_equal(found_ids("kind=CIS&kind=WTZ&sort=id"), "pl10-cis-a pl26-wtz-d");
	assert_string_equal(found_ids("kind=CIS&region=26"), "");
	assert_string_equal(found_ids("region=26&kind=KIS&status=registered"), "pl26-kis-b");
	assert_string_equal(found_ids("place=nowhere"), "");
}

static void an_empty_value_is_unknown(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids("status="), "pl26-kis-c");
	assert_string_equal(found_ids("status=&status=active&sort=id"), "pl26-kis-c pl26-wtz-d");
	assert_string_equal(found_ids("id="), "");
}

static void ids_and_codes_are_found_by_their_beginning(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids("id.starts=pl26-kis"), "pl26-kis-c pl26-kis-b");
	assert_string_equal(found_ids("powiat.starts=26&sort=powiat"), "pl26-kis-c pl26-wtz-d");
	assert_string_equal(found_ids("powiat.starts=2607&powiat.starts=26"), "pl26-wtz-d");
}

static void a_reduced_date_is_each_of_its_days(void **state)
{
	struct fixture *f = *state;

	/* 2016-03-14, 2019, 2016-11, unknown */
	assert_string_equal(found_ids("registered_on.from=2016-03-14&sort=id"),
			    "pl10-cis-a pl26-kis-b pl26-kis-c");
	assert_string_equal(found_ids("registered_on.from=2016-03-15&sort=id"),
			    "pl26-kis-b pl26-kis-c");
	assert_string_equal(found_ids("registered_on.to=2016&sort=id"), "pl10-cis-a pl26-kis-c");
	assert_string_equal(found_ids("registered_on.to=2016-03"), "pl10-cis-a");
	assert_string_equal(found_ids("registered_on.from=2016-11-30&registered_on.to=2016-12-01"),
			    "pl26-kis-c");
	assert_string_equal(found_ids("registered_on.from=2019-06&registered_on.to=2019-07"),
			    "pl26-kis-b");
	assert_string_equal(found_ids("registered_on.from=2020"), "");
}

static void numbers_are_compared_by_value_and_what_is_none_is_in_no_range(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids("participants_total.from=9&sort=participants_total"),
			    "pl26-kis-b pl10-cis-a");
	assert_string_equal(found_ids("participants_total.from=9.5"), "pl10-cis-a");
	assert_string_equal(found_ids("participants_total.to=119"), "pl26-kis-b");
	assert_string_equal(found_ids("participants_total.from=-1&participants_total.to=0"), "");
}

/* ---- order ---- */

static void unknown_values_come_last_both_ways_and_ids_decide_between_equals(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids("sort=registered_on"),
			    "pl10-cis-a pl26-kis-c pl26-kis-b pl26-wtz-d");
	assert_string_equal(found_ids("sort=-registered_on"),
			    "pl26-kis-b pl26-kis-c pl10-cis-a pl26-wtz-d");
	assert_string_equal(found_ids("sort=kind"), "pl10-cis-a pl26-kis-b pl26-kis-c pl26-wtz-d");
	assert_string_equal(found_ids("sort=-kind"), "pl26-wtz-d pl26-kis-b pl26-kis-c pl10-cis-a");
	/* "około 30" is no number: after all that are, before nothing said */
	assert_string_equal(found_ids("sort=participants_total"),
			    "pl26-kis-b pl10-cis-a pl26-wtz-d pl26-kis-c");
}

static void places_come_in_polish_order(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids("sort=place"), "pl26-wtz-d pl26-kis-c pl10-cis-a pl26-kis-b");
}

/* ---- search ---- */

static void a_search_finds_words_by_their_beginning_without_marks_and_case(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids("q=lodz"), "pl10-cis-a");
	assert_string_equal(found_ids("q=ŁÓDŹ"), "pl10-cis-a");
	assert_string_equal(found_ids("q=lod"), "pl10-cis-a");
	assert_string_equal(found_ids("q=odz"), "");
	assert_string_equal(found_ids("q=zaglebie"), "pl26-kis-b");
	assert_string_equal(found_ids("q=biale"), "pl26-kis-b"); /* "ul.Białe": no space between */
	assert_string_equal(found_ids("q=pl26-kis-c"), "pl26-kis-c");
}

static void every_word_must_be_there_in_whatever_column(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids("q=kis lag"), "pl26-kis-c");
	assert_string_equal(found_ids("q=lag kis"), "pl26-kis-c");
	assert_string_equal(found_ids("q=kis lodz"), "");
	assert_string_equal(found_ids("q=k ki kis kis&sort=id"), "pl26-kis-b pl26-kis-c");
}

static void what_the_record_refers_to_is_searched_by_its_name(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids("q=jutro"), "pl10-cis-a");
	assert_string_equal(found_ids("q=gmina sitkowka"), "pl26-kis-b");
	retire(f, RECORD_OPERATOR, "pl10-op-jutro");
	assert_string_equal(found_ids("q=fundacja"), "");
	put(f, RECORD_NETWORK, "pl26-net-k", "name_pl", "Konwent Ściegien", NULL);
	put(f, RECORD_MEMBERSHIP, "pl26-net-k--pl26-kis-b", "network_id", "pl26-net-k", "entity_id",
	    "pl26-kis-b", NULL);
	assert_string_equal(found(f, RECORD_MEMBERSHIP, "q=sciegien"), "pl26-net-k--pl26-kis-b");
	assert_string_equal(found(f, RECORD_MEMBERSHIP, "q=konwent nowiny"),
			    "pl26-net-k--pl26-kis-b");
}

static void words_of_an_enumeration_are_not_searched(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(found_ids("q=granted"), "");
	assert_string_equal(found_ids("q=2016"), "");
	/* A text that one column searches and another does not. */
	put(f, RECORD_ENTITY, "pl26-kis-e", "name", "active", NULL);
	assert_string_equal(found_ids("q=active"), "pl26-kis-e");
}

static void a_search_without_a_word_is_none(void **state)
{
	struct fixture *f = *state;
	struct query_result r;

	assert_ok(ask(f, RECORD_ENTITY, "q= „…” ", &r));
	assert_int_equal(r.total, 4);
}

static void words_never_run_from_one_text_into_the_next(void **state)
{
	struct fixture *f = *state;

	put(f, RECORD_ENTITY, "pl26-kis-e", "name", "alfa", "place", "beta", NULL);
	assert_string_equal(found_ids("q=alfabeta"), "");
	assert_string_equal(found_ids("q=alfa beta"), "pl26-kis-e");
}

/* ---- facets ---- */

static const char *facet_text(struct fixture *f, const struct facet *facet)
{
	struct buf text = {.data = NULL};
	const char *kept = NULL;

	for (size_t i = 0; i < facet->value_count; i++)
		buf_printf(&text, "%s%s:%zu", i ? " " : "",
			   catalog_of(f->catalog, facet->values[i].value), facet->values[i].count);
	kept = arena_text(&f->answers, buf_bytes(&text));
	buf_free(&text);
	return kept;
}

static void facets_count_what_is_left_most_frequent_first_unknown_last(void **state)
{
	struct fixture *f = *state;
	struct query_result r;

	assert_ok(ask(f, RECORD_ENTITY, "facets=kind,status,place&limit=1", &r));
	assert_int_equal(r.row_count, 1);
	assert_string_equal(facet_text(f, &r.facets[0]), "KIS:2 CIS:1 WTZ:1");
	assert_string_equal(facet_text(f, &r.facets[1]),
			    "active:1 registered:1 status_granted:1 :1");
	assert_string_equal(facet_text(f, &r.facets[2]), "Ćmielów:1 Łagów:1 Łódź:1 Nowiny:1");
	assert_int_equal(r.facets[0].distinct, 3);
}

static void a_facet_is_counted_without_the_filter_on_its_own_field(void **state)
{
	struct fixture *f = *state;
	struct query_result r;

	assert_ok(ask(f, RECORD_ENTITY, "kind=KIS&region=26&facets=kind,region,status", &r));
	assert_int_equal(r.total, 2);
	assert_string_equal(facet_text(f, &r.facets[0]), "KIS:2 WTZ:1");
	assert_string_equal(facet_text(f, &r.facets[1]), "26:2");
	assert_string_equal(facet_text(f, &r.facets[2]), "registered:1 :1");
	assert_ok(ask(f, RECORD_ENTITY, "kind=KIS&q=nowiny&facets=kind", &r));
	assert_string_equal(facet_text(f, &r.facets[0]), "KIS:1");
	assert_ok(ask(f, RECORD_ENTITY,
		      "registered_on.from=2016-04&registered_on.to=2016&facets=registered_on", &r));
	assert_int_equal(r.total, 1); /* both bounds are the field's own filters */
	assert_int_equal(r.facets[0].distinct, 4);
}

static void a_facet_shows_no_more_than_its_bound_and_says_how_many_there_are(void **state)
{
	struct fixture *f = *state;
	struct query_result r;
	char id[32];

	for (int i = 0; i < QUERY_FACET_VALUES + 20; i++) {
		(void)snprintf(id, sizeof id, "pl26-kis-x%d", i);
		put(f, RECORD_ENTITY, id, "name", id, NULL);
	}
	assert_ok(ask(f, RECORD_ENTITY, "facets=name", &r));
	assert_int_equal(r.facets[0].value_count, QUERY_FACET_VALUES);
	assert_int_equal(r.facets[0].distinct, QUERY_FACET_VALUES + 20 + 4);
}

/* ---- what is refused ---- */

static void what_is_not_known_is_refused_with_what_there_is(void **state)
{
	static const struct {
		const char *asked, *why;
	} rows[] = {
		{"colour=red", "colour: no such parameter"},
		{"name.like=x", "name.like: no such parameter"},
		{"=x", "no such parameter"},
		{"name.from=a", "only dates and numbers"},
		{"registered_on.from=14.03.2016", "a bound is a date"},
		{"registered_on.to=", "a bound is a date"},
		{"participants_total.from=many", "a bound is a number"},
		{"sort=colour", "sort: entities have no column"},
		{"sort=", "sort: entities have no column"},
		{"sort=--name", "sort: entities have no column"},
		{"limit=0", "limit: a number from 1 to 1000"},
		{"limit=1001", "limit: a number from 1 to 1000"},
		{"limit=-1", "limit: a number from 1 to 1000"},
		{"limit=99999999999999999999", "limit: a number from 1 to 1000"},
		{"limit=5&limit=6", "limit: there twice"},
		{"q=a&q=b", "q: there twice"},
		{"q=1 2 3 4 5 6 7 8 9", "q: more than 8 words"},
		{"facets=kind,colour", "facets: entities have no column"},
		{"facets=kind,kind", "facets: kind is there twice"},
		{"facets=id,name,kind,place,street,region,status,gmina,powiat",
		 "facets: more than 8"},
		{"cursor=", "cursor: none of this list"},
	};
	struct fixture *f = *state;
	struct query_result r;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_err(ask(f, RECORD_ENTITY, rows[i].asked, &r), ERR_INVALID);
		if (!strstr(f->why, rows[i].why))
			fail_msg("%s: \"%s\" lacks \"%s\"", rows[i].asked, f->why, rows[i].why);
	}
}

static void bounds_of_a_question_are_kept(void **state)
{
	struct fixture *f = *state;
	struct query_result r;
	struct buf asked = {.data = NULL};

	for (int i = 0; i < QUERY_VALUES_MAX + 1; i++)
		buf_printf(&asked, "%splace=%d", i ? "&" : "", i);
	assert_err(ask(f, RECORD_ENTITY, buf_text(&asked), &r), ERR_INVALID);
	assert_non_null(strstr(f->why, "place: more than 64 values"));
	buf_clear(&asked);
	for (int i = 0; i < QUERY_FILTERS_MAX + 1; i++)
		buf_printf(&asked, "%sid.starts=pl", i ? "&" : "");
	assert_err(ask(f, RECORD_ENTITY, buf_text(&asked), &r), ERR_INVALID);
	assert_non_null(strstr(f->why, "more than 32 conditions"));
	buf_clear(&asked);
	buf_add_text(&asked, "q=");
	for (int i = 0; i <= QUERY_TEXT_MAX; i++)
		buf_add_text(&asked, "x");
	assert_err(ask(f, RECORD_ENTITY, buf_text(&asked), &r), ERR_INVALID);
	buf_free(&asked);
}

static void an_explanation_repeats_whole_characters_only(void **state)
{
	struct fixture *f = *state;
	struct query_result r;
	struct buf asked = {.data = NULL};

	buf_add_text(&asked, "a");
	for (int i = 0; i < 400; i++)
		buf_add_text(&asked, "ł");
	buf_add_text(&asked, "=1");
	assert_err(ask(f, RECORD_ENTITY, buf_text(&asked), &r), ERR_INVALID);
	assert_non_null(strstr(f->why, "łł: no such parameter"));
	assert_true(strlen(f->why) < TEXT_BYTES_MAX);
	buf_free(&asked);
}

static void parameters_of_somebody_else_are_passed_over(void **state)
{
	static const char *const ignored[] = {"as_of", "format", NULL};
	static const char *const names[] = {"as_of", "kind", "format"};
	static const char *const values[] = {"2026-11-01", "KIS", "csv"};
	struct fixture *f = *state;
	struct query q;

	assert_ok(query_parse(RECORD_ENTITY, names, values, 3, ignored, &q, f->why));
	assert_int_equal(q.filter_count, 1);
	assert_int_equal(q.limit, QUERY_LIMIT);
	assert_err(query_parse(RECORD_ENTITY, names, values, 3, NULL, &q, f->why), ERR_INVALID);
	assert_err(query_parse(RECORD_NONE, names, values, 0, NULL, &q, f->why), ERR_ARGUMENT);
}

#define story(name) cmocka_unit_test_setup_teardown(name, open_sample, close_sample)

int main(void)
{
	const struct CMUnitTest tests[] = {
		story(without_a_question_all_come_by_name),
		story(a_filter_takes_any_of_its_values_and_all_filters_must_hold),
		story(an_empty_value_is_unknown),
		story(ids_and_codes_are_found_by_their_beginning),
		story(a_reduced_date_is_each_of_its_days),
		story(numbers_are_compared_by_value_and_what_is_none_is_in_no_range),
		story(unknown_values_come_last_both_ways_and_ids_decide_between_equals),
		story(places_come_in_polish_order),
		story(a_search_finds_words_by_their_beginning_without_marks_and_case),
		story(every_word_must_be_there_in_whatever_column),
		story(what_the_record_refers_to_is_searched_by_its_name),
		story(words_of_an_enumeration_are_not_searched),
		story(a_search_without_a_word_is_none),
		story(words_never_run_from_one_text_into_the_next),
		story(facets_count_what_is_left_most_frequent_first_unknown_last),
		story(a_facet_is_counted_without_the_filter_on_its_own_field),
		story(a_facet_shows_no_more_than_its_bound_and_says_how_many_there_are),
		story(what_is_not_known_is_refused_with_what_there_is),
		story(bounds_of_a_question_are_kept),
		story(an_explanation_repeats_whole_characters_only),
		story(parameters_of_somebody_else_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
