#include <string.h>

#include "admin/csv/import.h"
#include "admin/text.h"

static const char *delimiter_name(char delimiter)
{
	return delimiter == ',' ? "comma" : delimiter == ';' ? "semicolon" : "tab";
}

size_t import_conflicts(const struct import *im)
{
	size_t count = 0;

	for (int k = 0; k < KIND_COUNT; k++)
		count += im->plans[k].conflict_count;
	return count;
}

static size_t retirements(const struct plan *p)
{
	size_t count = 0;

	for (size_t i = 0; i < p->missing_count; i++)
		count += p->missing[i].retire;
	return count;
}

static const char *field_now(const struct plan_row *row, size_t field)
{
	return row->current ? record_get(row->current->change.record, field) : "";
}

/* ---- for people ---- */

static void add_quoted(struct buf *out, const char *text)
{
	buf_add_text(out, "\"");
	text_escape(out, text);
	buf_add_text(out, "\"");
}

static void print_where(const struct plan_row *row, struct buf *out)
{
	buf_add_text(out, " (");
	text_escape(out, row->file);
	buf_printf(out, ", row %zu%s)\n", row->row, row->minted ? ", new id" : "");
}

static void print_row(const struct plan *p, const struct plan_row *row, struct buf *out)
{
	bool added = row->fate == ROW_ADDED;

	buf_add_text(out, added ? "  + " : "  ~ ");
	text_escape(out, row->id);
	print_where(row, out);
	for (size_t f = 0; f < p->kind->field_count; f++) {
		const char *from = field_now(row, f);
		const char *to = record_get(row->record, f);

		if (!strcmp(from, to) || p->kind->fields[f].type == FIELD_ID)
			continue;
		buf_printf(out, "      %s: ", p->kind->fields[f].name);
		if (!added) {
			add_quoted(out, from);
			buf_add_text(out, " -> ");
		}
		add_quoted(out, to);
		buf_add_text(out, "\n");
	}
}

static void print_details(const struct plan *p, struct buf *out)
{
	for (size_t i = 0; i < p->row_count; i++)
		if (p->rows[i].fate == ROW_ADDED || p->rows[i].fate == ROW_CHANGED)
			print_row(p, &p->rows[i], out);
	for (size_t i = 0; i < p->missing_count; i++) {
		buf_add_text(out, "  - ");
		text_escape(out, p->missing[i].current->change.id);
		buf_add_text(out, p->missing[i].retire ? " (missing: retired)\n"
						       : " (missing from the file: kept)\n");
	}
}

static void print_minted(const struct plan *p, struct buf *out)
{
	for (size_t i = 0; i < p->row_count; i++) {
		if (!p->rows[i].minted || p->rows[i].fate != ROW_ADDED)
			continue;
		buf_add_text(out, "  + ");
		text_escape(out, p->rows[i].id);
		print_where(&p->rows[i], out);
	}
}

static void print_repairs(const struct plan *p, struct buf *out)
{
	for (size_t i = 0; i < p->repair_count; i++) {
		const struct plan_repair *r = &p->repairs[i];

		buf_add_text(out, "  repaired ");
		text_escape(out, r->row->file);
		buf_printf(out, ", row %zu, %s: ", r->row->row, p->kind->fields[r->field].name);
		add_quoted(out, r->from);
		buf_add_text(out, " -> ");
		add_quoted(out, r->to);
		buf_add_text(out, "\n");
	}
}

static void print_conflicts(const struct plan *p, struct buf *out)
{
	for (size_t i = 0; i < p->conflict_count; i++) {
		const struct plan_conflict *c = &p->conflicts[i];

		buf_add_text(out, "  conflict: ");
		text_escape(out, c->id);
		if (!c->row) {
			buf_add_text(out, ": missing from the file, and changed in the register "
					  "since the export\n");
			continue;
		}
		buf_add_text(out, " (");
		text_escape(out, c->row->file);
		buf_printf(out, ", row %zu), %s: exported ", c->row->row,
			   p->kind->fields[c->field].name);
		add_quoted(out, c->base);
		buf_add_text(out, ", register ");
		add_quoted(out, c->in_register);
		buf_add_text(out, ", file ");
		add_quoted(out, c->in_file);
		buf_add_text(out, "\n");
	}
}

