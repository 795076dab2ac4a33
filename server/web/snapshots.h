/* Registers of the past: made by a thread of their own from the view's changes up to a position,
 * a few of them kept.  Everything here is called by the answering thread. */
#ifndef SPLOT_WEB_SNAPSHOTS_H
#define SPLOT_WEB_SNAPSHOTS_H

#include "http/counters.h"
#include "http/door.h"
#include "server/web/follow.h"

struct snapshots; /* opaque */

MUST_USE enum err snapshots_new(struct counters *counters, struct snapshots **ret);
void snapshots_free(struct snapshots *s); /* NULL-safe; no visit waits */

/* The view to make them from, until snapshots_close. */
MUST_USE enum err snapshots_open(struct snapshots *s, struct store *store, const struct view *view);
/* Ends what is being made, forgets all of them, and lets go of the store. */
void snapshots_close(struct snapshots *s);

/* The register as of so many entries, until the next call of anything here.  AGAIN: it is being
 * made; the visit waits for it then (visit_wait was called) and is resumed.  BUSY: too many are
 * wanted.  Anything else: why it could not be made. */
MUST_USE enum err snapshots_get(struct snapshots *s, uint64_t position, struct visit *v,
				const struct follower **ret);
/* A visit is gone, or will be asked again. */
void snapshots_forget(struct snapshots *s, struct visit *v);
/* For the caller's epoll; then snapshots_turn resumes who waited. */
int snapshots_fd(const struct snapshots *s);
void snapshots_turn(struct snapshots *s);

#endif
