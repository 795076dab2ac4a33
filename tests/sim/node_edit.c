/* What the clerks of a simulated node do. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "world.h"

enum {
	BATCH_MAX = 4,
	BURST = 60, /* now and then somebody imports a file */
	OPERATORS = 6,
	ENTITIES = 12,
	SECRET_PERMILLE = 30,
	SOON_PERMILLE = 300,
};

bool node_host_id(const struct node_host *n, unsigned number, enum record_kind *ret_kind,
		  char id[static ID_BYTES_MAX])
{
	int region = log_name_region(n->name);
	const char *code = region == REGION_PL ? "" : region_at(region)->code;
	bool is_operator = number < OPERATORS;

	*ret_kind = is_operator ? RECORD_OPERATOR : RECORD_ENTITY;
	(void)snprintf(id, ID_BYTES_MAX, "pl%s-%s-%u", code, is_operator ? "op" : "cis", number);
	return number < OPERATORS + ENTITIES;
}

static enum err set(struct node_host *n, struct record *r, const char *field, const char *text)
{
	return record_set(r, &n->arena, (size_t)field_named(record_info(r), field),
			  bytes_of_text(text));
}

static enum err make_record(struct node_host *n, struct change *c)
{
	static const char *const NAMES[] = {"Wsp\xc3\xb3lny Pr\xc3\xb3g", "Nadzieja", "Pestka", ""};
	struct record *r = record_new(&n->arena, c->kind);
	enum err e = r ? set(n, r, "id", c->id) : ERR_NOMEM;

	if (!e)
		e = set(n, r, "region", region_at(log_name_region(n->name))->code);
	if (!e)
		e = set(n, r, "name", NAMES[world_below(n->w, 4)]);
	if (!e && c->kind == RECORD_ENTITY)
		e = set(n, r, "kind", world_chance(n->w, 500) ? "CIS" : "KIS");
	c->record = r;
	return e;
}

/* What becomes of one of the region's records.  EXISTS: it was retired, and its id with it. */
static enum err make_change(struct node_host *n, struct txn *t, struct change *ret)
{
	char id[ID_BYTES_MAX];
	enum record_kind kind = RECORD_NONE;
	struct version now;
	enum err e = ERR_OK;

	(void)node_host_id(n, world_below(n->w, OPERATORS + ENTITIES), &kind, id);
	*ret = (struct change){.kind = kind, .id = arena_text(&n->arena, bytes_of_text(id))};
	if (!ret->id)
		return ERR_NOMEM;
	e = view_get(&n->view, t, kind, bytes_of_text(id), &n->arena, &now);
	if (e == ERR_NOT_FOUND)
		return make_record(n, ret);
	if (e)
		return e;
	if (now.change.retired)
		return ERR_EXISTS;
	ret->has_supersedes = true;
	ret->supersedes = now.index;
	ret->retired = world_chance(n->w, 30);
	return ret->retired ? ERR_OK : make_record(n, ret);
}

static enum err edit_once(struct node_host *n, struct txn *t)
{
	struct change changes[2];
	struct event event = {.recorded = node_host_wall(n),
			      .editor = n->number == TWIN ? "e99" : "e01",
			      .reason = "story",
			      .source = "",
			      .changes = changes};
	struct secret *secret = NULL;
	struct buf raw = {0};
	unsigned wanted = 1 + world_below(n->w, 2);
	enum err e = ERR_OK;

