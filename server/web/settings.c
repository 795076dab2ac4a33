#include "server/web/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "io/files.h"

static const struct config_rule rules[] = {
	{"web", "view", CONFIG_PATH, true, NULL, 0, 0,
	 "folder of a server's view, or a node's data folder"},
	{"web", "listen", CONFIG_TEXT, true, NULL, 0, 0, "address and port for HTTP"},
	{"web", "export", CONFIG_PATH, false, NULL, 0, 0, "folder of the exported logs"},
	{"web", "terc", CONFIG_PATH, false, NULL, 0, 0, "powiaty: CSV with the column teryt"},
	{"web", "cors-origin", CONFIG_TEXT, false, NULL, 0, 0,
	 "another site whose scripts may read the API"},
	{"web", "max-connections", CONFIG_UINT, false, "2000", 16, 60000, "open at once"},
	{"web", "max-readers", CONFIG_UINT, false, "1500", 0, 60000,
	 "of those, readers of the live feed"},
	{"web", "max-connections-per-ip", CONFIG_UINT, false, "0", 0, 60000,
	 "from one address; 0: no bound"},
	{"web", "log-level", CONFIG_LEVEL, false, "info", 0, 0,
	 "error, warning, notice, info or debug"},
	{"site", "*", CONFIG_TEXT, false, NULL, 0, 0, "texts of the page"},
};

static enum err take_site(struct settings *s, char *why)
{
	for (size_t i = 0; i < s->config.count; i++) {
		const struct config_entry *entry = &s->config.entries[i];

		if (strcmp(entry->section, "site") != 0)
			continue;
		if (s->site_count == SITE_TEXTS_MAX) {
			(void)snprintf(why, WHY_BYTES, "%s:%d: at most %d texts in [site]",
				       s->config.path, entry->line, SITE_TEXTS_MAX);
			return ERR_CONFIG;
		}
		s->site[s->site_count++] =
			(struct site_text){.name = entry->key, .value = entry->value};
	}
	return ERR_OK;
}

/* "https://dane.example": scheme, host, maybe a port, and nothing behind it. */
static bool is_origin(const char *text)
{
	const char *host = strstr(text, "://");

	if (!host || (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0))
		return false;
	host += 3;
	return *host && host[strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:")] == 0;
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

static enum err take_values(struct settings *s, char *why)
{
	const struct config *c = &s->config;

	s->view = config_get(c, "web", "view");
	s->listen = config_get(c, "web", "listen");
	s->export = config_get(c, "web", "export");
	s->terc = config_get(c, "web", "terc");
	s->cors_origin = config_get(c, "web", "cors-origin");
	s->connections_max = (unsigned)config_uint(c, "web", "max-connections");
	s->readers_max = (unsigned)config_uint(c, "web", "max-readers");
	s->connections_per_ip = (unsigned)config_uint(c, "web", "max-connections-per-ip");
	if (!s->view || !s->listen)
		return ERR_INTERNAL; /* config_load gave what is required or has a fallback */
	s->log_level = config_level(c, "web", "log-level");
	if (s->cors_origin && !is_origin(s->cors_origin)) {
		(void)snprintf(why, WHY_BYTES,
			       "%s: cors-origin = %s is no origin; write https://HOST, without a "
			       "slash at its end",
			       c->path, s->cors_origin);
		return ERR_CONFIG;
	}
	if (s->readers_max >= s->connections_max) {
		(void)snprintf(why, WHY_BYTES,
			       "%s: max-readers must be less than max-connections (%u): others "
			       "want an answer, too",
			       c->path, s->connections_max);
		return ERR_CONFIG;
	}
	return s->terc ? load_terc(s->terc, &s->powiats, why) : ERR_OK;
}

enum err settings_load(const char *path, struct settings *ret, char *why)
{
	struct settings s = {.view = NULL};
	enum err e =
		config_load(path, rules, sizeof rules / sizeof *rules, &s.config, why, WHY_BYTES);

	if (e != ERR_OK)
		return e;
	e = take_values(&s, why);
	if (e == ERR_OK)
		e = take_site(&s, why);
	if (e != ERR_OK) {
		settings_free(&s);
		return e;
	}
	*ret = s;
	return ERR_OK;
}

void settings_free(struct settings *s)
{
	terc_table_free(&s->powiats);
	config_free(&s->config);
	config_free(&s->reread);
	*s = (struct settings){.view = NULL};
}

void settings_adopt(struct settings *s, struct settings *fresh)
{
	s->log_level = fresh->log_level;
	memcpy(s->site, fresh->site, sizeof s->site);
	s->site_count = fresh->site_count;
	config_free(&s->reread);
	s->reread = fresh->config;
	fresh->config = (struct config){.path = NULL};
}
