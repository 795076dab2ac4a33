#include "register_support.h"

static size_t field(enum record_kind kind, const char *name)
{
	int f = field_named(kind_of(kind), name);

	assert_true(f >= 0);
	return (size_t)f;
}

static size_t row_of(struct fixture *f, enum record_kind kind, const char *id)
{
	size_t row = 0;

	assert_ok(catalog_find(f->catalog, kind, id, NULL, &row));
	return row;
}

static const char *value(struct fixture *f, enum record_kind kind, const char *id, const char *name)
{
	return catalog_text(f->catalog, kind, row_of(f, kind, id), field(kind, name));
}

static void a_record_that_was_put_is_found_with_all_it_says(void **state)
{
	struct fixture f;
	enum record_kind kind = RECORD_NONE;
	const struct row_origin *origin = NULL;
	size_t row = 99;

	(void)state;
	fixture_open(&f);
	f.now.ms = 1234567;
	put(&f, RECORD_ENTITY, "pl26-kis-nowiny", "name", "KIS Nowiny", "kind", "KIS", "place",
	    "Nowiny", NULL);
	assert_int_equal(catalog_count(f.catalog, RECORD_ENTITY), 1);
	assert_ok(catalog_find(f.catalog, RECORD_NONE, "pl26-kis-nowiny", &kind, &row));
	assert_int_equal(kind, RECORD_ENTITY);
	assert_int_equal(row, 0);
	assert_string_equal(value(&f, RECORD_ENTITY, "pl26-kis-nowiny", "place"), "Nowiny");
	assert_string_equal(value(&f, RECORD_ENTITY, "pl26-kis-nowiny", "street"), "");
	assert_string_equal(catalog_title(f.catalog, RECORD_ENTITY, row), "KIS Nowiny");
	origin = catalog_origin(f.catalog, RECORD_ENTITY, row);
	assert_string_equal(origin->log.text, "26");
	assert_int_equal(origin->index, 0);
	assert_int_equal(origin->position, 100);
	assert_int_equal(origin->recorded.ms, 1234567);
	fixture_close(&f);
}

static void a_newer_version_takes_the_place_of_the_older(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	put(&f, RECORD_ENTITY, "pl26-kis-a", "name", "A", "street", "Długa", NULL);
	put(&f, RECORD_ENTITY, "pl26-kis-b", "name", "B", NULL);
	put(&f, RECORD_ENTITY, "pl26-kis-a", "name", "A nowe", NULL);
	assert_int_equal(catalog_count(f.catalog, RECORD_ENTITY), 2);
	assert_string_equal(value(&f, RECORD_ENTITY, "pl26-kis-a", "name"), "A nowe");
	assert_string_equal(value(&f, RECORD_ENTITY, "pl26-kis-a", "street"), "");
	assert_int_equal(
		catalog_origin(f.catalog, RECORD_ENTITY, row_of(&f, RECORD_ENTITY, "pl26-kis-a"))
			->index,
		2);
	assert_int_equal(catalog_lookup(f.catalog, "Długa"), 0);
	fixture_close(&f);
}

static void a_retired_record_is_gone_and_the_others_stay(void **state)
{
	static const char *const ids[] = {"pl26-kis-a", "pl26-kis-b", "pl26-kis-c"};
	struct fixture f;
	size_t row = 0;

	(void)state;
	for (size_t gone = 0; gone < 3; gone++) {
		fixture_open(&f);
		for (size_t i = 0; i < 3; i++)
			put(&f, RECORD_ENTITY, ids[i], "name", ids[i], NULL);
		retire(&f, RECORD_ENTITY, ids[gone]);
		retire(&f, RECORD_ENTITY, ids[gone]); /* twice is once */
		retire(&f, RECORD_ENTITY, "pl26-kis-never-there");
		assert_int_equal(catalog_count(f.catalog, RECORD_ENTITY), 2);
		assert_err(catalog_find(f.catalog, RECORD_ENTITY, ids[gone], NULL, &row),
			   ERR_NOT_FOUND);
		assert_int_equal(catalog_lookup(f.catalog, ids[gone]), 0);
		for (size_t i = 0; i < 3; i++) {
			if (i != gone)
				assert_string_equal(value(&f, RECORD_ENTITY, ids[i], "name"),
						    ids[i]);
		}
		fixture_close(&f);
	}
}

