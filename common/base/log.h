/* One line to stderr, with a systemd priority in front ("<4>...") when stderr is
 * not a terminal.  Only drivers and mains log; library code returns errors.
 * A line says what, which log, which index, and what to do next.
 *
 * Layer: base. */
#ifndef SPLOT_BASE_LOG_H
#define SPLOT_BASE_LOG_H

enum log_priority { LOG_ERROR = 3, LOG_WARN = 4, LOG_NOTICE = 5, LOG_INFO = 6, LOG_DEBUG = 7 };

/* Lines of a higher number than `most` are dropped (default LOG_INFO). */
void log_level(enum log_priority most);
/* The level by its name ("error", "warning", "notice", "info", "debug"); -1 if none. */
int log_level_named(const char *name);

void log_line(enum log_priority priority, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
