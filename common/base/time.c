#include "base/time.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_ms(clockid_t id)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(id, &t); /* cannot fail for these two clocks */
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct wall_ms wall_now(void)
{
	return (struct wall_ms){clock_ms(CLOCK_REALTIME)};
}

struct mono_ms mono_now(void)
{
	return (struct mono_ms){clock_ms(CLOCK_MONOTONIC)};
}

int64_t mono_us(void)
{
	struct timespec t = {0, 0};

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void wall_format(struct wall_ms t, char text[static 25])
{
	int64_t ms = t.ms % 1000;
	time_t seconds = (time_t)(t.ms / 1000);
	struct tm utc;

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	if (!gmtime_r(&seconds, &utc) || utc.tm_year < -1900 || utc.tm_year > 8099) {
		(void)snprintf(text, 25, "?");
		return;
	}
	(void)snprintf(text, 25, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		       (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)(utc.tm_mon + 1) % 100,
		       (unsigned)utc.tm_mday % 100, (unsigned)utc.tm_hour % 100,
		       (unsigned)utc.tm_min % 100, (unsigned)utc.tm_sec % 100, (unsigned)ms % 1000);
}
