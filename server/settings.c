#include "server/settings.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/validate.h"

static const struct config_rule rules[] = {
	{"server", "keys", CONFIG_PATH, true, NULL, 0, 0,
	 "secret keys of the server (splotctl keygen)"},
	{"server", "data", CONFIG_PATH, true, NULL, 0, 0, "folder of the stores"},
	{"server", "control", CONFIG_PATH, true, NULL, 0, 0, "control socket for splotctl"},
	{"server", "control-mode", CONFIG_MODE, false, "0660", 0, 0,
	 "file mode of the socket, octal"},
	{"server", "listen", CONFIG_TEXT, true, NULL, 0, 0, "tcp address for nodes"},
	{"server", "publish", CONFIG_TEXT, false, NULL, 0, 0, "tcp address of the national feed"},
	{"server", "policy", CONFIG_PATH, false, NULL, 0, 0,
	 "file that says which witnesses are enough"},
	{"server", "witness-interval-s", CONFIG_UINT, false, "10", 1, 86400,
	 "seconds between two rounds of witnessing, at least"},
	{"server", "export", CONFIG_PATH, false, NULL, 0, 0,
	 "folder of static files for auditors, kept up to date"},
	{"server", "credit-kib", CONFIG_UINT, false, "2048", 1100, 65536,
	 "KiB that a node may have under way"},
	{"server", "map-size-mib", CONFIG_UINT, false, "65536", 1, 16777216,
	 "size of the logs' map to begin with"},
	{"server", "view-map-size-mib", CONFIG_UINT, false, "65536", 1, 16777216,
	 "size of the view's map to begin with"},
	{"server", "map-max-mib", CONFIG_UINT, false, "0", 0, 16777216,
	 "bound of each map's growth; 0: none"},
	{"server", "log-level", CONFIG_LEVEL, false, "info", 0, 0,
	 "error, warning, notice, info or debug"},
	{"admins", "*", CONFIG_TEXT, false, NULL, 0, 0, "ACCOUNT = pseudonym"},
};

static bool is_tcp(const char *text)
{
	return strncmp(text, "tcp://", 6) == 0 && strchr(text + 6, ':');
}

static enum err take_admins(struct settings *s, char *why)
{
	for (size_t i = 0; i < s->config.count; i++) {
		const struct config_entry *entry = &s->config.entries[i];
		struct admin *admin = &s->admins[s->admin_count];

		if (strcmp(entry->section, "admins") != 0)
			continue;
		if (s->admin_count == ADMINS_MAX || strlen(entry->key) > ACCOUNT_BYTES_MAX) {
			(void)snprintf(why, WHY_BYTES,
				       "%s:%d: at most %d administrators, each an account name of "
				       "at most %d bytes; remove what is not needed",
				       s->config.path, entry->line, ADMINS_MAX, ACCOUNT_BYTES_MAX);
			return ERR_CONFIG;
		}
		if (!is_pseudonym(entry->value)) {
			(void)snprintf(why, WHY_BYTES,
				       "%s:%d: \"%s\" is no pseudonym; write 1 to %d of a-z, 0-9 "
				       "and \"-\" that tell nothing of the person, such as a01",
				       s->config.path, entry->line, entry->value, EDITOR_BYTES_MAX);
			return ERR_CONFIG;
		}
		(void)snprintf(admin->account, sizeof admin->account, "%s", entry->key);
		(void)snprintf(admin->pseudonym, sizeof admin->pseudonym, "%s", entry->value);
		s->admin_count++;
	}
	return ERR_OK;
}

static enum err take_values(struct settings *s, char *why)
{
	const struct config *c = &s->config;
	const size_t mib = (size_t)1 << 20;

	s->keys = config_get(c, "server", "keys");
	s->data = config_get(c, "server", "data");
	s->control = config_get(c, "server", "control");
	s->listen = config_get(c, "server", "listen");
	s->publish = config_get(c, "server", "publish");
	s->policy = config_get(c, "server", "policy");
	s->round_ms = (int64_t)config_uint(c, "server", "witness-interval-s") * 1000;
	s->export = config_get(c, "server", "export");
	s->credit_bytes = config_uint(c, "server", "credit-kib") * 1024;
	s->map_bytes = (size_t)config_uint(c, "server", "map-size-mib") * mib;
	s->view_map_bytes = (size_t)config_uint(c, "server", "view-map-size-mib") * mib;
	s->map_bytes_max = (size_t)config_uint(c, "server", "map-max-mib") * mib;
	if (!s->keys || !s->data || !s->control || !s->listen)
		return ERR_INTERNAL; /* config_load gave what is required or has a fallback */
	s->control_mode = config_mode(c, "server", "control-mode");
	s->log_level = config_level(c, "server", "log-level");
	if (!is_tcp(s->listen) || (s->publish && !is_tcp(s->publish))) {
		(void)snprintf(why, WHY_BYTES,
			       "%s: listen and publish take tcp://ADDRESS:PORT, such as "
			       "tcp://0.0.0.0:7700",
			       c->path);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

enum err settings_load(const char *path, struct settings *ret, char *why)
{
	struct settings s = {.keys = NULL};
	enum err e =
		config_load(path, rules, sizeof rules / sizeof *rules, &s.config, why, WHY_BYTES);

	if (e != ERR_OK)
		return e;
	e = take_values(&s, why);
	if (e == ERR_OK)
		e = take_admins(&s, why);
	if (e != ERR_OK) {
		settings_free(&s);
		return e;
	}
	*ret = s;
	return ERR_OK;
}

void settings_free(struct settings *s)
{
	config_free(&s->config);
	*s = (struct settings){.keys = NULL};
}

void settings_adopt(struct settings *s, const struct settings *fresh)
{
	s->log_level = fresh->log_level;
	s->admin_count = fresh->admin_count;
	memcpy(s->admins, fresh->admins, sizeof s->admins);
}

const char *settings_admin(const struct settings *s, uid_t uid)
{
	char text[4096];
	struct passwd entry;
	struct passwd *found = NULL;

	if (getpwuid_r(uid, &entry, text, sizeof text, &found) != 0 || !found)
		return NULL;
	for (size_t i = 0; i < s->admin_count; i++)
		if (strcmp(s->admins[i].account, found->pw_name) == 0)
			return s->admins[i].pseudonym;
	return NULL;
}
