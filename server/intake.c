#include "server/intake.h"

/* What each log took of this turn.  The library hands out one message of each connection after the
 * other: when one comes of a log that has had its share, whoever else had something to say was
 * heard as well, and the turn ends.  (A key that says something over each of its connections ends
 * a few turns early until it is cut off: only one of them has the session.) */
struct turn {
	struct intake *in;
	const struct intake_ops *ops;
	void *context;
	struct share {
		size_t messages;
		uint64_t work;
	} of[LOGS_MAX];
	size_t bytes; /* of all */
};

static size_t message_bytes(const struct message *m)
{
	size_t bytes = 0;

	for (size_t i = 0; i < m->frame_count; i++)
		bytes += m->frames[i].size;
	return bytes;
}

static bool had_its_share(const struct share *share)
{
	return share->messages >= TURN_PEER_MESSAGES || share->work >= TURN_PEER_WORK;
}

/* Takes the message over. */
static enum err take(struct turn *t, struct message *m)
{
	size_t log = t->ops->whose(t->context, m);
	size_t bytes = message_bytes(m);
	uint64_t work = 0;
	enum err e = t->ops->hear(t->context, m, &work);

	t->bytes += bytes;
	if (log < LOGS_MAX) {
		t->of[log].messages++;
		t->of[log].work += bytes + work;
	}
	message_free(m);
	return e;
}

static bool is_full(const struct turn *t)
{
	return t->bytes >= TURN_BYTES || t->ops->enough(t->context);
}

static bool is_large(size_t bytes, const struct turn *t)
{
	return bytes >= TURN_LARGE_BYTES && t->bytes > 0 && t->bytes < TURN_LARGE_BYTES;
}

enum { NOW, NEXT_TURN, LATER };

static int due(const struct turn *t, size_t log)
{
	if (t->ops->owes(t->context, log))
		return LATER;
	return had_its_share(&t->of[log]) ? NEXT_TURN : NOW;
}

/* When a message that just came may be taken.  Nobody's is, to be refused. */
static int due_now(const struct turn *t, size_t log, const struct message *m)
{
	int when = NOW;

	if (log == LOGS_MAX)
		return NOW;
	if (t->in->inbox.of[log].count > 0)
		return LATER; /* behind what waits */
	when = due(t, log);
	return when == NOW && is_large(message_bytes(m), t) ? NEXT_TURN : when;
}

static enum err take_waiting(struct turn *t)
{
	struct intake *in = t->in;
	bool blocked[LOGS_MAX] = {false};
	size_t log = 0;
	enum err e = ERR_OK;

	in->ready = false;
	while (e == ERR_OK && !is_full(t) && (log = inbox_first(&in->inbox, blocked)) != LOGS_MAX) {
		int when = due(t, log);

		if (when == NOW) {
			struct message m = inbox_take(&in->inbox, log);

			e = take(t, &m);
		} else {
			blocked[log] = true;
			in->ready = in->ready || when == NEXT_TURN;
		}
	}
	in->ready = in->ready || is_full(t);
	return e;
}

/* Takes the message over. */
static void put_off(struct turn *t, size_t log, struct message *m)
{
	struct inbox *inbox = &t->in->inbox;
	size_t bytes = message_bytes(m);
	bool overrun = inbox->of[log].count >= AHEAD_MESSAGES ||
		       inbox->of[log].bytes + bytes > t->in->credit_bytes + AHEAD_BYTES;

	if (!overrun && inbox_add(inbox, log, m, bytes) == ERR_OK)
		return;
	if (overrun)
		t->ops->overrun(t->context, m);
	else
		t->ops->unkept(t->context, m);
	message_free(m);
}

enum err intake_turn(struct intake *in, const struct intake_ops *ops, void *context)
{
	struct turn t = {.in = in, .ops = ops, .context = context};
	struct message m;
	int when = NOW;
	enum err e = take_waiting(&t);

	for (int i = 0; i < TURN_MESSAGES && e == ERR_OK && when != NEXT_TURN && !is_full(&t);
	     i++) {
		size_t log = 0;

		e = ops->receive(context, &m);
		if (e != ERR_OK)
			break;
		log = ops->whose(context, &m);
		when = due_now(&t, log, &m);
		if (when == NOW)
			e = take(&t, &m);
		else
			put_off(&t, log, &m);
	}
	in->ready = in->ready || when == NEXT_TURN;
	return e == ERR_AGAIN ? ERR_OK : e;
}

void intake_drop(struct intake *in, size_t log)
{
	inbox_drop(&in->inbox, log);
}

bool intake_waits(const struct intake *in)
{
	return in->inbox.count > 0;
}

bool intake_is_ready(const struct intake *in)
{
	return in->ready && intake_waits(in);
}

void intake_close(struct intake *in)
{
	inbox_close(&in->inbox);
}
