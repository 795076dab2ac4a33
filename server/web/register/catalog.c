#include "register/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "register/inside.h"

enum {
	KINDS = RECORD_KIND_LAST - RECORD_KIND_FIRST + 1,
	ROWS_FIRST = 64,
	SLOTS_FIRST = 128, /* a power of two */
};

static const uint32_t NO_ROW = UINT32_MAX;

/* Rows of a kind, column by column. */
struct table {
	const struct kind *kind;
	size_t count, capacity;
	text_id *columns[CATALOG_COLUMNS_MAX]; /* owned */
	struct row_origin *origins;            /* owned */
	uint32_t *slots; /* owned; row + 1 by id, linear probing, never over 3/4 full; 0: empty */
	size_t slot_count;
	uint64_t puts;                        /* grows with every change */
	uint64_t ranked[CATALOG_COLUMNS_MAX]; /* `puts` when the column was ranked last, + 1 */
};

struct catalog {
	struct pool *pool;                        /* owned */
	struct collator *collator;                /* owned */
	struct ranking *rankings[RANKING_ORDERS]; /* owned */
	struct table *tables;                     /* owned; KINDS of them */
	uint64_t position;
	struct wall_ms time;
};

/* ---- life ---- */

static enum err table_new(struct table *t, enum record_kind kind)
{
	t->kind = kind_of(kind);
	if (!t->kind || t->kind->field_count > CATALOG_COLUMNS_MAX)
		return ERR_INTERNAL;
	t->slots = calloc(SLOTS_FIRST, sizeof *t->slots);
	if (!t->slots)
		return ERR_NOMEM;
	t->slot_count = SLOTS_FIRST;
	return ERR_OK;
}

enum err catalog_new(struct catalog **ret)
{
	struct catalog *c = calloc(1, sizeof *c);
	enum err e = ERR_OK;

	if (!c)
		return ERR_NOMEM;
	c->tables = calloc(KINDS, sizeof *c->tables);
	e = c->tables ? pool_new(&c->pool) : ERR_NOMEM;
	if (e == ERR_OK)
		e = collator_new(&c->collator);
	for (int i = 0; i < RANKING_ORDERS && e == ERR_OK; i++)
		e = ranking_new((enum ranking_order)i, c->pool, c->collator, &c->rankings[i]);
	for (int k = 0; k < KINDS && e == ERR_OK; k++)
		e = table_new(&c->tables[k], (enum record_kind)(RECORD_KIND_FIRST + k));
	if (e != ERR_OK) {
		catalog_free(c);
		return e;
	}
	*ret = c;
	return ERR_OK;
}

static void table_free(struct table *t)
{
	for (size_t f = 0; f < CATALOG_COLUMNS_MAX; f++)
		free(t->columns[f]);
	free(t->origins);
	free(t->slots);
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	for (int k = 0; c->tables && k < KINDS; k++)
		table_free(&c->tables[k]);
	free(c->tables);
	for (int i = 0; i < RANKING_ORDERS; i++)
		ranking_free(c->rankings[i]);
	collator_free(c->collator);
	pool_free(c->pool);
	free(c);
}

/* ---- rows by id ---- */

static struct table *table_of(const struct catalog *c, enum record_kind kind)
{
	int k = (int)kind - RECORD_KIND_FIRST;

	return k >= 0 && k < KINDS ? &c->tables[k] : NULL;
}

