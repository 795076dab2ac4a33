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
	/* The national log is fetched in commits as well: what one checkpoint covers must fit. */
	TURN_ENTRY_BYTES = COMMIT_BYTES_MAX / 2,
	TICK_MS = 1000,
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

static void refuse_excess(struct server *s, const struct message *m, struct log_name log)
{
	struct server_log *state = server_machine_log(&s->machine, log);
	struct wire_header header = {.kind = WIRE_REFUSED, .code = ERR_LIMIT};
	struct bytes frame = {NULL, 0};

	if (!state)
		return;
	state->refused[ERR_LIMIT]++;
	header.session = state->session;
	header.size = state->durable.size;
	(void)snprintf(header.text, sizeof header.text, "more than %d frames in one message",
		       2 + COMMIT_FRAMES_MAX);
	refusals_note(&s->refusals, &s->machine, log, header.code, header.text);
	buf_clear(&s->out);
	if (wire_encode(&header, &s->out) != ERR_OK)
		return;
	frame = buf_bytes(&s->out);
	if (endpoint_send(s->router, bytes_of(m->peer, m->peer_size), &frame, 1) != ERR_OK)
		log_line(LOG_DEBUG, "log %s: a refusal was not sent", log.text);
}

static enum err take_message(struct server *s, const struct message *m, struct wall_ms now)
{
	struct server_event event = {.kind = SERVER_EV_MESSAGE,
				     .now = now,
				     .peer = bytes_of(m->peer, m->peer_size),
				     .frames = m->frames,
				     .frame_count = m->frame_count};
	/* By the key itself, not by the log's name: a key that was let in and is no more
	 * enrolled speaks for nobody. */
	const struct trusted *trusted = trust_user(&s->trust, m->user);

	if (server_is_cut_off(s, m->peer, m->peer_size))
		return ERR_OK;
	if (!trusted) {
		s->machine.refused_unknown[ERR_UNKNOWN_KEY]++;
		return ERR_OK;
	}
	event.user = trusted->card.log;
	if (m->excess) {
		refuse_excess(s, m, event.user);
		return ERR_OK;
	}
	randombytes_buf(&event.new_session, sizeof event.new_session);
	return server_tell(s, &event);
}

static size_t message_bytes(const struct message *m)
{
	size_t bytes = 0;

	for (size_t i = 0; i < m->frame_count; i++)
		bytes += m->frames[i].size;
	return bytes;
}

static enum err take_messages(struct server *s, struct wall_ms now)
{
	struct message m;
	size_t bytes = 0;
	enum err e = ERR_OK;

	for (int i = 0; i < TURN_MESSAGES && bytes < TURN_BYTES && e == ERR_OK &&
			s->archive.entry_bytes < TURN_ENTRY_BYTES;
	     i++) {
		e = endpoint_receive(s->router, &m);
		if (e != ERR_OK)
			break;
		bytes += message_bytes(&m);
		e = take_message(s, &m, now);
		message_free(&m);
	}
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

static enum err tick(struct server *s, struct turn *turn)
{
	const struct server_event event = {
		.kind = SERVER_EV_TICK, .now = turn->wall, .national_size = s->archive.size};

	if (turn->mono.ms < turn->next_tick.ms)
		return ERR_OK;
	turn->next_tick.ms = turn->mono.ms + TICK_MS;
	feed_tick(&s->feed);
	refusals_tell(&s->refusals, &s->machine, network_rejected(s->network) - s->rejected_before);
	return server_tell(s, &event);
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
	wait_ms = until_ms - mono_now().ms;
	e = network_poll(s->network, items, POLL_CONTROL + controls,
			 wait_ms > 0 ? (long)wait_ms : 0);
	turn->wall = wall_now();
	turn->mono = mono_now();
	if (e == ERR_OK && items[POLL_ROUTER].got) {
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
