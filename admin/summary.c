/* summary: the counts of the view, as rows or as the table by region. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/ask.h"
#include "admin/csv/claims.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "model/json.h"

/* ---- every row, page by page ---- */

enum {
	/* Rows of two positions do not belong together: when something is folded between two
	 * pages, all of them are asked for again, after a little rest. */
	SUMMARY_TRIES = 10,
	SUMMARY_REST_MS = 50,
};

struct counts {
	struct count_row *rows; /* owned array, sorted; texts in the cli's arena */
	size_t count, capacity;
	uint64_t position; /* that all of them stand for */
};

static int compare_rows(const struct count_row *a, const struct count_row *b)
{
	const char *const of_a[] = {a->metric, a->region, a->kind, a->key};
	const char *const of_b[] = {b->metric, b->region, b->kind, b->key};
	int order = 0;

	for (size_t i = 0; order == 0 && i < sizeof of_a / sizeof *of_a; i++)
		order = strcmp(of_a[i], of_b[i]);
	return order;
}

static enum err keep_counts(struct counts *all, const struct control_reply *page)
{
	size_t need = all->count + page->count_count;

	if (page->more && !page->count_count)
		return ERR_DECODE;
	if (need > all->capacity) {
		struct count_row *rows = reallocarray(all->rows, 2 * need, sizeof *rows);

		if (!rows)
			return ERR_NOMEM;
		all->rows = rows;
		all->capacity = 2 * need;
	}
	for (size_t i = 0; i < page->count_count; i++) {
		const struct count_row *row = &page->counts[i];

		/* Each after the last, or paging would go round. */
		if (all->count && compare_rows(&all->rows[all->count - 1], row) >= 0)
			return ERR_DECODE;
		all->rows[all->count++] = *row;
	}
	return ERR_OK;
}

/* Asks for all pages; *ret_same: all of them stand for one position. */
static enum outcome ask_counts(struct link *link, struct counts *all, bool *ret_same)
{
	struct control_request q = {.verb = CONTROL_SUMMARY};
	struct control_reply page = {.more = true};
	enum outcome outcome = DONE;

	all->count = 0;
	*ret_same = true;
	while (outcome == DONE && page.more) {
		enum err e = ERR_OK;

		outcome = link_ask(link, &q, &link->cli->arena, &page);
		if (outcome != DONE)
			break;
		*ret_same = all->count == 0 || page.position == all->position;
		if (!*ret_same)
			break;
		all->position = page.position;
		e = keep_counts(all, &page);
		if (e != ERR_OK)
			outcome = link_lost(link, e);
		else if (all->count)
			q.after_count = all->rows[all->count - 1];
	}
	return outcome;
}

static enum outcome load_counts(struct link *link, struct counts *all)
{
	const struct timespec rest = {.tv_nsec = SUMMARY_REST_MS * 1000L * 1000L};
	bool same = false;

	for (int tries = 0; tries < SUMMARY_TRIES; tries++) {
		enum outcome outcome = DONE;

		if (tries)
			(void)nanosleep(&rest, NULL);
		outcome = ask_counts(link, all, &same);
		if (outcome != DONE || same)
			return outcome;
	}
	return cli_fail(link->cli, FAILED, ERR_BUSY,
			"%s: the view goes on changing while it is read; try again in a moment",
			link->path);
}

static void json_rows(const struct counts *all, struct buf *out)
{
	struct json j = json_to(out);

	json_open(&j, '[');
	for (size_t i = 0; i < all->count; i++) {
		const struct count_row *row = &all->rows[i];

		buf_add_text(out, i ? "" : "\n");
		json_open(&j, '{');
		json_field_text(&j, "metric", row->metric);
		json_field_text(&j, "region", row->region);
		json_field_text(&j, "kind", row->kind);
		json_field_text(&j, "key", row->key);
		json_field_int(&j, "value", row->value);
		json_close(&j, '}');
		buf_add_text(out, "\n");
	}
	json_close(&j, ']');
	buf_add_text(out, "\n");
}

/* ---- the table ---- */

