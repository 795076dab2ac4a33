#include <stdio.h>
#include <string.h>

#include "session/server_turn.h"

/* One message on its way through the rules. */
struct turn {
	struct server_machine *m;
	struct server_log *log;
	const struct server_event *event;
	struct wire_header header;
	struct server_update *ret;
};

/* Answers go to whoever sent this message, which need not be the session's peer. */
static struct server_action *answer(const struct turn *t, enum wire_kind kind)
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

static void refuse(const struct turn *t, enum err code, const char *text)
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

static bool from_session_peer(const struct turn *t)
{
	const struct server_log *log = t->log;

	return log->open && t->header.session == log->session &&
	       bytes_equal(t->event->peer, bytes_of(log->peer, log->peer_size));
}

static void remember_peer(const struct turn *t)
{
	memcpy(t->log->peer, t->event->peer.data, t->event->peer.size);
	t->log->peer_size = t->event->peer.size;
}

/* ---- forks ---- */

/* The node is told when the evidence is stored, not before. */
static void freeze(const struct turn *t, struct bytes note)
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

static enum err root_at(const struct turn *t, uint64_t size, struct hash *ret)
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

/* Compares a verified checkpoint with our own history.  True when it is no news: the same
 * root, or a size that we do not hold yet.  Else the message has been answered. */
static bool explained(const struct turn *t, const struct checkpoint *checkpoint, struct bytes note)
{
	struct hash ours;
	enum err e = ERR_OK;

	if (checkpoint->size > t->log->pending.size)
		return true;
	e = root_at(t, checkpoint->size, &ours);
	if (e) {
		refuse(t, e, "the server could not read its own log; try again later");
		return false;
	}
	if (hash_equal(ours, checkpoint->root))
		return true;
	freeze(t, note);
	return false;
}

/* The checkpoint in frame 1 of a HELLO or ANCHOR: there when `size` is not 0, and of
 * exactly that size. */
static bool good_checkpoint(const struct turn *t, uint64_t size)
{
	const struct server_event *event = t->event;
	struct checkpoint checkpoint;
	enum err e = ERR_OK;

	if (event->frame_count != (size ? 2u : 1u)) {
		refuse(t, ERR_DECODE, "a checkpoint belongs to every size but 0");
		return false;
	}
	if (size == 0)
		return true;
	e = checkpoint_open(event->frames[1], &t->log->card.log_key, &checkpoint);
	if (!e && checkpoint.size != size)
		e = ERR_DECODE;
	if (e) {
		refuse(t, e, "the checkpoint beside the size");
		return false;
	}
	return explained(t, &checkpoint, event->frames[1]);
}

/* ---- messages ---- */

static void on_hello(const struct turn *t)
{
	const struct wire_header *h = &t->header;
	struct server_log *log = t->log;

	if (h->protocol != WIRE_PROTOCOL) {
		refuse(t, ERR_VERSION, "this server speaks protocol 1; use a program that does");
		return;
	}
	if (!log_name_equal(h->log, log->card.log)) {
		refuse(t, ERR_OWNER, "this key was enrolled for another log; use that log's keys");
		return;
	}
	if (!good_checkpoint(t, h->size))
		return;
	server_end_session(log);
	remember_peer(t);
	log->open = true;
	log->session = t->event->new_session ? t->event->new_session : 1;
	log->claimed = h->size;
	log->credit_left = t->m->credit_bytes;
	/* A size that is about to be less than what is here would let a node whose store went
	 * back sign another history past it. */
	if (log->pending.size != log->durable.size)
		log->welcome_due = true;
	else
		server_welcome(t->m, log, t->ret);
}

static void on_anchor(const struct turn *t)
{
	struct server_log *log = t->log;

	if (t->header.size != log->anchor_size) {
		refuse(t, ERR_ARGUMENT, "an anchor stands at exactly the smaller of both sizes");
		return;
	}
	if (!good_checkpoint(t, t->header.size))
		return;
	log->anchored = true;
	if (log->agreed < t->header.size)
		log->agreed = t->header.size;
	server_ack(t->m, log, t->ret);
}

/* A commit that begins inside what we hold: harmless when it tells the same history. */
static void replayed(const struct turn *t)
{
	const struct wire_header *h = &t->header;
	struct server_log *log = t->log;
	struct checkpoint checkpoint;
	enum err e = checkpoint_open(t->event->frames[1], &log->card.log_key, &checkpoint);

	if (!e && checkpoint.size != h->from + h->count)
		e = ERR_GAP;
	if (!e && checkpoint.size > log->pending.size)
		e = ERR_OLD;
	if (e) {
		refuse(t, e, "a commit that begins before this size; go on from it");
		return;
	}
	if (!explained(t, &checkpoint, t->event->frames[1]))
		return;
	if (log->agreed < checkpoint.size)
		log->agreed = checkpoint.size;
	if (log->pending.size == log->durable.size)
		server_ack(t->m, log, t->ret);
	else
		log->ack_due = true;
}

