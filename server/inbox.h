/* Messages that were read and wait for their turn, in the order in which they came: their log asked
 * for more than its share.  A queue for each log, so that what one is owed costs the others
 * nothing. */
#ifndef SPLOT_SERVER_INBOX_H
#define SPLOT_SERVER_INBOX_H

#include "io/socket.h"

struct inbox_entry {
	struct message message;
	size_t bytes;
	uint64_t number; /* of all that came */
	struct inbox_entry *next;
};

struct inbox {
	struct {
		struct inbox_entry *first, **end; /* owned; `end` only while there is a first */
		size_t count, bytes;
	} of[LOGS_MAX]; /* by the caller's number of the log */
	size_t count;
	uint64_t came;
};

/* An inbox of zeroes is empty; inbox_close drops all, and leaves it empty. */
void inbox_close(struct inbox *in);
/* Takes the message over, which has so many bytes; NOMEM: it stays the caller's. */
MUST_USE enum err inbox_add(struct inbox *in, size_t log, const struct message *m, size_t bytes);
/* The log of the oldest message whose log is not `blocked` (LOGS_MAX flags); LOGS_MAX: none. */
size_t inbox_first(const struct inbox *in, const bool *blocked);
/* Takes out the oldest of a log that has one; the message is the caller's. */
struct message inbox_take(struct inbox *in, size_t log);
/* Drops all that waits of one log. */
void inbox_drop(struct inbox *in, size_t log);

#endif
