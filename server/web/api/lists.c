/* Records of a kind: filtered, searched, sorted, by pages; as JSON or as CSV. */
#include <stdio.h>
#include <string.h>

#include "api/endpoints.h"
#include "api/pieces.h"
#include "api/request.h"
#include "api/row.h"
#include "register/query.h"

static const char allowed[] =
	"The columns are at " API_ROOT
	"/columns; each is a filter, also with .from and .to (dates, "
	"numbers) and .starts. Beside them: q, sort, limit, cursor, facets, as_of.";

/* A list as it was asked for. */
struct list {
	const struct kind *kind;
	bool csv;
	bool limited; /* `limit` was given */
	struct query query;
	struct query_result found;
};

/* "entities", "entities.csv"; without a suffix the header Accept decides. */
static bool parse_path(const struct api_request *rq, struct list *ret)
{
	static const char *const types[] = {"application/json", "text/csv"};
	struct bytes segment = request_segment(rq, 0);
	const char *text = (const char *)segment.data;
	const char *dot = segment.size ? memchr(text, '.', segment.size) : NULL;
	char plural[32];

	(void)snprintf(plural, sizeof plural, "%.*s", (int)(dot ? dot - text : (int)segment.size),
		       text ? text : "");
	ret->kind = kind_named(plural);
	ret->csv = dot ? segment.size - (size_t)(dot - text) == 4 && memcmp(dot, ".csv", 4) == 0
		       : accept_choose(rq->accept, types, 2) == 1;
	return ret->kind != NULL;
}

/* The parameters that the register answers; those of the column as_of are called otherwise there,
 * since as_of names the state. */
static enum err parse_query(const struct api_context *x, const struct api_request *rq,
			    struct list *l, char *why)
{
	const char **names = arena_alloc(x->arena, (rq->param_count + 1) * sizeof *names);
	const char **values = arena_alloc(x->arena, (rq->param_count + 1) * sizeof *values);
	size_t count = 0;
	size_t as_ofs = 0;
	enum err e = ERR_OK;

	if (!names || !values)
		return ERR_NOMEM;
	for (size_t i = 0; i < rq->param_count; i++) {
		const struct api_param *p = &rq->params[i];

		if (strcmp(p->name, "as_of") == 0) {
			as_ofs++;
			continue;
		}
		l->limited |= strcmp(p->name, "limit") == 0;
		names[count] = strcmp(p->name, "as_of.is") == 0 ? "as_of" : p->name;
		values[count++] = p->value;
	}
	if (as_ofs > 1) {
		(void)snprintf(why, TEXT_BYTES_MAX + 1,
			       "as_of: there twice; the filter of that column is as_of.is");
		return ERR_INVALID;
	}
	e = query_parse(l->kind->kind, names, values, count, NULL, &l->query, why);
	if (e == ERR_OK && l->csv && !l->limited)
		l->query.limit = 0;
	return e;
}

/* ---- JSON ---- */

static void write_facet(struct json *j, const struct api_context *x, const struct list *l,
			const struct facet *f)
{
	json_open(j, '{');
	json_field_text(j, "field", l->kind->fields[f->field].name);
	json_field_uint(j, "distinct", f->distinct);
	json_key(j, "values");
	json_open(j, '[');
	for (size_t i = 0; i < f->value_count; i++) {
		json_open(j, '{');
		write_or_null(j, "value", catalog_of(x->catalog, f->values[i].value));
		json_field_uint(j, "count", f->values[i].count);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static enum err answer_json(const struct api_context *x, const struct api_request *rq,
			    const struct list *l, struct api_answer *ret)
{
	struct json j = answer_begin(x, rq, ret);
	char sort[64];

	(void)snprintf(sort, sizeof sort, "%s%s", l->query.descending ? "-" : "",
		       l->kind->fields[l->query.sort].name);
	json_field_text(&j, "kind", l->kind->name);
	json_field_uint(&j, "total", l->found.total);
	json_field_uint(&j, "limit", l->query.limit);
	json_field_text(&j, "sort", sort);
	write_next(&j, rq, "cursor", l->found.next);
	json_key(&j, "records");
	json_open(&j, '[');
	for (size_t i = 0; i < l->found.row_count; i++)
		write_row(&j, x->catalog, l->kind->kind, l->found.rows[i]);
	json_close(&j, ']');
	json_key(&j, "facets");
	json_open(&j, '[');
	for (size_t i = 0; i < l->query.facet_count; i++)
		write_facet(&j, x, l, &l->found.facets[i]);
	json_close(&j, ']');
	return answer_end(&j, ret);
}

/* ---- CSV ---- */

static enum err answer_csv(const struct api_context *x, const struct api_request *rq,
			   const struct list *l, struct api_answer *ret)
{
	char day[DAY_TEXT_BYTES];

	day_text(answer_day(x, rq), day);
	ret->status = 200;
	ret->type = "text/csv; charset=utf-8";
	ret->settled = x->past;
	(void)snprintf(ret->filename, sizeof ret->filename, "%s-%s.csv", l->kind->plural, day);
	csv_header(ret->body, l->kind);
	for (size_t i = 0; i < l->found.row_count; i++)
		csv_row(ret->body, x->catalog, l->kind->kind, l->found.rows[i]);
	return buf_check(ret->body) == ERR_OK ? ERR_OK : ERR_NOMEM;
}

enum err endpoint_list(const struct api_context *x, const struct api_request *rq,
		       struct api_answer *ret)
{
	struct list *l = arena_alloc(x->arena, sizeof *l);
	char why[TEXT_BYTES_MAX + 1] = "";
	enum err e = ERR_OK;

	if (!l)
		return ERR_NOMEM;
	*l = (struct list){.kind = NULL};
	if (!parse_path(rq, l))
		return problem_missing(ret, "See " API_ROOT ".", "There is nothing at %s.",
				       rq->path);
	e = parse_query(x, rq, l, why);
	if (e == ERR_OK)
		e = query_run(x->catalog, &l->query, x->arena, &l->found, why);
	if (e == ERR_INVALID)
		return problem_invalid(ret, allowed, "%s.", why);
	if (e != ERR_OK)
		return problem_of(ret, e);
	return l->csv ? answer_csv(x, rq, l, ret) : answer_json(x, rq, l, ret);
}
