/* The register's kinds and columns, as its table of rules has them. */
#include <string.h>

#include "api/describe.h"
#include "api/endpoints.h"
#include "api/pieces.h"

static const char *const type_names[] = {
	[FIELD_ID] = "id",           [FIELD_TEXT] = "text",         [FIELD_ENUM] = "enum",
	[FIELD_LIST] = "list",       [FIELD_REF] = "ref",           [FIELD_REGION] = "region",
	[FIELD_DATE] = "date",       [FIELD_BOOL] = "bool",         [FIELD_UINT] = "uint",
	[FIELD_DECIMAL] = "decimal", [FIELD_POSTCODE] = "postcode", [FIELD_TERYT4] = "teryt4",
	[FIELD_TERYT7] = "teryt7",   [FIELD_KRS] = "krs",           [FIELD_NIP] = "nip",
	[FIELD_REGON] = "regon",
};

const char *field_type_at(size_t i)
{
	return i < sizeof type_names / sizeof type_names[0] ? type_names[i] : NULL;
}

const char *field_type_name(enum field_type type)
{
	const char *name = field_type_at((size_t)type);

	return name ? name : "text";
}

static void write_values(struct json *j, const char *values)
{
	json_open(j, '[');
	while (*values) {
		size_t size = strcspn(values, " ");

		json_bytes_text(j, bytes_of(values, size));
		values += size + (values[size] == ' ');
	}
	json_close(j, ']');
}

static void write_column(struct json *j, const struct field *f)
{
	const struct kind *referred = kind_of(f->refers_to);

	json_open(j, '{');
	json_field_text(j, "name", f->name);
	json_field_text(j, "type", field_type_name(f->type));
	json_key(j, "values");
	write_values(j, f->values);
	write_or_null(j, "refers_to", referred ? referred->name : "");
	json_field_bool(j, "required", f->required);
	json_field_text(j, "label_pl", f->label_pl);
	json_field_text(j, "label_en", f->label_en);
	write_or_null(j, "meaning", f->meaning);
	json_close(j, '}');
}

static void write_kind(struct json *j, const struct kind *kind)
{
	json_open(j, '{');
	json_field_text(j, "name", kind->name);
	json_field_text(j, "plural", kind->plural);
	json_field_text(j, "label_pl", kind->label_pl);
	json_key(j, "columns");
	json_open(j, '[');
	for (size_t i = 0; i < kind->field_count; i++)
		write_column(j, &kind->fields[i]);
	json_close(j, ']');
	json_close(j, '}');
}

enum err endpoint_columns(const struct api_context *x, const struct api_request *rq,
			  struct api_answer *ret)
{
	struct json j = json_to(ret->body);

	(void)x;
	(void)rq;
	ret->status = 200;
	ret->type = "application/json";
	json_open(&j, '{');
	json_key(&j, "kinds");
	json_open(&j, '[');
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);

		if (kind)
			write_kind(&j, kind);
	}
	json_close(&j, ']');
	return answer_end(&j, ret);
}
