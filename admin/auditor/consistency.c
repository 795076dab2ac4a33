/* audit consistency: one signed checkpoint of a log grew into the other. */
#include <string.h>

#include "admin/auditor/source.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "audit/consistency.h"
#include "ledger/log.h"
#include "model/json.h"

struct comparing {
	struct cli *cli;
	const char *paths[2]; /* OLD, NEW */
	struct buf notes[2];
	struct checkpoint checkpoints[2];
	struct log_name log;
	struct consistency_file file;
	struct hash old_root; /* that NEW's tree has at OLD's size */
	bool has_proof;
	struct buf raw; /* of --proof */
};

/* ---- the two checkpoints ---- */

static enum outcome read_checkpoint(struct comparing *c, size_t i)
{
	struct bytes realm = {NULL, 0};
	struct log_name log;
	bool witness = false;
	enum outcome outcome = audit_read_file(c->cli, c->paths[i], NOTE_BYTES_MAX, &c->notes[i]);
	enum err e = ERR_OK;

	if (outcome != DONE)
		return outcome;
	e = log_note_read(buf_bytes(&c->notes[i]), &c->checkpoints[i]);
	if (e != ERR_OK)
		return cli_fail(c->cli, BAD_DATA, e, "%s: no signed checkpoint: %s", c->paths[i],
				err_text(e));
	e = source_origin_log(bytes_of_text(c->checkpoints[i].origin), &realm, &log, &witness);
	if (e != ERR_OK || witness)
		return cli_fail(c->cli, BAD_DATA, ERR_ORIGIN, "%s: \"%s\" is no log of this kind",
				c->paths[i], c->checkpoints[i].origin);
	c->log = log;
	return DONE;
}

static enum outcome read_checkpoints(struct comparing *c)
{
	enum outcome outcome = read_checkpoint(c, 0);

	if (outcome == DONE)
		outcome = read_checkpoint(c, 1);
	if (outcome != DONE)
		return outcome;
	if (strcmp(c->checkpoints[0].origin, c->checkpoints[1].origin) != 0)
		return cli_fail(c->cli, BAD_DATA, ERR_ORIGIN, "two logs: %s is of %s, %s of %s",
				c->paths[0], c->checkpoints[0].origin, c->paths[1],
				c->checkpoints[1].origin);
	if (c->checkpoints[0].size > c->checkpoints[1].size)
		return cli_fail(c->cli, MISUSED, ERR_ARGUMENT,
				"%s has size %llu, %s only %llu: name the older one first",
				c->paths[0], (unsigned long long)c->checkpoints[0].size,
				c->paths[1], (unsigned long long)c->checkpoints[1].size);
	return DONE;
}

static enum outcome verify_signatures(struct comparing *c, const struct keyring *keys)
{
	for (size_t i = 0; i < 2; i++) {
		struct checkpoint read;
		enum err e = keyring_checkpoint(keys, c->log, buf_bytes(&c->notes[i]), &read);

		if (e != ERR_OK)
			return cli_fail(c->cli, BAD_DATA, e, "%s: %s%s", c->paths[i], err_text(e),
					e == ERR_UNKNOWN_KEY ? ": none of the keys given signed it"
							     : "");
	}
	return DONE;
}

/* ---- the proof ---- */

static enum outcome take_proof(struct comparing *c, const char *path)
{
	struct checkpoint under;
	enum outcome outcome = audit_read_file(c->cli, path, CONSISTENCY_BYTES_MAX, &c->raw);
	enum err e = ERR_OK;

	if (outcome != DONE)
		return outcome;
	e = consistency_parse(buf_bytes(&c->raw), &c->file);
	if (e == ERR_OK)
		e = log_note_read(c->file.note, &under);
	if (e != ERR_OK)
		return cli_fail(c->cli, BAD_DATA, e, "%s: no consistency proof: %s", path,
				err_text(e));
	if (c->file.old != c->checkpoints[0].size || under.size != c->checkpoints[1].size ||
	    !hash_equal(under.root, c->checkpoints[1].root) ||
	    strcmp(under.origin, c->checkpoints[1].origin) != 0)
		return cli_fail(c->cli, BAD_DATA, ERR_PROOF,
				"%s: this proof is about other checkpoints than %s and %s", path,
				c->paths[0], c->paths[1]);
	/* Whoever wrote it claims that OLD is what NEW grew from. */
	c->old_root = c->checkpoints[0].root;
	c->has_proof = true;
	return DONE;
}

static enum outcome make_proof(struct comparing *c, struct audit_source *a)
{
	const struct checkpoint *old = &c->checkpoints[0];
	const struct checkpoint *new = &c->checkpoints[1];
	enum err e = ERR_OK;

	c->file = (struct consistency_file){.old = old->size, .note = buf_bytes(&c->notes[1])};
	if (old->size == new->size)
		return DONE; /* their roots say it */
	e = consistency_prove(&a->source, c->log, old, new, &c->file.proof, &c->old_root);
	c->has_proof = e == ERR_OK;
	if (e == ERR_ROOT)
		return cli_fail(c->cli, BAD_DATA, e,
				"%s: the history here has another root at size %llu than %s: it "
				"is not the one that %s was signed for",
				a->source.what, (unsigned long long)new->size, c->paths[1],
				c->paths[1]);
	if (e == ERR_NOT_FOUND)
		return cli_fail(c->cli, FAILED, e, "%s: log %s is not here, or not up to size %llu",
				a->source.what, c->log.text, (unsigned long long)new->size);
	return e == ERR_OK ? DONE : source_failed(c->cli, &a->source, e);
}

