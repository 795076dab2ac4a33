#include "model/validate.h"

#include "model_support.h"

#include <stdio.h>

#include "base/limits.h"
#include "model/region.h"

enum { REGION_26 = 12, REGION_24 = 11 };

struct world {
	struct arena arena;
	struct problems problems;
};

static int open_world(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state ? 0 : -1;
}

static int close_world(void **state)
{
	struct world *w = *state;

	arena_free(&w->arena);
	free(w);
	return 0;
}

static struct record *club(struct world *w)
{
	return make_record(&w->arena, RECORD_ENTITY, "id", "pl26-kis-nowiny", "region", "26",
			   "kind", "KIS", "name", "KIS Nowiny", "powiat", "2604", "gmina",
			   "2604172", NULL);
}

static struct record *operator_record(struct world *w)
{
	return make_record(&w->arena, RECORD_OPERATOR, "id", "pl26-op-prorew", "region", "26",
			   "name", "Stowarzyszenie PROREW", NULL);
}

static struct record *membership(struct world *w)
{
	return make_record(&w->arena, RECORD_MEMBERSHIP, "id", "pl26-net-siec--pl26-kis-nowiny",
			   "network_id", "pl26-net-siec", "entity_id", "pl26-kis-nowiny", "role",
			   "member", NULL);
}

static struct record *statistic(struct world *w)
{
	return make_record(&w->arena, RECORD_STATISTIC, "id", "st-26-2019-kis-new-rops", "region",
			   "26", "measure", "new", "value", "49.0", "unit", "percent",
			   "reported_by", "ROPS", NULL);
}

/* The codes found, joined by spaces: "" when the record is well. */
static const char *codes(struct world *w, const struct record *r, const struct terc *terc)
{
	static char text[512];
	size_t size = 0;

	w->problems = (struct problems){0};
	text[0] = 0;
	assert_ok(validate_record(r, REGION_26, terc, 7, &w->arena, &w->problems));
	for (size_t i = 0; i < w->problems.count; i++) {
		const struct problem *p = &w->problems.items[i];

		assert_int_equal(p->row, 7);
		assert_true(*p->text_pl && *p->text_en);
		size += (size_t)snprintf(text + size, sizeof text - size, "%s%s:%s",
					 size ? " " : "", p->column, p->code);
	}
	return text;
}

/* One field of an otherwise good record changed. */
static void expect(struct world *w, struct record *r, const char *field, const char *value,
		   const char *expected)
{
	const char *found = NULL;

	set_field(&w->arena, r, field, value);
	found = codes(w, r, NULL);
	if (strcmp(found, expected) != 0)
		fail_msg("%s = \"%s\": found \"%s\", expected \"%s\"", field, value, found,
			 expected);
}

static void good_records_have_no_problem(void **state)
{
	struct world *w = *state;

	assert_string_equal(codes(w, club(w), NULL), "");
	assert_string_equal(codes(w, operator_record(w), NULL), "");
	assert_string_equal(codes(w, membership(w), NULL), "");
	assert_string_equal(codes(w, statistic(w), NULL), "");
}

static void required_columns_must_be_filled(void **state)
{
	struct world *w = *state;
	struct record *r = make_record(&w->arena, RECORD_STATISTIC, "id", "st-26-x", NULL);

	assert_string_equal(codes(w, r, NULL),
			    "region:required measure:required value:required unit:required "
			    "reported_by:required");
	expect(w, club(w), "name", "  \n ", "name:required");
	expect(w, club(w), "name", " \u00a0\u200b\u3000", "name:required");
	expect(w, club(w), "id", "", "id:required");
}

