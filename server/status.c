/* What the server says of itself: its logs, its witnesses, what was refused, whom it trusts. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "io/files.h"
#include "server/server.h"

enum {
	CONTACT_LOST_MS = 10000,
	VERIFIED_BYTES_MAX = 16 * 1024,
	/* The view is told so often at least, and after what happened so soon at the latest. */
	TELL_MS = 1000,
	TELL_SOON_MS = 150,
	LATENCIES = 4,
};

/* ---- logs ---- */

static const char *state_of(const struct server_log *log, struct wall_ms now)
{
	switch (log->state) {
	case LOG_FROZEN:
		return "frozen";
	case LOG_REVOKED:
		return "revoked";
	case LOG_ACTIVE:
		break;
	}
	if (!log->open || now.ms - log->last_contact.ms > CONTACT_LOST_MS)
		return "away";
	if (!log->anchored)
		return "connecting";
	return log->claimed > log->durable.size ? "catching-up" : "live";
}

/* Nothing, but for a node that does not cosign. */
static const char *note_of_active(const struct server_log *log, struct arena *arena)
{
	char text[2 * TEXT_BYTES_MAX];
	const char *kept = NULL;

	if (!log->declined_text[0])
		return "";
	(void)snprintf(text, sizeof text, "its node does not witness the national log: %s",
		       log->declined_text);
	kept = arena_text(arena, bytes_of_text(text));
	return kept ? kept : "";
}

static const char *note_of(const struct server_log *log, struct arena *arena)
{
	char text[TEXT_BYTES_MAX];
	const char *kept = NULL;

	switch (log->state) {
	case LOG_ACTIVE:
		return note_of_active(log, arena);
	case LOG_REVOKED:
		return "revoked by an administrator: its keys are not heard again; the office "
		       "makes new keys for a new log";
	case LOG_FROZEN:
		break;
	}
	(void)snprintf(text, sizeof text,
		       "frozen by an administrator, or because two signed histories of it exist "
		       "(`splotctl audit evidence`); compare with the office; it goes on by "
		       "`splotctl release %s`, or in a new log (such as %.2s/2)",
		       log->card.log.text, log->card.log.text);
	kept = arena_text(arena, bytes_of_text(text));
	return kept ? kept : "frozen";
}

static uint64_t wall_or_zero(struct wall_ms t)
{
	return t.ms > 0 ? (uint64_t)t.ms : 0;
}

/* Its newest checkpoint, copied; empty for a log without one. */
static enum err checkpoint_of(struct server *s, struct txn *read, struct log_name name,
			      struct bytes *ret)
{
	const struct log *log = archive_log(&s->archive, name);
	struct bytes note = {NULL, 0};
	uint64_t size = 0;
	enum err e = log ? log_newest(log, read, &size, &note) : ERR_NOT_FOUND;

	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	return e == ERR_OK ? arena_bytes(&s->arena, note, ret) : e;
}

static enum err status_checkpoints(struct server *s, struct peer_row *rows, size_t count)
{
	struct txn *read = NULL;
	enum err e = txn_begin(s->archive.store, false, &read);

	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = checkpoint_of(s, read, s->machine.logs[i].card.log, &rows[i].checkpoint);
	txn_abort(read);
	return e;
}

static enum err status_peers(struct server *s, struct control_reply *ret)
{
	const struct server_machine *m = &s->machine;
	struct peer_row *rows = arena_alloc(&s->arena, LOGS_MAX * sizeof *rows);
	struct wall_ms now = wall_now();

	if (!rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < m->log_count; i++) {
		const struct server_log *log = &m->logs[i];

		rows[i] = (struct peer_row){.name = log->card.log.text,
					    .state = state_of(log, now),
					    .size = log->durable.size,
					    .claimed = log->claimed,
					    .last_contact_ms = wall_or_zero(log->last_contact),
					    .last_commit_ms = wall_or_zero(log->last_commit),
					    .note = note_of(log, &s->arena)};
	}
	ret->peers = rows;
	ret->peer_count = m->log_count;
	ret->checkpoint = buf_bytes(&s->archive.note);
	return status_checkpoints(s, rows, m->log_count);
}

static size_t refusal_rows(struct refusal_row *rows, const char *log, const uint64_t *counts)
{
	size_t count = 0;

	for (int code = 0; code < ERR_COUNT; code++) {
		if (counts[code] == 0)
			continue;
		if (rows)
			rows[count] = (struct refusal_row){.log = log,
							   .code = err_code((enum err)code),
							   .count = counts[code]};
		count++;
	}
	return count;
}

