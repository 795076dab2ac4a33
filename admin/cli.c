#include "admin/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/help.h"
#include "admin/text.h"
#include "base/limits.h"
#include "model/json.h"
#include "model/text.h"

const struct option_rule common_options[COMMON_OPTION_COUNT] = {
	{"json", 0, NULL, "JSON on standard output, errors too"},
	{"lang", 0, "pl|en", "language of the texts about data (default: from LANG)"},
	{"help", 'h', NULL, "this text"},
	{"socket", 0, "PATH", "control socket of the daemon (default: $SPLOT_SOCKET)"},
	{"config", 0, "FILE", "take the control socket from the daemon's configuration"},
};

static size_t common_count(const struct verb *verb)
{
	return verb->asks ? COMMON_OPTION_COUNT : COMMON_OPTION_COUNT - 2;
}

/* Position in cli->given of a long name or a letter; -1 when there is none. */
static int option_find(const struct verb *verb, const char *name, size_t length, char letter)
{
	for (size_t i = 0; i < verb->option_count + common_count(verb); i++) {
		const struct option_rule *rule = i < verb->option_count
							 ? &verb->options[i]
							 : &common_options[i - verb->option_count];

		if (name ? strlen(rule->name) == length && !strncmp(rule->name, name, length)
			 : rule->letter && rule->letter == letter)
			return (int)i;
	}
	return -1;
}

static const struct option_rule *option_at(const struct verb *verb, size_t i)
{
	return i < verb->option_count ? &verb->options[i] : &common_options[i - verb->option_count];
}

const char *cli_option(const struct cli *cli, const char *name)
{
	int i = option_find(cli->verb, name, strlen(name), 0);

	return i < 0 ? NULL : cli->given[i];
}

enum outcome cli_need(struct cli *cli, const char *name, const char **ret_value)
{
	const char *value = cli_option(cli, name);

	if (!value || !*value)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"--%s is missing; see splotctl %s --help", name, cli->verb->name);
	*ret_value = value;
	return DONE;
}

/* ---- parsing ---- */

/* What is recorded for good with what is done: longer than it may be, or nothing that says
 * anything, it would be refused after all else was done. */
static enum outcome check_text(struct cli *cli, const char *name, const char *value)
{
	static const struct {
		const char *name;
		size_t bytes_max;
	} texts[] = {{"reason", REASON_BYTES_MAX}, {"source", SOURCE_BYTES_MAX}};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (strcmp(texts[i].name, name) != 0)
			continue;
		if (strlen(value) > texts[i].bytes_max)
			return cli_fail(cli, MISUSED, ERR_LIMIT,
					"--%s is %zu bytes long and may have %zu: shorten it", name,
					strlen(value), texts[i].bytes_max);
		if (text_is_blank(value))
			return cli_fail(cli, MISUSED, ERR_ARGUMENT,
					"--%s is empty: it is recorded, so say what another can "
					"read there later",
					name);
	}
	return DONE;
}

/* One argument that begins with a dash; moves *at past a value that stands apart. */
static enum outcome parse_option(struct cli *cli, int argc, char **argv, int *at)
{
	const char *text = argv[*at];
	const char *equals = strchr(text, '=');
	bool is_long = text[1] == '-';
	size_t length = equals ? (size_t)(equals - text) - 2 : strlen(text) - 2;
	const struct option_rule *rule = NULL;
	const char *value = "";
	int i = -1;

	if (is_long)
		i = option_find(cli->verb, text + 2, length, 0);
	else if (!text[2])
		i = option_find(cli->verb, NULL, 0, text[1]);
	if (i < 0)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"%s: no such option of %s; see splotctl %s --help", text,
				cli->verb->name, cli->verb->name);
	rule = option_at(cli->verb, (size_t)i);
	if (rule->value && is_long && equals) {
		value = equals + 1;
	} else if (rule->value) {
		if (*at + 1 >= argc)
			return cli_fail(cli, MISUSED, ERR_ARGUMENT, "%s needs a value: %s %s", text,
					text, rule->value);
		value = argv[++*at];
	} else if (equals) {
		return cli_fail(cli, MISUSED, ERR_ARGUMENT, "--%s takes no value", rule->name);
	}
	if (cli->given[i])
		return cli_fail(cli, MISUSED, ERR_ARGUMENT, "--%s is given twice", rule->name);
	cli->given[i] = value;
	return check_text(cli, rule->name, value);
}

