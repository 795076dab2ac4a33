/* The asking side of the control socket, and addresses for both sides. */
#include "io/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/control_address.h"

enum { PATH_BYTES_MAX = 4096, HEADER_BYTES = 4 };

static enum err socket_err(int code)
{
	switch (code) {
	case ENOENT:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
		return ERR_DENIED;
	case EADDRINUSE:
		return ERR_BUSY;
	case ECONNREFUSED:
	case EPIPE:
	case ECONNRESET:
		return ERR_CLOSED;
	case ENOMEM:
		return ERR_NOMEM;
	case EMFILE:
	case ENFILE:
		return ERR_DESCRIPTORS;
	case ENAMETOOLONG:
	case ENOTSOCK:
		return ERR_ARGUMENT;
	default:
		return ERR_IO;
	}
}

/* ---- addresses ---- */

/* A path that does not fit is named through a descriptor of its folder, which the caller
 * closes (-1: none was needed). */
static enum err address_of(const char *path, struct sockaddr_un *ret, int *ret_folder)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *slash = strrchr(path, '/');
	char folder[PATH_BYTES_MAX];
	int fd = -1;
	int n = 0;

	if (strlen(path) < sizeof address.sun_path) {
		memcpy(address.sun_path, path, strlen(path) + 1);
		*ret = address;
		*ret_folder = -1;
		return ERR_OK;
	}
	if (!slash || (size_t)(slash - path) >= sizeof folder)
		return ERR_ARGUMENT;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = 0;
	fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return socket_err(errno);
	n = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d%s", fd, slash);
	if (n < 0 || (size_t)n >= sizeof address.sun_path) {
		(void)close(fd);
		return ERR_ARGUMENT;
	}
	*ret = address;
	*ret_folder = fd;
	return ERR_OK;
}

static int connect_to(int fd, const struct sockaddr_un *address)
{
	int rc = 0;

	do
		rc = connect(fd, (const struct sockaddr *)address, sizeof *address);
	while (rc != 0 && errno == EINTR);
	return rc == 0 || errno == EISCONN ? 0 : errno;
}

/* Whether the path may be bound: free, or a socket that nobody listens on (removed). */
static enum err make_place(const char *path, const struct sockaddr_un *address)
{
	struct stat st;
	int fd = -1;
	int rc = 0;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? ERR_OK : socket_err(errno);
	if (!S_ISSOCK(st.st_mode))
		return ERR_EXISTS;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return socket_err(errno);
	rc = connect_to(fd, address);
	(void)close(fd);
	if (rc == 0 || rc == EAGAIN)
		return ERR_BUSY;
	if (rc != ECONNREFUSED)
		return socket_err(rc);
	return unlink(path) == 0 || errno == ENOENT ? ERR_OK : socket_err(errno);
}

enum err control_bind(const char *path, mode_t mode, int backlog, int *ret_fd)
{
	struct sockaddr_un address;
	int folder = -1;
	int fd = -1;
	enum err err = address_of(path, &address, &folder);

	if (err != ERR_OK)
		return err;
	err = make_place(path, &address);
	if (err != ERR_OK)
		goto out;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* Born closed to others, then opened as far as asked: no moment in between. */
	if (fd < 0 || fchmod(fd, 0600) != 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		err = socket_err(errno);
	} else if (chmod(path, mode) != 0 || listen(fd, backlog) != 0) {
		err = socket_err(errno);
		(void)unlink(path);
	}
out:
	if (folder >= 0)
		(void)close(folder);
	if (err == ERR_OK)
		*ret_fd = fd;
	else if (fd >= 0)
		(void)close(fd);
	return err;
}

/* ---- asking ---- */

enum err control_connect(const char *path, int *ret_fd)
{
	struct sockaddr_un address;
	int folder = -1;
	int fd = -1;
	int rc = 0;
	enum err err = address_of(path, &address, &folder);

	if (err != ERR_OK)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = fd < 0 ? errno : connect_to(fd, &address);
	if (folder >= 0)
		(void)close(folder);
	if (rc != 0) {
		if (fd >= 0)
			(void)close(fd);
		return socket_err(rc);
	}
	*ret_fd = fd;
	return ERR_OK;
}

