/* The national feed: after each commit, every new entry of the national log with its
 * events, to whoever listens.  Readers notice gaps by the entry's number and fetch what
 * they miss; a slow reader loses messages, never the server's time or memory. */
#ifndef SPLOT_SERVER_FEED_H
#define SPLOT_SERVER_FEED_H

#include "io/socket.h"
#include "server/archive.h"

struct feed {
	struct network *network;
	const char *bind; /* NULL: no feed is published */
	struct curve curve;
	struct endpoint *publisher; /* owned; NULL while it waits to be bound again */
	struct arena arena;
	struct buf header;
};

MUST_USE enum err feed_open(struct feed *f, struct network *n, const char *bind,
			    const struct curve *curve);
void feed_close(struct feed *f);
/* Publishes entries from `from` up to archive->size. */
MUST_USE enum err feed_publish(struct feed *f, struct archive *a, uint64_t from);
/* Hangs up on all readers: those whose keys still stand connect again by themselves. */
void feed_rebind(struct feed *f);
/* Once a second: binds again when it could not be done at once. */
void feed_tick(struct feed *f);

#endif
