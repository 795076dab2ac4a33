/* Who may connect: the ZAP handler (RFC 27), and the proof that it stands guard. */
#include "io/socket_internal.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "io/zap.h"

enum { ZAP_TURN_MAX = 256, PROOF_MS = 5000, PROOF_QUIET_MS = 300, PROOF_STEP_MS = 10 };

/* ---- the handler ---- */

struct zap_request {
	zmq_msg_t frames[ZAP_FRAMES];
	size_t count;
	bool excess;
};

static bool zap_receive(void *socket, struct zap_request *r)
{
	bool more = true;

	r->count = 0;
	r->excess = false;
	while (more) {
		zmq_msg_t frame;

		(void)zmq_msg_init(&frame);
		if (zmq_msg_recv(&frame, socket, ZMQ_DONTWAIT) < 0) {
			(void)zmq_msg_close(&frame);
			return false;
		}
		more = zmq_msg_more(&frame) != 0;
		if (r->count < ZAP_FRAMES) {
			(void)zmq_msg_init(&r->frames[r->count]);
			(void)zmq_msg_move(&r->frames[r->count++], &frame);
		} else {
			r->excess = true;
		}
		(void)zmq_msg_close(&frame);
	}
	return true;
}

static struct bytes frame_at(struct zap_request *r, enum zap_frame i)
{
	return bytes_of(zmq_msg_data(&r->frames[i]), zmq_msg_size(&r->frames[i]));
}

static bool may_enter(struct network *n, struct zap_request *r,
		      char user[static USER_BYTES_MAX + 1])
{
	struct bytes frames[ZAP_FRAMES];
	const uint8_t *key = NULL;

	for (size_t i = 0; i < r->count; i++)
		frames[i] = frame_at(r, (enum zap_frame)i);
	key = zap_key(frames, r->count, r->excess);
	if (!key)
		return false;
	if (n->admit(n->admit_context, key, user))
		return true;
	memcpy(n->rejected_key, key, CURVE_BYTES);
	return false;
}

/* What the messages of this connection will carry besides the user: one property, as ZMTP 3
 * writes them.  Connections that came before it are known by then. */
static void number_it(struct network *n, struct buf *ret)
{
	static const char name[] = CONNECTION_PROPERTY;
	char number[24];

	for (struct endpoint *e = n->endpoints; e; e = e->next)
		connections_follow(e);
	(void)snprintf(number, sizeof number, "%llu", (unsigned long long)++n->admitted);
	buf_add_u8(ret, sizeof name - 1);
	buf_add_text(ret, name);
	buf_add_u32be(ret, (uint32_t)strlen(number));
	buf_add_text(ret, number);
}

static void zap_answer(struct network *n, struct zap_request *r)
{
	char user[USER_BYTES_MAX + 1] = "";
	struct buf properties = {.data = NULL};
	bool enter = may_enter(n, r, user);
	struct bytes request = r->count > ZAP_REQUEST ? frame_at(r, ZAP_REQUEST) : bytes_of("", 0);
	struct bytes reply[6];
	size_t count = sizeof reply / sizeof *reply;

	user[USER_BYTES_MAX] = 0;
	if (enter)
		number_it(n, &properties);
	if (buf_check(&properties) != ERR_OK)
		enter = false;
	if (!enter) {
		n->rejected++;
		user[0] = 0;
	}
	reply[0] = bytes_of_text("1.0");
	reply[1] = request;
	/* 300, a refusal for now: after a 400 the library's client never asks again, and a
	 * node that is enrolled later would stay out until it is restarted. */
	reply[2] = bytes_of_text(enter ? "200" : "300");
	reply[3] = bytes_of_text(enter ? "OK" : "key is not enrolled");
	reply[4] = bytes_of_text(user);
	reply[5] = enter ? buf_bytes(&properties) : bytes_of_text("");
	for (size_t i = 0; i < count; i++) {
		const void *data = reply[i].size ? (const void *)reply[i].data : "";

		(void)zmq_send(n->zap, data, reply[i].size,
			       ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0));
	}
	buf_free(&properties);
}

void zap_serve(struct network *n)
{
	for (int i = 0; i < ZAP_TURN_MAX; i++) {
		struct zap_request r = {.count = 0};
		bool whole = zap_receive(n->zap, &r);

		if (whole)
			zap_answer(n, &r);
		for (size_t f = 0; f < r.count; f++)
			(void)zmq_msg_close(&r.frames[f]);
		if (!whole)
			return;
	}
}

enum err network_admit(struct network *n, admit_fn *admit, void *context)
{
	const int none = 0;
	void *zap = NULL;
	enum err err = ERR_OK;

