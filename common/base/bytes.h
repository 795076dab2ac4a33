/* Borrowed bytes, an owned growing buffer, a bump arena, and a cursor whose
 * error sticks: the four ways in which bytes move through the project.
 *
 * Layer: base. */
#ifndef SPLOT_BASE_BYTES_H
#define SPLOT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* ---- borrowed bytes: somebody else owns them and outlives the use ---- */

struct bytes {
	const uint8_t *data;
	size_t size;
};

struct bytes bytes_of(const void *data, size_t size);
struct bytes bytes_of_text(const char *text); /* without the final NUL */
bool bytes_equal(struct bytes a, struct bytes b);
int bytes_compare(struct bytes a, struct bytes b); /* as memcmp, shorter first */

/* ---- owned growing buffer ----
 * A failed growth sets `failed` and turns later appends into no-ops, so a
 * writer writes straight down and asks buf_check() once at the end. */

struct buf {
	uint8_t *data; /* owned; NULL when empty */
	size_t size;
	size_t capacity;
	size_t limit; /* 0: no limit; else growing past it fails */
	bool failed;
};

void buf_free(struct buf *b);  /* frees and zeroes; NULL-safe fields */
void buf_clear(struct buf *b); /* size 0, capacity kept, failure forgotten */
void buf_add(struct buf *b, const void *data, size_t size);
void buf_add_bytes(struct buf *b, struct bytes x);
void buf_add_text(struct buf *b, const char *text);
void buf_add_u8(struct buf *b, uint8_t x);
void buf_add_u16be(struct buf *b, uint16_t x);
void buf_add_u32be(struct buf *b, uint32_t x);
void buf_add_u64be(struct buf *b, uint64_t x);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for `size` more bytes, uninitialised, counted as written; NULL on failure. */
uint8_t *buf_extend(struct buf *b, size_t size);
/* NUL-terminated view of the content (the NUL is not counted); never NULL. */
const char *buf_text(struct buf *b);
struct bytes buf_bytes(const struct buf *b);
MUST_USE enum err buf_check(const struct buf *b); /* OK, NOMEM or LIMIT */

/* ---- arena: many small allocations, one free ---- */

struct arena_block;
struct arena {
	struct arena_block *head; /* owned */
	size_t used_bytes;
	size_t limit_bytes; /* 0: none */
};

void *arena_alloc(struct arena *a, size_t size);   /* aligned 16; NULL on failure */
char *arena_text(struct arena *a, struct bytes x); /* copy, NUL-terminated; NULL on failure */
MUST_USE enum err arena_bytes(struct arena *a, struct bytes x, struct bytes *ret); /* copy; NOMEM */
void arena_reset(struct arena *a); /* forget all, keep the first block */
void arena_free(struct arena *a);

/* ---- cursor over hostile bytes ----
 * A failed read yields zeros and sets err; check err once at the end. */

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	enum err err;
};

struct cursor cursor_of(struct bytes x);
size_t cursor_left(const struct cursor *c);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16be(struct cursor *c);
uint32_t cursor_u32be(struct cursor *c);
uint64_t cursor_u64be(struct cursor *c);
struct bytes cursor_bytes(struct cursor *c, size_t size);
void cursor_copy(struct cursor *c, void *to, size_t size); /* zeros on failure */
/* OK only when no read failed and nothing is left over. */
MUST_USE enum err cursor_finish(const struct cursor *c);

/* ---- sizes computed from input ---- */
MUST_USE enum err size_add(size_t a, size_t b, size_t *ret_sum);

#endif
