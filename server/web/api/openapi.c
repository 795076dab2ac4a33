/* The description of the API: openapi.json, in which these texts stand for what is made from the
 * register's tables, so that no column, kind or value is named there:
 *
 *   "@kinds" "@regions" "@types" "@reasons"  lists of names; with ? at the end, null as well
 *   "@values:KIND.COLUMN"                what the column may say
 *   "@fields:KIND"  "@sorts:KIND"        its columns; the same and each with "-" in front
 *   "@record:KIND"                       the schema of a record
 *   "@filters:KIND"                      parameters of its columns, as a part of a list
 *   "@filter-parameters": true           those parameters of all kinds, as members of an object
 *   "@headers"  "@headers:NAME"          headers of every answer, and one more */
#include <stdio.h>
#include <string.h>

#include "api/describe.h"
#include "api/duplicates.h"
#include "api/endpoints.h"
#include "api/pieces.h"

enum { NAME_BYTES = 64 };

struct placeholder {
	struct bytes what, of; /* "values", "entity.status" */
	bool or_null;
};

/* ---- names and values ---- */

static void write_words(struct json *j, const char *words)
{
	while (*words) {
		size_t size = strcspn(words, " ");

		json_bytes_text(j, bytes_of(words, size));
		words += size + (words[size] == ' ');
	}
}

/* The kind before the dot of KIND.COLUMN, or of KIND alone. */
static const struct kind *named_kind(struct bytes of)
{
	char name[NAME_BYTES];

	(void)snprintf(name, sizeof name, "%.*s", (int)of.size, (const char *)of.data);
	name[strcspn(name, ".")] = '\0';
	return kind_named(name);
}

static const struct field *named_field(struct bytes of)
{
	const struct kind *kind = named_kind(of);
	const char *dot = memchr(of.data, '.', of.size);
	char name[NAME_BYTES];
	int at = -1;

	if (!kind || !dot)
		return NULL;
	(void)snprintf(name, sizeof name, "%.*s", (int)(of.size - strlen(kind->name) - 1), dot + 1);
	at = field_named(kind, name);
	return at < 0 ? NULL : &kind->fields[at];
}

static void list_kinds(struct json *j, struct bytes of)
{
	(void)of;
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++)
		if (kind_of((enum record_kind)k))
			json_text(j, kind_of((enum record_kind)k)->name);
}

static void list_regions(struct json *j, struct bytes of)
{
	(void)of;
	for (int i = 0; i < REGION_COUNT; i++)
		json_text(j, region_at(i)->code);
}

static void list_types(struct json *j, struct bytes of)
{
	(void)of;
	for (size_t i = 0; field_type_at(i); i++)
		json_text(j, field_type_at(i));
}

static void list_reasons(struct json *j, struct bytes of)
{
	(void)of;
	for (unsigned i = 0; duplicate_reason_name(i); i++)
		json_text(j, duplicate_reason_name(i));
}

static void list_values(struct json *j, struct bytes of)
{
	const struct field *f = named_field(of);

	write_words(j, f ? f->values : "");
}

static void list_fields(struct json *j, struct bytes of)
{
	const struct kind *kind = named_kind(of);

	for (size_t i = 0; kind && i < kind->field_count; i++)
		json_text(j, kind->fields[i].name);
}

static void list_sorts(struct json *j, struct bytes of)
{
	const struct kind *kind = named_kind(of);
	char name[NAME_BYTES];

	list_fields(j, of);
	for (size_t i = 0; kind && i < kind->field_count; i++) {
		(void)snprintf(name, sizeof name, "-%s", kind->fields[i].name);
		json_text(j, name);
	}
}

/* ---- schemas of values ---- */

