/* keygen, enrol, server-card: secret keys, and what they say in public. */
#include <stdio.h>
#include <string.h>

#include "admin/text.h"
#include "admin/verbs.h"
#include "base/limits.h"
#include "io/keys.h"
#include "model/json.h"
#include "model/region.h"
#include "session/card.h"

/* Whether it is the name of a key of that kind: a realm, and a log or a server. */
static bool is_name(const char *name, enum origin_kind kind, struct origin_parts *ret)
{
	return origin_parse(bytes_of_text(name), ret) == ERR_OK && ret->kind == kind;
}

/* ---- keys as a card ---- */

/* The card of loaded keys, and the signer that signs it. */
static enum err card_of(const struct keys *keys, struct card *ret, struct signer *ret_signer)
{
	struct origin_parts of;
	char witness[KEY_NAME_BYTES_MAX + 1];
	struct card card = {.server = keys->kind == KEYS_SERVER};
	enum err e = vkey_make(keys->name, KEY_ED25519, keys->log_public, &card.log_key);

	if (e != ERR_OK)
		return e;
	if (!is_name(keys->name, card.server ? ORIGIN_NATIONAL : ORIGIN_REGION, &of))
		return ERR_INVALID;
	card.log = of.log;
	memcpy(card.realm, of.realm, sizeof card.realm);
	memcpy(card.server_name, of.server, sizeof card.server_name);
	card.generation = of.generation;
	if (!card.server) {
		e = witness_origin(of.realm, of.log, witness, sizeof witness);
		if (e == ERR_OK)
			e = vkey_make(witness, KEY_COSIGNATURE, keys->witness_public,
				      &card.witness_key);
	}
	memcpy(card.curve_public, keys->curve_public, sizeof card.curve_public);
	*ret = card;
	*ret_signer = (struct signer){.key = card.log_key, .secret = keys->log_secret};
	return e;
}

static void card_json(struct buf *out, const struct card *card, const char *file,
		      const char *document)
{
	struct json j = json_to(out);
	char text[VKEY_BYTES];
	char fingerprint[20];

	json_open(&j, '{');
	json_field_text(&j, "kind", card->server ? "server" : "node");
	vkey_text(&card->log_key, text);
	json_field_text(&j, "name", card->log_key.name);
	json_field_text(&j, "log_key", text);
	if (!card->server) {
		vkey_text(&card->witness_key, text);
		json_field_text(&j, "witness_key", text);
	}
	card_fingerprint(card, fingerprint);
	json_field_text(&j, "fingerprint", fingerprint);
	json_field_text(&j, "file", file);
	if (document)
		json_field_text(&j, "document", document);
	json_close(&j, '}');
	buf_add_text(out, "\n");
}

/* `why` names the file, where there is one. */
static enum outcome keys_failed(struct cli *cli, const char *path, enum err e, const char *why)
{
	if (*why)
		return cli_fail(cli, FAILED, e, "%s", why);
	return cli_fail(cli, FAILED, e, "%s: %s", path, err_text(e));
}

/* Loads keys of that kind and makes their card. */
static enum outcome load(struct cli *cli, const char *path, enum key_kind kind, struct keys *keys,
			 struct card *card, struct signer *signer)
{
	char why[TEXT_BYTES_MAX + 1] = "";
	enum err e = keys_load(path, keys, why);

	if (e != ERR_OK)
		return keys_failed(cli, path, e, why);
	if (keys->kind != kind)
		return cli_fail(
			cli, FAILED, ERR_ARGUMENT,
			kind == KEYS_NODE
				? "%s: these are a server's keys; its card is printed by "
				  "splotctl server-card"
				: "%s: these are a node's keys; its enrolment is printed by "
				  "splotctl enrol",
			path);
	e = card_of(keys, card, signer);
	if (e != ERR_OK)
		return cli_fail(cli, FAILED, e, "%s: \"%s\" is no name of a log: %s", path,
				keys->name, err_text(e));
	return DONE;
}

/* ---- keygen ---- */

static enum outcome keygen_failed(struct cli *cli, const char *path, enum err e)
{
	if (e == ERR_EXISTS)
		return cli_fail(cli, FAILED, e,
				"%s is there already, and keys are never overwritten: a log signed "
				"by lost keys cannot go on; name another file",
				path);
	return cli_fail(cli, FAILED, e, "%s: %s", path, err_text(e));
}

static enum outcome tell_made(struct cli *cli, const char *path, enum key_kind kind,
			      const char *next)
{
	struct keys keys = {0};
	struct card card = {0};
	struct signer signer;
	struct buf out = {0};
	char fingerprint[20];
	enum outcome outcome = load(cli, path, kind, &keys, &card, &signer);

	if (outcome == DONE && cli->json) {
		card_json(&out, &card, path, NULL);
	} else if (outcome == DONE) {
		card_fingerprint(&card, fingerprint);
		buf_printf(&out, "%s: secret keys of %s, fingerprint %s\n", path, keys.name,
			   fingerprint);
		buf_printf(&out, "Keep a copy off this machine. Next: %s\n", next);
	}
	if (outcome == DONE)
		outcome = cli_print(cli, &out);
	keys_free(&keys);
	buf_free(&out);
	return outcome;
}

/* The next keys of a node, beside those in use. */
static enum outcome run_keygen_next(struct cli *cli, const char *path)
{
	char why[TEXT_BYTES_MAX + 1] = "";
	char next[KEYS_PATH_BYTES];
	enum err e = keys_generate_next(path, why);

