/* A ZMTP 3 connection with CURVE (RFC 23, 26), by hand: for what the library would never send. */
#ifndef SPLOT_TESTS_FLOOD_RAW_H
#define SPLOT_TESTS_FLOOD_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct raw {
	int fd;
	uint8_t key[32]; /* shared with the server for this connection */
	uint64_t nonce;  /* the next short one */
};

/* Connects and greets only: half a handshake.  The descriptor, or -1. */
int raw_greet(const char *address);
/* A handshake up to where the server decides, and its answer is not waited for. */
bool raw_ask(const char *address, const uint8_t server[static 32], const uint8_t public[static 32],
	     const uint8_t secret[static 32], struct raw *ret);
/* A whole handshake; false when the server let it down. */
bool raw_open(const char *address, const uint8_t server[static 32], const uint8_t public[static 32],
	      const uint8_t secret[static 32], struct raw *ret);
/* One frame; false when the connection is gone. */
bool raw_send(struct raw *r, const uint8_t *data, size_t size, bool more);
void raw_close(struct raw *r);

#endif
