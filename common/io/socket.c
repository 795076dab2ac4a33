#include "io/socket_internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/time.h"

enum {
	/* Absent from the header of Debian's libzmq 4.3.4, but the library knows it: without
	 * it a CURVE server whose ZAP handler is missing lets everybody in. */
	OPTION_ENFORCE_DOMAIN = 93,
	CURVE_OVERHEAD_BYTES = 33, /* name, nonce, flags and tag: the library counts them */
	PEER_QUEUE_MESSAGES = 64,  /* commits, at most 1 MiB each; credit bounds them first */
	REPLY_QUEUE_MESSAGES = 32, /* to a peer that asks and does not read */
	FEED_QUEUE_MESSAGES = 256, /* for each reader; at most some 32 KiB each */
	OWN_ITEMS_MAX = 16,        /* sockets of our own in a poll: the ZAP handler, monitors */
	/* How often connections are looked after: what a peer piles up meanwhile is memory. */
	INSPECT_MS = 50,
	INSPECT_NEW_MS = 10, /* a first message that never ends takes memory until it is seen */
	REBIND_TRIES = 1000,
	REBIND_WAIT_NS = 2000000,
};

enum err network_err(int code)
{
	switch (code) {
	case EAGAIN:
		return ERR_AGAIN;
	case EHOSTUNREACH:
	case ETERM:
		return ERR_CLOSED;
	case ENOMEM:
		return ERR_NOMEM;
	case EMFILE:
	case ENFILE:
		return ERR_DESCRIPTORS;
	case EADDRINUSE:
		return ERR_BUSY;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case EINVAL:
	case ENODEV:
	case EADDRNOTAVAIL:
	case EPROTONOSUPPORT:
	case ENOCOMPATPROTO:
		return ERR_ARGUMENT;
	default:
		return ERR_IO;
	}
}

/* ---- the context ---- */

enum err network_open(struct network **ret)
{
	struct network *n = calloc(1, sizeof *n);

	if (!n)
		return ERR_NOMEM;
	n->context = zmq_ctx_new();
	if (!n->context) {
		free(n);
		return ERR_NOMEM;
	}
	(void)zmq_ctx_set(n->context, ZMQ_BLOCKY, 0); /* closing never waits for a peer */
	*ret = n;
	return ERR_OK;
}

static void close_socket(struct endpoint *e)
{
	if (e->socket)
		(void)zmq_close(e->socket);
	e->socket = NULL;
	connections_close(e);
}

void network_close(struct network *n)
{
	struct endpoint *e = NULL;
	struct held *h = NULL;

	if (!n)
		return;
	/* The library would wait for sockets that are still open. */
	for (e = n->endpoints; e; e = e->next) {
		close_socket(e);
		e->network = NULL;
	}
	if (n->zap)
		(void)zmq_close(n->zap);
	while (zmq_ctx_term(n->context) != 0 && errno == EINTR)
		;
	while ((h = n->spare)) {
		n->spare = h->next;
		free(h);
	}
	free(n->items);
	free(n);
}

/* ---- sockets ---- */

struct option {
	int name;
	int value;
};

static const struct option common_options[] = {
	{ZMQ_LINGER, 0},
	{ZMQ_HANDSHAKE_IVL, 3000}, /* also how long a refused peer is kept waiting */
	{ZMQ_RECONNECT_IVL, 50},
	{ZMQ_RECONNECT_IVL_MAX, 3000},
	{ZMQ_TCP_KEEPALIVE, 1},
	{ZMQ_TCP_KEEPALIVE_IDLE, 30},
	{ZMQ_TCP_KEEPALIVE_INTVL, 10},
	{ZMQ_TCP_KEEPALIVE_CNT, 3},
	{ZMQ_TCP_MAXRT, 30000}, /* what a dead peer does not acknowledge for so long ends it */
};

static int set_int(void *socket, int name, int value)
{
	return zmq_setsockopt(socket, name, &value, sizeof value);
}

