/* The control socket: a Unix stream socket, the peer known by SO_PEERCRED, one message
 * each way at a time behind a 4-byte big-endian length (at most CONTROL_BYTES_MAX).
 * The listening side never blocks and drops clients that stall for 10 s with half a message.
 *
 * Layer: io. */
#ifndef SPLOT_IO_CONTROL_SOCKET_H
#define SPLOT_IO_CONTROL_SOCKET_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/time.h"
#include "io/socket.h"

struct control; /* opaque: the listening side and its clients */

/* A whole request from client number `client`; `body` borrowed until the reply. */
struct control_call {
	unsigned client;
	uid_t uid;
	struct bytes body;
};

/* mode: of the socket file, e.g. 0660. A stale socket file is replaced; BUSY when somebody
 * listens, EXISTS when the path is no socket, NOT_FOUND when its folder is missing. */
MUST_USE enum err control_listen(const char *path, mode_t mode, struct control **ret);
void control_close(struct control *c); /* NULL-safe; removes the socket file */
/* Poll items of the listener and all clients (at most CONTROL_CLIENTS_MAX + 1). */
size_t control_items(struct control *c, struct poll_item *items, size_t max);
/* After polling the items of the last control_items: accepts, reads and writes what is ready. */
void control_turn(struct control *c, const struct poll_item *items, size_t count,
		  struct mono_ms now);
/* The next whole request that has no reply yet; AGAIN when there is none.  Several calls
 * of different clients may be open at once, so that their edits share one commit. */
MUST_USE enum err control_next(struct control *c, struct control_call *ret);
/* Sends the reply of that client's open call, or queues what the socket does not take at once.
 * A client that went away is no error. */
void control_reply(struct control *c, unsigned client, struct bytes body);

/* ---- asking side (splotctl): blocking ---- */
/* NOT_FOUND: no socket there; CLOSED: nobody listens on it; DENIED. */
MUST_USE enum err control_connect(const char *path, int *ret_fd);
/* One request, one reply, appended to ret; timeout_ms < 0: for ever.  CLOSED, TIMEOUT, LIMIT:
 * after an error close the socket, the rest of the reply may still come. */
MUST_USE enum err control_ask(int fd, struct bytes request, long timeout_ms, struct buf *ret);
/* The same; after `slow_ms` without the whole of it, `tell` is called once, and it waits on. */
struct control_patience {
	long timeout_ms, slow_ms;
	void (*tell)(void *context);
	void *context;
};
MUST_USE enum err control_ask_telling(int fd, struct bytes request,
				      const struct control_patience *patience, struct buf *ret);

#endif
