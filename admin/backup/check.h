/* What backup and restore share: telling why a copy failed, and verifying a whole one. */
#ifndef SPLOT_ADMIN_BACKUP_CHECK_H
#define SPLOT_ADMIN_BACKUP_CHECK_H

#include "admin/cli.h"
#include "audit/backup.h"

/* A page that cannot be read ends the program by a signal: then this is said, and it ends with
 * that exit code. */
void check_tell_faults(const char *what, enum outcome outcome);

/* Verifies every event, tile, checkpoint and national entry of a copy.  `trusted` NULL: the
 * signatures of the log that the others follow are not looked at.  Findings are told on stderr;
 * then BAD_DATA. */
enum outcome check_whole(struct cli *cli, struct store *copy, const char *what,
			 const struct keyring *trusted);

/* What "verified" leaves out, behind that word: "" when signatures were looked at. */
const char *check_but_for(const struct keyring *trusted);

/* Tells why backup_copy failed. */
enum outcome check_tell(struct cli *cli, const char *from, const char *to, enum err e,
			const struct backup_report *r);

/* For backup_options. */
void check_progress(void *context, uint64_t done, uint64_t total);

#endif
