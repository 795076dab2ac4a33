#include "http/door_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/limits.h"

/* ---- connections ---- */

void connection_enters(struct connection *c, enum phase phase)
{
	if (!c)
		return;
	c->phase = phase;
	c->since = c->door->now;
}

void connection_drop(struct connection *c, enum drop why)
{
	c->door->counters->dropped[why]++;
	/* libmicrohttpd notices, closes it and tells us. */
	(void)shutdown(c->fd, SHUT_RDWR);
}

static void on_connection(void *context, struct MHD_Connection *mhd, void **ret,
			  enum MHD_ConnectionNotificationCode code)
{
	struct door *d = context;
	struct connection *c = *ret;
	const union MHD_ConnectionInfo *info = NULL;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (!c)
			return;
		*(c->before ? &c->before->next : &d->connections) = c->next;
		if (c->next)
			c->next->before = c->before;
		d->counters->connections--;
		free(c);
		*ret = NULL;
		return;
	}
	c = calloc(1, sizeof *c);
	info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!c || !info) {
		free(c);
		return;
	}
	*c = (struct connection){.door = d, .fd = info->connect_fd, .next = d->connections};
	if (c->next)
		c->next->before = c;
	d->connections = c;
	d->counters->connections++;
	d->counters->connections_taken++;
	connection_enters(c, PHASE_IDLE);
	*ret = c;
}

/* Who is slow beyond what is allowed loses the connection: libmicrohttpd's own timeout begins
 * again with every byte. */
static void judge(struct connection *c)
{
	int64_t passed_ms = c->door->now.ms - c->since.ms;
	uint64_t allowed_ms = ANSWER_MS_LEAST;

	if (c->phase == PHASE_IDLE && passed_ms > IDLE_MS_MAX)
		connection_drop(c, DROP_IDLE);
	if (c->phase == PHASE_HEAD && passed_ms > HEAD_MS_MAX)
		connection_drop(c, DROP_SLOW_HEAD);
	if (c->phase != PHASE_SENDING)
		return;
	allowed_ms += c->sending_bytes / (ANSWER_BYTES_A_SECOND / 1000);
	if (passed_ms > (int64_t)allowed_ms)
		connection_drop(c, DROP_SLOW_READER);
}

static void sweep(struct door *d)
{
	if (d->now.ms < d->next_sweep.ms)
		return;
	d->next_sweep.ms = d->now.ms + SWEEP_MS;
	for (struct connection *c = d->connections; c; c = c->next)
		judge(c);
}

/* ---- opening ---- */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} as;
	socklen_t size;
};

/* ADDRESS:PORT or [ADDRESS]:PORT. */
static enum err parse_address(const char *text, struct address *ret)
{
	char host[INET6_ADDRSTRLEN + 1] = "";
	const char *colon = strrchr(text, ':');
	char *end = NULL;
	unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
	size_t size = colon ? (size_t)(colon - text) : 0;
	bool v6 = size > 2 && text[0] == '[' && text[size - 1] == ']';

	if (!colon || !colon[1] || *end || port == 0 || port > UINT16_MAX)
		return ERR_CONFIG;
	if (v6) {
		text++;
		size -= 2;
	}
	if (size == 0 || size >= sizeof host)
		return ERR_CONFIG;
	memcpy(host, text, size);
	*ret = (struct address){.size = 0};
	if (v6) {
		ret->as.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
						   .sin6_port = htons((uint16_t)port)};
		ret->size = sizeof ret->as.v6;
		return inet_pton(AF_INET6, host, &ret->as.v6.sin6_addr) == 1 ? ERR_OK : ERR_CONFIG;
	}
	ret->as.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	ret->size = sizeof ret->as.v4;
	return inet_pton(AF_INET, host, &ret->as.v4.sin_addr) == 1 ? ERR_OK : ERR_CONFIG;
}

static enum err listen_on(struct door *d, char *why, size_t why_size)
{
	const int one = 1;
	struct address address;
	enum err e = parse_address(d->options.listen, &address);

