#include "admin/acts/act.h"

#include "model/json.h"

const struct option_rule act_options[ACT_OPTION_COUNT] = {
	{"reason", 0, "TEXT", "why: it is recorded"},
};

static void tell_done(struct cli *cli, const struct control_request *q,
		      const struct control_reply *reply, struct buf *out)
{
	struct json j = json_to(out);

	json_open(&j, '{');
	json_field_text(&j, "done", cli->verb->name);
	json_field_text(&j, "name", q->name ? q->name : "");
	if (q->verb == CONTROL_REDACT)
		json_field_uint(&j, "index", q->index);
	if (q->verb == CONTROL_ROTATE || q->verb == CONTROL_CONTINUE)
		json_field_uint(&j, "index", reply->index);
	json_field_text(&j, "reason", q->reason);
	json_field_uint(&j, "size", reply->size);
	json_close(&j, '}');
	buf_add_text(out, "\n");
}

enum outcome act_and(struct cli *cli, const struct control_request *q, const char *done,
		     const char *next, act_then *then)
{
	struct link link;
	struct control_reply reply;
	struct buf out = {0};
	enum outcome outcome = link_open(cli, &link);

	if (outcome == DONE)
		outcome = link_ask(&link, q, &cli->arena, &reply);
	if (outcome == DONE && cli->json)
		tell_done(cli, q, &reply, &out);
	else if (outcome == DONE)
		buf_printf(&out, "%s\n", done);
	if (outcome == DONE)
		outcome = cli_print(cli, &out);
	if (outcome == DONE && next)
		cli_note(cli, "%s", next);
	if (outcome == DONE && then)
		outcome = then(&link, q, &reply);
	buf_free(&out);
	link_close(&link);
	return outcome;
}

enum outcome act(struct cli *cli, const struct control_request *q, const char *done,
		 const char *next)
{
	return act_and(cli, q, done, next, NULL);
}
