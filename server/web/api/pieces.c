#include "api/pieces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"

/* ---- an object answer ---- */

const char *request_param(const struct api_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->param_count; i++) {
		if (strcmp(rq->params[i].name, name) == 0)
			return rq->params[i].value;
	}
	return NULL;
}

struct json answer_begin(const struct api_context *x, const struct api_request *rq,
			 struct api_answer *ret)
{
	struct json j = json_to(ret->body);
	const char *asked = request_param(rq, "as_of");

	ret->status = 200;
	ret->type = "application/json";
	ret->settled = x->past;
	json_open(&j, '{');
	json_field_uint(&j, "position", catalog_position(x->catalog));
	write_time(&j, "time", catalog_time(x->catalog));
	json_key(&j, "as_of");
	if (!asked) {
		json_null(&j);
		return j;
	}
	json_open(&j, '{');
	json_field_text(&j, "asked", asked);
	json_field_uint(&j, "position", catalog_position(x->catalog));
	json_close(&j, '}');
	return j;
}

enum err answer_end(struct json *j, struct api_answer *ret)
{
	json_close(j, '}');
	return buf_check(ret->body) == ERR_OK ? ERR_OK : ERR_NOMEM;
}

/* ---- members ---- */

void write_or_null(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	if (text && *text)
		json_text(j, text);
	else
		json_null(j);
}

void write_time(struct json *j, const char *key, struct wall_ms t)
{
	char text[25];

	json_key(j, key);
	if (t.ms <= 0) {
		json_null(j);
		return;
	}
	wall_format(t, text);
	json_text(j, text);
}

void write_uint_or_null(struct json *j, const char *key, bool known, uint64_t x)
{
	json_key(j, key);
	if (known)
		json_uint(j, x);
	else
		json_null(j);
}

void write_version(struct json *j, const char *key, const struct row_origin *o)
{
	json_key(j, key);
	json_open(j, '{');
	json_field_text(j, "log", o->log.text);
	json_field_uint(j, "index", o->index);
	json_field_uint(j, "position", o->position);
	write_time(j, "recorded", o->recorded);
	json_close(j, '}');
}

void write_stat(struct json *j, const struct catalog *c, size_t row)
{
	static const char *const columns[] = {"id",        "region",      "kind",      "measure",
					      "qualifier", "value",       "value_max", "unit",
					      "as_of",     "reported_by", "source"};
	const struct kind *info = kind_of(RECORD_STATISTIC);

	json_open(j, '{');
	for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
		int at = info ? field_named(info, columns[i]) : -1;

		write_or_null(j, columns[i],
			      at < 0 ? "" : catalog_text(c, RECORD_STATISTIC, row, (size_t)at));
	}
	json_close(j, '}');
}

/* ---- days ---- */

enum { LAST_MONTH = 12, LONGEST_MONTH_DAYS = 31, LEAP_EVERY = 4, NO_LEAP = 100, LEAP_AGAIN = 400 };

static unsigned days_in(unsigned year, unsigned month)
{
	static const uint8_t days[LAST_MONTH + 1] = {0,  31, 28, 31, 30, 31, 30,
						     31, 31, 30, 31, 30, 31};
	bool leap = (year % LEAP_EVERY == 0 && year % NO_LEAP != 0) || year % LEAP_AGAIN == 0;

	if (month < 1 || month > LAST_MONTH)
		return 0;
	return (month == 2 && leap) ? days[month] + 1u : days[month];
}

/* Exactly so many digits; false leaves `at` anywhere. */
static bool take_digits(const char **at, size_t count, unsigned *ret)
{
	unsigned x = 0;

	for (size_t i = 0; i < count; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		x = 10 * x + (unsigned)(**at - '0');
	}
	*ret = x;
	return true;
}

