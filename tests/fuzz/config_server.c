/* splot-server's configuration file. */
#include "server/settings.h"

#include "config_body.h"

static void config_check(const struct settings *s)
{
	ALWAYS(s->keys && s->data && s->control && s->listen);
	ALWAYS(s->credit_bytes >= COMMIT_BYTES_MAX && s->round_ms >= 1000);
	ALWAYS((s->control_mode & ~(mode_t)0777) == 0 && s->admin_count <= ADMINS_MAX);
	for (size_t i = 0; i < s->admin_count; i++)
		ALWAYS(*s->admins[i].pseudonym);
	(void)settings_admin(s, 0);
}

/* None is read. */
static void config_files(void)
{
}

void fuzz_seeds(struct seeds *to)
{
	struct buf many = {.data = NULL};

	buf_add_text(&many, "[server]\nkeys = k\ndata = d\ncontrol = c\n"
			    "listen = tcp://127.0.0.1:1\n[admins]\n");
	for (int i = 0; i <= ADMINS_MAX; i++) /* one more than there may be */
		buf_printf(&many, "u%d = a%d\n", i, i);
	seed_add(to, "admins-too-many", fuzz_done(&many));
	buf_clear(&many);
	buf_printf(&many, "[%0*d]\n", 60, 0);
	seed_add(to, "section-too-long", fuzz_done(&many));
	buf_clear(&many);
	for (int i = 0; i < 300; i++)
		buf_printf(&many, "[s%d]\n", i);
	seed_add(to, "sections-many", fuzz_done(&many));
	buf_free(&many);
	seed_add(to, "least",
		 bytes_of_text("[server]\nkeys = k\ndata = d\ncontrol = c\n"
			       "listen = tcp://127.0.0.1:1\n"));
	seed_add(to, "all",
		 bytes_of_text(
			 "; c\n[server]\nkeys = /k\ndata = d\ncontrol = c\ncontrol-mode = 0600\n"
			 "listen = tcp://127.0.0.1:1\npublish = tcp://127.0.0.1:2\n"
			 "policy = p\nwitness-interval-s = 5\nexport = e\n"
			 "credit-kib = 1100\nmap-size-mib = 10\nview-map-size-mib = 10\n"
			 "map-max-mib = 20\nlog-level = debug\n[admins]\nroot = a01\n"));
}
