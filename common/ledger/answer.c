#include "ledger/answer.h"

#include <stdio.h>

#include "base/limits.h"

enum {
	/* Room that the rest of a reply takes beside its rows. */
	REPLY_SLACK_BYTES = 16 * 1024,
	ROWS_BYTES_MAX = CONTROL_BYTES_MAX - REPLY_SLACK_BYTES,
};

struct control_reply answer_plain(enum err code, const char *text)
{
	return (struct control_reply){
		.code = code,
		.text = text,
		.role = "",
		.identity = "",
		.realm = "",
		.state = "",
		.note = "",
	};
}

/* A refusal about `id` ("" when about none); OK, since the asker is told. */
static enum err refuse(struct control_reply *ret, enum err code, struct arena *arena,
		       const char *id, const char *what)
{
	char text[TEXT_BYTES_MAX + 1];
	const char *kept = NULL;
	uint64_t position = ret->position;

	(void)snprintf(text, sizeof text, "%s%s%s", id, *id ? ": " : "", what);
	kept = arena_text(arena, bytes_of_text(text));
	*ret = answer_plain(code, kept ? kept : what);
	ret->position = position;
	return ERR_OK;
}

/* The version of `id` as of q->at, of whatever kind when the asker named none: first of
 * the kind that the id's form says, then of any. */
static enum err find_record(const struct view *v, struct txn *t, const struct control_request *q,
			    struct arena *arena, struct version *ret)
{
	struct bytes id = bytes_of_text(q->id);
	enum record_kind likely = q->kind != RECORD_NONE ? q->kind : kind_of_id(id);
	uint64_t at = q->history ? 0 : q->at;
	enum err e = ERR_NOT_FOUND;

	if (likely != RECORD_NONE)
		e = view_get_at(v, t, likely, id, at, arena, ret);
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		if (e != ERR_NOT_FOUND || q->kind != RECORD_NONE)
			break;
		if ((enum record_kind)k != likely)
			e = view_get_at(v, t, (enum record_kind)k, id, at, arena, ret);
	}
	return e;
}

static enum err answer_record(const struct view *v, struct txn *t, const struct control_request *q,
			      struct arena *arena, struct control_reply *ret)
{
	struct version *found = arena_alloc(arena, sizeof *found);
	enum err e = ERR_OK;

	if (!found)
		return ERR_NOMEM;
	e = find_record(v, t, q, arena, found);
	if (e == ERR_NOT_FOUND)
		return refuse(ret, ERR_NOT_FOUND, arena, q->id,
			      "no record has this id; `splotctl list` shows those there are");
	if (e != ERR_OK)
		return e;
	if (found->change.retired && !q->retired)
		return refuse(ret, ERR_NOT_FOUND, arena, q->id,
			      "the record is retired; `splotctl history` shows what it was");
	ret->versions = found;
	ret->version_count = 1;
	return ERR_OK;
}

static enum err answer_history(const struct view *v, struct txn *t, const struct control_request *q,
			       size_t limit, struct arena *arena, struct control_reply *ret)
{
	const struct version_place before = {q->at, q->before_index};
	struct version newest;
	struct version *rows = arena_alloc(arena, limit * sizeof *rows);
	enum err e = ERR_OK;

	if (!rows)
		return ERR_NOMEM;
	e = find_record(v, t, q, arena, &newest);
	if (e == ERR_NOT_FOUND)
		return refuse(ret, ERR_NOT_FOUND, arena, q->id,
			      "no record ever had this id; `splotctl list` shows those there are");
	if (e != ERR_OK)
		return e;
	e = view_history(v, t, newest.change.kind, bytes_of_text(q->id), before, limit,
			 ROWS_BYTES_MAX, arena, rows, &ret->version_count, &ret->more);
	ret->versions = rows;
	return e;
}

