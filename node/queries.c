#include "node/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* ---- QUERY, SUMMARY ---- */

void query_view(struct node *n, struct open_call *call)
{
	struct control_reply reply;
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	arena_reset(&n->arena);
	if (e == ERR_OK)
		e = answer_view(&n->view, read, &call->request, &n->arena, &reply);
	else
		reply = answer_plain(e, err_text(e));
	if (e != ERR_OK)
		log_line(LOG_ERROR, "log %s: a query failed in the store %s: %s", n->log.name.text,
			 n->settings.data, err_text(e));
	reply.size = n->log.tree.size;
	call_reply(n, call, &reply);
	txn_abort(read);
}

/* ---- STATUS ---- */

void gate_text(const struct node *n, char text[], size_t size)
{
	const struct node_machine *m = &n->machine;
	const char *silent = NULL;
	const char *frozen = NULL;
	uint64_t longest = m->size;

	for (size_t i = 0; i < m->link_count; i++) {
		const struct node_link *link = &m->links[i];

		if (!link->waived && link->phase == NODE_FROZEN)
			frozen = n->settings.servers[i].name;
		else if (!link->waived && !link->answered)
			silent = n->settings.servers[i].name;
		if (link->server_size > longest)
			longest = link->server_size;
	}
	if (m->link_count == 0)
		(void)snprintf(
			text, size,
			"edits wait: this store holds %" PRIu64 " events, and these keys once "
			"signed %" PRIu64 "; name the servers that hold them in the configuration "
			"and restart; only when no server ever had them, remove %s.highwater",
			m->size, n->mark.size, n->settings.keys);
	else if (frozen)
		(void)snprintf(
			text, size,
			"edits wait: the server %s holds another history of this log and "
			"froze it; find out with its administrator which one holds, and only "
			"then `splotctl waive %s --reason …`",
			frozen, frozen);
	else if (silent)
		(void)snprintf(text, size,
			       "edits wait: this store is new or older than what these keys once "
			       "signed, and the server %s has not said yet what it holds; wait for "
			       "it, or, when it is gone for good, `splotctl waive %s --reason …`",
			       silent, silent);
	else
		(void)snprintf(text, size,
			       "edits wait: the log is compared with the servers and fetched back, "
			       "%" PRIu64 " of %" PRIu64 " events are here; ask again in a moment",
			       m->size, longest);
}

static const char *peer_state(const struct node_machine *m, const struct node_link *link)
{
	static const char *const names[] = {
		[NODE_AWAY] = "away",
		[NODE_GREETING] = "connecting",
		[NODE_ANCHORING] = "connecting",
		[NODE_FETCHING] = "fetching",
		[NODE_LIVE] = "live",
		[NODE_FROZEN] = "frozen",
		[NODE_REFUSED] = "refused",
	};

	if (link->phase == NODE_LIVE && m->size - link->confirmed > COMMIT_EVENTS_MAX)
		return "catching-up";
	return names[link->phase];
}