struct view_table {
	struct cli *cli;
	const struct counts *counts;
	const struct control_reply *status;
	const struct claims *claims;
	bool server;
	struct text_table t;
};

/* Sum of the rows that fit; `key` NULL: any. */
static int64_t sum(const struct view_table *v, const char *metric, const char *region,
		   const char *kind, const char *key)
{
	int64_t total = 0;

	for (size_t i = 0; i < v->counts->count; i++) {
		const struct count_row *row = &v->counts->rows[i];

		if (!strcmp(row->metric, metric) && !strcmp(row->kind, kind) &&
		    (!region || !strcmp(row->region, region)) && (!key || !strcmp(row->key, key)))
			total += row->value;
	}
	return total;
}

/* Nobody recorded any: that is not known, and never zero. */
static void count_cell(struct view_table *v, int64_t count)
{
	table_cell(&v->t, count ? text_in(&v->cli->arena, "%lld", (long long)count) : "–");
}

/* "6 (ROPS 2019-07-04)", with "!" when others state another figure. */
static void claim_cell(struct view_table *v, const char *region, const char *kind)
{
	const struct claim *c = claims_newest(v->claims, region, kind);

	if (!c) {
		table_cell(&v->t, "–");
		return;
	}
	table_cell(&v->t,
		   text_in(&v->cli->arena, "%s%s%s (%s %s)%s", claim_sign(c->qualifier), c->value,
			   *c->value_max ? text_in(&v->cli->arena, "–%s", c->value_max) : "",
			   c->reported_by, c->as_of,
			   claims_conflict(v->claims, region, kind) ? " !" : ""));
}

static void log_cells(struct view_table *v, const char *region)
{
	uint64_t size = 0;
	uint64_t claimed = 0;
	bool found = false;

	for (size_t i = 0; i < v->status->peer_count; i++) {
		const struct peer_row *p = &v->status->peers[i];
		size_t length = strlen(region);

		/* a log begun anew ("26/2") belongs to the same region */
		if (strncmp(p->name, region, length) != 0 ||
		    (p->name[length] && p->name[length] != '/'))
			continue;
		found = true;
		size += p->size;
		claimed += p->claimed > p->size ? p->claimed : p->size;
	}
	if (!found) {
		table_cell(&v->t, "–");
		table_cell(&v->t, "–");
		return;
	}
	table_cell_uint(&v->t, size);
	table_cell_uint(&v->t, claimed - size);
}

static void region_row(struct view_table *v, const struct region *region)
{
	bool ministry = region == region_at(REGION_PL);

	table_cell(&v->t, ministry ? "PL (national)" : region->name_pl);
	for (size_t k = 0; k < 4; k++) {
		static const char *const kinds[] = {"CIS", "KIS", "WTZ", "ZAZ"};

		/* entities of region PL are the nation's: they stand in the last row */
		count_cell(v, ministry ? 0 : sum(v, "entities", region->code, kinds[k], NULL));
		if (k < 2 && !ministry)
			claim_cell(v, region->code, kinds[k]);
		else if (k < 2)
			table_cell(&v->t, "–");
	}
	count_cell(v, sum(v, "networks", region->code, "",
			  ministry ? "national_scope" : "of_this_region"));
	count_cell(v, sum(v, "memberships_by_network", region->code, "", NULL));
	if (v->server)
		log_cells(v, region->code);
}

static void nation_row(struct view_table *v)
{
	uint64_t size = 0;
	uint64_t lag = 0;

	for (size_t i = 0; i < v->status->peer_count; i++) {
		const struct peer_row *p = &v->status->peers[i];

		size += p->size;
		lag += p->claimed > p->size ? p->claimed - p->size : 0;
	}
	table_cell(&v->t, "Poland");
	count_cell(v, sum(v, "entities", "PL", "CIS", NULL));
	claim_cell(v, "PL", "CIS");
	count_cell(v, sum(v, "entities", "PL", "KIS", NULL));
	claim_cell(v, "PL", "KIS");
	count_cell(v, sum(v, "entities", "PL", "WTZ", NULL));
	count_cell(v, sum(v, "entities", "PL", "ZAZ", NULL));
	count_cell(v, sum(v, "networks", "PL", "", "all"));
	count_cell(v, sum(v, "memberships", "PL", "", "all"));
	table_cell_uint(&v->t, size);
	table_cell_uint(&v->t, lag);
}

