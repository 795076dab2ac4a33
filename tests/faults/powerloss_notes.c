/* The journal, native numbers; each record is written by one call, before what it tells of:
 *   w-INODE  u64 offset, covered, size of the file before, bytes that follow: what stood there
 *            u64 UINT64_MAX, from, to, 0: what this file of notes held there was synced
 *   names    lines, fields behind tabs: C FOLDER NAME, M FOLDER NAME, U FOLDER NAME KEPT,
 *            R FOLDER NAME NEW KEPT INODE, D FOLDER LENGTH (synced up to there)
 *   kept-N   files that lost their last name, or their place */
#include "powerloss.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { LINE_BYTES = 3 * PATH_MAX };

const char *power_journal, *power_rules;
static unsigned kept_number;

_Noreturn void power_die(const char *what, const char *detail)
{
	(void)dprintf(STDERR_FILENO, "powerloss: %s %s: %s\n", what, detail, strerror(errno));
	abort();
}

static int journal_open(const char *name)
{
	char path[PATH_MAX];
	int fd = -1;

	(void)snprintf(path, sizeof path, "%s/%s", power_journal, name);
	fd = NEXT(open)(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		power_die("cannot note in", path);
	return fd;
}

static off_t length_of(const char *name)
{
	int fd = journal_open(name);
	struct stat st;

	if (fstat(fd, &st) != 0)
		power_die("cannot look at", name);
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
		power_die("cannot note in", name);
	(void)NEXT(close)(fd);
}

void power_note_name(const char *format, ...)
{
	char line[LINE_BYTES];
	struct iovec part = {.iov_base = line};
	va_list rest;
	int n = 0;

	va_start(rest, format);
	n = vsnprintf(line, sizeof line, format, rest);
	va_end(rest);
	if (n < 0 || (size_t)n >= sizeof line)
		power_die("too long a line", format);
	part.iov_len = (size_t)n;
	note("names", &part, 1);
}

static void name_notes(int fd, char ret[static 64], struct stat *st)
{
	if (fstat(fd, st) != 0)
		power_die("cannot look at", "a file");
	(void)snprintf(ret, 64, "w-%llu", (unsigned long long)st->st_ino);
}

void power_note(const char *path, int fd, uint64_t at, uint64_t size)
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
			power_die("cannot read what is overwritten in", path);
		parts[1].iov_len = head[3];
		(void)NEXT(close)(reading);
	}
	note(name, parts, 2);
	free(parts[1].iov_base);
}

void power_keep(const char *path, char ret[static 64])
{
	char to[PATH_MAX];
	struct stat st;

	(void)snprintf(ret, 64, "-");
	if (lstat(path, &st) != 0)
		return;
	do {
		(void)snprintf(ret, 64, "kept-%u", kept_number++);
		(void)snprintf(to, sizeof to, "%s/%s", power_journal, ret);
	} while (link(path, to) != 0 && errno == EEXIST);
	if (access(to, F_OK) != 0)
		power_die("cannot keep", path);
}

off_t power_noted(int fd)
{
	char name[64] = "names";
	struct stat st;

	if (fd >= 0)
		name_notes(fd, name, &st);
	return length_of(name);
}

void power_end_notes(int fd, off_t from, off_t to)
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
		power_die("cannot end", name);
	(void)NEXT(close)(j);
}