static enum outcome parse_arguments(struct cli *cli, int argc, char **argv)
{
	bool options = true;

	for (int i = 0; i < argc; i++) {
		if (options && !strcmp(argv[i], "--")) {
			options = false;
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			enum outcome outcome = parse_option(cli, argc, argv, &i);

			if (outcome != DONE)
				return outcome;
		} else {
			cli->operands[cli->operand_count++] = argv[i];
		}
	}
	return DONE;
}

/* Polish when the first of these that is set says so, as setlocale(3) looks them up. */
static bool environment_is_polish(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return !strncmp(value, "pl", 2);
	}
	return false;
}

static enum outcome choose_language(struct cli *cli)
{
	const char *lang = cli_option(cli, "lang");

	cli->polish = environment_is_polish();
	if (!lang)
		return DONE;
	if (strcmp(lang, "pl") != 0 && strcmp(lang, "en") != 0)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT, "--lang is pl or en, not \"%s\"", lang);
	cli->polish = !strcmp(lang, "pl");
	return DONE;
}

static enum outcome check_operands(struct cli *cli)
{
	if (cli->operand_count < cli->verb->operands_least)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"something is missing: splotctl %s %s; see splotctl %s --help",
				cli->verb->name, cli->verb->operands, cli->verb->name);
	if (cli->operand_count > cli->verb->operands_most)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"\"%s\" is too much: splotctl %s%s%s; see splotctl %s --help",
				cli->operands[cli->verb->operands_most], cli->verb->name,
				*cli->verb->operands ? " " : "", cli->verb->operands,
				cli->verb->name);
	return DONE;
}

/* "audit prove, audit check …": the verbs of a family, for a refusal; "" when it is none. */
static void family_names(const struct verb *verbs, size_t verb_count, const char *family,
			 struct buf *out)
{
	for (size_t i = 0; i < verb_count; i++)
		if (help_is_of_family(&verbs[i], family))
			buf_printf(out, "%s%s", out->size ? ", " : "", verbs[i].name);
}

/* Finds the verb that the first word or the first two words name; *ret_words of them. */
static enum outcome find_verb(struct cli *cli, const struct verb *verbs, size_t verb_count,
			      int argc, char **argv, int *ret_words)
{
	struct buf family = {0};
	enum outcome outcome = DONE;

	*ret_words = 1;
	for (size_t i = 0; i < verb_count && !cli->verb; i++) {
		if (!strcmp(verbs[i].name, argv[1])) {
			cli->verb = &verbs[i];
		} else if (argc > 2 && help_is_of_family(&verbs[i], argv[1]) &&
			   !strcmp(verbs[i].name + strlen(argv[1]) + 1, argv[2])) {
			cli->verb = &verbs[i];
			*ret_words = 2;
		}
	}
	if (cli->verb)
		return DONE;
	family_names(verbs, verb_count, argv[1], &family);
	if (!family.size)
		outcome = cli_fail(cli, MISUSED, ERR_ARGUMENT,
				   "\"%s\" is no command; splotctl --help lists them", argv[1]);
	else if (argc > 2 && argv[2][0] != '-')
		outcome = cli_fail(cli, MISUSED, ERR_ARGUMENT,
				   "\"%s %s\" is no command; there are: %s", argv[1], argv[2],
				   buf_text(&family));
	else
		outcome = cli_fail(cli, MISUSED, ERR_ARGUMENT,
				   "\"%s\" takes a second word; there are: %s", argv[1],
				   buf_text(&family));
	buf_free(&family);
	return outcome;
}

static bool asks_for_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help");
}