static enum err status_refusals(struct server *s, struct control_reply *ret)
{
	const struct server_machine *m = &s->machine;
	uint64_t unknown[ERR_COUNT];
	struct refusal_row *rows = NULL;
	size_t count = 0;

	for (int code = 0; code < ERR_COUNT; code++)
		unknown[code] = m->refused_unknown[code];
	unknown[ERR_UNKNOWN_KEY] += network_rejected(s->network) - s->rejected_before;
	count = refusal_rows(NULL, "", unknown);
	for (size_t i = 0; i < m->log_count; i++)
		count += refusal_rows(NULL, "", m->logs[i].refused);
	rows = arena_alloc(&s->arena, (count + 1) * sizeof *rows);
	if (!rows)
		return ERR_NOMEM;
	count = refusal_rows(rows, "", unknown);
	for (size_t i = 0; i < m->log_count; i++)
		count += refusal_rows(rows + count, m->logs[i].card.log.text, m->logs[i].refused);
	ret->refusals = rows;
	ret->refusal_count = count;
	return ERR_OK;
}

static const char *vkey_kept(const struct vkey *key, struct arena *arena)
{
	char text[VKEY_BYTES];

	vkey_text(key, text);
	return arena_text(arena, bytes_of_text(text));
}

/* ---- witnesses ---- */

static enum err status_witnesses(struct server *s, struct control_reply *ret)
{
	const struct server_machine *m = &s->machine;
	struct witness_row *rows = arena_alloc(&s->arena, LOGS_MAX * sizeof *rows);
	size_t count = 0;

	if (!rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < m->log_count; i++) {
		const struct server_log *log = &m->logs[i];

		if (log->state != LOG_ACTIVE || !server_is_witness(log->card.log))
			continue;
		rows[count] = (struct witness_row){
			.log = log->card.log.text,
			.key = vkey_kept(&log->card.witness_key, &s->arena),
			.size = log->cosigned,
			.at_ms = wall_or_zero(log->cosigned_at),
		};
		if (!rows[count++].key)
			return ERR_NOMEM;
	}
	ret->witnesses = rows;
	ret->witness_count = count;
	return ERR_OK;
}

/* As it was judged last, or anew: that takes some signatures' time. */
static enum err status_cosigned(struct server *s, bool judge, struct control_reply *ret)
{
	struct witnessing *w = &s->witnessing;
	enum err e = judge ? server_judge_witnesses(s) : ERR_OK;

	if (e != ERR_OK)
		return e;
	ret->cosigned = buf_bytes(&w->note);
	ret->quorum = w->quorum;
	ret->policy = buf_text(&w->policy_text);
	return ERR_OK;
}

static bool same_report(const struct report *r, const struct stat *st)
{
	return r->inode == st->st_ino && r->size == st->st_size &&
	       r->changed.tv_sec == st->st_mtim.tv_sec && r->changed.tv_nsec == st->st_mtim.tv_nsec;
}

/* The report that `splotctl audit verify` left; none is no fault. */
static const char *status_verified(struct server *s)
{
	struct report *r = &s->report;
	struct stat st = {.st_size = 0};
	char path[PATH_MAX];
	int size = snprintf(path, sizeof path, "%s/verified.json", s->settings.data);

	if (size < 0 || size >= (int)sizeof path || stat(path, &st) != 0)
		return "";
	if (!same_report(r, &st)) {
		buf_clear(&r->text);
		if (file_read(path, VERIFIED_BYTES_MAX, &r->text) != ERR_OK)
			buf_clear(&r->text);
		r->inode = st.st_ino;
		r->size = st.st_size;
		r->changed = st.st_mtim;
	}
	return buf_text(&r->text);
}

/* ---- latencies ---- */

static void latency_row(const char *name, const struct histogram *h, struct histogram_row *ret)
{
	*ret = (struct histogram_row){
		.name = name, .bound_count = HISTOGRAM_BOUNDS, .sum_us = h->sum_us};
	memcpy(ret->bounds_us, histogram_bounds_us, sizeof histogram_bounds_us);
	memcpy(ret->counts, h->counts, sizeof h->counts);
}

static enum err status_latencies(struct server *s, struct control_reply *ret)
{
	struct histogram_row *rows = arena_alloc(&s->arena, LATENCIES * sizeof *rows);
	struct histogram visible;

	if (!rows)
		return ERR_NOMEM;
	folder_visible(&s->folder, &visible);
	latency_row("store", &s->latencies.store, &rows[0]);
	latency_row("arrival", &s->latencies.arrival, &rows[1]);
	latency_row("visible", &visible, &rows[2]);
	latency_row("witness", &s->latencies.witness, &rows[3]);
	ret->histograms = rows;
	ret->histogram_count = LATENCIES;
	return ERR_OK;
}

