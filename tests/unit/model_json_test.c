#include "model/json.h"

#include "model_support.h"

static void commas_stand_between_items_only(void **state)
{
	struct buf out = {0};
	struct json j = json_to(&out);

	(void)state;
	json_open(&j, '{');
	json_field_text(&j, "a", "x");
	json_key(&j, "b");
	json_open(&j, '[');
	json_close(&j, ']');
	json_key(&j, "c");
	json_open(&j, '[');
	json_uint(&j, UINT64_MAX);
	json_int(&j, -5);
	json_open(&j, '{');
	json_close(&j, '}');
	json_null(&j);
	json_decimal(&j, 49, 2);
	json_decimal(&j, 12000001, 6);
	json_close(&j, ']');
	json_field_bool(&j, "d", true);
	json_field_uint(&j, "e", 1);
	json_field_int(&j, "f", -1);
	json_close(&j, '}');
	assert_string_equal(buf_text(&out),
			    "{\"a\":\"x\",\"b\":[],\"c\":[18446744073709551615,-5,{},null,0.49,"
			    "12.000001],"
			    "\"d\":true,\"e\":1,\"f\":-1}");
	buf_free(&out);
}

static void texts_are_escaped(void **state)
{
	struct buf out = {0};
	struct json j = json_to(&out);

	(void)state;
	json_text(&j, "„ż\" \\ / \b\f\n\r\t\x01\x1f\x7f");
	assert_string_equal(buf_text(&out),
			    "\"„ż\\\" \\\\ / \\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\"");
	buf_clear(&out);
	json_bytes_text(&j, bytes_of("a\0b", 3));
	assert_string_equal(buf_text(&out), "\"a\\u0000b\"");
	buf_clear(&out);
	json_text(&j, NULL);
	assert_string_equal(buf_text(&out), "\"\"");
	buf_free(&out);
}

static void invalid_bytes_become_a_replacement_character(void **state)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{"a\xc5", "\"a\xef\xbf\xbd\""},
		{"\xb3x", "\"\xef\xbf\xbdx\""},
		{"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
		{"\xf0\x9f\x99\x82", "\"\xf0\x9f\x99\x82\""},
	};
	struct buf out = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct json j = json_to(&out);

		buf_clear(&out);
		json_text(&j, rows[i].from);
		assert_string_equal(buf_text(&out), rows[i].to);
	}
	buf_free(&out);
}

static void unknown_fields_of_a_record_are_null(void **state)
{
	struct arena arena = {0};
	struct buf out = {0};
	struct json j = json_to(&out);
	struct record *r = make_record(&arena, RECORD_MEMBERSHIP, "id",
				       "pl-net-ksr--pl26-kis-bilcza", "since", "2019-05-01", NULL);

	(void)state;
	json_record(&j, r);
	assert_string_equal(
		buf_text(&out),
		"{\"id\":\"pl-net-ksr--pl26-kis-bilcza\",\"network_id\":null,\"entity_id\":null,"
		"\"operator_id\":null,\"role\":null,\"certainty\":null,\"since\":\"2019-05-01\","
		"\"until\":null,\"as_of\":null,\"source\":null,\"note\":null}");
	buf_free(&out);
	arena_free(&arena);
}

static void a_version_tells_its_circumstances(void **state)
{
	struct buf out = {0};
	struct json j = json_to(&out);
	struct version v = {.position = 9,
			    .index = 4,
			    .recorded = {1559606400123},
			    .editor = "e07",
			    .reason = "r",
			    .source = "s",
			    .change = {.id = "pl26-op-x",
				       .has_supersedes = true,
				       .supersedes = 0,
				       .kind = RECORD_OPERATOR,
				       .retired = true}};

	(void)state;
	assert_ok(log_name_parse(bytes_of_text("26"), &v.log));
	json_version(&j, &v);
	assert_string_equal(
		buf_text(&out),
		"{\"kind\":\"operator\",\"id\":\"pl26-op-x\",\"log\":\"26\",\"index\":4,"
		"\"position\":9,\"recorded\":\"2019-06-04T00:00:00.123Z\",\"editor\":\"e07\","
		"\"reason\":\"r\",\"source\":\"s\",\"retired\":true,\"supersedes\":0,"
		"\"record\":null}");
	buf_free(&out);
}

static void nesting_without_end_spoils_the_output_only(void **state)
{
	struct buf out = {0};
	struct json j = json_to(&out);

	(void)state;
	for (int i = 0; i < 1000; i++)
		json_open(&j, '[');
	assert_int_not_equal(buf_check(&out), ERR_OK);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_stand_between_items_only),
		cmocka_unit_test(texts_are_escaped),
		cmocka_unit_test(invalid_bytes_become_a_replacement_character),
		cmocka_unit_test(unknown_fields_of_a_record_are_null),
		cmocka_unit_test(a_version_tells_its_circumstances),
		cmocka_unit_test(nesting_without_end_spoils_the_output_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
