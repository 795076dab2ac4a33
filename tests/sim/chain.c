/* A history as one number for each size.  It is made of leaf hashes, so that erasing an event's
 * bytes changes nothing of it. */
#include <stdlib.h>
#include <string.h>

#include "world.h"

void chain_clear(struct chain *c)
{
	c->count = 0;
}

void chain_free(struct chain *c)
{
	free(c->at);
	*c = (struct chain){0};
}

static void add(struct chain *c, struct hash leaf)
{
	uint64_t x = c->at[c->count] ^ 0x2545f4914f6cdd1dU;
	uint64_t word = 0;

	memcpy(&word, leaf.b, sizeof(word));
	x = (x ^ word) * 0x9e3779b97f4a7c15U;
	c->at[++c->count] = x ^ x >> 29;
}

static void make_room(struct chain *c, uint64_t size)
{
	if (c->capacity > size)
		return;
	c->capacity = 2 * size + 64;
	c->at = realloc(c->at, c->capacity * sizeof(*c->at));
	if (!c->at)
		exit(3);
}

enum err chain_follow(struct chain *c, const struct log *log, struct store *store)
{
	struct txn *read = NULL;
	enum err e = ERR_OK;

	make_room(c, log->tree.size);
	if (c->count == 0)
		c->at[0] = 1;
	if (c->count >= log->tree.size)
		return ERR_OK;
	e = txn_begin(store, false, &read);
	while (!e && c->count < log->tree.size) {
		struct hash leaf;

		e = log_leaf(log, read, c->count, &leaf);
		if (!e)
			add(c, leaf);
	}
	txn_abort(read);
	return e;
}
