#include "node/node.h"

#include <string.h>

#include "base/log.h"

/* Encodes at the end of `ret`, or leaves it as it was. */
static enum err encode(struct node *n, const struct control_reply *reply, struct buf *ret)
{
	size_t before = ret->size;
	enum err e = ERR_OK;

	arena_reset(&n->scratch);
	e = control_reply_encode(reply, &n->scratch, ret);
	if (e != ERR_OK)
		ret->size = before;
	return e;
}

void reply_encode(struct node *n, const struct control_reply *reply, struct buf *ret)
{
	struct control_reply cut = *reply;
	enum err e = encode(n, &cut, ret);

	/* Whoever asked can page on, or sees the first of many problems. */
	while (e == ERR_LIMIT && (cut.version_count > 1 || cut.problem_count > 1)) {
		cut.more = true;
		cut.version_count = (cut.version_count + 1) / 2;
		cut.problem_count = (cut.problem_count + 1) / 2;
		e = encode(n, &cut, ret);
	}
	if (e == ERR_OK)
		return;
	cut = answer_plain(e,
			   e == ERR_LIMIT ? "the answer is too long for one reply" : err_text(e));
	if (encode(n, &cut, ret) != ERR_OK)
		log_line(LOG_ERROR, "log %s: a reply could not be written: %s", n->log.name.text,
			 err_text(e));
}

void call_reply(struct node *n, struct open_call *call, const struct control_reply *reply)
{
	buf_clear(&n->reply);
	reply_encode(n, reply, &n->reply);
	control_reply(n->control, call->call.client, buf_bytes(&n->reply));
	call->done = true;
}

static void refuse_verb(struct node *n, struct open_call *call)
{
	struct control_reply reply = answer_plain(
		ERR_ARGUMENT, "a node does not do that: ask the control socket of a server");

	call_reply(n, call, &reply);
}

static void answer(struct node *n, struct open_call *call)
{
	static void (*const handlers[])(struct node *, struct open_call *) = {
		[CONTROL_NONE] = refuse_verb,
		[CONTROL_EDIT] = NULL, /* answered with its batch */
		[CONTROL_QUERY] = query_view,
		[CONTROL_SUMMARY] = query_view,
		[CONTROL_STATUS] = query_status,
		[CONTROL_ENROL] = refuse_verb,
		[CONTROL_REVOKE] = refuse_verb,
		[CONTROL_TRUST] = refuse_verb,
		[CONTROL_WAIVE] = act_waive,
		[CONTROL_ROWS] = query_rows,
		[CONTROL_EVIDENCE] = query_evidence,
		[CONTROL_FREEZE] = refuse_verb,
		[CONTROL_RELEASE] = refuse_verb,
		[CONTROL_REDACT] = refuse_verb,
		[CONTROL_ROTATE] = act_rotate,
		[CONTROL_CONTINUE] = act_continue,
		[CONTROL_WITNESSED] = query_witnessed,
		[CONTROL_FOLLOW] = act_follow,
	};
	unsigned verb = (unsigned)call->request.verb;

	if (verb >= sizeof handlers / sizeof *handlers)
		refuse_verb(n, call);
	else if (handlers[verb])
		handlers[verb](n, call);
}

static void take(struct node *n)
{
	while (n->call_count < CONTROL_CLIENTS_MAX) {
		struct open_call *call = &n->calls[n->call_count];

		*call = (struct open_call){0};
		if (control_next(n->control, &call->call) != ERR_OK)
			return;
		n->call_count++;
	}
}

/* Decodes all open calls (an edit that waited for its turn is decoded again: its texts
 * lived in the arena of the last one).  How many edits there are. */
static size_t decode(struct node *n)
{
	size_t edits = 0;

	arena_reset(&n->requests);
	for (size_t i = 0; i < n->call_count; i++) {
		struct open_call *call = &n->calls[i];
		enum err e = control_request_decode(call->call.body, &n->requests, &call->request);

		if (e != ERR_OK) {
			struct control_reply reply = answer_plain(
				e, control_request_why(call->call.body, e, &n->requests));

			call_reply(n, call, &reply);
		} else if (call->request.verb == CONTROL_EDIT) {
			edits++;
		}
	}
	return edits;
}

static void forget_done(struct node *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n->call_count; i++)
		if (!n->calls[i].done)
			n->calls[kept++] = n->calls[i];
	n->call_count = kept;
}

bool calls_wait(const struct node *n)
{
	return n->call_count > 0;
}

void calls_turn(struct node *n)
{
	take(n);
	if (!n->call_count)
		return;
	if (decode(n) > 0)
		edits_turn(n);
	for (size_t i = 0; i < n->call_count && n->fault == ERR_OK; i++)
		if (!n->calls[i].done)
			answer(n, &n->calls[i]);
	forget_done(n);
	take(n); /* what a client sent behind its answered request wakes nobody */
}
