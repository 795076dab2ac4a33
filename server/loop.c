/* The turn of the main thread: take what waits, store it in one synced transaction, tell
 * everybody; then the control socket, then the clock.  Nothing here sleeps while something
 * waits, and what waits is what is grouped. */
#include <signal.h>
#include <sodium.h>
#include <stdio.h>

#include "base/log.h"
#include "io/daemon.h"
#include "server/server.h"

enum {
	/* The national log is fetched in commits as well: what one checkpoint covers must fit. */
	TURN_ENTRY_BYTES = COMMIT_BYTES_MAX / 2,
	TICK_MS = 1000,
	WAITS_MS = 5, /* … while an answer or a message waits for its time */
	POLL_ROUTER = 0,
	POLL_SIGNAL,
	POLL_FOLDER,
	POLL_CONTROL,
	POLL_ITEMS = POLL_CONTROL + CONTROL_CLIENTS_MAX + 1,
};

struct turn {
	struct wall_ms wall;
	struct mono_ms mono;
	struct mono_ms next_tick;
	bool stop;
};

/* ---- messages ---- */

struct hearing {
	struct server *s;
	struct wall_ms now;
};

/* What it appends, and what is read to answer it (a RANGE is as much as a commit). */
static uint64_t work_of(const struct server_update *update)
{
	uint64_t work = 0;

	for (size_t i = 0; i < update->count; i++) {
		const struct server_action *a = &update->actions[i];

		if (a->kind == SERVER_SEND_RANGE)
			work += COMMIT_BYTES_MAX;
		if (a->kind == SERVER_APPEND)
			work += a->commit->work;
	}
	return work;
}

static enum err receive(void *context, struct message *ret)
{
	const struct hearing *h = context;

	return endpoint_receive(h->s->router, ret);
}

/* By the key itself, not by the log's name: a key that was let in and is no more enrolled speaks
 * for nobody. */
static size_t whose(void *context, const struct message *m)
{
	const struct hearing *h = context;
	const struct trusted *of = trust_user(&h->s->trust, m->user);

	return of ? (size_t)(of - h->s->trust.entries) : LOGS_MAX;
}

static bool owes(void *context, size_t log)
{
	const struct hearing *h = context;
	const struct trusted *of = &h->s->trust.entries[log];

	return server_machine_owes(&h->s->machine, of->card.log, h->now);
}

static enum err hear(void *context, const struct message *m, uint64_t *ret_work)
{
	const struct hearing *h = context;
	struct server *s = h->s;
	struct server_event event = {.kind = SERVER_EV_MESSAGE,
				     .now = h->now,
				     .peer = bytes_of(m->peer, m->peer_size),
				     .frames = m->frames,
				     .frame_count = m->frame_count,
				     .excess = m->excess,
				     .connection = m->connection,
				     .connections = network_admitted(s->network)};
	const struct trusted *trusted = trust_user(&s->trust, m->user);
	enum err e = ERR_OK;

	if (!trusted) {
		s->machine.refused_unknown[ERR_UNKNOWN_KEY]++;
		endpoint_end(s->router, m->user, m->connection, 0);
		return ERR_OK;
	}
	event.user = trusted->card.log;
	randombytes_buf(&event.new_session, sizeof event.new_session);
	e = server_tell(s, &event);
	*ret_work = work_of(&s->update);
	if (trusted->now.state == LOG_REVOKED) /* it was told so */
		endpoint_end(s->router, m->user, m->connection, CUT_OFF_GRACE_MS);
	return e;
}

static bool enough(void *context)
{
	const struct hearing *h = context;

	return h->s->archive.entry_bytes >= TURN_ENTRY_BYTES;
}

static void overrun(void *context, const struct message *m)
{
	const struct hearing *h = context;

	server_overrun(h->s, m->user);
}

static void unkept(void *context, const struct message *m)
{
	const struct hearing *h = context;

	endpoint_end(h->s->router, m->user, network_admitted(h->s->network), 0);
}

static enum err take_messages(struct server *s, struct wall_ms now)
{
	static const struct intake_ops OPS = {receive, whose, owes, hear, enough, overrun, unkept};
	struct hearing h = {s, now};

	return intake_turn(&s->intake, &OPS, &h);
}

/* ---- signals, control, clock ---- */

static void reread(struct server *s, const char *config_path)
{
	struct settings fresh;
	char why[WHY_BYTES];

	if (settings_load(config_path, &fresh, why) != ERR_OK) {
		log_line(LOG_ERROR, "%s; the old settings stay", why);
		return;
	}
	settings_adopt(&s->settings, &fresh);
	settings_free(&fresh);
	log_level(s->settings.log_level);
	log_line(LOG_NOTICE, "reread %s: administrators and log level; other keys take a restart",
		 config_path);
}

static void take_signals(struct server *s, struct turn *turn, const char *config_path)
{
	int number = 0;

	while ((number = daemon_signal(s->signal_fd)) != 0) {
		if (number == SIGHUP)
			reread(s, config_path);
		else {
			turn->stop = true;
			s->again = false; /* what is to be scrubbed waits for the next start */
		}
	}
}

