/* audit check: a proof of an event, offline, with nothing but the keys. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "admin/auditor/source.h"
#include "admin/log/print.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "ledger/log.h"
#include "model/json.h"
#include "tlog/encoding.h"
#include "tlog/proof_file.h"

enum { PROOFS_MAX = 64, SHA256_HEX = 2 * HASH_BYTES };

struct checked {
	const char *path;
	struct buf raw;
	struct proof_file file; /* parts of it in the cli's arena */
	struct log_name log;
	struct checkpoint under;
	struct hash leaf;
	struct log_item item; /* what the leaf says; without one: UNREADABLE */
	bool judged;
	struct policy_finding witnesses;
};

struct checking {
	struct cli *cli;
	struct keyring *keys;
	bool has_policy;
	struct policy policy;
	size_t count;
	struct checked *proofs;
	const char *leaf; /* of --leaf */
};

static enum outcome refuse(const struct checking *c, const struct checked *p, enum err e,
			   const char *what)
{
	return cli_fail(c->cli, BAD_DATA, e, "%s: NOT PROVED: %s", p->path, what);
}

/* ---- the leaf ---- */

/* 64 hex digits, or base64. */
static bool parse_hash(const char *text, struct hash *ret)
{
	size_t size = 0;

	if (strlen(text) == SHA256_HEX)
		return sodium_hex2bin(ret->b, HASH_BYTES, text, SHA256_HEX, NULL, &size, NULL) ==
			       0 &&
		       size == HASH_BYTES;
	return encoding_base64(bytes_of_text(text), ret->b, HASH_BYTES, &size) == ERR_OK &&
	       size == HASH_BYTES;
}

static enum outcome find_leaf(const struct checking *c, struct checked *p)
{
	if (p->file.has_extra) {
		p->leaf = hash_leaf(p->file.extra);
		if (!c->leaf)
			return DONE;
	}
	if (!c->leaf)
		return cli_fail(c->cli, MISUSED, ERR_ARGUMENT,
				"%s: the event's bytes are not in it (it was redacted?); give its "
				"leaf hash with --leaf",
				p->path);
	if (p->file.has_extra)
		return cli_fail(c->cli, MISUSED, ERR_ARGUMENT,
				"%s: the event's bytes are in it; --leaf is for a proof without",
				p->path);
	if (!parse_hash(c->leaf, &p->leaf))
		return cli_fail(c->cli, MISUSED, ERR_ARGUMENT,
				"--leaf takes a SHA-256 as 64 hex digits or in base64");
	return DONE;
}

/* What the leaf says, when this program can read it; the proof holds either way. */
static void read_leaf(struct checking *c, struct checked *p)
{
	struct log_item *item = &p->item;
	struct arena *arena = &c->cli->arena;
	enum err e = ERR_OK;

	*item = (struct log_item){.kind = ITEM_REDACTED, .log = p->log, .index = p->file.index};
	if (!p->file.has_extra)
		return;
	if (log_name_region(p->log) == REGION_NONE) {
		item->kind = ITEM_ENTRY;
		e = national_decode(p->file.extra, arena, &item->national);
	} else {
		item->kind = ITEM_EVENT;
		e = event_decode(p->file.extra, arena, &item->event);
	}
	if (e == ERR_OK && item->kind == ITEM_EVENT && item->event.change_count) {
		item->changes =
			arena_alloc(arena, item->event.change_count * sizeof *item->changes);
		e = item->changes ? ERR_OK : ERR_NOMEM;
	}
	if (e != ERR_OK) {
		*item = (struct log_item){.kind = ITEM_UNREADABLE,
					  .log = p->log,
					  .index = p->file.index,
					  .problem = e};
		return;
	}
	for (size_t i = 0; item->kind == ITEM_EVENT && i < item->event.change_count; i++) {
		const struct change *change = &item->event.changes[i];

		item->changes[item->change_count++] = (struct shown_change){
			.change = change, .before_lost = change->has_supersedes, .alone = true};
	}
}

/* ---- one proof ---- */

static enum outcome read_proof(struct checking *c, struct checked *p)
{
	struct bytes realm = {NULL, 0};
	bool witness = false;
	enum outcome outcome = audit_read_file(c->cli, p->path, PROOF_FILE_BYTES_MAX, &p->raw);
	enum err e = ERR_OK;

