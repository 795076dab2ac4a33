#include "api/sums.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[ENTITY_KINDS] = {"CIS", "KIS", "WTZ", "ZAZ", NULL};
static const char *const coordinator_names[COORDINATOR_STATES] = {"present", "substituted",
								  "vacant", "none", "unknown"};

const char *entity_kind_name(unsigned kind)
{
	return kind < ENTITY_KINDS ? kind_names[kind] : NULL;
}

unsigned entity_kind_named(const char *text)
{
	unsigned kind = 0;

	while (kind < KIND_OTHER && strcmp(kind_names[kind], text) != 0)
		kind++;
	return kind;
}

const char *coordinator_name(unsigned state)
{
	return state < COORDINATOR_STATES ? coordinator_names[state] : NULL;
}

static unsigned coordinator_named(const char *text)
{
	unsigned state = 0;

	while (state < COORDINATOR_UNKNOWN && strcmp(coordinator_names[state], text) != 0)
		state++;
	return state;
}

int column_of(enum record_kind kind, const char *name)
{
	const struct kind *info = kind_of(kind);

	return info ? field_named(info, name) : -1;
}

text_id value_at(const struct catalog *c, enum record_kind kind, size_t row, int column)
{
	return column < 0 ? 0 : catalog_value(c, kind, row, (size_t)column);
}

const char *text_at(const struct catalog *c, enum record_kind kind, size_t row, int column)
{
	return column < 0 ? "" : catalog_text(c, kind, row, (size_t)column);
}

/* ---- who is in a network ---- */

/* Networks of the ministry are not a region's. */
static bool of_region(const char *network_id)
{
	int owner = id_owner(bytes_of_text(network_id));

	return owner != REGION_NONE && owner != REGION_PL;
}

enum err entities_in_networks(const struct catalog *c, day_number today, struct arena *arena,
			      bool **ret_by_text)
{
	const int network = column_of(RECORD_MEMBERSHIP, "network_id");
	const int entity = column_of(RECORD_MEMBERSHIP, "entity_id");
	const int until = column_of(RECORD_MEMBERSHIP, "until");
	size_t count = catalog_count(c, RECORD_MEMBERSHIP);
	size_t texts = catalog_texts(c) + 1;
	bool *in = arena_alloc(arena, texts * sizeof *in);

	if (!in)
		return ERR_NOMEM;
	memset(in, 0, texts * sizeof *in);
	for (size_t row = 0; row < count; row++) {
		text_id id = value_at(c, RECORD_MEMBERSHIP, row, entity);
		day_number end = date_last(text_at(c, RECORD_MEMBERSHIP, row, until));

		if (id && (end == 0 || end >= today) &&
		    of_region(text_at(c, RECORD_MEMBERSHIP, row, network)))
			in[id] = true;
	}
	*ret_by_text = in;
	return ERR_OK;
}

/* ---- the pass ---- */

/* Records of no region are the nation's all the same. */
enum { NO_PLACE = SUMS_PLACES };

static unsigned place_at(const struct owners *o, size_t row)
{
	int owner = owner_at(o, row);

	return owner == REGION_NONE ? NO_PLACE : (unsigned)owner;
}

/* Columns of entities, found once; NULL: no such column. */
struct entity_columns {
	const text_id *id, *kind, *status, *form, *sector, *verified;
	const text_id *counted[COMPLETENESS_FIELDS_MAX];
	text_id kinds[KIND_OTHER]; /* the texts of the kinds */
};

static const text_id *entity_column(const struct catalog *c, const char *name)
{
	int at = column_of(RECORD_ENTITY, name);

	return at < 0 ? NULL : catalog_column(c, RECORD_ENTITY, (size_t)at);
}

static struct entity_columns entity_columns(const struct sums *s, const struct catalog *c)
{
	struct entity_columns e = {
		.id = entity_column(c, "id"),
		.kind = entity_column(c, "kind"),
		.status = entity_column(c, "status"),
		.form = entity_column(c, "operator_form"),
		.sector = entity_column(c, "operator_sector"),
		.verified = entity_column(c, "verified_on"),
	};

	for (size_t i = 0; i < s->field_count; i++)
		e.counted[i] = catalog_column(c, RECORD_ENTITY, s->fields[i]);
	for (unsigned kind = 0; kind < KIND_OTHER; kind++)
		e.kinds[kind] = catalog_lookup(c, kind_names[kind]);
	return e;
}

