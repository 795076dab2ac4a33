/* import: what a clerk does.  Reads the files, compares them with the register, lists what
 * is wrong, and commits what changed. */
#include <stdlib.h>
#include <string.h>

#include "admin/csv/import.h"
#include "admin/text.h"
#include "admin/verbs.h"

static void import_free(struct import *im)
{
	for (int k = 0; k < KIND_COUNT; k++)
		plan_free(&im->plans[k]);
	findings_free(&im->findings);
	free(im->files);
	link_close(&im->link);
}

/* ---- the register, now and then ---- */

static bool has_base(const struct plan *p, uint64_t size)
{
	for (size_t i = 0; i < p->base_count; i++)
		if (p->bases[i].size == size)
			return true;
	return false;
}

static enum outcome load_base(struct import *im, struct plan *p, const struct plan_row *row)
{
	struct plan_base *base = &p->bases[p->base_count];

	if (strcmp(row->state.log, im->log) != 0)
		return cli_fail(
			im->cli, FAILED, ERR_ARGUMENT,
			"%s, row %zu: the row was exported from \"%s\", and this is the node "
			"of log \"%s\"; import it where it came from, or remove the column "
			"splot_state to import it as it is",
			row->file, row->row, row->state.log, im->log);
	if (row->state.size > im->position)
		return cli_fail(im->cli, FAILED, ERR_ARGUMENT,
				"%s, row %zu: exported at size %llu, and the log has %s; "
				"export it again from this node",
				row->file, row->row, (unsigned long long)row->state.size,
				text_count(&im->cli->arena, im->position, "event", "events"));
	if (p->base_count == PLAN_BASES_MAX)
		return cli_fail(im->cli, FAILED, ERR_LIMIT,
				"%s, row %zu: rows of more than %d exports; import them one by one",
				row->file, row->row, PLAN_BASES_MAX);
	*base = (struct plan_base){.size = row->state.size, .rows = {.kind = p->kind->kind}};
	p->base_count++;
	if (!row->state.size) /* exported from an empty register */
		return DONE;
	return snapshot_load(&im->link, p->kind->kind, row->state.size, false, &im->cli->arena,
			     &base->rows);
}

static enum outcome load_register(struct import *im)
{
	enum outcome outcome = DONE;

	for (int k = 0; k < KIND_COUNT && outcome == DONE; k++) {
		struct plan *p = &im->plans[k];

		if (!p->kind)
			continue;
		cli_progress(im->cli, "reading the register", (size_t)k, KIND_COUNT);
		outcome = snapshot_load(&im->link, p->kind->kind, im->position, true,
					&im->cli->arena, &p->now);
		if (outcome == DONE && !im->position)
			im->position = p->now.position; /* the others are as of the same */
		for (size_t i = 0; i < p->row_count && outcome == DONE; i++)
			if (p->rows[i].has_state && !has_base(p, p->rows[i].state.size))
				outcome = load_base(im, p, &p->rows[i]);
	}
	cli_progress(im->cli, "", 0, 0);
	return outcome;
}

static enum outcome compare(struct import *im)
{
	im->options.incomplete = im->unreadable;
	for (int k = 0; k < KIND_COUNT; k++) {
		enum err e = ERR_OK;

		if (im->plans[k].kind)
			e = plan_compare(&im->plans[k], &im->options, &im->cli->arena,
					 &im->findings);
		if (e != ERR_OK)
			return cli_fail(im->cli, FAILED, e, "%s", err_text(e));
	}
	return DONE;
}

/* ---- changes ---- */

/* Where a change came from. */
struct origin {
	struct plan_row *row; /* NULL: a record missing from the file */
};

struct work {
	struct import *im;
	struct change *changes; /* owned */
	struct origin *origins; /* owned, parallel */
	size_t count;
};

static void work_free(struct work *w)
{
	free(w->changes);
	free(w->origins);
	*w = (struct work){0};
}

static void work_add(struct work *w, const struct change *change, struct plan_row *row)
{
	w->changes[w->count] = *change;
	w->origins[w->count++].row = row;
}

static void add_rows(struct work *w, struct plan *p)
{
	for (size_t i = 0; i < p->row_count; i++) {
		struct plan_row *row = &p->rows[i];
		struct change change = {
			.id = row->id, .kind = p->kind->kind, .record = row->record};

		if (row->fate != ROW_ADDED && row->fate != ROW_CHANGED)
			continue;
		if (row->current) {
			change.has_supersedes = true;
			change.supersedes = row->current->index;
		}
		work_add(w, &change, row);
	}
}

