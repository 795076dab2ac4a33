#include "model/codec.h"

#include <string.h>

/* Messages nest at most reply > version > change > record. */
enum { CODEC_DEPTH_MAX = 6 };

enum { VARINT_BYTES_MAX = 10, TAG_BYTES_MAX = 5, LENGTH_BYTES_MAX = 5 };

/* What protobuf-c takes for one message that passed the scan: at most about 100 bytes for
 * each wire byte (an unknown field of two bytes), and one struct for each item.  A ceiling
 * behind the bounds, never met by a message inside them. */
enum { CODEC_MEMORY_FACTOR = 160, CODEC_MEMORY_BYTES = 1024 * 1024 };

/* ---- the look before ---- */

struct level {
	const uint8_t *end;
	const ProtobufCMessageDescriptor *type;
	uint64_t seen; /* a bit for each single field met */
};

struct scan {
	const uint8_t *at;
	struct level levels[CODEC_DEPTH_MAX];
	size_t depth; /* of the innermost level */
	size_t items;
	struct codec_bounds bounds;
};

static enum err read_varint(struct scan *s, size_t bytes_max, uint64_t *ret)
{
	const uint8_t *end = s->levels[s->depth].end;
	uint64_t value = 0;

	for (size_t i = 0; i < bytes_max && s->at < end; i++) {
		uint8_t byte = *s->at++;

		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80)) {
			*ret = value;
			return ERR_OK;
		}
	}
	return ERR_DECODE;
}

static enum err skip(struct scan *s, size_t size)
{
	if ((size_t)(s->levels[s->depth].end - s->at) < size)
		return ERR_DECODE;
	s->at += size;
	return ERR_OK;
}

static enum err scan_counted(struct scan *s, const ProtobufCFieldDescriptor *field)
{
	uint64_t size = 0;
	const uint8_t *data = NULL;
	enum err err = read_varint(s, LENGTH_BYTES_MAX, &size);

	if (err != ERR_OK)
		return err;
	data = s->at;
	err = size <= INT32_MAX ? skip(s, (size_t)size) : ERR_DECODE;
	if (err != ERR_OK || !field)
		return err;
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		if (size > s->bounds.text_bytes)
			return ERR_LIMIT;
		return size && memchr(data, 0, (size_t)size) ? ERR_DECODE : ERR_OK;
	}
	if (field->type == PROTOBUF_C_TYPE_BYTES)
		return ERR_OK;
	if (field->type != PROTOBUF_C_TYPE_MESSAGE || s->depth + 1 >= CODEC_DEPTH_MAX)
		return ERR_DECODE;
	s->depth++;
	s->levels[s->depth] = (struct level){s->at, field->descriptor, 0};
	s->at = data;
	return ERR_OK;
}