static void one_id_in_two_kinds_is_two_records(void **state)
{
	struct fixture f;
	enum record_kind kind = RECORD_NONE;
	size_t row = 0;

	(void)state;
	fixture_open(&f);
	put(&f, RECORD_ENTITY, "pl26-x", "name", "jednostka", NULL);
	put(&f, RECORD_OPERATOR, "pl26-x", "name", "podmiot", NULL);
	retire(&f, RECORD_OPERATOR, "pl26-x");
	assert_ok(catalog_find(f.catalog, RECORD_NONE, "pl26-x", &kind, &row));
	assert_int_equal(kind, RECORD_ENTITY);
	assert_err(catalog_find(f.catalog, RECORD_OPERATOR, "pl26-x", NULL, &row), ERR_NOT_FOUND);
	assert_string_equal(catalog_title(f.catalog, RECORD_ENTITY, row), "jednostka");
	fixture_close(&f);
}

static void what_is_not_known_here_changes_nothing(void **state)
{
	struct fixture f;
	struct version v = {.change = {.id = "pl26-kis-a", .kind = (enum record_kind)99}};

	(void)state;
	fixture_open(&f);
	assert_ok(catalog_put(f.catalog, &v));
	v.change.kind = RECORD_NONE;
	assert_ok(catalog_put(f.catalog, &v));
	v.change.kind = RECORD_ENTITY; /* a record of another kind than its change says */
	v.change.record = record_new(&f.records, RECORD_OPERATOR);
	assert_ok(catalog_put(f.catalog, &v));
	v.change.id = "";
	v.change.record = record_new(&f.records, RECORD_ENTITY);
	assert_ok(catalog_put(f.catalog, &v));
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++)
		assert_int_equal(catalog_count(f.catalog, (enum record_kind)k), 0);
	assert_int_equal(catalog_count(f.catalog, RECORD_NONE), 0);
	assert_string_equal(catalog_text(f.catalog, RECORD_ENTITY, 0, 0), "");
	assert_int_equal(catalog_origin(f.catalog, RECORD_NONE, 7)->position, 0);
	fixture_close(&f);
}

static void the_same_text_is_one_number_and_names_are_told_by_kind(void **state)
{
	struct fixture f;
	size_t place = field(RECORD_ENTITY, "place");

	(void)state;
	fixture_open(&f);
	put(&f, RECORD_ENTITY, "pl26-kis-a", "name", "Nowiny", "place", "Nowiny", NULL);
	put(&f, RECORD_ENTITY, "pl26-kis-b", "place", "Nowiny", NULL);
	put(&f, RECORD_NETWORK, "pl26-net-a", "name_pl", "Konwent", NULL);
	put(&f, RECORD_STATISTIC, "st-26-a", "measure", "active_count", NULL);
	assert_int_equal(catalog_value(f.catalog, RECORD_ENTITY, 0, place),
			 catalog_value(f.catalog, RECORD_ENTITY, 1, place));
	assert_int_equal(catalog_lookup(f.catalog, "Nowiny"),
			 catalog_column(f.catalog, RECORD_ENTITY, place)[1]);
	assert_string_equal(catalog_of(f.catalog, catalog_lookup(f.catalog, "Nowiny")), "Nowiny");
	assert_string_equal(catalog_title(f.catalog, RECORD_ENTITY, 1), "pl26-kis-b");
	assert_string_equal(catalog_title(f.catalog, RECORD_NETWORK, 0), "Konwent");
	assert_string_equal(catalog_title(f.catalog, RECORD_STATISTIC, 0), "st-26-a");
	retire(&f, RECORD_ENTITY, "pl26-kis-a");
	assert_int_not_equal(catalog_lookup(f.catalog, "Nowiny"), 0); /* the other still has it */
	retire(&f, RECORD_ENTITY, "pl26-kis-b");
	assert_int_equal(catalog_lookup(f.catalog, "Nowiny"), 0);
	fixture_close(&f);
}

