/* A record of the register, seen through the descriptors that protoc-c makes of
 * proto/register.proto, joined with the table of rules in rules.c.
 *
 * Layer: model.  May use base.  Only this layer sees generated protobuf types. */
#ifndef SPLOT_MODEL_RECORD_H
#define SPLOT_MODEL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Numbers are those of the fields of Change in proto/event.proto: stable, stored. */
enum record_kind {
	RECORD_NONE = 0,
	RECORD_OPERATOR = 3,
	RECORD_ENTITY = 4,
	RECORD_NETWORK = 5,
	RECORD_MEMBERSHIP = 6,
	RECORD_STATISTIC = 7,
};
enum { RECORD_KIND_FIRST = RECORD_OPERATOR, RECORD_KIND_LAST = RECORD_STATISTIC };

enum field_type {
	FIELD_ID,
	FIELD_TEXT,
	FIELD_ENUM,
	FIELD_LIST,
	FIELD_REF,
	FIELD_REGION,
	FIELD_DATE,
	FIELD_BOOL,
	FIELD_UINT,
	FIELD_DECIMAL,
	FIELD_POSTCODE,
	FIELD_TERYT4,
	FIELD_TERYT7,
	FIELD_KRS,
	FIELD_NIP,
	FIELD_REGON,
};

/* One column: its name from the descriptor, the rest from the table of rules. */
struct field {
	const char *name; /* "operator_id": CSV column and JSON name */
	enum field_type type;
	const char *values;         /* allowed values of an enum, separated by spaces; else "" */
	enum record_kind refers_to; /* FIELD_REF */
	bool required;
	bool completeness; /* counted in the summary's entities_with_field */
	const char *label_pl;
	const char *label_en;
	const char *meaning;
};

struct kind {
	enum record_kind kind;
	const char *name;   /* "entity": JSON, CLI */
	const char *plural; /* "entities": file name */
	const char *label_pl;
	size_t field_count;
	const struct field *fields; /* in the order of the CSV columns */
};

/* NULL for a number that is no kind. */
const struct kind *kind_of(enum record_kind kind);
/* By "entity", "entities"; NULL when there is none. */
const struct kind *kind_named(const char *name);
/* The kind that an id's form says (pl26-op-…, -net-, "--", st-…, else entity). */
enum record_kind kind_of_id(struct bytes id);
/* Position of a field by its name, or -1. */
int field_named(const struct kind *kind, const char *name);

/* Opaque: lives in the arena it was made in. */
struct record;

/* A record of that kind with every field empty; NULL without memory. */
struct record *record_new(struct arena *arena, enum record_kind kind);
/* A deep copy, unknown fields included. */
struct record *record_copy(struct arena *arena, const struct record *from);
enum record_kind record_kind(const struct record *r);
const struct kind *record_info(const struct record *r);
/* Never NULL; "" is unknown. `field` < field_count. */
const char *record_get(const struct record *r, size_t field);
const char *record_get_named(const struct record *r, const char *field); /* "" when no such field */
/* The text is copied into the arena.  NOMEM, LIMIT (over FIELD_BYTES_MAX), ENCODING (a NUL
 * inside), ARGUMENT (no such field). */
MUST_USE enum err record_set(struct record *r, struct arena *arena, size_t field,
			     struct bytes text);
/* True when every known field is the same text. */
bool record_same(const struct record *a, const struct record *b);

#endif
