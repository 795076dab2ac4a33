/* get, list, history: records and their past, at a node or a server. */
#include <stdlib.h>
#include <string.h>

#include "admin/as_of.h"
#include "admin/ask.h"
#include "admin/log/difference.h"
#include "admin/snapshot.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "base/time.h"
#include "model/json.h"

static const char *kind_name(enum record_kind kind)
{
	const struct kind *k = kind_of(kind);

	return k ? k->name : "record";
}

/* "26@118, 2026-11-21T09:30:00.123Z, e07: reason (source)" */
static void print_circumstances(const struct version *v, struct buf *out)
{
	char when[25];

	wall_format(v->recorded, when);
	buf_printf(out, "%s@%llu, %s, ", v->log.text, (unsigned long long)v->index, when);
	text_escape(out, v->editor);
	buf_add_text(out, ": ");
	text_escape(out, v->reason);
	if (*v->source) {
		buf_add_text(out, " (");
		text_escape(out, v->source);
		buf_add_text(out, ")");
	}
	buf_add_text(out, "\n");
}

/* ---- get ---- */

static void print_record(struct cli *cli, const struct version *v, struct buf *out)
{
	const struct record *r = v->change.record;
	const struct kind *kind = r ? record_info(r) : NULL;

	text_escape(out, v->change.id);
	buf_printf(out, " (%s)%s\n", kind_name(v->change.kind),
		   v->change.retired ? ", retired" : "");
	for (size_t f = 0; kind && f < kind->field_count; f++) {
		if (!*record_get(r, f) || kind->fields[f].type == FIELD_ID)
			continue;
		buf_printf(out, "  %-26s ", kind->fields[f].name);
		text_escape(out, record_get(r, f));
		buf_add_text(out, "\n");
	}
	buf_add_text(out, cli->polish ? "zmiana " : "change ");
	print_circumstances(v, out);
}

static enum outcome run_get(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_QUERY, .id = cli->operands[0], .retired = true};
	struct link link = {.fd = -1};
	struct control_reply reply;
	struct buf out = {0};
	const char *as_of = NULL;
	enum outcome outcome = as_of_check(cli, &as_of);

	if (outcome == DONE)
		outcome = link_open(cli, &link);
	if (outcome == DONE)
		outcome = as_of_find(&link, &q.at);
	if (outcome == DONE)
		outcome = link_ask(&link, &q, &cli->arena, &reply);
	if (outcome == DONE && !reply.version_count)
		outcome = cli_fail(cli, FAILED, ERR_NOT_FOUND,
				   "no record %s here; splotctl list shows what there is", q.id);
	if (outcome == DONE && cli->json) {
		struct json j = json_to(&out);

		json_version(&j, &reply.versions[0]);
		buf_add_text(&out, "\n");
	} else if (outcome == DONE) {
		print_record(cli, &reply.versions[0], &out);
	}
	if (outcome == DONE)
		outcome = cli_print(cli, &out);
	buf_free(&out);
	link_close(&link);
	return outcome;
}

/* ---- list ---- */

/* Columns of the table, beside the id. */
static const char *const list_columns[RECORD_KIND_LAST + 1][4] = {
	[RECORD_OPERATOR] = {"name", "form", "sector", "krs"},
	[RECORD_ENTITY] = {"kind", "status", "place", "name"},
	[RECORD_NETWORK] = {"form", "status", "scope", "name_pl"},
	[RECORD_MEMBERSHIP] = {"role", "certainty", "since", "until"},
	[RECORD_STATISTIC] = {"kind", "measure", "value", "reported_by"},
};

static enum outcome check_filters(struct cli *cli, const struct kind *kind)
{
	for (size_t i = 1; i < cli->operand_count; i++) {
		const char *equals = strchr(cli->operands[i], '=');
		const char *name =
			equals ? text_in(&cli->arena, "%.*s", (int)(equals - cli->operands[i]),
					 cli->operands[i])
			       : NULL;

		if (!name || field_named(kind, name) < 0)
			return cli_fail(cli, MISUSED, ERR_ARGUMENT,
					"\"%s\": filters are field=value with a column of %s",
					cli->operands[i], kind->plural);
	}
	return DONE;
}

