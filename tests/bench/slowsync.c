/* A preload shim: every call that makes data durable takes SPLOT_SYNC_US microseconds longer,
 * so that a fast disk shows what a slower one would: fsync, fdatasync, msync(MS_SYNC), and
 * writes on descriptors opened with O_DSYNC or O_SYNC (LMDB's meta page). */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 65536 };
static atomic_bool synced_fd[FDS];

static void linger(void)
{
	static atomic_long us = -1;
	struct timespec t;

	if (us < 0) {
		const char *text = getenv("SPLOT_SYNC_US");

		us = text ? atol(text) : 0;
	}
	t.tv_sec = us / 1000000;
	t.tv_nsec = us % 1000000 * 1000;
	if (us > 0)
		(void)nanosleep(&t, NULL);
}

/* POSIX says that dlsym's pointer may be called; ISO C has no word for it. */
#define NEXT(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

int fsync(int fd)
{
	linger();
	return NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
	linger();
	return NEXT(fdatasync)(fd);
}

int msync(void *at, size_t size, int flags)
{
	if (flags & MS_SYNC)
		linger();
	return NEXT(msync)(at, size, flags);
}

static int remember(int fd, int flags)
{
	if (fd >= 0 && fd < FDS)
		synced_fd[fd] = (flags & (O_DSYNC | O_SYNC)) != 0;
	return fd;
}

int open(const char *path, int flags, ...)
{
	va_list rest;
	mode_t mode = 0;

	va_start(rest, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(rest, mode_t);
	va_end(rest);
	return remember(NEXT(open)(path, flags, mode), flags);
}

int open64(const char *path, int flags, ...)
{
	va_list rest;
	mode_t mode = 0;

	va_start(rest, flags);
	if (flags & (O_CREAT | O_TMPFILE))
		mode = va_arg(rest, mode_t);
	va_end(rest);
	return remember(NEXT(open64)(path, flags, mode), flags);
}

static void linger_if_synced(int fd)
{
	if (fd >= 0 && fd < FDS && synced_fd[fd])
		linger();
}

ssize_t write(int fd, const void *data, size_t size)
{
	linger_if_synced(fd);
	return NEXT(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	linger_if_synced(fd);
	return NEXT(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	linger_if_synced(fd);
	return NEXT(pwrite64)(fd, data, size, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
	linger_if_synced(fd);
	return NEXT(pwritev)(fd, parts, count, at);
}
