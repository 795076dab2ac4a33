/* The view of a running daemon, row by row over its control socket, to be compared with what its
 * logs give (audit/verify.h). */
#ifndef SPLOT_ADMIN_AUDITOR_VIEW_SOCKET_H
#define SPLOT_ADMIN_AUDITOR_VIEW_SOCKET_H

#include "admin/auditor/source_socket.h"
#include "audit/verify.h"

/* Borrows a source that source_open_daemon opened. */
struct verify_rows view_of_daemon(struct source *daemon);

#endif
