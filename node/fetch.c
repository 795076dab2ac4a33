/* Storing what was fetched back from a server, verified by the machine: events, redacted ones as
 * their leaf hashes, rotations with the keys that they name. */
#include "node/node.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"

/* As its leaf hash when it came so, or when a duty came ahead of it.  What the log says of itself
 * stays. */
static enum err append_one(struct node *n, struct batch *b, struct bytes raw)
{
	struct hash leaf = commit_leaf(raw);
	struct event event;
	bool redacted = false;
	enum err e = duty_redacts(n, b->txn, n->log.tree.size, leaf, &redacted);

	if (e == ERR_OK && (!raw.size || (redacted && !event_is_act(raw))))
		return batch_append_redacted(n, b, leaf);
	arena_reset(&n->arena);
	if (e == ERR_OK)
		e = event_decode(raw, &n->arena, &event);
	return e == ERR_OK ? batch_append(n, b, raw, &event) : e;
}

static enum err try_append(struct node *n, const struct commit *c)
{
	struct batch b;
	struct hash root;
	enum err e = batch_begin(n, &b);

	for (uint32_t i = 0; i < c->count && e == ERR_OK; i++)
		e = append_one(n, &b, c->events[i]);
	root = tree_root(&n->log.tree);
	if (e == ERR_OK && !hash_equal(root, c->checkpoint.root))
		e = ERR_INTERNAL;
	if (e != ERR_OK) {
		batch_abandon(n, &b);
		return e;
	}
	return batch_commit(n, &b, c->note);
}

/* A line that is not good by a key of this log is the sender's own affair: stored, it would be this
 * disk's damage. */
static enum err clean_note(struct node *n, const struct node_action *a, struct commit *ret)
{
	enum err e = ERR_OK;

	*ret = *a->commit;
	buf_clear(&n->note);
	e = succession_keep(&n->succession, a->commit->note,
			    ret->rotates ? &ret->next.log_key : NULL, &n->note);
	ret->note = buf_bytes(&n->note);
	if (e == ERR_OK && ret->note.size != a->commit->note.size)
		log_line(LOG_WARN,
			 "log %s: server %s sent the checkpoint of size %" PRIu64
			 " with lines that are not good by this log's keys: they are left out",
			 n->log.name.text, n->settings.servers[a->link].name, ret->checkpoint.size);
	return e;
}

struct node_event fetch_append(struct node *n, const struct node_action *a)
{
	struct node_event told = {.kind = NODE_EV_STORED, .link = a->link, .tree = &n->log.tree};
	struct commit c;
	enum err e = clean_note(n, a, &c);

	if (e == ERR_OK) {
		e = try_append(n, &c);
		while (e != ERR_OK && batch_grow(n, e) == ERR_OK)
			e = try_append(n, &c);
	}
	if (e != ERR_OK) {
		log_line(LOG_WARN,
			 "log %s: events from %" PRIu64
			 " on could not be stored: %s; fetched again later",
			 n->log.name.text, c.from, err_text(e));
		told.kind = NODE_EV_FAILED;
		return told;
	}
	log_line(LOG_INFO, "log %s: events %" PRIu64 " to %" PRIu64 " fetched back from server %s",
		 n->log.name.text, c.from, c.from + c.count - 1, n->settings.servers[a->link].name);
	if (c.rotates) {
		e = rotate_follow(n, &c.next, c.from + c.count);
		if (e != ERR_OK)
			n->fault = e;
	}
	return told;
}
