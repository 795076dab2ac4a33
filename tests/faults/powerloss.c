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
 *   SPLOT_POWER_RULES      a file of lines "OP NAME WHAT AFTER TIMES", read at each call: calls OP
 *                          (write, meta: one that is synced at once, sync, rename, create) on paths
 *                          that end with NAME, but for the first AFTER, fail TIMES times with WHAT
 *                          (eio, enospc, short: half of it is written).  What was done stands in
 *                          the file of that name with ".done" behind it.
 *
 * The journal, native numbers; each record is written by one call, before what it tells of:
 *   w-INODE  u64 offset, covered, size of the file before, bytes that follow: what stood there
 *            u64 UINT64_MAX, from, to, 0: what this file of notes held there was synced
 *   names    lines, fields behind tabs: C FOLDER NAME, M FOLDER NAME, U FOLDER NAME KEPT,
 *            R FOLDER NAME NEW KEPT INODE, D FOLDER LENGTH (synced up to there)
 *   kept-N   files that lost their last name, or their place
 * Real syncs are left out: only the shim's word counts, and it is faster. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 4096, LINE_BYTES = 3 * PATH_MAX, RULES_BYTES = 4096, RULES_MAX = 8 };
enum op { OP_WRITE, OP_META, OP_SYNC, OP_RENAME, OP_CREATE };

/* POSIX says that dlsym's pointer may be called; ISO C has no word for it. */
#define NEXT(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

