/* What the two halves of the server's machine share: server.c keeps the table of logs and
 * answers STORED, FAILED and TICK; server_message.c decides what a message means.
 *
 * Layer: session, inside it only. */
#ifndef SPLOT_SESSION_SERVER_TURN_H
#define SPLOT_SESSION_SERVER_TURN_H

#include "session/server.h"

/* One more action, zeroed but for its kind; NULL when the update is full. */
struct server_action *server_add(struct server_update *ret, enum server_action_kind kind);

/* Refuses something of this log's session peer, and counts it. */
void server_refuse(struct server_log *log, struct server_update *ret, enum err code,
		   const char *text);
/* Acknowledges what the open session agreed to and is on disk; grants its bytes again. */
void server_ack(const struct server_machine *m, struct server_log *log, struct server_update *ret);
/* Tells the session's peer what is on disk: nothing of this log may be on its way there. */
void server_welcome(const struct server_machine *m, struct server_log *log,
		    struct server_update *ret);
void server_end_session(struct server_log *log);

/* SERVER_EV_MESSAGE */
void server_message(struct server_machine *m, const struct server_event *event,
		    struct server_update *ret);

#endif
