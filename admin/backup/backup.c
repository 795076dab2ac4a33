/* backup: a copy of a daemon's store, made while the daemon runs. */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "admin/auditor/source.h"
#include "admin/backup/beside.h"
#include "admin/backup/check.h"
#include "admin/backup/place.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "model/json.h"
#include "tlog/encoding.h"

enum {
	/* Redacting begins a daemon anew: a moment later it is over. */
	TRIES = 10,
	/* Somebody verifies the backup meanwhile. */
	SCRUB_TRIES = 50,
	REST_MS = 200,
};

struct backing {
	struct cli *cli;
	struct daemon_place from;
	struct backup_place to;
	struct store *source;    /* owned */
	struct keyring *trusted; /* owned; NULL: no keys are known here */
	bool anew;
	struct wall_ms at;
	struct backup_report report;
};

static void rest(void)
{
	const struct timespec moment = {.tv_nsec = REST_MS * 1000000L};

	(void)nanosleep(&moment, NULL);
}

/* ---- the source ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The folder, or the one in which it is to be made; -1. */
static int open_nearest(struct cli *cli, const char *path)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t size = strlen(path);

	if (fd >= 0)
		return fd;
	while (size > 1 && path[size - 1] == '/')
		size--;
	while (size > 0 && path[size - 1] != '/')
		size--;
	return open(size ? text_in(&cli->arena, "%.*s", (int)size, path) : ".",
		    O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Whether it is that folder or lies in it, at whatever depth and by whatever link: each folder
 * above it is looked at, not its name. */
static bool lies_in(struct cli *cli, const char *path, const char *folder)
{
	struct stat wanted;
	struct stat above;
	struct stat st;
	int fd = open_nearest(cli, path);
	bool known = fd >= 0 && stat(folder, &wanted) == 0 && fstat(fd, &st) == 0;
	bool found = known && same_file(&st, &wanted);

	for (int i = 0; known && !found && i < PATH_MAX; i++) {
		int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		(void)close(fd);
		fd = up;
		if (fd < 0 || fstat(fd, &above) != 0 || same_file(&above, &st))
			break; /* the root is its own parent */
		st = above;
		found = same_file(&st, &wanted);
	}
	if (fd >= 0)
		(void)close(fd);
	return found;
}

static enum outcome open_source(struct backing *b)
{
	const struct store_options options = {.read_only = true};
	enum err e = store_open(b->from.store, &options, &b->source);

	if (e == ERR_OK)
		return DONE;
	return cli_fail(b->cli, e == ERR_CORRUPT ? BAD_DATA : FAILED, e, "%s: %s%s", b->from.store,
			err_text(e),
			e == ERR_DENIED ? ": run this under the account of its daemon" : "");
}

static enum outcome open_both(struct backing *b)
{
	struct cli *cli = b->cli;
	const char *to = NULL;
	enum outcome outcome = cli_need(cli, "to", &to);

	if (outcome == DONE)
		outcome = daemon_place(cli, &b->from);
	if (outcome != DONE)
		return outcome;
	if (!b->from.found)
		return cli_fail(cli, FAILED, ERR_NOT_FOUND,
				"%s: no store is there: nothing to back up", b->from.store);
	if (lies_in(cli, to, b->from.data) || lies_in(cli, to, b->from.store))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"%s is the daemon's own folder, or lies in it, and would be lost "
				"with it: name another one, on another disk if there is one",
				to);
	check_tell_faults(text_in(&cli->arena, "%s or of %s", b->from.store, to), BAD_DATA);
	outcome = backup_place_write(cli, to, b->from.server, &b->to);
	if (outcome == DONE)
		beside_clear(cli, b->to.store);
	if (outcome == DONE)
		outcome = audit_keys_known(cli, &b->trusted);
	return outcome == DONE ? open_source(b) : outcome;
}

/* ---- copying ---- */

static enum err copy_once(struct backing *b, struct store *to, bool in_parts)
{
	const struct backup_options options = {.in_parts = in_parts,
					       .trusted = b->trusted,
					       .context = b->cli,
					       .progress = check_progress};

	b->at = wall_now();
	return backup_copy(b->source, to, &options, &b->report);
}

static enum err copy_whole(struct backing *b, struct store *to)
{
	enum err e = ERR_AGAIN;

	for (int i = 0; e == ERR_AGAIN && i < TRIES; i++) {
		if (i)
			rest();
		e = copy_once(b, to, false);
	}
	cli_progress(b->cli, "", 0, 0);
	return e;
}