struct open_file {
	bool inside, folder, synced; /* synced: each write at once */
	char path[PATH_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct open_file *files[FDS];
static const char *disk, *journal, *rules;
static bool lie;
static long linger_us;
static unsigned kept_number;

static struct {
	char text[RULES_BYTES];
	struct {
		enum op op;
		char name[256], what[16];
		unsigned after, times;
	} rule[RULES_MAX];
	size_t count;
} now;

_Noreturn static void die(const char *what, const char *detail)
{
	(void)dprintf(STDERR_FILENO, "powerloss: %s %s: %s\n", what, detail, strerror(errno));
	abort();
}

__attribute__((constructor)) static void begin(void)
{
	const char *us = getenv("SPLOT_POWER_LINGER_US");

	disk = getenv("SPLOT_POWER_DISK");
	journal = getenv("SPLOT_POWER_JOURNAL");
	rules = getenv("SPLOT_POWER_RULES");
	lie = getenv("SPLOT_POWER_LIE") != NULL;
	linger_us = us ? atol(us) : 0;
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

/* ---- faults on purpose ---- */

static void read_rules(void)
{
	static const char *const ops[] = {"write", "meta", "sync", "rename", "create"};
	char text[RULES_BYTES] = "";
	char op[16];
	int fd = NEXT(open)(rules, O_RDONLY | O_CLOEXEC);
	int used = 0;

	if (fd >= 0) {
		if (read(fd, text, sizeof text - 1) < 0)
			text[0] = 0;
		(void)NEXT(close)(fd);
	}
	if (strcmp(text, now.text) == 0)
		return;
	memcpy(now.text, text, sizeof text);
	now.count = 0;
	for (const char *at = text;
	     now.count < RULES_MAX &&
	     sscanf(at, "%15s %255s %15s %u %u%n", op, now.rule[now.count].name,
		    now.rule[now.count].what, &now.rule[now.count].after,
		    &now.rule[now.count].times, &used) == 5;
	     at += used) {
		for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
			if (strcmp(ops[i], op) == 0)
				now.rule[now.count].op = (enum op)i;
		now.count++;
	}
}

static void tell_done(const char *what, const char *path)
{
	char name[PATH_MAX];
	int fd = -1;

	(void)snprintf(name, sizeof name, "%s.done", rules);
	fd = NEXT(open)(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0) {
		(void)dprintf(fd, "%s %s\n", what, path);
		(void)NEXT(close)(fd);
	}
}

/* Counts this call of rule i; true when it is one that is to fail. */
static bool applies(size_t i, enum op op, const char *path)
{
	size_t size = strlen(path);
	size_t end = strlen(now.rule[i].name);

	if (now.rule[i].op != op || end > size || strcmp(path + size - end, now.rule[i].name) != 0)
		return false;
	if (now.rule[i].after) {
		now.rule[i].after--;
		return false;
	}
	if (!now.rule[i].times)
		return false;
	now.rule[i].times--;
	return true;
}

/* What is to become of this call: nothing (NULL), or the word of a rule. */
static const char *fate(enum op op, const char *path)
{
	const char *what = NULL;

	if (!rules)
		return NULL;
	read_rules();
	for (size_t i = 0; i < now.count; i++)
		if (applies(i, op, path))
			what = now.rule[i].what;
	if (what)
		tell_done(what, path);
	return what;
}

/* Sets errno; true when the call is to fail. */
static bool fails(const char *what)
{
	if (!what || strcmp(what, "short") == 0)
		return false;
	errno = strcmp(what, "enospc") == 0 ? ENOSPC : EIO;
	return true;
}

/* ---- the journal ---- */

static int journal_open(const char *name)
{
	char path[PATH_MAX];
	int fd = -1;

	(void)snprintf(path, sizeof path, "%s/%s", journal, name);
	fd = NEXT(open)(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		die("cannot note in", path);
	return fd;
}

static off_t length_of(const char *name)
{
	int fd = journal_open(name);
	struct stat st;

	if (fstat(fd, &st) != 0)
		die("cannot look at", name);
	(void)NEXT(close)(fd);
	return st.st_size;
}

static void note(const char *name, const struct iovec *parts, int count)
{
	int fd = journal_open(name);
	size_t whole = 0;

	for (int i = 0; i < count; i++)
		whole += parts[i].iov_len;
	if (NEXT(writev)(fd, parts, count) != (ssize_t)whole)
		die("cannot note in", name);
	(void)NEXT(close)(fd);
}

__attribute__((format(printf, 1, 2))) static void note_name(const char *format, ...)
{
	char line[LINE_BYTES];
	struct iovec part = {.iov_base = line};
	va_list rest;
	int n = 0;

	va_start(rest, format);
	n = vsnprintf(line, sizeof line, format, rest);
	va_end(rest);
	if (n < 0 || (size_t)n >= sizeof line)
		die("too long a line", format);
	part.iov_len = (size_t)n;
	note("names", &part, 1);
}

static void name_notes(int fd, char ret[static 64], struct stat *st)
{
	if (fstat(fd, st) != 0)
		die("cannot look at", "a file");
	(void)snprintf(ret, 64, "w-%llu", (unsigned long long)st->st_ino);
}

/* What stands in [at, at + size) of this file, and how long the file is. */
static void note_content(const char *path, int fd, uint64_t at, uint64_t size)
{
	char name[64];
	uint64_t head[4] = {at, size, 0, 0};
	struct iovec parts[2] = {{head, sizeof head}, {NULL, 0}};
	struct stat st;
	int reading = -1;

	name_notes(fd, name, &st);
	head[2] = (uint64_t)st.st_size;
	if (at < head[2])
		head[3] = head[2] - at < size ? head[2] - at : size;
	if (head[3]) {
		parts[1].iov_base = malloc(head[3]);
		reading = NEXT(open)(path, O_RDONLY | O_CLOEXEC);
		if (!parts[1].iov_base || reading < 0 ||
		    pread(reading, parts[1].iov_base, head[3], (off_t)at) != (ssize_t)head[3])
			die("cannot read what is overwritten in", path);
		parts[1].iov_len = head[3];
		(void)NEXT(close)(reading);
	}
	note(name, parts, 2);
	free(parts[1].iov_base);
}

/* Another name for a file that loses its own; "-" when there is none. */
static void keep(const char *path, char ret[static 64])
{
	char to[PATH_MAX];
	struct stat st;

	(void)snprintf(ret, 64, "-");
	if (lstat(path, &st) != 0)
		return;
	do {
		(void)snprintf(ret, 64, "kept-%u", kept_number++);
		(void)snprintf(to, sizeof to, "%s/%s", journal, ret);
	} while (link(path, to) != 0 && errno == EEXIST);
	if (access(to, F_OK) != 0)
		die("cannot keep", path);
}

static void rest_a_moment(void)
{
	struct timespec t = {0, 0};

	if (linger_us <= 0)
		return;
	t.tv_nsec = (rand() % linger_us) * 1000; /* only the scheduler's die */
	(void)nanosleep(&t, NULL);
}

static off_t noted_of(int fd)
{
	char name[64];
	struct stat st;

	name_notes(fd, name, &st);
	return length_of(name);
}

/* What this file's notes from `from` to `to` tell of is on the disk. */
static void end_notes(int fd, off_t from, off_t to)
{
	char name[64];
	struct stat st;
	uint64_t head[4] = {UINT64_MAX, (uint64_t)from, (uint64_t)to, 0};
	struct iovec part = {head, sizeof head};
	int j = -1;

	name_notes(fd, name, &st);
	if (from > 0 || length_of(name) != to) {
		note(name, &part, 1);
		return;
	}
	j = journal_open(name);
	if (NEXT(ftruncate)(j, 0) != 0)
		die("cannot end", name);
	(void)NEXT(close)(j);
}

static int sync_file(int fd, int (*real)(int))
{
	off_t length = 0;
	const char *what = NULL;
	struct open_file *f = fd >= 0 && fd < FDS ? files[fd] : NULL;

	if (!f || !f->inside)
		return real(fd);
	(void)pthread_mutex_lock(&lock);
	what = fate(OP_SYNC, f->path);
	if (!what && journal)
		length = f->folder ? length_of("names") : noted_of(fd);
	(void)pthread_mutex_unlock(&lock);
	if (fails(what))
		return -1;
	rest_a_moment();
	if (!journal || lie)
		return 0;
	(void)pthread_mutex_lock(&lock);
	if (f->folder)
		note_name("D\t%s\t%lld\n", f->path, (long long)length);
	else
		end_notes(fd, 0, length);
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
	const char *what = fate(f->synced ? OP_META : OP_WRITE, f->path);
	size_t size = 0;

	if (fails(what))
		return -1;
	for (int i = 0; i < count; i++)
		size += parts[i].iov_len;
	if (journal)
		note_content(f->path, fd, (uint64_t)at, size);
	return what ? write_short(fd, parts, at, real) : real(fd, parts, count, at);
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t at, writing real)
{
	struct open_file *f = fd >= 0 && fd < FDS ? files[fd] : NULL;
	bool noted = f && f->inside && journal;
	off_t before = 0;
	off_t after = 0;
	ssize_t done = 0;

	if (!f || !f->inside)
		return real(fd, parts, count, at);
	(void)pthread_mutex_lock(&lock);
	if (noted)
		before = noted_of(fd);
	done = write_noted(f, fd, parts, count, at, real);
	if (noted)
		after = noted_of(fd);
	(void)pthread_mutex_unlock(&lock);
	if (done < 0 || !f->synced)
		return done;
	rest_a_moment();
	if (noted && !lie) {
		(void)pthread_mutex_lock(&lock);
		end_notes(fd, before, after);
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

	if (!f || !f->inside || !journal)
		return NEXT(ftruncate)(fd, size);
	(void)pthread_mutex_lock(&lock);
	if (fstat(fd, &st) == 0)
		note_content(f->path, fd, (uint64_t)size,
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

	if (!f || !f->inside || !journal)
		return NEXT(fallocate)(fd, mode, at, size);
	(void)pthread_mutex_lock(&lock);
	note_content(f->path, fd, (uint64_t)at, 0);
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
		die("cannot remember", path);
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

		note_name("C\t%s\t%s\n", folder, name);
	} else if ((flags & O_TRUNC) && !(flags & O_EXCL)) {
		fd = NEXT(open)(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
			note_content(path, fd, 0, (uint64_t)st.st_size);
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
	if ((flags & O_CREAT) && lstat(whole, &st) != 0 && fails(fate(OP_CREATE, whole)))
		goto out;
	if (journal)
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

	if (journal && absolute(AT_FDCWD, path, whole) && is_inside(whole) &&
	    strcmp(whole, disk) != 0 && lstat(whole, &st) != 0) {
		name = split(whole);
		(void)pthread_mutex_lock(&lock);
		note_name("M\t%s\t%s\n", whole, name);
		(void)pthread_mutex_unlock(&lock);
	}
	return NEXT(mkdir)(path, mode);
}

static void note_unlink(int folder, const char *path)
{
	char whole[PATH_MAX];
	char kept[64];
	const char *name = NULL;

	if (!journal || !absolute(folder, path, whole) || !is_inside(whole))
		return;
	keep(whole, kept);
	if (kept[0] == '-')
		return;
	name = split(whole);
	note_name("U\t%s\t%s\t%s\n", whole, name, kept);
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

/* Within one folder, as everything here is renamed. */
static void note_rename(const char *from, char *to)
{
	char folder[PATH_MAX];
	char kept[64];
	struct stat st;
	const char *name = NULL;
	const char *new_name = NULL;

	if (lstat(from, &st) != 0)
		return;
	keep(to, kept);
	(void)snprintf(folder, sizeof folder, "%s", from);
	name = split(folder);
	new_name = split(to);
	if (strcmp(folder, to) != 0)
		die("renamed into another folder:", to);
	note_name("R\t%s\t%s\t%s\t%s\t%llu\n", folder, name, new_name, kept,
		  (unsigned long long)st.st_ino);
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
	char whole[PATH_MAX];
	char target[PATH_MAX];
	int rc = -1;

	if (!disk || !absolute(from_folder, from, whole) || !absolute(to_folder, to, target) ||
	    !is_inside(whole))
		return NEXT(renameat)(from_folder, from, to_folder, to);
	(void)pthread_mutex_lock(&lock);
	if (!fails(fate(OP_RENAME, target))) {
		if (journal)
			note_rename(whole, target);
		rc = NEXT(renameat)(from_folder, from, to_folder, to);
	}
	(void)pthread_mutex_unlock(&lock);
	return rc;
}

int rename(const char *from, const char *to)
{
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}
