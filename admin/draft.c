#include "admin/draft.h"

#include <string.h>

#include "admin/text.h"
#include "base/limits.h"

/* The event's exact bytes; `changes` is copied, since an event owns a changeable array. */
static enum err encode(const struct draft *d, size_t from, size_t end, struct arena *scratch,
		       struct buf *ret)
{
	struct event event = {.editor = "", .reason = d->reason, .source = d->source};
	enum err e = ERR_OK;

	event.change_count = end - from;
	event.changes = arena_alloc(scratch, event.change_count * sizeof *event.changes);
	if (!event.changes)
		return ERR_NOMEM;
	memcpy(event.changes, d->changes + from, event.change_count * sizeof *event.changes);
	e = event_encode(&event, scratch, ret);
	arena_reset(scratch);
	return e;
}

static enum err give_problems(const struct control_reply *reply, size_t from,
			      const struct problem_sink *sink)
{
	for (size_t i = 0; i < reply->problem_count; i++) {
		struct problem p = reply->problems[i];
		enum err e = ERR_OK;

		p.row += from;
		e = sink->take(sink->context, &p);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

static enum err keep_problem(void *context, const struct problem *p)
{
	struct draft_problems *all = context;
	const char *id = p->row < all->count ? all->changes[p->row].id : "";
	const struct finding f = {id, 0, p->column, p->value, p->code, p->text_pl, p->text_en};

	return findings_add(&all->findings, &f);
}

struct problem_sink draft_sink(struct draft_problems *problems)
{
	return (struct problem_sink){problems, keep_problem};
}

static void note_accepted(struct sent *sent, uint64_t index, size_t changes)
{
	if (!sent->events)
		sent->first = index;
	sent->last = index;
	sent->events++;
	sent->changes += changes;
}

void draft_send(struct link *l, const struct draft *d, bool dry_run,
		const struct problem_sink *sink, struct arena *arena, struct sent *ret)
{
	struct arena scratch = {0};
	struct buf raw = {0};
	struct sent sent = {0};
	size_t end = 0;

	for (size_t from = 0; from < d->count && sent.err == ERR_OK; from = end) {
		struct control_request q = {.verb = CONTROL_EDIT, .dry_run = dry_run};

		cli_progress(l->cli, dry_run ? "checking" : "sending", from, d->count);
		sent.at = from;
		end = draft_event_end(d, from, &scratch);
		buf_clear(&raw);
		sent.too_large = end == from;
		sent.err = sent.too_large ? ERR_LIMIT : encode(d, from, end, &scratch, &raw);
		if (sent.err != ERR_OK)
			break;
		q.draft = buf_bytes(&raw);
		sent.err = link_try(l, &q, arena, &sent.reply);
		sent.lost = sent.err != ERR_OK;
		if (sent.lost)
			break;
		sent.err = give_problems(&sent.reply, from, sink);
		if (sent.err == ERR_OK)
			sent.err = sent.reply.code;
		if (dry_run && sent.reply.problem_count && sent.err == ERR_INVALID)
			sent.err = ERR_OK; /* told by the sink; what others are wrong? */
		else if (sent.err == ERR_OK && !dry_run)
			note_accepted(&sent, sent.reply.index, end - from);
	}
	cli_progress(l->cli, "", 0, 0);
	arena_free(&scratch);
	buf_free(&raw);
	*ret = sent;
}

enum outcome draft_stopped(struct link *l, const struct sent *sent)
{
	const char *before =
		sent->events
			? text_in(&l->cli->arena,
				  " (%s accepted before that, in events %llu to %llu)",
				  text_count(&l->cli->arena, sent->changes, "change was",
					     "changes were"),
				  (unsigned long long)sent->first, (unsigned long long)sent->last)
			: "";

	if (sent->too_large)
		return cli_fail(l->cli, BAD_DATA, sent->err,
				"the record is too large for an event; shorten it%s", before);
	if (l->over)
		return link_lost(l, sent->err);
	if (sent->lost)
		return cli_fail(
			l->cli, UNREACHABLE, sent->err,
			"%s: %s%s; do the same again: what was accepted is found there, and "
			"the rest goes on",
			l->path, err_text(sent->err), before);
	if (sent->reply.code == ERR_OK)
		return cli_fail(l->cli, FAILED, sent->err, "%s%s", err_text(sent->err), before);
	return cli_fail(l->cli,
			sent->err == ERR_CONFLICT  ? CONFLICTED
			: sent->err == ERR_INVALID ? BAD_DATA
						   : FAILED,
			sent->err, "%s%s",
			*sent->reply.text ? sent->reply.text : err_text(sent->err), before);
}
