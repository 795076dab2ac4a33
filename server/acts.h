/* Administrative acts: what all of them share.  Each is an entry of the national log, with who
 * and why, in the same transaction as what it changes; it takes effect at once. */
#ifndef SPLOT_SERVER_ACTS_H
#define SPLOT_SERVER_ACTS_H

#include "server/server.h"

/* What an act writes beside its entry of the national log. */
typedef MUST_USE enum err act_write_fn(struct server *s, struct txn *write, const void *what);

/* The reply is a refusal with that text; always OK. */
enum err act_refuse(struct server *s, struct control_reply *ret, enum err code, const char *format,
		    ...) __attribute__((format(printf, 4, 5)));
/* Who asks and why; false when it was refused. */
bool act_admitted(struct server *s, const struct control_call *call,
		  const struct control_request *q, struct control_reply *ret, const char **ret_by);
/* The log that the request names; NULL when it was refused: it is not enrolled. */
struct trusted *act_log(struct server *s, const struct control_request *q,
			struct control_reply *ret, struct log_name *ret_log);
/* Stores change and entry, tells followers and threads. */
MUST_USE enum err act_store(struct server *s, const struct national_entry *act,
			    act_write_fn *write_it, const void *what);

/* enrol.c, freeze.c, redact.c, anew.c: each fills the reply, and returns only what must end the
 * program. */
MUST_USE enum err server_enrol(struct server *s, const struct control_call *call,
			       const struct control_request *q, struct control_reply *ret);
MUST_USE enum err server_revoke(struct server *s, const struct control_call *call,
				const struct control_request *q, struct control_reply *ret);
MUST_USE enum err server_freeze(struct server *s, const struct control_call *call,
				const struct control_request *q, struct control_reply *ret);
MUST_USE enum err server_release(struct server *s, const struct control_call *call,
				 const struct control_request *q, struct control_reply *ret);
MUST_USE enum err server_continue(struct server *s, const struct control_call *call,
				  const struct control_request *q, struct control_reply *ret);
MUST_USE enum err server_redact(struct server *s, const struct control_call *call,
				const struct control_request *q, struct control_reply *ret);

#endif
