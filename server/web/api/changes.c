/* What changed, newest first, as far as it fits what was asked for. */
#include <stdio.h>
#include <string.h>

#include "api/endpoints.h"
#include "api/pieces.h"
#include "api/request.h"
#include "api/step.h"
#include "base/day.h"

enum {
	CHANGES_LIMIT = 50,
	CHANGES_LIMIT_MAX = 200,
	CHANGES_SCANNED_MAX = 2000,     /* looked through for one answer */
	CHANGES_RUN = 100,              /* read at once */
	CHANGES_RUN_BYTES = 256 * 1024, /* of encoded versions */
	CURSOR_BYTES = 80,
};

struct wanted {
	const char *region, *entity_kind, *id, *log, *editor, *field; /* NULL: any */
	enum record_kind kind;                                        /* RECORD_NONE: any */
	struct wall_ms from, to; /* first and last moment; only with has_ */
	bool has_from, has_to;
	uint64_t limit;
	struct change_place before;
	bool has_before;
};

/* ---- what was asked ---- */

static bool is_value(const char *values, const char *text)
{
	size_t size = strlen(text);

	for (; *values; values += strcspn(values, " "), values += *values == ' ')
		if (size && strncmp(values, text, size) == 0 &&
		    (values[size] == ' ' || !values[size]))
			return true;
	return false;
}

static bool is_entity_kind(const char *text)
{
	const struct kind *entity = kind_of(RECORD_ENTITY);
	int at = entity ? field_named(entity, "kind") : -1;

	return at >= 0 && is_value(entity->fields[at].values, text);
}

static bool is_column(const char *text)
{
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++)
		if (kind_of((enum record_kind)k) &&
		    field_named(kind_of((enum record_kind)k), text) >= 0)
			return true;
	return false;
}

static bool is_kind(const char *text)
{
	const struct kind *kind = kind_named(text);

	return kind && strcmp(kind->name, text) == 0;
}

static bool is_region_code(const char *text)
{
	return region_by_code(bytes_of_text(text)) != REGION_NONE;
}

static bool is_log(const char *text)
{
	struct log_name log;

	return log_name_parse(bytes_of_text(text), &log) == ERR_OK;
}

static bool is_day(const char *text)
{
	struct moment day;

	return moment_parse(text, &day) == ERR_OK && day.day;
}

static bool is_place(const char *text)
{
	uint64_t numbers[3];

	return numbers_parse(text, numbers, 3) && numbers[2] <= UINT32_MAX;
}

static bool is_text(const char *text)
{
	return *text != '\0';
}

static const struct {
	const char *name;
	bool (*fits)(const char *text);
	const char *next;
} checks[] = {
	{"region", is_region_code, "Give a region's code, 02 to 32, or PL."},
	{"kind", is_kind, "Give operator, entity, network, membership or statistic."},
	{"entity_kind", is_entity_kind, "Give CIS, KIS, WTZ or ZAZ."},
	{"id", is_text, "Give a record's id."},
	{"log", is_log, "Give a log's name, such as 26 or 26/2."},
	{"editor", is_text, "Give an editor's pseudonym, such as e01."},
	{"field", is_column, "Give a column's name: " API_ROOT "/columns has them."},
	{"from", is_day, "Give a day, such as 2026-11-21."},
	{"to", is_day, "Give a day, such as 2026-11-21."},
	{"before", is_place, "Begin without before, and follow next."},
};

static void take_days(const struct api_request *rq, struct wanted *w)
{
	const char *from = request_param(rq, "from");
	const char *to = request_param(rq, "to");
	struct moment day;

	w->has_from = from && moment_parse(from, &day) == ERR_OK;
	if (w->has_from)
		w->from = day.first;
	w->has_to = to && moment_parse(to, &day) == ERR_OK;
	if (w->has_to)
		w->to = day.last;
}

/* A cursor behind the state that was asked for is its end. */
static void take_before(const struct api_context *x, const struct api_request *rq, struct wanted *w)
{
	const char *text = request_param(rq, "before");
	uint64_t numbers[3];

	w->has_before = text && numbers_parse(text, numbers, 3) &&
			numbers[0] < catalog_position(x->catalog);
	if (w->has_before)
		w->before = (struct change_place){numbers[0], numbers[1], (uint32_t)numbers[2]};
}

/* `ret_fine` false: `ret` is the problem. */
static enum err take_wanted(const struct api_context *x, const struct api_request *rq,
			    struct wanted *w, struct api_answer *ret, bool *ret_fine)
{
	const char *kind = request_param(rq, "kind");

	*ret_fine = false;
	for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
		const char *text = request_param(rq, checks[i].name);

		if (text && !checks[i].fits(text))
			return problem_invalid(ret, checks[i].next, "%s=%s is not allowed.",
					       checks[i].name, text);
	}
	if (!request_number(rq, "limit", CHANGES_LIMIT, CHANGES_LIMIT_MAX, &w->limit))
		return problem_invalid(ret, "Give a number from 1 to 200.",
				       "limit=%s is no such number.", request_param(rq, "limit"));
	w->region = request_param(rq, "region");
	w->entity_kind = request_param(rq, "entity_kind");
	w->id = request_param(rq, "id");
	w->log = request_param(rq, "log");
	w->editor = request_param(rq, "editor");
	w->field = request_param(rq, "field");
	w->kind = kind ? kind_named(kind)->kind : RECORD_NONE;
	take_days(rq, w);
	take_before(x, rq, w);
	*ret_fine = true;
	return ERR_OK;
}

