/* restore: a daemon's store put back from a backup. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/auditor/source.h"
#include "admin/backup/beside.h"
#include "admin/backup/check.h"
#include "admin/backup/place.h"
#include "admin/settings.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "io/control_socket.h"
#include "io/files.h"
#include "io/keys.h"
#include "model/json.h"

struct restoring {
	struct cli *cli;
	struct backup_place from;
	struct daemon_place to;
	struct store *source;    /* owned */
	struct keyring *trusted; /* owned; NULL: no keys are known here */
	struct highwater mark;   /* of a node: held, so that it does not start meanwhile */
	const char *account;     /* a file or folder that is the daemon's; NULL: none is known */
	struct backup_report report;
};

/* ---- nobody else ---- */

static bool answers(const char *socket)
{
	int fd = -1;

	if (control_connect(socket, &fd) != ERR_OK)
		return false;
	(void)close(fd);
	return true;
}

/* By its control socket, and a node by its mark. */
static enum outcome check_stopped(struct restoring *r)
{
	const char *socket = NULL;
	const char *keys = NULL;
	const char *mark = NULL;
	bool found = false;
	enum outcome outcome = DONE;
	enum err e = ERR_OK;

	if (!r->to.config)
		return DONE;
	outcome = settings_path(r->cli, r->to.config, "control", &socket);
	if (outcome == DONE)
		outcome = settings_path(r->cli, r->to.config, "keys", &keys);
	if (outcome != DONE)
		return outcome;
	mark = text_in(&r->cli->arena, "%s.highwater", keys);
	if (answers(socket))
		e = ERR_BUSY;
	else if (!r->to.server && file_exists(mark))
		e = highwater_open(mark, &r->mark, &found);
	if (e == ERR_BUSY)
		return cli_fail(r->cli, FAILED, e, "the %s runs: stop it first, then do this again",
				r->to.server ? "server" : "node");
	if (e != ERR_OK)
		return cli_fail(r->cli, FAILED, e, "%s: %s", mark, err_text(e));
	if (file_exists(keys))
		r->account = keys;
	return DONE;
}

/* Whether a daemon has it open for writing; nothing of it is touched. */
static bool is_held(struct cli *cli, const char *store)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(text_in(&cli->arena, "%s/writer.lock", store), O_RDONLY | O_CLOEXEC);
	bool held = false;

	if (fd < 0)
		return false;
	held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	(void)close(fd);
	return held;
}

static enum outcome check_free(struct restoring *r)
{
	if (is_held(r->cli, r->to.store))
		return cli_fail(r->cli, FAILED, ERR_BUSY,
				"%s: its daemon runs: stop it first, then do this again",
				r->to.store);
	if (!r->to.found)
		return DONE;
	return cli_fail(r->cli, FAILED, ERR_EXISTS,
			"%s holds a store: nothing is put over it; move it aside (keep it until "
			"all is well), then do this again",
			r->to.store);
}

/* What root makes here, the daemon could not open. */
static enum outcome check_account(struct restoring *r)
{
	struct stat st;

	if (file_exists(r->to.data))
		r->account = r->to.data;
	if (!r->account || stat(r->account, &st) != 0 || st.st_uid == geteuid())
		return DONE;
	return cli_fail(r->cli, FAILED, ERR_DENIED,
			"%s is another account's: run this under the account of its daemon "
			"(runuser -u ACCOUNT -- splotctl …), so that the store is its own",
			r->account);
}

/* ---- whose backup ---- */

static enum outcome check_role(struct restoring *r)
{
	if (!r->to.config) {
		r->to.server = r->from.server;
		r->to.store =
			r->to.server ? text_in(&r->cli->arena, "%s/logs", r->to.data) : r->to.data;
		r->to.found = file_exists(text_in(&r->cli->arena, "%s/data.mdb", r->to.store));
	}
	if (r->to.server == r->from.server)
		return DONE;
	return cli_fail(r->cli, FAILED, ERR_ORIGIN, "%s is a backup of a %s, %s is a %s's",
			r->from.folder, r->from.server ? "server" : "node", r->to.config,
			r->to.server ? "server" : "node");
}

/* Another's logs under these keys would be refused by the daemon, or begun beside. */
static enum outcome check_keys(struct restoring *r)
{
	struct keys keys = {0};
	const char *path = NULL;
	enum outcome outcome = DONE;

	if (!r->to.config || !*r->from.origin)
		return DONE;
	outcome = settings_path(r->cli, r->to.config, "keys", &path);
	if (outcome == DONE && keys_load(path, &keys, NULL) == ERR_OK &&
	    strcmp(keys.name, r->from.origin) != 0)
		outcome = cli_fail(r->cli, FAILED, ERR_ORIGIN,
				   "%s is a backup of %s, the keys %s are of %s: restore what "
				   "belongs to these keys",
				   r->from.folder, r->from.origin, path, keys.name);
	keys_free(&keys);
	return outcome;
}

/* ---- all of it ---- */

static enum outcome open_all(struct restoring *r)
{
	const struct store_options options = {.read_only = true};
	const char *from = NULL;
	enum outcome outcome = cli_need(r->cli, "from", &from);
	enum err e = ERR_OK;

