/* Many changes packed into as few events as the bounds allow, and sent to a node. */
#ifndef SPLOT_ADMIN_DRAFT_H
#define SPLOT_ADMIN_DRAFT_H

#include "admin/ask.h"
#include "admin/csv/finding.h"

struct draft {
	const char *reason, *source;
	const struct change *changes;
	size_t count;
};

/* Where the event that begins with change `from` ends (exclusive); `from` itself when that
 * change alone is too large for an event.  Pure. */
size_t draft_event_end(const struct draft *d, size_t from, struct arena *scratch);

struct sent {
	size_t events, changes; /* accepted so far */
	uint64_t first, last;   /* indexes of the first and the last event, when events > 0 */
	enum err err;           /* why it stopped; OK when all were sent */
	bool lost;      /* no reply came: what the daemon did with the last event is not known */
	size_t at;      /* first change of the event that stopped it */
	bool too_large; /* that change alone does not fit an event; nothing of it was sent */
	struct control_reply reply; /* the refusal, when not lost; in the arena */
};

/* Takes one event's problems; problem.row is the change's index in the whole draft. */
struct problem_sink {
	void *context;
	enum err (*take)(void *context, const struct problem *p);
};

/* A sink that keeps problems as findings, each named by the id of its change. */
struct draft_problems {
	const struct change *changes; /* of the whole draft */
	size_t count;
	struct findings findings; /* owned: findings_free */
};
struct problem_sink draft_sink(struct draft_problems *problems);

/* Sends event by event.  A dry run goes on behind events with problems (they go to the sink);
 * else the first refusal stops it.  Nothing is told. */
void draft_send(struct link *l, const struct draft *d, bool dry_run,
		const struct problem_sink *sink, struct arena *arena, struct sent *ret);
/* Tells why sending stopped, and what was accepted before. */
enum outcome draft_stopped(struct link *l, const struct sent *sent);

#endif
