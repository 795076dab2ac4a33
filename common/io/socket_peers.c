/* The connections of a socket that serves: who holds how many, which of them is ahead of what was
 * read from it, and how one of them is ended.
 *
 * A ROUTER or PUB cannot hang up on one peer.  But the library names the descriptor that a message
 * came from, and a monitor tells which descriptors were accepted and disconnected; shutting one
 * down ends that connection as if the peer had gone, with all that is buffered for it.  A
 * descriptor may be another's by now, so nothing is concluded from its number alone: the address of
 * the peer must be the one that was accepted, and a message belongs to the connection that now has
 * its descriptor only when its handshake (which the ZAP handler numbers) came after that was
 * accepted. All of it was tried on Debian's libzmq 4.3.4. */
#include "io/socket_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/allowance.h"
#include "base/time.h"
#include "io/peer_address.h"

enum {
	CONNECTIONS_MAX = 384, /* of one socket; with two of them far below 1,024 descriptors */
	/* Connections that said nothing yet.  A handshake takes milliseconds: only in a storm are
	 * there so many, and then the oldest is ended. */
	UNSPOKEN_MAX = 192,
	UNSPOKEN_ADDRESS_MAX = 64, /* from one address: a storm from there ends its own ones */
	/* New connections from one address: a handshake costs half a millisecond, ended before it
	 * begins a tenth of that.  Whoever is honest at that address comes in between. */
	NEW_ADDRESS_PER_S = 100,
	NEW_ADDRESS_BURST = 256, /* all nodes of a nation behind one address, after a restart */
	ADDRESSES_MAX = 64,  /* of which that is known; the one heard of longest ago makes room */
	UNSPOKEN_MS = 60000, /* a node says HELLO, a reader subscribes, at once */
	UNSPOKEN_BYTES_MAX = 1024 * 1024,
	SPOKEN_USER_MAX = 8,           /* of one key; a new session ends the older ones anyway */
	READER_BYTES_MAX = 128 * 1024, /* a feed's reader says no more than what it subscribes to */
	GONE_MS = 5000,                /* by then the library has told that it is disconnected */
	/* CURVE: command name, nonce, tag and flags; and the length before a frame. */
	FRAME_OVERHEAD = 33,
	SHORT_FRAME_MAX = 255,
	SHORT_PREFIX = 2,
	LONG_PREFIX = 9,
};

struct connection {
	int fd;
	union peer_address peer;
	int64_t since_ms;
	uint64_t after;  /* this many handshakes had been let in when it was accepted */
	uint64_t number; /* of its own handshake; 0: it has said nothing yet */
	char user[USER_BYTES_MAX + 1];
	uint64_t taken; /* bytes of its messages that were received, as they are on the wire */
	int64_t end_ms; /* to be ended then; 0: not */
	bool ended;
};

struct origin {
	union peer_address address;
	struct allowance connections;
};

struct connections {
	void *monitor;
	size_t origin_count;
	struct origin origins[ADDRESSES_MAX];
	size_t count;
	struct connection all[CONNECTIONS_MAX]; /* oldest first */
	uint64_t ahead_bytes_max;               /* 0: whatever a peer sends ahead */
	overrun_fn *overrun;
	void *overrun_context;
};

/* ---- ending one ---- */

static bool peer_of(int fd, union peer_address *ret)
{
	socklen_t size = sizeof *ret;

	memset(ret, 0, sizeof *ret);
	return getpeername(fd, &ret->any, &size) == 0 &&
	       (ret->any.sa_family == AF_INET || ret->any.sa_family == AF_INET6);
}

/* By a descriptor of our own: what it is cannot change between looking and shutting down.  Without
 * lingering: the system does not keep either what a peer that went deaf has not read yet. */
static void hang_up(struct connection *c, int64_t now_ms)
{
	const struct linger none = {.l_onoff = 1, .l_linger = 0};
	int own = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
	int fd = own >= 0 ? own : c->fd; /* none is free: then in this moment at least */
	union peer_address peer;

	if (!c->ended && peer_of(fd, &peer) && peer_address_equal(&peer, &c->peer)) {
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
		(void)shutdown(fd, SHUT_RDWR);
	}
	if (own >= 0)
		(void)close(own);
	c->ended = true;
	c->end_ms = now_ms;
}

static void remove_at(struct connections *cs, size_t i)
{
	memmove(&cs->all[i], &cs->all[i + 1], (cs->count - i - 1) * sizeof cs->all[i]);
	cs->count--;
}

/* ---- how many ---- */

/* The oldest that said nothing, when there are `most` of them (from that address). */
static struct connection *oldest_unspoken(struct connections *cs, const union peer_address *from,
					  size_t most)
{
	struct connection *oldest = NULL;
	size_t count = 0;

	for (size_t i = 0; i < cs->count; i++) {
		struct connection *c = &cs->all[i];

		if (c->number != 0 || c->ended || (from && !peer_address_related(&c->peer, from)))
			continue;
		if (!oldest)
			oldest = c;
		count++;
	}
	return count > most ? oldest : NULL;
}

