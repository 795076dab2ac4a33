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
	/* Bounds of one turn, so that its transaction, and the wait of the others, stay small. */
	TURN_MESSAGES = 256,
	TURN_BYTES = 4 * 1024 * 1024,
	/* What one log may take of it, so that a flood makes turns short instead of long: some
	 * messages, or one commit of the size that is asked for. */
	TURN_PEER_MESSAGES = 4,
	TURN_PEER_WORK = COMMIT_EVENTS_ASKED * EVENT_WORK_BYTES,
	/* A message so large is work of its own: small ones before it are not to wait for it. */
	TURN_LARGE_BYTES = 64 * 1024,
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

/* What each log took of this turn.  The library hands out one message of each connection after the
 * other: when one comes of a log that has had its share, whoever else had something to say was
 * heard as well, and the turn ends.  (A key that says something over each of its connections ends
 * a few turns early until it is cut off: only one of them has the session.) */
struct shares {
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

/* The work that a message was: what came, what is appended, what was read to answer it (a RANGE is
 * as much as a commit). */
static void take_share(const struct server *s, const struct message *m, struct share *share)
{
	share->messages++;
	share->work += message_bytes(m);
	for (size_t i = 0; i < s->update.count; i++) {
		const struct server_action *a = &s->update.actions[i];

		if (a->kind == SERVER_SEND_RANGE)
			share->work += COMMIT_BYTES_MAX;
		if (a->kind == SERVER_APPEND)
			share->work += a->commit->work;
	}
}

static bool had_its_share(const struct share *share)
{
	return share->messages >= TURN_PEER_MESSAGES || share->work >= TURN_PEER_WORK;
}

static enum err take_message(struct server *s, const struct message *m, struct wall_ms now,
			     struct shares *shares)
{
	struct server_event event = {.kind = SERVER_EV_MESSAGE,
				     .now = now,
				     .peer = bytes_of(m->peer, m->peer_size),
				     .frames = m->frames,
				     .frame_count = m->frame_count,
				     .excess = m->excess,
				     .connection = m->connection,
				     .connections = network_admitted(s->network)};
	/* By the key itself, not by the log's name: a key that was let in and is no more
	 * enrolled speaks for nobody. */
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
	take_share(s, m, &shares->of[trusted - s->trust.entries]);
	if (trusted->now.state == LOG_REVOKED) /* it was told so */
		endpoint_end(s->router, m->user, m->connection, CUT_OFF_GRACE_MS);
	return e;
}

/* Takes the message over. */
static enum err take_one(struct server *s, struct message *m, struct wall_ms now,
			 struct shares *shares)
{
	enum err e = ERR_OK;

	shares->bytes += message_bytes(m);
	e = take_message(s, m, now, shares);
	message_free(m);
	return e;
}

static bool is_full(const struct server *s, const struct shares *shares)
{
	return shares->bytes >= TURN_BYTES || s->archive.entry_bytes >= TURN_ENTRY_BYTES;
}

/* Small ones before it are not to wait for it. */
static bool is_large(size_t bytes, const struct shares *shares)
{
	return bytes >= TURN_LARGE_BYTES && shares->bytes > 0 && shares->bytes < TURN_LARGE_BYTES;
}

enum { NOW, NEXT_TURN, LATER };

/* When a message of this log may be taken.  Nobody's is, to be refused. */
static int due(struct server *s, const struct trusted *of, struct wall_ms now,
	       const struct shares *shares)
{
	if (!of)
		return NOW;
	if (server_machine_owes(&s->machine, of->card.log, now))
		return LATER;
	return had_its_share(&shares->of[of - s->trust.entries]) ? NEXT_TURN : NOW;
}

/* What was put off comes first. */
static enum err take_waiting(struct server *s, struct wall_ms now, struct shares *shares)
{
	bool blocked[LOGS_MAX] = {false};
	size_t log = 0;
	enum err e = ERR_OK;

	s->inbox_ready = false;
	while (e == ERR_OK && !is_full(s, shares) &&
	       (log = inbox_first(&s->inbox, blocked)) != LOGS_MAX) {
		int when = due(s, &s->trust.entries[log], now, shares);

		if (when == NOW) {
			struct message m = inbox_take(&s->inbox, log);

			e = take_one(s, &m, now, shares);
		} else {
			blocked[log] = true;
			s->inbox_ready = s->inbox_ready || when == NEXT_TURN;
		}
	}
	s->inbox_ready = s->inbox_ready || is_full(s, shares);
	return e;
}

/* Takes the message over.  A key has no reason to have more under way than its credit. */
static void put_off(struct server *s, size_t log, struct message *m)
{
	size_t bytes = message_bytes(m);
	bool overrun = s->inbox.of[log].count >= PEER_MESSAGES_BURST ||
		       s->inbox.of[log].bytes + bytes > s->settings.credit_bytes + PEER_AHEAD_BYTES;

	if (!overrun && inbox_add(&s->inbox, log, m, bytes) == ERR_OK)
		return;
	if (overrun)
		server_overrun(s, m->user);
	else /* no memory is no fault of the peer, which says it again over a new connection */
		endpoint_end(s->router, m->user, network_admitted(s->network), 0);
	message_free(m);
}

static enum err take_messages(struct server *s, struct wall_ms now)
{
	struct shares shares = {.bytes = 0};
	struct message m;
	bool go_on = true;
	enum err e = take_waiting(s, now, &shares);

	for (int i = 0; i < TURN_MESSAGES && e == ERR_OK && go_on && !is_full(s, &shares); i++) {
		const struct trusted *of = NULL;
		int when = NOW;

		e = endpoint_receive(s->router, &m);
		if (e != ERR_OK)
			break;
		of = trust_user(&s->trust, m.user);
		when = of && s->inbox.of[of - s->trust.entries].count > 0
			       ? LATER
			       : due(s, of, now, &shares);
		if (of && when == NOW && is_large(message_bytes(&m), &shares))
			when = NEXT_TURN;
		if (when == NOW)
			e = take_one(s, &m, now, &shares);
		else
			put_off(s, (size_t)(of - s->trust.entries), &m);
		if (when == NEXT_TURN) {
			s->inbox_ready = true;
			go_on = false;
		}
	}
	s->inbox_ready = s->inbox_ready && s->inbox.count > 0;
	return e == ERR_AGAIN ? ERR_OK : e;
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
	wait_ms = s->inbox_ready ? 0 : until_ms - mono_now().ms;
	if (wait_ms > WAITS_MS && (server_machine_waits(&s->machine) || s->inbox.count > 0))
		wait_ms = WAITS_MS;
	e = network_poll(s->network, items, POLL_CONTROL + controls,
			 wait_ms > 0 ? (long)wait_ms : 0);
	turn->wall = wall_now();
	turn->mono = mono_now();
	/* Before more is taken of whom they are for, and owes again. */
	if (e == ERR_OK && server_machine_waits(&s->machine))
		e = tell_time(s, turn);
	if (e == ERR_OK && (items[POLL_ROUTER].got || s->inbox.count > 0)) {
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
