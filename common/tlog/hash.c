#include "tlog/hash.h"

#include <string.h>

#include "tlog/sha256.h"

static const uint8_t LEAF_PREFIX = 0x00;
static const uint8_t NODE_PREFIX = 0x01;

static struct hash digest(const struct bytes *parts, size_t count)
{
	struct hash h;

	if (!sha256_libcrypto(parts, count, &h))
		sha256_libsodium(parts, count, &h);
	return h;
}

struct hash hash_leaf(struct bytes leaf)
{
	const struct bytes parts[] = {{&LEAF_PREFIX, 1}, leaf};

	return digest(parts, 2);
}

struct hash hash_node(struct hash left, struct hash right)
{
	uint8_t raw[1 + 2 * HASH_BYTES];
	const struct bytes part = {raw, sizeof(raw)};

	raw[0] = NODE_PREFIX;
	memcpy(raw + 1, left.b, HASH_BYTES);
	memcpy(raw + 1 + HASH_BYTES, right.b, HASH_BYTES);
	return digest(&part, 1);
}

struct hash hash_empty(void)
{
	return digest(NULL, 0);
}

struct hash hash_plain(struct bytes x)
{
	return digest(&x, 1);
}

bool hash_equal(struct hash a, struct hash b)
{
	return memcmp(a.b, b.b, HASH_BYTES) == 0;
}
