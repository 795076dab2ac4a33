#include "admin/status_audit.h"

#include <stdlib.h>
#include <string.h>

#include "admin/auditor/report.h"
#include "admin/text.h"
#include "ledger/log.h"
#include "tlog/policy.h"

/* ---- what the cosigned checkpoint says ---- */

struct cosigned {
	uint64_t size;
	bool judged; /* by the policy in force */
	struct policy_finding finding;
};

/* False when there is none, or none that reads. */
static bool read_cosigned(const struct control_reply *r, struct cosigned *ret)
{
	struct note *note = malloc(sizeof *note);
	struct policy *policy = malloc(sizeof *policy);
	struct checkpoint c;
	bool found = note && policy && r->cosigned.size && log_note_read(r->cosigned, &c) == ERR_OK;
	enum err e = ERR_OK;

	*ret = (struct cosigned){.size = found ? c.size : 0};
	if (found && note_parse(r->cosigned, note) == ERR_OK &&
	    policy_parse(bytes_of_text(r->policy), policy, NULL) == ERR_OK) {
		e = policy_judge(policy, note, &ret->finding);
		ret->judged = e == ERR_OK || e == ERR_QUORUM;
	}
	free(note);
	free(policy);
	return found;
}

static uint64_t seconds_ms(uint64_t s)
{
	return s < INT64_MAX / 1000 ? s * 1000 : 0;
}

/* ---- for people ---- */

const char *status_age(struct cli *cli, uint64_t then_ms, struct wall_ms now)
{
	uint64_t s = 0;

	if (!then_ms || then_ms > INT64_MAX)
		return "-";
	if ((int64_t)then_ms < now.ms)
		s = (uint64_t)(now.ms - (int64_t)then_ms) / 1000;
	if (s < 120)
		return text_in(&cli->arena, "%llu s", (unsigned long long)s);
	if (s < 7200)
		return text_in(&cli->arena, "%llu min", (unsigned long long)(s / 60));
	if (s < 172800)
		return text_in(&cli->arena, "%llu h", (unsigned long long)(s / 3600));
	return text_in(&cli->arena, "%llu d", (unsigned long long)(s / 86400));
}

void status_print_evidence(const struct control_reply *evidence, struct buf *out)
{
	for (size_t i = 0; i < evidence->evidence_count; i++) {
		const struct evidence_row *row = &evidence->evidence[i];

		buf_add_text(out, "  !! TWO HISTORIES of ");
		text_escape(out, !strcmp(row->log, "national") ? "the national log of the server "
							       : "the log ");
		text_escape(out, *row->server ? row->server : row->log);
		buf_add_text(out, !strcmp(row->log, "national")
					  ? ": that server is not trusted any more\n"
					  : " were signed\n");
	}
	if (evidence->evidence_count)
		buf_add_text(out, "  !! both signed notes are kept: splotctl audit evidence shows "
				  "them and writes them for others\n");
}

static void print_witnesses(struct cli *cli, const struct control_reply *r, struct wall_ms now,
			    struct buf *out)
{
	struct text_table t = table_in(&cli->arena);

	table_column(&t, "witness", ALIGN_LEFT);
	table_column(&t, "cosigned", ALIGN_RIGHT);
	table_column(&t, "lag", ALIGN_RIGHT);
	table_column(&t, "age", ALIGN_RIGHT);
	for (size_t i = 0; i < r->witness_count; i++) {
		const struct witness_row *w = &r->witnesses[i];

		table_cell(&t, w->log);
		table_cell_uint(&t, w->size);
		table_cell_uint(&t, r->size > w->size ? r->size - w->size : 0);
		table_cell(&t, status_age(cli, w->at_ms, now));
	}
	table_print(&t, "  ", out);
}

static void print_cosigned(struct cli *cli, const struct control_reply *r, struct wall_ms now,
			   struct buf *out)
{
	struct cosigned c;

	if (!read_cosigned(r, &c)) {
		buf_add_text(out, "  the national log was not cosigned yet\n");
		return;
	}
	buf_printf(out, "  national log cosigned at %llu of %s", (unsigned long long)c.size,
		   text_count(&cli->arena, r->size, "entry", "entries"));
	if (c.judged)
		buf_printf(out, " by %s, the newest %s ago",
			   text_count(&cli->arena, c.finding.cosigned, "witness", "witnesses"),
			   status_age(cli, seconds_ms(c.finding.newest_s), now));
	buf_add_text(out, r->quorum ? "; the quorum stands\n" : "; NO QUORUM\n");
}

