/* How a simulated server starts: what splot-server proves before it speaks to anybody. */
#include <inttypes.h>
#include <string.h>

#include "checks.h"

enum {
	TICK_MS = 1000,
	START_AGAIN_MS = 1000,
	SMALL_MAP = 100000,
	/* Of one log, so that some edits are more: this, twice or four times as much. */
	WORK_PER_S = 16384,
};

/* The simulated disk of that name: redactions_scrub throws a view away so. */
enum err folder_throw_away(const char *path);
enum err folder_throw_away(const char *path)
{
	memstore_wipe(path);
	return ERR_OK;
}

/* ---- what the machine asks ---- */

static enum err lookup_root(void *context, struct log_name log, uint64_t size, struct hash *ret)
{
	struct server_host *s = context;
	enum err e = archive_root(&s->archive, log, size, ret);

	if (e == ERR_CORRUPT)
		server_logs_noticed(s, "its tiles do not give an old root", e);
	return e;
}

static enum err next_redacted(struct server_host *s, struct log_name log, uint64_t from,
			      struct redacted *ret)
{
	struct txn *read = NULL;
	enum err e = s->redactions.any ? ERR_OK : ERR_NOT_FOUND;

	if (!e && !s->archive.write)
		e = txn_begin(s->archive.store, false, &read);
	if (!e)
		e = redactions_next(&s->redactions, read ? read : s->archive.write, log, from, ret);
	txn_abort(read);
	return e;
}

static bool lookup_redacted(void *context, struct log_name log, uint64_t index, struct hash leaf)
{
	struct redacted found;

	return next_redacted(context, log, index, &found) == ERR_OK && found.index == index &&
	       hash_equal(found.leaf, leaf);
}

static enum err lookup_next(void *context, struct log_name log, uint64_t from, uint64_t *ret_index,
			    struct hash *ret_leaf)
{
	struct redacted found;
	enum err e = next_redacted(context, log, from, &found);

	if (e)
		return e;
	*ret_index = found.index;
	*ret_leaf = found.leaf;
	return ERR_OK;
}

static enum err lookup_new_key(void *context, struct log_name log, const struct vkey *key)
{
	struct server_host *s = context;
	const struct trusted *entry = trust_log(&s->trust, log);

	return entry ? trust_new_key(entry, key) : ERR_INTERNAL;
}

/* ---- opening ---- */

static enum err open_archive(struct server_host *s)
{
	const struct store_options options = {.map_bytes = s->number == 0 ? SMALL_MAP : 0};
	enum err waits = ERR_OK;
	bool done = false;
	enum err e = redactions_scrub(s->disk, s->view_disk, &options, &done, &waits);

	if (done)
		world_tell(s->w, server_host_name(s), "wrote its logs anew, without erased bytes");
	if (!e)
		e = archive_open(&s->archive, s->disk, &options, &s->signer);
	if (!e)
		e = archive_check_national(&s->archive);
	if (!e)
		e = evidence_open(&s->evidence, s->archive.store);
	if (!e)
		e = redactions_open(&s->redactions, s->archive.store);
	if (!e)
		e = cosigned_open(s->archive.store, true, &s->cosigned);
	return e ? e : trust_open(&s->trust, s->archive.store);
}

static enum err take_log(struct server_host *s, const struct trusted *entry)
{
	const struct log *log = NULL;
	struct server_log *state = NULL;
	enum err e = archive_add(&s->archive, entry->card.log);

	if (e)
		return e;
	log = archive_log(&s->archive, entry->card.log);
	e = archive_check_log(&s->archive, log, &entry->card.log_key);
	if (!e)
		e = server_machine_enrol(&s->machine, &entry->card, &log->tree, entry->now.state);
	state = e ? NULL : server_machine_log(&s->machine, entry->card.log);
	if (state)
		state->stands = entry->now.size;
	return e;
}