static const char *peer_note(struct node *n, size_t i)
{
	const struct node_link *link = &n->machine.links[i];
	const char *kept = NULL;
	char text[2 * TEXT_BYTES_MAX];

	if (link->phase == NODE_FROZEN)
		(void)snprintf(text, sizeof text,
			       "%s; nothing more is sent there: compare both histories with that "
			       "server's administrator before anything else is done",
			       link->refused_text[0] ? link->refused_text
						     : err_text(link->refused));
	else if (link->phase == NODE_REFUSED)
		(void)snprintf(
			text, sizeof text,
			"%s; tried again slowly: ask that server's administrator whether this "
			"node is enrolled there",
			link->refused_text[0] ? link->refused_text : err_text(link->refused));
	else if (link->phase == NODE_AWAY || link->phase == NODE_GREETING)
		(void)snprintf(text, sizeof text,
			       "no answer from %s; tried again by itself: look at the address, the "
			       "network, and whether this node is enrolled there",
			       n->settings.servers[i].address);
	else
		return link->waived ? "waived" : "";
	kept = arena_text(&n->arena, bytes_of_text(text));
	return kept ? kept : "";
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static enum err fill_peers(struct node *n, struct control_reply *ret)
{
	const struct node_machine *m = &n->machine;
	struct peer_row *rows = arena_alloc(&n->arena, (m->link_count + 1) * sizeof *rows);

	if (!rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < m->link_count; i++)
		rows[i] = (struct peer_row){
			.name = n->settings.servers[i].name,
			.state = peer_state(m, &m->links[i]),
			.size = smaller(n->links[i].confirmed, m->size),
			.claimed = m->links[i].server_size,
			.last_contact_ms = (uint64_t)m->links[i].last_contact.ms,
			.last_commit_ms = (uint64_t)n->links[i].confirmed_at.ms,
			.note = peer_note(n, i),
		};
	ret->peers = rows;
	ret->peer_count = m->link_count;
	return ERR_OK;
}

void query_status(struct node *n, struct open_call *call)
{
	struct control_reply reply = answer_plain(ERR_OK, "");
	char note[TEXT_BYTES_MAX + 1] = "";

	arena_reset(&n->arena);
	if (n->machine.gated)
		gate_text(n, note, sizeof note);
	else if (n->no_room != ERR_OK)
		(void)snprintf(note, sizeof note,
			       "the last edits were refused: %s for the store %.300s; %s",
			       err_text(n->no_room), n->settings.data, room_advice(n->no_room));
	reply.role = "node";
	reply.identity = n->log.name.text;
	reply.realm = n->realm;
	reply.state = n->machine.gated ? "gated" : "open";
	reply.note = note;
	reply.size = n->log.tree.size;
	reply.position = n->log.tree.size;
	reply.started_ms = (uint64_t)n->started.ms;
	if (fill_peers(n, &reply) != ERR_OK)
		reply = answer_plain(ERR_NOMEM, err_text(ERR_NOMEM));
	call_reply(n, call, &reply);
}

/* ---- WAIVE ---- */

/* One row: when (8 bytes, big-endian) and which link -> who, which server, why. */
static enum err record_waiver(struct node *n, size_t link, const char *account, const char *reason)
{
	struct buf row = {0};
	struct buf key = {0};
	struct txn *txn = NULL;
	enum err e = ERR_OK;

	buf_add_u64be(&key, (uint64_t)wall_now().ms);
	buf_add_u8(&key, (uint8_t)link);
	buf_printf(&row, "server %s\nby %s\nreason %s\n", n->settings.servers[link].name, account,
		   reason);
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

static void waive_refuse(struct node *n, struct open_call *call, enum err code, const char *text)
{
	struct control_reply reply = answer_plain(code, text);

	reply.size = n->log.tree.size;
	call_reply(n, call, &reply);
}

void query_waive(struct node *n, struct open_call *call)
{
	const char *name = call->request.name ? call->request.name : "";
	const char *reason = call->request.reason ? call->request.reason : "";
	uid_t uid = call->call.uid;
	const char *account = "";
	const char *editor = settings_editor(&n->settings, uid, &account);
	struct node_event waive = {.kind = NODE_EV_WAIVE};
	size_t link = 0;
	enum err e = ERR_OK;

	while (link < n->settings.server_count && strcmp(n->settings.servers[link].name, name) != 0)
		link++;
	if (!editor && uid != 0 && uid != geteuid()) {
		waive_refuse(
			n, call, ERR_DENIED,
			"only root, the node's own account and its editors may waive a server");
		return;
	}
	if (link == n->settings.server_count) {
		waive_refuse(n, call, ERR_NOT_FOUND,
			     "no server of that name is configured here; `splotctl status` lists "
			     "them");
		return;
	}
	if (!reason[0] || strlen(reason) > REASON_BYTES_MAX) {
		waive_refuse(n, call, ERR_INVALID,
			     "say why (--reason), in at most 1,024 bytes: it is kept");
		return;
	}
	e = record_waiver(n, link, account, reason);
	if (e != ERR_OK && batch_grow(n, e) == ERR_OK)
		e = record_waiver(n, link, account, reason);
	if (e == ERR_SYNC)
		n->fault = e;
	if (e != ERR_OK) {
		waive_refuse(n, call, e, "the waiver could not be recorded; nothing was changed");
		return;
	}
	log_line(LOG_NOTICE, "log %s: the server %s is waived by %s: %s", n->log.name.text, name,
		 account, reason);
	waive.link = link;
	links_step(n, &waive);
	waive_refuse(n, call, ERR_OK, "");
}
