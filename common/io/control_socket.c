#include "io/control_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/control_address.h"

enum {
	HEADER_BYTES = 4,
	SMALL_BYTES = 4096,     /* most requests fit; read ahead at most this much */
	KEPT_BYTES = 64 * 1024, /* larger buffers are given back after their message */
	STALL_MS = 10000,
	REST_MS = 100, /* without descriptors, until somebody is let in again */
	BACKLOG = 64,
	NOBODY = -1,
	/* A call names slot and generation in one number. */
	GENERATIONS = (1 << 30) / CONTROL_CLIENTS_MAX,
};

struct client {
	int fd;              /* -1: none */
	unsigned generation; /* so that a late reply never meets the slot's next client */
	uid_t uid;
	bool open;   /* a request was handed out and has no reply yet */
	bool taken;  /* the slot is in use; with fd -1: until the open request is answered */
	uint8_t *in; /* owned; the request, with what came behind it */
	size_t in_size, in_capacity;
	uint8_t *out; /* owned; the part of the reply that is not yet sent */
	size_t out_size, out_sent;
	int64_t since_ms; /* since when a half message waits for its rest */
};

struct control {
	int fd;
	char *path; /* owned */
	dev_t device;
	ino_t inode;
	struct client clients[CONTROL_CLIENTS_MAX];
	unsigned next; /* slot that control_next looks at first */
	bool resting;  /* nobody is let in until the time below */
	int64_t rests_until_ms;
	int polled[CONTROL_CLIENTS_MAX + 1]; /* slots behind the items of control_items */
	size_t polled_count;
};

/* ---- clients ---- */

static size_t message_size(const struct client *c)
{
	struct cursor at = cursor_of(bytes_of(c->in, c->in_size));

	return HEADER_BYTES + (size_t)cursor_u32be(&at);
}

static bool has_whole(const struct client *c)
{
	return c->in_size >= HEADER_BYTES && c->in_size >= message_size(c);
}

static void client_free(struct client *c)
{
	free(c->in);
	free(c->out);
	*c = (struct client){.fd = -1, .generation = (c->generation + 1) % GENERATIONS};
}

/* Ends the connection; the request that somebody is working on stays readable. */
static void client_drop(struct client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	if (!c->open)
		client_free(c);
}

/* Room for `size` bytes of input in all. */
static bool client_reserve(struct client *c, size_t size)
{
	uint8_t *in = NULL;

	if (size <= c->in_capacity)
		return true;
	in = realloc(c->in, size);
	if (!in)
		return false;
	c->in = in;
	c->in_capacity = size;
	return true;
}

/* How far to read now: exactly to the end of the message once its length is known. */
static bool client_wants(struct client *c, size_t *ret)
{
	size_t size = SMALL_BYTES;

	if (c->in_size >= HEADER_BYTES) {
		size = message_size(c);
		if (size > HEADER_BYTES + CONTROL_BYTES_MAX)
			return false;
	}
	if (!client_reserve(c, size < SMALL_BYTES ? SMALL_BYTES : size))
		return false;
	*ret = size - c->in_size;
	return true;
}

static void client_read(struct client *c, struct mono_ms now)
{
	while (!has_whole(c)) {
		size_t want = 0;
		ssize_t n = 0;

		if (!client_wants(c, &want)) {
			client_drop(c);
			return;
		}
		n = recv(c->fd, c->in + c->in_size, want, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0) {
			client_drop(c);
			return;
		}
		if (c->in_size == 0)
			c->since_ms = now.ms;
		c->in_size += (size_t)n;
	}
}

static void client_write(struct client *c)
{
	while (c->out_sent < c->out_size) {
		ssize_t n = send(c->fd, c->out + c->out_sent, c->out_size - c->out_sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n < 0) {
			client_drop(c);
			return;
		}
		c->out_sent += (size_t)n;
	}
	free(c->out);
	c->out = NULL;
	c->out_size = 0;
	c->out_sent = 0;
}

static bool client_stalls(const struct client *c, struct mono_ms now)
{
	bool half_in = !c->open && c->in_size > 0 && !has_whole(c);
	bool half_out = c->out_size > 0;

	return (half_in || half_out) && now.ms - c->since_ms >= STALL_MS;
}

