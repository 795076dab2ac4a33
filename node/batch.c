#include "node/node.h"

#include <inttypes.h>

#include "base/log.h"

enum err batch_begin(struct node *n, struct batch *b)
{
	*b = (struct batch){.recorded = n->last_recorded, .begun_us = mono_us()};
	return txn_begin(n->store, true, &b->txn);
}

enum err batch_divide(struct node *n, struct batch *b, size_t size)
{
	enum err e = ERR_OK;

	if (b->events == b->sealed_events ||
	    (b->events - b->sealed_events < COMMIT_EVENTS_ASKED &&
	     b->bytes - b->sealed_bytes + bundle_packed(size) <= COMMIT_BYTES_ASKED))
		return ERR_OK;
	buf_clear(&n->note);
	e = sign_present(n, &n->note);
	if (e == ERR_OK)
		e = log_seal(&n->log, b->txn, buf_bytes(&n->note));
	b->sealed_events = b->events;
	b->sealed_bytes = b->bytes;
	return e;
}

enum err batch_append(struct node *n, struct batch *b, struct bytes raw, const struct event *e)
{
	uint64_t index = n->log.tree.size;
	enum err err = ERR_OK;

	b->touched = true;
	err = log_append(&n->log, b->txn, raw);
	if (err == ERR_OK)
		err = view_fold_time(n->fold, &n->view, b->txn, index, &e->recorded);
	if (err == ERR_OK)
		err = view_fold_event(n->fold, &n->view, b->txn, index, n->log.name, index, e);
	if (err != ERR_OK)
		return err;
	if (e->recorded.ms > n->last_recorded.ms)
		n->last_recorded = e->recorded;
	b->events++;
	b->bytes += bundle_packed(raw.size);
	return ERR_OK;
}

enum err batch_append_redacted(struct node *n, struct batch *b, struct hash leaf)
{
	uint64_t index = n->log.tree.size;
	enum err err = ERR_OK;

	b->touched = true;
	err = log_append_redacted(&n->log, b->txn, leaf);
	if (err == ERR_OK)
		err = view_fold_time(n->fold, &n->view, b->txn, index, NULL);
	if (err == ERR_OK)
		err = view_fold_redacted(n->fold);
	if (err != ERR_OK)
		return err;
	b->events++;
	b->bytes += bundle_packed(0);
	return ERR_OK;
}

/* The mark is raised after the commit and before anything of that size leaves: a kill in
 * between loses nothing, since the store itself is then the proof. */
enum err node_raise_mark(struct node *n)
{
	enum err e = ERR_OK;

	if (!n->mark_open)
		return ERR_OK;
	e = highwater_raise(&n->mark, n->log.tree.size, mono_now().ms);
	if (e != ERR_OK) {
		log_line(LOG_ERROR,
			 "log %s: the mark %s.highwater cannot be raised to %" PRIu64 ": %s; "
			 "stopping before anything of that size leaves; check that folder",
			 n->log.name.text, n->settings.keys, n->log.tree.size, err_text(e));
		n->fault = e;
	}
	return e;
}

/* The disk gets what the mark says a moment after it was raised, and all of it at a clean stop. */
void node_settle_mark(struct node *n, int64_t mono_ms)
{
	enum err e = n->mark_open ? highwater_settle(&n->mark, mono_ms) : ERR_OK;

	if (e == ERR_OK)
		return;
	log_line(LOG_ERROR,
		 "log %s: the mark %s.highwater is not on the disk: %s; stopping; check that disk",
		 n->log.name.text, n->settings.keys, err_text(e));
	n->fault = e;
}

enum err batch_commit(struct node *n, struct batch *b, struct bytes note)
{
	struct txn *txn = b->txn;
	bool save = confirmed_due(n);
	bool tell = tell_due(n);
	enum err e = ERR_OK;

	if (!note.size) {
		buf_clear(&n->note);
		e = sign_present(n, &n->note);
		note = buf_bytes(&n->note);
	}
	if (e == ERR_OK)
		e = log_seal(&n->log, txn, note);
	if (e == ERR_OK)
		e = view_fold_finish(n->fold, &n->view, txn, n->log.tree.size);
	if (e == ERR_OK && save)
		e = confirmed_save(n, txn);
	if (e == ERR_OK && tell)
		e = tell_put(n, txn);
	if (e == ERR_OK) {
		b->txn = NULL; /* a commit ends it, also when it fails */
		e = txn_commit(txn);
	}
	if (e != ERR_OK) {
		batch_abandon(n, b);
		if (e == ERR_SYNC || e == ERR_IO || e == ERR_CORRUPT) {
			log_line(LOG_ERROR,
				 "log %s: commit failed: %s; stopping: look at the disk of %s, "
				 "then start again",
				 n->log.name.text, err_text(e), n->settings.data);
			n->fault = e;
		}
		return e;
	}
	n->no_room = ERR_OK;
	histogram_note(&n->stored, mono_us() - b->begun_us);
	if (save)
		confirmed_saved(n);
	if (tell)
		tell_done(n);
	/* What is stored stands, also when the mark cannot follow: the fault ends the node
	 * before anything of that size leaves, and the next start raises the mark. */
	if (node_raise_mark(n) != ERR_OK)
		n->stopping = true;
	return ERR_OK;
}

void batch_abandon(struct node *n, struct batch *b)
{
	struct txn *read = NULL;
	enum err e = ERR_OK;

	txn_abort(b->txn);
	b->txn = NULL;
	n->last_recorded = b->recorded;
	view_fold_abandon(n->fold);
	if (!b->touched)
		return;
	e = txn_begin(n->store, false, &read);
	if (e == ERR_OK)
		e = log_reload(&n->log, read);
	txn_abort(read);
	if (e != ERR_OK) {
		log_line(LOG_ERROR,
			 "log %s: cannot be read again after a failed commit: %s; stopping; start "
			 "again",
			 n->log.name.text, err_text(e));
		n->fault = e;
	}
}

const char *room_advice(enum err why)
{
	return why == ERR_DISK_FULL ? "make room on that disk" : "raise map-max-mib and restart";
}

enum err batch_grow(struct node *n, enum err why)
{
	if (why == ERR_MAP_FULL && n->fault == ERR_OK && store_grow(n->store) == ERR_OK)
		return ERR_OK;
	if (n->no_room != why && (why == ERR_DISK_FULL || why == ERR_MAP_FULL)) {
		log_line(LOG_ERROR,
			 "log %s: %s for the store %s: nothing is accepted, reading goes on; %s",
			 n->log.name.text, err_text(why), n->settings.data, room_advice(why));
		n->no_room = why;
	}
	return why;
}
