/* What the files of the sockets share; nobody else includes this.
 *
 * Layer: io. */
#ifndef SPLOT_IO_SOCKET_INTERNAL_H
#define SPLOT_IO_SOCKET_INTERNAL_H

#include <stdint.h>
#include <zmq.h>

#include "io/socket.h"

enum { FRAMES_MAX = 2 + COMMIT_FRAMES_MAX, ADDRESS_BYTES_MAX = 256 };

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
	unsigned topics; /* of a publisher: subscribed to by somebody */
	char address[ADDRESS_BYTES_MAX];
};

enum err network_err(int code);
/* A socket with every option that all of ours have; `serving` picks the side of CURVE. */
MUST_USE enum err socket_new(struct network *n, int type, const struct curve *curve, bool serving,
			     bool ipv6, void **ret);
/* Answers what waits at the ZAP socket. */
void zap_serve(struct network *n);

#endif
