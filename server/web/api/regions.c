/* /regions and /regions/NN. */
#include <string.h>

#include "api/endpoints.h"
#include "api/places.h"

enum err endpoint_regions(const struct api_context *x, const struct api_request *rq,
			  struct api_answer *ret)
{
	struct nation n;
	struct json j;
	enum err e = nation_make(x, rq, &n);

	if (e != ERR_OK)
		return e;
	j = answer_begin(x, rq, ret);
	ret->live = !x->past;
	e = write_regions(&j, &n);
	return e == ERR_OK ? answer_end(&j, ret) : e;
}

static void write_claims(struct json *j, const struct nation *n, int place)
{
	size_t written = 0;

	json_key(j, "claims");
	json_open(j, '[');
	for (size_t i = 0; i < n->claims.group_count && written < CLAIM_GROUPS_MAX; i++) {
		if (n->claims.groups[i].owner != place)
			continue;
		write_claim_group(j, n->x->catalog, &n->claims, &n->claims.groups[i], false);
		written++;
	}
	json_close(j, ']');
}

enum err endpoint_region(const struct api_context *x, const struct api_request *rq,
			 struct api_answer *ret)
{
	const char *code = strrchr(rq->path, '/');
	int place = region_by_code(bytes_of_text(code ? code + 1 : ""));
	struct nation n;
	struct json j;
	enum err e = ERR_OK;

	if (place == REGION_NONE)
		return api_problem(
			ret, 404, "No such region",
			"Regions have the codes 02, 04 … 32 of TERYT; PL is the ministry.",
			"See /api/v1/regions for all of them.");
	e = nation_make(x, rq, &n);
	if (e != ERR_OK)
		return e;
	j = answer_begin(x, rq, ret);
	ret->live = !x->past;
	e = write_region(&j, &n, place);
	if (e != ERR_OK)
		return e;
	write_claims(&j, &n, place);
	return answer_end(&j, ret);
}
