/* One of two things that are compared: a daemon by its control socket or configuration, a data
 * folder, or a backup. */
#ifndef SPLOT_ADMIN_BACKUP_SIDE_H
#define SPLOT_ADMIN_BACKUP_SIDE_H

#include "admin/cli.h"
#include "audit/compare.h"
#include "audit/view_rows.h"

struct side {
	const char *name;           /* as it was given */
	const char *folder;         /* of its store; NULL: a daemon is asked */
	struct source source;       /* zeroed: not open */
	struct store *store, *view; /* owned; one and the same at a node */
	bool folded;                /* the view was folded here, from the logs */
	struct view_rows *rows;     /* owned */
	struct verify_rows functions;
};

/* A failure was told, also that `other` (NULL: none) has the same store open: no process may open
 * one twice.  `ret` stays where it is until side_close. */
enum outcome side_open(struct cli *cli, const char *name, const struct side *other,
		       struct side *ret);
/* Folds the logs of a store into a view in TMPDIR, in place of what there is: a backup has none,
 * and that of a daemon which fell may be behind.  A failure was told. */
enum outcome side_fold(struct cli *cli, struct side *s);
void side_close(struct side *s); /* also a zeroed one */

#endif
