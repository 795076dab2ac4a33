/* A running daemon as a source of logs (audit/source.h): its stored rows, asked for over the
 * control socket.  What reads a store or an export so reads a daemon as well. */
#ifndef SPLOT_ADMIN_AUDITOR_SOURCE_SOCKET_H
#define SPLOT_ADMIN_AUDITOR_SOURCE_SOCKET_H

#include "admin/ask.h"
#include "audit/source.h"

/* The daemon that --socket, --config or $SPLOT_SOCKET names; a failure was told.  A connection that
 * is lost is made anew once a call, so that a daemon may begin again meanwhile. */
enum outcome source_open_daemon(struct cli *cli, struct source *ret);
/* The one with that control socket. */
enum outcome source_open_daemon_at(struct cli *cli, const char *socket, struct source *ret);
/* The store or export `folder`; NULL: the daemon.  A failure was told. */
enum outcome source_named(struct cli *cli, const char *folder, struct source *ret);

/* Asks the daemon behind such a source; the reply is valid until the next call on it.  An error of
 * the daemon's is returned as well. */
MUST_USE enum err source_ask(struct source *daemon, const struct control_request *q,
			     struct control_reply *ret);

/* Tells an error that a source's function gave: what was read, what to do. */
enum outcome source_failed(struct cli *cli, const struct source *s, enum err e);

#endif
