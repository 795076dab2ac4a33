#include "api/lapse.h"

#include <stdio.h>
#include <string.h>

#include "api/sums.h"

enum { STATUS_YEARS = 5, TEXT_YEAR_BYTES = 4, SOON_MONTHS = 6, LATER_MONTHS = 12 };

const char *lapse_name(enum lapse_state s)
{
	static const char *const names[] = {
		[LAPSE_NOT_SOON] = NULL,
		[LAPSE_WITHIN_12_MONTHS] = "within_12_months",
		[LAPSE_WITHIN_6_MONTHS] = "within_6_months",
		[LAPSED] = "lapsed",
	};

	return names[s];
}

/* A status that ended, or that was not granted yet, does not lapse. */
static bool can_lapse(const char *status)
{
	static const char *const others[] = {"planned", "applied", "expired", "ceased", "deleted"};

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		if (strcmp(status, others[i]) == 0)
			return false;
	}
	return true;
}

/* The same day, month or year, as many years later. */
static bool years_later(const char *date, unsigned years, char ret[static DAY_TEXT_BYTES])
{
	day_number first = date_first(date);
	size_t size = strlen(date);

	if (first == 0 || size >= DAY_TEXT_BYTES)
		return false;
	(void)snprintf(ret, DAY_TEXT_BYTES, "%04u%s", (first / DAY_YEAR + years) % DAY_YEAR,
		       date + TEXT_YEAR_BYTES);
	if (date_last(ret) == 0) /* there is no 29 February then */
		ret[size - 1] = '8';
	return date_last(ret) != 0;
}

bool lapse_of_texts(const char *kind, const char *status, const char *valid_from,
		    const char *valid_to, day_number today, struct lapse *ret)
{
	if (strcmp(kind, "CIS") != 0 || !can_lapse(status))
		return false;
	ret->estimated = date_last(valid_to) == 0;
	if (!ret->estimated)
		(void)snprintf(ret->valid_to, sizeof ret->valid_to, "%s", valid_to);
	else if (!years_later(valid_from, STATUS_YEARS, ret->valid_to))
		return false;
	ret->last = date_last(ret->valid_to);
	ret->state = ret->last < today                                    ? LAPSED
		     : ret->last <= day_after_months(today, SOON_MONTHS)  ? LAPSE_WITHIN_6_MONTHS
		     : ret->last <= day_after_months(today, LATER_MONTHS) ? LAPSE_WITHIN_12_MONTHS
									  : LAPSE_NOT_SOON;
	return true;
}

bool lapse_of(const struct catalog *c, size_t entity, day_number today, struct lapse *ret)
{
	const enum record_kind kind = RECORD_ENTITY;

	return lapse_of_texts(text_at(c, kind, entity, column_of(kind, "kind")),
			      text_at(c, kind, entity, column_of(kind, "status")),
			      text_at(c, kind, entity, column_of(kind, "valid_from")),
			      text_at(c, kind, entity, column_of(kind, "valid_to")), today, ret);
}
