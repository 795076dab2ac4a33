/* The configuration file of splot-server, read and checked. */
#ifndef SPLOT_SERVER_SETTINGS_H
#define SPLOT_SERVER_SETTINGS_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"
#include "io/config.h"

enum { ADMINS_MAX = 64, ACCOUNT_BYTES_MAX = 64, WHY_BYTES = 1024 };

struct admin {
	char account[ACCOUNT_BYTES_MAX + 1];
	char pseudonym[EDITOR_BYTES_MAX + 1];
};

struct settings {
	struct config config; /* owned; the borrowed texts below live in it */
	const char *keys;
	const char *data;
	const char *control;
	mode_t control_mode;
	const char *listen;
	const char *publish; /* NULL: no feed */
	const char *policy;  /* NULL: the usual one */
	int64_t round_ms;    /* between two rounds of witnessing, at least */
	const char *export;  /* NULL: nothing is exported */
	uint64_t credit_bytes;
	size_t map_bytes, view_map_bytes, map_bytes_max;
	enum log_priority log_level;
	size_t admin_count;
	struct admin admins[ADMINS_MAX];
};

/* On failure `why` (WHY_BYTES) says where, what, and what to do. */
MUST_USE enum err settings_load(const char *path, struct settings *ret, char *why);
void settings_free(struct settings *s);

/* What SIGHUP rereads: administrators and log level. */
void settings_adopt(struct settings *s, const struct settings *fresh);

/* The pseudonym of the local account with that user id; NULL when it is no administrator. */
const char *settings_admin(const struct settings *s, uid_t uid);

#endif
