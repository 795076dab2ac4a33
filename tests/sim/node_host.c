/* A node's driver over the simulated disk and network: what splot-node does, with the same
 * machine, the same log and the same view. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum {
	TICK_MS = 250,
	SMALL_MAP = 30000, /* some nodes begin with a map that fills */
	QUEUE_MAX = 64,
	START_AGAIN_MS = 1000,
};

const char *node_host_name(const struct node_host *n)
{
	static const char *const TWIN_NAME = "twin";

	return n->number == TWIN ? TWIN_NAME : n->name.text;
}

/* ---- the log ---- */

static enum err note_at(struct node_host *n, struct txn *t, uint64_t size, struct buf *ret)
{
	struct checkpoint c = {.size = size};
	struct bytes stored;
	struct tree tree;
	enum err e = log_checkpoint(&n->log, t, size, &stored);

	if (e == ERR_OK) {
		buf_add_bytes(ret, stored);
		return buf_check(ret);
	}
	if (e == ERR_NOT_FOUND)
		e = log_tree_at(&n->log, t, size, &tree);
	if (e)
		return e;
	memcpy(c.origin, n->signer.key.name, sizeof(c.origin));
	c.root = tree_root(&tree);
	return checkpoint_sign(&c, &n->signer, ret);
}

enum err node_host_append(struct node_host *n, struct txn *t, struct bytes raw,
			  const struct event *event)
{
	uint64_t index = n->log.tree.size;
	enum err e = log_append(&n->log, t, raw);

	if (!e)
		e = view_fold_time(n->fold, &n->view, t, index, &event->recorded);
	if (!e)
		e = view_fold_event(n->fold, &n->view, t, index, n->log.name, index, event);
	return e;
}

void node_host_undo(struct node_host *n, struct txn *t)
{
	struct txn *read = NULL;

	txn_abort(t);
	view_fold_abandon(n->fold);
	if (txn_begin(n->store, false, &read) || log_reload(&n->log, read))
		world_fail(n->w, "log %s cannot be read again after a failure", n->name.text);
	txn_abort(read);
}

/* Seals, folds, commits; `note` empty: signs one.  On failure nothing of it stands. */
enum err node_host_finish(struct node_host *n, struct txn *t, struct bytes note)
{
	struct checkpoint c = {.size = n->log.tree.size, .root = tree_root(&n->log.tree)};
	enum err e = ERR_OK;

	if (note.size == 0) {
		buf_clear(&n->note);
		memcpy(c.origin, n->signer.key.name, sizeof(c.origin));
		e = checkpoint_sign(&c, &n->signer, &n->note);
		note = buf_bytes(&n->note);
	}
	if (!e)
		e = log_seal(&n->log, t, note);
	if (!e)
		e = view_fold_finish(n->fold, &n->view, t, n->log.tree.size);
	if (!e) {
		e = txn_commit(t);
		t = NULL;
	}
	if (e && !memstore_died(n->disk))
		node_host_undo(n, t);
	if (!e && n->log.tree.size > n->mark && n->mark_found)
		n->mark = n->log.tree.size;
	return e;
}

bool node_host_grow(struct node_host *n, enum err why)
{
	if (why != ERR_MAP_FULL || store_grow(n->store))
		return false;
	n->w->tally.grown++;
	return true;
}

/* What follows a write: the process may have died in it. */
bool node_host_survives(struct node_host *n)
{
	if (!memstore_died(n->disk))
		return true;
	node_host_crash(n, "killed in a commit");
	world_plan(n->w, 50 + world_below(n->w, 3000), AT_NODE_START, n->number, 0, n->epoch, NULL);
	return false;
}

/* ---- performing what the machine decides ---- */

struct queue {
	struct node_event events[QUEUE_MAX];
	size_t first, count;
};

static void queue_add(struct node_host *n, struct queue *q, struct node_event event)
{
	if (q->count == QUEUE_MAX) {
		world_fail(n->w, "node %s has too much to tell its machine", n->name.text);
		return;
	}
	q->events[(q->first + q->count++) % QUEUE_MAX] = event;
}

