/* A node's driver over the simulated disk and network: what splot-node does, with the same
 * machine, the same log and the same view. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"

enum { TICK_MS = 250, QUEUE_MAX = 64, START_AGAIN_MS = 1000, HEAL_MS = 1500 };

const char *node_host_name(const struct node_host *n)
{
	static const char *const TWIN_NAME = "twin";

	return n->number == TWIN ? TWIN_NAME : n->name.text;
}

struct wall_ms node_host_wall(const struct node_host *n)
{
	return (struct wall_ms){WALL_BEGIN_MS + n->w->now_ms + n->clock_ms};
}

/* ---- what ends it ---- */

void node_host_noticed(struct node_host *n, const char *how, enum err e)
{
	if (!n->damage.there) {
		world_fail(n->w, "node %s: %s (%s), and nothing is damaged", node_host_name(n), how,
			   err_code(e));
		return;
	}
	if (!n->damage.told)
		world_tell(n->w, node_host_name(n), "notices damage in its %s: %s (%s)",
			   n->damage.where, how, err_code(e));
	n->damage.told = true;
	n->fault = ERR_CORRUPT;
}

/* The folder is moved aside: a copy is put in its place, or the log is fetched back. */
static void heal(struct node_host *n)
{
	struct world *w = n->w;
	bool copy = n->has_copy && world_chance(w, 500);

	w->tally.noticed++;
	n->damage = (struct damage){0};
	n->safe = (struct promise){0};
	memstore_wipe(n->disk);
	if (copy && memstore_copy(n->copy, n->disk))
		world_fail(w, "a copy cannot be put back");
	world_tell(w, node_host_name(n), "%s",
		   copy ? "a copy is put in its store's place" : "its store is moved aside");
	wire_forget(w, n->number);
}

bool node_host_survives(struct node_host *n)
{
	bool died = memstore_died(n->disk);

	if (!died && !n->fault && !n->again)
		return true;
	node_host_crash(n, died       ? "killed in a commit"
			   : n->again ? "begins anew, to erase for good"
				      : err_text(n->fault));
	if (n->damage.told)
		heal(n);
	world_plan(n->w, n->damage.told ? HEAL_MS : 50 + world_below(n->w, 3000), AT_NODE_START,
		   n->number, 0, n->epoch, NULL);
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
		e = node_keys_show(n, read, a->header.size, &n->note);
		frames[0] = buf_bytes(&n->note);
		count = 1;
	}
	if (!e && a->header.kind == WIRE_HELLO &&
	    node_host_witnessed(n, (unsigned)a->link, read, &frames[1]) == ERR_OK)
		count = 2;
	return e ? e : node_host_send(n, a->link, &a->header, frames, count);
}

/* What cannot be read is no reason to sign anything. */
static void unsent(struct node_host *n, const char *what, enum err e)
{
	if (e && e != ERR_AGAIN)
		node_host_noticed(n, what, e);
}

static void send_signed(struct node_host *n, const struct node_action *a)
{
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	buf_clear(&n->note);
	if (!e)
		e = send_notes(n, a, read);
	txn_abort(read);
	unsent(n, "a checkpoint cannot be shown", e);
}

static enum err pack(struct node_host *n, struct txn *read, uint64_t from, uint32_t count,
		     size_t *ret_frames)
{
	size_t used = 0;

	for (size_t i = 0; i < COMMIT_FRAMES_MAX; i++)
		buf_clear(&n->frame[i]);
	for (uint32_t i = 0; i < count; i++) {
		struct bytes event;
		struct hash leaf;
		enum err e = log_event(&n->log, read, from + i, &event);
		bool redacted = e == ERR_REDACTED;

		if (redacted)
			e = log_leaf(&n->log, read, from + i, &leaf);
		if (e)
			return e;
		if (n->frame[used].size + 2 + (redacted ? HASH_BYTES : event.size) >
		    FRAME_BYTES_MAX)
			used++;
		if (used == COMMIT_FRAMES_MAX)
			return ERR_LIMIT;
		if (redacted)
			bundle_add_redacted(&n->frame[used], leaf.b);
		else
			bundle_add(&n->frame[used], event);
	}
	*ret_frames = used + 1;
	return ERR_OK;
}