/* ---- what fits ---- */

static bool differs(const char *wanted, const char *text)
{
	return wanted && strcmp(wanted, text) != 0;
}

/* As far as the version alone tells. */
static bool version_fits(const struct wanted *w, const struct version *v)
{
	return !differs(w->id, v->change.id) && !differs(w->log, v->log.text) &&
	       !differs(w->editor, v->editor) && (!w->kind || w->kind == v->change.kind) &&
	       (!w->entity_kind || v->change.kind == RECORD_ENTITY) &&
	       (!w->has_from || v->recorded.ms >= w->from.ms) &&
	       (!w->has_to || v->recorded.ms <= w->to.ms) && kind_of(v->change.kind);
}

static const struct record *shown_record(const struct step *s)
{
	return s->now->change.record ? s->now->change.record : s->before;
}

static bool step_fits(const struct wanted *w, const struct step *s)
{
	const struct record *r = shown_record(s);

	return !differs(w->region, record_region(s->now->change.id, r)) &&
	       (!w->entity_kind || (r && !differs(w->entity_kind, record_get_named(r, "kind")))) &&
	       (!w->field || step_has(s, w->field));
}

/* ---- the answer ---- */

struct changes {
	const struct api_context *x;
	const struct wanted *wanted;
	struct json *json;
	struct view_change *run; /* CHANGES_RUN of them */
	struct arena arena;      /* of the run */
	struct change_place last;
	size_t scanned, written;
	bool more; /* behind `last` */
};

static void format_place(const struct change_place *p, char text[static CURSOR_BYTES])
{
	(void)snprintf(text, CURSOR_BYTES, "%llu-%llu-%u", (unsigned long long)p->position,
		       (unsigned long long)p->index, (unsigned)p->number);
}

static void write_change(struct changes *c, const struct view_change *change, const struct step *s)
{
	struct json *j = c->json;
	char place[CURSOR_BYTES];

	format_place(&change->place, place);
	json_open(j, '{');
	json_field_text(j, "place", place);
	json_field_text(j, "kind", kind_of(s->now->change.kind)->name);
	json_field_text(j, "id", s->now->change.id);
	json_field_text(j, "title", s->title);
	write_or_null(j, "region", record_region(s->now->change.id, shown_record(s)));
	write_step(j, c->x, s);
	json_close(j, '}');
}

static enum err look_at(struct changes *c, const struct view_change *change)
{
	struct step s;
	enum err e = ERR_OK;

	c->last = change->place;
	c->scanned++;
	if (!version_fits(c->wanted, &change->version))
		return ERR_OK;
	e = step_of(c->x, &change->version, &c->arena, &s);
	if (e == ERR_OK && step_fits(c->wanted, &s)) {
		write_change(c, change, &s);
		c->written++;
	}
	return e;
}

static bool is_full(const struct changes *c)
{
	return c->written >= c->wanted->limit || c->scanned >= CHANGES_SCANNED_MAX;
}

static enum err look_through(struct changes *c)
{
	const uint64_t end = catalog_position(c->x->catalog);
	const struct change_place *from = c->wanted->has_before ? &c->wanted->before : NULL;
	enum err e = ERR_OK;

	c->more = true;
	while (e == ERR_OK && c->more && !is_full(c)) {
		size_t count = 0;
		size_t i = 0;

		arena_reset(&c->arena);
		e = view_changes(c->x->view, c->x->txn, from, true, end, CHANGES_RUN,
				 CHANGES_RUN_BYTES, &c->arena, c->run, &count, &c->more);
		for (; e == ERR_OK && i < count && !is_full(c); i++)
			e = look_at(c, &c->run[i]);
		c->more |= i < count;
		from = &c->last;
	}
	return e;
}

static enum err answer_changes(const struct api_context *x, const struct api_request *rq,
			       const struct wanted *w, struct api_answer *ret)
{
	struct json j = answer_begin(x, rq, ret);
	struct changes c = {.x = x, .wanted = w, .json = &j};
	char place[CURSOR_BYTES];
	enum err e = ERR_NOMEM;

	json_key(&j, "changes");
	json_open(&j, '[');
	c.run = arena_alloc(x->arena, CHANGES_RUN * sizeof *c.run);
	if (c.run)
		e = look_through(&c);
	arena_free(&c.arena);
	json_close(&j, ']');
	if (e != ERR_OK)
		return problem_of(ret, e);
	format_place(&c.last, place);
	write_next(&j, rq, "before", c.more ? place : NULL);
	return answer_end(&j, ret);
}

enum err endpoint_changes(const struct api_context *x, const struct api_request *rq,
			  struct api_answer *ret)
{
	struct wanted w = {.kind = RECORD_NONE};
	bool fine = false;
	enum err e = take_wanted(x, rq, &w, ret, &fine);

	return e == ERR_OK && fine ? answer_changes(x, rq, &w, ret) : e;
}
