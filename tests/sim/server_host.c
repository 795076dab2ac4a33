/* The server's driver over the simulated disk and network: what splot-server does, with the same
 * machine, the same logs and the same view. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum {
	TICK_MS = 1000,
	START_AGAIN_MS = 1000,
	TURN_MESSAGES = 64,
	SYNC_MS = 12,
	SLOW_PERMILLE = 5,
	SLOW_MS = 3000,
	SMALL_MAP = 100000, /* one of the two begins with a map that fills */
};

const char *server_host_name(const struct server_host *s)
{
	static const char *const SERVER_NAMES[SERVERS] = {"wschod", "zachod"};

	return SERVER_NAMES[s->number];
}

static int region_of(struct log_name name)
{
	return log_name_region(name);
}

/* ---- the turn's transaction ---- */

enum err server_host_writing(struct server_host *s)
{
	return s->write ? ERR_OK : txn_begin(s->store, true, &s->write);
}

static void abandon(struct server_host *s)
{
	struct txn *read = NULL;
	enum err e = ERR_OK;

	txn_abort(s->write);
	s->write = NULL;
	if (memstore_died(s->disk))
		return;
	e = txn_begin(s->store, false, &read);
	if (!e)
		e = log_reload(&s->national, read);
	for (size_t i = 0; !e && i < REGIONS; i++)
		e = log_reload(&s->logs[i], read);
	txn_abort(read);
	if (e)
		world_fail(s->w, "server %u cannot read its logs again", s->number);
}

static enum err seal_and_commit(struct server_host *s)
{
	struct checkpoint c = {.size = s->national.tree.size, .root = tree_root(&s->national.tree)};
	struct txn *t = s->write;
	enum err e = ERR_OK;

	buf_clear(&s->note);
	memcpy(c.origin, s->signer.key.name, sizeof(c.origin));
	e = checkpoint_sign(&c, &s->signer, &s->note);
	if (!e && s->national.tree.size != s->national.tiles_size)
		e = log_seal(&s->national, t, buf_bytes(&s->note));
	if (e)
		return e;
	s->write = NULL; /* a commit ends it, also when it fails */
	return txn_commit(t);
}

static enum err root_at(void *context, struct log_name name, uint64_t size, struct hash *ret)
{
	struct server_host *s = context;
	int region = region_of(name);
	struct txn *t = s->write;
	struct tree tree;
	enum err e = t ? ERR_OK : txn_begin(s->store, false, &t);

	if (e)
		return e;
	e = log_tree_at(region == REGION_NONE ? &s->national : &s->logs[region], t, size, &tree);
	if (t != s->write)
		txn_abort(t);
	if (!e)
		*ret = tree_root(&tree);
	return e;
}

/* ---- performing what the machine decides ---- */

void server_host_send(struct server_host *s, const struct server_action *a,
		      const struct wire_header *header, const struct bytes *more, size_t count)
{
	struct bytes frames[FRAMES];

	buf_clear(&s->header);
	if (wire_encode(header, &s->header)) {
		world_fail(s->w, "server %u cannot encode an answer", s->number);
		return;
	}
	frames[0] = buf_bytes(&s->header);
	for (size_t i = 0; i < count; i++)
		frames[1 + i] = more[i];
	wire_down(s->w, s->number, a->peer, frames, 1 + count);
}

static void perform_send(struct server_host *s, const struct server_action *a)
{
	struct txn *read = NULL;
	struct bytes note = {NULL, 0};
	uint64_t size = 0;
	enum err e = ERR_OK;

	if (a->header.kind == WIRE_REFUSED) {
		s->w->tally.refusals++;
		world_tell(s->w, server_host_name(s), "refuses log %s: %s at %" PRIu64, a->log.text,
			   err_code(a->header.code), a->header.size);
	}
	if (a->with_newest) {
		e = txn_begin(s->store, false, &read);
		if (!e)
			e = log_newest(&s->logs[region_of(a->log)], read, &size, &note);
	}
	if (e)
		world_fail(s->w, "server %u has no checkpoint to show: %s", s->number, err_code(e));
	server_host_send(s, a, &a->header, &note, note.size ? 1 : 0);
	txn_abort(read);
}

static enum err send_range(struct server_host *s, const struct server_action *a, struct txn *read)
{
	const struct log *log = &s->logs[region_of(a->log)];
	struct wire_header header = {
		.kind = WIRE_RANGE, .session = a->session, .log = a->log, .from = a->from};
	struct bytes frames[2];
	struct buf bundle = {0};
	uint64_t size = 0;
	enum err e = log_chunk(log, read, a->from, &size, &frames[0]);

