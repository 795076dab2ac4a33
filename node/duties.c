/* Duties: entries of a server's national log that this node has to know, each with its proof.  The
 * first one of a log begun anew, which follow.c judges; and administrative acts that are carried
 * out on this node's own log.  One of those is known: redact.  The event's bytes are erased; its
 * leaf hash, the entry that orders it and the tree stay.
 *
 * The bytes leave the files for good only while nobody uses the store: the node begins itself
 * anew and does that at the start (rebuild.c). */
#include "node/node.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"

enum { DUTY_FRAMES = 4 };

static const char *server_name(const struct node *n, size_t link)
{
	return n->settings.servers[link].name;
}

/* ---- table "redacted": index -> leaf hash, entry ---- */

static enum err index_key(uint64_t index, struct buf *ret)
{
	buf_add_u64be(ret, index);
	return buf_check(ret);
}

enum err duty_redacts(struct node *n, struct txn *t, uint64_t index, struct hash leaf, bool *ret)
{
	struct buf key = {.limit = 8};
	struct bytes row = {NULL, 0};
	enum err e = index_key(index, &key);

	if (e == ERR_OK)
		e = txn_get(t, n->redacted, buf_bytes(&key), &row);
	buf_free(&key);
	if (e == ERR_OK && row.size < HASH_BYTES)
		return ERR_CORRUPT;
	*ret = e == ERR_OK && memcmp(row.data, leaf.b, HASH_BYTES) == 0;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

bool duty_known(void *context, uint64_t index, struct hash leaf)
{
	struct node *n = context;
	struct txn *read = NULL;
	bool known = false;
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = duty_redacts(n, read, index, leaf, &known);
	txn_abort(read);
	return e == ERR_OK && known;
}

/* ---- verifying ---- */

/* The entry stands in the national log of that server, by its own signature. */
static enum err verify_entry(const struct node *n, const struct node_action *a)
{
	const struct vkey *key = &n->settings.servers[a->link].card.log_key;
	struct checkpoint c;
	struct proof proof = {.count = 0};
	enum err e = ERR_OK;

	if (a->frame_count != DUTY_FRAMES)
		return ERR_DECODE;
	e = checkpoint_open(a->frames[1], key, &c);
	if (e == ERR_OK && (c.size != a->header.size || a->header.index >= c.size))
		e = ERR_PROOF;
	if (e == ERR_OK)
		e = proof_read(a->frames[3], &proof);
	if (e == ERR_OK)
		e = proof_check_inclusion(&proof, a->header.index, c.size, hash_leaf(a->frames[2]),
					  c.root);
	return e;
}

static enum err read_redaction(const struct node *n, const struct national_entry *entry,
			       uint64_t *ret_index, struct hash *ret_leaf)
{
	if (entry->kind != NATIONAL_ACT || strcmp(entry->act, "redact") != 0 ||
	    entry->leaf.size != HASH_BYTES)
		return ERR_INVALID;
	if (!log_name_equal(entry->log, n->log.name))
		return ERR_OWNER;
	*ret_index = entry->index;
	memcpy(ret_leaf->b, entry->leaf.data, HASH_BYTES);
	return ERR_OK;
}

/* How a national log begun anew begins is no act of this log's. */
static bool is_beginning(const struct node *n, const struct node_action *a)
{
	return a->header.index == 0 && n->settings.servers[a->link].card.generation > 1;
}

/* ---- carrying out ---- */

/* `ret_erased`: bytes were there.  ROOT when our event is another one; INVALID when it is what the
 * log cannot be read without. */
static enum err erase(struct node *n, struct txn *write, uint64_t index, struct hash leaf,
		      bool *ret_erased)
{
	struct bytes event;
	struct hash ours;
	enum err e = ERR_OK;

	*ret_erased = false;
	if (index >= n->log.tree.size)
		return ERR_OK; /* the act came ahead of its event */
	e = log_leaf(&n->log, write, index, &ours);
	if (e == ERR_OK && !hash_equal(ours, leaf))
		e = ERR_ROOT;
	if (e == ERR_OK)
		e = log_event(&n->log, write, index, &event);
	if (e == ERR_REDACTED)
		return ERR_OK;
	if (e == ERR_OK && event_is_act(event))
		e = ERR_INVALID;
	if (e == ERR_OK)
		e = log_redact(&n->log, write, index, leaf);
	*ret_erased = e == ERR_OK;
	return e;
}

static enum err try_carry_out(struct node *n, uint64_t index, struct hash leaf, struct bytes entry,
			      bool *ret_erased)
{
	struct buf key = {.limit = 8};
	struct buf row = {.limit = HASH_BYTES + EVENT_BYTES_MAX};
	struct txn *write = NULL;
	enum err e = index_key(index, &key);

	buf_add(&row, leaf.b, HASH_BYTES);
	buf_add_bytes(&row, entry);
	if (e == ERR_OK)
		e = buf_check(&row);
	if (e == ERR_OK)
		e = txn_begin(n->store, true, &write);
	if (e == ERR_OK)
		e = erase(n, write, index, leaf, ret_erased);
	if (e == ERR_OK)
		e = txn_put(write, n->redacted, buf_bytes(&key), buf_bytes(&row));
	if (e == ERR_OK && *ret_erased)
		e = txn_put(write, n->scrub, bytes_of_text(SCRUB_PENDING), bytes_of_text("1"));
	if (e == ERR_OK) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	buf_free(&key);
	buf_free(&row);
	if (e == ERR_SYNC || e == ERR_IO || e == ERR_CORRUPT)
		n->fault = e;
	return e;
}

void duty_carry_out(struct node *n, const struct node_action *a)
{
	struct national_entry entry;
	uint64_t index = 0;
	struct hash leaf;
	bool erased = false;
	enum err e = verify_entry(n, a);

	arena_reset(&n->arena);
	if (e == ERR_OK)
		e = national_decode(a->frames[2], &n->arena, &entry);
	if (e == ERR_OK && is_beginning(n, a)) {
		follow_entry(n, a->link, &entry, a->frames[1]);
		return;
	}
	if (e == ERR_OK)
		e = read_redaction(n, &entry, &index, &leaf);
	if (e == ERR_OK && duty_known(n, index, leaf))
		return; /* every session begins with all duties */
	if (e == ERR_OK) {
		e = try_carry_out(n, index, leaf, a->frames[2], &erased);
		while (e != ERR_OK && batch_grow(n, e) == ERR_OK)
			e = try_carry_out(n, index, leaf, a->frames[2], &erased);
	}
	if (e != ERR_OK) {
		log_line(LOG_ERROR,
			 "log %s: server %s: an act for this log (national entry %" PRIu64
			 ") was not carried out: %s%s",
			 n->log.name.text, server_name(n, a->link), a->header.index, err_text(e),
			 e == ERR_ROOT ? "; the event here is another one than it names" : "");
		return;
	}
	log_line(LOG_NOTICE,
		 "log %s: event %" PRIu64 " is redacted by an act of server %s (national entry "
		 "%" PRIu64 ")%s",
		 n->log.name.text, index, server_name(n, a->link), a->header.index,
		 erased ? "; beginning anew to erase it from the files" : "");
	if (erased) {
		n->again = true;
		n->stopping = true;
	}
}
