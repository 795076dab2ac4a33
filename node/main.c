#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "io/daemon.h"
#include "io/program.h"
#include "node/node.h"

static const char help[] =
	"splot-node: keeps one region's part of the register and publishes it\n"
	"\n"
	"usage: splot-node --config FILE [--check]\n"
	"\n"
	"  -c, --config FILE  the configuration, see splot-node(8)\n"
	"  -t, --check        read the configuration, the keys and the servers' cards, say\n"
	"                     whether they can be used, and end\n"
	"  -V, --version      print the version and end\n"
	"  -h, --help         print this and end\n"
	"\n"
	"exit status: 0 stopped as asked; 1 failed, a restart may help; 2 wrong usage;\n"
	"3 configuration or keys cannot be used; 4 the store cannot be trusted\n"
	"\n"
	"examples:\n"
	"  splot-node --config /etc/splot/node.ini --check\n"
	"  splot-node --config /etc/splot/node.ini\n"
	"  kill -HUP PID      reread editors, TERC, servers' addresses and log level\n";

/* Configuration and keys, and whether they belong together. */
static enum err read_settings(struct node *n, const char *path)
{
	char why[WHY_BYTES] = "";
	enum err e = settings_load(path, &n->settings, why);

	if (e == ERR_OK)
		e = keys_load(n->settings.keys, &n->keys, why);
	if (e != ERR_OK) {
		log_line(LOG_ERROR, "%s", why[0] ? why : err_text(e));
		return e;
	}
	e = node_identify(n);
	if (e != ERR_OK)
		return e;
	e = settings_fit_realm(&n->settings, n->realm, why);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "%s", why);
	return e;
}

static enum exit_status serve(struct node *n)
{
	enum exit_status status = EXIT_FAILED;
	enum err e = daemon_signals(&n->signals);

	if (e != ERR_OK) {
		log_line(LOG_ERROR, "signals cannot be taken: %s", err_text(e));
		return EXIT_FAILED;
	}
	e = node_start(n, &status);
	if (e != ERR_OK)
		return status;
	daemon_notify("READY=1");
	log_line(LOG_INFO,
		 "log %s of %s: %" PRIu64 " events; servers: %zu, editors: %zu; listening on %s",
		 n->log.name.text, n->realm, n->log.tree.size, n->settings.server_count,
		 n->settings.editor_count, n->settings.control);
	loop_run(n);
	if (!n->again || n->asked) /* else the service manager sees it ready once more */
		daemon_notify("STOPPING=1");
	if (n->fault == ERR_CORRUPT)
		return EXIT_UNTRUSTED; /* it would be found again, and again */
	return n->fault == ERR_OK ? EXIT_STOPPED : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	static struct node n = {.signals = -1}; /* large: not on the stack */
	const struct program program = {"splot-node", SPLOT_VERSION, help};
	struct program_options options = {0};
	enum exit_status status = EXIT_CONFIG;
	bool again = false;

	if (!program_begin(&program, argc, argv, &options, &status))
		return (int)status;
	status = EXIT_CONFIG;
	n.config_path = options.config;
	if (sodium_init() < 0) {
		log_line(LOG_ERROR, "the cryptographic library does not start");
		return EXIT_FAILED;
	}
	if (read_settings(&n, options.config) != ERR_OK)
		goto out;
	log_level(n.settings.log_level);
	if (options.check) {
		(void)printf("%s is good: log %s of %s, servers: %zu, editors: %zu\n",
			     options.config, n.log.name.text, n.realm, n.settings.server_count,
			     n.settings.editor_count);
		status = EXIT_STOPPED;
		goto out;
	}
	status = serve(&n);
	again = n.again && !n.asked && status == EXIT_STOPPED;
out:
	node_stop(&n);
	if (n.signals >= 0)
		(void)close(n.signals);
	keys_free(&n.keys);
	settings_free(&n.settings);
	if (again) {
		enum err e = daemon_again(argv);

		log_line(LOG_ERROR, "the node cannot begin anew: %s; start it again", err_text(e));
		status = EXIT_FAILED;
	}
	return (int)status;
}
