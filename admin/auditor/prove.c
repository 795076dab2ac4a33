/* audit prove: one event with all that shows that it stands in its log. */
#include <string.h>

#include "admin/auditor/source.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "audit/prove.h"
#include "model/json.h"
#include "tlog/encoding.h"

/* A proof and where it is written; texts in the cli's arena. */
struct written {
	const char *proof, *content; /* paths; NULL: not written */
	struct proved proved;
	bool redacted;
};

struct proving {
	struct cli *cli;
	struct source source;
	struct log_name log;
	uint64_t index;
	const char *name; /* how the files' names begin */
	struct written event, accepted;
	const char *missing; /* why there is no second proof; NULL: there is */
};

/* ---- files ---- */

/* The proof, and beside it what it is about. */
static enum outcome write_proof(struct proving *p, const char *middle, const char *suffix,
				struct buf *raw, struct written *ret)
{
	struct arena *arena = &p->cli->arena;
	struct proof_file file;
	enum outcome outcome = DONE;
	enum err e = proof_file_parse(buf_bytes(raw), arena, &file);

	if (e != ERR_OK)
		return cli_fail(p->cli, FAILED, e, "%s: %s", p->source.what, err_text(e));
	ret->proof = text_in(arena, "%s%s.tlog-proof", p->name, middle);
	outcome = audit_write_file(p->cli, ret->proof, buf_bytes(raw));
	if (outcome != DONE || !file.has_extra)
		return outcome;
	ret->content = text_in(arena, "%s%s.%s", p->name, middle, suffix);
	return audit_write_file(p->cli, ret->content, file.extra);
}

/* ---- the proofs ---- */

static enum outcome tell_failure(struct proving *p, enum err e)
{
	if (e == ERR_NOT_FOUND)
		return cli_fail(p->cli, FAILED, e,
				"%s: there is no event %llu of log %s under a checkpoint",
				p->source.what, (unsigned long long)p->index, p->log.text);
	if (e == ERR_CORRUPT)
		return cli_fail(p->cli, BAD_DATA, e,
				"%s: log %s is damaged near event %llu: what is stored does not "
				"give the signed root; splotctl audit verify names every place",
				p->source.what, p->log.text, (unsigned long long)p->index);
	return source_failed(p->cli, &p->source, e);
}

static enum outcome prove_it(struct proving *p)
{
	bool national = log_name_region(p->log) == REGION_NONE;
	struct buf raw = {0};
	enum outcome outcome = DONE;
	enum err e = prove_event(&p->source, p->log, p->index, &raw, &p->event.proved);

	p->event.redacted = e == ERR_REDACTED;
	if (e == ERR_OK || e == ERR_REDACTED)
		outcome = write_proof(p, "", national ? "entry" : "event", &raw, &p->event);
	else
		outcome = tell_failure(p, e);
	buf_free(&raw);
	return outcome;
}

/* The second proof, where a national log is at hand and holds the checkpoint. */
static enum outcome prove_its_checkpoint(struct proving *p)
{
	struct source_names names;
	struct buf raw = {0};
	enum outcome outcome = DONE;
	enum err e = p->source.ops->names(&p->source, &names);

	if (e == ERR_OK &&
	    (!names.count || log_name_region(names.items[names.count - 1]) != REGION_NONE)) {
		p->missing = "no national log is here; a server's, or an export of it, has it";
		return DONE;
	}
	if (e == ERR_OK)
		e = prove_accepted(&p->source, p->log, p->event.proved.under.size, &raw,
				   &p->accepted.proved);
	if (e == ERR_OK)
		outcome = write_proof(p, ".national", "entry", &raw, &p->accepted);
	else if (e == ERR_NOT_FOUND)
		p->missing = "the national log that is here does not hold this checkpoint yet";
	else
		outcome = tell_failure(p, e);
	buf_free(&raw);
	return outcome;
}

/* ---- telling ---- */

static const char *hash_text(struct cli *cli, struct hash h)
{
	struct buf text = {0};
	const char *copy = "";

	encoding_add_base64(&text, bytes_of(h.b, HASH_BYTES));
	copy = arena_text(&cli->arena, buf_bytes(&text));
	buf_free(&text);
	return copy ? copy : "";
}

