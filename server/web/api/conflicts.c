/* /conflicts: claims that disagree, references that nobody resolves, suspected duplicates. */
#include <string.h>

#include "api/claims.h"
#include "api/duplicates.h"
#include "api/endpoints.h"
#include "api/sums.h"

enum { CONFLICTS_MAX = 500, UNRESOLVED_MAX = 500 };

/* ---- claims ---- */

static bool write_disagreeing(struct json *j, const struct catalog *c, const struct claims *l)
{
	size_t written = 0;
	bool more = false;

	json_key(j, "statistics");
	json_open(j, '[');
	for (size_t i = 0; i < l->group_count && !more; i++) {
		if (!l->groups[i].disagree)
			continue;
		more = written == CONFLICTS_MAX;
		if (!more)
			write_claim_group(j, c, l, &l->groups[i], true);
		written++;
	}
	json_close(j, ']');
	return more;
}

/* ---- references ---- */

/* Which kinds have a record of that id: a bit by kind, for each text. */
static enum err find_ids(const struct catalog *c, struct arena *arena, uint8_t **ret)
{
	size_t texts = catalog_texts(c) + 1;
	uint8_t *kinds = arena_alloc(arena, texts);

	if (!kinds)
		return ERR_NOMEM;
	memset(kinds, 0, texts);
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		const enum record_kind kind = (enum record_kind)k;
		const int id = column_of(kind, "id");

		for (size_t row = 0; row < catalog_count(c, kind); row++)
			kinds[value_at(c, kind, row, id)] |= (uint8_t)(1u << k);
	}
	*ret = kinds;
	return ERR_OK;
}

static void write_unresolved(struct json *j, const struct catalog *c, enum record_kind kind,
			     size_t row, const struct field *field, const char *refers_to)
{
	json_open(j, '{');
	json_field_text(j, "id", text_at(c, kind, row, column_of(kind, "id")));
	json_field_text(j, "kind", kind_of(kind)->name);
	json_field_text(j, "title", catalog_title(c, kind, row));
	write_or_null(j, "region", row_region(c, kind, row));
	json_field_text(j, "field", field->name);
	json_field_text(j, "refers_to", refers_to);
	json_close(j, '}');
}

/* Those of one column; false when there are more than may be written. */
static bool write_unresolved_of(struct json *j, const struct catalog *c, enum record_kind kind,
				size_t column, const uint8_t *kinds, size_t *written)
{
	const struct field *field = &kind_of(kind)->fields[column];

	for (size_t row = 0; row < catalog_count(c, kind); row++) {
		text_id id = catalog_value(c, kind, row, column);

		if (!id || kinds[id] & 1u << field->refers_to)
			continue;
		if (*written == UNRESOLVED_MAX)
			return false;
		write_unresolved(j, c, kind, row, field, catalog_of(c, id));
		(*written)++;
	}
	return true;
}

static bool write_references(struct json *j, const struct catalog *c, const uint8_t *kinds)
{
	size_t written = 0;
	bool all = true;

	json_key(j, "unresolved");
	json_open(j, '[');
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST && all; k++) {
		const struct kind *info = kind_of((enum record_kind)k);

		for (size_t i = 0; info && i < info->field_count && all; i++) {
			if (info->fields[i].type == FIELD_REF)
				all = write_unresolved_of(j, c, info->kind, i, kinds, &written);
		}
	}
	json_close(j, ']');
	return !all;
}

/* ---- duplicates ---- */

/* By its record's title where that is known, else as the entity's row names it. */
static const char *operator_of(const struct catalog *c, size_t entity)
{
	const char *id = text_at(c, RECORD_ENTITY, entity, column_of(RECORD_ENTITY, "operator_id"));
	size_t row = 0;

	if (*id && catalog_find(c, RECORD_OPERATOR, id, NULL, &row) == ERR_OK)
		return catalog_title(c, RECORD_OPERATOR, row);
	return text_at(c, RECORD_ENTITY, entity, column_of(RECORD_ENTITY, "operator_name"));
}

static void write_duplicate(struct json *j, const struct catalog *c, const struct duplicate *d)
{
	json_open(j, '{');
	json_key(j, "score");
	json_decimal(j, d->percent, 2);
	json_key(j, "reasons");
	json_open(j, '[');
	for (unsigned i = 0; i < DUPLICATE_REASON_COUNT; i++) {
		if (d->reasons & 1u << i)
			json_text(j, duplicate_reason_name(i));
	}
	json_close(j, ']');
	json_key(j, "records");
	json_open(j, '[');
	for (size_t i = 0; i < 2; i++) {
		const size_t row = d->rows[i];

		json_open(j, '{');
		json_field_text(j, "id", text_at(c, d->kind, row, column_of(d->kind, "id")));
		json_field_text(j, "kind", kind_of(d->kind)->name);
		json_field_text(j, "title", catalog_title(c, d->kind, row));
		write_or_null(j, "region", row_region(c, d->kind, row));
		write_or_null(j, "place", text_at(c, d->kind, row, column_of(d->kind, "place")));
		write_or_null(j, "operator", d->kind == RECORD_ENTITY ? operator_of(c, row) : "");
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static enum err write_duplicates(struct json *j, const struct api_context *x, bool *ret_more)
{
	struct duplicate *found = NULL;
	size_t count = 0;
	enum err e = duplicates_find(x->catalog, x->arena, &found, &count, ret_more);

	if (e != ERR_OK)
		return e;
	json_key(j, "duplicates");
	json_open(j, '[');
	for (size_t i = 0; i < count; i++)
		write_duplicate(j, x->catalog, &found[i]);
	json_close(j, ']');
	return ERR_OK;
}

/* ---- all of it ---- */

enum err endpoint_conflicts(const struct api_context *x, const struct api_request *rq,
			    struct api_answer *ret)
{
	struct claims claims;
	struct json j;
	uint8_t *kinds = NULL;
	bool statistics = false, unresolved = false, duplicates = false;
	enum err e = claims_make(x->catalog, x->arena, &claims);

	if (e == ERR_OK)
		e = find_ids(x->catalog, x->arena, &kinds);
	if (e != ERR_OK)
		return e;
	j = answer_begin(x, rq, ret);
	statistics = write_disagreeing(&j, x->catalog, &claims);
	unresolved = write_references(&j, x->catalog, kinds);
	e = write_duplicates(&j, x, &duplicates);
	if (e != ERR_OK)
		return e;
	json_key(&j, "more");
	json_open(&j, '{');
	json_field_bool(&j, "statistics", statistics);
	json_field_bool(&j, "unresolved", unresolved);
	json_field_bool(&j, "duplicates", duplicates);
	json_close(&j, '}');
	return answer_end(&j, ret);
}