static enum err answer_list(const struct view *v, struct txn *t, const struct control_request *q,
			    size_t limit, struct arena *arena, struct control_reply *ret)
{
	struct version *rows = NULL;
	enum err e = ERR_OK;

	if (!kind_of(q->kind))
		return refuse(ret, ERR_ARGUMENT, arena, "",
			      "say which kind to list: operator, entity, network, membership or "
			      "statistic");
	rows = arena_alloc(arena, limit * sizeof *rows);
	if (!rows)
		return ERR_NOMEM;
	e = view_list(v, t, q->kind, q->after ? q->after : "", q->at, q->retired, limit,
		      ROWS_BYTES_MAX, arena, rows, &ret->version_count, &ret->more);
	ret->versions = rows;
	return e;
}

static enum err answer_query(const struct view *v, struct txn *t, const struct control_request *q,
			     struct arena *arena, struct control_reply *ret)
{
	size_t limit = q->limit && q->limit < QUERY_ROWS_MAX ? q->limit : QUERY_ROWS_MAX;
	bool named = q->id && q->id[0];

	if (q->at > ret->position)
		return refuse(ret, ERR_AGAIN, arena, "",
			      "the view has not folded that far yet; ask again in a moment, or "
			      "without a position");
	if (named && q->history)
		return answer_history(v, t, q, limit, arena, ret);
	if (q->at)
		ret->position = q->at;
	if (named)
		return answer_record(v, t, q, arena, ret);
	if (q->history)
		return refuse(ret, ERR_ARGUMENT, arena, "", "a history needs a record's id");
	return answer_list(v, t, q, limit, arena, ret);
}

static enum err answer_summary(const struct view *v, struct txn *t, const struct control_request *q,
			       struct arena *arena, struct control_reply *ret)
{
	const struct count_row *last = &q->after_count;
	const struct count after = {last->metric, last->region, last->kind, last->key, 0};
	bool anew = !last->metric || !*last->metric;
	struct count *found = NULL;
	struct count_row *rows = NULL;
	size_t count = 0;
	enum err e = view_counts(v, t, anew ? NULL : &after, ROWS_BYTES_MAX, arena, &found, &count,
				 &ret->more);

	if (e != ERR_OK)
		return e;
	rows = arena_alloc(arena, (count + 1) * sizeof *rows);
	if (!rows)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		rows[i] = (struct count_row){.metric = found[i].metric,
					     .region = found[i].region,
					     .kind = found[i].kind,
					     .key = found[i].key,
					     .value = found[i].value};
	ret->counts = rows;
	ret->count_count = count;
	return ERR_OK;
}

enum err answer_until(const struct log *followed, struct txn *t, struct control_request *q,
		      struct control_reply *ret)
{
	uint64_t size = 0;
	enum err e = ERR_OK;

	if (q->verb != CONTROL_QUERY || q->at || !q->until.ms)
		return ERR_OK;
	e = log_size_at(followed, t, q->until, &size);
	if (e == ERR_OK && size == 0)
		e = ERR_NOT_FOUND;
	if (e == ERR_OK)
		q->at = size;
	else
		*ret = answer_plain(e, e == ERR_NOT_FOUND
					       ? "the log begins later: nothing was recorded yet"
					       : err_text(e));
	return e;
}

enum err answer_view(const struct view *v, struct txn *t, const struct control_request *q,
		     struct arena *arena, struct control_reply *ret)
{
	enum err e = ERR_OK;

	*ret = answer_plain(ERR_OK, "");
	e = view_position(v, t, &ret->position);
	if (e == ERR_OK) {
		if (q->verb == CONTROL_QUERY)
			e = answer_query(v, t, q, arena, ret);
		else if (q->verb == CONTROL_SUMMARY)
			e = answer_summary(v, t, q, arena, ret);
		else
			e = ERR_ARGUMENT;
	}
	if (e != ERR_OK)
		*ret = answer_plain(e, err_text(e));
	return e;
}
