#include <stdio.h>
#include <string.h>

#include "session/node_turn.h"

/* ---- phases ---- */

#define TO(phase) (1u << (phase))

/* The moves of the picture in node.h; to DISTRUSTED leads every one, and none away from it.  A
 * link is HELD before it is used. */
static const unsigned moves[] = {
	[NODE_AWAY] = TO(NODE_GREETING) | TO(NODE_HELD),
	[NODE_GREETING] = TO(NODE_AWAY) | TO(NODE_GREETING) | TO(NODE_ANCHORING) | TO(NODE_FROZEN) |
			  TO(NODE_REFUSED),
	[NODE_ANCHORING] = TO(NODE_AWAY) | TO(NODE_GREETING) | TO(NODE_ANCHORING) |
			   TO(NODE_FETCHING) | TO(NODE_LIVE) | TO(NODE_FROZEN) | TO(NODE_REFUSED),
	[NODE_FETCHING] = TO(NODE_AWAY) | TO(NODE_GREETING) | TO(NODE_LIVE) | TO(NODE_FROZEN) |
			  TO(NODE_REFUSED),
	[NODE_LIVE] = TO(NODE_AWAY) | TO(NODE_GREETING) | TO(NODE_FROZEN) | TO(NODE_REFUSED),
	[NODE_FROZEN] = TO(NODE_GREETING) | TO(NODE_ANCHORING) | TO(NODE_FROZEN) | TO(NODE_REFUSED),
	[NODE_REFUSED] = TO(NODE_GREETING),
	[NODE_DISTRUSTED] = 0,
	[NODE_HELD] = TO(NODE_GREETING),
};

static bool may_move(enum node_phase from, enum node_phase to)
{
	if (to == NODE_DISTRUSTED)
		return from != NODE_DISTRUSTED;
	return (moves[from] & TO(to)) != 0;
}

static bool move(const struct node_turn *t, enum node_phase to)
{
	struct node_link *link = t->link;

	if (!may_move(link->phase, to))
		return false;
	if (link->phase != to)
		link->asked = 0;
	link->phase = to;
	if (to != NODE_FETCHING && t->m->fetcher == t->number)
		t->m->fetcher = SERVERS_MAX;
	return true;
}

static void end_session(struct node_link *link)
{
	link->session = 0;
	link->sending = false;
	link->stuck = false;
	link->flight_count = 0;
	link->under_way_bytes = 0;
	link->whole = false;
	link->small_at.ms = 0;
	link->later_at.ms = 0;
}

/* ---- actions ---- */

struct node_turn node_turn_of(struct node_machine *m, const struct node_event *event,
			      struct node_update *ret, size_t link)
{
	return (struct node_turn){m, event, ret, link, &m->links[link]};
}

struct node_action *node_add(const struct node_turn *t, enum node_action_kind kind)
{
	struct node_action *a = NULL;

	if (t->ret->count == NODE_ACTIONS_MAX)
		return NULL;
	a = &t->ret->actions[t->ret->count++];
	*a = (struct node_action){.kind = kind, .link = t->number};
	return a;
}

struct node_action *node_say(const struct node_turn *t, enum node_action_kind kind,
			     enum wire_kind header)
{
	struct node_action *a = node_add(t, kind);

	t->link->said = t->event->mono;
	if (!a)
		return NULL;
	a->header.kind = header;
	a->header.session = t->link->session;
	return a;
}

static struct mono_ms after(const struct node_turn *t, int64_t ms)
{
	return (struct mono_ms){t->event->mono.ms + ms};
}

/* When to say a question again that stays unanswered. */
static void ask_again_later(const struct node_turn *t)
{
	int64_t ms = NODE_AGAIN_LEAST_MS;

	for (unsigned i = 0; i < t->link->asked && ms < NODE_AGAIN_MOST_MS; i++)
		ms *= 2;
	t->link->asked++;
	t->link->retry_at = after(t, ms);
}

/* When to ask again what a person has to mend. */
static struct mono_ms slowly(const struct node_turn *t)
{
	return after(t, NODE_REFUSED_MS / 2 + (int64_t)t->event->random % NODE_REFUSED_MS);
}

static int64_t backoff(const struct node_turn *t)
{
	int64_t ms = NODE_BACKOFF_LEAST_MS;

	for (unsigned i = 0; i < t->link->attempts && ms < NODE_BACKOFF_MOST_MS; i++)
		ms *= 2;
	if (ms > NODE_BACKOFF_MOST_MS)
		ms = NODE_BACKOFF_MOST_MS;
	t->link->attempts++;
	return ms / 2 + (int64_t)t->event->random % (ms / 2 + 1);
}

/* ---- the way to LIVE ---- */

/* Of size 0 it shows nothing. */
static void say_hello(const struct node_turn *t)
{
	uint64_t size = t->link->unshown ? 0 : t->m->size;
	struct node_action *a = node_say(t, NODE_SEND_SIGNED, WIRE_HELLO);

	t->link->anchored_at = size;
	if (!a)
		return;
	a->header.protocol = WIRE_PROTOCOL;
	a->header.log = t->m->log;
	a->header.size = size;
}

void node_greet(const struct node_turn *t)
{
	bool anew = t->link->phase != NODE_GREETING && t->link->phase != NODE_ANCHORING;

	if (!move(t, NODE_GREETING))
		return;
	if (anew)
		t->link->progress = t->event->mono;
	end_session(t->link);
	say_hello(t);
	ask_again_later(t);
}

void node_connect(const struct node_turn *t)
{
	t->link->heard = t->event->mono;
	(void)node_add(t, NODE_CONNECT);
	node_greet(t);
}

