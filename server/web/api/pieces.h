/* Pieces of JSON that several answers have in common, and the days that they speak of.
 *
 * Inside the api layer. */
#ifndef SPLOT_API_PIECES_H
#define SPLOT_API_PIECES_H

#include "api/api.h"
#include "model/json.h"

/* ---- an object answer ---- */

/* The parameter's value; NULL when it was not given. */
const char *request_param(const struct api_request *rq, const char *name);

/* Opens the object: position, time, as_of.  Says JSON, 200, and `settled` for a past answer. */
struct json answer_begin(const struct api_context *x, const struct api_request *rq,
			 struct api_answer *ret);
/* Closes it; NOMEM when any of it could not be written. */
MUST_USE enum err answer_end(struct json *j, struct api_answer *ret);

/* ---- members ---- */

void write_or_null(struct json *j, const char *key, const char *text); /* "": null */
void write_time(struct json *j, const char *key, struct wall_ms t);    /* 0: null */
void write_uint_or_null(struct json *j, const char *key, bool known, uint64_t x);
/* {"log","index","position","recorded"} of a row's present version. */
void write_version(struct json *j, const char *key, const struct row_origin *o);

/* One statistic: {"id","region","kind","measure","qualifier","value","value_max","unit","as_of",
 * "reported_by","source"}. */
void write_stat(struct json *j, const struct catalog *c, size_t row);

/* ---- days ---- */

/* A day as year * 10000 + month * 100 + day, so that days compare as numbers; 0: unknown. */
typedef uint32_t day_number;
enum { DAY_YEAR = 10000, DAY_MONTH = 100, DAY_TEXT_BYTES = 16 };

/* First and last day that a date, maybe reduced ("2019", "2016-03"), can mean; 0 for no date. */
day_number date_first(const char *text);
day_number date_last(const char *text);
/* Months later, as a bound: the day may be one that no calendar has. */
day_number day_after_months(day_number day, unsigned months);
void day_text(day_number day, char text[static DAY_TEXT_BYTES]); /* "2026-11-22" */
/* The day in Warsaw of a time. */
day_number day_of(struct wall_ms t);

/* The moment that the answer speaks of: now, or that of as_of. */
struct wall_ms answer_moment(const struct api_context *x, const struct api_request *rq);
day_number answer_day(const struct api_context *x, const struct api_request *rq);

/* ---- owners ---- */

/* The columns that say whose a kind's rows are: for passes over all of them. */
struct owners {
	const struct catalog *c;
	const text_id *ids, *regions; /* NULL: no such column */
};
struct owners owners_of(const struct catalog *c, enum record_kind kind);
/* The region whose record a row is: by its id, else by its column; REGION_NONE. */
int owner_at(const struct owners *o, size_t row);

int row_owner(const struct catalog *c, enum record_kind kind, size_t row);
/* Its code, "" for none. */
const char *row_region(const struct catalog *c, enum record_kind kind, size_t row);

#endif