enum err node_host_send(struct node_host *n, size_t link, const struct wire_header *header,
			const struct bytes *more, size_t count)
{
	struct bytes frames[FRAMES];
	enum err e = ERR_OK;

	buf_clear(&n->header);
	e = wire_encode(header, &n->header);
	if (e)
		return e;
	frames[0] = buf_bytes(&n->header);
	for (size_t i = 0; i < count; i++)
		frames[1 + i] = more[i];
	return wire_up(n->w, n->number, (unsigned)link, frames, 1 + count);
}

static enum err send_notes(struct node_host *n, const struct node_action *a, struct txn *read)
{
	struct bytes frames[2] = {{NULL, 0}, {NULL, 0}};
	size_t count = 0;
	enum err e = ERR_OK;

	if (a->header.size > 0) {
		e = note_at(n, read, a->header.size, &n->note);
		frames[0] = buf_bytes(&n->note);
		count = 1;
	}
	if (!e && a->header.kind == WIRE_HELLO &&
	    node_host_witnessed(n, (unsigned)a->link, read, &frames[1]) == ERR_OK)
		count = 2;
	return e ? e : node_host_send(n, a->link, &a->header, frames, count);
}

static void send_signed(struct node_host *n, const struct node_action *a)
{
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	buf_clear(&n->note);
	if (!e)
		e = send_notes(n, a, read);
	txn_abort(read);
	if (e && e != ERR_AGAIN)
		world_fail(n->w, "node %s cannot sign at %" PRIu64 ": %s", n->name.text,
			   a->header.size, err_code(e));
}

static enum err pack(struct node_host *n, struct txn *read, uint64_t from, uint32_t count,
		     size_t *ret_frames)
{
	size_t used = 0;

	for (size_t i = 0; i < COMMIT_FRAMES_MAX; i++)
		buf_clear(&n->frame[i]);
	for (uint32_t i = 0; i < count; i++) {
		struct bytes event;
		enum err e = log_event(&n->log, read, from + i, &event);

		if (e)
			return e;
		if (n->frame[used].size + 2 + event.size > FRAME_BYTES_MAX)
			used++;
		if (used == COMMIT_FRAMES_MAX)
			return ERR_LIMIT;
		bundle_add(&n->frame[used], event);
	}
	*ret_frames = used + 1;
	return ERR_OK;
}

static void send_commit(struct node_host *n, const struct node_action *a, struct queue *q)
{
	struct node_event sent = {.kind = NODE_EV_SENT, .link = a->link, .size = a->header.from};
	struct wire_header header = a->header;
	struct bytes parts[1 + COMMIT_FRAMES_MAX];
	struct txn *read = NULL;
	size_t frames = 0;
	enum err e = txn_begin(n->store, false, &read);

	if (!e)
		e = log_fit(&n->log, read, header.from, a->size, a->bytes_max, &header.count);
	if (header.count > a->events_max)
		header.count = a->events_max;
	if (!e && header.count == 0)
		e = ERR_AGAIN;             /* not one event fits what is left of the credit */
	if (!e && world_chance(n->w, 200)) /* cuts may differ from server to server */
		header.count = 1 + world_below(n->w, header.count);
	buf_clear(&n->note);
	if (!e)
		e = note_at(n, read, header.from + header.count, &n->note);
	if (!e)
		e = pack(n, read, header.from, header.count, &frames);
	txn_abort(read);
	parts[0] = buf_bytes(&n->note);
	for (size_t i = 0; i < frames; i++)
		parts[1 + i] = buf_bytes(&n->frame[i]);
	if (!e)
		e = node_host_send(n, a->link, &header, parts, 1 + frames);
	if (!e) {
		sent.size = header.from + header.count;
		for (size_t i = 0; i < frames; i++)
			sent.bytes += n->frame[i].size;
	} else if (e != ERR_AGAIN) {
		world_fail(n->w, "node %s cannot send from %" PRIu64 ": %s", n->name.text,
			   header.from, err_code(e));
	}
	queue_add(n, q, sent);
}

static enum err try_append(struct node_host *n, const struct commit *c)
{
	struct txn *t = NULL;
	enum err e = txn_begin(n->store, true, &t);

	for (uint32_t i = 0; !e && i < c->count; i++) {
		struct event event;

		arena_reset(&n->arena);
		e = event_decode(c->events[i], &n->arena, &event);
		if (!e)
			e = node_host_append(n, t, c->events[i], &event);
		if (!e && event.recorded.ms > n->last_recorded.ms)
			n->last_recorded = event.recorded;
	}
	if (e) {
		node_host_undo(n, t);
		return e;
	}
	return node_host_finish(n, t, c->note);
}

