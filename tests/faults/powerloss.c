/* A preload shim between a program and its disk.  Below one folder it notes, before anything
 * changes, what was there; what the program synced is noted no more.  So when the program is dead,
 * tests/faults/power.py can make of the disk what a fall of the current might have left.  It can
 * also make chosen calls fail, and lie about syncs.
 *
 *   SPLOT_POWER_DISK       the folder; nothing else is touched
 *   SPLOT_POWER_JOURNAL    where it is noted, outside that folder on the same file system; not set:
 *                          nothing is noted
 *   SPLOT_POWER_LIE        every sync is said to be done, and is not
 *   SPLOT_POWER_LINGER_US  a sync takes up to so long
 *   SPLOT_POWER_BOOT       a file that stands for the system's name of its start
 *   SPLOT_POWER_RULES      what is to fail: powerloss_rules.c
 *
 * Real syncs are left out: only the shim's word counts, and it is faster. */
#include "powerloss.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 4096 };

struct open_file {
	bool inside, folder, synced; /* synced: each write at once */
	char path[PATH_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct open_file *files[FDS];
static const char *disk;
static bool lie;
static long linger_us;

__attribute__((constructor)) static void begin(void)
{
	const char *us = getenv("SPLOT_POWER_LINGER_US");

	disk = getenv("SPLOT_POWER_DISK");
	power_journal = getenv("SPLOT_POWER_JOURNAL");
	power_rules = getenv("SPLOT_POWER_RULES");
	lie = getenv("SPLOT_POWER_LIE") != NULL;
	linger_us = us ? strtol(us, NULL, 10) : 0;
}

/* ---- where ---- */

static bool is_inside(const char *path)
{
	size_t size = disk ? strlen(disk) : 0;

	return size && strncmp(path, disk, size) == 0 && (path[size] == '/' || !path[size]);
}

/* Absolute, as it was said; false when it does not fit. */
static bool absolute(int folder, const char *path, char ret[static PATH_MAX])
{
	char start[PATH_MAX] = "";
	int n = 0;

	if (path[0] != '/') {
		if (folder == AT_FDCWD) {
			if (!getcwd(start, sizeof start))
				return false;
		} else if (folder >= 0 && folder < FDS && files[folder]) {
			(void)snprintf(start, sizeof start, "%s", files[folder]->path);
		} else {
			return false;
		}
	}
	n = snprintf(ret, PATH_MAX, "%s%s%s", start, start[0] ? "/" : "", path);
	if (n > 2 && n < PATH_MAX && strcmp(ret + n - 2, "/.") == 0)
		ret[n - 2] = 0;
	return n >= 0 && n < PATH_MAX;
}

static const char *split(char *path)
{
	char *slash = strrchr(path, '/');

	*slash = 0;
	return slash + 1;
}

/* ---- syncing ---- */

static void rest_a_moment(void)
{
	struct timespec t = {0, 0};

	if (linger_us <= 0)
		return;
	t.tv_nsec = (rand() % linger_us) * 1000; /* only the scheduler's die */
	(void)nanosleep(&t, NULL);
}

static int sync_file(int fd, int (*real)(int))
{
	off_t length = 0;
	const char *what = NULL;
	struct open_file *f = fd >= 0 && fd < FDS ? files[fd] : NULL;

	if (!f || !f->inside)
		return real(fd);
	(void)pthread_mutex_lock(&lock);
	what = power_fate(OP_SYNC, f->path);
	if (!what && power_journal)
		length = power_noted(f->folder ? -1 : fd);
	(void)pthread_mutex_unlock(&lock);
	if (power_fails(what))
		return -1;
	rest_a_moment();
	if (!power_journal || lie)
		return 0;
	(void)pthread_mutex_lock(&lock);
	if (f->folder)
		power_note_name("D\t%s\t%lld\n", f->path, (long long)length);
	else
		power_end_notes(fd, 0, length);
	(void)pthread_mutex_unlock(&lock);
	return 0;
}

int fsync(int fd)
{
	return sync_file(fd, NEXT(fsync));
}

int fdatasync(int fd)
{
	return sync_file(fd, NEXT(fdatasync));
}

/* Nothing but LMDB's lock file is written through a map, and that is worth nothing afterwards. */
int msync(void *at, size_t size, int flags)
{
	(void)at;
	(void)size;
	(void)flags;
	return 0;
}

/* ---- writing ---- */

typedef ssize_t (*writing)(int fd, const struct iovec *parts, int count, off_t at);

static ssize_t real_at(int fd, const struct iovec *parts, int count, off_t at)
{
	return NEXT(pwritev)(fd, parts, count, at);
}

static ssize_t real_here(int fd, const struct iovec *parts, int count, off_t at)
{
	(void)at;
	return NEXT(writev)(fd, parts, count);
}

/* Half of what there is to write. */
static ssize_t write_short(int fd, const struct iovec *parts, off_t at, writing real)
{
	struct iovec half = {parts[0].iov_base, (parts[0].iov_len + 1) / 2};

	return real(fd, &half, 1, at);
}

static ssize_t write_noted(struct open_file *f, int fd, const struct iovec *parts, int count,
			   off_t at, writing real)
{
	const char *what = power_fate(f->synced ? OP_META : OP_WRITE, f->path);
	size_t size = 0;
	ssize_t done = 0;

	if (power_fails(what))
		return -1;
	for (int i = 0; i < count; i++)
		size += parts[i].iov_len;
	if (power_journal)
		power_note(f->path, fd, (uint64_t)at, size);
	if (what && strcmp(what, "short") == 0)
		return write_short(fd, parts, at, real);
	done = real(fd, parts, count, at);
	if (what) /* before it is synced */
		(void)kill(getpid(), SIGKILL);
	return done;
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t at, writing real)
{
	struct open_file *f = fd >= 0 && fd < FDS ? files[fd] : NULL;
	bool noted = f && f->inside && power_journal;
	off_t before = 0;
	off_t after = 0;
	ssize_t done = 0;

	if (!f || !f->inside)
		return real(fd, parts, count, at);
	(void)pthread_mutex_lock(&lock);
	if (noted)
		before = power_noted(fd);
	done = write_noted(f, fd, parts, count, at, real);
	if (noted)
		after = power_noted(fd);
	(void)pthread_mutex_unlock(&lock);
	if (done < 0 || !f->synced)
		return done;
	rest_a_moment();
	if (noted && !lie) {
		(void)pthread_mutex_lock(&lock);
		power_end_notes(fd, before, after);
		(void)pthread_mutex_unlock(&lock);
	}
	return done;
}

static off_t here(int fd)
{
	struct stat st;

	if ((fcntl(fd, F_GETFL) & O_APPEND) && fstat(fd, &st) == 0)
		return st.st_size;
	return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t size)
{
	struct iovec part = {(void *)(uintptr_t)data, size};

	if (fd < 0 || fd >= FDS || !files[fd])
		return NEXT(write)(fd, data, size);
	return write_parts(fd, &part, 1, here(fd), real_here);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
	if (fd < 0 || fd >= FDS || !files[fd])
		return NEXT(writev)(fd, parts, count);
	return write_parts(fd, parts, count, here(fd), real_here);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	struct iovec part = {(void *)(uintptr_t)data, size};

	return write_parts(fd, &part, 1, at, real_at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	return pwrite(fd, data, size, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
	return write_parts(fd, parts, count, at, real_at);
}

/* ---- lengths ---- */

int ftruncate(int fd, off_t size)
{
	struct open_file *f = fd >= 0 && fd < FDS ? files[fd] : NULL;
	struct stat st;
	int rc = 0;

	if (!f || !f->inside || !power_journal)
		return NEXT(ftruncate)(fd, size);
	(void)pthread_mutex_lock(&lock);
	if (fstat(fd, &st) == 0)
		power_note(f->path, fd, (uint64_t)size,
			   st.st_size > size ? (uint64_t)(st.st_size - size) : 0);
	rc = NEXT(ftruncate)(fd, size);
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

int ftruncate64(int fd, off64_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
	struct open_file *f = fd >= 0 && fd < FDS ? files[fd] : NULL;
	int rc = 0;

	if (!f || !f->inside || !power_journal)
		return NEXT(fallocate)(fd, mode, at, size);
	(void)pthread_mutex_lock(&lock);
	power_note(f->path, fd, (uint64_t)at, 0);
	rc = NEXT(fallocate)(fd, mode, at, size);
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

int fallocate64(int fd, int mode, off64_t at, off64_t size)
{
	return fallocate(fd, mode, at, size);
}

/* ---- names ---- */

static void remember(int fd, const char *path, int flags)
{
	struct open_file *f = NULL;
	struct stat st;

	if (fd < 0 || fd >= FDS)
		return;
	f = calloc(1, sizeof *f);
	if (!f || fstat(fd, &st) != 0)
		power_die("cannot remember", path);
	f->inside = is_inside(path) && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
	f->folder = S_ISDIR(st.st_mode);
	f->synced = (flags & (O_DSYNC | O_SYNC)) != 0;
	(void)snprintf(f->path, sizeof f->path, "%s", path);
	free(files[fd]);
	files[fd] = f;
}

/* Before a file is created, or emptied, by opening it. */
static void note_open(const char *path, int flags)
{
	char folder[PATH_MAX];
	struct stat st;
	int fd = -1;

	(void)snprintf(folder, sizeof folder, "%s", path);
	if (lstat(path, &st) != 0 && (flags & O_CREAT)) {
		const char *name = split(folder);

		power_note_name("C\t%s\t%s\n", folder, name);
	} else if ((flags & O_TRUNC) && !(flags & O_EXCL)) {
		fd = NEXT(open)(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			power_note(path, fd, 0, (uint64_t)st.st_size);
		(void)NEXT(close)(fd);
	}
}

static int open_file(int folder, const char *path, int flags, mode_t mode)
{
	const char *boot = getenv("SPLOT_POWER_BOOT");
	char whole[PATH_MAX];
	struct stat st;
	int fd = -1;

	if (boot && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0)
		path = boot;
	if (!disk || !absolute(folder, path, whole) || !is_inside(whole))
		return NEXT(openat)(folder, path, flags, mode);
	(void)pthread_mutex_lock(&lock);
	if ((flags & O_CREAT) && lstat(whole, &st) != 0 &&
	    power_fails(power_fate(OP_CREATE, whole)))
		goto out;
	if (power_journal)
		note_open(whole, flags);
	/* Flags that wait for the real disk are ours to keep. */
	fd = NEXT(openat)(folder, path, flags & ~(O_DSYNC | O_SYNC), mode);
	remember(fd, whole, flags);
out:
	(void)pthread_mutex_unlock(&lock);
	return fd;
}

#define MODE_OF(flags)                                                                             \
	mode_t mode = 0;                                                                           \
	va_list rest;                                                                              \
	va_start(rest, flags);                                                                     \
	if ((flags) & (O_CREAT | O_TMPFILE))                                                       \
		mode = va_arg(rest, mode_t);                                                       \
	va_end(rest)

int open(const char *path, int flags, ...)
{
	MODE_OF(flags);
	return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	MODE_OF(flags);
	return open_file(AT_FDCWD, path, flags, mode);
}

int openat(int folder, const char *path, int flags, ...)
{
	MODE_OF(flags);
	return open_file(folder, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
	MODE_OF(flags);
	return open_file(folder, path, flags, mode);
}

int close(int fd)
{
	if (fd >= 0 && fd < FDS && files[fd]) {
		(void)pthread_mutex_lock(&lock);
		free(files[fd]);
		files[fd] = NULL;
		(void)pthread_mutex_unlock(&lock);
	}
	return NEXT(close)(fd);
}

/* opendir goes round open(): what it gives is never written, but names are taken from it. */
int dirfd(DIR *folder)
{
	int fd = NEXT(dirfd)(folder);
	char link_name[64];
	char path[PATH_MAX];
	ssize_t n = 0;

	if (!disk || fd < 0 || fd >= FDS || files[fd])
		return fd;
	(void)snprintf(link_name, sizeof link_name, "/proc/self/fd/%d", fd);
	n = readlink(link_name, path, sizeof path - 1);
	if (n > 0) {
		path[n] = 0;
		(void)pthread_mutex_lock(&lock);
		remember(fd, path, 0);
		(void)pthread_mutex_unlock(&lock);
	}
	return fd;
}

int closedir(DIR *folder)
{
	int fd = NEXT(dirfd)(folder);

	if (fd >= 0 && fd < FDS && files[fd]) {
		free(files[fd]);
		files[fd] = NULL;
	}
	return NEXT(closedir)(folder);
}

int mkdir(const char *path, mode_t mode)
{
	char whole[PATH_MAX];
	struct stat st;
	const char *name = NULL;

	if (power_journal && absolute(AT_FDCWD, path, whole) && is_inside(whole) &&
	    strcmp(whole, disk) != 0 && lstat(whole, &st) != 0) {
		name = split(whole);
		(void)pthread_mutex_lock(&lock);
		power_note_name("M\t%s\t%s\n", whole, name);
		(void)pthread_mutex_unlock(&lock);
	}
	return NEXT(mkdir)(path, mode);
}

static void note_unlink(int folder, const char *path)
{
	char whole[PATH_MAX];
	char kept[64];
	const char *name = NULL;

	if (!power_journal || !absolute(folder, path, whole) || !is_inside(whole))
		return;
	power_keep(whole, kept);
	if (kept[0] == '-')
		return;
	name = split(whole);
	power_note_name("U\t%s\t%s\t%s\n", whole, name, kept);
}

int unlink(const char *path)
{
	(void)pthread_mutex_lock(&lock);
	note_unlink(AT_FDCWD, path);
	(void)pthread_mutex_unlock(&lock);
	return NEXT(unlink)(path);
}

int unlinkat(int folder, const char *path, int flags)
{
	(void)pthread_mutex_lock(&lock);
	if (!(flags & AT_REMOVEDIR))
		note_unlink(folder, path);
	(void)pthread_mutex_unlock(&lock);
	return NEXT(unlinkat)(folder, path, flags);
}

/* Of the folder that it comes into: when that one is synced, it has come. */
static void note_rename(const char *from, char *to)
{
	char folder[PATH_MAX];
	char kept[64];
	struct stat st;
	const char *name = NULL;
	const char *new_name = NULL;

	if (lstat(from, &st) != 0)
		return;
	power_keep(to, kept);
	(void)snprintf(folder, sizeof folder, "%s", from);
	name = split(folder);
	new_name = split(to);
	power_note_name("R\t%s\t%s\t%s\t%s\t%llu\n", to, strcmp(folder, to) == 0 ? name : from,
			new_name, kept, (unsigned long long)st.st_ino);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	char whole[PATH_MAX];
	char target[PATH_MAX];
	const char *what = NULL;
	int rc = -1;

	if (!disk || !absolute(from_folder, from, whole) || !absolute(to_folder, to, target) ||
	    !is_inside(whole))
		return NEXT(renameat)(from_folder, from, to_folder, to);
	(void)pthread_mutex_lock(&lock);
	what = power_fate(OP_RENAME, target);
	if (!power_fails(what)) {
		if (power_journal)
			note_rename(whole, target);
		rc = NEXT(renameat)(from_folder, from, to_folder, to);
	}
	if (what && strcmp(what, "die") == 0)
		(void)kill(getpid(), SIGKILL);
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
