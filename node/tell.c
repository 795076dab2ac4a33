/* What the node says of itself in its view: for programs that read the store and ask nobody.  It is
 * put into the store by a commit that is made anyway, or, when only something else changed, by one
 * of its own; a store without room keeps the row that it has. */
#include "node/node.h"

#include "base/log.h"

enum {
	CHANGE_MS = 1000,    /* what changed is said so often at most */
	INTERVAL_MS = 30000, /* and all of it so often at least */
};

/* The reply as it is now; and `same`: without what time alone moves, to compare. */
static enum err encode(struct node *n, struct txn *t, const char *state)
{
	struct telling *to = &n->telling;
	struct peer_row peers[SERVERS_MAX];
	struct control_reply reply;
	enum err e = ERR_OK;

	arena_reset(&to->arena);
	e = status_fill(n, t, &to->arena, &reply);
	if (e != ERR_OK)
		return e;
	if (state)
		reply.state = state;
	reply.interval_ms = INTERVAL_MS;
	/* A note says to those who run the node what to do, and names folders and addresses; a view
	 * is read by anybody, and for him the states say enough. */
	reply.note = "";
	for (size_t i = 0; i < reply.peer_count; i++) {
		peers[i] = reply.peers[i];
		peers[i].note = "";
	}
	reply.peers = peers;
	buf_clear(&to->said);
	e = control_reply_encode(&reply, &to->arena, &to->said);
	for (size_t i = 0; i < reply.peer_count; i++)
		peers[i].last_contact_ms = 0;
	reply.histogram_count = 0;
	reply.written_ms = 0;
	buf_clear(&to->same);
	return e == ERR_OK ? control_reply_encode(&reply, &to->arena, &to->same) : e;
}

bool tell_due(const struct node *n)
{
	/* What found no room in a commit must not keep the next one out. */
	return n->no_room == ERR_OK && mono_now().ms >= n->telling.next.ms;
}

enum err tell_put(struct node *n, struct txn *write)
{
	/* What cannot be said is no reason to refuse an edit. */
	if (encode(n, write, NULL) != ERR_OK)
		return ERR_OK;
	return view_put_status(&n->view, write, buf_bytes(&n->telling.said));
}

void tell_done(struct node *n)
{
	struct telling *to = &n->telling;
	struct mono_ms now = mono_now();

	to->next.ms = now.ms + CHANGE_MS;
	to->all.ms = now.ms + INTERVAL_MS;
	buf_clear(&to->told);
	buf_add_bytes(&to->told, buf_bytes(&to->same));
}

/* In a transaction of its own. */
static enum err put_alone(struct node *n)
{
	struct txn *write = NULL;
	enum err e = txn_begin(n->store, true, &write);

	if (e == ERR_OK)
		e = view_put_status(&n->view, write, buf_bytes(&n->telling.said));
	if (e == ERR_OK)
		return txn_commit(write);
	txn_abort(write);
	return e;
}

/* A disk that does not confirm ends the node, as any commit there would; what else goes wrong may
 * pass, and is tried again later. */
static void tell(struct node *n)
{
	enum err e = put_alone(n);

	if (e == ERR_MAP_FULL && store_grow(n->store) == ERR_OK)
		e = put_alone(n);
	if (e == ERR_OK) {
		tell_done(n);
		return;
	}
	n->telling.next.ms = mono_now().ms + INTERVAL_MS;
	if (e != ERR_SYNC && e != ERR_IO && e != ERR_CORRUPT)
		return;
	log_line(LOG_ERROR,
		 "log %s: the status could not be stored: %s; stopping: look at the disk of %s, "
		 "then start again",
		 n->log.name.text, err_text(e), n->settings.data);
	n->fault = e;
}

void tell_tick(struct node *n)
{
	struct telling *to = &n->telling;
	int64_t now_ms = mono_now().ms;

	if (now_ms < to->next.ms)
		return;
	to->next.ms = now_ms + CHANGE_MS;
	store_sweep(n->store);
	if (encode(n, NULL, NULL) != ERR_OK)
		return;
	if (now_ms >= to->all.ms || !bytes_equal(buf_bytes(&to->same), buf_bytes(&to->told)))
		tell(n);
}

void tell_state(struct node *n, const char *state)
{
	if (n->fault == ERR_OK && encode(n, NULL, state) == ERR_OK)
		tell(n);
}
