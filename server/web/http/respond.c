/* Answers as libmicrohttpd sends them: headers, codings, validators. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "http/door_internal.h"
#include "http/limits.h"
#include "tlog/hash.h"

enum coding { CODING_NONE, CODING_GZIP, CODING_BROTLI, CODINGS };
enum { ETAG_BYTES = 48, ETAG_HASH_BYTES = 16 };

static const char *const coding_names[CODINGS] = {NULL, "gzip", "br"};
static const char *const coding_marks[CODINGS] = {"", "-g", "-b"};

struct page {
	struct door *door;
	size_t users;
	struct page_draft draft;
	char filename[160];
	char etag[ETAG_BYTES]; /* without quotes and mark; "": none */
	struct MHD_Response *forms[CODINGS];
	uint64_t sizes[CODINGS];
	struct bytes plain; /* what may be packed; of forms[CODING_NONE] */
	bool packable;
	size_t held;
};

/* ---- headers ---- */

static const char csp_data[] = "default-src 'none'; frame-ancestors 'none'";
static const char csp_page[] =
	"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
	"connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static bool add(struct MHD_Response *r, const char *name, const char *value)
{
	return !value || MHD_add_response_header(r, name, value) == MHD_YES;
}

static bool add_number(struct MHD_Response *r, const char *name, uint64_t x)
{
	char text[24];

	(void)snprintf(text, sizeof text, "%" PRIu64, x);
	return add(r, name, text);
}

static bool add_filename(struct MHD_Response *r, const char *filename)
{
	char text[256];

	if (!filename || !filename[0])
		return true;
	(void)snprintf(text, sizeof text, "attachment; filename=\"%s\"", filename);
	return add(r, "Content-Disposition", text);
}

bool add_headers(const struct door *d, struct MHD_Response *r, const struct page_draft *draft)
{
	bool api = draft->kind == PAGE_API;
	bool open = d->options.allow_origin && (api || draft->kind == PAGE_FILE);
	bool ok =
		add(r, "Content-Type", draft->type) &&
		add(r, "Cache-Control", draft->cache_control) &&
		add(r, "X-Content-Type-Options", "nosniff") &&
		add(r, "Referrer-Policy", "no-referrer") &&
		add(r, "Content-Security-Policy", draft->kind == PAGE_SHELL ? csp_page : csp_data);

	if (ok && open)
		ok = add(r, "Access-Control-Allow-Origin", d->options.allow_origin) &&
		     add(r, "Access-Control-Expose-Headers", "ETag, Splot-Position");
	if (ok && api)
		ok = add(r, "Vary", "Accept, Accept-Encoding");
	else if (ok && draft->kind != PAGE_FILE)
		ok = add(r, "Vary", "Accept-Encoding");
	if (ok && !open)
		ok = add(r, "Cross-Origin-Resource-Policy", "same-origin");
	if (ok && draft->has_position)
		ok = add_number(r, "Splot-Position", draft->position);
	if (ok && draft->retry_after_s > 0)
		ok = add_number(r, "Retry-After", draft->retry_after_s);
	if (ok && draft->close)
		ok = add(r, "Connection", "close");
	return ok && add(r, "Allow", draft->allow) && add_filename(r, draft->filename);
}

/* ---- pages ---- */

static void make_etag(struct page *p, struct hash hash)
{
	size_t at = 0;

	for (size_t i = 0; i < ETAG_HASH_BYTES; i++)
		at += (size_t)snprintf(p->etag + at, sizeof p->etag - at, "%02x", hash.b[i]);
}

/* Only what was found, and may be asked for again, has a validator. */
static bool validates(const struct page_draft *draft)
{
	return draft->status == 200;
}

