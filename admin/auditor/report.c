#include "admin/auditor/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/text.h"
#include "model/json.h"
#include "tlog/encoding.h"

enum { NS_PER_MS = 1000000 };

/* ---- one finding ---- */

void report_finding(const struct cli *cli, const struct damage_found *f, struct buf *out)
{
	struct json j = json_to(out);

	if (!cli->json) {
		buf_printf(out, "%-18s ", damage_code(f->damage));
		if (*f->log.text)
			buf_printf(out, "log %s, %" PRIu64 ": ", f->log.text, f->index);
		buf_add_text(out, damage_text(f->damage));
		if (*f->what) {
			buf_add_text(out, ": ");
			text_escape(out, f->what);
		}
		buf_add_u8(out, '\n');
		return;
	}
	json_open(&j, '{');
	json_field_text(&j, "damage", damage_code(f->damage));
	json_field_text(&j, "log", f->log.text);
	json_field_uint(&j, "index", f->index);
	json_field_text(&j, "what", f->what);
	json_field_text(&j, "text", damage_text(f->damage));
	json_close(&j, '}');
	buf_add_u8(out, '\n');
}

/* ---- for people ---- */

static void print_logs(struct cli *cli, const struct verify_report *r, struct buf *out)
{
	struct text_table t = table_in(&cli->arena);

	table_column(&t, "log", ALIGN_LEFT);
	table_column(&t, "size", ALIGN_RIGHT);
	table_column(&t, "checkpoints", ALIGN_RIGHT);
	table_column(&t, "redacted", ALIGN_RIGHT);
	table_column(&t, "root", ALIGN_LEFT);
	for (size_t i = 0; i < r->log_count; i++) {
		const struct verify_log *l = &r->logs[i];
		struct buf root = {.data = NULL};

		encoding_add_base64(&root, bytes_of(l->root.b, HASH_BYTES));
		table_cell(&t, l->log.text);
		table_cell_uint(&t, l->size);
		table_cell_uint(&t, l->checkpoints);
		table_cell_uint(&t, l->redacted);
		table_cell(&t, buf_text(&root));
		buf_free(&root);
	}
	table_print(&t, "  ", out);
}

static void print_witnesses(struct cli *cli, const struct verify_report *r, struct buf *out)
{
	if (!r->policy_known)
		return;
	if (r->cosigned_size == 0) {
		buf_add_text(out, "  the national log was not cosigned yet\n");
		return;
	}
	buf_printf(out, "  national log cosigned at %" PRIu64 " by %s; %s\n", r->cosigned_size,
		   text_count(&cli->arena, r->witnesses.cosigned, "witness", "witnesses"),
		   r->witnesses.quorum ? "the quorum stands" : "NO QUORUM");
}

void report_summary(struct cli *cli, const struct report_of *of, const struct verify_report *r,
		    struct buf *out)
{
	double seconds = (double)(r->hash_ns > 0 ? r->hash_ns : 1) / 1e9;
	struct arena *arena = &cli->arena;

	buf_add_text(out, "  ");
	text_escape(out, of->what);
	buf_add_text(out, of->stated ? ", by the keys that it states itself: compare them with "
				       "those that its owner gives you\n"
				     : "\n");
	print_logs(cli, r, out);
	buf_printf(out, "  %s hashed (%.1f MB, %.0f a second), %s, %s\n",
		   text_count(arena, r->leaves, "leaf", "leaves"), (double)r->leaf_bytes / 1e6,
		   (double)r->leaves / seconds, text_count(arena, r->tiles, "tile", "tiles"),
		   text_count(arena, r->checkpoints, "checkpoint", "checkpoints"));
	if (r->view_checked)
		buf_printf(out, "  the view folded anew up to %" PRIu64 ": %s, %s, %s, %s\n",
			   r->position, text_count(arena, r->records, "record", "records"),
			   text_count(arena, r->versions, "version", "versions"),
			   text_count(arena, r->changes, "change", "changes"),
			   text_count(arena, r->counts, "count", "counts"));
	else
		buf_add_text(out, "  no view was compared\n");
	print_witnesses(cli, r, out);
	if (r->unmatched)
		buf_add_text(out, "  no regional log is here: the national log's entries were not "
				  "matched with any; verify the whole export for that\n");
	if (r->damaged)
		buf_printf(out, "  WRONG: %s\n", text_count(arena, r->damaged, "place", "places"));
	else
		buf_add_text(out, "  nothing is wrong\n");
}

