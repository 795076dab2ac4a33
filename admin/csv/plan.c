#include "admin/csv/plan.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "admin/text.h"

void plan_free(struct plan *p)
{
	free(p->rows);
	free(p->missing);
	free(p->conflicts);
	free(p->repairs);
	snapshot_free(&p->now);
	for (size_t i = 0; i < p->base_count; i++)
		snapshot_free(&p->bases[i].rows);
	*p = (struct plan){0};
}

enum err plan_add_row(struct plan *p, const struct plan_row *row)
{
	if (p->row_count == p->row_capacity) {
		size_t capacity = p->row_capacity ? 2 * p->row_capacity : 256;
		struct plan_row *rows = reallocarray(p->rows, capacity, sizeof *rows);

		if (!rows)
			return ERR_NOMEM;
		p->rows = rows;
		p->row_capacity = capacity;
	}
	p->rows[p->row_count++] = *row;
	p->three_way = p->three_way || row->has_state;
	return ERR_OK;
}

size_t plan_count(const struct plan *p, enum row_fate fate)
{
	size_t count = 0;

	for (size_t i = 0; i < p->row_count; i++)
		count += p->rows[i].fate == fate;
	return count;
}

/* ---- while comparing ---- */

struct comparing {
	struct plan *plan;
	const struct plan_options *options;
	struct arena *arena;
	struct findings *findings;
	void *seen;               /* tree of plan_row by id */
	struct plan_row *minting; /* the row that asks for an id */
};

static int by_id(const void *a, const void *b)
{
	const struct plan_row *x = a;
	const struct plan_row *y = b;

	return strcmp(x->id, y->id);
}

static const char *cell(const struct plan *p, const struct plan_row *row, const char *column)
{
	int field = field_named(p->kind, column);

	return field >= 0 && row->cells[field] ? row->cells[field] : "";
}

static enum err bad_row(struct comparing *c, struct plan_row *row, const char *column,
			const char *value, const char *code, const char *text_pl,
			const char *text_en)
{
	const struct finding f = {row->file, row->row, column, value, code, text_pl, text_en};

	row->flawed = true;
	return findings_add(c->findings, &f);
}

/* Whose record a row is: by its id, else by what an id would be made of. */
static int row_owner(const struct plan *p, const struct plan_row *row)
{
	const char *network = cell(p, row, "network_id");

	if (*row->id)
		return id_owner(bytes_of_text(row->id));
	if (p->kind->kind == RECORD_MEMBERSHIP)
		return id_owner(bytes_of_text(network));
	return region_by_code(bytes_of_text(cell(p, row, "region")));
}

/* ---- ids ---- */

static enum err same_id(struct comparing *c, struct plan_row *row, const struct plan_row *other)
{
	return bad_row(c, row, "id", row->id, "duplicate-id",
		       text_in(c->arena,
			       "ten sam identyfikator ma wiersz %zu pliku %s; usuń jeden z nich",
			       other->row, other->file),
		       text_in(c->arena, "row %zu of %s has the same id; remove one of them",
			       other->row, other->file));
}

/* Two rows of one id: nobody knows which is right, so both are bad. */
static enum err note_id(struct comparing *c, struct plan_row *row)
{
	struct plan_row *const *found = tsearch(row, &c->seen, by_id);
	enum err e = ERR_OK;

	if (!found)
		return ERR_NOMEM;
	if (*found == row)
		return ERR_OK;
	if (!(*found)->flawed)
		e = same_id(c, *found, row);
	return e == ERR_OK ? same_id(c, row, *found) : e;
}

/* Does the register hold exactly what the row says, in the columns that the file has? */
static bool row_says_this(const struct plan *p, const struct plan_row *row, const struct version *v)
{
	if (v->change.retired || !v->change.record)
		return false;
	for (size_t f = 0; f < p->kind->field_count; f++)
		if (p->kind->fields[f].type != FIELD_ID && row->cells[f] &&
		    strcmp(row->cells[f], record_get(v->change.record, f)) != 0)
			return false;
	return true;
}

/* For id_mint.  A record that says the same is the row's own, from an earlier import of the
 * same file; and a membership's or statistic's id says which record it is. */
static bool id_taken(void *context, const char *id)
{
	struct comparing *c = context;
	struct plan_row probe = {.id = id};
	const struct version *v = snapshot_find(&c->plan->now, id);

	if (c->plan->kind->kind == RECORD_MEMBERSHIP || c->plan->kind->kind == RECORD_STATISTIC)
		return false;
	if (tfind(&probe, &c->seen, by_id))
		return true;
	return v && !row_says_this(c->plan, c->minting, v);
}

static enum err mint(struct comparing *c, struct plan_row *row)
{
	struct buf id = {0};
	const struct kind *kind = c->plan->kind;
	struct record *r = record_new(c->arena, kind->kind);
	enum err e = r ? ERR_OK : ERR_NOMEM;