static void add_retirements(struct work *w, const struct plan *p)
{
	for (size_t i = 0; i < p->missing_count; i++) {
		const struct version *v = p->missing[i].current;
		const struct change change = {.id = v->change.id,
					      .has_supersedes = true,
					      .supersedes = v->index,
					      .kind = p->kind->kind,
					      .retired = true};

		if (p->missing[i].retire)
			work_add(w, &change, NULL);
	}
}

/* Operators before entities before networks …, and what ends in the other order. */
static enum err gather(struct import *im, struct work *w)
{
	size_t most = 1;

	for (int k = 0; k < KIND_COUNT; k++)
		most += im->plans[k].row_count + im->plans[k].missing_count;
	*w = (struct work){.im = im};
	w->changes = calloc(most, sizeof *w->changes);
	w->origins = calloc(most, sizeof *w->origins);
	if (!w->changes || !w->origins)
		return ERR_NOMEM;
	for (int k = 0; k < KIND_COUNT; k++)
		add_rows(w, &im->plans[k]);
	for (int k = KIND_COUNT; k-- > 0;)
		add_retirements(w, &im->plans[k]);
	return ERR_OK;
}

/* A problem that the node found: as a finding, by the row that the change came from. */
static enum err take_problem(void *context, const struct problem *p)
{
	struct work *w = context;
	struct plan_row *row = p->row < w->count ? w->origins[p->row].row : NULL;
	struct finding f = {row ? row->file : w->im->log,
			    row ? row->row : 0,
			    p->column,
			    p->value,
			    p->code,
			    p->text_pl,
			    p->text_en};

	if (row) {
		row->flawed = true;
		row->fate = ROW_BAD;
	}
	return findings_add(&w->im->findings, &f);
}

static void send_all(struct work *w, bool dry_run)
{
	struct import *im = w->im;
	const struct draft draft = {im->reason, im->source, w->changes, w->count};
	const struct problem_sink sink = {w, take_problem};

	draft_send(&im->link, &draft, dry_run, &sink, &im->cli->arena, &im->sent);
}

static enum outcome check_once(struct import *im)
{
	struct work w = {0};
	enum outcome outcome = DONE;
	enum err e = gather(im, &w);

	if (e != ERR_OK)
		outcome = cli_fail(im->cli, FAILED, e, "%s", err_text(e));
	else
		send_all(&w, true);
	if (outcome == DONE && im->sent.too_large) {
		const struct plan_row *row = w.origins[im->sent.at].row;

		outcome = cli_fail(im->cli, BAD_DATA, ERR_LIMIT,
				   "%s, row %zu: the record is too large for an event; shorten it",
				   row ? row->file : w.changes[im->sent.at].id, row ? row->row : 0);
	} else if (outcome == DONE && im->sent.err != ERR_OK) {
		outcome = draft_stopped(&im->link, &im->sent);
	}
	im->sent = (struct sent){0};
	work_free(&w);
	return outcome;
}

/* What only the node knows (whether a TERYT code exists …): asked before anything is sent.
 * A reply lists only so many problems: asked again without the rows that are known to be bad. */
static enum outcome check_at_node(struct import *im)
{
	size_t before = 0;
	enum outcome outcome = DONE;

	do {
		before = im->findings.count;
		outcome = check_once(im);
	} while (outcome == DONE && im->findings.count > before);
	return outcome;
}

static enum outcome commit(struct import *im)
{
	struct work w = {0};
	enum outcome outcome = DONE;
	enum err e = gather(im, &w);

	if (e != ERR_OK)
		outcome = cli_fail(im->cli, FAILED, e, "%s", err_text(e));
	else
		send_all(&w, false);
	if (outcome == DONE && im->sent.err != ERR_OK)
		outcome = draft_stopped(&im->link, &im->sent);
	work_free(&w);
	return outcome;
}

/* Which record a bad row stands for is not known: none is taken for missing then. */
static void keep_missing(struct import *im)
{
	for (int k = 0; k < KIND_COUNT; k++)
		for (size_t i = 0; i < im->plans[k].missing_count; i++)
			im->plans[k].missing[i].retire = false;
	im->kept_missing = true;
}

/* ---- the whole ---- */

static enum outcome report(struct import *im, enum outcome outcome, enum err code,
			   const char *failure)
{
	struct buf out = {0};
	enum outcome printed = DONE;

	findings_sort(&im->findings);
	if (im->cli->json)
		import_json(im, code, failure, &out);
	else
		import_print(im, im->dry_run, &out);
	printed = cli_print(im->cli, &out);
	buf_free(&out);
	if (printed == DONE && failure)
		cli_note(im->cli, "splotctl import: %s", failure);
	return printed == DONE ? outcome : printed;
}