static text_id at(const text_id *column, size_t row)
{
	return column ? column[row] : 0;
}

static unsigned kind_at(const struct entity_columns *e, size_t row)
{
	text_id text = at(e->kind, row);
	unsigned kind = 0;

	while (kind < KIND_OTHER && (text == 0 || text != e->kinds[kind]))
		kind++;
	return kind;
}

static size_t count_known(struct sums *s, const struct entity_columns *e, size_t row)
{
	size_t known = 0;

	for (size_t i = 0; i < s->field_count; i++) {
		if (at(e->counted[i], row)) {
			s->known[i]++;
			known++;
		}
	}
	return known;
}

/* `places` has room for those of no region. */
static void add_entities(struct sums *s, const struct catalog *c, const bool *in_network,
			 struct place_sums *places)
{
	const struct owners owners = owners_of(c, RECORD_ENTITY);
	const struct entity_columns e = entity_columns(s, c);
	size_t count = catalog_count(c, RECORD_ENTITY);

	for (size_t row = 0; row < count; row++) {
		unsigned place = place_at(&owners, row);
		unsigned kind = kind_at(&e, row);
		struct place_sums *p = &places[place];

		p->entities++;
		p->by_kind[kind]++;
		p->in_network[kind] += in_network[at(e.id, row)];
		p->fields_known += count_known(s, &e, row);
		cells_add(&s->cells, CELLS_STATUS, SUMS_NATION, kind, at(e.status, row), 1);
		cells_add(&s->cells, CELLS_FORM, SUMS_NATION, kind, at(e.form, row), 1);
		cells_add(&s->cells, CELLS_SECTOR_KIND, place, kind, at(e.sector, row), 1);
		cells_add(&s->cells, CELLS_VERIFIED, place, 0, at(e.verified, row), 1);
	}
}

static void add_networks(struct sums *s, const struct catalog *c, struct place_sums *places)
{
	const struct owners owners = owners_of(c, RECORD_NETWORK);
	const int form = column_of(RECORD_NETWORK, "form");
	const int status = column_of(RECORD_NETWORK, "status");
	const int coordinator = column_of(RECORD_NETWORK, "coordinator_state");
	size_t count = catalog_count(c, RECORD_NETWORK);

	for (size_t row = 0; row < count; row++) {
		unsigned place = place_at(&owners, row);

		places[place].networks++;
		places[place].coordinator[coordinator_named(
			text_at(c, RECORD_NETWORK, row, coordinator))]++;
		cells_add(&s->cells, CELLS_NET_FORM, place, 0,
			  value_at(c, RECORD_NETWORK, row, form), 1);
		cells_add(&s->cells, CELLS_NET_STATUS, place, 0,
			  value_at(c, RECORD_NETWORK, row, status), 1);
	}
}

static size_t *number_of(struct place_sums *p, enum record_kind kind)
{
	switch (kind) {
	case RECORD_OPERATOR:
		return &p->operators;
	case RECORD_MEMBERSHIP:
		return &p->memberships;
	case RECORD_STATISTIC:
		return &p->statistics;
	case RECORD_ENTITY:
		return &p->entities;
	case RECORD_NETWORK:
	case RECORD_NONE:
		break;
	}
	return &p->networks;
}

/* Kinds of which only the number is told. */
static void add_others(const struct catalog *c, struct place_sums *places)
{
	static const enum record_kind kinds[] = {RECORD_OPERATOR, RECORD_MEMBERSHIP,
						 RECORD_STATISTIC};

	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		const struct owners owners = owners_of(c, kinds[k]);
		size_t count = catalog_count(c, kinds[k]);

		for (size_t row = 0; row < count; row++)
			++*number_of(&places[place_at(&owners, row)], kinds[k]);
	}
}

/* ---- the nation is the sum of its places ---- */

static void add_place(struct place_sums *to, const struct place_sums *from)
{
	to->entities += from->entities;
	to->operators += from->operators;
	to->networks += from->networks;
	to->memberships += from->memberships;
	to->statistics += from->statistics;
	to->fields_known += from->fields_known;
	for (unsigned kind = 0; kind < ENTITY_KINDS; kind++) {
		to->by_kind[kind] += from->by_kind[kind];
		to->in_network[kind] += from->in_network[kind];
	}
	for (unsigned state = 0; state < COORDINATOR_STATES; state++)
		to->coordinator[state] += from->coordinator[state];
}

