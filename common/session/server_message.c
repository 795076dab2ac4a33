#include <stdio.h>
#include <string.h>

#include "session/server_turn.h"

/* Answers go to whoever sent this message, which need not be the session's peer. */
static struct server_action *answer(const struct server_turn *t, enum wire_kind kind)
{
	struct server_action *a = server_add(t->ret, SERVER_SEND);

	if (!a)
		return NULL;
	memcpy(a->peer, t->event->peer.data, t->event->peer.size);
	a->peer_size = t->event->peer.size;
	a->header.kind = kind;
	a->header.session = t->header.session;
	if (t->log)
		a->log = t->log->card.log;
	return a;
}

void server_say_refused(const struct server_turn *t, enum err code, const char *text)
{
	struct server_action *a = answer(t, WIRE_REFUSED);

	if (t->log)
		t->log->refused[code]++;
	else
		t->m->refused_unknown[code]++;
	if (!a)
		return;
	a->header.code = code;
	a->header.size = t->log ? t->log->pending.size : 0;
	(void)snprintf(a->header.text, sizeof(a->header.text), "%s: %s", err_text(code), text);
}

void server_deny(const struct server_turn *t, enum err code, const char *text)
{
	if (!t->log || server_afford_refusal(t))
		server_say_refused(t, code, text);
	else
		server_cut_off(t, ERR_RATE,
			       "too many refusals; what is wrong does not mend by trying");
}

static bool from_session_peer(const struct server_turn *t)
{
	const struct server_log *log = t->log;

	return log->open && t->header.session == log->session &&
	       bytes_equal(t->event->peer, bytes_of(log->peer, log->peer_size));
}

static void remember_peer(const struct server_turn *t)
{
	memcpy(t->log->peer, t->event->peer.data, t->event->peer.size);
	t->log->peer_size = t->event->peer.size;
}

/* ---- forks ---- */

/* The node is told when the evidence is stored, not before. */
static void freeze(const struct server_turn *t, struct bytes note)
{
	struct server_action *a = server_add(t->ret, SERVER_FREEZE);

	if (!a)
		return;
	a->log = t->log->card.log;
	a->note = note;
	server_end_session(t->log);
	remember_peer(t);
	t->log->session = t->header.session;
	t->log->state = LOG_FROZEN;
	t->log->freezing = true;
}

static enum err root_at(const struct server_turn *t, uint64_t size, struct hash *ret)
{
	const struct server_lookup *lookup = &t->m->lookup;

	if (size == t->log->pending.size) {
		*ret = tree_root(&t->log->pending);
		return ERR_OK;
	}
	if (size == 0) {
		*ret = hash_empty();
		return ERR_OK;
	}
	return lookup->root(lookup->context, t->log->card.log, size, ret);
}

enum err server_open_note(const struct server_turn *t, struct bytes note, struct checkpoint *ret)
{
	const struct server_log *log = t->log;
	enum err e = ERR_UNKNOWN_KEY;

	if (log->rotating)
		e = checkpoint_open(note, &log->next.log_key, ret);
	return e == ERR_UNKNOWN_KEY ? checkpoint_open(note, &log->card.log_key, ret) : e;
}

bool server_explained(const struct server_turn *t, const struct checkpoint *checkpoint,
		      struct bytes note)
{
	struct hash ours;
	enum err e = ERR_OK;

	if (checkpoint->size > t->log->pending.size)
		return true;
	e = root_at(t, checkpoint->size, &ours);
	if (e) {
		server_deny(t, e, "the server could not read its own log; try again later");
		return false;
	}
	if (hash_equal(ours, checkpoint->root))
		return true;
	freeze(t, note);
	return false;
}

/* The checkpoint beside a size: there when it is not 0, and of exactly that size. */
static enum err open_beside(const struct server_turn *t, uint64_t size, struct bytes note,
			    struct checkpoint *ret)
{
	enum err e = ERR_OK;

