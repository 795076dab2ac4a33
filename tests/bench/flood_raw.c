#include "flood_raw.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	GREETING_BYTES = 64,
	KEY = 32,
	BOX = 16, /* what a box adds */
	COOKIE = 96,
	FRAME_MAX = 256 * 1024,
	WAIT_S = 5,
	COMMAND = 4,
	LONG = 2,
	MORE = 1,
};

/* ---- bytes ---- */

static bool write_all(int fd, const uint8_t *data, size_t size)
{
	while (size) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		size -= (size_t)n;
	}
	return true;
}

static bool read_all(int fd, uint8_t *data, size_t size)
{
	return recv(fd, data, size, MSG_WAITALL) == (ssize_t)size;
}

static bool write_frame(int fd, uint8_t flags, const uint8_t *body, size_t size)
{
	static uint8_t frame[FRAME_MAX + 1024];
	size_t head = size > 255 ? 9 : 2;

	if (size > FRAME_MAX + 512)
		return false;
	frame[0] = (uint8_t)(flags | (size > 255 ? LONG : 0));
	for (size_t i = 1; i < head; i++)
		frame[i] = (uint8_t)((uint64_t)size >> (8 * (head - 1 - i)));
	memcpy(frame + head, body, size);
	return write_all(fd, frame, head + size);
}

/* A short command of exactly that size. */
static bool read_command(int fd, uint8_t *body, size_t size)
{
	uint8_t head[2];

	return read_all(fd, head, 2) && head[0] == COMMAND && head[1] == size &&
	       read_all(fd, body, size);
}

/* "CurveZMQ" and 8 letters, then 8 bytes of a number; or 8 letters and 16 bytes. */
static void nonce_of(uint8_t nonce[static 24], const char *prefix, const uint8_t *rest)
{
	size_t size = strlen(prefix);

	memcpy(nonce, prefix, size); /* NOLINT(bugprone-not-null-terminated-result) */
	memcpy(nonce + size, rest, 24 - size);
}

