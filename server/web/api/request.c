#include "api/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/pieces.h"

/* ---- the path ---- */

struct bytes request_segment(const struct api_request *rq, size_t n)
{
	const char *at = rq->path;
	size_t root = strlen(API_ROOT);

	if (strncmp(at, API_ROOT, root) != 0 || (at[root] && at[root] != '/'))
		return bytes_of(NULL, 0);
	at += root;
	for (size_t i = 0; *at == '/'; i++) {
		size_t size = strcspn(++at, "/");

		if (i == n)
			return bytes_of(at, size);
		at += size;
	}
	return bytes_of(NULL, 0);
}

const char *request_segment_text(const struct api_context *x, const struct api_request *rq,
				 size_t n)
{
	struct bytes segment = request_segment(rq, n);

	return segment.data ? arena_text(x->arena, segment) : NULL;
}

bool number_parse(struct bytes text, uint64_t *ret)
{
	uint64_t number = 0;

	if (text.size == 0 || text.size > NUMBER_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
		number = 10 * number + (uint64_t)(text.data[i] - '0');
	}
	*ret = number;
	return true;
}

void url_add(struct buf *out, const char *text)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";

	for (; *text; text++) {
		if (strchr(unreserved, *text))
			buf_add(out, text, 1);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)*text);
	}
}

void url_add_log(struct buf *out, struct log_name log)
{
	for (const char *at = log.text; *at; at++)
		buf_add_u8(out, *at == '/' ? '-' : (uint8_t)*at);
}

void write_next(struct json *j, const struct api_request *rq, const char *name, const char *value)
{
	struct buf url = {.data = NULL};

	json_key(j, "next");
	if (!value) {
		json_null(j);
		return;
	}
	for (const char *at = rq->path; *at;) {
		const char segment[] = {*at++, '\0'};

		if (*segment == '/')
			buf_add_u8(&url, '/');
		else
			url_add(&url, segment);
	}
	buf_add_u8(&url, '?');
	for (size_t i = 0; i < rq->param_count; i++) {
		if (strcmp(rq->params[i].name, name) == 0)
			continue;
		url_add(&url, rq->params[i].name);
		buf_add_u8(&url, '=');
		url_add(&url, rq->params[i].value);
		buf_add_u8(&url, '&');
	}
	url_add(&url, name);
	buf_add_u8(&url, '=');
	url_add(&url, value);
	j->out->failed |= url.failed;
	json_text(j, buf_text(&url));
	buf_free(&url);
}

/* ---- numbers ---- */

bool request_number(const struct api_request *rq, const char *name, uint64_t usual, uint64_t most,
		    uint64_t *ret)
{
	const char *text = request_param(rq, name);
	uint64_t number = usual;

	if (text && (!number_parse(bytes_of_text(text), &number) || number < 1 || number > most))
		return false;
	*ret = number;
	return true;
}

bool numbers_parse(const char *text, uint64_t *ret, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = strcspn(text, "-");

		if (!number_parse(bytes_of(text, size), &ret[i]) ||
		    text[size] != (i + 1 < count ? '-' : '\0'))
			return false;
		text += size + 1;
	}
	return true;
}

/* ---- problems ---- */

enum err api_problem(struct api_answer *ret, unsigned status, const char *title, const char *detail,
		     const char *next)
{
	struct buf *body = ret->body;
	struct json j = json_to(body);

	buf_clear(body);
	*ret = (struct api_answer){
		.status = status, .type = "application/problem+json", .body = body};
	json_open(&j, '{');
	json_field_text(&j, "type", "about:blank");
	json_field_text(&j, "title", title);
	json_field_uint(&j, "status", status);
	json_field_text(&j, "detail", detail);
	json_field_text(&j, "next", next);
	json_close(&j, '}');
	return buf_check(body) == ERR_OK ? ERR_OK : ERR_NOMEM;
}

enum err problem_invalid(struct api_answer *ret, const char *next, const char *detail, ...)
{
	char text[2 * TEXT_BYTES_MAX];
	va_list args;

	va_start(args, detail);
	(void)vsnprintf(text, sizeof text, detail, args);
	va_end(args);
	return api_problem(ret, 400, "Bad Request", text, next);
}

enum err problem_missing(struct api_answer *ret, const char *next, const char *detail, ...)
{
	char text[2 * TEXT_BYTES_MAX];
	va_list args;

	va_start(args, detail);
	(void)vsnprintf(text, sizeof text, detail, args);
	va_end(args);
	return api_problem(ret, 404, "Not Found", text, next);
}

enum err problem_of(struct api_answer *ret, enum err e)
{
	char text[TEXT_BYTES_MAX];

	if (e == ERR_NOMEM)
		return e;
	(void)snprintf(text, sizeof text, "The register cannot be read: %s.", err_text(e));
	return api_problem(ret, 503, "Service Unavailable", text,
			   "Ask again in a moment. If it stays so, tell who runs this site.");
}