/* ---- status ---- */

/* What is to be done; "". */
static const char *status_note(struct server *s)
{
	char text[TEXT_BYTES_MAX + 1] = "";
	const char *kept = NULL;

	if (server_waits(s))
		server_waits_text(s, text, sizeof text);
	else if (s->scrub_waits != ERR_OK)
		return "erased bytes are still in free pages of the logs' store: its disk "
		       "was full, or another program read it; mend that, then restart";
	kept = arena_text(&s->arena, bytes_of_text(text));
	return kept ? kept : "";
}

static enum err fill_status(struct server *s, bool judge, struct control_reply *ret)
{
	enum err e = ERR_OK;

	ret->role = "server";
	ret->identity = s->name;
	ret->realm = s->realm;
	ret->state = server_waits(s) ? "gated" : "open";
	ret->note = status_note(s);
	ret->key = vkey_kept(&s->signer.key, &s->arena);
	ret->position = folder_position(&s->folder);
	ret->started_ms = wall_or_zero(s->started);
	ret->written_ms = wall_or_zero(wall_now());
	ret->interval_ms = TELL_MS;
	ret->verified = status_verified(s);
	e = ret->key ? status_peers(s, ret) : ERR_NOMEM;
	if (e == ERR_OK)
		e = status_refusals(s, ret);
	if (e == ERR_OK)
		e = status_witnesses(s, ret);
	if (e == ERR_OK)
		e = status_cosigned(s, judge, ret);
	return e == ERR_OK ? status_latencies(s, ret) : e;
}

enum err server_answer_status(struct server *s, const struct control_call *call,
			      const struct control_request *q, struct control_reply *ret)
{
	(void)call;
	(void)q;
	return fill_status(s, true, ret);
}

/* ---- status in the view ---- */

static enum err tell(struct server *s, bool judge, const char *state)
{
	struct control_reply reply = {.code = ERR_OK, .text = ""};
	enum err e = ERR_OK;

	arena_reset(&s->arena);
	e = fill_status(s, judge, &reply);
	if (e != ERR_OK)
		return e;
	if (state)
		reply.state = state;
	reply.size = s->archive.size;
	buf_clear(&s->out);
	e = control_reply_encode(&reply, &s->arena, &s->out);
	if (e == ERR_OK)
		folder_say(&s->folder, buf_bytes(&s->out));
	return e;
}

int64_t server_tell_next(const struct server *s)
{
	return s->telling.told.ms + (s->telling.changed ? TELL_SOON_MS : TELL_MS);
}

void server_tell_view(struct server *s, struct mono_ms now)
{
	struct telling *t = &s->telling;
	bool judge = now.ms - t->judged.ms >= TELL_MS;
	enum err e = ERR_OK;

	if (t->told.ms != 0 && now.ms < server_tell_next(s))
		return;
	t->told = now;
	t->changed = false;
	if (judge)
		t->judged = now;
	e = tell(s, judge, NULL);
	if (e != ERR_OK) /* the old one shows its age */
		log_line(LOG_DEBUG, "view: the status was not written: %s", err_text(e));
}

void server_tell_stopped(struct server *s)
{
	if (tell(s, true, "stopped") != ERR_OK)
		log_line(LOG_DEBUG, "view: that the server stopped was not written");
}

/* ---- trust ---- */

static const char *state_name(enum server_log_state state)
{
	static const char *const names[] = {
		[LOG_ACTIVE] = "active", [LOG_FROZEN] = "frozen", [LOG_REVOKED] = "revoked"};

	return names[state];
}

enum err server_answer_trust(struct server *s, const struct control_call *call,
			     const struct control_request *q, struct control_reply *ret)
{
	struct trust_row *rows = arena_alloc(&s->arena, LOGS_MAX * sizeof *rows);

	(void)call;
	(void)q;
	if (!rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->trust.count; i++) {
		const struct trusted *entry = &s->trust.entries[i];

		rows[i] = (struct trust_row){
			.log = entry->card.log.text,
			.state = state_name(entry->now.state),
			.log_key = vkey_kept(&entry->card.log_key, &s->arena),
			.witness_key = vkey_kept(&entry->card.witness_key, &s->arena),
			.curve_key = entry->user,
			.since_ms = wall_or_zero(entry->since),
		};
		if (!rows[i].log_key || !rows[i].witness_key)
			return ERR_NOMEM;
	}
	ret->trust = rows;
	ret->trust_count = s->trust.count;
	return ERR_OK;
}