static void ids_are_checked(void **state)
{
	static const struct {
		const char *id, *codes;
	} rows[] = {
		{"pl26-kis-nowiny-2", ""},
		{"pl26-kis-Nowiny", "id:bad-id"},
		{"pl26-kis-łąki", "id:bad-id"},
		{"pl26-kis-nowiny-", "id:bad-id"},
		{"pl26-kis nowiny", "id:bad-id"},
		{"26-kis-nowiny", "id:bad-id"},
		{"pl26-kis-nowiny ", "id:space-at-end"},
		{"pl24-kis-nowiny", "id:id-owner"},
		{"nowiny", "id:id-owner id:id-kind"},
		{"pl26-cis-nowiny", "id:id-kind"},
		{"pl26-op-nowiny", "id:id-kind"},
		{"pl26-kis-", "id:bad-id"},
		{"pl26-kisnowiny", "id:id-kind"},
		{"pl26-net-a--pl26-kis-b", "id:id-kind"},
		{"pl26-kis-a---b", "id:bad-id"},
	};
	struct world *w = *state;
	static char text[ID_BYTES_MAX + 2];

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect(w, club(w), "id", rows[i].id, rows[i].codes);
	(void)snprintf(text, sizeof text, "pl26-kis-%0*d", ID_BYTES_MAX + 1 - 9, 7);
	expect(w, club(w), "id", text, "id:too-long");
}

static void the_region_column_names_the_owner(void **state)
{
	struct world *w = *state;

	expect(w, operator_record(w), "region", "24", "region:region-owner");
	expect(w, operator_record(w), "region", "2", "region:bad-region");
	expect(w, operator_record(w), "region", "27", "region:bad-region");
	expect(w, operator_record(w), "region", "PL", "region:region-owner");
}

static void values_of_an_enumeration_are_exact(void **state)
{
	struct world *w = *state;

	expect(w, club(w), "status", "registered", "");
	expect(w, club(w), "status", "Registered", "status:bad-value");
	expect(w, club(w), "status", "regis", "status:bad-value");
	assert_non_null(strstr(w->problems.items[0].text_en, "planned applied registered"));
	expect(w, club(w), "name_basis", "źródło", "");
	expect(w, club(w), "kind", "KISS", "kind:bad-value id:id-kind");
}

static void dates_may_be_reduced_but_must_exist(void **state)
{
	static const char *const good[] = {"2009", "2016-03", "2019-06-04", "2016-02-29",
					   "1991-12-31"};
	static const char *const bad[] = {
		"2019-13",  "2019-02-29", "1900-02-29", "2019-00",   "2019-04-31",
		"2019-4-1", "4.06.2019",  "19",         "2019-",     "2019-06-04T00:00",
		"20190604", "0019-01-01", "jutro",      "2019-06-0a"};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		expect(w, club(w), "started_on", good[i], "");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		expect(w, club(w), "started_on", bad[i], "started_on:bad-date");
	expect(w, club(w), "started_on", " 2019", "started_on:space-at-end");
	expect(w, club(w), "started_on", "2019\xc2\xa0", "started_on:space-at-end");
}

static void teryt_codes_fit_together(void **state)
{
	struct world *w = *state;
	struct record *r = club(w);

	expect(w, r, "gmina", "2604173", "");
	expect(w, r, "gmina", "604172", "gmina:bad-teryt gmina:teryt-region");
	expect(w, r, "gmina", "2604176", "gmina:bad-teryt");
	expect(w, r, "gmina", "2605172", "gmina:teryt-powiat");
	expect(w, r, "gmina", "2404172", "gmina:teryt-region");
	expect(w, r, "gmina", "", "");
	expect(w, r, "powiat", "2404", "powiat:teryt-region");
	expect(w, r, "powiat", "2600", "powiat:bad-teryt");
	expect(w, r, "powiat", "264", "powiat:bad-teryt");
}

static bool known_powiat(const void *context, const char *code)
{
	(void)context;
	return strcmp(code, "2604") == 0;
}

static bool known_gmina(const void *context, const char *code)
{
	(void)context;
	return strcmp(code, "2604172") == 0;
}

static void a_table_tells_which_teryt_codes_exist(void **state)
{
	const struct terc table = {NULL, known_powiat, known_gmina};
	const struct terc nothing = {NULL, NULL, NULL};
	struct world *w = *state;
	struct record *r = club(w);

	assert_string_equal(codes(w, r, &table), "");
	set_field(&w->arena, r, "gmina", "2604993");
	assert_string_equal(codes(w, r, &table), "gmina:unknown-teryt");
	assert_string_equal(codes(w, r, &nothing), "");
	set_field(&w->arena, r, "gmina", "");
	set_field(&w->arena, r, "powiat", "2699");
	assert_string_equal(codes(w, r, &table), "powiat:unknown-teryt");
}

