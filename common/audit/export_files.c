/* The files of an export: written whole, read back at the first look, partial ones removed when
 * nobody needs them any more. */
#include "audit/export_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "io/files.h"
#include "ledger/log.h"
#include "tlog/encoding.h"

/* A file of its own name while it is written: what a kill leaves is overwritten by the next. */
#define UNFINISHED ".new"
#define PROGRESS   ".progress"

enum { REDACTED_BYTES_MAX = 64 * 1024 * 1024, FOLDER_MODE = 0755, FILE_MODE = 0644 };

static enum err system_err(int code)
{
	return code == ENOENT                                      ? ERR_NOT_FOUND
	       : code == EACCES                                    ? ERR_DENIED
	       : code == ENOSPC || code == EDQUOT || code == EFBIG ? ERR_DISK_FULL
								   : ERR_IO;
}

static enum err join(const char *folder, const char *file, char path[static EXPORT_PATH_BYTES])
{
	int n = snprintf(path, EXPORT_PATH_BYTES, "%s/%s", folder, file);

	return n < 0 || n >= EXPORT_PATH_BYTES ? ERR_ARGUMENT : ERR_OK;
}

/* ---- writing ---- */

static enum err write_unfinished(const char *path, struct bytes content)
{
	size_t done = 0;
	enum err e = ERR_OK;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return system_err(errno);
	while (e == ERR_OK && done < content.size) {
		ssize_t n = write(fd, content.data + done, content.size - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			e = system_err(errno);
	}
	if (e == ERR_OK && fchmod(fd, FILE_MODE) != 0)
		e = system_err(errno);
	if (close(fd) != 0 && e == ERR_OK)
		e = system_err(errno);
	return e;
}

static enum err make_folder_of(char *path)
{
	char *slash = strrchr(path, '/');
	enum err e = ERR_OK;

	*slash = '\0';
	e = folder_make(path, FOLDER_MODE);
	*slash = '/';
	return e;
}

enum err export_put(const char *folder, const char *file, struct bytes content,
		    struct export_run *run)
{
	char unfinished[EXPORT_PATH_BYTES];
	char path[EXPORT_PATH_BYTES];
	enum err e = join(folder, UNFINISHED, unfinished);

	if (e == ERR_OK)
		e = join(folder, file, path);
	if (e == ERR_OK)
		e = write_unfinished(unfinished, content);
	if (e == ERR_NOT_FOUND) {
		e = folder_make(folder, FOLDER_MODE);
		if (e == ERR_OK)
			e = write_unfinished(unfinished, content);
	}
	if (e != ERR_OK)
		return e;
	if (rename(unfinished, path) != 0) {
		e = errno == ENOENT ? make_folder_of(path) : system_err(errno);
		if (e == ERR_OK && rename(unfinished, path) != 0)
			e = system_err(errno);
	}
	run->report.files += e == ERR_OK;
	return e;
}

enum err export_put_changed(const char *folder, const char *file, struct bytes content,
			    struct export_run *run)
{
	char path[EXPORT_PATH_BYTES];
	struct buf old = {0};
	enum err e = join(folder, file, path);

	if (e == ERR_OK && file_read(path, content.size, &old) == ERR_OK &&
	    bytes_equal(buf_bytes(&old), content)) {
		buf_free(&old);
		return ERR_OK;
	}
	buf_free(&old);
	if (e == ERR_OK)
		e = make_folder_of(path);
	if (e == ERR_OK)
		e = file_replace(path, FILE_MODE, content);
	run->report.files += e == ERR_OK;
	return e;
}

enum err export_sync(const char *folder)
{
	enum err e = ERR_OK;
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return system_err(errno);
	if (syncfs(fd) != 0)
		e = ERR_SYNC;
	(void)close(fd);
	return e;
}

/* ---- partial files ---- */

enum err export_add_partial(struct exported *x, const char *file)
{
	char **more = NULL;
	size_t room = 0;