static bool passes(const struct cli *cli, const struct version *v)
{
	for (size_t i = 1; i < cli->operand_count; i++) {
		const char *equals = strchr(cli->operands[i], '=');
		const struct kind *kind = v->change.record ? record_info(v->change.record) : NULL;
		bool same = false;

		for (size_t f = 0; kind && equals && f < kind->field_count; f++)
			if (bytes_equal(bytes_of_text(kind->fields[f].name),
					bytes_of(cli->operands[i],
						 (size_t)(equals - cli->operands[i]))))
				same = !strcmp(record_get(v->change.record, f), equals + 1);
		if (!same)
			return false;
	}
	return true;
}

static void list_table(struct cli *cli, const struct snapshot *s, struct buf *out)
{
	struct text_table t = table_in(&cli->arena);

	table_column(&t, "id", ALIGN_LEFT);
	for (size_t c = 0; c < 4; c++)
		table_column(&t, list_columns[s->kind][c],
			     !strcmp(list_columns[s->kind][c], "value") ? ALIGN_RIGHT : ALIGN_LEFT);
	for (size_t i = 0; i < s->count; i++) {
		const struct version *v = &s->rows[i];

		if (!passes(cli, v))
			continue;
		table_cell(&t, v->change.id);
		for (size_t c = 0; c < 4; c++)
			table_cell(&t, v->change.record ? record_get_named(v->change.record,
									   list_columns[s->kind][c])
				       : c == 0         ? "(retired)"
							: "");
	}
	table_print(&t, "", out);
}

