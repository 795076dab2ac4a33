/* What the files of the door share. */
#ifndef SPLOT_WEB_HTTP_DOOR_INTERNAL_H
#define SPLOT_WEB_HTTP_DOOR_INTERNAL_H

#include <microhttpd.h>

#include "http/door.h"

enum phase {
	PHASE_IDLE,    /* no request line yet */
	PHASE_HEAD,    /* a request line, its header not whole */
	PHASE_MAKING,  /* the answer is being made */
	PHASE_SENDING, /* and sent */
	PHASE_EVENTS,  /* a reader of events; its owner looks at its times */
};

struct connection {
	struct door *door;
	struct connection *next, *before;
	int fd;
	enum phase phase;
	struct mono_ms since; /* of the phase */
	uint64_t sending_bytes;
};

struct door {
	struct door_options options;
	struct counters *counters;
	struct MHD_Daemon *daemon;
	int listen_fd, epoll_fd, mhd_fd;
	struct connection *connections; /* all of them */
	struct mono_ms now, next_sweep;
	struct arena arena; /* of one question */
	bool finishing;
};

enum stage { STAGE_NEW, STAGE_JUDGED, STAGE_WAITS, STAGE_ANSWERED };

struct visit {
	struct door *door;
	struct connection *connection; /* NULL: there was no memory for it */
	struct MHD_Connection *mhd;
	enum stage stage;
	bool get, options;
	bool suspended;
	unsigned status;    /* of the answer */
	int64_t started_us; /* 0: not yet asked */
	void *note;
	const char *accept, *accept_encoding, *if_none_match, *last_event_id; /* libmicrohttpd's */
	size_t target_size;
	const char *target_at; /* where it lay */
	char target[];         /* NUL-terminated copy */
};

/* respond.c */
MUST_USE enum err visit_queue(struct visit *v, unsigned status, struct MHD_Response *r,
			      uint64_t bytes);
/* A refusal: one answer, and the connection ends. */
MUST_USE enum err visit_refuse(struct visit *v, unsigned status, const char *detail);
MUST_USE enum err visit_not_allowed(struct visit *v);
MUST_USE enum err visit_preflight(struct visit *v);
/* Headers that every answer has. */
MUST_USE bool add_headers(const struct door *d, struct MHD_Response *r,
			  const struct page_draft *draft);

/* request.c */
void *request_begins(void *door, const char *target, struct MHD_Connection *mhd);
enum MHD_Result request_handle(void *door, struct MHD_Connection *mhd, const char *url,
			       const char *method, const char *version, const char *upload,
			       size_t *upload_size, void **visit);
void request_ends(void *door, struct MHD_Connection *mhd, void **visit,
		  enum MHD_RequestTerminationCode how);

/* door.c */
void connection_enters(struct connection *c, enum phase phase);
void connection_drop(struct connection *c, enum drop why);

#endif