/* Year, month and day as far as they are there, else 0; false when it is no date. */
static bool read_date(const char *text, unsigned *year, unsigned *month, unsigned *day)
{
	*month = *day = 0;
	if (!take_digits(&text, 4, year) || *year == 0)
		return false;
	if (!*text)
		return true;
	if (*text++ != '-' || !take_digits(&text, 2, month) || days_in(*year, *month) == 0)
		return false;
	if (!*text)
		return true;
	return *text++ == '-' && take_digits(&text, 2, day) && !*text && *day >= 1 &&
	       *day <= days_in(*year, *month);
}

static day_number day_number_of(unsigned year, unsigned month, unsigned day)
{
	return year * DAY_YEAR + month * DAY_MONTH + day;
}

day_number date_first(const char *text)
{
	unsigned year = 0, month = 0, day = 0;

	if (!read_date(text, &year, &month, &day))
		return 0;
	return day_number_of(year, month ? month : 1, day ? day : 1);
}

day_number date_last(const char *text)
{
	unsigned year = 0, month = 0, day = 0;

	if (!read_date(text, &year, &month, &day))
		return 0;
	if (!month)
		month = LAST_MONTH;
	return day_number_of(year, month, day ? day : days_in(year, month));
}

day_number day_after_months(day_number day, unsigned months)
{
	unsigned at = day / DAY_YEAR * LAST_MONTH + day % DAY_YEAR / DAY_MONTH - 1 + months;

	return day_number_of(at / LAST_MONTH, at % LAST_MONTH + 1, day % DAY_MONTH);
}

void day_text(day_number day, char text[static DAY_TEXT_BYTES])
{
	(void)snprintf(text, DAY_TEXT_BYTES, "%04u-%02u-%02u", day / DAY_YEAR % 10000,
		       day % DAY_YEAR / DAY_MONTH, day % DAY_MONTH);
}

/* Warsaw is one or two hours ahead of UTC: the day is that of two hours later, or the one before
 * while it has not begun. */
day_number day_of(struct wall_ms t)
{
	static const int64_t AHEAD_MS = INT64_C(2) * 3600 * 1000;
	char text[25];
	struct moment day;

	for (int i = 0; i < 2; i++) {
		wall_format((struct wall_ms){t.ms + AHEAD_MS * (1 - i)}, text);
		text[10] = '\0';
		if (moment_parse(text, &day) == ERR_OK && day.first.ms <= t.ms)
			return date_first(text);
	}
	return 0;
}

struct wall_ms answer_moment(const struct api_context *x, const struct api_request *rq)
{
	const char *asked = request_param(rq, "as_of");
	struct moment m;

	if (asked && moment_parse(asked, &m) == ERR_OK)
		return m.last.ms < x->now.ms ? m.last : x->now;
	/* a position is no time: that of its entry stands for it */
	return x->past ? catalog_time(x->catalog) : x->now;
}

day_number answer_day(const struct api_context *x, const struct api_request *rq)
{
	return day_of(answer_moment(x, rq));
}

/* ---- owners ---- */

static const text_id *column_named(const struct catalog *c, enum record_kind kind, const char *name)
{
	const struct kind *info = kind_of(kind);
	int at = info ? field_named(info, name) : -1;

	return at < 0 ? NULL : catalog_column(c, kind, (size_t)at);
}

struct owners owners_of(const struct catalog *c, enum record_kind kind)
{
	return (struct owners){.c = c,
			       .ids = column_named(c, kind, "id"),
			       .regions = column_named(c, kind, "region")};
}

int owner_at(const struct owners *o, size_t row)
{
	const char *id = o->ids ? catalog_of(o->c, o->ids[row]) : "";
	int owner = id_owner(bytes_of_text(id));

	if (owner == REGION_NONE && o->regions)
		owner = region_by_code(bytes_of_text(catalog_of(o->c, o->regions[row])));
	return owner;
}

int row_owner(const struct catalog *c, enum record_kind kind, size_t row)
{
	struct owners o = owners_of(c, kind);

	return owner_at(&o, row);
}

const char *row_region(const struct catalog *c, enum record_kind kind, size_t row)
{
	int owner = row_owner(c, kind, row);

	return owner == REGION_NONE ? "" : region_at(owner)->code;
}
