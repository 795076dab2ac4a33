/* compare: whether two servers, or what is kept of them, hold the same. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin/backup/check.h"
#include "admin/backup/side.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "model/json.h"
#include "tlog/encoding.h"

enum { TRIES = 20, REST_MS = 250 };

static const char *const state_codes[] = {
	[COMPARE_EQUAL] = "equal", [COMPARE_A_AHEAD] = "a-ahead", [COMPARE_B_AHEAD] = "b-ahead",
	[COMPARE_FORK] = "fork",   [COMPARE_ONLY_A] = "only-a",   [COMPARE_ONLY_B] = "only-b",
	[COMPARE_OTHER] = "other", [COMPARE_OWN] = "own",
};

/* ---- texts ---- */

static const char *base64(struct cli *cli, struct hash h)
{
	struct buf text = {.data = NULL};
	const char *copy = "";

	encoding_add_base64(&text, bytes_of(h.b, HASH_BYTES));
	copy = text_in(&cli->arena, "%s", buf_text(&text));
	buf_free(&text);
	return copy;
}

static const char *state_text(struct cli *cli, const struct compare_log *l)
{
	const uint64_t a = l->size[0];
	const uint64_t b = l->size[1];

	switch (l->state) {
	case COMPARE_EQUAL:
		return "equal";
	case COMPARE_A_AHEAD:
		return text_in(&cli->arena, "A is ahead by %" PRIu64, a - b);
	case COMPARE_B_AHEAD:
		return text_in(&cli->arena, "B is ahead by %" PRIu64, b - a);
	case COMPARE_FORK:
		return "TWO HISTORIES: no single one explains both";
	case COMPARE_ONLY_A:
		return "A alone has it";
	case COMPARE_ONLY_B:
		return "B alone has it";
	case COMPARE_OTHER:
		return text_in(&cli->arena, "two logs: %s and %s", l->origin[0], l->origin[1]);
	case COMPARE_OWN:
		break;
	}
	return "each server's own";
}

static const char *place(struct cli *cli, const struct compare_record *r, int side)
{
	return r->there[side]
		       ? text_in(&cli->arena, "%s@%" PRIu64, r->log[side].text, r->index[side])
		       : "not there";
}

static const char *kind_name(enum record_kind kind)
{
	const struct kind *k = kind_of(kind);

	return k ? k->name : "record";
}

/* ---- for people ---- */

static void print_logs(struct cli *cli, const struct compare_report *r, struct buf *out)
{
	struct text_table t = table_in(&cli->arena);

	table_column(&t, "log", ALIGN_LEFT);
	table_column(&t, "A", ALIGN_RIGHT);
	table_column(&t, "B", ALIGN_RIGHT);
	table_column(&t, "", ALIGN_LEFT);
	for (size_t i = 0; i < r->log_count; i++) {
		table_cell(&t, r->logs[i].log.text);
		table_cell_uint(&t, r->logs[i].size[0]);
		table_cell_uint(&t, r->logs[i].size[1]);
		table_cell(&t, state_text(cli, &r->logs[i]));
	}
	table_print(&t, "  ", out);
}

static void print_records(struct cli *cli, const struct compare_report *r, struct buf *out)
{
	for (int side = 0; side < 2; side++)
		buf_printf(out, "  records %c  %s  %" PRIu64 "\n", 'A' + side,
			   base64(cli, r->records_digest[side]), r->records[side]);
	for (size_t i = 0; i < r->first_count; i++) {
		const struct compare_record *d = &r->first[i];

		buf_add_text(out, "    ");
		text_escape(out, d->id);
		buf_printf(out, " (%s): A %s, B %s\n", kind_name(d->kind), place(cli, d, 0),
			   place(cli, d, 1));
	}
	if (r->differing > r->first_count)
		buf_printf(out, "    and %" PRIu64 " more\n", r->differing - r->first_count);
}

