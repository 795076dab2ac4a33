#include "node/settings.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "io/files.h"
#include "model/validate.h"

#define MIB ((uint64_t)1024 * 1024)

enum {
	MAP_MIB_MAX = 64 * 1024 * 1024, /* 64 TiB: what an address space holds */
	ROTATION_DAYS_MAX = 3650,
};

static const struct config_rule rules[] = {
	{.section = "node",
	 .key = "keys",
	 .type = CONFIG_PATH,
	 .required = true,
	 .help = "the node's secret keys, made by splotctl keygen"},
	{.section = "node",
	 .key = "data",
	 .type = CONFIG_PATH,
	 .required = true,
	 .help = "folder of the store; made when missing"},
	{.section = "node",
	 .key = "control",
	 .type = CONFIG_PATH,
	 .required = true,
	 .help = "the control socket that splotctl talks to"},
	{.section = "node",
	 .key = "control-mode",
	 .type = CONFIG_MODE,
	 .fallback = "0660",
	 .help = "permissions of the control socket, octal"},
	{.section = "node",
	 .key = "terc",
	 .type = CONFIG_PATH,
	 .help = "CSV file whose column teryt lists the codes that exist"},
	{.section = "node",
	 .key = "map-size-mib",
	 .type = CONFIG_UINT,
	 .fallback = "0",
	 .most = MAP_MIB_MAX,
	 .help = "size of the store's map to begin with; 0: large"},
	{.section = "node",
	 .key = "map-max-mib",
	 .type = CONFIG_UINT,
	 .fallback = "0",
	 .most = MAP_MIB_MAX,
	 .help = "size past which the map does not grow; 0: no bound"},
	{.section = "node",
	 .key = "rotation-days",
	 .type = CONFIG_UINT,
	 .fallback = "30",
	 .most = ROTATION_DAYS_MAX,
	 .help = "how long the old key signs beside the new one after splotctl rotate"},
	{.section = "node",
	 .key = "log-level",
	 .type = CONFIG_LEVEL,
	 .fallback = "info",
	 .help = "error, warning, notice, info or debug"},
	{.section = "editors",
	 .key = "*",
	 .type = CONFIG_TEXT,
	 .help = "local account = pseudonym that its edits carry"},
	{.section = "server.*",
	 .key = "card",
	 .type = CONFIG_PATH,
	 .required = true,
	 .help = "the server's keys, printed there by splotctl server-card"},
	{.section = "server.*",
	 .key = "address",
	 .type = CONFIG_TEXT,
	 .required = true,
	 .help = "tcp://host:port"},
};

static void editor_resolve(struct editor *editor)
{
	const struct passwd *entry = getpwnam(editor->account);

	editor->known = entry != NULL;
	if (entry)
		editor->uid = entry->pw_uid;
}

static enum err load_editors(struct settings *s, char *why)
{
	s->editors = calloc(s->config.count + 1, sizeof *s->editors);
	if (!s->editors)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->config.count; i++) {
		const struct config_entry *entry = &s->config.entries[i];
		struct editor *editor = &s->editors[s->editor_count];

		if (strcmp(entry->section, "editors") != 0)
			continue;
		if (!is_pseudonym(entry->value)) {
			(void)snprintf(why, WHY_BYTES,
				       "%s:%d: %s = %s: a pseudonym is at most %d of a-z, 0-9 and "
				       "-, and tells nothing of the person; write one like e07",
				       s->config.path, entry->line, entry->key, entry->value,
				       EDITOR_BYTES_MAX);
			return ERR_CONFIG;
		}
		*editor = (struct editor){.account = entry->key, .pseudonym = entry->value};
		editor_resolve(editor);
		s->editor_count++;
	}
	return ERR_OK;
}

static enum err load_card(const char *path, const char *name, struct card *ret, char *why)
{
	struct buf raw = {.limit = KEY_FILE_BYTES_MAX};
	enum err e = file_read(path, KEY_FILE_BYTES_MAX, &raw);

	if (e == ERR_OK)
		e = card_open(buf_bytes(&raw), ret);
	if (e == ERR_OK && !ret->server)
		e = ERR_INVALID;
	buf_free(&raw);
	if (e == ERR_OK)
		return ERR_OK;
	(void)snprintf(why, WHY_BYTES,
		       "[server.%s] card %s: %s; copy what `splotctl server-card` prints at that "
		       "server",
		       name, path, e == ERR_INVALID ? "not a server's card" : err_text(e));
	return ERR_CONFIG;
}

