/* The way to a daemon: finds its control socket, asks, and tells why not. */
#ifndef SPLOT_ADMIN_ASK_H
#define SPLOT_ADMIN_ASK_H

#include "admin/cli.h"
#include "model/control.h"

struct link {
	struct cli *cli;
	const char *path;
	int fd;         /* -1: closed */
	struct buf raw; /* owned: request, then reply */
	/* of the last link_try: what of the request is longer than it may be, so that nothing was
	 * sent; NULL: nothing */
	const char *over;
	bool slow;           /* that it takes long was told once */
	const char *refusal; /* of the last link_find: the daemon's own words; NULL: none */
};

/* By --socket, --config or $SPLOT_SOCKET; a failure was told. */
enum outcome link_open(struct cli *cli, struct link *ret);
/* At that path. */
enum outcome link_open_at(struct cli *cli, const char *path, struct link *ret);
void link_close(struct link *l);
/* Connects anew to the same socket; not told. */
MUST_USE enum err link_renew(struct link *l);

/* One request, one reply; texts of the reply live in the arena.  CLOSED, TIMEOUT …; LIMIT when
 * nothing was sent, since a part of it is too long; not told. */
MUST_USE enum err link_try(struct link *l, const struct control_request *q, struct arena *arena,
			   struct control_reply *ret);
/* The same, but a lost connection and every reply that is not OK were told. */
enum outcome link_ask(struct link *l, const struct control_request *q, struct arena *arena,
		      struct control_reply *ret);
/* Tells a link_try or link_find that failed. */
enum outcome link_lost(struct link *l, enum err e);
/* Tells a reply that is not OK. */
enum outcome link_refused(struct link *l, const struct control_reply *reply);

/* The version of a record that counts, a tombstone too, as of position `at` (0: now); NULL when
 * there is none.  RECORD_NONE: of any kind.  Not told. */
MUST_USE enum err link_find(struct link *l, enum record_kind kind, const char *id, uint64_t at,
			    const struct version **ret);

/* What kind of daemon answers, and whose log it is. */
enum outcome link_status(struct link *l, struct control_reply *ret);
/* As above, but a server is told to be the wrong daemon; *ret_region: whose records these are. */
enum outcome link_node(struct link *l, struct control_reply *ret, int *ret_region);

#endif
