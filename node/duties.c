/* Duties: entries of a server's national log that this node has to know, each with its proof.  The
 * first one of a log begun anew, which follow.c judges; and administrative acts that are carried
 * out on this node's own log.  One of those is known: redact.  The event's bytes are erased; its
 * leaf hash, the entry that orders it and the tree stay.
 *
 * The bytes leave the files for good only while nobody uses the store: the node begins itself
 * anew and does that at the start (rebuild.c). */
#include "node/node.h"

#include <inttypes.h>

#include "base/log.h"
#include "ledger/national.h"
#include "ledger/redaction.h"

enum { DUTY_FRAMES = 4 };

static const char *server_name(const struct node *n, size_t link)
{
	return n->settings.servers[link].name;
}

/* ---- what is known ---- */

enum err duty_redacts(struct node *n, struct txn *t, uint64_t index, struct hash leaf, bool *ret)
{
	return redaction_known(n->redacted, t, index, leaf, ret);
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
	if (a->frame_count != DUTY_FRAMES)
		return ERR_DECODE;
	return national_prove(&n->settings.servers[a->link].card.log_key, a->frames[1],
			      a->header.size, a->header.index, a->frames[2], a->frames[3]);
}

/* How a national log begun anew begins is no act of this log's. */
static bool is_beginning(const struct node *n, const struct node_action *a)
{
	return a->header.index == 0 && n->settings.servers[a->link].card.generation > 1;
}

/* ---- carrying out ---- */

static enum err try_carry_out(struct node *n, uint64_t index, struct hash leaf, struct bytes entry,
			      bool *ret_erased)
{
	struct txn *write = NULL;
	enum err e = txn_begin(n->store, true, &write);

	if (e == ERR_OK)
		e = redaction_carry_out(&n->log, n->redacted, write, index, leaf, entry,
					ret_erased);
	if (e == ERR_OK && *ret_erased)
		e = txn_put(write, n->scrub, bytes_of_text(SCRUB_PENDING), bytes_of_text("1"));
	if (e == ERR_OK) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	if (e == ERR_SYNC || e == ERR_IO || e == ERR_CORRUPT)
		n->fault = e;
	return e;
}

static bool is_passing(enum err e)
{
	return e == ERR_DISK_FULL || e == ERR_MAP_FULL || e == ERR_NOMEM;
}

bool duty_carry_out(struct node *n, const struct node_action *a)
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
		return true;
	}
	if (e == ERR_OK)
		e = redaction_read(&entry, n->log.name, &index, &leaf);
	if (e == ERR_OK && duty_known(n, index, leaf))
		return true; /* every session begins with all duties */
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
			 e == ERR_ROOT   ? "; the event here is another one than it names"
			 : is_passing(e) ? "; make room: it is tried again"
					 : "");
		return !is_passing(e);
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
	return true;
}
