#include "admin/backup/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/settings.h"
#include "admin/text.h"
#include "io/files.h"
#include "tlog/encoding.h"

enum { FORMAT = 1, DESCRIPTION_BYTES_MAX = 64 * 1024 };

static const char DESCRIPTION[] = "backup.txt";

static bool holds_store(struct cli *cli, const char *folder)
{
	return file_exists(text_in(&cli->arena, "%s/data.mdb", folder));
}

/* ---- a daemon's ---- */

/* Without a configuration, by what is there. */
static void guess_role(struct cli *cli, struct daemon_place *p)
{
	p->server = file_exists(text_in(&cli->arena, "%s/logs", p->data)) ||
		    file_exists(text_in(&cli->arena, "%s/view", p->data));
}

enum outcome daemon_place(struct cli *cli, struct daemon_place *ret)
{
	const char *program = "";
	enum outcome outcome = DONE;

	*ret = (struct daemon_place){.config = cli_option(cli, "config"),
				     .data = cli_option(cli, "data")};
	if (!ret->config == !ret->data)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"whose data? give --config FILE, the daemon's configuration, or "
				"--data FOLDER");
	if (ret->config) {
		outcome = settings_daemon(cli, ret->config, &program);
		if (outcome == DONE)
			outcome = settings_path(cli, ret->config, "data", &ret->data);
		ret->server = !strcmp(program, "splot-server");
	} else {
		guess_role(cli, ret);
	}
	if (outcome != DONE)
		return outcome;
	ret->store = ret->server ? text_in(&cli->arena, "%s/logs", ret->data) : ret->data;
	ret->found = holds_store(cli, ret->store);
	return DONE;
}

/* ---- what a backup says of itself ---- */

/* The value of the line that begins with this word; NULL when there is none. */
static const char *line_of(struct cli *cli, const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *line = text; *line;) {
		size_t size = strcspn(line, "\n");

		if (size > length && !strncmp(line, word, length) && line[length] == ' ')
			return text_in(&cli->arena, "%.*s", (int)(size - length - 1),
				       line + length + 1);
		line += size + (line[size] == '\n');
	}
	return NULL;
}

static enum outcome read_description(struct cli *cli, struct backup_place *p)
{
	const char *path = text_in(&cli->arena, "%s/%s", p->folder, DESCRIPTION);
	struct buf text = {.data = NULL};
	const char *format = NULL;
	const char *role = NULL;
	enum err e = file_read(path, DESCRIPTION_BYTES_MAX, &text);

	p->described = e == ERR_OK;
	if (e == ERR_OK) {
		format = line_of(cli, buf_text(&text), "format");
		role = line_of(cli, buf_text(&text), "role");
		p->origin = line_of(cli, buf_text(&text), "origin");
		p->made = line_of(cli, buf_text(&text), "made");
	}
	buf_free(&text);
	if (e == ERR_NOT_FOUND)
		return DONE;
	if (e != ERR_OK)
		return cli_fail(cli, FAILED, e, "%s: %s", path, err_text(e));
	if (!format || !role || (strcmp(role, "server") != 0 && strcmp(role, "node") != 0))
		return cli_fail(
			cli, BAD_DATA, ERR_DECODE,
			"%s does not say of what this is a backup: move the folder away and "
			"make another",
			path);
	if (strcmp(format, "1") != 0)
		return cli_fail(cli, FAILED, ERR_VERSION,
				"%s: a backup of format %s; this splotctl knows 1", path, format);
	p->server = !strcmp(role, "server");
	return DONE;
}

const char *backup_origin(const struct backup_report *r)
{
	if (r->log_count == 0)
		return "";
	return !strcmp(r->logs[r->log_count - 1].log.text, "national")
		       ? r->logs[r->log_count - 1].origin
		       : r->logs[0].origin;
}

static void describe_logs(const struct backup_report *r, struct buf *out)
{
	const char *origin = backup_origin(r);
	struct origin_parts parts;

	if (*origin)
		buf_printf(out, "origin %s\n", origin);
	if (origin_parse(bytes_of_text(origin), &parts) == ERR_OK)
		buf_printf(out, "realm %s\n", parts.realm);
	for (size_t i = 0; i < r->log_count; i++) {
		buf_printf(out, "log %s size %llu root ", r->logs[i].log.text,
			   (unsigned long long)r->logs[i].size);
		encoding_add_base64(out, bytes_of(r->logs[i].root.b, HASH_BYTES));
		buf_add_u8(out, '\n');
	}
}

enum outcome backup_describe(struct cli *cli, const struct backup_place *p, struct wall_ms made,
			     const struct backup_report *report)
{
	const char *path = text_in(&cli->arena, "%s/%s", p->folder, DESCRIPTION);
	struct buf out = {.data = NULL};
	char time[25];
	enum err e = ERR_OK;

	wall_format(made, time);
	buf_printf(&out,
		   "A backup that splotctl made: see splotctl(1), backup and restore.\n"
		   "format %d\nrole %s\n",
		   FORMAT, p->server ? "server" : "node");
	buf_printf(&out, "%s %s\n", report ? "made" : "begun", time);
	if (report)
		describe_logs(report, &out);
	e = buf_check(&out);
	if (e == ERR_OK)
		e = file_replace(path, 0600, buf_bytes(&out));
	buf_free(&out);
	return e == ERR_OK ? DONE : cli_fail(cli, FAILED, e, "%s: %s", path, err_text(e));
}