static void append(struct node_host *n, const struct node_action *a, struct queue *q)
{
	struct node_event told = {.kind = NODE_EV_STORED, .tree = &n->log.tree};
	enum err e = try_append(n, a->commit);

	while (e && node_host_grow(n, e))
		e = try_append(n, a->commit);
	if (memstore_died(n->disk))
		return;
	if (e) {
		world_tell(n->w, node_host_name(n), "fetched events not stored: %s", err_code(e));
		told.kind = NODE_EV_FAILED;
	} else {
		n->w->tally.fetched += a->commit->count;
		world_tell(n->w, node_host_name(n), "fetched back to %" PRIu64, n->log.tree.size);
	}
	queue_add(n, q, told);
}

static void alarm_person(struct node_host *n, size_t link)
{
	const struct node_link *l = &n->machine.links[link];

	world_tell(n->w, node_host_name(n), "ALARM at server %zu: %s: %s", link,
		   err_code(l->refused), l->refused_text);
	if (!world_is_forked(n->w, n->number) && !world_was_put_back(n->w, (unsigned)link))
		world_fail(n->w, "an honest node had to call a person");
}

static void perform(struct node_host *n, const struct node_action *a, struct queue *q)
{
	switch (a->kind) {
	case NODE_CONNECT:
		wire_connect(n->w, n->number, (unsigned)a->link);
		break;
	case NODE_SEND:
		(void)!node_host_send(n, a->link, &a->header, NULL, 0);
		break;
	case NODE_SEND_SIGNED:
		send_signed(n, a);
		break;
	case NODE_SEND_COMMIT:
		send_commit(n, a, q);
		break;
	case NODE_APPEND:
		append(n, a, q);
		break;
	case NODE_ALARM:
		alarm_person(n, a->link);
		break;
	case NODE_OPENED:
		world_tell(n->w, node_host_name(n), "the gate opens at %" PRIu64, n->machine.size);
		n->mark_found = true;
		if (n->mark < n->machine.size)
			n->mark = n->machine.size;
		check_opened(n);
		break;
	case NODE_WITNESS:
		node_host_witness(n, a);
		break;
	case NODE_CARRY_OUT:
		world_fail(n->w, "node %s has a duty that nobody laid on it", n->name.text);
		break;
	}
}

/* What the servers confirmed is a promise from now on. */
static void note_promises(struct node_host *n)
{
	unsigned region = n->number == TWIN ? n->w->forked : n->number;

	for (unsigned i = 0; i < SERVERS; i++) {
		const struct node_link *link = &n->machine.links[i];
		struct promise *p = &n->w->promised[i][region];

		if (link->confirmed > n->machine.size || link->confirmed > n->chain.count) {
			world_fail(n->w, "log %s: more is confirmed than there is", n->name.text);
			return;
		}
		if (link->confirmed == n->told[i])
			continue;
		n->told[i] = link->confirmed;
		if (link->confirmed <= p->size)
			continue;
		n->w->tally.confirmed += link->confirmed - p->size;
		*p = (struct promise){link->confirmed, n->chain.at[link->confirmed]};
		check_promise(n->w, i, region);
	}
}

void node_host_step(struct node_host *n, const struct node_event *event)
{
	struct queue q = {.count = 0};

	queue_add(n, &q, *event);
	while (q.count > 0 && !n->w->failed) {
		struct node_event e = q.events[q.first];

		q.first = (q.first + 1) % QUEUE_MAX;
		q.count--;
		e.mono.ms = n->w->now_ms;
		e.wall.ms = n->w->now_ms;
		e.random = (uint32_t)world_random(n->w);
		node_step(&n->machine, &e, &n->update);
		for (size_t i = 0; i < n->update.count; i++)
			perform(n, &n->update.actions[i], &q);
		if (!node_host_survives(n))
			return;
	}
	if (chain_follow(&n->chain, &n->log, n->store))
		world_fail(n->w, "node %s cannot read its own log", n->name.text);
	note_promises(n);
	for (unsigned i = 0; i < SERVERS && n->number != TWIN; i++)
		check_prefix(n->w, i, n->number);
}