/* What a text of that type looks like; NULL: a schema of its own, or any text. */
static const char *pattern_of(enum field_type type)
{
	switch (type) {
	case FIELD_UINT:
		return "^\\d+$";
	case FIELD_POSTCODE:
		return "^\\d\\d-\\d{3}$";
	case FIELD_TERYT4:
		return "^\\d{4}$";
	case FIELD_TERYT7:
		return "^\\d{7}$";
	case FIELD_KRS:
	case FIELD_NIP:
		return "^\\d{10}$";
	case FIELD_REGON:
		return "^(\\d{9}|\\d{14})$";
	case FIELD_ID:
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_LIST:
	case FIELD_REF:
	case FIELD_REGION:
	case FIELD_DATE:
	case FIELD_BOOL:
	case FIELD_DECIMAL:
	default:
		return NULL;
	}
}

/* The schema in components/schemas that such a value has; NULL for none. */
static const char *schema_of(enum field_type type)
{
	switch (type) {
	case FIELD_ID:
	case FIELD_REF:
		return "Id";
	case FIELD_REGION:
		return "Region";
	case FIELD_DATE:
		return "RegisterDate";
	case FIELD_DECIMAL:
		return "Figure";
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_LIST:
	case FIELD_BOOL:
	case FIELD_UINT:
	case FIELD_POSTCODE:
	case FIELD_TERYT4:
	case FIELD_TERYT7:
	case FIELD_KRS:
	case FIELD_NIP:
	case FIELD_REGON:
	default:
		return NULL;
	}
}

static void write_reference(struct json *j, const char *section, const char *name)
{
	char path[2 * NAME_BYTES];

	(void)snprintf(path, sizeof path, "#/components/%s/%s", section, name);
	json_field_text(j, "$ref", path);
}

static void write_enum(struct json *j, const char *words, bool or_null)
{
	json_key(j, "enum");
	json_open(j, '[');
	write_words(j, words);
	if (or_null)
		json_null(j);
	json_close(j, ']');
}

/* Members of a column's schema: its value, or null. */
static void write_value_schema(struct json *j, const struct field *f)
{
	const char *schema = schema_of(f->type);
	const char *pattern = pattern_of(f->type);

	if (f->type == FIELD_ENUM || f->type == FIELD_BOOL) {
		write_enum(j, f->type == FIELD_BOOL ? "true false" : f->values, true);
		return;
	}
	if (schema && f->type != FIELD_ID) {
		json_key(j, "anyOf");
		json_open(j, '[');
		json_open(j, '{');
		write_reference(j, "schemas", schema);
		json_close(j, '}');
		json_open(j, '{');
		json_field_text(j, "type", "null");
		json_close(j, '}');
		json_close(j, ']');
		return;
	}
	if (schema) {
		write_reference(j, "schemas", schema);
		return;
	}
	json_key(j, "type");
	json_open(j, '[');
	json_text(j, "string");
	json_text(j, "null");
	json_close(j, ']');
	json_field_uint(j, "minLength", 1);
	if (pattern)
		json_field_text(j, "pattern", pattern);
}

static void write_required(struct json *j, const struct kind *kind)
{
	json_key(j, "required");
	json_open(j, '[');
	for (size_t i = 0; i < kind->field_count; i++)
		json_text(j, kind->fields[i].name);
	json_text(j, "version");
	json_close(j, ']');
}

static void write_record_schema(struct json *j, struct bytes of)
{
	const struct kind *kind = named_kind(of);

	json_open(j, '{');
	if (kind) {
		json_field_text(j, "type", "object");
		json_field_bool(j, "additionalProperties", false);
		write_required(j, kind);
		json_key(j, "properties");
		json_open(j, '{');
		for (size_t i = 0; i < kind->field_count; i++) {
			const struct field *f = &kind->fields[i];

			json_key(j, f->name);
			json_open(j, '{');
			write_value_schema(j, f);
			json_field_text(j, "title", f->label_en);
			if (*f->meaning)
				json_field_text(j, "description", f->meaning);
			json_close(j, '}');
		}
		json_key(j, "version");
		json_open(j, '{');
		write_reference(j, "schemas", "Version");
		json_close(j, '}');
		json_close(j, '}');
	}
	json_close(j, '}');
}

