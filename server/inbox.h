/* Messages that were read and wait for their turn, in the order in which they came: their log asked
 * for more than its share. */
#ifndef SPLOT_SERVER_INBOX_H
#define SPLOT_SERVER_INBOX_H

#include "io/socket.h"

struct inbox {
	struct inbox_entry *first, **end; /* owned */
	size_t count;
	struct {
		size_t count, bytes;
	} of[LOGS_MAX]; /* by the caller's number of the log */
};

struct inbox_entry {
	struct message message;
	size_t log, bytes;
	struct inbox_entry *next;
};

void inbox_open(struct inbox *in);
void inbox_close(struct inbox *in); /* drops all */
/* Takes the message over, which has so many bytes; NOMEM: it stays the caller's. */
MUST_USE enum err inbox_add(struct inbox *in, size_t log, const struct message *m, size_t bytes);
/* The oldest whose log is not `blocked` (LOGS_MAX flags); NULL: none.  Borrowed until it is taken
 * out or dropped. */
const struct inbox_entry *inbox_first(const struct inbox *in, const bool *blocked);
/* Takes that one out; the message is the caller's. */
struct message inbox_take(struct inbox *in, const struct inbox_entry *entry);
/* Drops all that waits of one log. */
void inbox_drop(struct inbox *in, size_t log);

#endif
