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

/* Both sums that a record adds to: its region's, when it has one, and the nation's. */
struct both {
	struct place_sums *sums[2];
	unsigned places[2];
	size_t count;
};

static struct both both_of(struct sums *s, int owner)
{
	struct both b = {.sums = {&s->places[SUMS_NATION]}, .places = {SUMS_NATION}, .count = 1};

	if (owner != REGION_NONE) {
		b.sums[1] = &s->places[owner];
		b.places[1] = (unsigned)owner;
		b.count = 2;
	}
	return b;
}

static size_t count_known(struct sums *s, const struct catalog *c, size_t row)
{
	size_t known = 0;

	for (size_t i = 0; i < s->field_count; i++) {
		if (catalog_value(c, RECORD_ENTITY, row, s->fields[i])) {
			s->known[i]++;
			known++;
		}
	}
	return known;
}

static void add_entities(struct sums *s, const struct catalog *c, const bool *in_network)
{
	const int id = column_of(RECORD_ENTITY, "id");
	const int kind_column = column_of(RECORD_ENTITY, "kind");
	const int status = column_of(RECORD_ENTITY, "status");
	const int form = column_of(RECORD_ENTITY, "operator_form");
	const int sector = column_of(RECORD_ENTITY, "operator_sector");
	const int verified = column_of(RECORD_ENTITY, "verified_on");
	size_t count = catalog_count(c, RECORD_ENTITY);

	for (size_t row = 0; row < count; row++) {
		struct both b = both_of(s, row_owner(c, RECORD_ENTITY, row));
		unsigned kind = entity_kind_named(text_at(c, RECORD_ENTITY, row, kind_column));
		bool inside = in_network[value_at(c, RECORD_ENTITY, row, id)];
		size_t known = count_known(s, c, row);

		cells_add(&s->cells, CELLS_STATUS, SUMS_NATION, kind,
			  value_at(c, RECORD_ENTITY, row, status));
		cells_add(&s->cells, CELLS_FORM, SUMS_NATION, kind,
			  value_at(c, RECORD_ENTITY, row, form));
		for (size_t i = 0; i < b.count; i++) {
			struct place_sums *p = b.sums[i];

			p->entities++;
			p->by_kind[kind]++;
			p->in_network[kind] += inside;
			p->fields_known += known;
			/* a region's sectors are told without kinds */
			cells_add(&s->cells, CELLS_SECTOR, b.places[i],
				  b.places[i] == SUMS_NATION ? kind : 0,
				  value_at(c, RECORD_ENTITY, row, sector));
			cells_add(&s->cells, CELLS_VERIFIED, b.places[i], 0,
				  value_at(c, RECORD_ENTITY, row, verified));
		}
	}
}

static void add_networks(struct sums *s, const struct catalog *c)
{
	const int form = column_of(RECORD_NETWORK, "form");
	const int status = column_of(RECORD_NETWORK, "status");
	const int coordinator = column_of(RECORD_NETWORK, "coordinator_state");
	size_t count = catalog_count(c, RECORD_NETWORK);

	for (size_t row = 0; row < count; row++) {
		struct both b = both_of(s, row_owner(c, RECORD_NETWORK, row));
		unsigned state = coordinator_named(text_at(c, RECORD_NETWORK, row, coordinator));

		for (size_t i = 0; i < b.count; i++) {
			b.sums[i]->networks++;
			b.sums[i]->coordinator[state]++;
			cells_add(&s->cells, CELLS_NET_FORM, b.places[i], 0,
				  value_at(c, RECORD_NETWORK, row, form));
			cells_add(&s->cells, CELLS_NET_STATUS, b.places[i], 0,
				  value_at(c, RECORD_NETWORK, row, status));
		}
	}
}

/* Kinds of which only the number is told. */
static void add_others(struct sums *s, const struct catalog *c)
{
	static const struct {
		enum record_kind kind;
		size_t at;
	} counted[] = {
		{RECORD_OPERATOR, offsetof(struct place_sums, operators)},
		{RECORD_MEMBERSHIP, offsetof(struct place_sums, memberships)},
		{RECORD_STATISTIC, offsetof(struct place_sums, statistics)},
	};

	for (size_t k = 0; k < sizeof counted / sizeof counted[0]; k++) {
		size_t count = catalog_count(c, counted[k].kind);

		for (size_t row = 0; row < count; row++) {
			struct both b = both_of(s, row_owner(c, counted[k].kind, row));

			for (size_t i = 0; i < b.count; i++)
				++*(size_t *)(void *)((char *)b.sums[i] + counted[k].at);
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
	bool *in_network = NULL;
	enum err e = entities_in_networks(c, today, arena, &in_network);

	if (e != ERR_OK)
		return e;
	*ret = (struct sums){.cells = cells_in(arena)};
	find_fields(ret);
	add_entities(ret, c, in_network);
	add_networks(ret, c);
	add_others(ret, c);
	e = cells_settle(&ret->cells);
	for (unsigned place = 0; e == ERR_OK && place < SUMS_PLACES; place++)
		e = find_freshness(ret, c, place, today);
	return e;
}

bool sums_any(const struct place_sums *p)
{
	return p->entities + p->operators + p->networks + p->memberships + p->statistics > 0;
}
