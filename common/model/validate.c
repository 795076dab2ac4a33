#include "model/validate.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/field_rules.h"
#include "model/text.h"

/* ---- problems ---- */

enum { PROBLEMS_FIRST = 16, VALUE_SHOWN_BYTES = 200 };

static const struct {
	const char *code;
	const char *text_pl;
	const char *text_en;
} faults[] = {[FAULT_NONE] = {"", "", ""},
#define FAULT_ROW(name, code, pl, en) [FAULT_##name] = {code, pl, en},
	      FAULT_TABLE(FAULT_ROW)
#undef FAULT_ROW
};

static bool problems_grow(struct problems *ps, struct arena *arena)
{
	size_t capacity = ps->capacity ? ps->capacity * 2 : PROBLEMS_FIRST;
	struct problem *items = arena_alloc(arena, capacity * sizeof *items);

	if (!items)
		return false;
	if (ps->count)
		memcpy(items, ps->items, ps->count * sizeof *items);
	ps->items = items;
	ps->capacity = capacity;
	return true;
}

enum err problem_add(struct problems *ps, struct arena *arena, const struct problem *p)
{
	const char *const from[] = {p->column, p->value, p->code, p->text_pl, p->text_en};
	char *copies[sizeof from / sizeof from[0]];

	if (ps->limit && ps->count >= ps->limit) {
		ps->dropped++;
		return ERR_OK;
	}
	for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
		copies[i] = arena_text(arena, bytes_of_text(from[i] ? from[i] : ""));
		if (!copies[i])
			return ERR_NOMEM;
	}
	if (ps->count == ps->capacity && !problems_grow(ps, arena))
		return ERR_NOMEM;
	ps->items[ps->count++] = (struct problem){.row = p->row,
						  .column = copies[0],
						  .value = copies[1],
						  .code = copies[2],
						  .text_pl = copies[3],
						  .text_en = copies[4]};
	return ERR_OK;
}

/* The start of a long value, cut between characters. */
static struct bytes shown(const char *value)
{
	size_t size = strlen(value);

	if (size > VALUE_SHOWN_BYTES) {
		size = VALUE_SHOWN_BYTES;
		while (size > 0 && ((uint8_t)value[size] & 0xc0) == 0x80)
			size--;
	}
	return bytes_of(value, size);
}

static void report(struct check *c, const char *column, const char *value, enum fault fault,
		   const char *allowed)
{
	struct buf value_text = {.data = NULL};
	struct buf pl = {.data = NULL};
	struct buf en = {.data = NULL};
	struct problem p = {.row = c->row, .column = column, .code = faults[fault].code};

	if (c->err != ERR_OK)
		return;
	buf_add_bytes(&value_text, shown(value));
	buf_add_text(&value_text, strlen(value) > VALUE_SHOWN_BYTES ? "…" : "");
	buf_add_text(&pl, faults[fault].text_pl);
	buf_add_text(&en, faults[fault].text_en);
	if (*allowed) {
		buf_printf(&pl, " Dozwolone: %s.", allowed);
		buf_printf(&en, " Allowed: %s.", allowed);
	}
	p.value = buf_text(&value_text);
	p.text_pl = buf_text(&pl);
	p.text_en = buf_text(&en);
	if (value_text.failed || pl.failed || en.failed)
		c->err = ERR_NOMEM;
	else
		c->err = problem_add(c->problems, c->arena, &p);
	buf_free(&value_text);
	buf_free(&pl);
	buf_free(&en);
}

void check_report(struct check *c, const char *column, const char *value, enum fault fault,
		  const char *allowed)
{
	/* A problem is shown and logged: what looks personal is not repeated there. */
	if (looks_personal(bytes_of_text(value)))
		check_report_withheld(c, column, fault);
	else
		report(c, column, value, fault, allowed);
}

void check_report_withheld(struct check *c, const char *column, enum fault fault)
{
	report(c, column, "…", fault, "");
}

/* ---- one column ---- */

/* A number of nine digits in a column of numbers is rather a wrong number than a telephone. */
static bool numeric(enum field_type type)
{
	return type == FIELD_UINT || type == FIELD_REGON || type == FIELD_NIP ||
	       type == FIELD_KRS || type == FIELD_DECIMAL;
}

static bool personal_in(const struct field *field, const char *text, bool valid)
{
	enum personal found = PERSONAL_NONE;

	if (field->type == FIELD_ID || field->type == FIELD_REF)
		found = personal_kind_of_id(bytes_of_text(text));
	else if (!valid || field->type == FIELD_TEXT || field->type == FIELD_LIST)
		found = personal_kind(bytes_of_text(text));
	return found != PERSONAL_NONE && !(found == PERSONAL_MOBILE && numeric(field->type));
}

