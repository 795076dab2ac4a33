/* The administrative act that erases an event: its bytes go, its leaf hash stays. */
#include <string.h>

#include "base/log.h"
#include "server/acts.h"

enum { ANSWERS_LEAVE_MS = 200 };

struct erasure {
	const struct log *log;
	struct redacted what;
	bool here;   /* the event is stored: its bytes are erased */
	bool is_act; /* it says something of the log itself */
};

static enum err write_redaction(struct server *s, struct txn *write, const void *what)
{
	const struct erasure *r = what;
	enum err e = redactions_put(&s->redactions, write, r->log->name, &r->what);

	if (e == ERR_OK && r->here)
		e = log_redact(r->log, write, r->what.index, r->what.leaf);
	if (e == ERR_OK && r->here)
		e = redactions_ask_scrub(&s->redactions, write);
	return e;
}

/* What is stored of the event; NOT_FOUND: it has not come.  EXISTS when an act names this very
 * event; one that named another leaf ahead of it, by mistake, stands in nobody's way. */
static enum err look_at_event(struct server *s, struct txn *read, const struct control_request *q,
			      struct erasure *r)
{
	struct redacted before = {.index = 0};
	struct bytes event = {NULL, 0};
	bool named = false;
	enum err e = redactions_next(&s->redactions, read, r->log->name, r->what.index, &before);

	named = e == ERR_OK && before.index == r->what.index;
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	e = log_leaf(r->log, read, r->what.index, &r->what.leaf);
	r->here = e == ERR_OK;
	if (e == ERR_NOT_FOUND && q->leaf.size == HASH_BYTES)
		memcpy(r->what.leaf.b, q->leaf.data, HASH_BYTES);
	else if (e != ERR_OK)
		return e;
	if (named && hash_equal(before.leaf, r->what.leaf))
		return ERR_EXISTS;
	r->is_act = r->here && log_event(r->log, read, r->what.index, &event) == ERR_OK &&
		    event_is_act(event);
	return ERR_OK;
}

static enum err look(struct server *s, const struct control_request *q, struct erasure *r)
{
	struct txn *read = NULL;
	enum err e = ERR_OK;

	if (r->what.index > INT64_MAX || (q->leaf.size != 0 && q->leaf.size != HASH_BYTES))
		return ERR_ARGUMENT;
	e = txn_begin(s->archive.store, false, &read);
	if (e == ERR_OK)
		e = look_at_event(s, read, q, r);
	txn_abort(read);
	return e;
}

/* False when it was refused. */
static bool redactable(struct server *s, const struct control_request *q, struct erasure *r,
		       struct control_reply *ret, enum err *ret_fault)
{
	const char *log = r->log->name.text;
	unsigned long long index = r->what.index;
	enum err e = look(s, q, r);

	*ret_fault = ERR_OK;
	if (e == ERR_EXISTS)
		(void)act_refuse(s, ret, e, "event %llu of the log %s is redacted already", index,
				 log);
	else if (e == ERR_ARGUMENT)
		(void)act_refuse(s, ret, e,
				 "an event is named by its index and, if at all, by the 32 bytes "
				 "of its leaf hash");
	else if (e == ERR_NOT_FOUND)
		(void)act_refuse(s, ret, e,
				 "the log %s has no event %llu here; to redact it ahead of its "
				 "coming, name its leaf hash as well (--leaf)",
				 log, index);
	else if (e != ERR_OK)
		*ret_fault = e;
	else if (q->leaf.size != 0 && memcmp(r->what.leaf.b, q->leaf.data, HASH_BYTES) != 0)
		(void)act_refuse(s, ret, ERR_ROOT,
				 "event %llu of the log %s has another leaf hash here", index, log);
	else if (r->is_act)
		(void)act_refuse(
			s, ret, ERR_INVALID,
			"event %llu of the log %s says which keys sign that log, or where "
			"it goes on from; without it the log cannot be checked, so it stays",
			index, log);
	else
		return true;
	return false;
}

/* Its node is told at once when it listens, also when its log is frozen; else when it comes back.
 */
static void tell_node(struct server *s, struct log_name log)
{
	const struct server_log *state = server_machine_log(&s->machine, log);
	bool frozen = state && state->state == LOG_FROZEN && state->peer_size > 0;

	if (frozen || (state && state->open && state->anchored))
		server_send_duties(s, bytes_of(state->peer, state->peer_size), log,
				   frozen ? 0 : state->session);
}

enum err server_redact(struct server *s, const struct control_call *call,
		       const struct control_request *q, struct control_reply *ret)
{
	struct national_entry act = {.recorded = wall_now(),
				     .kind = NATIONAL_ACT,
				     .act = "redact",
				     .reason = q->reason,
				     .index = q->index};
	struct erasure r = {.what = {.index = q->index, .act = s->archive.size}};
	enum err e = ERR_OK;

	if (!act_admitted(s, call, q, ret, &act.by))
		return ERR_OK;
	if (!act_log(s, q, ret, &act.log))
		return ERR_OK;
	r.log = archive_log(&s->archive, act.log);
	if (!r.log)
		return ERR_INTERNAL;
	if (!redactable(s, q, &r, ret, &e))
		return e;
	act.leaf = bytes_of(r.what.leaf.b, HASH_BYTES);
	e = act_store(s, &act, write_redaction, &r);
	if (e != ERR_OK)
		return e;
	ret->index = r.what.act;
	log_line(LOG_NOTICE, "log %s: event %llu redacted by %s (national entry %llu)%s",
		 act.log.text, (unsigned long long)act.index, act.by,
		 (unsigned long long)r.what.act,
		 r.here ? "; starting again to scrub its bytes from the files" : "");
	tell_node(s, act.log);
	if (r.here) {
		s->again = true;
		s->stop_at.ms = mono_now().ms + ANSWERS_LEAVE_MS;
	}
	return ERR_OK;
}