/* What is said without a verb: the overview, a family's, the version. */
static bool told_without_verb(const struct verb *verbs, size_t verb_count, int argc, char **argv)
{
	bool is_family = false;

	for (size_t i = 0; argc > 1 && i < verb_count; i++)
		is_family = is_family || help_is_of_family(&verbs[i], argv[1]);
	if (argc < 2)
		help_overview(stderr, "", verbs, verb_count);
	else if (asks_for_help(argv[1]))
		help_overview(stdout, "", verbs, verb_count);
	else if (is_family && argc > 2 && asks_for_help(argv[2]))
		help_overview(stdout, argv[1], verbs, verb_count);
	else if (!strcmp(argv[1], "--version"))
		(void)printf("splotctl %s\n", SPLOT_VERSION);
	else
		return false;
	return true;
}

enum outcome cli_parse(struct cli *cli, const struct verb *verbs, size_t verb_count, int argc,
		       char **argv, bool *ret_finished)
{
	enum outcome outcome = DONE;
	int words = 0;

	*ret_finished = false;
	for (int i = 1; i < argc; i++) /* known before the rest, so that every error obeys it */
		cli->json = cli->json || !strcmp(argv[i], "--json");
	if (told_without_verb(verbs, verb_count, argc, argv)) {
		*ret_finished = true;
		return argc < 2 ? MISUSED : DONE;
	}
	outcome = find_verb(cli, verbs, verb_count, argc, argv, &words);
	if (outcome != DONE)
		return outcome;
	cli->operands = calloc((size_t)argc, sizeof *cli->operands);
	if (!cli->operands)
		return cli_fail(cli, FAILED, ERR_NOMEM, "out of memory");
	outcome = parse_arguments(cli, argc - 1 - words, argv + 1 + words);
	if (outcome == DONE && cli_option(cli, "help")) {
		*ret_finished = true;
		help_verb(cli->verb);
		return DONE;
	}
	if (outcome == DONE)
		outcome = choose_language(cli);
	if (outcome == DONE)
		outcome = check_operands(cli);
	return outcome;
}

void cli_free(struct cli *cli)
{
	free(cli->operands);
	cli->operands = NULL;
	arena_free(&cli->arena);
}

/* ---- telling ---- */

enum outcome cli_fail(struct cli *cli, enum outcome outcome, enum err code, const char *format, ...)
{
	struct buf out = {0};
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (cli->json) {
		struct json j = json_to(&out);

		json_open(&j, '{');
		json_key(&j, "error");
		json_open(&j, '{');
		json_field_text(&j, "code", err_code(code));
		json_field_text(&j, "text", text ? text : err_text(code));
		json_close(&j, '}');
		json_close(&j, '}');
		(void)fprintf(stdout, "%s\n", buf_text(&out));
		buf_clear(&out);
	}
	text_escape(&out, text ? text : err_text(code));
	(void)fprintf(stderr, "splotctl%s%s: %s\n", cli->verb ? " " : "",
		      cli->verb ? cli->verb->name : "", buf_text(&out));
	buf_free(&out);
	free(text);
	return outcome;
}

enum outcome cli_print(struct cli *cli, struct buf *out)
{
	enum err e = buf_check(out);

	if (e != ERR_OK)
		return cli_fail(cli, FAILED, e, "the answer is too large: %s", err_text(e));
	if (fwrite(out->data ? out->data : (const uint8_t *)"", 1, out->size, stdout) !=
		    out->size ||
	    fflush(stdout) != 0) {
		if (errno != EPIPE) /* whoever read it has read enough */
			(void)fprintf(stderr, "splotctl %s: standard output: %s\n", cli->verb->name,
				      strerror(errno));
		return FAILED;
	}
	return DONE;
}

void cli_note(const struct cli *cli, const char *format, ...)
{
	struct buf out = {0};
	char *text = NULL;
	va_list args;

	if (cli->json)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) >= 0) {
		text_escape(&out, text);
		(void)fprintf(stderr, "%s\n", buf_text(&out));
		free(text);
	}
	va_end(args);
	buf_free(&out);
}

void cli_progress(const struct cli *cli, const char *what, size_t done, size_t total)
{
	if (cli->json || !isatty(STDERR_FILENO))
		return;
	if (total)
		(void)fprintf(stderr, "\r%s %zu/%zu\033[K", what, done, total);
	else
		(void)fputs("\r\033[K", stderr);
	(void)fflush(stderr);
}
