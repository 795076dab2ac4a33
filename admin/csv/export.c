/* export: the register as CSV, as of one position. */
#include <string.h>

#include "admin/as_of.h"
#include "admin/ask.h"
#include "admin/csv/csv.h"
#include "admin/csv/heading.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "io/files.h"
#include "model/json.h"

struct exporting {
	struct cli *cli;
	struct link link;
	bool excel;
	const char *log;   /* what the size counts: a region's log, or "national/<server>" */
	uint64_t at;       /* fixed by the first page, or as asked for */
	const char *as_of; /* what was asked for; NULL: the state of now */
};

struct exported {
	const struct kind *kind;
	const char *path; /* "" standard output */
	size_t rows;
};

static void write_line(const struct exporting *x, const struct kind *kind,
		       const struct record *record, struct buf *out)
{
	char delimiter = x->excel ? ';' : ',';

	for (size_t f = 0; f < kind->field_count; f++) {
		if (f)
			buf_add_u8(out, (uint8_t)delimiter);
		csv_write_cell(out, record ? record_get(record, f) : kind->fields[f].name,
			       delimiter);
	}
	if (x->excel && record)
		buf_printf(out, ";%s@%llu", x->log, (unsigned long long)x->at);
	else if (x->excel)
		buf_add_text(out, ";" STATE_COLUMN);
	buf_add_text(out, "\r\n");
}

/* A page's rows; each page's memory goes with it. */
static enum outcome write_page(struct exporting *x, struct exported *to, struct control_request *q,
			       struct arena *page, struct buf *last, bool *ret_more,
			       struct buf *out)
{
	struct control_reply reply;
	enum outcome outcome = link_ask(&x->link, q, page, &reply);

	if (outcome != DONE)
		return outcome;
	x->at = reply.position;
	q->at = reply.position;
	for (size_t i = 0; i < reply.version_count; i++) {
		const struct change *c = &reply.versions[i].change;

		if (!c->record)
			continue;
		write_line(x, to->kind, c->record, out);
		to->rows++;
	}
	*ret_more = reply.more && reply.version_count;
	buf_clear(last);
	if (reply.version_count)
		buf_add_text(last, reply.versions[reply.version_count - 1].change.id);
	q->after = buf_text(last);
	return DONE;
}

static enum outcome write_kind(struct exporting *x, struct exported *to, struct buf *out)
{
	struct control_request q = {.verb = CONTROL_QUERY, .kind = to->kind->kind, .at = x->at};
	struct arena page = {0};
	struct buf last = {0};
	bool more = true;
	enum outcome outcome = DONE;

	if (x->excel)
		buf_add_text(out, "\xef\xbb\xbf");
	write_line(x, to->kind, NULL, out);
	while (outcome == DONE && more) {
		outcome = write_page(x, to, &q, &page, &last, &more, out);
		arena_reset(&page);
		cli_progress(x->cli, to->kind->plural, to->rows, to->rows + more);
	}
	cli_progress(x->cli, "", 0, 0);
	arena_free(&page);
	buf_free(&last);
	return outcome;
}

static enum outcome export_kind(struct exporting *x, struct exported *to)
{
	struct buf out = {0};
	enum outcome outcome = write_kind(x, to, &out);
	enum err e = ERR_OK;

	if (outcome == DONE && !*to->path) {
		outcome = cli_print(x->cli, &out);
	} else if (outcome == DONE) {
		e = buf_check(&out);
		if (e == ERR_OK)
			e = file_replace(to->path, 0644, buf_bytes(&out));
		if (e != ERR_OK)
			outcome = cli_fail(x->cli, FAILED, e, "%s: %s", to->path, err_text(e));
	}
	buf_free(&out);
	return outcome;
}

/* "as of 26@118", and what was asked for. */
static const char *stands_for(const struct exporting *x)
{
	return text_in(&x->cli->arena, "as of %s@%llu%s%s%s", x->log, (unsigned long long)x->at,
		       x->as_of ? " (asked for: " : "", x->as_of ? x->as_of : "",
		       x->as_of ? ")" : "");
}

static enum outcome tell(const struct exporting *x, const struct exported *done, size_t count)
{
	struct buf out = {0};
	struct json j = json_to(&out);
	enum outcome outcome = DONE;

