#include "node/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "io/daemon.h"

enum { PATH_BYTES = 4096, TRIES = 20, REST_MS = 100 };

/* A file beside the store while the daemon runs; a clean stop removes it. */
static void marker_path(const struct node *n, char path[static PATH_BYTES])
{
	(void)snprintf(path, PATH_BYTES, "%s/running", n->settings.data);
}

/* ---- whose log ---- */

/* "<realm>/region/26" -> realm, log, region, and the key that signs for it. */
enum err node_identify(struct node *n)
{
	struct origin_parts of;

	if (n->keys.kind != KEYS_NODE || origin_parse(bytes_of_text(n->keys.name), &of) != ERR_OK ||
	    of.kind != ORIGIN_REGION) {
		log_line(LOG_ERROR,
			 "keys %s are of %s, which is no region's log; make a node's keys with "
			 "`splotctl keygen --node REALM/region/CODE`",
			 n->settings.keys, n->keys.name);
		return ERR_CONFIG;
	}
	memcpy(n->realm, of.realm, sizeof n->realm);
	n->log.name = of.log;
	n->region = log_name_region(of.log);
	return signing_load(n);
}

/* ---- the store ---- */

static enum err check_store(struct node *n)
{
	char marker[PATH_BYTES];
	bool walked = false;
	enum err e = folder_make(n->settings.data, 0700);

	marker_path(n, marker);
	if (e == ERR_OK)
		e = daemon_check_store(n->settings.data, marker, &walked);
	if (e == ERR_OK && walked)
		log_line(LOG_NOTICE, "store %s: not stopped cleanly the last time; walked, whole",
			 n->settings.data);
	return e;
}

/* A view that another release folded is folded anew: the log gives it.  First the log must be
 * ours. */
static enum err renew_view(struct node *n)
{
	struct log_name name = n->log.name;
	enum err e = log_open(n->store, name, false, &n->log);

	n->log.name = name;
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_ORIGIN : e;
	log_line(LOG_NOTICE,
		 "log %s: the register in %s was folded by another release; it is "
		 "folded anew",
		 name.text, n->settings.data);
	return view_renew(n->store, &n->view);
}

/* A store whose view holds something has a log; when it is not ours, nothing of ours is
 * put beside it. */
static enum err open_tables(struct node *n)
{
	const struct {
		const char *name;
		struct table *table;
	} tables[] = {
		{"waivers", &n->waivers},     {"confirmed", &n->confirmed},
		{"witnessed", &n->witnessed}, {"evidence", &n->evidence},
		{"redacted", &n->redacted},   {"scrub", &n->scrub},
		{"cards", &n->cards},         {"follows", &n->follows},
	};
	struct log_name name = n->log.name;
	struct txn *read = NULL;
	uint64_t position = 0;
	enum err e = view_open(n->store, true, &n->view);

	if (e == ERR_VERSION)
		e = renew_view(n);
	if (e == ERR_OK)
		e = txn_begin(n->store, false, &read);
	if (e == ERR_OK)
		e = view_position(&n->view, read, &position);
	txn_abort(read);
	if (e == ERR_OK)
		e = log_open(n->store, name, position == 0, &n->log);
	if (e == ERR_NOT_FOUND)
		e = ERR_ORIGIN;
	for (size_t i = 0; i < sizeof tables / sizeof *tables && e == ERR_OK; i++)
		e = store_table(n->store, tables[i].name, true, tables[i].table);
	n->log.name = name; /* for texts, also when the log could not be opened */
	return e;
}

static enum err open_environment(struct node *n)
{
	struct store_options options = {
		.mode = STORE_SYNCED,
		.group_reads = true,
		.map_bytes = n->settings.map_bytes,
		.map_bytes_max = n->settings.map_bytes_max,
	};
	enum err e = store_open(n->settings.data, &options, &n->store);

