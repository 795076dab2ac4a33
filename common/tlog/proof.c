#include "tlog/tree.h"

#include <string.h>

/* ---- making ----
 * RFC 6962 defines both proofs by descent: halve a range at the largest power of two below
 * its width, keep one half, note the root of the other.  A range that is met so begins at a
 * multiple of a power of two that is no smaller than its width. */

struct range {
	uint64_t begin, end;
};

/* The root over [begin, end): the perfect subtrees that it consists of, joined from the right. */
static enum err range_root(const struct tree_reader *reader, struct range r, struct hash *ret)
{
	uint64_t width = r.end - r.begin;
	struct hash right;
	struct hash left;
	bool started = false;
	enum err e = ERR_OK;

	for (unsigned k = 0; k < PROOF_HASHES_MAX && width >> k; k++) {
		if (!(width >> k & 1))
			continue;
		e = reader->node(reader->context, k, (r.begin >> k) + (width >> k) - 1, &left);
		if (e)
			return e;
		right = started ? hash_node(left, right) : left;
		started = true;
	}
	if (!started)
		return ERR_INTERNAL;
	*ret = right;
	return ERR_OK;
}

static uint64_t split_width(struct range r)
{
	uint64_t width = r.end - r.begin; /* at least 2 */

	return UINT64_C(1) << (63 - __builtin_clzll(width - 1));
}

static enum err note_root(const struct tree_reader *reader, struct range r, struct proof *p)
{
	if (p->count == PROOF_HASHES_MAX)
		return ERR_INTERNAL;
	return range_root(reader, r, &p->hashes[p->count++]);
}

/* Keeps the half of *r in which leaf `inside` lies, and notes the root of the other. */
static enum err halve(const struct tree_reader *reader, struct range *r, uint64_t inside,
		      struct proof *p)
{
	uint64_t middle = r->begin + split_width(*r);
	struct range other = *r;

	if (inside < middle) {
		other.begin = middle;
		r->end = middle;
	} else {
		other.end = middle;
		r->begin = middle;
	}
	return note_root(reader, other, p);
}

/* Noted from the root down; a proof reads from the leaf up. */
static void reverse(const struct proof *p, struct proof *ret)
{
	ret->count = p->count;
	for (size_t i = 0; i < p->count; i++)
		ret->hashes[i] = p->hashes[p->count - 1 - i];
}

enum err proof_inclusion(const struct tree_reader *reader, uint64_t index, uint64_t size,
			 struct proof *ret)
{
	struct range r = {0, size};
	struct proof p = {0};
	enum err e = ERR_OK;

	if (index >= size || size > INT64_MAX)
		return ERR_ARGUMENT;
	while (!e && r.end - r.begin > 1)
		e = halve(reader, &r, index, &p);
	if (!e)
		reverse(&p, ret);
	return e;
}

enum err proof_consistency(const struct tree_reader *reader, uint64_t old, uint64_t size,
			   struct proof *ret)
{
	struct range r = {0, size};
	struct proof p = {0};
	enum err e = ERR_OK;

	if (old > size || size > INT64_MAX)
		return ERR_ARGUMENT;
	if (old == 0) {
		ret->count = 0;
		return ERR_OK;
	}
	while (!e && r.end != old)
		e = halve(reader, &r, old - 1, &p);
	if (!e && r.begin > 0) /* else it is the old root itself, which the verifier has */
		e = note_root(reader, r, &p);
	if (!e)
		reverse(&p, ret);
	return e;
}

/* ---- checking: walks up from a node at the right edge of the smaller tree ---- */

/* Where the walk stands: the node's number in its row, and the last number of that row. */
struct walk {
	uint64_t node, last;
};

static void walk_up(struct walk *w)
{
	w->node >>= 1;
	w->last >>= 1;
}

/* True when the next hash of the proof lies to the left; then also passes the rows in which
 * a node at the right edge has no sibling. */
static bool walk_left(struct walk *w)
{
	if (!(w->node & 1) && w->node != w->last)
		return false;
	while (!(w->node & 1) && w->node != 0)
		walk_up(w);
	return true;
}

enum err proof_read(struct bytes raw, struct proof *ret)
{
	if (raw.size % HASH_BYTES != 0 || raw.size / HASH_BYTES > PROOF_HASHES_MAX)
		return ERR_DECODE;
	ret->count = raw.size / HASH_BYTES;
	for (size_t i = 0; i < ret->count; i++)
		memcpy(ret->hashes[i].b, raw.data + i * HASH_BYTES, HASH_BYTES);
	return ERR_OK;
}

enum err proof_check_inclusion(const struct proof *p, uint64_t index, uint64_t size,
			       struct hash leaf, struct hash root)
{
	struct walk w = {index, size - 1};
	struct hash h = leaf;

	if (index >= size || p->count > PROOF_HASHES_MAX)
		return ERR_PROOF;
	for (size_t i = 0; i < p->count; i++) {
		if (w.last == 0)
			return ERR_PROOF;
		h = walk_left(&w) ? hash_node(p->hashes[i], h) : hash_node(h, p->hashes[i]);
		walk_up(&w);
	}
	return w.last == 0 && hash_equal(h, root) ? ERR_OK : ERR_PROOF;
}

enum err proof_check_consistency(const struct proof *p, uint64_t old, uint64_t size,
				 struct hash old_root, struct hash root)
{
	struct walk w = {old - 1, size - 1};
	struct hash h_old;
	struct hash h;
	size_t i = 0;

	if (old > size || p->count > PROOF_HASHES_MAX)
		return ERR_PROOF;
	if (old == 0 && !hash_equal(old_root, hash_empty()))
		return ERR_PROOF;
	if (old == size)
		return p->count == 0 && hash_equal(old_root, root) ? ERR_OK : ERR_PROOF;
	if (old == 0)
		return p->count == 0 ? ERR_OK : ERR_PROOF;
	while (w.node & 1)
		walk_up(&w);
	/* A perfect old tree is where the walk starts: its root is not in the proof. */
	if (w.node != 0 && p->count == 0)
		return ERR_PROOF;
	h = w.node == 0 ? old_root : p->hashes[i++];
	h_old = h;
	for (; i < p->count; i++) {
		if (w.last == 0)
			return ERR_PROOF;
		if (walk_left(&w)) {
			h_old = hash_node(p->hashes[i], h_old);
			h = hash_node(p->hashes[i], h);
		} else {
			h = hash_node(h, p->hashes[i]);
		}
		walk_up(&w);
	}
	return w.last == 0 && hash_equal(h_old, old_root) && hash_equal(h, root) ? ERR_OK
										 : ERR_PROOF;
}
