#include "api/cells.h"

#include <stdlib.h>
#include <string.h>

enum {
	FIRST_SLOTS = 1024,
	VALUE_BITS = 32,
	KIND_SHIFT = 32,
	PLACE_SHIFT = 40,
	TABLE_SHIFT = 48,
	BYTE_MASK = 0xff
};

/* No key is 0, so that 0 marks a free slot. */
static const uint64_t IN_USE = UINT64_C(1) << 63;

struct cells cells_in(struct arena *arena)
{
	return (struct cells){.arena = arena};
}

static uint64_t place_key(unsigned table, unsigned place)
{
	return IN_USE | (uint64_t)table << TABLE_SHIFT | (uint64_t)place << PLACE_SHIFT;
}

/* Mixes all bits of the key into the low ones (the finisher of a multiplicative hash). */
static size_t slot_of(uint64_t key, size_t slots)
{
	key *= UINT64_C(0x9e3779b97f4a7c15);
	return (size_t)(key ^ key >> VALUE_BITS) & (slots - 1);
}

static struct cell *find(struct cell *slots, size_t count, uint64_t key)
{
	size_t at = slot_of(key, count);

	while (slots[at].key && slots[at].key != key) /* half of them at most are used */
		at = (at + 1) & (count - 1);
	return &slots[at];
}

static bool grow(struct cells *c)
{
	size_t count = c->slot_count ? 2 * c->slot_count : FIRST_SLOTS;
	struct cell *slots = arena_alloc(c->arena, count * sizeof *slots);

	if (!slots)
		return false;
	memset(slots, 0, count * sizeof *slots);
	for (size_t i = 0; i < c->slot_count; i++) {
		if (c->slots[i].key)
			*find(slots, count, c->slots[i].key) = c->slots[i];
	}
	c->slots = slots;
	c->slot_count = count;
	return true;
}

void cells_add(struct cells *c, unsigned table, unsigned place, unsigned kind, text_id value,
	       size_t count)
{
	uint64_t key = place_key(table, place) | (uint64_t)kind << KIND_SHIFT | value;
	struct cell *at = NULL;

	if (c->failed || (2 * c->used >= c->slot_count && !grow(c))) {
		c->failed = true;
		return;
	}
	at = find(c->slots, c->slot_count, key);
	if (!at->key) {
		at->key = key;
		c->used++;
	}
	at->count += count;
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = ((const struct cell *)a)->key;
	uint64_t y = ((const struct cell *)b)->key;

	return x < y ? -1 : x > y;
}

enum err cells_settle(struct cells *c)
{
	size_t used = 0;

	if (c->failed)
		return ERR_NOMEM;
	for (size_t i = 0; i < c->slot_count; i++) {
		if (c->slots[i].key)
			c->slots[used++] = c->slots[i];
	}
	if (used)
		qsort(c->slots, used, sizeof *c->slots, by_key);
	c->settled = true;
	return ERR_OK;
}

struct cell_at cell_at(const struct cells *c, size_t i)
{
	const struct cell *at = &c->slots[i];

	return (struct cell_at){
		.table = (unsigned)(at->key >> TABLE_SHIFT) & BYTE_MASK,
		.place = (unsigned)(at->key >> PLACE_SHIFT) & BYTE_MASK,
		.kind = (unsigned)(at->key >> KIND_SHIFT) & BYTE_MASK,
		.value = (text_id)at->key,
		.count = at->count,
	};
}

/* Index of the first settled cell whose key is not below. */
static size_t lower_bound(const struct cells *c, uint64_t key)
{
	size_t from = 0;
	size_t to = c->used;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (c->slots[middle].key < key)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* Which word of `order` the text is; one more than there are for any other, then for none. */
static unsigned rank_of(const char *order, const char *text)
{
	size_t size = strlen(text);
	unsigned rank = 0;

	for (const char *at = order; *at; rank++) {
		size_t word = strcspn(at, " ");

		if (size && word == size && memcmp(at, text, size) == 0)
			return rank;
		at += word;
		at += strspn(at, " ");
	}
	return size ? rank : rank + 1;
}

static int by_rank(const void *a, const void *b)
{
	const struct cell_row *x = a;
	const struct cell_row *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->text, y->text);
}

enum err cells_list(const struct cells *c, const struct catalog *catalog, unsigned table,
		    unsigned place, const char *order, struct cell_row **ret, size_t *ret_count)
{
	size_t from = lower_bound(c, place_key(table, place));
	size_t to = lower_bound(c, place_key(table, place + 1));
	struct cell_row *rows = NULL;

	if (!c->settled)
		return ERR_INTERNAL;
	rows = arena_alloc(c->arena, (to - from + 1) * sizeof *rows);
	if (!rows)
		return ERR_NOMEM;
	for (size_t i = from; i < to; i++) {
		const struct cell_at at = cell_at(c, i);
		const char *text = catalog_of(catalog, at.value);

		rows[i - from] = (struct cell_row){
			.kind = at.kind,
			.value = at.value,
			.text = text,
			.count = at.count,
			.rank = rank_of(order, text),
		};
	}
	if (to > from)
		qsort(rows, to - from, sizeof *rows, by_rank);
	*ret = rows;
	*ret_count = to - from;
	return ERR_OK;
}
