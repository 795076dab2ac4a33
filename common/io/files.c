#include "io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 4096, READ_BYTES = 16 * 1024 };

static enum err file_err(int code)
{
	switch (code) {
	case ENOENT:
		return ERR_NOT_FOUND;
	case EACCES:
	case EPERM:
	case EROFS:
	case ELOOP: /* a link where none may stand */
		return ERR_DENIED;
	case EEXIST:
		return ERR_EXISTS;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return ERR_DISK_FULL;
	case ENOMEM:
		return ERR_NOMEM;
	case ENAMETOOLONG:
		return ERR_ARGUMENT;
	default:
		return ERR_IO;
	}
}

static enum err write_all(int fd, struct bytes x)
{
	size_t done = 0;

	while (done < x.size) {
		ssize_t n = write(fd, x.data + done, x.size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_err(errno);
		done += (size_t)n;
	}
	return ERR_OK;
}

/* ---- reading ---- */

static enum err read_all(int fd, size_t limit, struct buf *ret)
{
	uint8_t part[READ_BYTES];
	size_t done = 0;

	for (;;) {
		ssize_t n = read(fd, part, sizeof part);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_err(errno);
		if (n == 0)
			return buf_check(ret);
		done += (size_t)n;
		if (done > limit)
			return ERR_LIMIT;
		buf_add(ret, part, (size_t)n);
	}
}

enum err file_read(const char *path, size_t limit, struct buf *ret)
{
	struct stat st;
	size_t start = ret->size;
	enum err err = ERR_OK;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us */

	if (fd < 0)
		return file_err(errno);
	if (fstat(fd, &st) != 0 || S_ISDIR(st.st_mode))
		err = ERR_IO;
	else if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > limit)
		err = ERR_LIMIT;
	else
		err = read_all(fd, limit, ret);
	if (err != ERR_OK)
		ret->size = start;
	(void)close(fd);
	return err;
}

bool file_exists(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* ---- writing ---- */

/* Opens the folder that holds `path`, and gives the name behind it. */
static enum err open_folder_of(const char *path, int *ret_fd, const char **ret_name)
{
	char folder[PATH_BYTES_MAX];
	const char *slash = strrchr(path, '/');
	size_t size = slash ? (size_t)(slash - path) : 0;
	int fd = -1;

	if (size >= sizeof folder)
		return ERR_ARGUMENT;
	if (slash)
		memcpy(folder, path, size);
	else
		folder[size++] = '.';
	if (size == 0)
		folder[size++] = '/';
	folder[size] = 0;
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return file_err(errno);
	*ret_fd = fd;
	*ret_name = slash ? slash + 1 : path;
	return ERR_OK;
}

/* A new file of exactly this mode, whatever the umask, synced. */
static enum err write_new(int folder, const char *name, mode_t mode, struct bytes content)
{
	enum err err = ERR_OK;
	int fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			mode & 0600);

	if (fd < 0)
		return file_err(errno);
	err = write_all(fd, content);
	if (err == ERR_OK && fchmod(fd, mode) != 0)
		err = file_err(errno);
	if (err == ERR_OK && fsync(fd) != 0)
		err = ERR_SYNC;
	if (close(fd) != 0 && err == ERR_OK)
		err = ERR_SYNC;
	if (err != ERR_OK)
		(void)unlinkat(folder, name, 0);
	return err;
}

enum err file_replace(const char *path, mode_t mode, struct bytes content)
{
	static unsigned counter;
	char temporary[PATH_BYTES_MAX];
	const char *name = path;
	int folder = -1;
	int n = 0;
	enum err err = open_folder_of(path, &folder, &name);

	if (err != ERR_OK)
		return err;
	n = snprintf(temporary, sizeof temporary, ".%s.%ld.%u.tmp", name, (long)getpid(),
		     __atomic_fetch_add(&counter, 1, __ATOMIC_RELAXED));
	if (n < 0 || n >= (int)sizeof temporary) {
		err = ERR_ARGUMENT;
		goto out;
	}
	/* What a killed process of this number left over. */
	(void)unlinkat(folder, temporary, 0);
	err = write_new(folder, temporary, mode, content);
	if (err != ERR_OK)
		goto out;
	if (renameat(folder, temporary, folder, name) != 0) {
		err = file_err(errno);
		(void)unlinkat(folder, temporary, 0);
		goto out;
	}
	if (fsync(folder) != 0)
		err = ERR_SYNC;
out:
	(void)close(folder);
	return err;
}

enum err file_create(const char *path, mode_t mode, struct bytes content)
{
	const char *name = path;
	int folder = -1;
	enum err err = open_folder_of(path, &folder, &name);

	if (err != ERR_OK)
		return err;
	err = write_new(folder, name, mode, content);
	if (err == ERR_OK && fsync(folder) != 0)
		err = ERR_SYNC;
	(void)close(folder);
	return err;
}

enum err file_remove(const char *path)
{
	const char *name = path;
	int folder = -1;
	enum err err = open_folder_of(path, &folder, &name);

	if (err != ERR_OK)
		return err;
	if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
		err = file_err(errno);
	else if (fsync(folder) != 0) /* also of one who removed it and could not sync */
		err = ERR_SYNC;
	(void)close(folder);
	return err;
}

static enum err make_one(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return ERR_OK;
	if (errno != EEXIST && stat(path, &st) != 0)
		return file_err(errno);
	if (stat(path, &st) != 0)
		return file_err(errno);
	return S_ISDIR(st.st_mode) ? ERR_OK : ERR_EXISTS;
}

/* Gives each folder on the way to `path`, then `path`, to `take`. */
static enum err each_folder(const char *path, mode_t mode,
			    enum err (*take)(const char *path, mode_t mode))
{
	char part[PATH_BYTES_MAX];
	size_t size = strlen(path);
	enum err err = ERR_OK;