static void check_column(struct check *c, const struct field *field, const char *text)
{
	size_t bytes_max = field->type == FIELD_ID || field->type == FIELD_REF ? ID_BYTES_MAX
									       : FIELD_BYTES_MAX;
	enum fault fault = FAULT_NONE;

	if (!*text) {
		if (field->required)
			check_report(c, field->name, "", FAULT_REQUIRED, "");
		return;
	}
	fault = text_fault(text, bytes_max, &c->err);
	if (fault == FAULT_NONE && field->required && text_is_blank(text))
		fault = FAULT_REQUIRED;
	if (fault == FAULT_NONE)
		fault = field_fault(field, text);
	if (personal_in(field, text, fault == FAULT_NONE))
		check_report_withheld(c, field->name, FAULT_PERSONAL);
	else if (fault != FAULT_NONE)
		check_report(c, field->name, text, fault, fault == FAULT_ENUM ? field->values : "");
}

enum err validate_record(const struct record *r, int region, const struct terc *terc, size_t row,
			 struct arena *arena, struct problems *problems)
{
	const struct kind *kind = record_info(r);
	struct check c = {.record = r,
			  .region = region,
			  .terc = terc,
			  .row = row,
			  .arena = arena,
			  .problems = problems};

	if (!kind)
		return ERR_INTERNAL;
	for (size_t i = 0; i < kind->field_count; i++)
		check_column(&c, &kind->fields[i], record_get(r, i));
	check_relations(&c);
	return c.err;
}

/* ---- a whole draft ---- */

static void check_circumstance(struct check *c, const char *column, const char *given,
			       size_t bytes_max, bool required)
{
	const char *text = given ? given : "";
	enum fault fault = FAULT_NONE;

	if (required && text_is_blank(text))
		fault = FAULT_REQUIRED;
	else
		fault = text_fault(text, bytes_max, &c->err);
	if (looks_personal(bytes_of_text(text)))
		check_report_withheld(c, column, FAULT_PERSONAL);
	else if (fault != FAULT_NONE)
		check_report(c, column, text, fault, "");
}

/* What a change says beside its record. */
static void check_change(struct check *c, const struct change *change)
{
	bool membership = kind_of_id(bytes_of_text(change->id)) == RECORD_MEMBERSHIP;

	if (change->record) {
		if (strcmp(record_get_named(change->record, "id"), change->id) != 0)
			check_report(c, "id", change->id, FAULT_ID_MISMATCH, "");
		return;
	}
	if (!change->retired || !kind_of(change->kind)) {
		check_report(c, "", change->id, FAULT_KIND, "");
		return;
	}
	if (!id_well_formed(change->id, membership))
		check_report(c, "id", change->id, FAULT_ID, "");
	else if (id_owner(bytes_of_text(change->id)) != c->region)
		check_report(c, "id", change->id, FAULT_ID_OWNER, "");
	else if (kind_of_id(bytes_of_text(change->id)) != change->kind)
		check_report(c, "id", change->id, FAULT_ID_KIND, "");
}

struct place {
	const char *id;
	size_t row;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;
	int order = strcmp(x->id, y->id);

	return order ? order : (x->row > y->row) - (x->row < y->row);
}

static void check_doubles(struct check *c, const struct event *e)
{
	struct place *places = arena_alloc(c->arena, e->change_count * sizeof *places);

	if (!places) {
		c->err = ERR_NOMEM;
		return;
	}
	for (size_t i = 0; i < e->change_count; i++)
		places[i] = (struct place){e->changes[i].id, i};
	qsort(places, e->change_count, sizeof *places, compare_places);
	for (size_t i = 1; i < e->change_count; i++) {
		if (strcmp(places[i].id, places[i - 1].id) != 0)
			continue;
		c->row = places[i].row;
		check_report(c, "id", places[i].id, FAULT_ID_TWICE, "");
	}
}

enum err validate_event(const struct event *e, int region, const struct terc *terc,
			struct arena *arena, struct problems *problems)
{
	struct check c = {.region = region, .terc = terc, .arena = arena, .problems = problems};
	enum err err = ERR_OK;

	check_circumstance(&c, "editor", e->editor, EDITOR_BYTES_MAX, false);
	check_circumstance(&c, "reason", e->reason, REASON_BYTES_MAX, true);
	check_circumstance(&c, "source", e->source, SOURCE_BYTES_MAX, false);
	if (e->change_count == 0)
		check_report(&c, "", "", FAULT_EMPTY, "");
	for (size_t i = 0; i < e->change_count && c.err == ERR_OK; i++) {
		const struct change *change = &e->changes[i];

		c.row = i;
		check_change(&c, change);
		if (change->record)
			err = validate_record(change->record, region, terc, i, arena, problems);
		if (err != ERR_OK)
			return err;
	}
	check_doubles(&c, e);
	return c.err;
}
