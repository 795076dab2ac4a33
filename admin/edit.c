/* put, retire, confirm: edits of single records. */
#include <string.h>
#include <time.h>

#include "admin/draft.h"
#include "admin/csv/finding.h"
#include "admin/text.h"
#include "admin/verbs.h"

struct editing {
	struct cli *cli;
	struct link link;
	int region;
	const char *log;
	const char *reason, *source;
	enum err probe; /* why a look-up of an id failed while minting */
};

/* Takes --reason and --source, connects to the node. */
static enum outcome editing_open(struct cli *cli, struct editing *ret)
{
	struct control_reply status;
	enum outcome outcome = cli_need(cli, "reason", &ret->reason);

	ret->cli = cli;
	ret->link.fd = -1;
	if (outcome == DONE)
		outcome = cli_need(cli, "source", &ret->source);
	if (outcome == DONE)
		outcome = link_open(cli, &ret->link);
	if (outcome == DONE)
		outcome = link_node(&ret->link, &status, &ret->region);
	if (outcome == DONE)
		ret->log = status.identity;
	return outcome;
}

/* The current version, a tombstone too; NULL when there is none. */
static enum err look_up(struct editing *ed, enum record_kind kind, const char *id,
			const struct version **ret)
{
	return link_find(&ed->link, kind, id, 0, ret);
}

/* A record that can be edited, or told why there is none. */
static enum outcome need_record(struct editing *ed, enum record_kind kind, const char *id,
				const struct version **ret)
{
	enum err e = look_up(ed, kind, id, ret);

	if (e != ERR_OK)
		return link_lost(&ed->link, e);
	if (!*ret)
		return cli_fail(ed->cli, FAILED, ERR_NOT_FOUND,
				"no record %s at this node; splotctl list shows what there is", id);
	if ((*ret)->change.retired)
		return cli_fail(ed->cli, CONFLICTED, ERR_EXISTS,
				"%s was retired; its id is never used again", id);
	if (!(*ret)->change.record)
		return cli_fail(ed->cli, FAILED, ERR_VERSION,
				"%s is a record of a kind that this program does not know", id);
	return DONE;
}

/* ---- problems ---- */

static enum outcome tell_problems(struct cli *cli, const struct findings *fs)
{
	struct buf out = {0};
	enum outcome outcome = DONE;

	if (cli->json) {
		struct json j = json_to(&out);

		json_open(&j, '{');
		json_key(&j, "problems");
		json_open(&j, '[');
		for (size_t i = 0; i < fs->count; i++)
			finding_json(&fs->items[i], cli->polish, &j);
		json_close(&j, ']');
		json_key(&j, "error");
		json_open(&j, '{');
		json_field_text(&j, "code", err_code(ERR_INVALID));
		json_field_text(&j, "text", "nothing was changed: correct what the problems say");
		json_close(&j, '}');
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else {
		for (size_t i = 0; i < fs->count; i++)
			finding_print(&fs->items[i], cli->polish, &out);
	}
	outcome = cli_print(cli, &out);
	cli_note(cli, "splotctl %s: nothing was changed: correct what the problems say",
		 cli->verb->name);
	buf_free(&out);
	return outcome == DONE ? BAD_DATA : outcome;
}

/* ---- sending ---- */

static void tell_accepted(const struct editing *ed, const struct change *changes, size_t count,
			  const struct sent *sent, struct buf *out)
{
	struct json j = json_to(out);

	if (!ed->cli->json) {
		for (size_t i = 0; i < count; i++)
			buf_printf(out, "%s\n", changes[i].id);
		buf_printf(out, "accepted: log %s, event %llu\n", ed->log,
			   (unsigned long long)sent->last);
		return;
	}
	json_open(&j, '{');
	json_key(&j, "ids");
	json_open(&j, '[');
	for (size_t i = 0; i < count; i++)
		json_text(&j, changes[i].id);
	json_close(&j, ']');
	json_field_text(&j, "log", ed->log);
	json_field_uint(&j, "events", sent->events);
	json_field_uint(&j, "index", sent->last);
	json_close(&j, '}');
	buf_add_text(out, "\n");
}

static enum outcome send_changes(struct editing *ed, const struct change *changes, size_t count)
{
	const struct draft draft = {ed->reason, ed->source, changes, count};
	struct draft_problems problems = {.changes = changes, .count = count};
	const struct problem_sink sink = draft_sink(&problems);
	struct sent sent;
	struct buf out = {0};
	enum outcome outcome = DONE;

