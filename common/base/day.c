#include "base/day.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { LONG_MONTH_DAYS = 31 };

static const int64_t MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400;

/* Digits at fixed places, the rest as in `form` ('0' stands for a digit). */
static bool has_form(const char *text, const char *form)
{
	for (; *form; text++, form++)
		if (*form == '0' ? *text < '0' || *text > '9' : *text != *form)
			return false;
	return !*text;
}

static int number(const char *text, size_t digits)
{
	int x = 0;

	for (size_t i = 0; i < digits; i++)
		x = 10 * x + (text[i] - '0');
	return x;
}

/* Seconds since 1970 at the begin of a day in UTC; -1 for what no calendar has. */
static int64_t utc_midnight(int year, int month, int day)
{
	struct tm t = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	time_t midnight = timegm(&t);

	if (year < 1970 || t.tm_year != year - 1900 || t.tm_mon != month - 1 || t.tm_mday != day)
		return -1;
	return (int64_t)midnight;
}

/* The last Sunday of March or October: both months have 31 days. */
static int last_sunday(int year, int month)
{
	struct tm t = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = LONG_MONTH_DAYS};

	(void)timegm(&t); /* finds the day of the week */
	return LONG_MONTH_DAYS - t.tm_wday;
}

/* Whether the day begins in summer time.  The clock changes in the small hours of a Sunday, so
 * that every midnight comes once. */
static bool begins_in_summer(int year, int month, int day)
{
	if (month == 3)
		return day > last_sunday(year, month);
	if (month == 10)
		return day <= last_sunday(year, month);
	return month > 3 && month < 10;
}

/* The first second of a day in Warsaw. */
static int64_t begin_of_day(int64_t midnight_s)
{
	time_t midnight = (time_t)midnight_s;
	struct tm t;

	(void)gmtime_r(&midnight, &t);
	return midnight_s -
	       (begins_in_summer(t.tm_year + 1900, t.tm_mon + 1, t.tm_mday) ? 2 : 1) * HOUR_S;
}

enum err moment_parse(const char *text, struct moment *ret)
{
	static const char DAY[] = "0000-00-00";
	static const char TIME[] = "0000-00-00T00:00:00Z";
	static const char EXACT[] = "0000-00-00T00:00:00.000Z";
	struct moment m = {.day = has_form(text, DAY)};
	int64_t midnight = 0;
	int hour = 0, minute = 0, second = 0;

	if (!m.day && !has_form(text, TIME) && !has_form(text, EXACT))
		return ERR_INVALID;
	midnight = utc_midnight(number(text, 4), number(text + 5, 2), number(text + 8, 2));
	if (midnight < 0)
		return ERR_INVALID;
	if (m.day) {
		m.first.ms = begin_of_day(midnight) * 1000;
		m.last.ms = begin_of_day(midnight + DAY_S) * 1000 - 1;
		*ret = m;
		return ERR_OK;
	}
	hour = number(text + 11, 2);
	minute = number(text + 14, 2);
	second = number(text + 17, 2);
	if (hour > 23 || minute > 59 || second > 59)
		return ERR_INVALID;
	m.last.ms = (midnight + hour * HOUR_S + minute * MINUTE_S + second) * 1000;
	m.first.ms = m.last.ms;
	if (has_form(text, EXACT)) {
		m.first.ms += number(text + 20, 3);
		m.last.ms = m.first.ms;
	} else {
		m.last.ms += 999;
	}
	*ret = m;
	return ERR_OK;
}
