/* /coverage: which powiaty have a centre or a club on record, when a table of them is configured.
 */
#include <string.h>

#include "api/endpoints.h"
#include "api/sums.h"

enum { CODE_REGION_BYTES = 2 };

struct powiat_count {
	size_t kinds[ENTITY_KINDS];
};

/* What ended stands nowhere any more. */
static bool has_ended(const char *status)
{
	return strcmp(status, "expired") == 0 || strcmp(status, "ceased") == 0 ||
	       strcmp(status, "deleted") == 0;
}

/* Counts by the table's rows; entities of other codes are passed over.  NULL without memory. */
static struct powiat_count *count_powiats(const struct api_context *x)
{
	const int powiat = column_of(RECORD_ENTITY, "powiat");
	const int kind = column_of(RECORD_ENTITY, "kind");
	const int status = column_of(RECORD_ENTITY, "status");
	size_t texts = catalog_texts(x->catalog) + 1;
	struct powiat_count *counts = arena_alloc(x->arena, (x->powiat_count + 1) * sizeof *counts);
	uint32_t *by_text = arena_alloc(x->arena, texts * sizeof *by_text);

	if (!counts || !by_text)
		return NULL;
	memset(counts, 0, (x->powiat_count + 1) * sizeof *counts);
	memset(by_text, 0, texts * sizeof *by_text);
	for (size_t i = 0; i < x->powiat_count; i++)
		by_text[catalog_lookup(x->catalog, x->powiats[i].code)] = (uint32_t)i + 1;
	by_text[0] = 0; /* a code that no record has */
	for (size_t row = 0; row < catalog_count(x->catalog, RECORD_ENTITY); row++) {
		uint32_t at = by_text[value_at(x->catalog, RECORD_ENTITY, row, powiat)];

		if (at && !has_ended(text_at(x->catalog, RECORD_ENTITY, row, status)))
			counts[at - 1].kinds[entity_kind_named(
				text_at(x->catalog, RECORD_ENTITY, row, kind))]++;
	}
	return counts;
}

static bool covered(const struct powiat_count *p)
{
	return p->kinds[KIND_CIS] + p->kinds[KIND_KIS] > 0;
}

static const char *region_of(const char *code)
{
	int region = strlen(code) < CODE_REGION_BYTES
			     ? REGION_NONE
			     : region_by_code(bytes_of(code, CODE_REGION_BYTES));

	return region == REGION_NONE ? "" : region_at(region)->code;
}

static void write_powiats(struct json *j, const struct api_context *x,
			  const struct powiat_count *counts)
{
	json_key(j, "powiaty");
	json_open(j, '[');
	for (size_t i = 0; x->powiats && i < x->powiat_count; i++) {
		json_open(j, '{');
		json_field_text(j, "powiat", x->powiats[i].code);
		write_or_null(j, "name", x->powiats[i].name);
		write_or_null(j, "region", region_of(x->powiats[i].code));
		json_field_uint(j, "CIS", counts[i].kinds[KIND_CIS]);
		json_field_uint(j, "KIS", counts[i].kinds[KIND_KIS]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

enum err endpoint_coverage(const struct api_context *x, const struct api_request *rq,
			   struct api_answer *ret)
{
	const struct powiat_count *counts = count_powiats(x);
	struct json j;
	size_t with = 0;

	if (!counts)
		return ERR_NOMEM;
	for (size_t i = 0; i < x->powiat_count; i++)
		with += covered(&counts[i]);
	j = answer_begin(x, rq, ret);
	json_field_bool(&j, "configured", x->powiats != NULL);
	json_field_bool(&j, "partial", true);
	write_uint_or_null(&j, "with", x->powiats != NULL, with);
	write_uint_or_null(&j, "without", x->powiats != NULL, x->powiat_count - with);
	write_powiats(&j, x, counts);
	return answer_end(&j, ret);
}
