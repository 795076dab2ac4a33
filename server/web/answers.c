/* Which address is answered by what. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "http/limits.h"
#include "server/web/web.h"

#define API    "/api/v1"
#define LOGS   API "/logs/"
#define EVENTS API "/events"

enum { SOON_S = 1, BUSY_S = 5 };

static const char json_type[] = "application/json";
static const char loading[] = "the register is being read, or its store is not open";
static const char no_memory[] = "there is no memory for this answer now";

/* ---- problems ---- */

enum err web_problem(void *context, unsigned status, const char *detail, struct buf *ret)
{
	static const struct {
		unsigned status;
		const char *title, *next;
	} known[] = {
		{400, "Bad Request", "Mend the request; docs/API.md says what can be asked."},
		{404, "Not Found", "See " API " for what there is."},
		{405, "Method Not Allowed", "Ask with GET or HEAD."},
		{413, "Content Too Large", "Send no body."},
		{414, "URI Too Long", "Ask with fewer or shorter parameters."},
		{431, "Request Header Fields Too Large", "Send fewer or shorter header lines."},
		{503, "Service Unavailable", "Ask again in a moment."},
	};
	struct api_answer answer = {.body = ret};

	(void)context;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (known[i].status == status)
			return api_problem(&answer, status, known[i].title, detail, known[i].next);
	return api_problem(&answer, status, "Internal Server Error", detail,
			   "Tell those who run this server.");
}

/* What a visit is answered with; without memory even for a problem it is closed. */
static enum asked problem(struct visit *v, unsigned status, const char *detail, unsigned retry_s)
{
	if (visit_problem(v, status, detail, retry_s) != ERR_OK)
		log_line(LOG_DEBUG, "an answer could not be made: %s", err_text(ERR_NOMEM));
	return ASKED_ANSWERED;
}

static enum asked fault(struct visit *v, enum err e)
{
	if (e == ERR_NOMEM)
		return problem(v, 503, no_memory, BUSY_S);
	if (e == ERR_BUSY)
		return problem(v, 503, "too much is asked at once", BUSY_S);
	if (e == ERR_CLOSED || e == ERR_AGAIN)
		return problem(v, 503, loading, SOON_S);
	return problem(v, 500, err_text(e), 0);
}

static enum asked sent(struct visit *v, enum err e)
{
	return e == ERR_OK ? ASKED_ANSWERED : fault(v, e);
}

/* ---- small texts ---- */

static enum asked send_text(struct web *w, struct visit *v, const struct question *q,
			    unsigned status, const char *type, struct buf *body)
{
	const struct page_draft draft = {
		.kind = PAGE_API, .status = status, .type = type, .cache_control = "no-store"};
	struct page *p = NULL;
	enum err e = page_of_buf(w->door, &draft, body, &p);

	if (e == ERR_OK)
		e = visit_send(v, q, p, NULL);
	page_release(p);
	return sent(v, e);
}

static enum asked send_ok(struct web *w, struct visit *v, const struct question *q)
{
	struct buf body = {.data = NULL};

	buf_add_text(&body, "ok\n");
	return send_text(w, v, q, 200, "text/plain; charset=utf-8", &body);
}

static enum asked send_ready(struct web *w, struct visit *v, const struct question *q)
{
	return w->viewing.ready ? send_ok(w, v, q) : problem(v, 503, loading, SOON_S);
}

static enum asked send_metrics(struct web *w, struct visit *v, const struct question *q)
{
	struct viewing *view = &w->viewing;
	struct buf body = {.data = NULL};
	struct txn *t = NULL;
	enum err e = ERR_OK;

	w->counters.cache_bytes = cache_bytes(w->cache);
	w->counters.catalog_bytes = view->ready ? catalog_memory(view->now.catalog) +
							  movements_memory(view->now.movements)
						: 0;
	arena_reset(&w->arena);
	if (view->ready)
		e = txn_begin(view->store, false, &t);
	if (view->ready && e == ERR_OK) {
		struct api_context x = viewing_context(w, t, NULL);

		e = api_metrics(&x, &body);
	}
	txn_abort(t);
	counters_write(&w->counters, &body);
	buf_printf(&body,
		   "# HELP splot_web_ready Whether answers are given.\n"
		   "# TYPE splot_web_ready gauge\nsplot_web_ready %d\n",
		   view->ready);
	if (e == ERR_OK)
		return send_text(w, v, q, 200, "text/plain; version=0.0.4; charset=utf-8", &body);
	buf_free(&body);
	return fault(v, e);
}