/* Numbers of texts are given one after the other: any odd multiplier spreads them. */
static size_t home_of(text_id id, size_t slot_count)
{
	return (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (slot_count - 1);
}

/* The slot of the id's row, else the empty one where it would go. */
static size_t slot_of(const struct table *t, text_id id)
{
	size_t at = home_of(id, t->slot_count);

	while (t->slots[at] && t->columns[0][t->slots[at] - 1] != id)
		at = (at + 1) & (t->slot_count - 1);
	return at;
}

static uint32_t row_of(const struct table *t, text_id id)
{
	uint32_t slot = id ? t->slots[slot_of(t, id)] : 0;

	return slot ? slot - 1 : NO_ROW;
}

static bool grow_slots(struct table *t)
{
	size_t count = 2 * t->slot_count;
	uint32_t *slots = NULL;

	if (t->count < t->slot_count / 4 * 3)
		return true;
	slots = calloc(count, sizeof *slots);
	if (!slots)
		return false;
	for (size_t row = 0; row < t->count; row++) {
		size_t at = home_of(t->columns[0][row], count);

		while (slots[at])
			at = (at + 1) & (count - 1);
		slots[at] = (uint32_t)row + 1;
	}
	free(t->slots);
	t->slots = slots;
	t->slot_count = count;
	return true;
}

/* Empties a slot and moves up what probed past it. */
static void empty_slot(struct table *t, size_t hole)
{
	size_t mask = t->slot_count - 1;
	size_t at = hole;

	for (;;) {
		size_t home = 0;

		at = (at + 1) & mask;
		if (!t->slots[at])
			break;
		home = home_of(t->columns[0][t->slots[at] - 1], t->slot_count);
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			t->slots[hole] = t->slots[at];
			hole = at;
		}
	}
	t->slots[hole] = 0;
}

/* ---- changes ---- */

static void let_go(struct catalog *c, text_id text)
{
	if (!pool_release(c->pool, text))
		return;
	for (int i = 0; i < RANKING_ORDERS; i++)
		ranking_forget(c->rankings[i], text);
}

static void take_out(struct catalog *c, struct table *t, size_t row)
{
	size_t last = t->count - 1;

	empty_slot(t, slot_of(t, t->columns[0][row]));
	if (row != last)
		t->slots[slot_of(t, t->columns[0][last])] = (uint32_t)row + 1;
	for (size_t f = 0; f < t->kind->field_count; f++) {
		let_go(c, t->columns[f][row]);
		t->columns[f][row] = t->columns[f][last];
	}
	t->origins[row] = t->origins[last];
	t->count--;
	t->puts++;
}

static bool has_room(struct table *t)
{
	size_t capacity = t->capacity ? 2 * t->capacity : ROWS_FIRST;
	void *grown = NULL;

	if (!grow_slots(t))
		return false;
	if (t->count < t->capacity)
		return true;
	if (capacity >= NO_ROW)
		return false;
	for (size_t f = 0; f < t->kind->field_count; f++) {
		grown = realloc(t->columns[f], capacity * sizeof(text_id));
		if (!grown)
			return false;
		t->columns[f] = grown;
	}
	grown = realloc(t->origins, capacity * sizeof *t->origins);
	if (!grown)
		return false;
	t->origins = grown;
	t->capacity = capacity;
	return true;
}

/* The record's texts, each with one more user; all or none. */
static enum err keep_all(struct catalog *c, const struct table *t, const struct change *change,
			 text_id *ret_texts)
{
	enum err e = ERR_OK;
	size_t kept = 0;

	for (; kept < t->kind->field_count && e == ERR_OK; kept++) {
		const char *text = kept == 0 ? change->id : record_get(change->record, kept);

		e = pool_keep(c->pool, text, catalog_is_searched(&t->kind->fields[kept]),
			      &ret_texts[kept]);
	}
	if (e == ERR_OK)
		return ERR_OK;
	for (kept--; kept > 0; kept--)
		let_go(c, ret_texts[kept - 1]);
	return e;
}

static enum err put_record(struct catalog *c, struct table *t, const struct version *v)
{
	text_id texts[CATALOG_COLUMNS_MAX] = {0};
	uint32_t row = NO_ROW;
	enum err e = ERR_OK;

