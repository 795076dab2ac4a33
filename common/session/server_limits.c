/* What the holder of one key may do, and what becomes of who does more. */
#include <string.h>

#include "session/server_turn.h"

enum { MIB = 1024 * 1024 };

/* A clock that was put back leaves nobody out for longer than a penalty lasts. */
static bool is_out(const struct server_log *log, struct wall_ms now)
{
	return now.ms < log->out_until.ms && log->out_until.ms - now.ms <= PEER_PENALTY_MS_MAX;
}

static void punish(struct server_log *log, struct wall_ms now)
{
	int64_t penalty_ms = PEER_PENALTY_MS;

	if (log->penalty_ms > 0 && now.ms - log->out_until.ms < PEER_PENALTY_FORGOTTEN_MS)
		penalty_ms = log->penalty_ms * 2;
	if (penalty_ms > PEER_PENALTY_MS_MAX)
		penalty_ms = PEER_PENALTY_MS_MAX;
	log->penalty_ms = penalty_ms;
	log->out_until.ms = now.ms + penalty_ms;
}

static void shut_out(struct server_log *log, uint64_t newest, struct wall_ms now)
{
	punish(log, now);
	server_end_session(log);
	if (log->heard_from <= newest)
		log->heard_from = newest + 1;
}

void server_cut_off(const struct server_turn *t, enum err code, const char *text)
{
	struct server_log *log = t->log;
	struct server_action *a = NULL;

	server_say_refused(t, code, text);
	shut_out(log, t->event->connections, t->event->now);
	a = server_add(t->ret, SERVER_CLOSE);
	if (!a)
		return;
	memcpy(a->peer, t->event->peer.data, t->event->peer.size);
	a->peer_size = t->event->peer.size;
	a->log = log->card.log;
	a->connection = t->event->connections;
	a->cut_off = true;
}

bool server_is_heard(const struct server_turn *t)
{
	const struct server_event *event = t->event;

	/* Where connections are not numbered, time alone tells. */
	return event->connection ? event->connection >= t->log->heard_from
				 : !is_out(t->log, event->now);
}

bool server_afford_message(const struct server_turn *t)
{
	struct server_log *log = t->log;
	uint64_t bytes = 0;

	for (size_t i = 0; i < t->event->frame_count; i++)
		bytes += t->event->frames[i].size;
	if (!allowance_take(&log->messages, PEER_MESSAGES_PER_S, PEER_MESSAGES_BURST, 1,
			    t->event->now))
		server_cut_off(t, ERR_RATE, "more messages than a node has reason to send");
	else if (!allowance_take(&log->bytes, (uint64_t)PEER_MIB_PER_S * MIB,
				 (uint64_t)PEER_MIB_BURST * MIB, bytes, t->event->now))
		server_cut_off(t, ERR_RATE, "more bytes than a node has reason to send");
	else
		return true;
	return false;
}

bool server_afford_hello(const struct server_turn *t)
{
	if (allowance_take(&t->log->hellos, PEER_HELLOS_PER_S, PEER_HELLOS_BURST, 1, t->event->now))
		return true;
	server_cut_off(t, ERR_RATE, "HELLO again and again; wait between attempts");
	return false;
}

/* Bounded by what one credit brings: no session begins before all of it is forgotten. */
void server_worked(struct server_log *log, uint64_t work)
{
	log->work_due += work;
}

bool server_paid(const struct server_machine *m, struct server_log *log, struct wall_ms now)
{
	const uint64_t piece = m->work_burst / 16 + 1; /* one commit may be more than a burst */
	uint64_t due = log->work_due < piece ? log->work_due : piece;

	while (due > 0 && allowance_take(&log->work, m->work_per_s, m->work_burst, due, now)) {
		log->work_due -= due;
		due = log->work_due < piece ? log->work_due : piece;
	}
	return log->work_due == 0;
}

/* What a key signed that is gone cannot be divided any more: it is taken whole, but seldom, since
 * everybody waits while it is checked.  What no commit may be is refused for that, at once. */
bool server_afford_large(const struct server_turn *t)
{
	const struct server_event *event = t->event;
	const struct server_machine *m = t->m;
	uint64_t bytes = commit_frames_size(event->frames + 2, event->frame_count - 2);

	if ((t->header.count <= m->commit_events && bytes <= m->commit_bytes) ||
	    t->header.count > COMMIT_EVENTS_MAX || bytes > COMMIT_BYTES_MAX)
		return true;
	return allowance_take(&t->log->large, 1, PEER_LARGE_COMMIT_S, PEER_LARGE_COMMIT_S,
			      event->now);
}

/* Reading a log back is what a lost node does as fast as it can: it is not refused, it waits.  Only
 * the newest question is kept; a node asks one after the other. */
void server_fetches(struct server_log *log, struct wall_ms now, struct server_update *ret)
{
	struct server_action *a = NULL;

	if (!log->fetch_due || !log->open || !log->anchored ||
	    !allowance_take(&log->fetches, PEER_FETCHES_PER_S, PEER_FETCHES_BURST, 1, now))
		return;
	a = server_add_to(log, ret, SERVER_SEND_RANGE);
	if (!a)
		return;
	log->fetch_due = false;
	a->from = log->fetch_from;
}

bool server_afford_refusal(const struct server_turn *t)
{
	return allowance_take(&t->log->refusals, PEER_REFUSALS_PER_S, PEER_REFUSALS_BURST, 1,
			      t->event->now);
}

bool server_afford_idle(const struct server_turn *t)
{
	if (server_afford_refusal(t))
		return true;
	server_cut_off(t, ERR_RATE, "the same again and again; wait between attempts");
	return false;
}

/* ---- for the driver ---- */

bool server_machine_owes(struct server_machine *m, struct log_name name, struct wall_ms now)
{
	struct server_log *log = server_machine_log(m, name);

	return log && !server_paid(m, log, now);
}

bool server_machine_admit(struct server_machine *m, struct log_name name, struct wall_ms now)
{
	struct server_log *log = server_machine_log(m, name);

	if (log && log->state != LOG_REVOKED && !is_out(log, now) &&
	    allowance_take(&log->handshakes, PEER_HANDSHAKES_PER_S, PEER_HANDSHAKES_BURST, 1, now))
		return true;
	if (log)
		log->refused[log->state == LOG_REVOKED ? ERR_DENIED : ERR_RATE]++;
	return false;
}

void server_machine_fetch_later(struct server_machine *m, struct log_name name, uint64_t from)
{
	struct server_log *log = server_machine_log(m, name);

	if (!log || log->fetch_due) /* a newer one came */
		return;
	log->fetch_due = true;
	log->fetch_from = from;
}

void server_machine_cut_off(struct server_machine *m, struct log_name name, uint64_t newest,
			    struct wall_ms now)
{
	struct server_log *log = server_machine_log(m, name);

	if (!log)
		return;
	log->refused[ERR_RATE]++;
	shut_out(log, newest, now);
}