	if (e == ERR_NOT_FOUND) {
		server_host_send(s, a, &header, NULL, 0);
		return ERR_OK;
	}
	for (uint64_t i = a->from; !e && i < size; i++) {
		struct bytes event;

		e = log_event(log, read, i, &event);
		if (!e)
			bundle_add(&bundle, event);
	}
	header.count = (uint32_t)(size - a->from);
	frames[1] = buf_bytes(&bundle);
	if (!e)
		server_host_send(s, a, &header, frames, 2);
	buf_free(&bundle);
	return e;
}

static void perform_range(struct server_host *s, const struct server_action *a)
{
	struct txn *read = NULL;
	enum err e = txn_begin(s->store, false, &read);

	if (!e)
		e = send_range(s, a, read);
	txn_abort(read);
	if (e)
		world_fail(s->w, "server %u cannot serve a range: %s", s->number, err_code(e));
}

/* Both notes must be signed by the log's key and tell two histories. */
static void judge_evidence(struct server_host *s, const struct server_action *a,
			   struct bytes newest)
{
	unsigned region = (unsigned)region_of(a->log);
	const struct vkey *key = &s->w->nodes[region].signer.key;
	struct checkpoint theirs, ours;
	struct hash root;

	if (!world_is_forked(s->w, region))
		world_fail(s->w, "log %s is frozen, but nobody forked it", a->log.text);
	else if (checkpoint_open(a->note, key, &theirs) || checkpoint_open(newest, key, &ours) ||
		 theirs.size > ours.size || root_at(s, a->log, theirs.size, &root) ||
		 hash_equal(root, theirs.root))
		world_fail(s->w, "the evidence against log %s proves nothing", a->log.text);
}

static enum err perform_freeze(struct server_host *s, const struct server_action *a)
{
	struct national_entry act = {.recorded = {s->w->now_ms},
				     .kind = NATIONAL_ACT,
				     .log = a->log,
				     .act = "freeze",
				     .by = "server",
				     .reason = "two histories",
				     .document = a->note};
	struct buf newest = {0};
	struct bytes stored;
	uint64_t size = 0;
	enum err e = server_host_writing(s);

	if (!e)
		e = log_newest(&s->logs[region_of(a->log)], s->write, &size, &stored);
	if (e)
		return e;
	buf_add_bytes(&newest, stored);
	act.other = buf_bytes(&newest);
	judge_evidence(s, a, act.other);
	e = national_act(&s->national, s->write, &act);
	if (!e)
		e = txn_put(s->write, s->trust, bytes_of_text(a->log.text),
			    bytes_of_text("frozen"));
	buf_free(&newest);
	world_tell(s->w, server_host_name(s), "freezes log %s at %" PRIu64, a->log.text, size);
	return e;
}

static enum err perform_append(struct server_host *s, const struct server_action *a)
{
	enum err e = server_host_writing(s);

	if (!e)
		e = national_accept(&s->national, &s->logs[region_of(a->log)], s->write,
				    (struct wall_ms){s->w->now_ms}, a->commit->events,
				    a->commit->count, a->commit->note);
	if (!e)
		s->w->tally.accepted++;
	return e;
}

static enum err perform(struct server_host *s)
{
	enum err failed = ERR_OK;

	for (size_t i = 0; i < s->update.count; i++) {
		const struct server_action *a = &s->update.actions[i];

		switch (a->kind) {
		case SERVER_SEND:
			perform_send(s, a);
			break;
		case SERVER_SEND_RANGE:
			perform_range(s, a);
			break;
		case SERVER_APPEND:
			failed = failed ? failed : perform_append(s, a);
			break;
		case SERVER_FREEZE:
			failed = failed ? failed : perform_freeze(s, a);
			break;
		case SERVER_CLOSE:
			world_fail(s->w, "an honest node was cut off");
			break;
		case SERVER_OFFER:
			server_host_offer(s, a);
			break;
		case SERVER_COSIGNED:
			failed = failed ? failed : server_host_cosigned(s, a);
			break;
		case SERVER_SEND_DUTIES: /* nobody redacts anything here */
			break;
		case SERVER_ROLLED_BACK:
			server_host_rolled_back(s, a);
			return ERR_OK; /* it is dead */
		}
	}
	return failed;
}

/* ---- turns ---- */

static enum err tell(struct server_host *s, enum server_event_kind kind, enum err code)
{
	const struct server_event e = {.kind = kind,
				       .now = {s->w->now_ms},
				       .code = code,
				       .national_size = s->national.tree.size};

	server_step(&s->machine, &e, &s->update);
	return perform(s);
}

