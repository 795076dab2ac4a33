/* The turns of the simulated server: what waits is taken, stored in one transaction, and told. */
#include <stdlib.h>

#include "checks.h"

enum {
	TICK_MS = 1000,
	TURN_MESSAGES = 64,
	TURN_PEER_MESSAGES = 4,
	TURN_PEER_WORK = COMMIT_EVENTS * EVENT_WORK_BYTES,
	WAITS_MS = 5,
	SYNC_MS = 12,
	SLOW_PERMILLE = 5,
	SLOW_MS = 3000,
};

static enum err tell(struct server_host *s, enum server_event_kind kind, enum err code)
{
	const struct server_event e = {.kind = kind,
				       .now = server_host_wall(s),
				       .code = code,
				       .national_size = server_host_size(s)};

	server_step(&s->machine, &e, &s->update);
	return server_host_perform(s);
}

static bool is_fatal(enum err e)
{
	return e == ERR_SYNC || e == ERR_IO || e == ERR_CORRUPT || e == ERR_INTERNAL;
}

/* Nothing of the turn's transaction stands: the machine and the nodes learn it. */
static void failed(struct server_host *s, enum err e)
{
	enum err undone = ERR_OK;

	if (memstore_died(s->disk))
		return;
	check_turn(s, false);
	undone = archive_abort(&s->archive);
	trust_settle(&s->trust, false);
	if (undone || (is_fatal(e) && e != ERR_SYNC))
		server_logs_noticed(s, "it cannot store", e);
	if (e == ERR_SYNC)
		s->fault = e;
	if (s->fault)
		return;
	if (e == ERR_MAP_FULL && store_grow(s->archive.store) == ERR_OK) {
		s->w->tally.grown++;
		e = ERR_BUSY;
	}
	s->w->tally.full += e == ERR_DISK_FULL;
	if (e != ERR_BUSY && e != ERR_DISK_FULL)
		world_fail(s->w, "server %u cannot store: %s", s->number, err_code(e));
	if (tell(s, SERVER_EV_FAILED, e))
		world_fail(s->w, "server %u stores after a failure", s->number);
}

/* What each log took of this turn. */
struct share {
	unsigned messages;
	uint64_t work;
};

/* When a log speaks again that had its share, the turn ends and it is heard in the next. */
static bool had_its_share(struct server_host *s, const struct packet *p, const struct share *shares)
{
	const struct share *share = &shares[world_log_of(s->w, p->node)];
	bool had = share->messages >= TURN_PEER_MESSAGES || share->work >= TURN_PEER_WORK;

	if (!s->w->tight || p->node == STRANGER || !had)
		return false;
	s->w->tally.shares++;
	return true;
}

static void take_share(const struct server_host *s, const struct packet *p, struct share *shares)
{
	struct share *share = &shares[world_log_of(s->w, p->node)];

	share->messages++;
	for (size_t i = 0; i < s->update.count; i++) {
		const struct server_action *a = &s->update.actions[i];

		if (a->kind == SERVER_SEND_RANGE)
			share->work += TURN_PEER_WORK;
		if (a->kind == SERVER_APPEND)
			share->work += a->commit->work;
	}
}

static enum err take_one(struct server_host *s, const struct packet *p, struct share *shares)
{
	static const struct log_name NOBODY = {"99"};
	const struct server_event e = {.kind = SERVER_EV_MESSAGE,
				       .now = server_host_wall(s),
				       .peer = bytes_of(p->peer, PEER_SIZE),
				       .user = p->node == STRANGER ? NOBODY
								   : s->w->nodes[p->node].name,
				       .frames = p->frames,
				       .frame_count = p->frame_count,
				       .new_session = world_random(s->w)};
	static struct before before; /* large */

	check_before(s, p, &before);
	server_step(&s->machine, &e, &s->update);
	check_after(s, p, &before);
	take_share(s, p, shares);
	return server_host_perform(s);
}

/* What the log of this packet says waits until its work of before is forgotten. */
static bool owes(struct server_host *s, const struct packet *p)
{
	if (!s->w->tight || p->node == STRANGER ||
	    !server_machine_owes(&s->machine, s->w->nodes[p->node].name, server_host_wall(s)))
		return false;
	s->w->tally.owed++;
	return true;
}

/* Takes out the oldest that need not wait; NULL: none, or the turn is over. */
static struct packet *next_packet(struct server_host *s, const struct share *shares)
{
	struct packet **link = &s->inbox;
	struct packet *p = NULL;

