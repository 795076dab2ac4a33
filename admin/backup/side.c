#include "admin/backup/side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/auditor/source_socket.h"
#include "admin/auditor/view_socket.h"
#include "admin/settings.h"
#include "admin/text.h"
#include "io/files.h"

static bool holds_store(struct cli *cli, const char *folder)
{
	return file_exists(text_in(&cli->arena, "%s/data.mdb", folder));
}

static enum outcome open_store(struct cli *cli, const char *folder, struct store **ret)
{
	const struct store_options options = {.read_only = true};
	enum err e = store_open(folder, &options, ret);

	if (e == ERR_OK)
		return DONE;
	return cli_fail(cli, FAILED, e, "%s: %s%s", folder, err_text(e),
			e == ERR_DENIED ? ": use the account of its daemon, or name its control "
					  "socket"
					: "");
}

static void close_view(struct side *s)
{
	view_rows_close(s->rows);
	s->rows = NULL;
	if (s->view != s->store)
		store_close(s->view);
	s->view = NULL;
}

static void on_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
	(void)what;
	if (done % 1024 == 0)
		cli_progress(context, "folding", (size_t)done, (size_t)total);
}

enum outcome side_fold(struct cli *cli, struct side *s)
{
	const struct verify_watch watch = {cli, on_progress, NULL};
	const char *temporary = getenv("TMPDIR");
	enum err e = ERR_OK;

	close_view(s);
	if (!temporary || !*temporary)
		temporary = "/tmp";
	e = verify_fold(&s->source, temporary, &watch, &s->view);
	cli_progress(cli, "", 0, 0);
	if (e == ERR_OK)
		e = view_rows_open(s->view, &s->rows);
	if (e != ERR_OK)
		return cli_fail(cli, FAILED, e,
				"%s: its logs cannot be folded into a view in %s (TMPDIR names "
				"another folder): %s",
				s->name, temporary, err_text(e));
	s->functions = view_rows_functions(s->rows);
	s->folded = true;
	return DONE;
}

/* A view that is not there, or was folded by another release, is folded here. */
static enum outcome open_view(struct cli *cli, struct side *s, const char *folder)
{
	const char *view = text_in(&cli->arena, "%s/view", folder);
	struct table records;
	enum outcome outcome = DONE;
	enum err e = store_table(s->store, "records", false, &records);

	if (e == ERR_OK)
		s->view = s->store;
	else if (holds_store(cli, view))
		outcome = open_store(cli, view, &s->view);
	if (outcome != DONE)
		return outcome;
	e = s->view ? view_rows_open(s->view, &s->rows) : ERR_NOT_FOUND;
	if (e == ERR_VERSION || e == ERR_NOT_FOUND)
		return side_fold(cli, s);
	if (e != ERR_OK)
		return cli_fail(cli, FAILED, e, "%s: the view: %s", s->name, err_text(e));
	s->functions = view_rows_functions(s->rows);
	return DONE;
}

static bool same_folder(const char *a, const char *b)
{
	struct stat x;
	struct stat y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static enum outcome open_folder(struct cli *cli, const char *folder, const struct side *other,
				struct side *s)
{
	const char *logs = text_in(&cli->arena, "%s/logs", folder);
	enum outcome outcome = DONE;
	enum err e = ERR_OK;

	if (!holds_store(cli, logs))
		logs = folder;
	if (!holds_store(cli, logs))
		return cli_fail(cli, FAILED, ERR_NOT_FOUND,
				"%s: neither a daemon's data folder nor a backup", folder);
	if (other && other->folder && same_folder(logs, other->folder))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT, "%s and %s are one and the same store",
				other->name, s->name);
	s->folder = logs;
	outcome = open_store(cli, logs, &s->store);
	if (outcome != DONE)
		return outcome;
	e = source_of_store(s->store, folder, &s->source);
	if (e != ERR_OK)
		return cli_fail(cli, FAILED, e, "%s: %s", folder,
				e == ERR_NOT_FOUND ? "no log is in this store" : err_text(e));
	return open_view(cli, s, folder);
}

static enum outcome open_socket(struct cli *cli, const char *path, struct side *s)
{
	enum outcome outcome = source_open_daemon_at(cli, path, &s->source);

	if (outcome != DONE)
		return outcome;
	s->functions = view_of_daemon(&s->source);
	return DONE;
}

/* Whose store this account may not read, it may ask. */
static bool may_read(struct cli *cli, const char *data)
{
	const char *logs = text_in(&cli->arena, "%s/logs", data);
	const char *store = holds_store(cli, logs) ? logs : data;
	const char *lock = text_in(&cli->arena, "%s/lock.mdb", store);

	return eaccess(text_in(&cli->arena, "%s/data.mdb", store), R_OK) == 0 &&
	       (!file_exists(lock) || eaccess(lock, R_OK | W_OK) == 0);
}

static enum outcome open_config(struct cli *cli, const char *config, const struct side *other,
				struct side *s)
{
	const char *path = NULL;
	enum outcome outcome = settings_path(cli, config, "data", &path);

	if (outcome == DONE && may_read(cli, path))
		return open_folder(cli, path, other, s);
	if (outcome == DONE)
		outcome = settings_control(cli, config, &path);
	return outcome == DONE ? open_socket(cli, path, s) : outcome;
}

enum outcome side_open(struct cli *cli, const char *name, const struct side *other,
		       struct side *ret)
{
	struct stat st;

	*ret = (struct side){.name = name};
	if (stat(name, &st) != 0)
		return cli_fail(cli, FAILED, ERR_NOT_FOUND,
				"%s: %s; name a control socket, a daemon's configuration file, a "
				"data folder or a backup",
				name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return open_folder(cli, name, other, ret);
	return S_ISSOCK(st.st_mode) ? open_socket(cli, name, ret)
				    : open_config(cli, name, other, ret);
}

void side_close(struct side *s)
{
	source_close(&s->source);
	close_view(s);
	store_close(s->store);
	*s = (struct side){.name = NULL};
}
