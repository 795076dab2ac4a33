#include <stdio.h>
#include <string.h>

#include "session/node_turn.h"

enum {
	ASKED_FRAMES = 4, /* of an OFFER or a DUTY, empty ones among them */
	CREDIT_LEAST = EVENT_BYTES_MAX + 2,
};

/* What mends a refusal.  Whatever is not listed needs a person. */
enum cure { CURE_PERSON, CURE_GREET, CURE_TIME, CURE_LATER, CURE_NONE };

static const enum cure cures[ERR_COUNT] = {
	/* we and the server think of different sizes or sessions */
	[ERR_SESSION] = CURE_GREET,
	[ERR_GAP] = CURE_GREET,
	[ERR_OLD] = CURE_GREET,
	[ERR_ROOT] = CURE_GREET,
	[ERR_ARGUMENT] = CURE_GREET,
	/* the server cannot just now */
	[ERR_NOMEM] = CURE_TIME,
	[ERR_AGAIN] = CURE_TIME,
	[ERR_CREDIT] = CURE_TIME,
	[ERR_RATE] = CURE_TIME,
	[ERR_CLOSED] = CURE_TIME,
	[ERR_TIMEOUT] = CURE_TIME,
	[ERR_DISK_FULL] = CURE_TIME,
	[ERR_MAP_FULL] = CURE_TIME,
	[ERR_CORRUPT] = CURE_TIME,
	[ERR_SYNC] = CURE_TIME,
	[ERR_IO] = CURE_TIME,
	[ERR_INTERNAL] = CURE_TIME,
	[ERR_ROLLBACK] = CURE_TIME, /* it stops, and comes back when its newest copy is back */
	/* it takes one of that size now and then, and has taken nothing of it */
	[ERR_BUSY] = CURE_LATER,
	/* two histories */
	[ERR_FORK] = CURE_NONE,
	[ERR_FROZEN] = CURE_NONE,
};

static bool in_session(const struct node_turn *t, const struct wire_header *h)
{
	return t->link->session != 0 && h->session == t->link->session;
}

/* ---- HELLO's answer ---- */

/* A checkpoint of our own log, by the key that signed it then. */
static enum err open_own(const struct node_machine *m, struct bytes raw, struct checkpoint *ret)
{
	struct note note;
	struct vkey key;
	enum err e = note_parse(raw, &note);

	if (!e)
		e = checkpoint_parse(note.text, false, ret);
	if (!e)
		e = m->lookup.key_at(m->lookup.context, ret->size, &key);
	return e ? e : checkpoint_open(raw, &key, ret);
}

/* A server that claims more than we hold must show our own signature for it, so that it
 * cannot keep the gate closed by a number. */
static enum err check_claim(const struct node_turn *t, const struct wire_header *h)
{
	const struct node_event *event = t->event;
	struct checkpoint checkpoint;
	enum err e = ERR_OK;

	if (h->size <= t->m->size)
		return ERR_OK;
	e = open_own(t->m, event->frames[1], &checkpoint);
	if (!e && checkpoint.size < h->size)
		e = ERR_PROOF;
	return e;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Whether what a server that released our log shows of it, by our own signature, may be one history
 * with what is here. */
static enum err check_released(const struct node_turn *t, const struct wire_header *h)
{
	struct checkpoint checkpoint = {.size = 0};
	struct hash ours;
	enum err e = ERR_OK;

