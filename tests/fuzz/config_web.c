/* splot-web's configuration file, with the table that it names. */
#include "server/web/settings.h"

#include "config_body.h"

static void config_check(const struct settings *s)
{
	ALWAYS(s->view && s->listen && s->site_count <= SITE_TEXTS_MAX);
	ALWAYS(s->readers_max <= 60000 && s->connections_max >= 16);
	for (size_t i = 0; i < s->site_count; i++)
		ALWAYS(s->site[i].name && s->site[i].value);
}

static void config_files(void)
{
	config_terc();
}

void fuzz_seeds(struct seeds *to)
{
	struct buf many = {.data = NULL};

	buf_add_text(&many, "[web]\nview = v\nlisten = 127.0.0.1:80\n[site]\n");
	for (int i = 0; i <= SITE_TEXTS_MAX; i++) /* one more than there may be */
		buf_printf(&many, "t%d = x\n", i);
	seed_add(to, "texts-too-many", fuzz_done(&many));
	buf_free(&many);
	seed_add(to, "least", bytes_of_text("[web]\nview = v\nlisten = 127.0.0.1:80\n"));
	seed_add(to, "all",
		 bytes_of_text("[web]\nview = v\nlisten = [::1]:8080\nexport = e\n"
			       "terc = /proc/self/fd/102\ncors-origin = https://a.example\n"
			       "max-connections = 100\nmax-readers = 50\n"
			       "max-connections-per-ip = 5\nlog-level = error\n[site]\n"
			       "body = Biuro\nstatement-published = 2026-11-22\n"));
}
