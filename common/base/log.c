#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_priority level = LOG_INFO;

static const struct {
	const char *name;
	enum log_priority priority;
} names[] = {
	{"error", LOG_ERROR}, {"warning", LOG_WARN}, {"notice", LOG_NOTICE},
	{"info", LOG_INFO},   {"debug", LOG_DEBUG},
};

void log_level(enum log_priority most)
{
	level = most;
}

int log_level_named(const char *name)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i].name, name) == 0)
			return (int)names[i].priority;
	return -1;
}

void log_line(enum log_priority priority, const char *format, ...)
{
	char line[2048];
	size_t used = 0;
	va_list args;

	if (priority > level)
		return;
	if (!isatty(STDERR_FILENO))
		used = (size_t)snprintf(line, sizeof line, "<%d>", (int)priority);
	va_start(args, format);
	(void)vsnprintf(line + used, sizeof line - used - 1, format, args);
	va_end(args);
	/* One write, so that lines of two threads do not mix; control characters of
	 * hostile input must not forge a second line. */
	for (used = 0; line[used]; used++)
		if ((unsigned char)line[used] < 0x20)
			line[used] = ' ';
	line[used++] = '\n'; /* the room that vsnprintf was not given */
	(void)!write(STDERR_FILENO, line, used);
}