static bool finish_form(struct page *p, enum coding coding, uint64_t size)
{
	struct MHD_Response *r = p->forms[coding];
	char etag[ETAG_BYTES + 8];
	bool ok = add_headers(p->door, r, &p->draft);

	p->sizes[coding] = size;
	if (ok && p->etag[0]) {
		(void)snprintf(etag, sizeof etag, "\"%s%s\"", p->etag, coding_marks[coding]);
		ok = add(r, "ETag", etag);
	}
	return ok && add(r, "Content-Encoding", coding_names[coding]);
}

static struct page *page_new(struct door *d, const struct page_draft *draft)
{
	struct page *p = calloc(1, sizeof *p);

	if (!p)
		return NULL;
	p->door = d;
	p->users = 1;
	p->draft = *draft;
	p->held = sizeof *p + 2048; /* and about so much for headers */
	(void)snprintf(p->filename, sizeof p->filename, "%s",
		       draft->filename ? draft->filename : "");
	p->draft.filename = p->filename;
	return p;
}

struct body {
	struct counters *counters; /* outlive the door: a response may be the last to go */
	void *data;
	size_t size;
};

static uint64_t large_part(size_t size)
{
	return size > LARGE_BODY_BYTES ? size : 0;
}

static bool fits(const struct counters *c, size_t size)
{
	return size <= LARGE_BYTES_MAX && c->bodies_bytes <= BODIES_BYTES_MAX - size &&
	       (!large_part(size) || c->large_bytes <= LARGE_BYTES_MAX - size);
}

static void free_body(void *context)
{
	struct body *b = context;

	b->counters->bodies_bytes -= b->size;
	b->counters->large_bytes -= large_part(b->size);
	free(b->data);
	free(b);
}

/* Owned bytes as a response; they are freed with it, or here on failure. */
static struct MHD_Response *respond_owned(struct door *d, void *data, size_t size)
{
	struct body *b = malloc(sizeof *b);
	struct MHD_Response *r = NULL;

	if (!b) {
		free(data);
		return NULL;
	}
	*b = (struct body){.counters = d->counters, .data = data, .size = size};
	r = MHD_create_response_from_buffer_with_free_callback_cls(size, data, free_body, b);
	if (!r) {
		free(data);
		free(b);
		return NULL;
	}
	d->counters->bodies_bytes += size;
	d->counters->large_bytes += large_part(size);
	return r;
}

static bool is_text(const char *type)
{
	return strncmp(type, "text/", 5) == 0 || strstr(type, "json") ||
	       strstr(type, "javascript") || strstr(type, "svg");
}

enum err page_of_buf(struct door *d, const struct page_draft *draft, struct buf *body,
		     struct page **ret)
{
	struct page *p = NULL;
	void *data = NULL;
	size_t size = body->size;

	if (!fits(d->counters, size)) {
		buf_free(body);
		return ERR_BUSY;
	}
	p = buf_check(body) == ERR_OK ? page_new(d, draft) : NULL;
	if (!p) {
		buf_free(body);
		return ERR_NOMEM;
	}
	if (validates(draft))
		make_etag(p, hash_plain(buf_bytes(body)));
	data = size > 0 ? realloc(body->data, size) : body->data; /* what was grown too far */
	if (!data)
		data = body->data;
	*body = (struct buf){.data = NULL};
	p->plain = bytes_of(data, size);
	p->packable = size >= GZIP_BYTES_LEAST && size <= GZIP_BYTES_MAX && is_text(draft->type);
	p->held += size;
	p->forms[CODING_NONE] = respond_owned(d, data, size);
	if (!p->forms[CODING_NONE] || !finish_form(p, CODING_NONE, size)) {
		page_release(p);
		return ERR_NOMEM;
	}
	*ret = p;
	return ERR_OK;
}

/* libmicrohttpd does not write what it is told is persistent. */
static void *unconst(const unsigned char *data)
{
	return (void *)(uintptr_t)data;
}