static void number(uint8_t bytes[static 8], uint64_t n)
{
	for (size_t i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(n >> (8 * (7 - i)));
}

/* ---- connecting ---- */

static int connect_to(const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct timeval wait = {WAIT_S, 0};
	char host[64];
	unsigned port = 0;
	int fd = -1;

	if (sscanf(address, "tcp://%63[^:]:%u", host, &port) != 2 || /* NOLINT(cert-err34-c) */
	    inet_pton(AF_INET, host, &to.sin_addr) != 1)
		return -1;
	to.sin_port = htons((uint16_t)port);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
		return fd;
	close(fd);
	return -1;
}

int raw_greet(const char *address)
{
	static const uint8_t mechanism[] = {'C', 'U', 'R', 'V', 'E'};
	uint8_t greeting[GREETING_BYTES] = {0xFF, [9] = 0x7F, [10] = 3};
	int fd = connect_to(address);

	memcpy(greeting + 12, mechanism, sizeof mechanism);
	if (fd >= 0 && !write_all(fd, greeting, sizeof greeting)) {
		close(fd);
		return -1;
	}
	return fd;
}

struct keys_of {
	const uint8_t *server, *public, *secret;
	uint8_t short_public[KEY], short_secret[KEY];
	uint8_t server_short[KEY];
	uint8_t cookie[COOKIE];
};

static bool hello(struct raw *r, struct keys_of *k)
{
	static const uint8_t zeros[64];
	uint8_t body[200] = "\5HELLO\1";
	uint8_t nonce[24];

	crypto_box_keypair(k->short_public, k->short_secret);
	memcpy(body + 80, k->short_public, KEY);
	number(body + 112, r->nonce++);
	nonce_of(nonce, "CurveZMQHELLO---", body + 112);
	return crypto_box_easy(body + 120, zeros, sizeof zeros, nonce, k->server,
			       k->short_secret) == 0 &&
	       write_frame(r->fd, COMMAND, body, sizeof body);
}

static bool welcome(struct raw *r, struct keys_of *k)
{
	uint8_t body[168];
	uint8_t opened[KEY + COOKIE];
	uint8_t nonce[24];

	if (!read_command(r->fd, body, sizeof body) || memcmp(body, "\7WELCOME", 8) != 0)
		return false;
	nonce_of(nonce, "WELCOME-", body + 8);
	if (crypto_box_open_easy(opened, body + 24, sizeof opened + BOX, nonce, k->server,
				 k->short_secret) != 0)
		return false;
	memcpy(k->server_short, opened, KEY);
	memcpy(k->cookie, opened + KEY, COOKIE);
	return true;
}

static bool initiate(struct raw *r, const struct keys_of *k)
{
	static const char metadata[] = "\13Socket-Type\0\0\0\6DEALER";
	uint8_t vouched[2 * KEY];
	uint8_t plain[KEY + 16 + 2 * KEY + BOX + sizeof metadata - 1];
	uint8_t body[9 + COOKIE + 8 + BOX + sizeof plain] = "\10INITIATE";
	uint8_t nonce[24];

	memcpy(vouched, k->short_public, KEY);
	memcpy(vouched + KEY, k->server, KEY);
	memcpy(plain, k->public, KEY);
	randombytes_buf(plain + KEY, 16);
	nonce_of(nonce, "VOUCH---", plain + KEY);
	if (crypto_box_easy(plain + KEY + 16, vouched, sizeof vouched, nonce, k->server_short,
			    k->secret) != 0)
		return false;
	memcpy(plain + KEY + 16 + sizeof vouched + BOX, metadata, sizeof metadata - 1);
	memcpy(body + 9, k->cookie, COOKIE);
	number(body + 9 + COOKIE, r->nonce++);
	nonce_of(nonce, "CurveZMQINITIATE", body + 9 + COOKIE);
	return crypto_box_easy(body + 9 + COOKIE + 8, plain, sizeof plain, nonce, k->server_short,
			       k->short_secret) == 0 &&
	       write_frame(r->fd, COMMAND, body, sizeof body);
}

/* What READY says does not matter here; that it comes does. */
static bool ready(struct raw *r)
{
	uint8_t head[2];
	uint8_t body[255];

	return read_all(r->fd, head, 2) && head[0] == COMMAND && head[1] > 6 &&
	       read_all(r->fd, body, head[1]) && memcmp(body, "\5READY", 6) == 0;
}

bool raw_ask(const char *address, const uint8_t server[static 32], const uint8_t public[static 32],
	     const uint8_t secret[static 32], struct raw *ret)
{
	struct keys_of k = {.server = server, .public = public, .secret = secret};
	struct raw r = {.fd = raw_greet(address), .nonce = 1};
	uint8_t greeting[GREETING_BYTES];
	bool open = r.fd >= 0 && read_all(r.fd, greeting, sizeof greeting) && hello(&r, &k) &&
		    welcome(&r, &k) && initiate(&r, &k) &&
		    crypto_box_beforenm(r.key, k.server_short, k.short_secret) == 0;

	if (!open) {
		raw_close(&r);
		return false;
	}
	*ret = r;
	return true;
}

bool raw_open(const char *address, const uint8_t server[static 32], const uint8_t public[static 32],
	      const uint8_t secret[static 32], struct raw *ret)
{
	struct raw r;

	if (!raw_ask(address, server, public, secret, &r))
		return false;
	if (!ready(&r)) {
		raw_close(&r);
		return false;
	}
	*ret = r;
	return true;
}

bool raw_send(struct raw *r, const uint8_t *data, size_t size, bool more)
{
	static uint8_t plain[FRAME_MAX + 1];
	static uint8_t body[FRAME_MAX + 1 + 16 + BOX] = "\7MESSAGE";
	uint8_t nonce[24];

	if (size > FRAME_MAX)
		return false;
	plain[0] = more ? MORE : 0;
	memcpy(plain + 1, data, size);
	number(body + 8, r->nonce++);
	nonce_of(nonce, "CurveZMQMESSAGEC", body + 8);
	return crypto_box_easy_afternm(body + 16, plain, size + 1, nonce, r->key) == 0 &&
	       write_frame(r->fd, 0, body, 16 + BOX + size + 1);
}

void raw_close(struct raw *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}
