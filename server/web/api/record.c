/* One record: what it says, what it refers to, who refers to it, and what should be looked at. */
#include <stdlib.h>
#include <string.h>

#include "api/endpoints.h"
#include "api/lapse.h"
#include "api/pieces.h"
#include "api/request.h"
#include "api/row.h"
#include "api/step.h"

enum { REFERRED_MAX = 500, MONTHS_STALE = 12 };

/* ---- what it refers to ---- */

static bool resolves(const struct api_context *x, const struct field *f, const char *id,
		     size_t *ret_row)
{
	return catalog_find(x->catalog, f->refers_to, id, NULL, ret_row) == ERR_OK;
}

/* What is known of an id that nothing current of the right kind has: it may have ended, or be of
 * another kind. */
static enum err write_unresolved(struct json *j, const struct api_context *x, const char *id)
{
	struct step s = {.title = ""};
	const struct kind *kind = NULL;
	enum err e = step_find(x, id, &s);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	kind = e == ERR_OK ? kind_of(s.now->change.kind) : NULL;
	write_or_null(j, "kind", kind ? kind->name : "");
	write_or_null(j, "title", s.title);
	json_field_bool(j, "resolved", false);
	return ERR_OK;
}

static enum err write_refers(struct json *j, const struct api_context *x, const struct record *r)
{
	const struct kind *kind = r ? record_info(r) : NULL;
	enum err e = ERR_OK;

	json_key(j, "refers");
	json_open(j, '[');
	for (size_t i = 0; kind && e == ERR_OK && i < kind->field_count; i++) {
		const struct field *f = &kind->fields[i];
		const char *id = record_get(r, i);
		size_t row = 0;

		if (f->type != FIELD_REF || !*id)
			continue;
		json_open(j, '{');
		json_field_text(j, "field", f->name);
		json_field_text(j, "id", id);
		if (resolves(x, f, id, &row)) {
			json_field_text(j, "kind", kind_of(f->refers_to)->name);
			json_field_text(j, "title", catalog_title(x->catalog, f->refers_to, row));
			json_field_bool(j, "resolved", true);
		} else {
			e = write_unresolved(j, x, id);
		}
		json_close(j, '}');
	}
	json_close(j, ']');
	return e;
}

/* ---- who refers to it ---- */

struct referrer {
	enum record_kind kind;
	size_t field, row;
	const char *id;
};

static int by_id(const void *a, const void *b)
{
	const struct referrer *x = a, *y = b;

	return strcmp(x->id, y->id);
}

static size_t count_text(const text_id *column, size_t count, text_id text)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += column[i] == text;
	return found;
}

/* Those of one column that hold the id, sorted by theirs; NULL without memory. */
static struct referrer *referrers_of(const struct api_context *x, enum record_kind kind,
				     size_t field, text_id id, size_t *ret_count)
{
	const struct catalog *c = x->catalog;
	const text_id *column = catalog_column(c, kind, field);
	const size_t rows = catalog_count(c, kind);
	const size_t count = rows ? count_text(column, rows, id) : 0;
	struct referrer *found = arena_alloc(x->arena, (count + 1) * sizeof *found);
	const int id_field = field_named(kind_of(kind), "id");
	size_t n = 0;

	for (size_t row = 0; found && id_field >= 0 && n < count && row < rows; row++) {
		if (column[row] == id)
			found[n++] = (struct referrer){
				kind, field, row, catalog_text(c, kind, row, (size_t)id_field)};
	}
	if (found)
		qsort(found, n, sizeof *found, by_id);
	*ret_count = n;
	return found;
}

static void write_referrer(struct json *j, const struct api_context *x, const struct referrer *r)
{
	const struct kind *kind = kind_of(r->kind);

	json_open(j, '{');
	json_field_text(j, "kind", kind->name);
	json_field_text(j, "field", kind->fields[r->field].name);
	json_field_text(j, "id", r->id);
	json_field_text(j, "title", catalog_title(x->catalog, r->kind, r->row));
	json_key(j, "record");
	write_row(j, x->catalog, r->kind, r->row);
	json_close(j, '}');
}

/* The columns that refer to records of this one's kind, one after the other. */
static enum err write_referred(struct json *j, const struct api_context *x, enum record_kind to,
			       const char *id)
{
	const text_id text = catalog_lookup(x->catalog, id);
	size_t written = 0;
	bool more = false;

	json_key(j, "referred");
	json_open(j, '[');
	for (int k = RECORD_KIND_FIRST; text && k <= RECORD_KIND_LAST; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);

		for (size_t f = 0; kind && f < kind->field_count; f++) {
			struct referrer *found = NULL;
			size_t count = 0;

			if (kind->fields[f].type != FIELD_REF || kind->fields[f].refers_to != to)
				continue;
			found = referrers_of(x, kind->kind, f, text, &count);
			if (!found)
				return ERR_NOMEM;
			more |= count > REFERRED_MAX - written;
			for (size_t i = 0; i < count && written < REFERRED_MAX; i++, written++)
				write_referrer(j, x, &found[i]);
		}
	}
	json_close(j, ']');
	json_field_bool(j, "referred_more", more);
	return ERR_OK;
}

/* ---- warnings ---- */