/* ---- the API ---- */

static struct api_request request_of(const struct question *q, struct api_param *params)
{
	for (size_t i = 0; i < q->target->param_count; i++)
		params[i] = (struct api_param){.name = q->target->params[i].name,
					       .value = q->target->params[i].value};
	return (struct api_request){.path = q->target->path,
				    .params = params,
				    .param_count = q->target->param_count,
				    .accept = q->accept};
}

static const char *cache_control(const struct api_answer *a)
{
	if (a->status != 200)
		return "no-store";
	return a->settled ? "public, max-age=3600" : "no-cache";
}

/* Makes a page of an answer, keeps it when it is worth that, and sends it. */
static enum asked send_answer(struct web *w, struct visit *v, const struct question *q,
			      const struct api_answer *a, uint64_t position, struct bytes key)
{
	const struct page_draft draft = {.kind = PAGE_API,
					 .status = a->status,
					 .type = a->type ? a->type : json_type,
					 .cache_control = cache_control(a),
					 .filename = a->filename,
					 .has_position = true,
					 .position = position};
	struct stamp good = viewing_stamp(w);
	struct mono_ms until = {0};
	struct page *p = NULL;
	enum err e = page_of_buf(w->door, &draft, a->body, &p);

	if (e == ERR_OK)
		e = visit_send(v, q, p, NULL);
	if (e != ERR_OK || a->status != 200 || page_bytes(p) > CACHE_ONE_MAX) {
		page_release(p);
		return sent(v, e);
	}
	if (a->settled)
		good.position = 0;
	if (a->live)
		until.ms = mono_now().ms + LIVE_MS_MAX;
	else
		good.status = 0;
	(void)cache_put(w->cache, key, good, until, p, page_bytes(p));
	return ASKED_ANSWERED;
}

/* The register that is asked for; sends the problem when there is none.  ASKED_WAITS, or
 * `*ret_done`. */
static enum asked find_register(struct web *w, struct visit *v, struct txn *t,
				const struct api_request *rq, struct api_answer *a,
				const struct follower **ret_past, bool *ret_done)
{
	uint64_t position = 0;
	bool past = false;
	enum err e = api_position(&w->viewing.view, t, rq, wall_now(), &position, &past, a);

	*ret_done = false;
	if (e == ERR_NOMEM) {
		*ret_done = true;
		return fault(v, e);
	}
	if (e != ERR_OK || !past)
		return ASKED_ANSWERED; /* a problem is an answer as well */
	if (position == follower_position(&w->viewing.now)) {
		*ret_past = &w->viewing.now;
		return ASKED_ANSWERED;
	}
	e = snapshots_get(w->snapshots, position, v, ret_past);
	if (e == ERR_AGAIN)
		return ASKED_WAITS;
	*ret_done = e != ERR_OK;
	return e == ERR_OK ? ASKED_ANSWERED : fault(v, e);
}

static enum asked make_answer(struct web *w, struct visit *v, const struct question *q,
			      struct txn *t, struct bytes key)
{
	struct api_param params[TARGET_PARAMS_MAX];
	struct api_request rq = request_of(q, params);
	struct buf body = {.data = NULL};
	struct api_answer a = {.body = &body};
	const struct follower *past = NULL;
	struct api_context x;
	bool done = false;
	enum err e = ERR_OK;
	enum asked asked = find_register(w, v, t, &rq, &a, &past, &done);

	if (asked == ASKED_WAITS || done)
		goto out;
	if (a.status == 0) {
		x = viewing_context(w, t, past);
		e = api_answer(&x, &rq, &a);
	}
	if (e == ERR_OK)
		e = txn_stands(t);
	asked = e == ERR_OK ? send_answer(w, v, q, &a,
					  follower_position(past ? past : &w->viewing.now), key)
			    : fault(v, e);
out:
	buf_free(&body);
	return asked;
}

static enum asked answer_api(struct web *w, struct visit *v, const struct question *q)
{
	struct buf key = {.data = NULL};
	struct page *p = NULL;
	struct txn *t = NULL;
	size_t grew = 0;
	enum err e = ERR_OK;
	enum asked asked = ASKED_ANSWERED;

