/* /quality: what is unknown, what nobody confirmed for long, and whose status lapses. */
#include <stdlib.h>
#include <string.h>

#include "api/endpoints.h"
#include "api/lapse.h"
#include "api/sums.h"

enum { OLDEST_MAX = 100, LAPSING_MAX = 1000 };

/* ---- unknown fields ---- */

/* Columns whose absence leaves a question open.  `only`: asked of entities of that kind alone. */
static const struct {
	enum record_kind kind;
	const char *field;
	const char *only;
} asked[] = {
	{RECORD_OPERATOR, "form", NULL},
	{RECORD_OPERATOR, "sector", NULL},
	{RECORD_OPERATOR, "krs", NULL},
	{RECORD_OPERATOR, "nip", NULL},
	{RECORD_OPERATOR, "regon", NULL},
	{RECORD_ENTITY, "operator_id", NULL},
	{RECORD_ENTITY, "operator_form", NULL},
	{RECORD_ENTITY, "place", NULL},
	{RECORD_ENTITY, "street", NULL},
	{RECORD_ENTITY, "postcode", NULL},
	{RECORD_ENTITY, "powiat", NULL},
	{RECORD_ENTITY, "gmina", NULL},
	{RECORD_ENTITY, "created_on", NULL},
	{RECORD_ENTITY, "started_on", NULL},
	{RECORD_ENTITY, "registered_on", NULL},
	{RECORD_ENTITY, "register_no", NULL},
	{RECORD_ENTITY, "register_state", NULL},
	{RECORD_ENTITY, "valid_from", "CIS"},
	{RECORD_ENTITY, "valid_to", "CIS"},
	{RECORD_ENTITY, "status", NULL},
	{RECORD_ENTITY, "status_as_of", NULL},
	{RECORD_ENTITY, "verified_on", NULL},
	{RECORD_ENTITY, "participants_per_year_min", NULL},
	{RECORD_ENTITY, "participants_total", NULL},
	{RECORD_NETWORK, "status", NULL},
	{RECORD_NETWORK, "founded_on", NULL},
	{RECORD_NETWORK, "initiator", NULL},
	{RECORD_NETWORK, "governance", NULL},
	{RECORD_NETWORK, "stated_members_total", NULL},
	{RECORD_NETWORK, "coordinator_state", NULL},
	{RECORD_NETWORK, "verified_on", NULL},
	{RECORD_MEMBERSHIP, "certainty", NULL},
	{RECORD_MEMBERSHIP, "since", NULL},
	{RECORD_STATISTIC, "as_of", NULL},
};
enum { ASKED_COUNT = sizeof asked / sizeof asked[0], PLACES = REGION_COUNT + 1 };

/* Region of each row of a kind; REGION_COUNT for none.  NULL without memory. */
static uint8_t *find_owners(const struct api_context *x, enum record_kind kind)
{
	const struct owners of = owners_of(x->catalog, kind);
	size_t count = catalog_count(x->catalog, kind);
	uint8_t *owners = arena_alloc(x->arena, count + 1);

	if (!owners)
		return NULL;
	for (size_t row = 0; row < count; row++) {
		int owner = owner_at(&of, row);

		owners[row] = owner == REGION_NONE ? REGION_COUNT : (uint8_t)owner;
	}
	return owners;
}

