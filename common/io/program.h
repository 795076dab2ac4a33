/* How every program begins: it shuts itself in, and a daemon reads its options.
 *
 * Layer: io. */
#ifndef SPLOT_IO_PROGRAM_H
#define SPLOT_IO_PROGRAM_H

#include <stdbool.h>

#include "base/error.h"

/* What a daemon's end says to whoever would start it again. */
enum exit_status {
	EXIT_STOPPED = 0, /* asked to stop, stopped cleanly */
	EXIT_FAILED = 1,  /* starting again may help */
	EXIT_USAGE = 2,
	EXIT_CONFIG = 3,    /* configuration or keys cannot be used */
	EXIT_UNTRUSTED = 4, /* the store cannot be trusted: a person must act */
};

/* No core dumps, no ptrace and no look into the memory by others, no gain of rights by what is
 * begun from here.  Call first in main. */
void program_protect(void);
/* What is as large as `large_bytes` or larger goes back to the system when it is freed, instead of
 * staying with the thread that was the last to free some: for what is large and short-lived. */
void program_keep_memory_small(int large_bytes);

struct program {
	const char *name, *version;
	const char *help; /* what --help prints */
};

struct program_options {
	const char *config;
	bool check;
};

/* The options of a daemon: --config FILE, --check, --version, --help.  True when it goes on; else
 * `ret_status` is what it ends with. */
bool program_read_options(const struct program *p, int argc, char **argv,
			  struct program_options *ret, enum exit_status *ret_status);
/* How a daemon begins: protected, under its name, with its options, and with file descriptors
 * enough, the soft limit raised where that is needed: without them libzmq ends the process.  True
 * when it goes on; else what is wrong was told, and `ret_status` is what it ends with. */
MUST_USE bool program_begin(const struct program *p, int argc, char **argv,
			    struct program_options *ret, enum exit_status *ret_status);

#endif
