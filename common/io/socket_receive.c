/* Receiving: messages as frames, with who sent them and by which connection. */
#include "io/socket_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SPARE_MAX = 32,
	SKIPPED_MAX = 64, /* messages that no one could answer, in one receive */
};

static struct held *held_new(struct network *n)
{
	struct held *h = n->spare;

	if (h) {
		n->spare = h->next;
		n->spare_count--;
	} else {
		h = malloc(sizeof *h);
	}
	if (h) {
		h->network = n;
		h->count = 0;
		h->next = NULL;
	}
	return h;
}

static void held_free(struct held *h)
{
	struct network *n = h->network;

	for (size_t i = 0; i < h->count; i++)
		(void)zmq_msg_close(&h->frames[i]);
	if (n->spare_count >= SPARE_MAX) {
		free(h);
		return;
	}
	h->next = n->spare;
	n->spare = h;
	n->spare_count++;
}

void message_free(struct message *m)
{
	if (m->owner)
		held_free(m->owner); /* NOLINT(clang-analyzer-unix.Malloc): each time a new one */
	m->owner = NULL;
	m->frame_count = 0;
}

static int receive_frame(void *socket, zmq_msg_t *frame)
{
	int rc = 0;

	(void)zmq_msg_init(frame);
	do
		rc = zmq_msg_recv(frame, socket, ZMQ_DONTWAIT);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? errno : 0;
}

/* The sender's routing id.  One that is longer than the library's own makes is kept as size 0. */
static int receive_peer(void *socket, struct message *m, bool *ret_more)
{
	zmq_msg_t frame;
	int rc = receive_frame(socket, &frame);

	if (rc == 0) {
		size_t size = zmq_msg_size(&frame);

		m->peer_size = size <= PEER_BYTES_MAX ? size : 0;
		if (m->peer_size)
			memcpy(m->peer, zmq_msg_data(&frame), size);
		*ret_more = zmq_msg_more(&frame) != 0;
	}
	(void)zmq_msg_close(&frame);
	return rc;
}

/* Who sent it, and by which connection.  False when that one has been ended. */
static bool note_sender(struct endpoint *e, zmq_msg_t *payload, uint64_t bytes, struct message *m)
{
	const char *user = zmq_msg_gets(payload, "User-Id");
	const char *number = zmq_msg_gets(payload, CONNECTION_PROPERTY);
	struct heard from = {.bytes = bytes, .fd = zmq_msg_get(payload, ZMQ_SRCFD)};

	(void)snprintf(m->user, sizeof m->user, "%s", user ? user : "");
	m->connection = from.number = number ? strtoull(number, NULL, 10) : 0;
	from.user = m->user;
	return connections_heard(e, &from);
}

/* The library hands on what each reader subscribes to, with who and where from. */
bool endpoint_wanted(struct endpoint *e)
{
	zmq_msg_t told;

	while (e->socket && receive_frame(e->socket, &told) == 0) {
		struct message m;

		(void)note_sender(e, &told, 0, &m);
		(void)zmq_msg_close(&told);
	}
	return e->connections && connections_any_heard(e);
}

/* The payload frames up to the last; those that do not fit are dropped. */
static int receive_frames(void *socket, struct held *h, struct message *m, uint64_t *ret_bytes)
{
	bool more = true;
	int rc = 0;

	while (more) {
		zmq_msg_t dropped;
		bool fits = h->count < FRAMES_MAX;
		zmq_msg_t *frame = fits ? &h->frames[h->count] : &dropped;

		rc = receive_frame(socket, frame);
		if (rc != 0) {
			(void)zmq_msg_close(frame);
			return rc;
		}
		more = zmq_msg_more(frame) != 0;
		*ret_bytes += frame_wire_bytes(zmq_msg_size(frame));
		if (!fits) {
			(void)zmq_msg_close(frame);
			m->excess = true;
			continue;
		}
		m->frames[h->count] = bytes_of(zmq_msg_data(frame), zmq_msg_size(frame));
		h->count++;
	}
	m->frame_count = h->count;
	return 0;
}

static int receive_one(struct endpoint *e, struct held *h, struct message *m)
{
	uint64_t bytes = 0;
	bool more = true;
	int rc = 0;

	if (e->type == ZMQ_ROUTER)
		rc = receive_peer(e->socket, m, &more);
	if (rc == 0 && more)
		rc = receive_frames(e->socket, h, m, &bytes);
	if (rc == 0 && e->type == ZMQ_ROUTER && m->frame_count > 0 &&
	    !note_sender(e, &h->frames[0], bytes, m))
		m->peer_size = 0; /* nobody to answer */
	return rc;
}

enum err endpoint_receive(struct endpoint *e, struct message *ret)
{
	int rc = 0;

	if (!e->socket)
		return ERR_CLOSED;
	for (int i = 0; i < SKIPPED_MAX; i++) {
		struct held *h = held_new(e->network);

		if (!h)
			return ERR_NOMEM;
		*ret = (struct message){.owner = h};
		rc = receive_one(e, h, ret);
		if (rc == 0 && ret->frame_count > 0 && (e->type != ZMQ_ROUTER || ret->peer_size))
			return ERR_OK;
		message_free(ret);
		if (rc != 0)
			return network_err(rc);
	}
	return ERR_AGAIN;
}