	if (count && !*done[0].path) { /* the rows themselves went to standard output */
		cli_note(x->cli, "%s", stands_for(x));
		return DONE;
	}
	if (x->cli->json) {
		json_open(&j, '{');
		json_field_text(&j, "log", x->log);
		json_field_uint(&j, "position", x->at);
		json_key(&j, "as_of");
		if (x->as_of)
			json_text(&j, x->as_of);
		else
			json_null(&j);
		json_key(&j, "files");
		json_open(&j, '[');
	}
	for (size_t i = 0; i < count; i++) {
		if (x->cli->json) {
			json_open(&j, '{');
			json_field_text(&j, "kind", done[i].kind->name);
			json_field_text(&j, "file", done[i].path);
			json_field_uint(&j, "rows", done[i].rows);
			json_close(&j, '}');
		} else {
			buf_printf(&out, "%s: %s\n", done[i].path,
				   text_count(&x->cli->arena, done[i].rows, "row", "rows"));
		}
	}
	if (x->cli->json) {
		json_close(&j, ']');
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else {
		buf_printf(&out, "%s\n", stands_for(x));
	}
	outcome = cli_print(x->cli, &out);
	buf_free(&out);
	return outcome;
}

static enum outcome export_all(struct exporting *x, const struct kind *only, const char *folder,
			       const char *file)
{
	struct exported done[RECORD_KIND_LAST + 1];
	size_t count = 0;
	enum outcome outcome = DONE;

	for (int k = RECORD_KIND_FIRST; k <= (int)RECORD_KIND_LAST && outcome == DONE; k++) {
		const struct kind *kind = kind_of((enum record_kind)k);
		struct exported *to = &done[count];

		if (!kind || (only && kind != only))
			continue;
		*to = (struct exported){.kind = kind, .path = file ? file : ""};
		if (folder)
			to->path = text_in(&x->cli->arena, "%s/%s.csv", folder, kind->plural);
		outcome = export_kind(x, to);
		count++;
	}
	return outcome == DONE ? tell(x, done, count) : outcome;
}

static enum outcome run_export(struct cli *cli)
{
	struct exporting x = {.cli = cli, .link = {.fd = -1}, .excel = cli_option(cli, "excel")};
	const char *folder = cli_option(cli, "dir");
	const char *file = cli_option(cli, "output");
	const struct kind *kind = cli->operand_count ? kind_named(cli->operands[0]) : NULL;
	struct control_reply status;
	enum outcome outcome = DONE;

	if (cli->operand_count && !kind)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"\"%s\" is no kind: operators, entities, networks, memberships or "
				"statistics",
				cli->operands[0]);
	if (folder && file)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT, "give --dir or --output, not both");
	if (!kind && !folder)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"which kind? name one, or give --dir DIR for a file of each");
	outcome = as_of_check(cli, &x.as_of);
	if (outcome != DONE)
		return outcome;
	if (folder) {
		enum err e = folder_make(folder, 0755);

		if (e != ERR_OK)
			return cli_fail(cli, FAILED, e, "%s: %s", folder, err_text(e));
	}
	outcome = link_open(cli, &x.link);
	if (outcome == DONE)
		outcome = as_of_find(&x.link, &x.at);
	if (outcome == DONE)
		outcome = link_status(&x.link, &status);
	if (outcome == DONE) {
		x.log = !strcmp(status.role, "node")
				? status.identity
				: text_in(&cli->arena, "national/%s", status.identity);
		outcome = export_all(&x, kind, folder, file);
	}
	link_close(&x.link);
	return outcome;
}

static const struct option_rule options[] = {
	{"dir", 0, "DIR", "write DIR/operators.csv, entities.csv, …"},
	{"output", 'o', "FILE", "write one kind to FILE (default: standard output)"},
	{"excel", 0, NULL, "for Excel: byte order mark, semicolons, column splot_state"},
	AS_OF_OPTIONS,
};

const struct verb verb_export = {
	.name = "export",
	.operands = "[KIND]",
	.operands_most = 1,
	.summary = "write the register as CSV files",
	.examples = "  splotctl export --dir register/\n"
		    "  splotctl export entities > entities.csv\n"
		    "  splotctl export entities --excel -o entities.csv\n"
		    "  splotctl export --as-of 2026-12-31 --dir end-of-year/\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.asks = true,
	.run = run_export,
};