	while (*link && owes(s, *link))
		link = &(*link)->next;
	p = *link;
	if (!p || had_its_share(s, p, shares))
		return NULL;
	*link = p->next;
	if (!*link)
		s->inbox_end = link;
	return p;
}

/* It may die of what it hears. */
static void take_messages(struct server_host *s)
{
	struct share shares[NODES + 1] = {0};
	uint64_t epoch = s->epoch;

	for (int i = 0; i < TURN_MESSAGES && !s->w->failed && s->epoch == epoch; i++) {
		struct packet *p = next_packet(s, shares);
		enum err e = ERR_OK;

		if (!p)
			return;
		if (p->frame_count > 0)
			e = take_one(s, p, shares);
		free(p);
		if (e && s->epoch == epoch)
			failed(s, e);
		if (s->epoch == epoch && s->fault)
			return;
	}
}

void server_host_stored(struct server_host *s)
{
	for (unsigned i = 0; i < LOGS; i++) {
		struct log *log = server_host_log(s, i);

		if (!log || s->chains[i].count == log->tree.size)
			continue;
		if (chain_follow(&s->chains[i], log, s->archive.store))
			server_logs_noticed(s, "a log cannot be read", ERR_CORRUPT);
		check_prefix(s->w, s->number, i);
		check_promise(s->w, s->number, i);
	}
}

static void store_turn(struct server_host *s)
{
	enum err e = ERR_OK;

	if (!s->archive.write)
		return;
	e = archive_commit(&s->archive);
	if (memstore_died(s->disk))
		return;
	if (e) {
		failed(s, e);
		return;
	}
	trust_settle(&s->trust, true);
	check_turn(s, true);
	server_host_stored(s);
	if (tell(s, SERVER_EV_STORED, ERR_OK))
		world_fail(s->w, "server %u stores what was stored", s->number);
}

static void plan_turn(struct server_host *s)
{
	int64_t wait = s->busy_until_ms - s->w->now_ms;

	if (s->turn_planned || !s->inbox)
		return;
	s->turn_planned = true;
	if (s->w->tight && wait < WAITS_MS && owes(s, s->inbox))
		wait = WAITS_MS;
	world_plan(s->w, (wait > 0 ? wait : 0) + world_below(s->w, 3), AT_SERVER_TURN, s->number, 0,
		   s->epoch, NULL);
}

static void plan_wait(struct server_host *s)
{
	int64_t wait = s->busy_until_ms - s->w->now_ms;

	if (s->wait_planned || !server_machine_waits(&s->machine))
		return;
	s->wait_planned = true;
	world_plan(s->w, wait > WAITS_MS ? wait : WAITS_MS, AT_SERVER_WAIT, s->number, 0, s->epoch,
		   NULL);
}

static int64_t turn_takes(struct server_host *s)
{
	int64_t ms = 1 + world_below(s->w, SYNC_MS);

	if (world_chance(s->w, SLOW_PERMILLE))
		ms += world_below(s->w, SLOW_MS);
	if (s->w->now_ms < s->slow_until_ms)
		ms += world_below(s->w, s->slow_ms);
	return ms;
}

void server_host_turn(struct server_host *s)
{
	uint64_t epoch = s->epoch;

	s->turn_planned = false;
	take_messages(s);
	if (!s->w->failed && s->epoch == epoch && !s->fault)
		store_turn(s);
	if (s->epoch != epoch || !server_host_survives(s))
		return;
	s->busy_until_ms = s->w->now_ms + turn_takes(s);
	plan_turn(s);
	plan_wait(s);
}

void server_host_hear(struct server_host *s, struct packet *p)
{
	p->next = NULL;
	*s->inbox_end = p;
	s->inbox_end = &p->next;
	plan_turn(s);
}

/* What a tick answers has waited for its time. */
static void tick(struct server_host *s)
{
	if (tell(s, SERVER_EV_TICK, ERR_OK))
		world_fail(s->w, "server %u stores at a tick", s->number);
	for (size_t i = 0; i < s->update.count; i++)
		s->w->tally.acks_late += s->update.actions[i].header.kind == WIRE_ACK;
	if (server_host_survives(s))
		plan_wait(s);
}

void server_host_tick(struct server_host *s)
{
	world_plan(s->w, TICK_MS, AT_SERVER_TICK, s->number, 0, s->epoch, NULL);
	tick(s);
}

void server_host_wait(struct server_host *s)
{
	s->wait_planned = false;
	if (server_machine_waits(&s->machine))
		tick(s);
}
