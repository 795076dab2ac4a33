#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- borrowed bytes ---- */

struct bytes bytes_of(const void *data, size_t size)
{
	return (struct bytes){data, size};
}

struct bytes bytes_of_text(const char *text)
{
	return (struct bytes){(const uint8_t *)text, strlen(text)};
}

bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
	size_t common = a.size < b.size ? a.size : b.size;
	int order = common ? memcmp(a.data, b.data, common) : 0;

	return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* ---- buffer ---- */

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){.limit = b->limit};
}

void buf_clear(struct buf *b)
{
	b->size = 0;
	b->failed = false;
}

/* Makes room for `more` bytes and one NUL behind them. */
static bool buf_grow(struct buf *b, size_t more)
{
	size_t need = 0;
	size_t capacity = b->capacity ? b->capacity : 256;
	uint8_t *data = NULL;

	if (b->failed)
		return false;
	if (__builtin_add_overflow(b->size, more, &need) || need == SIZE_MAX ||
	    (b->limit && need > b->limit)) {
		b->failed = true;
		return false;
	}
	if (need < b->capacity)
		return true;
	while (capacity <= need) {
		if (__builtin_mul_overflow(capacity, (size_t)2, &capacity)) {
			b->failed = true;
			return false;
		}
	}
	data = realloc(b->data, capacity);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->capacity = capacity;
	return true;
}

uint8_t *buf_extend(struct buf *b, size_t size)
{
	uint8_t *at = NULL;

	if (!buf_grow(b, size))
		return NULL;
	at = b->data + b->size;
	b->size += size;
	return at;
}

void buf_add(struct buf *b, const void *data, size_t size)
{
	uint8_t *at = size ? buf_extend(b, size) : NULL;

	if (at)
		memcpy(at, data, size);
}

void buf_add_bytes(struct buf *b, struct bytes x)
{
	buf_add(b, x.data, x.size);
}

void buf_add_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_add_u8(struct buf *b, uint8_t x)
{
	buf_add(b, &x, 1);
}

static void add_be(struct buf *b, uint64_t x, size_t width)
{
	uint8_t raw[8];

	for (size_t i = 0; i < width; i++)
		raw[i] = (uint8_t)(x >> (8 * (width - 1 - i)));
	buf_add(b, raw, width);
}

void buf_add_u16be(struct buf *b, uint16_t x)
{
	add_be(b, x, 2);
}

void buf_add_u32be(struct buf *b, uint32_t x)
{
	add_be(b, x, 4);
}

void buf_add_u64be(struct buf *b, uint64_t x)
{
	add_be(b, x, 8);
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args;
	va_list again;
	int need = 0;

	va_start(args, format);
	va_copy(again, args);
	need = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (need < 0)
		b->failed = true;
	else if (buf_grow(b, (size_t)need)) {
		(void)vsnprintf((char *)b->data + b->size, (size_t)need + 1, format, again);
		b->size += (size_t)need;
	}
	va_end(again);
}

const char *buf_text(struct buf *b)
{
	if (!b->data && (!buf_grow(b, 0) || !b->data))
		return "";
	b->data[b->size] = 0;
	return (const char *)b->data;
}

struct bytes buf_bytes(const struct buf *b)
{
	return (struct bytes){b->data, b->size};
}

enum err buf_check(const struct buf *b)
{
	if (!b->failed)
		return ERR_OK;
	return b->limit ? ERR_LIMIT : ERR_NOMEM;
}

/* ---- arena ---- */

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	_Alignas(16) uint8_t data[];
};

/* Under the address sanitizer nothing of a block may be touched but what was handed out, and behind
 * each piece a gap stays closed. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_WATCHED 1
#endif
#endif

#ifdef ARENA_WATCHED
#include <sanitizer/asan_interface.h>
enum { ARENA_GAP = 16 };
static void arena_open(void *at, size_t size)
{
	__asan_unpoison_memory_region(at, size);
}
static void arena_close(void *at, size_t size)
{
	void *volatile where =
		at; /* gcc takes the call for a read of what nothing was written to */

	__asan_poison_memory_region(where, size);
}
#else
enum { ARENA_GAP = 0 };
static void arena_open(void *at, size_t size)
{
	(void)at;
	(void)size;
}
static void arena_close(void *at, size_t size)
{
	(void)at;
	(void)size;
}
#endif

