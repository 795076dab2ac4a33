/* A tree worked out the slow way, straight from RFC 6962's definition, to hold the fast one
 * against; shared by the tests of common/tlog. */
#ifndef SPLOT_TESTS_TLOG_FIXTURE_H
#define SPLOT_TESTS_TLOG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "tlog/tree.h"

#define assert_ok(x)               assert_string_equal(err_code(x), "ok")
#define assert_err(x, expected)    assert_string_equal(err_code(x), err_code(expected))
#define assert_hash(got, expected) assert_memory_equal((got).b, (expected).b, HASH_BYTES)

static inline struct hash hash_hex(const char *hex)
{
	struct hash h = {{0}};
	size_t size = 0;

	assert_int_equal(sodium_hex2bin(h.b, HASH_BYTES, hex, strlen(hex), NULL, &size, NULL), 0);
	assert_int_equal(size, HASH_BYTES);
	return h;
}

static inline struct hash leaf_number(uint64_t i)
{
	char text[32];
	int size = snprintf(text, sizeof(text), "leaf %llu", (unsigned long long)i);

	return hash_leaf(bytes_of(text, (size_t)size));
}

/* MTH of RFC 6962 section 2.1, over leaf hashes; recursive, as it is written there. */
static inline struct hash slow_root(const struct hash *leaves, uint64_t count)
{
	uint64_t k = 1;

	if (count == 0)
		return hash_empty();
	if (count == 1)
		return leaves[0];
	while (k * 2 < count)
		k *= 2;
	return hash_node(slow_root(leaves, k), slow_root(leaves + k, count - k));
}

/* Every perfect subtree of `size` leaves, row by row. */
struct forest {
	uint64_t size;
	struct hash *rows[24]; /* owned */
};

static inline void forest_make(struct forest *f, uint64_t size)
{
	*f = (struct forest){.size = size};
	for (unsigned k = 0; k < 24; k++) {
		f->rows[k] = calloc((size_t)(size >> k) + 1, sizeof(struct hash));
		assert_non_null(f->rows[k]);
		for (uint64_t i = 0; i < size >> k; i++)
			f->rows[k][i] =
				k ? hash_node(f->rows[k - 1][2 * i], f->rows[k - 1][2 * i + 1])
				  : leaf_number(i);
	}
}

static inline void forest_free(struct forest *f)
{
	for (unsigned k = 0; k < 24; k++)
		free(f->rows[k]);
}

/* A tree_reader: refuses a subtree that does not exist. */
static inline enum err forest_node(void *context, unsigned level, uint64_t index, struct hash *ret)
{
	const struct forest *f = context;

	if (level >= 24 || index >= f->size >> level)
		return ERR_NOT_FOUND;
	*ret = f->rows[level][index];
	return ERR_OK;
}

static inline struct hash forest_root(const struct forest *f, uint64_t size)
{
	return slow_root(f->rows[0], size);
}

#endif