static void json_proof(struct json *j, const char *key, const struct written *w)
{
	json_key(j, key);
	if (!w->proof) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	json_field_text(j, "proof", w->proof);
	if (w->content)
		json_field_text(j, "content", w->content);
	json_field_text(j, "origin", w->proved.under.origin);
	json_field_uint(j, "size", w->proved.under.size);
	json_close(j, '}');
}

static void print_text(const struct proving *p, struct buf *out)
{
	const struct written *w = &p->event;

	buf_printf(out, "%s: %s %llu of %s, under its checkpoint of size %llu\n", w->proof,
		   log_name_region(p->log) == REGION_NONE ? "entry" : "event",
		   (unsigned long long)p->index, w->proved.under.origin,
		   (unsigned long long)w->proved.under.size);
	if (w->redacted)
		buf_printf(out,
			   "its bytes were redacted; the proof is of its leaf hash, %s\n"
			   "(splotctl audit check --leaf HASH)\n",
			   hash_text(p->cli, w->proved.leaf));
	else
		buf_printf(out, "%s: its exact bytes\n", w->content);
	if (!p->accepted.proof)
		return;
	buf_printf(out, "%s: that checkpoint in %s, under its checkpoint of size %llu\n",
		   p->accepted.proof, p->accepted.proved.under.origin,
		   (unsigned long long)p->accepted.proved.under.size);
	buf_printf(out, "%s: the entry's exact bytes\n", p->accepted.content);
}

static enum outcome tell(const struct proving *p)
{
	struct buf out = {0};
	struct json j = json_to(&out);
	enum outcome outcome = DONE;

	if (p->cli->json) {
		json_open(&j, '{');
		json_field_text(&j, "log", p->log.text);
		json_field_uint(&j, "index", p->index);
		json_field_text(&j, "leaf", hash_text(p->cli, p->event.proved.leaf));
		json_field_bool(&j, "redacted", p->event.redacted);
		json_proof(&j, "event", &p->event);
		json_proof(&j, "national", &p->accepted);
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else {
		print_text(p, &out);
	}
	outcome = cli_print(p->cli, &out);
	buf_free(&out);
	if (p->missing)
		cli_note(p->cli, "no proof of the checkpoint in the national log: %s", p->missing);
	return outcome;
}

static enum outcome run_audit_prove(struct cli *cli)
{
	struct proving p = {.cli = cli, .name = cli_option(cli, "output")};
	char folder[LOG_NAME_BYTES];
	enum outcome outcome = audit_log_named(cli, cli->operands[0], &p.log);

	if (outcome == DONE)
		outcome = audit_number(cli, "index", cli->operands[1], &p.index);
	if (outcome == DONE)
		outcome = source_named(cli, cli_option(cli, "from"), &p.source);
	if (outcome != DONE)
		return outcome;
	source_folder_name(p.log, folder);
	if (!p.name)
		p.name = text_in(&cli->arena, "%s-%llu", folder, (unsigned long long)p.index);
	outcome = prove_it(&p);
	if (outcome == DONE && log_name_region(p.log) != REGION_NONE)
		outcome = prove_its_checkpoint(&p);
	if (outcome == DONE)
		outcome = tell(&p);
	source_close(&p.source);
	return outcome;
}

static const struct option_rule options[] = {
	AUDIT_FROM_OPTION,
	{"output", 'o', "NAME", "how the files' names begin (default: 26-17)"},
};

const struct verb verb_audit_prove = {
	.name = "audit prove",
	.operands = "LOG INDEX",
	.operands_least = 2,
	.operands_most = 2,
	.summary = "write a proof of one event that anybody can check offline",
	.examples =
		"  splotctl audit prove 26 17 --from audit/\n"
		"  splotctl audit prove 26/2 0 -o /tmp/first --socket "
		"/run/splot-server/control\n"
		"\nIt writes 26-17.tlog-proof (C2SP tlog-proof), 26-17.event, and at a server or "
		"from a\nwhole export also 26-17.national.tlog-proof and 26-17.national.entry.\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.asks = true,
	.run = run_audit_prove,
};
