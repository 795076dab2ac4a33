/* An append-only Merkle tree (RFC 6962) kept as its compact range: one hash for each
 * bit set in the size.  Appending costs amortised one node hash; root at any moment.
 *
 * A plain value: copying it is a snapshot.
 * Layer: tlog. */
#ifndef SPLOT_TLOG_TREE_H
#define SPLOT_TLOG_TREE_H

#include "base/limits.h"
#include "tlog/hash.h"

struct tree {
	uint64_t size;
	struct hash edge[PROOF_HASHES_MAX]; /* edge[k] is valid when bit k of size is set: the
					       root of a perfect subtree of 2^k leaves */
};

void tree_init(struct tree *t);
void tree_append(struct tree *t, struct hash leaf);
struct hash tree_root(const struct tree *t);

/* ---- reading a stored tree ---- */

/* Gives the hash of the perfect subtree over leaves [index << level, (index + 1) << level).
 * Implemented over stored tiles by the ledger, over arrays by tests. */
struct tree_reader {
	void *context;
	MUST_USE enum err (*node)(void *context, unsigned level, uint64_t index, struct hash *ret);
};

/* The compact range of the first `size` leaves: O(log size) reads. */
MUST_USE enum err tree_at(const struct tree_reader *reader, uint64_t size, struct tree *ret);

/* ---- proofs (RFC 6962 2.1.1 and 2.1.2; verification as RFC 9162 2.1.3.2, 2.1.4.2) ---- */

struct proof {
	size_t count;
	struct hash hashes[PROOF_HASHES_MAX];
};

/* index < size, else ARGUMENT. */
MUST_USE enum err proof_inclusion(const struct tree_reader *reader, uint64_t index, uint64_t size,
				  struct proof *ret);
/* 0 <= old <= size, else ARGUMENT; empty for old == 0 and old == size. */
MUST_USE enum err proof_consistency(const struct tree_reader *reader, uint64_t old, uint64_t size,
				    struct proof *ret);
/* From its hashes one after the other, as the wire carries them.  DECODE. */
MUST_USE enum err proof_read(struct bytes raw, struct proof *ret);
/* PROOF unless it verifies. */
MUST_USE enum err proof_check_inclusion(const struct proof *p, uint64_t index, uint64_t size,
					struct hash leaf, struct hash root);
MUST_USE enum err proof_check_consistency(const struct proof *p, uint64_t old, uint64_t size,
					  struct hash old_root, struct hash root);

#endif