void node_anchor(const struct node_turn *t)
{
	struct node_link *link = t->link;
	struct node_action *a = NULL;

	if (link->phase == NODE_FROZEN)
		link->progress = t->event->mono;
	if (!move(t, NODE_ANCHORING))
		return;
	if (link->anchored_at > link->server_size)
		link->anchored_at = link->server_size;
	a = node_say(t, NODE_SEND_SIGNED, WIRE_ANCHOR);
	if (a)
		a->header.size = link->anchored_at;
	ask_again_later(t);
}

bool node_met(const struct node_turn *t)
{
	const struct node_link *link = t->link;
	uint64_t ours = t->m->size;

	if (link->unshown)
		return link->server_size > ours;
	return link->anchored_at == (link->server_size < ours ? link->server_size : ours);
}

void node_behind(const struct node_turn *t)
{
	(void)move(t, NODE_FETCHING);
}

void node_fetch(const struct node_turn *t)
{
	struct node_action *a = node_say(t, NODE_SEND, WIRE_FETCH);

	if (a) {
		a->header.log = t->m->log;
		a->header.from = t->m->size;
	}
	ask_again_later(t);
}

static void note_refusal(const struct node_turn *t, enum err code, const char *text)
{
	t->link->refused = code;
	(void)snprintf(t->link->refused_text, sizeof(t->link->refused_text), "%s", text);
}

/* Of the same once, however often it is tried again. */
static void alarm_once(const struct node_turn *t, enum err code)
{
	if (t->link->told != code)
		(void)node_add(t, NODE_ALARM);
	t->link->told = code;
}

/* Both histories are one, and ours is at least as long. */
void node_live(const struct node_turn *t)
{
	struct node_link *link = t->link;
	bool shrunk = link->server_size < link->confirmed;

	if (!move(t, NODE_LIVE))
		return;
	link->agreed = true;
	link->ahead = false;
	link->unshown = false;
	link->forked = false;
	link->confirmed = link->server_size < t->m->size ? link->server_size : t->m->size;
	link->sent = link->confirmed;
	link->progress = t->event->mono;
	if (shrunk) {
		note_refusal(t, ERR_OLD,
			     "the server holds less than it had confirmed (was it restored from "
			     "an older copy?); what it lacks is sent again");
		(void)node_add(t, NODE_ALARM);
	}
}

void node_forgive(const struct node_turn *t)
{
	t->link->refused = ERR_OK;
	t->link->refused_text[0] = '\0';
}

void node_well(const struct node_turn *t)
{
	node_forgive(t);
	t->link->attempts = 0;
	t->link->told = ERR_OK;
	t->link->stalled = false;
}

/* ---- the ways out ---- */

/* What a waived server holds is waited for only while it is there. */
static void leave(const struct node_turn *t)
{
	end_session(t->link);
	if (t->link->waived)
		t->link->ahead = false;
}

void node_drop(const struct node_turn *t)
{
	if (!move(t, NODE_AWAY))
		return;
	leave(t);
	t->link->retry_at = after(t, backoff(t));
}

void node_stalled(const struct node_turn *t)
{
	t->link->stalled = true;
	node_drop(t);
}

void node_restart(const struct node_turn *t)
{
	if (t->link->attempts > 0) {
		node_drop(t);
		return;
	}
	t->link->attempts++;
	node_greet(t);
}

void node_wait(const struct node_turn *t, enum err code, const char *text)
{
	note_refusal(t, code, text);
	node_drop(t);
}

void node_later(const struct node_turn *t, enum err code, const char *text)
{
	struct node_link *link = t->link;

	note_refusal(t, code, text);
	link->sent = link->confirmed;
	link->flight_count = 0;
	link->under_way_bytes = 0;
	link->whole = false;
	link->later_at = after(t, NODE_LATER_MS);
}

void node_refused(const struct node_turn *t, enum err code, const char *text)
{
	if (!move(t, NODE_REFUSED))
		return;
	leave(t);
	note_refusal(t, code, text);
	t->link->retry_at = slowly(t);
	alarm_once(t, code);
}

void node_frozen(const struct node_turn *t, enum err code, const char *text)
{
	struct node_link *link = t->link;
	bool anew = link->phase != NODE_FROZEN;

	if (!move(t, NODE_FROZEN))
		return;
	leave(t);
	link->asked = 0;
	link->agreed = false;
	link->ahead = false;
	link->unshown = true;
	link->forked = link->forked || code == ERR_FORK;
	note_refusal(t, code, text);
	if (anew) /* else the next question has its time */
		link->retry_at = slowly(t);
	alarm_once(t, code);
}

void node_ask_frozen(const struct node_turn *t)
{
	if (t->link->asked > 0) /* no answer: the line may be dead */
		(void)node_add(t, NODE_CONNECT);
	t->link->asked++;
	t->link->retry_at = slowly(t);
	say_hello(t);
}

void node_distrust(const struct node_turn *t)
{
	if (!move(t, NODE_DISTRUSTED))
		return;
	leave(t);
	t->link->ahead = false;
	note_refusal(
		t, ERR_FORK,
		"this server showed two histories of its national log; both notes are kept as "
		"evidence (splotctl audit evidence), and nothing is sent to it or taken from it "
		"any more; tell the other regions and the ministry");
	(void)node_add(t, NODE_ALARM);
}

void node_hold(const struct node_turn *t)
{
	(void)move(t, NODE_HELD);
}

void node_follow(const struct node_turn *t)
{
	if (t->link->phase == NODE_HELD)
		node_connect(t);
}
