/* Acts of a server that a simulated node carries out on its own log: redact. */
#include <inttypes.h>
#include <string.h>

#include "ledger/keys.h"
#include "world.h"

enum { DUTY_FRAMES = 4 };

/* ---- table "redacted": index -> leaf hash, entry ---- */

enum err node_duty_redacts(struct node_host *n, struct txn *t, uint64_t index, struct hash leaf,
			   bool *ret)
{
	uint8_t key[INDEX_KEY_BYTES];
	struct bytes row = {NULL, 0};
	enum err e = ERR_OK;

	u64_write(key, index);
	e = txn_get(t, n->redacted, bytes_of(key, sizeof(key)), &row);
	*ret = e == ERR_OK && row.size >= HASH_BYTES && memcmp(row.data, leaf.b, HASH_BYTES) == 0;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
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
	const struct vkey *key = &n->w->servers[a->link].signer.key;
	struct checkpoint c;
	struct proof proof = {.count = 0};
	enum err e = a->frame_count == DUTY_FRAMES ? ERR_OK : ERR_DECODE;

	if (!e)
		e = checkpoint_open(a->frames[1], key, &c);
	if (!e && (c.size != a->header.size || a->header.index >= c.size))
		e = ERR_PROOF;
	if (!e && !read_proof(a->frames[3], &proof))
		e = ERR_DECODE;
	if (!e)
		e = proof_check_inclusion(&proof, a->header.index, c.size, hash_leaf(a->frames[2]),
					  c.root);
	return e;
}

static enum err read_act(struct node_host *n, struct bytes raw, uint64_t *ret_index,
			 struct hash *ret_leaf)
{
	struct national_entry entry;
	enum err e = ERR_OK;

	arena_reset(&n->arena);
	e = national_decode(raw, &n->arena, &entry);
	if (e)
		return e;
	if (entry.kind != NATIONAL_ACT || strcmp(entry.act, "redact") != 0 ||
	    entry.leaf.size != HASH_BYTES)
		return ERR_INVALID;
	if (!log_name_equal(entry.log, n->name))
		return ERR_OWNER;
	*ret_index = entry.index;
	memcpy(ret_leaf->b, entry.leaf.data, HASH_BYTES);
	return ERR_OK;
}

/* ---- carrying out ---- */

static enum err erase(struct node_host *n, struct txn *t, uint64_t index, struct hash leaf,
		      bool *ret_erased)
{
	struct bytes event;
	struct hash ours;
	enum err e = ERR_OK;

	*ret_erased = false;
	if (index >= n->log.tree.size)
		return ERR_OK; /* the act came ahead of its event */
	e = log_leaf(&n->log, t, index, &ours);
	if (!e && !hash_equal(ours, leaf))
		e = ERR_ROOT;
	if (!e)
		e = log_event(&n->log, t, index, &event);
	if (e == ERR_REDACTED)
		return ERR_OK;
	if (!e && event_is_act(event))
		e = ERR_INVALID;
	if (!e)
		e = log_redact(&n->log, t, index, leaf);
	*ret_erased = e == ERR_OK;
	return e;
}

static enum err try_carry_out(struct node_host *n, uint64_t index, struct hash leaf,
			      struct bytes entry, bool *ret_erased)
{
	uint8_t key[INDEX_KEY_BYTES];
	struct buf row = {0};
	struct txn *t = NULL;
	enum err e = txn_begin(n->store, true, &t);

	u64_write(key, index);
	buf_add(&row, leaf.b, HASH_BYTES);
	buf_add_bytes(&row, entry);
	if (!e)
		e = erase(n, t, index, leaf, ret_erased);
	if (!e)
		e = txn_put(t, n->redacted, bytes_of(key, sizeof(key)), buf_bytes(&row));
	if (!e && *ret_erased)
		e = txn_put(t, n->scrub, bytes_of_text("pending"), bytes_of_text("1"));
	buf_free(&row);
	if (!e) {
		e = txn_commit(t);
		t = NULL;
	}
	txn_abort(t);
	return e;
}

void node_duty_carry_out(struct node_host *n, const struct node_action *a)
{
	uint64_t index = 0;
	struct hash leaf;
	bool erased = false;
	enum err e = verify(n, a);

	if (!e)
		e = read_act(n, a->frames[2], &index, &leaf);
	if (!e && node_duty_known(n, index, leaf))
		return;
	if (!e) {
		e = try_carry_out(n, index, leaf, a->frames[2], &erased);
		while (e && node_log_grow(n, e))
			e = try_carry_out(n, index, leaf, a->frames[2], &erased);
	}
	if (memstore_died(n->disk))
		return;
	if (e == ERR_DISK_FULL)
		return; /* every session begins with all duties */
	if (e == ERR_SYNC)
		n->fault = e;
	else if (e)
		node_host_noticed(n, "a duty cannot be carried out", e);
	else
		world_tell(n->w, node_host_name(n), "redacts event %" PRIu64 "%s", index,
			   erased ? "" : " ahead of its coming");
	n->again = n->again || (!e && erased);
}