static int set_common(void *socket, int type, bool ipv6)
{
	bool feed = type == ZMQ_XPUB || type == ZMQ_SUB;
	int take = feed ? FEED_QUEUE_MESSAGES : PEER_QUEUE_MESSAGES;
	int give = type == ZMQ_ROUTER ? REPLY_QUEUE_MESSAGES : take;
	int64_t frame_bytes_max = FRAME_BYTES_MAX + CURVE_OVERHEAD_BYTES;
	int rc = 0;

	for (size_t i = 0; i < sizeof common_options / sizeof *common_options && rc == 0; i++)
		rc = set_int(socket, common_options[i].name, common_options[i].value);
	if (rc == 0)
		rc = zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_bytes_max,
				    sizeof frame_bytes_max);
	if (rc == 0)
		rc = set_int(socket, ZMQ_SNDHWM, give);
	if (rc == 0)
		rc = set_int(socket, ZMQ_RCVHWM, take);
	if (rc == 0 && ipv6)
		rc = set_int(socket, ZMQ_IPV6, 1);
	if (rc == 0 && type == ZMQ_ROUTER)
		rc = set_int(socket, ZMQ_ROUTER_MANDATORY, 1);
	if (rc == 0 && type == ZMQ_DEALER)
		rc = set_int(socket, ZMQ_IMMEDIATE, 1);
	if (rc == 0 && type == ZMQ_XPUB)
		rc = set_int(socket, ZMQ_XPUB_VERBOSER, 1); /* tells of every reader */
	if (rc == 0 && type == ZMQ_SUB)
		rc = zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
	return rc;
}

static int set_serving(void *socket, const struct curve *curve)
{
	static const char domain[] = "splot";
	int rc = set_int(socket, ZMQ_CURVE_SERVER, 1);

	if (rc == 0)
		rc = zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, curve->secret, CURVE_BYTES);
	if (rc == 0)
		rc = zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain, sizeof domain - 1);
	if (rc == 0)
		rc = set_int(socket, OPTION_ENFORCE_DOMAIN, 1);
	return rc;
}

static int set_asking(void *socket, const struct curve *curve)
{
	int rc = zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, curve->server, CURVE_BYTES);

	if (rc == 0)
		rc = zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, curve->public, CURVE_BYTES);
	if (rc == 0)
		rc = zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, curve->secret, CURVE_BYTES);
	return rc;
}

enum err socket_new(struct network *n, int type, const struct curve *curve, bool serving, bool ipv6,
		    void **ret)
{
	void *socket = NULL;
	enum err err = ERR_OK;
	int rc = 0;

	/* No door without a key, none without a door-keeper. */
	if (!curve || !curve->secret || (!serving && (!curve->public || !curve->server)) ||
	    (serving && !n->zap))
		return ERR_ARGUMENT;
	socket = zmq_socket(n->context, type);
	if (!socket)
		return network_err(errno);
	rc = set_common(socket, type, ipv6);
	if (rc == 0)
		rc = serving ? set_serving(socket, curve) : set_asking(socket, curve);
	if (rc != 0) {
		err = network_err(errno);
		(void)zmq_close(socket);
		return err;
	}
	*ret = socket;
	return ERR_OK;
}

static bool names_ipv6(const char *text)
{
	return strchr(text, '[') != NULL;
}

static enum err open_at(struct endpoint *e, const char *text, const struct curve *curve)
{
	bool serving = e->type == ZMQ_ROUTER || e->type == ZMQ_XPUB;
	size_t size = sizeof e->address;
	enum err err =
		socket_new(e->network, e->type, curve, serving, names_ipv6(text), &e->socket);
	int rc = 0;

	if (err != ERR_OK)
		return err;
	if (serving)
		err = connections_open(e);
	if (err == ERR_OK) {
		rc = serving ? zmq_bind(e->socket, text) : zmq_connect(e->socket, text);
		if (rc == 0)
			rc = zmq_getsockopt(e->socket, ZMQ_LAST_ENDPOINT, e->address, &size);
		err = rc == 0 ? ERR_OK : network_err(errno);
	}
	if (err != ERR_OK)
		close_socket(e);
	return err;
}

