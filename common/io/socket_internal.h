/* What the files of the sockets share; nobody else includes this.
 *
 * Layer: io. */
#ifndef SPLOT_IO_SOCKET_INTERNAL_H
#define SPLOT_IO_SOCKET_INTERNAL_H

#include <stdint.h>
#include <zmq.h>

#include "io/socket.h"

enum { FRAMES_MAX = 2 + COMMIT_FRAMES_MAX, ADDRESS_BYTES_MAX = 256 };

struct connections; /* socket_peers.c */

/* The frames behind a message that was handed out. */
struct held {
	struct network *network;
	zmq_msg_t frames[FRAMES_MAX];
	size_t count;
	struct held *next; /* in the network's list of spare ones */
};

struct network {
	void *context;
	void *zap; /* REP at inproc://zeromq.zap.01; NULL until network_admit */
	admit_fn *admit;
	void *admit_context;
	uint64_t rejected;
	uint64_t admitted;                 /* handshakes that were let in: each one's number */
	int64_t inspected_ms;              /* when connections were last looked after */
	uint8_t rejected_key[CURVE_BYTES]; /* the last one */
	struct endpoint *endpoints;        /* those that are open */
	struct held *spare;
	size_t spare_count;
	zmq_pollitem_t *items; /* owned scratch of network_poll */
	size_t items_capacity;
};

struct endpoint {
	struct network *network; /* NULL once that was closed */
	struct endpoint *next;
	void *socket;
	int type;
	struct connections *connections; /* of one that serves; owned */
	char address[ADDRESS_BYTES_MAX];
};

enum err network_err(int code);
/* A socket with every option that all of ours have; `serving` picks the side of CURVE. */
MUST_USE enum err socket_new(struct network *n, int type, const struct curve *curve, bool serving,
			     bool ipv6, void **ret);
/* Answers what waits at the ZAP socket. */
void zap_serve(struct network *n);

/* ---- socket_peers.c ---- */

/* On each message: the number of its connection's handshake, decimal. */
#define CONNECTION_PROPERTY "X-Connection"

struct heard {
	int fd;
	uint64_t number;
	const char *user;
	uint64_t bytes; /* of the message, as it is on the wire */
};

/* A monitor for a socket that is about to be bound. */
MUST_USE enum err connections_open(struct endpoint *e);
/* Where it tells; NULL for one that does not serve. */
void *connections_monitor(const struct endpoint *e);
void connections_close(struct endpoint *e);
void connections_free(struct endpoint *e);
/* Takes in which connections came and went. */
void connections_follow(struct endpoint *e);
/* Whether there is one that said nothing yet. */
bool connections_unspoken(const struct endpoint *e);
/* Ends those that are due, silent from the start, or ahead of what was read. */
void connections_inspect(struct endpoint *e, int64_t now_ms);
/* A message came.  False when its connection is being ended: it is to be dropped. */
bool connections_heard(struct endpoint *e, const struct heard *from);
bool connections_any_heard(const struct endpoint *e);
/* What a frame of `size` takes on the wire. */
uint64_t frame_wire_bytes(uint64_t size);

#endif
