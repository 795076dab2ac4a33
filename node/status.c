/* STATUS: what a person needs to know, and what to do about it. */
#include "node/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VERIFIED_BYTES_MAX = 16 * 1024, PATH_BYTES = 4096 };

/* ---- the gate ---- */

bool gate_closed(const struct node *n)
{
	return n->machine.gated || anew_waits(n);
}

/* What is known of the history of a server that froze this log. */
static const char *frozen_text(const struct node_link *link)
{
	if (link->refused == ERR_FROZEN && !link->forked)
		return "when it is released, that is taken up by itself within two minutes";
	return link->refused == ERR_OLD ? "it found two histories, and holds none of them any more"
					: "it holds, or may hold, another history than is here";
}

/* What it holds is not known, or was not compared, and it is not there to be asked. */
static bool is_silent(const struct node_link *link)
{
	return !link->answered ||
	       (!link->agreed && (link->phase == NODE_AWAY || link->phase == NODE_REFUSED));
}

void gate_text(const struct node *n, char text[], size_t size)
{
	const struct node_machine *m = &n->machine;
	const struct node_link *silent = NULL;
	const char *frozen = NULL;
	const char *why = NULL;
	const char *distrusted = NULL;
	const char *held = NULL;
	uint64_t longest = m->size;

	for (size_t i = 0; i < m->link_count; i++) {
		const struct node_link *link = &m->links[i];

		if (!link->waived && link->phase == NODE_FROZEN) {
			frozen = n->settings.servers[i].name;
			why = frozen_text(link);
		} else if (!link->waived && link->phase == NODE_DISTRUSTED)
			distrusted = n->settings.servers[i].name;
		else if (!link->waived && link->phase == NODE_HELD)
			held = n->settings.servers[i].name;
		else if (!link->waived && is_silent(link))
			silent = link;
		if (link->server_size > longest)
			longest = link->server_size;
	}
	if (!m->gated)
		anew_text(n, text, size);
	else if (m->link_count == 0)
		(void)snprintf(
			text, size,
			"edits wait: this store is of size %" PRIu64 ", and these keys once "
			"signed size %" PRIu64
			"; name the servers that hold it in the configuration "
			"and restart; only when no server ever had that, remove %s.highwater",
			m->size, n->mark.size, n->settings.keys);
	else if (frozen)
		(void)snprintf(text, size,
			       "edits wait: the server %s froze this log (%s); ask its "
			       "administrators, and find out which history holds, before `splotctl "
			       "waive %s --reason …` goes on without it",
			       frozen, why, frozen);
	else if (distrusted)
		(void)snprintf(text, size,
			       "edits wait: the server %s is not trusted any more (its national "
			       "log has two histories), so what it holds of this log is not known; "
			       "`splotctl waive %s --reason …` goes on without it",
			       distrusted, distrusted);
	else if (held)
		(void)snprintf(
			text, size,
			"edits wait: this store is new or older than what these keys once "
			"signed, and what the server %s holds is not known: its national log "
			"is not the one that this node follows; `splotctl status` says what "
			"to compare; follow it, or `splotctl waive %s --reason …`",
			held, held);
	else if (silent)
		(void)snprintf(text, size,
			       "edits wait: %sit is not known yet whether the server %s holds "
			       "more; wait for it, or, when it is gone for good, `splotctl waive "
			       "%s --reason …`",
			       silent->answered ? ""
						: "this store is new or older than what these keys "
						  "once signed, and ",
			       n->settings.servers[silent - m->links].name,
			       n->settings.servers[silent - m->links].name);
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
		[NODE_DISTRUSTED] = "distrusted",
		[NODE_HELD] = "held",
	};

	if (link->phase == NODE_LIVE && m->size - link->confirmed > COMMIT_EVENTS_MAX)
		return "catching-up";
	return names[link->phase];
}

/* What follows on why a log is frozen; what was found after a release says it itself. */
static const char *frozen_note(const struct node_link *link)
{
	if (link->refused == ERR_FORK)
		return "; nothing is shown there: compare both histories with that server's "
		       "administrator before anything else is done";
	return link->refused == ERR_FROZEN ? "; asked again by itself within two minutes" : "";
}

static const char *peer_note(const struct node *n, size_t i, struct arena *arena)
{
	const struct node_link *link = &n->machine.links[i];
	const char *kept = NULL;
	char text[2 * TEXT_BYTES_MAX];

	if (link->phase == NODE_FROZEN)
		(void)snprintf(text, sizeof text, "%s%s",
			       link->refused_text[0] ? link->refused_text : err_text(link->refused),
			       frozen_note(link));
	else if (link->phase == NODE_REFUSED)
		(void)snprintf(
			text, sizeof text,
			"%s; tried again slowly: ask that server's administrator whether this "
			"node is enrolled there",
			link->refused_text[0] ? link->refused_text : err_text(link->refused));
	else if (link->phase == NODE_DISTRUSTED)
		(void)snprintf(
			text, sizeof text,
			"its national log does not extend what this node witnessed, and both "
			"signed notes are kept; nothing is sent there or taken from there: "
			"`splotctl audit evidence` writes them to a folder for the other "
			"regions and the ministry; a server that lawfully begins anew has "
			"another card: put that one into the configuration");
	else if (link->phase == NODE_HELD)
		follow_text(n, i, text, sizeof text);
	else if (link->refused != ERR_OK && link->refused_text[0])
		(void)snprintf(text, sizeof text, "%s%s; tried again by itself",
			       link->unshown && link->refused == ERR_ROOT ? "" : "it said: ",
			       link->refused_text);
	else if (link->phase == NODE_AWAY || link->phase == NODE_GREETING)
		(void)snprintf(text, sizeof text,
			       "no answer from %s; tried again by itself: look at the address, the "
			       "network, and whether this node is enrolled there",
			       n->settings.servers[i].address);
	else if (n->links[i].declined[0])
		(void)snprintf(text, sizeof text, "its national log is not witnessed: %s",
			       n->links[i].declined);
	else
		return link->waived ? "waived" : "";
	kept = arena_text(arena, bytes_of_text(text));
	return kept ? kept : "";
}