static void bound_unspoken(struct connections *cs, const struct connection *newest, int64_t now_ms)
{
	struct connection *c = oldest_unspoken(cs, &newest->peer, UNSPOKEN_ADDRESS_MAX);

	if (!c)
		c = oldest_unspoken(cs, NULL, UNSPOKEN_MAX);
	if (c)
		hang_up(c, now_ms);
}

static void bound_user(struct connections *cs, const char *user, int64_t now_ms)
{
	struct connection *oldest = NULL;
	size_t count = 0;

	for (size_t i = 0; i < cs->count; i++) {
		struct connection *c = &cs->all[i];

		if (c->number == 0 || c->ended || strcmp(c->user, user) != 0)
			continue;
		if (!oldest)
			oldest = c;
		count++;
	}
	if (count > SPOKEN_USER_MAX)
		hang_up(oldest, now_ms);
}

/* Whether one more from this address is not too many. */
static bool may_try(struct connections *cs, const union peer_address *from)
{
	const struct wall_ms now = {mono_now().ms}; /* only differences count */
	struct origin *of = NULL;
	struct origin *oldest = &cs->origins[0];

	for (size_t i = 0; i < cs->origin_count && !of; i++) {
		if (peer_address_related(&cs->origins[i].address, from))
			of = &cs->origins[i];
		if (cs->origins[i].connections.at.ms < oldest->connections.at.ms)
			oldest = &cs->origins[i];
	}
	if (!of) {
		of = cs->origin_count < ADDRESSES_MAX ? &cs->origins[cs->origin_count++] : oldest;
		*of = (struct origin){.address = *from};
	}
	return allowance_take(&of->connections, NEW_ADDRESS_PER_S, NEW_ADDRESS_BURST, 1, now);
}

/* ---- what the library tells ---- */

static void on_disconnected(struct connections *cs, int fd)
{
	for (size_t i = 0; i < cs->count; i++)
		if (cs->all[i].fd == fd) {
			remove_at(cs, i);
			return;
		}
}

static void on_accepted(struct endpoint *e, int fd)
{
	struct connections *cs = e->connections;
	struct connection c = {.fd = fd, .since_ms = mono_now().ms, .after = e->network->admitted};

	on_disconnected(cs, fd); /* should that not have been told */
	if (!peer_of(fd, &c.peer))
		return; /* gone already */
	if (cs->count == CONNECTIONS_MAX || !may_try(cs, &c.peer)) {
		hang_up(&c, c.since_ms);
		return;
	}
	cs->all[cs->count++] = c;
	bound_unspoken(cs, &c, c.since_ms);
}

/* Frame 0 is an event's number (16 bits) and value (32), in host order; frame 1 an address. */
static bool next_event(void *monitor, uint16_t *ret_event, uint32_t *ret_value)
{
	zmq_msg_t frame;
	bool more = true;

	*ret_event = 0;
	for (size_t i = 0; more; i++) {
		(void)zmq_msg_init(&frame);
		if (zmq_msg_recv(&frame, monitor, ZMQ_DONTWAIT) < 0) {
			(void)zmq_msg_close(&frame);
			return false;
		}
		if (i == 0 && zmq_msg_size(&frame) == sizeof *ret_event + sizeof *ret_value) {
			const uint8_t *data = zmq_msg_data(&frame);

			memcpy(ret_event, data, sizeof *ret_event);
			memcpy(ret_value, data + sizeof *ret_event, sizeof *ret_value);
		}
		more = zmq_msg_more(&frame) != 0;
		(void)zmq_msg_close(&frame);
	}
	return true;
}

void connections_follow(struct endpoint *e)
{
	uint16_t event = 0;
	uint32_t value = 0;

	if (!e->connections || !e->connections->monitor)
		return;
	while (next_event(e->connections->monitor, &event, &value)) {
		if (event == ZMQ_EVENT_ACCEPTED)
			on_accepted(e, (int)value);
		else if (event == ZMQ_EVENT_DISCONNECTED)
			on_disconnected(e->connections, (int)value);
	}
}

/* ---- messages ---- */

uint64_t frame_wire_bytes(uint64_t size)
{
	uint64_t body = size + FRAME_OVERHEAD;

	return body + (body > SHORT_FRAME_MAX ? LONG_PREFIX : SHORT_PREFIX);
}

bool connections_heard(struct endpoint *e, const struct heard *from)
{
	struct connections *cs = e->connections;
	struct connection *c = NULL;

	for (size_t i = 0; i < cs->count && !c; i++)
		if (cs->all[i].fd == from->fd)
			c = &cs->all[i];
	/* None, or another one by now: it is what was left of one that is gone. */
	if (!c || from->number <= c->after || (c->number != 0 && c->number != from->number))
		return true;
	c->taken += from->bytes;
	if (c->number == 0) {
		c->number = from->number;
		(void)snprintf(c->user, sizeof c->user, "%s", from->user);
		bound_user(cs, c->user, mono_now().ms);
	}
	return c->end_ms == 0;
}

