/* Start-up: everything that the server stands on is opened and proved in turn.  What
 * cannot be trusted ends the start with one line that says what it is and what to do. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "io/daemon.h"
#include "io/files.h"
#include "server/server.h"

enum {
	RECALLED_ENTRIES = 10000, /* national entries that a start looks back over: a moment */
};

/* ---- keys and names ---- */

/* `<realm>/national/<name>`, or `/N` behind it for one that began anew */
static enum err identify(struct server *s)
{
	struct origin_parts of;

	if (s->keys.kind != KEYS_SERVER ||
	    origin_parse(bytes_of_text(s->keys.name), &of) != ERR_OK || of.kind != ORIGIN_NATIONAL)
		return ERR_INVALID;
	memcpy(s->realm, of.realm, sizeof s->realm);
	memcpy(s->name, of.server, sizeof of.server);
	s->generation = of.generation;
	return ERR_OK;
}

static enum err load_keys(struct server *s)
{
	char why[TEXT_BYTES_MAX + 1] = "";
	enum err e = keys_load(s->settings.keys, &s->keys, why);

	if (e != ERR_OK) {
		log_line(LOG_ERROR, "%s", why[0] ? why : err_text(e));
		return e == ERR_NOMEM ? e : ERR_CONFIG;
	}
	e = identify(s);
	if (e == ERR_OK)
		e = vkey_make(s->keys.name, KEY_ED25519, s->keys.log_public, &s->signer.key);
	s->signer.secret = s->keys.log_secret;
	if (e != ERR_OK)
		log_line(LOG_ERROR,
			 "%s: these keys are not a server's: the name \"%s\" is not "
			 "REALM/national/NAME; make them with `splotctl keygen --server`",
			 s->settings.keys, s->keys.name);
	return e == ERR_OK ? e : ERR_CONFIG;
}

/* ---- stores ---- */

static enum err join_path(char ret[static PATH_MAX], const char *folder, const char *name)
{
	int size = snprintf(ret, PATH_MAX, "%s/%s", folder, name);

	return size < 0 || size >= PATH_MAX ? ERR_LIMIT : ERR_OK;
}

static enum err make_folders(struct server *s)
{
	const char *data = s->settings.data;
	enum err e = join_path(s->logs_path, data, "logs");

	if (e == ERR_OK)
		e = join_path(s->logs_marker, data, "logs.running");
	if (e == ERR_OK)
		e = join_path(s->view_path, data, "view");
	if (e == ERR_OK)
		e = join_path(s->view_marker, data, "view.running");
	if (e == ERR_OK)
		e = folder_make(data, 0750);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "%s: the data folder cannot be made or entered: %s", data,
			 err_text(e));
	return e;
}

/* What is no damage is no reason to put a backup back. */
static void tell_unwalked(const char *path, enum err e)
{
	if (e == ERR_CORRUPT)
		log_line(LOG_ERROR,
			 "%s: the logs' store is damaged or cannot be read (%s). Nothing was "
			 "changed. Move the folder aside and put a backup back; what the backup "
			 "lacks comes back from the nodes",
			 path, err_text(e));
	else
		log_line(LOG_ERROR,
			 "%s: the store cannot be used (%s): look at its disk and at whose it is, "
			 "then start again",
			 path, err_text(e));
}

/* Walks both environments when the last stop was not clean. */
static enum err walk_stores(struct server *s, bool *ret_view_damaged)
{
	bool walked = false;
	bool view_walked = false;
	enum err e = daemon_check_store(s->logs_path, s->logs_marker, &walked);

	if (e != ERR_OK) {
		tell_unwalked(s->logs_path, e);
		return e;
	}
	if (walked)
		log_line(LOG_NOTICE, "the last stop was not clean: %s was walked and is whole",
			 s->logs_path);
	e = daemon_check_unsynced(s->view_path, s->view_marker, &view_walked);
	*ret_view_damaged = e == ERR_CORRUPT;
	if (e != ERR_OK && e != ERR_CORRUPT)
		tell_unwalked(s->view_path, e);
	return e == ERR_CORRUPT ? ERR_OK : e;
}

static enum err scrub(struct server *s, const struct store_options *options)
{
	bool done = false;
	enum err e = redactions_scrub(s->logs_path, s->view_path, options, &done, &s->scrub_waits);

	if (done)
		log_line(LOG_NOTICE,
			 "%s: written anew without the bytes that were redacted; the view is "
			 "folded anew",
			 s->logs_path);
	if (s->scrub_waits != ERR_OK)
		log_line(LOG_WARN,
			 "%s: erased bytes are still in free pages of this store: %s; they go at "
			 "a start: %s, then restart",
			 s->logs_path, err_text(s->scrub_waits),
			 s->scrub_waits == ERR_BUSY ? "end the program that reads it"
						    : "make room");
	return e;
}