	if (!has_room(t))
		return ERR_NOMEM;
	e = keep_all(c, t, &v->change, texts);
	if (e != ERR_OK)
		return e;
	row = row_of(t, texts[0]);
	if (row == NO_ROW) {
		row = (uint32_t)t->count;
		t->slots[slot_of(t, texts[0])] = row + 1;
		t->count++;
		for (size_t f = 0; f < t->kind->field_count; f++)
			t->columns[f][row] = 0;
	}
	for (size_t f = 0; f < t->kind->field_count; f++) {
		let_go(c, t->columns[f][row]);
		t->columns[f][row] = texts[f];
	}
	t->origins[row] = (struct row_origin){v->log, v->index, v->position, v->recorded};
	t->puts++;
	return ERR_OK;
}

enum err catalog_put(struct catalog *c, const struct version *v)
{
	const struct change *change = &v->change;
	struct table *t = table_of(c, change->kind);
	uint32_t row = NO_ROW;

	if (!t || !change->id || !*change->id)
		return ERR_OK;
	if (!change->retired && change->record) {
		if (record_kind(change->record) != change->kind)
			return ERR_OK;
		return put_record(c, t, v);
	}
	row = row_of(t, pool_lookup(c->pool, change->id));
	if (row != NO_ROW)
		take_out(c, t, row);
	return ERR_OK;
}

uint64_t catalog_position(const struct catalog *c)
{
	return c->position;
}

struct wall_ms catalog_time(const struct catalog *c)
{
	return c->time;
}

void catalog_stands_at(struct catalog *c, uint64_t position, struct wall_ms time)
{
	c->position = position;
	c->time = time;
}

/* ---- rows ---- */

size_t catalog_count(const struct catalog *c, enum record_kind kind)
{
	const struct table *t = table_of(c, kind);

	return t ? t->count : 0;
}

size_t catalog_row(const struct catalog *c, enum record_kind kind, text_id id)
{
	const struct table *t = table_of(c, kind);
	uint32_t row = t ? row_of(t, id) : NO_ROW;

	return row == NO_ROW ? SIZE_MAX : row;
}

enum err catalog_find(const struct catalog *c, enum record_kind kind, const char *id,
		      enum record_kind *ret_kind, size_t *ret_row)
{
	text_id text = pool_lookup(c->pool, id);

	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		size_t row = kind == RECORD_NONE || k == (int)kind
				     ? catalog_row(c, (enum record_kind)k, text)
				     : SIZE_MAX;

		if (row == SIZE_MAX)
			continue;
		if (ret_kind)
			*ret_kind = (enum record_kind)k;
		*ret_row = row;
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

text_id catalog_value(const struct catalog *c, enum record_kind kind, size_t row, size_t field)
{
	const struct table *t = table_of(c, kind);

	return t && row < t->count && field < t->kind->field_count ? t->columns[field][row] : 0;
}

const char *catalog_text(const struct catalog *c, enum record_kind kind, size_t row, size_t field)
{
	return pool_text(c->pool, catalog_value(c, kind, row, field));
}

const text_id *catalog_column(const struct catalog *c, enum record_kind kind, size_t field)
{
	const struct table *t = table_of(c, kind);

	return t && field < t->kind->field_count ? t->columns[field] : NULL;
}

const struct row_origin *catalog_origin(const struct catalog *c, enum record_kind kind, size_t row)
{
	static const struct row_origin nowhere;
	const struct table *t = table_of(c, kind);

	return t && row < t->count ? &t->origins[row] : &nowhere;
}

size_t catalog_title_field(enum record_kind kind)
{
	const struct kind *k = kind_of(kind);
	int field = k ? field_named(k, "name") : -1;

	if (k && field < 0)
		field = field_named(k, "name_pl");
	return field < 0 ? 0 : (size_t)field;
}

const char *catalog_title(const struct catalog *c, enum record_kind kind, size_t row)
{
	const char *name = catalog_text(c, kind, row, catalog_title_field(kind));

	return *name ? name : catalog_text(c, kind, row, 0);
}

/* ---- texts ---- */

bool catalog_is_searched(const struct field *field)
{
	switch (field->type) {
	case FIELD_ID:
	case FIELD_TEXT:
	case FIELD_LIST:
	case FIELD_POSTCODE:
	case FIELD_KRS:
	case FIELD_NIP:
	case FIELD_REGON:
		return true;
	case FIELD_ENUM:
	case FIELD_REF:
	case FIELD_REGION:
	case FIELD_DATE:
	case FIELD_BOOL:
	case FIELD_UINT:
	case FIELD_DECIMAL:
	case FIELD_TERYT4:
	case FIELD_TERYT7:
		break;
	}
	return false;
}

const char *catalog_of(const struct catalog *c, text_id text)
{
	return pool_text(c->pool, text);
}

text_id catalog_lookup(const struct catalog *c, const char *text)
{
	return pool_lookup(c->pool, text);
}

size_t catalog_texts(const struct catalog *c)
{
	return pool_texts(c->pool);
}

const char *catalog_folded(const struct catalog *c, text_id text)
{
	return pool_folded(c->pool, text);
}

struct bytes catalog_sort_key(const struct catalog *c, text_id text)
{
	struct ranking *r = c->rankings[BY_COLLATION];

