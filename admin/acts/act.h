/* Administrative acts: one request whose answer is "done". */
#ifndef SPLOT_ADMIN_ACTS_ACT_H
#define SPLOT_ADMIN_ACTS_ACT_H

#include "admin/ask.h"

/* Of an act that needs nothing but its reason. */
enum { ACT_OPTION_COUNT = 1 };
extern const struct option_rule act_options[ACT_OPTION_COUNT];

/* Asks and prints `done` (no newline), or with --json what was done, to which log or server,
 * why, and the reply's numbers.  `next` goes to stderr for people; NULL: nothing is left to do.
 * A refusal says as well that the file of --output was not written. */
enum outcome act(struct cli *cli, const struct control_request *q, const char *done,
		 const char *next);
/* The same; `done` makes the words from the reply, `then` (or NULL) goes on with the same daemon
 * once it is done and told. */
typedef const char *act_done(struct cli *cli, const struct control_request *q,
			     const struct control_reply *reply);
typedef enum outcome act_then(struct link *l, const struct control_request *q,
			      const struct control_reply *reply);
enum outcome act_and(struct cli *cli, const struct control_request *q, act_done *done,
		     const char *next, act_then *then);

#endif
