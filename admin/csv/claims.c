#include "admin/csv/claims.h"

#include <stdlib.h>
#include <string.h>

enum err claims_collect(struct claims *cs, const struct snapshot *statistics)
{
	cs->count = 0;
	cs->items = calloc(statistics->count + 1, sizeof *cs->items);
	if (!cs->items)
		return ERR_NOMEM;
	for (size_t i = 0; i < statistics->count; i++) {
		const struct record *r = statistics->rows[i].change.record;

		if (!r || strcmp(record_get_named(r, "measure"), "active_count") != 0)
			continue;
		cs->items[cs->count++] = (struct claim){
			.region = record_get_named(r, "region"),
			.kind = record_get_named(r, "kind"),
			.as_of = record_get_named(r, "as_of"),
			.qualifier = record_get_named(r, "qualifier"),
			.value = record_get_named(r, "value"),
			.value_max = record_get_named(r, "value_max"),
			.reported_by = record_get_named(r, "reported_by"),
		};
	}
	return ERR_OK;
}

void claims_free(struct claims *cs)
{
	free(cs->items);
	*cs = (struct claims){0};
}

static bool is_about(const struct claim *c, const char *region, const char *kind)
{
	return !strcmp(c->region, region) && !strcmp(c->kind, kind);
}

const struct claim *claims_newest(const struct claims *cs, const char *region, const char *kind)
{
	const struct claim *newest = NULL;

	for (size_t i = 0; i < cs->count; i++)
		if (is_about(&cs->items[i], region, kind) &&
		    (!newest || strcmp(cs->items[i].as_of, newest->as_of) > 0))
			newest = &cs->items[i];
	return newest;
}

bool claims_conflict(const struct claims *cs, const char *region, const char *kind)
{
	const struct claim *first = NULL;
	bool reporters = false;
	bool values = false;

	for (size_t i = 0; i < cs->count; i++) {
		const struct claim *c = &cs->items[i];

		if (!is_about(c, region, kind))
			continue;
		if (!first)
			first = c;
		reporters = reporters || strcmp(c->reported_by, first->reported_by) != 0;
		values = values || strcmp(c->value, first->value) != 0;
	}
	return reporters && values;
}

const char *claim_sign(const char *qualifier)
{
	static const char *const signs[][2] = {{"approx", "~"}, {"approx_below", "<"}, {"gt", ">"}};

	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (!strcmp(signs[i][0], qualifier))
			return signs[i][1];
	return "";
}
