#include "session/node.h"

#include <stdlib.h>

#include "session/node_turn.h"

enum err node_machine_init(struct node_machine *m, struct log_name log,
			   const struct node_lookup *lookup, const struct tree *tree,
			   uint64_t highwater, bool found, size_t link_count)
{
	struct bytes *events = NULL;

	if (link_count > SERVERS_MAX || log_name_region(log) == REGION_NONE)
		return ERR_ARGUMENT;
	events = calloc(COMMIT_EVENTS_MAX, sizeof(*events));
	if (!events)
		return ERR_NOMEM;
	*m = (struct node_machine){
		.log = log,
		.lookup = *lookup,
		.region = log_name_region(log),
		.size = tree->size,
		.tree = *tree,
		.gated = tree->size < highwater || (link_count > 0 && !found),
		.fetcher = SERVERS_MAX,
		.link_count = link_count,
		.events = events,
	};
	return ERR_OK;
}

void node_machine_free(struct node_machine *m)
{
	free(m->events);
	arena_free(&m->arena);
	*m = (struct node_machine){0};
}

/* ---- time ---- */

static bool passed(const struct node_turn *t, struct mono_ms since, int64_t ms)
{
	return t->event->mono.ms - since.ms >= ms;
}

/* What a session needs while nothing else happens in it. */
static void keep_session(const struct node_turn *t)
{
	struct node_link *link = t->link;
	struct node_action *a = NULL;
	bool fetches = link->phase == NODE_FETCHING && t->m->fetcher == t->number;

	if (link->undone && passed(t, link->undone_at, 0) && !fetches) {
		node_greet(t);
		return;
	}
	if (link->flight_count > 0 && passed(t, link->progress, NODE_SILENCE_MS)) {
		node_restart(t); /* commits or their acknowledgements were lost on the way */
		return;
	}
	if (fetches && !t->m->appending) {
		if (passed(t, link->progress, NODE_STALLED_MS) ||
		    passed(t, link->brought, NODE_NOTHING_NEW_MS)) {
			node_stalled(t);
			return;
		}
		if (passed(t, link->retry_at, 0))
			node_fetch(t);
	}
	if (!passed(t, link->said, NODE_HEARTBEAT_MS))
		return;
	a = node_say(t, NODE_SEND, WIRE_HEARTBEAT);
	if (a)
		a->header.size = t->m->size;
}

static void keep_time(const struct node_turn *t)
{
	struct node_link *link = t->link;

	switch (link->phase) {
	case NODE_AWAY:
	case NODE_REFUSED:
		if (passed(t, link->retry_at, 0))
			node_connect(t);
		break;
	case NODE_GREETING:
	case NODE_ANCHORING:
		if (passed(t, link->heard, NODE_SILENCE_MS))
			node_drop(t);
		else if (passed(t, link->progress, NODE_STALLED_MS))
			node_stalled(t);
		else if (passed(t, link->retry_at, 0))
			node_greet(t);
		break;
	case NODE_FETCHING:
	case NODE_LIVE:
		if (passed(t, link->heard, NODE_SILENCE_MS))
			node_drop(t);
		else
			keep_session(t);
		break;
	case NODE_FROZEN:
		if (passed(t, link->retry_at, 0))
			node_ask_frozen(t);
		break;
	case NODE_DISTRUSTED:
	case NODE_HELD:
		break;
	}
}

/* ---- what follows from the state, whatever happened ---- */

/* The longest history first; one that was anchored elsewhere shows its root again. */
static void choose_fetcher(struct node_machine *m, const struct node_event *event,
			   struct node_update *ret)
{
	struct node_turn best = {0};

