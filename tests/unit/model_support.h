/* What the tests of common/model share: protobuf bytes written by hand, records filled by
 * name, and a seeded source of damage. */
#ifndef SPLOT_TESTS_MODEL_SUPPORT_H
#define SPLOT_TESTS_MODEL_SUPPORT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "model/record.h"

#define assert_ok(e)            assert_string_equal(err_code(e), "ok")
#define assert_err(e, expected) assert_string_equal(err_code(e), err_code(expected))

static inline void put_varint(struct buf *b, uint64_t x)
{
	for (; x > 0x7f; x >>= 7)
		buf_add_u8(b, (uint8_t)(x | 0x80));
	buf_add_u8(b, (uint8_t)x);
}

static inline void put_number(struct buf *b, unsigned field, uint64_t x)
{
	put_varint(b, (uint64_t)field << 3);
	put_varint(b, x);
}

static inline void put_counted(struct buf *b, unsigned field, struct bytes x)
{
	put_varint(b, (uint64_t)field << 3 | 2);
	put_varint(b, x.size);
	buf_add_bytes(b, x);
}

static inline void put_text(struct buf *b, unsigned field, const char *text)
{
	put_counted(b, field, bytes_of_text(text));
}

static inline void set_field(struct arena *arena, struct record *r, const char *name,
			     const char *text)
{
	int field = field_named(record_info(r), name);

	assert_true(field >= 0);
	assert_ok(record_set(r, arena, (size_t)field, bytes_of_text(text)));
}

/* Name, value, name, value, …, NULL. */
static inline struct record *make_record(struct arena *arena, enum record_kind kind, ...)
{
	struct record *r = record_new(arena, kind);
	const char *name = NULL;
	va_list pairs;

	assert_non_null(r);
	va_start(pairs, kind);
	while ((name = va_arg(pairs, const char *)) != NULL)
		set_field(arena, r, name, va_arg(pairs, const char *));
	va_end(pairs);
	return r;
}

/* xorshift64*: the same damage for the same seed on every machine. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

/* SPLOT_SEED repeats a failure. */
static inline uint64_t test_seed(void)
{
	const char *given = getenv("SPLOT_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : 20190604;

	return seed ? seed : 1;
}

/* Flips a few bits, cuts, or repeats a part: what comes out is in a heap block of exactly
 * its size, so that the sanitizer sees a read beyond it.  The caller frees. */
static inline struct bytes damaged(struct bytes from, uint64_t *state, uint8_t **ret_block)
{
	size_t size = from.size;
	uint8_t *block = NULL;
	uint64_t flips = next_random(state) % 4;

	if (next_random(state) % 3 == 0)
		size = (size_t)(next_random(state) % (from.size + 1));
	block = malloc(size ? size : 1);
	assert_non_null(block);
	memcpy(block, from.data, size);
	for (; size && flips > 0; flips--)
		block[next_random(state) % size] ^= (uint8_t)(1u << (next_random(state) % 8));
	if (size > 8 && next_random(state) % 4 == 0)
		memmove(block + next_random(state) % (size / 2), block + size / 2, size / 4);
	*ret_block = block;
	return bytes_of(block, size);
}

#endif
