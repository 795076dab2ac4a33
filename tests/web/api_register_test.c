/* The register of tests/data/register (SPLOT_REGISTER names another folder): what the API counts in
 * one pass is what the view counted as it folded, and what was expected of these rows before any
 * program was there. */
#include "api_support.h"

#include "ledger_sample.h"
#include "api/claims.h"
#include "api/sums.h"

enum { COLUMNS_MAX = 64 };

/* ---- the files ---- */

static struct bytes file_of(struct nation *n, const char *name)
{
	char path[512];
	const char *folder = getenv("SPLOT_REGISTER");
	struct buf raw = {.data = NULL};
	struct bytes kept;
	FILE *file = NULL;
	int c = 0;

	(void)snprintf(path, sizeof path, "%s/%s.csv",
		       folder ? folder : SPLOT_SOURCE "/tests/data/register", name);
	file = fopen(path, "rb");
	assert_non_null(file);
	while ((c = fgetc(file)) != EOF)
		buf_add_u8(&raw, (uint8_t)c);
	assert_int_equal(fclose(file), 0);
	kept = bytes_of(arena_text(&n->arena, buf_bytes(&raw)), raw.size);
	buf_free(&raw);
	return kept;
}

/* The cells of the next row; false at the end. */
static bool next_row(struct nation *n, struct cursor *c, const char *cells[COLUMNS_MAX],
		     size_t *ret_count)
{
	struct buf cell = {.data = NULL};
	bool last = false;

	*ret_count = 0;
	if (cursor_left(c) == 0)
		return false;
	while (!last) {
		last = read_cell(c, &cell);
		assert_true(*ret_count < COLUMNS_MAX);
		cells[(*ret_count)++] = arena_text(&n->arena, buf_bytes(&cell));
	}
	buf_free(&cell);
	return true;
}

static const char *log_of(const struct record *r)
{
	int owner = id_owner(bytes_of_text(record_get_named(r, "id")));

	assert_true(owner != REGION_NONE);
	return region_at(owner)->code;
}

static void load_kind(struct nation *n, const char *plural)
{
	const struct kind *kind = kind_named(plural);
	struct cursor c = cursor_of(file_of(n, plural));
	const char *head[COLUMNS_MAX];
	const char *cells[COLUMNS_MAX];
	size_t columns = 0, count = 0;

	assert_true(next_row(n, &c, head, &columns));
	while (next_row(n, &c, cells, &count)) {
		struct record *r = record_new(&n->arena, kind->kind);
		struct change change;

		assert_int_equal(count, columns);
		for (size_t i = 0; i < columns; i++)
			assert_ok(record_set(r, &n->arena, (size_t)field_named(kind, head[i]),
					     bytes_of_text(cells[i])));
		change = put_change(r);
		happens(n, log_of(r), "2026-11-20T08:00:00Z", &change, 1);
	}
}

static void load(struct nation *n)
{
	load_kind(n, "statistics");
	load_kind(n, "memberships");
	load_kind(n, "networks");
	load_kind(n, "entities");
	load_kind(n, "operators");
}

/* ---- one number by its name ---- */

struct counted {
	struct sums sums;
	struct claims claims;
	const struct catalog *catalog;
};

static struct counted count(struct nation *n)
{
	struct counted c = {.catalog = NULL};

	(void)ask(n, "/api/v1/summary"); /* the catalog of now */
	assert_status(n, 200);
	c.catalog = n->catalog;
	assert_ok(sums_make(n->catalog, day_of(n->now), &n->arena, &c.sums));
	assert_ok(claims_make(n->catalog, &n->arena, &c.claims));
	return c;
}

static int64_t in_cells(const struct counted *c, enum sums_table table, int place, const char *kind,
			const char *key)
{
	struct cell_row *rows = NULL;
	size_t row_count = 0;
	int64_t sum = 0;

	assert_ok(cells_list(&c->sums.cells, c->catalog, table, (unsigned)place, "", &rows,
			     &row_count));
	for (size_t i = 0; i < row_count; i++) {
		bool unknown = strcmp(key, "unknown") == 0 && !*rows[i].text;

		if ((unknown || strcmp(rows[i].text, key) == 0) &&
		    (!*kind || strcmp(kind, entity_kind_name(rows[i].kind)) == 0))
			sum += (int64_t)rows[i].count;
	}
	return sum;
}

static int64_t in_conflict(const struct counted *c, int owner, const char *measure)
{
	const int column = column_of(RECORD_STATISTIC, "measure");
	int64_t sum = 0;

	for (size_t i = 0; i < c->claims.group_count; i++) {
		const struct claim_group *g = &c->claims.groups[i];

		if (g->owner == owner && g->disagree &&
		    strcmp(text_at(c->catalog, RECORD_STATISTIC, c->claims.rows[g->first], column),
			   measure) == 0)
			sum++;
	}
	return sum;
}

