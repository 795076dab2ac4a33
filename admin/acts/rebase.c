#include "admin/acts/rebase.h"

#include <string.h>

#include "admin/log/difference.h"
#include "admin/draft.h"
#include "admin/merge.h"
#include "admin/text.h"
#include "base/time.h"

/* What becomes of one orphaned change. */
enum fate {
	FATE_APPLY,
	FATE_SENT,    /* in an earlier run */
	FATE_SAME,    /* the node has it as the change wants it */
	FATE_BOTH,    /* the other history changed the record too: left alone */
	FATE_ENDED,   /* the record was retired: left alone */
	FATE_UNKNOWN, /* a kind of record that is not known here: left alone */
	FATE_REFUSED, /* it was sent; a rule of the register refused it or a neighbour */
	FATE_COUNT
};

static const struct {
	const char *code; /* in JSON */
	const char *text; /* for people; NULL: what is done, or would be */
} fates[FATE_COUNT] = {
	[FATE_APPLY] = {"applies", NULL},
	[FATE_SENT] = {"sent-before", "sent before"},
	[FATE_SAME] = {"same", "nothing to do, the register says the same"},
	[FATE_BOTH] = {"both-changed", "left alone"},
	[FATE_ENDED] = {"ended", "left alone: the record was retired, its id is never used again"},
	[FATE_UNKNOWN] = {"unknown-kind", "left alone: a kind of record that is not known here"},
	[FATE_REFUSED] = {"refused", "left alone: the rules of the register refuse the event"},
};

struct verdict {
	enum fate fate;
	struct touched *record;
	struct change change;        /* that would be sent */
	const struct record *before; /* as the node has it */
};

struct run {
	struct rebase *r;
	bool send, mine;
	struct buf out;
	struct json j;
	size_t counts[FATE_COUNT];
	size_t events;       /* that are sent, or would be */
	size_t other_events; /* acts, redacted and unreadable ones */
	size_t refused;      /* events that break a rule of the register */
};

/* ---- what becomes of a change ---- */

static enum outcome load(struct rebase *r, struct touched *t)
{
	const struct version *v = NULL;
	enum err e = ERR_OK;

	if (t->loaded)
		return DONE;
	e = link_find(&r->link, RECORD_NONE, t->id, 0, &v);
	if (e != ERR_OK)
		return link_lost(&r->link, e);
	t->loaded = true;
	t->exists = v != NULL;
	t->retired = v && v->change.retired;
	t->index = v ? v->index : 0;
	t->record = v ? v->change.record : NULL;
	return DONE;
}

/* The record before an orphaned change, in its own history: NULL when it began with it. */
static enum outcome record_before(struct rebase *r, const struct orphan *o, const char *id,
				  const struct record **ret)
{
	const struct version *v = NULL;
	enum err e = ERR_OK;

	*ret = NULL;
	for (const struct orphan *at = o; at-- > r->orphans;) {
		for (size_t c = at->event.change_count; c-- > 0;) {
			if (!strcmp(at->event.changes[c].id, id)) {
				*ret = at->event.changes[c].record;
				return DONE;
			}
		}
	}
	if (!r->fork)
		return DONE;
	e = link_find(&r->link, RECORD_NONE, id, r->fork, &v);
	if (e != ERR_OK)
		return link_lost(&r->link, e);
	*ret = v ? v->change.record : NULL;
	return DONE;
}

/* The node's record with the fields that the orphaned change changed. */
static enum outcome merged(struct rebase *r, const struct orphan *o, const struct change *c,
			   const struct record *now, const struct record **ret)
{
	struct arena *arena = &r->cli->arena;
	struct record *made = record_copy(arena, now);
	const struct kind *kind = record_info(c->record);
	const struct record *before = NULL;
	enum outcome outcome = record_before(r, o, c->id, &before);
	enum err e = made ? ERR_OK : ERR_NOMEM;

	if (before && record_kind(before) != record_kind(c->record))
		before = NULL;
	for (size_t f = 0; outcome == DONE && e == ERR_OK && f < kind->field_count; f++) {
		const char *text = record_get(c->record, f);

		if (merge_field(before ? record_get(before, f) : "", record_get(made, f), text) !=
		    MERGE_KEEP)
			e = record_set(made, arena, f, bytes_of_text(text));
	}
	*ret = made;
	return e == ERR_OK ? outcome : cli_fail(r->cli, FAILED, e, "%s: %s", c->id, err_text(e));
}

