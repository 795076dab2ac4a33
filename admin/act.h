/* Administrative acts: one request whose answer is "done". */
#ifndef SPLOT_ADMIN_ACT_H
#define SPLOT_ADMIN_ACT_H

#include "admin/ask.h"

/* Asks and prints `done` (no newline), or with --json what was done, to which log or server,
 * why, and the reply's numbers.  `next` goes to stderr for people; NULL: nothing is left to do. */
enum outcome act(struct cli *cli, const struct control_request *q, const char *done,
		 const char *next);

#endif