static void write_unknown_field(struct json *j, const struct catalog *c, size_t which,
				const uint8_t *owners)
{
	const enum record_kind kind = asked[which].kind;
	const int column = column_of(kind, asked[which].field);
	const int entity_kind = column_of(kind, "kind");
	text_id only = asked[which].only ? catalog_lookup(c, asked[which].only) : 0;
	size_t of[PLACES] = {0};
	size_t unknown[PLACES] = {0};

	if (asked[which].only && !only)
		return; /* no record is of that kind */
	for (size_t row = 0; row < catalog_count(c, kind); row++) {
		if (only && value_at(c, kind, row, entity_kind) != only)
			continue;
		of[owners[row]]++;
		unknown[owners[row]] += value_at(c, kind, row, column) == 0;
	}
	for (int place = 0; place < PLACES; place++) {
		if (of[place] == 0)
			continue;
		json_open(j, '{');
		json_field_text(j, "kind", kind_of(kind)->name);
		json_field_text(j, "field", asked[which].field);
		write_or_null(j, "region", place == REGION_COUNT ? "" : region_at(place)->code);
		json_field_uint(j, "unknown", unknown[place]);
		json_field_uint(j, "of", of[place]);
		json_close(j, '}');
	}
}

static enum err write_unknown(struct json *j, const struct api_context *x)
{
	enum record_kind of = RECORD_NONE;
	const uint8_t *owners = NULL;

	json_key(j, "unknown");
	json_open(j, '[');
	for (size_t i = 0; i < ASKED_COUNT; i++) {
		if (!owners || asked[i].kind != of) {
			of = asked[i].kind;
			owners = find_owners(x, of);
			if (!owners)
				return ERR_NOMEM;
		}
		write_unknown_field(j, x->catalog, i, owners);
	}
	json_close(j, ']');
	return ERR_OK;
}

/* ---- confirmations ---- */