	if (outcome != DONE)
		return outcome;
	e = proof_file_parse(buf_bytes(&p->raw), &c->cli->arena, &p->file);
	if (e == ERR_OK)
		e = log_note_read(p->file.note, &p->under);
	if (e != ERR_OK)
		return refuse(c, p, e, "it is no proof file of the form c2sp.org/tlog-proof@v1");
	e = source_origin_log(bytes_of_text(p->under.origin), &realm, &p->log, &witness);
	if (e != ERR_OK || witness)
		return refuse(c, p, ERR_ORIGIN, "its checkpoint is of no log of this kind");
	return DONE;
}

static enum outcome judge_witnesses(struct checking *c, struct checked *p)
{
	struct note *n = malloc(sizeof *n);
	enum err e = n ? note_parse(p->file.note, n) : ERR_NOMEM;

	if (e == ERR_OK)
		e = policy_judge(&c->policy, n, &p->witnesses);
	free(n);
	p->judged = e == ERR_OK || e == ERR_QUORUM;
	if (e == ERR_QUORUM)
		return refuse(c, p, e,
			      text_in(&c->cli->arena,
				      "%s cosigned its checkpoint, which the policy does not take "
				      "for enough",
				      text_count(&c->cli->arena, p->witnesses.cosigned, "witness",
						 "witnesses")));
	return e == ERR_OK ? DONE : refuse(c, p, e, err_text(e));
}

static enum outcome check_proof(struct checking *c, struct checked *p)
{
	enum outcome outcome = read_proof(c, p);
	enum err e = ERR_OK;

	if (outcome == DONE)
		outcome = find_leaf(c, p);
	if (outcome != DONE)
		return outcome;
	e = keyring_checkpoint(c->keys, p->log, p->file.note, &p->under);
	if (e == ERR_UNKNOWN_KEY || e == ERR_ORIGIN)
		return refuse(c, p, ERR_UNKNOWN_KEY,
			      text_in(&c->cli->arena, "none of the keys given signed for %s",
				      p->under.origin));
	if (e != ERR_OK)
		return refuse(c, p, e, err_text(e));
	e = proof_check_inclusion(&p->file.proof, p->file.index, p->under.size, p->leaf,
				  p->under.root);
	if (e != ERR_OK)
		return refuse(c, p, ERR_PROOF,
			      "the event does not stand under the signed checkpoint at that index");
	read_leaf(c, p);
	if (c->has_policy && log_name_region(p->log) == REGION_NONE)
		return judge_witnesses(c, p);
	return DONE;
}

/* ---- proofs that belong together ---- */

/* Whether a national entry accepts the checkpoint of that proof. */
static bool accepts(const struct checked *entry, const struct checked *event)
{
	const struct national_entry *n = &entry->item.national;
	struct checkpoint c;

	return log_name_equal(n->log, event->log) && n->size == event->under.size &&
	       log_note_read(n->checkpoint, &c) == ERR_OK && c.size == event->under.size &&
	       strcmp(c.origin, event->under.origin) == 0 && hash_equal(c.root, event->under.root);
}

/* Every accepted checkpoint that was given must be that of an event's proof, when there is one. */
static enum outcome check_pairs(const struct checking *c)
{
	size_t events = 0;

	for (size_t i = 0; i < c->count; i++)
		events += log_name_region(c->proofs[i].log) != REGION_NONE;
	for (size_t i = 0; events && i < c->count; i++) {
		const struct checked *p = &c->proofs[i];
		bool found = false;

		if (p->item.kind != ITEM_ENTRY || p->item.national.kind != NATIONAL_ACCEPTED)
			continue;
		for (size_t k = 0; k < c->count; k++)
			found = found || (log_name_region(c->proofs[k].log) != REGION_NONE &&
					  accepts(p, &c->proofs[k]));
		if (!found)
			return refuse(c, p, ERR_PROOF,
				      "the national entry accepts another checkpoint than that of "
				      "the event's proof");
	}
	return DONE;
}

/* ---- telling ---- */

static void print_proof(const struct checking *c, const struct checked *p, struct buf *out)
{
	text_escape(out, p->path);
	buf_printf(out, ": proved: %s %llu of ",
		   log_name_region(p->log) == REGION_NONE ? "entry" : "event",
		   (unsigned long long)p->file.index);
	text_escape(out, p->under.origin);
	buf_printf(out, ", under its signed checkpoint of size %llu\n",
		   (unsigned long long)p->under.size);
	if (p->judged)
		buf_printf(
			out, "  %s cosigned that checkpoint, which is enough\n",
			text_count(&c->cli->arena, p->witnesses.cosigned, "witness", "witnesses"));
	if (p->file.has_extra)
		log_item_print(&p->item, out);
}

