#include "admin.h"

#include "admin/cli.h"
#include "admin/settings.h"
#include "base/limits.h"

/* A command with one flag and one option that takes a value. */
static enum outcome run(struct cli *cli)
{
	(void)cli;
	return DONE;
}

static const struct option_rule options[] = {
	{"dry-run", 'n', NULL, "touch nothing"},
	{"output", 'o', "FILE", "where to"},
	{"reason", 0, "TEXT", "why"},
	{"source", 0, "TEXT", "what it follows"},
};

static const struct verb verbs[] = {
	{.name = "do",
	 .operands = "WHAT [MORE]",
	 .operands_least = 1,
	 .operands_most = 2,
	 .summary = "does it",
	 .examples = "",
	 .options = options,
	 .option_count = sizeof options / sizeof *options,
	 .asks = true,
	 .run = run},
	{.name = "keys", .operands = "", .summary = "asks nobody", .examples = "", .run = run},
	{.name = "audit prove",
	 .operands = "[WHAT]",
	 .operands_most = 1,
	 .summary = "one of a family",
	 .examples = "",
	 .run = run},
	{.name = "audit check", .operands = "", .summary = "another", .examples = "", .run = run},
	{.name = "auditor", .operands = "", .summary = "of no family", .examples = "", .run = run},
};

static struct cli cli;

static enum outcome parse(const char *const *words)
{
	char *argv[16] = {NULL};
	static char copies[16][REASON_BYTES_MAX + 2];
	bool finished = false;
	int argc = 0;

	cli_free(&cli);
	cli = (struct cli){0};
	for (; words[argc]; argc++) {
		(void)snprintf(copies[argc], sizeof copies[argc], "%s", words[argc]);
		argv[argc] = copies[argc];
	}
	return cli_parse(&cli, verbs, sizeof verbs / sizeof *verbs, argc, argv, &finished);
}

#define PARSE(...) parse((const char *const[]){"splotctl", __VA_ARGS__, NULL})

static int tear_down(void **state)
{
	(void)state;
	cli_free(&cli);
	return 0;
}

static void options_and_operands_come_in_any_order(void **state)
{
	(void)state;
	assert_int_equal(PARSE("do", "--output", "f", "a", "--dry-run", "b"), DONE);
	assert_int_equal(cli.operand_count, 2);
	assert_string_equal(cli.operands[0], "a");
	assert_string_equal(cli.operands[1], "b");
	assert_string_equal(cli_option(&cli, "output"), "f");
	assert_non_null(cli_option(&cli, "dry-run"));
	assert_null(cli_option(&cli, "socket"));
}

static void values_may_stand_apart_or_behind_an_equals_sign_or_a_letter(void **state)
{
	(void)state;
	assert_int_equal(PARSE("do", "--output=a=b", "x"), DONE);
	assert_string_equal(cli_option(&cli, "output"), "a=b");
	assert_int_equal(PARSE("do", "-n", "-o", "c", "x"), DONE);
	assert_string_equal(cli_option(&cli, "output"), "c");
	assert_non_null(cli_option(&cli, "dry-run"));
}

static void two_dashes_end_the_options(void **state)
{
	(void)state;
	assert_int_equal(PARSE("do", "--", "--dry-run", "-x"), DONE);
	assert_int_equal(cli.operand_count, 2);
	assert_null(cli_option(&cli, "dry-run"));
}

static void what_does_not_fit_is_misuse(void **state)
{
	(void)state;
	assert_int_equal(PARSE("undo"), MISUSED);
	assert_int_equal(PARSE("do"), MISUSED);
	assert_int_equal(PARSE("do", "a", "b", "c"), MISUSED);
	assert_int_equal(PARSE("do", "a", "--frob"), MISUSED);
	assert_int_equal(PARSE("do", "a", "--output"), MISUSED);
	assert_int_equal(PARSE("do", "a", "--dry-run=yes"), MISUSED);
	assert_int_equal(PARSE("do", "a", "--output", "x", "-o", "y"), MISUSED);
	assert_int_equal(PARSE("do", "a", "--lang", "de"), MISUSED);
}

