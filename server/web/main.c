#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "http/limits.h"
#include "io/daemon.h"
#include "io/program.h"
#include "server/web/web.h"

static const char help[] =
	"usage: splot-web --config FILE [--check]\n"
	"       splot-web --version | --help\n"
	"\n"
	"The public door of a Splot register: the page, the HTTP API and the live feed, over the\n"
	"view of a server or the register of a node. It has no keys and writes nothing.\n"
	"\n"
	"  --config FILE  configuration, see splot-web(8)\n"
	"  --check        read the configuration, look whether the view can be opened, and end\n"
	"  --version      print the version and end\n"
	"  --help         print this text and end\n"
	"\n"
	"Examples:\n"
	"  splot-web --config /etc/splot/web.ini --check\n"
	"  splot-web --config /etc/splot/web.ini\n"
	"  curl http://127.0.0.1:8080/api/v1/summary\n"
	"  curl -N http://127.0.0.1:8080/api/v1/events\n"
	"\n"
	"Exit status: 0 stopped by SIGTERM, 1 a fault or a start that was refused,\n"
	"2 wrong options, 3 a configuration that cannot be used.\n";

/* Large, and as long as the process: static, not on the stack. */
static struct web web = {.files = {.folder_fd = -1}, .signal_fd = -1, .epoll_fd = -1};

static enum exit_status check(const struct settings *settings, const char *path)
{
	const struct store_options options = {.read_only = true, .apart = true};
	struct store *store = NULL;
	struct view view;
	enum err e = store_open(settings->view, &options, &store);

	if (e == ERR_OK)
		e = view_open(store, false, &view);
	store_close(store);
	if (e != ERR_OK) {
		(void)fprintf(stderr,
			      "splot-web: %s: the view cannot be opened: %s; a server makes it at "
			      "its first start, and lets its folder's group read it\n",
			      settings->view, err_text(e));
		return EXIT_CONFIG;
	}
	(void)printf("%s: good; %s can be read\n", path, settings->view);
	return EXIT_STOPPED;
}

/* As many as connections, and some. */
static void raise_files(const struct settings *settings)
{
	enum { OTHERS = 64 };
	rlim_t wanted = settings->connections_max + CONNECTIONS_OVER + OTHERS;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= wanted)
		return;
	files.rlim_cur = wanted < files.rlim_max ? wanted : files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < wanted)
		log_line(LOG_WARN,
			 "max-connections = %u wants %llu open files, %llu are allowed; raise "
			 "LimitNOFILE",
			 settings->connections_max, (unsigned long long)wanted,
			 (unsigned long long)files.rlim_cur);
}

static void free_page(void *page)
{
	page_release(page);
}

static enum err prove(struct web *w, char *why, size_t why_size)
{
	enum err e = door_prove(w->door, why, why_size);

	if (e == ERR_TIMEOUT) {
		log_line(LOG_WARN,
			 "%s: this machine does not reach its own address: it could not be proved "
			 "that odd requests are told apart",
			 w->settings.listen);
		e = ERR_OK;
	}
	return e;
}

static enum err start(struct web *w)
{
	const struct settings *s = &w->settings;
	const struct door_options options = {.listen = s->listen,
					     .connections_max = s->connections_max,
					     .connections_per_ip = s->connections_per_ip,
					     .preflight = s->cors_origin != NULL,
					     .allow_origin = s->cors_origin,
					     .context = w,
					     .answer = web_answer,
					     .gone = web_gone,
					     .problem = web_problem};
	char why[WHY_BYTES] = "";
	enum err e = daemon_signals(&w->signal_fd); /* before any thread */

	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (e == ERR_OK && w->epoll_fd < 0)
		e = ERR_INTERNAL;
	if (e == ERR_OK)
		e = snapshots_new(&w->counters, &w->snapshots);
	if (e == ERR_OK)
		e = cache_new(CACHE_BYTES_MAX, free_page, &w->cache);
	if (e == ERR_OK)
		e = door_open(&options, &w->counters, &w->door, why, sizeof why);
	if (e == ERR_OK)
		e = feed_open(w);
	if (e == ERR_OK)
		e = pages_open(w);
	if (e == ERR_OK)
		e = prove(w, why, sizeof why);
	if (e == ERR_OK)
		files_open(&w->files, s->export);
	else
		log_line(LOG_ERROR, "%s", why[0] ? why : err_text(e));
	return e;
}

static void end(struct web *w)
{
	viewing_close(w);
	door_close(w->door);
	events_free(w->events);
	cache_free(w->cache);
	pages_close(w);
	snapshots_free(w->snapshots);
	files_close(&w->files);
	buf_free(&w->viewing.status_raw);
	arena_free(&w->viewing.status_arena);
	buf_free(&w->status_event);
	arena_free(&w->arena);
	arena_free(&w->follow_arena);
	settings_free(&w->settings);
	if (w->epoll_fd >= 0)
		(void)close(w->epoll_fd);
}

static enum exit_status serve(const char *path)
{
	enum err e = ERR_OK;

	log_level(web.settings.log_level);
	raise_files(&web.settings);
	e = start(&web);
	if (e == ERR_OK) {
		log_line(LOG_NOTICE, "splot-web " SPLOT_VERSION ": listening on http://%s",
			 web.settings.listen);
		daemon_notify("READY=1");
		e = web_run(&web, path);
		daemon_notify("STOPPING=1");
	}
	end(&web);
	if (e == ERR_OK)
		log_line(LOG_NOTICE, "splot-web: stopped");
	return e == ERR_OK ? EXIT_STOPPED : e == ERR_CONFIG ? EXIT_CONFIG : EXIT_FAILED;
}

int main(int argc, char **argv)
{
	const struct program program = {"splot-web", SPLOT_VERSION, help};
	struct program_options options = {.config = NULL};
	char why[WHY_BYTES];
	enum exit_status status = EXIT_CONFIG;

	if (!program_begin(&program, argc, argv, &options, &status))
		return (int)status;
	program_keep_memory_small(1024 * 1024); /* answers */
	if (settings_load(options.config, &web.settings, why) != ERR_OK) {
		(void)fprintf(stderr, "splot-web: %s\n", why);
		return EXIT_CONFIG;
	}
	if (options.check) {
		status = check(&web.settings, options.config);
		settings_free(&web.settings);
		return (int)status;
	}
	return (int)serve(options.config);
}