void node_host_hear(struct node_host *n, unsigned server, const struct packet *p)
{
	const struct node_event e = {.kind = NODE_EV_MESSAGE,
				     .link = server,
				     .frames = p->frames,
				     .frame_count = p->frame_count};

	node_host_step(n, &e);
}

void node_host_tick(struct node_host *n)
{
	const struct node_event e = {.kind = NODE_EV_TICK};

	world_plan(n->w, TICK_MS, AT_NODE_TICK, n->number, 0, n->epoch, NULL);
	node_host_step(n, &e);
}

/* ---- starting and dying ---- */

static enum err last_time(struct node_host *n, struct txn *read)
{
	struct bytes raw;
	struct event event;
	enum err e = ERR_OK;

	n->last_recorded.ms = 0;
	if (n->log.tree.size == 0)
		return ERR_OK;
	e = log_event(&n->log, read, n->log.tree.size - 1, &raw);
	if (!e)
		e = event_decode(raw, &n->arena, &event);
	if (!e)
		n->last_recorded = event.recorded;
	arena_reset(&n->arena);
	return e;
}

static enum err key_at(void *context, uint64_t size, struct vkey *ret)
{
	const struct node_host *n = context;

	(void)size;
	*ret = n->signer.key;
	return ERR_OK;
}

static bool redacted(void *context, uint64_t index, struct hash leaf)
{
	(void)context;
	(void)index;
	(void)leaf;
	return false;
}

static enum err open_all(struct node_host *n)
{
	const struct node_lookup lookup = {n, key_at, redacted};
	const struct store_options options = {.map_bytes = n->number % 3 == 0 ? SMALL_MAP : 0};
	struct txn *read = NULL;
	enum err e = store_open(n->disk, &options, &n->store);

	if (!e)
		e = log_open(n->store, n->name, true, &n->log);
	if (!e)
		e = store_table(n->store, "witnessed", true, &n->witnessed);
	if (!e)
		e = view_open(n->store, true, &n->view);
	if (!e)
		e = view_fold_new(&n->fold);
	if (!e)
		e = txn_begin(n->store, false, &read);
	if (!e)
		e = last_time(n, read);
	txn_abort(read);
	if (!e)
		e = node_machine_init(&n->machine, n->name, &lookup, &n->log.tree, n->mark,
				      n->mark_found, SERVERS);
	return e;
}

void node_host_start(struct node_host *n)
{
	enum err e = ERR_OK;

	n->up = true;
	n->epoch++;
	n->w->tally.restarts++;
	memset(n->told, 0, sizeof(n->told));
	chain_clear(&n->chain);
	e = open_all(n);
	if (!e)
		e = chain_follow(&n->chain, &n->log, n->store);
	if (e == ERR_DISK_FULL) { /* it refuses to start, and is started again */
		node_host_crash(n, "no room on the disk to begin with");
		world_plan(n->w, START_AGAIN_MS, AT_NODE_START, n->number, 0, n->epoch, NULL);
		return;
	}
	if (e) {
		world_fail(n->w, "node %s does not start: %s", node_host_name(n), err_code(e));
		return;
	}
	check_accepted(n);
	if (n->mark_found && n->mark < n->log.tree.size)
		n->mark = n->log.tree.size; /* it may have died between commit and mark */
	world_tell(n->w, node_host_name(n), "starts with %" PRIu64 " events%s", n->log.tree.size,
		   n->machine.gated ? ", gated" : "");
	world_plan(n->w, world_below(n->w, TICK_MS), AT_NODE_TICK, n->number, 0, n->epoch, NULL);
	world_plan(n->w, world_below(n->w, NODE_EDIT_MEAN_MS), AT_NODE_EDIT, n->number, 0, n->epoch,
		   NULL);
}

void node_host_crash(struct node_host *n, const char *why)
{
	if (n->up && why)
		world_tell(n->w, node_host_name(n), "dies: %s", why);
	n->up = false;
	n->epoch++;
	for (unsigned i = 0; n->w && i < SERVERS; i++)
		wire_close(n->w, n->number, i);
	memstore_crash(n->disk, false);
	node_machine_free(&n->machine);
	view_fold_free(n->fold);
	n->fold = NULL;
	n->store = NULL;
	arena_free(&n->arena);
	buf_free(&n->note);
	buf_free(&n->header);
	for (size_t i = 0; i < COMMIT_FRAMES_MAX; i++)
		buf_free(&n->frame[i]);
}