static enum err open_archive(struct server *s)
{
	const struct store_options options = {.mode = STORE_SYNCED,
					      .map_bytes = s->settings.map_bytes,
					      .map_bytes_max = s->settings.map_bytes_max};
	enum err e = scrub(s, &options);

	if (e == ERR_OK)
		e = archive_open(&s->archive, s->logs_path, &options, &s->signer);

	if (e == ERR_BUSY) {
		log_line(LOG_ERROR, "%s: another process writes this store; stop it first",
			 s->logs_path);
		return e;
	}
	if (e == ERR_OK)
		e = archive_check_national(&s->archive);
	if (e == ERR_UNKNOWN_KEY || e == ERR_ORIGIN)
		log_line(LOG_ERROR,
			 "%s: the national log here was signed by other keys than those of %s "
			 "(%s); put the right keys file or the right data folder back (a national "
			 "log that begins anew takes an empty folder)",
			 s->logs_path, s->settings.keys, s->keys.name);
	else if (e != ERR_OK)
		log_line(LOG_ERROR,
			 "%s: the national log cannot be trusted (%s). Nothing was changed. Put a "
			 "backup of the folder back, and ask who could write to it",
			 s->logs_path, err_text(e));
	return e;
}

/* ---- trust ---- */

/* What the machine reads while it decides. */
static enum err lookup_root(void *context, struct log_name log, uint64_t size, struct hash *ret)
{
	struct server *s = context;

	return archive_root(&s->archive, log, size, ret);
}

static enum err next_redacted(struct server *s, struct log_name log, uint64_t from,
			      struct redacted *ret)
{
	struct txn *read = NULL;
	enum err e = s->redactions.any ? ERR_OK : ERR_NOT_FOUND;

	if (e == ERR_OK && !s->archive.write)
		e = txn_begin(s->archive.store, false, &read);
	if (e == ERR_OK)
		e = redactions_next(&s->redactions, read ? read : s->archive.write, log, from, ret);
	txn_abort(read);
	return e;
}

static bool lookup_redacted(void *context, struct log_name log, uint64_t index, struct hash leaf)
{
	struct server *s = context;
	struct redacted found;

	return next_redacted(s, log, index, &found) == ERR_OK && found.index == index &&
	       hash_equal(found.leaf, leaf);
}

static enum err lookup_next_redacted(void *context, struct log_name log, uint64_t from,
				     uint64_t *ret_index, struct hash *ret_leaf)
{
	struct server *s = context;
	struct redacted found;
	enum err e = next_redacted(s, log, from, &found);

	if (e != ERR_OK)
		return e;
	*ret_index = found.index;
	*ret_leaf = found.leaf;
	return ERR_OK;
}

static enum err lookup_new_key(void *context, struct log_name log, const struct vkey *key)
{
	struct server *s = context;
	const struct trusted *entry = trust_log(&s->trust, log);

	return entry ? trust_new_key(entry, key) : ERR_INTERNAL;
}

static enum err take_log(struct server *s, const struct trusted *entry)
{
	const struct log *log = NULL;
	struct server_log *state = NULL;
	enum err e = archive_add(&s->archive, entry->card.log);

	if (e == ERR_OK) {
		log = archive_log(&s->archive, entry->card.log);
		e = log ? archive_check_log(&s->archive, log, &entry->card.log_key) : ERR_INTERNAL;
	}
	if (e == ERR_OK)
		e = server_machine_enrol(&s->machine, &entry->card, &log->tree, entry->now.state);
	state = e == ERR_OK ? server_machine_log(&s->machine, entry->card.log) : NULL;
	if (state)
		state->stands = entry->now.size;
	if (e != ERR_OK)
		log_line(LOG_ERROR,
			 "log %s: what is stored cannot be trusted: its newest checkpoint, its "
			 "events and the enrolled key do not agree (%s). Nothing was changed. Put "
			 "a backup of %s back, and ask who could write to it",
			 entry->card.log.text, err_text(e), s->logs_path);
	return e;
}

static enum err load_trust(struct server *s)
{
	const struct server_lookup lookup = {.context = s,
					     .root = lookup_root,
					     .redacted = lookup_redacted,
					     .next_redacted = lookup_next_redacted,
					     .new_key = lookup_new_key};
	struct log_name log = {.text = ""};
	struct txn *read = NULL;
	enum err e = trust_open(&s->trust, s->archive.store);

	if (e == ERR_OK)
		e = txn_begin(s->archive.store, false, &read);
	if (e == ERR_OK)
		e = trust_load(&s->trust, read, &log);
	txn_abort(read);
	if (e != ERR_OK) {
		log_line(LOG_ERROR,
			 "%s: the enrolment of log \"%s\" does not read or verify (%s); put a "
			 "backup of the folder back",
			 s->logs_path, log.text, err_text(e));
		return e;
	}
	e = server_machine_init(&s->machine, s->realm, &s->signer.key, s->settings.credit_bytes,
				lookup);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "the start failed: %s", err_text(e));
	for (size_t i = 0; i < s->trust.count && e == ERR_OK; i++)
		e = take_log(s, &s->trust.entries[i]);
	return e;
}

