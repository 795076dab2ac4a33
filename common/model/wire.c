#include "model/wire.h"

#include <stddef.h>
#include <string.h>

#include "model/codec.h"
#include "wire.pb-c.h"

/* ---- how struct wire_header and the messages meet: by the fields' names ---- */

enum slot_type { SLOT_U32, SLOT_U64, SLOT_LOG, SLOT_CODE, SLOT_TEXT };

static const struct slot {
	const char *name; /* in proto/wire.proto */
	enum slot_type type;
	size_t offset; /* in struct wire_header */
} slots[] = {
	{"protocol", SLOT_U32, offsetof(struct wire_header, protocol)},
	{"log", SLOT_LOG, offsetof(struct wire_header, log)},
	{"session", SLOT_U64, offsetof(struct wire_header, session)},
	{"size", SLOT_U64, offsetof(struct wire_header, size)},
	{"from", SLOT_U64, offsetof(struct wire_header, from)},
	{"index", SLOT_U64, offsetof(struct wire_header, index)},
	{"count", SLOT_U32, offsetof(struct wire_header, count)},
	{"credit", SLOT_U64, offsetof(struct wire_header, credit)},
	{"commit_events", SLOT_U32, offsetof(struct wire_header, commit_events)},
	{"commit_bytes", SLOT_U32, offsetof(struct wire_header, commit_bytes)},
	{"code", SLOT_CODE, offsetof(struct wire_header, code)},
	{"text", SLOT_TEXT, offsetof(struct wire_header, text)},
};

static const struct slot *slot_named(const char *name)
{
	for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
		if (strcmp(slots[i].name, name) == 0)
			return &slots[i];
	}
	return NULL;
}

/* Any of the messages inside a header. */
union body {
	ProtobufCMessage base;
	Splot__Hello hello;
	Splot__Welcome welcome;
	Splot__Anchor anchor;
	Splot__Commit commit;
	Splot__Ack ack;
	Splot__Refused refused;
	Splot__Fetch fetch;
	Splot__Range range;
	Splot__Heartbeat heartbeat;
	Splot__Feed feed;
	Splot__Offer offer;
	Splot__Cosigned cosigned;
	Splot__Declined declined;
	Splot__Duty duty;
};

/* ---- encoding ---- */

/* Bytes of the text up to `max`, cut between characters. */
static size_t cut_size(const char *text, size_t max)
{
	size_t size = strnlen(text, max + 1);

	if (size <= max)
		return size;
	size = max;
	while (size > 0 && ((uint8_t)text[size] & 0xc0) == 0x80)
		size--;
	return size;
}

static void put(const struct wire_header *h, const struct slot *slot, uint8_t *field)
{
	const uint8_t *from = (const uint8_t *)h + slot->offset;
	char *text = NULL;

	switch (slot->type) {
	case SLOT_U32:
		memcpy(field, from, sizeof(uint32_t));
		return;
	case SLOT_U64:
		memcpy(field, from, sizeof(uint64_t));
		return;
	case SLOT_LOG:
		text = codec_text(h->log.text);
		break;
	case SLOT_CODE:
		text = codec_text(err_code(h->code));
		break;
	case SLOT_TEXT:
		text = codec_text(h->text);
		break;
	}
	memcpy(field, &text, sizeof text);
}

enum err wire_encode(const struct wire_header *h, struct buf *ret)
{
	Splot__Header header;
	union body body;
	const ProtobufCFieldDescriptor *kind = NULL;

	kind = protobuf_c_message_descriptor_get_field(&splot__header__descriptor,
						       (unsigned)h->kind);
	if (!kind)
		return ERR_ARGUMENT;
	protobuf_c_message_init(kind->descriptor, &body);
	for (unsigned i = 0; i < body.base.descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &body.base.descriptor->fields[i];
		const struct slot *slot = slot_named(field->name);

		if (!slot)
			return ERR_INTERNAL;
		put(h, slot, (uint8_t *)&body + field->offset);
	}
	splot__header__init(&header);
	header.kind_case = (Splot__Header__KindCase)h->kind;
	header.hello = &body.hello; /* every member of that union is a pointer to a message */
	return codec_pack(&header.base, HEADER_BYTES_MAX, ret);
}

/* ---- decoding ---- */

/* Room for what one header unpacks to; what needs more is no header of ours. */
struct pool {
	_Alignas(16) uint8_t data[2 * HEADER_BYTES_MAX];
	size_t used;
};

static void *pool_alloc(void *context, size_t size)
{
	struct pool *pool = context;
	uint8_t *at = pool->data + pool->used;

	if (size > sizeof pool->data)
		return NULL;
	size = (size + 15) & ~(size_t)15;
	if (size > sizeof pool->data - pool->used)
		return NULL;
	pool->used += size;
	return at;
}

static void pool_free(void *context, void *at)
{
	(void)context;
	(void)at;
}

/* A peer's words go to logs and terminals: no line breaks, no control characters. */
static void take_text(const char *from, char *to, size_t max)
{
	size_t size = cut_size(from, max);

	memcpy(to, from, size);
	for (size_t i = 0; i < size; i++) {
		if ((uint8_t)to[i] < 0x20 || to[i] == 0x7f)
			to[i] = ' ';
	}
	to[size] = 0;
}

static enum err take(struct wire_header *h, const struct slot *slot, const uint8_t *field)
{
	uint8_t *to = (uint8_t *)h + slot->offset;
	const char *text = NULL;

	if (slot->type == SLOT_U32 || slot->type == SLOT_U64) {
		memcpy(to, field, slot->type == SLOT_U32 ? sizeof(uint32_t) : sizeof(uint64_t));
		return ERR_OK;
	}
	memcpy(&text, field, sizeof text);
	if (slot->type == SLOT_LOG) {
		if (!*text && h->kind == WIRE_FEED)
			return ERR_OK;
		return log_name_parse(bytes_of_text(text), &h->log) == ERR_OK ? ERR_OK : ERR_DECODE;
	}
	if (slot->type == SLOT_TEXT) {
		take_text(text, h->text, TEXT_BYTES_MAX);
		return ERR_OK;
	}
	h->code = err_from_code(text);
	if (h->code == ERR_COUNT)
		h->code = ERR_INTERNAL;
	return ERR_OK;
}

enum err wire_decode(struct bytes raw, struct wire_header *ret)
{
	const struct codec_bounds bounds = {HEADER_BYTES_MAX, 0, HEADER_BYTES_MAX};
	struct pool pool;
	ProtobufCAllocator allocator = {pool_alloc, pool_free, &pool};
	const Splot__Header *header = NULL;
	const ProtobufCMessage *body = NULL;
	struct wire_header h;
	enum err err = codec_scan(raw, &splot__header__descriptor, bounds);

	if (err != ERR_OK)
		return err;
	if (raw.size == 0)
		return ERR_DECODE;
	pool.used = 0;
	header = splot__header__unpack(&allocator, raw.size, raw.data);
	if (!header)
		return ERR_DECODE;
	if (header->kind_case == SPLOT__HEADER__KIND__NOT_SET)
		return ERR_VERSION;
	memset(&h, 0, sizeof h);
	h.kind = (enum wire_kind)header->kind_case;
	body = &header->hello->base;
	for (unsigned i = 0; i < body->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &body->descriptor->fields[i];
		const struct slot *slot = slot_named(field->name);

		err = slot ? take(&h, slot, (const uint8_t *)body + field->offset) : ERR_INTERNAL;
		if (err != ERR_OK)
			return err;
	}
	*ret = h;
	return ERR_OK;
}