static enum outcome conclude(struct import *im)
{
	struct arena *arena = &im->cli->arena;
	size_t bad = im->findings.count;
	size_t conflicts = import_conflicts(im);
	enum outcome outcome = DONE;

	if (bad && (im->unreadable || !im->skip_bad))
		return report(
			im, BAD_DATA, ERR_INVALID,
			text_in(arena, "nothing was imported: %s; correct what is listed%s",
				text_count(arena, bad, "problem", "problems"),
				im->unreadable ? "" : ", or leave the rows out with --skip-bad"));
	if (conflicts)
		return report(
			im, CONFLICTED, ERR_CONFLICT,
			text_in(arena,
				"nothing was imported: %s with what was changed in the register "
				"meanwhile; correct the file, or let it win with --overwrite",
				text_count(arena, conflicts, "conflict", "conflicts")));
	if (bad && im->options.retire_missing)
		keep_missing(im);
	if (!im->dry_run)
		outcome = commit(im);
	if (outcome != DONE)
		return outcome;
	if (bad)
		return report(im, BAD_DATA, ERR_INVALID,
			      text_in(arena, "rows were left out: %s",
				      text_count(arena, bad, "problem", "problems")));
	return report(im, DONE, ERR_OK, NULL);
}

static const char *default_source(struct cli *cli)
{
	const char *text = "";

	for (size_t i = 0; i < cli->operand_count && strlen(text) < 500; i++) {
		const char *slash = strrchr(cli->operands[i], '/');

		text = text_in(&cli->arena, "%s%s%s", text, i ? ";" : "",
			       slash ? slash + 1 : cli->operands[i]);
	}
	return text;
}

static enum outcome run_import(struct cli *cli)
{
	struct import im = {.cli = cli, .link = {.cli = cli, .fd = -1}};
	struct control_reply status;
	enum outcome outcome = DONE;

	im.dry_run = cli_option(cli, "dry-run");
	im.skip_bad = cli_option(cli, "skip-bad");
	im.options.own = cli_option(cli, "own");
	im.options.overwrite = cli_option(cli, "overwrite");
	im.options.retire_missing = cli_option(cli, "retire-missing");
	im.reason = cli_option(cli, "reason") ? cli_option(cli, "reason") : "import";
	im.source = cli_option(cli, "source") ? cli_option(cli, "source") : default_source(cli);
	im.files = calloc(cli->operand_count, sizeof *im.files);
	if (!im.files)
		return cli_fail(cli, FAILED, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t i = 0; i < cli->operand_count && outcome == DONE; i++)
		outcome = import_load(&im, cli->operands[i]);
	if (outcome == DONE)
		outcome = link_open(cli, &im.link);
	if (outcome == DONE)
		outcome = link_node(&im.link, &status, &im.options.region);
	if (outcome == DONE) {
		im.log = status.identity;
		outcome = load_register(&im);
	}
	if (outcome == DONE)
		outcome = compare(&im);
	if (outcome == DONE)
		outcome = check_at_node(&im);
	if (outcome == DONE)
		outcome = conclude(&im);
	import_free(&im);
	return outcome;
}

static const struct option_rule options[] = {
	{"dry-run", 'n', NULL, "show what would change, row by row, and touch nothing"},
	{"own", 0, NULL, "take only the rows that this node's region owns"},
	{"retire-missing", 0, NULL, "retire the records that the files no longer have"},
	{"skip-bad", 0, NULL, "import the good rows and list the others"},
	{"overwrite", 0, NULL, "in a conflict the file's text wins"},
	{"reason", 0, "TEXT", "why (default: import)"},
	{"source", 0, "TEXT", "the document it follows (default: the names of the files)"},
	{"kind", 0, "KIND", "what the files hold, when names and headings do not say it"},
	{"delimiter", 0, "NAME", "comma, semicolon or tab (default: found from the header)"},
	{"encoding", 0, "NAME", "UTF-8, windows-1250 or ISO-8859-2 (default: found)"},
};

const struct verb verb_import = {
	.name = "import",
	.operands = "FILE…",
	.operands_least = 1,
	.operands_most = 64,
	.summary = "compare CSV files with the register and commit what changed",
	.examples =
		"  splotctl import entities.csv --dry-run\n"
		"  splotctl import entities.csv --reason 'yearly reports' --source 'reports 2025'\n"
		"  splotctl import jednostki.csv --kind entities --skip-bad\n"
		"  splotctl import *.csv --own --retire-missing --reason 'register of 1 March'\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.asks = true,
	.run = run_import,
};
