/* The folders of a backup: a daemon's, from which it is made or into which it is put back, and the
 * backup's own, which is laid out alike (a server's store in logs/) beside a file that says what it
 * is. */
#ifndef SPLOT_ADMIN_BACKUP_PLACE_H
#define SPLOT_ADMIN_BACKUP_PLACE_H

#include "admin/cli.h"
#include "audit/backup.h"
#include "base/time.h"

/* Whose data folder; by --config or --data. */
struct daemon_place {
	const char *config, *data, *store; /* in the cli's arena; config NULL: --data was given */
	bool server;
	bool found; /* a store is there */
};

enum outcome daemon_place(struct cli *cli, struct daemon_place *ret);

struct backup_place {
	const char *folder, *store; /* in the cli's arena */
	bool server;
	bool described;     /* it has its file: it is a backup, or one that was begun */
	bool found;         /* a store is there */
	const char *origin; /* as it says; "" while it is not known */
	const char *made;
	int lock_fd;                        /* -1 */
	bool made_folder, made_description; /* by this run */
};

/* A folder that is a backup, kept from being written for as long as it is open. */
enum outcome backup_place_read(struct cli *cli, const char *folder, struct backup_place *ret);
/* The folder to back up into: made when missing, in one that is there, and kept from others.  One
 * with anything else in it, or with a backup of another role, is refused. */
enum outcome backup_place_write(struct cli *cli, const char *folder, bool server,
				struct backup_place *ret);
/* Removes what this run made of it, where no store came into it. */
void backup_place_drop(struct cli *cli, struct backup_place *p);
void backup_place_close(struct backup_place *p); /* also a zeroed one */

/* Writes the file; `report` NULL: it is only begun. */
enum outcome backup_describe(struct cli *cli, const struct backup_place *p, struct wall_ms made,
			     const struct backup_report *report);
/* The origin of the log that the others follow; "" when that is empty. */
const char *backup_origin(const struct backup_report *r);

#endif