	draft_send(&ed->link, &draft, false, &sink, &ed->cli->arena, &sent);
	if (problems.findings.count && !sent.lost && sent.err == ERR_INVALID) {
		outcome = tell_problems(ed->cli, &problems.findings);
	} else if (sent.err != ERR_OK) {
		outcome = draft_stopped(&ed->link, &sent);
	} else {
		tell_accepted(ed, changes, count, &sent, &out);
		outcome = cli_print(ed->cli, &out);
	}
	findings_free(&problems.findings);
	buf_free(&out);
	return outcome;
}

static enum outcome nothing_to_do(struct cli *cli, const char *id)
{
	struct buf out = {0};
	enum outcome outcome = DONE;

	if (cli->json) {
		struct json j = json_to(&out);

		json_open(&j, '{');
		json_key(&j, "ids");
		json_open(&j, '[');
		json_close(&j, ']');
		json_field_uint(&j, "events", 0);
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else {
		buf_printf(&out, "%s: nothing to do, the register says the same\n", id);
	}
	outcome = cli_print(cli, &out);
	buf_free(&out);
	return outcome;
}

/* ---- put ---- */

static const char *columns_of(struct cli *cli, const struct kind *kind)
{
	const char *text = "";

	for (size_t f = 0; f < kind->field_count; f++)
		text = text_in(&cli->arena, "%s%s%s", text, f ? ", " : "", kind->fields[f].name);
	return text;
}

static enum outcome set_fields(struct editing *ed, const struct kind *kind, struct record *r,
			       size_t first_operand)
{
	struct cli *cli = ed->cli;

	for (size_t i = first_operand; i < cli->operand_count; i++) {
		const char *text = cli->operands[i];
		const char *equals = strchr(text, '=');
		const char *name =
			equals ? text_in(&cli->arena, "%.*s", (int)(equals - text), text) : text;
		int field = field_named(kind, name);
		enum err e = ERR_OK;

		if (!equals)
			return cli_fail(
				cli, MISUSED, ERR_ARGUMENT,
				"\"%s\": write field=value (an empty value empties the field)",
				text);
		if (field < 0)
			return cli_fail(cli, MISUSED, ERR_ARGUMENT,
					"%s have no column \"%s\"; they have %s", kind->plural,
					name, columns_of(cli, kind));
		if (kind->fields[field].type == FIELD_ID)
			return cli_fail(cli, MISUSED, ERR_ARGUMENT,
					"an id is given before the fields and never changes");
		e = record_set(r, &cli->arena, (size_t)field, bytes_of_text(equals + 1));
		if (e != ERR_OK)
			return cli_fail(cli, BAD_DATA, e, "%s: %s", name, err_text(e));
	}
	return DONE;
}

static bool id_taken(void *context, const char *id)
{
	struct editing *ed = context;
	const struct version *v = NULL;
	enum err e = look_up(ed, RECORD_NONE, id, &v);

	if (e != ERR_OK)
		ed->probe = e;
	return e == ERR_OK && v;
}

static enum outcome mint(struct editing *ed, const struct record *r, const char **ret_id)
{
	struct buf id = {0};
	enum err e = id_mint(r, id_taken, ed, &id);
	enum outcome outcome = DONE;

	if (ed->probe != ERR_OK)
		outcome = link_lost(&ed->link, ed->probe);
	else if (e == ERR_INVALID)
		outcome = cli_fail(
			ed->cli, BAD_DATA, e,
			"fields that an id is made of are missing (region, kind, place …); "
			"give them, or an id");
	else if (e != ERR_OK)
		outcome = cli_fail(ed->cli, FAILED, e, "%s", err_text(e));
	else
		*ret_id = arena_text(&ed->cli->arena, buf_bytes(&id));
	buf_free(&id);
	return outcome;
}

/* The record that is there, changed; or a new one. */
static enum outcome put_record(struct editing *ed, const struct kind *kind, const char *id)
{
	struct cli *cli = ed->cli;
	bool is_new = cli_option(cli, "new");
	const struct version *v = NULL;
	struct change change = {.kind = kind->kind};
	struct record *r = NULL;
	int id_field = field_named(kind, "id");
	enum outcome outcome = DONE;
	enum err e = ERR_OK;

