/* A start proves that what the guard stands on still holds: which texts libmicrohttpd hands out,
 * and where they lie, is not promised by it, and another release may do it differently.  Then clean
 * requests would be refused; better that nothing is served at all, and that it is said why. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/door_internal.h"

enum { PROVE_MS = 5000, PROVE_POLL_MS = 10, ANSWER_BYTES = 512 };

static const struct {
	const char *head;
	size_t size;
	unsigned status;
} probes[] = {
#define PROBE(text, status)                                                                        \
	{                                                                                          \
		(text), sizeof(text) - 1, (status)                                                 \
	}
	PROBE("GET /healthz HTTP/1.1\r\nHost: a\r\nX:\t y \r\nConnection: close\r\n\r\n", 200),
	PROBE("GET /healthz HTTP/1.1\r\nHost: a\r\nX: y\n\r\n", 400),
	PROBE("GET /healthz HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n", 400),
	PROBE("GET /healthz HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n", 400),
	PROBE("GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
	      400),
	PROBE("GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
	PROBE("GET /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
	PROBE("GET /healthz HTTP/1.1\r\n\r\n", 400),
#undef PROBE
};

static int call(const struct door *d)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t size = sizeof address;
	int fd = -1;

	if (getsockname(d->listen_fd, (struct sockaddr *)&address, &size) != 0)
		return -1;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, size) != 0 &&
	    errno != EINPROGRESS) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* All that is answered until the door closes; how many bytes that is. */
static size_t exchange(struct door *d, int fd, size_t probe, char answer[static ANSWER_BYTES])
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	struct mono_ms until = {mono_now().ms + PROVE_MS};
	size_t got = 0;
	bool sent = false;
	ssize_t n = -1;

	while (n != 0 && mono_now().ms < until.ms && got < ANSWER_BYTES - 1) {
		if (!sent)
			sent = send(fd, probes[probe].head, probes[probe].size, MSG_NOSIGNAL) ==
			       (ssize_t)probes[probe].size;
		door_turn(d);
		(void)poll(&wait, 1, door_timeout_ms(d) == 0 ? 0 : PROVE_POLL_MS);
		n = recv(fd, answer + got, ANSWER_BYTES - 1 - got, 0);
		if (n < 0 && errno != EAGAIN)
			break;
		got += n > 0 ? (size_t)n : 0;
	}
	answer[got] = 0;
	return got;
}

static bool answered_as(const char *answer, unsigned status)
{
	char line[24];

	(void)snprintf(line, sizeof line, "HTTP/1.1 %u ", status);
	return strncmp(answer, line, strlen(line)) == 0;
}

enum err door_prove(struct door *d, char *why, size_t why_size)
{
	const struct counters before = *d->counters;
	char answer[ANSWER_BYTES];
	enum err e = ERR_OK;

	for (size_t i = 0; i < sizeof probes / sizeof *probes && e == ERR_OK; i++) {
		int fd = call(d);
		size_t got = fd >= 0 ? exchange(d, fd, i, answer) : 0;

		if (fd >= 0)
			(void)close(fd);
		if (got == 0)
			e = ERR_TIMEOUT;
		else if (!answered_as(answer, probes[i].status))
			e = ERR_INTERNAL;
	}
	for (int i = 0; i < PROVE_MS / PROVE_POLL_MS && d->connections; i++)
		door_turn(d); /* they are gone before others come */
	if (e == ERR_INTERNAL)
		(void)snprintf(why, why_size,
			       "libmicrohttpd %s hands requests out in a way that is not known "
			       "here: they cannot be judged; install Debian 12's libmicrohttpd12",
			       MHD_get_version());
	d->counters->connections_taken = before.connections_taken;
	memcpy(d->counters->answers, before.answers, sizeof before.answers);
	memcpy(d->counters->refused, before.refused, sizeof before.refused);
	memcpy(d->counters->seconds, before.seconds, sizeof before.seconds);
	d->counters->seconds_us = before.seconds_us;
	return e;
}
