/* What an administrator asks of the node itself: who may, and how it is answered.  WAIVE. */
#include "node/node.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

void act_reply(struct node *n, struct open_call *call, enum err code, const char *text)
{
	struct control_reply reply = answer_plain(code, text);

	reply.size = n->log.tree.size;
	reply.position = n->log.tree.size;
	call_reply(n, call, &reply);
}

bool act_begin(struct node *n, struct open_call *call, struct act *ret)
{
	uid_t uid = call->call.uid;

	*ret = (struct act){.reason = call->request.reason ? call->request.reason : ""};
	ret->by = settings_editor(&n->settings, uid, &ret->account);
	if (!ret->by && uid != 0 && uid != geteuid()) {
		act_reply(n, call, ERR_DENIED,
			  "only root, the node's own account and its editors may do that");
		return false;
	}
	if (!ret->by)
		ret->by = "node";
	if (text_is_blank(ret->reason)) { /* too long ones do not decode */
		act_reply(n, call, ERR_INVALID, "say why (--reason): it is kept");
		return false;
	}
	return true;
}

/* ---- an event about the log itself ---- */

static enum err try_event(struct node *n, struct event *e, const struct signer *also)
{
	struct wall_ms now = wall_now();
	struct batch b;
	enum err err = batch_begin(n, &b);

	e->recorded = now.ms > n->last_recorded.ms ? now : n->last_recorded;
	arena_reset(&n->scratch);
	buf_clear(&n->encoded);
	if (err == ERR_OK)
		err = event_encode(e, &n->scratch, &n->encoded);
	if (err == ERR_OK)
		err = event_check_owner(e, n->region);
	if (err == ERR_OK)
		err = batch_append(n, &b, buf_bytes(&n->encoded), e);
	buf_clear(&n->note);
	if (err == ERR_OK)
		err = sign_present(n, &n->note);
	if (err == ERR_OK && also)
		err = note_sign_also(also, &n->note);
	if (err != ERR_OK) {
		batch_abandon(n, &b);
		return err;
	}
	return batch_commit(n, &b, buf_bytes(&n->note));
}

enum err act_append(struct node *n, struct event *e, const struct signer *also)
{
	enum err err = try_event(n, e, also);

	while (err != ERR_OK && batch_grow(n, err) == ERR_OK)
		err = try_event(n, e, also);
	return err;
}

void act_grew(struct node *n)
{
	struct node_event grew = {
		.kind = NODE_EV_GREW, .tree = &n->log.tree, .bytes = n->encoded.size};

	links_step(n, &grew);
}

bool act_link(struct node *n, struct open_call *call, size_t *ret)
{
	const char *name = call->request.name ? call->request.name : "";

	for (size_t i = 0; i < n->settings.server_count; i++) {
		if (strcmp(n->settings.servers[i].name, name) == 0) {
			*ret = i;
			return true;
		}
	}
	act_reply(n, call, ERR_NOT_FOUND,
		  "no server of that name is configured here; `splotctl status` lists them");
	return false;
}

/* ---- WAIVE ---- */

/* One row: when (8 bytes, big-endian) and which link -> who, which server, why. */
static enum err record_waiver(struct node *n, size_t link, const struct act *act)
{
	struct buf row = {0};
	struct buf key = {0};
	struct txn *txn = NULL;
	enum err e = ERR_OK;

	buf_add_u64be(&key, (uint64_t)wall_now().ms);
	buf_add_u8(&key, (uint8_t)link);
	buf_printf(&row, "server %s\nby %s\nreason %s\n", n->settings.servers[link].name,
		   act->account, act->reason);
	e = buf_check(&row);
	if (e == ERR_OK)
		e = buf_check(&key);
	if (e == ERR_OK)
		e = txn_begin(n->store, true, &txn);
	if (e == ERR_OK)
		e = txn_put(txn, n->waivers, buf_bytes(&key), buf_bytes(&row));
	if (e == ERR_OK) {
		e = txn_commit(txn);
		txn = NULL;
	}
	txn_abort(txn);
	buf_free(&row);
	buf_free(&key);
	return e;
}

/* Edits wait until it has shown what it holds, or a rotation until it has the one before. */
static bool is_waited_for(const struct node *n, size_t link)
{
	const struct node_link *l = &n->machine.links[link];
	size_t last = n->keys.previous_count;

	if (l->waived)
		return false;
	if (n->machine.gated && (l->ahead || !l->agreed || l->phase == NODE_FROZEN))
		return true;
	return last > 0 && n->links[link].confirmed < n->keys.previous[last - 1].size;
}

/* A waiver that nothing waits for would count when one day something does. */
static void refuse_waiver(struct node *n, struct open_call *call, size_t link)
{
	char text[TEXT_BYTES_MAX + 1];

	(void)snprintf(
		text, sizeof text,
		n->machine.links[link].waived
			? "the server %s is waived already; `splotctl status` says what else "
			  "edits wait for"
			: "nothing waits for the server %s; waive it when `splotctl status` "
			  "says that edits wait for it",
		n->settings.servers[link].name);
	act_reply(n, call, ERR_ARGUMENT, text);
}

void act_waive(struct node *n, struct open_call *call)
{
	struct node_event waive = {.kind = NODE_EV_WAIVE};
	struct act act;
	size_t link = 0;
	enum err e = ERR_OK;

	if (!act_begin(n, call, &act) || !act_link(n, call, &link))
		return;
	if (!is_waited_for(n, link)) {
		refuse_waiver(n, call, link);
		return;
	}
	e = record_waiver(n, link, &act);
	if (e != ERR_OK && batch_grow(n, e) == ERR_OK)
		e = record_waiver(n, link, &act);
	if (e == ERR_SYNC)
		n->fault = e;
	if (e != ERR_OK) {
		act_reply(n, call, e, "the waiver could not be recorded; nothing was changed");
		return;
	}
	log_line(LOG_NOTICE, "log %s: the server %s is waived by %s: %s", n->log.name.text,
		 n->settings.servers[link].name, act.account, act.reason);
	waive.link = link;
	links_step(n, &waive);
	act_reply(n, call, ERR_OK, "");
}