	if (id && is_new) {
		e = look_up(ed, RECORD_NONE, id, &v);
		if (e != ERR_OK)
			return link_lost(&ed->link, e);
		if (v)
			return cli_fail(cli, CONFLICTED, ERR_EXISTS, "%s is there already%s", id,
					v->change.retired
						? " (retired: its id is never used again)"
						: "; without --new its fields are changed");
	} else if (id) {
		outcome = need_record(ed, kind->kind, id, &v);
		if (outcome != DONE || !v)
			return outcome;
		change.has_supersedes = true;
		change.supersedes = v->index;
	}
	r = v ? record_copy(&cli->arena, v->change.record) : record_new(&cli->arena, kind->kind);
	if (!r || id_field < 0)
		return cli_fail(cli, FAILED, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	outcome = set_fields(ed, kind, r, id ? 2 : 1);
	if (outcome == DONE && !id)
		outcome = mint(ed, r, &id);
	if (outcome != DONE)
		return outcome;
	e = record_set(r, &cli->arena, (size_t)id_field, bytes_of_text(id));
	if (e != ERR_OK)
		return cli_fail(cli, BAD_DATA, e, "%s: %s", id, err_text(e));
	if (v && record_same(v->change.record, r))
		return nothing_to_do(cli, id);
	change.id = id;
	change.record = r;
	return send_changes(ed, &change, 1);
}

static enum outcome run_put(struct cli *cli)
{
	struct editing ed = {.link = {.fd = -1}};
	const struct kind *kind = kind_named(cli->operands[0]);
	const char *id = NULL;
	enum outcome outcome = DONE;

	if (!kind)
		return cli_fail(
			cli, MISUSED, ERR_ARGUMENT,
			"\"%s\" is no kind: operator, entity, network, membership or statistic",
			cli->operands[0]);
	if (cli->operand_count > 1 && !strchr(cli->operands[1], '='))
		id = cli->operands[1];
	if (!id && !cli_option(cli, "new"))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"which record? give its id, or --new for a new one");
	outcome = editing_open(cli, &ed);
	if (outcome == DONE)
		outcome = put_record(&ed, kind, id);
	link_close(&ed.link);
	return outcome;
}

/* ---- retire, confirm ---- */

/* Fills one change for a record that is there; false in *ret_needed: nothing to change. */
typedef enum outcome (*make_change)(struct editing *ed, const struct version *v,
				    struct change *change, bool *ret_needed);

static enum outcome change_each(struct cli *cli, make_change make)
{
	struct editing ed = {.link = {.fd = -1}};
	struct change *changes = arena_alloc(&cli->arena, cli->operand_count * sizeof *changes);
	size_t count = 0;
	enum outcome outcome = DONE;

	if (!changes)
		return cli_fail(cli, FAILED, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	outcome = editing_open(cli, &ed);
	for (size_t i = 0; i < cli->operand_count && outcome == DONE; i++) {
		const struct version *v = NULL;
		bool needed = true;

		for (size_t k = 0; k < i && outcome == DONE; k++)
			if (!strcmp(cli->operands[k], cli->operands[i]))
				outcome = cli_fail(cli, MISUSED, ERR_ARGUMENT, "%s is given twice",
						   cli->operands[i]);
		if (outcome == DONE)
			outcome = need_record(&ed, RECORD_NONE, cli->operands[i], &v);
		if (outcome != DONE || !v)
			break;
		changes[count] = (struct change){.id = v->change.id,
						 .kind = v->change.kind,
						 .has_supersedes = true,
						 .supersedes = v->index};
		outcome = make(&ed, v, &changes[count], &needed);
		count += needed;
	}
	if (outcome == DONE)
		outcome = count ? send_changes(&ed, changes, count)
				: nothing_to_do(cli, cli->operands[0]);
	link_close(&ed.link);
	return outcome;
}

static enum outcome make_retirement(struct editing *ed, const struct version *v,
				    struct change *change, bool *ret_needed)
{
	(void)ed;
	(void)v;
	change->retired = true;
	*ret_needed = true;
	return DONE;
}

static const char *today(struct cli *cli)
{
	time_t now = time(NULL);
	struct tm local;

	if (!localtime_r(&now, &local))
		return "";
	return text_in(&cli->arena, "%04d-%02d-%02d", local.tm_year + 1900, local.tm_mon + 1,
		       local.tm_mday);
}

static enum outcome make_confirmation(struct editing *ed, const struct version *v,
				      struct change *change, bool *ret_needed)
{
	struct cli *cli = ed->cli;
	const struct kind *kind = record_info(v->change.record);
	const char *on = cli_option(cli, "on");
	int field = kind ? field_named(kind, "verified_on") : -1;
	struct record *r = NULL;
	enum err e = ERR_OK;

