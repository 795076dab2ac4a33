/* --as-of and --at: of which state of the register an answer is.  An as-of is always a prefix
 * of each log: what was recorded up to then. */
#ifndef SPLOT_ADMIN_AS_OF_H
#define SPLOT_ADMIN_AS_OF_H

#include "admin/ask.h"

/* clang-format off */
#define AS_OF_OPTIONS                                                                              \
	{"as-of", 0, "DATE|SIZE", "as it was at the end of that day in Warsaw, or at that size of the log"}, \
	{"at", 0, "SIZE", "as it was when the log (of a server: the national log) had that size"}
/* clang-format on */

/* Whether the command line asks for another state than that of now; *ret_text: how, for people.
 * What does not fit was told. */
enum outcome as_of_check(struct cli *cli, const char **ret_text);
/* The position to ask for, found by asking the daemon (waiting for a view that is behind); 0:
 * as it is now.  A state that is not there was told. */
enum outcome as_of_find(struct link *l, uint64_t *ret_at);

#endif
