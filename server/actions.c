/* Performs what the protocol machine decides: the only place where its decisions meet
 * disk and network. */
#include <string.h>

#include "base/log.h"
#include "server/bundles.h"
#include "server/server.h"

bool server_is_fatal(enum err e)
{
	return e == ERR_SYNC || e == ERR_IO || e == ERR_CORRUPT || e == ERR_INTERNAL ||
	       e == ERR_ROLLBACK;
}

enum {
	TROUBLE_QUIET_MS = 10000,
	DEAF_MS = 5000, /* a peer whose answers pile up for so long does not read */
};

/* ---- peers that are cut off ---- */

/* What was said to a peer that is cut off leaves first; an older session's connection has nothing
 * more to hear. */
static void perform_close(struct server *s, const struct server_action *action)
{
	const struct trusted *entry = trust_log(&s->trust, action->log);

	if (!entry)
		return;
	endpoint_end(s->router, entry->user, action->connection,
		     action->cut_off ? CUT_OFF_GRACE_MS : 0);
	if (action->cut_off)
		intake_drop(&s->intake, (size_t)(entry - s->trust.entries));
	if (action->cut_off && s->feed.publisher)
		endpoint_end(s->feed.publisher, entry->user, action->connection, 0);
}

void server_overrun(void *context, const char *user)
{
	struct server *s = context;
	const struct trusted *entry = trust_user(&s->trust, user);
	uint64_t newest = network_admitted(s->network);

	endpoint_end(s->router, user, newest, 0);
	if (!entry)
		return;
	intake_drop(&s->intake, (size_t)(entry - s->trust.entries));
	server_machine_cut_off(&s->machine, entry->card.log, newest, wall_now());
}

/* Answers wait in memory for a peer that does not read them: not for long. */
static void note_sent(struct server *s, struct log_name log, bool taken)
{
	const struct trusted *entry = trust_log(&s->trust, log);
	struct mono_ms *deaf = entry ? &s->deaf_since[entry - s->trust.entries] : NULL;
	struct mono_ms now = mono_now();

	if (!deaf)
		return;
	if (taken) {
		deaf->ms = 0;
	} else if (deaf->ms == 0) {
		*deaf = now;
	} else if (now.ms - deaf->ms >= DEAF_MS) {
		deaf->ms = 0;
		server_overrun(s, entry->user);
	}
}

/* ---- sending ---- */

enum err server_try_send(struct server *s, struct bytes peer, struct log_name log,
			 const struct wire_header *header, const struct bytes *more, size_t count)
{
	struct bytes frames[2 + COMMIT_FRAMES_MAX];
	enum err e = ERR_OK;

	buf_clear(&s->out);
	e = wire_encode(header, &s->out);
	if (e == ERR_OK) {
		frames[0] = buf_bytes(&s->out);
		for (size_t i = 0; i < count; i++)
			frames[1 + i] = more[i];
		e = endpoint_send(s->router, peer, frames, 1 + count);
	}
	if (e == ERR_OK || e == ERR_AGAIN)
		note_sent(s, log, e == ERR_OK);
	return e;
}

void server_send(struct server *s, struct bytes peer, struct log_name log,
		 const struct wire_header *header, const struct bytes *more, size_t count)
{
	enum err e = server_try_send(s, peer, log, header, more, count);

	/* A peer that is gone or does not read asks again when it is back. */
	if (e != ERR_OK && e != ERR_CLOSED)
		log_line(LOG_DEBUG, "log %s: an answer was not sent: %s", log.text, err_text(e));
}

static void send_frames(struct server *s, const struct server_action *action,
			const struct wire_header *header, const struct bytes *more, size_t count)
{
	server_send(s, bytes_of(action->peer, action->peer_size), action->log, header, more, count);
}

static void perform_send(struct server *s, const struct server_action *action)
{
	const struct log *log = action->with_newest ? archive_log(&s->archive, action->log) : NULL;
	struct txn *read = NULL;
	struct bytes note = {NULL, 0};
	uint64_t size = 0;
	enum err e = ERR_OK;

	if (action->header.kind == WIRE_REFUSED)
		refusals_note(&s->refusals, &s->machine, action->log, action->header.code,
			      action->header.text);
	/* Read outside the turn's transaction: what is not on disk is told to nobody. */
	if (log)
		e = txn_begin(s->archive.store, false, &read);
	if (log && e == ERR_OK)
		e = log_newest(log, read, &size, &note);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		log_line(LOG_ERROR, "log %s: its newest checkpoint cannot be read: %s",
			 action->log.text, err_text(e));
	send_frames(s, action, &action->header, &note, note.size ? 1 : 0);
	txn_abort(read);
}