/* One transaction on the backup itself; LIMIT when it would be too large. */
static enum err increment(struct backing *b, bool *ret_scrub)
{
	const struct store_options options = {.mode = STORE_SYNCED};
	struct store *to = NULL;
	enum err e = store_open(b->to.store, &options, &to);

	if (e != ERR_OK) {
		b->report = (struct backup_report){
			.copy_failed = true, .why = e == ERR_CORRUPT ? "it cannot be opened" : ""};
		return e;
	}
	e = copy_whole(b, to);
	if (e == ERR_OK)
		e = backup_scrub_waits(to, ret_scrub);
	store_close(to);
	return e;
}

/* Whose backup stands there already must not be lost to another's. */
static enum outcome check_origin(struct backing *b)
{
	const char *origin = backup_origin(&b->report);

	if (!*b->to.origin || !*origin || !strcmp(b->to.origin, origin))
		return DONE;
	return cli_fail(b->cli, FAILED, ERR_ORIGIN,
			"%s is a backup of %s, and %s is %s: nothing was changed; name another "
			"folder",
			b->to.folder, b->to.origin, b->from.data, origin);
}

/* Each try into a store of its own: what another left of it is half of another moment. */
static enum outcome copy_beside(struct backing *b, bool seed, struct beside *ret)
{
	enum outcome outcome = DONE;
	enum err e = ERR_AGAIN;

	for (int i = 0; e == ERR_AGAIN && i < TRIES; i++) {
		if (i) {
			beside_drop(b->cli, ret);
			rest();
		}
		outcome = beside_open(b->cli, b->to.store, seed, b->source, ret);
		if (outcome != DONE)
			return outcome;
		e = copy_once(b, ret->store, true);
	}
	cli_progress(b->cli, "", 0, 0);
	return e == ERR_OK ? DONE : check_tell(b->cli, b->from.store, b->to.folder, e, &b->report);
}

/* A store of its own that takes the backup's place when it is done. */
static enum outcome write_beside(struct backing *b, bool seed, bool *ret_scrub)
{
	struct beside beside = {.fresh = NULL};
	enum outcome outcome = copy_beside(b, seed, &beside);
	enum err e = ERR_OK;

	if (outcome == DONE)
		outcome = check_origin(b);
	if (outcome == DONE && !seed)
		outcome = check_whole(b->cli, beside.store, beside.fresh, b->trusted);
	/* Not by the report: a run that was ended may have left it to do. */
	if (outcome == DONE)
		e = backup_scrub_waits(beside.store, ret_scrub);
	if (e != ERR_OK)
		outcome = check_tell(b->cli, b->from.store, b->to.folder, e, &b->report);
	if (outcome == DONE)
		outcome = beside_settle(b->cli, &beside);
	beside_drop(b->cli, &beside);
	return outcome;
}

/* What was erased leaves the backup's file as well. */
static enum outcome scrub(struct backing *b)
{
	const struct store_options options = {.mode = STORE_SYNCED};
	struct store *to = NULL;
	enum err e = store_compact(b->to.store);

	for (int i = 0; e == ERR_BUSY && i < SCRUB_TRIES; i++) {
		rest();
		e = store_compact(b->to.store);
	}
	if (e == ERR_OK)
		e = store_open(b->to.store, &options, &to);
	if (e == ERR_OK)
		e = backup_scrubbed(to);
	store_close(to);
	return e == ERR_OK
		       ? DONE
		       : cli_fail(b->cli, FAILED, e,
				  "%s: the backup is up to date, but what was redacted is still "
				  "in free pages of its file: %s; %s, then run this again",
				  b->to.folder, err_text(e),
				  e == ERR_BUSY ? "end the program that reads it"
						: "make room for a second copy");
}

static enum outcome bring_up_to_date(struct backing *b, bool *ret_scrub)
{
	enum err e = increment(b, ret_scrub);
	enum outcome outcome = DONE;

	if (e == ERR_LIMIT && !b->report.copy_failed && !*b->report.why)
		outcome = write_beside(b, true, ret_scrub);
	else if (e != ERR_OK)
		outcome = check_tell(b->cli, b->from.store, b->to.folder, e, &b->report);
	return outcome;
}

/* ---- telling ---- */