static int64_t with_field(const struct counted *c, const char *field)
{
	for (size_t i = 0; i < c->sums.field_count; i++) {
		if (strcmp(kind_of(RECORD_ENTITY)->fields[c->sums.fields[i]].name, field) == 0)
			return (int64_t)c->sums.known[i];
	}
	fail_msg("%s is not counted", field);
	return -1;
}

static int64_t all_in_networks(const struct counted *c)
{
	int64_t sum = 0;

	for (unsigned kind = 0; kind < ENTITY_KINDS; kind++)
		sum += (int64_t)c->sums.places[SUMS_NATION].in_network[kind];
	return sum;
}

/* What the API says for a row of the view's counts; -1: it does not count that. */
static int64_t said(const struct counted *c, const char *metric, const char *region,
		    const char *kind, const char *key)
{
	bool nation = strcmp(region, "PL") == 0;
	int owner = region_by_code(bytes_of_text(region));
	int place = nation ? SUMS_NATION : owner;
	const struct place_sums *p = NULL;

	assert_true(owner != REGION_NONE);
	p = &c->sums.places[place];
	if (strcmp(metric, "operators") == 0)
		return (int64_t)p->operators;
	if (strcmp(metric, "statistics") == 0)
		return (int64_t)p->statistics;
	if (strcmp(metric, "memberships") == 0)
		return (int64_t)p->memberships;
	if (strcmp(metric, "networks") == 0)
		return (int64_t)(strcmp(key, "national_scope") == 0
					 ? c->sums.places[REGION_PL].networks
					 : p->networks);
	if (strcmp(metric, "entities") == 0)
		return (int64_t)(*kind ? p->by_kind[entity_kind_named(kind)] : p->entities);
	if (strcmp(metric, "entities_in_a_regional_network") == 0)
		return *kind ? (int64_t)p->in_network[entity_kind_named(kind)] : all_in_networks(c);
	if (strcmp(metric, "entities_with_field") == 0)
		return with_field(c, key);
	if (strcmp(metric, "entities_by_operator_form") == 0)
		return in_cells(c, CELLS_FORM, place, kind, key);
	if (strcmp(metric, "entities_by_operator_sector") == 0)
		return in_cells(c, CELLS_SECTOR, place, "", key);
	if (strcmp(metric, "entities_by_status") == 0)
		return in_cells(c, CELLS_STATUS, place, "", key);
	if (strcmp(metric, "networks_by_form") == 0)
		return in_cells(c, CELLS_NET_FORM, place, "", key);
	if (strcmp(metric, "networks_by_status") == 0)
		return in_cells(c, CELLS_NET_STATUS, place, "", key);
	if (strcmp(metric, "statistics_in_conflict") == 0)
		return in_conflict(c, owner, key);
	return -1;
}

/* ---- the tests ---- */

static void every_expected_number_that_the_summary_has_is_the_one_expected(void **state)
{
	struct nation *n = *state;
	struct counted c;
	struct cursor at;
	const char *cells[COLUMNS_MAX];
	size_t columns = 0, compared = 0;

	load(n);
	c = count(n);
	at = cursor_of(file_of(n, "expectations"));
	assert_true(next_row(n, &at, cells, &columns)); /* the header */
	while (next_row(n, &at, cells, &columns)) {
		int64_t expected = strtoll(cells[4], NULL, 10);
		int64_t got = -1;

		assert_int_equal(columns, 5);
		got = said(&c, cells[0], cells[1], cells[2], cells[3]);
		if (got < 0)
			continue;
		if (got != expected)
			fail_msg("%s %s %s %s: %lld, expected %lld", cells[0], cells[1], cells[2],
				 cells[3], (long long)got, (long long)expected);
		compared++;
	}
	assert_true(compared > 300);
}

static void every_count_of_the_view_is_what_one_pass_over_the_catalog_counts(void **state)
{
	struct nation *n = *state;
	struct counted c;
	struct count *rows = NULL;
	struct txn *t = NULL;
	size_t row_count = 0, compared = 0;
	bool more = true;

	load(n);
	c = count(n);
	assert_ok(txn_begin(n->store, false, &t));
	assert_ok(view_counts(&n->view, t, NULL, SIZE_MAX, &n->arena, &rows, &row_count, &more));
	assert_false(more);
	for (size_t i = 0; i < row_count; i++) {
		int64_t got = said(&c, rows[i].metric, rows[i].region, rows[i].kind, rows[i].key);

		if (got < 0)
			continue;
		if (got != rows[i].value)
			fail_msg("%s %s %s %s: %lld, the view has %lld", rows[i].metric,
				 rows[i].region, rows[i].kind, rows[i].key, (long long)got,
				 (long long)rows[i].value);
		compared++;
	}
	txn_abort(t);
	assert_true(compared > 100);
}