/* ---- parameters ---- */

static bool has_range(const struct field *f)
{
	return f->type == FIELD_DATE || f->type == FIELD_UINT || f->type == FIELD_DECIMAL;
}

/* A column of that name would hide the parameter: its filter is called otherwise. */
static const char *exact_suffix(const struct field *f)
{
	return strcmp(f->name, "as_of") == 0 ? ".is" : "";
}

static void write_filter_start(struct json *j, const struct kind *kind, const struct field *f,
			       const char *suffix, const char *what)
{
	char name[NAME_BYTES];

	(void)snprintf(name, sizeof name, "%s.%s%s", kind->name, f->name, suffix);
	json_key(j, name);
	json_open(j, '{');
	json_field_text(j, "name", name + strlen(kind->name) + 1);
	json_field_text(j, "in", "query");
	json_field_text(j, "description", what);
	json_key(j, "schema");
	json_open(j, '{');
}

static void write_filter_text(struct json *j, const struct kind *kind, const struct field *f,
			      const char *suffix, const char *what)
{
	write_filter_start(j, kind, f, suffix, what);
	json_field_text(j, "type", "string");
	json_close(j, '}');
	json_close(j, '}');
}

static void write_filter(struct json *j, const struct kind *kind, const struct field *f)
{
	write_filter_start(j, kind, f, exact_suffix(f), "One of these; empty: what is not known");
	json_field_text(j, "type", "array");
	json_key(j, "items");
	json_open(j, '{');
	json_field_text(j, "type", "string");
	json_close(j, '}');
	json_close(j, '}');
	json_field_text(j, "style", "form");
	json_field_bool(j, "explode", true);
	json_close(j, '}');
	if (has_range(f)) {
		write_filter_text(j, kind, f, ".from",
				  "This or more; what is not known is neither");
		write_filter_text(j, kind, f, ".to",
				  "This or less; a year or month reaches to its end");
	}
	write_filter_text(j, kind, f, ".starts", "Begins so");
}

static void write_filters(struct json *j, struct bytes of)
{
	(void)of;
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);

		for (size_t i = 0; kind && i < kind->field_count; i++)
			write_filter(j, kind, &kind->fields[i]);
	}
}

static void write_filter_reference(struct json *j, const struct kind *kind, const struct field *f,
				   const char *suffix)
{
	char name[NAME_BYTES];

	(void)snprintf(name, sizeof name, "%s.%s%s", kind->name, f->name, suffix);
	json_open(j, '{');
	write_reference(j, "parameters", name);
	json_close(j, '}');
}

static void write_filter_references(struct json *j, struct bytes of)
{
	const struct kind *kind = named_kind(of);

	for (size_t i = 0; kind && i < kind->field_count; i++) {
		const struct field *f = &kind->fields[i];

		write_filter_reference(j, kind, f, exact_suffix(f));
		if (has_range(f)) {
			write_filter_reference(j, kind, f, ".from");
			write_filter_reference(j, kind, f, ".to");
		}
		write_filter_reference(j, kind, f, ".starts");
	}
}

static void write_headers(struct json *j, struct bytes of)
{
	static const char *const always[] = {"ETag", "Splot-Position", "Cache-Control", "Vary"};
	char name[NAME_BYTES];

	json_open(j, '{');
	for (size_t i = 0; i <= sizeof always / sizeof always[0]; i++) {
		if (i < sizeof always / sizeof always[0])
			(void)snprintf(name, sizeof name, "%s", always[i]);
		else
			(void)snprintf(name, sizeof name, "%.*s", (int)of.size,
				       of.data ? (const char *)of.data : "");
		if (!*name)
			continue;
		json_key(j, name);
		json_open(j, '{');
		write_reference(j, "headers", name);
		json_close(j, '}');
	}
	json_close(j, '}');
}

/* ---- the template ---- */

/* What brackets the maker's items stand in: it writes a list of names, one value, or parts of the
 * list or object around it. */
