#include "tlog/tree.h"

#include <string.h>

static bool bit(uint64_t x, unsigned k)
{
	return x >> k & 1;
}

void tree_init(struct tree *t)
{
	memset(t, 0, sizeof(*t));
}

void tree_append(struct tree *t, struct hash leaf)
{
	struct hash h = leaf;
	unsigned k = 0;

	for (; k < PROOF_HASHES_MAX - 1 && bit(t->size, k); k++)
		h = hash_node(t->edge[k], h);
	t->edge[k] = h;
	t->size++;
}

struct hash tree_root(const struct tree *t)
{
	struct hash h;
	unsigned k = 0;

	if (t->size == 0)
		return hash_empty();
	k = (unsigned)__builtin_ctzll(t->size);
	h = t->edge[k];
	for (k++; k < PROOF_HASHES_MAX; k++) {
		if (bit(t->size, k))
			h = hash_node(t->edge[k], h);
	}
	return h;
}

enum err tree_at(const struct tree_reader *reader, uint64_t size, struct tree *ret)
{
	struct tree t;
	enum err e = ERR_OK;

	if (size > INT64_MAX)
		return ERR_ARGUMENT;
	tree_init(&t);
	for (unsigned k = PROOF_HASHES_MAX; k-- > 0;) {
		if (!bit(size, k))
			continue;
		e = reader->node(reader->context, k, (size >> k) - 1, &t.edge[k]);
		if (e)
			return e;
	}
	t.size = size;
	*ret = t;
	return ERR_OK;
}
