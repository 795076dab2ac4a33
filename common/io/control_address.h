/* Unix sockets by path, also by paths longer than sockaddr_un holds.
 *
 * Layer: io. */
#ifndef SPLOT_IO_CONTROL_ADDRESS_H
#define SPLOT_IO_CONTROL_ADDRESS_H

#include <sys/types.h>

#include "base/error.h"

/* Binds and listens, not blocking; replaces a socket file that nobody listens on. BUSY when
 * somebody does, EXISTS when the path is something else. */
MUST_USE enum err control_bind(const char *path, mode_t mode, int backlog, int *ret_fd);

#endif
