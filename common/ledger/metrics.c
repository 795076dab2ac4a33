#include "ledger/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "model/region.h"

/* Which rows a metric has for each record. */
enum {
	OF_REGION = 1,    /* the owner's, when that is a region */
	OF_MINISTRY = 2,  /* PL, when the owner is the ministry */
	OF_NATION = 4,    /* PL, whoever the owner is */
	OF_KEY_OWNER = 8, /* the owner that the key, an id, names */
	IN_ALL = 16,      /* without a kind */
	BY_KIND = 32,     /* by the record's `kind` column, unless it is empty */
	EACH_FILLED = 64, /* one row for each column marked `completeness` that is not empty */
};

struct metric {
	const char *name;
	enum record_kind of;
	unsigned rows;
	const char *column; /* whose text is the key; NULL: the key is `text` */
	const char *text;   /* the key, or what an empty column is called in it */
};

/* Sorted by kind of record. */
static const struct metric metrics[] = {
	{"operators", RECORD_OPERATOR, OF_NATION | IN_ALL, NULL, "all"},

	{"entities", RECORD_ENTITY, OF_REGION | OF_NATION | IN_ALL | BY_KIND, NULL, ""},
	{"entities_by_operator_form", RECORD_ENTITY, OF_NATION | IN_ALL | BY_KIND, "operator_form",
	 "unknown"},
	{"entities_by_operator_sector", RECORD_ENTITY, OF_REGION | OF_NATION | IN_ALL,
	 "operator_sector", "unknown"},
	{"entities_by_status", RECORD_ENTITY, OF_NATION | IN_ALL, "status", ""},
	{"entities_with_field", RECORD_ENTITY, OF_NATION | IN_ALL | EACH_FILLED, NULL, ""},

	{"networks", RECORD_NETWORK, OF_REGION | IN_ALL, NULL, "of_this_region"},
	{"networks", RECORD_NETWORK, OF_MINISTRY | IN_ALL, NULL, "national_scope"},
	{"networks", RECORD_NETWORK, OF_NATION | IN_ALL, NULL, "all"},
	{"networks_by_form", RECORD_NETWORK, OF_NATION | IN_ALL, "form", "unknown"},
	{"networks_by_status", RECORD_NETWORK, OF_NATION | IN_ALL, "status", "unknown"},

	{"memberships", RECORD_MEMBERSHIP, OF_NATION | IN_ALL, NULL, "all"},
	{"memberships_by_certainty", RECORD_MEMBERSHIP, OF_NATION | IN_ALL, "certainty", ""},
	{"memberships_by_network", RECORD_MEMBERSHIP, OF_KEY_OWNER | IN_ALL, "network_id", ""},

	{"statistics", RECORD_STATISTIC, OF_NATION | IN_ALL, NULL, "all"},
};

enum { METRIC_COUNT = sizeof metrics / sizeof metrics[0] };

/* A metric for one kind of record, its columns found in the descriptors. */
struct metric_row {
	const char *name;
	unsigned rows;
	int key_column;    /* -1: the key is `text` */
	int kind_column;   /* -1: not by kind */
	int filled_column; /* -1: always; else counted when this is not empty */
	const char *text;
};

/* ---- the table against the columns ---- */

static enum err add_row(struct metrics *m, const struct metric *of, const struct kind *kind,
			const struct field *filled)
{
	struct metric_row *row = &m->rows[m->count];

	*row = (struct metric_row){
		.name = of->name,
		.rows = of->rows,
		.key_column = of->column ? field_named(kind, of->column) : -1,
		.kind_column = of->rows & BY_KIND ? field_named(kind, "kind") : -1,
		.filled_column = filled ? (int)(filled - kind->fields) : -1,
		.text = filled ? filled->name : of->text,
	};
	if ((of->column && row->key_column < 0) || (of->rows & BY_KIND && row->kind_column < 0))
		return ERR_INTERNAL; /* the schema has lost a column that is counted */
	m->count++;
	return ERR_OK;
}

static enum err add_metric(struct metrics *m, const struct metric *of, const struct kind *kind)
{
	enum err e = ERR_OK;

	if (!(of->rows & EACH_FILLED))
		return add_row(m, of, kind, NULL);
	for (size_t i = 0; e == ERR_OK && i < kind->field_count; i++) {
		if (kind->fields[i].completeness)
			e = add_row(m, of, kind, &kind->fields[i]);
	}
	return e;
}

