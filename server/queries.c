/* The control socket: who may open it may read; what changes something is for
 * administrators (acts.c). */
#include <string.h>

#include "base/log.h"
#include "ledger/answer.h"
#include "ledger/rows.h"
#include "server/acts.h"

/* ---- what is read ---- */

/* As of a moment: the entries recorded until then. */
static enum err resolve_until(struct server *s, struct control_request *q)
{
	struct txn *read = NULL;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (e == ERR_OK)
		e = log_size_at(s->archive.national, read, q->until, &q->at);
	txn_abort(read);
	return e == ERR_OK && q->at == 0 ? ERR_NOT_FOUND : e;
}

static enum err answer_from_view(struct server *s, const struct control_call *call,
				 const struct control_request *q, struct control_reply *ret)
{
	struct control_request now = *q;
	enum err e = ERR_OK;

	(void)call;
	if (q->verb == CONTROL_QUERY && q->at == 0 && q->until.ms != 0)
		e = resolve_until(s, &now);
	if (e == ERR_NOT_FOUND) {
		*ret = answer_plain(e, "the national log begins later than that");
		return ERR_OK;
	}
	if (e == ERR_OK)
		e = txn_begin(s->folder.store, false, &s->view_read);
	return e == ERR_OK ? answer_view(&s->folder.view, s->view_read, &now, &s->arena, ret) : e;
}

static enum err answer_rows(struct server *s, const struct control_call *call,
			    const struct control_request *q, struct control_reply *ret)
{
	(void)call;
	return rows_answer(strcmp(q->name, ROWS_OF_VIEW) == 0 ? s->folder.store : s->archive.store,
			   q, &s->arena, ret);
}

static enum err answer_evidence(struct server *s, const struct control_call *call,
				const struct control_request *q, struct control_reply *ret)
{
	struct txn *read = NULL;
	enum err e = txn_begin(s->archive.store, false, &read);

	(void)call;
	if (e == ERR_OK)
		e = evidence_answer(&s->evidence, read, s->archive.national, q, &s->arena, ret);
	txn_abort(read);
	return e;
}

/* ---- calls ---- */

static const struct call {
	enum control_verb verb;
	bool writes; /* what goes wrong in it may have to end the program */
	enum err (*answer)(struct server *s, const struct control_call *call,
			   const struct control_request *q, struct control_reply *ret);
} calls[] = {
	{CONTROL_QUERY, false, answer_from_view},
	{CONTROL_SUMMARY, false, answer_from_view},
	{CONTROL_STATUS, false, server_answer_status},
	{CONTROL_TRUST, false, server_answer_trust},
	{CONTROL_ROWS, false, answer_rows},
	{CONTROL_EVIDENCE, false, answer_evidence},
	{CONTROL_ENROL, true, server_enrol},
	{CONTROL_REVOKE, true, server_revoke},
	{CONTROL_FREEZE, true, server_freeze},
	{CONTROL_RELEASE, true, server_release},
	{CONTROL_REDACT, true, server_redact},
	{CONTROL_CONTINUE, true, server_continue},
};

static const struct call *call_of(enum control_verb verb)
{
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (calls[i].verb == verb)
			return &calls[i];
	return NULL;
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
	const struct call *found = NULL;
	const char *why = "";
	enum err e = ERR_OK;

	arena_reset(&s->arena);
	e = control_request_decode(call->body, &s->arena, &q);
	if (e != ERR_OK)
		why = control_request_why(call->body, e, &s->arena);
	else
		found = call_of(q.verb);
	if (found)
		e = found->answer(s, call, &q, &reply);
	else if (e == ERR_OK)
		reply = answer_plain(ERR_ARGUMENT,
				     "a server takes no edits and has no keys of a region: ask the "
				     "node of the region (its own control socket)");
	if (e != ERR_OK) {
		log_line(e == ERR_DECODE ? LOG_DEBUG : LOG_WARN, "control: a call failed: %s",
			 err_text(e));
		reply = answer_plain(e, *why ? why : err_text(e));
	}
	send_reply(s, call->client, &reply);
	txn_abort(s->view_read);
	s->view_read = NULL;
	/* A view that cannot be read is told; logs that cannot be written end the program. */
	return found && found->writes && server_is_fatal(e) ? e : ERR_OK;
}