static void print_plan(const struct import *im, const struct plan *p, bool details, struct buf *out)
{
	size_t retired = retirements(p);
	size_t aside = plan_count(p, ROW_ASIDE);
	size_t bad = plan_count(p, ROW_BAD);

	buf_printf(out, "%s: %zu new, %zu changed, %zu the same", p->kind->plural,
		   plan_count(p, ROW_ADDED), plan_count(p, ROW_CHANGED), plan_count(p, ROW_SAME));
	if (bad)
		buf_printf(out, ", %zu with problems", bad);
	if (p->conflict_count)
		buf_printf(out, ", %s",
			   text_count(&im->cli->arena, p->conflict_count, "conflict", "conflicts"));
	if (p->missing_count)
		buf_printf(out, ", %zu missing from the file (%zu %s)", p->missing_count, retired,
			   im->sent.events ? "retired" : "to be retired");
	if (aside)
		buf_printf(out, ", %zu of other owners left aside", aside);
	buf_add_text(out, "\n");
	print_repairs(p, out);
	if (details)
		print_details(p, out);
	else
		print_minted(p, out);
	print_conflicts(p, out);
}

static void print_end(const struct import *im, struct buf *out)
{
	struct arena *arena = &im->cli->arena;

	if (im->kept_missing)
		buf_add_text(out, "Nothing was retired: a bad row may stand for a record that only "
				  "looks missing.\n");
	if (im->dry_run)
		buf_add_text(out, "Dry run: nothing was changed.\n");
	else if (im->sent.events)
		buf_printf(out, "Accepted: %s in %s of log %s (%llu to %llu).\n",
			   text_count(arena, im->sent.changes, "change", "changes"),
			   text_count(arena, im->sent.events, "event", "events"), im->log,
			   (unsigned long long)im->sent.first, (unsigned long long)im->sent.last);
	else if (!import_conflicts(im) && !im->findings.count)
		buf_add_text(out, "Nothing to do: the register says the same.\n");
}

void import_print(const struct import *im, bool details, struct buf *out)
{
	for (size_t i = 0; i < im->file_count; i++) {
		const struct import_file *file = &im->files[i];

		if (!file->kind)
			continue;
		text_escape(out, file->path);
		buf_printf(out, ": %s, %s, %s, %s\n", file->kind->plural,
			   encoding_name(file->encoding), delimiter_name(file->delimiter),
			   text_count(&im->cli->arena, file->rows, "row", "rows"));
	}
	for (int k = 0; k < KIND_COUNT; k++)
		if (im->plans[k].kind)
			print_plan(im, &im->plans[k], details, out);
	for (size_t i = 0; i < im->findings.count; i++)
		finding_print(&im->findings.items[i], im->cli->polish, out);
	print_end(im, out);
}

/* ---- JSON ---- */