static void print_counts(struct cli *cli, const struct compare_report *r, struct buf *out)
{
	for (size_t i = 0; i < r->region_count; i++) {
		const struct compare_region *c = &r->regions[i];
		const char *region = *c->region ? c->region : "-";

		if (hash_equal(c->digest[0], c->digest[1]))
			buf_printf(out, "  counts %-2s  %s\n", region, base64(cli, c->digest[0]));
		else
			buf_printf(out, "  counts %-2s  A %s\n             B %s\n", region,
				   base64(cli, c->digest[0]), base64(cli, c->digest[1]));
	}
}

static void print_text(struct cli *cli, const struct side *sides, const struct compare_report *r,
		       struct buf *out)
{
	for (int side = 0; side < 2; side++) {
		buf_printf(out, "  %c: ", 'A' + side);
		text_escape(out, sides[side].name);
		buf_add_u8(out, '\n');
	}
	print_logs(cli, r, out);
	print_records(cli, r, out);
	print_counts(cli, r, out);
	buf_add_text(out, r->equal ? "equal\n" : "they differ\n");
}

/* ---- JSON ---- */

static void json_sides(struct json *j, const char *key, uint64_t a, uint64_t b)
{
	json_key(j, key);
	json_open(j, '[');
	json_uint(j, a);
	json_uint(j, b);
	json_close(j, ']');
}

static void json_hashes(struct cli *cli, struct json *j, const char *key, const struct hash *both)
{
	json_key(j, key);
	json_open(j, '[');
	json_text(j, base64(cli, both[0]));
	json_text(j, base64(cli, both[1]));
	json_close(j, ']');
}

