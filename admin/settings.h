/* What splotctl reads of a daemon's configuration file: whose it is and its control
 * socket.  The daemons check the rest (splotctl check-config asks them to). */
#ifndef SPLOT_ADMIN_SETTINGS_H
#define SPLOT_ADMIN_SETTINGS_H

#include "admin/cli.h"

/* "splot-node" or "splot-server", by the section that the file has; a failure was told. */
enum outcome settings_daemon(struct cli *cli, const char *path, const char **ret_program);
/* The control socket; relative ones from the file's folder.  In the cli's arena. */
enum outcome settings_control(struct cli *cli, const char *path, const char **ret_socket);

/* A path that [node] or [server] gives, as above. */
enum outcome settings_path(struct cli *cli, const char *path, const char *key,
			   const char **ret_value);

/* Pure: finds `key` of [node] or [server] in an INI text; NULL when absent.  *ret_section is
 * "node" or "server", NULL when the text has neither. */
const char *settings_find(struct arena *arena, const char *text, const char *key,
			  const char **ret_section);

#endif