static void texts_have_a_folded_form_and_a_sort_key(void **state)
{
	struct fixture f;
	text_id lodz = 0;
	text_id mielec = 0;

	(void)state;
	fixture_open(&f);
	put(&f, RECORD_ENTITY, "pl10-kis-a", "place", "Łódź", "status", "active", NULL);
	put(&f, RECORD_ENTITY, "pl10-kis-b", "place", "Mielec", NULL);
	lodz = catalog_lookup(f.catalog, "Łódź");
	mielec = catalog_lookup(f.catalog, "Mielec");
	assert_string_equal(catalog_folded(f.catalog, lodz), "lodz");
	assert_string_equal(catalog_folded(f.catalog, catalog_lookup(f.catalog, "active")), "");
	assert_string_equal(catalog_folded(f.catalog, 0), "");
	assert_true(bytes_compare(catalog_sort_key(f.catalog, lodz),
				  catalog_sort_key(f.catalog, mielec)) < 0);
	assert_int_equal(catalog_sort_key(f.catalog, 0).size, 0);
	fixture_close(&f);
}

static void the_owner_says_where_it_stands(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f);
	assert_int_equal(catalog_position(f.catalog), 0);
	assert_int_equal(catalog_time(f.catalog).ms, 0);
	catalog_stands_at(f.catalog, 7, (struct wall_ms){1234});
	assert_int_equal(catalog_position(f.catalog), 7);
	assert_int_equal(catalog_time(f.catalog).ms, 1234);
	fixture_close(&f);
}

/* Every record gets texts that no record had before, as long ones as the model allows now and
 * then, over and over: what is held must not grow with the number of versions. */
static void memory_does_not_grow_with_the_versions(void **state)
{
	enum { RECORDS = 200, ROUNDS = 40 };
	struct fixture f;
	char *longest = test_malloc(FIELD_BYTES_MAX + 1);
	char id[64];
	char name[64];
	size_t after_two = 0;
	size_t texts_after_two = 0;

	(void)state;
	fixture_open(&f);
	memset(longest, 'x', FIELD_BYTES_MAX);
	longest[FIELD_BYTES_MAX] = 0;
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < RECORDS; i++) {
			(void)snprintf(id, sizeof id, "pl26-kis-%d", i);
			(void)snprintf(name, sizeof name, "Klub %d, wersja %d", i, round);
			(void)snprintf(longest, 64, "uwaga %d %d", i, round);
			longest[strlen(longest)] = ' ';
			put(&f, RECORD_ENTITY, id, "name", name, "source_note",
			    i % 10 ? "" : longest, NULL);
		}
		(void)found(&f, RECORD_ENTITY, "sort=name&q=wersja&limit=5");
		(void)found(&f, RECORD_ENTITY, "sort=source_note&limit=5");
		arena_reset(&f.answers);
		if (round == 1) {
			after_two = catalog_memory(f.catalog);
			texts_after_two = catalog_texts(f.catalog);
		}
	}
	assert_in_range(catalog_memory(f.catalog), 1, after_two + after_two / 4);
	assert_in_range(catalog_texts(f.catalog), 1, texts_after_two + texts_after_two / 10);
	for (int i = 0; i < RECORDS; i++) {
		(void)snprintf(id, sizeof id, "pl26-kis-%d", i);
		retire(&f, RECORD_ENTITY, id);
	}
	assert_in_range(catalog_memory(f.catalog), 1, after_two / 2);
	test_free(longest);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_that_was_put_is_found_with_all_it_says),
		cmocka_unit_test(a_newer_version_takes_the_place_of_the_older),
		cmocka_unit_test(a_retired_record_is_gone_and_the_others_stay),
		cmocka_unit_test(one_id_in_two_kinds_is_two_records),
		cmocka_unit_test(what_is_not_known_here_changes_nothing),
		cmocka_unit_test(the_same_text_is_one_number_and_names_are_told_by_kind),
		cmocka_unit_test(texts_have_a_folded_form_and_a_sort_key),
		cmocka_unit_test(the_owner_says_where_it_stands),
		cmocka_unit_test(memory_does_not_grow_with_the_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
