/* Two checkpoints of one log: one history, or two. */
#include "audit_fixture.h"

#include "audit/consistency.h"

static struct checkpoint at(const struct log *l)
{
	struct checkpoint c = {.size = l->tree.size, .root = tree_root(&l->tree)};

	(void)snprintf(c.origin, sizeof c.origin, "%s", REALM "/region/26");
	return c;
}

static enum relation judged(const struct checkpoint *a, const struct checkpoint *b,
			    const struct proof *proof, const struct hash *old_root)
{
	enum relation relation = RELATION_UNKNOWN;
	enum relation turned = RELATION_UNKNOWN;

	assert_ok(consistency_judge(a, b, proof, old_root, &relation));
	assert_ok(consistency_judge(b, a, proof, old_root, &turned));
	assert_int_equal(relation, turned);
	return relation;
}

static void one_history_is_proved_from_a_store_and_from_its_export(void **state)
{
	struct nation *n = *state;
	const uint64_t sizes[] = {1, 100, 256, 257, 600};
	struct checkpoint c[5];
	struct export_report report;
	struct source s = {0};
	struct proof proof;
	struct hash old_root;

	for (size_t i = 0; i < 5; i++) {
		nation_grow(n, sizes[i]);
		c[i] = at(n->l26);
	}
	assert_ok(export_all(n, &report));
	assert_ok(source_open(n->folder, &s));
	for (size_t i = 0; i < 5; i++) {
		for (size_t k = i + 1; k < 5; k++) {
			assert_ok(consistency_prove(k % 2 ? &s : &n->source, name_of("26"), &c[i],
						    &c[k], &proof, &old_root));
			assert_int_equal(judged(&c[i], &c[k], &proof, &old_root), RELATION_GREW);
			assert_int_equal(judged(&c[i], &c[k], NULL, NULL), RELATION_UNKNOWN);
		}
		assert_int_equal(judged(&c[i], &c[i], NULL, NULL), RELATION_SAME);
	}
	c[4].size++;
	assert_err(consistency_prove(&s, name_of("26"), &c[1], &c[4], &proof, &old_root),
		   ERR_NOT_FOUND);
	source_close(&s);
}

static void two_histories_are_told_by_their_roots_at_the_smaller_size(void **state)
{
	struct nation *n = *state;
	struct checkpoint small;
	struct checkpoint large;
	struct checkpoint other;
	struct proof proof;
	struct hash old_root;

	nation_grow(n, 100);
	small = at(n->l26);
	nation_grow(n, 300);
	large = at(n->l26);
	other = small;
	other.root.b[7] ^= 1;
	assert_int_equal(judged(&small, &other, NULL, NULL), RELATION_FORKED);
	assert_ok(consistency_prove(&n->source, name_of("26"), &other, &large, &proof, &old_root));
	assert_int_equal(judged(&other, &large, &proof, &old_root), RELATION_FORKED);
	/* A proof is believed only when it leads to the larger checkpoint. */
	proof.hashes[0].b[0] ^= 1;
	assert_int_equal(judged(&other, &large, &proof, &old_root), RELATION_UNKNOWN);
	proof.hashes[0].b[0] ^= 1;
	assert_int_equal(judged(&other, &large, &proof, &other.root), RELATION_UNKNOWN);
	/* The larger one is not of this source's history. */
	large.root.b[0] ^= 1;
	assert_err(consistency_prove(&n->source, name_of("26"), &small, &large, &proof, &old_root),
		   ERR_ROOT);
	(void)snprintf(other.origin, sizeof other.origin, "%s", REALM "/region/24");
	{
		enum relation relation = RELATION_SAME;

		assert_err(consistency_judge(&small, &other, NULL, NULL, &relation), ERR_ORIGIN);
	}
}

static void the_file_has_one_form(void **state)
{
	static const char *const bad[] = {
		"",
		"old 5",
		"old 5\n",
		"old 05\n\nnote",
		"old\n\nnote",
		"new 5\n\nnote",
		"old 5\nAAAA\n\nnote",
		"old 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"old 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n\nnote",
	};
	struct consistency_file file = {.old = 5, .note = bytes_of_text("note\n")};
	struct consistency_file read;
	struct buf raw = {0};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_err(consistency_parse(bytes_of_text(bad[i]), &read), ERR_DECODE);
	for (size_t count = 0; count <= PROOF_HASHES_MAX; count += 8) {
		file.proof.count = count;
		for (size_t i = 0; i < count; i++)
			file.proof.hashes[i] = hash_plain(bytes_of(&i, sizeof i));
		buf_clear(&raw);
		assert_ok(consistency_write(&file, &raw));
		assert_ok(consistency_parse(buf_bytes(&raw), &read));
		assert_int_equal(read.old, 5);
		assert_int_equal(read.proof.count, count);
		assert_memory_equal(read.proof.hashes, file.proof.hashes,
				    count * sizeof *read.proof.hashes);
		assert_true(bytes_equal(read.note, file.note));
	}
	/* One hash too many. */
	buf_clear(&raw);
	buf_add_text(&raw, "old 5\n");
	for (size_t i = 0; i <= PROOF_HASHES_MAX; i++)
		buf_add_text(&raw, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	buf_add_text(&raw, "\nnote\n");
	assert_err(consistency_parse(buf_bytes(&raw), &read), ERR_DECODE);
	buf_free(&raw);
}

#define NATION(test) cmocka_unit_test_setup_teardown(test, nation_setup, nation_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NATION(one_history_is_proved_from_a_store_and_from_its_export),
		NATION(two_histories_are_told_by_their_roots_at_the_smaller_size),
		cmocka_unit_test(the_file_has_one_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