/* What was counted by place once more for the nation; sectors by kind there, without in a region.
 */
static void add_cells(struct cells *to, const struct cells *by_place)
{
	for (size_t i = 0; i < by_place->used; i++) {
		struct cell_at at = cell_at(by_place, i);

		switch ((enum sums_table)at.table) {
		case CELLS_SECTOR_KIND:
			cells_add(to, CELLS_SECTOR, SUMS_NATION, at.kind, at.value, at.count);
			cells_add(to, CELLS_SECTOR, at.place, 0, at.value, at.count);
			break;
		case CELLS_VERIFIED:
		case CELLS_NET_FORM:
		case CELLS_NET_STATUS:
			cells_add(to, at.table, SUMS_NATION, 0, at.value, at.count);
			cells_add(to, at.table, at.place, 0, at.value, at.count);
			break;
		case CELLS_STATUS:
		case CELLS_FORM:
		case CELLS_SECTOR:
			cells_add(to, at.table, at.place, at.kind, at.value, at.count);
			break;
		}
	}
}

/* ---- freshness ---- */

struct verified {
	day_number last;
	const char *text;
	size_t count;
};

static int by_day(const void *a, const void *b)
{
	const struct verified *x = a;
	const struct verified *y = b;

	if (x->last != y->last)
		return x->last < y->last ? -1 : 1;
	return strcmp(x->text, y->text);
}

static enum err find_freshness(struct sums *s, const struct catalog *c, unsigned place,
			       day_number today)
{
	struct freshness *f = &s->places[place].freshness;
	struct cell_row *rows = NULL;
	struct verified *days = NULL;
	size_t count = 0, known = 0, before = 0;
	enum err e = cells_list(&s->cells, c, CELLS_VERIFIED, place, "", &rows, &count);

	*f = (struct freshness){.of = s->places[place].entities, .oldest = "", .median = ""};
	if (e != ERR_OK)
		return e;
	days = arena_alloc(s->cells.arena, (count + 1) * sizeof *days);
	if (!days)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		day_number last = date_last(rows[i].text);

		if (!last)
			continue;
		days[known++] = (struct verified){last, rows[i].text, rows[i].count};
		f->known += rows[i].count;
		if (day_after_months(last, 12) < today)
			f->over_12_months += rows[i].count;
	}
	if (!known)
		return ERR_OK;
	qsort(days, known, sizeof *days, by_day);
	f->oldest = days[0].text;
	for (size_t i = 0; i < known && !*f->median; i++) {
		before += days[i].count;
		if (2 * before >= f->known)
			f->median = days[i].text;
	}
	return ERR_OK;
}

/* ---- all of it ---- */

static void find_fields(struct sums *s)
{
	const struct kind *info = kind_of(RECORD_ENTITY);

	for (size_t i = 0; info && i < info->field_count; i++) {
		if (info->fields[i].completeness && s->field_count < COMPLETENESS_FIELDS_MAX)
			s->fields[s->field_count++] = i;
	}
}

enum err sums_make(const struct catalog *c, day_number today, struct arena *arena, struct sums *ret)
{
	struct place_sums places[NO_PLACE + 1] = {{.entities = 0}};
	struct cells by_place;
	bool *in_network = NULL;
	enum err e = entities_in_networks(c, today, arena, &in_network);

	if (e != ERR_OK)
		return e;
	*ret = (struct sums){.cells = cells_in(arena)};
	find_fields(ret);
	add_entities(ret, c, in_network, places);
	add_networks(ret, c, places);
	add_others(c, places);
	for (unsigned place = 0; place <= NO_PLACE; place++) {
		if (place != SUMS_NATION && place != NO_PLACE)
			ret->places[place] = places[place];
		add_place(&ret->places[SUMS_NATION], &places[place]);
	}
	by_place = ret->cells;
	e = cells_settle(&by_place);
	ret->cells = cells_in(arena);
	if (e == ERR_OK) {
		add_cells(&ret->cells, &by_place);
		e = cells_settle(&ret->cells);
	}
	for (unsigned place = 0; e == ERR_OK && place < SUMS_PLACES; place++)
		e = find_freshness(ret, c, place, today);
	return e;
}

bool sums_any(const struct place_sums *p)
{
	return p->entities + p->operators + p->networks + p->memberships + p->statistics > 0;
}
