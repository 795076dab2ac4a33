#include "admin/as_of.h"

#include <time.h>

#include "base/day.h"
#include "admin/text.h"

enum {
	FOLD_WAIT_MS = 10000, /* a view that is behind gets so long to come */
	FOLD_ASK_MS = 50,
};

struct as_of {
	uint64_t at; /* a size; 0: a time */
	struct moment until;
};

static enum outcome take(struct cli *cli, const char **ret_text, struct as_of *ret)
{
	const char *size = cli_option(cli, "at");
	const char *text = cli_option(cli, "as-of");
	struct as_of as_of = {0};

	if (size && text)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"--at and --as-of say the same; give one of them");
	if (size && !text_number(size, &as_of.at))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"--at takes a size of the log, 1 or more, not \"%s\"", size);
	if (text && !text_number(text, &as_of.at) && moment_parse(text, &as_of.until) != ERR_OK)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"--as-of takes a day (2026-11-21), a time in UTC "
				"(2026-11-21T09:30:00Z) or a size of the log, 1 or more, not "
				"\"%s\"",
				text);
	*ret_text = size ? size : text;
	*ret = as_of;
	return DONE;
}

enum outcome as_of_check(struct cli *cli, const char **ret_text)
{
	struct as_of as_of = {0};
	enum outcome outcome = take(cli, ret_text, &as_of);

	if (outcome == DONE && *ret_text && !as_of.at && as_of.until.last.ms > wall_now().ms)
		cli_note(cli, "%s is not over: this is what it holds so far", *ret_text);
	return outcome;
}

static enum outcome not_there(struct link *l, const struct as_of *as_of, const char *text,
			      const struct control_reply *reply)
{
	if (reply->code == ERR_AGAIN && as_of->at > reply->size)
		return cli_fail(l->cli, FAILED, ERR_NOT_FOUND,
				"the log has only %s; no state of size %s was ever here",
				text_count(&l->cli->arena, reply->size, "entry", "entries"), text);
	if (reply->code == ERR_NOT_FOUND && !as_of->at)
		return cli_fail(l->cli, FAILED, ERR_NOT_FOUND,
				"nothing was recorded up to %s%s: the log begins later",
				as_of->until.day ? "the end of " : "", text);
	return link_refused(l, reply);
}

enum outcome as_of_find(struct link *l, uint64_t *ret_at)
{
	const struct timespec pause = {.tv_nsec = FOLD_ASK_MS * 1000000L};
	struct control_request q = {
		.verb = CONTROL_QUERY, .kind = RECORD_OPERATOR, .retired = true, .limit = 1};
	struct control_reply reply = {.code = ERR_AGAIN};
	struct arena arena = {0};
	struct as_of as_of = {0};
	const char *text = NULL;
	enum outcome outcome = take(l->cli, &text, &as_of);

	*ret_at = 0;
	if (outcome != DONE || !text)
		return outcome;
	q.at = as_of.at;
	q.until = as_of.until.last;
	for (int waited = 0; reply.code == ERR_AGAIN && outcome == DONE && waited < FOLD_WAIT_MS;
	     waited += FOLD_ASK_MS) {
		enum err e = ERR_OK;

		if (waited)
			(void)nanosleep(&pause, NULL);
		arena_reset(&arena);
		e = link_try(l, &q, &arena, &reply);
		if (e != ERR_OK)
			outcome = link_lost(l, e);
		else if (as_of.at > reply.size)
			break; /* it will not come */
	}
	if (outcome == DONE && reply.code != ERR_OK)
		outcome = not_there(l, &as_of, text, &reply);
	if (outcome == DONE)
		*ret_at = reply.position;
	arena_free(&arena);
	return outcome;
}
