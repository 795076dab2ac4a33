/* The table of endpoints, and what is checked before one of them is called. */
#include <stdio.h>
#include <string.h>

#include "api/endpoints.h"
#include "api/pieces.h"
#include "api/request.h"
#include "base/day.h"
#include "model/json.h"

/* Which media types there are, where the header Accept decides. */
enum offer { FIXED, JSON, JSON_OR_CSV, TEXT };
static const struct {
	size_t count;
	const char *types[2];
} offers[] = {
	[FIXED] = {0, {NULL}},
	[JSON] = {1, {"application/json"}},
	[JSON_OR_CSV] = {2, {"application/json", "text/csv"}},
	[TEXT] = {1, {"text/plain"}},
};

struct route {
	const char *path; /* below API_ROOT; a segment in braces stands for any */
	const char *what;
	endpoint *answer; /* NULL: answered elsewhere, named here */
	enum offer offer;
	const char *params; /* with a space behind each; NULL: it looks at them itself */
};

#define LISTS(plural, what)                                                                        \
	{"/" plural, what, endpoint_list, JSON_OR_CSV, NULL},                                      \
		{"/" plural ".json", what ", as JSON", endpoint_list, FIXED, NULL},                \
	{                                                                                          \
		"/" plural ".csv", what ", as CSV", endpoint_list, FIXED, NULL                     \
	}

static const struct route routes[] = {
	{"", "what there is", endpoint_index, JSON, ""},
	{"/openapi.json", "description of this API (OpenAPI 3.1)", endpoint_openapi, JSON, ""},
	{"/columns", "kinds of records and their columns", endpoint_columns, JSON, ""},
	{"/site", "whose site this is", endpoint_site, JSON, ""},
	{"/summary", "the nation in numbers", endpoint_summary, JSON, "as_of "},
	{"/regions", "sums of each region", endpoint_regions, JSON, "as_of "},
	{"/regions/{region}", "one region", endpoint_region, JSON, "as_of "},
	LISTS("entities", "centres, clubs and other entities"),
	LISTS("operators", "those who run them"),
	LISTS("networks", "networks of them"),
	LISTS("memberships", "who belongs to which network"),
	LISTS("statistics", "figures as somebody stated them"),
	{"/records/{id}", "one record", endpoint_record, JSON, "as_of "},
	{"/records/{id}/history", "its versions, newest first", endpoint_history, JSON,
	 "as_of before limit "},
	{"/changes", "what changed, newest first", endpoint_changes, JSON,
	 "as_of before limit region kind entity_kind id log editor field from to "},
	{"/conflicts", "claims that disagree, unresolved references, suspected duplicates",
	 endpoint_conflicts, JSON, "as_of "},
	{"/quality", "what is unknown, unconfirmed or lapses", endpoint_quality, JSON, "as_of "},
	{"/coverage", "powiaty with and without centres and clubs", endpoint_coverage, JSON,
	 "as_of "},
	{"/status", "what the daemon says of itself", endpoint_status, JSON, ""},
	{"/events", "changes as they happen (server-sent events)", NULL, FIXED, ""},
	{"/logs/{log}/checkpoint", "newest exported checkpoint of a log", NULL, FIXED, ""},
	{"/logs/{log}/log.vkey", "verifier keys of a log", NULL, FIXED, ""},
	{"/logs/{log}/redacted", "erased events of a log", NULL, FIXED, ""},
	{"/logs/{log}/tile/{tile}", "tiles of a log (tlog-tiles)", NULL, FIXED, ""},
	{"/logs/{log}/proof/{index}", "proof of one event (tlog-proof)", endpoint_proof, TEXT,
	 "national size "},
	{"/logs/witnesses.vkeys", "verifier keys of the witnesses", NULL, FIXED, ""},
	{"/logs/policy", "how many witnesses make a quorum", NULL, FIXED, ""},
};
enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

static bool segment_fits(struct bytes pattern, struct bytes segment)
{
	if (pattern.size && pattern.data[0] == '{')
		return segment.size > 0;
	return bytes_equal(pattern, segment);
}

static bool path_fits(const struct route *r, const struct api_request *rq)
{
	const char *at = r->path;
	size_t n = 0;

	for (; *at == '/'; n++) {
		size_t size = strcspn(++at, "/");
		struct bytes segment = request_segment(rq, n);

		if (!segment.data || !segment_fits(bytes_of(at, size), segment))
			return false;
		at += size;
	}
	return !request_segment(rq, n).data;
}

