/* Acts of a server that a simulated node carries out on its own log: redact. */
#include <inttypes.h>

#include "ledger/redaction.h"
#include "world.h"

enum { DUTY_FRAMES = 4 };

/* ---- what is known ---- */

enum err node_duty_redacts(struct node_host *n, struct txn *t, uint64_t index, struct hash leaf,
			   bool *ret)
{
	return redaction_known(n->redacted, t, index, leaf, ret);
}

bool node_duty_known(void *context, uint64_t index, struct hash leaf)
{
	struct node_host *n = context;
	struct txn *read = NULL;
	bool known = false;
	enum err e = txn_begin(n->store, false, &read);

	if (!e)
		e = node_duty_redacts(n, read, index, leaf, &known);
	txn_abort(read);
	return !e && known;
}

/* ---- verifying ---- */

/* The entry stands in the national log of that server, by its own signature. */
static enum err verify(const struct node_host *n, const struct node_action *a)
{
	if (a->frame_count != DUTY_FRAMES)
		return ERR_DECODE;
	return national_prove(&n->w->servers[a->link].signer.key, a->frames[1], a->header.size,
			      a->header.index, a->frames[2], a->frames[3]);
}

static enum err read_act(struct node_host *n, struct bytes raw, uint64_t *ret_index,
			 struct hash *ret_leaf)
{
	struct national_entry entry;
	enum err e = ERR_OK;

	arena_reset(&n->arena);
	e = national_decode(raw, &n->arena, &entry);
	return e ? e : redaction_read(&entry, n->name, ret_index, ret_leaf);
}

/* ---- carrying out ---- */

static enum err try_carry_out(struct node_host *n, uint64_t index, struct hash leaf,
			      struct bytes entry, bool *ret_erased)
{
	struct txn *t = NULL;
	enum err e = txn_begin(n->store, true, &t);

	if (!e)
		e = redaction_carry_out(&n->log, n->redacted, t, index, leaf, entry, ret_erased);
	if (!e && *ret_erased)
		e = txn_put(t, n->scrub, bytes_of_text("pending"), bytes_of_text("1"));
	if (!e) {
		e = txn_commit(t);
		t = NULL;
	}
	txn_abort(t);
	return e;
}

bool node_duty_carry_out(struct node_host *n, const struct node_action *a)
{
	uint64_t index = 0;
	struct hash leaf;
	bool erased = false;
	enum err e = verify(n, a);

	if (!e)
		e = read_act(n, a->frames[2], &index, &leaf);
	if (e) {
		server_host_blamed(&n->w->servers[a->link], n->hears, "a duty of it proves nothing",
				   e);
		return true;
	}
	if (node_duty_known(n, index, leaf))
		return true; /* every session begins with all duties */
	e = try_carry_out(n, index, leaf, a->frames[2], &erased);
	while (e && node_log_grow(n, e))
		e = try_carry_out(n, index, leaf, a->frames[2], &erased);
	if (memstore_died(n->disk))
		return true;
	if (e == ERR_DISK_FULL)
		return false;
	if (e == ERR_SYNC)
		n->fault = e;
	else if (e)
		node_host_noticed(n, "a duty cannot be carried out", e);
	else
		world_tell(n->w, node_host_name(n), "redacts event %" PRIu64 "%s", index,
			   erased ? "" : " ahead of its coming");
	n->again = n->again || (!e && erased);
	return true;
}