	if (e == ERR_OK)
		e = open_tables(n);
	if (e == ERR_MAP_FULL && store_grow(n->store) == ERR_OK)
		e = open_tables(n);
	return e;
}

static enum err open_store(struct node *n)
{
	enum err e = check_store(n);

	if (e == ERR_OK)
		e = open_environment(n);
	return e == ERR_OK ? view_fold_new(&n->fold) : e;
}

/* Programs that follow the view close it when they read that it is rewritten: they get a moment. */
static enum err compact(const char *folder)
{
	const struct timespec rest = {.tv_nsec = REST_MS * 1000L * 1000L};
	enum err e = store_compact(folder);

	for (int i = 0; e == ERR_BUSY && i < TRIES; i++) {
		(void)nanosleep(&rest, NULL);
		e = store_compact(folder);
	}
	return e;
}

/* What was redacted leaves the file: nobody may read it meanwhile.  Somebody who does is no reason
 * to stay away; the next start tries again. */
static enum err scrub(struct node *n)
{
	enum err e = ERR_OK;
	enum err compacted = ERR_OK;

	tell_state(n, "rewriting");
	if (n->fault == ERR_OK)
		e = rebuild_view(n);
	else
		e = n->fault;
	if (e != ERR_OK)
		return e;
	store_close(n->store);
	n->store = NULL;
	compacted = compact(n->settings.data);
	e = open_environment(n);
	if (e != ERR_OK)
		return e;
	if (compacted == ERR_OK)
		return rebuild_done(n);
	n->scrubbing = true;
	log_line(LOG_ERROR,
		 "log %s: what was redacted is still in the files of %s: %s; end what reads them, "
		 "make room for a second copy, then restart the node",
		 n->log.name.text, n->settings.data, err_text(compacted));
	return compacted == ERR_CORRUPT ? compacted : ERR_OK;
}

/* The register as the log gives it. */
static enum err rebuild(struct node *n)
{
	bool wanted = false;
	enum err e = rebuild_wanted(n, &wanted);

	if (e == ERR_OK)
		e = wanted ? scrub(n) : rebuild_fold_on(n);
	return e;
}

/* ---- whether the store is this log's, whole, and signed by these keys ---- */

static enum err check_checkpoint(struct node *n, struct txn *read)
{
	struct checkpoint newest;
	struct hash root = tree_root(&n->log.tree);
	struct bytes note;
	struct vkey key;
	uint64_t size = 0;
	enum err e = log_newest(&n->log, read, &size, &note);

	if (e == ERR_NOT_FOUND && n->log.tree.size == 0)
		return ERR_OK;
	if (e != ERR_OK)
		return e == ERR_NOT_FOUND ? ERR_CORRUPT : e;
	e = signing_key_at(n, size, &key);
	if (e == ERR_OK)
		e = checkpoint_open(note, &key, &newest);
	if (e != ERR_OK)
		return e;
	if (newest.size != n->log.tree.size || !hash_equal(newest.root, root))
		return ERR_ROOT;
	return ERR_OK;
}

/* The time that the next event must not be before; a redacted event has none. */
static enum err take_last_time(struct node *n, struct txn *read)
{
	enum err e = ERR_REDACTED;

	for (uint64_t i = n->log.tree.size; i > 0 && e == ERR_REDACTED; i--) {
		struct bytes raw;

		e = log_event(&n->log, read, i - 1, &raw);
		if (e == ERR_OK)
			return recorded_time(raw, &n->last_recorded);
	}
	return e == ERR_REDACTED ? ERR_OK : e;
}

/* The log alone: the register that it gives may have to be folded yet. */
static enum err trust_log(struct node *n)
{
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = check_checkpoint(n, read);
	txn_abort(read);
	return e;
}

static enum err heal_rotation(struct node *n)
{
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = rotate_heal(n, read);
	txn_abort(read);
	return e;
}

static enum err take_memory(struct node *n)
{
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = take_last_time(n, read);
	if (e == ERR_OK)
		e = confirmed_load(n, read);
	txn_abort(read);
	return e;
}