static const struct route *find_route(const struct api_request *rq)
{
	size_t root = strlen(API_ROOT);

	if (strncmp(rq->path, API_ROOT, root) != 0 || (rq->path[root] && rq->path[root] != '/'))
		return NULL;
	for (size_t i = 0; i < ROUTE_COUNT; i++)
		if (path_fits(&routes[i], rq))
			return &routes[i];
	return NULL;
}

/* ---- what is checked of every request ---- */

static bool is_known(const struct route *r, const char *name)
{
	size_t size = strlen(name);

	for (const char *at = r->params; *at; at += strcspn(at, " ") + 1)
		if (size && strncmp(at, name, size) == 0 && at[size] == ' ')
			return true;
	return false;
}

bool request_has_past(const struct api_request *rq)
{
	const struct route *r = find_route(rq);

	return r && r->answer && (!r->params || is_known(r, "as_of"));
}

static enum err unknown_parameter(const struct route *r, const char *name, struct api_answer *ret)
{
	char next[TEXT_BYTES_MAX];

	if (!*r->params)
		return problem_invalid(ret, "Ask without parameters.",
				       "There are no parameters here, so no \"%s\".", name);
	(void)snprintf(next, sizeof next, "There are: %s", r->params);
	return problem_invalid(ret, next, "There is no parameter \"%s\" here.", name);
}

/* `ret_fine` false: `ret` is the problem. */
static enum err check_params(const struct route *r, const struct api_request *rq,
			     struct api_answer *ret, bool *ret_fine)
{
	*ret_fine = false;
	for (size_t i = 0; r->params && i < rq->param_count; i++) {
		const char *name = rq->params[i].name;

		if (!is_known(r, name))
			return unknown_parameter(r, name, ret);
		if (request_param(rq, name) != rq->params[i].value)
			return problem_invalid(ret, "Give it once.", "%s is given twice.", name);
	}
	*ret_fine = true;
	return ERR_OK;
}

static enum err check_accept(const struct route *r, const struct api_request *rq,
			     struct api_answer *ret, bool *ret_fine)
{
	const size_t count = offers[r->offer].count;

	*ret_fine = !count || accept_choose(rq->accept, offers[r->offer].types, count) >= 0;
	if (*ret_fine)
		return ERR_OK;
	return api_problem(ret, 406, "Not Acceptable",
			   "The header Accept allows none of the forms that there are.",
			   r->offer == JSON_OR_CSV ? "Accept application/json or text/csv."
			   : r->offer == JSON      ? "Accept application/json."
						   : "Accept text/plain.");
}

/* An answer to a time that is over is settled only when something behind it is folded: until then
 * the fold may be late. */
static enum err check_settled(const struct api_context *x, const struct api_request *rq,
			      struct api_answer *ret)
{
	const char *asked = request_param(rq, "as_of");
	uint64_t wanted = 0;
	uint64_t position = 0;
	enum err e = ERR_OK;

	if (!ret->settled || !asked || number_parse(bytes_of_text(asked), &wanted))
		return ERR_OK;
	e = view_position(x->view, x->txn, &position);
	if (e == ERR_OK && catalog_position(x->catalog) >= position)
		ret->settled = false;
	return e == ERR_OK ? ERR_OK : problem_of(ret, e);
}

enum err api_answer(const struct api_context *x, const struct api_request *rq,
		    struct api_answer *ret)
{
	const struct route *r = find_route(rq);
	bool fine = true;
	enum err e = ERR_OK;

	if (!r || !r->answer)
		return problem_missing(ret, "See " API_ROOT " for what there is.",
				       "There is nothing at %s.", rq->path);
	e = check_params(r, rq, ret, &fine);
	if (e == ERR_OK && fine)
		e = check_accept(r, rq, ret, &fine);
	if (e != ERR_OK || !fine)
		return e;
	e = r->answer(x, rq, ret);
	return e == ERR_OK ? check_settled(x, rq, ret) : e;
}

enum err endpoint_index(const struct api_context *x, const struct api_request *rq,
			struct api_answer *ret)
{
	struct json j = json_to(ret->body);

	(void)x;
	(void)rq;
	ret->status = 200;
	ret->type = "application/json";
	json_open(&j, '{');
	json_field_text(&j, "name", "Rejestr CIS i KIS");
	json_key(&j, "endpoints");
	json_open(&j, '[');
	for (size_t i = 0; i < ROUTE_COUNT; i++) {
		struct buf path = {.data = NULL};

		buf_printf(&path, API_ROOT "%s", routes[i].path);
		json_open(&j, '{');
		json_field_text(&j, "path", buf_text(&path));
		json_field_text(&j, "what", routes[i].what);
		json_close(&j, '}');
		buf_free(&path);
	}
	json_close(&j, ']');
	return answer_end(&j, ret);
}
