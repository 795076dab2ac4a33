/* One entry's changes for those who listen. */
#include <stdio.h>
#include <string.h>

#include "api/pieces.h"
#include "api/step.h"

enum {
	EVENT_CHANGES_SHOWN = 100,
	/* None is begun beyond that: a title may be of 8 KiB, and six times that where each of its
	 * bytes has to be escaped, and still no message is longer than one may be. */
	EVENT_BYTES_SHOWN = 128 * 1024,
	EVENT_RUN = 100,              /* read at once */
	EVENT_RUN_BYTES = 256 * 1024, /* of encoded versions */
};

struct entry_event {
	const struct api_context *x;
	const char *region; /* NULL: all */
	struct json *json;
	struct view_change *run; /* EVENT_RUN of them */
	struct arena arena;      /* of the run */
	struct log_name log;     /* of the first change; "" yet */
	uint64_t count, shown;
	struct buf *changes;
};

static void write_event_change(struct json *j, const struct step *s)
{
	const struct version *v = s->now;
	struct step_field f;
	size_t at = 0;

	json_open(j, '{');
	json_field_text(j, "kind", kind_of(v->change.kind)->name);
	json_field_text(j, "id", v->change.id);
	json_field_text(j, "title", s->title);
	write_or_null(j, "region",
		      record_region(v->change.id, v->change.record ? v->change.record : s->before));
	json_field_bool(j, "created", !s->before && !v->change.retired);
	json_field_bool(j, "retired", v->change.retired);
	json_key(j, "fields");
	json_open(j, '[');
	while (step_next(s, &at, &f))
		json_text(j, f.name);
	json_close(j, ']');
	json_close(j, '}');
}

static enum err take_change(struct entry_event *v, const struct view_change *change)
{
	const struct version *now = &change->version;
	struct step s;
	enum err e = ERR_OK;

	if (!kind_of(now->change.kind))
		return ERR_OK;
	if (!*v->log.text)
		v->log = now->log;
	e = step_of(v->x, now, &v->arena, &s);
	if (e != ERR_OK)
		return e;
	if (v->region &&
	    strcmp(v->region, record_region(now->change.id, now->change.record ? now->change.record
									       : s.before)) != 0)
		return ERR_OK;
	v->count++;
	if (v->shown < EVENT_CHANGES_SHOWN && v->changes->size < EVENT_BYTES_SHOWN) {
		write_event_change(v->json, &s);
		v->shown++;
	}
	return ERR_OK;
}

/* All changes of the entry: the first are written, the others counted. */
static enum err take_entry(struct entry_event *v, uint64_t position)
{
	struct change_place from = {position ? position - 1 : 0, UINT64_MAX, UINT32_MAX};
	bool begun = position > 0;
	bool more = true;
	enum err e = ERR_OK;

	while (e == ERR_OK && more) {
		size_t count = 0;

		arena_reset(&v->arena);
		e = view_changes(v->x->view, v->x->txn, begun ? &from : NULL, false, position + 1,
				 EVENT_RUN, EVENT_RUN_BYTES, &v->arena, v->run, &count, &more);
		for (size_t i = 0; e == ERR_OK && i < count; i++)
			e = take_change(v, &v->run[i]);
		if (e == ERR_OK && count)
			from = v->run[count - 1].place;
		begun = true;
		more &= count > 0;
	}
	return e;
}

static enum err write_entry(const struct api_context *x, uint64_t position,
			    const struct entry_event *v, struct buf *ret)
{
	struct json j = json_to(ret);
	struct wall_ms time = {0};
	enum err e = view_time(x->view, x->txn, position, &time);

	if (e != ERR_OK && e != ERR_NOT_FOUND)
		return e;
	json_open(&j, '{');
	json_field_uint(&j, "position", position);
	write_time(&j, "time", time);
	write_or_null(&j, "log", v->log.text);
	json_key(&j, "changes");
	buf_add_bytes(ret, buf_bytes(v->changes)); /* an array, written before */
	j.after_key = false;
	json_field_uint(&j, "more", v->count - v->shown);
	json_close(&j, '}');
	return buf_check(ret);
}

enum err api_event(const struct api_context *x, uint64_t position, const char *region,
		   struct buf *ret, uint64_t *ret_count)
{
	struct buf changes = {.data = NULL};
	struct json j = json_to(&changes);
	struct entry_event v = {.x = x, .region = region, .json = &j, .changes = &changes};
	enum err e = ERR_NOMEM;

	v.run = arena_alloc(x->arena, EVENT_RUN * sizeof *v.run);
	json_open(&j, '[');
	if (v.run)
		e = take_entry(&v, position);
	json_close(&j, ']');
	if (e == ERR_OK)
		e = buf_check(&changes);
	if (e == ERR_OK)
		e = write_entry(x, position, &v, ret);
	arena_free(&v.arena);
	buf_free(&changes);
	if (e == ERR_OK)
		*ret_count = v.count;
	return e;
}