/* The next chunk from `from` on, or count 0 when there is nothing. */
static enum err send_chunk(struct server *s, const struct server_action *action,
			   const struct log *log, struct txn *read)
{
	struct wire_header header = {.kind = WIRE_RANGE,
				     .session = action->session,
				     .log = action->log,
				     .from = action->from};
	struct bytes frames[1 + COMMIT_FRAMES_MAX];
	struct bundles bundles = {.count = 0};
	uint64_t size = 0;
	size_t count = 0;
	enum err e = log_chunk(log, read, action->from, &size, &frames[0]);

	if (e == ERR_OK) {
		header.count = (uint32_t)(size - action->from);
		e = bundles_read(&bundles, log, read, action->from, header.count);
		count = 1 + bundles_frames(&bundles, frames + 1);
	} else if (e == ERR_NOT_FOUND) {
		e = ERR_OK;
	}
	if (e == ERR_OK)
		send_frames(s, action, &header, frames, count);
	bundles_free(&bundles);
	return e;
}

static void perform_send_range(struct server *s, const struct server_action *action)
{
	const struct log *log = archive_log(&s->archive, action->log);
	struct wire_header refused = {.kind = WIRE_REFUSED, .session = action->session};
	struct txn *read = NULL;
	enum err e = ERR_OK;

	/* A node takes an erased event only when it holds the act. */
	if (server_duties_wait(s, action->log)) {
		server_machine_fetch_later(&s->machine, action->log, action->from);
		return;
	}
	e = log ? txn_begin(s->archive.store, false, &read) : ERR_NOT_FOUND;
	if (e == ERR_OK)
		e = send_chunk(s, action, log, read);
	txn_abort(read);
	if (e == ERR_OK)
		return;
	log_line(LOG_ERROR,
		 "log %s: events from %llu on cannot be read (%s); if they are damaged, stop the "
		 "server and put a backup of %s back",
		 action->log.text, (unsigned long long)action->from, err_text(e), s->logs_path);
	refused.code = e;
	(void)strncpy(refused.text, "the server cannot read these events", sizeof refused.text - 1);
	send_frames(s, action, &refused, NULL, 0);
}

/* ---- storing ---- */

static int64_t us_between(struct wall_ms from, struct wall_ms to)
{
	int64_t us = 0;

	if (__builtin_sub_overflow(to.ms, from.ms, &us) || __builtin_mul_overflow(us, 1000, &us))
		return INT64_MAX;
	return us;
}

/* The event that names other keys makes them the trusted ones, by an act of its editor. */
static enum err rotate(struct server *s, const struct server_action *action, struct txn *write,
		       struct wall_ms now)
{
	const struct commit *c = action->commit;
	struct trusted *entry = trust_log(&s->trust, action->log);
	struct arena arena = {.head = NULL};
	struct event event;
	enum err e = entry ? event_decode(c->events[c->count - 1], &arena, &event) : ERR_INTERNAL;

	if (e == ERR_OK) {
		const struct national_entry act = {.recorded = now,
						   .kind = NATIONAL_ACT,
						   .log = action->log,
						   .act = "rotate",
						   .by = event.editor,
						   .reason = event.reason,
						   .document = event.document,
						   .index = c->from + c->count - 1};

		e = trust_stage_keys(&s->trust, write, entry, &c->next, event.document);
		if (e == ERR_OK)
			e = archive_act(&s->archive, &act);
		if (e == ERR_OK)
			log_line(LOG_NOTICE, "log %s: its keys are others from event %llu on",
				 action->log.text, (unsigned long long)act.index);
	}
	arena_free(&arena);
	return e;
}

/* How old its events are. */
static void note_arrivals(struct server *s, const struct commit *c, struct wall_ms now)
{
	for (uint32_t i = 0; i < c->count; i++) {
		struct wall_ms recorded;

		if (c->events[i].size > 0 && event_time(c->events[i], &recorded) == ERR_OK)
			histogram_note(&s->latencies.arriving, us_between(recorded, now));
	}
}

static enum err perform_append(struct server *s, const struct server_action *action,
			       struct wall_ms now)
{
	const struct commit *c = action->commit;
	struct txn *write = NULL;
	enum err e = archive_accept(&s->archive, action->log, now, c->events, c->count, c->note);

	note_arrivals(s, c, now);
	if (e == ERR_OK && c->rotates)
		e = archive_write(&s->archive, &write);
	if (e == ERR_OK && c->rotates)
		e = rotate(s, action, write, now);
	return e;
}

