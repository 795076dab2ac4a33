/* What every daemon does alike: signals as a file descriptor, readiness notification.
 *
 * Layer: io. */
#ifndef SPLOT_IO_DAEMON_H
#define SPLOT_IO_DAEMON_H

#include <stdbool.h>

#include "base/error.h"

/* Blocks SIGTERM, SIGINT and SIGHUP and gives a signalfd for them; ignores SIGPIPE. */
MUST_USE enum err daemon_signals(int *ret_fd);
/* The next signal number from that fd; 0 when none waits. */
int daemon_signal(int fd);
/* sd_notify(3) protocol: sends `state` ("READY=1", "STATUS=…") to $NOTIFY_SOCKET, if set. */
void daemon_notify(const char *state);
/* Begins this program anew in the same process, with the same arguments: for what only a start
 * may do.  Everything of it was ended cleanly before.  Comes back only when it failed. */
MUST_USE enum err daemon_again(char *const *argv);
/* SIGBUS, SIGSEGV and SIGABRT name the store in one line and end the process. `folder` is static.
 */
void daemon_name_store_on_fault(const char *folder);
/* Runs store_walk in a child: CORRUPT when it dies or errs.  Then writes `marker`, a file that a
 * clean stop removes; `ret_unclean` when it was there. */
MUST_USE enum err daemon_check_store(const char *folder, const char *marker, bool *ret_unclean);
/* The same for a store whose commits are not synced: an unclean stop of the whole system is
 * CORRUPT at once, since what reached the disk then is chance. */
MUST_USE enum err daemon_check_unsynced(const char *folder, const char *marker, bool *ret_unclean);
/* Writes the marker; for a store that was CORRUPT, once another stands in its place. */
MUST_USE enum err daemon_mark(const char *marker);
void daemon_clean_stop(const char *marker);

#endif
