#include "api/step.h"

#include <string.h>

#include "api/pieces.h"
#include "api/request.h"

enum { TOMBSTONES_MAX = 16 }; /* one after the other, behind which a title is looked for */

const char *record_title(const struct record *r)
{
	const char *title = record_get(r, catalog_title_field(record_kind(r)));

	return *title ? title : record_get_named(r, "id");
}

const char *record_region(const char *id, const struct record *r)
{
	int owner = id_owner(bytes_of_text(id));

	if (owner == REGION_NONE && r)
		owner = region_by_code(bytes_of_text(record_get_named(r, "region")));
	return owner == REGION_NONE ? "" : region_at(owner)->code;
}

/* The newest record before a version, tombstones passed over; NULL when there is none. */
static enum err last_record(const struct api_context *x, const struct version *v,
			    struct arena *arena, const struct record **ret, bool *ret_directly)
{
	struct version_place place = {v->position, v->index};
	const struct bytes id = bytes_of_text(v->change.id);
	struct version before;
	enum err e = ERR_OK;

	*ret = NULL;
	*ret_directly = true;
	for (int i = 0; i < TOMBSTONES_MAX; i++) {
		e = view_before(x->view, x->txn, v->change.kind, id, place, arena, &before);
		if (e == ERR_NOT_FOUND)
			return ERR_OK;
		if (e != ERR_OK)
			return e;
		if (before.change.record) {
			*ret = before.change.record;
			return ERR_OK;
		}
		*ret_directly = false;
		place = (struct version_place){before.position, before.index};
	}
	return ERR_OK;
}

enum err step_of(const struct api_context *x, const struct version *now, struct arena *arena,
		 struct step *ret)
{
	const struct record *last = NULL;
	bool directly = false;
	enum err e = last_record(x, now, arena, &last, &directly);

	if (e != ERR_OK)
		return e;
	*ret = (struct step){.now = now, .before = directly ? last : NULL};
	if (now->change.record)
		ret->title = record_title(now->change.record);
	else
		ret->title = last ? record_title(last) : now->change.id;
	if (!*ret->title)
		ret->title = now->change.id;
	return ERR_OK;
}

bool step_next(const struct step *s, size_t *at, struct step_field *ret)
{
	const struct record *now = s->now->change.record;
	const struct kind *kind = now ? record_info(now) : NULL;

	while (kind && *at < kind->field_count) {
		size_t field = (*at)++;
		const char *from = s->before ? record_get(s->before, field) : "";
		const char *to = record_get(now, field);

		if (kind->fields[field].type == FIELD_ID || strcmp(from, to) == 0)
			continue;
		*ret = (struct step_field){kind->fields[field].name, from, to};
		return true;
	}
	return false;
}

bool step_has(const struct step *s, const char *field)
{
	struct step_field f;
	size_t at = 0;

	while (step_next(s, &at, &f))
		if (strcmp(f.name, field) == 0)
			return true;
	return false;
}

static void write_proof(struct json *j, const struct api_context *x, const struct version *v)
{
	struct buf path = {.data = NULL};

	json_key(j, "proof");
	if (!x->export_folder) {
		json_null(j);
		return;
	}
	buf_add_text(&path, API_ROOT "/logs/");
	url_add_log(&path, v->log);
	buf_printf(&path, "/proof/%llu", (unsigned long long)v->index);
	j->out->failed |= path.failed;
	json_text(j, buf_text(&path));
	buf_free(&path);
}

void write_step(struct json *j, const struct api_context *x, const struct step *s)
{
	const struct version *v = s->now;
	struct step_field f;
	size_t at = 0;

	json_field_text(j, "log", v->log.text);
	json_field_uint(j, "index", v->index);
	json_field_uint(j, "position", v->position);
	write_time(j, "recorded", v->recorded);
	write_or_null(j, "editor", v->editor);
	write_or_null(j, "reason", v->reason);
	write_or_null(j, "source", v->source);
	json_field_bool(j, "created", !s->before && !v->change.retired);
	json_field_bool(j, "retired", v->change.retired);
	json_key(j, "diff");
	json_open(j, '[');
	while (step_next(s, &at, &f)) {
		json_open(j, '{');
		json_field_text(j, "field", f.name);
		write_or_null(j, "from", f.from);
		write_or_null(j, "to", f.to);
		json_close(j, '}');
	}
	json_close(j, ']');
	write_proof(j, x, v);
}

enum err step_find(const struct api_context *x, const char *id, struct step *ret)
{
	const uint64_t at = catalog_position(x->catalog);
	const enum record_kind likely = kind_of_id(bytes_of_text(id));
	struct version *v = arena_alloc(x->arena, sizeof *v);
	enum err e = v ? ERR_NOT_FOUND : ERR_NOMEM;

	if (at == 0 && v)
		return ERR_NOT_FOUND;
	for (int k = RECORD_KIND_FIRST - 1; e == ERR_NOT_FOUND && k <= RECORD_KIND_LAST; k++) {
		enum record_kind kind = k < RECORD_KIND_FIRST ? likely : (enum record_kind)k;

		e = view_get_at(x->view, x->txn, kind, bytes_of_text(id), at, x->arena, v);
	}
	return e == ERR_OK ? step_of(x, v, x->arena, ret) : e;
}