	if (outcome == DONE)
		outcome = daemon_place(r->cli, &r->to);
	if (outcome == DONE)
		outcome = backup_place_read(r->cli, from, &r->from);
	if (outcome == DONE)
		outcome = check_role(r);
	if (outcome == DONE)
		outcome = check_keys(r);
	if (outcome == DONE)
		outcome = check_stopped(r);
	if (outcome == DONE)
		outcome = check_free(r);
	if (outcome == DONE)
		outcome = check_account(r);
	if (outcome == DONE)
		outcome = audit_keys_known(r->cli, &r->trusted);
	if (outcome != DONE)
		return outcome;
	check_tell_faults(from, BAD_DATA);
	e = store_open(r->from.store, &options, &r->source);
	return e == ERR_OK ? DONE
			   : cli_fail(r->cli, e == ERR_CORRUPT ? BAD_DATA : FAILED, e, "%s: %s",
				      r->from.store, err_text(e));
}

static enum outcome put_back(struct restoring *r)
{
	const struct backup_options options = {.in_parts = true,
					       .trusted = r->trusted,
					       .context = r->cli,
					       .progress = check_progress};
	struct beside beside = {.fresh = NULL};
	enum outcome outcome = DONE;
	enum err e = folder_make(r->to.data, r->to.server ? 0750 : 0700);

	if (e == ERR_OK)
		e = folder_make(r->to.store, 0700);
	if (e != ERR_OK)
		return cli_fail(r->cli, FAILED, e, "%s: %s", r->to.store, err_text(e));
	outcome = beside_open(r->cli, r->to.store, false, r->source, &beside);
	if (outcome == DONE) {
		e = backup_copy(r->source, beside.store, &options, &r->report);
		if (e != ERR_OK)
			outcome = check_tell(r->cli, r->from.store, r->to.store, e, &r->report);
	}
	cli_progress(r->cli, "", 0, 0);
	if (outcome == DONE)
		outcome = beside_settle(r->cli, &beside);
	beside_drop(r->cli, &beside);
	return outcome;
}

static void tell_next(const struct restoring *r)
{
	if (r->to.server)
		cli_note(
			r->cli,
			"next: start the server; the view is folded anew, the nodes send what came "
			"after the backup. If it stops and says \"rollback\", its key has signed "
			"more than this backup holds: put a newer one back; if there is none, the "
			"national log begins anew (docs/OPERATIONS.md)");
	else
		cli_note(r->cli,
			 "next: start the node; its register is folded anew. Its mark, "
			 "KEYS.highwater beside its keys, says how much it ever signed: when this "
			 "backup holds less, it takes no edit until every server has answered and "
			 "what is missing has come back from them. If the mark was lost, or put "
			 "back "
			 "from an old copy as well, remove it before the start: then every server "
			 "is "
			 "asked (docs/OPERATIONS.md)");
}

static enum outcome tell(struct restoring *r)
{
	struct buf out = {.data = NULL};
	struct json j = json_to(&out);
	enum outcome outcome = DONE;

	if (r->cli->json) {
		json_open(&j, '{');
		json_field_text(&j, "data", r->to.data);
		json_field_text(&j, "origin", backup_origin(&r->report));
		json_field_text(&j, "made", r->from.made);
		json_field_bool(&j, "signatures", r->trusted != NULL);
		json_key(&j, "logs");
		json_open(&j, '[');
		for (size_t i = 0; i < r->report.log_count; i++) {
			json_open(&j, '{');
			json_field_text(&j, "log", r->report.logs[i].log.text);
			json_field_uint(&j, "size", r->report.logs[i].size);
			json_close(&j, '}');
		}
		json_close(&j, ']');
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else {
		for (size_t i = 0; i < r->report.log_count; i++)
			buf_printf(&out, "  log %s: %s\n", r->report.logs[i].log.text,
				   text_count(&r->cli->arena, r->report.logs[i].size, "event",
					      "events"));
		buf_printf(&out, "%s: put back as %s stood %s, verified%s\n", r->to.data,
			   *backup_origin(&r->report) ? backup_origin(&r->report)
						      : "a store without events",
			   *r->from.made ? text_in(&r->cli->arena, "at %s", r->from.made)
					 : "in the backup",
			   check_but_for(r->trusted));
	}
	outcome = cli_print(r->cli, &out);
	tell_next(r);
	buf_free(&out);
	return outcome;
}

static enum outcome run_restore(struct cli *cli)
{
	struct restoring r = {.cli = cli, .from = {.lock_fd = -1}, .mark = {.fd = -1}};
	enum outcome outcome = open_all(&r);

	if (outcome == DONE)
		outcome = check_whole(cli, r.source, r.from.folder, r.trusted);
	if (outcome == DONE)
		outcome = put_back(&r);
	if (outcome == DONE)
		outcome = tell(&r);
	store_close(r.source);
	keyring_free(r.trusted);
	(void)!highwater_close(&r.mark); /* nothing was raised */
	backup_place_close(&r.from);
	return outcome;
}

static const struct option_rule options[] = {
	{"from", 0, "FOLDER", "the backup"},
	{"config", 0, "FILE", "the configuration of the daemon, which must be stopped"},
	{"data", 0, "FOLDER", "or its data folder, which holds no store"},
	AUDIT_KEY_OPTIONS,
};

const struct verb verb_restore = {
	.name = "restore",
	.operands = "",
	.summary = "put a stopped daemon's logs back from a backup",
	.examples = "  splotctl restore --from /mnt/backup/server --config /etc/splot/server.ini\n"
		    "  splotctl restore --from /mnt/backup/node-26 --data /var/lib/splot/node-26\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.run = run_restore,
};