/* One row for each way in which a store is refused: what it means and what to do. */
static enum exit_status refuse_store(const struct node *n, enum err why)
{
	static const struct {
		enum err err;
		enum exit_status status;
		const char *advice;
	} rows[] = {
		{ERR_BUSY, EXIT_FAILED, "another program uses it; end that one first"},
		{ERR_DENIED, EXIT_CONFIG,
		 "give the folder to the account that the node runs under"},
		{ERR_DISK_FULL, EXIT_FAILED, "make room on that disk and start again"},
		{ERR_MAP_FULL, EXIT_CONFIG, "raise map-max-mib"},
		{ERR_VERSION, EXIT_UNTRUSTED,
		 "another release wrote it: run that one, or move the folder aside and start "
		 "again; "
		 "the log is fetched back from the servers"},
		{ERR_IO, EXIT_FAILED, "look at that disk, then start again"},
		{ERR_SYNC, EXIT_FAILED, "look at that disk, then start again"},
		{ERR_NOMEM, EXIT_FAILED, "give the node more memory and start again"},
		{ERR_DESCRIPTORS, EXIT_FAILED,
		 "raise the limit (`ulimit -n`, LimitNOFILE of the unit) and start again"},
		{ERR_UNKNOWN_KEY, EXIT_UNTRUSTED,
		 "its newest checkpoint is not signed by these keys: name the folder or the keys "
		 "that belong together"},
		{ERR_ORIGIN, EXIT_UNTRUSTED,
		 "it holds another log: name the folder or the keys that belong together"},
		{ERR_SIGNATURE, EXIT_UNTRUSTED,
		 "its newest checkpoint does not verify: move the folder aside and start again; "
		 "the "
		 "log is fetched back from the servers"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].err != why)
			continue;
		log_line(LOG_ERROR, "log %s: store %s refused: %s: %s", n->log.name.text,
			 n->settings.data, err_text(why), rows[i].advice);
		return rows[i].status;
	}
	log_line(LOG_ERROR,
		 "log %s: store %s refused: %s: move the folder aside (keep it) and start again; "
		 "the "
		 "log is fetched back from the servers before edits are taken",
		 n->log.name.text, n->settings.data, err_text(why));
	return EXIT_UNTRUSTED;
}

/* ---- the mark ---- */

static void mark_path(const struct node *n, char path[static PATH_BYTES])
{
	(void)snprintf(path, PATH_BYTES, "%s.highwater", n->settings.keys);
}

enum err node_open_mark(struct node *n)
{
	char path[PATH_BYTES];
	bool found = false;
	enum err e = ERR_OK;

	if (n->mark_open)
		return ERR_OK;
	mark_path(n, path);
	e = highwater_open(path, &n->mark, &found);
	if (e == ERR_BUSY)
		log_line(LOG_ERROR,
			 "log %s: another node runs with these keys and holds the mark %s: two "
			 "would sign two histories; end the other one",
			 n->log.name.text, path);
	else if (e != ERR_OK)
		log_line(
			LOG_ERROR,
			"log %s: the mark %s cannot be used: %s; the node must be able to write "
			"beside its keys; an unreadable mark is removed by hand, after which every "
			"server is asked again",
			n->log.name.text, path, err_text(e));
	n->mark_open = e == ERR_OK;
	return e;
}

/* node_lookup.root */
static enum err log_root(void *context, uint64_t size, struct hash *ret)
{
	struct node *n = context;
	struct tree tree;
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = log_tree_proved(&n->log, read, size, &tree);
	txn_abort(read);
	if (e == ERR_OK)
		*ret = tree_root(&tree);
	return e;
}

/* Where there is no mark, none is made until every server has answered: a node that is
 * ended before that must ask again. */
