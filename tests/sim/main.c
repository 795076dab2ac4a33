/* splot-sim: plays seeds; a seed that fails tells its story and how to play it again. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "run.h"

static const char USAGE[] =
	"usage: splot-sim [--seeds N] [--from S] [--jobs J] [--record FILE] [--verbose]\n"
	"       splot-sim --long [--from S] [--jobs J] [--record FILE]\n"
	"       splot-sim --list FILE [--jobs J]\n"
	"       splot-sim --lying-disks [--seeds N] [--from S]\n"
	"Plays N seeds (100; --long: 100,000) from S (1) on, J (1) at a time, or those of a\n"
	"file, one at the beginning of each line; exits 1 at the first that fails.\n"
	"--lying-disks loses a commit that was confirmed now and then: that has to be noticed.\n"
	"--record adds a line about them to the file that docs/RELIABILITY.md is made from.\n";

enum { LIST_MAX = 4096, LONG_SEEDS = 100000 };

static int usage(FILE *to)
{
	(void)fputs(USAGE, to);
	return to == stdout ? 0 : 2;
}

static bool number(const char *text, uint64_t *ret)
{
	char *end = NULL;

	*ret = text ? strtoull(text, &end, 10) : 0;
	return text && *text >= '0' && *text <= '9' && *end == '\0';
}

/* Lines that begin with a number; what follows it says what that seed found. */
static bool read_list(const char *path, struct run *run)
{
	FILE *f = path ? fopen(path, "r") : NULL;
	char line[256];

	if (!f)
		return false;
	run->list = calloc(LIST_MAX, sizeof(*run->list));
	run->seeds = 0;
	while (run->list && run->seeds < LIST_MAX && fgets(line, sizeof(line), f)) {
		char *end = NULL;
		uint64_t seed = strtoull(line, &end, 10);

		if (end != line)
			run->list[run->seeds++] = seed;
	}
	(void)fclose(f);
	return run->list && run->seeds > 0;
}

static bool flag(const char *name, struct run *run)
{
	if (strcmp(name, "--verbose") == 0)
		run->verbose = true;
	else if (strcmp(name, "--lying-disks") == 0)
		run->lying_disks = true;
	else if (strcmp(name, "--long") == 0)
		run->seeds = LONG_SEEDS;
	else
		return false;
	return true;
}

static bool option(const char *name, const char *value, struct run *run)
{
	if (strcmp(name, "--seeds") == 0)
		return number(value, &run->seeds);
	if (strcmp(name, "--from") == 0)
		return number(value, &run->from);
	if (strcmp(name, "--jobs") == 0)
		return number(value, &run->jobs) && run->jobs > 0 && run->jobs <= JOBS_MAX;
	if (strcmp(name, "--list") == 0)
		return read_list(value, run);
	run->record = value;
	return value && strcmp(name, "--record") == 0;
}

int main(int argc, char **argv)
{
	struct run run = {.seeds = 100, .from = 1, .jobs = 1};
	int status = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return usage(stdout);
		if (flag(argv[i], &run))
			continue;
		if (!option(argv[i], argv[i + 1], &run))
			return usage(stderr);
		i++;
	}
	log_level((enum log_priority)0); /* the parts of splot-server in here say nothing */
	if (sodium_init() < 0)
		return 3;
	status = run_seeds(&run);
	free(run.list);
	return status;
}
