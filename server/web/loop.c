/* The turn: what is new in the view, then who asks. */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>

#include "base/log.h"
#include "io/daemon.h"
#include "server/web/web.h"

enum {
	NEWS_MS = 20,     /* a commit is noticed after that, while anybody reads events */
	IDLE_MS = 250,    /* and while nobody does, unless somebody asks */
	SLICE_US = 20000, /* of following, before others have a turn */
	LAST_MS = 5000,   /* for answers under way when the program is to end */
	LAST_TURN_MS = 10,
	EVENTS_AT_ONCE = 8,
};

static void reread(struct web *w, const char *config_path)
{
	struct settings *fresh = &w->fresh;
	char why[WHY_BYTES];

	if (settings_load(config_path, fresh, why) != ERR_OK) {
		log_line(LOG_ERROR, "%s; the old settings stay", why);
		return;
	}
	settings_adopt(&w->settings, fresh);
	settings_free(fresh);
	log_level(w->settings.log_level);
	w->viewing.opening++; /* answers that were kept may say the old texts */
	log_line(LOG_NOTICE,
		 "reread %s: the site's texts and the log level; other keys take a "
		 "restart",
		 config_path);
}

static void take_signals(struct web *w, const char *config_path)
{
	int number = 0;

	while ((number = daemon_signal(w->signal_fd)) != 0) {
		if (number != SIGHUP)
			w->stop = true;
		else if (!w->closing)
			reread(w, config_path);
	}
}

static enum err watch(struct web *w, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? ERR_OK : ERR_INTERNAL;
}

static int wait_ms(struct web *w)
{
	int ms = events_any(w->events) || !w->viewing.ready ? NEWS_MS : IDLE_MS;
	int door_ms = door_timeout_ms(w->door);

	if (w->viewing.more || events_behind(w->events))
		return 0;
	return door_ms < ms ? door_ms : ms;
}

static enum err take_turn(struct web *w, int ms, const char *config_path)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = epoll_wait(w->epoll_fd, events, EVENTS_AT_ONCE, ms);

	if (count < 0 && errno != EINTR)
		return ERR_INTERNAL;
	for (int i = 0; i < count; i++) {
		if (events[i].data.fd == w->signal_fd)
			take_signals(w, config_path);
		if (events[i].data.fd == snapshots_fd(w->snapshots))
			snapshots_turn(w->snapshots);
	}
	viewing_turn(w, SLICE_US);
	feed_turn(w, mono_now());
	door_turn(w->door);
	return ERR_OK;
}

/* Answers under way go out, readers of events are let go. */
static enum err finish(struct web *w)
{
	struct mono_ms until = {mono_now().ms + LAST_MS};
	enum err e = ERR_OK;

	w->closing = true;
	viewing_close(w); /* who waits for the past is told */
	events_finish(w->events);
	do
		e = take_turn(w, LAST_TURN_MS, NULL);
	while (e == ERR_OK && (!door_finish(w->door) || events_any(w->events)) &&
	       mono_now().ms < until.ms);
	return e;
}

enum err web_run(struct web *w, const char *config_path)
{
	enum err e = watch(w, w->signal_fd);

	if (e == ERR_OK)
		e = watch(w, door_fd(w->door));
	if (e == ERR_OK)
		e = watch(w, events_fd(w->events));
	if (e == ERR_OK)
		e = watch(w, snapshots_fd(w->snapshots));
	while (e == ERR_OK && !w->stop)
		e = take_turn(w, wait_ms(w), config_path);
	if (e == ERR_OK)
		e = finish(w);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "stopped by a fault: %s; restart", err_text(e));
	return e;
}