static bool is_there(const struct touched *t, const struct change *c)
{
	if (c->retired || !t->exists || t->retired)
		return c->retired && (t->retired || !t->exists);
	return t->record && record_kind(t->record) == record_kind(c->record) &&
	       record_same(t->record, c->record);
}

/* What the change would make of the record as it is now. */
static enum outcome judge_free(struct rebase *r, const struct orphan *o, const struct change *c,
			       struct verdict *v)
{
	const struct touched *t = v->record;
	enum outcome outcome = DONE;

	v->change = (struct change){.id = c->id,
				    .kind = c->kind,
				    .has_supersedes = t->exists,
				    .supersedes = t->index,
				    .retired = c->retired,
				    .record = c->record};
	if (t->elsewhere && c->record && t->record &&
	    record_kind(t->record) == record_kind(c->record))
		outcome = merged(r, o, c, t->record, &v->change.record);
	v->fate = outcome == DONE && is_there(t, &v->change) ? FATE_SAME : FATE_APPLY;
	return outcome;
}

static enum outcome judge(const struct run *run, const struct orphan *o, size_t place,
			  struct verdict *ret)
{
	const struct change *c = &o->event.changes[place];
	struct verdict v = {.record = rebase_touched(run->r, c->id)};
	enum outcome outcome = load(run->r, v.record);

	if (outcome != DONE)
		return outcome;
	v.before = v.record->retired ? NULL : v.record->record;
	v.change = *c;
	if (!c->retired && !c->record)
		v.fate = FATE_UNKNOWN;
	else if (o->sent[place])
		v.fate = FATE_SENT;
	else if (is_there(v.record, c))
		v.fate = FATE_SAME;
	else if (v.record->retired)
		v.fate = FATE_ENDED;
	else
		outcome = judge_free(run->r, o, c, &v);
	if (v.fate == FATE_APPLY && v.record->elsewhere && !run->mine)
		v.fate = FATE_BOTH;
	*ret = v;
	return outcome;
}

/* What later changes of the record will find; after sending it is asked for. */
static void take_effect(const struct run *run, const struct verdict *v)
{
	struct touched *t = v->record;

	if (v->fate != FATE_APPLY)
		return;
	t->loaded = !run->send;
	t->exists = true;
	t->retired = v->change.retired;
	t->record = v->change.record;
}

/* ---- telling ---- */

static void tell_state(struct run *run, const struct verdict *v)
{
	const char *effect = v->change.retired ? "retired" : v->before ? "changed" : "added";

	if (fates[v->fate].text)
		buf_add_text(&run->out, fates[v->fate].text);
	else
		buf_printf(&run->out, "%s%s", run->send ? "" : "would be ", effect);
	if (v->fate == FATE_BOTH)
		buf_printf(&run->out,
			   ": event %llu of the node's log changed it too (with --mine, the fields "
			   "that were changed here count)",
			   (unsigned long long)v->record->by);
	buf_add_text(&run->out, "\n");
}

static void tell_change(struct run *run, const struct verdict *v)
{
	bool differs = v->fate == FATE_APPLY || v->fate == FATE_BOTH || v->fate == FATE_REFUSED;
	const struct record *after = differs ? v->change.record : NULL;

	if (!run->r->cli->json) {
		buf_add_text(&run->out, "  ");
		text_escape(&run->out, v->change.id);
		buf_add_text(&run->out, ": ");
		tell_state(run, v);
		difference_print(v->before, after, "    ", &run->out);
		return;
	}
	json_open(&run->j, '{');
	json_field_text(&run->j, "id", v->change.id);
	json_field_text(&run->j, "fate", fates[v->fate].code);
	if (v->record->elsewhere)
		json_field_uint(&run->j, "changed_here_by", v->record->by);
	json_field_bool(&run->j, "retired", v->change.retired);
	json_key(&run->j, "fields");
	difference_json(v->before, after, true, &run->j);
	json_close(&run->j, '}');
}

