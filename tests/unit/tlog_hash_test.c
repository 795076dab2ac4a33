#include "tlog_fixture.h"

#include <pthread.h>

#include "tlog/sha256.h"

static void known_answers_of_rfc_6962_hashing(void **state)
{
	(void)state;
	assert_hash(hash_empty(),
		    hash_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	assert_hash(hash_leaf(bytes_of(NULL, 0)),
		    hash_hex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"));
	assert_hash(hash_leaf(bytes_of_text("L123456")),
		    hash_hex("395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"));
	assert_hash(hash_plain(bytes_of_text("abc")),
		    hash_hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

static void a_leaf_that_looks_like_a_node_hashes_differently(void **state)
{
	uint8_t raw[2 * HASH_BYTES];
	struct hash left = leaf_number(1);
	struct hash right = leaf_number(2);

	(void)state;
	memcpy(raw, left.b, HASH_BYTES);
	memcpy(raw + HASH_BYTES, right.b, HASH_BYTES);
	assert_false(hash_equal(hash_node(left, right), hash_leaf(bytes_of(raw, sizeof(raw)))));
	assert_false(hash_equal(hash_node(left, right), hash_node(right, left)));
}

static void both_libraries_agree_on_every_length_and_cut(void **state)
{
	uint8_t raw[300];

	(void)state;
	for (size_t i = 0; i < sizeof(raw); i++)
		raw[i] = (uint8_t)(i * 7 + 3);
	for (size_t size = 0; size <= sizeof(raw); size++) {
		size_t cut = size / 3;
		const struct bytes parts[] = {{raw, cut}, {raw + cut, size - cut}};
		struct hash fast;
		struct hash plain;

		assert_true(sha256_libcrypto(parts, 2, &fast));
		sha256_libsodium(parts, 2, &plain);
		assert_hash(fast, plain);
		assert_hash(fast, hash_plain(bytes_of(raw, size)));
	}
}

static void *hash_in_a_thread(void *context)
{
	struct hash *ret = context;

	for (uint64_t i = 0; i < 1000; i++)
		*ret = hash_node(*ret, leaf_number(i));
	return NULL;
}

static void threads_hash_beside_each_other(void **state)
{
	pthread_t threads[4];
	struct hash results[4] = {{{0}}};
	struct hash alone = {{0}};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hash_in_a_thread, &results[i]),
				 0);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	hash_in_a_thread(&alone);
	for (size_t i = 0; i < 4; i++)
		assert_hash(results[i], alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers_of_rfc_6962_hashing),
		cmocka_unit_test(a_leaf_that_looks_like_a_node_hashes_differently),
		cmocka_unit_test(both_libraries_agree_on_every_length_and_cut),
		cmocka_unit_test(threads_hash_beside_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
