/* The API's answers: a question in, bytes out.  Knows the register and the view, not HTTP's
 * connections: what is asked of it is parsed, bounded and of UTF-8 without NUL.
 *
 * Layer: api. */
#ifndef SPLOT_API_API_H
#define SPLOT_API_API_H

#include "ledger/view.h"
#include "model/control.h"
#include "model/terc.h"
#include "register/catalog.h"
#include "register/movement.h"

enum {
	API_PARAMS_MAX = 128,
	API_PATH_MAX = 1024,
};

struct api_param {
	const char *name, *value; /* decoded */
};

struct api_request {
	const char *path; /* decoded, from "/api/v1" on */
	const struct api_param *params;
	size_t param_count;
	const char *accept; /* the header's text; NULL: none */
};

/* What the accessibility statement and the page's foot say; from the configuration, "" unknown. */
struct site_text {
	const char *name, *value; /* "body", "statement-published", … */
};

/* What the program counts of itself, for /metrics. */
struct api_counters; /* http/counters.h */

struct api_context {
	const struct catalog *catalog; /* the state that api_position named */
	bool past;                     /* it is not that of now */
	const struct movements *movements;
	const struct view *view;
	struct txn *txn;                    /* an open read transaction of the view's store */
	const struct control_reply *status; /* what the daemon last said; NULL: nothing yet */
	struct wall_ms now;
	const char *export_folder; /* NULL: none */
	const struct site_text *site;
	size_t site_count;
	const struct terc_area *powiats; /* NULL: no TERC table */
	size_t powiat_count;
	struct arena *arena; /* scratch, reset after the answer was sent */
};

struct api_answer {
	unsigned status;    /* HTTP's */
	const char *type;   /* media type, static */
	struct buf *body;   /* the caller's, empty before */
	char filename[128]; /* offered for saving; "": shown */
	bool live;          /* says what changes without the position: replication, times */
	bool settled;       /* says what can no longer change: a past as_of */
};

/* Which state of the register is asked for: by as_of=DATE (end of that day in Warsaw), a UTC time
 * or a position.  `*ret_past` false: the state of now, also for a time that is yet to come; true:
 * that of `*ret_position` entries, and 0 of them, an empty register, before the first entry.
 * INVALID, NOT_FOUND (a position that is not reached), or what the store says: `ret` is the problem
 * to answer with. */
MUST_USE enum err api_position(const struct view *v, struct txn *t, const struct api_request *rq,
			       struct wall_ms now, uint64_t *ret_position, bool *ret_past,
			       struct api_answer *ret);

/* Answers anything below /api/v1 but /events and /logs' static files; a path that is none, a
 * parameter that is not known and a store that fails are answers as well (problem+json, RFC 9457).
 * Only NOMEM is returned. */
MUST_USE enum err api_answer(const struct api_context *x, const struct api_request *rq,
			     struct api_answer *ret);

/* A problem as an answer: {"type","title","status","detail","next"}; `next` says what to do. */
MUST_USE enum err api_problem(struct api_answer *ret, unsigned status, const char *title,
			      const char *detail, const char *next);

/* One entry's changes as the data of a server-sent event (one line of JSON); `region` NULL: all of
 * them, else those of that region's records.  `*ret_count`: how many they are, the ones that are
 * only counted included. */
MUST_USE enum err api_event(const struct api_context *x, uint64_t position, const char *region,
			    struct buf *ret, uint64_t *ret_count);
/* The live part of the status as one line of JSON, the same bytes when nothing that a reader would
 * see has changed but times of contact. */
MUST_USE enum err api_status_event(const struct api_context *x, struct buf *ret);

/* Prometheus text of what the view and the daemon's status say; the program adds its own. */
MUST_USE enum err api_metrics(const struct api_context *x, struct buf *ret);

#endif