	keys_next_path(path, next);
	if (e == ERR_EXISTS)
		return cli_fail(cli, FAILED, e,
				"%s is there already: the keys in it wait for splotctl rotate; to "
				"make others, remove that file first",
				next);
	if (e != ERR_OK)
		return keys_failed(cli, path, e, why);
	return tell_made(cli, next, KEYS_NODE, "splotctl rotate --reason TEXT");
}

static enum outcome run_keygen(struct cli *cli)
{
	const char *rotate = cli_option(cli, "rotate");
	const char *node = cli_option(cli, "node");
	const char *server = cli_option(cli, "server");
	const char *name = node ? node : server;
	const char *path = NULL;
	enum key_kind kind = node ? KEYS_NODE : KEYS_SERVER;
	struct origin_parts of;
	enum err e = ERR_OK;
	enum outcome outcome = DONE;

	if (!node + !server + !rotate != 2)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"give one of --node REALM/region/26, --server REALM/national/NAME "
				"and --rotate KEYS");
	if (rotate && cli_option(cli, "out"))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"--rotate writes KEYS.next beside KEYS: leave out --out");
	if (rotate)
		return run_keygen_next(cli, rotate);
	outcome = cli_need(cli, "out", &path);
	if (outcome != DONE)
		return outcome;
	if (node && !is_name(node, ORIGIN_REGION, &of))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"\"%s\" is no name of a region's log, such as "
				"splot.example/region/26 or splot.example/region/PL",
				node);
	if (server && !is_name(server, ORIGIN_NATIONAL, &of))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"\"%s\" is no name of a national log, such as "
				"splot.example/national/centrum, or splot.example/national/"
				"centrum/2 of one that begins anew",
				server);
	e = keys_generate(path, kind, name);
	if (e != ERR_OK)
		return keygen_failed(cli, path, e);
	return tell_made(cli, path, kind,
			 text_in(&cli->arena, "splotctl %s --keys %s",
				 node ? "enrol" : "server-card", path));
}

/* ---- enrol, server-card ---- */

static enum outcome run_card(struct cli *cli, enum key_kind kind)
{
	const char *path = NULL;
	struct keys keys = {0};
	struct card card = {0};
	struct signer signer;
	struct buf note = {0};
	struct buf out = {0};
	char fingerprint[20];
	enum err e = ERR_OK;
	enum outcome outcome = cli_need(cli, "keys", &path);

	if (outcome == DONE)
		outcome = load(cli, path, kind, &keys, &card, &signer);
	if (outcome != DONE)
		goto out;
	e = card_sign(&card, &signer, &note);
	if (e != ERR_OK) {
		outcome = cli_fail(cli, FAILED, e, "%s: the card cannot be signed: %s", path,
				   err_text(e));
		goto out;
	}
	card_fingerprint(&card, fingerprint);
	if (cli->json)
		card_json(&out, &card, path, buf_text(&note));
	else
		buf_add_bytes(&out, buf_bytes(&note));
	outcome = cli_print(cli, &out);
	cli_note(cli, "fingerprint %s (compare it by telephone)", fingerprint);
	if (keys.previous_count > 0)
		cli_note(cli, "these keys came by rotation: a server that holds nothing of this "
			      "log is given the enrolment of its first keys instead");
out:
	keys_free(&keys);
	buf_free(&note);
	buf_free(&out);
	return outcome;
}

static enum outcome run_enrol(struct cli *cli)
{
	return run_card(cli, KEYS_NODE);
}

static enum outcome run_server_card(struct cli *cli)
{
	return run_card(cli, KEYS_SERVER);
}

static const struct option_rule keygen_options[] = {
	{"node", 0, "REALM/region/LOG", "keys of a region's node"},
	{"server", 0, "REALM/national/NAME", "keys of a server"},
	{"rotate", 0, "KEYS", "the next keys of the node that uses KEYS, into KEYS.next"},
	{"out", 'o', "FILE", "where the secret keys go (mode 0600, never overwritten)"},
};

const struct verb verb_keygen = {
	.name = "keygen",
	.operands = "",
	.summary = "make the secret keys of a node or a server",
	.examples =
		"  splotctl keygen --node splot.example/region/26 --out /var/lib/splot/node.keys\n"
		"  splotctl keygen --server splot.example/national/centrum \\\n"
		"      --out /var/lib/splot/server.keys\n"
		"  splotctl keygen --rotate /var/lib/splot/node.keys\n",
	.options = keygen_options,
	.option_count = sizeof keygen_options / sizeof *keygen_options,
	.run = run_keygen,
};

static const struct option_rule card_options[] = {
	{"keys", 0, "FILE", "secret keys made by splotctl keygen"},
};

const struct verb verb_enrol = {
	.name = "enrol",
	.operands = "",
	.summary = "print a node's signed enrolment, for the server's administrator",
	.examples = "  splotctl enrol --keys /var/lib/splot/node.keys > region-26.enrolment\n",
	.options = card_options,
	.option_count = sizeof card_options / sizeof *card_options,
	.run = run_enrol,
};

const struct verb verb_server_card = {
	.name = "server-card",
	.operands = "",
	.summary = "print a server's public keys, for its nodes",
	.examples = "  splotctl server-card --keys /var/lib/splot/server.keys > centrum.card\n",
	.options = card_options,
	.option_count = sizeof card_options / sizeof *card_options,
	.run = run_server_card,
};