/* Both notes stay as evidence; the log goes no further here. */
static enum err freeze(struct server *s, const struct server_action *action, struct txn *write,
		       struct wall_ms now, const struct buf *other)
{
	struct log *national = s->archive.national;
	const struct log *log = archive_log(&s->archive, action->log);
	const struct log_standing frozen = {.state = LOG_FROZEN, .size = UINT64_MAX};
	struct trusted *entry = trust_log(&s->trust, action->log);
	struct national_entry act = {.recorded = now,
				     .kind = NATIONAL_ACT,
				     .log = action->log,
				     .size = log ? log->tree.size : 0,
				     .act = "freeze",
				     .by = "server",
				     .reason = "two histories of this log",
				     .document = action->note,
				     .other = buf_bytes(other)};
	enum err e = entry ? ERR_OK : ERR_INTERNAL;

	if (e == ERR_OK)
		e = evidence_put(&s->evidence, write, action->log, national->tree.size,
				 action->note, buf_bytes(other));
	if (e == ERR_OK)
		e = trust_stage(&s->trust, write, entry, frozen);
	if (e == ERR_OK)
		e = archive_act(&s->archive, &act);
	return e;
}

static enum err perform_freeze(struct server *s, const struct server_action *action,
			       struct wall_ms now)
{
	const struct log *log = archive_log(&s->archive, action->log);
	struct txn *write = NULL;
	struct bytes newest = {NULL, 0};
	struct buf other = {.data = NULL};
	uint64_t size = 0;
	enum err e = log ? archive_write(&s->archive, &write) : ERR_INTERNAL;

	if (e == ERR_OK) {
		e = log_newest(log, write, &size, &newest);
		if (e == ERR_NOT_FOUND)
			e = ERR_OK;
	}
	if (e == ERR_OK) {
		buf_add_bytes(&other, newest);
		e = buf_check(&other);
	}
	if (e == ERR_OK)
		e = freeze(s, action, write, now, &other);
	buf_free(&other);
	if (e == ERR_OK)
		log_line(LOG_ERROR,
			 "log %s: FROZEN at size %llu: its node showed another history. Both "
			 "signed notes are kept in the national log. Compare with the office; the "
			 "history here goes on by `splotctl release %s`, another one in a new log "
			 "(such as %.2s/2)",
			 action->log.text, (unsigned long long)size, action->log.text,
			 action->log.text);
	return e;
}

/* Our own key signed what our log does not contain: whatever is done on this store from here on
 * would be a second history. */
static enum err perform_rolled_back(struct server *s, const struct server_action *action)
{
	const struct log_name national = s->archive.national->name;
	struct checkpoint checkpoint = {.size = 0};
	struct txn *write = NULL;
	enum err e = archive_abort(&s->archive); /* nothing of the turn was told to anybody */

	trust_settle(&s->trust, false);
	if (e == ERR_OK)
		e = log_note_read(action->note, &checkpoint);
	if (e == ERR_OK)
		e = archive_write(&s->archive, &write);
	if (e == ERR_OK)
		e = evidence_put(&s->evidence, write, national, checkpoint.size, action->note,
				 buf_bytes(&s->archive.note));
	if (e == ERR_OK)
		e = archive_commit(&s->archive);
	log_line(LOG_ERROR,
		 "rollback: the node of log %s witnessed a national checkpoint of size %llu that "
		 "this server's key signed, and the national log here (size %llu) does not "
		 "contain it: %s was put back from an old copy, or another server speaks with "
		 "these keys. %s; stopping. Put the newest copy back; if there is none, the "
		 "national log begins anew in an empty folder: `splotctl keygen --server "
		 "%s/national/%s/%u`",
		 action->log.text, (unsigned long long)checkpoint.size,
		 (unsigned long long)s->archive.size, s->logs_path,
		 e == ERR_OK ? "Both notes are kept (`splotctl audit evidence`)"
			     : "The note could not be kept",
		 s->realm, s->name, s->generation + 1);
	return ERR_ROLLBACK;
}

/* ---- the step ---- */

/* What belongs to the turn's transaction. */
static enum err perform_store(struct server *s, const struct server_action *action,
			      struct wall_ms now)
{
	switch (action->kind) {
	case SERVER_APPEND:
		return perform_append(s, action, now);
	case SERVER_FREEZE:
		return perform_freeze(s, action, now);
	case SERVER_COSIGNED:
		if (action->from == s->machine.round_size)
			histogram_note(&s->latencies.witness, us_between(s->machine.round_at, now));
		return server_keep_line(s, action);
	case SERVER_ROLLED_BACK:
		return perform_rolled_back(s, action);
	case SERVER_SEND:
	case SERVER_SEND_RANGE:
	case SERVER_CLOSE:
	case SERVER_OFFER:
	case SERVER_SEND_DUTIES:
		break;
	}
	return ERR_OK;
}