	if (!w->viewing.ready)
		return problem(v, 503, loading, SOON_S);
	target_key(q->target, &key);
	buf_add_u8(&key, 2);
	buf_add_text(&key, q->accept ? q->accept : "");
	if (buf_check(&key) != ERR_OK) {
		buf_free(&key);
		return fault(v, ERR_NOMEM);
	}
	p = cache_get(w->cache, buf_bytes(&key), viewing_stamp(w), mono_now());
	if (p) {
		w->counters.cache_hits++;
		e = visit_send(v, q, p, &grew);
		if (grew > 0)
			cache_grew(w->cache, buf_bytes(&key), grew);
		buf_free(&key);
		return sent(v, e);
	}
	w->counters.cache_misses++;
	arena_reset(&w->arena);
	e = txn_begin(w->viewing.store, false, &t);
	asked = e == ERR_OK ? make_answer(w, v, q, t, buf_bytes(&key)) : fault(v, e);
	txn_abort(t);
	buf_free(&key);
	return asked;
}

/* ---- files of the export ---- */

static enum asked answer_file(struct web *w, struct visit *v, const struct question *q)
{
	const char *name = q->target->path + sizeof LOGS - 1;
	struct page *p = NULL;
	enum err e = ERR_OK;

	if (q->target->param_count > 0)
		return problem(v, 400, "an exported file has no parameters", 0);
	if (w->settings.export && w->files.folder_fd < 0)
		files_open(&w->files, w->settings.export); /* made since */
	e = files_page(&w->files, w->door, name, &p);
	if (e == ERR_OK)
		e = visit_send(v, q, p, NULL);
	page_release(p);
	if (e == ERR_NOT_FOUND)
		return problem(v, 404,
			       w->settings.export ? "the export has no such file"
						  : "no export is configured here",
			       0);
	return sent(v, e);
}

/* ---- events ---- */

static enum err parse_number(const char *text, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t x = 0;

	if (digits == 0 || text[digits] || digits > 19)
		return ERR_INVALID;
	for (size_t i = 0; i < digits; i++)
		x = x * 10 + (uint64_t)(text[i] - '0');
	*ret = x;
	return ERR_OK;
}

static enum asked answer_events(struct web *w, struct visit *v, const struct question *q)
{
	const char *region = target_param(q->target, "region");
	const char *after_text = q->last_event_id;
	uint64_t after = UINT64_MAX;
	int index = region ? region_by_code(bytes_of_text(region)) : REGION_NONE;
	enum err e = ERR_OK;

	for (size_t i = 0; i < q->target->param_count; i++)
		if (strcmp(q->target->params[i].name, "region") != 0 &&
		    strcmp(q->target->params[i].name, "last_event_id") != 0)
			return problem(v, 400, "events take region and last_event_id", 0);
	if (region && index == REGION_NONE)
		return problem(v, 400, "region takes 02 to 32, or PL", 0);
	if (!after_text || !after_text[0])
		after_text = target_param(q->target, "last_event_id");
	if (after_text && parse_number(after_text, &after) != ERR_OK)
		return problem(v, 400, "Last-Event-ID is no number", 0);
	if (!w->viewing.ready)
		return problem(v, 503, loading, SOON_S);
	e = events_read(w->events, v, region ? (unsigned)index + 1 : EVENTS_ALL, after,
			follower_position(&w->viewing.now));
	if (e == ERR_BUSY)
		return problem(v, 503, "there are too many readers of events", BUSY_S);
	return sent(v, e);
}

/* ---- the page ---- */

static enum asked answer_page(struct web *w, struct visit *v, const struct question *q)
{
	struct page *p = pages_find(w, q->target->path);

	if (!p)
		return problem(v, 404, "nothing is at this address", 0);
	return sent(v, visit_send(v, q, p, NULL));
}

static bool begins(const char *path, const char *with)
{
	return strncmp(path, with, strlen(with)) == 0;
}

enum asked web_answer(void *context, struct visit *v, const struct question *q)
{
	struct web *w = context;
	const char *path = q->target->path;

	if (strcmp(path, "/healthz") == 0)
		return send_ok(w, v, q);
	if (strcmp(path, "/readyz") == 0)
		return send_ready(w, v, q);
	if (strcmp(path, "/metrics") == 0)
		return send_metrics(w, v, q);
	if (strcmp(path, EVENTS) == 0)
		return answer_events(w, v, q);
	if (begins(path, LOGS) && !strstr(path, "/proof/"))
		return answer_file(w, v, q);
	if (begins(path, "/api/"))
		return answer_api(w, v, q);
	return answer_page(w, v, q);
}

void web_gone(void *context, struct visit *v)
{
	struct web *w = context;

	snapshots_forget(w->snapshots, v);
}