static bool take_credit(const struct turn *t)
{
	struct server_log *log = t->log;
	uint64_t bytes = commit_frames_size(t->event->frames + 2, t->event->frame_count - 2);
	struct server_action *a = NULL;

	if (bytes <= log->credit_left) {
		log->credit_left -= bytes;
		log->taken += bytes;
		return true;
	}
	refuse(t, ERR_CREDIT, "wait for acknowledgements before sending more");
	server_end_session(log);
	a = server_add(t->ret, SERVER_CLOSE);
	if (a) {
		memcpy(a->peer, t->event->peer.data, t->event->peer.size);
		a->peer_size = t->event->peer.size;
		a->log = log->card.log;
	}
	return false;
}

static void on_commit(const struct turn *t)
{
	const struct wire_header *h = &t->header;
	const struct server_event *event = t->event;
	struct server_log *log = t->log;
	struct commit *commit = &t->ret->commit;
	struct server_action *a = NULL;
	enum err e = ERR_OK;

	if (!log->anchored) {
		refuse(t, ERR_SESSION, "anchor before the first commit");
		return;
	}
	if (!take_credit(t))
		return;
	if (h->from < log->pending.size) {
		replayed(t);
		return;
	}
	commit->events = t->m->events;
	e = commit_check(&log->pending, h->from, h->count, event->frames[1], event->frames + 2,
			 event->frame_count - 2, &log->card.log_key, log_name_region(log->card.log),
			 &t->m->arena, commit);
	if (e) {
		refuse(t, e, "nothing of this commit was taken; go on from this size");
		return;
	}
	a = server_add(t->ret, SERVER_APPEND);
	if (!a)
		return;
	a->log = log->card.log;
	a->commit = commit;
	log->pending = commit->after;
	log->agreed = commit->after.size;
	if (log->claimed < log->agreed)
		log->claimed = log->agreed;
	log->ack_due = true;
}

static void on_fetch(const struct turn *t)
{
	struct server_action *a = NULL;

	if (!log_name_equal(t->header.log, t->log->card.log)) {
		refuse(t, ERR_DENIED, "a node fetches its own log only");
		return;
	}
	if (!t->log->anchored) {
		refuse(t, ERR_SESSION, "anchor before fetching");
		return;
	}
	a = server_add(t->ret, SERVER_SEND_RANGE);
	if (!a)
		return;
	memcpy(a->peer, t->event->peer.data, t->event->peer.size);
	a->peer_size = t->event->peer.size;
	a->log = t->log->card.log;
	a->from = t->header.from;
	a->session = t->header.session;
}

static void on_heartbeat(const struct turn *t)
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
	void (*handle)(const struct turn *t);
} rules[] = {
	{WIRE_HELLO, false, 1, 2, on_hello},
	{WIRE_ANCHOR, true, 1, 2, on_anchor},
	{WIRE_COMMIT, true, 3, 2 + COMMIT_FRAMES_MAX, on_commit},
	{WIRE_FETCH, true, 1, 1, on_fetch},
	{WIRE_HEARTBEAT, true, 1, 1, on_heartbeat},
};

static const struct rule *rule_of(enum wire_kind kind)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].kind == kind)
			return &rules[i];
	}
	return NULL;
}

/* The gates that every message of an enrolled peer passes, whatever it says. */
static void enter(struct turn *t)
{
	const struct server_event *event = t->event;
	const struct rule *rule = NULL;
	enum err e = ERR_DECODE;

	if (t->log->state == LOG_REVOKED) {
		refuse(t, ERR_DENIED, "this key was revoked; ask the administrator of the server");
		return;
	}
	t->log->last_contact = event->now;
	if (event->frame_count > 0)
		e = wire_decode(event->frames[0], &t->header);
	if (e) {
		refuse(t, e, "frame 0 is no header of this protocol");
		return;
	}
	rule = rule_of(t->header.kind);
	if (!rule || event->frame_count < rule->frames_least ||
	    event->frame_count > rule->frames_most) {
		refuse(t, ERR_DECODE, "no message that a node sends");
		return;
	}
	if (t->log->state == LOG_FROZEN) {
		refuse(t, t->log->freezing ? ERR_AGAIN : ERR_FROZEN,
		       "two histories of this log are known; ask the administrator of the server");
		return;
	}
	if (rule->in_session && !from_session_peer(t)) {
		refuse(t, ERR_SESSION, "say HELLO again");
		return;
	}
	rule->handle(t);
}

void server_message(struct server_machine *m, const struct server_event *event,
		    struct server_update *ret)
{
	struct turn t = {.m = m, .event = event, .ret = ret};

	t.log = server_machine_log(m, event->user);
	if (event->peer.size == 0 || event->peer.size > SERVER_PEER_BYTES) {
		m->refused_unknown[ERR_ARGUMENT]++; /* nobody to answer */
		return;
	}
	if (!t.log) {
		refuse(&t, ERR_UNKNOWN_KEY, "no log is enrolled for this key");
		return;
	}
	enter(&t);
}
