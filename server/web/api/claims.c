#include "api/claims.h"

#include <stdlib.h>
#include <string.h>

#include "api/sums.h"

/* Measures that count the units of a kind in a region, all of them; others count a part of them
 * (by founder, new ones, members of a network), people, or shares. */
static const char *const counting_measures[] = {"active_count", "register_count"};

/* One statistic with what it is sorted and grouped by. */
struct claim {
	size_t row;
	int owner;
	day_number as_of;
	text_id kind_id, measure_id, unit_id, reporter, value;
	const char *kind, *measure, *unit, *id;
};

struct claim_columns {
	int id, kind, measure, unit, as_of, reporter, value;
};

static struct claim_columns claim_columns(void)
{
	return (struct claim_columns){
		.id = column_of(RECORD_STATISTIC, "id"),
		.kind = column_of(RECORD_STATISTIC, "kind"),
		.measure = column_of(RECORD_STATISTIC, "measure"),
		.unit = column_of(RECORD_STATISTIC, "unit"),
		.as_of = column_of(RECORD_STATISTIC, "as_of"),
		.reporter = column_of(RECORD_STATISTIC, "reported_by"),
		.value = column_of(RECORD_STATISTIC, "value"),
	};
}

static struct claim claim_of(const struct owners *owners, const struct claim_columns *at,
			     size_t row)
{
	const enum record_kind kind = RECORD_STATISTIC;
	const struct catalog *c = owners->c;

	return (struct claim){
		.row = row,
		.owner = owner_at(owners, row),
		.as_of = date_last(text_at(c, kind, row, at->as_of)),
		.kind_id = value_at(c, kind, row, at->kind),
		.measure_id = value_at(c, kind, row, at->measure),
		.unit_id = value_at(c, kind, row, at->unit),
		.reporter = value_at(c, kind, row, at->reporter),
		.value = value_at(c, kind, row, at->value),
		.kind = text_at(c, kind, row, at->kind),
		.measure = text_at(c, kind, row, at->measure),
		.unit = text_at(c, kind, row, at->unit),
		.id = text_at(c, kind, row, at->id),
	};
}

static int by_group(const struct claim *x, const struct claim *y)
{
	if (x->owner != y->owner)
		return x->owner < y->owner ? -1 : 1;
	if (x->kind_id != y->kind_id)
		return strcmp(x->kind, y->kind);
	if (x->measure_id != y->measure_id)
		return strcmp(x->measure, y->measure);
	return x->unit_id == y->unit_id ? 0 : strcmp(x->unit, y->unit);
}

static int newest_first(const struct claim *x, const struct claim *y)
{
	if (x->as_of != y->as_of)
		return x->as_of > y->as_of ? -1 : 1;
	return strcmp(x->id, y->id);
}

static int compare(const void *a, const void *b)
{
	int order = by_group(a, b);

	return order ? order : newest_first(a, b);
}

static bool disagree(const struct claim *claims, size_t count)
{
	bool reporters = false;
	bool values = false;

	for (size_t i = 1; i < count; i++) {
		reporters = reporters || claims[i].reporter != claims[0].reporter;
		values = values || claims[i].value != claims[0].value;
	}
	return reporters && values;
}

enum err claims_make(const struct catalog *c, struct arena *arena, struct claims *ret)
{
	size_t count = catalog_count(c, RECORD_STATISTIC);
	const struct owners owners = owners_of(c, RECORD_STATISTIC);
	const struct claim_columns at = claim_columns();
	struct claim *claims = arena_alloc(arena, (count + 1) * sizeof *claims);
	size_t *rows = arena_alloc(arena, (count + 1) * sizeof *rows);
	struct claim_group *groups = arena_alloc(arena, (count + 1) * sizeof *groups);
	size_t group_count = 0;

	if (!claims || !rows || !groups)
		return ERR_NOMEM;
	for (size_t row = 0; row < count; row++)
		claims[row] = claim_of(&owners, &at, row);
	qsort(claims, count, sizeof *claims, compare);
	for (size_t i = 0; i < count; i++) {
		rows[i] = claims[i].row;
		if (i == 0 || by_group(&claims[i - 1], &claims[i]) != 0)
			groups[group_count++] =
				(struct claim_group){.owner = claims[i].owner, .first = i};
		groups[group_count - 1].count++;
	}
	for (size_t i = 0; i < group_count; i++)
		groups[i].disagree = disagree(claims + groups[i].first, groups[i].count);
	*ret = (struct claims){
		.rows = rows, .groups = groups, .row_count = count, .group_count = group_count};
	return ERR_OK;
}