	for (size_t f = 0; f < kind->field_count && e == ERR_OK; f++)
		if (row->cells[f])
			e = record_set(r, c->arena, f, bytes_of_text(row->cells[f]));
	c->minting = row;
	if (e == ERR_OK)
		e = id_mint(r, id_taken, c, &id);
	if (e == ERR_OK) {
		row->id = arena_text(c->arena, buf_bytes(&id));
		row->minted = true;
		e = row->id ? note_id(c, row) : ERR_NOMEM;
	} else if (e == ERR_INVALID) {
		e = bad_row(
			c, row, "id", "", "no-id",
			"wiersz nie ma identyfikatora, a brakuje pól, z których się go tworzy; "
			"uzupełnij je (region, rodzaj, miejscowość …)",
			"the row has no id, and fields that one is made of are empty; fill them "
			"(region, kind, place …)");
	} else if (e == ERR_LIMIT) {
		e = bad_row(c, row, "", "", "too-long", "jedno z pól jest za długie",
			    "one of the fields is too long");
	}
	buf_free(&id);
	return e;
}

/* ---- one row against the register ---- */

static enum err add_conflict(struct plan *p, const struct plan_conflict *conflict)
{
	if (p->conflict_count == p->conflict_capacity) {
		size_t capacity = p->conflict_capacity ? 2 * p->conflict_capacity : 16;
		struct plan_conflict *items = reallocarray(p->conflicts, capacity, sizeof *items);

		if (!items)
			return ERR_NOMEM;
		p->conflicts = items;
		p->conflict_capacity = capacity;
	}
	p->conflicts[p->conflict_count++] = *conflict;
	return ERR_OK;
}

static const struct version *base_of(const struct plan *p, const struct state_mark *state,
				     const char *id)
{
	for (size_t i = 0; i < p->base_count; i++)
		if (p->bases[i].size == state->size)
			return snapshot_find(&p->bases[i].rows, id);
	return NULL;
}

static const char *field_of(const struct version *v, size_t field)
{
	return v && v->change.record ? record_get(v->change.record, field) : "";
}

/* The text that a field is to have. */
static enum err merged_field(struct comparing *c, struct plan_row *row, const struct version *base,
			     size_t f, const char **ret)
{
	const char *now = field_of(row->current, f);
	const char *cell_text = row->cells[f];
	/* A row added to an exported file has no base: what the register has there is news. */
	const char *base_text = c->plan->three_way ? field_of(base, f) : NULL;
	const struct plan_conflict conflict = {row, row->id, (int)f, base_text, now, cell_text};

	*ret = now;
	if (!cell_text || c->plan->kind->fields[f].type == FIELD_ID)
		return ERR_OK;
	switch (merge_field(base_text, now, cell_text)) {
	case MERGE_KEEP:
		return ERR_OK;
	case MERGE_TAKE:
		*ret = cell_text;
		return ERR_OK;
	case MERGE_CONFLICT:
		if (c->options->overwrite) {
			*ret = cell_text;
			return ERR_OK;
		}
		row->fate = ROW_CONFLICT;
		return add_conflict(c->plan, &conflict);
	}
	return ERR_INTERNAL;
}

static enum err build_record(struct comparing *c, struct plan_row *row, const struct version *base)
{
	const struct kind *kind = c->plan->kind;
	enum err e = ERR_OK;