static bool is_oneof(const ProtobufCFieldDescriptor *field)
{
	return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* A single field may come once, a oneof with one of its members: of two values each reader
 * might take another. */
static enum err count_field(struct scan *s, const ProtobufCFieldDescriptor *field)
{
	struct level *level = &s->levels[s->depth];
	const ProtobufCFieldDescriptor *fields = level->type->fields;
	uint64_t bit = UINT64_C(1) << ((size_t)(field - fields) & 63);

	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return ++s->items > s->bounds.items ? ERR_LIMIT : ERR_OK;
	for (size_t i = 0; is_oneof(field) && i < level->type->n_fields; i++) {
		if (is_oneof(&fields[i]) && fields[i].quantifier_offset == field->quantifier_offset)
			bit |= UINT64_C(1) << (i & 63);
	}
	if (level->seen & bit)
		return ERR_DECODE;
	level->seen |= bit;
	return ERR_OK;
}

static bool is_varint(const ProtobufCFieldDescriptor *field)
{
	return field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_BYTES &&
	       field->type != PROTOBUF_C_TYPE_MESSAGE;
}

/* A field's number and wire type. */
static enum err read_tag(struct scan *s, uint32_t *ret_number, uint32_t *ret_wire_type)
{
	uint64_t tag = 0;
	enum err err = read_varint(s, TAG_BYTES_MAX, &tag);

	if (err != ERR_OK)
		return err;
	if (tag > UINT32_MAX || tag >> 3 == 0)
		return ERR_DECODE;
	*ret_number = (uint32_t)(tag >> 3);
	*ret_wire_type = tag & 7;
	return ERR_OK;
}

/* Of a field that is not known here: over it. */
static enum err scan_value(struct scan *s, uint32_t wire_type,
			   const ProtobufCFieldDescriptor *field)
{
	uint64_t ignored = 0;

	switch (wire_type) {
	case PROTOBUF_C_WIRE_TYPE_VARINT:
		if (field && !is_varint(field))
			return ERR_DECODE;
		return read_varint(s, VARINT_BYTES_MAX, &ignored);
	case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
		return scan_counted(s, field);
	case PROTOBUF_C_WIRE_TYPE_64BIT:
		return field ? ERR_DECODE : skip(s, 8);
	case PROTOBUF_C_WIRE_TYPE_32BIT:
		return field ? ERR_DECODE : skip(s, 4);
	default:
		return ERR_DECODE; /* groups, and the types that do not exist */
	}
}

static enum err scan_field(struct scan *s)
{
	const ProtobufCFieldDescriptor *field = NULL;
	uint32_t number = 0;
	uint32_t wire_type = 0;
	enum err err = read_tag(s, &number, &wire_type);

	if (err != ERR_OK)
		return err;
	field = protobuf_c_message_descriptor_get_field(s->levels[s->depth].type, number);
	err = field ? count_field(s, field) : ERR_OK;
	return err == ERR_OK ? scan_value(s, wire_type, field) : err;
}

enum err codec_scan(struct bytes raw, const ProtobufCMessageDescriptor *type,
		    struct codec_bounds bounds)
{
	struct scan s = {.bounds = bounds};

	if (raw.size > bounds.bytes)
		return ERR_LIMIT;
	if (raw.size == 0)
		return ERR_OK;
	s.at = raw.data;
	s.levels[0] = (struct level){raw.data + raw.size, type, 0};
	for (;;) {
		enum err err = ERR_OK;

		while (s.at == s.levels[s.depth].end) {
			if (s.depth == 0)
				return ERR_OK;
			s.depth--;
		}
		err = scan_field(&s);
		if (err != ERR_OK)
			return err;
	}
}

/* Goes to the first field of that number; *ret_wire_type is UINT32_MAX when there is none. */
static enum err find_field(struct scan *s, struct bytes raw, uint32_t number,
			   uint32_t *ret_wire_type)
{
	if (raw.size == 0)
		return ERR_DECODE;
	s->at = raw.data;
	s->levels[0] = (struct level){raw.data + raw.size, NULL, 0};
	while (s->at < s->levels[0].end) {
		uint32_t found = 0;
		enum err err = read_tag(s, &found, ret_wire_type);

		if (err == ERR_OK && found == number)
			return ERR_OK;
		if (err == ERR_OK)
			err = scan_value(s, *ret_wire_type, NULL);
		if (err != ERR_OK)
			return err;
	}
	*ret_wire_type = UINT32_MAX;
	return ERR_OK;
}

enum err codec_number(struct bytes raw, uint32_t number, uint64_t *ret)
{
	struct scan s = {.depth = 0};
	uint32_t wire_type = 0;
	enum err err = find_field(&s, raw, number, &wire_type);

	if (err != ERR_OK)
		return err;
	if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT)
		return read_varint(&s, VARINT_BYTES_MAX, ret);
	if (wire_type != UINT32_MAX)
		return ERR_DECODE;
	*ret = 0;
	return ERR_OK;
}

enum err codec_slice(struct bytes raw, uint32_t number, struct bytes *ret)
{
	struct scan s = {.depth = 0};
	uint32_t wire_type = 0;
	uint64_t size = 0;
	enum err err = find_field(&s, raw, number, &wire_type);