static void tell_people(const struct backing *b, struct buf *out)
{
	const struct backup_report *r = &b->report;
	struct text_table t = table_in(&b->cli->arena);

	table_column(&t, "log", ALIGN_LEFT);
	table_column(&t, "size", ALIGN_RIGHT);
	table_column(&t, "added", ALIGN_RIGHT);
	for (size_t i = 0; i < r->log_count; i++) {
		table_cell(&t, r->logs[i].log.text);
		table_cell_uint(&t, r->logs[i].size);
		table_cell_uint(&t, r->logs[i].size - r->logs[i].before);
	}
	table_print(&t, "  ", out);
	if (r->erased)
		buf_printf(out, "  redacted since: the bytes of %s are in no file of it\n",
			   text_count(&b->cli->arena, r->erased, "event", "events"));
	buf_printf(out, "%s: %s %s%s verified%s\n", b->to.folder,
		   b->anew ? "a whole backup of" : "up to date with",
		   *backup_origin(r) ? backup_origin(r) : "a store without events",
		   b->anew ? "," : "; what was added is", check_but_for(b->trusted));
}

static void tell_json(const struct backing *b, struct buf *out)
{
	const struct backup_report *r = &b->report;
	struct json j = json_to(out);

	json_open(&j, '{');
	json_field_text(&j, "to", b->to.folder);
	json_field_text(&j, "role", b->to.server ? "server" : "node");
	json_field_text(&j, "origin", backup_origin(r));
	json_field_uint(&j, "at_ms", (uint64_t)(b->at.ms > 0 ? b->at.ms : 0));
	json_field_bool(&j, "anew", b->anew);
	json_field_bool(&j, "signatures", b->trusted != NULL);
	json_key(&j, "logs");
	json_open(&j, '[');
	for (size_t i = 0; i < r->log_count; i++) {
		struct buf root = {.data = NULL};

		encoding_add_base64(&root, bytes_of(r->logs[i].root.b, HASH_BYTES));
		json_open(&j, '{');
		json_field_text(&j, "log", r->logs[i].log.text);
		json_field_uint(&j, "size", r->logs[i].size);
		json_field_uint(&j, "added", r->logs[i].size - r->logs[i].before);
		json_field_text(&j, "root", buf_text(&root));
		json_close(&j, '}');
		buf_free(&root);
	}
	json_close(&j, ']');
	json_field_uint(&j, "rows_read", r->rows_read);
	json_field_uint(&j, "rows_written", r->rows_written);
	json_field_uint(&j, "bytes_written", r->bytes_written);
	json_field_uint(&j, "erased", r->erased);
	json_key(&j, "unknown_tables");
	json_open(&j, '[');
	for (size_t i = 0; i < r->unknown_count && i < BACKUP_UNKNOWN_TOLD; i++)
		json_text(&j, r->unknown[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	buf_add_text(out, "\n");
}

static enum outcome tell(struct backing *b)
{
	struct buf out = {.data = NULL};
	enum outcome outcome = DONE;

	if (b->cli->json)
		tell_json(b, &out);
	else
		tell_people(b, &out);
	outcome = cli_print(b->cli, &out);
	buf_free(&out);
	return outcome;
}

static enum outcome run_backup(struct cli *cli)
{
	struct backing b = {.cli = cli, .to = {.lock_fd = -1}};
	bool waits = false;
	enum outcome outcome = open_both(&b);

	b.anew = cli_option(cli, "full") || !b.to.found;
	if (outcome == DONE)
		outcome = b.anew ? write_beside(&b, false, &waits) : bring_up_to_date(&b, &waits);
	if (outcome == DONE && waits)
		outcome = scrub(&b);
	if (outcome == DONE)
		outcome = backup_describe(cli, &b.to, b.at, &b.report);
	if (outcome == DONE)
		outcome = tell(&b);
	store_close(b.source);
	keyring_free(b.trusted);
	if (outcome != DONE)
		backup_place_drop(cli, &b.to);
	backup_place_close(&b.to);
	return outcome;
}

static const struct option_rule options[] = {
	{"to", 0, "FOLDER", "the backup: a folder of its own; its last part is made when missing"},
	{"config", 0, "FILE", "the configuration of the daemon, which may run"},
	{"data", 0, "FOLDER", "or its data folder"},
	{"full", 0, NULL, "make the backup anew, whatever is there of this daemon"},
	AUDIT_KEY_OPTIONS,
};

const struct verb verb_backup = {
	.name = "backup",
	.operands = "",
	.summary = "copy a daemon's logs while it runs; again: what is new",
	.examples =
		"  splotctl backup --to /mnt/backup/server --config /etc/splot/server.ini\n"
		"  splotctl backup --to /mnt/backup/node-26 --data /var/lib/splot/node-26 --json\n"
		"  splotctl backup --to /mnt/backup/server --config /etc/splot/server.ini --full\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.run = run_backup,
};