	if (event.recorded.ms < n->last_recorded.ms)
		event.recorded = n->last_recorded;
	if (world_chance(n->w, SECRET_PERMILLE) && !world_is_forked(n->w, n->number)) {
		secret = &n->w->secrets[n->w->secret_count++ % SECRETS_MAX];
		*secret = (struct secret){.log = n->number, .index = n->log.tree.size};
		(void)snprintf(secret->text, sizeof(secret->text), SECRET "%s-%" PRIu64 "-%zu-",
			       n->name.text, n->log.tree.size, n->w->secret_count);
		event.reason = secret->text;
	}
	arena_reset(&n->arena);
	while (!e && event.change_count < wanted) {
		e = make_change(n, t, &changes[event.change_count]);
		if (e == ERR_EXISTS ||
		    (!e && event.change_count == 1 && strcmp(changes[0].id, changes[1].id) == 0)) {
			e = ERR_OK;
			wanted--;
		} else {
			event.change_count++;
		}
	}
	if (!e && event.change_count == 0)
		return ERR_OK;
	if (!e)
		e = event_encode(&event, &n->arena, &raw);
	if (!e)
		e = node_log_append(n, t, buf_bytes(&raw), &event);
	buf_free(&raw);
	return e;
}

static enum err edit_batch(struct node_host *n, unsigned count)
{
	uint64_t before = n->log.tree.size;
	struct wall_ms last = n->last_recorded;
	struct txn *t = NULL;
	enum err e = txn_begin(n->store, true, &t);

	for (unsigned i = 0; !e && i < count; i++)
		e = edit_once(n, t);
	if (e || n->log.tree.size == before) {
		n->last_recorded = last;
		node_log_undo(n, t);
		return e ? e : ERR_AGAIN;
	}
	return node_log_finish(n, t, bytes_of(NULL, 0));
}

/* A log begun anew first says where it goes on from. */
static enum err go_on(struct node_host *n)
{
	struct event event = {.editor = "admin",
			      .reason = "goes on",
			      .source = "",
			      .act = EVENT_CONTINUES,
			      .document = buf_bytes(&n->w->quote)};
	struct checkpoint c;
	enum err e = log_note_read(event.document, &c);

	if (e || !log_name_before(n->name, &event.old_log))
		return ERR_INTERNAL;
	event.old_size = c.size;
	return node_log_act(n, &event, NULL);
}

static enum err edit(struct node_host *n)
{
	unsigned count = world_chance(n->w, 20) ? BURST : 1 + world_below(n->w, BATCH_MAX);
	enum err e = ERR_OK;

	if (n->number == ANEW && n->log.tree.size == 0)
		return go_on(n);
	e = edit_batch(n, count);
	while (e && node_log_grow(n, e))
		e = edit_batch(n, count);
	return e;
}

/* Some go on after the faults: who has something to show yet. */
static bool is_over(const struct node_host *n)
{
	return n->w->now_ms >= FAULTS_END_MS && !world_is_forked(n->w, n->number) &&
	       (n->number != ANEW || n->log.tree.size > 0);
}

void node_host_edit(struct node_host *n)
{
	struct world *w = n->w;
	const struct node_event grew = {.kind = NODE_EV_GREW, .tree = &n->log.tree};
	uint64_t before = n->log.tree.size;
	unsigned mean_ms = 0;
	enum err e = ERR_OK;

	if (is_over(n))
		return;
	mean_ms = w->quick && world_chance(w, SOON_PERMILLE) ? NODE_SPACING_MS : NODE_EDIT_MEAN_MS;
	world_plan(w, 1 + world_below(w, 2 * mean_ms), AT_NODE_EDIT, n->number, 0, n->epoch, NULL);
	if (n->machine.gated)
		return;
	e = edit(n);
	if (e == ERR_DISK_FULL) {
		w->tally.full++;
		world_tell(w, node_host_name(n), "edit refused: no room on the disk");
	} else if (e && e != ERR_AGAIN && e != ERR_SYNC && !memstore_died(n->disk)) {
		node_host_noticed(n, "an edit fails", e);
	}
	if (!node_host_survives(n) || e)
		return;
	if (chain_follow(&n->chain, &n->log, n->store))
		world_fail(w, "node %s cannot read its own log", n->name.text);
	n->safe = (struct promise){n->log.tree.size, n->chain.at[n->log.tree.size]};
	w->tally.commits++;
	w->tally.events += n->log.tree.size - before;
	world_tell(w, node_host_name(n), "accepts events %" PRIu64 " to %" PRIu64, before,
		   n->log.tree.size - 1);
	node_host_step(n, &grew);
}
