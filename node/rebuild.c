/* What only a start may do: folding on when the view is behind the log, and, after a redaction,
 * folding anew and writing the store's file anew, so that the erased bytes are in no file. */
#include "node/node.h"

#include <inttypes.h>

#include "base/log.h"

/* Of one transaction: LMDB keeps the memory of its largest one. */
enum { FOLD_EVENTS = 512, FOLD_BYTES = 1024 * 1024 };

/* ---- folding on ---- */

static enum err fold_some(struct node *n, uint64_t position, uint64_t *ret_position)
{
	struct txn *write = NULL;
	size_t bytes = 0;
	uint64_t at = position;
	enum err e = txn_begin(n->store, true, &write);

	while (e == ERR_OK && at < n->log.tree.size && at - position < FOLD_EVENTS &&
	       bytes < FOLD_BYTES) {
		struct bytes stored = {NULL, 0};

		e = log_event(&n->log, write, at, &stored);
		if (e == ERR_REDACTED)
			e = ERR_OK;
		if (e == ERR_OK)
			e = view_fold_own(n->fold, &n->view, write, n->log.name, at, stored,
					  &n->arena);
		bytes += stored.size;
		at++;
	}
	if (e == ERR_OK)
		e = view_fold_finish(n->fold, &n->view, write, at);
	if (e == ERR_OK) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	if (e != ERR_OK) {
		view_fold_abandon(n->fold);
		return e;
	}
	*ret_position = at;
	return ERR_OK;
}

enum err rebuild_fold_on(struct node *n)
{
	struct txn *read = NULL;
	uint64_t position = 0;
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = view_position(&n->view, read, &position);
	txn_abort(read);
	if (e == ERR_OK && position > n->log.tree.size)
		return ERR_CORRUPT;
	if (e == ERR_OK && position < n->log.tree.size)
		log_line(LOG_NOTICE,
			 "log %s: folding events %" PRIu64 " to %" PRIu64 " into the register",
			 n->log.name.text, position, n->log.tree.size - 1);
	while (e == ERR_OK && position < n->log.tree.size) {
		e = fold_some(n, position, &position);
		if (e == ERR_MAP_FULL)
			e = batch_grow(n, e);
	}
	return e;
}

/* ---- scrubbing ---- */

enum err rebuild_wanted(struct node *n, bool *ret)
{
	struct bytes row;
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = txn_get(read, n->scrub, bytes_of_text(SCRUB_PENDING), &row);
	txn_abort(read);
	*ret = e == ERR_OK;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err clear_view(struct node *n)
{
	struct txn *write = NULL;
	enum err e = txn_begin(n->store, true, &write);

	if (e == ERR_OK)
		e = view_clear(&n->view, write);
	if (e == ERR_OK) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	return e;
}

enum err rebuild_view(struct node *n)
{
	enum err e = clear_view(n);

	while (e == ERR_MAP_FULL && batch_grow(n, e) == ERR_OK)
		e = clear_view(n);
	return e == ERR_OK ? rebuild_fold_on(n) : e;
}

enum err rebuild_done(struct node *n)
{
	struct txn *write = NULL;
	enum err e = txn_begin(n->store, true, &write);

	if (e == ERR_OK)
		e = txn_delete(write, n->scrub, bytes_of_text(SCRUB_PENDING));
	if (e == ERR_OK) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	if (e == ERR_OK)
		log_line(LOG_NOTICE, "log %s: what was redacted is erased from the files of %s",
			 n->log.name.text, n->settings.data);
	return e;
}
