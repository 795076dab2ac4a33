/* The public door: connections, requests, answers.  The folder http/ is the only user of
 * libmicrohttpd; what is asked reaches the program as a question, what it answers goes out as a
 * page.  One thread. */
#ifndef SPLOT_WEB_HTTP_DOOR_H
#define SPLOT_WEB_HTTP_DOOR_H

#include "base/time.h"
#include "http/counters.h"
#include "http/target.h"

struct door;  /* opaque */
struct visit; /* opaque: one request */
struct page;  /* opaque: one answer, maybe for many visits */

/* ---- questions ---- */

/* Valid while it is answered.  Header texts are NULL when absent, or there more than once. */
struct question {
	const struct target *target;
	const char *accept, *if_none_match, *last_event_id;
	bool gzip, brotli; /* codings that the asker takes */
};

enum asked { ASKED_ANSWERED, ASKED_WAITS };

struct door_options {
	const char *listen; /* "127.0.0.1:8080", "[::1]:8080" */
	unsigned connections_max, connections_per_ip;
	bool preflight;           /* OPTIONS is answered, too: other origins may ask */
	const char *allow_origin; /* of them; NULL: none */
	void *context;
	/* GET and HEAD.  Sends a page (visit_send, visit_stream) and says ANSWERED; or WAITS, and
	 * is asked again after visit_resume. */
	enum asked (*answer)(void *context, struct visit *v, const struct question *q);
	/* A visit that waits is gone. */
	void (*gone)(void *context, struct visit *v);
	/* A problem as a body (problem+json).  NOMEM. */
	enum err (*problem)(void *context, unsigned status, const char *detail, struct buf *ret);
};

/* ---- pages ---- */

enum page_kind {
	PAGE_API,   /* data: may be shown to other origins, varies by Accept */
	PAGE_SHELL, /* the HTML document */
	PAGE_ASSET, /* its parts */
	PAGE_FILE,  /* an exported file */
};

struct page_draft {
	enum page_kind kind;
	unsigned status;
	const char *type;
	const char *cache_control; /* "no-cache" */
	const char *filename;      /* offered for saving; NULL, "": shown */
	bool has_position;
	uint64_t position;
	unsigned retry_after_s; /* 0: none */
	bool close;             /* the connection ends with it */
	const char *allow;      /* NULL: none */
};

/* Takes the buffer's content over (it is empty then, also on failure).  BUSY when the bodies under
 * way are too many bytes; NOMEM. */
MUST_USE enum err page_of_buf(struct door *d, const struct page_draft *draft, struct buf *body,
			      struct page **ret);
/* Static bytes, packed forms maybe. */
struct fixed {
	const unsigned char *identity, *gzip, *brotli; /* NULL: none */
	size_t identity_size, gzip_size, brotli_size;
};
MUST_USE enum err page_of_fixed(struct door *d, const struct page_draft *draft,
				const struct fixed *bytes, struct page **ret);
/* An open file, which is taken over. */
MUST_USE enum err page_of_file(struct door *d, const struct page_draft *draft, int fd, size_t size,
			       int64_t changed_ns, struct page **ret);
size_t page_bytes(const struct page *p); /* of memory that it holds */
struct page *page_keep(struct page *p);  /* one more user */
void page_release(struct page *p);       /* NULL-safe */

/* Sends it, or 304 when the asker has it.  The page stays the caller's.  `ret_grew` (may be NULL):
 * bytes by which it grew, since a packed form was made. */
MUST_USE enum err visit_send(struct visit *v, const struct question *q, struct page *p,
			     size_t *ret_grew);
/* Sends a problem, with `retry_after_s` unless 0.  NOMEM. */
MUST_USE enum err visit_problem(struct visit *v, unsigned status, const char *detail,
				unsigned retry_after_s);

/* ---- visits that wait ---- */

/* Room for the one who answers, kept between two questions of a visit. */
void **visit_note(struct visit *v);
void visit_wait(struct visit *v);
void visit_resume(struct visit *v);

/* ---- the door itself ---- */

MUST_USE enum err door_open(const struct door_options *o, struct counters *counters,
			    struct door **ret, char *why, size_t why_size);
/* Asks itself clean and unclean requests, before others do.  INTERNAL: they are not told apart, and
 * nothing may be served (`why`); TIMEOUT: this machine does not reach its own address. */
MUST_USE enum err door_prove(struct door *d, char *why, size_t why_size);
void door_close(struct door *d); /* NULL-safe */
/* For an epoll of the caller's: readable when door_turn has something to do. */
int door_fd(const struct door *d);
/* How long one may wait for door_fd, at most. */
int door_timeout_ms(const struct door *d);
void door_turn(struct door *d);
/* No new connections; true once no answer is under way. */
bool door_finish(struct door *d);
struct counters *door_counters(struct door *d);

#endif
