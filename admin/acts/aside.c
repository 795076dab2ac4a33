#include "admin/acts/aside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/settings.h"
#include "admin/text.h"
#include "base/time.h"
#include "io/control_socket.h"
#include "io/files.h"
#include "io/store.h"
#include "model/json.h"

/* What a node has seen of others and still knows without its log: what it witnessed of the
 * servers' national logs, which of them it follows and since when, what they did that it
 * distrusts, and what is to be erased. */
static const char *const kept_tables[] = {"witnessed", "cards", "follows", "evidence", "redacted"};

struct place {
	struct cli *cli;
	const char *config, *keys, *data, *control; /* in the cli's arena */
	const char *mark;                           /* beside the keys */
	const char *parent;                         /* of the data folder */
	const char *target;                         /* where the old store goes */
	const char *fresh;                          /* the new one, until it is in place */
};

/* ---- where everything is ---- */

static const char *stamp(struct cli *cli)
{
	char now[25]; /* "2026-11-21T09:30:00.123Z" */

	wall_format(wall_now(), now);
	return text_in(&cli->arena, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", now, now + 5, now + 8, now + 11,
		       now + 14, now + 17);
}

static enum outcome find_place(struct cli *cli, struct place *ret)
{
	const char *program = NULL;
	const char *slash = NULL;
	enum outcome outcome = DONE;

	*ret = (struct place){cli, cli_option(cli, "config"), "", "", "", "", "", "", ""};
	if (!ret->config)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"--aside needs --config FILE: the configuration of the node, which "
				"must be stopped");
	outcome = settings_daemon(cli, ret->config, &program);
	if (outcome == DONE && strcmp(program, "splot-node") != 0)
		return cli_fail(cli, FAILED, ERR_ARGUMENT,
				"%s is a server's: what a server holds goes on and is never set "
				"aside",
				ret->config);
	if (outcome == DONE)
		outcome = settings_path(cli, ret->config, "keys", &ret->keys);
	if (outcome == DONE)
		outcome = settings_path(cli, ret->config, "data", &ret->data);
	if (outcome == DONE)
		outcome = settings_path(cli, ret->config, "control", &ret->control);
	if (outcome != DONE)
		return outcome;
	slash = strrchr(ret->data, '/');
	ret->parent =
		slash ? text_in(&cli->arena, "%.*s/", (int)(slash - ret->data), ret->data) : "./";
	ret->mark = text_in(&cli->arena, "%s.highwater", ret->keys);
	ret->target = text_in(&cli->arena, "%sorphaned-%s", ret->parent, stamp(cli));
	ret->fresh = text_in(&cli->arena, "%s.new", ret->data);
	return DONE;
}

static enum outcome check_place(const struct place *p)
{
	struct stat data;

	if (!file_exists(text_in(&p->cli->arena, "%s/data.mdb", p->data)) ||
	    stat(p->data, &data) != 0)
		return cli_fail(p->cli, FAILED, ERR_NOT_FOUND,
				"%s holds no store: there is nothing to set aside", p->data);
	if (data.st_uid != geteuid())
		return cli_fail(p->cli, FAILED, ERR_DENIED,
				"%s is another account's: run this under the account that the node "
				"runs under (runuser -u ACCOUNT -- splotctl …), so that the new "
				"store is its own",
				p->data);
	if (file_exists(p->target) || file_exists(p->fresh))
		return cli_fail(p->cli, FAILED, ERR_EXISTS,
				"%s is in the way: it is left from an earlier try; look into it, "
				"move it away, try again",
				file_exists(p->fresh) ? p->fresh : p->target);
	return DONE;
}

/* Holds the mark, so that no node with these keys starts meanwhile. */
static enum outcome hold(const struct place *p, struct highwater *ret_mark, bool *ret_held)
{
	bool found = false;
	int fd = -1;
	enum err e = control_connect(p->control, &fd);

	if (e == ERR_OK) {
		(void)close(fd);
		e = ERR_BUSY;
	} else {
		e = file_exists(p->mark) ? highwater_open(p->mark, ret_mark, &found) : ERR_OK;
		*ret_held = e == ERR_OK && found;
	}
	if (e == ERR_BUSY)
		return cli_fail(p->cli, FAILED, e,
				"the node runs: stop it first, then do this again, then start it");
	if (e != ERR_OK)
		return cli_fail(p->cli, FAILED, e, "%s: %s", p->mark, err_text(e));
	return DONE;
}

/* ---- what comes along ---- */

static enum err copy_rows(struct txn *from, struct table table, struct txn *to, struct table copy)
{
	struct scan *scan = NULL;
	struct bytes key;
	struct bytes value;
	enum err e = scan_open(from, table, &scan);