static enum err cut(struct node_host *n, struct txn *read, const struct node_action *a,
		    uint32_t *ret_count)
{
	const struct node_link *link = &n->machine.links[a->link];
	struct log_cut c = {.from = a->header.from,
			    .size = a->size,
			    .bytes_max = a->bytes_max,
			    .events_max = a->events_max,
			    .narrow = (a->bytes_max < link->commit_bytes),
			    .under_way = (link->under_way_bytes > 0),
			    .signs = node_keys_can_sign,
			    .context = n};

	if (world_chance(n->w, 200)) /* cuts may differ from server to server */
		c.events_max = 1 + world_below(n->w, c.events_max);
	return log_cut(&n->log, read, &c, ret_count);
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
		e = cut(n, read, a, &header.count);
	if (!e && header.count == 0)
		e = ERR_AGAIN;
	buf_clear(&n->note);
	if (!e)
		e = node_keys_note(n, read, header.from + header.count, &n->note);
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
	}
	unsent(n, "a commit cannot be sent", e);
	queue_add(n, q, sent);
}

static void append(struct node_host *n, const struct node_action *a, struct queue *q)
{
	struct node_event told = {.kind = NODE_EV_STORED, .link = a->link, .tree = &n->log.tree};
	enum err e = node_log_fetched(n, a->commit);

	if (memstore_died(n->disk) || n->fault)
		return;
	if (e) {
		world_tell(n->w, node_host_name(n), "fetched events not stored: %s", err_code(e));
		told.kind = NODE_EV_FAILED;
		if (e != ERR_DISK_FULL)
			node_host_noticed(n, "fetched events cannot be stored", e);
	} else {
		n->w->tally.fetched += a->commit->count;
		world_tell(n->w, node_host_name(n), "fetched back to %" PRIu64, n->log.tree.size);
	}
	queue_add(n, q, told);
}

/* Whether this alarm is one that has to be. */
static bool is_expected(const struct node_host *n, unsigned server)
{
	const struct world *w = n->w;

	return world_is_forked(w, n->number) || world_was_put_back(w, server) ||
	       world_is_revoked(w, n->number) || world_distrusts(w, n->number, server);
}

static void alarm_person(struct node_host *n, size_t link)
{
	const struct node_link *l = &n->machine.links[link];
	struct server_host *s = &n->w->servers[link];

	world_tell(n->w, node_host_name(n), "ALARM at server %zu: %s: %s", link,
		   err_code(l->refused), l->refused_text);
	if (is_expected(n, (unsigned)link))
		return;
	if (world_illness(&n->damage)) {
		node_host_noticed(n, "a server refuses what it sends", l->refused);
		return;
	}
	if (l->refused == ERR_FROZEN && act_is_planned(n->w, ACT_FREEZE, (unsigned)link, n->number))
		return;
	if (l->refused == ERR_REDACTED && /* an act of the other server came first */
	    act_is_planned(n->w, ACT_REDACT, (unsigned)link, n->number))
		return;
	server_host_blamed(s, n->hears, "a node cannot take what it sends", l->refused);
}

static void opened(struct node_host *n)
{
	struct node_keys *k = &n->keys;

	world_tell(n->w, node_host_name(n), "the gate opens at %" PRIu64, n->machine.size);
	/* What was lost with a store is in copies of before: they are another history from here on.
	 */
	if (n->copy_size > n->machine.size)
		n->has_copy = false;
	k->mark_found = true;
	if (k->mark < n->machine.size)
		k->mark = n->machine.size;
	k->mark_synced = k->mark;
	k->mark_synced_ms = n->w->now_ms;
	check_opened(n);
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
		opened(n);
		if (node_keys_mend(n))
			queue_add(n, q,
				  (struct node_event){.kind = NODE_EV_GREW, .tree = &n->log.tree});
		break;
	case NODE_WITNESS:
		if (node_host_witness(n, a))
			queue_add(n, q,
				  (struct node_event){.kind = NODE_EV_DISTRUST, .link = a->link});
		break;
	case NODE_CARRY_OUT:
		if (!node_duty_carry_out(n, a))
			queue_add(n, q,
				  (struct node_event){.kind = NODE_EV_UNDONE, .link = a->link});
		break;
	}
}

