#include "ledger/tally.h"

#include <stdlib.h>
#include <string.h>

#include "ledger/keys.h"

enum {
	FIRST_CAPACITY = 1024,
	KEPT_MOST = 4096, /* keys kept between batches, so that few are made anew */
};

struct tally_slot {
	const uint8_t *key; /* in the arena; NULL: free */
	uint32_t key_size;
	uint32_t hash;
	int64_t change;
};

void tally_free(struct tally *t)
{
	free(t->slots);
	arena_free(&t->keys);
	*t = (struct tally){.slots = NULL};
}

void tally_clear(struct tally *t)
{
	if (t->used > KEPT_MOST)
		tally_free(t);
	for (size_t i = 0; i < t->capacity; i++)
		t->slots[i].change = 0;
}

/* Eight bytes at a step: this is asked some twenty times for each new record. */
static uint32_t hash_of(const uint8_t *data, size_t size)
{
	uint64_t h = size;

	while (size > 0) {
		size_t step = size < sizeof h ? size : sizeof h;
		uint64_t word = 0;

		memcpy(&word, data, step);
		h = (h ^ word) * 0x9e3779b97f4a7c15U;
		h ^= h >> 32;
		data += step;
		size -= step;
	}
	return (uint32_t)h;
}

/* The key's slot, or the free one where it belongs. */
static struct tally_slot *find(const struct tally *t, uint32_t hash, const uint8_t *key,
			       size_t size)
{
	size_t at = hash & (t->capacity - 1);

	for (;; at = (at + 1) & (t->capacity - 1)) {
		struct tally_slot *slot = &t->slots[at];

		if (!slot->key || (slot->hash == hash && slot->key_size == size &&
				   memcmp(slot->key, key, size) == 0))
			return slot;
	}
}

/* At most three quarters full, so that a free slot always ends a search. */
static enum err make_room(struct tally *t)
{
	struct tally wider = {.capacity = t->capacity ? t->capacity * 2 : FIRST_CAPACITY};

	if (t->used < t->capacity / 4 * 3)
		return ERR_OK;
	if (wider.capacity > SIZE_MAX / sizeof *wider.slots)
		return ERR_LIMIT;
	wider.slots = calloc(wider.capacity, sizeof *wider.slots);
	if (!wider.slots)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->capacity; i++) {
		const struct tally_slot *old = &t->slots[i];

		if (old->key)
			*find(&wider, old->hash, old->key, old->key_size) = *old;
	}
	free(t->slots);
	t->slots = wider.slots;
	t->capacity = wider.capacity;
	return ERR_OK;
}

enum err tally_add(struct tally *t, const char *metric, const char *region, const char *kind,
		   const char *key, int64_t change)
{
	struct key built;
	struct tally_slot *slot = NULL;
	uint32_t hash = 0;
	enum err e = make_room(t);

	if (e != ERR_OK)
		return e;
	key_count(&built, metric, region, kind, key);
	hash = hash_of(built.data, built.size);
	slot = find(t, hash, built.data, built.size);
	if (!slot->key) {
		uint8_t *copy = arena_alloc(&t->keys, built.size);

		if (!copy)
			return ERR_NOMEM;
		memcpy(copy, built.data, built.size);
		*slot = (struct tally_slot){copy, (uint32_t)built.size, hash, 0};
		t->used++;
	}
	slot->change += change;
	return ERR_OK;
}

enum err count_read(struct bytes value, int64_t *ret)
{
	uint64_t x = 0;

	if (value.size != INDEX_KEY_BYTES)
		return ERR_CORRUPT;
	x = u64_read(value.data);
	memcpy(ret, &x, sizeof *ret);
	return ERR_OK;
}

static enum err write_one(struct table counts, struct txn *txn, const struct tally_slot *slot)
{
	struct bytes key = bytes_of(slot->key, slot->key_size);
	struct bytes value = {NULL, 0};
	uint8_t raw[INDEX_KEY_BYTES];
	int64_t count = 0;
	enum err e = txn_get(txn, counts, key, &value);

	if (e == ERR_OK)
		e = count_read(value, &count);
	else if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	if (e == ERR_OK && __builtin_add_overflow(count, slot->change, &count))
		e = ERR_CORRUPT;
	if (e != ERR_OK)
		return e;
	if (count == 0)
		return value.data ? txn_delete(txn, counts, key) : ERR_OK;
	u64_write(raw, (uint64_t)count);
	return txn_put(txn, counts, key, bytes_of(raw, sizeof raw));
}

enum err tally_write(struct tally *t, struct table counts, struct txn *txn)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < t->capacity; i++) {
		if (t->slots[i].change)
			e = write_one(counts, txn, &t->slots[i]);
		t->slots[i].change = 0;
	}
	if (t->used > KEPT_MOST)
		tally_free(t);
	return e;
}