struct deadline {
	bool none;
	int64_t ms;
	int64_t slow_ms;
	const struct control_patience *slow; /* NULL: told, or nobody is to be told */
};

static int64_t time_left(const struct deadline *end)
{
	int64_t until = end->none ? INT64_MAX : end->ms;
	int64_t left = 0;

	if (end->slow && end->slow_ms < until)
		until = end->slow_ms;
	if (until == INT64_MAX)
		return -1;
	left = until - mono_now().ms;
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : left;
}

/* Waits until the socket is ready or time is up. */
static enum err wait_for(int fd, short events, struct deadline *end)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int n = poll(&p, 1, (int)time_left(end));
		int64_t now = mono_now().ms;

		if (n > 0)
			return ERR_OK;
		if (n < 0 && errno != EINTR)
			return ERR_IO;
		if (end->slow && now >= end->slow_ms) {
			end->slow->tell(end->slow->context);
			end->slow = NULL;
		}
		if (!end->none && now >= end->ms)
			return ERR_TIMEOUT;
	}
}

static enum err send_all(int fd, struct bytes x, struct deadline *end)
{
	size_t done = 0;

	while (done < x.size) {
		enum err err = wait_for(fd, POLLOUT, end);
		ssize_t n = 0;

		if (err != ERR_OK)
			return err;
		n = send(fd, x.data + done, x.size - done, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return socket_err(errno);
		done += n > 0 ? (size_t)n : 0;
	}
	return ERR_OK;
}

static enum err receive_all(int fd, uint8_t *to, size_t size, struct deadline *end)
{
	size_t done = 0;

	while (done < size) {
		enum err err = wait_for(fd, POLLIN, end);
		ssize_t n = 0;

		if (err != ERR_OK)
			return err;
		n = recv(fd, to + done, size - done, MSG_DONTWAIT);
		if (n == 0)
			return ERR_CLOSED;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return socket_err(errno);
		done += n > 0 ? (size_t)n : 0;
	}
	return ERR_OK;
}

static enum err receive_reply(int fd, struct deadline *end, struct buf *ret)
{
	uint8_t raw[HEADER_BYTES];
	struct cursor c = {0};
	uint8_t *at = NULL;
	size_t start = ret->size;
	size_t size = 0;
	enum err err = receive_all(fd, raw, sizeof raw, end);

	if (err != ERR_OK)
		return err;
	c = cursor_of(bytes_of(raw, sizeof raw));
	size = cursor_u32be(&c);
	if (size > CONTROL_BYTES_MAX)
		return ERR_LIMIT;
	if (size == 0)
		return ERR_OK;
	at = buf_extend(ret, size);
	if (!at)
		return buf_check(ret);
	err = receive_all(fd, at, size, end);
	if (err != ERR_OK)
		ret->size = start;
	return err;
}

static enum err ask(int fd, struct bytes request, struct deadline *end, struct buf *ret)
{
	struct buf raw = {0};
	enum err err = ERR_OK;

	if (request.size > CONTROL_BYTES_MAX)
		return ERR_LIMIT;
	buf_add_u32be(&raw, (uint32_t)request.size);
	buf_add_bytes(&raw, request);
	err = buf_check(&raw);
	if (err == ERR_OK)
		err = send_all(fd, buf_bytes(&raw), end);
	buf_free(&raw);
	return err == ERR_OK ? receive_reply(fd, end, ret) : err;
}

enum err control_ask(int fd, struct bytes request, long timeout_ms, struct buf *ret)
{
	struct deadline end = {.none = timeout_ms < 0, .ms = mono_now().ms + timeout_ms};

	return ask(fd, request, &end, ret);
}

enum err control_ask_telling(int fd, struct bytes request, const struct control_patience *patience,
			     struct buf *ret)
{
	int64_t now = mono_now().ms;
	struct deadline end = {.none = patience->timeout_ms < 0,
			       .ms = now + patience->timeout_ms,
			       .slow_ms = now + patience->slow_ms,
			       .slow = patience};

	return ask(fd, request, &end, ret);
}