	if (x->partial_count == x->partial_room) {
		room = x->partial_room ? 2 * x->partial_room : 32;
		more = reallocarray(x->partials, room, sizeof *more);
		if (!more)
			return ERR_NOMEM;
		x->partials = more;
		x->partial_room = room;
	}
	x->partials[x->partial_count] = strdup(file);
	if (!x->partials[x->partial_count])
		return ERR_NOMEM;
	x->partial_count++;
	return ERR_OK;
}

/* One partial file goes, and its folder when it was the last. */
static void drop(struct exported *x, size_t i)
{
	char path[EXPORT_PATH_BYTES];

	if (join(x->folder, x->partials[i], path) == ERR_OK) {
		(void)unlink(path);
		*strrchr(path, '/') = '\0';
		(void)rmdir(path);
	}
	free(x->partials[i]);
	x->partials[i] = x->partials[--x->partial_count];
}

void export_drop_bundles(struct exported *x, uint64_t number, const char *keep)
{
	char full[TILE_PATH_BYTES];
	size_t size = 0;

	tile_path((struct tile_id){.level = UINT_MAX, .number = number}, TILE_WIDTH, full);
	size = strlen(full);
	for (size_t i = x->partial_count; i-- > 0;) {
		const char *file = x->partials[i];

		if (!strncmp(file, full, size) && !strncmp(file + size, ".p/", 3) &&
		    strcmp(file, keep) != 0)
			drop(x, i);
	}
}

/* Whether `file` is a partial tile or bundle of a log of that size. */
static bool is_partial_of(const char *file, uint64_t size)
{
	char path[TILE_PATH_BYTES];

	for (unsigned level = 0; level < TREE_LEVELS_MAX; level++) {
		struct tile_id id = {.level = level};
		unsigned width = 0;

		id.number = (size >> (level * TILE_HEIGHT)) / TILE_WIDTH;
		width = tile_width(id, size);
		if (width == 0)
			continue;
		tile_path(id, width, path);
		if (!strcmp(path, file))
			return true;
		id.level = UINT_MAX;
		tile_path(id, width, path);
		if (level == 0 && !strcmp(path, file))
			return true;
	}
	return false;
}

static bool is_partial(const FTSENT *entry)
{
	const char *folder = entry->fts_parent ? entry->fts_parent->fts_name : "";
	size_t size = strlen(folder);

	return size > 2 && !strcmp(folder + size - 2, ".p");
}

static enum err find_partials(struct exported *x)
{
	char top[EXPORT_PATH_BYTES];
	char *const roots[] = {top, NULL};
	FTSENT *entry = NULL;
	FTS *walk = NULL;
	enum err e = join(x->folder, "tile", top);

	if (e != ERR_OK || !file_exists(top))
		return e;
	walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!walk)
		return system_err(errno);
	while (e == ERR_OK && (entry = fts_read(walk)))
		if (entry->fts_info == FTS_F && is_partial(entry))
			e = export_add_partial(x, entry->fts_path + strlen(x->folder) + 1);
	(void)fts_close(walk);
	return e;
}

/* ---- the first look ---- */

static enum err read_note(const char *folder, const char *file, struct buf *ret)
{
	char path[EXPORT_PATH_BYTES];
	enum err e = join(folder, file, path);

	buf_clear(ret);
	return e == ERR_OK ? file_read(path, NOTE_BYTES_MAX, ret) : e;
}

/* A checkpoint that does not read is as none: all is written anew. */
static enum err look_at_checkpoint(struct exported *x)
{
	struct buf text = {0};
	struct checkpoint c;
	enum err e = read_note(x->folder, "checkpoint", &x->note);

	if (e == ERR_OK && log_note_read(buf_bytes(&x->note), &c) == ERR_OK) {
		x->size = c.size;
		x->root = c.root;
	} else {
		buf_clear(&x->note);
	}
	if (e == ERR_OK || e == ERR_NOT_FOUND || e == ERR_LIMIT)
		e = read_note(x->folder, PROGRESS, &text);
	x->written = x->size;
	if (e == ERR_OK && checkpoint_parse(buf_bytes(&text), false, &x->target) == ERR_OK)
		x->written = x->target.size; /* its root is compared before it is believed */
	buf_free(&text);
	return e == ERR_NOT_FOUND || e == ERR_LIMIT ? ERR_OK : e;
}

