/* as_of: a day, a time or a position, and the state of the register that it means. */
#include <inttypes.h>

#include "api/pieces.h"
#include "api/request.h"
#include "base/day.h"

static const char how[] = "as_of takes a day (2026-11-21: its end in Poland), a time in UTC "
			  "(2026-11-21T09:30:00Z) or a position (118).";

static enum err beyond(struct api_answer *ret, uint64_t asked, uint64_t position)
{
	return problem_missing(ret, "Ask for a position that is reached, or without as_of for now.",
			       "Position %" PRIu64
			       " is not reached yet: this register is at %" PRIu64 ".",
			       asked, position);
}

enum err api_position(const struct view *v, struct txn *t, const struct api_request *rq,
		      struct wall_ms now, uint64_t *ret_position, bool *ret_past,
		      struct api_answer *ret)
{
	/* Where it means nothing, no register of the past is made before that is said. */
	const char *asked = request_has_past(rq) ? request_param(rq, "as_of") : NULL;
	struct moment moment = {.day = false};
	uint64_t wanted = 0;
	uint64_t position = 0;
	bool number = asked && number_parse(bytes_of_text(asked), &wanted);
	enum err problem = ERR_OK;
	enum err e = ERR_OK;

	if (asked && !number && moment_parse(asked, &moment) != ERR_OK) {
		problem = problem_invalid(ret, how, "as_of=%s is no moment.", asked);
		return problem == ERR_OK ? ERR_INVALID : problem;
	}
	e = view_position(v, t, &position);
	if (e == ERR_OK && number && wanted > position) {
		problem = beyond(ret, wanted, position);
		return problem == ERR_OK ? ERR_NOT_FOUND : problem;
	}
	if (e == ERR_OK && asked && !number && moment.last.ms < now.ms)
		e = view_position_at(v, t, moment.last, &wanted);
	if (e != ERR_OK) {
		problem = problem_of(ret, e);
		return problem == ERR_OK ? e : problem;
	}
	*ret_past = number || (asked && moment.last.ms < now.ms);
	*ret_position = *ret_past ? wanted : position;
	return ERR_OK;
}