/* Takes the time of a log's newest commit over; false when that is known already. */
static bool recall_commit(struct server *s, const struct national_entry *entry)
{
	struct server_log *log = entry->kind == NATIONAL_ACCEPTED
					 ? server_machine_log(&s->machine, entry->log)
					 : NULL;

	if (!log || log->durable.size == 0 || log->last_commit.ms != 0)
		return false;
	log->last_commit = entry->recorded;
	return true;
}

/* When each log last had something accepted: the status says so, before and after a start alike.
 * Nothing else hangs on it, so an entry that does not read ends the look, not the start. */
static void recall_commits(struct server *s)
{
	struct arena arena = {.head = NULL};
	struct txn *read = NULL;
	uint64_t least =
		s->archive.size > RECALLED_ENTRIES ? s->archive.size - RECALLED_ENTRIES : 0;
	size_t wanted = 0;
	enum err e = txn_begin(s->archive.store, false, &read);

	for (size_t i = 0; i < s->machine.log_count; i++)
		wanted += s->machine.logs[i].durable.size > 0;
	for (uint64_t at = s->archive.size; e == ERR_OK && wanted > 0 && at > least; at--) {
		struct national_entry entry;
		struct bytes raw = {NULL, 0};

		arena_reset(&arena);
		e = log_event(s->archive.national, read, at - 1, &raw);
		if (e == ERR_OK)
			e = national_decode(raw, &arena, &entry);
		if (e == ERR_OK && recall_commit(s, &entry))
			wanted--;
	}
	txn_abort(read);
	arena_free(&arena);
}

/* Nothing more is done on a national log of which another history is known. */
static enum err check_rollback(struct server *s)
{
	struct txn *read = NULL;
	bool found = false;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (e == ERR_OK)
		e = evidence_against(&s->evidence, read, s->archive.national->name, &found);
	txn_abort(read);
	if (e == ERR_OK && found) {
		log_line(LOG_ERROR,
			 "rollback: a node holds a national checkpoint by this server's key that "
			 "the logs in %s do not contain (`splotctl audit evidence --from %s`). Put "
			 "the newest copy back; if there is none, the national log begins anew "
			 "in an empty folder: `splotctl keygen --server %s/national/%s/%u`",
			 s->logs_path, s->settings.data, s->realm, s->name, s->generation + 1);
		return ERR_ROLLBACK;
	}
	return e;
}

static enum err open_tables(struct server *s)
{
	enum err e = evidence_open(&s->evidence, s->archive.store);

	if (e == ERR_OK)
		e = redactions_open(&s->redactions, s->archive.store);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "%s: evidence and redactions cannot be read: %s", s->logs_path,
			 err_text(e));
	return e == ERR_OK ? check_rollback(s) : e;
}

static enum err open_view(struct server *s, bool damaged)
{
	/* A projection: synced at a clean stop; after a fall of the system it is folded anew. */
	const struct store_options options = {.mode = STORE_UNSYNCED,
					      .group_reads = true,
					      .map_bytes = s->settings.view_map_bytes,
					      .map_bytes_max = s->settings.map_bytes_max};
	bool anew = false;
	enum err e = folder_open(&s->folder, s->view_path, &options, &s->archive, damaged, &anew);

	if (e == ERR_OK && damaged)
		e = daemon_mark(s->view_marker);
	if (e != ERR_OK)
		log_line(LOG_ERROR,
			 "%s: the view cannot be opened (%s); if it is no matter of rights or "
			 "room, remove this folder: it is folded anew from the logs",
			 s->view_path, err_text(e));
	else if (anew)
		log_line(LOG_WARN,
			 "%s: the view was damaged, did not fit the logs, was folded by another "
			 "release, or the system fell while it was in use; it is folded anew",
			 s->view_path);
	return e;
}

/* ---- network ---- */

/* Asked at each handshake, in the main thread. */
static bool admit(void *context, const uint8_t key[static CURVE_BYTES],
		  char user[static USER_BYTES_MAX + 1])
{
	struct server *s = context;
	const struct trusted *entry = trust_curve(&s->trust, key);

	if (!entry || entry->now.state == LOG_REVOKED)
		return false;
	if (!server_machine_admit(&s->machine, entry->card.log, wall_now())) {
		s->rejected_before++; /* that log's count has it */
		return false;
	}
	memcpy(user, entry->user, USER_BYTES_MAX + 1);
	return true;
}

