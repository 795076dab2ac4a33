/* Inclusion and consistency: roots and proofs of the tree agree with RFC 6962's own definition,
 * computed from the leaves; a proof that differs in anything is none. */
#include "fuzz.h"

#include "tlog/tree.h"

enum { LEAVES_MAX = 300 };

/* The tree by its definition: node (level, index) over perfect subtrees, kept. */
struct leaves {
	size_t count;
	struct hash nodes[9][LEAVES_MAX];
};

static void leaves_make(struct leaves *l, size_t count)
{
	size_t width = count;

	l->count = count;
	for (size_t i = 0; i < count; i++) {
		uint8_t leaf[2] = {(uint8_t)i, (uint8_t)(i >> 8)};

		l->nodes[0][i] = hash_leaf(bytes_of(leaf, sizeof leaf));
	}
	for (unsigned level = 1; level < 9; level++) {
		width /= 2;
		for (size_t i = 0; i < width; i++)
			l->nodes[level][i] = hash_node(l->nodes[level - 1][2 * i],
						       l->nodes[level - 1][2 * i + 1]);
	}
}

static enum err node(void *context, unsigned level, uint64_t index, struct hash *ret)
{
	const struct leaves *l = context;

	ALWAYS(level < 9 && (index + 1) << level <= l->count);
	*ret = l->nodes[level][index];
	return ERR_OK;
}

/* MTH(D[begin:end]): perfect subtrees from left to right, joined from the right. */
static struct hash root_of(const struct leaves *l, size_t begin, size_t end)
{
	struct hash parts[16];
	size_t count = 0;
	struct hash root = hash_empty();

	while (begin < end) {
		unsigned level = 0;

		while (level < 8 && begin % ((size_t)2 << level) == 0 &&
		       begin + ((size_t)2 << level) <= end)
			level++;
		parts[count++] = l->nodes[level][begin >> level];
		begin += (size_t)1 << level;
	}
	if (count > 0)
		root = parts[--count];
	while (count > 0)
		root = hash_node(parts[--count], root);
	return root;
}

static bool same_proof(const struct proof *a, const struct proof *b)
{
	return a->count == b->count &&
	       memcmp(a->hashes, b->hashes, a->count * sizeof a->hashes[0]) == 0;
}

/* Other numbers, other hashes, more or fewer of them, as the input says. */
static void spoil(struct proof *p, struct cursor *in)
{
	while (fuzz_more(in)) {
		uint8_t what = cursor_u8(in);
		uint8_t at = cursor_u8(in);

		switch (what % 4) {
		case 0:
			if (p->count > 0)
				p->hashes[at % p->count].b[what / 4 % HASH_BYTES] ^=
					(uint8_t)(1u << (at & 7));
			break;
		case 1:
			if (p->count > 0)
				p->count--;
			break;
		case 2:
			if (p->count < PROOF_HASHES_MAX)
				p->hashes[p->count++] = hash_empty();
			break;
		default:
			if (p->count > 1) {
				struct hash h = p->hashes[0];

				p->hashes[0] = p->hashes[at % p->count];
				p->hashes[at % p->count] = h;
			}
		}
	}
}

static void inclusion(const struct leaves *l, const struct tree_reader *reader, size_t index,
		      size_t size, struct cursor *in)
{
	struct proof p;
	struct proof spoiled;
	struct hash root = root_of(l, 0, size);
	enum err e = proof_inclusion(reader, index, size, &p);

	if (index >= size) {
		ALWAYS(e == ERR_ARGUMENT);
		return;
	}
	ALWAYS(e == ERR_OK);
	ALWAYS(proof_check_inclusion(&p, index, size, l->nodes[0][index], root) == ERR_OK);
	spoiled = p;
	spoil(&spoiled, in);
	e = proof_check_inclusion(&spoiled, index, size, l->nodes[0][index], root);
	ALWAYS((e == ERR_OK) == same_proof(&p, &spoiled));
	e = proof_check_inclusion(&p, (index + 1) % size, size, l->nodes[0][index], root);
	ALWAYS(size == 1 || e == ERR_PROOF);
}