	if (e != ERR_OK)
		return e;
	while ((e = scan_next(scan, &key, &value)) == ERR_OK) {
		e = txn_put(to, copy, key, value);
		if (e != ERR_OK)
			break;
	}
	scan_close(scan);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err copy_table(struct store *from, struct store *to, const char *name)
{
	struct table table;
	struct table copy;
	struct txn *read = NULL;
	struct txn *write = NULL;
	enum err e = store_table(from, name, false, &table);

	if (e == ERR_NOT_FOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = store_table(to, name, true, &copy);
	if (e == ERR_OK)
		e = txn_begin(from, false, &read);
	if (e == ERR_OK)
		e = txn_begin(to, true, &write);
	if (e == ERR_OK)
		e = copy_rows(read, table, write, copy);
	if (e == ERR_OK)
		e = txn_commit(write);
	else
		txn_abort(write);
	txn_abort(read);
	return e;
}

static enum outcome make_fresh(const struct place *p)
{
	const struct store_options read_only = {.read_only = true};
	const struct store_options synced = {.mode = STORE_SYNCED};
	struct store *old = NULL;
	struct store *fresh = NULL;
	enum err e = folder_make(p->fresh, 0700);

	if (e == ERR_OK)
		e = store_open(p->fresh, &synced, &fresh);
	if (e != ERR_OK)
		return cli_fail(p->cli, FAILED, e,
				"%s: %s; the account must be able to write that folder's place",
				p->fresh, err_text(e));
	e = store_open(p->data, &read_only, &old);
	for (size_t i = 0; i < sizeof kept_tables / sizeof *kept_tables && e == ERR_OK; i++)
		e = copy_table(old, fresh, kept_tables[i]);
	store_close(old);
	store_close(fresh);
	if (e != ERR_OK)
		return cli_fail(p->cli, FAILED, e,
				"%s: %s; what this node witnessed cannot be read, and nothing was "
				"moved; a damaged store is moved by hand, and the node then trusts "
				"what its servers show it first",
				p->data, err_text(e));
	return DONE;
}

/* ---- moving ---- */

static enum err sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = ERR_OK;

	if (fd < 0)
		return ERR_IO;
	if (fsync(fd) != 0)
		e = ERR_SYNC;
	(void)close(fd);
	return e;
}

static enum outcome move(const struct place *p, const char *from, const char *to)
{
	if (rename(from, to) == 0)
		return DONE;
	return cli_fail(p->cli, FAILED, errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_IO,
			"%s cannot be moved to %s: %s", from, to, strerror(errno));
}

static enum outcome move_all(const struct place *p, bool mark)
{
	const char *moved_mark = text_in(&p->cli->arena, "%s/keys.highwater", p->target);
	const char *keys_slash = strrchr(p->keys, '/');
	const char *keys_folder =
		keys_slash ? text_in(&p->cli->arena, "%.*s/", (int)(keys_slash - p->keys), p->keys)
			   : "./";
	enum outcome outcome = move(p, p->data, p->target);
	enum err e = ERR_OK;

	if (outcome == DONE)
		outcome = move(p, p->fresh, p->data);
	if (outcome == DONE && mark)
		outcome = move(p, p->mark, moved_mark);
	if (outcome != DONE)
		return outcome;
	e = sync_folder(p->target);
	if (e == ERR_OK)
		e = sync_folder(p->parent);
	if (e == ERR_OK)
		e = sync_folder(keys_folder);
	return e == ERR_OK ? DONE
			   : cli_fail(p->cli, FAILED, e,
				      "the store is at %s now, but the disk did not confirm it",
				      p->target);
}

static enum outcome tell(const struct place *p)
{
	struct buf out = {0};
	enum outcome outcome = DONE;

	if (p->cli->json) {
		struct json j = json_to(&out);

		json_open(&j, '{');
		json_field_text(&j, "data", p->data);
		json_field_text(&j, "aside", p->target);
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else {
		buf_printf(&out, "the store is set aside: %s\n", p->target);
	}
	outcome = cli_print(p->cli, &out);
	cli_note(p->cli,
		 "next: start the node and wait until splotctl status says that it takes edits; "
		 "then "
		 "splotctl recover --rebase %s shows what only the old store holds. It keeps what "
		 "is redacted from now on: remove it when it is rebased",
		 p->target);
	buf_free(&out);
	return outcome;
}

enum outcome aside(struct cli *cli)
{
	struct place place;
	struct highwater mark = {.fd = -1};
	bool held = false;
	enum outcome outcome = find_place(cli, &place);

	if (outcome == DONE)
		outcome = check_place(&place);
	if (outcome == DONE)
		outcome = hold(&place, &mark, &held);
	if (outcome == DONE)
		outcome = make_fresh(&place);
	if (outcome == DONE)
		outcome = move_all(&place, held);
	if (outcome == DONE)
		outcome = tell(&place);
	(void)!highwater_close(&mark); /* nothing was raised */
	return outcome;
}
