#include "admin/backup/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/text.h"
#include "io/files.h"

enum { PIECE_BYTES = 1024 * 1024 };

static const size_t MAP_USUAL = (size_t)1 << 36;

static const char *file_in(struct cli *cli, const char *folder, const char *name)
{
	return text_in(&cli->arena, "%s/%s", folder, name);
}

static enum err code_err(int code)
{
	return code == ENOSPC || code == EDQUOT || code == EFBIG ? ERR_DISK_FULL
	       : code == EACCES || code == EPERM                 ? ERR_DENIED
								 : ERR_IO;
}

static enum outcome failed(struct cli *cli, const struct beside *b, enum err e)
{
	return cli_fail(cli, FAILED, e,
			e == ERR_DISK_FULL
				? "%s: %s: a second copy is written beside before it takes its "
				  "place; make room"
				: "%s: %s",
			b->fresh, err_text(e));
}

/* ---- what is left over ---- */

static void remove_all(struct cli *cli, const char *fresh)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock", "compact.mdb"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)unlink(file_in(cli, fresh, names[i]));
	(void)rmdir(fresh);
}

void beside_clear(struct cli *cli, const char *folder)
{
	remove_all(cli, file_in(cli, folder, "new"));
}

void beside_drop(struct cli *cli, struct beside *b)
{
	if (!b->fresh)
		return;
	store_close(b->store);
	b->store = NULL;
	remove_all(cli, b->fresh);
	b->fresh = NULL;
}

/* ---- seeding ---- */

static enum err copy_all(int from, int to)
{
	uint8_t *piece = malloc(PIECE_BYTES);
	enum err e = piece ? ERR_OK : ERR_NOMEM;

	while (e == ERR_OK) {
		ssize_t got = read(from, piece, PIECE_BYTES);
		ssize_t done = 0;

		if (got == 0)
			break;
		if (got < 0 && errno != EINTR)
			e = ERR_IO;
		while (e == ERR_OK && done < got) {
			ssize_t n = write(to, piece + done, (size_t)(got - done));

			if (n < 0 && errno != EINTR)
				e = code_err(errno);
			else if (n > 0)
				done += n;
		}
	}
	free(piece);
	return e;
}

/* Nobody writes it: the backup is held. */
static enum err seed_from(struct cli *cli, const struct beside *b)
{
	int from = open(file_in(cli, b->folder, "data.mdb"), O_RDONLY | O_CLOEXEC);
	int to = open(file_in(cli, b->fresh, "data.mdb"), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		      0600);
	enum err e = from >= 0 && to >= 0 ? copy_all(from, to) : code_err(errno);

	if (from >= 0)
		(void)close(from);
	if (to >= 0 && close(to) != 0 && e == ERR_OK)
		e = code_err(errno);
	return e;
}

/* ---- opening and putting in place ---- */

enum outcome beside_open(struct cli *cli, const char *folder, bool seed, struct store *like,
			 struct beside *ret)
{
	struct store_options options = {.mode = STORE_UNSYNCED};
	size_t used = 0;
	size_t map = 0;
	enum err e = store_usage(like, &used, &map);

	*ret = (struct beside){.folder = folder, .fresh = file_in(cli, folder, "new")};
	if (e == ERR_OK && used > MAP_USUAL / 4)
		options.map_bytes = used * 4;
	beside_clear(cli, folder);
	if (e == ERR_OK)
		e = folder_make(ret->fresh, 0700);
	if (e == ERR_OK && seed)
		e = seed_from(cli, ret);
	if (e == ERR_OK)
		e = store_open(ret->fresh, &options, &ret->store);
	return e == ERR_OK ? DONE : failed(cli, ret, e);
}

static enum err sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = ERR_OK;

	if (fd < 0)
		return code_err(errno);
	if (fsync(fd) != 0)
		e = ERR_SYNC;
	(void)close(fd);
	return e;
}

/* The lock file goes first: it belongs to the file that stood there. */
static enum err put_in_place(struct cli *cli, const struct beside *b)
{
	enum err e = ERR_OK;

	if (unlink(file_in(cli, b->folder, "lock.mdb")) != 0 && errno != ENOENT)
		return code_err(errno);
	if (rename(file_in(cli, b->fresh, "data.mdb"), file_in(cli, b->folder, "data.mdb")) != 0)
		return code_err(errno);
	e = store_call_made(b->folder);
	if (e != ERR_OK && e != ERR_BUSY)
		return e;
	return sync_folder(b->folder);
}

enum outcome beside_settle(struct cli *cli, struct beside *b)
{
	enum err e = store_sync(b->store);

	store_close(b->store);
	b->store = NULL;
	if (e == ERR_OK)
		e = put_in_place(cli, b);
	/* Folders that were made just now stand in those above them. */
	if (e == ERR_OK)
		e = folder_settle(b->folder);
	return e == ERR_OK ? DONE : failed(cli, b, e);
}