static void list_json(struct cli *cli, const struct snapshot *s, struct buf *out)
{
	struct json j = json_to(out);

	json_open(&j, '{');
	json_field_text(&j, "kind", kind_name(s->kind));
	json_field_uint(&j, "position", s->position);
	json_key(&j, "records");
	json_open(&j, '[');
	for (size_t i = 0; i < s->count; i++)
		if (passes(cli, &s->rows[i]))
			json_version(&j, &s->rows[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	buf_add_text(out, "\n");
}

static enum outcome run_list(struct cli *cli)
{
	const struct kind *kind = kind_named(cli->operands[0]);
	struct link link = {.fd = -1};
	struct snapshot s = {0};
	struct buf out = {0};
	const char *as_of = NULL;
	uint64_t at = 0;
	enum outcome outcome = DONE;

	if (!kind)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"\"%s\" is no kind: operators, entities, networks, memberships or "
				"statistics",
				cli->operands[0]);
	outcome = check_filters(cli, kind);
	if (outcome == DONE)
		outcome = as_of_check(cli, &as_of);
	if (outcome == DONE)
		outcome = link_open(cli, &link);
	if (outcome == DONE)
		outcome = as_of_find(&link, &at);
	if (outcome == DONE)
		outcome = snapshot_load(&link, kind->kind, at, cli_option(cli, "retired"),
					&cli->arena, &s);
	if (outcome == DONE) {
		if (cli->json)
			list_json(cli, &s, &out);
		else
			list_table(cli, &s, &out);
		outcome = cli_print(cli, &out);
	}
	buf_free(&out);
	snapshot_free(&s);
	link_close(&link);
	return outcome;
}

/* ---- history ---- */

struct versions {
	struct version *items; /* owned array, newest first; texts in the cli's arena */
	size_t count, capacity;
};

static bool is_older(const struct version *a, const struct version *b)
{
	return a->position < b->position || (a->position == b->position && a->index < b->index);
}

static enum err keep_versions(struct versions *all, const struct control_reply *page)
{
	size_t need = all->count + page->version_count;

	if (page->more && !page->version_count)
		return ERR_DECODE;
	if (need > all->capacity) {
		struct version *items = reallocarray(all->items, 2 * need, sizeof *items);

		if (!items)
			return ERR_NOMEM;
		all->items = items;
		all->capacity = 2 * need;
	}
	for (size_t i = 0; i < page->version_count; i++) {
		const struct version *v = &page->versions[i];

		/* Each before the last, or paging would go round. */
		if (all->count && !is_older(v, &all->items[all->count - 1]))
			return ERR_DECODE;
		all->items[all->count++] = *v;
	}
	return ERR_OK;
}

static enum outcome load_history(struct link *link, const char *id, struct versions *all)
{
	struct control_request q = {
		.verb = CONTROL_QUERY, .id = id, .history = true, .retired = true};
	struct control_reply page = {.more = true};
	enum outcome outcome = DONE;

	while (outcome == DONE && page.more) {
		enum err e = ERR_OK;

		outcome = link_ask(link, &q, &link->cli->arena, &page);
		if (outcome != DONE)
			break;
		e = keep_versions(all, &page);
		if (e != ERR_OK)
			return link_lost(link, e);
		if (all->count) {
			q.at = all->items[all->count - 1].position;
			q.before_index = all->items[all->count - 1].index;
		}
	}
	return outcome;
}

static void history_print(struct cli *cli, const struct versions *all, struct buf *out)
{
	struct json j = json_to(out);

	if (cli->json) {
		json_open(&j, '{');
		json_field_text(&j, "id", cli->operands[0]);
		json_key(&j, "versions");
		json_open(&j, '[');
		for (size_t i = 0; i < all->count; i++)
			json_version(&j, &all->items[i]);
		json_close(&j, ']');
		json_close(&j, '}');
		buf_add_text(out, "\n");
		return;
	}
	for (size_t i = 0; i < all->count; i++) {
		const struct version *v = &all->items[i];
		const struct version *before = i + 1 < all->count ? v + 1 : NULL;

		buf_add_text(out, v->change.retired ? "retired  "
				  : before          ? "changed  "
						    : "added    ");
		print_circumstances(v, out);
		difference_print(before ? before->change.record : NULL, v->change.record, "    ",
				 out);
	}
}

static enum outcome run_history(struct cli *cli)
{
	struct link link = {.fd = -1};
	struct versions all = {0};
	struct buf out = {0};
	enum outcome outcome = link_open(cli, &link);

	if (outcome == DONE)
		outcome = load_history(&link, cli->operands[0], &all);
	if (outcome == DONE && !all.count)
		outcome = cli_fail(cli, FAILED, ERR_NOT_FOUND,
				   "no record %s here; splotctl list shows what there is",
				   cli->operands[0]);
	if (outcome == DONE) {
		history_print(cli, &all, &out);
		outcome = cli_print(cli, &out);
	}
	free(all.items);
	buf_free(&out);
	link_close(&link);
	return outcome;
}

static const struct option_rule get_options[] = {
	AS_OF_OPTIONS,
};

const struct verb verb_get = {
	.name = "get",
	.operands = "ID",
	.operands_least = 1,
	.operands_most = 1,
	.summary = "show one record (--json: every column, empty ones too)",
	.examples = "  splotctl get pl26-kis-kielce-pestka\n"
		    "  splotctl get pl26-kis-kielce-pestka --json\n"
		    "  splotctl get pl26-kis-kielce-pestka --as-of 2026-12-31\n",
	.options = get_options,
	.option_count = sizeof get_options / sizeof *get_options,
	.asks = true,
	.run = run_get,
};

static const struct option_rule list_options[] = {
	AS_OF_OPTIONS,
	{"retired", 0, NULL, "records that have ended, too"},
};

const struct verb verb_list = {
	.name = "list",
	.operands = "KIND [field=value…]",
	.operands_least = 1,
	.operands_most = 64,
	.summary = "list records, those of certain values",
	.examples = "  splotctl list entities kind=KIS region=26\n"
		    "  splotctl list networks status= --json\n"
		    "  splotctl list entities --as-of 118\n",
	.options = list_options,
	.option_count = sizeof list_options / sizeof *list_options,
	.asks = true,
	.run = run_list,
};

const struct verb verb_history = {
	.name = "history",
	.operands = "ID",
	.operands_least = 1,
	.operands_most = 1,
	.summary = "who changed a record, when, why and how, newest first",
	.examples = "  splotctl history pl26-kis-kielce-pestka\n",
	.asks = true,
	.run = run_history,
};
