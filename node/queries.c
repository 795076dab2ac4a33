/* QUERY, SUMMARY: what the register says. */
#include "node/node.h"

#include "base/log.h"

void query_view(struct node *n, struct open_call *call)
{
	struct control_reply reply;
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	bool until = false; /* what it asks for is not there: told in the reply */

	arena_reset(&n->arena);
	if (e != ERR_OK) {
		reply = answer_plain(e, err_text(e));
	} else {
		e = answer_until(&n->log, read, &call->request, &reply);
		until = e == ERR_NOT_FOUND;
		if (e == ERR_OK)
			e = answer_view(&n->view, read, &call->request, &n->arena, &reply);
	}
	if (e != ERR_OK && !until)
		log_line(LOG_ERROR, "log %s: a query failed in the store %s: %s", n->log.name.text,
			 n->settings.data, err_text(e));
	reply.size = n->log.tree.size;
	call_reply(n, call, &reply);
	txn_abort(read);
}