	row->record = row->current ? record_copy(c->arena, row->current->change.record)
				   : record_new(c->arena, kind->kind);
	if (!row->record)
		return ERR_NOMEM;
	for (size_t f = 0; f < kind->field_count; f++) {
		const char *text = row->id;

		if (kind->fields[f].type != FIELD_ID)
			e = merged_field(c, row, base, f, &text);
		if (e == ERR_OK)
			e = record_set(row->record, c->arena, f, bytes_of_text(text));
		if (e == ERR_LIMIT)
			e = bad_row(c, row, kind->fields[f].name, "", "too-long",
				    "tekst jest za długi; skróć go",
				    "the text is too long; shorten it");
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* A row of a record that has ended: no fault while the file just repeats the past. */
static enum err compare_retired(struct comparing *c, struct plan_row *row,
				const struct version *base)
{
	if (base && row_says_this(c->plan, row, base)) {
		row->fate = ROW_SAME;
		return ERR_OK;
	}
	return bad_row(
		c, row, "id", row->id, "retired-id",
		"ten zapis został wycofany, a identyfikatora nie używa się ponownie; usuń wiersz "
		"albo usuń identyfikator, by powstał nowy zapis",
		"this record has ended and its id is never used again; remove the row, or its "
		"id for a new record");
}

static enum err validate(struct comparing *c, struct plan_row *row)
{
	struct problems problems = {0};
	bool flawed = row->flawed; /* some column may be listed already */
	enum err e = validate_record(row->record, c->options->region, NULL, 0, c->arena, &problems);

	for (size_t i = 0; i < problems.count && e == ERR_OK; i++) {
		const struct problem *p = &problems.items[i];

		if (!flawed || !findings_has(c->findings, row->file, row->row, p->column))
			e = bad_row(c, row, p->column, p->value, p->code, p->text_pl, p->text_en);
	}
	return e;
}

static enum err compare_row(struct comparing *c, struct plan_row *row)
{
	const struct version *base = row->has_state ? base_of(c->plan, &row->state, row->id) : NULL;
	enum err e = ERR_OK;

	row->current = snapshot_find(&c->plan->now, row->id);
	if (row->current && row->current->change.retired)
		return compare_retired(c, row, base);
	if (row->current && !row->current->change.record)
		return bad_row(c, row, "id", row->id, "unknown-kind",
			       "rejestr ma pod tym identyfikatorem zapis innego rodzaju",
			       "the register has a record of another kind under this id");
	e = build_record(c, row, base);
	if (e != ERR_OK || row->fate == ROW_CONFLICT)
		return e;
	if (row->current && record_same(row->current->change.record, row->record)) {
		row->fate = ROW_SAME;
		return ERR_OK;
	}
	row->fate = row->current ? ROW_CHANGED : ROW_ADDED;
	return validate(c, row);
}

/* ---- what the file does not have ---- */

static bool changed_since(const struct version *base, const struct version *now)
{
	return base->index != now->index;
}

static enum err find_missing(struct comparing *c)
{
	struct plan *p = c->plan;
	const struct plan_base *oldest = NULL;

	for (size_t i = 0; i < p->base_count; i++)
		if (!oldest || p->bases[i].size < oldest->size)
			oldest = &p->bases[i];
	p->missing = calloc(p->now.count + 1, sizeof *p->missing);
	if (!p->missing)
		return ERR_NOMEM;
	for (size_t i = 0; i < p->now.count; i++) {
		const struct version *v = &p->now.rows[i];
		const struct plan_row probe = {.id = v->change.id};
		const struct version *base = NULL;
		const struct plan_conflict conflict = {NULL, v->change.id, -1, "", "", ""};

		if (v->change.retired || tfind(&probe, &c->seen, by_id))
			continue;
		base = oldest ? snapshot_find(&oldest->rows, v->change.id) : NULL;
		if (oldest && !base) /* added after the export: no clerk took it away */
			continue;
		p->missing[p->missing_count++] =
			(struct plan_missing){v, c->options->retire_missing};
		if (c->options->retire_missing && base && changed_since(base, v) &&
		    !c->options->overwrite) {
			enum err e = add_conflict(p, &conflict);

			if (e != ERR_OK)
				return e;
		}
	}
	return ERR_OK;
}

static void nothing_to_free(void *row)
{
	(void)row; /* rows belong to the plan */
}

static enum err list_unsure(struct comparing *c, struct plan_row *row)
{
	enum err e = ERR_OK;

	for (size_t f = 0; f < c->plan->kind->field_count && e == ERR_OK; f++) {
		const char *text = row->cells[f];

		if (!(row->unsure >> f & 1))
			continue;
		if (looks_personal(bytes_of_text(text)))
			text = "…";
		e = bad_row(c, row, c->plan->kind->fields[f].name, text, "damaged",
			    "arkusz zmienił tę wartość i nie wiadomo, jaka była; wpisz ją na nowo",
			    "a spreadsheet changed this value and it cannot be told what it was; "
			    "write it anew");
	}
	return e;
}

/* Repairs, sets aside what others own, and notes the ids that the rows bring. */
static enum err first_look(struct comparing *c, struct plan_row *row)
{
	size_t repairs = c->plan->repair_count;
	enum err e = plan_repair_row(c->plan, row, c->arena);
	int owner = REGION_NONE;

	if (e != ERR_OK)
		return e;
	owner = row_owner(c->plan, row);
	if (c->options->own && owner != REGION_NONE && owner != c->options->region) {
		row->fate = ROW_ASIDE;
		c->plan->repair_count = repairs; /* somebody else's */
		return ERR_OK;
	}
	e = list_unsure(c, row);
	if (e == ERR_OK && *row->id)
		e = note_id(c, row);
	return e;
}

enum err plan_compare(struct plan *p, const struct plan_options *options, struct arena *arena,
		      struct findings *findings)
{
	struct comparing c = {p, options, arena, findings, NULL, NULL};
	enum err e = ERR_OK;

	for (size_t i = 0; i < p->row_count && e == ERR_OK; i++)
		e = first_look(&c, &p->rows[i]);
	for (size_t i = 0; i < p->row_count && e == ERR_OK; i++)
		if (!*p->rows[i].id && p->rows[i].fate == ROW_PENDING)
			e = mint(&c, &p->rows[i]);
	for (size_t i = 0; i < p->row_count && e == ERR_OK; i++)
		if (p->rows[i].fate == ROW_PENDING)
			e = compare_row(&c, &p->rows[i]);
	for (size_t i = 0; i < p->row_count; i++)
		if (p->rows[i].flawed)
			p->rows[i].fate = ROW_BAD;
	if (e == ERR_OK && !options->incomplete)
		e = find_missing(&c);
	tdestroy(c.seen, nothing_to_free);
	return e;
}