static void write_never(struct json *j, const struct catalog *c)
{
	const struct owners owners = owners_of(c, RECORD_ENTITY);
	const int verified = column_of(RECORD_ENTITY, "verified_on");
	size_t of[PLACES] = {0};
	size_t never[PLACES] = {0};

	for (size_t row = 0; row < catalog_count(c, RECORD_ENTITY); row++) {
		int owner = owner_at(&owners, row);
		int place = owner == REGION_NONE ? REGION_COUNT : owner;

		of[place]++;
		never[place] += date_last(text_at(c, RECORD_ENTITY, row, verified)) == 0;
	}
	json_key(j, "never_verified");
	json_open(j, '[');
	for (int place = 0; place < PLACES; place++) {
		if (of[place] == 0)
			continue;
		json_open(j, '{');
		write_or_null(j, "region", place == REGION_COUNT ? "" : region_at(place)->code);
		json_field_uint(j, "count", never[place]);
		json_field_uint(j, "of", of[place]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* Records by a day, the earliest kept. */
struct dated {
	day_number last;
	enum record_kind kind;
	size_t row;
	const char *id;
};
struct earliest {
	size_t count, max;
	struct dated *rows; /* room for max */
};

static int by_day(const void *a, const void *b)
{
	const struct dated *x = a;
	const struct dated *y = b;

	if (x->last != y->last)
		return x->last < y->last ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* All are kept until there are twice as many as wanted; then the earlier half is. */
static void keep(struct earliest *e, struct dated d)
{
	if (e->count == 2 * e->max) {
		qsort(e->rows, e->count, sizeof *e->rows, by_day);
		e->count = e->max;
	}
	e->rows[e->count++] = d;
}

static void settle(struct earliest *e)
{
	if (e->count)
		qsort(e->rows, e->count, sizeof *e->rows, by_day);
	if (e->count > e->max)
		e->count = e->max;
}

static enum err earliest_new(struct arena *arena, size_t max, struct earliest *ret)
{
	*ret = (struct earliest){.max = max,
				 .rows = arena_alloc(arena, 2 * max * sizeof *ret->rows)};
	return ret->rows ? ERR_OK : ERR_NOMEM;
}

static void keep_verified(struct earliest *oldest, const struct catalog *c, enum record_kind kind)
{
	const int verified = column_of(kind, "verified_on");
	const int id = column_of(kind, "id");

	for (size_t row = 0; row < catalog_count(c, kind); row++) {
		day_number last = date_last(text_at(c, kind, row, verified));

		if (last)
			keep(oldest, (struct dated){last, kind, row, text_at(c, kind, row, id)});
	}
}

static enum err write_oldest(struct json *j, const struct api_context *x)
{
	const struct catalog *c = x->catalog;
	struct earliest oldest;
	enum err e = earliest_new(x->arena, OLDEST_MAX, &oldest);

	if (e != ERR_OK)
		return e;
	keep_verified(&oldest, c, RECORD_ENTITY);
	keep_verified(&oldest, c, RECORD_NETWORK);
	settle(&oldest);
	json_key(j, "oldest");
	json_open(j, '[');
	for (size_t i = 0; i < oldest.count; i++) {
		const struct dated *d = &oldest.rows[i];

		json_open(j, '{');
		json_field_text(j, "id", d->id);
		json_field_text(j, "kind", kind_of(d->kind)->name);
		json_field_text(j, "title", catalog_title(c, d->kind, d->row));
		write_or_null(j, "region", row_region(c, d->kind, d->row));
		json_field_text(j, "verified_on",
				text_at(c, d->kind, d->row, column_of(d->kind, "verified_on")));
		json_close(j, '}');
	}
	json_close(j, ']');
	return ERR_OK;
}

/* ---- lapsing ---- */

static void keep_lapsing(struct earliest *lapsing, const struct catalog *c, day_number today)
{
	const int kind = column_of(RECORD_ENTITY, "kind");
	const int status = column_of(RECORD_ENTITY, "status");
	const int from = column_of(RECORD_ENTITY, "valid_from");
	const int to = column_of(RECORD_ENTITY, "valid_to");
	const int id = column_of(RECORD_ENTITY, "id");

	for (size_t row = 0; row < catalog_count(c, RECORD_ENTITY); row++) {
		struct lapse lapse;

		if (lapse_of_texts(text_at(c, RECORD_ENTITY, row, kind),
				   text_at(c, RECORD_ENTITY, row, status),
				   text_at(c, RECORD_ENTITY, row, from),
				   text_at(c, RECORD_ENTITY, row, to), today, &lapse) &&
		    lapse.state != LAPSE_NOT_SOON)
			keep(lapsing, (struct dated){lapse.last, RECORD_ENTITY, row,
						     text_at(c, RECORD_ENTITY, row, id)});
	}
	settle(lapsing);
}

static enum err write_lapsing(struct json *j, const struct api_context *x, day_number today)
{
	const struct catalog *c = x->catalog;
	struct earliest lapsing;
	enum err e = earliest_new(x->arena, LAPSING_MAX, &lapsing);

	if (e != ERR_OK)
		return e;
	keep_lapsing(&lapsing, c, today);
	json_key(j, "lapsing");
	json_open(j, '[');
	for (size_t i = 0; i < lapsing.count; i++) {
		const struct dated *d = &lapsing.rows[i];
		struct lapse lapse;

		if (!lapse_of(c, d->row, today, &lapse))
			continue;
		json_open(j, '{');
		json_field_text(j, "id", d->id);
		json_field_text(j, "title", catalog_title(c, d->kind, d->row));
		write_or_null(j, "region", row_region(c, d->kind, d->row));
		json_field_text(j, "valid_to", lapse.valid_to);
		json_field_bool(j, "estimated", lapse.estimated);
		json_field_text(j, "state", lapse_name(lapse.state));
		json_close(j, '}');
	}
	json_close(j, ']');
	return ERR_OK;
}

/* ---- all of it ---- */

enum err endpoint_quality(const struct api_context *x, const struct api_request *rq,
			  struct api_answer *ret)
{
	struct json j = answer_begin(x, rq, ret);
	enum err e = write_unknown(&j, x);

	ret->live = !x->past; /* what is soon depends on the day */
	if (e != ERR_OK)
		return e;
	write_never(&j, x->catalog);
	e = write_oldest(&j, x);
	if (e == ERR_OK)
		e = write_lapsing(&j, x, answer_day(x, rq));
	return e == ERR_OK ? answer_end(&j, ret) : e;
}
