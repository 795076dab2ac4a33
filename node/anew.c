/* CONTINUE: a log that begins anew ("26/2") goes on from the old one.  Its first event quotes the
 * old log's checkpoint up to which that log stands. */
#include "node/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

bool anew_waits(const struct node *n)
{
	struct log_name before;

	return n->log.tree.size == 0 && log_name_before(n->log.name, &before);
}

void anew_text(const struct node *n, char *text, size_t size)
{
	struct log_name before = {.text = ""};

	(void)log_name_before(n->log.name, &before);
	(void)snprintf(text, size,
		       "edits wait: log %s begins anew, and its first event says where log %s "
		       "ends: `splotctl continue CHECKPOINT --key OLDKEY --reason …`",
		       n->log.name.text, before.text);
}

/* The old log's checkpoint by its key; `why` says what does not fit. */
static enum err open_old(const struct node *n, const struct control_request *q, struct event *ret,
			 char *why, size_t why_size)
{
	char origin[ORIGIN_BYTES_MAX + 1];
	struct checkpoint checkpoint;
	struct vkey key;
	enum err e = vkey_parse(bytes_of_text(q->key ? q->key : ""), &key);

	if (e != ERR_OK) {
		(void)snprintf(why, why_size,
			       "--key is no verifier key (%s): give the old log's, as `splotctl "
			       "trust list` at the server prints it",
			       err_text(e));
		return e;
	}
	if (!log_name_before(n->log.name, &ret->old_log)) {
		(void)snprintf(why, why_size,
			       "log %s did not begin anew: only a log like %s/2 goes on from "
			       "another",
			       n->log.name.text, region_at(n->region)->code);
		return ERR_INVALID;
	}
	e = log_origin(n->realm, ret->old_log, origin, sizeof origin);
	if (e == ERR_OK && strcmp(origin, key.name) != 0) {
		(void)snprintf(why, why_size, "--key is of %s; log %s goes on from %s", key.name,
			       n->log.name.text, origin);
		return ERR_ORIGIN;
	}
	if (e == ERR_OK)
		e = checkpoint_open(q->document, &key, &checkpoint);
	if (e == ERR_OK && checkpoint.size == 0)
		e = ERR_INVALID;
	if (e != ERR_OK) {
		(void)snprintf(why, why_size,
			       "the file is no checkpoint of %s signed by that key: %s", origin,
			       err_text(e));
		return e;
	}
	ret->act = EVENT_CONTINUES;
	ret->old_size = checkpoint.size;
	ret->document = q->document;
	return ERR_OK;
}

void act_continue(struct node *n, struct open_call *call)
{
	char why[TEXT_BYTES_MAX + 1] = "";
	struct event event = {.source = ""};
	struct act act;
	enum err e = ERR_OK;

	if (!act_begin(n, call, &act))
		return;
	e = open_old(n, &call->request, &event, why, sizeof why);
	if (e == ERR_OK && n->log.tree.size > 0) {
		(void)snprintf(why, sizeof why,
			       "log %s is of size %" PRIu64 ": what it goes on from is its first "
			       "event",
			       n->log.name.text, n->log.tree.size);
		e = ERR_EXISTS;
	} else if (e == ERR_OK && n->machine.gated) {
		gate_text(n, why, sizeof why);
		e = ERR_GATED;
	}
	if (e == ERR_OK) {
		event.editor = act.by;
		event.reason = act.reason;
		e = act_append(n, &event, NULL);
		(void)snprintf(why, sizeof why, "nothing was changed: %s", err_text(e));
	}
	if (e != ERR_OK) {
		act_reply(n, call, e, why);
		return;
	}
	log_line(LOG_NOTICE,
		 "log %s: goes on from log %s as of its size %" PRIu64 ", said by %s: %s",
		 n->log.name.text, event.old_log.text, event.old_size, act.account, act.reason);
	act_reply(n, call, ERR_OK, "");
	act_grew(n);
}