	if (!text || ranking_cover(r, &text, 1) != ERR_OK)
		return bytes_of(NULL, 0);
	return ranking_key_of(r, text);
}

const struct pool *catalog_pool(const struct catalog *c)
{
	return c->pool;
}

/* ---- order ---- */

enum ranking_order catalog_order(const struct field *field)
{
	switch (field->type) {
	case FIELD_TEXT:
	case FIELD_ENUM:
	case FIELD_LIST:
		return BY_COLLATION;
	case FIELD_UINT:
	case FIELD_DECIMAL:
		return BY_VALUE;
	case FIELD_ID:
	case FIELD_REF:
	case FIELD_REGION:
	case FIELD_DATE:
	case FIELD_BOOL:
	case FIELD_POSTCODE:
	case FIELD_TERYT4:
	case FIELD_TERYT7:
	case FIELD_KRS:
	case FIELD_NIP:
	case FIELD_REGON:
		break;
	}
	return BY_BYTES;
}

enum err catalog_ranking(const struct catalog *c, enum record_kind kind, size_t field,
			 struct ranking **ret)
{
	struct table *t = table_of(c, kind);
	struct ranking *r = NULL;
	enum err e = ERR_OK;

	if (!t || field >= t->kind->field_count)
		return ERR_ARGUMENT;
	r = c->rankings[catalog_order(&t->kind->fields[field])];
	if (t->ranked[field] != t->puts + 1)
		e = ranking_cover(r, t->columns[field], t->count);
	if (e != ERR_OK)
		return e;
	t->ranked[field] = t->puts + 1;
	*ret = r;
	return ERR_OK;
}

enum err catalog_prepare(const struct catalog *c)
{
	struct ranking *r = NULL;
	enum err e = ERR_OK;

	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST && e == ERR_OK; k++) {
		enum record_kind kind = (enum record_kind)k;

		e = catalog_ranking(c, kind, 0, &r);
		if (e == ERR_OK)
			e = catalog_ranking(c, kind, catalog_title_field(kind), &r);
	}
	return e;
}

size_t catalog_memory(const struct catalog *c)
{
	size_t size = sizeof *c + KINDS * sizeof *c->tables + pool_memory(c->pool);

	for (int i = 0; i < RANKING_ORDERS; i++)
		size += ranking_memory(c->rankings[i]);
	for (int k = 0; k < KINDS; k++) {
		const struct table *t = &c->tables[k];

		size += t->capacity *
				(t->kind->field_count * sizeof(text_id) + sizeof *t->origins) +
			t->slot_count * sizeof *t->slots;
	}
	return size;
}
