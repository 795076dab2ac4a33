#include "admin/acts/act.h"

#include "admin/text.h"
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
	if (q->verb == CONTROL_FREEZE)
		json_field_uint(&j, "stands", reply->index);
	json_field_text(&j, "reason", q->reason);
	json_field_uint(&j, "size", reply->size);
	json_close(&j, '}');
	buf_add_text(out, "\n");
}

static enum outcome refused(struct link *l, struct control_reply *reply)
{
	const char *path = cli_option(l->cli, "output");

	if (path)
		reply->text = text_in(&l->cli->arena, "%s. %s was not written",
				      *reply->text ? reply->text : err_text(reply->code), path);
	return link_refused(l, reply);
}

struct words {
	const char *text; /* or: */
	act_done *done;
	const char *next;
};

static enum outcome ask_and_tell(struct cli *cli, const struct control_request *q,
				 const struct words *words, act_then *then)
{
	struct link link;
	struct control_reply reply;
	struct buf out = {0};
	enum err e = ERR_OK;
	enum outcome outcome = link_open(cli, &link);

	if (outcome == DONE) {
		e = link_try(&link, q, &cli->arena, &reply);
		if (e != ERR_OK)
			outcome = link_lost(&link, e);
		else if (reply.code != ERR_OK)
			outcome = refused(&link, &reply);
	}
	if (outcome == DONE && cli->json)
		tell_done(cli, q, &reply, &out);
	else if (outcome == DONE)
		buf_printf(&out, "%s\n", words->done ? words->done(cli, q, &reply) : words->text);
	if (outcome == DONE)
		outcome = cli_print(cli, &out);
	if (outcome == DONE && words->next)
		cli_note(cli, "%s", words->next);
	if (outcome == DONE && then)
		outcome = then(&link, q, &reply);
	buf_free(&out);
	link_close(&link);
	return outcome;
}

enum outcome act_and(struct cli *cli, const struct control_request *q, act_done *done,
		     const char *next, act_then *then)
{
	const struct words words = {.done = done, .next = next};

	return ask_and_tell(cli, q, &words, then);
}

enum outcome act(struct cli *cli, const struct control_request *q, const char *done,
		 const char *next)
{
	const struct words words = {.text = done, .next = next};

	return ask_and_tell(cli, q, &words, NULL);
}
