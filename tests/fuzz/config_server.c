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
