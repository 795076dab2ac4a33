/* What each server has confirmed, kept across restarts, so that status can tell it while
 * that server is away.  A memory, not a fact: nothing is decided by it. */
#include "node/node.h"

enum { ROW_BYTES = 16, SAVE_EVERY_MS = 1000 };

/* A server is known by the log that its card names, whatever the section is called. */
static struct bytes row_key(const struct node *n, size_t link)
{
	return bytes_of_text(n->settings.servers[link].card.log_key.name);
}

enum err confirmed_load(struct node *n, struct txn *read)
{
	for (size_t i = 0; i < n->settings.server_count; i++) {
		struct bytes row;
		struct cursor c;
		enum err e = txn_get(read, n->confirmed, row_key(n, i), &row);

		if (e == ERR_NOT_FOUND)
			continue;
		if (e != ERR_OK)
			return e;
		c = cursor_of(row);
		n->links[i].confirmed = cursor_u64be(&c);
		n->links[i].confirmed_at.ms = (int64_t)cursor_u64be(&c);
		if (cursor_finish(&c) != ERR_OK)
			return ERR_CORRUPT;
	}
	return ERR_OK;
}

void confirmed_watch(struct node *n)
{
	for (size_t i = 0; i < n->machine.link_count; i++) {
		const struct node_link *l = &n->machine.links[i];
		struct link *link = &n->links[i];

		if (!l->agreed || l->confirmed == link->confirmed)
			continue;
		link->confirmed = l->confirmed;
		link->confirmed_at = l->last_contact;
		n->confirmed_moved = true;
	}
}

static enum err save_row(struct node *n, struct txn *write, size_t link)
{
	struct buf row = {.limit = ROW_BYTES};
	enum err e = ERR_OK;

	buf_add_u64be(&row, n->links[link].confirmed);
	buf_add_u64be(&row, (uint64_t)n->links[link].confirmed_at.ms);
	e = buf_check(&row);
	if (e == ERR_OK)
		e = txn_put(write, n->confirmed, row_key(n, link), buf_bytes(&row));
	buf_free(&row);
	return e;
}

enum err confirmed_save(struct node *n, struct txn *write)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < n->settings.server_count && e == ERR_OK; i++)
		e = save_row(n, write, i);
	return e;
}

bool confirmed_due(const struct node *n)
{
	return n->confirmed_moved && mono_now().ms - n->confirmed_saved.ms >= SAVE_EVERY_MS;
}

void confirmed_saved(struct node *n)
{
	n->confirmed_moved = false;
	n->confirmed_saved = mono_now();
}

void confirmed_save_last(struct node *n)
{
	struct txn *txn = NULL;
	enum err e = ERR_OK;

	if (!n->confirmed_moved || n->fault != ERR_OK)
		return;
	e = txn_begin(n->store, true, &txn);
	if (e == ERR_OK)
		e = confirmed_save(n, txn);
	if (e == ERR_OK)
		e = txn_commit(txn);
	else
		txn_abort(txn);
	if (e == ERR_OK) /* else the next status knows a little less */
		confirmed_saved(n);
	else if (e == ERR_SYNC)
		n->fault = e;
}