static void json_logs(struct cli *cli, struct json *j, const struct compare_report *r)
{
	json_key(j, "logs");
	json_open(j, '[');
	for (size_t i = 0; i < r->log_count; i++) {
		const struct compare_log *l = &r->logs[i];

		json_open(j, '{');
		json_field_text(j, "log", l->log.text);
		json_field_text(j, "state", state_codes[l->state]);
		json_sides(j, "sizes", l->size[0], l->size[1]);
		json_hashes(cli, j, "roots", l->root);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void json_records(struct cli *cli, struct json *j, const struct compare_report *r)
{
	json_key(j, "records");
	json_open(j, '{');
	json_sides(j, "counts", r->records[0], r->records[1]);
	json_hashes(cli, j, "digests", r->records_digest);
	json_field_uint(j, "differing", r->differing);
	json_key(j, "first");
	json_open(j, '[');
	for (size_t i = 0; i < r->first_count; i++) {
		json_open(j, '{');
		json_field_text(j, "id", r->first[i].id);
		json_field_text(j, "kind", kind_name(r->first[i].kind));
		json_field_text(j, "a", place(cli, &r->first[i], 0));
		json_field_text(j, "b", place(cli, &r->first[i], 1));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void json_counts(struct cli *cli, struct json *j, const struct compare_report *r)
{
	json_key(j, "counts");
	json_open(j, '[');
	for (size_t i = 0; i < r->region_count; i++) {
		json_open(j, '{');
		json_field_text(j, "region", r->regions[i].region);
		json_field_bool(j, "equal",
				hash_equal(r->regions[i].digest[0], r->regions[i].digest[1]));
		json_hashes(cli, j, "digests", r->regions[i].digest);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void print_json(struct cli *cli, const struct side *sides, const struct compare_report *r,
		       struct buf *out)
{
	struct json j = json_to(out);

	json_open(&j, '{');
	json_field_text(&j, "a", sides[0].name);
	json_field_text(&j, "b", sides[1].name);
	json_field_bool(&j, "equal", r->equal);
	json_logs(cli, &j, r);
	json_records(cli, &j, r);
	json_counts(cli, &j, r);
	json_close(&j, '}');
	buf_add_text(out, "\n");
}

/* ---- all of it ---- */

static bool is_behind(const struct compare_report *r, int which)
{
	return r->viewed && r->position[which] < r->size[which];
}

static enum outcome tell_failed(struct cli *cli, const struct side *side, enum err e,
				const struct compare_report *r, int which)
{
	if (e == ERR_AGAIN && is_behind(r, which))
		return cli_fail(cli, FAILED, ERR_BUSY,
				"%s: its view stands for %" PRIu64 " of %" PRIu64
				" entries: when its daemon runs and has caught up, try again",
				side->name, r->position[which], r->size[which]);
	if (e == ERR_AGAIN)
		return cli_fail(cli, FAILED, ERR_BUSY,
				"%s: moving: it was written to all the while; try again when less "
				"is written",
				side->name);
	return cli_fail(cli, FAILED, e, "%s: %s", side->name, err_text(e));
}

static enum err try_often(const struct compare_side *both, struct compare_report *r, int *ret_which)
{
	const struct timespec moment = {.tv_nsec = REST_MS * 1000000L};
	enum err e = ERR_AGAIN;

	for (int i = 0; e == ERR_AGAIN && i < TRIES; i++) {
		if (i)
			(void)nanosleep(&moment, NULL);
		e = compare_run(both, r, ret_which);
	}
	return e;
}

static enum outcome compare(struct cli *cli, struct side *sides, struct compare_report *r)
{
	const struct compare_side both[2] = {{&sides[0].source, &sides[0].functions},
					     {&sides[1].source, &sides[1].functions}};
	enum outcome outcome = DONE;
	int which = 0;
	enum err e = try_often(both, r, &which);

	/* The view of a daemon that does not run stays behind. */
	for (int i = 0; i < 2 && e == ERR_AGAIN && outcome == DONE && is_behind(r, which) &&
			sides[which].folder && !sides[which].folded;
	     i++) {
		outcome = side_fold(cli, &sides[which]);
		if (outcome == DONE)
			e = try_often(both, r, &which);
	}
	if (outcome != DONE || e == ERR_OK)
		return outcome;
	return tell_failed(cli, &sides[which], e, r, which);
}

static enum outcome tell(struct cli *cli, const struct side *sides, const struct compare_report *r)
{
	struct buf out = {.data = NULL};
	enum outcome outcome = DONE;

	if (cli->json)
		print_json(cli, sides, r, &out);
	else
		print_text(cli, sides, r, &out);
	outcome = cli_print(cli, &out);
	buf_free(&out);
	if (outcome != DONE)
		return outcome;
	return r->equal ? DONE : BAD_DATA;
}

static enum outcome run_compare(struct cli *cli)
{
	struct side sides[2] = {{.name = NULL}, {.name = NULL}};
	struct compare_report *r = calloc(1, sizeof *r);
	enum outcome outcome = DONE;

	if (!r)
		return cli_fail(cli, FAILED, ERR_NOMEM, "out of memory");
	check_tell_faults(text_in(&cli->arena, "%s or of %s", cli->operands[0], cli->operands[1]),
			  FAILED);
	outcome = side_open(cli, cli->operands[0], NULL, &sides[0]);
	if (outcome == DONE)
		outcome = side_open(cli, cli->operands[1], &sides[0], &sides[1]);
	if (outcome == DONE)
		outcome = compare(cli, sides, r);
	if (outcome == DONE)
		outcome = tell(cli, sides, r);
	side_close(&sides[0]);
	side_close(&sides[1]);
	free(r);
	return outcome;
}

const struct verb verb_compare = {
	.name = "compare",
	.operands = "A B",
	.operands_least = 2,
	.operands_most = 2,
	.summary = "whether two servers hold the same logs, records and counts",
	.examples = "  splotctl compare /run/splot/server.sock /mnt/other/server.sock\n"
		    "  splotctl compare /etc/splot/server.ini /mnt/backup/server --json\n",
	.run = run_compare,
};