static void powiaty_with_a_centre_or_a_club_are_as_many_as_expected(void **state)
{
	struct nation *n = *state;
	const int column = column_of(RECORD_ENTITY, "powiat");
	struct terc_area *areas = NULL;
	size_t rows = 0, area_count = 0;
	struct cursor at;
	const char *cells[COLUMNS_MAX];
	size_t columns = 0;
	char expected[64] = "";

	load(n);
	(void)count(n);
	rows = catalog_count(n->catalog, RECORD_ENTITY);
	areas = arena_alloc(&n->arena, (rows + 1) * sizeof *areas);
	for (size_t row = 0; row < rows; row++) {
		const char *code = arena_text(
			&n->arena, bytes_of_text(text_at(n->catalog, RECORD_ENTITY, row, column)));
		bool known = !*code;

		for (size_t i = 0; i < area_count && !known; i++)
			known = strcmp(areas[i].code, code) == 0;
		if (!known)
			areas[area_count++] = (struct terc_area){code, ""};
	}
	areas[area_count++] = (struct terc_area){"1465", "Warszawa"};
	n->context.powiats = areas;
	n->context.powiat_count = area_count;
	at = cursor_of(file_of(n, "expectations"));
	while (next_row(n, &at, cells, &columns)) {
		if (strcmp(cells[0], "powiaty") == 0 && strcmp(cells[1], "PL") == 0 &&
		    strcmp(cells[3], "with_cis_or_kis") == 0)
			(void)snprintf(expected, sizeof expected,
				       "\"configured\":true,\"partial\":true,\"with\":%s,",
				       cells[4]);
	}
	assert_true(*expected);
	assert_has(ask(n, "/api/v1/coverage"), expected);
	assert_has(buf_text(&n->body), "{\"powiat\":\"1465\",\"name\":\"Warszawa\",\"region\":"
				       "\"14\",\"CIS\":0,\"KIS\":0}");
}

static void a_foundation_and_an_association_of_one_name_are_proposed_as_duplicates(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	load(n);
	body = ask(n, "/api/v1/conflicts");
	assert_status(n, 200);
	assert_has(body, "\"duplicates\":[{\"score\":0.35,\"reasons\":[\"similar_name\","
			 "\"different_form\"],\"records\":[{\"id\":");
	assert_has(body, "\"pl26-op-nadzieja-rodzinie-chmielnik\"");
	assert_has(body, "\"pl26-op-nadzieja-rodzinie-kielce\"");
	assert_int_equal(times_in(body, "\"score\":"), 1);
}

static void two_counts_of_centres_in_one_region_stand_side_by_side(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	load(n);
	body = ask(n, "/api/v1/conflicts");
	assert_has(body,
		   "{\"region\":\"32\",\"kind\":\"CIS\",\"measure\":\"active_count\",\"unit\":"
		   "\"count\",\"claims\":[{\"id\":\"st-32-2019-07-04-cis-active-count-rops\"");
	assert_has(body, "\"value\":\"11\",\"value_max\":null,\"unit\":\"count\",\"as_of\":"
			 "\"2016-11-28\",\"reported_by\":\"UW\"");
	assert_has(body, "\"unresolved\":[]");
	assert_lacks(body, "st-18-2017-12-31-cis-active-count-sires"); /* one reporter's series */
}

static void the_ministry_says_how_partial_the_totals_are(void **state)
{
	struct nation *n = *state;
	const char *body = NULL;

	load(n);
	body = ask(n, "/api/v1/summary");
	assert_status(n, 200);
	assert_has(body, "\"stated_cis\":166,\"stated_kis\":219,\"recorded_cis\":");
	assert_has(body, "\"stated\":[{\"id\":\"st-pl-2017-12-31-cis-active-count-mrpips\"");
	body = ask(n, "/api/v1/regions/08");
	assert_has(body, "\"stated\":[{\"id\":\"st-08-2019-09-20-cis-register-count-"
			 "wojewodalubuski\"");
	assert_has(body, "\"measure\":\"gminas_served\"");
	body = ask(n, "/api/v1/regions/16");
	assert_has(body, "\"entities\":{\"all\":0,");
	assert_has(body, "\"stated\":[],");
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, nation_setup, nation_teardown)
	const struct CMUnitTest tests[] = {
		STORY(every_expected_number_that_the_summary_has_is_the_one_expected),
		STORY(every_count_of_the_view_is_what_one_pass_over_the_catalog_counts),
		STORY(powiaty_with_a_centre_or_a_club_are_as_many_as_expected),
		STORY(a_foundation_and_an_association_of_one_name_are_proposed_as_duplicates),
		STORY(two_counts_of_centres_in_one_region_stand_side_by_side),
		STORY(the_ministry_says_how_partial_the_totals_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