static const struct warning {
	const char *code, *text_pl, *text_en;
} warnings[] = {
	{"status_lapsed", "Status CIS wygasł, a wpis tego nie mówi",
	 "The status of the centre has lapsed, and the record does not say so"},
	{"status_lapses_within_6_months", "Status CIS wygasa w ciągu 6 miesięcy",
	 "The status of the centre lapses within 6 months"},
	{"status_lapses_within_12_months", "Status CIS wygasa w ciągu 12 miesięcy",
	 "The status of the centre lapses within 12 months"},
	{"valid_to_estimated", "Koniec statusu nie jest znany; przyjęto 5 lat od jego nadania",
	 "The end of the status is not known; five years from its grant are assumed"},
	{"never_verified", "Wpisu nigdy nie potwierdzono", "The record was never confirmed"},
	{"verified_over_12_months_ago", "Wpis potwierdzono ponad 12 miesięcy temu",
	 "The record was last confirmed more than 12 months ago"},
	{"unresolved_reference", "Wpis wskazuje na wpis, którego nie ma w rejestrze",
	 "The record refers to one that is not in the register"},
};

static void write_warning(struct json *j, const char *code, const char *field)
{
	for (size_t i = 0; i < sizeof warnings / sizeof warnings[0]; i++) {
		if (strcmp(warnings[i].code, code) != 0)
			continue;
		json_open(j, '{');
		json_field_text(j, "code", code);
		write_or_null(j, "field", field);
		json_field_text(j, "text_pl", warnings[i].text_pl);
		json_field_text(j, "text_en", warnings[i].text_en);
		json_close(j, '}');
	}
}

static void warn_of_lapse(struct json *j, const struct api_context *x, size_t row, day_number today)
{
	static const char *const codes[] = {
		[LAPSE_NOT_SOON] = NULL,
		[LAPSE_WITHIN_12_MONTHS] = "status_lapses_within_12_months",
		[LAPSE_WITHIN_6_MONTHS] = "status_lapses_within_6_months",
		[LAPSED] = "status_lapsed",
	};
	struct lapse lapse;

	if (!lapse_of(x->catalog, row, today, &lapse))
		return;
	if (codes[lapse.state])
		write_warning(j, codes[lapse.state], "valid_to");
	if (lapse.estimated)
		write_warning(j, "valid_to_estimated", "valid_to");
}

static void warn_of_age(struct json *j, const struct record *r, day_number today)
{
	const char *column = "verified_on";
	day_number last = date_last(record_get_named(r, column));

	if (field_named(record_info(r), column) < 0)
		return;
	if (!last)
		write_warning(j, "never_verified", column);
	else if (day_after_months(last, MONTHS_STALE) < today)
		write_warning(j, "verified_over_12_months_ago", column);
}

static void write_warnings(struct json *j, const struct api_context *x, const struct record *r,
			   size_t row, day_number today)
{
	const struct kind *kind = r ? record_info(r) : NULL;
	size_t ignored = 0;

	json_key(j, "warnings");
	json_open(j, '[');
	if (kind && kind->kind == RECORD_ENTITY)
		warn_of_lapse(j, x, row, today);
	if (kind)
		warn_of_age(j, r, today);
	for (size_t i = 0; kind && i < kind->field_count; i++) {
		const struct field *f = &kind->fields[i];

		if (f->type == FIELD_REF && *record_get(r, i) &&
		    !resolves(x, f, record_get(r, i), &ignored))
			write_warning(j, "unresolved_reference", f->name);
	}
	json_close(j, ']');
}

/* ---- the answer ---- */

static void write_version_of(struct json *j, const struct version *v)
{
	const struct row_origin origin = {v->log, v->index, v->position, v->recorded};

	write_or_null(j, "editor", v->editor);
	write_or_null(j, "reason", v->reason);
	write_or_null(j, "source", v->source);
	write_version(j, "version", &origin);
}

static enum err answer_record(const struct api_context *x, const struct api_request *rq,
			      const char *id, const struct step *s, struct api_answer *ret)
{
	const enum record_kind kind = s->now->change.kind;
	const struct record *r = s->now->change.record;
	struct json j = answer_begin(x, rq, ret);
	size_t row = 0;
	enum err e = ERR_OK;

	json_field_text(&j, "kind", kind_of(kind)->name);
	json_field_text(&j, "id", id);
	json_field_text(&j, "title", s->title);
	json_field_bool(&j, "retired", s->now->change.retired);
	json_key(&j, "record");
	if (r && catalog_find(x->catalog, kind, id, NULL, &row) == ERR_OK) {
		write_row(&j, x->catalog, kind, row);
	} else {
		r = NULL;
		json_null(&j);
	}
	write_version_of(&j, s->now);
	e = write_refers(&j, x, r);
	if (e == ERR_OK)
		e = write_referred(&j, x, kind, id);
	if (e == ERR_OK)
		write_warnings(&j, x, r, row, answer_day(x, rq));
	return e == ERR_OK ? answer_end(&j, ret) : problem_of(ret, e);
}

enum err endpoint_record(const struct api_context *x, const struct api_request *rq,
			 struct api_answer *ret)
{
	const char *id = request_segment_text(x, rq, 1);
	struct step s;
	enum err e = id ? step_find(x, id, &s) : ERR_NOMEM;

	if (e == ERR_NOT_FOUND)
		return problem_missing(ret, "Look for it by its name: " API_ROOT "/entities?q=…",
				       "There is no record %s%s.", id,
				       x->past ? " at that time" : "");
	return e == ERR_OK ? answer_record(x, rq, id, &s, ret) : problem_of(ret, e);
}