static bool client_idle(const struct client *c)
{
	return !c->open && c->in_size == 0 && c->out_size == 0;
}

/* ---- accepting ---- */

/* The client that is idle for longest. */
static int find_idle(struct control *c)
{
	int idle = NOBODY;

	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		struct client *x = &c->clients[i];

		if (x->fd >= 0 && client_idle(x) &&
		    (idle == NOBODY || x->since_ms < c->clients[idle].since_ms))
			idle = i;
	}
	return idle;
}

static int find_slot(struct control *c)
{
	for (int i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (!c->clients[i].taken)
			return i;
	return find_idle(c);
}

/* Without descriptors the longest idle client makes room as well; when there is none, nobody is let
 * in for a moment: whoever waits would have poll(2) return at once, again and again. */
static int accept_fd(struct control *c, struct mono_ms now)
{
	int fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	int idle = NOBODY;

	if (fd >= 0 || (errno != EMFILE && errno != ENFILE && errno != ENOMEM && errno != ENOBUFS))
		return fd;
	idle = find_idle(c);
	if (idle != NOBODY) {
		client_drop(&c->clients[idle]);
		fd = accept4(c->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	}
	if (fd < 0) {
		c->resting = true;
		c->rests_until_ms = now.ms + REST_MS;
	}
	return fd;
}

/* Takes one connection; the longest idle client makes room when there is none. */
static bool accept_one(struct control *c, struct mono_ms now)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	int slot = find_slot(c);
	struct client *x = NULL;
	int fd = -1;

	if (slot == NOBODY)
		return false;
	fd = accept_fd(c, now);
	if (fd < 0)
		return errno == EINTR || errno == ECONNABORTED;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || size != sizeof peer) {
		(void)close(fd);
		return true;
	}
	x = &c->clients[slot];
	if (x->taken)
		client_drop(x);
	x->fd = fd;
	x->taken = true;
	x->uid = peer.uid;
	x->since_ms = now.ms;
	client_read(x, now); /* the request is often there already */
	return true;
}

/* ---- the listening side ---- */

enum err control_listen(const char *path, mode_t mode, struct control **ret)
{
	struct control *c = calloc(1, sizeof *c);
	struct stat st;
	enum err err = ERR_OK;

	if (!c)
		return ERR_NOMEM;
	c->fd = -1;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		c->clients[i].fd = -1;
	c->path = strdup(path);
	if (!c->path) {
		free(c);
		return ERR_NOMEM;
	}
	err = control_bind(path, mode, BACKLOG, &c->fd);
	if (err == ERR_OK && stat(path, &st) == 0) {
		c->device = st.st_dev;
		c->inode = st.st_ino;
	}
	if (err != ERR_OK) {
		free(c->path);
		free(c);
		return err;
	}
	*ret = c;
	return ERR_OK;
}

void control_close(struct control *c)
{
	struct stat st;

	if (!c)
		return;
	for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		c->clients[i].open = false;
		client_drop(&c->clients[i]);
	}
	/* Only our own file: another may have taken the place meanwhile. */
	if (stat(c->path, &st) == 0 && st.st_dev == c->device && st.st_ino == c->inode)
		(void)unlink(c->path);
	(void)close(c->fd);
	free(c->path);
	free(c);
}

static short client_events(const struct client *c)
{
	short want = 0;

	if (c->out_size > 0)
		want |= POLL_WRITE;
	else if (!c->open && !has_whole(c))
		want |= POLL_READ;
	return want;
}

size_t control_items(struct control *c, struct poll_item *items, size_t max)
{
	size_t count = 0;

	if (max == 0)
		return 0;
	/* With every slot at work, new ones wait in the kernel's queue. */
	items[count] = (struct poll_item){
		.fd = c->fd, .want = c->resting || find_slot(c) == NOBODY ? 0 : POLL_READ};
	c->polled[count++] = NOBODY;
	for (int i = 0; i < CONTROL_CLIENTS_MAX && count < max; i++) {
		struct client *x = &c->clients[i];

		if (x->fd < 0)
			continue;
		items[count] = (struct poll_item){.fd = x->fd, .want = client_events(x)};
		c->polled[count++] = i;
	}
	c->polled_count = count;
	return count;
}

