/* A store written beside the place where it will stand, in FOLDER/new, and put there in one step:
 * data.mdb is renamed.  A kill leaves what was there before, and a rest that the next run removes.
 */
#ifndef SPLOT_ADMIN_BACKUP_BESIDE_H
#define SPLOT_ADMIN_BACKUP_BESIDE_H

#include "admin/cli.h"
#include "audit/backup.h"

struct beside {
	const char *folder; /* where it will stand */
	const char *fresh;  /* where it is written; in the cli's arena */
	struct store *store;
};

/* Removes what a kill left. */
void beside_clear(struct cli *cli, const char *folder);
/* The same, and opens an empty store, or (`seed`) one that is a copy of the one in
 * the folder, with room for as much as `like` holds.  A failure was told. */
enum outcome beside_open(struct cli *cli, const char *folder, bool seed, struct store *like,
			 struct beside *ret);
/* Syncs, closes and puts it in its place.  A failure was told; then what stood there stands. */
enum outcome beside_settle(struct cli *cli, struct beside *b);
/* Removes what is beside; harmless after beside_settle, and for a zeroed one. */
void beside_drop(struct cli *cli, struct beside *b);

#endif