static void json_files(const struct import *im, struct json *j)
{
	json_key(j, "files");
	json_open(j, '[');
	for (size_t i = 0; i < im->file_count; i++) {
		const struct import_file *file = &im->files[i];

		json_open(j, '{');
		json_field_text(j, "file", file->path);
		json_field_text(j, "kind", file->kind ? file->kind->name : "");
		json_field_text(j, "encoding", encoding_name(file->encoding));
		json_field_text(j, "delimiter", file->kind ? delimiter_name(file->delimiter) : "");
		json_field_uint(j, "rows", file->rows);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void json_counts(const struct import *im, struct json *j)
{
	json_key(j, "kinds");
	json_open(j, '[');
	for (int k = 0; k < KIND_COUNT; k++) {
		const struct plan *p = &im->plans[k];

		if (!p->kind)
			continue;
		json_open(j, '{');
		json_field_text(j, "kind", p->kind->name);
		json_field_uint(j, "added", plan_count(p, ROW_ADDED));
		json_field_uint(j, "changed", plan_count(p, ROW_CHANGED));
		json_field_uint(j, "same", plan_count(p, ROW_SAME));
		json_field_uint(j, "bad", plan_count(p, ROW_BAD));
		json_field_uint(j, "aside", plan_count(p, ROW_ASIDE));
		json_field_uint(j, "missing", p->missing_count);
		json_field_uint(j, "retired", retirements(p));
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void json_where(const struct plan *p, const struct plan_row *row, struct json *j)
{
	json_field_text(j, "kind", p->kind->name);
	json_field_text(j, "id", row->id);
	json_field_text(j, "file", row->file);
	json_field_uint(j, "row", row->row);
}

static void json_row(const struct plan *p, const struct plan_row *row, struct json *j)
{
	json_open(j, '{');
	json_where(p, row, j);
	if (row->fate == ROW_ADDED) {
		json_field_bool(j, "minted", row->minted);
		json_key(j, "record");
		json_record(j, row->record);
		json_close(j, '}');
		return;
	}
	json_key(j, "fields");
	json_open(j, '[');
	for (size_t f = 0; f < p->kind->field_count; f++) {
		if (!strcmp(field_now(row, f), record_get(row->record, f)))
			continue;
		json_open(j, '{');
		json_field_text(j, "field", p->kind->fields[f].name);
		json_field_text(j, "from", field_now(row, f));
		json_field_text(j, "to", record_get(row->record, f));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void json_rows(const struct import *im, const char *key, enum row_fate fate, struct json *j)
{
	json_key(j, key);
	json_open(j, '[');
	for (int k = 0; k < KIND_COUNT; k++)
		for (size_t i = 0; i < im->plans[k].row_count; i++)
			if (im->plans[k].rows[i].fate == fate)
				json_row(&im->plans[k], &im->plans[k].rows[i], j);
	json_close(j, ']');
}

static void json_missing(const struct plan *p, struct json *j)
{
	for (size_t i = 0; i < p->missing_count; i++) {
		json_open(j, '{');
		json_field_text(j, "kind", p->kind->name);
		json_field_text(j, "id", p->missing[i].current->change.id);
		json_field_bool(j, "retired", p->missing[i].retire);
		json_close(j, '}');
	}
}

static void json_repairs(const struct plan *p, struct json *j)
{
	for (size_t i = 0; i < p->repair_count; i++) {
		const struct plan_repair *r = &p->repairs[i];

		json_open(j, '{');
		json_where(p, r->row, j);
		json_field_text(j, "field", p->kind->fields[r->field].name);
		json_field_text(j, "from", r->from);
		json_field_text(j, "to", r->to);
		json_close(j, '}');
	}
}

static void json_conflicts(const struct plan *p, struct json *j)
{
	for (size_t i = 0; i < p->conflict_count; i++) {
		const struct plan_conflict *c = &p->conflicts[i];

		json_open(j, '{');
		json_field_text(j, "kind", p->kind->name);
		json_field_text(j, "id", c->id);
		json_field_text(j, "file", c->row ? c->row->file : "");
		json_field_uint(j, "row", c->row ? c->row->row : 0);
		json_field_text(j, "field", c->field >= 0 ? p->kind->fields[c->field].name : "");
		json_field_text(j, "exported", c->base);
		json_field_text(j, "register", c->in_register);
		json_field_text(j, "in_file", c->in_file);
		json_close(j, '}');
	}
}

static void json_lists(const struct import *im, struct json *j)
{
	static const struct {
		const char *key;
		void (*write)(const struct plan *p, struct json *j);
	} lists[] = {{"missing", json_missing},
		     {"repairs", json_repairs},
		     {"conflicts", json_conflicts}};

	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		json_key(j, lists[i].key);
		json_open(j, '[');
		for (int k = 0; k < KIND_COUNT; k++)
			lists[i].write(&im->plans[k], j);
		json_close(j, ']');
	}
}

void import_json(const struct import *im, enum err code, const char *failure, struct buf *out)
{
	struct json j = json_to(out);

	json_open(&j, '{');
	json_field_bool(&j, "dry_run", im->dry_run);
	json_field_text(&j, "log", im->log);
	json_field_uint(&j, "position", im->position);
	json_files(im, &j);
	json_counts(im, &j);
	json_rows(im, "added", ROW_ADDED, &j);
	json_rows(im, "changed", ROW_CHANGED, &j);
	json_lists(im, &j);
	json_key(&j, "problems");
	json_open(&j, '[');
	for (size_t i = 0; i < im->findings.count; i++)
		finding_json(&im->findings.items[i], im->cli->polish, &j);
	json_close(&j, ']');
	json_key(&j, "accepted");
	json_open(&j, '{');
	json_field_uint(&j, "events", im->sent.events);
	json_field_uint(&j, "changes", im->sent.changes);
	if (im->sent.events) {
		json_field_uint(&j, "first", im->sent.first);
		json_field_uint(&j, "last", im->sent.last);
	}
	json_close(&j, '}');
	if (failure) {
		json_key(&j, "error");
		json_open(&j, '{');
		json_field_text(&j, "code", err_code(code));
		json_field_text(&j, "text", failure);
		json_close(&j, '}');
	}
	json_close(&j, '}');
	buf_add_text(out, "\n");
}