static void client_turn(struct client *c, short got, struct mono_ms now)
{
	if (got & POLL_WRITE)
		client_write(c);
	if (c->fd >= 0 && got & POLL_READ && !c->open)
		client_read(c, now);
	/* Hung up. What it asked before may still be read; nobody waits for the answer. */
	if (c->fd >= 0 && got & POLL_ERROR && !(got & POLL_READ))
		client_drop(c);
	if (c->fd >= 0 && client_stalls(c, now))
		client_drop(c);
}

void control_turn(struct control *c, const struct poll_item *items, size_t count,
		  struct mono_ms now)
{
	if (now.ms >= c->rests_until_ms)
		c->resting = false;
	for (size_t i = 1; i < count && i < c->polled_count; i++) {
		struct client *x = &c->clients[c->polled[i]];

		if (x->fd >= 0 && x->fd == items[i].fd)
			client_turn(x, items[i].got, now);
	}
	if (count > 0 && items[0].got & POLL_READ)
		for (int i = 0; i < BACKLOG && accept_one(c, now); i++)
			;
	c->polled_count = 0;
}

enum err control_next(struct control *c, struct control_call *ret)
{
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		unsigned slot = (c->next + i) % CONTROL_CLIENTS_MAX;
		struct client *x = &c->clients[slot];

		if (x->fd < 0 || x->open || x->out_size > 0 || !has_whole(x))
			continue;
		x->open = true;
		c->next = slot + 1;
		*ret = (struct control_call){
			.client = x->generation * CONTROL_CLIENTS_MAX + slot,
			.uid = x->uid,
			.body = bytes_of(x->in + HEADER_BYTES, message_size(x) - HEADER_BYTES),
		};
		return ERR_OK;
	}
	return ERR_AGAIN;
}

/* Forgets the answered request; what came behind it moves up. */
static void client_answered(struct client *c, struct mono_ms now)
{
	size_t size = message_size(c);
	size_t rest = c->in_size - size;

	c->since_ms = now.ms;
	if (rest)
		memmove(c->in, c->in + size, rest);
	c->in_size = rest;
	if (c->in_capacity > KEPT_BYTES) { /* what came behind is at most SMALL_BYTES */
		uint8_t *in = realloc(c->in, SMALL_BYTES);

		if (in) {
			c->in = in;
			c->in_capacity = SMALL_BYTES;
		}
	}
}

/* Keeps what the kernel did not take. */
static void client_queue(struct client *c, struct bytes header, struct bytes body, size_t sent)
{
	size_t header_left = sent < header.size ? header.size - sent : 0;
	size_t body_sent = sent > header.size ? sent - header.size : 0;
	size_t left = header_left + body.size - body_sent;

	if (left == 0)
		return;
	c->out = malloc(left);
	if (!c->out) {
		client_drop(c);
		return;
	}
	if (header_left)
		memcpy(c->out, header.data + sent, header_left);
	if (left > header_left)
		memcpy(c->out + header_left, body.data + body_sent, left - header_left);
	c->out_size = left;
	c->out_sent = 0;
}

static void client_send(struct client *c, struct bytes body)
{
	uint8_t raw[HEADER_BYTES] = {(uint8_t)(body.size >> 24), (uint8_t)(body.size >> 16),
				     (uint8_t)(body.size >> 8), (uint8_t)body.size};
	struct iovec parts[2] = {
		{raw, sizeof raw},
		{(void *)(uintptr_t)body.data, body.size},
	};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	ssize_t n = 0;

	do
		n = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) {
		client_drop(c);
		return;
	}
	client_queue(c, bytes_of(raw, sizeof raw), body, n > 0 ? (size_t)n : 0);
}

void control_reply(struct control *c, unsigned client, struct bytes body)
{
	struct client *x = &c->clients[client % CONTROL_CLIENTS_MAX];

	if (!x->open || x->generation != client / CONTROL_CLIENTS_MAX)
		return;
	/* The reply may lie in the request: send it before that is forgotten. */
	if (x->fd >= 0 && body.size > CONTROL_BYTES_MAX)
		client_drop(x);
	else if (x->fd >= 0)
		client_send(x, body);
	x->open = false;
	if (x->fd < 0) /* it went away, now or meanwhile */
		client_free(x);
	else
		client_answered(x, mono_now());
}
