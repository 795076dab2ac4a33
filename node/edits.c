#include "node/node.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

enum {
	/* What stamping adds to a draft: a time and a pseudonym, with their tags. */
	STAMP_BYTES = 16 + EDITOR_BYTES_MAX,
	PROBLEMS_MAX = 500,
	/* A map grows by a share of its size: this many times suffices for any commit. */
	REDO_MAX = 16,
};

/* Keeps a reply until the batch is through: whether it was compared with something that
 * stands is known only then. */
static void outcome_reply(struct node *n, struct outcome *o, struct control_reply *reply)
{
	reply->size = n->log.tree.size;
	reply->position = n->log.tree.size;
	o->reply_at = n->replies.size;
	reply_encode(n, reply, &n->replies);
	o->reply_size = n->replies.size - o->reply_at;
}

static void refuse(struct node *n, struct outcome *o, enum err code, const char *text)
{
	struct control_reply reply = answer_plain(code, text);

	outcome_reply(n, o, &reply);
}

static void refuse_gated(struct node *n, struct outcome *o)
{
	char text[TEXT_BYTES_MAX + 1];

	gate_text(n, text, sizeof text);
	refuse(n, o, ERR_GATED, text);
}

static void refuse_editor(struct node *n, struct outcome *o, const char *account)
{
	char text[TEXT_BYTES_MAX + 1];

	(void)snprintf(text, sizeof text,
		       "the account %.64s may not edit log %s; its administrator adds a line "
		       "\"%.64s = e07\" to [editors] in %.160s and sends the node SIGHUP",
		       account, n->log.name.text, account, n->config_path);
	refuse(n, o, ERR_DENIED, text);
}

static void refuse_problems(struct node *n, struct outcome *o, const struct problems *problems)
{
	char text[TEXT_BYTES_MAX + 1];
	struct control_reply reply;

	(void)snprintf(
		text, sizeof text,
		"%zu problems; nothing was changed; correct what is listed and send it again",
		problems->count + problems->dropped);
	reply = answer_plain(ERR_INVALID,
			     problems->count + problems->dropped == 1
				     ? "nothing was changed; correct what is listed and "
				       "send it again"
				     : text);
	reply.problems = problems->items;
	reply.problem_count = problems->count;
	outcome_reply(n, o, &reply);
}

/* The model takes an event without a source (old papers have none); an editor names one. */
static enum err require_source(const struct event *draft, struct arena *arena,
			       struct problems *problems)
{
	const struct problem p = {
		.column = "source",
		.value = "",
		.code = "required",
		.text_pl = "Podaj dokument, z którego wynika zmiana.",
		.text_en = "Name the document that the change follows.",
	};

	if (!text_is_blank(draft->source))
		return ERR_OK;
	return problem_add(problems, arena, &p);
}

/* The field rules, and what every server's append refuses.  True when the draft passes;
 * else it is refused. */
static bool passes_rules(struct node *n, const struct event *draft, struct outcome *o)
{
	struct problems problems = {.limit = PROBLEMS_MAX};
	enum err e = validate_event(draft, n->region, &n->terc, &n->arena, &problems);

	if (e == ERR_OK)
		e = require_source(draft, &n->arena, &problems);
	if (e != ERR_OK) {
		refuse(n, o, e, err_text(e));
		return false;
	}
	if (problems.count || problems.dropped) {
		refuse_problems(n, o, &problems);
		return false;
	}
	if (!draft->change_count) {
		refuse(n, o, ERR_INVALID, "an edit changes at least one record; this one has none");
		return false;
	}
	e = event_check_owner(draft, n->region);
	if (e != ERR_OK) {
		refuse(n, o, e, err_text(e));
		return false;
	}
	return true;
}

/* Whether the edit fits what the register holds, edits of this batch included. */
static bool passes_register(struct node *n, struct batch *b, const struct event *draft,
			    struct outcome *o)
{
	struct control_reply reply;
	enum err store = ERR_OK;
	enum err e = draft_compare(&n->view, b->txn, draft, &n->arena, &reply, &store);

	if (e == ERR_OK)
		return true;
	if (store != ERR_OK) {
		log_line(LOG_ERROR, "log %s: an edit could not be compared with the register: %s",
			 n->log.name.text, err_text(store));
		refuse(n, o, store, err_text(store));
		return false;
	}
	outcome_reply(n, o, &reply);
	return false;
}

/* Stamps and appends.  The error is one of the batch; what concerns this edit alone is
 * refused. */
static enum err accept(struct node *n, struct batch *b, struct event *draft, struct outcome *o)
{
	struct wall_ms now = wall_now();
	enum err e = ERR_OK;

	draft->recorded = now.ms > n->last_recorded.ms ? now : n->last_recorded;
	arena_reset(&n->scratch);
	buf_clear(&n->encoded);
	e = event_encode(draft, &n->scratch, &n->encoded);
	if (e != ERR_OK) {
		refuse(n, o, e,
		       e == ERR_LIMIT ? "an edit holds at most 65,535 bytes; send it in parts"
				      : err_text(e));
		return ERR_OK;
	}
	e = batch_divide(n, b, n->encoded.size);
	if (e != ERR_OK)
		return e;
	o->index = n->log.tree.size;
	o->accepted = true;
	return batch_append(n, b, buf_bytes(&n->encoded), draft);
}

