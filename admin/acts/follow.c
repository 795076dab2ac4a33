/* witnessed, follow: what a node saw of a server's national log, and which one it goes on with. */
#include <string.h>

#include "admin/acts/act.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "model/json.h"
#include "tlog/checkpoint.h"
#include "tlog/encoding.h"

/* ---- witnessed ---- */

static enum err read_note(struct bytes raw, struct checkpoint *ret)
{
	struct note note;
	enum err e = note_parse(raw, &note);

	return e == ERR_OK ? checkpoint_parse(note.text, false, ret) : e;
}

static void row_json(struct json *j, const struct witnessed_row *row)
{
	struct checkpoint c = {.size = 0};
	struct buf root = {0};
	bool reads = read_note(row->note, &c) == ERR_OK;

	encoding_add_base64(&root, bytes_of(c.root.b, sizeof c.root.b));
	json_open(j, '{');
	json_field_text(j, "server", row->server);
	json_field_text(j, "origin", row->origin);
	json_field_uint(j, "size", c.size);
	json_key(j, "root");
	if (reads)
		json_bytes_text(j, buf_bytes(&root));
	else
		json_null(j);
	json_key(j, "followed");
	json_bool(j, row->followed);
	json_key(j, "checkpoint");
	json_bytes_text(j, row->note);
	json_close(j, '}');
	buf_free(&root);
}

static void print_json(const struct control_reply *reply, struct buf *out)
{
	struct json j = json_to(out);

	json_open(&j, '{');
	json_key(&j, "witnessed");
	json_open(&j, '[');
	for (size_t i = 0; i < reply->witnessed_count; i++)
		row_json(&j, &reply->witnessed[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	buf_add_text(out, "\n");
}

static uint32_t generation_of(const struct witnessed_row *row)
{
	struct origin_parts of;

	return origin_parse(bytes_of_text(row->origin), &of) == ERR_OK ? of.generation : 0;
}

/* Whether no later log of the same server was witnessed. */
static bool is_newest(const struct control_reply *reply, const struct witnessed_row *row)
{
	for (size_t i = 0; i < reply->witnessed_count; i++)
		if (strcmp(reply->witnessed[i].server, row->server) == 0 &&
		    generation_of(&reply->witnessed[i]) > generation_of(row))
			return false;
	return true;
}

/* Nothing but notes: a file of one is what continue takes. */
static void print_notes(const struct control_reply *reply, struct buf *out)
{
	for (size_t i = 0; i < reply->witnessed_count; i++) {
		if (!is_newest(reply, &reply->witnessed[i]))
			continue;
		if (out->size > 0)
			buf_add_text(out, "\n");
		buf_add_bytes(out, reply->witnessed[i].note);
	}
}

static enum outcome run_witnessed(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_WITNESSED};
	struct link link;
	struct control_reply reply;
	struct buf out = {0};
	enum outcome outcome = link_open(cli, &link);

	if (cli->operand_count > 0)
		q.name = cli->operands[0];
	if (outcome == DONE)
		outcome = link_ask(&link, &q, &cli->arena, &reply);
	if (outcome == DONE && cli->json)
		print_json(&reply, &out);
	else if (outcome == DONE && reply.witnessed_count == 0)
		outcome = cli_fail(cli, FAILED, ERR_NOT_FOUND,
				   "this node witnessed nothing of %s; ask another region",
				   q.name ? q.name : "any server");
	else if (outcome == DONE)
		print_notes(&reply, &out);
	if (outcome == DONE)
		outcome = cli_print(cli, &out);
	buf_free(&out);
	link_close(&link);
	return outcome;
}

/* ---- follow ---- */

static enum outcome run_follow(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_FOLLOW, .name = cli->operands[0]};
	enum outcome outcome = cli_need(cli, "reason", &q.reason);

	if (outcome != DONE)
		return outcome;
	return act(cli, &q,
		   text_in(&cli->arena, "the node follows the national log of %s by its new card",
			   q.name),
		   "it sends there what that server lacks; splotctl status shows it, and whether "
		   "the new log bears out what this node witnessed of the old one");
}

/* ---- the verbs ---- */

const struct verb verb_witnessed = {
	.name = "witnessed",
	.operands = "[SERVER]",
	.operands_most = 1,
	.summary = "print the newest national checkpoint that a node witnessed",
	.examples = "  splotctl witnessed centrum > old.checkpoint\n"
		    "  splotctl witnessed --json\n",
	.asks = true,
	.run = run_witnessed,
};

const struct verb verb_follow = {
	.name = "follow",
	.operands = "SERVER",
	.operands_least = 1,
	.operands_most = 1,
	.summary = "let a node go on with a server whose national log began anew",
	.examples = "  splotctl follow centrum --reason 'its disk was lost; fingerprint compared "
		    "by telephone'\n",
	.options = act_options,
	.option_count = ACT_OPTION_COUNT,
	.asks = true,
	.run = run_follow,
};
