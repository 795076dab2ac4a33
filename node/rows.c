/* ROWS and EVIDENCE: what an auditor reads of a running node. */
#include "node/node.h"

#include "base/log.h"
#include "ledger/rows.h"

static void tell_failed(const struct node *n, const char *what, enum err e)
{
	log_line(LOG_ERROR, "log %s: %s failed in the store %s: %s", n->log.name.text, what,
		 n->settings.data, err_text(e));
}

void query_rows(struct node *n, struct open_call *call)
{
	struct control_reply reply;
	enum err e = ERR_OK;

	arena_reset(&n->arena);
	e = rows_answer(n->store, &call->request, &n->arena, &reply);
	if (e != ERR_OK)
		tell_failed(n, "reading stored rows", e);
	reply.size = n->log.tree.size;
	call_reply(n, call, &reply);
}

static enum err read_evidence(struct node *n, struct txn *read, struct evidence_row *rows,
			      size_t *ret_count)
{
	size_t count = 0;

	for (size_t i = 0; i < n->settings.server_count; i++) {
		struct evidence_found found;
		enum err e = evidence_against(n, read, i, &found);

		if (e != ERR_OK)
			return e;
		if (found.at.ms)
			rows[count++] = (struct evidence_row){.log = "national",
							      .server = n->settings.servers[i].name,
							      .note = found.note,
							      .other = found.other,
							      .at_ms = (uint64_t)found.at.ms};
	}
	*ret_count = count;
	return ERR_OK;
}

void query_evidence(struct node *n, struct open_call *call)
{
	struct control_reply reply = answer_plain(ERR_OK, "");
	struct evidence_row rows[SERVERS_MAX];
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = read_evidence(n, read, rows, &reply.evidence_count);
	if (e != ERR_OK) {
		tell_failed(n, "reading evidence", e);
		reply = answer_plain(e, err_text(e));
	}
	reply.evidence = rows;
	reply.size = n->log.tree.size;
	call_reply(n, call, &reply);
	txn_abort(read);
}
