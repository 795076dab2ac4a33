#include "io/program.h"

#include <getopt.h>
#include <malloc.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/limits.h"
#include "base/log.h"

void program_protect(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	/* The limit alone does not hold where cores are piped to a program. */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

void program_keep_memory_small(int large_bytes)
{
	enum { ARENAS = 2 };

	(void)mallopt(M_ARENA_MAX, ARENAS);
	(void)mallopt(M_MMAP_THRESHOLD, large_bytes);
	(void)mallopt(M_TRIM_THRESHOLD, large_bytes);
}

static bool take_descriptors(void)
{
	struct rlimit most;

	if (getrlimit(RLIMIT_NOFILE, &most) != 0)
		return true;
	if (most.rlim_max == RLIM_INFINITY || most.rlim_max >= DESCRIPTORS_LEAST) {
		if (most.rlim_cur >= DESCRIPTORS_LEAST)
			return true;
		most.rlim_cur = DESCRIPTORS_LEAST;
		if (setrlimit(RLIMIT_NOFILE, &most) == 0)
			return true;
	}
	log_line(LOG_ERROR,
		 "%llu file descriptors are too few, %d are needed: raise the limit (`ulimit -n`, "
		 "LimitNOFILE of the unit) and start again",
		 (unsigned long long)most.rlim_max, DESCRIPTORS_LEAST);
	return false;
}

bool program_read_options(const struct program *p, int argc, char **argv,
			  struct program_options *ret, enum exit_status *ret_status)
{
	static const struct option table[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 't'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct program_options options = {.config = NULL};
	int option = 0;

	*ret_status = EXIT_STOPPED;
	while ((option = getopt_long(argc, argv, "c:tVh", table, NULL)) != -1) {
		switch (option) {
		case 'c':
			options.config = optarg;
			break;
		case 't':
			options.check = true;
			break;
		case 'V':
			(void)printf("%s %s\n", p->name, p->version);
			return false;
		case 'h':
			(void)fputs(p->help, stdout);
			return false;
		default:
			*ret_status = EXIT_USAGE;
			return false;
		}
	}
	if (options.config && optind == argc) {
		*ret = options;
		return true;
	}
	(void)fprintf(stderr, "%s: %s; try %s --help\n", p->name,
		      options.config ? "only options are taken" : "--config FILE is missing",
		      p->name);
	*ret_status = EXIT_USAGE;
	return false;
}

bool program_begin(const struct program *p, int argc, char **argv, struct program_options *ret,
		   enum exit_status *ret_status)
{
	program_protect();
	/* A daemon that began itself anew would be called "exe" by whoever lists processes. */
	(void)prctl(PR_SET_NAME, p->name, 0, 0, 0);
	if (!program_read_options(p, argc, argv, ret, ret_status))
		return false;
	*ret_status = EXIT_CONFIG;
	return take_descriptors();
}