static void consistency(const struct leaves *l, const struct tree_reader *reader, size_t old,
			size_t size, struct cursor *in)
{
	struct proof p;
	struct proof spoiled;
	struct hash before = root_of(l, 0, old);
	struct hash root = root_of(l, 0, size);
	enum err e = proof_consistency(reader, old, size, &p);

	if (old > size) {
		ALWAYS(e == ERR_ARGUMENT);
		return;
	}
	ALWAYS(e == ERR_OK);
	ALWAYS(proof_check_consistency(&p, old, size, before, root) == ERR_OK);
	spoiled = p;
	spoil(&spoiled, in);
	e = proof_check_consistency(&spoiled, old, size, before, root);
	ALWAYS((e == ERR_OK) == same_proof(&p, &spoiled));
	before.b[0] ^= 1;
	ALWAYS(proof_check_consistency(&p, old, size, before, root) == ERR_PROOF);
}

/* Numbers of any size, a proof of anything: no verdict but a refusal. */
static void hostile(struct cursor *in)
{
	uint64_t a = cursor_u64be(in);
	uint64_t b = cursor_u64be(in);
	struct hash x = hash_empty();
	struct hash y = hash_leaf(bytes_of_text("x"));
	struct proof p = {.count = cursor_u8(in) % (PROOF_HASHES_MAX + 1)};

	for (size_t i = 0; i < p.count; i++)
		cursor_copy(in, p.hashes[i].b, HASH_BYTES);
	ALWAYS(proof_check_inclusion(&p, a, b, x, y) != ERR_OK);
	ALWAYS(proof_check_consistency(&p, a, b, x, y) != ERR_OK || a == 0);
	ALWAYS(proof_check_consistency(&p, a, a, x, x) == ERR_OK || p.count > 0 || a > INT64_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct leaves l;
	struct tree_reader reader = {&l, node};
	struct cursor in = cursor_of(bytes_of(data, size));
	struct tree tree;
	struct tree at;
	uint8_t what = cursor_u8(&in);
	size_t first = cursor_u16be(&in) % (LEAVES_MAX + 1);
	size_t second = cursor_u16be(&in) % (LEAVES_MAX + 1);

	if (what % 3 == 2) {
		hostile(&in);
		return 0;
	}
	if (l.count == 0)
		leaves_make(&l, LEAVES_MAX);
	tree_init(&tree);
	for (size_t i = 0; i < second; i++)
		tree_append(&tree, l.nodes[0][i]);
	ALWAYS(hash_equal(tree_root(&tree), root_of(&l, 0, second)));
	ALWAYS(tree_at(&reader, second, &at) == ERR_OK && at.size == second);
	ALWAYS(hash_equal(tree_root(&at), tree_root(&tree)));
	if (what % 3 == 0)
		inclusion(&l, &reader, first, second, &in);
	else
		consistency(&l, &reader, first, second, &in);
	return 0;
}

void fuzz_seeds(struct seeds *to)
{
	static const struct {
		const char *name;
		uint8_t bytes[9];
		size_t size;
	} rows[] = {
		{"inclusion", {0, 0, 6, 0, 13}, 5},
		{"inclusion-last", {0, 0, 12, 0, 13}, 5},
		{"inclusion-bit", {0, 0, 6, 0, 13, 0, 1}, 7},
		{"inclusion-short", {0, 0, 255, 1, 0, 1, 0}, 7},
		{"consistency", {1, 0, 6, 0, 13}, 5},
		{"consistency-perfect", {1, 0, 128, 1, 1}, 5},
		{"consistency-more", {1, 0, 7, 0, 13, 2, 0}, 7},
		{"consistency-swap", {1, 0, 7, 1, 13, 3, 2}, 7},
		{"equal", {1, 0, 9, 0, 9}, 5},
		{"hostile", {2, 0, 0, 0, 0, 255}, 6},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		seed_add(to, rows[i].name, bytes_of(rows[i].bytes, rows[i].size));
}
