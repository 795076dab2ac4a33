#include "model/validate.h"

#include "model_support.h"

/* Ids in use: a list ended by NULL. */
static bool in_list(void *context, const char *id)
{
	const char *const *list = context;

	for (; *list; list++) {
		if (strcmp(*list, id) == 0)
			return true;
	}
	return false;
}

static bool all_taken(void *context, const char *id)
{
	(void)context;
	(void)id;
	return true;
}

static void folds_to(const char *text, const char *expected)
{
	struct buf out = {0};

	id_fold(bytes_of_text(text), &out);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void polish_text_folds_to_letters_digits_and_hyphens(void **state)
{
	(void)state;
	folds_to("Wąchock nad Łęgą", "wachock-nad-lega");
	folds_to("ZAŻÓŁĆ GĘŚLĄ JAŹŃ zażółć gęślą jaźń", "zazolc-gesla-jazn-zazolc-gesla-jazn");
	folds_to("  „Nadzieja – Rodzinie”! ", "nadzieja-rodzinie");
	folds_to("Müller & Søn, Straße 3/5", "muller-son-strasse-3-5");
	folds_to("a\xc5", "a");
	folds_to("–„”", "");
	folds_to("", "");
}

static void folding_adds_to_what_is_there(void **state)
{
	struct buf out = {0};

	(void)state;
	buf_add_text(&out, "pl26-kis-");
	id_fold(bytes_of_text("Żywiec"), &out);
	assert_string_equal(buf_text(&out), "pl26-kis-zywiec");
	buf_free(&out);
}

static void expect_id(const struct record *r, const char *const *taken, const char *expected)
{
	struct buf out = {0};

	assert_ok(id_mint(r, in_list, (void *)(uintptr_t)taken, &out));
	assert_string_equal(buf_text(&out), expected);
	assert_true(kind_of_id(buf_bytes(&out)) == record_kind(r));
	buf_free(&out);
}

static const char *const nothing[] = {NULL};

static void operators_are_named_by_their_shortest_name(void **state)
{
	static const struct {
		const char *region, *name, *id;
	} rows[] = {
		{"26", "Fundacja Pestka", "pl26-op-pestka"},
		{"26", "Stowarzyszenie Aktywności Lokalnej „Dolina Kacanki”",
		 "pl26-op-dolina-kacanki"},
		{"26", "Fundacja „Nadzieja Rodzinie” Chmielnik",
		 "pl26-op-nadzieja-rodzinie-chmielnik"},
		{"18", "MOPS Stalowa Wola", "pl18-op-mops-stalowa-wola"},
		{"06", "Miasto Chełm", "pl06-op-miasto-chelm"},
		{"08", "Stowarzyszenie Pracowników Służb Społecznych „KRĄG”", "pl08-op-krag"},
		{"PL", "Fundacja Pomimo Wszystko", "pl-op-pomimo-wszystko"},
		{"24", "Fundacja", "pl24-op-fundacja"},
		{"24", "Bardzo długa nazwa stowarzyszenia, która nie mieści się w identyfikatorze",
		 "pl24-op-bardzo-dluga-nazwa-stowarzyszenia-ktora"},
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect_id(make_record(&arena, RECORD_OPERATOR, "region", rows[i].region, "name",
				      rows[i].name, NULL),
			  nothing, rows[i].id);
	arena_free(&arena);
}

static void entities_are_named_by_place_then_operator_then_number(void **state)
{
	static const char *const first[] = {"pl26-kis-kielce", NULL};
	static const char *const second[] = {"pl26-kis-kielce", "pl26-kis-kielce-nadzieja-rodzinie",
					     NULL};
	struct arena arena = {0};
	struct record *r =
		make_record(&arena, RECORD_ENTITY, "region", "26", "kind", "KIS", "place", "Kielce",
			    "name", "KIS Kielce", "operator_id", "pl26-op-pestka", NULL);

	(void)state;
	expect_id(r, nothing, "pl26-kis-kielce");
	expect_id(r, first, "pl26-kis-kielce-pestka");
	set_field(&arena, r, "operator_id", "pl26-op-nadzieja-rodzinie-kielce");
	expect_id(r, first, "pl26-kis-kielce-nadzieja-rodzinie");
	expect_id(r, second, "pl26-kis-kielce-nadzieja-rodzinie-2");
	set_field(&arena, r, "operator_id", "");
	set_field(&arena, r, "operator_name", "Fundacja „Iskra”");
	expect_id(r, first, "pl26-kis-kielce-iskra");
	set_field(&arena, r, "operator_name", "");
	expect_id(r, first, "pl26-kis-kielce-2");
	set_field(&arena, r, "place", "Wiązownica-Kolonia");
	expect_id(r, nothing, "pl26-kis-wiazownica-kolonia");
	arena_free(&arena);
}

static void an_entity_without_place_is_named_by_its_name(void **state)
{
	static const struct {
		const char *kind, *name, *id;
	} rows[] = {
		{"WTZ", "Warsztat Terapii Zajęciowej PROM", "pl02-wtz-prom"},
		{"WTZ", "WTZ Arkadia", "pl02-wtz-arkadia"},
		{"CIS", "CIS szczecińsko-policki", "pl02-cis-szczecinsko-policki"},
		{"CIS", "Centrum Integracji Społecznej w Rumi", "pl02-cis-rumi"},
	};
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect_id(make_record(&arena, RECORD_ENTITY, "region", "02", "kind", rows[i].kind,
				      "name", rows[i].name, NULL),
			  nothing, rows[i].id);
	arena_free(&arena);
}

static void networks_memberships_and_statistics_have_their_forms(void **state)
{
	static const char *const taken[] = {"pl22-net-konwent", "pl22-net-konwent-2", NULL};
	struct arena arena = {0};
	struct record *r =
		make_record(&arena, RECORD_NETWORK, "region", "22", "form", "konwent", NULL);

	(void)state;
	expect_id(r, nothing, "pl22-net-konwent");
	expect_id(r, taken, "pl22-net-konwent-3");
	r = make_record(&arena, RECORD_MEMBERSHIP, "network_id", "pl-net-ksr", "entity_id",
			"pl26-kis-mostki", NULL);
	expect_id(r, nothing, "pl-net-ksr--pl26-kis-mostki");
	r = make_record(&arena, RECORD_STATISTIC, "region", "08", "as_of", "2019-09-20", "kind",
			"CIS", "measure", "register_count", "reported_by", "Wojewoda Lubuski",
			NULL);
	expect_id(r, nothing, "st-08-2019-09-20-cis-register-count-wojewodalubuski");
	r = make_record(&arena, RECORD_STATISTIC, "region", "PL", "as_of", "2019", "measure",
			"survey_responses", "reported_by", "organizator", NULL);
	expect_id(r, nothing, "st-pl-2019-x-survey-responses-organizator");
	arena_free(&arena);
}

static void without_what_it_is_made_of_there_is_no_id(void **state)
{
	struct arena arena = {0};
	struct record *bad[] = {
		make_record(&arena, RECORD_OPERATOR, "name", "Fundacja Pestka", NULL),
		make_record(&arena, RECORD_OPERATOR, "region", "26", NULL),
		make_record(&arena, RECORD_OPERATOR, "region", "26", "name", "„–”", NULL),
		make_record(&arena, RECORD_ENTITY, "region", "26", "place", "Kielce", NULL),
		make_record(&arena, RECORD_ENTITY, "region", "26", "kind", "KIS", NULL),
		make_record(&arena, RECORD_ENTITY, "region", "99", "kind", "KIS", "place", "Kielce",
			    NULL),
		make_record(&arena, RECORD_NETWORK, "region", "26", NULL),
		make_record(&arena, RECORD_MEMBERSHIP, "network_id", "pl-net-ksr", NULL),
		make_record(&arena, RECORD_STATISTIC, "region", "26", "measure", "x", "reported_by",
			    "y", NULL),
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct buf out = {0};

		assert_err(id_mint(bad[i], in_list, (void *)(uintptr_t)nothing, &out), ERR_INVALID);
		assert_int_equal(out.size, 0);
		buf_free(&out);
	}
	arena_free(&arena);
}

static void an_id_is_never_minted_twice(void **state)
{
	static const char *const taken[] = {"pl-net-ksr--pl26-kis-mostki", NULL};
	struct arena arena = {0};
	struct buf out = {0};
	struct record *r = make_record(&arena, RECORD_MEMBERSHIP, "network_id", "pl-net-ksr",
				       "entity_id", "pl26-kis-mostki", NULL);

	(void)state;
	assert_err(id_mint(r, in_list, (void *)(uintptr_t)taken, &out), ERR_EXISTS);
	r = make_record(&arena, RECORD_NETWORK, "region", "22", "form", "konwent", NULL);
	assert_err(id_mint(r, all_taken, NULL, &out), ERR_EXISTS);
	assert_int_equal(out.size, 0);
	buf_free(&out);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polish_text_folds_to_letters_digits_and_hyphens),
		cmocka_unit_test(folding_adds_to_what_is_there),
		cmocka_unit_test(operators_are_named_by_their_shortest_name),
		cmocka_unit_test(entities_are_named_by_place_then_operator_then_number),
		cmocka_unit_test(an_entity_without_place_is_named_by_its_name),
		cmocka_unit_test(networks_memberships_and_statistics_have_their_forms),
		cmocka_unit_test(without_what_it_is_made_of_there_is_no_id),
		cmocka_unit_test(an_id_is_never_minted_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