/* ---- JSON ---- */

static void json_logs(struct json *j, const struct verify_report *r)
{
	json_key(j, "logs");
	json_open(j, '[');
	for (size_t i = 0; i < r->log_count; i++) {
		const struct verify_log *l = &r->logs[i];
		struct buf root = {.data = NULL};

		encoding_add_base64(&root, bytes_of(l->root.b, HASH_BYTES));
		json_open(j, '{');
		json_field_text(j, "log", l->log.text);
		json_field_uint(j, "size", l->size);
		json_field_uint(j, "checkpoints", l->checkpoints);
		json_field_uint(j, "redacted", l->redacted);
		json_field_text(j, "root", buf_text(&root));
		json_close(j, '}');
		buf_free(&root);
	}
	json_close(j, ']');
}

static void json_view(struct json *j, const struct verify_report *r)
{
	json_key(j, "view");
	if (!r->view_checked) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_field_uint(j, "position", r->position);
	json_field_uint(j, "records", r->records);
	json_field_uint(j, "versions", r->versions);
	json_field_uint(j, "changes", r->changes);
	json_field_uint(j, "counts", r->counts);
	json_close(j, '}');
}

static void json_cosigned(struct json *j, const struct verify_report *r)
{
	json_key(j, "cosigned");
	if (!r->policy_known || r->cosigned_size == 0) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_field_uint(j, "size", r->cosigned_size);
	json_field_uint(j, "witnesses", r->witnesses.cosigned);
	json_field_uint(j, "bad", r->witnesses.bad);
	json_field_uint(j, "newest_s", r->witnesses.newest_s);
	json_field_bool(j, "quorum", r->witnesses.quorum);
	json_close(j, '}');
}

void report_json(const struct report_of *of, const struct verify_report *r, struct buf *out)
{
	struct json j = json_to(out);

	json_open(&j, '{');
	json_field_uint(&j, "at_ms", (uint64_t)(of->at.ms > 0 ? of->at.ms : 0));
	json_field_uint(&j, "damaged", r->damaged);
	json_field_uint(&j, "leaves", r->leaves);
	json_field_uint(&j, "leaf_bytes", r->leaf_bytes);
	json_field_uint(&j, "tiles", r->tiles);
	json_field_uint(&j, "checkpoints", r->checkpoints);
	json_field_text(&j, "source", of->what);
	json_field_text(&j, "keys", of->stated ? "stated" : "given");
	json_logs(&j, r);
	json_view(&j, r);
	json_cosigned(&j, r);
	json_field_bool(&j, "unmatched", r->unmatched);
	json_field_int(&j, "hash_ms", r->hash_ns / NS_PER_MS);
	json_field_int(&j, "check_ms", r->check_ns / NS_PER_MS);
	json_field_int(&j, "view_ms", r->view_ns / NS_PER_MS);
	json_close(&j, '}');
	buf_add_u8(out, '\n');
}

bool report_number(const char *line, const char *key, uint64_t *ret)
{
	char wanted[64];
	const char *at = NULL;
	char *end = NULL;
	int n = snprintf(wanted, sizeof wanted, "\"%s\":", key);

	if (n < 0 || (size_t)n >= sizeof wanted)
		return false;
	at = strstr(line, wanted);
	if (!at || at[n] < '0' || at[n] > '9')
		return false;
	*ret = strtoull(at + n, &end, 10);
	return true;
}