static enum err take_calls(struct server *s)
{
	struct control_call call;
	enum err e = ERR_OK;

	while (e == ERR_OK && control_next(s->control, &call) == ERR_OK)
		e = server_answer(s, &call);
	return e;
}

static enum err tell_time(struct server *s, const struct turn *turn)
{
	const struct server_event event = {
		.kind = SERVER_EV_TICK, .now = turn->wall, .national_size = s->archive.size};

	return server_tell(s, &event);
}

static enum err tick(struct server *s, struct turn *turn)
{
	if (turn->mono.ms < turn->next_tick.ms)
		return ERR_OK;
	turn->next_tick.ms = turn->mono.ms + TICK_MS;
	feed_tick(&s->feed);
	refusals_tell(&s->refusals, &s->machine, network_rejected(s->network) - s->rejected_before);
	return tell_time(s, turn);
}

/* ---- the turn ---- */

static enum err take_turn(struct server *s, struct turn *turn, const char *config_path)
{
	struct poll_item items[POLL_ITEMS] = {
		[POLL_ROUTER] = {.endpoint = s->router, .fd = -1, .want = POLL_READ},
		[POLL_SIGNAL] = {.fd = s->signal_fd, .want = POLL_READ},
		[POLL_FOLDER] = {.fd = s->folder.event_fd, .want = POLL_READ},
	};
	size_t controls =
		control_items(s->control, items + POLL_CONTROL, POLL_ITEMS - POLL_CONTROL);
	int64_t until_ms = turn->next_tick.ms;
	int64_t wait_ms = 0;
	enum err e = ERR_OK;

	if (s->again && s->stop_at.ms < until_ms)
		until_ms = s->stop_at.ms;
	if (server_tell_next(s) < until_ms)
		until_ms = server_tell_next(s);
	wait_ms = intake_is_ready(&s->intake) ? 0 : until_ms - mono_now().ms;
	if (wait_ms > WAITS_MS && (server_machine_waits(&s->machine) || intake_waits(&s->intake)))
		wait_ms = WAITS_MS;
	e = network_poll(s->network, items, POLL_CONTROL + controls,
			 wait_ms > 0 ? (long)wait_ms : 0);
	turn->wall = wall_now();
	turn->mono = mono_now();
	/* Before more is taken of whom they are for, and owes again. */
	if (e == ERR_OK && server_machine_waits(&s->machine))
		e = tell_time(s, turn);
	if (e == ERR_OK && (items[POLL_ROUTER].got || intake_waits(&s->intake))) {
		s->telling.changed = true;
		e = take_messages(s, turn->wall);
	}
	if (e == ERR_OK)
		e = server_store_turn(s, turn->wall);
	if (e == ERR_OK)
		e = tick(s, turn);
	if (e == ERR_OK)
		e = server_store_turn(s, turn->wall); /* what the clock decided */
	if (e != ERR_OK)
		return e;
	control_turn(s->control, items + POLL_CONTROL, controls, turn->mono);
	e = take_calls(s);
	if (items[POLL_SIGNAL].got)
		take_signals(s, turn, config_path);
	if (e == ERR_OK && items[POLL_FOLDER].got)
		e = (enum err)atomic_load(&s->folder.failed);
	if (s->again && turn->mono.ms >= s->stop_at.ms)
		turn->stop = true;
	server_duties_go_on(s);
	server_tell_view(s, turn->mono);
	return e;
}

static void say_fault(const struct server *s, enum err e)
{
	if (atomic_load(&s->folder.failed) != ERR_OK)
		log_line(LOG_ERROR,
			 "the view could not be folded beyond national entry %llu: %s; restart. If "
			 "it stays, stop the server and remove %s (it is folded anew); if that "
			 "does not help, the logs are damaged: put a backup of %s back",
			 (unsigned long long)folder_position(&s->folder), err_text(e), s->view_path,
			 s->logs_path);
	else if (e == ERR_SYNC)
		log_line(LOG_ERROR,
			 "the disk of %s did not confirm a write: nothing of it was acknowledged; "
			 "check the disk, then restart",
			 s->logs_path);
	else if (e != ERR_ROLLBACK) /* that one was told where it was found */
		log_line(LOG_ERROR,
			 "stopped by a fault: %s (%s); restart, and if it stays, check "
			 "the disk of %s",
			 err_text(e), err_code(e), s->logs_path);
}

enum err server_run(struct server *s, const char *config_path)
{
	struct turn turn = {.next_tick = mono_now()};
	enum err e = ERR_OK;

	while (e == ERR_OK && !turn.stop)
		e = take_turn(s, &turn, config_path);
	refusals_tell(&s->refusals, &s->machine, network_rejected(s->network) - s->rejected_before);
	if (e != ERR_OK)
		say_fault(s, e);
	return e;
}
