/* One request from its first line to the end of its answer. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/door_internal.h"
#include "http/guard.h"
#include "http/limits.h"

/* Put before what was sent, so that libmicrohttpd finds these first: it would itself answer a
 * length or a cookie that it cannot read, and it sends that answer's head twice.  What was sent is
 * judged by the guard. */
static const char our_length_name[] = "Content-Length";
static const char our_length[] = "0";
static const char our_cookie_name[] = "Cookie";
static const char our_cookie[] = "";

void *request_begins(void *context, const char *target, struct MHD_Connection *mhd)
{
	struct door *d = context;
	size_t size = strlen(target);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct visit *v = NULL;

	if (MHD_set_connection_value(mhd, MHD_HEADER_KIND, our_length_name, our_length) !=
		    MHD_YES ||
	    MHD_set_connection_value(mhd, MHD_HEADER_KIND, our_cookie_name, our_cookie) != MHD_YES)
		return NULL;
	v = malloc(sizeof *v + size + 1);
	if (!v)
		return NULL;
	*v = (struct visit){.door = d,
			    .connection = info ? info->socket_context : NULL,
			    .mhd = mhd,
			    .target_at = target,
			    .target_size = size};
	memcpy(v->target, target, size + 1);
	connection_enters(v->connection, PHASE_HEAD);
	return v;
}

void request_ends(void *context, struct MHD_Connection *mhd, void **visit,
		  enum MHD_RequestTerminationCode how)
{
	struct door *d = context;
	struct visit *v = *visit;

	(void)mhd;
	*visit = NULL;
	if (!v)
		return;
	if (how == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED)
		d->counters->dropped[DROP_STALLED]++;
	if (v->stage == STAGE_WAITS)
		d->options.gone(d->options.context, v);
	connection_enters(v->connection, PHASE_IDLE);
	free(v);
}

/* ---- the head ---- */

static enum MHD_Result take_line(void *context, enum MHD_ValueKind kind, const char *name,
				 size_t name_size, const char *value, size_t value_size)
{
	struct head *h = context;

	(void)kind;
	if (value == our_length || value == our_cookie)
		return MHD_YES;
	if (h->line_count < HEAD_LINES_MAX)
		h->lines[h->line_count] = (struct head_line){.name = name,
							     .value = value ? value : "",
							     .name_size = name_size,
							     .value_size = value_size};
	h->line_count++;
	return MHD_YES;
}

static enum guard judge(struct visit *v, const char *method, const char *version)
{
	struct head h = {.method = method,
			 .target = v->target_at,
			 .version = version,
			 .target_size = v->target_size};
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(v->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	enum guard g = GUARD_OK;

	h.size = info ? info->header_size : 0;
	(void)MHD_get_connection_values_n(v->mhd, MHD_HEADER_KIND, take_line, &h);
	g = guard_head(&h);
	if (g != GUARD_OK)
		return g;
	/* These stay where they are until the answer is sent. */
	v->accept = head_value(&h, "Accept");
	v->accept_encoding = head_value(&h, "Accept-Encoding");
	v->if_none_match = head_value(&h, "If-None-Match");
	v->last_event_id = head_value(&h, "Last-Event-ID");
	return GUARD_OK;
}

static enum err first_call(struct visit *v, const char *method, const char *version)
{
	struct door *d = v->door;
	enum guard g = judge(v, method, version);

	v->started_us = mono_us();
	if (g != GUARD_OK) {
		d->counters->refused[g]++;
		return visit_refuse(v, guard_status(g), guard_text(g));
	}
	v->get = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	v->options = strcmp(method, "OPTIONS") == 0;
	if (!v->connection || d->counters->connections > d->options.connections_max)
		return visit_problem(v, 503, "there are too many connections", 5);
	v->stage = STAGE_JUDGED;
	return ERR_OK;
}

/* ---- the question ---- */

/* Whether a coding is among those that are taken, with a weight that is not 0. */
static bool takes(const char *accepted, const char *coding)
{
	size_t size = strlen(coding);

	while (accepted && *accepted) {
		const char *end = accepted + strcspn(accepted, ",");
		const char *weight = NULL;

		accepted += strspn(accepted, " \t");
		if (strncasecmp(accepted, coding, size) == 0 &&
		    strchr(" \t;,", accepted[size]) /* or its end */) {
			weight = memmem(accepted, (size_t)(end - accepted), "q=", 2);
			return !weight || strspn(weight + 2, "0.") != strcspn(weight + 2, ", \t");
		}
		accepted = *end ? end + 1 : end;
	}
	return false;
}

static enum err ask(struct visit *v)
{
	struct door *d = v->door;
	struct target target;
	struct question q = {.target = &target,
			     .if_none_match = v->if_none_match,
			     .last_event_id = v->last_event_id,
			     .gzip = takes(v->accept_encoding, "gzip"),
			     .brotli = takes(v->accept_encoding, "br")};
	const char *why = "";
	enum err e = ERR_OK;

	arena_reset(&d->arena);
	if (v->accept && strlen(v->accept) <= ACCEPT_BYTES_MAX)
		q.accept = v->accept;
	e = target_parse(bytes_of(v->target, v->target_size), &d->arena, &target, &why);
	if (e == ERR_INVALID || e == ERR_LIMIT)
		return visit_problem(v, e == ERR_LIMIT ? 414 : 400, why, 0);
	if (e != ERR_OK)
		return e;
	connection_enters(v->connection, PHASE_MAKING);
	v->stage = STAGE_WAITS;
	if (d->options.answer(d->options.context, v, &q) == ASKED_WAITS)
		return v->suspended ? ERR_OK : ERR_INTERNAL;
	return v->stage == STAGE_ANSWERED ? ERR_OK : ERR_NOMEM;
}

static enum err next_call(struct visit *v)
{
	if (v->stage == STAGE_WAITS)
		return v->suspended ? ERR_OK : ask(v);
	if (v->stage != STAGE_JUDGED)
		return ERR_OK;
	if (v->options && v->door->options.preflight)
		return visit_preflight(v);
	return v->get ? ask(v) : visit_not_allowed(v);
}

enum MHD_Result request_handle(void *context, struct MHD_Connection *mhd, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_size, void **visit)
{
	struct visit *v = *visit;
	enum err e = ERR_OK;

	(void)context;
	(void)mhd;
	(void)url;
	(void)upload;
	(void)upload_size;
	if (!v)
		return MHD_NO; /* without memory: the connection is closed */
	e = v->stage == STAGE_NEW ? first_call(v, method, version) : next_call(v);
	return e == ERR_OK ? MHD_YES : MHD_NO;
}

/* ---- waiting ---- */

void **visit_note(struct visit *v)
{
	return &v->note;
}

void visit_wait(struct visit *v)
{
	v->suspended = true;
	MHD_suspend_connection(v->mhd);
}

void visit_resume(struct visit *v)
{
	if (!v->suspended)
		return;
	v->suspended = false;
	MHD_resume_connection(v->mhd);
}