enum err page_of_fixed(struct door *d, const struct page_draft *draft, const struct fixed *bytes,
		       struct page **ret)
{
	const unsigned char *data[CODINGS] = {bytes->identity, bytes->gzip, bytes->brotli};
	const size_t sizes[CODINGS] = {bytes->identity_size, bytes->gzip_size, bytes->brotli_size};
	struct page *p = page_new(d, draft);
	bool ok = p != NULL;

	if (ok && validates(draft))
		make_etag(p, hash_plain(bytes_of(bytes->identity, bytes->identity_size)));
	for (unsigned i = 0; i < CODINGS && ok; i++) {
		if (!data[i])
			continue;
		p->forms[i] = MHD_create_response_from_buffer(sizes[i], unconst(data[i]),
							      MHD_RESPMEM_PERSISTENT);
		ok = p->forms[i] && finish_form(p, (enum coding)i, sizes[i]);
	}
	if (!ok) {
		page_release(p);
		return ERR_NOMEM;
	}
	*ret = p;
	return ERR_OK;
}

enum err page_of_file(struct door *d, const struct page_draft *draft, int fd, size_t size,
		      int64_t changed_ns, struct page **ret)
{
	struct page *p = page_new(d, draft);

	if (p) {
		(void)snprintf(p->etag, sizeof p->etag, "%zx-%" PRIx64, size, (uint64_t)changed_ns);
		p->forms[CODING_NONE] = MHD_create_response_from_fd(size, fd);
	}
	if (!p || !p->forms[CODING_NONE]) {
		(void)close(fd);
		page_release(p);
		return ERR_NOMEM;
	}
	if (!finish_form(p, CODING_NONE, size)) {
		page_release(p);
		return ERR_NOMEM;
	}
	*ret = p;
	return ERR_OK;
}

size_t page_bytes(const struct page *p)
{
	return p->held;
}

struct page *page_keep(struct page *p)
{
	p->users++;
	return p;
}

void page_release(struct page *p)
{
	if (!p || --p->users > 0)
		return;
	for (unsigned i = 0; i < CODINGS; i++)
		if (p->forms[i])
			MHD_destroy_response(p->forms[i]); /* lives on while it is sent */
	free(p);
}

/* ---- gzip ---- */

static void *pack(struct bytes plain, size_t *ret_size)
{
	enum { GZIP_WINDOW = 15 + 16, MEMORY = 8, LEVEL = 5 };
	z_stream z = {.next_in = NULL};
	unsigned char *out = NULL;
	size_t room = 0;

	if (deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	room = deflateBound(&z, plain.size);
	out = malloc(room);
	if (out) {
		z.next_in = unconst(plain.data);
		z.avail_in = (uInt)plain.size; /* GZIP_BYTES_MAX at most */
		z.next_out = out;
		z.avail_out = (uInt)room;
		if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
			free(out);
			out = NULL;
		}
	}
	*ret_size = room - z.avail_out;
	(void)deflateEnd(&z);
	return out;
}

/* Once for a page; where it gains nothing, or there is no memory, it stays as it is. */
static void pack_page(struct page *p)
{
	size_t size = 0;
	void *data = NULL;
	void *fitting = NULL;

	p->packable = false;
	if (!fits(p->door->counters, p->plain.size))
		return;
	data = pack(p->plain, &size);
	if (!data || size >= p->plain.size) {
		free(data);
		return;
	}
	fitting = realloc(data, size);
	p->forms[CODING_GZIP] = respond_owned(p->door, fitting ? fitting : data, size);
	if (!p->forms[CODING_GZIP])
		return;
	p->held += size;
	if (!finish_form(p, CODING_GZIP, size)) {
		MHD_destroy_response(p->forms[CODING_GZIP]);
		p->forms[CODING_GZIP] = NULL;
	}
}

/* ---- sending ---- */