	if (h->size == 0)
		return t->link->forked && t->m->size > 0 ? ERR_OLD : ERR_OK;
	if (h->size > t->m->size)
		return check_claim(t, h); /* what it holds is fetched, and checked then */
	e = open_own(t->m, t->event->frames[1], &checkpoint);
	if (!e && checkpoint.size != h->size)
		e = ERR_PROOF;
	if (!e)
		e = t->m->lookup.root(t->m->lookup.context, h->size, &ours);
	if (!e && !hash_equal(ours, checkpoint.root))
		e = ERR_FORK;
	return e;
}

static void stay_frozen(const struct node_turn *t, enum err e)
{
	char text[TEXT_BYTES_MAX + 1];

	if (e == ERR_FORK)
		(void)snprintf(text, sizeof(text),
			       "what this server holds of this log is another history than what is "
			       "here; `splotctl recover --aside` sets the one that is here aside");
	else if (e == ERR_ROOT)
		(void)snprintf(text, sizeof(text),
			       "what this server sends of this log does not continue what is here: "
			       "it is another history, or it is damaged there; ask its "
			       "administrator before `splotctl recover --aside` sets the one that "
			       "is here aside");
	else if (e == ERR_OLD)
		(void)snprintf(text, sizeof(text),
			       "this server holds nothing of this log any more, and had found two "
			       "histories of it; when it is certain that the one that is here goes "
			       "on, a restart of this node shows it");
	else
		(void)snprintf(text, sizeof(text),
			       "this server released the log, but what it shows of it could not be "
			       "compared with what is here (%s), which is tried again; if it stays "
			       "so, ask its administrator",
			       err_text(e));
	node_frozen(t, e, text);
}

/* A log that it froze was released.  What is here is shown only to a server that holds a part of
 * it; one that holds more is fetched from first, which shows nothing: true then. */
static bool on_released(const struct node_turn *t, const struct wire_header *h)
{
	enum err e = check_released(t, h);

	if (e) {
		stay_frozen(t, e);
		return false;
	}
	/* What did not continue ours is compared once more, with the same end most likely. */
	if (h->size <= t->m->size || t->link->refused != ERR_ROOT)
		node_forgive(t);
	if (h->size > t->m->size)
		return true;
	t->link->told = ERR_OK;
	t->link->unshown = false;
	node_greet(t);
	return false;
}

static void on_welcome(const struct node_turn *t, const struct wire_header *h)
{
	struct node_link *link = t->link;
	enum err e = ERR_OK;

	if ((link->phase != NODE_GREETING && link->phase != NODE_ANCHORING &&
	     link->phase != NODE_FROZEN) ||
	    h->session == 0 || t->event->frame_count != (h->size ? 2u : 1u))
		return;
	link->heard = t->event->mono;
	link->last_contact = t->event->wall;
	if (link->unshown && (link->asked == 0 || !on_released(t, h)))
		return;
	e = check_claim(t, h);
	if (e) {
		node_refused(t, e,
			     "the server claims more events than it can show our signature "
			     "for; ask its administrator, or waive it");
		return;
	}
	if (h->commit_events == 0 || h->commit_bytes < EVENT_BYTES_MAX + 2 ||
	    h->credit < CREDIT_LEAST) {
		node_refused(t, ERR_LIMIT,
			     "the server's limits are too small for one event; ask its "
			     "administrator");
		return;
	}
	link->session = h->session;
	link->answered = true;
	link->server_size = h->size;
	link->undone = false; /* its duties follow, all of them */
	/* What may be another history, or never comes from one that is waived, counts only once it
	 * comes and proves to be ours. */
	link->ahead = h->size > t->m->size && !link->unshown && !(link->waived && link->stalled);
	link->credit_bytes = h->credit;
	link->commit_events = smaller(h->commit_events, COMMIT_EVENTS_MAX);
	link->commit_bytes = smaller(h->commit_bytes, COMMIT_BYTES_MAX);
	node_anchor(t);
}

/* ---- acknowledgements ---- */

static void on_anchored(const struct node_turn *t, const struct wire_header *h)
{
	struct node_link *link = t->link;

	if (h->size != link->anchored_at) {
		node_restart(t);
		return;
	}
	if (!node_met(t)) /* we grew in between: show the root there, too */
		node_greet(t);
	else if (link->server_size > t->m->size)
		node_behind(t);
	else
		node_live(t);
}

static void on_ack(const struct node_turn *t, const struct wire_header *h)
{
	struct node_link *link = t->link;
	size_t landed = 0;

	if (!in_session(t, h))
		return;
	if (link->phase == NODE_ANCHORING) {
		on_anchored(t, h);
		return;
	}
	if (link->phase != NODE_LIVE || h->size < link->confirmed)
		return;
	if (h->size > link->sent) { /* it cannot know more of us than we sent */
		node_restart(t);
		return;
	}
	while (landed < link->flight_count && link->flights[landed].size <= h->size)
		link->under_way_bytes -= link->flights[landed++].bytes;
	link->flight_count -= landed;
	link->whole = link->whole && link->flight_count > 0;
	memmove(link->flights, link->flights + landed,
		link->flight_count * sizeof(link->flights[0]));
	if (h->size > link->confirmed)
		node_well(t);
	link->confirmed = h->size;
	if (link->server_size < h->size)
		link->server_size = h->size;
	if (h->credit >= CREDIT_LEAST) /* else it would never again take anything */
		link->credit_bytes = h->credit;
	link->progress = t->event->mono;
}

static void on_refused(const struct node_turn *t, const struct wire_header *h)
{
	struct node_link *link = t->link;
	enum cure cure = (unsigned)h->code < ERR_COUNT ? cures[h->code] : CURE_TIME;

	if (h->session != 0 && !in_session(t, h))
		return;
	link->heard = t->event->mono;
	link->last_contact = t->event->wall;
	if (link->phase == NODE_FROZEN) {
		link->asked = 0; /* so it is still */
		if (cure != CURE_NONE || link->refused == ERR_FORK)
			return;
	}
	if (link->phase == NODE_LIVE && h->size <= t->m->size)
		link->server_size = h->size;
	switch (cure) {
	case CURE_PERSON:
		node_refused(t, h->code, h->text);
		break;
	case CURE_GREET:
		node_restart(t);
		break;
	case CURE_LATER:
		if (link->phase == NODE_LIVE && link->whole)
			node_later(t, h->code, h->text);
		else
			node_wait(t, h->code, h->text);
		break;
	case CURE_TIME:
		node_wait(t, h->code, h->text);
		break;
	case CURE_NONE:
		node_frozen(t, h->code, h->text);
		break;
	}
}

/* ---- fetching ---- */

/* What was erased must have been erased by an act that this node has seen. */
static enum err check_redacted(const struct node_machine *m, const struct commit *commit)
{
	for (uint32_t i = 0; commit->redacted > 0 && i < commit->count; i++) {
		struct bytes event = commit->events[i];

		if (event.size == 0 &&
		    !m->lookup.redacted(m->lookup.context, commit->from + i, commit_leaf(event)))
			return ERR_REDACTED;
	}
	return ERR_OK;
}

static enum err check_range(const struct node_turn *t, const struct wire_header *h)
{
	struct node_machine *m = t->m;
	const struct node_event *event = t->event;
	struct commit *commit = &t->ret->commit;
	struct vkey key;
	enum err e = m->lookup.key_at(m->lookup.context, h->from + h->count, &key);

