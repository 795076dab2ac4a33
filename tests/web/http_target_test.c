#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/files.h"
#include "http/target.h"

static struct arena arena;

static enum err parse(const char *text, struct target *ret)
{
	const char *why = "";

	arena_reset(&arena);
	return target_parse(bytes_of_text(text), &arena, ret, &why);
}

static void plain_paths_are_decoded(void **state)
{
	struct target t;

	(void)state;
	assert_int_equal(parse("/", &t), ERR_OK);
	assert_string_equal(t.path, "/");
	assert_int_equal(parse("/api/v1/records/pl26-%63is-%C5%81", &t), ERR_OK);
	assert_string_equal(t.path, "/api/v1/records/pl26-cis-\xc5\x81");
	assert_int_equal(parse("/en/", &t), ERR_OK);
	assert_string_equal(t.path, "/en/");
	assert_int_equal(parse("/a+b/...", &t), ERR_OK);
	assert_string_equal(t.path, "/a+b/...");
}

static void paths_that_hide_something_are_refused(void **state)
{
	static const char *const paths[] = {
		"/../x",      "/a/../b",       "/a/..",  "/%2e%2e/x",       "/.%2e/x",
		"/a/./b",     "//a",           "/a//b",  "/a%2fb",          "/a%2Fb",
		"/a%5cb",     "/a\\b",         "/a%00b", "/a%0d%0ab",       "/a%7f",
		"/a%",        "/a%4",          "/a%zz",  "/%c0%ae%c0%ae/x", "/%c0%af",
		"/%ed%a0%80", "/%f4%90%80%80", "/%ff",   "/%e2%82",         "",
		"a",          "?a=b",
	};
	struct target t;

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (parse(paths[i], &t) != ERR_INVALID)
			fail_msg("%s was taken", paths[i]);
}

static void parameters_are_decoded_and_ordered(void **state)
{
	struct target t;

	(void)state;
	assert_int_equal(parse("/a?q=%C5%82%c3%b3d%C5%BA+b%2Bc&b&a=2&a=1&&c=x=y", &t), ERR_OK);
	assert_int_equal(t.param_count, 5);
	assert_string_equal(t.params[0].name, "a");
	assert_string_equal(t.params[0].value, "1");
	assert_string_equal(t.params[1].value, "2");
	assert_string_equal(t.params[2].name, "b");
	assert_string_equal(t.params[2].value, "");
	assert_string_equal(target_param(&t, "c"), "x=y");
	assert_string_equal(target_param(&t, "q"), "\xc5\x82\xc3\xb3"
						   "d\xc5\xba b+c");
	assert_null(target_param(&t, "d"));
	assert_int_equal(parse("/a?b=%00", &t), ERR_INVALID);
	assert_int_equal(parse("/a?b=%c0%80", &t), ERR_INVALID);
	assert_int_equal(parse("/a?%0a=1", &t), ERR_INVALID);
}

static void one_question_has_one_key(void **state)
{
	static const char *const same[] = {"/a?x=1&y=2", "/a?y=2&x=1", "/%61?x=%31&y=2&",
					   "/a?&x=1&y=2"};
	static const char *const others[] = {"/a?x=1", "/a?x=1y=2", "/a?x=1&y=2&y=2", "/a?x=&1y=2",
					     "/a/?x=1&y=2"};
	struct buf first = {.data = NULL};
	struct target t;

	(void)state;
	assert_int_equal(parse(same[0], &t), ERR_OK);
	target_key(&t, &first);
	for (size_t i = 1; i < sizeof same / sizeof *same; i++) {
		struct buf key = {.data = NULL};

		assert_int_equal(parse(same[i], &t), ERR_OK);
		target_key(&t, &key);
		assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&key)));
		buf_free(&key);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct buf key = {.data = NULL};

		assert_int_equal(parse(others[i], &t), ERR_OK);
		target_key(&t, &key);
		assert_false(bytes_equal(buf_bytes(&first), buf_bytes(&key)));
		buf_free(&key);
	}
	buf_free(&first);
}

static void too_much_is_a_limit(void **state)
{
	static char text[TARGET_PATH_MAX + 8 * TARGET_PARAMS_MAX];
	struct target t;
	size_t at = 0;

	(void)state;
	memset(text, 'a', TARGET_PATH_MAX + 1);
	text[0] = '/';
	assert_int_equal(parse(text, &t), ERR_LIMIT);
	at = (size_t)snprintf(text, sizeof text, "/a?");
	for (int i = 0; i < TARGET_PARAMS_MAX; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "&b=%d", i % 10);
	assert_int_equal(parse(text, &t), ERR_OK);
	assert_int_equal(t.param_count, TARGET_PARAMS_MAX);
	(void)snprintf(text + at, sizeof text - at, "&b");
	assert_int_equal(parse(text, &t), ERR_LIMIT);
}

static void only_names_of_an_export_are_files(void **state)
{
	static const char *const settled[] = {"26/tile/0/000", "national/tile/1/x001/234",
					      "PL-2/tile/entries/x001/x234/067"};
	static const char *const changes[] = {"policy",
					      "witnesses.vkeys",
					      "26/checkpoint",
					      "PL/log.vkey",
					      "26-2/redacted",
					      "26/tile/0/000.p/7",
					      "02/tile/entries/x001/234.p/255"};
	static const char *const none[] = {"",
					   "26",
					   "26/",
					   "README.md",
					   "26/checkpoint/",
					   "26/../PL/checkpoint",
					   "2/checkpoint",
					   "026/checkpoint",
					   "XX/checkpoint",
					   "26-/checkpoint",
					   "26/tile",
					   "26/tile/0",
					   "26/tile/0/0",
					   "26/tile/0/0000",
					   "26/tile/0/x01/234",
					   "26/tile/0/234.p",
					   "26/tile/0/234.p/",
					   "26/tile/0/234.p/2561",
					   "26/tile/entries",
					   "26/tile/0/000/..",
					   "national-2/checkpoint",
					   "26/.checkpoint.tmp",
					   "26/secret"};

	(void)state;
	for (size_t i = 0; i < sizeof settled / sizeof *settled; i++)
		assert_int_equal(file_name_kind(settled[i]), FILE_SETTLED);
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
		assert_int_equal(file_name_kind(changes[i]), FILE_CHANGES);
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		if (file_name_kind(none[i]) != FILE_NONE)
			fail_msg("%s is taken for a file", none[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_paths_are_decoded),
		cmocka_unit_test(paths_that_hide_something_are_refused),
		cmocka_unit_test(parameters_are_decoded_and_ordered),
		cmocka_unit_test(one_question_has_one_key),
		cmocka_unit_test(too_much_is_a_limit),
		cmocka_unit_test(only_names_of_an_export_are_files),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	arena_free(&arena);
	return failed;
}
