#include "io/peer_address.h"

#include <string.h>

enum { NETWORK_BYTES = 8, ADDRESS_BYTES = 16 };

bool peer_address_related(const union peer_address *a, const union peer_address *b)
{
	size_t size = NETWORK_BYTES;

	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	/* All of IPv4 stands in one such network (::ffff:0:0), and so does the loopback address. */
	if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr) || IN6_IS_ADDR_V4MAPPED(&b->v6.sin6_addr))
		size = ADDRESS_BYTES;
	return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, size) == 0;
}

bool peer_address_equal(const union peer_address *a, const union peer_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port && peer_address_related(a, b);
	return a->v6.sin6_port == b->v6.sin6_port &&
	       memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, ADDRESS_BYTES) == 0;
}