bool connections_any_heard(const struct endpoint *e)
{
	for (size_t i = 0; i < e->connections->count; i++)
		if (e->connections->all[i].number != 0)
			return true;
	return false;
}

void endpoint_end(struct endpoint *e, const char *user, uint64_t through, int64_t grace_ms)
{
	struct connections *cs = e->connections;
	int64_t now_ms = mono_now().ms;

	for (size_t i = 0; cs && i < cs->count; i++) {
		struct connection *c = &cs->all[i];

		if (c->number == 0 || c->number > through || c->end_ms != 0 ||
		    strcmp(c->user, user) != 0)
			continue;
		c->end_ms = now_ms + grace_ms;
		if (grace_ms == 0)
			hang_up(c, now_ms);
	}
}

void endpoint_bound(struct endpoint *e, uint64_t ahead_bytes, overrun_fn *overrun, void *context)
{
	if (!e->connections)
		return;
	e->connections->ahead_bytes_max = ahead_bytes;
	e->connections->overrun = overrun;
	e->connections->overrun_context = context;
}

/* ---- looking after them ---- */

/* Whether more came on this connection than was read from it: a message without an end is nowhere
 * to be seen but in the memory it takes. */
static bool is_ahead(const struct endpoint *e, const struct connection *c)
{
	uint64_t most = c->number ? e->connections->ahead_bytes_max : UNSPOKEN_BYTES_MAX;
	struct tcp_info info;
	socklen_t size = sizeof info;

	if (e->type == ZMQ_XPUB)
		most = READER_BYTES_MAX;
	memset(&info, 0, sizeof info);
	if (most == 0 || getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
		return false;
	return info.tcpi_bytes_received > c->taken && info.tcpi_bytes_received - c->taken > most;
}

static void inspect(struct endpoint *e, struct connection *c, int64_t now_ms)
{
	struct connections *cs = e->connections;

	if (c->end_ms != 0 ? now_ms >= c->end_ms
			   : c->number == 0 && now_ms - c->since_ms >= UNSPOKEN_MS) {
		hang_up(c, now_ms);
	} else if (is_ahead(e, c)) {
		bool tell = c->number != 0 && c->end_ms == 0 && cs->overrun;

		hang_up(c, now_ms);
		if (tell)
			cs->overrun(cs->overrun_context, c->user);
	}
}

bool connections_unspoken(const struct endpoint *e)
{
	const struct connections *cs = e->connections;

	for (size_t i = 0; cs && i < cs->count; i++)
		if (cs->all[i].number == 0 && !cs->all[i].ended)
			return true;
	return false;
}

void connections_inspect(struct endpoint *e, int64_t now_ms)
{
	struct connections *cs = e->connections;

	if (!cs || !e->socket)
		return;
	connections_follow(e);
	if (e->type == ZMQ_XPUB)
		(void)endpoint_wanted(e); /* reads what readers say */
	for (size_t i = 0; i < cs->count;) {
		struct connection *c = &cs->all[i];

		if (c->ended && now_ms - c->end_ms > GONE_MS) {
			remove_at(cs, i);
			continue;
		}
		if (!c->ended)
			inspect(e, c, now_ms);
		i++;
	}
}

/* ---- its life ---- */

enum err connections_open(struct endpoint *e)
{
	static unsigned monitors; /* the library takes its time to free an address */
	const int events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED;
	const int none = 0;
	char at[64];
	struct connections *cs = e->connections;

	if (!cs)
		cs = e->connections = calloc(1, sizeof *cs);
	if (!cs)
		return ERR_NOMEM;
	cs->count = 0;
	(void)snprintf(at, sizeof at, "inproc://splot-monitor-%u", ++monitors);
	cs->monitor = zmq_socket(e->network->context, ZMQ_PAIR);
	/* Without a high-water mark: the library's own thread waits for the reader else. */
	if (!cs->monitor || zmq_setsockopt(cs->monitor, ZMQ_LINGER, &none, sizeof none) != 0 ||
	    zmq_setsockopt(cs->monitor, ZMQ_RCVHWM, &none, sizeof none) != 0 ||
	    zmq_socket_monitor(e->socket, at, events) != 0 || zmq_connect(cs->monitor, at) != 0)
		return network_err(errno);
	return ERR_OK;
}

void *connections_monitor(const struct endpoint *e)
{
	return e->connections ? e->connections->monitor : NULL;
}

void connections_close(struct endpoint *e)
{
	if (!e->connections || !e->connections->monitor)
		return;
	(void)zmq_close(e->connections->monitor);
	e->connections->monitor = NULL;
	e->connections->count = 0;
}

void connections_free(struct endpoint *e)
{
	connections_close(e);
	free(e->connections);
	e->connections = NULL;
}
