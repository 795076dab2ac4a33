#include "session/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session/server_turn.h"

/* ---- the table of logs ---- */

enum err server_machine_init(struct server_machine *m, const char *realm,
			     const struct vkey *national, uint64_t credit_bytes,
			     struct server_lookup lookup)
{
	size_t size = strlen(realm);

	if (size == 0 || size > REALM_BYTES_MAX || credit_bytes < COMMIT_BYTES_MAX)
		return ERR_ARGUMENT;
	*m = (struct server_machine){.national = *national,
				     .credit_bytes = credit_bytes,
				     .commit_events = COMMIT_EVENTS_ASKED,
				     .commit_bytes = COMMIT_BYTES_ASKED,
				     .work_per_s = (uint64_t)PEER_WORK_MIB_PER_S * 1024 * 1024,
				     .work_burst = (uint64_t)PEER_WORK_MIB_BURST * 1024 * 1024,
				     .round_ms = SERVER_ROUND_MS,
				     .lookup = lookup};
	memcpy(m->realm, realm, size + 1);
	m->logs = calloc(LOGS_MAX, sizeof(*m->logs));
	m->events = calloc(COMMIT_EVENTS_MAX, sizeof(*m->events));
	if (!m->logs || !m->events) {
		server_machine_free(m);
		return ERR_NOMEM;
	}
	return ERR_OK;
}

void server_machine_free(struct server_machine *m)
{
	free(m->logs);
	free(m->events);
	arena_free(&m->arena);
	*m = (struct server_machine){0};
}

struct server_log *server_machine_log(struct server_machine *m, struct log_name log)
{
	for (size_t i = 0; i < m->log_count; i++) {
		if (log_name_equal(m->logs[i].card.log, log))
			return &m->logs[i];
	}
	return NULL;
}

enum err server_machine_enrol(struct server_machine *m, const struct card *card,
			      const struct tree *durable, enum server_log_state state)
{
	struct server_log *log = server_machine_log(m, card->log);

	if (card->server || strcmp(card->realm, m->realm) != 0)
		return ERR_ARGUMENT;
	if (!log) {
		if (m->log_count == LOGS_MAX)
			return ERR_LIMIT;
		log = &m->logs[m->log_count++];
		*log = (struct server_log){0};
	}
	server_end_session(log);
	log->card = *card;
	log->state = state;
	log->freezing = false;
	log->rotating = false;
	log->cosigning = 0;
	log->stands = UINT64_MAX;
	log->durable = *durable;
	log->pending = *durable;
	return ERR_OK;
}

enum err server_machine_revoke(struct server_machine *m, struct log_name name)
{
	struct server_log *log = server_machine_log(m, name);

	if (!log)
		return ERR_NOT_FOUND;
	server_end_session(log);
	log->state = LOG_REVOKED;
	log->freezing = false;
	return ERR_OK;
}

enum err server_machine_release(struct server_machine *m, struct log_name name)
{
	struct server_log *log = server_machine_log(m, name);

	if (!log)
		return ERR_NOT_FOUND;
	if (log->state != LOG_FROZEN)
		return ERR_ARGUMENT;
	server_end_session(log);
	log->state = LOG_ACTIVE;
	log->freezing = false;
	log->stands = UINT64_MAX;
	return ERR_OK;
}

enum err server_machine_freeze(struct server_machine *m, struct log_name name)
{
	struct server_log *log = server_machine_log(m, name);

	if (!log)
		return ERR_NOT_FOUND;
	server_end_session(log);
	if (log->state == LOG_ACTIVE)
		log->state = LOG_FROZEN;
	log->freezing = false;
	return ERR_OK;
}

/* ---- answers ---- */

struct server_action *server_add(struct server_update *ret, enum server_action_kind kind)
{
	struct server_action *a = NULL;

	if (ret->count == SERVER_ACTIONS_MAX)
		return NULL;
	a = &ret->actions[ret->count++];
	*a = (struct server_action){.kind = kind};
	return a;
}

struct server_action *server_add_to(const struct server_log *log, struct server_update *ret,
				    enum server_action_kind kind)
{
	struct server_action *a = server_add(ret, kind);

	if (!a)
		return NULL;
	memcpy(a->peer, log->peer, sizeof(a->peer));
	a->peer_size = log->peer_size;
	a->log = log->card.log;
	a->session = log->session;
	return a;
}

static struct server_action *send_to(const struct server_log *log, struct server_update *ret,
				     enum wire_kind kind)
{
	struct server_action *a = server_add_to(log, ret, SERVER_SEND);

	if (!a)
		return NULL;
	a->header.kind = kind;
	a->header.session = log->session;
	return a;
}

void server_refuse(struct server_log *log, struct server_update *ret, enum err code,
		   const char *text)
{
	struct server_action *a = send_to(log, ret, WIRE_REFUSED);

	log->refused[code]++;
	if (!a)
		return;
	a->header.code = code;
	a->header.size = log->pending.size;
	(void)snprintf(a->header.text, sizeof(a->header.text), "%s: %s", err_text(code), text);
}