static void tell_event(struct run *run, const struct orphan *o)
{
	char when[25];

	wall_format(o->event.recorded, when);
	if (!run->r->cli->json) {
		buf_printf(&run->out, "event %llu, %s, ", (unsigned long long)o->index, when);
		text_escape(&run->out, o->event.editor);
		buf_add_text(&run->out, ": ");
		text_escape(&run->out, o->event.reason);
		if (*o->event.source) {
			buf_add_text(&run->out, " (");
			text_escape(&run->out, o->event.source);
			buf_add_text(&run->out, ")");
		}
		buf_add_text(&run->out, "\n");
		return;
	}
	json_field_text(&run->j, "recorded", when);
	json_field_text(&run->j, "editor", o->event.editor);
	json_field_text(&run->j, "reason", o->event.reason);
	json_field_text(&run->j, "source", o->event.source);
}

/* An event that is no edit of records: it is named, and left alone. */
static void tell_other(struct run *run, const struct orphan *o)
{
	static const struct {
		const char *code, *text;
	} words[] = {
		[ORPHAN_ACT] = {"act", "an act of the log itself (keys): left alone; do it again "
				       "where it is still wanted"},
		[ORPHAN_REDACTED] = {"redacted", "redacted: its bytes are erased, left alone"},
		[ORPHAN_UNREADABLE] = {"unreadable", "not understood by this program: left alone"},
	};

	run->other_events++;
	if (run->r->cli->json)
		json_field_text(&run->j, "kind", words[o->state].code);
	else
		buf_printf(&run->out, "event %llu: %s\n", (unsigned long long)o->index,
			   words[o->state].text);
}

/* ---- sending ---- */

static void tell_problems(struct run *run, const struct findings *fs)
{
	bool polish = run->r->cli->polish;

	if (run->r->cli->json) {
		json_key(&run->j, "problems");
		json_open(&run->j, '[');
	} else {
		buf_add_text(&run->out, "  refused:\n");
	}
	for (size_t i = 0; i < fs->count; i++) {
		if (run->r->cli->json)
			finding_json(&fs->items[i], polish, &run->j);
		else
			finding_print(&fs->items[i], polish, &run->out);
	}
	if (run->r->cli->json)
		json_close(&run->j, ']');
}

/* Sends what applies of one event; *ret_done false: the register's rules refused it. */
static enum outcome send_event(struct run *run, const struct orphan *o,
			       const struct change *changes, size_t count, bool *ret_done)
{
	struct rebase *r = run->r;
	const struct draft draft = {o->reason, o->event.source, changes, count};
	struct draft_problems problems = {.changes = changes, .count = count};
	const struct problem_sink sink = draft_sink(&problems);
	struct sent sent;
	enum outcome outcome = DONE;

	draft_send(&r->link, &draft, false, &sink, &r->cli->arena, &sent);
	*ret_done = sent.err == ERR_OK;
	if (!sent.lost && sent.err == ERR_INVALID && problems.findings.count)
		tell_problems(run, &problems.findings);
	else if (sent.err != ERR_OK)
		outcome = draft_stopped(&r->link, &sent);
	if (*ret_done && r->cli->json) {
		json_field_uint(&run->j, "sent_first", sent.first);
		json_field_uint(&run->j, "sent_last", sent.last);
	}
	findings_free(&problems.findings);
	return outcome;
}

/* ---- one event, all events ---- */

static enum outcome judge_all(struct run *run, const struct orphan *o, struct verdict *verdicts,
			      struct change *changes, size_t *ret_count)
{
	enum outcome outcome = DONE;

	*ret_count = 0;
	for (size_t c = 0; c < o->event.change_count && outcome == DONE; c++) {
		outcome = judge(run, o, c, &verdicts[c]);
		if (outcome == DONE && verdicts[c].fate == FATE_APPLY)
			changes[(*ret_count)++] = verdicts[c].change;
	}
	return outcome;
}

static enum outcome go_event(struct run *run, const struct orphan *o)
{
	struct cli *cli = run->r->cli;
	size_t all = o->event.change_count;
	struct verdict *verdicts = arena_alloc(&cli->arena, all * sizeof *verdicts);
	struct change *changes = arena_alloc(&cli->arena, all * sizeof *changes);
	size_t count = 0;
	bool done = false;
	enum outcome outcome = DONE;