	if (m->appending || m->fetcher != SERVERS_MAX)
		return;
	for (size_t i = 0; i < m->link_count; i++) {
		struct node_turn t = node_turn_of(m, event, ret, i);

		if (t.link->phase != NODE_FETCHING)
			continue;
		if (!node_met(&t))
			node_greet(&t);
		else if (!best.link || t.link->server_size > best.link->server_size)
			best = t;
	}
	if (best.link) {
		m->fetcher = best.number;
		best.link->progress = event->mono;
		best.link->brought = event->mono;
		node_fetch(&best);
	}
}

/* Small commits cost a signature, a message and two checks each: while something is under
 * way they gather until it is acknowledged.  An idle link sends at once. */
static bool gathers(const struct node_link *link, struct mono_ms now)
{
	return link->waiting_bytes < NODE_SMALL_BYTES &&
	       (link->flight_count > 0 || now.ms < link->small_at.ms);
}

/* At most one commit is asked for until SENT tells how large it became.  A window that is
 * nearly used up is left to fill again. */
static void send_commit(const struct node_turn *t)
{
	struct node_link *link = t->link;
	struct node_action *a = NULL;
	uint64_t room = 0;

	if (link->phase != NODE_LIVE || link->sending || link->stuck || link->whole ||
	    link->sent >= t->m->size || t->event->mono.ms < link->later_at.ms ||
	    link->flight_count == NODE_FLIGHTS_MAX || link->under_way_bytes >= link->credit_bytes ||
	    gathers(link, t->event->mono))
		return;
	room = link->credit_bytes - link->under_way_bytes;
	if (link->under_way_bytes > 0 && room < link->commit_bytes / 4)
		return;
	a = node_say(t, NODE_SEND_COMMIT, WIRE_COMMIT);
	if (!a)
		return;
	link->sending = true;
	a->header.from = link->sent;
	a->size = t->m->size;
	a->bytes_max = room < link->commit_bytes ? (size_t)room : link->commit_bytes;
	a->events_max = link->commit_events;
}

/* This server's part in the gate: it has shown that it knows nothing that we lack. */
static bool settled(const struct node_link *link)
{
	if (link->ahead)
		return false;
	return link->waived || (link->agreed && link->phase != NODE_FROZEN);
}

static void mind_gate(struct node_machine *m, const struct node_event *event,
		      struct node_update *ret)
{
	struct node_turn t = node_turn_of(m, event, ret, 0);
	bool all = !m->appending && m->link_count > 0; /* nobody has nothing to say */

	for (size_t i = 0; i < m->link_count; i++) {
		const struct node_link *link = &m->links[i];

		if (link->ahead || (link->phase == NODE_FROZEN && !link->waived))
			m->gated = true;
		all = all && settled(link);
	}
	if (m->gated && all) {
		m->gated = false;
		(void)node_add(&t, NODE_OPENED);
	}
}

/* ---- events ---- */

static void on_stored(struct node_machine *m, const struct node_event *event,
		      struct node_update *ret)
{
	struct node_turn t;

	m->appending = false;
	m->tree = *event->tree;
	m->size = event->tree->size;
	if (m->fetcher == SERVERS_MAX)
		return;
	t = node_turn_of(m, event, ret, m->fetcher);
	t.link->anchored_at = m->size;
	t.link->progress = event->mono;
	t.link->brought = event->mono;
	node_well(&t);
	if (m->size >= t.link->server_size)
		node_live(&t);
	else
		node_fetch(&t);
}

static void on_failed(struct node_machine *m, const struct node_event *event)
{
	m->appending = false;
	if (m->fetcher == SERVERS_MAX)
		return;
	m->links[m->fetcher].retry_at.ms = event->mono.ms + NODE_AGAIN_MOST_MS;
	m->links[m->fetcher].progress = event->mono; /* it is not the server's fault */
	m->links[m->fetcher].brought = event->mono;
}