static void ack(const struct server_machine *m, struct server_log *log, struct server_update *ret)
{
	struct server_action *a = send_to(log, ret, WIRE_ACK);

	log->ack_due = false;
	log->credit_left += log->taken;
	log->taken = 0;
	if (!a)
		return;
	a->header.size = log->agreed < log->durable.size ? log->agreed : log->durable.size;
	a->header.credit = m->credit_bytes;
}

static void welcome(const struct server_machine *m, struct server_log *log,
		    struct server_update *ret)
{
	struct server_action *a = send_to(log, ret, WIRE_WELCOME);

	log->welcome_due = false;
	log->anchor_size = log->claimed < log->durable.size ? log->claimed : log->durable.size;
	if (!a)
		return;
	a->header.size = log->durable.size;
	a->header.credit = m->credit_bytes;
	a->header.commit_events = m->commit_events;
	a->header.commit_bytes = m->commit_bytes;
	a->with_newest = log->durable.size > 0;
	(void)server_add_to(log, ret, SERVER_SEND_DUTIES);
}

void server_end_session(struct server_log *log)
{
	log->open = false;
	log->anchored = false;
	log->ack_due = false;
	log->lost = false;
	log->welcome_due = false;
	log->fetch_due = false;
	log->credit_left = 0;
	log->taken = 0;
	log->agreed = 0;
	log->offered = 0;
	log->offered_twice = false;
	log->declined = false;
	log->declined_text[0] = '\0';
}

/* ---- what became of the transaction ---- */

/* What the log's transaction brought besides events. */
static void take_up(struct server_log *log)
{
	if (log->rotating)
		log->card = log->next;
	log->rotating = false;
	if (log->cosigning > log->cosigned) {
		log->cosigned = log->cosigning;
		log->cosigned_at = log->cosigning_at;
		log->declined_text[0] = '\0';
		if (log->witnessed < log->cosigned)
			log->witnessed = log->cosigned;
	}
	log->cosigning = 0;
}

void server_answer_due(const struct server_machine *m, struct server_log *log, struct wall_ms now,
		       struct server_update *ret)
{
	if ((!log->ack_due && !log->welcome_due) || log->pending.size != log->durable.size ||
	    !server_paid(m, log, now))
		return;
	if (log->ack_due)
		ack(m, log, ret);
	if (log->welcome_due)
		welcome(m, log, ret);
}

bool server_machine_waits(const struct server_machine *m)
{
	for (size_t i = 0; i < m->log_count; i++)
		if (m->logs[i].ack_due || m->logs[i].welcome_due)
			return true;
	return false;
}

static void on_stored(struct server_machine *m, const struct server_event *event,
		      struct server_update *ret)
{
	m->national_size = event->national_size;
	for (size_t i = 0; i < m->log_count; i++) {
		struct server_log *log = &m->logs[i];

		if (log->pending.size != log->durable.size)
			log->last_commit = event->now;
		log->durable = log->pending;
		take_up(log);
		if (log->freezing)
			server_refuse(log, ret, ERR_FORK,
				      "both checkpoints are kept and this log is frozen here; ask "
				      "the administrator of the server");
		log->freezing = false;
		server_answer_due(m, log, event->now, ret);
	}
}

/* Nothing of the turn stands: everybody goes on from what is durable. */
static void on_failed(struct server_machine *m, const struct server_event *event,
		      struct server_update *ret)
{
	for (size_t i = 0; i < m->log_count; i++) {
		struct server_log *log = &m->logs[i];
		bool lost = log->pending.size != log->durable.size;
		bool tell = (lost && log->ack_due) || log->freezing;

		log->pending = log->durable;
		log->rotating = false;
		log->cosigning = 0;
		if (log->agreed > log->durable.size)
			log->agreed = log->durable.size;
		if (log->freezing)
			log->state = LOG_ACTIVE;
		log->freezing = false;
		if (tell) {
			log->ack_due = false;
			log->lost = lost;
			log->credit_left += log->taken;
			log->taken = 0;
			server_refuse(log, ret, event->code,
				      "it could not be stored; send again later, from this size");
		}
		server_answer_due(m, log, event->now, ret);
	}
}

static void on_tick(struct server_machine *m, const struct server_event *event,
		    struct server_update *ret)
{
	for (size_t i = 0; i < m->log_count; i++) {
		struct server_log *log = &m->logs[i];

		if (log->open && event->now.ms - log->last_contact.ms > SERVER_SILENCE_MS)
			server_end_session(log);
		server_answer_due(m, log, event->now, ret);
		server_fetches(log, event->now, ret);
	}
	m->national_size = event->national_size;
	server_round(m, event->now, ret);
}

void server_step(struct server_machine *m, const struct server_event *event,
		 struct server_update *ret)
{
	ret->count = 0;
	switch (event->kind) {
	case SERVER_EV_MESSAGE:
		server_message(m, event, ret);
		break;
	case SERVER_EV_STORED:
		on_stored(m, event, ret);
		break;
	case SERVER_EV_FAILED:
		on_failed(m, event, ret);
		break;
	case SERVER_EV_TICK:
		on_tick(m, event, ret);
		break;
	}
}
