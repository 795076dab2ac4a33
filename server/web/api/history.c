/* All versions of a record, newest first, with what each of them changed. */
#include <stdio.h>

#include "api/endpoints.h"
#include "api/pieces.h"
#include "api/request.h"
#include "api/step.h"

enum {
	HISTORY_LIMIT = 50,
	HISTORY_LIMIT_MAX = 200,
	HISTORY_BYTES_MAX = 4 * 1024 * 1024, /* of encoded versions in one answer */
	CURSOR_BYTES = 64,
};

struct history {
	struct version_place before; /* a page holds those before it */
	uint64_t limit;
	struct version *versions;
	size_t count;
	bool more;
};

static enum err read_page(const struct api_context *x, const struct version *newest,
			  struct history *h)
{
	h->versions = arena_alloc(x->arena, h->limit * sizeof *h->versions);
	if (!h->versions)
		return ERR_NOMEM;
	if (h->before.position == 0 && h->before.index == 0) /* to the view that would be all */
		return ERR_OK;
	return view_history(x->view, x->txn, newest->change.kind, bytes_of_text(newest->change.id),
			    h->before, h->limit, HISTORY_BYTES_MAX, x->arena, h->versions,
			    &h->count, &h->more);
}

static enum err write_versions(struct json *j, const struct api_context *x, const struct history *h)
{
	enum err e = ERR_OK;

	json_key(j, "versions");
	json_open(j, '[');
	for (size_t i = 0; e == ERR_OK && i < h->count; i++) {
		struct step s;

		e = step_of(x, &h->versions[i], x->arena, &s);
		if (e != ERR_OK)
			break;
		json_open(j, '{');
		write_step(j, x, &s);
		json_close(j, '}');
	}
	json_close(j, ']');
	return e;
}

static enum err answer_history(const struct api_context *x, const struct api_request *rq,
			       const struct step *newest, struct history *h, struct api_answer *ret)
{
	const struct change *c = &newest->now->change;
	struct json j = answer_begin(x, rq, ret);
	char cursor[CURSOR_BYTES];
	enum err e = read_page(x, newest->now, h);

	json_field_text(&j, "id", c->id);
	json_field_text(&j, "kind", kind_of(c->kind)->name);
	json_field_text(&j, "title", newest->title);
	if (e == ERR_OK)
		e = write_versions(&j, x, h);
	if (e != ERR_OK)
		return problem_of(ret, e);
	if (h->more && h->count) {
		const struct version *last = &h->versions[h->count - 1];

		(void)snprintf(cursor, sizeof cursor, "%llu-%llu",
			       (unsigned long long)last->position, (unsigned long long)last->index);
	}
	write_next(&j, rq, "before", h->more && h->count ? cursor : NULL);
	return answer_end(&j, ret);
}

/* False: `before` is no cursor.  A cursor behind the state that was asked for is its end. */
static bool parse_before(const struct api_context *x, const struct api_request *rq,
			 struct version_place *ret)
{
	const char *text = request_param(rq, "before");
	const uint64_t end = catalog_position(x->catalog);
	uint64_t numbers[2] = {end, 0};

	if (text && !numbers_parse(text, numbers, 2))
		return false;
	*ret = (struct version_place){numbers[0], numbers[1]};
	if (numbers[0] >= end)
		*ret = (struct version_place){end, 0};
	return true;
}

enum err endpoint_history(const struct api_context *x, const struct api_request *rq,
			  struct api_answer *ret)
{
	const char *id = request_segment_text(x, rq, 1);
	struct history h = {.limit = HISTORY_LIMIT};
	struct step newest;
	enum err e = id ? ERR_OK : ERR_NOMEM;

	if (!request_number(rq, "limit", HISTORY_LIMIT, HISTORY_LIMIT_MAX, &h.limit))
		return problem_invalid(ret, "Give a number from 1 to 200.",
				       "limit=%s is no such number.", request_param(rq, "limit"));
	if (!parse_before(x, rq, &h.before))
		return problem_invalid(ret, "Begin without before, and follow next.",
				       "before=%s is no cursor of this list.",
				       request_param(rq, "before"));
	if (e == ERR_OK)
		e = step_find(x, id, &newest);
	if (e == ERR_NOT_FOUND)
		return problem_missing(ret, "Look for it by its name: " API_ROOT "/entities?q=…",
				       "There is no record %s%s.", id,
				       x->past ? " at that time" : "");
	return e == ERR_OK ? answer_history(x, rq, &newest, &h, ret) : problem_of(ret, e);
}