	commit->events = m->events;
	if (!e)
		e = commit_check(&m->tree, h->from, h->count, event->frames[1], event->frames + 2,
				 event->frame_count - 2, &key, m->region, &m->arena, commit);
	return e ? e : check_redacted(m, commit);
}

static void on_range(const struct node_turn *t, const struct wire_header *h)
{
	struct node_machine *m = t->m;
	struct node_action *a = NULL;
	enum err e = ERR_OK;

	if (!in_session(t, h) || m->fetcher != t->number || m->appending ||
	    !log_name_equal(h->log, m->log))
		return;
	if (h->from < m->size) { /* asked for again: the line is slow, and moves */
		t->link->progress = t->event->mono;
		t->link->retry_at.ms = t->event->mono.ms + NODE_SILENCE_MS;
	}
	if (h->from != m->size)
		return;
	if (h->count == 0 || t->event->frame_count < 3) { /* less than it claimed */
		node_restart(t);
		return;
	}
	e = check_range(t, h);
	if (e && t->link->unshown) {
		stay_frozen(t, e);
		return;
	}
	if (e) {
		node_refused(t, e,
			     "what the server sent back of our log does not verify; ask its "
			     "administrator, or waive it");
		return;
	}
	a = node_add(t, NODE_APPEND);
	if (!a)
		return;
	a->commit = &t->ret->commit;
	m->appending = true;
	t->link->ahead = true;
	t->link->asked = 0;
}

static void on_heartbeat(const struct node_turn *t, const struct wire_header *h)
{
	struct node_link *link = t->link;

	if (!in_session(t, h) || link->phase != NODE_LIVE)
		return;
	if (h->size > t->m->size) { /* more than we ever sent: let it prove that */
		node_restart(t);
		return;
	}
	link->server_size = h->size;
	node_well(t);
}

/* ---- what the server asks for ---- */

static void ask(const struct node_turn *t, const struct wire_header *h, enum node_action_kind kind)
{
	struct node_action *a = NULL;

	if (t->event->frame_count != ASKED_FRAMES)
		return;
	a = node_add(t, kind);
	if (!a)
		return;
	a->header = *h;
	a->frames = t->event->frames;
	a->frame_count = t->event->frame_count;
}

/* The ministry does not witness the log of its own server. */
static void on_offer(const struct node_turn *t, const struct wire_header *h)
{
	if (in_session(t, h) && t->m->region != REGION_PL)
		ask(t, h, NODE_WITNESS);
}

/* It proves itself by the server's signature, so that the node of a frozen log, which takes no
 * session, is told as well. */
static void on_duty(const struct node_turn *t, const struct wire_header *h)
{
	if (t->link->phase == NODE_FROZEN || h->session == 0 || in_session(t, h))
		ask(t, h, NODE_CARRY_OUT);
}

/* What a server may say to a node, and in how many frames. */
static const struct rule {
	enum wire_kind kind;
	size_t frames_most;
	void (*handle)(const struct node_turn *t, const struct wire_header *h);
} rules[] = {
	{WIRE_WELCOME, 2, on_welcome},      {WIRE_ACK, 1, on_ack},
	{WIRE_REFUSED, 1, on_refused},      {WIRE_RANGE, 2 + COMMIT_FRAMES_MAX, on_range},
	{WIRE_HEARTBEAT, 1, on_heartbeat},  {WIRE_OFFER, ASKED_FRAMES, on_offer},
	{WIRE_DUTY, ASKED_FRAMES, on_duty},
};

/* A server that froze the log is heard about what is to be erased, and when it released it; one
 * that is distrusted not. */
static bool hears(const struct node_turn *t, enum wire_kind kind)
{
	enum node_phase phase = t->link->phase;

	if (phase == NODE_FROZEN)
		return kind == WIRE_DUTY || kind == WIRE_WELCOME || kind == WIRE_REFUSED;
	return phase != NODE_AWAY && phase != NODE_REFUSED && phase != NODE_DISTRUSTED &&
	       phase != NODE_HELD;
}

/* Anything else is as if nothing had been heard. */
void node_message(const struct node_turn *t)
{
	const struct node_event *event = t->event;
	struct wire_header h = {0};

	if (event->frame_count == 0 || wire_decode(event->frames[0], &h) || !hears(t, h.kind))
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].kind != h.kind || event->frame_count > rules[i].frames_most)
			continue;
		if (in_session(t, &h)) {
			t->link->heard = event->mono;
			t->link->last_contact = event->wall;
		}
		rules[i].handle(t, &h);
		return;
	}
}
