/* What the server says of itself: its logs, its witnesses, what was refused, whom it trusts. */
#include <stdio.h>
#include <string.h>

#include "io/files.h"
#include "server/server.h"

enum { CONTACT_LOST_MS = 10000, VERIFIED_BYTES_MAX = 16 * 1024 };

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

static const char *note_of(const struct server_log *log, struct arena *arena)
{
	char text[TEXT_BYTES_MAX];
	const char *kept = NULL;

	switch (log->state) {
	case LOG_ACTIVE:
		return "";
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
	return ERR_OK;
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

static enum err status_cosigned(struct server *s, struct control_reply *ret)
{
	struct witnessing *w = &s->witnessing;
	enum err e = server_judge_witnesses(s);

	if (e != ERR_OK)
		return e;
	ret->cosigned = buf_bytes(&w->note);
	ret->quorum = w->quorum;
	ret->policy = buf_text(&w->policy_text);
	return ERR_OK;
}

/* The report that `splotctl audit verify` left; none is no fault. */
static enum err status_verified(struct server *s, struct control_reply *ret)
{
	struct buf report = {.data = NULL};
	char path[PATH_MAX];
	const char *kept = "";
	int size = snprintf(path, sizeof path, "%s/verified.json", s->settings.data);

	if (size > 0 && size < (int)sizeof path &&
	    file_read(path, VERIFIED_BYTES_MAX, &report) == ERR_OK)
		kept = arena_text(&s->arena, buf_bytes(&report));
	buf_free(&report);
	ret->verified = kept;
	return kept ? ERR_OK : ERR_NOMEM;
}

/* ---- status ---- */

enum err server_answer_status(struct server *s, const struct control_call *call,
			      const struct control_request *q, struct control_reply *ret)
{
	enum err e = ERR_OK;

	(void)call;
	(void)q;
	ret->role = "server";
	ret->identity = s->name;
	ret->realm = s->realm;
	ret->state = "open";
	ret->note = s->scrub_waits == ERR_OK
			    ? ""
			    : "erased bytes are still in free pages of the logs' store: its disk "
			      "was full, or another program read it; mend that, then restart";
	ret->key = vkey_kept(&s->signer.key, &s->arena);
	ret->position = folder_position(&s->folder);
	ret->started_ms = wall_or_zero(s->started);
	e = ret->key ? status_peers(s, ret) : ERR_NOMEM;
	if (e == ERR_OK)
		e = status_refusals(s, ret);
	if (e == ERR_OK)
		e = status_witnesses(s, ret);
	if (e == ERR_OK)
		e = status_cosigned(s, ret);
	return e == ERR_OK ? status_verified(s, ret) : e;
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