enum { ARENA_BLOCK_BYTES = 64 * 1024 };

static struct arena_block *arena_add_block(struct arena *a, size_t at_least)
{
	size_t size = at_least > ARENA_BLOCK_BYTES ? at_least : ARENA_BLOCK_BYTES;
	struct arena_block *block = NULL;

	if (size > SIZE_MAX - sizeof *block)
		return NULL;
	block = malloc(sizeof *block + size);
	if (!block)
		return NULL;
	*block = (struct arena_block){.next = a->head, .size = size};
	arena_close(block->data, size);
	a->head = block;
	return block;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *block = a->head;
	size_t whole = 0;
	void *at = NULL;

	if (size > SIZE_MAX - 15 - ARENA_GAP)
		return NULL;
	whole = (size + 15) & ~(size_t)15;
	if (a->limit_bytes && (whole > a->limit_bytes || a->used_bytes > a->limit_bytes - whole))
		return NULL;
	if (!block || block->size - block->used < whole + ARENA_GAP)
		block = arena_add_block(a, whole + ARENA_GAP);
	if (!block)
		return NULL;
	at = block->data + block->used;
	block->used += whole + ARENA_GAP;
	a->used_bytes += whole;
	arena_open(at, size);
	return at;
}

char *arena_text(struct arena *a, struct bytes x)
{
	char *text = x.size < SIZE_MAX ? arena_alloc(a, x.size + 1) : NULL;

	if (!text)
		return NULL;
	if (x.size)
		memcpy(text, x.data, x.size);
	text[x.size] = 0;
	return text;
}

enum err arena_bytes(struct arena *a, struct bytes x, struct bytes *ret)
{
	const char *copy = arena_text(a, x);

	if (!copy)
		return ERR_NOMEM;
	*ret = bytes_of(copy, x.size);
	return ERR_OK;
}

void arena_reset(struct arena *a)
{
	struct arena_block *block = a->head;

	while (block && block->next) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
	if (block) {
		arena_close(block->data, block->used);
		block->used = 0;
	}
	a->head = block;
	a->used_bytes = 0;
}

void arena_free(struct arena *a)
{
	arena_reset(a);
	free(a->head);
	a->head = NULL;
}

/* ---- cursor ---- */

struct cursor cursor_of(struct bytes x)
{
	/* An empty slice may carry NULL: give the pointers something to be equal to. */
	static const uint8_t nothing[1];
	const uint8_t *at = x.size ? x.data : nothing;

	return (struct cursor){at, at + x.size, ERR_OK};
}

size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

struct bytes cursor_bytes(struct cursor *c, size_t size)
{
	struct bytes x = {c->at, size};

	if (c->err != ERR_OK || cursor_left(c) < size) {
		c->err = ERR_DECODE;
		return (struct bytes){NULL, 0};
	}
	c->at += size;
	return x;
}

void cursor_copy(struct cursor *c, void *to, size_t size)
{
	struct bytes x = cursor_bytes(c, size);

	if (c->err != ERR_OK)
		memset(to, 0, size);
	else if (size)
		memcpy(to, x.data, size);
}

static uint64_t cursor_be(struct cursor *c, size_t width)
{
	struct bytes x = cursor_bytes(c, width);
	uint64_t value = 0;

	for (size_t i = 0; i < x.size; i++)
		value = value << 8 | x.data[i];
	return value;
}

uint8_t cursor_u8(struct cursor *c)
{
	return (uint8_t)cursor_be(c, 1);
}

uint16_t cursor_u16be(struct cursor *c)
{
	return (uint16_t)cursor_be(c, 2);
}

uint32_t cursor_u32be(struct cursor *c)
{
	return (uint32_t)cursor_be(c, 4);
}

uint64_t cursor_u64be(struct cursor *c)
{
	return cursor_be(c, 8);
}

enum err cursor_finish(const struct cursor *c)
{
	if (c->err != ERR_OK)
		return c->err;
	return c->at == c->end ? ERR_OK : ERR_DECODE;
}

/* ---- sizes ---- */

enum err size_add(size_t a, size_t b, size_t *ret_sum)
{
	return __builtin_add_overflow(a, b, ret_sum) ? ERR_LIMIT : ERR_OK;
}
