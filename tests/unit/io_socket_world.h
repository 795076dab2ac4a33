/* A server's door over loopback, the key of a node that it knows, and that of a stranger. */
#ifndef SPLOT_TESTS_IO_SOCKET_WORLD_H
#define SPLOT_TESTS_IO_SOCKET_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/socket.h"

#define OK(call) assert_int_equal((call), ERR_OK)

struct key_pair {
	uint8_t public[CURVE_BYTES];
	uint8_t secret[CURVE_BYTES];
};

struct world {
	struct network *serving;
	struct network *asking;
	struct key_pair server;
	struct key_pair node;
	struct key_pair stranger;
	bool let_all_in;
	bool node_revoked;
	struct endpoint *router;
};

static inline bool admit(void *context, const uint8_t key[static CURVE_BYTES],
			 char user[static USER_BYTES_MAX + 1])
{
	struct world *w = context;
	bool known = memcmp(key, w->node.public, CURVE_BYTES) == 0 && !w->node_revoked;

	(void)snprintf(user, USER_BYTES_MAX + 1, "%s", known ? "26" : "nobody");
	return known || w->let_all_in;
}

static inline struct curve serving_keys(struct world *w)
{
	return (struct curve){w->server.public, w->server.secret, NULL};
}

static inline struct curve asking_keys(struct world *w, struct key_pair *own)
{
	return (struct curve){own->public, own->secret, w->server.public};
}

static inline int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct curve keys;

	assert_non_null(w);
	curve_keypair(w->server.public, w->server.secret);
	curve_keypair(w->node.public, w->node.secret);
	curve_keypair(w->stranger.public, w->stranger.secret);
	OK(network_open(&w->serving));
	OK(network_open(&w->asking));
	OK(network_admit(w->serving, admit, w));
	keys = serving_keys(w);
	OK(endpoint_router(w->serving, "tcp://127.0.0.1:*", &keys, &w->router));
	*state = w;
	return 0;
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	endpoint_close(w->router);
	network_close(w->serving);
	network_close(w->asking);
	free(w);
	return 0;
}

#endif
