#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "io/daemon.h"
#include "io/program.h"
#include "server/server.h"

static const char help[] =
	"usage: splot-server --config FILE [--check]\n"
	"       splot-server --version | --help\n"
	"\n"
	"The centre of a Splot register: takes signed commits from the regions' nodes, keeps\n"
	"their logs and the national log, and folds the national view.\n"
	"\n"
	"  --config FILE  configuration, see splot-server(8)\n"
	"  --check        read configuration and keys, say whether they fit, and end\n"
	"  --version      print the version and end\n"
	"  --help         print this text and end\n"
	"\n"
	"Examples:\n"
	"  splotctl keygen --server splot.example/national/centrum --out "
	"/var/lib/splot/server.keys\n"
	"  splot-server --config /etc/splot/server.ini --check\n"
	"  splot-server --config /etc/splot/server.ini\n"
	"  splotctl trust add 26.enrolment --reason \"agreement\" --socket /run/splot/server.sock\n"
	"\n"
	"Exit status: 0 stopped by SIGTERM, 1 a fault or a start that was refused,\n"
	"2 wrong options, 3 a configuration that cannot be used, 4 a store that cannot be "
	"trusted.\n";

static bool check_policy(const struct settings *settings, const struct keys *keys)
{
	static struct policy policy;
	struct buf text = {.data = NULL};
	struct vkey key;
	char why[WHY_BYTES] = "the server's name is none of a log";
	enum err e = vkey_make(keys->name, KEY_ED25519, keys->log_public, &key);

	if (e == ERR_OK)
		e = witness_policy(settings->policy, &key, &policy, &text, why);
	buf_free(&text);
	if (e != ERR_OK)
		(void)fprintf(stderr, "splot-server: %s\n", why);
	return e == ERR_OK;
}

static enum exit_status check(const struct settings *settings, const char *path)
{
	struct keys keys;
	char why[TEXT_BYTES_MAX + 1] = "";
	enum err e = keys_load(settings->keys, &keys, why);

	if (e != ERR_OK) {
		(void)fprintf(stderr, "splot-server: %s\n", why[0] ? why : err_text(e));
		return EXIT_CONFIG;
	}
	if (keys.kind != KEYS_SERVER) {
		(void)fprintf(stderr,
			      "splot-server: %s: these are a node's keys; make a server's with "
			      "`splotctl keygen --server`\n",
			      settings->keys);
		keys_free(&keys);
		return EXIT_CONFIG;
	}
	if (settings->policy && !check_policy(settings, &keys)) {
		keys_free(&keys);
		return EXIT_CONFIG;
	}
	(void)printf("%s: good; this server speaks for %s\n", path, keys.name);
	keys_free(&keys);
	return EXIT_STOPPED;
}

/* The server is large and lives as long as the process: static, not on the stack. */
static struct server server = {.folder = {.event_fd = -1}, .signal_fd = -1};

/* EXIT_UNTRUSTED: starting again would not help, a person must act. */
static enum exit_status status_of(enum err e)
{
	bool untrusted = e == ERR_CORRUPT || e == ERR_UNKNOWN_KEY || e == ERR_ORIGIN ||
			 e == ERR_SIGNATURE || e == ERR_ROOT || e == ERR_ROLLBACK;

	if (e == ERR_CONFIG)
		return EXIT_CONFIG;
	return untrusted ? EXIT_UNTRUSTED : EXIT_FAILED;
}

/* Ended in order to begin anew: what is to be scrubbed is scrubbed by a start. */
static enum exit_status begin_anew(char *const *argv)
{
	enum err e = daemon_again(argv);

	log_line(LOG_ERROR,
		 "the program could not begin anew (%s); start it: erased bytes are "
		 "scrubbed from the files by that",
		 err_text(e));
	return EXIT_FAILED;
}

static enum exit_status serve(struct settings *settings, char *const *argv, const char *path)
{
	enum err e = daemon_signals(&server.signal_fd);
	enum err ended = ERR_OK;
	enum exit_status failed = EXIT_FAILED;
	bool again = false;

	server.settings = *settings;
	log_level(settings->log_level);
	if (e != ERR_OK) {
		log_line(LOG_ERROR, "signals cannot be taken: %s", err_text(e));
		return EXIT_FAILED;
	}
	e = server_start(&server);
	if (e == ERR_OK) {
		log_line(LOG_NOTICE,
			 "splot-server " SPLOT_VERSION " %s: logs: %zu, national log %llu, "
			 "listening on %s",
			 server.keys.name, server.trust.count,
			 (unsigned long long)server.archive.size, endpoint_address(server.router));
		daemon_notify("READY=1");
		e = server_run(&server, path);
		again = e == ERR_OK && server.again;
		if (!again) /* else the service manager sees it ready once more */
			daemon_notify("STOPPING=1");
	}
	if (e != ERR_OK)
		failed = status_of(e);
	ended = server_end(&server, e == ERR_OK);
	if (again) /* which folds the view anew */
		return begin_anew(argv);
	if (e == ERR_OK && ended != ERR_OK) {
		e = ended;
		failed = status_of(e);
	}
	if (e == ERR_OK)
		log_line(LOG_NOTICE, "splot-server: stopped");
	return e == ERR_OK ? EXIT_STOPPED : failed;
}

int main(int argc, char **argv)
{
	const struct program program = {"splot-server", SPLOT_VERSION, help};
	struct program_options options = {.config = NULL};
	struct settings settings;
	char why[WHY_BYTES];
	enum exit_status status = EXIT_CONFIG;

	if (!program_begin(&program, argc, argv, &options, &status))
		return (int)status;
	program_keep_memory_small(32 * 1024); /* frames and pages of a burst */
	if (sodium_init() < 0) {
		(void)fputs("splot-server: libsodium cannot be started\n", stderr);
		return EXIT_FAILED;
	}
	if (settings_load(options.config, &settings, why) != ERR_OK) {
		(void)fprintf(stderr, "splot-server: %s\n", why);
		return EXIT_CONFIG;
	}
	if (options.check) {
		status = check(&settings, options.config);
		settings_free(&settings);
		return (int)status;
	}
	return (int)serve(&settings, argv, options.config);
}