/* The last full pass of `audit verify`. */
static void print_verified(struct cli *cli, const struct control_reply *r, struct wall_ms now,
			   struct buf *out)
{
	uint64_t at_ms = 0;
	uint64_t leaves = 0;
	uint64_t damaged = 0;

	if (!report_number(r->verified, "at_ms", &at_ms) ||
	    !report_number(r->verified, "leaves", &leaves) ||
	    !report_number(r->verified, "damaged", &damaged)) {
		buf_add_text(out, "  not verified yet: splotctl audit verify\n");
		return;
	}
	buf_printf(out, "  verified %s ago: %s, ", status_age(cli, at_ms, now),
		   text_count(&cli->arena, leaves, "leaf", "leaves"));
	if (damaged)
		buf_printf(out, "WRONG in %s; splotctl audit verify tells where\n",
			   text_count(&cli->arena, damaged, "place", "places"));
	else
		buf_add_text(out, "nothing wrong\n");
}

void status_print_audit(struct cli *cli, const struct control_reply *r, struct wall_ms now,
			struct buf *out)
{
	print_verified(cli, r, now, out);
	if (strcmp(r->role, "node") != 0) {
		print_cosigned(cli, r, now, out);
		if (r->witness_count)
			print_witnesses(cli, r, now, out);
	}
}

/* ---- JSON ---- */

void status_json_time(struct json *j, const char *key, uint64_t ms)
{
	char text[25];

	if (!ms || ms > INT64_MAX) {
		json_key(j, key);
		json_null(j);
		return;
	}
	wall_format((struct wall_ms){(int64_t)ms}, text);
	json_field_text(j, key, text);
}

static void json_cosigned(const struct control_reply *r, struct json *j)
{
	struct cosigned c;

	json_key(j, "cosigned");
	if (!read_cosigned(r, &c)) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_field_uint(j, "size", c.size);
	json_field_uint(j, "witnesses", c.judged ? c.finding.cosigned : 0);
	status_json_time(j, "newest", c.judged ? seconds_ms(c.finding.newest_s) : 0);
	status_json_time(j, "oldest", c.judged ? seconds_ms(c.finding.oldest_s) : 0);
	json_close(j, '}');
}

static void json_verified(const struct control_reply *r, struct json *j)
{
	uint64_t at_ms = 0;
	uint64_t leaves = 0;
	uint64_t damaged = 0;

	json_key(j, "verified");
	if (!report_number(r->verified, "at_ms", &at_ms) ||
	    !report_number(r->verified, "leaves", &leaves) ||
	    !report_number(r->verified, "damaged", &damaged)) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	status_json_time(j, "at", at_ms);
	json_field_uint(j, "leaves", leaves);
	json_field_uint(j, "damaged", damaged);
	json_close(j, '}');
}

static void json_witnesses(const struct control_reply *r, struct json *j)
{
	json_key(j, "witnesses");
	json_open(j, '[');
	for (size_t i = 0; i < r->witness_count; i++) {
		const struct witness_row *w = &r->witnesses[i];

		json_open(j, '{');
		json_field_text(j, "log", w->log);
		json_field_text(j, "key", w->key);
		json_field_uint(j, "size", w->size);
		json_field_uint(j, "lag", r->size > w->size ? r->size - w->size : 0);
		status_json_time(j, "at", w->at_ms);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void status_json_audit(const struct control_reply *r, const struct control_reply *evidence,
		       struct json *j)
{
	json_field_text(j, "key", r->key);
	json_verified(r, j);
	if (strcmp(r->role, "node") != 0) {
		json_witnesses(r, j);
		json_cosigned(r, j);
		json_field_bool(j, "quorum", r->quorum);
	}
	json_key(j, "evidence");
	json_open(j, '[');
	for (size_t i = 0; i < evidence->evidence_count; i++) {
		const struct evidence_row *row = &evidence->evidence[i];

		json_open(j, '{');
		json_field_text(j, "log", row->log);
		json_field_text(j, "server", row->server);
		status_json_time(j, "at", row->at_ms);
		json_close(j, '}');
	}
	json_close(j, ']');
}
