#include "tlog_fixture.h"

enum { SIZES = 300, BITS_SIZES = 20 };

static struct forest forest;
static struct hash roots[SIZES + 1];
static const struct tree_reader reader = {&forest, forest_node};

static int set_up(void **state)
{
	(void)state;
	forest_make(&forest, SIZES);
	for (uint64_t n = 0; n <= SIZES; n++)
		roots[n] = forest_root(&forest, n);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	forest_free(&forest);
	return 0;
}

/* The eight leaves that Certificate Transparency's reference trees use. */
static void the_roots_of_the_eight_reference_leaves(void **state)
{
	static const struct {
		const char *leaf, *root;
	} CASES[] = {
		{"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
		{"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
		{"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
		{"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
		{"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
		{"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
		{"5051525354555657",
		 "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
		{"606162636465666768696a6b6c6d6e6f",
		 "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
	};
	struct tree t;

	(void)state;
	tree_init(&t);
	assert_hash(tree_root(&t), hash_empty());
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		uint8_t raw[16];
		size_t size = 0;

		assert_int_equal(sodium_hex2bin(raw, sizeof(raw), CASES[i].leaf,
						strlen(CASES[i].leaf), NULL, &size, NULL),
				 0);
		tree_append(&t, hash_leaf(bytes_of(raw, size)));
		assert_hash(tree_root(&t), hash_hex(CASES[i].root));
	}
}

static void appending_gives_the_root_of_the_definition(void **state)
{
	struct tree t;

	(void)state;
	tree_init(&t);
	for (uint64_t n = 0; n <= SIZES; n++) {
		assert_int_equal(t.size, n);
		assert_hash(tree_root(&t), roots[n]);
		tree_append(&t, leaf_number(n));
	}
}

static void a_tree_read_at_any_size_goes_on_like_one_grown(void **state)
{
	(void)state;
	for (uint64_t n = 0; n <= SIZES; n++) {
		struct tree t;

		assert_ok(tree_at(&reader, n, &t));
		assert_hash(tree_root(&t), roots[n]);
		for (uint64_t i = n; i < SIZES; i++)
			tree_append(&t, forest.rows[0][i]);
		assert_hash(tree_root(&t), roots[SIZES]);
	}
}

static void a_failing_reader_is_passed_on_and_nothing_is_given(void **state)
{
	struct tree t = {.size = 7};
	struct proof p = {.count = 7};

	(void)state;
	assert_err(tree_at(&reader, SIZES + 1, &t), ERR_NOT_FOUND);
	assert_err(tree_at(&reader, UINT64_MAX, &t), ERR_ARGUMENT);
	assert_err(proof_inclusion(&reader, 0, SIZES * 2, &p), ERR_NOT_FOUND);
	assert_err(proof_consistency(&reader, 5, SIZES * 2, &p), ERR_NOT_FOUND);
	assert_err(proof_inclusion(&reader, 5, 5, &p), ERR_ARGUMENT);
	assert_err(proof_inclusion(&reader, 0, 0, &p), ERR_ARGUMENT);
	assert_err(proof_inclusion(&reader, 0, UINT64_MAX, &p), ERR_ARGUMENT);
	assert_err(proof_consistency(&reader, 6, 5, &p), ERR_ARGUMENT);
	assert_err(proof_consistency(&reader, 6, UINT64_MAX, &p), ERR_ARGUMENT);
	assert_int_equal(t.size, 7);
	assert_int_equal(p.count, 7);
}

/* ---- inclusion ---- */

static void every_inclusion_proof_verifies(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= SIZES; n++) {
		for (uint64_t i = 0; i < n; i++) {
			struct proof p;

			assert_ok(proof_inclusion(&reader, i, n, &p));
			assert_ok(proof_check_inclusion(&p, i, n, forest.rows[0][i], roots[n]));
		}
	}
}

static void refuse_inclusion(const struct proof *p, uint64_t index, uint64_t size, struct hash leaf,
			     struct hash root)
{
	assert_err(proof_check_inclusion(p, index, size, leaf, root), ERR_PROOF);
}

static void refuse_changed_hashes(struct proof *p, uint64_t i, uint64_t n, unsigned bit_step)
{
	struct hash leaf = forest.rows[0][i];
	struct hash root = roots[n];

	for (unsigned bit = 0; bit < 256; bit += bit_step) {
		uint8_t mask = (uint8_t)(1U << bit % 8);

		for (size_t k = 0; k < p->count; k++) {
			p->hashes[k].b[bit / 8] ^= mask;
			refuse_inclusion(p, i, n, leaf, root);
			p->hashes[k].b[bit / 8] ^= mask;
		}
		leaf.b[bit / 8] ^= mask;
		refuse_inclusion(p, i, n, leaf, root);
		leaf.b[bit / 8] ^= mask;
		root.b[bit / 8] ^= mask;
		refuse_inclusion(p, i, n, leaf, root);
		root.b[bit / 8] ^= mask;
	}
}

/* One hash more, at either end, or one less. */
static void refuse_other_lengths(const struct proof *p, uint64_t i, uint64_t n)
{
	struct hash leaf = forest.rows[0][i];
	struct proof other = *p;

	other.hashes[other.count++] = roots[n];
	refuse_inclusion(&other, i, n, leaf, roots[n]);
	memmove(other.hashes + 1, p->hashes, p->count * sizeof(struct hash));
	other.hashes[0] = leaf;
	refuse_inclusion(&other, i, n, leaf, roots[n]);
	if (p->count > 0) {
		other = *p;
		other.count--;
		refuse_inclusion(&other, i, n, leaf, roots[n]);
		memmove(other.hashes, p->hashes + 1, other.count * sizeof(struct hash));
		refuse_inclusion(&other, i, n, leaf, roots[n]);
	}
	other.count = PROOF_HASHES_MAX + 1;
	refuse_inclusion(&other, i, n, leaf, roots[n]);
}

static void a_changed_inclusion_proof_is_refused(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= SIZES; n += n < 70 ? 1 : 23) {
		for (uint64_t i = 0; i < n; i++) {
			struct proof p;

			assert_ok(proof_inclusion(&reader, i, n, &p));
			refuse_changed_hashes(&p, i, n, n <= BITS_SIZES ? 1 : 97);
			refuse_other_lengths(&p, i, n);
		}
	}
}

static void an_inclusion_proof_holds_for_its_index_and_its_tree_only(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 70; n++) {
		for (uint64_t i = 0; i < n; i++) {
			struct hash leaf = forest.rows[0][i];
			struct proof p;

			assert_ok(proof_inclusion(&reader, i, n, &p));
			for (uint64_t other = 0; other <= 75; other++) {
				if (other != i)
					refuse_inclusion(&p, other, n, leaf, roots[n]);
				if (other != n)
					refuse_inclusion(&p, i, other, leaf, roots[other]);
			}
			refuse_inclusion(&p, UINT64_MAX, n, leaf, roots[n]);
			refuse_inclusion(&p, i, UINT64_MAX, leaf, roots[n]);
			refuse_inclusion(&p, i, 0, leaf, roots[n]);
		}
	}
}

/* ---- consistency ---- */

static void every_consistency_proof_verifies(void **state)
{
	(void)state;
	for (uint64_t n = 0; n <= SIZES; n++) {
		for (uint64_t old = 0; old <= n; old++) {
			struct proof p;

			assert_ok(proof_consistency(&reader, old, n, &p));
			assert_ok(proof_check_consistency(&p, old, n, roots[old], roots[n]));
			if (old == 0 || old == n)
				assert_int_equal(p.count, 0);
		}
	}
}

static void refuse_consistency(const struct proof *p, uint64_t old, uint64_t size,
			       struct hash old_root, struct hash root)
{
	assert_err(proof_check_consistency(p, old, size, old_root, root), ERR_PROOF);
}

static void refuse_changed_growth(struct proof *p, uint64_t old, uint64_t n, unsigned bit_step)
{
	struct hash old_root = roots[old];
	struct hash root = roots[n];

	for (unsigned bit = 0; bit < 256; bit += bit_step) {
		uint8_t mask = (uint8_t)(1U << bit % 8);

		for (size_t k = 0; k < p->count; k++) {
			p->hashes[k].b[bit / 8] ^= mask;
			refuse_consistency(p, old, n, old_root, root);
			p->hashes[k].b[bit / 8] ^= mask;
		}
		old_root.b[bit / 8] ^= mask;
		refuse_consistency(p, old, n, old_root, root);
		old_root.b[bit / 8] ^= mask;
		root.b[bit / 8] ^= mask;
		if (old > 0) /* everything grows from nothing */
			refuse_consistency(p, old, n, old_root, root);
		root.b[bit / 8] ^= mask;
	}
}

static void refuse_other_growth_lengths(const struct proof *p, uint64_t old, uint64_t n)
{
	struct proof other = *p;

	other.hashes[other.count++] = roots[n];
	refuse_consistency(&other, old, n, roots[old], roots[n]);
	memmove(other.hashes + 1, p->hashes, p->count * sizeof(struct hash));
	other.hashes[0] = roots[old];
	refuse_consistency(&other, old, n, roots[old], roots[n]);
	if (p->count > 0) {
		other = *p;
		other.count--;
		refuse_consistency(&other, old, n, roots[old], roots[n]);
		memmove(other.hashes, p->hashes + 1, other.count * sizeof(struct hash));
		refuse_consistency(&other, old, n, roots[old], roots[n]);
	}
	other.count = PROOF_HASHES_MAX + 1;
	refuse_consistency(&other, old, n, roots[old], roots[n]);
}

static void a_changed_consistency_proof_is_refused(void **state)
{
	(void)state;
	for (uint64_t n = 0; n <= SIZES; n += n < 70 ? 1 : 23) {
		for (uint64_t old = 0; old <= n; old++) {
			struct proof p;

			assert_ok(proof_consistency(&reader, old, n, &p));
			refuse_changed_growth(&p, old, n, n <= BITS_SIZES ? 1 : 97);
			refuse_other_growth_lengths(&p, old, n);
		}
	}
}

static void a_consistency_proof_holds_for_its_two_trees_only(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 70; n++) {
		for (uint64_t old = 1; old < n; old++) {
			struct proof p;

			assert_ok(proof_consistency(&reader, old, n, &p));
			for (uint64_t other = 1; other <= 75; other++) {
				if (other != old) {
					refuse_consistency(&p, other, n, roots[old], roots[n]);
					refuse_consistency(&p, other, n, roots[other], roots[n]);
				}
				if (other != n)
					refuse_consistency(&p, old, other, roots[old],
							   roots[other]);
			}
			refuse_consistency(&p, 0, n, roots[old], roots[n]);
			refuse_consistency(&p, UINT64_MAX, n, roots[old], roots[n]);
			refuse_consistency(&p, old, UINT64_MAX, roots[old], roots[n]);
			refuse_consistency(&p, n, old, roots[n], roots[old]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_roots_of_the_eight_reference_leaves),
		cmocka_unit_test(appending_gives_the_root_of_the_definition),
		cmocka_unit_test(a_tree_read_at_any_size_goes_on_like_one_grown),
		cmocka_unit_test(a_failing_reader_is_passed_on_and_nothing_is_given),
		cmocka_unit_test(every_inclusion_proof_verifies),
		cmocka_unit_test(a_changed_inclusion_proof_is_refused),
		cmocka_unit_test(an_inclusion_proof_holds_for_its_index_and_its_tree_only),
		cmocka_unit_test(every_consistency_proof_verifies),
		cmocka_unit_test(a_changed_consistency_proof_is_refused),
		cmocka_unit_test(a_consistency_proof_holds_for_its_two_trees_only),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
