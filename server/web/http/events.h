/* Server-sent events: one ring of formatted messages for each region and one for all, a cursor for
 * each reader, and the view for what is older than the ring.  A reader to which nothing is to be
 * sent is suspended; one that does not take what is sent is dropped. */
#ifndef SPLOT_WEB_HTTP_EVENTS_H
#define SPLOT_WEB_HTTP_EVENTS_H

#include "http/door.h"

struct events; /* opaque */

enum { EVENTS_ALL = 0, EVENTS_SCOPES = 1 + 17 }; /* all, or those of one region */

struct events_source {
	void *context;
	/* The first entry at or after `from` that changed something in that scope: its number and,
	 * appended, its data as one line.  NOT_FOUND: there is none up to now; AGAIN: none up to
	 * `*ret_entry`, ask again later; anything else: it cannot be said now. */
	enum err (*next)(void *context, unsigned scope, uint64_t from, struct buf *data,
			 uint64_t *ret_entry);
	/* {"position","identity"}: where a reader begins. */
	enum err (*hello)(void *context, struct buf *data);
};

MUST_USE enum err events_new(struct door *d, const struct events_source *source,
			     unsigned readers_max, struct events **ret);
void events_free(struct events *e); /* NULL-safe; no reader is left */

/* Makes the visit a reader.  `after`: entries later than that are replayed; UINT64_MAX: from
 * `present` (entries up to now) on.  BUSY when there are too many; NOMEM. */
MUST_USE enum err events_read(struct events *e, struct visit *v, unsigned scope, uint64_t after,
			      uint64_t present);

/* Whether anybody reads that scope. */
bool events_wanted(const struct events *e, unsigned scope);
bool events_any(const struct events *e);
/* Entry `entry` changed something there. */
void events_add(struct events *e, unsigned scope, uint64_t entry, struct bytes data);
/* Entries below that number were not all added: readers find them in the view. */
void events_lost(struct events *e, uint64_t entries);
/* The status as one line; only the newest counts. */
void events_status(struct events *e, struct bytes data);
/* Everything is new: readers are told, and begin at `present`. */
void events_reset(struct events *e, uint64_t present);
/* Replays, heartbeats, and who stalls is dropped; each turn. */
void events_tick(struct events *e, struct mono_ms now);
/* Replays wait for another turn: the caller is not to sleep. */
bool events_behind(const struct events *e);
/* For the caller's epoll: readable when readers went away. */
int events_fd(const struct events *e);
void events_turn(struct events *e);
/* Ends all readers; they are gone after the door's next turns. */
void events_finish(struct events *e);

#endif
