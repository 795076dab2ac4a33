#include "model/record.h"

#include "model_support.h"

#include "base/limits.h"

static const enum record_kind kinds[] = {RECORD_OPERATOR, RECORD_ENTITY, RECORD_NETWORK,
					 RECORD_MEMBERSHIP, RECORD_STATISTIC};

static void every_kind_has_rules_that_agree_with_the_schema(void **state)
{
	size_t columns = 0;

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		const struct kind *kind = kind_of(kinds[i]);

		assert_non_null(kind);
		assert_int_equal(kind->kind, kinds[i]);
		assert_ptr_equal(kind_named(kind->name), kind);
		assert_ptr_equal(kind_named(kind->plural), kind);
		assert_string_equal(kind->fields[0].name, "id");
		columns += kind->field_count;
	}
	assert_int_equal(columns, 100);
	assert_null(kind_of(RECORD_NONE));
	assert_null(kind_of((enum record_kind)8));
	assert_null(kind_named("persons"));
}

static void rules_are_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		const struct kind *kind = kind_of(kinds[i]);

		for (size_t f = 0; f < kind->field_count; f++) {
			const struct field *field = &kind->fields[f];

			assert_true(*field->label_pl && *field->label_en);
			assert_int_equal(field->type == FIELD_ENUM, *field->values != 0);
			assert_int_equal(field->type == FIELD_REF, field->refers_to != RECORD_NONE);
			assert_int_equal(field_named(kind, field->name), f);
		}
	}
}

static void ten_columns_of_an_entity_count_for_completeness(void **state)
{
	const struct kind *kind = kind_of(RECORD_ENTITY);
	size_t counted = 0;

	(void)state;
	for (size_t f = 0; f < kind->field_count; f++)
		counted += kind->fields[f].completeness;
	assert_int_equal(counted, 10);
	assert_true(kind->fields[field_named(kind, "participants_total")].completeness);
	assert_false(kind->fields[field_named(kind, "name")].completeness);
}

static void an_id_says_its_kind(void **state)
{
	static const struct {
		const char *id;
		enum record_kind kind;
	} rows[] = {
		{"pl26-op-pestka", RECORD_OPERATOR},
		{"pl-op-x", RECORD_OPERATOR},
		{"pl26-kis-op-x", RECORD_ENTITY},
		{"pl22-net-konwent", RECORD_NETWORK},
		{"pl-net-ksr", RECORD_NETWORK},
		{"pl-net-ksr--pl26-kis-nowiny", RECORD_MEMBERSHIP},
		{"st-26-2019-kis-x-y", RECORD_STATISTIC},
		{"pl26-kis-nowiny", RECORD_ENTITY},
		{"", RECORD_ENTITY},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(kind_of_id(bytes_of_text(rows[i].id)), rows[i].kind);
}

static void a_new_record_is_empty_and_keeps_what_is_set(void **state)
{
	struct arena arena = {0};
	struct record *r = record_new(&arena, RECORD_STATISTIC);
	const struct kind *kind = record_info(r);

	(void)state;
	for (size_t f = 0; f < kind->field_count; f++)
		assert_string_equal(record_get(r, f), "");
	set_field(&arena, r, "value", "49.0");
	assert_string_equal(record_get_named(r, "value"), "49.0");
	set_field(&arena, r, "value", "");
	assert_string_equal(record_get_named(r, "value"), "");
	assert_string_equal(record_get_named(r, "no such field"), "");
	assert_string_equal(record_get(r, kind->field_count), "");
	assert_null(record_new(&arena, RECORD_NONE));
	arena_free(&arena);
}

static void a_field_that_is_too_long_or_holds_a_nul_is_refused(void **state)
{
	struct arena arena = {0};
	struct record *r = record_new(&arena, RECORD_OPERATOR);
	static uint8_t text[FIELD_BYTES_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof text);
	assert_err(record_set(r, &arena, 1, bytes_of(text, sizeof text)), ERR_LIMIT);
	assert_string_equal(record_get(r, 1), "");
	assert_ok(record_set(r, &arena, 1, bytes_of(text, FIELD_BYTES_MAX)));
	assert_err(record_set(r, &arena, 1, bytes_of("a\0b", 3)), ERR_ENCODING);
	assert_err(record_set(r, &arena, 99, bytes_of_text("x")), ERR_ARGUMENT);
	assert_int_equal(strlen(record_get(r, 1)), FIELD_BYTES_MAX);
	arena_free(&arena);
}

static void a_copy_is_the_same_and_stands_alone(void **state)
{
	struct arena arena = {0};
	struct arena other = {0};
	struct record *r = make_record(&arena, RECORD_OPERATOR, "id", "pl26-op-pestka", "name",
				       "Fundacja Pestka", NULL);
	struct record *copy = record_copy(&other, r);

	(void)state;
	assert_true(record_same(r, copy));
	set_field(&arena, r, "name", "Pestka");
	assert_false(record_same(r, copy));
	arena_free(&arena);
	assert_string_equal(record_get_named(copy, "name"), "Fundacja Pestka");
	assert_false(record_same(copy, record_new(&other, RECORD_NETWORK)));
	arena_free(&other);
}

static void without_memory_there_is_no_record(void **state)
{
	struct arena arena = {.limit_bytes = 64};
	struct arena enough = {0};

	(void)state;
	assert_null(record_new(&arena, RECORD_ENTITY));
	assert_null(record_copy(&arena, record_new(&enough, RECORD_ENTITY)));
	arena_free(&arena);
	arena_free(&enough);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_rules_that_agree_with_the_schema),
		cmocka_unit_test(rules_are_whole),
		cmocka_unit_test(ten_columns_of_an_entity_count_for_completeness),
		cmocka_unit_test(an_id_says_its_kind),
		cmocka_unit_test(a_new_record_is_empty_and_keeps_what_is_set),
		cmocka_unit_test(a_field_that_is_too_long_or_holds_a_nul_is_refused),
		cmocka_unit_test(a_copy_is_the_same_and_stands_alone),
		cmocka_unit_test(without_memory_there_is_no_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