	if (size == 0 || size >= sizeof part)
		return ERR_ARGUMENT;
	memcpy(part, path, size + 1);
	for (char *at = part + 1; *at && err == ERR_OK; at++) {
		if (*at != '/')
			continue;
		*at = 0;
		err = take(part, mode);
		*at = '/';
	}
	return err == ERR_OK ? take(part, mode) : err;
}

enum err folder_make(const char *path, mode_t mode)
{
	return each_folder(path, mode, make_one);
}

/* The name of a folder in the one above it. */
static enum err sync_name_of(const char *path, mode_t mode)
{
	const char *name = NULL;
	int folder = -1;
	enum err err = open_folder_of(path, &folder, &name);

	(void)mode;
	if (err != ERR_OK)
		return err == ERR_DENIED ? ERR_OK : err; /* whose it is has seen to it */
	if (fsync(folder) != 0)
		err = ERR_SYNC;
	(void)close(folder);
	return err;
}

enum err folder_settle(const char *path)
{
	return each_folder(path, 0, sync_name_of);
}

/* ---- highwater ----
 * One line of fixed width, so that writing in place never leaves half a shorter number. */

enum { HIGHWATER_DIGITS = 20, HIGHWATER_BYTES = HIGHWATER_DIGITS + 1, SYNC_EVERY_MS = 1000 };

static enum err parse_highwater(const char text[static HIGHWATER_BYTES], uint64_t *ret)
{
	uint64_t size = 0;

	if (text[HIGHWATER_DIGITS] != '\n')
		return ERR_CORRUPT;
	for (size_t i = 0; i < HIGHWATER_DIGITS; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(size, 10U, &size) ||
		    __builtin_add_overflow(size, (uint64_t)(text[i] - '0'), &size))
			return ERR_CORRUPT;
	}
	*ret = size;
	return ERR_OK;
}

static enum err write_highwater(int fd, uint64_t size)
{
	char text[HIGHWATER_BYTES + 1];
	ssize_t n = 0;

	(void)snprintf(text, sizeof text, "%0*llu\n", HIGHWATER_DIGITS, (unsigned long long)size);
	do
		n = pwrite(fd, text, HIGHWATER_BYTES, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return file_err(errno);
	return n == HIGHWATER_BYTES ? ERR_OK : ERR_DISK_FULL;
}

static enum err create_highwater(const char *path)
{
	char text[HIGHWATER_BYTES + 1];

	(void)snprintf(text, sizeof text, "%0*d\n", HIGHWATER_DIGITS, 0);
	/* Renamed into place: a kill half-way leaves none rather than an empty one. */
	return file_replace(path, 0600, bytes_of(text, HIGHWATER_BYTES));
}

/* Two programs with the same keys would sign two histories: the lock goes with the process,
 * however it ends. */
static enum err lock_highwater(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return ERR_OK;
	return errno == EAGAIN || errno == EACCES ? ERR_BUSY : file_err(errno);
}

enum err highwater_open(const char *path, struct highwater *ret, bool *ret_found)
{
	/* What a killed program wrote here may not be synced yet. */
	struct highwater h = {.fd = -1, .synced_ms = INT64_MIN, .unsynced = true};
	char text[HIGHWATER_BYTES + 1];
	bool found = true;
	enum err err = ERR_OK;

	h.fd = open(path, O_RDWR | O_CLOEXEC);
	if (h.fd < 0 && errno == ENOENT) {
		found = false;
		err = create_highwater(path);
		if (err != ERR_OK)
			return err;
		h.fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (h.fd < 0)
		return file_err(errno);
	err = lock_highwater(h.fd);
	if (err == ERR_OK && pread(h.fd, text, sizeof text, 0) != HIGHWATER_BYTES)
		err = ERR_CORRUPT;
	if (err == ERR_OK)
		err = parse_highwater(text, &h.size);
	if (err != ERR_OK) {
		(void)close(h.fd);
		return err;
	}
	*ret = h;
	*ret_found = found;
	return ERR_OK;
}

enum err highwater_read(const char *path, uint64_t *ret)
{
	struct buf text = {.data = NULL};
	enum err err = file_read(path, HIGHWATER_BYTES + 1, &text);

	if (err == ERR_OK && text.size != HIGHWATER_BYTES)
		err = ERR_CORRUPT;
	if (err == ERR_OK)
		err = parse_highwater((const char *)text.data, ret);
	buf_free(&text);
	return err == ERR_LIMIT ? ERR_CORRUPT : err;
}

enum err highwater_raise(struct highwater *h, uint64_t size, int64_t mono_ms)
{
	enum err err = ERR_OK;

	if (size <= h->size)
		return ERR_OK;
	err = write_highwater(h->fd, size);
	if (err != ERR_OK)
		return err;
	h->size = size;
	h->unsynced = true;
	return highwater_settle(h, mono_ms);
}

enum err highwater_settle(struct highwater *h, int64_t mono_ms)
{
	if (!h->unsynced || (h->synced_ms != INT64_MIN && mono_ms - h->synced_ms < SYNC_EVERY_MS))
		return ERR_OK;
	if (fdatasync(h->fd) != 0)
		return ERR_SYNC;
	h->synced_ms = mono_ms;
	h->unsynced = false;
	return ERR_OK;
}

enum err highwater_close(struct highwater *h)
{
	enum err err = ERR_OK;

	if (h->fd < 0)
		return ERR_OK;
	if (h->unsynced && fdatasync(h->fd) != 0)
		err = ERR_SYNC;
	(void)close(h->fd);
	h->fd = -1;
	return err;
}