/* What the servers confirmed is a promise from now on. */
static void note_promises(struct node_host *n)
{
	unsigned log = world_log_of(n->w, n->number);

	for (unsigned i = 0; i < SERVERS; i++) {
		const struct node_link *link = &n->machine.links[i];
		struct promise *p = &n->w->promised[i][log];

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
		check_promise(n->w, i, log);
	}
}

static void follow_chain(struct node_host *n)
{
	if (n->chain.count == n->log.tree.size)
		return;
	if (chain_follow(&n->chain, &n->log, n->store)) {
		node_host_noticed(n, "its own log cannot be read", ERR_CORRUPT);
		return;
	}
	for (unsigned i = 0; i < SERVERS && n->number != TWIN; i++)
		check_prefix(n->w, i, n->number);
}

static void plan_due(struct node_host *n)
{
	int64_t due_ms = node_machine_due_ms(&n->machine);
	int64_t wait = due_ms - n->w->now_ms;

	if (due_ms == INT64_MAX || due_ms == n->due_ms)
		return;
	n->due_ms = due_ms;
	world_plan(n->w, wait > 0 ? wait : 0, AT_NODE_DUE, n->number, 0, n->epoch, NULL);
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
		e.wall = node_host_wall(n);
		e.random = (uint32_t)world_random(n->w);
		node_step(&n->machine, &e, &n->update);
		for (size_t i = 0; i < n->update.count && !n->fault; i++)
			perform(n, &n->update.actions[i], &q);
		if (!node_host_survives(n))
			return;
	}
	follow_chain(n);
	note_promises(n);
	if (node_host_survives(n))
		plan_due(n);
}

void node_host_hear(struct node_host *n, unsigned server, const struct packet *p)
{
	const struct node_event e = {.kind = NODE_EV_MESSAGE,
				     .link = server,
				     .frames = p->frames,
				     .frame_count = p->frame_count};

	n->hears = p;
	node_host_step(n, &e);
	n->hears = NULL;
}

void node_host_tick(struct node_host *n)
{
	const struct node_event e = {.kind = NODE_EV_TICK};

	world_plan(n->w, TICK_MS, AT_NODE_TICK, n->number, 0, n->epoch, NULL);
	node_keys_tick(n);
	node_host_step(n, &e);
}

/* Else the real node would do nothing else from now on. */
void node_host_due(struct node_host *n)
{
	const struct node_event e = {.kind = NODE_EV_DUE};

	if (n->w->now_ms < node_machine_due_ms(&n->machine))
		return;
	n->w->tally.due++;
	node_host_step(n, &e);
	if (n->w->now_ms >= node_machine_due_ms(&n->machine))
		world_fail(n->w, "node %s: what is due is not done", node_host_name(n));
}

/* ---- starting and dying ---- */

/* The time that the next event must not be before; a redacted one has none. */
static enum err last_time(struct node_host *n)
{
	struct txn *read = NULL;
	enum err begun = txn_begin(n->store, false, &read);
	enum err e = ERR_REDACTED;

	n->last_recorded.ms = 0;
	for (uint64_t i = n->log.tree.size; !begun && i > 0 && e == ERR_REDACTED; i--) {
		struct bytes raw;

		e = log_event(&n->log, read, i - 1, &raw);
		if (!e)
			e = recorded_time(raw, &n->last_recorded);
	}
	txn_abort(read);
	return e == ERR_REDACTED ? begun : e;
}

