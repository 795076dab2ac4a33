/* What is taken in one turn of what came: a bounded part of it, in the order in which it came, and
 * of each log no more than its share.  What a log says beyond that waits in an inbox, apart from
 * what others say, and what waits comes first.
 *
 * Who speaks, who owes and what becomes of a message is the caller's. */
#ifndef SPLOT_SERVER_INTAKE_H
#define SPLOT_SERVER_INTAKE_H

#include "server/inbox.h"

enum {
	/* Bounds of one turn, so that its transaction, and the wait of the others, stay small. */
	TURN_MESSAGES = 256,
	TURN_BYTES = 4 * 1024 * 1024,
	/* What one log may take of it, so that a flood makes turns short instead of long: some
	 * messages, or one commit of the size that is asked for. */
	TURN_PEER_MESSAGES = 4,
	TURN_PEER_WORK = COMMIT_EVENTS_ASKED * EVENT_WORK_BYTES,
	/* A message so large is work of its own: small ones before it are not to wait for it. */
	TURN_LARGE_BYTES = 64 * 1024,
	/* What may wait of one log: nobody has reason to have more under way. */
	AHEAD_MESSAGES = PEER_MESSAGES_BURST,
	AHEAD_BYTES = 4 * COMMIT_BYTES_MAX, /* beside its credit: headers and notes of all that */
};

struct intake {
	struct inbox inbox;
	uint64_t credit_bytes;
	bool ready; /* something waits for no time, but for the next turn */
};

struct intake_ops {
	/* The next message; AGAIN when there is none. */
	enum err (*receive)(void *context, struct message *ret);
	/* The number of the log that says it; LOGS_MAX: nobody's. */
	size_t (*whose)(void *context, const struct message *m);
	/* Whether the log's work has to be paid for first. */
	bool (*owes)(void *context, size_t log);
	/* Hears it; `ret_work` is what it caused beside its own bytes. */
	enum err (*hear)(void *context, const struct message *m, uint64_t *ret_work);
	/* Whether what was heard is enough for one transaction. */
	bool (*enough)(void *context);
	/* It cannot wait: there is more of that log than may (what waits is to be dropped, and the
	 * peer cut off), or no memory (no fault of the peer, which is to say it again). */
	void (*overrun)(void *context, const struct message *m);
	void (*unkept)(void *context, const struct message *m);
};

/* An intake of zeroes with its credit holds nothing; intake_close drops all. */
void intake_close(struct intake *in);
/* Takes one turn.  What `hear` and `receive` fail with, AGAIN apart. */
MUST_USE enum err intake_turn(struct intake *in, const struct intake_ops *ops, void *context);
/* Drops what waits of one log. */
void intake_drop(struct intake *in, size_t log);
/* Whether something waits at all, and whether for no time: then the next turn begins at once. */
bool intake_waits(const struct intake *in);
bool intake_is_ready(const struct intake *in);

#endif
