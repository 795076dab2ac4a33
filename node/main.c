#include <getopt.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "io/daemon.h"
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

struct options {
	const char *config;
	bool check;
};

/* True when the program goes on; else `ret_status` is what it ends with. */
static bool read_options(int argc, char **argv, struct options *ret, enum exit_status *ret_status)
{
	static const struct option table[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 't'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option = 0;

	*ret_status = EXIT_STOPPED;
	while ((option = getopt_long(argc, argv, "c:tVh", table, NULL)) != -1) {
		switch (option) {
		case 'c':
			ret->config = optarg;
			break;
		case 't':
			ret->check = true;
			break;
		case 'V':
			(void)puts("splot-node " SPLOT_VERSION);
			return false;
		case 'h':
			(void)fputs(help, stdout);
			return false;
		default:
			*ret_status = EXIT_USAGE;
			return false;
		}
	}
	if (ret->config && optind == argc)
		return true;
	(void)fprintf(stderr, "splot-node: %s; try splot-node --help\n",
		      ret->config ? "only options are taken" : "--config FILE is missing");
	*ret_status = EXIT_USAGE;
	return false;
}

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
	return n->fault == ERR_OK ? EXIT_STOPPED : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	static struct node n = {.signals = -1}; /* large: not on the stack */
	struct options options = {0};
	enum exit_status status = EXIT_CONFIG;
	bool again = false;

	keys_protect_process();
	if (!read_options(argc, argv, &options, &status))
		return (int)status;
	status = EXIT_CONFIG;
	n.config_path = options.config;
	if (sodium_init() < 0) {
		log_line(LOG_ERROR, "the cryptographic library does not start");
		return EXIT_FAILED;
	}
	if (read_settings(&n, options.config) != ERR_OK)
		goto out;
	log_level((enum log_priority)n.settings.log_level);
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
