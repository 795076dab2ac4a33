/* Who is at the other end of a connection, as far as its address tells.
 *
 * Layer: io, of use inside it only. */
#ifndef SPLOT_IO_PEER_ADDRESS_H
#define SPLOT_IO_PEER_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

union peer_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* The same connection: address and port. */
bool peer_address_equal(const union peer_address *a, const union peer_address *b);
/* Whether one party may be behind both: the same address, of IPv6 the same network of 64 bits,
 * since whoever has one address there has all of them. */
bool peer_address_related(const union peer_address *a, const union peer_address *b);

#endif
