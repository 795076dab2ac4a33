/* A mutator for protobuf messages: takes one field at some depth, changes it, repeats or removes
 * it, and puts the lengths around it right.  Half of the time libFuzzer's own mutations do. */
#include <stdint.h>
#include <string.h>

#include "fuzz.h"

enum { DEPTH_MAX = 8, FIELDS_MAX = 64, ROOM = 128 * 1024 };

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

struct range {
	size_t begin, end;
};

/* A field: from its tag to its end, and its payload when it is of bytes. */
struct field {
	struct range all, payload;
	bool is_bytes;
};

static uint32_t chance(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static bool varint(const uint8_t *data, size_t *at, size_t end, uint64_t *ret)
{
	uint64_t x = 0;

	for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
		uint8_t b = data[(*at)++];

		x |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*ret = x;
			return true;
		}
	}
	return false;
}

static bool take_field(const uint8_t *data, size_t *at, size_t end, struct field *ret)
{
	uint64_t tag = 0;
	uint64_t x = 0;

	*ret = (struct field){.all = {*at, *at}};
	if (!varint(data, at, end, &tag))
		return false;
	switch (tag & 7) {
	case 0:
		if (!varint(data, at, end, &x))
			return false;
		break;
	case 1:
	case 5:
		x = (tag & 7) == 1 ? 8 : 4;
		if (x > end - *at)
			return false;
		*at += x;
		break;
	case 2:
		if (!varint(data, at, end, &x) || x > end - *at)
			return false;
		ret->is_bytes = true;
		ret->payload = (struct range){*at, *at + x};
		*at += x;
		break;
	default:
		return false;
	}
	ret->all.end = *at;
	return true;
}

/* Some field of a message; false when the bytes are none. */
static bool some_field(const uint8_t *data, struct range in, uint32_t *state, struct field *ret)
{
	struct field fields[FIELDS_MAX];
	size_t count = 0;
	size_t at = in.begin;

	while (at < in.end && count < FIELDS_MAX)
		if (!take_field(data, &at, in.end, &fields[count++]))
			return false;
	if (count == 0)
		return false;
	*ret = fields[chance(state) % count];
	return true;
}

static void add_varint(struct buf *b, uint64_t x)
{
	for (; x >= 0x80; x >>= 7)
		buf_add_u8(b, (uint8_t)(x | 0x80));
	buf_add_u8(b, (uint8_t)x);
}

/* What a number becomes. */
static uint64_t odd_number(uint32_t *state)
{
	static const uint64_t odd[] = {
		0, 1, 2, 0x7f, 0x80, 0xffff, 0x10000, UINT32_MAX, (uint64_t)INT64_MAX, UINT64_MAX};
	uint32_t pick = chance(state) % 20;

	return pick < 10 ? odd[pick] : chance(state) % 300;
}

/* The field anew: `room` is scratch. */
static void change_field(const uint8_t *data, const struct field *f, uint32_t *state,
			 uint8_t room[static ROOM], struct buf *to)
{
	size_t at = f->all.begin;
	size_t size = f->all.end - f->all.begin;
	uint64_t tag = 0;

	switch (chance(state) % 5) {
	case 0:
		return;
	case 1:
		buf_add(to, data + f->all.begin, size);
		buf_add(to, data + f->all.begin, size);
		return;
	default:
		break;
	}
	(void)varint(data, &at, f->all.end, &tag);
	if (chance(state) % 8 == 0)
		tag = (tag & 7) | (uint64_t)(chance(state) % 40) << 3;
	add_varint(to, tag);
	if (f->is_bytes) {
		size = f->payload.end - f->payload.begin;
		if (size > ROOM / 2)
			size = ROOM / 2;
		memcpy(room, data + f->payload.begin, size);
		size = LLVMFuzzerMutate(room, size, ROOM < size + 64 ? ROOM : size + 64);
		add_varint(to, size);
		buf_add(to, room, size);
	} else if ((tag & 7) == 0) {
		add_varint(to, odd_number(state));
	} else {
		buf_add(to, data + at, f->all.end - at);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	static uint8_t room[ROOM];
	struct field path[DEPTH_MAX];
	struct range in = {0, size};
	uint32_t state = seed * 2654435761u | 1;
	struct buf inner = {.data = NULL};
	size_t depth = 0;

	if (chance(&state) % 2 == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	while (depth < DEPTH_MAX && some_field(data, in, &state, &path[depth])) {
		in = path[depth].payload;
		if (!path[depth++].is_bytes || chance(&state) % 3 == 0)
			break;
	}
	if (depth == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	change_field(data, &path[depth - 1], &state, room, &inner);
	while (depth-- > 0) { /* what stands around it, from inside out */
		struct range around = depth ? path[depth - 1].payload : (struct range){0, size};
		struct buf outer = {.data = NULL};
		size_t at = depth ? path[depth - 1].all.begin : 0;
		uint64_t tag = 0;

		struct buf content = {.data = NULL};

		buf_add(&content, data + around.begin, path[depth].all.begin - around.begin);
		buf_add_bytes(&content, buf_bytes(&inner));
		buf_add(&content, data + path[depth].all.end, around.end - path[depth].all.end);
		if (depth && varint(data, &at, path[depth - 1].all.end, &tag)) {
			add_varint(&outer, tag);
			add_varint(&outer, content.size);
		}
		buf_add_bytes(&outer, buf_bytes(&content));
		buf_free(&content);
		buf_free(&inner);
		inner = outer;
	}
	if (buf_check(&inner) == ERR_OK && inner.size <= max_size) {
		size = inner.size;
		if (size > 0)
			memcpy(data, inner.data, size);
	}
	buf_free(&inner);
	return size;
}
