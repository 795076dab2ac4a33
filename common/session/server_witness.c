/* The national log before its witnesses: rounds of offers, and what they answer. */
#include <stdio.h>
#include <string.h>

#include "session/server_turn.h"
#include "tlog/witness.h"

static const struct log_name NATIONAL = {"national"};

/* ---- what nodes witnessed ---- */

static void rolled_back(const struct server_turn *t, struct bytes note)
{
	struct server_action *a = NULL;

	server_deny(t, ERR_ROLLBACK,
		    "this server's own key signed a longer or another national log than it holds; "
		    "its administrator has to put back the newest copy of its store");
	a = server_add(t->ret, SERVER_ROLLED_BACK);
	if (!a)
		return;
	a->log = t->log->card.log;
	a->note = note;
}

bool server_witnessed(const struct server_turn *t, struct bytes note)
{
	const struct server_lookup *lookup = &t->m->lookup;
	struct checkpoint seen;
	struct hash ours;
	enum err e = ERR_OK;

	t->log->witnessed = 0;
	if (note.size == 0 || checkpoint_open(note, &t->m->national, &seen) || seen.size == 0)
		return true;
	e = lookup->root(lookup->context, NATIONAL, seen.size, &ours);
	if (e == ERR_ARGUMENT || e == ERR_NOT_FOUND || (!e && !hash_equal(ours, seen.root))) {
		rolled_back(t, note);
		return false;
	}
	if (!e) /* else it could not be read: nothing is known of it */
		t->log->witnessed = seen.size;
	return true;
}

/* ---- offers ---- */

/* A clock that was put back says nothing of how long ago it was: then it is time. */
static bool passed(struct wall_ms since, struct wall_ms now, int64_t ms)
{
	return now.ms < since.ms || now.ms - since.ms >= ms;
}

/* The sixteen regions witness; the ministry, whose server it is, does not. */
static bool is_witness(const struct server_log *log)
{
	return log->state == LOG_ACTIVE && log_name_region(log->card.log) != REGION_PL;
}

static void offer(const struct server_machine *m, struct server_log *log, struct wall_ms now,
		  struct server_update *ret)
{
	struct server_action *a = server_add_to(log, ret, SERVER_OFFER);

	if (!a)
		return;
	a->header = (struct wire_header){.kind = WIRE_OFFER,
					 .session = log->session,
					 .from = log->witnessed,
					 .size = m->round_size};
	log->offered = m->round_size;
	log->offered_at = now;
}

void server_offer(const struct server_machine *m, struct server_log *log, struct wall_ms now,
		  struct server_update *ret)
{
	bool waits = log->offered == m->round_size && !passed(log->offered_at, now, m->round_ms);

	if (m->round_size == 0 || !log->open || !log->anchored || !is_witness(log) ||
	    log->declined || waits || log->cosigned >= m->round_size ||
	    log->cosigning >= m->round_size || log->witnessed > m->round_size)
		return;
	log->offered_twice = false;
	offer(m, log, now, ret);
}

/* The first round waits as long as any other: a server that was put back from an older copy hears
 * of it before it has that copy's history witnessed any further. */
void server_round(struct server_machine *m, struct wall_ms now, struct server_update *ret)
{
	if (m->round_at.ms == 0)
		m->round_at = now;
	if (m->national_size > m->round_size && passed(m->round_at, now, m->round_ms)) {
		m->round_size = m->national_size;
		m->round_at = now;
	}
	for (size_t i = 0; i < m->log_count; i++)
		server_offer(m, &m->logs[i], now, ret);
}

/* ---- answers ---- */

/* A line that stands alone, good, and of a time that can be. */
static enum err check_line(const struct server_turn *t, uint64_t size, struct bytes line,
			   uint64_t *ret_time_s)
{
	const struct server_lookup *lookup = &t->m->lookup;
	struct checkpoint c = {.size = size};
	struct buf text = {0};
	int64_t now_s = t->event->now.ms / 1000;
	enum err e = lookup->root(lookup->context, NATIONAL, size, &c.root);

	memcpy(c.origin, t->m->national.name, sizeof(c.origin));
	if (!e)
		e = checkpoint_text(&c, &text);
	if (!e)
		e = cosignature_line(buf_bytes(&text), line, &t->log->card.witness_key, ret_time_s);
	if (!e && (*ret_time_s > INT64_MAX / 1000 ||
		   (int64_t)*ret_time_s > now_s + SERVER_SKEW_MS / 1000 ||
		   (int64_t)*ret_time_s < now_s - SERVER_SKEW_MS / 1000))
		e = ERR_CLOCK;
	buf_free(&text);
	return e;
}

/* What is wrong with a cosignature is counted, and the log itself goes on. */
void server_cosigned(const struct server_turn *t)
{
	struct server_log *log = t->log;
	struct bytes line = t->event->frames[1];
	struct server_action *a = NULL;
	uint64_t time_s = 0;
	enum err e = ERR_OK;

	if (t->header.size != log->offered || log->offered == 0 || log->cosigning == log->offered ||
	    log->cosigned >= log->offered)
		return; /* late, or said twice */
	e = check_line(t, log->offered, line, &time_s);
	if (e) {
		log->refused[e]++;
		(void)server_afford_idle(t);
		return;
	}
	a = server_add(t->ret, SERVER_COSIGNED);
	if (!a)
		return;
	a->log = log->card.log;
	a->from = log->offered;
	a->note = line;
	log->cosigning = log->offered;
	log->cosigning_at.ms = (int64_t)time_s * 1000;
}

/* Any other reason than the place to begin from is waited out, and two histories for good. */
void server_declined(const struct server_turn *t)
{
	struct server_log *log = t->log;
	bool shows = t->event->frame_count == 2 && t->event->frames[1].size > 0;

	if (log->offered == 0 || !server_afford_idle(t))
		return;
	if (!server_witnessed(t, shows ? t->event->frames[1] : bytes_of(NULL, 0)))
		return;
	if (t->header.code == ERR_OLD && !log->offered_twice && log->witnessed == t->header.size &&
	    log->witnessed <= t->m->round_size) {
		log->offered_twice = true;
		offer(t->m, log, t->event->now, t->ret);
		return;
	}
	log->refused[t->header.code]++;
	log->declined = t->header.code == ERR_FORK;
	(void)snprintf(log->declined_text, sizeof(log->declined_text), "%s", t->header.text);
}
