/* /summary: the nation in numbers. */
#include "api/endpoints.h"
#include "api/places.h"
#include "api/replication.h"

/* Whose register it is. */
static void write_scope(struct json *j, const struct control_reply *status)
{
	struct log_name log;
	int region = REGION_NONE;

	if (status && !is_server(status) && status->identity &&
	    log_name_parse(bytes_of_text(status->identity), &log) == ERR_OK)
		region = log_name_region(log);
	json_key(j, "scope");
	json_open(j, '{');
	write_or_null(j, "role", status ? status->role : "");
	write_or_null(j, "identity", status ? status->identity : "");
	write_or_null(j, "realm", status ? status->realm : "");
	write_or_null(j, "region", region == REGION_NONE ? "" : region_at(region)->code);
	json_close(j, '}');
}

static void write_totals(struct json *j, const struct place_sums *all)
{
	json_key(j, "totals");
	json_open(j, '{');
	json_field_uint(j, "operators", all->operators);
	json_field_uint(j, "entities", all->entities);
	json_field_uint(j, "networks", all->networks);
	json_field_uint(j, "memberships", all->memberships);
	json_field_uint(j, "statistics", all->statistics);
	json_close(j, '}');
	json_key(j, "by_kind");
	json_open(j, '[');
	for (unsigned kind = 0; kind < ENTITY_KINDS; kind++) {
		if (kind == KIND_OTHER && all->by_kind[kind] == 0)
			continue;
		json_open(j, '{');
		write_or_null(j, "kind", entity_kind_name(kind));
		json_field_uint(j, "count", all->by_kind[kind]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static enum err write_tables(struct json *j, const struct nation *n)
{
	static const struct {
		const char *key, *member;
		enum sums_table table;
		bool kinds;
	} tables[] = {
		{"by_status", "status", CELLS_STATUS, true},
		{"by_operator_form", "form", CELLS_FORM, true},
		{"by_operator_sector", "sector", CELLS_SECTOR, true},
		{"networks_by_form", "form", CELLS_NET_FORM, false},
		{"networks_by_status", "status", CELLS_NET_STATUS, false},
	};
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < sizeof tables / sizeof tables[0]; i++)
		e = write_cells(j, n, tables[i].table, SUMS_NATION, tables[i].key, tables[i].member,
				tables[i].kinds);
	return e;
}

static void write_completeness(struct json *j, const struct nation *n)
{
	const struct kind *info = kind_of(RECORD_ENTITY);

	json_key(j, "completeness");
	json_open(j, '[');
	for (size_t i = 0; info && i < n->sums.field_count; i++) {
		json_open(j, '{');
		json_field_text(j, "kind", info->name);
		json_field_text(j, "field", info->fields[n->sums.fields[i]].name);
		json_field_uint(j, "known", n->sums.known[i]);
		json_field_uint(j, "of", n->sums.places[SUMS_NATION].entities);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* How much of the nation the records hold: against what the ministry stated last. */
static void write_partial(struct json *j, const struct nation *n)
{
	const struct place_sums *all = &n->sums.places[SUMS_NATION];
	uint64_t cis = 0, kis = 0;
	bool cis_stated = claims_newest(&n->claims, n->x->catalog, REGION_PL, "CIS", &cis);
	bool kis_stated = claims_newest(&n->claims, n->x->catalog, REGION_PL, "KIS", &kis);
	uint64_t without = 0;

	for (int place = 0; place < REGION_PL; place++)
		without += n->sums.places[place].entities == 0;
	json_key(j, "partial");
	json_open(j, '{');
	json_field_uint(j, "regions_without_entities", without);
	write_uint_or_null(j, "stated_cis", cis_stated, cis);
	write_uint_or_null(j, "stated_kis", kis_stated, kis);
	json_field_uint(j, "recorded_cis", all->by_kind[KIND_CIS]);
	json_field_uint(j, "recorded_kis", all->by_kind[KIND_KIS]);
	json_close(j, '}');
}

enum err endpoint_summary(const struct api_context *x, const struct api_request *rq,
			  struct api_answer *ret)
{
	struct nation n;
	struct json j;
	enum err e = nation_make(x, rq, &n);

	if (e != ERR_OK)
		return e;
	j = answer_begin(x, rq, ret);
	ret->live = !x->past;
	write_scope(&j, x->status);
	write_totals(&j, &n.sums.places[SUMS_NATION]);
	e = write_regions(&j, &n);
	if (e == ERR_OK)
		e = write_tables(&j, &n);
	if (e != ERR_OK)
		return e;
	write_membership(&j, &n.sums.places[SUMS_NATION]);
	write_completeness(&j, &n);
	write_freshness(&j, &n.sums.places[SUMS_NATION].freshness);
	write_stated(&j, &n, REGION_PL);
	write_partial(&j, &n);
	write_quarter(&j, &n, SUMS_NATION);
	write_logs(&j, "replication", x->past ? NULL : x->status);
	return answer_end(&j, ret);
}
