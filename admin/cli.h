/* The command line: verbs in a table, their options in tables, outcomes as exit codes,
 * and the one way in which a failure is told. */
#ifndef SPLOT_ADMIN_CLI_H
#define SPLOT_ADMIN_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"

/* Exit codes: stable, in the man page. */
enum outcome {
	DONE = 0,
	FAILED = 1,      /* refused by the other side, or it cannot be done here */
	MISUSED = 2,     /* the command line does not fit */
	BAD_DATA = 3,    /* rows or values with problems */
	CONFLICTED = 4,  /* somebody else changed it meanwhile */
	UNREACHABLE = 5, /* no daemon answers */
};

struct option_rule {
	const char *name;  /* without the dashes */
	char letter;       /* 0: none */
	const char *value; /* what it takes, for the help text; NULL: a flag */
	const char *help;
};

struct cli;

struct verb {
	const char *name;     /* one word, or two: "audit verify" is one of the family "audit" */
	const char *operands; /* for the help text */
	size_t operands_least, operands_most;
	const char *summary;
	const char *examples; /* lines for the help text */
	const struct option_rule *options;
	size_t option_count;
	bool asks; /* talks to a daemon: takes --socket and --config */
	enum outcome (*run)(struct cli *cli);
};

enum { CLI_OPTIONS_MAX = 24 };

struct cli {
	const struct verb *verb;
	const char **operands; /* owned */
	size_t operand_count;
	const char
		*given[CLI_OPTIONS_MAX]; /* by position: the verb's options, then the common ones */
	bool json;
	bool polish;
	struct arena arena; /* lives as long as the command */
};

/* Parses into a zeroed cli.  Anything but DONE was told already; *ret_finished when
 * nothing is left to do (help was shown). */
enum outcome cli_parse(struct cli *cli, const struct verb *verbs, size_t verb_count, int argc,
		       char **argv, bool *ret_finished);
void cli_free(struct cli *cli);

/* The value given; "" for a flag; NULL when absent. */
const char *cli_option(const struct cli *cli, const char *name);
/* As above, but absent is told as misuse. */
enum outcome cli_need(struct cli *cli, const char *name, const char **ret_value);

/* Tells what is wrong, where, and what to do next: on stderr, and with --json as
 * {"error":{"code","text"}} on stdout.  Returns `outcome`. */
enum outcome cli_fail(struct cli *cli, enum outcome outcome, enum err code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Writes the whole output to stdout; a failed write is told. */
enum outcome cli_print(struct cli *cli, struct buf *out);
/* One line for people on stderr; nothing with --json. */
void cli_note(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Progress on a terminal: overwrites its own line; `total` 0 wipes it. */
void cli_progress(const struct cli *cli, const char *what, size_t done, size_t total);

#endif
