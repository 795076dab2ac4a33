#include "model/record.h"

#include <pthread.h>
#include <string.h>

#include "base/limits.h"
#include "event.pb-c.h"
#include "model/codec.h"
#include "model/message.h"
#include "model/region.h"
#include "model/rules.h"

static const ProtobufCMessageDescriptor *const descriptors[RULES_COUNT] = {
	[RECORD_OPERATOR - RECORD_KIND_FIRST] = &splot__operator__descriptor,
	[RECORD_ENTITY - RECORD_KIND_FIRST] = &splot__entity__descriptor,
	[RECORD_NETWORK - RECORD_KIND_FIRST] = &splot__network__descriptor,
	[RECORD_MEMBERSHIP - RECORD_KIND_FIRST] = &splot__membership__descriptor,
	[RECORD_STATISTIC - RECORD_KIND_FIRST] = &splot__statistic__descriptor,
};

/* ---- the table of rules against the descriptors, once ---- */

static pthread_once_t rules_once = PTHREAD_ONCE_INIT;
static bool rules_agree;

static bool field_agrees(const struct field *row, const ProtobufCFieldDescriptor *field)
{
	return strcmp(row->name, field->name) == 0 && field->type == PROTOBUF_C_TYPE_STRING &&
	       field->label == PROTOBUF_C_LABEL_NONE;
}

static void compare_rules(void)
{
	for (size_t k = 0; k < RULES_COUNT; k++) {
		if (rules[k].field_count != descriptors[k]->n_fields)
			return;
		for (size_t i = 0; i < rules[k].field_count; i++) {
			if (!field_agrees(&rules[k].fields[i], &descriptors[k]->fields[i]))
				return;
		}
	}
	rules_agree = true;
}

/* ---- kinds and fields ---- */

static bool kind_valid(enum record_kind kind)
{
	return (int)kind >= RECORD_KIND_FIRST && (int)kind <= RECORD_KIND_LAST;
}

const struct kind *kind_of(enum record_kind kind)
{
	(void)pthread_once(&rules_once, compare_rules);
	return rules_agree && kind_valid(kind) ? &rules[kind - RECORD_KIND_FIRST] : NULL;
}

const struct kind *kind_named(const char *name)
{
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);

		if (kind && (strcmp(kind->name, name) == 0 || strcmp(kind->plural, name) == 0))
			return kind;
	}
	return NULL;
}

static bool starts(struct bytes text, const char *prefix)
{
	size_t size = strlen(prefix);

	return text.size >= size && memcmp(text.data, prefix, size) == 0;
}

enum record_kind kind_of_id(struct bytes id)
{
	struct bytes rest = id;

	if (id.size && memmem(id.data, id.size, "--", 2))
		return RECORD_MEMBERSHIP;
	if (starts(id, "st-"))
		return RECORD_STATISTIC;
	if (id_owner(id) == REGION_NONE)
		return RECORD_ENTITY;
	while (rest.size && rest.data[0] != '-')
		rest = bytes_of(rest.data + 1, rest.size - 1);
	if (starts(rest, "-op-"))
		return RECORD_OPERATOR;
	return starts(rest, "-net-") ? RECORD_NETWORK : RECORD_ENTITY;
}

int field_named(const struct kind *kind, const char *name)
{
	for (size_t i = 0; i < kind->field_count; i++) {
		if (strcmp(kind->fields[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

/* ---- records: the generated message itself, seen by its first member ---- */

struct record {
	ProtobufCMessage base;
};

const ProtobufCMessage *record_message(const struct record *r)
{
	return &r->base;
}

const struct record *record_of_message(const ProtobufCMessage *message)
{
	return (const struct record *)message;
}

enum record_kind record_kind(const struct record *r)
{
	for (int k = 0; k < RULES_COUNT; k++) {
		if (r->base.descriptor == descriptors[k])
			return (enum record_kind)(RECORD_KIND_FIRST + k);
	}
	return RECORD_NONE;
}

const struct kind *record_info(const struct record *r)
{
	return kind_of(record_kind(r));
}

static struct record *record_of_type(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
	struct record *r = arena_alloc(arena, type->sizeof_message);

	if (r)
		protobuf_c_message_init(type, r);
	return r;
}

struct record *record_new(struct arena *arena, enum record_kind kind)
{
	return kind_valid(kind) ? record_of_type(arena, descriptors[kind - RECORD_KIND_FIRST])
				: NULL;
}

static char **slot(struct record *r, size_t field)
{
	return (char **)(void *)((uint8_t *)r + r->base.descriptor->fields[field].offset);
}

const char *record_get(const struct record *r, size_t field)
{
	const ProtobufCMessageDescriptor *type = r->base.descriptor;
	const char *text = NULL;

	if (field >= type->n_fields)
		return "";
	memcpy(&text, (const uint8_t *)r + type->fields[field].offset, sizeof text);
	return text ? text : "";
}

const char *record_get_named(const struct record *r, const char *field)
{
	const ProtobufCMessageDescriptor *type = r->base.descriptor;
	const ProtobufCFieldDescriptor *found =
		protobuf_c_message_descriptor_get_field_by_name(type, field);

	return found ? record_get(r, (size_t)(found - type->fields)) : "";
}

enum err record_set(struct record *r, struct arena *arena, size_t field, struct bytes text)
{
	char *copy = NULL;

	if (field >= r->base.descriptor->n_fields)
		return ERR_ARGUMENT;
	if (text.size > FIELD_BYTES_MAX)
		return ERR_LIMIT;
	if (text.size && memchr(text.data, 0, text.size))
		return ERR_ENCODING;
	copy = arena_text(arena, text);
	if (!copy)
		return ERR_NOMEM;
	*slot(r, field) = copy;
	return ERR_OK;
}

/* What a newer program wrote and this one does not know. */
static bool copy_unknown(struct arena *arena, const struct record *from, struct record *to)
{
	unsigned count = from->base.n_unknown_fields;
	ProtobufCMessageUnknownField *fields = NULL;

	if (count == 0)
		return true;
	fields = arena_alloc(arena, count * sizeof *fields);
	if (!fields)
		return false;
	for (unsigned i = 0; i < count; i++) {
		const ProtobufCMessageUnknownField *field = &from->base.unknown_fields[i];
		uint8_t *data = arena_alloc(arena, field->len);

		if (!data)
			return false;
		if (field->len)
			memcpy(data, field->data, field->len);
		fields[i] = *field;
		fields[i].data = data;
	}
	to->base.n_unknown_fields = count;
	to->base.unknown_fields = fields;
	return true;
}

struct record *record_copy(struct arena *arena, const struct record *from)
{
	struct record *to = record_of_type(arena, from->base.descriptor);

	if (!to || !copy_unknown(arena, from, to))
		return NULL;
	for (size_t i = 0; i < from->base.descriptor->n_fields; i++) {
		const char *text = record_get(from, i);
		char *copy = *text ? arena_text(arena, bytes_of_text(text)) : codec_text("");

		if (!copy)
			return NULL;
		*slot(to, i) = copy;
	}
	return to;
}

bool record_same(const struct record *a, const struct record *b)
{
	if (a->base.descriptor != b->base.descriptor)
		return false;
	for (size_t i = 0; i < a->base.descriptor->n_fields; i++) {
		if (strcmp(record_get(a, i), record_get(b, i)) != 0)
			return false;
	}
	return true;
}