/* The report of the last full verification; "" when there was none. */
static const char *verified(const struct node *n, struct arena *arena)
{
	char path[PATH_BYTES];
	struct buf text = {.limit = VERIFIED_BYTES_MAX};
	const char *kept = NULL;

	(void)snprintf(path, sizeof path, "%s/verified.json", n->settings.data);
	if (file_read(path, VERIFIED_BYTES_MAX, &text) == ERR_OK) {
		while (text.size > 0 && text.data[text.size - 1] == '\n')
			text.size--;
		kept = arena_text(arena, buf_bytes(&text));
	}
	buf_free(&text);
	return kept ? kept : "";
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static enum err fill_peers(const struct node *n, struct arena *arena, struct control_reply *ret)
{
	const struct node_machine *m = &n->machine;
	struct peer_row *rows = arena_alloc(arena, (m->link_count + 1) * sizeof *rows);

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
			.note = peer_note(n, i, arena),
		};
	ret->peers = rows;
	ret->peer_count = m->link_count;
	return ERR_OK;
}

/* How long commits took, begun to synced. */
static enum err fill_latencies(const struct node *n, struct arena *arena, struct control_reply *ret)
{
	struct histogram_row *row = arena_alloc(arena, sizeof *row);

	if (!row)
		return ERR_NOMEM;
	*row = (struct histogram_row){
		.name = "store", .bound_count = HISTOGRAM_BOUNDS, .sum_us = n->stored.sum_us};
	memcpy(row->bounds_us, histogram_bounds_us, sizeof histogram_bounds_us);
	memcpy(row->counts, n->stored.counts, sizeof n->stored.counts);
	ret->histograms = row;
	ret->histogram_count = 1;
	return ERR_OK;
}

static enum err fill_checkpoint(const struct node *n, struct txn *t, struct arena *arena,
				struct control_reply *ret)
{
	struct txn *read = NULL;
	struct bytes note = {NULL, 0};
	uint64_t size = 0;
	enum err e = t ? ERR_OK : txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = log_newest(&n->log, t ? t : read, &size, &note);
	if (e == ERR_OK)
		e = arena_bytes(arena, note, &ret->checkpoint);
	txn_abort(read);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Why edits wait, or what else is to be done; "". */
static const char *fill_note(const struct node *n, struct arena *arena)
{
	char note[TEXT_BYTES_MAX + 1] = "";
	const char *kept = NULL;

	if (gate_closed(n))
		gate_text(n, note, sizeof note);
	else if (n->scrubbing)
		(void)snprintf(note, sizeof note,
			       "what was redacted is still in the files of %.300s: end what reads "
			       "them, make room for a second copy, then restart the node",
			       n->settings.data);
	else if (n->no_room != ERR_OK)
		(void)snprintf(note, sizeof note,
			       "the last edits were refused: %s for the store %.300s; %s",
			       err_text(n->no_room), n->settings.data, room_advice(n->no_room));
	kept = arena_text(arena, bytes_of_text(note));
	return kept ? kept : "";
}

enum err status_fill(const struct node *n, struct txn *t, struct arena *arena,
		     struct control_reply *ret)
{
	char key[VKEY_BYTES];
	enum err e = ERR_OK;

	vkey_text(&n->signer.key, key);
	*ret = answer_plain(ERR_OK, "");
	ret->role = "node";
	ret->identity = n->log.name.text;
	ret->realm = n->realm;
	ret->state = gate_closed(n) ? "gated" : "open";
	ret->key = arena_text(arena, bytes_of_text(key));
	ret->verified = verified(n, arena);
	ret->note = fill_note(n, arena);
	ret->size = n->log.tree.size;
	ret->position = n->log.tree.size;
	ret->started_ms = (uint64_t)n->started.ms;
	ret->written_ms = (uint64_t)wall_now().ms;
	e = fill_peers(n, arena, ret);
	if (e == ERR_OK)
		e = fill_latencies(n, arena, ret);
	return e == ERR_OK ? fill_checkpoint(n, t, arena, ret) : e;
}

void query_status(struct node *n, struct open_call *call)
{
	struct control_reply reply;
	enum err e = ERR_OK;

	arena_reset(&n->arena);
	e = status_fill(n, NULL, &n->arena, &reply);
	if (e != ERR_OK)
		reply = answer_plain(e, err_text(e));
	call_reply(n, call, &reply);
}
