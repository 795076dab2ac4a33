/* The configuration file of splot-web, read and checked. */
#ifndef SPLOT_WEB_SETTINGS_H
#define SPLOT_WEB_SETTINGS_H

#include "api/api.h"
#include "io/config.h"
#include "model/terc.h"

enum { SITE_TEXTS_MAX = 512, WHY_BYTES = 1024 };

struct settings {
	struct config config; /* owned; the borrowed texts below live in it */
	struct config reread; /* owned; those of `site` live in it after a SIGHUP */
	const char *view, *listen;
	const char *export, *terc, *cors_origin; /* NULL: none */
	unsigned connections_max, readers_max, connections_per_ip;
	enum log_priority log_level;
	size_t site_count;
	struct site_text site[SITE_TEXTS_MAX];
	struct terc_table powiats; /* owned */
};

/* On failure `why` (WHY_BYTES) says where, what, and what to do. */
MUST_USE enum err settings_load(const char *path, struct settings *ret, char *why);
void settings_free(struct settings *s);
/* What SIGHUP rereads: the site's texts and the log level; their texts are taken over. */
void settings_adopt(struct settings *s, struct settings *fresh);

#endif