enum err visit_queue(struct visit *v, unsigned status, struct MHD_Response *r, uint64_t bytes)
{
	if (MHD_queue_response(v->mhd, status, r) != MHD_YES)
		return ERR_NOMEM;
	v->stage = STAGE_ANSWERED;
	v->status = status;
	if (v->connection)
		v->connection->sending_bytes = bytes;
	connection_enters(v->connection, PHASE_SENDING);
	counters_answer(v->door->counters, status, (uint64_t)(mono_us() - v->started_us));
	return ERR_OK;
}

/* If-None-Match: "*", or a list of validators, weak or not; of whatever coding. */
static bool has_it(const char *have, const char *etag)
{
	const char *found = NULL;

	if (!have || !etag[0])
		return false;
	if (have[strspn(have, " \t")] == '*')
		return true;
	found = strstr(have, etag);
	while (found && (found == have || found[-1] != '"'))
		found = strstr(found + 1, etag);
	return found && strchr("\"-", found[strlen(etag)]) && found[strlen(etag)];
}

static enum coding choose(struct page *p, const struct question *q)
{
	if (q->brotli && p->forms[CODING_BROTLI])
		return CODING_BROTLI;
	if (q->gzip && p->packable)
		pack_page(p);
	return q->gzip && p->forms[CODING_GZIP] ? CODING_GZIP : CODING_NONE;
}

enum err visit_send(struct visit *v, const struct question *q, struct page *p, size_t *ret_grew)
{
	size_t before = p->held;
	enum coding coding = choose(p, q);
	bool unchanged = has_it(q->if_none_match, p->etag);

	if (ret_grew)
		*ret_grew = p->held - before;
	/* libmicrohttpd sends no body with a 304, but the length that the body would have. */
	return visit_queue(v, unchanged ? 304 : p->draft.status, p->forms[coding],
			   p->sizes[coding]);
}

/* ---- problems ---- */

static enum err send_problem(struct visit *v, const struct page_draft *draft, const char *detail)
{
	struct door *d = v->door;
	const struct question q = {.target = NULL};
	struct buf body = {.data = NULL};
	struct page *p = NULL;
	enum err e = d->options.problem(d->options.context, draft->status, detail, &body);

	if (e == ERR_OK)
		e = page_of_buf(d, draft, &body, &p);
	buf_free(&body);
	if (e == ERR_OK)
		e = visit_send(v, &q, p, NULL);
	page_release(p);
	return e;
}

static struct page_draft problem_draft(unsigned status)
{
	return (struct page_draft){.kind = PAGE_API,
				   .status = status,
				   .type = "application/problem+json",
				   .cache_control = "no-store"};
}

enum err visit_problem(struct visit *v, unsigned status, const char *detail, unsigned retry_after_s)
{
	struct page_draft draft = problem_draft(status);

	draft.retry_after_s = retry_after_s;
	return send_problem(v, &draft, detail);
}

enum err visit_refuse(struct visit *v, unsigned status, const char *detail)
{
	struct page_draft draft = problem_draft(status);

	draft.close = true;
	return send_problem(v, &draft, detail);
}

enum err visit_not_allowed(struct visit *v)
{
	struct page_draft draft = problem_draft(405);

	draft.close = true;
	draft.allow = v->door->options.preflight ? "GET, HEAD, OPTIONS" : "GET, HEAD";
	return send_problem(v, &draft, "this address is only read");
}

/* Whoever asks may read, whatever is asked: nothing here depends on who asks. */
enum err visit_preflight(struct visit *v)
{
	const struct page_draft draft = {
		.kind = PAGE_API, .status = 204, .cache_control = "no-cache"};
	struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum err e = ERR_NOMEM;

	if (r && add_headers(v->door, r, &draft) &&
	    add(r, "Access-Control-Allow-Methods", "GET, HEAD") &&
	    add(r, "Access-Control-Allow-Headers", "Last-Event-ID, If-None-Match") &&
	    add(r, "Access-Control-Max-Age", "86400"))
		e = visit_queue(v, 204, r, 0);
	if (r)
		MHD_destroy_response(r);
	return e;
}