/* An object that was written already. */
static void json_put(struct json *j, const char *key, struct buf *object)
{
	while (object->size && object->data[object->size - 1] == '\n')
		object->size--;
	json_key(j, key);
	buf_add_bytes(j->out, buf_bytes(object));
	j->after_key = false;
}

static void json_proof(const struct checked *p, struct json *j)
{
	struct buf text = {0};

	json_open(j, '{');
	json_field_text(j, "file", p->path);
	json_field_bool(j, "proved", true);
	json_field_text(j, "origin", p->under.origin);
	json_field_uint(j, "index", p->file.index);
	json_field_uint(j, "size", p->under.size);
	encoding_add_base64(&text, bytes_of(p->leaf.b, HASH_BYTES));
	json_field_text(j, "leaf", buf_text(&text));
	if (p->judged)
		json_field_uint(j, "cosigned", p->witnesses.cosigned);
	if (p->file.has_extra) {
		buf_clear(&text);
		log_item_json(&p->item, &text);
		json_put(j, "says", &text);
	}
	json_close(j, '}');
	buf_free(&text);
}

static enum outcome tell(const struct checking *c)
{
	struct buf out = {0};
	enum outcome outcome = DONE;

	for (size_t i = 0; i < c->count; i++) {
		if (c->cli->json) {
			struct json j = json_to(&out);

			json_proof(&c->proofs[i], &j);
			buf_add_text(&out, "\n");
		} else {
			print_proof(c, &c->proofs[i], &out);
		}
	}
	outcome = cli_print(c->cli, &out);
	buf_free(&out);
	return outcome;
}

/* A policy that nothing was held against must not look as if it had been kept. */
static enum outcome check_judged(const struct checking *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->proofs[i].judged)
			return DONE;
	return !c->has_policy ? DONE
			      : cli_fail(c->cli, MISUSED, ERR_ARGUMENT,
					 "--policy is about the national checkpoint: name the "
					 "event's .national.tlog-proof as well");
}

static enum outcome run_audit_check(struct cli *cli)
{
	struct checking c = {
		.cli = cli, .count = cli->operand_count, .leaf = cli_option(cli, "leaf")};
	enum outcome outcome = DONE;

	c.proofs = calloc(c.count, sizeof *c.proofs);
	if (!c.proofs)
		return cli_fail(cli, FAILED, ERR_NOMEM, "out of memory");
	outcome = audit_keys_given(cli, &c.keys);
	if (outcome == DONE)
		outcome = audit_policy_given(cli, &c.policy, &c.has_policy);
	for (size_t i = 0; outcome == DONE && i < c.count; i++) {
		c.proofs[i].path = cli->operands[i];
		outcome = check_proof(&c, &c.proofs[i]);
	}
	if (outcome == DONE)
		outcome = check_pairs(&c);
	if (outcome == DONE)
		outcome = check_judged(&c);
	if (outcome == DONE)
		outcome = tell(&c);
	for (size_t i = 0; i < c.count; i++)
		buf_free(&c.proofs[i].raw);
	free(c.proofs);
	keyring_free(c.keys);
	return outcome;
}

static const struct option_rule options[] = {
	AUDIT_KEY_OPTIONS,
	AUDIT_POLICY_OPTION,
	{"leaf", 0, "HASH", "leaf hash of a redacted event, whose proof has no bytes"},
};

const struct verb verb_audit_check = {
	.name = "audit check",
	.operands = "FILE…",
	.operands_least = 1,
	.operands_most = PROOFS_MAX,
	.summary = "verify proofs offline, with nothing but the keys, and print the event",
	.examples = "  splotctl audit check 26-17.tlog-proof --key \"$(head -n 1 26.vkey)\"\n"
		    "  splotctl audit check 26-17.tlog-proof 26-17.national.tlog-proof --keys "
		    "keys.txt --policy policy\n"
		    "\nTwo proofs given together must belong together: the national entry accepts "
		    "the checkpoint\nthat the event stands under.\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.run = run_audit_check,
};