	if (!verdicts || !changes)
		return cli_fail(cli, FAILED, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	outcome = judge_all(run, o, verdicts, changes, &count);
	if (outcome != DONE)
		return outcome;
	tell_event(run, o);
	if (run->send && count)
		outcome = send_event(run, o, changes, count, &done);
	if (outcome != DONE)
		return outcome;
	run->refused += run->send && count && !done;
	run->events += count && (done || !run->send);
	if (cli->json) {
		json_key(&run->j, "changes");
		json_open(&run->j, '[');
	}
	for (size_t c = 0; c < all; c++) {
		if (verdicts[c].fate == FATE_APPLY && run->send && !done)
			verdicts[c].fate = FATE_REFUSED;
		run->counts[verdicts[c].fate]++;
		tell_change(run, &verdicts[c]);
		take_effect(run, &verdicts[c]);
	}
	if (cli->json)
		json_close(&run->j, ']');
	return DONE;
}

static void tell_beginning(struct run *run)
{
	const struct rebase *r = run->r;
	struct arena *arena = &r->cli->arena;

	if (!r->cli->json) {
		buf_printf(&run->out, "%s and this node hold the same first %s of %s; behind them ",
			   r->folder, text_count(arena, r->fork, "event", "events"), r->origin);
		buf_printf(&run->out, "%s orphaned, and the node has %s\n",
			   text_count(arena, r->orphan_count, "event is", "events are"),
			   text_count(arena, r->node_size - r->fork, "other", "others"));
		return;
	}
	json_open(&run->j, '{');
	json_field_text(&run->j, "origin", r->origin);
	json_field_uint(&run->j, "fork", r->fork);
	json_field_uint(&run->j, "orphaned_size", r->old_size);
	json_field_uint(&run->j, "size", r->node_size);
	json_field_bool(&run->j, "sent", run->send);
	json_key(&run->j, "events");
	json_open(&run->j, '[');
}

static size_t left_alone(const struct run *run)
{
	return run->counts[FATE_BOTH] + run->counts[FATE_ENDED] + run->counts[FATE_UNKNOWN];
}

static void tell_end(struct run *run)
{
	const struct rebase *r = run->r;
	struct arena *arena = &r->cli->arena;

	if (r->cli->json) {
		json_close(&run->j, ']');
		json_field_uint(&run->j, "applies", run->counts[FATE_APPLY]);
		json_field_uint(&run->j, "left_alone", left_alone(run));
		json_field_uint(&run->j, "refused_events", run->refused);
		json_field_uint(&run->j, "other_events", run->other_events);
		json_close(&run->j, '}');
		buf_add_text(&run->out, "\n");
		return;
	}
	buf_printf(&run->out, "%s %s in %s",
		   text_count(arena, run->counts[FATE_APPLY], "change", "changes"),
		   run->send ? "sent" : "would be sent",
		   text_count(arena, run->events, "event", "events"));
	if (left_alone(run))
		buf_printf(&run->out, ", %zu left alone", left_alone(run));
	if (run->refused)
		buf_printf(&run->out, ", %s refused",
			   text_count(arena, run->refused, "event", "events"));
	buf_add_text(&run->out, "\n");
}

static enum outcome go_all(struct run *run)
{
	struct rebase *r = run->r;
	enum outcome outcome = DONE;

	for (size_t i = 0; i < r->orphan_count && outcome == DONE; i++) {
		const struct orphan *o = &r->orphans[i];

		if (r->cli->json) {
			json_open(&run->j, '{');
			json_field_uint(&run->j, "index", o->index);
		}
		if (o->state == ORPHAN_CHANGES)
			outcome = go_event(run, o);
		else
			tell_other(run, o);
		if (r->cli->json)
			json_close(&run->j, '}');
	}
	return outcome;
}

enum outcome rebase_go(struct rebase *r, bool send, bool mine)
{
	struct run run = {.r = r, .send = send, .mine = mine};
	enum outcome outcome = DONE;
	enum outcome told = DONE;

	run.j = json_to(&run.out);
	tell_beginning(&run);
	outcome = go_all(&run);
	if (outcome == DONE)
		tell_end(&run);
	if (outcome == DONE || !r->cli->json) /* what was done before it stopped, too */
		told = cli_print(r->cli, &run.out);
	if (outcome == DONE)
		outcome = told;
	if (outcome == DONE && !send && run.counts[FATE_APPLY])
		cli_note(r->cli, "nothing was sent; splotctl recover --rebase %s --yes%s sends it",
			 r->folder, mine ? " --mine" : "");
	buf_free(&run.out);
	if (outcome != DONE || !send)
		return outcome;
	return run.refused ? BAD_DATA : left_alone(&run) ? CONFLICTED : DONE;
}