static void table_titles(struct view_table *v)
{
	static const struct {
		const char *title;
		enum text_align align;
	} titles[] = {
		{"region", ALIGN_LEFT}, {"CIS", ALIGN_RIGHT},      {"stated", ALIGN_LEFT},
		{"KIS", ALIGN_RIGHT},   {"stated", ALIGN_LEFT},    {"WTZ", ALIGN_RIGHT},
		{"ZAZ", ALIGN_RIGHT},   {"networks", ALIGN_RIGHT}, {"memberships", ALIGN_RIGHT},
		{"log", ALIGN_RIGHT},   {"lag", ALIGN_RIGHT}};
	size_t count = sizeof titles / sizeof *titles - (v->server ? 0 : 2);

	v->t = table_in(&v->cli->arena);
	for (size_t i = 0; i < count; i++)
		table_column(&v->t, titles[i].title, titles[i].align);
}

static void print_table(struct view_table *v, struct buf *out)
{
	struct log_name log = {{0}};
	int own = REGION_NONE;

	if (!v->server && log_name_parse(bytes_of_text(v->status->identity), &log) == ERR_OK)
		own = log_name_region(log);
	table_titles(v);
	for (int i = 0; i < REGION_COUNT; i++)
		if (v->server || i == own)
			region_row(v, region_at(i));
	if (v->server)
		nation_row(v);
	table_print(&v->t, "", out);
	buf_add_text(out, "– no record is known (which is not 0).  stated: the newest figure that "
			  "somebody stated, with who and when; ! others state another.\n");
	if (v->server)
		buf_printf(out, "View of server %s at national entry %llu of %llu.\n",
			   v->status->identity, (unsigned long long)v->counts->position,
			   (unsigned long long)v->status->size);
	else
		buf_printf(out, "Log %s at %s.\n", v->status->identity,
			   text_count(&v->cli->arena, v->counts->position, "event", "events"));
}

static enum outcome table_of(struct link *link, const struct counts *counts, struct buf *out)
{
	struct control_reply status;
	struct snapshot statistics = {0};
	struct claims claims = {0};
	struct view_table v = {.cli = link->cli, .counts = counts};
	enum outcome outcome = link_status(link, &status);

	if (outcome == DONE)
		outcome = snapshot_load(link, RECORD_STATISTIC, counts->position, false,
					&link->cli->arena, &statistics);
	if (outcome == DONE && claims_collect(&claims, &statistics) != ERR_OK)
		outcome = cli_fail(link->cli, FAILED, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	if (outcome == DONE) {
		v.status = &status;
		v.claims = &claims;
		v.server = !strcmp(status.role, "server");
		print_table(&v, out);
	}
	claims_free(&claims);
	snapshot_free(&statistics);
	return outcome;
}

static enum outcome run_summary(struct cli *cli)
{
	struct link link = {.fd = -1};
	struct counts counts = {0};
	struct buf out = {0};
	enum outcome outcome = link_open(cli, &link);

	if (outcome == DONE)
		outcome = load_counts(&link, &counts);
	if (outcome == DONE && cli->json)
		json_rows(&counts, &out);
	else if (outcome == DONE)
		outcome = table_of(&link, &counts, &out);
	if (outcome == DONE)
		outcome = cli_print(cli, &out);
	free(counts.rows);
	buf_free(&out);
	link_close(&link);
	return outcome;
}

const struct verb verb_summary = {
	.name = "summary",
	.operands = "",
	.summary = "counts by region (--json: every count of the view)",
	.examples = "  splotctl summary --socket /run/splot/server.sock\n"
		    "  splotctl summary --json | jq '.[] | select(.metric == \"entities\")'\n",
	.asks = true,
	.run = run_summary,
};
