#include "io/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/files.h"
#include "io/store.h"

/* ---- signals ---- */

enum err daemon_signals(int *ret_fd)
{
	sigset_t set;
	int fd = -1;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return ERR_IO;
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	*ret_fd = fd;
	return ERR_OK;
}

int daemon_signal(int fd)
{
	struct signalfd_siginfo info;

	return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

/* ---- readiness ---- */

void daemon_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = path ? strlen(path) : 0;
	int fd = -1;

	if (size < 2 || size >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, size);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* the abstract name space */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
	(void)close(fd);
}

/* ---- damage that shows as a signal ---- */

static char fault_line[512];
static size_t fault_size;

static void on_fault(int number)
{
	(void)number;
	/* write and _exit are safe in a signal handler; the line was made beforehand */
	(void)!write(STDERR_FILENO, fault_line, fault_size);
	_exit(1);
}

void daemon_name_store_on_fault(const char *folder)
{
	struct sigaction action = {.sa_handler = on_fault, .sa_flags = (int)SA_RESETHAND};
	int size = snprintf(fault_line, sizeof fault_line,
			    "%sthe store %.300s cannot be read (damaged, or its disk failed): "
			    "stopped; start again to have it checked\n",
			    isatty(STDERR_FILENO) ? "" : "<3>", folder);

	fault_size = size > 0 ? (size_t)size : 0;
	if (fault_size >= sizeof fault_line)
		fault_size = sizeof fault_line - 1;
	(void)sigemptyset(&action.sa_mask);
	(void)sigaction(SIGBUS, &action, NULL);
	(void)sigaction(SIGSEGV, &action, NULL);
}

/* ---- the check after an unclean stop ---- */

/* Damage can end the walker by a signal: so a child walks, and only its end counts. */
static enum err walk_in_child(const char *folder)
{
	int status = 0;
	pid_t child = fork();

	if (child < 0)
		return ERR_IO;
	if (child == 0) {
		(void)signal(SIGBUS, SIG_DFL);
		(void)signal(SIGSEGV, SIG_DFL);
		_exit(store_walk(folder) == ERR_OK ? 0 : 1);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return ERR_IO;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? ERR_OK : ERR_CORRUPT;
}

enum err daemon_check_store(const char *folder, const char *marker, bool *ret_walked)
{
	static const char text[] = "running, or stopped uncleanly: removed by a clean stop\n";
	bool unclean = file_exists(marker);
	char data[4096];
	int size = snprintf(data, sizeof data, "%s/data.mdb", folder);
	enum err e = ERR_OK;

	if (size < 0 || (size_t)size >= sizeof data)
		return ERR_LIMIT;
	if (unclean && file_exists(data)) /* a lost store is no damaged one */
		e = walk_in_child(folder);
	if (e != ERR_OK)
		return e;
	if (!unclean)
		e = file_replace(marker, 0600, bytes_of_text(text));
	if (e != ERR_OK)
		return e;
	*ret_walked = unclean;
	return ERR_OK;
}

void daemon_clean_stop(const char *marker)
{
	(void)unlink(marker);
}
