/* trust, waive: whom a server believes, and which server a node does without. */
#include <string.h>

#include "admin/acts/act.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "base/limits.h"
#include "base/time.h"
#include "io/files.h"
#include "model/json.h"
#include "session/card.h"

static enum outcome trust_add(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_ENROL};
	struct buf raw = {0};
	struct card card;
	char fingerprint[20];
	enum err e = ERR_OK;
	enum outcome outcome = cli_need(cli, "reason", &q.reason);

	if (outcome != DONE)
		return outcome;
	if (cli->operand_count != 2)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"which enrolment? splotctl trust add FILE --reason TEXT");
	e = file_read(cli->operands[1], NOTE_BYTES_MAX, &raw);
	if (e != ERR_OK) {
		outcome = cli_fail(cli, FAILED, e, "%s: %s", cli->operands[1], err_text(e));
		goto out;
	}
	e = card_open(buf_bytes(&raw), &card);
	if (e != ERR_OK || card.server) {
		outcome = cli_fail(
			cli, BAD_DATA, e != ERR_OK ? e : ERR_ARGUMENT,
			"%s is no enrolment of a node (%s); ask the region for the output "
			"of splotctl enrol, unchanged",
			cli->operands[1], e != ERR_OK ? err_text(e) : "it is a server's card");
		goto out;
	}
	card_fingerprint(&card, fingerprint);
	q.document = buf_bytes(&raw);
	q.name = card.log.text;
	outcome = act(cli, &q,
		      text_in(&cli->arena, "%s is trusted, fingerprint %s", card.log_key.name,
			      fingerprint),
		      NULL);
out:
	buf_free(&raw);
	return outcome;
}

static enum outcome trust_revoke(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_REVOKE};
	enum outcome outcome = cli_need(cli, "reason", &q.reason);

	if (outcome != DONE)
		return outcome;
	if (cli->operand_count != 2)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"which log? splotctl trust revoke LOG --reason TEXT");
	q.name = cli->operands[1];
	return act(cli, &q, text_in(&cli->arena, "log %s is revoked", q.name), NULL);
}

/* "2026-11-21T09:30:00.123Z", or "" for 0. */
static const char *time_text(struct cli *cli, uint64_t ms)
{
	char text[25];

	if (!ms || ms > INT64_MAX)
		return "";
	wall_format((struct wall_ms){(int64_t)ms}, text);
	return text_in(&cli->arena, "%s", text);
}

static void trust_json(struct cli *cli, const struct control_reply *reply, struct buf *out)
{
	struct json j = json_to(out);

	json_open(&j, '{');
	json_key(&j, "trust");
	json_open(&j, '[');
	for (size_t i = 0; i < reply->trust_count; i++) {
		const struct trust_row *row = &reply->trust[i];

		json_open(&j, '{');
		json_field_text(&j, "log", row->log);
		json_field_text(&j, "state", row->state);
		json_field_text(&j, "log_key", row->log_key);
		json_field_text(&j, "witness_key", row->witness_key);
		json_field_text(&j, "curve_key", row->curve_key);
		json_field_text(&j, "since", time_text(cli, row->since_ms));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	buf_add_text(out, "\n");
}

static enum outcome trust_list(struct cli *cli)
{
	const struct control_request q = {.verb = CONTROL_TRUST};
	struct link link;
	struct control_reply reply;
	struct buf out = {0};
	struct text_table t = table_in(&cli->arena);
	enum outcome outcome = link_open(cli, &link);

	if (outcome == DONE)
		outcome = link_ask(&link, &q, &cli->arena, &reply);
	if (outcome == DONE && cli->json) {
		trust_json(cli, &reply, &out);
	} else if (outcome == DONE) {
		table_column(&t, "log", ALIGN_LEFT);
		table_column(&t, "state", ALIGN_LEFT);
		table_column(&t, "since", ALIGN_LEFT);
		table_column(&t, "log key", ALIGN_LEFT);
		for (size_t i = 0; i < reply.trust_count; i++) {
			table_cell(&t, reply.trust[i].log);
			table_cell(&t, reply.trust[i].state);
			table_cell(&t, time_text(cli, reply.trust[i].since_ms));
			table_cell(&t, reply.trust[i].log_key);
		}
		table_print(&t, "", &out);
	}
	if (outcome == DONE)
		outcome = cli_print(cli, &out);
	buf_free(&out);
	link_close(&link);
	return outcome;
}

static enum outcome run_trust(struct cli *cli)
{
	static const struct {
		const char *name;
		enum outcome (*run)(struct cli *cli);
	} acts[] = {{"add", trust_add}, {"revoke", trust_revoke}, {"list", trust_list}};

	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
		if (!strcmp(acts[i].name, cli->operands[0]))
			return acts[i].run(cli);
	return cli_fail(cli, MISUSED, ERR_ARGUMENT, "trust add, revoke or list, not \"%s\"",
			cli->operands[0]);
}

static enum outcome run_waive(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_WAIVE, .name = cli->operands[0]};
	enum outcome outcome = cli_need(cli, "reason", &q.reason);

	if (outcome != DONE)
		return outcome;
	return act(cli, &q, text_in(&cli->arena, "the node goes on without waiting for %s", q.name),
		   NULL);
}

const struct verb verb_trust = {
	.name = "trust",
	.operands = "add FILE | revoke LOG | list",
	.operands_least = 1,
	.operands_most = 2,
	.summary = "which logs a server accepts",
	.examples = "  splotctl trust add region-26.enrolment --reason 'agreement 12/2026'\n"
		    "  splotctl trust revoke 26 --reason 'the office lost its keys'\n"
		    "  splotctl trust list\n",
	.options = act_options,
	.option_count = ACT_OPTION_COUNT,
	.asks = true,
	.run = run_trust,
};

const struct verb verb_waive = {
	.name = "waive",
	.operands = "SERVER",
	.operands_least = 1,
	.operands_most = 1,
	.summary = "let a gated node go on without hearing from a server",
	.examples = "  splotctl waive centrum --reason 'the server is gone for good'\n",
	.options = act_options,
	.option_count = ACT_OPTION_COUNT,
	.asks = true,
	.run = run_waive,
};