static enum err prove_closed(struct server *s)
{
	enum err e = network_prove_closed(s->network, s->router, endpoint_address(s->router),
					  s->keys.curve_public);

	if (e == ERR_DENIED)
		log_line(LOG_ERROR, "a key that nobody enrolled was let in: this libzmq does not "
				    "keep strangers out; not starting. Install Debian's libzmq5");
	else if (e != ERR_OK)
		log_line(LOG_ERROR,
			 "%s: it could not be proved that strangers are kept out (%s); not "
			 "starting. Is the address reachable from this machine?",
			 endpoint_address(s->router), err_text(e));
	s->rejected_before = network_rejected(s->network);
	return e;
}

static enum err open_network(struct server *s)
{
	const struct curve curve = {.public = s->keys.curve_public, .secret = s->keys.curve_secret};
	const char *address = s->settings.listen;
	enum err e = network_open(&s->network);

	if (e == ERR_OK)
		e = network_admit(s->network, admit, s);
	if (e == ERR_OK)
		e = endpoint_router(s->network, address, &curve, &s->router);
	if (e == ERR_OK) {
		s->intake.credit_bytes = s->settings.credit_bytes;
		endpoint_bound(s->router, s->settings.credit_bytes + AHEAD_BYTES, server_overrun,
			       s);
		e = prove_closed(s);
		if (e != ERR_OK)
			return e;
		address = s->settings.publish ? s->settings.publish : "";
		e = feed_open(&s->feed, s->network, s->settings.publish, &curve);
	}
	if (e != ERR_OK)
		log_line(LOG_ERROR,
			 "%s: cannot listen here (%s); is the address this machine's, "
			 "and free?",
			 address, err_text(e));
	return e;
}

static enum err open_control(struct server *s)
{
	enum err e = control_listen(s->settings.control, s->settings.control_mode, &s->control);

	if (e == ERR_BUSY)
		log_line(LOG_ERROR, "%s: another daemon listens on this control socket",
			 s->settings.control);
	else if (e != ERR_OK)
		log_line(LOG_ERROR, "%s: the control socket cannot be made: %s",
			 s->settings.control, err_text(e));
	return e;
}

/* ---- all of it ---- */

static enum err start_threads(struct server *s)
{
	const struct witnessing *w = &s->witnessing;
	enum err e = folder_start(&s->folder);

	if (e != ERR_OK) {
		log_line(LOG_ERROR, "the fold thread cannot be started: %s", err_text(e));
		return e;
	}
	if (s->settings.export)
		e = exporting_start(&s->exporting, s->settings.export, &s->archive, &s->signer.key,
				    w->known ? &w->policy : NULL);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "the export of %s cannot be started: %s", s->settings.export,
			 err_text(e));
	return e;
}

enum err server_start(struct server *s)
{
	bool view_damaged = false;
	enum err e = load_keys(s);

	s->started = wall_now();
	if (e == ERR_OK)
		e = make_folders(s);
	if (e == ERR_OK)
		e = walk_stores(s, &view_damaged); /* forks: before any thread */
	if (e != ERR_OK)
		return e;
	daemon_name_store_on_fault(s->logs_path);
	e = open_archive(s);
	if (e == ERR_OK)
		e = server_check_beginning(s);
	if (e == ERR_OK)
		e = open_tables(s);
	if (e == ERR_OK)
		e = load_trust(s);
	if (e == ERR_OK) {
		recall_commits(s);
		e = server_witness_start(s);
	}
	if (e == ERR_OK)
		e = open_view(s, view_damaged);
	if (e == ERR_OK)
		e = open_network(s);
	if (e == ERR_OK)
		e = open_control(s);
	if (e != ERR_OK)
		return e;
	return start_threads(s);
}

enum err server_end(struct server *s, bool clean)
{
	enum err view = ERR_OK;

	if (clean) {
		server_tell_stopped(s);
		view = folder_finish(&s->folder);
	}
	if (view != ERR_OK)
		log_line(LOG_ERROR,
			 "%s: the view could not be synced (%s): its disk did not confirm a write; "
			 "check that disk; nothing of the logs is lost",
			 s->view_path, err_text(view));
	exporting_stop(&s->exporting);
	control_close(s->control);
	feed_close(&s->feed);
	intake_close(&s->intake);
	endpoint_close(s->router);
	network_close(s->network);
	folder_close(&s->folder);
	server_machine_free(&s->machine);
	trust_free(&s->trust);
	archive_close(&s->archive);
	if (clean)
		daemon_clean_stop(s->logs_marker);
	if (clean && view == ERR_OK)
		daemon_clean_stop(s->view_marker);
	keys_free(&s->keys);
	settings_free(&s->settings);
	buf_free(&s->witnessing.policy_text);
	buf_free(&s->witnessing.note);
	buf_free(&s->report.text);
	buf_free(&s->out);
	arena_free(&s->arena);
	return view;
}
