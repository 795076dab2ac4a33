/* ZeroMQ behind one door: CURVE sockets, the fail-closed ZAP handler, messages as frames,
 * and one poller for them and plain file descriptors.  The only user of ZeroMQ.
 *
 * Everything here belongs to one thread.
 * Layer: io.  May use base. */
#ifndef SPLOT_IO_SOCKET_H
#define SPLOT_IO_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/limits.h"

enum { CURVE_BYTES = 32, PEER_BYTES_MAX = 16, USER_BYTES_MAX = 44 };

struct network;  /* opaque: the one context, and the ZAP handler when serving */
struct endpoint; /* opaque: one socket */

/* A received message; frames are owned by it until message_free. */
struct message {
	size_t peer_size; /* ROUTER: routing id of the sender */
	uint8_t peer[PEER_BYTES_MAX];
	char user[USER_BYTES_MAX + 1]; /* ROUTER: the ZAP handler's name for the peer; else "" */
	uint64_t
		connection; /* ROUTER: which one brought it: its place among those let in, from 1 */
	size_t frame_count; /* without the routing id */
	/* Further frames of an odd message are dropped and `excess` set. */
	struct bytes frames[2 + COMMIT_FRAMES_MAX];
	bool excess;
	void *owner; /* socket.c's own */
};
void message_free(struct message *m);

/* Whether a peer with this CURVE key may speak, and the name put on its messages. */
typedef bool admit_fn(void *context, const uint8_t key[static CURVE_BYTES],
		      char user[static USER_BYTES_MAX + 1]);

MUST_USE enum err network_open(struct network **ret);
void network_close(struct network *n);
/* Binds the ZAP handler (before any endpoint that binds: without it those are refused);
 * asked at each handshake.  Who is refused asks again after some seconds. */
MUST_USE enum err network_admit(struct network *n, admit_fn *admit, void *context);
/* Rejected handshakes so far. */
uint64_t network_rejected(const struct network *n);
/* Handshakes that were let in so far: the number of the newest connection. */
uint64_t network_admitted(const struct network *n);
/* Lets a throwaway key try to connect to `endpoint_text` (NULL: the router's own address; an
 * address bound everywhere is reached through loopback).  OK only when the handler was asked
 * about that key and it did not get in; DENIED when it got in, TIMEOUT when it could not even
 * try: whatever is not OK, the caller must refuse to run.  Takes about a third of a second. */
MUST_USE enum err network_prove_closed(struct network *n, struct endpoint *router,
				       const char *endpoint_text,
				       const uint8_t server_key[static CURVE_BYTES]);

struct curve { /* borrowed pointers, CURVE_BYTES each */
	const uint8_t *public;
	const uint8_t *secret;
	const uint8_t *server; /* client side: the server's public key */
};

MUST_USE enum err endpoint_router(struct network *n, const char *bind_text,
				  const struct curve *curve, struct endpoint **ret);
MUST_USE enum err endpoint_publisher(struct network *n, const char *bind_text,
				     const struct curve *curve, struct endpoint **ret);
MUST_USE enum err endpoint_dealer(struct network *n, const char *connect_text,
				  const struct curve *curve, struct endpoint **ret);
MUST_USE enum err endpoint_subscriber(struct network *n, const char *connect_text,
				      const struct curve *curve, struct endpoint **ret);
void endpoint_close(struct endpoint *e); /* NULL-safe */
/* Ends every connection of a ROUTER or PUB and binds it again at the same address, so that
 * the ZAP handler is asked anew: a revoked subscriber is gone.  Takes some milliseconds. After
 * a failure the endpoint is closed (CLOSED) until this is called again. */
MUST_USE enum err endpoint_rebind(struct endpoint *e, const struct curve *curve);
/* Whether anybody reads a publisher: else there is no need to say anything. */
bool endpoint_wanted(struct endpoint *e);
/* The address really bound ("tcp://127.0.0.1:*" picks a port). */
const char *endpoint_address(const struct endpoint *e);

/* AGAIN when it cannot be taken now; CLOSED when a ROUTER's peer is gone; LIMIT when a frame is
 * over FRAME_BYTES_MAX, ARGUMENT when there are more than 2 + COMMIT_FRAMES_MAX.  `peer` is empty
 * for others than a ROUTER.  Frames are copied.  A PUB drops what a slow subscriber cannot take. */
MUST_USE enum err endpoint_send(struct endpoint *e, struct bytes peer, const struct bytes *frames,
				size_t count);
/* AGAIN when nothing waits (`ret` then holds nothing and needs no message_free). */
MUST_USE enum err endpoint_receive(struct endpoint *e, struct message *ret);

/* ---- connections of a ROUTER or PUB ---- */

/* Ends the connections of this user up to that number, `grace_ms` from now (so that what was just
 * said to them leaves first).  What they send is dropped from now on; what is buffered for them is
 * freed by the library when they end. */
void endpoint_end(struct endpoint *e, const char *user, uint64_t through, int64_t grace_ms);
/* A connection on which more bytes came than this, beyond what was received of it, is ended, and
 * `overrun` is told whose it was.  Must be more than what a peer may honestly have under way. */
typedef void overrun_fn(void *context, const char *user);
void endpoint_bound(struct endpoint *e, uint64_t ahead_bytes, overrun_fn *overrun, void *context);

/* ---- waiting ---- */

enum { POLL_READ = 1, POLL_WRITE = 2, POLL_ERROR = 4 };

struct poll_item {
	struct endpoint *endpoint; /* or NULL and … */
	int fd;
	short want;
	short got; /* set by network_poll */
};

/* Serves ZAP and looks after connections as well: a program that serves must come by here often,
 * and is woken at least every 50 ms.  timeout_ms < 0: for
 * ever.  OK also when nothing happened.  An item with neither endpoint nor fd >= 0 is skipped. */
MUST_USE enum err network_poll(struct network *n, struct poll_item *items, size_t count,
			       long timeout_ms);

/* X25519 key pair as CURVE uses it. */
void curve_keypair(uint8_t public[static CURVE_BYTES], uint8_t secret[static CURVE_BYTES]);
MUST_USE enum err curve_public(const uint8_t secret[static CURVE_BYTES],
			       uint8_t public[static CURVE_BYTES]);

#endif