static void refuse_undecoded(struct node *n, struct outcome *o, struct bytes draft, enum err e)
{
	struct buf text = {0};
	struct over over;

	if (e == ERR_LIMIT && event_over(draft, &over))
		over_tell(&over, &text);
	else
		buf_add_text(&text, e == ERR_LIMIT
					    ? "the edit is over a bound: it may have 1,024 "
					      "records, an id of it 128 bytes, a field 8,192"
					    : "the edit does not decode; use the splotctl of "
					      "this release");
	refuse(n, o, e, buf_text(&text));
	buf_free(&text);
}

static enum err edit_one(struct node *n, struct batch *b, const struct open_call *call,
			 struct outcome *o)
{
	const char *account = NULL;
	const char *editor = settings_editor(&n->settings, call->call.uid, &account);
	struct event draft;
	enum err e = ERR_OK;

	arena_reset(&n->arena);
	if (!editor) {
		refuse_editor(n, o, account);
		return ERR_OK;
	}
	if (gate_closed(n)) {
		refuse_gated(n, o);
		return ERR_OK;
	}
	e = event_decode(call->request.draft, &n->arena, &draft);
	if (e != ERR_OK) {
		refuse_undecoded(n, o, call->request.draft, e);
		return ERR_OK;
	}
	if (draft.act != EVENT_CHANGES) {
		refuse(n, o, ERR_INVALID,
		       "an edit changes records; what concerns the log itself "
		       "has verbs of its own: splotctl rotate, continue");
		return ERR_OK;
	}
	draft.editor = editor;
	if (!passes_rules(n, &draft, o) || !passes_register(n, b, &draft, o))
		return ERR_OK;
	if (call->request.dry_run) {
		refuse(n, o, ERR_OK, "");
		return ERR_OK;
	}
	return accept(n, b, &draft, o);
}

/* One attempt at all edits that fit one commit; how many bytes they are. */
static enum err try_batch(struct node *n, size_t *ret_bytes)
{
	struct batch b;
	enum err e = batch_begin(n, &b);

	buf_clear(&n->replies);
	for (size_t i = 0; i < n->call_count && e == ERR_OK; i++) {
		struct open_call *call = &n->calls[i];
		struct outcome *o = &n->outcomes[i];

		*o = (struct outcome){0};
		if (call->done || call->request.verb != CONTROL_EDIT)
			continue;
		if (b.events == COMMIT_EVENTS_MAX ||
		    b.bytes + 2 + call->request.draft.size + STAMP_BYTES > COMMIT_BYTES_MAX)
			break; /* in the order in which they came: the rest waits */
		o->taken = true;
		e = edit_one(n, &b, call, o);
	}
	if (e != ERR_OK || !b.events) {
		batch_abandon(n, &b);
		return e;
	}
	*ret_bytes = b.bytes;
	return batch_commit(n, &b, (struct bytes){NULL, 0});
}

/* The waiting places behind the last one looked at hold outcomes of another turn. */
static void forget_outcomes(struct node *n)
{
	memset(n->outcomes, 0, sizeof n->outcomes);
}

static void reply_failed(struct node *n, struct open_call *call, enum err why)
{
	struct control_reply reply = answer_plain(why, err_text(why));

	if (why == ERR_DISK_FULL)
		reply.text =
			"the node's disk is full; nothing was changed; its administrator makes "
			"room, then send it again";
	else if (why == ERR_MAP_FULL)
		reply.text = "the node's store is at map-max-mib; nothing was changed; its "
			     "administrator raises it and restarts, then send it again";
	reply.size = n->log.tree.size;
	call_reply(n, call, &reply);
}

static void reply_outcome(struct node *n, struct open_call *call, const struct outcome *o)
{
	struct control_reply reply = answer_plain(ERR_OK, "");

	if (!o->accepted) {
		control_reply(n->control, call->call.client,
			      bytes_of(n->replies.data + o->reply_at, o->reply_size));
		call->done = true;
		return;
	}
	reply.index = o->index;
	reply.size = n->log.tree.size;
	reply.position = n->log.tree.size;
	call_reply(n, call, &reply);
}

void edits_turn(struct node *n)
{
	uint64_t before = n->log.tree.size;
	size_t bytes = 0;
	enum err e = ERR_OK;

	forget_outcomes(n);
	for (int tries = 0; tries < REDO_MAX; tries++) {
		e = try_batch(n, &bytes);
		if (e == ERR_OK || batch_grow(n, e) != ERR_OK)
			break;
	}
	for (size_t i = 0; i < n->call_count; i++) {
		if (!n->outcomes[i].taken)
			continue;
		if (e != ERR_OK)
			reply_failed(n, &n->calls[i], e);
		else
			reply_outcome(n, &n->calls[i], &n->outcomes[i]);
	}
	if (e == ERR_OK && n->log.tree.size > before) {
		struct node_event grew = {
			.kind = NODE_EV_GREW, .tree = &n->log.tree, .bytes = bytes};

		links_step(n, &grew);
	} else if (e != ERR_OK && e != ERR_DISK_FULL && e != ERR_MAP_FULL) {
		log_line(LOG_ERROR, "log %s: edits were refused: %s", n->log.name.text,
			 err_text(e));
	}
}