	if (err == ERR_OK && wire_type == UINT32_MAX)
		return ERR_NOT_FOUND;
	if (err == ERR_OK && wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
		err = ERR_DECODE;
	if (err == ERR_OK)
		err = read_varint(&s, VARINT_BYTES_MAX, &size);
	if (err == ERR_OK && size > (uint64_t)(s.levels[0].end - s.at))
		err = ERR_DECODE;
	if (err == ERR_OK)
		*ret = bytes_of(s.at, (size_t)size);
	return err;
}

enum err codec_count(struct bytes raw, uint32_t number, size_t *ret)
{
	struct scan s = {.at = raw.data};
	enum err err = ERR_OK;
	size_t count = 0;

	if (raw.size == 0)
		return ERR_DECODE;
	s.levels[0] = (struct level){raw.data + raw.size, NULL, 0};
	while (err == ERR_OK && s.at < s.levels[0].end) {
		uint32_t found = 0;
		uint32_t wire_type = 0;

		err = read_tag(&s, &found, &wire_type);
		if (err == ERR_OK)
			err = scan_value(&s, wire_type, NULL);
		count += err == ERR_OK && found == number;
	}
	if (err == ERR_OK)
		*ret = count;
	return err;
}

bool codec_over(struct bytes raw, const struct codec_limit *limits, size_t count, struct over *ret)
{
	struct bytes found = {NULL, 0};

	for (size_t i = 0; i < count; i++) {
		if (codec_slice(raw, limits[i].number, &found) != ERR_OK ||
		    found.size <= limits[i].bytes_max)
			continue;
		*ret = (struct over){limits[i].what, found.size, limits[i].bytes_max,
				     limits[i].next};
		return true;
	}
	return false;
}

/* ---- unpacking into an arena ---- */

struct arena_use {
	struct arena *arena;
	bool failed;
};

static void *alloc_in_arena(void *context, size_t size)
{
	struct arena_use *use = context;
	void *at = arena_alloc(use->arena, size);

	if (!at)
		use->failed = true;
	return at;
}

static void free_in_arena(void *context, void *at)
{
	(void)context; /* the arena forgets all at once */
	(void)at;
}

static size_t memory_ceiling(const struct arena *arena, size_t size)
{
	size_t ceiling = 0;

	if (__builtin_mul_overflow(size, (size_t)CODEC_MEMORY_FACTOR, &ceiling) ||
	    __builtin_add_overflow(ceiling, (size_t)CODEC_MEMORY_BYTES, &ceiling) ||
	    __builtin_add_overflow(ceiling, arena->used_bytes, &ceiling))
		ceiling = SIZE_MAX;
	return arena->limit_bytes && arena->limit_bytes < ceiling ? arena->limit_bytes : ceiling;
}

enum err codec_unpack(struct bytes raw, const ProtobufCMessageDescriptor *type,
		      struct codec_bounds bounds, struct arena *arena, ProtobufCMessage **ret)
{
	static const uint8_t nothing[1];
	struct arena_use use = {arena, false};
	ProtobufCAllocator allocator = {alloc_in_arena, free_in_arena, &use};
	size_t limit_before = arena->limit_bytes;
	ProtobufCMessage *message = NULL;
	enum err err = codec_scan(raw, type, bounds);

	if (err != ERR_OK)
		return err;
	arena->limit_bytes = memory_ceiling(arena, raw.size);
	message = protobuf_c_message_unpack(type, &allocator, raw.size,
					    raw.size ? raw.data : nothing);
	arena->limit_bytes = limit_before;
	if (use.failed)
		return ERR_NOMEM;
	if (!message)
		return ERR_DECODE;
	*ret = message;
	return ERR_OK;
}

/* ---- packing ---- */

enum err codec_pack(const ProtobufCMessage *message, size_t limit, struct buf *ret)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *at = NULL;

	if (size > limit)
		return ERR_LIMIT;
	at = buf_extend(ret, size);
	if (!at)
		return ret->limit ? ERR_LIMIT : ERR_NOMEM;
	(void)protobuf_c_message_pack(message, at);
	return ERR_OK;
}

char *codec_text(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

ProtobufCBinaryData codec_binary(struct bytes x)
{
	return (ProtobufCBinaryData){x.size, (uint8_t *)(uintptr_t)x.data};
}
