#include "audit/backup.h"

#include <string.h>

/* Every table of a node's or a server's store, but those of logs.  One that is not here is copied
 * whole, which is right but slow for a large one. */
/* clang-format off */
static const struct {
	const char *name;
	enum backup_kind kind;
} tables[] = {
	{"cards", BACKUP_ROWS},
	{"confirmed", BACKUP_ROWS},
	{"evidence", BACKUP_ROWS},
	{"follows", BACKUP_ROWS},
	{"national.cosigned", BACKUP_ROWS},
	{"redacted", BACKUP_ROWS},
	{"trust", BACKUP_ROWS},
	{"waivers", BACKUP_ROWS},
	{"witnessed", BACKUP_ROWS},
	{"scrub", BACKUP_OWN},
	{"changes", BACKUP_VIEW},
	{"counts", BACKUP_VIEW},
	{"followed", BACKUP_VIEW},
	{"links", BACKUP_VIEW},
	{"records", BACKUP_VIEW},
	{"status", BACKUP_VIEW},
	{"times", BACKUP_VIEW},
	{"versions", BACKUP_VIEW},
	{"view", BACKUP_VIEW},
};
/* clang-format on */

static const char *const parts_of_log[] = {"events", "tiles", "checkpoints"};

enum backup_kind backup_kind_of(const char *name, struct log_name *ret_log)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		if (strcmp(tables[i].name, name) == 0)
			return tables[i].kind;
	for (size_t i = 0; dot && i < sizeof parts_of_log / sizeof *parts_of_log; i++)
		if (strcmp(parts_of_log[i], dot + 1) == 0 &&
		    log_name_parse(bytes_of(name, (size_t)(dot - name)), ret_log) == ERR_OK)
			return BACKUP_LOG;
	return BACKUP_UNKNOWN;
}