	if (field < 0)
		return cli_fail(
			cli, FAILED, ERR_ARGUMENT,
			"%s: %s have no column verified_on, so that they cannot be confirmed; "
			"entities and networks can",
			v->change.id, kind ? kind->plural : "such records");
	r = record_copy(&cli->arena, v->change.record);
	e = r ? record_set(r, &cli->arena, (size_t)field, bytes_of_text(on ? on : today(cli)))
	      : ERR_NOMEM;
	if (e != ERR_OK)
		return cli_fail(cli, FAILED, e, "%s: %s", v->change.id, err_text(e));
	*ret_needed = !record_same(r, v->change.record);
	change->record = r;
	return DONE;
}

static enum outcome run_retire(struct cli *cli)
{
	return change_each(cli, make_retirement);
}

static enum outcome run_confirm(struct cli *cli)
{
	return change_each(cli, make_confirmation);
}

static const struct option_rule put_options[] = {
	{"new", 0, NULL, "the record is new; without an id one is minted and shown"},
	{"reason", 0, "TEXT", "why"},
	{"source", 0, "TEXT", "the document it follows"},
};

const struct verb verb_put = {
	.name = "put",
	.operands = "KIND [ID] [field=value…]",
	.operands_least = 1,
	.operands_most = 200,
	.summary = "change fields of a record, or add a new one",
	.examples =
		"  splotctl put entity pl26-kis-kielce-pestka status=suspended \\\n"
		"      --reason 'letter of the club' --source 'letter 17/2026'\n"
		"  splotctl put operator --new region=26 name='Fundacja Most' form=fundacja \\\n"
		"      sector=ngo --reason 'new operator' --source 'KRS extract'\n",
	.options = put_options,
	.option_count = sizeof put_options / sizeof *put_options,
	.asks = true,
	.run = run_put,
};

static const struct option_rule retire_options[] = {
	{"reason", 0, "TEXT", "why"},
	{"source", 0, "TEXT", "the document it follows"},
};

const struct verb verb_retire = {
	.name = "retire",
	.operands = "ID…",
	.operands_least = 1,
	.operands_most = 1000,
	.summary = "end records; their ids are never used again",
	.examples = "  splotctl retire pl26-kis-kielce-pestka --reason 'entered twice' \\\n"
		    "      --source 'note 3/2026'\n",
	.options = retire_options,
	.option_count = sizeof retire_options / sizeof *retire_options,
	.asks = true,
	.run = run_retire,
};

static const struct option_rule confirm_options[] = {
	{"on", 0, "DATE", "when it was confirmed (default: today)"},
	{"reason", 0, "TEXT", "why"},
	{"source", 0, "TEXT", "the document it follows"},
};

const struct verb verb_confirm = {
	.name = "confirm",
	.operands = "ID…",
	.operands_least = 1,
	.operands_most = 1000,
	.summary = "note that records were confirmed: sets verified_on",
	.examples = "  splotctl confirm pl26-kis-kielce-pestka --reason 'call with the club' \\\n"
		    "      --source 'note 1/2026'\n",
	.options = confirm_options,
	.option_count = sizeof confirm_options / sizeof *confirm_options,
	.asks = true,
	.run = run_confirm,
};