static void failed(struct server_host *s, enum err e)
{
	abandon(s);
	if (e == ERR_MAP_FULL && store_grow(s->store) == ERR_OK) {
		s->w->tally.grown++;
		e = ERR_BUSY;
	}
	s->w->tally.full += e == ERR_DISK_FULL;
	if (e != ERR_BUSY && e != ERR_DISK_FULL)
		world_fail(s->w, "server %u cannot store: %s", s->number, err_code(e));
	if (tell(s, SERVER_EV_FAILED, e))
		world_fail(s->w, "server %u stores after a failure", s->number);
}

static enum err take_one(struct server_host *s, const struct packet *p)
{
	const struct node_host *n = &s->w->nodes[p->node];
	const struct server_event e = {.kind = SERVER_EV_MESSAGE,
				       .now = {s->w->now_ms},
				       .peer = bytes_of(p->peer, PEER_SIZE),
				       .user = n->name,
				       .frames = p->frames,
				       .frame_count = p->frame_count,
				       .new_session = world_random(s->w)};

	server_step(&s->machine, &e, &s->update);
	return perform(s);
}

/* It may die of what it hears. */
static void take_messages(struct server_host *s)
{
	uint64_t epoch = s->epoch;

	for (int i = 0; i < TURN_MESSAGES && s->inbox && !s->w->failed && s->epoch == epoch; i++) {
		struct packet *p = s->inbox;
		enum err e = ERR_OK;

		s->inbox = p->next;
		if (!s->inbox)
			s->inbox_end = &s->inbox;
		if (p->frame_count > 0)
			e = take_one(s, p);
		free(p);
		if (e)
			failed(s, e);
	}
}

/* The process may have died in the commit. */
bool server_host_survives(struct server_host *s)
{
	if (!memstore_died(s->disk) && !memstore_died(s->view_disk))
		return true;
	server_host_crash(s, "killed in a commit");
	world_plan(s->w, 50 + world_below(s->w, 3000), AT_SERVER_START, s->number, 0, s->epoch,
		   NULL);
	return false;
}

static void store_turn(struct server_host *s)
{
	enum err e = ERR_OK;

	if (!s->write)
		return;
	e = seal_and_commit(s);
	if (!server_host_survives(s))
		return;
	if (e) {
		failed(s, e);
		return;
	}
	for (unsigned i = 0; i < REGIONS; i++) {
		if (chain_follow(&s->chains[i], &s->logs[i], s->store))
			world_fail(s->w, "server %u cannot read log %u", s->number, i);
		check_prefix(s->w, s->number, i);
		check_promise(s->w, s->number, i);
	}
	if (tell(s, SERVER_EV_STORED, ERR_OK))
		world_fail(s->w, "server %u stores what was stored", s->number);
}

static void plan_turn(struct server_host *s)
{
	int64_t wait = s->busy_until_ms - s->w->now_ms;

	if (s->turn_planned || !s->inbox)
		return;
	s->turn_planned = true;
	world_plan(s->w, (wait > 0 ? wait : 0) + world_below(s->w, 3), AT_SERVER_TURN, s->number, 0,
		   s->epoch, NULL);
}

void server_host_turn(struct server_host *s)
{
	uint64_t epoch = s->epoch;

	s->turn_planned = false;
	take_messages(s);
	if (!s->w->failed && s->epoch == epoch)
		store_turn(s);
	if (s->epoch != epoch)
		return;
	s->busy_until_ms = s->w->now_ms + 1 + world_below(s->w, SYNC_MS) +
			   (world_chance(s->w, SLOW_PERMILLE) ? world_below(s->w, SLOW_MS) : 0);
	plan_turn(s);
}

void server_host_hear(struct server_host *s, struct packet *p)
{
	p->next = NULL;
	*s->inbox_end = p;
	s->inbox_end = &p->next;
	plan_turn(s);
}

void server_host_tick(struct server_host *s)
{
	world_plan(s->w, TICK_MS, AT_SERVER_TICK, s->number, 0, s->epoch, NULL);
	if (tell(s, SERVER_EV_TICK, ERR_OK))
		world_fail(s->w, "server %u stores at a tick", s->number);
}

/* ---- starting and dying ---- */

static enum err enrol(struct server_host *s, unsigned region, struct txn *read)
{
	const struct node_host *n = &s->w->nodes[region];
	struct card card = {.realm = REALM,
			    .log = n->name,
			    .log_key = n->signer.key,
			    .witness_key = n->witness.key};
	struct bytes state;
	enum err e = txn_get(read, s->trust, bytes_of_text(n->name.text), &state);