static void register_numbers_have_their_check_digits(void **state)
{
	static const struct {
		const char *field, *value, *codes;
	} rows[] = {
		{"nip", "5251008875", ""},
		{"nip", "5251008876", "nip:bad-nip"},
		{"nip", "525-100-88-75", "nip:bad-nip"},
		{"nip", "525100887", "nip:bad-nip"},
		{"nip", "0000000000", "nip:bad-nip"},
		{"regon", "013272620", ""},
		{"regon", "123456785", ""},
		{"regon", "12345678512347", ""},
		{"regon", "12345678512348", "regon:bad-regon"},
		{"regon", "732065834", "regon:bad-regon"},
		{"regon", "13272620", "regon:bad-regon"},
		{"krs", "0000012345", ""},
		{"krs", "12345", "krs:bad-krs"},
		{"krs", "0000000000", "krs:bad-krs"},
		{"krs", "00000x2345", "krs:bad-krs"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect(w, operator_record(w), rows[i].field, rows[i].value, rows[i].codes);
}

static void figures_and_other_types_are_checked(void **state)
{
	static const struct {
		const char *field, *value, *codes;
	} entity[] = {
		{"postcode", "26-052", ""},
		{"postcode", "26052", "postcode:bad-postcode"},
		{"postcode", "26-05", "postcode:bad-postcode"},
		{"postcode", "2a-052", "postcode:bad-postcode"},
		{"ksr_pilot", "true", ""},
		{"ksr_pilot", "PRAWDA", "ksr_pilot:bad-bool"},
		{"participants_total", "0", ""},
		{"participants_total", "99999999", ""},
		{"participants_total", "100000000", "participants_total:bad-number"},
		{"participants_total", "007", "participants_total:bad-number"},
		{"participants_total", "-1", "participants_total:bad-number"},
		{"participants_total", "12.0", "participants_total:bad-number"},
		{"source", "a.txt;b.txt", ""},
		{"source", "a.txt;", "source:bad-list"},
		{"source", ";a.txt", "source:bad-list"},
		{"source", "a.txt; b.txt", "source:bad-list"},
		{"operator_id", "pl24-op-chsd", ""},
		{"operator_id", "pl24-kis-chsd", "operator_id:bad-reference"},
		{"operator_id", "pl27-op-x", "operator_id:bad-reference"},
		{"operator_id", "Fundacja", "operator_id:bad-reference"},
	};
	static const struct {
		const char *value, *codes;
	} decimals[] = {
		{"49", ""},
		{"49.0", ""},
		{"60600.00", ""},
		{"0.5", ""},
		{"-3", ""},
		{"0", ""},
		{"49,0", "value:bad-decimal"},
		{"49.", "value:bad-decimal"},
		{".5", "value:bad-decimal"},
		{"049", "value:bad-decimal"},
		{"1 234", "value:bad-decimal"},
		{"1.2.3", "value:bad-decimal"},
		{"1e5", "value:bad-decimal"},
		{"-", "value:bad-decimal"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof entity / sizeof entity[0]; i++)
		expect(w, club(w), entity[i].field, entity[i].value, entity[i].codes);
	for (size_t i = 0; i < sizeof decimals / sizeof decimals[0]; i++)
		expect(w, statistic(w), "value", decimals[i].value, decimals[i].codes);
}

static void a_membership_has_one_member_and_the_id_of_both_ends(void **state)
{
	struct world *w = *state;
	struct record *r = membership(w);

	expect(w, r, "operator_id", "pl26-op-prorew", "entity_id:member-one");
	set_field(&w->arena, r, "operator_id", "");
	expect(w, r, "entity_id", "", "entity_id:member-one");
	expect(w, r, "entity_id", "pl26-kis-mostki", "id:member-id");
	expect(w, membership(w), "network_id", "pl24-net-rada", "id:member-id");
	expect(w, membership(w), "id", "pl26-net-siec", "id:id-kind id:member-id");
	expect(w, membership(w), "id", "pl26-net-siec--pl26-kis-nowiny--x",
	       "id:bad-id id:member-id");
}

static void a_membership_belongs_to_the_owner_of_its_network(void **state)
{
	struct world *w = *state;
	struct record *r = membership(w);

	set_field(&w->arena, r, "network_id", "pl24-net-rada");
	expect(w, r, "id", "pl24-net-rada--pl26-kis-nowiny", "id:id-owner");
}

static void the_least_and_the_most_stand_together(void **state)
{
	struct world *w = *state;
	struct record *r = club(w);

	expect(w, r, "participants_per_year_min", "20", "participants_per_year_max:min-max-pair");
	expect(w, r, "participants_per_year_max", "20", "");
	expect(w, r, "participants_per_year_max", "100", "");
	expect(w, r, "participants_per_year_max", "9", "participants_per_year_min:min-over-max");
	expect(w, r, "participants_per_year_min", "", "participants_per_year_min:min-max-pair");
}

static void the_sector_follows_the_form(void **state)
{
	static const struct {
		const char *form, *sector;
	} good[] = {{"jst_gmina", "jst"},       {"jst_ops", "jst"},
		    {"stowarzyszenie", "ngo"},  {"fundacja", "ngo"},
		    {"koscielny", "koscielny"}, {"spoldzielnia_socjalna", "spoldzielnia"},
		    {"other", "other"}};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct record *r = operator_record(w);

		set_field(&w->arena, r, "form", good[i].form);
		expect(w, r, "sector", good[i].sector, "");
		expect(w, r, "sector",
		       i == 1   ? "ngo"
		       : i == 0 ? "other"
				: "jst",
		       "sector:sector-form");
		expect(w, r, "sector", "", "");
	}
	set_field(&w->arena, club(w), "operator_form", "fundacja");
}

static void text_is_utf8_in_normal_form_without_control_characters(void **state)
{
	static const struct {
		const char *value, *code;
	} rows[] = {
		{"„Nadzieja” – ż ó ł ć\nnowy wiersz\r\ni jeszcze", ""},
		{" spacje zostają ", ""},
		{"\xf0\x9f\x99\x82", ""},
		{"\xe1\xba\xa1", ""},     /* one letter with a dot below */
		{"a\xcc\xa3", "not-nfc"}, /* the same in two */
		{"z\xcc\x87", "not-nfc"}, /* ż in two */
		{"x\xcc\xa3", ""},        /* has no letter of its own */
		{"Inowroc\xb3"
		 "aw",
		 "bad-encoding"}, /* ISO 8859-2 */
		{"\xed\xa0\x80", "bad-encoding"},
		{"Wroc\xef\xbf\xbd"
		 "aw",
		 "replacement-character"},
		{"a\tb", "control-character"},
		{"a\x1b[2J", "control-character"},
		{"a\x7f", "control-character"},
		{"a\xc2\x85", "control-character"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char expected[64];

		(void)snprintf(expected, sizeof expected, "%s%s", *rows[i].code ? "note:" : "",
			       rows[i].code);
		expect(w, operator_record(w), "note", rows[i].value, expected);
	}
}

static void personal_data_is_refused_and_not_repeated(void **state)
{
	struct world *w = *state;
	char mail[64];

	(void)snprintf(mail, sizeof mail, "kontakt: %s@%s", "klub.przyklad", "wp.pl");
	expect(w, operator_record(w), "note", mail, "note:personal-data");
	assert_string_equal(w->problems.items[0].value, "…");
	expect(w, operator_record(w), "krs", mail, "krs:personal-data");
	expect(w, operator_record(w), "source", mail, "source:personal-data");
	/* A wrong REGON stays a wrong REGON, but is not repeated either. */
	(void)snprintf(mail, sizeof mail, "%s%s", "6001", "23456");
	expect(w, operator_record(w), "regon", mail, "regon:bad-regon");
	assert_string_equal(w->problems.items[0].value, "…");
}

static void a_long_value_is_shown_by_its_start(void **state)
{
	struct world *w = *state;
	static char text[2001];

	for (size_t i = 0; i < 2000; i++)
		text[i] = "ż"[i % 2];
	expect(w, club(w), "started_on", text, "started_on:bad-date");
	assert_int_equal(strlen(w->problems.items[0].value), 200 + strlen("…"));
}

static void problems_past_the_limit_are_counted(void **state)
{
	struct world *w = *state;
	const struct problem p = {.code = "x"};

	w->problems.limit = 20;
	for (size_t i = 0; i < 50; i++)
		assert_ok(problem_add(&w->problems, &w->arena, &p));
	assert_int_equal(w->problems.count, 20);
	assert_int_equal(w->problems.dropped, 30);
	assert_string_equal(w->problems.items[19].code, "x");
	assert_string_equal(w->problems.items[19].text_pl, "");
}

/* ---- drafts ---- */

static const char *draft_codes(struct world *w, struct change *changes, size_t count,
			       const char *reason)
{
	static char text[512];
	const struct event e = {.editor = "",
				.reason = reason,
				.source = "a.txt",
				.change_count = count,
				.changes = changes};
	size_t size = 0;

	w->problems = (struct problems){0};
	text[0] = 0;
	assert_ok(validate_event(&e, REGION_26, NULL, &w->arena, &w->problems));
	for (size_t i = 0; i < w->problems.count; i++)
		size += (size_t)snprintf(text + size, sizeof text - size, "%s%zu:%s:%s",
					 size ? " " : "", w->problems.items[i].row,
					 w->problems.items[i].column, w->problems.items[i].code);
	return text;
}

static void a_draft_is_checked_change_by_change(void **state)
{
	struct world *w = *state;
	struct change changes[] = {
		{.id = "pl26-kis-nowiny", .kind = RECORD_ENTITY, .record = club(w)},
		{.id = "pl26-op-prorew", .kind = RECORD_OPERATOR, .record = operator_record(w)},
		{.id = "pl26-net-old", .kind = RECORD_NETWORK, .retired = true},
	};

	assert_string_equal(draft_codes(w, changes, 3, "wpis"), "");
	assert_string_equal(draft_codes(w, changes, 3, ""), "0:reason:required");
	assert_string_equal(draft_codes(w, changes, 3, " \u00a0\u2003 "), "0:reason:required");
	assert_string_equal(draft_codes(w, changes, 3, "\u00a0x"), "");
	assert_string_equal(draft_codes(w, changes, 3, "a\tb"), "0:reason:control-character");
	assert_string_equal(draft_codes(w, changes, 0, "wpis"), "0::no-changes");
	changes[1].id = "pl26-op-other";
	assert_string_equal(draft_codes(w, changes, 3, "wpis"), "1:id:id-mismatch");
	changes[2].id = "pl24-net-old";
	assert_string_equal(draft_codes(w, changes, 3, "wpis"), "1:id:id-mismatch 2:id:id-owner");
	changes[2].kind = RECORD_OPERATOR;
	changes[2].id = "pl26-net-old";
	changes[1].id = "pl26-op-prorew";
	assert_string_equal(draft_codes(w, changes, 3, "wpis"), "2:id:id-kind");
	changes[2] = (struct change){.id = "pl26-x-y", .kind = RECORD_NONE};
	assert_string_equal(draft_codes(w, changes, 3, "wpis"), "2::unknown-kind");
}

static void the_same_record_twice_in_a_draft_is_a_problem(void **state)
{
	struct world *w = *state;
	struct change changes[] = {
		{.id = "pl26-kis-nowiny", .kind = RECORD_ENTITY, .record = club(w)},
		{.id = "pl26-net-old", .kind = RECORD_NETWORK, .retired = true},
		{.id = "pl26-kis-nowiny", .kind = RECORD_ENTITY, .retired = true},
	};

	assert_string_equal(draft_codes(w, changes, 3, "wpis"), "2:id:duplicate-id");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_records_have_no_problem),
		TEST(required_columns_must_be_filled),
		TEST(ids_are_checked),
		TEST(the_region_column_names_the_owner),
		TEST(values_of_an_enumeration_are_exact),
		TEST(dates_may_be_reduced_but_must_exist),
		TEST(teryt_codes_fit_together),
		TEST(a_table_tells_which_teryt_codes_exist),
		TEST(register_numbers_have_their_check_digits),
		TEST(figures_and_other_types_are_checked),
		TEST(a_membership_has_one_member_and_the_id_of_both_ends),
		TEST(a_membership_belongs_to_the_owner_of_its_network),
		TEST(the_least_and_the_most_stand_together),
		TEST(the_sector_follows_the_form),
		TEST(text_is_utf8_in_normal_form_without_control_characters),
		TEST(personal_data_is_refused_and_not_repeated),
		TEST(a_long_value_is_shown_by_its_start),
		TEST(problems_past_the_limit_are_counted),
		TEST(a_draft_is_checked_change_by_change),
		TEST(the_same_record_twice_in_a_draft_is_a_problem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