	if (e != ERR_OK) {
		(void)snprintf(why, why_size,
			       "listen = %s is no address; write 127.0.0.1:8080 or [::1]:8080",
			       d->options.listen);
		return e;
	}
	d->listen_fd =
		socket(address.as.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (d->listen_fd < 0 ||
	    setsockopt(d->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
	    (address.as.any.sa_family == AF_INET6 &&
	     setsockopt(d->listen_fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) != 0) ||
	    bind(d->listen_fd, &address.as.any, address.size) != 0 ||
	    listen(d->listen_fd, LISTEN_BACKLOG) != 0) {
		(void)snprintf(why, why_size,
			       "%s: cannot listen here (%s); is the address this machine's, "
			       "and free?",
			       d->options.listen, strerrordesc_np(errno));
		return ERR_IO;
	}
	return ERR_OK;
}

/* What a target's percent signs mean is decided in target.c, once. */
static size_t leave_as_it_is(void *context, struct MHD_Connection *mhd, char *text)
{
	(void)context;
	(void)mhd;
	return strlen(text);
}

static enum err start(struct door *d, char *why, size_t why_size)
{
	const struct door_options *o = &d->options;
	const union MHD_DaemonInfo *info = NULL;

	d->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_SUSPEND_RESUME, 0, NULL, NULL, request_handle, d,
		MHD_OPTION_LISTEN_SOCKET, d->listen_fd,                                  //
		MHD_OPTION_CONNECTION_LIMIT, o->connections_max + CONNECTIONS_OVER,      //
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->connections_per_ip,               //
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,            //
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)STALL_S_MAX,                    //
		MHD_OPTION_STRICT_FOR_CLIENT, 0, /* the guard says it, once and whole */ //
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,                                    //
		MHD_OPTION_UNESCAPE_CALLBACK, leave_as_it_is, NULL,                      //
		MHD_OPTION_URI_LOG_CALLBACK, request_begins, d,                          //
		MHD_OPTION_NOTIFY_COMPLETED, request_ends, d,                            //
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, d,                          //
		MHD_OPTION_END);
	info = d->daemon ? MHD_get_daemon_info(d->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info || info->epoll_fd < 0) {
		(void)snprintf(why, why_size, "libmicrohttpd could not be started");
		return ERR_INTERNAL;
	}
	d->mhd_fd = info->epoll_fd;
	return ERR_OK;
}

enum err door_open(const struct door_options *o, struct counters *counters, struct door **ret,
		   char *why, size_t why_size)
{
	struct door *d = calloc(1, sizeof *d);
	enum err e = ERR_OK;

	if (!d)
		return ERR_NOMEM;
	*d = (struct door){.options = *o, .counters = counters, .listen_fd = -1, .now = mono_now()};
	e = listen_on(d, why, why_size);
	if (e == ERR_OK)
		e = start(d, why, why_size);
	if (e != ERR_OK) {
		door_close(d);
		return e;
	}
	*ret = d;
	return ERR_OK;
}

void door_close(struct door *d)
{
	if (!d)
		return;
	if (d->daemon)
		MHD_stop_daemon(d->daemon); /* closes the socket as well */
	else if (d->listen_fd >= 0)
		(void)close(d->listen_fd);
	arena_free(&d->arena);
	free(d);
}

/* ---- the turn ---- */

int door_fd(const struct door *d)
{
	return d->mhd_fd;
}

int door_timeout_ms(const struct door *d)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	/* Edges of libmicrohttpd's own epoll that are not yet worked off: it says 0 then. */
	if (MHD_get_timeout(d->daemon, &ms) != MHD_YES || ms > SWEEP_MS)
		return SWEEP_MS;
	return (int)ms;
}

void door_turn(struct door *d)
{
	d->now = mono_now();
	(void)MHD_run(d->daemon);
	sweep(d);
}

bool door_finish(struct door *d)
{
	if (!d->finishing) {
		MHD_socket fd = MHD_quiesce_daemon(d->daemon);

		d->finishing = true;
		if (fd != MHD_INVALID_SOCKET)
			(void)close(fd);
	}
	for (struct connection *c = d->connections; c; c = c->next)
		if (c->phase == PHASE_MAKING || c->phase == PHASE_SENDING)
			return false;
	return true;
}

struct counters *door_counters(struct door *d)
{
	return d->counters;
}
