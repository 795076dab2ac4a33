/* The control socket: who may open it may read; what changes something is for
 * administrators (acts.c). */
#include <stdio.h>

#include "base/log.h"
#include "ledger/answer.h"
#include "server/server.h"

enum { CONTACT_LOST_MS = 10000 };

/* ---- status ---- */

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
		       "two histories of this log exist, both signed notes are kept; compare with "
		       "the office; what is right goes on in a new log (such as %.2s/2)",
		       log->card.log.text);
	kept = arena_text(arena, bytes_of_text(text));
	return kept ? kept : "two histories of this log exist";
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

static enum err answer_status(struct server *s, struct control_reply *ret)
{
	enum err e = ERR_OK;

	ret->role = "server";
	ret->identity = s->name;
	ret->realm = s->realm;
	ret->state = "open";
	ret->position = folder_position(&s->folder);
	ret->started_ms = wall_or_zero(s->started);
	e = status_peers(s, ret);
	return e == ERR_OK ? status_refusals(s, ret) : e;
}

/* ---- trust ---- */

static const char *state_name(enum server_log_state state)
{
	static const char *const names[] = {
		[LOG_ACTIVE] = "active", [LOG_FROZEN] = "frozen", [LOG_REVOKED] = "revoked"};

	return names[state];
}

static const char *vkey_kept(const struct vkey *key, struct arena *arena)
{
	char text[VKEY_BYTES];

	vkey_text(key, text);
	return arena_text(arena, bytes_of_text(text));
}

static enum err answer_trust(struct server *s, struct control_reply *ret)
{
	struct trust_row *rows = arena_alloc(&s->arena, LOGS_MAX * sizeof *rows);

	if (!rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->trust.count; i++) {
		const struct trusted *entry = &s->trust.entries[i];

		rows[i] = (struct trust_row){
			.log = entry->card.log.text,
			.state = state_name(entry->state),
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

/* ---- calls ---- */

static enum err answer_from_view(struct server *s, const struct control_request *q,
				 struct control_reply *ret, struct txn **ret_read)
{
	enum err e = txn_begin(s->folder.store, false, ret_read);

	return e == ERR_OK ? answer_view(&s->folder.view, *ret_read, q, &s->arena, ret) : e;
}

static void send_reply(struct server *s, unsigned client, struct control_reply *reply)
{
	enum err e = ERR_OK;

	reply->size = s->archive.size;
	buf_clear(&s->out);
	e = control_reply_encode(reply, &s->arena, &s->out);
	if (e != ERR_OK) {
		*reply = answer_plain(e, "the answer is too large; ask for fewer rows at a time");
		buf_clear(&s->out);
		e = control_reply_encode(reply, &s->arena, &s->out);
	}
	if (e == ERR_OK)
		control_reply(s->control, client, buf_bytes(&s->out));
}

enum err server_answer(struct server *s, const struct control_call *call)
{
	struct control_request q = {.verb = CONTROL_NONE};
	struct control_reply reply = answer_plain(ERR_OK, "");
	struct txn *read = NULL;
	enum err e = ERR_OK;

	arena_reset(&s->arena);
	e = control_request_decode(call->body, &s->arena, &q);
	if (e == ERR_OK) {
		switch (q.verb) {
		case CONTROL_QUERY:
		case CONTROL_SUMMARY:
			e = answer_from_view(s, &q, &reply, &read);
			break;
		case CONTROL_STATUS:
			e = answer_status(s, &reply);
			break;
		case CONTROL_TRUST:
			e = answer_trust(s, &reply);
			break;
		case CONTROL_ENROL:
			e = server_enrol(s, call, &q, &reply);
			break;
		case CONTROL_REVOKE:
			e = server_revoke(s, call, &q, &reply);
			break;
		case CONTROL_NONE:
		case CONTROL_EDIT:
		case CONTROL_WAIVE:
			reply = answer_plain(ERR_ARGUMENT,
					     "a server takes no edits and waives nobody: ask the "
					     "node of the region (its own control socket)");
			break;
		}
	}
	if (e != ERR_OK) {
		log_line(e == ERR_DECODE ? LOG_DEBUG : LOG_WARN, "control: a call failed: %s",
			 err_text(e));
		reply = answer_plain(e, err_text(e));
	}
	send_reply(s, call->client, &reply);
	txn_abort(read);
	/* A view that cannot be read is told; logs that cannot be written end the program. */
	if (q.verb == CONTROL_ENROL || q.verb == CONTROL_REVOKE)
		return server_is_fatal(e) ? e : ERR_OK;
	return ERR_OK;
}