	n->admit = admit;
	n->admit_context = context;
	if (n->zap)
		return ERR_OK;
	zap = zmq_socket(n->context, ZMQ_REP);
	if (!zap)
		return network_err(errno);
	if (zmq_setsockopt(zap, ZMQ_LINGER, &none, sizeof none) != 0 ||
	    zmq_bind(zap, "inproc://zeromq.zap.01") != 0) {
		err = network_err(errno);
		(void)zmq_close(zap);
		return err;
	}
	n->zap = zap;
	return ERR_OK;
}

uint64_t network_rejected(const struct network *n)
{
	return n->rejected;
}

uint64_t network_admitted(const struct network *n)
{
	return n->admitted;
}

/* ---- the proof ---- */

/* An address that is bound everywhere is reached through loopback. */
static enum err reachable(const char *address, char text[static ADDRESS_BYTES_MAX])
{
	static const struct {
		const char *bound, *reached;
	} rows[] = {
		{"tcp://0.0.0.0:", "tcp://127.0.0.1:"},
		{"tcp://*:", "tcp://127.0.0.1:"},
		{"tcp://[::]:", "tcp://[::1]:"},
		{"", ""},
	};
	size_t i = 0;
	int n = 0;

	while (strncmp(address, rows[i].bound, strlen(rows[i].bound)) != 0)
		i++;
	n = snprintf(text, ADDRESS_BYTES_MAX, "%s%s", rows[i].reached,
		     address + strlen(rows[i].bound));
	return n < 0 || n >= ADDRESS_BYTES_MAX ? ERR_ARGUMENT : ERR_OK;
}

/* The next event of a monitored socket: 0 when there is none. */
static unsigned next_event(void *monitor)
{
	unsigned event = 0;
	uint16_t raw = 0;
	zmq_msg_t frame;
	bool more = true;

	for (size_t i = 0; more; i++) {
		(void)zmq_msg_init(&frame);
		if (zmq_msg_recv(&frame, monitor, ZMQ_DONTWAIT) < 0) {
			(void)zmq_msg_close(&frame);
			return 0;
		}
		if (i == 0 && zmq_msg_size(&frame) >= sizeof raw) {
			memcpy(&raw, zmq_msg_data(&frame), sizeof raw); /* host order */
			event = raw;
		}
		more = zmq_msg_more(&frame) != 0;
		(void)zmq_msg_close(&frame);
	}
	return event;
}

/* Watches the stranger.  Closed means that our handler was asked about this very key and
 * said no, and that the library, which takes microseconds to let a peer in, did not. */
static enum err watch_stranger(struct network *n, void *stranger, void *monitor,
			       const uint8_t key[static CURVE_BYTES])
{
	int64_t start = mono_now().ms;
	int64_t asked = 0;
	int64_t now = start;

	while (now - start < PROOF_MS) {
		enum err err = network_poll(n, NULL, 0, PROOF_STEP_MS);

		if (err != ERR_OK)
			return err;
		if (next_event(monitor) == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
			return ERR_DENIED;
		/* Sending works only once the library has a peer to send to. */
		(void)zmq_send(stranger, "?", 1, ZMQ_DONTWAIT);
		now = mono_now().ms;
		if (!asked && memcmp(n->rejected_key, key, CURVE_BYTES) == 0)
			asked = now;
		if (asked && now - asked >= PROOF_QUIET_MS)
			return ERR_OK;
	}
	return ERR_TIMEOUT;
}

enum err network_prove_closed(struct network *n, struct endpoint *router, const char *endpoint_text,
			      const uint8_t server_key[static CURVE_BYTES])
{
	static unsigned proofs; /* the library takes its time to free an address */
	char monitor_at[64];
	const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
	const int none = 0;
	uint8_t public[CURVE_BYTES];
	uint8_t secret[CURVE_BYTES];
	char text[ADDRESS_BYTES_MAX];
	struct curve curve = {public, secret, server_key};
	void *stranger = NULL;
	void *monitor = NULL;
	enum err err = reachable(endpoint_text ? endpoint_text : router->address, text);

	if (err != ERR_OK)
		return err;
	(void)snprintf(monitor_at, sizeof monitor_at, "inproc://splot-proof-%u", ++proofs);
	curve_keypair(public, secret);
	err = socket_new(n, ZMQ_DEALER, &curve, false, strchr(text, '[') != NULL, &stranger);
	sodium_memzero(secret, sizeof secret);
	if (err != ERR_OK)
		return err;
	monitor = zmq_socket(n->context, ZMQ_PAIR);
	if (!monitor || zmq_socket_monitor(stranger, monitor_at, events) != 0 ||
	    zmq_setsockopt(monitor, ZMQ_LINGER, &none, sizeof none) != 0 ||
	    zmq_connect(monitor, monitor_at) != 0 || zmq_connect(stranger, text) != 0)
		err = network_err(errno);
	else
		err = watch_stranger(n, stranger, monitor, public);
	(void)zmq_socket_monitor(stranger, NULL, 0);
	if (monitor)
		(void)zmq_close(monitor);
	(void)zmq_close(stranger);
	return err;
}