static enum err start_machine(struct node *n)
{
	const struct node_lookup lookup = {n, signing_key_at, duty_known, log_root};
	char path[PATH_BYTES];
	bool found = false;
	enum err e = ERR_OK;

	mark_path(n, path);
	found = file_exists(path);
	if (found)
		e = node_open_mark(n);
	if (e == ERR_OK)
		e = node_machine_init(&n->machine, n->log.name, &lookup, &n->log.tree,
				      found ? n->mark.size : 0, found, n->settings.server_count);
	if (e == ERR_OK && !n->machine.gated)
		e = node_open_mark(n);
	return e == ERR_OK ? node_raise_mark(n) : e;
}

/* ---- all of it ---- */

static enum err open_doors(struct node *n)
{
	enum err e = network_open(&n->network);

	if (e != ERR_OK) {
		log_line(LOG_ERROR, "the network cannot be used: %s", err_text(e));
		return e;
	}
	e = control_listen(n->settings.control, n->settings.control_mode, &n->control);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "control socket %s: %s; %s", n->settings.control, err_text(e),
			 e == ERR_BUSY
				 ? "another node listens there: end it, or name another path"
				 : "name a folder that exists and is the node's to write, and "
				   "a path of at most 107 bytes");
	return e;
}

enum err node_start(struct node *n, enum exit_status *ret_status)
{
	enum err e = ERR_OK;

	for (size_t i = 0; i < SERVERS_MAX; i++)
		n->links[i].told = NODE_GREETING; /* nothing yet */
	n->started = wall_now();
	n->terc = terc_of(&n->settings.terc);
	daemon_name_store_on_fault(n->settings.data);
	e = open_store(n);
	if (e == ERR_OK)
		e = trust_log(n);
	if (e == ERR_OK)
		e = rebuild(n);
	if (e == ERR_OK)
		e = take_memory(n);
	if (e != ERR_OK) {
		*ret_status = refuse_store(n, e);
		return e;
	}
	e = heal_rotation(n);
	if (e == ERR_OK)
		e = witnessed_recall(n);
	if (e == ERR_OK)
		e = follow_load(n);
	if (e != ERR_OK) {
		*ret_status = EXIT_CONFIG;
		return e;
	}
	*ret_status = EXIT_FAILED;
	e = start_machine(n);
	if (e == ERR_OK)
		e = open_doors(n);
	if (e == ERR_OK)
		e = witness_distrust_known(n);
	if (e != ERR_OK)
		return e;
	follow_hold(n);
	if (gate_closed(n)) {
		char text[TEXT_BYTES_MAX + 1];

		gate_text(n, text, sizeof text);
		log_line(LOG_NOTICE, "log %s: %s", n->log.name.text, text);
	}
	return ERR_OK;
}

void node_stop(struct node *n)
{
	char marker[PATH_BYTES];

	if (n->control)
		control_close(n->control);
	for (size_t i = 0; i < SERVERS_MAX; i++) {
		endpoint_close(n->links[i].endpoint);
		buf_free(&n->links[i].begun_by);
	}
	if (n->network)
		network_close(n->network);
	view_fold_free(n->fold);
	if (n->store) {
		store_close(n->store);
		if (n->fault == ERR_OK) {
			marker_path(n, marker);
			daemon_clean_stop(marker);
		}
	}
	if (n->mark_open)
		(void)!highwater_close(&n->mark); /* settled when the loop ended */
	node_machine_free(&n->machine);
	arena_free(&n->requests);
	arena_free(&n->arena);
	arena_free(&n->scratch);
	buf_free(&n->encoded);
	buf_free(&n->note);
	buf_free(&n->header);
	buf_free(&n->reply);
	buf_free(&n->replies);
	buf_free(&n->telling.said);
	buf_free(&n->telling.same);
	buf_free(&n->telling.told);
	arena_free(&n->telling.arena);
	for (size_t i = 0; i < COMMIT_FRAMES_MAX; i++)
		buf_free(&n->frames[i]);
}