enum err metrics_init(struct metrics *m)
{
	size_t most = METRIC_COUNT;
	enum err e = ERR_OK;

	*m = (struct metrics){.rows = NULL};
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);

		if (!kind)
			return ERR_INTERNAL;
		most += kind->field_count;
	}
	m->rows = calloc(most, sizeof *m->rows);
	if (!m->rows)
		return ERR_NOMEM;
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		m->first[k] = m->count;
		for (size_t i = 0; e == ERR_OK && i < METRIC_COUNT; i++) {
			if ((int)metrics[i].of == k)
				e = add_metric(m, &metrics[i], kind_of((enum record_kind)k));
		}
	}
	m->first[RECORD_KIND_LAST + 1] = m->count;
	if (e != ERR_OK)
		metrics_free(m);
	return e;
}

void metrics_free(struct metrics *m)
{
	free(m->rows);
	*m = (struct metrics){.rows = NULL};
}

/* ---- counting ---- */

static const char *owner_code(const char *id, const char *otherwise)
{
	int owner = id_owner(bytes_of_text(id));

	return owner == REGION_NONE ? otherwise : region_at(owner)->code;
}

struct standing standing_of(const char *id, const struct record *record)
{
	return (struct standing){
		.record = record,
		.region = record ? owner_code(id, record_get_named(record, "region")) : "",
	};
}

/* Where one record counts in one metric. */
struct cell {
	bool counted;
	const char *region, *kind, *key;
};

static struct cell cell_of(const struct metric_row *row, const struct standing *s)
{
	struct cell c = {.counted = s->record != NULL, .region = "", .kind = "", .key = row->text};

	if (c.counted && row->filled_column >= 0)
		c.counted = *record_get(s->record, (size_t)row->filled_column) != 0;
	if (!c.counted)
		return c;
	c.region = s->region;
	if (row->kind_column >= 0)
		c.kind = record_get(s->record, (size_t)row->kind_column);
	if (row->key_column >= 0) {
		const char *text = record_get(s->record, (size_t)row->key_column);

		if (*text)
			c.key = text;
	}
	return c;
}

static bool same_cell(const struct cell *a, const struct cell *b)
{
	if (a->counted != b->counted)
		return false;
	return !a->counted || (strcmp(a->region, b->region) == 0 && strcmp(a->kind, b->kind) == 0 &&
			       strcmp(a->key, b->key) == 0);
}

static enum err add_in_region(const struct metric_row *row, struct tally *t, const struct cell *c,
			      const char *region, int64_t change)
{
	enum err e = ERR_OK;

	if (row->rows & IN_ALL)
		e = tally_add(t, row->name, region, "", c->key, change);
	if (e == ERR_OK && *c->kind) /* an empty kind would fall together with the total */
		e = tally_add(t, row->name, region, c->kind, c->key, change);
	return e;
}

static enum err add_cell(const struct metric_row *row, struct tally *t, const struct cell *c,
			 int64_t change)
{
	const char *nation = region_at(REGION_PL)->code;
	bool of_ministry = strcmp(c->region, nation) == 0;
	enum err e = ERR_OK;

	if (row->rows & OF_NATION || (row->rows & OF_MINISTRY && of_ministry))
		e = add_in_region(row, t, c, nation, change);
	if (e == ERR_OK && row->rows & OF_REGION && !of_ministry)
		e = add_in_region(row, t, c, c->region, change);
	if (e == ERR_OK && row->rows & OF_KEY_OWNER)
		e = add_in_region(row, t, c, owner_code(c->key, ""), change);
	return e;
}

enum err metrics_move(const struct metrics *m, struct tally *t, enum record_kind kind,
		      const struct standing *from, const struct standing *to)
{
	enum err e = ERR_OK;

	for (size_t i = m->first[kind]; e == ERR_OK && i < m->first[kind + 1]; i++) {
		const struct metric_row *row = &m->rows[i];
		struct cell before = cell_of(row, from);
		struct cell after = cell_of(row, to);

		if (same_cell(&before, &after))
			continue;
		if (before.counted)
			e = add_cell(row, t, &before, -1);
		if (e == ERR_OK && after.counted)
			e = add_cell(row, t, &after, 1);
	}
	return e;
}