static void on_sent(const struct node_turn *t)
{
	const struct node_event *event = t->event;
	struct node_link *link = t->link;

	if (!link->sending)
		return; /* of a session that is over */
	link->sending = false;
	link->stuck = event->bytes == 0;
	if (event->bytes == 0 || event->size <= link->sent || event->size > t->m->size)
		return;
	if (link->flight_count == 0)
		link->progress = event->mono;
	link->whole =
		event->size - link->sent > link->commit_events || event->bytes > link->commit_bytes;
	link->flights[link->flight_count].size = event->size;
	link->flights[link->flight_count].bytes = event->bytes;
	link->flight_count++;
	link->under_way_bytes += event->bytes;
	link->sent = event->size;
	link->small_at.ms = event->mono.ms + NODE_SPACING_MS;
	/* What did not fit is a backlog: it does not wait. */
	link->waiting_bytes = event->size < t->m->size ? NODE_SMALL_BYTES : 0;
}

static void on_undone(const struct node_turn *t)
{
	t->link->undone = true;
	t->link->undone_at.ms = t->event->mono.ms + NODE_UNDONE_MS;
}

static void on_waive(struct node_link *link)
{
	link->waived = true;
	/* One that proved to hold more has the time to send it that any other has. */
	if (link->phase != NODE_FETCHING && (link->phase != NODE_ANCHORING || link->stalled))
		link->ahead = false;
}

static void on_link_event(const struct node_turn *t)
{
	if (t->event->kind == NODE_EV_SENT) {
		on_sent(t);
	} else if (t->event->kind == NODE_EV_WAIVE) {
		on_waive(t->link);
	} else if (t->event->kind == NODE_EV_UNDONE) {
		on_undone(t);
	} else if (t->event->kind == NODE_EV_DISTRUST) {
		node_distrust(t);
	} else if (t->event->kind == NODE_EV_HOLD) {
		node_hold(t);
	} else if (t->event->kind == NODE_EV_FOLLOW) {
		node_follow(t);
	} else {
		t->link->stuck = false;
		node_message(t);
	}
}

int64_t node_machine_due_ms(const struct node_machine *m)
{
	int64_t due_ms = INT64_MAX;

	for (size_t i = 0; i < m->link_count; i++) {
		const struct node_link *link = &m->links[i];
		int64_t at_ms = link->small_at.ms > link->later_at.ms ? link->small_at.ms
								      : link->later_at.ms;

		if (link->phase == NODE_LIVE && !link->stuck && link->sent < m->size &&
		    link->flight_count == 0 && at_ms < due_ms)
			due_ms = at_ms;
	}
	return due_ms;
}

void node_step(struct node_machine *m, const struct node_event *event, struct node_update *ret)
{
	struct node_turn t;

	ret->count = 0;
	switch (event->kind) {
	case NODE_EV_TICK:
		for (size_t i = 0; i < m->link_count; i++) {
			t = node_turn_of(m, event, ret, i);
			t.link->stuck = false;
			keep_time(&t);
		}
		break;
	case NODE_EV_DUE:
		break; /* what follows from the state */
	case NODE_EV_GREW:
		m->tree = *event->tree;
		m->size = event->tree->size;
		for (size_t i = 0; i < m->link_count; i++)
			m->links[i].waiting_bytes += event->bytes;
		break;
	case NODE_EV_STORED:
		on_stored(m, event, ret);
		break;
	case NODE_EV_FAILED:
		on_failed(m, event);
		break;
	case NODE_EV_SENT:
	case NODE_EV_MESSAGE:
	case NODE_EV_WAIVE:
	case NODE_EV_UNDONE:
	case NODE_EV_DISTRUST:
	case NODE_EV_HOLD:
	case NODE_EV_FOLLOW:
		if (event->link >= m->link_count)
			return;
		t = node_turn_of(m, event, ret, event->link);
		on_link_event(&t);
		break;
	}
	choose_fetcher(m, event, ret);
	for (size_t i = 0; i < m->link_count; i++) {
		t = node_turn_of(m, event, ret, i);
		send_commit(&t);
	}
	mind_gate(m, event, ret);
}