/* ---- what it shows ---- */

static enum outcome tell(struct comparing *c, const char *written)
{
	const struct checkpoint *old = &c->checkpoints[0];
	const struct checkpoint *new = &c->checkpoints[1];
	struct buf out = {0};
	struct json j = json_to(&out);
	enum outcome outcome = DONE;

	if (c->cli->json) {
		json_open(&j, '{');
		json_field_text(&j, "origin", old->origin);
		json_field_uint(&j, "old", old->size);
		json_field_uint(&j, "new", new->size);
		json_field_bool(&j, "consistent", true);
		json_field_uint(&j, "hashes", c->file.proof.count);
		if (written)
			json_field_text(&j, "proof", written);
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else {
		buf_printf(&out, "%s: size %llu grew from size %llu; both are signed\n",
			   new->origin, (unsigned long long)new->size,
			   (unsigned long long)old->size);
		if (written)
			buf_printf(
				&out, "%s: the proof (%s)\n", written,
				text_count(&c->cli->arena, c->file.proof.count, "hash", "hashes"));
	}
	outcome = cli_print(c->cli, &out);
	buf_free(&out);
	return outcome;
}

static enum outcome judge(struct comparing *c)
{
	enum relation relation = RELATION_UNKNOWN;
	enum err e =
		consistency_judge(&c->checkpoints[0], &c->checkpoints[1],
				  c->has_proof ? &c->file.proof : NULL, &c->old_root, &relation);

	if (e == ERR_OK && (relation == RELATION_SAME || relation == RELATION_GREW))
		return DONE;
	if (relation == RELATION_FORKED)
		return cli_fail(c->cli, BAD_DATA, ERR_FORK,
				"%s and %s are two histories of %s: at size %llu they have two "
				"roots. Keep both files: they are evidence",
				c->paths[0], c->paths[1], c->checkpoints[0].origin,
				(unsigned long long)c->checkpoints[0].size);
	return cli_fail(c->cli, BAD_DATA, ERR_PROOF, "the proof does not lead from %s to %s",
			c->paths[0], c->paths[1]);
}

static enum outcome write_proof(struct comparing *c, const char *path)
{
	struct buf raw = {0};
	enum outcome outcome = DONE;
	enum err e = consistency_write(&c->file, &raw);

	outcome = e == ERR_OK ? audit_write_file(c->cli, path, buf_bytes(&raw))
			      : cli_fail(c->cli, FAILED, e, "%s: %s", path, err_text(e));
	buf_free(&raw);
	return outcome;
}

static enum outcome compare_offline(struct comparing *c, const char *proof)
{
	struct keyring *keys = NULL;
	enum outcome outcome = audit_keys_given(c->cli, &keys);

	if (outcome == DONE)
		outcome = verify_signatures(c, keys);
	if (outcome == DONE)
		outcome = take_proof(c, proof);
	if (outcome == DONE)
		outcome = judge(c);
	if (outcome == DONE)
		outcome = tell(c, NULL);
	keyring_free(keys);
	return outcome;
}

static enum outcome compare_by_source(struct comparing *c)
{
	const char *output = cli_option(c->cli, "output");
	struct audit_source a;
	enum outcome outcome = audit_open(c->cli, NULL, &a);

	if (outcome != DONE)
		return outcome;
	outcome = audit_read_keys(&a);
	if (outcome == DONE)
		outcome = verify_signatures(c, a.known);
	if (outcome == DONE)
		outcome = make_proof(c, &a);
	if (outcome == DONE)
		outcome = judge(c);
	if (outcome == DONE && output)
		outcome = write_proof(c, output);
	if (outcome == DONE)
		outcome = tell(c, output);
	if (outcome == DONE)
		audit_tell_stated(&a);
	audit_close(&a);
	return outcome;
}

static enum outcome run_audit_consistency(struct cli *cli)
{
	struct comparing c = {.cli = cli, .paths = {cli->operands[0], cli->operands[1]}};
	const char *proof = cli_option(cli, "proof");
	enum outcome outcome = DONE;

	if (proof && (cli_option(cli, "output") || cli_option(cli, "from")))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"--proof checks a proof that is there; it takes no --from or "
				"--output");
	outcome = read_checkpoints(&c);
	if (outcome == DONE)
		outcome = proof ? compare_offline(&c, proof) : compare_by_source(&c);
	buf_free(&c.notes[0]);
	buf_free(&c.notes[1]);
	buf_free(&c.raw);
	return outcome;
}

static const struct option_rule options[] = {
	AUDIT_FROM_OPTION,
	AUDIT_KEY_OPTIONS,
	{"output", 'o', "FILE", "write the proof"},
	{"proof", 0, "FILE", "check a proof offline instead; needs --key or --keys"},
};

const struct verb verb_audit_consistency = {
	.name = "audit consistency",
	.operands = "OLD NEW",
	.operands_least = 2,
	.operands_most = 2,
	.summary = "prove that one checkpoint of a log grew into another",
	.examples =
		"  splotctl audit consistency last-year.checkpoint audit/26/checkpoint --from "
		"audit/ -o grew\n"
		"  splotctl audit consistency last-year.checkpoint checkpoint --proof grew --keys "
		"log.vkey\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.asks = true,
	.run = run_audit_consistency,
};