static enum err endpoint_new(struct network *n, int type, const char *text,
			     const struct curve *curve, struct endpoint **ret)
{
	struct endpoint *e = NULL;
	enum err err = ERR_OK;

	if (strlen(text) >= ADDRESS_BYTES_MAX)
		return ERR_ARGUMENT;
	e = calloc(1, sizeof *e);
	if (!e)
		return ERR_NOMEM;
	e->network = n;
	e->type = type;
	err = open_at(e, text, curve);
	if (err != ERR_OK) {
		connections_free(e);
		free(e);
		return err;
	}
	e->next = n->endpoints;
	n->endpoints = e;
	*ret = e;
	return ERR_OK;
}

enum err endpoint_router(struct network *n, const char *bind_text, const struct curve *curve,
			 struct endpoint **ret)
{
	return endpoint_new(n, ZMQ_ROUTER, bind_text, curve, ret);
}

enum err endpoint_publisher(struct network *n, const char *bind_text, const struct curve *curve,
			    struct endpoint **ret)
{
	return endpoint_new(n, ZMQ_XPUB, bind_text, curve, ret);
}

enum err endpoint_dealer(struct network *n, const char *connect_text, const struct curve *curve,
			 struct endpoint **ret)
{
	return endpoint_new(n, ZMQ_DEALER, connect_text, curve, ret);
}

enum err endpoint_subscriber(struct network *n, const char *connect_text, const struct curve *curve,
			     struct endpoint **ret)
{
	return endpoint_new(n, ZMQ_SUB, connect_text, curve, ret);
}

void endpoint_close(struct endpoint *e)
{
	struct endpoint **link = NULL;

	if (!e)
		return;
	link = e->network ? &e->network->endpoints : NULL;
	while (link && *link != e)
		link = &(*link)->next;
	if (link)
		*link = e->next;
	close_socket(e);
	connections_free(e);
	free(e);
}

const char *endpoint_address(const struct endpoint *e)
{
	return e->address;
}

enum err endpoint_rebind(struct endpoint *e, const struct curve *curve)
{
	const struct timespec wait = {0, REBIND_WAIT_NS};
	char address[ADDRESS_BYTES_MAX];
	enum err err = ERR_BUSY;

	if (!e->network || (e->type != ZMQ_ROUTER && e->type != ZMQ_XPUB))
		return ERR_ARGUMENT;
	memcpy(address, e->address, sizeof address);
	close_socket(e);
	/* The library closes the old listener in its own thread and time. */
	for (int i = 0; i < REBIND_TRIES && err == ERR_BUSY; i++) {
		err = open_at(e, address, curve);
		if (err == ERR_BUSY)
			(void)nanosleep(&wait, NULL);
	}
	return err;
}

/* ---- sending ---- */