	if ((size > 0) != (note.size > 0))
		return ERR_DECODE;
	if (size > 0)
		e = server_open_note(t, note, ret);
	if (!e && size > 0 && ret->size != size)
		e = ERR_DECODE;
	return e;
}

static const char BESIDE[] = "a checkpoint of that size belongs beside every size but 0";

/* ---- messages ---- */

static struct bytes frame(const struct server_turn *t, size_t number)
{
	return number < t->event->frame_count ? t->event->frames[number] : bytes_of(NULL, 0);
}

/* What a HELLO shows of its own log.  A note by keys that are not known here (yet, or any more)
 * tells nothing: the anchor has to verify. */
static bool good_greeting(const struct server_turn *t)
{
	struct checkpoint checkpoint;
	enum err e = open_beside(t, t->header.size, frame(t, 1), &checkpoint);

	if (e == ERR_UNKNOWN_KEY)
		return true;
	if (e) {
		server_deny(t, e, BESIDE);
		return false;
	}
	return t->header.size == 0 || server_explained(t, &checkpoint, frame(t, 1));
}

/* A node speaks by one connection: those before it are of sessions that ended. */
static void end_older(const struct server_turn *t)
{
	struct server_action *a = NULL;

	if (t->event->connection <= 1 || t->log->heard_from >= t->event->connection)
		return;
	t->log->heard_from = t->event->connection;
	a = server_add(t->ret, SERVER_CLOSE);
	if (!a)
		return;
	a->log = t->log->card.log;
	a->connection = t->event->connection - 1;
}

static void on_hello(const struct server_turn *t)
{
	const struct wire_header *h = &t->header;
	struct server_log *log = t->log;

	if (!server_afford_hello(t))
		return;
	if (h->protocol != WIRE_PROTOCOL) {
		server_deny(t, ERR_VERSION,
			    "this server speaks protocol 1; use a program that does");
		return;
	}
	if (!log_name_equal(h->log, log->card.log)) {
		server_deny(t, ERR_OWNER,
			    "this key was enrolled for another log; use that log's keys");
		return;
	}
	if (!server_witnessed(t, frame(t, 2)) || !good_greeting(t))
		return;
	server_end_session(log);
	end_older(t);
	remember_peer(t);
	log->open = true;
	log->session = t->event->new_session ? t->event->new_session : 1;
	log->claimed = h->size;
	log->credit_left = t->m->credit_bytes;
	/* A size that is about to be less than what is here would let a node whose store went
	 * back sign another history past it. */
	log->welcome_due = true;
	server_answer_due(t->m, log, t->event->now, t->ret);
}

static void on_anchor(const struct server_turn *t)
{
	struct server_log *log = t->log;
	struct checkpoint checkpoint;
	enum err e = ERR_OK;

	if (log->anchored && !server_afford_idle(t))
		return;
	if (t->header.size != log->anchor_size) {
		server_deny(t, ERR_ARGUMENT,
			    "an anchor stands at exactly the smaller of both sizes");
		return;
	}
	e = open_beside(t, t->header.size, frame(t, 1), &checkpoint);
	if (e == ERR_UNKNOWN_KEY && log->anchored)
		e = ERR_OLD; /* said twice, and a rotation came in between */
	if (e) {
		server_deny(t, e, BESIDE);
		return;
	}
	if (t->header.size > 0 && !server_explained(t, &checkpoint, frame(t, 1)))
		return;
	log->anchored = true;
	if (log->agreed < t->header.size)
		log->agreed = t->header.size;
	log->ack_due = true;
	server_answer_due(t->m, log, t->event->now, t->ret);
	server_offer(t->m, log, t->event->now, t->ret);
}

static void on_fetch(const struct server_turn *t)
{
	if (!log_name_equal(t->header.log, t->log->card.log)) {
		server_deny(t, ERR_DENIED, "a node fetches its own log only");
		return;
	}
	if (!t->log->anchored) {
		server_deny(t, ERR_SESSION, "anchor before fetching");
		return;
	}
	t->log->fetch_due = true;
	t->log->fetch_from = t->header.from;
	server_fetches(t->log, t->event->now, t->ret);
}