/* "INDEX LEAF …": lines that do not read are forgotten, and their bundles written anew. */
static enum err look_at_redacted(struct exported *x)
{
	char path[EXPORT_PATH_BYTES];
	struct buf text = {0};
	struct bytes rest = {NULL, 0};
	struct bytes line = {NULL, 0};
	enum err e = join(x->folder, "redacted", path);

	if (e == ERR_OK)
		e = file_read(path, REDACTED_BYTES_MAX, &text);
	rest = buf_bytes(&text);
	while (e == ERR_OK && encoding_cut(&rest, '\n', &line) == ERR_OK) {
		struct bytes index = {NULL, 0};
		struct bytes leaf = {NULL, 0};
		struct hash hash;
		uint64_t number = 0;
		size_t size = 0;

		if (encoding_cut(&line, ' ', &index) != ERR_OK ||
		    encoding_cut(&line, ' ', &leaf) != ERR_OK ||
		    encoding_number(index, &number) != ERR_OK ||
		    encoding_base64(leaf, hash.b, HASH_BYTES, &size) != ERR_OK ||
		    size != HASH_BYTES)
			continue;
		e = export_add_erased(x, number, hash);
	}
	buf_free(&text);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err export_look(struct exported *x)
{
	enum err e = look_at_checkpoint(x);

	if (e == ERR_OK)
		e = look_at_redacted(x);
	if (e == ERR_OK)
		e = find_partials(x);
	return e;
}

/* ---- a log that is no more ---- */

enum err export_set_aside(const struct exported *x, const char *name)
{
	char above[EXPORT_PATH_BYTES];
	char before[EXPORT_PATH_BYTES];
	char path[EXPORT_PATH_BYTES];
	char *end = NULL;
	enum err e = ERR_OK;

	memcpy(above, x->folder, sizeof above);
	end = strrchr(above, '/'); /* not "..": there is no such folder when it is moved */
	if (!end)
		return ERR_ARGUMENT;
	*end = 0;
	e = join(above, "before", before);
	if (e == ERR_OK)
		e = folder_make(before, FOLDER_MODE);
	if (e == ERR_OK)
		e = join(before, name, path);
	if (e == ERR_OK && file_exists(path))
		e = ERR_EXISTS;
	if (e == ERR_OK && rename(x->folder, path) != 0)
		e = system_err(errno);
	return e == ERR_OK ? export_sync(above) : e;
}

/* ---- going on, and the end ---- */

enum err export_note_progress(struct exported *x, const struct checkpoint *so_far,
			      struct export_run *run)
{
	char path[EXPORT_PATH_BYTES];
	struct buf text = {0};
	enum err e = export_sync(x->folder);

	(void)run;
	if (e == ERR_OK)
		e = join(x->folder, PROGRESS, path);
	if (e == ERR_OK)
		e = checkpoint_text(so_far, &text);
	if (e == ERR_OK)
		e = file_replace(path, FILE_MODE, buf_bytes(&text));
	buf_free(&text);
	return e;
}

enum err export_finish(struct exported *x, struct export_run *run)
{
	char path[EXPORT_PATH_BYTES];
	uint64_t before = x->size;
	/* Not synced by itself: what stands here after a fall of the system is this one, the one
	 * before, or nothing that reads, which is written anew.  A sync a log would make a server's
	 * commits wait for the same disk. */
	enum err e = export_put(x->folder, "checkpoint", buf_bytes(&x->target_note), run);

	if (e != ERR_OK)
		return e;
	buf_clear(&x->note);
	buf_add_bytes(&x->note, buf_bytes(&x->target_note));
	x->size = x->target.size;
	x->root = x->target.root;
	x->written = x->size;
	x->changed = false;
	/* Whoever reads by the checkpoint before still finds its files until the next run. */
	for (size_t i = x->partial_count; i-- > 0;)
		if (!is_partial_of(x->partials[i], x->size) &&
		    !is_partial_of(x->partials[i], before))
			drop(x, i);
	if (join(x->folder, PROGRESS, path) == ERR_OK)
		(void)unlink(path);
	return buf_check(&x->note);
}