/* ---- a backup's ---- */

static enum outcome hold(struct cli *cli, struct backup_place *p, int how)
{
	p->lock_fd = open(p->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->lock_fd < 0)
		return cli_fail(cli, FAILED, errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED, "%s: %s",
				p->folder, strerror(errno));
	if (flock(p->lock_fd, how | LOCK_NB) == 0)
		return DONE;
	return cli_fail(cli, FAILED, errno == EWOULDBLOCK ? ERR_BUSY : ERR_IO,
			errno == EWOULDBLOCK
				? "%s: another backup or restore works on it; wait until it is done"
				: "%s: it cannot be locked",
			p->folder);
}

static void find_store(struct cli *cli, struct backup_place *p)
{
	p->store = p->server ? text_in(&cli->arena, "%s/logs", p->folder) : p->folder;
	p->found = holds_store(cli, p->store);
	p->origin = p->origin ? p->origin : "";
	p->made = p->made ? p->made : "";
}

enum outcome backup_place_read(struct cli *cli, const char *folder, struct backup_place *ret)
{
	enum outcome outcome = DONE;

	*ret = (struct backup_place){.folder = folder, .lock_fd = -1};
	outcome = hold(cli, ret, LOCK_SH);
	if (outcome == DONE)
		outcome = read_description(cli, ret);
	if (outcome != DONE)
		return outcome;
	find_store(cli, ret);
	if (ret->described && ret->found)
		return DONE;
	return cli_fail(cli, FAILED, ERR_NOT_FOUND,
			ret->described ? "%s: a backup that was begun and never finished"
				       : "%s is no backup: no backup.txt is in it",
			folder);
}

/* Only what a new file system may hold as well; what a kill left of the description goes. */
static bool is_empty(const char *folder)
{
	static const char begun[] = ".backup.txt.";
	DIR *dir = opendir(folder);
	const struct dirent *entry = NULL;
	bool empty = dir != NULL;

	while (dir && (entry = readdir(dir))) {
		if (!strncmp(entry->d_name, begun, sizeof begun - 1))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
		else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			 strcmp(entry->d_name, "lost+found") != 0)
			empty = false;
	}
	if (dir)
		(void)closedir(dir);
	return empty;
}

/* That one alone: where a disk is not mounted the folders on the way to it are missing, and a
 * backup on the disk below would look like one. */
static enum outcome make_folder(struct cli *cli, struct backup_place *p)
{
	p->made_folder = mkdir(p->folder, 0700) == 0;
	if (p->made_folder || errno == EEXIST)
		return DONE;
	if (errno == ENOENT)
		return cli_fail(cli, FAILED, ERR_NOT_FOUND,
				"%s: the folder in which it is to be made is not there: mount the "
				"disk for backups, or make that folder, then do this again",
				p->folder);
	return cli_fail(cli, FAILED, errno == EACCES ? ERR_DENIED : ERR_IO,
			"%s: the folder cannot be made: %s", p->folder, strerror(errno));
}

enum outcome backup_place_write(struct cli *cli, const char *folder, bool server,
				struct backup_place *ret)
{
	enum outcome outcome = DONE;
	enum err e = ERR_OK;
	bool empty = false;

	*ret = (struct backup_place){.folder = folder, .server = server, .lock_fd = -1};
	outcome = make_folder(cli, ret);
	if (outcome == DONE)
		outcome = hold(cli, ret, LOCK_EX);
	if (outcome == DONE)
		outcome = read_description(cli, ret);
	if (outcome != DONE)
		return outcome;
	empty = is_empty(folder);
	if (!ret->described && !empty)
		return cli_fail(cli, FAILED, ERR_EXISTS,
				"%s holds something else than a backup: name a folder of its own",
				folder);
	if (ret->server != server)
		return cli_fail(cli, FAILED, ERR_ORIGIN,
				"%s is a backup of a %s, this is a %s: name another folder", folder,
				ret->server ? "server" : "node", server ? "server" : "node");
	find_store(cli, ret);
	ret->made_description = !ret->described;
	if (!ret->described)
		outcome = backup_describe(cli, ret, wall_now(), NULL);
	e = outcome == DONE ? folder_make(ret->store, 0700) : ERR_OK;
	return e == ERR_OK ? outcome : cli_fail(cli, FAILED, e, "%s: %s", ret->store, err_text(e));
}

void backup_place_drop(struct cli *cli, struct backup_place *p)
{
	if (p->lock_fd < 0 || (p->store && holds_store(cli, p->store)))
		return;
	if (p->made_description && p->store) {
		if (p->server)
			(void)rmdir(p->store);
		(void)unlink(text_in(&cli->arena, "%s/%s", p->folder, DESCRIPTION));
	}
	if (p->made_folder)
		(void)rmdir(p->folder);
}

void backup_place_close(struct backup_place *p)
{
	if (p->folder && p->lock_fd >= 0)
		(void)close(p->lock_fd);
	p->lock_fd = -1;
}
