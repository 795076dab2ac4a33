/* splot-web: what its files share.  One thread reads the network and answers; another makes
 * registers of the past (snapshots.h). */
#ifndef SPLOT_WEB_WEB_H
#define SPLOT_WEB_WEB_H

#include "http/cache.h"
#include "http/door.h"
#include "http/events.h"
#include "http/files.h"
#include "server/web/follow.h"
#include "server/web/settings.h"
#include "server/web/snapshots.h"

enum { FRESH_ENTRIES_MAX = 512, PAGES_MAX = 64 };

/* An entry that changed something, to be told to readers. */
struct fresh_entry {
	uint64_t position;
	uint32_t regions;
};

/* The view and the register that is followed into memory. */
struct viewing {
	struct store *store; /* NULL: not open */
	struct view view;
	struct follower now;
	uint64_t opening; /* how often it was begun; part of what a kept answer is good for */
	uint64_t stamp;   /* of the store, when all of it had been seen */
	bool seen;        /* `stamp` stands */
	bool more;        /* not all of it is in the register */
	bool ready;       /* answers may be given */
	bool announced;   /* that it cannot be opened, in the log */
	struct mono_ms opened, next_open, next_look;
	uint64_t file; /* of the store that was given up because it is being rewritten; 0: none */
	/* what the daemon last said of itself */
	struct buf status_raw;
	struct arena status_arena;
	struct control_reply status;
	bool has_status;
	uint64_t status_number;
	size_t fresh_count;
	bool fresh_lost; /* more entries than fit */
	struct fresh_entry fresh[FRESH_ENTRIES_MAX];
};

struct web {
	struct settings settings, fresh; /* as they are; as they are being reread */
	struct counters counters;
	struct viewing viewing;
	struct snapshots *snapshots;
	struct door *door;
	struct events *events;
	struct cache *cache;
	struct files files;
	size_t page_count;
	struct page *pages[PAGES_MAX]; /* of `assets`, in its order */
	struct arena arena;            /* of one answer or message */
	struct arena follow_arena;
	struct buf status_event; /* as it was last sent */
	struct mono_ms next_status;
	int signal_fd, epoll_fd;
	bool stop;    /* by a signal */
	bool closing; /* the view is not opened again */
};

/* viewing.c */
/* Opens, follows for about `budget_us`, and notices what is new; whatever goes wrong is tried
 * again. */
void viewing_turn(struct web *w, int64_t budget_us);
void viewing_close(struct web *w);
struct stamp viewing_stamp(const struct web *w);
/* For an answer: of the present, or of the past that is given. */
struct api_context viewing_context(struct web *w, struct txn *t, const struct follower *past);

/* feed.c: what readers of events are told. */
MUST_USE enum err feed_open(struct web *w);
void feed_fresh(struct web *w); /* viewing.fresh */
void feed_begun_anew(struct web *w);
void feed_turn(struct web *w, struct mono_ms now);

/* answers.c */
enum asked web_answer(void *context, struct visit *v, const struct question *q);
void web_gone(void *context, struct visit *v);
enum err web_problem(void *context, unsigned status, const char *detail, struct buf *ret);

/* pages.c: the embedded page. */
MUST_USE enum err pages_open(struct web *w);
void pages_close(struct web *w);
/* The asset of that path, or the document for an address of the page; NULL.  `*ret_status` is 404
 * for the document of an address that is none. */
struct page *pages_find(struct web *w, const char *path);

/* loop.c: until SIGTERM (OK), or a fault that only a restart heals. */
MUST_USE enum err web_run(struct web *w, const char *config_path);

#endif