/* Whether the store is this log's, whole, and signed by these keys. */
static enum err check_newest(struct node_host *n)
{
	struct txn *read = NULL;
	struct checkpoint newest;
	struct hash root = tree_root(&n->log.tree);
	struct bytes note;
	struct vkey key;
	uint64_t size = 0;
	enum err e = txn_begin(n->store, false, &read);

	if (!e)
		e = log_newest(&n->log, read, &size, &note);
	if (!e)
		e = node_keys_at(n, size, &key);
	if (!e)
		e = checkpoint_open(note, &key, &newest);
	if (!e && (newest.size != n->log.tree.size || !hash_equal(newest.root, root)))
		e = ERR_ROOT;
	txn_abort(read);
	return e == ERR_NOT_FOUND && n->log.tree.size == 0 ? ERR_OK : e;
}

/* node_lookup.root */
static enum err log_root(void *context, uint64_t size, struct hash *ret)
{
	struct node_host *n = context;
	struct tree tree;
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	if (!e)
		e = log_tree_proved(&n->log, read, size, &tree);
	txn_abort(read);
	if (!e)
		*ret = tree_root(&tree);
	return e;
}

static enum err open_all(struct node_host *n)
{
	const struct node_lookup lookup = {n, node_keys_at, node_duty_known, log_root};
	bool scrubbed = false;
	enum err e = view_fold_new(&n->fold);

	if (!e)
		e = node_log_open(n);
	if (!e)
		e = check_newest(n);
	if (!e)
		e = node_log_scrub(n, &scrubbed);
	if (!e)
		e = last_time(n);
	if (!e)
		e = node_keys_heal(n);
	if (!e)
		e = node_witness_recall(n);
	if (!e)
		e = node_machine_init(&n->machine, n->name, &lookup, &n->log.tree, n->keys.mark,
				      n->keys.mark_found, SERVERS);
	if (!e)
		node_keys_open_mark(n);
	return e ? e : chain_follow(&n->chain, &n->log, n->store);
}

void node_host_start(struct node_host *n)
{
	enum err e = ERR_OK;

	n->up = true;
	n->epoch++;
	n->w->tally.restarts++;
	n->due_ms = 0;
	memset(n->told, 0, sizeof(n->told));
	chain_clear(&n->chain);
	e = open_all(n);
	if (e && !memstore_died(n->disk) && e != ERR_SYNC && e != ERR_DISK_FULL)
		node_host_noticed(n, "its store is refused", e);
	if (e == ERR_SYNC)
		n->fault = e;
	if (e == ERR_DISK_FULL) { /* it refuses to start, and is started again */
		node_host_crash(n, "no room on the disk to begin with");
		world_plan(n->w, START_AGAIN_MS, AT_NODE_START, n->number, 0, n->epoch, NULL);
		return;
	}
	if (!node_host_survives(n))
		return;
	check_accepted(n);
	world_tell(n->w, node_host_name(n), "starts with %" PRIu64 " events%s", n->log.tree.size,
		   n->machine.gated ? ", gated" : "");
	world_plan(n->w, world_below(n->w, TICK_MS), AT_NODE_TICK, n->number, 0, n->epoch, NULL);
	world_plan(n->w, world_below(n->w, NODE_EDIT_MEAN_MS), AT_NODE_EDIT, n->number, 0, n->epoch,
		   NULL);
	thief_start(n);
}

static void close_all(struct node_host *n)
{
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

void node_host_crash(struct node_host *n, const char *why)
{
	if (n->up && why)
		world_tell(n->w, node_host_name(n), "dies: %s", why);
	n->up = false;
	n->again = false;
	n->fault = ERR_OK;
	n->epoch++;
	for (unsigned i = 0; n->w && i < SERVERS; i++)
		wire_close(n->w, n->number, i);
	memstore_crash(n->disk);
	close_all(n);
}

void node_host_fall(struct node_host *n, const char *why)
{
	node_host_crash(n, why);
	n->keys.mark = n->keys.mark_synced;
	n->w->tally.fell++;
}