enum shape { NAMES, VALUE, ITEMS, MEMBERS };

static const struct maker {
	const char *name;
	enum shape shape;
	void (*make)(struct json *j, struct bytes of);
} makers[] = {
	{"kinds", NAMES, list_kinds},
	{"regions", NAMES, list_regions},
	{"types", NAMES, list_types},
	{"reasons", NAMES, list_reasons},
	{"values", NAMES, list_values},
	{"fields", NAMES, list_fields},
	{"sorts", NAMES, list_sorts},
	{"record", VALUE, write_record_schema},
	{"headers", VALUE, write_headers},
	{"filters", ITEMS, write_filter_references},
	{"filter-parameters", MEMBERS, write_filters},
};

static const struct maker *find_maker(struct bytes name)
{
	for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++)
		if (bytes_equal(name, bytes_of_text(makers[i].name)))
			return &makers[i];
	return NULL;
}

/* Parts go out without the brackets around them. */
static enum err make_parts(const struct maker *m, struct bytes of, struct buf *out)
{
	struct buf whole = {.data = NULL};
	struct json j = json_to(&whole);
	enum err e = ERR_OK;

	json_open(&j, m->shape == ITEMS ? '[' : '{');
	m->make(&j, of);
	e = buf_check(&whole);
	if (e == ERR_OK)
		buf_add(out, whole.data + 1, whole.size - 1);
	buf_free(&whole);
	return e;
}

/* `inner` is a text of the template from behind its "@" to its end. */
static enum err make(struct bytes inner, struct buf *out)
{
	const uint8_t *colon = memchr(inner.data, ':', inner.size);
	struct placeholder p = {.what = inner, .of = {NULL, 0}};
	const struct maker *m = NULL;
	struct json j = json_to(out);

	if (inner.size && inner.data[inner.size - 1] == '?') {
		p.or_null = true;
		p.what.size--;
	}
	if (colon) {
		p.of = bytes_of(colon + 1, p.what.size - (size_t)(colon + 1 - inner.data));
		p.what.size = (size_t)(colon - inner.data);
	}
	m = find_maker(p.what);
	if (!m)
		return ERR_INTERNAL;
	if (m->shape == ITEMS || m->shape == MEMBERS)
		return make_parts(m, p.of, out);
	if (m->shape == VALUE) {
		m->make(&j, p.of);
		return buf_check(out);
	}
	json_open(&j, '[');
	m->make(&j, p.of);
	if (p.or_null)
		json_null(&j);
	json_close(&j, ']');
	return buf_check(out);
}

static enum err fill(struct bytes text, struct buf *out)
{
	static const char always[] = ": true"; /* behind a placeholder for members */
	enum err e = ERR_OK;

	while (e == ERR_OK && text.size) {
		const uint8_t *at = memmem(text.data, text.size, "\"@", 2);
		const uint8_t *end = text.data + text.size;
		const uint8_t *quote = at ? memchr(at + 2, '"', (size_t)(end - at - 2)) : NULL;

		if (!quote) {
			buf_add_bytes(out, text);
			return buf_check(out);
		}
		buf_add(out, text.data, (size_t)(at - text.data));
		e = make(bytes_of(at + 2, (size_t)(quote - at - 2)), out);
		quote++;
		if ((size_t)(end - quote) >= strlen(always) &&
		    memcmp(quote, always, strlen(always)) == 0)
			quote += strlen(always);
		text = bytes_of(quote, (size_t)(end - quote));
	}
	return e == ERR_OK ? buf_check(out) : e;
}

enum err endpoint_openapi(const struct api_context *x, const struct api_request *rq,
			  struct api_answer *ret)
{
	enum err e = fill(bytes_of(openapi_template, openapi_template_size), ret->body);

	(void)x;
	(void)rq;
	ret->status = 200;
	ret->type = "application/json";
	return e == ERR_INTERNAL ? e : (e == ERR_OK ? ERR_OK : ERR_NOMEM);
}