	if (e && e != ERR_NOT_FOUND)
		return e;
	return server_machine_enrol(&s->machine, &card, &s->logs[region].tree,
				    e ? LOG_ACTIVE : LOG_FROZEN);
}

static enum err open_logs(struct server_host *s)
{
	const struct store_options options = {.map_bytes = s->number == 0 ? SMALL_MAP : 0};
	struct log_name name;
	enum err e = store_open(s->disk, &options, &s->store);

	if (!e)
		e = log_name_parse(bytes_of_text("national"), &name);
	if (!e)
		e = log_open(s->store, name, true, &s->national);
	for (size_t i = 0; !e && i < REGIONS; i++)
		e = log_open(s->store, s->w->nodes[i].name, true, &s->logs[i]);
	if (!e)
		e = store_table(s->store, "trust", true, &s->trust);
	if (!e)
		e = cosigned_open(s->store, true, &s->cosigned);
	return e;
}

static enum err open_view(struct server_host *s)
{
	const struct store_options options = {.mode = STORE_LAZY_META};
	struct txn *read = NULL;
	enum err e = store_open(s->view_disk, &options, &s->view_store);

	if (!e)
		e = view_open(s->view_store, true, &s->view);
	if (!e)
		e = view_fold_new(&s->fold);
	if (!e)
		e = txn_begin(s->view_store, false, &read);
	if (!e)
		e = view_position(&s->view, read, &s->folded);
	txn_abort(read);
	return e;
}

static bool redacted(void *context, struct log_name log, uint64_t index, struct hash leaf)
{
	(void)context;
	(void)log;
	(void)index;
	(void)leaf;
	return false;
}

static enum err open_all(struct server_host *s)
{
	const struct server_lookup lookup = {s, root_at, redacted, NULL, NULL};
	struct txn *read = NULL;
	enum err e = ERR_OK;

	s->logs = calloc(REGIONS, sizeof(*s->logs));
	e = s->logs ? open_logs(s) : ERR_NOMEM;
	if (!e)
		e = open_view(s);
	if (!e)
		e = server_machine_init(&s->machine, REALM, &s->signer.key, CREDIT, lookup);
	s->machine.round_ms = ROUND_MS;
	if (!e)
		e = txn_begin(s->store, false, &read);
	for (unsigned i = 0; !e && i < REGIONS; i++)
		e = enrol(s, i, read);
	txn_abort(read);
	for (unsigned i = 0; !e && i < REGIONS; i++) {
		chain_clear(&s->chains[i]);
		e = chain_follow(&s->chains[i], &s->logs[i], s->store);
	}
	return e;
}

void server_host_start(struct server_host *s)
{
	enum err e = ERR_OK;

	s->up = true;
	s->epoch++;
	s->w->tally.restarts++;
	s->busy_until_ms = 0;
	s->turn_planned = false;
	e = open_all(s);
	if (e == ERR_DISK_FULL) { /* it refuses to start, and is started again */
		server_host_crash(s, "no room on the disk to begin with");
		world_plan(s->w, START_AGAIN_MS, AT_SERVER_START, s->number, 0, s->epoch, NULL);
		return;
	}
	if (e) {
		world_fail(s->w, "server %u does not start: %s", s->number, err_code(e));
		return;
	}
	world_tell(s->w, server_host_name(s), "starts with %" PRIu64 " national entries",
		   s->national.tree.size);
	for (unsigned i = 0; i < REGIONS; i++) {
		check_promise(s->w, s->number, i);
		check_prefix(s->w, s->number, i);
	}
	world_plan(s->w, TICK_MS, AT_SERVER_TICK, s->number, 0, s->epoch, NULL);
	world_plan(s->w, world_below(s->w, SERVER_FOLD_MS), AT_SERVER_FOLD, s->number, 0, s->epoch,
		   NULL);
}

void server_host_crash(struct server_host *s, const char *why)
{
	if (s->up && why)
		world_tell(s->w, server_host_name(s), "dies: %s", why);
	s->up = false;
	s->epoch++;
	for (unsigned i = 0; i < NODES; i++)
		wire_break(s->w, i, s->number);
	while (s->inbox) {
		struct packet *next = s->inbox->next;

		free(s->inbox);
		s->inbox = next;
	}
	s->inbox_end = &s->inbox;
	s->write = NULL;
	memstore_crash(s->disk, false);
	memstore_crash(s->view_disk, world_chance(s->w, 500));
	server_machine_free(&s->machine);
	view_fold_free(s->fold);
	s->fold = NULL;
	free(s->logs);
	s->logs = NULL;
	arena_free(&s->arena);
	buf_free(&s->note);
	buf_free(&s->header);
}
