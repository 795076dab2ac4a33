#include "api/places.h"

#include <stdio.h>
#include <string.h>

#include "api/facts.h"
#include "api/replication.h"
#include "base/day.h"

enum err nation_make(const struct api_context *x, const struct api_request *rq, struct nation *ret)
{
	enum err e = ERR_OK;

	*ret = (struct nation){.x = x, .moment = answer_moment(x, rq)};
	ret->today = day_of(ret->moment);
	e = sums_make(x->catalog, ret->today, x->arena, &ret->sums);
	return e == ERR_OK ? claims_make(x->catalog, x->arena, &ret->claims) : e;
}

/* ---- members that a region and the nation have alike ---- */

void write_membership(struct json *j, const struct place_sums *p)
{
	json_key(j, "membership");
	json_open(j, '[');
	for (unsigned kind = 0; kind < KIND_OTHER; kind++) {
		json_open(j, '{');
		json_field_text(j, "kind", entity_kind_name(kind));
		json_field_uint(j, "in_network", p->in_network[kind]);
		json_field_uint(j, "base", p->by_kind[kind]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void write_freshness(struct json *j, const struct freshness *f)
{
	json_key(j, "freshness");
	json_open(j, '{');
	json_field_uint(j, "of", f->of);
	json_field_uint(j, "known", f->known);
	json_field_uint(j, "never", f->of - f->known);
	write_or_null(j, "oldest", f->oldest);
	write_or_null(j, "median", f->median);
	json_field_uint(j, "over_12_months", f->over_12_months);
	json_close(j, '}');
}

/* First day of the quarter that a day lies in. */
static day_number quarter_of(day_number day)
{
	enum { QUARTER_MONTHS = 3 };
	unsigned month = day % DAY_YEAR / DAY_MONTH;

	if (month == 0)
		return 0;
	month = (month - 1) / QUARTER_MONTHS * QUARTER_MONTHS + 1;
	return day / DAY_YEAR * DAY_YEAR + month * DAY_MONTH + 1;
}

void write_quarter(struct json *j, const struct nation *n, int place)
{
	char from[DAY_TEXT_BYTES];
	struct moment first = {.day = true};
	const char *region = place == SUMS_NATION ? NULL : region_at(place)->code;

	day_text(quarter_of(n->today), from);
	json_key(j, "quarter");
	if (!n->x->movements || moment_parse(from, &first) != ERR_OK) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_field_text(j, "from", from);
	for (int what = 0; what < MOVEMENT_COUNT; what++)
		json_field_uint(j, movement_name((enum movement)what),
				movements_sum(n->x->movements, (enum movement)what, region,
					      first.first, (struct wall_ms){n->moment.ms + 1}));
	json_close(j, '}');
}

void write_stated(struct json *j, const struct nation *n, int owner)
{
	size_t rows[STATED_MAX];
	size_t count = claims_stated(&n->claims, n->x->catalog, owner, STATED_MAX, rows);

	json_key(j, "stated");
	json_open(j, '[');
	for (size_t i = 0; i < count; i++)
		write_stat(j, n->x->catalog, rows[i]);
	json_close(j, ']');
}

/* The texts of an enum in the order of the rules. */
static const char *order_of(enum sums_table table)
{
	static const struct {
		enum record_kind kind;
		const char *field;
	} fields[] = {
		[CELLS_STATUS] = {RECORD_ENTITY, "status"},
		[CELLS_FORM] = {RECORD_ENTITY, "operator_form"},
		[CELLS_SECTOR] = {RECORD_ENTITY, "operator_sector"},
		[CELLS_VERIFIED] = {RECORD_ENTITY, "verified_on"},
		[CELLS_NET_FORM] = {RECORD_NETWORK, "form"},
		[CELLS_NET_STATUS] = {RECORD_NETWORK, "status"},
		[CELLS_SECTOR_KIND] = {RECORD_ENTITY, "operator_sector"},
	};
	const struct kind *info = kind_of(fields[table].kind);
	int at = info ? field_named(info, fields[table].field) : -1;

	return at < 0 ? "" : info->fields[at].values;
}

enum err write_cells(struct json *j, const struct nation *n, enum sums_table table, int place,
		     const char *key, const char *member, bool kinds)
{
	struct cell_row *rows = NULL;
	size_t count = 0;
	enum err e = cells_list(&n->sums.cells, n->x->catalog, table, (unsigned)place,
				order_of(table), &rows, &count);

	if (e != ERR_OK)
		return e;
	json_key(j, key);
	json_open(j, '[');
	for (size_t i = 0; i < count; i++) {
		json_open(j, '{');
		if (kinds)
			write_or_null(j, "kind", entity_kind_name(rows[i].kind));
		write_or_null(j, member, rows[i].text);
		json_field_uint(j, "count", rows[i].count);
		json_close(j, '}');
	}
	json_close(j, ']');
	return ERR_OK;
}

/* ---- a region ---- */

static void write_facts(struct json *j, int place)
{
	const struct region *r = region_at(place);
	const struct region_facts *f = region_facts(place);

	json_field_text(j, "region", r->code);
	json_field_text(j, "slug", r->slug);
	json_field_text(j, "name_pl", r->name_pl);
	json_field_text(j, "name_en", r->name_en);
	write_or_null(j, "seat", f->seat);
	write_or_null(j, "rops_name", f->rops_name);
	write_or_null(j, "rops_short", f->rops_short);
	write_uint_or_null(j, "tile_col", f->tile_col >= 0, (uint64_t)f->tile_col);
	write_uint_or_null(j, "tile_row", f->tile_row >= 0, (uint64_t)f->tile_row);
	write_or_null(j, "iso", f->iso);
}

static void write_counts(struct json *j, const struct place_sums *p)
{
	json_key(j, "entities");
	json_open(j, '{');
	json_field_uint(j, "all", p->entities);
	for (unsigned kind = 0; kind < KIND_OTHER; kind++)
		json_field_uint(j, entity_kind_name(kind), p->by_kind[kind]);
	json_close(j, '}');
	json_field_uint(j, "operators", p->operators);
	json_field_uint(j, "networks", p->networks);
	json_field_uint(j, "memberships", p->memberships);
	json_field_uint(j, "statistics", p->statistics);
	json_field_bool(j, "has_records", sums_any(p));
}

static void write_coordinator(struct json *j, const struct place_sums *p)
{
	json_key(j, "coordinator");
	json_open(j, '{');
	for (unsigned state = 0; state < COORDINATOR_STATES; state++)
		json_field_uint(j, coordinator_name(state), p->coordinator[state]);
	json_close(j, '}');
}

enum err write_region(struct json *j, const struct nation *n, int place)
{
	const struct place_sums *p = &n->sums.places[place];
	enum err e = ERR_OK;

	write_facts(j, place);
	write_counts(j, p);
	e = write_cells(j, n, CELLS_SECTOR, place, "by_sector", "sector", false);
	if (e != ERR_OK)
		return e;
	write_membership(j, p);
	write_coordinator(j, p);
	e = write_cells(j, n, CELLS_NET_STATUS, place, "networks_by_status", "status", false);
	if (e != ERR_OK)
		return e;
	json_key(j, "completeness");
	json_open(j, '{');
	json_field_uint(j, "known", p->fields_known);
	json_field_uint(j, "of", p->entities * n->sums.field_count);
	json_close(j, '}');
	write_freshness(j, &p->freshness);
	write_stated(j, n, place);
	json_field_uint(j, "conflicts", claims_conflicts(&n->claims, place));
	write_quarter(j, n, place);
	/* how a log is replicated is known of now alone */
	write_log_of(j, "log", n->x->past ? NULL : n->x->status, region_at(place)->code);
	return ERR_OK;
}

enum err write_regions(struct json *j, const struct nation *n)
{
	enum err e = ERR_OK;

	json_key(j, "regions");
	json_open(j, '[');
	for (int place = 0; e == ERR_OK && place < REGION_COUNT; place++) {
		json_open(j, '{');
		e = write_region(j, n, place);
		json_close(j, '}');
	}
	json_close(j, ']');
	return e;
}