static void perform_sending(struct server *s, const struct server_action *action)
{
	switch (action->kind) {
	case SERVER_SEND:
		perform_send(s, action);
		break;
	case SERVER_SEND_RANGE:
		perform_send_range(s, action);
		break;
	case SERVER_CLOSE:
		perform_close(s, action);
		break;
	case SERVER_OFFER:
		server_send_offer(s, action);
		break;
	case SERVER_SEND_DUTIES:
		server_send_duties(s, bytes_of(action->peer, action->peer_size), action->log,
				   action->session);
		break;
	case SERVER_APPEND:
	case SERVER_FREEZE:
	case SERVER_COSIGNED:
	case SERVER_ROLLED_BACK:
		break;
	}
}

/* In order; after a failure nothing more is stored. */
static enum err perform(struct server *s, struct wall_ms now)
{
	enum err failed = ERR_OK;

	for (size_t i = 0; i < s->update.count && failed != ERR_ROLLBACK; i++) {
		const struct server_action *action = &s->update.actions[i];

		if (failed == ERR_OK)
			failed = perform_store(s, action, now);
		perform_sending(s, action);
	}
	return failed;
}

/* While the disk stays full, nodes try again and again: one line is enough. */
static void say_trouble(struct server *s, enum err e, struct wall_ms now)
{
	int64_t quiet_ms = now.ms - s->trouble_told.ms;

	if (quiet_ms >= 0 && quiet_ms < TROUBLE_QUIET_MS)
		return;
	s->trouble_told = now;
	if (e == ERR_DISK_FULL)
		log_line(LOG_ERROR,
			 "logs: no room on the disk of %s; commits are refused, reads go on; make "
			 "room, nothing else is needed",
			 s->logs_path);
	else if (e == ERR_MAP_FULL)
		log_line(LOG_ERROR, "logs: the map is full and may not grow; commits are refused, "
				    "reads go on; raise map-max-mib and restart");
	else
		log_line(LOG_ERROR, "logs: commits could not be stored: %s", err_text(e));
}

/* What the nodes are told after a failure, once it was healed as far as it can be. */
static enum err heal(struct server *s, enum err e, struct wall_ms now)
{
	if (e == ERR_MAP_FULL) {
		e = store_grow(s->archive.store);
		if (e == ERR_OK) {
			log_line(LOG_NOTICE, "logs: the map was full and has grown");
			return ERR_BUSY; /* they send again at once */
		}
		e = e == ERR_LIMIT ? ERR_MAP_FULL : e;
	}
	say_trouble(s, e, now);
	return e == ERR_NOMEM ? ERR_BUSY : e;
}

/* Nothing of the turn's transaction stands: the machine and the nodes learn it. */
static enum err turn_failed(struct server *s, enum err e, struct wall_ms now)
{
	struct server_event event = {.kind = SERVER_EV_FAILED, .now = now};
	enum err undone = archive_abort(&s->archive);

	trust_settle(&s->trust, false);
	s->latencies.arriving = (struct histogram){.sum_us = 0};
	if (server_is_fatal(e))
		return e;
	if (undone != ERR_OK)
		return ERR_CORRUPT;
	event.code = heal(s, e, now);
	if (server_is_fatal(event.code))
		return event.code;
	server_step(&s->machine, &event, &s->update);
	return perform(s, now) == ERR_OK ? ERR_OK : ERR_INTERNAL;
}

enum err server_tell(struct server *s, const struct server_event *event)
{
	enum err e = ERR_OK;

	server_step(&s->machine, event, &s->update);
	e = perform(s, event->now);
	return e == ERR_OK ? ERR_OK : turn_failed(s, e, event->now);
}

void server_wake_threads(struct server *s)
{
	s->telling.changed = true;
	server_follow_trust(s);
	folder_wake(&s->folder, s->archive.size);
	exporting_wake(&s->exporting);
}

enum err server_store_turn(struct server *s, struct wall_ms now)
{
	struct server_event stored = {.kind = SERVER_EV_STORED, .now = now};
	uint64_t from = s->archive.size;
	int64_t begun_us = s->archive.begun_us;
	enum err e = ERR_OK;

	if (!s->archive.write)
		return ERR_OK;
	e = archive_commit(&s->archive);
	if (e != ERR_OK)
		return turn_failed(s, e, now);
	histogram_note(&s->latencies.store, mono_us() - begun_us);
	histogram_add(&s->latencies.arrival, &s->latencies.arriving);
	s->latencies.arriving = (struct histogram){.sum_us = 0};
	trust_settle(&s->trust, true);
	server_wake_threads(s);
	stored.national_size = s->archive.size;
	e = server_tell(s, &stored);
	if (e == ERR_OK) {
		e = feed_publish(&s->feed, &s->archive, from);
		if (e != ERR_OK)
			log_line(LOG_ERROR, "feed: entries from %llu on were not published: %s",
				 (unsigned long long)from, err_text(e));
		e = server_is_fatal(e) ? e : ERR_OK;
	}
	return e;
}