static enum err load_servers(struct settings *s, char *why)
{
	const char *name = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; (name = config_section(&s->config, "server.", i)) != NULL; i++) {
		struct server_setting *server = &s->servers[i];
		char section[TEXT_BYTES_MAX];

		if (i == SERVERS_MAX) {
			(void)snprintf(why, WHY_BYTES,
				       "%s: [server.%s] is one too many: a node publishes to at "
				       "most %d servers",
				       s->config.path, name, SERVERS_MAX);
			return ERR_CONFIG;
		}
		(void)snprintf(section, sizeof section, "server.%s", name);
		server->name = name;
		server->address = config_get(&s->config, section, "address");
		if (strncmp(server->address, "tcp://", 6) != 0) {
			(void)snprintf(why, WHY_BYTES,
				       "%s: [%s] address %s: an address is tcp://host:port",
				       s->config.path, section, server->address);
			return ERR_CONFIG;
		}
		e = load_card(config_get(&s->config, section, "card"), name, &server->card, why);
		if (e != ERR_OK)
			return e;
		s->server_count++;
	}
	return ERR_OK;
}

static enum err load_values(struct settings *s, char *why)
{
	s->control_mode = config_mode(&s->config, "node", "control-mode");
	s->log_level = config_level(&s->config, "node", "log-level");
	s->keys = config_get(&s->config, "node", "keys");
	s->data = config_get(&s->config, "node", "data");
	s->control = config_get(&s->config, "node", "control");
	s->rotation_days = (unsigned)config_uint(&s->config, "node", "rotation-days");
	s->map_bytes = (size_t)(config_uint(&s->config, "node", "map-size-mib") * MIB);
	s->map_bytes_max = (size_t)(config_uint(&s->config, "node", "map-max-mib") * MIB);
	if (s->map_bytes_max && !s->map_bytes)
		s->map_bytes = s->map_bytes_max;
	if (s->map_bytes_max && s->map_bytes > s->map_bytes_max) {
		(void)snprintf(why, WHY_BYTES, "%s: map-size-mib is more than map-max-mib",
			       s->config.path);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

static enum err load_terc(const char *path, struct terc_table *ret, char *why)
{
	struct buf file = {.limit = IMPORT_FILE_BYTES_MAX};
	enum err e = file_read(path, IMPORT_FILE_BYTES_MAX, &file);

	if (e == ERR_OK) {
		e = terc_table_parse(buf_bytes(&file), path, ret, why, WHY_BYTES);
	} else {
		(void)snprintf(why, WHY_BYTES, "terc %s: %s", path, err_text(e));
		e = ERR_CONFIG;
	}
	buf_free(&file);
	return e;
}

enum err settings_load(const char *path, struct settings *ret, char *why)
{
	struct settings s = {0};
	const char *terc = NULL;
	enum err e =
		config_load(path, rules, sizeof rules / sizeof *rules, &s.config, why, WHY_BYTES);

	if (e != ERR_OK)
		return e;
	e = load_values(&s, why);
	if (e == ERR_OK)
		e = load_editors(&s, why);
	if (e == ERR_OK)
		e = load_servers(&s, why);
	terc = config_get(&s.config, "node", "terc");
	if (e == ERR_OK && terc)
		e = load_terc(terc, &s.terc, why);
	if (e == ERR_NOMEM)
		(void)snprintf(why, WHY_BYTES, "%s: %s", path, err_text(e));
	if (e != ERR_OK) {
		settings_free(&s);
		return e;
	}
	*ret = s;
	return ERR_OK;
}

enum err settings_fit_realm(const struct settings *s, const char *realm, char *why)
{
	for (size_t i = 0; i < s->server_count; i++) {
		if (strcmp(s->servers[i].card.realm, realm) == 0)
			continue;
		(void)snprintf(
			why, WHY_BYTES,
			"%s: [server.%s] card is of the realm %s, the keys %s are of %s; use "
			"keys and cards of one deployment",
			s->config.path, s->servers[i].name, s->servers[i].card.realm, s->keys,
			realm);
		return ERR_CONFIG;
	}
	return ERR_OK;
}

void settings_free(struct settings *s)
{
	config_free(&s->config);
	free(s->editors);
	terc_table_free(&s->terc);
	*s = (struct settings){0};
}

/* An account made after the start, or a uid without a name, which then stands in the
 * table by its number. */
static struct editor *editor_by_name(struct settings *s, const char *account)
{
	for (size_t i = 0; i < s->editor_count; i++)
		if (strcmp(s->editors[i].account, account) == 0)
			return &s->editors[i];
	return NULL;
}

const char *settings_editor(struct settings *s, uid_t uid, const char **ret_account)
{
	static char number[16];
	const struct passwd *entry = NULL;
	const char *account = number;
	struct editor *editor = NULL;

	for (size_t i = 0; i < s->editor_count && !editor; i++)
		if (s->editors[i].known && s->editors[i].uid == uid)
			editor = &s->editors[i];
	if (editor) {
		if (ret_account)
			*ret_account = editor->account;
		return editor->pseudonym;
	}
	entry = getpwuid(uid);
	(void)snprintf(number, sizeof number, "%lu", (unsigned long)uid);
	if (entry)
		account = entry->pw_name;
	if (ret_account)
		*ret_account = account;
	editor = editor_by_name(s, account);
	if (!editor)
		return NULL;
	editor->known = true;
	editor->uid = uid;
	return editor->pseudonym;
}