static void bound_work(struct server_host *s)
{
	const struct world *w = s->w;

	if (!w->tight)
		return;
	s->machine.work_per_s = (uint64_t)WORK_PER_S << w->seed / 32 % 3;
	s->machine.work_burst = s->machine.work_per_s;
}

static enum err load_trust(struct server_host *s)
{
	const struct server_lookup lookup = {.context = s,
					     .root = lookup_root,
					     .redacted = lookup_redacted,
					     .next_redacted = lookup_next,
					     .new_key = lookup_new_key};
	struct log_name log = {""};
	struct txn *read = NULL;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (!e)
		e = trust_load(&s->trust, read, &log);
	txn_abort(read);
	if (!e)
		e = server_machine_init(&s->machine, REALM, &s->signer.key, CREDIT, lookup);
	s->machine.round_ms = ROUND_MS;
	s->machine.commit_events = COMMIT_EVENTS;
	bound_work(s);
	for (size_t i = 0; !e && i < s->trust.count; i++)
		e = take_log(s, &s->trust.entries[i]);
	return e;
}

static enum err open_view_once(struct server_host *s)
{
	const struct store_options options = {.mode = STORE_UNSYNCED};
	struct txn *read = NULL;
	enum err e = store_open(s->view_disk, &options, &s->view_store);

	if (!e)
		e = view_open(s->view_store, true, &s->view);
	if (!e)
		e = txn_begin(s->view_store, false, &read);
	if (!e)
		e = view_position(&s->view, read, &s->folded);
	txn_abort(read);
	return !e && s->folded > server_host_size(s) ? ERR_CORRUPT : e;
}

/* What was not synced when the machine fell is thrown away unread. */
static enum err open_view(struct server_host *s)
{
	enum err e = ERR_OK;

	if (s->fell) {
		memstore_wipe(s->view_disk);
		s->w->tally.unsynced++;
	}
	s->fell = false;
	e = open_view_once(s);
	if (e == ERR_CORRUPT && s->damage.there && s->damage.view)
		server_host_noticed(s, "its view is not one", e);
	return e ? e : view_fold_new(&s->fold);
}

static enum err open_all(struct server_host *s)
{
	enum err e = open_archive(s);

	if (!e)
		e = load_trust(s);
	if (!e)
		e = open_view(s);
	if (!e)
		e = act_enrol_all(s);
	for (unsigned i = 0; i < LOGS; i++)
		chain_clear(&s->chains[i]);
	if (!e)
		server_host_stored(s);
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
	s->wait_planned = false;
	e = open_all(s);
	if (e && e != ERR_DISK_FULL && e != ERR_SYNC && !memstore_died(s->disk))
		server_host_noticed(s, "it does not start", e);
	if (e == ERR_SYNC)
		s->fault = e;
	if (e == ERR_DISK_FULL) { /* it refuses to start, and is started again */
		server_host_crash(s, "no room on the disk to begin with");
		world_plan(s->w, START_AGAIN_MS, AT_SERVER_START, s->number, 0, s->epoch, NULL);
		return;
	}
	if (s->w->failed || !server_host_survives(s))
		return;
	world_tell(s->w, server_host_name(s), "starts with %" PRIu64 " national entries",
		   server_host_size(s));
	for (unsigned i = 0; i < LOGS; i++)
		check_promise(s->w, s->number, i);
	world_plan(s->w, TICK_MS, AT_SERVER_TICK, s->number, 0, s->epoch, NULL);
	world_plan(s->w, world_below(s->w, SERVER_FOLD_MS), AT_SERVER_FOLD, s->number, 0, s->epoch,
		   NULL);
}

void server_host_close(struct server_host *s)
{
	server_machine_free(&s->machine);
	trust_free(&s->trust);
	if (s->archive.logs) {
		archive_close(&s->archive);
		s->archive.logs = NULL;
	}
	store_close(s->view_store);
	s->view_store = NULL;
	view_fold_free(s->fold);
	s->fold = NULL;
	arena_free(&s->arena);
	buf_free(&s->header);
}