static bool is_counting(const char *measure)
{
	for (size_t i = 0; i < sizeof counting_measures / sizeof counting_measures[0]; i++) {
		if (strcmp(measure, counting_measures[i]) == 0)
			return true;
	}
	return false;
}

/* Whether a group's claims say how many units of that kind there are. */
static bool is_stated(const struct claims *l, const struct catalog *c, const struct claim_group *g,
		      const struct claim_columns *at, const char *kind)
{
	size_t row = l->rows[g->first];
	const char *of = text_at(c, RECORD_STATISTIC, row, at->kind);

	return (kind ? strcmp(of, kind) == 0 : strcmp(of, "CIS") == 0 || strcmp(of, "KIS") == 0) &&
	       strcmp(text_at(c, RECORD_STATISTIC, row, at->unit), "count") == 0 &&
	       is_counting(text_at(c, RECORD_STATISTIC, row, at->measure));
}

/* What is left of a group, newest first. */
struct rest {
	const size_t *rows;
	size_t count;
};
enum { STATED_GROUPS_MAX = 4 }; /* two kinds, two measures */

size_t claims_stated(const struct claims *l, const struct catalog *c, int owner, size_t max,
		     size_t *ret)
{
	const struct claim_columns at = claim_columns();
	struct rest rests[STATED_GROUPS_MAX];
	size_t groups = 0, count = 0;

	for (size_t i = 0; i < l->group_count && groups < STATED_GROUPS_MAX; i++) {
		const struct claim_group *g = &l->groups[i];

		if (g->owner == owner && is_stated(l, c, g, &at, NULL))
			rests[groups++] = (struct rest){l->rows + g->first, g->count};
	}
	while (count < max) {
		struct rest *newest = NULL;
		day_number day = 0;

		for (size_t i = 0; i < groups; i++) {
			day_number other = 0;

			if (rests[i].count == 0)
				continue;
			other = date_last(text_at(c, RECORD_STATISTIC, rests[i].rows[0], at.as_of));
			if (!newest || other > day) {
				newest = &rests[i];
				day = other;
			}
		}
		if (!newest)
			break;
		ret[count++] = *newest->rows++;
		newest->count--;
	}
	return count;
}

size_t claims_conflicts(const struct claims *l, int owner)
{
	size_t count = 0;

	for (size_t i = 0; i < l->group_count; i++)
		count += l->groups[i].owner == owner && l->groups[i].disagree;
	return count;
}

/* Whole numbers only; false for any other text. */
static bool whole_number(const char *text, uint64_t *ret)
{
	enum { DIGITS_MAX = 18 };
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > DIGITS_MAX || text[digits])
		return false;
	*ret = strtoull(text, NULL, 10);
	return true;
}

bool claims_newest(const struct claims *l, const struct catalog *c, int owner, const char *kind,
		   uint64_t *ret)
{
	const struct claim_columns at = claim_columns();
	day_number newest = 0;
	bool found = false;

	for (size_t i = 0; i < l->group_count; i++) {
		const struct claim_group *g = &l->groups[i];

		if (g->owner != owner || !is_stated(l, c, g, &at, kind))
			continue;
		for (size_t k = 0; k < g->count; k++) {
			size_t row = l->rows[g->first + k];
			day_number day = date_last(text_at(c, RECORD_STATISTIC, row, at.as_of));
			uint64_t value = 0;

			if (!whole_number(text_at(c, RECORD_STATISTIC, row, at.value), &value) ||
			    (found && day <= newest))
				continue;
			*ret = value;
			newest = day;
			found = true;
		}
	}
	return found;
}

void write_claim_group(struct json *j, const struct catalog *c, const struct claims *l,
		       const struct claim_group *g, bool region)
{
	const struct claim_columns at = claim_columns();
	size_t row = l->rows[g->first];

	json_open(j, '{');
	if (region)
		write_or_null(j, "region", row_region(c, RECORD_STATISTIC, row));
	write_or_null(j, "kind", text_at(c, RECORD_STATISTIC, row, at.kind));
	write_or_null(j, "measure", text_at(c, RECORD_STATISTIC, row, at.measure));
	write_or_null(j, "unit", text_at(c, RECORD_STATISTIC, row, at.unit));
	if (!region)
		json_field_bool(j, "disagree", g->disagree);
	json_key(j, "claims");
	json_open(j, '[');
	for (size_t i = 0; i < g->count; i++)
		write_stat(j, c, l->rows[g->first + i]);
	json_close(j, ']');
	json_close(j, '}');
}
