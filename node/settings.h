/* The configuration file as values: what it names is read and checked here. */
#ifndef SPLOT_NODE_SETTINGS_H
#define SPLOT_NODE_SETTINGS_H

#include <sys/types.h>

#include "base/limits.h"
#include "io/config.h"
#include "model/terc.h"
#include "session/card.h"

enum { WHY_BYTES = 1024 };

struct editor {
	const char *account; /* borrowed from the config */
	const char *pseudonym;
	bool known; /* the account exists and has this uid */
	uid_t uid;
};

struct server_setting {
	const char *name; /* borrowed from the config */
	const char *address;
	struct card card;
};

struct settings {
	struct config config;
	const char *keys, *data, *control; /* paths, borrowed from the config */
	mode_t control_mode;
	enum log_priority log_level;
	unsigned rotation_days; /* how long the key before a rotation signs beside the new one */
	size_t map_bytes, map_bytes_max;
	struct editor *editors; /* owned */
	size_t editor_count;
	struct server_setting servers[SERVERS_MAX];
	size_t server_count;
	struct terc_table terc;
};

/* Reads the file, the servers' cards and the TERC table.  CONFIG when anything of it cannot
 * be used: `why` (WHY_BYTES) says what, where and what to do. */
MUST_USE enum err settings_load(const char *path, struct settings *ret, char *why);
/* CONFIG when a server's card is of another realm than the keys. */
MUST_USE enum err settings_fit_realm(const struct settings *s, const char *realm, char *why);
void settings_free(struct settings *s);

/* The pseudonym of a local account by its uid; NULL when it may not edit.  `ret_account`
 * (may be NULL) is the account's name, for texts; valid until the next call. */
const char *settings_editor(struct settings *s, uid_t uid, const char **ret_account);

#endif
