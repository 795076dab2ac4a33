#include "ledger/keys.h"

#include <string.h>

#include "base/limits.h"
#include "tlog/hash.h"

void u64_write(uint8_t to[static INDEX_KEY_BYTES], uint64_t x)
{
	for (unsigned i = 0; i < INDEX_KEY_BYTES; i++)
		to[i] = (uint8_t)(x >> (8 * (INDEX_KEY_BYTES - 1 - i)));
}

uint64_t u64_read(const uint8_t from[static INDEX_KEY_BYTES])
{
	uint64_t x = 0;

	for (unsigned i = 0; i < INDEX_KEY_BYTES; i++)
		x = x << 8 | from[i];
	return x;
}

struct bytes key_bytes(const struct key *k)
{
	return bytes_of(k->data, k->size);
}

static void add(struct key *k, const void *data, size_t size)
{
	size_t left = sizeof k->data - k->size;

	if (size > left)
		size = left;
	memcpy(k->data + k->size, data, size);
	k->size += size;
}

void key_add_u8(struct key *k, uint8_t x)
{
	add(k, &x, 1);
}

void key_add_u32(struct key *k, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		key_add_u8(k, (uint8_t)(x >> (8 * (3 - i))));
}

void key_add_u64(struct key *k, uint64_t x)
{
	uint8_t raw[INDEX_KEY_BYTES];

	u64_write(raw, x);
	add(k, raw, sizeof raw);
}

void key_add_text(struct key *k, const char *text)
{
	static const char digits[] = "0123456789abcdef";
	struct bytes whole = bytes_of_text(text);
	struct hash h;

	if (whole.size <= ID_BYTES_MAX) {
		add(k, whole.data, whole.size);
		return;
	}
	h = hash_plain(whole);
	add(k, "sha256:", 7);
	for (size_t i = 0; i < HASH_BYTES; i++) {
		key_add_u8(k, (uint8_t)digits[h.b[i] >> 4]);
		key_add_u8(k, (uint8_t)digits[h.b[i] & 15]);
	}
}

void key_record(struct key *k, enum record_kind kind, const char *id)
{
	k->size = 0;
	key_add_u8(k, (uint8_t)kind);
	key_add_text(k, id);
}

void key_versions(struct key *k, enum record_kind kind, const char *id)
{
	key_record(k, kind, id);
	key_add_u8(k, 0);
}

void key_change(struct key *k, uint64_t position, uint64_t index, uint32_t number)
{
	k->size = 0;
	key_add_u64(k, position);
	key_add_u64(k, index);
	key_add_u32(k, number);
}

void key_count(struct key *k, const char *metric, const char *region, const char *kind,
	       const char *key)
{
	const char *parts[] = {metric, region, kind, key};

	k->size = 0;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (i)
			key_add_u8(k, 0);
		key_add_text(k, parts[i]);
	}
}
