/* RFC 6962 section 2.1 hashing.
 *
 * Layer: tlog (pure: bytes in, bytes out).  May use base, libcrypto, libsodium. */
#ifndef SPLOT_TLOG_HASH_H
#define SPLOT_TLOG_HASH_H

#include <stdint.h>

#include "base/bytes.h"

enum { HASH_BYTES = 32 };

struct hash {
	uint8_t b[HASH_BYTES];
};

struct hash hash_leaf(struct bytes leaf);                   /* SHA-256(0x00 || leaf) */
struct hash hash_node(struct hash left, struct hash right); /* SHA-256(0x01 || left || right) */
struct hash hash_empty(void);           /* root of the empty tree: SHA-256("") */
struct hash hash_plain(struct bytes x); /* SHA-256(x): key ids */
bool hash_equal(struct hash a, struct hash b);

#endif
