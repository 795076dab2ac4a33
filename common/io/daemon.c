#include "io/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/files.h"
#include "io/store.h"

enum { MARKER_BYTES_MAX = 256 };

/* ---- signals ---- */

enum err daemon_signals(int *ret_fd)
{
	sigset_t set;
	int fd = -1;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return ERR_INTERNAL;
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		return ERR_DESCRIPTORS;
	if (fd < 0)
		return errno == ENOMEM ? ERR_NOMEM : ERR_INTERNAL;
	*ret_fd = fd;
	return ERR_OK;
}

int daemon_signal(int fd)
{
	struct signalfd_siginfo info;
	ssize_t n = 0;

	do
		n = read(fd, &info, sizeof info);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

/* ---- readiness ---- */

void daemon_notify(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t size = path ? strlen(path) : 0;
	int fd = -1;

	if (size < 2 || size >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, size);
	if (path[0] == '@')
		address.sun_path[0] = 0; /* Linux's abstract names */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
	(void)close(fd);
}

/* ---- beginning anew ---- */

enum err daemon_again(char *const *argv)
{
	/* The program that runs, whatever stands at its path by now. */
	(void)execv("/proc/self/exe", argv);
	return errno == ENOMEM ? ERR_NOMEM : ERR_IO;
}

/* ---- faults ---- */

static char fault_line[1024];
static size_t fault_size;

static void on_fault(int number)
{
	(void)!write(STDERR_FILENO, fault_line, fault_size);
	_exit(128 + number);
}

void daemon_name_store_on_fault(const char *folder)
{
	struct sigaction action = {.sa_handler = on_fault};
	int n = snprintf(fault_line, sizeof fault_line,
			 "%sa page of the store %s could not be read: the disk or the file is "
			 "damaged, or the program is at fault; check the disk, then start again: "
			 "the store is walked before it is used\n",
			 isatty(STDERR_FILENO) ? "" : "<2>", folder);

	fault_size = n < 0 ? 0 : (size_t)n < sizeof fault_line ? (size_t)n : sizeof fault_line - 1;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGBUS, &action, NULL);
	(void)sigaction(SIGSEGV, &action, NULL);
	(void)sigaction(SIGABRT, &action, NULL); /* how LMDB ends on what it does not expect */
}

/* ---- walking before a store is used ---- */

/* In the child: damage must end it, whatever handlers the program has. */
_Noreturn static void walk_and_exit(const char *folder, pid_t parent)
{
	const struct rlimit none = {0, 0};
	enum err err = ERR_OK;

	/* Not left behind by a daemon that is killed: it holds the store, and the next start would
	 * find it busy. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
		_exit(ERR_INTERNAL);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGBUS, SIG_DFL);
	(void)signal(SIGSEGV, SIG_DFL);
	(void)signal(SIGABRT, SIG_DFL);
	err = store_walk(folder);
	/* A folder without a store is one that was never used. */
	_exit(err == ERR_NOT_FOUND ? 0 : (int)err);
}

static enum err walk_in_child(const char *folder)
{
	const pid_t parent = getpid();
	int status = 0;
	pid_t done = 0;
	pid_t child = fork();

	if (child < 0)
		return ERR_NOMEM;
	if (child == 0)
		walk_and_exit(folder, parent);
	do
		done = waitpid(child, &status, 0);
	while (done < 0 && errno == EINTR);
	if (done != child)
		return ERR_INTERNAL;
	if (!WIFEXITED(status))
		return ERR_CORRUPT;
	switch (WEXITSTATUS(status)) {
	case ERR_OK:
		return ERR_OK;
	case ERR_DENIED:
		return ERR_DENIED;
	case ERR_NOMEM:
		return ERR_NOMEM;
	case ERR_DESCRIPTORS:
		return ERR_DESCRIPTORS;
	default:
		return ERR_CORRUPT;
	}
}

/* What this start of the system is called; nothing when it is not to be known. */
static void read_boot(struct buf *ret)
{
	if (file_read("/proc/sys/kernel/random/boot_id", MARKER_BYTES_MAX / 2, ret) != ERR_OK)
		buf_clear(ret);
}

enum err daemon_mark(const char *marker)
{
	struct buf text = {.limit = MARKER_BYTES_MAX};
	enum err err = ERR_OK;

	buf_add_text(&text, "running, or stopped uncleanly, since the system's start ");
	read_boot(&text);
	err = buf_check(&text);
	if (err == ERR_OK)
		err = file_replace(marker, 0600, buf_bytes(&text));
	buf_free(&text);
	return err;
}

/* Whether the marker was written since the system started. */
static bool same_boot(const char *marker)
{
	struct buf boot = {.limit = MARKER_BYTES_MAX};
	struct buf text = {.limit = MARKER_BYTES_MAX};
	bool same = false;

	read_boot(&boot);
	if (boot.size > 0 && file_read(marker, MARKER_BYTES_MAX, &text) == ERR_OK && text.size > 0)
		same = memmem(text.data, text.size, boot.data, boot.size) != NULL;
	buf_free(&boot);
	buf_free(&text);
	return same;
}

static enum err check_store(const char *folder, const char *marker, bool lost, bool *ret_unclean)
{
	bool unclean = file_exists(marker);
	enum err err = unclean && lost && !same_boot(marker) ? ERR_CORRUPT : walk_in_child(folder);
	if (err == ERR_OK)
		err = daemon_mark(marker);
	if (err == ERR_OK)
		*ret_unclean = unclean;
	return err;
}

enum err daemon_check_store(const char *folder, const char *marker, bool *ret_unclean)
{
	return check_store(folder, marker, false, ret_unclean);
}

enum err daemon_check_unsynced(const char *folder, const char *marker, bool *ret_unclean)
{
	return check_store(folder, marker, true, ret_unclean);
}

void daemon_clean_stop(const char *marker)
{
	(void)unlink(marker);
}