static void on_heartbeat(const struct server_turn *t)
{
	struct server_action *a = answer(t, WIRE_HEARTBEAT);

	t->log->claimed = t->header.size;
	if (a)
		a->header.size = t->log->durable.size;
}

/* What a node may say: whether inside a session, and in how many frames. */
static const struct rule {
	enum wire_kind kind;
	bool in_session;
	size_t frames_least, frames_most;
	void (*handle)(const struct server_turn *t);
} rules[] = {
	{WIRE_HELLO, false, 1, 3, on_hello},
	{WIRE_ANCHOR, true, 1, 2, on_anchor},
	{WIRE_COMMIT, true, 3, 2 + COMMIT_FRAMES_MAX, server_commit},
	{WIRE_FETCH, true, 1, 1, on_fetch},
	{WIRE_HEARTBEAT, true, 1, 1, on_heartbeat},
	{WIRE_COSIGNED, true, 2, 2, server_cosigned},
	{WIRE_DECLINED, true, 1, 2, server_declined},
};

static const struct rule *rule_of(enum wire_kind kind)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].kind == kind)
			return &rules[i];
	}
	return NULL;
}

/* Nothing is taken of a frozen log.  Its node learns its duties all the same: what is to be erased
 * must not wait there until people have decided how the log goes on. */
static void on_frozen(const struct server_turn *t)
{
	struct server_action *a = NULL;

	server_deny(t, t->log->freezing ? ERR_AGAIN : ERR_FROZEN,
		    "this log is frozen here; ask the administrator of the server");
	if (t->log->freezing || t->header.kind != WIRE_HELLO)
		return;
	remember_peer(t);
	a = server_add_to(t->log, t->ret, SERVER_SEND_DUTIES);
	if (a)
		a->session = 0;
}

/* The gates that every message of an enrolled peer passes, whatever it says. */
static void enter(struct server_turn *t)
{
	const struct server_event *event = t->event;
	const struct rule *rule = NULL;
	enum err e = ERR_DECODE;

	if (!server_is_heard(t))
		return;
	if (t->log->state == LOG_REVOKED) {
		server_deny(t, ERR_DENIED,
			    "this key was revoked; ask the administrator of the server");
		return;
	}
	if (!server_afford_message(t))
		return;
	t->log->last_contact = event->now;
	if (event->excess) {
		server_deny(t, ERR_LIMIT, "more frames in one message than any message has");
		return;
	}
	if (event->frame_count > 0)
		e = wire_decode(event->frames[0], &t->header);
	if (e) {
		server_deny(t, e, "frame 0 is no header of this protocol");
		return;
	}
	rule = rule_of(t->header.kind);
	if (!rule || event->frame_count < rule->frames_least ||
	    event->frame_count > rule->frames_most) {
		server_deny(t, ERR_DECODE, "no message that a node sends");
		return;
	}
	if (t->log->state == LOG_FROZEN) {
		on_frozen(t);
		return;
	}
	if (rule->in_session && !from_session_peer(t)) {
		server_deny(t, ERR_SESSION, "say HELLO again");
		return;
	}
	rule->handle(t);
}

void server_message(struct server_machine *m, const struct server_event *event,
		    struct server_update *ret)
{
	struct server_turn t = {.m = m, .event = event, .ret = ret};

	t.log = server_machine_log(m, event->user);
	if (event->peer.size == 0 || event->peer.size > SERVER_PEER_BYTES) {
		m->refused_unknown[ERR_ARGUMENT]++; /* nobody to answer */
		return;
	}
	if (!t.log) {
		server_deny(&t, ERR_UNKNOWN_KEY, "no log is enrolled for this key");
		return;
	}
	enter(&t);
}