/* One frame, copied into a message of the library. */
static int send_frame(void *socket, struct bytes frame, bool more)
{
	int rc = 0;

	do
		rc = zmq_send(socket, frame.size ? frame.data : (const uint8_t *)"", frame.size,
			      ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? errno : 0;
}

enum err endpoint_send(struct endpoint *e, struct bytes peer, const struct bytes *frames,
		       size_t count)
{
	bool routed = e->type == ZMQ_ROUTER;
	int failed = 0;

	if (!e->socket)
		return ERR_CLOSED;
	if (count == 0 || count > FRAMES_MAX || routed != (peer.size > 0))
		return ERR_ARGUMENT;
	for (size_t i = 0; i < count; i++)
		if (frames[i].size > FRAME_BYTES_MAX)
			return ERR_LIMIT;
	if (routed)
		failed = send_frame(e->socket, peer, true);
	if (failed)
		return network_err(failed);
	for (size_t i = 0; i < count; i++) {
		int rc = send_frame(e->socket, frames[i], i + 1 < count);

		if (rc && i == 0 && !routed)
			return network_err(rc);
		/* Past the first frame the library drops what is left of a message whose
		 * peer went away, and must be given it to the end. */
		if (rc && !failed)
			failed = rc;
	}
	return failed ? network_err(failed) : ERR_OK;
}

/* ---- waiting ---- */

static enum err items_reserve(struct network *n, size_t count)
{
	zmq_pollitem_t *items = NULL;

	if (count <= n->items_capacity)
		return ERR_OK;
	items = realloc(n->items, count * sizeof *items);
	if (!items)
		return ERR_NOMEM;
	n->items = items;
	n->items_capacity = count;
	return ERR_OK;
}

static short events_of(short want)
{
	return (short)((want & POLL_READ ? ZMQ_POLLIN : 0) | (want & POLL_WRITE ? ZMQ_POLLOUT : 0));
}

static short got_of(short events)
{
	return (short)((events & ZMQ_POLLIN ? POLL_READ : 0) |
		       (events & ZMQ_POLLOUT ? POLL_WRITE : 0) |
		       (events & ZMQ_POLLERR ? POLL_ERROR : 0));
}

/* What is waited for besides: handshakes, and connections that come and go.  Their number. */
static size_t add_own(struct network *n, zmq_pollitem_t *items)
{
	size_t count = 0;

	if (n->zap)
		items[count++] = (zmq_pollitem_t){.socket = n->zap, .events = ZMQ_POLLIN};
	for (struct endpoint *e = n->endpoints; e && count < OWN_ITEMS_MAX; e = e->next) {
		void *monitor = connections_monitor(e);

		if (monitor)
			items[count++] = (zmq_pollitem_t){.socket = monitor, .events = ZMQ_POLLIN};
	}
	return count;
}

static long inspect_ms(const struct network *n)
{
	for (const struct endpoint *e = n->endpoints; e; e = e->next)
		if (connections_unspoken(e))
			return INSPECT_NEW_MS;
	return INSPECT_MS;
}

/* Connections that come and go at once; those that are to be ended, now and then. */
static void look_after(struct network *n)
{
	int64_t now_ms = mono_now().ms;
	bool inspect = now_ms - n->inspected_ms >= inspect_ms(n);

	for (struct endpoint *e = n->endpoints; e; e = e->next) {
		connections_follow(e);
		if (inspect)
			connections_inspect(e, now_ms);
	}
	if (inspect)
		n->inspected_ms = now_ms;
}

enum err network_poll(struct network *n, struct poll_item *items, size_t count, long timeout_ms)
{
	enum err err = items_reserve(n, count + OWN_ITEMS_MAX);
	size_t own = 0;
	int rc = 0;

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < count; i++) {
		struct endpoint *e = items[i].endpoint;

		n->items[i] = (zmq_pollitem_t){.socket = e ? e->socket : NULL,
					       .fd = e ? -1 : items[i].fd,
					       .events = events_of(items[i].want)};
		items[i].got = 0;
	}
	own = add_own(n, n->items + count);
	if (own > 0 && (timeout_ms < 0 || timeout_ms > inspect_ms(n)))
		timeout_ms = inspect_ms(n);
	rc = zmq_poll(n->items, (int)(count + own), timeout_ms);
	if (rc < 0)
		return errno == EINTR ? ERR_OK : network_err(errno);
	for (size_t i = 0; i < count && rc > 0; i++)
		items[i].got = got_of(n->items[i].revents);
	if (n->zap)
		zap_serve(n);
	look_after(n);
	return ERR_OK;
}

/* ---- keys ---- */

enum err curve_public(const uint8_t secret[static CURVE_BYTES], uint8_t public[static CURVE_BYTES])
{
	return crypto_scalarmult_base(public, secret) == 0 ? ERR_OK : ERR_ARGUMENT;
}

void curve_keypair(uint8_t public[static CURVE_BYTES], uint8_t secret[static CURVE_BYTES])
{
	(void)crypto_box_keypair(public, secret); /* does not fail */
}