static void a_reason_says_something_and_no_more_than_is_kept(void **state)
{
	static const char *const blank[] = {"", " ", "\t\n ", "\u00a0", "\u200b \u3000"};
	static const char *const names[] = {"--reason", "--source"};
	char text[REASON_BYTES_MAX + 2];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		memset(text, 'x', sizeof text);
		text[REASON_BYTES_MAX + 1] = 0;
		assert_int_equal(PARSE("do", "a", names[i], text), MISUSED);
		text[REASON_BYTES_MAX] = 0;
		assert_int_equal(PARSE("do", "a", names[i], text), DONE);
		for (size_t k = 0; k < sizeof blank / sizeof *blank; k++)
			assert_int_equal(PARSE("do", "a", names[i], blank[k]), MISUSED);
		assert_int_equal(PARSE("do", "a", names[i], "\u00a0ż "), DONE);
	}
	assert_int_equal(PARSE("do", "a", "--output", " "), DONE);
}

static void a_verb_of_two_words_is_found_and_its_second_word_is_no_operand(void **state)
{
	(void)state;
	assert_int_equal(PARSE("audit", "prove", "--json", "x"), DONE);
	assert_string_equal(cli.verb->name, "audit prove");
	assert_int_equal(cli.operand_count, 1);
	assert_string_equal(cli.operands[0], "x");
	assert_int_equal(PARSE("audit", "check"), DONE);
	assert_string_equal(cli.verb->name, "audit check");
	assert_int_equal(PARSE("auditor"), DONE);
	assert_string_equal(cli.verb->name, "auditor");
	assert_int_equal(PARSE("audit", "--help"), DONE);
	assert_null(cli.verb);
}

static void half_a_verb_or_an_unknown_second_word_is_misuse(void **state)
{
	(void)state;
	assert_int_equal(PARSE("audit"), MISUSED);
	assert_int_equal(PARSE("audit", "--json"), MISUSED);
	assert_int_equal(PARSE("audit", "probe"), MISUSED);
	assert_int_equal(PARSE("audit", "prove", "check", "x"), MISUSED);
	assert_int_equal(PARSE("prove"), MISUSED);
	assert_int_equal(PARSE("audi", "prove"), MISUSED);
}

static void only_commands_that_ask_take_a_socket(void **state)
{
	(void)state;
	assert_int_equal(PARSE("do", "a", "--socket", "s"), DONE);
	assert_int_equal(PARSE("keys", "--json"), DONE);
	assert_true(cli.json);
	assert_int_equal(PARSE("keys", "--socket", "s"), MISUSED);
}

static void the_language_follows_the_environment_unless_told(void **state)
{
	(void)state;
	assert_int_equal(setenv("LC_ALL", "pl_PL.UTF-8", 1), 0);
	assert_int_equal(PARSE("keys"), DONE);
	assert_true(cli.polish);
	assert_int_equal(PARSE("keys", "--lang", "en"), DONE);
	assert_false(cli.polish);
	assert_int_equal(setenv("LC_ALL", "C", 1), 0);
	assert_int_equal(PARSE("keys"), DONE);
	assert_false(cli.polish);
}

/* ---- the daemon's configuration ---- */

static void expect_control(const char *text, const char *section, const char *value)
{
	struct arena arena = {0};
	const char *found_section = NULL;
	const char *found = settings_find(&arena, text, "control", &found_section);

	if (section)
		assert_string_equal(found_section, section);
	else
		assert_null(found_section);
	if (value)
		assert_string_equal(found, value);
	else
		assert_null(found);
	arena_free(&arena);
}

static void the_control_socket_is_found_in_its_own_section_only(void **state)
{
	(void)state;
	expect_control("[node]\nkeys = k\ncontrol = /run/a.sock\n", "node", "/run/a.sock");
	expect_control("; x\r\n[server]\r\n  control=b.sock ; ours\r\n", "server", "b.sock");
	expect_control("[server.centrum]\ncontrol = x\n[node]\ncontrol-mode = 0660\n", "node",
		       NULL);
	expect_control("[node]\n[editors]\ncontrol = e01\n", "node", NULL);
	expect_control("control = x\n", NULL, NULL);
	expect_control("", NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_operands_come_in_any_order),
		cmocka_unit_test(values_may_stand_apart_or_behind_an_equals_sign_or_a_letter),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(what_does_not_fit_is_misuse),
		cmocka_unit_test(a_reason_says_something_and_no_more_than_is_kept),
		cmocka_unit_test(a_verb_of_two_words_is_found_and_its_second_word_is_no_operand),
		cmocka_unit_test(half_a_verb_or_an_unknown_second_word_is_misuse),
		cmocka_unit_test(only_commands_that_ask_take_a_socket),
		cmocka_unit_test(the_language_follows_the_environment_unless_told),
		cmocka_unit_test(the_control_socket_is_found_in_its_own_section_only),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
