/* freeze, release, redact: acts of a server's administrator on one log; each is an entry of the
 * national log.  rotate, continue: what a log says of itself. */
#include <string.h>

#include "admin/acts/act.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "base/limits.h"
#include "io/files.h"
#include "tlog/checkpoint.h"
#include "tlog/encoding.h"

/* ---- freeze, release ---- */

static enum outcome need_log(struct cli *cli, const char **ret_name)
{
	struct log_name log;

	if (log_name_parse(bytes_of_text(cli->operands[0]), &log) != ERR_OK ||
	    log_name_region(log) == REGION_NONE)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"\"%s\" is no region's log, such as 26, 26/2 or PL; splotctl trust "
				"list shows them",
				cli->operands[0]);
	*ret_name = cli->operands[0];
	return DONE;
}

/* "cosigned", or a size of the log. */
static enum outcome take_standing(struct cli *cli, uint64_t *ret)
{
	const char *text = cli_option(cli, "at");

	*ret = 0;
	if (!text)
		return DONE;
	if (!strcmp(text, "cosigned")) {
		*ret = UINT64_MAX;
		return DONE;
	}
	if (encoding_number(bytes_of_text(text), ret) != ERR_OK || !*ret)
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"--at takes the size that stands, 1 or more, or \"cosigned\", not "
				"\"%s\"; where nothing stands, use splotctl trust revoke",
				text);
	return DONE;
}

/* The log's own checkpoint of what stands: `continue` quotes it. */
static enum outcome write_standing(struct link *l, const struct control_request *q,
				   const struct control_reply *reply)
{
	const char *path = cli_option(l->cli, "output");
	struct control_request rows = {
		.verb = CONTROL_ROWS, .name = q->name, .table = "checkpoints", .limit = 1};
	struct control_reply found;
	struct buf before = {0};
	enum outcome outcome = DONE;
	enum err e = ERR_OK;

	if (reply->index == 0)
		return cli_fail(l->cli, FAILED, ERR_NOT_FOUND,
				"log %s is frozen, and nothing of it stands: there is no "
				"checkpoint to write to %s",
				q->name, path);
	buf_add_u64be(&before, reply->index - 1);
	rows.after_key = buf_bytes(&before);
	outcome = link_ask(l, &rows, &l->cli->arena, &found);
	if (outcome == DONE) {
		e = found.row_count == 1 ? file_replace(path, 0644, found.rows[0].value)
					 : ERR_CORRUPT;
		if (e != ERR_OK)
			outcome = cli_fail(l->cli, FAILED, e,
					   "log %s is frozen, but %s was not written: %s", q->name,
					   path, err_text(e));
	}
	buf_free(&before);
	return outcome;
}

/* By what the server found: a log is frozen at one of its own checkpoints, which need not be at the
 * size that was named. */
static const char *freeze_done(struct cli *cli, const struct control_request *q,
			       const struct control_reply *reply)
{
	const char *stands = "nothing of it stands";

	if (reply->index > 0)
		stands = text_in(&cli->arena, q->size ? "its first %s" : "all of it stands: %s",
				 text_count(&cli->arena, reply->index,
					    q->size ? "event stands" : "event",
					    q->size ? "events stand" : "events"));
	return text_in(&cli->arena, "log %s is frozen: it takes nothing more, and %s", q->name,
		       stands);
}

static enum outcome run_freeze(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_FREEZE};
	enum outcome outcome = cli_need(cli, "reason", &q.reason);

	if (outcome == DONE)
		outcome = need_log(cli, &q.name);
	if (outcome == DONE)
		outcome = take_standing(cli, &q.size);
	if (outcome != DONE)
		return outcome;
	return act_and(cli, &q, freeze_done,
		       text_in(&cli->arena,
			       "splotctl release %s lets it go on; or enrol the log that begins "
			       "anew (docs/AUDIT.md)",
			       q.name),
		       cli_option(cli, "output") ? write_standing : NULL);
}

static enum outcome run_release(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_RELEASE};
	enum outcome outcome = cli_need(cli, "reason", &q.reason);

	if (outcome == DONE)
		outcome = need_log(cli, &q.name);
	if (outcome != DONE)
		return outcome;
	return act(cli, &q,
		   text_in(&cli->arena,
			   "log %s is released: the history that this server holds goes on",
			   q.name),
		   "a node that holds another history stays out; there, with the node stopped: "
		   "splotctl recover --aside --config FILE");
}

/* ---- redact ---- */

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* A hash as 64 hex digits or in base64, as tools print it. */
static bool hash_of_text(const char *text, struct hash *ret)
{
	struct hash hash = {{0}};
	size_t size = 0;

	if (strlen(text) != 2 * sizeof hash.b)
		return encoding_base64(bytes_of_text(text), ret->b, sizeof ret->b, &size) ==
			       ERR_OK &&
		       size == sizeof ret->b;
	for (size_t i = 0; i < sizeof hash.b; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		hash.b[i] = (uint8_t)(high * 16 + low);
	}
	*ret = hash;
	return true;
}

static enum outcome run_redact(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_REDACT};
	const char *leaf = cli_option(cli, "leaf");
	struct hash hash;
	enum outcome outcome = cli_need(cli, "reason", &q.reason);

	if (outcome == DONE)
		outcome = need_log(cli, &q.name);
	if (outcome != DONE)
		return outcome;
	if (encoding_number(bytes_of_text(cli->operands[1]), &q.index) != ERR_OK)
		return cli_fail(
			cli, MISUSED, ERR_ARGUMENT,
			"\"%s\" is no index of an event; splotctl log shows them, the first "
			"is 0",
			cli->operands[1]);
	if (leaf && !hash_of_text(leaf, &hash))
		return cli_fail(cli, MISUSED, ERR_ARGUMENT,
				"--leaf takes the event's leaf hash: 64 hex digits, or base64");
	if (leaf)
		q.leaf = bytes_of(hash.b, sizeof hash.b);
	return act(cli, &q,
		   text_in(&cli->arena,
			   "event %llu of log %s is redacted: its bytes are erased, its leaf hash "
			   "stays",
			   (unsigned long long)q.index, q.name),
		   "the server begins itself anew now, so that no file of its holds the bytes, and "
		   "tells the node to do the same; erase them from backups, exported files and "
		   "stores that were set aside (splotctl recover --aside) too");
}

/* ---- rotate, continue ---- */

static enum outcome run_rotate(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_ROTATE};
	enum outcome outcome = cli_need(cli, "reason", &q.reason);

	if (outcome != DONE)
		return outcome;
	return act(cli, &q,
		   "the log goes on under its new keys; the old ones sign beside them for a "
		   "while",
		   "back up the new key file; servers and auditors learn the new key from the log");
}

static bool is_national(const struct vkey *key)
{
	struct origin_parts of;

	return origin_parse(bytes_of_text(key->name), &of) == ERR_OK && of.kind == ORIGIN_NATIONAL;
}

static enum outcome read_checkpoint(struct cli *cli, const char *path, const struct vkey *key,
				    struct buf *ret)
{
	struct checkpoint checkpoint;
	enum err e = file_read(path, NOTE_BYTES_MAX, ret);

	if (e != ERR_OK)
		return cli_fail(cli, FAILED, e, "%s: %s", path, err_text(e));
	e = checkpoint_open(buf_bytes(ret), key, &checkpoint);
	if (e != ERR_OK)
		return cli_fail(cli, BAD_DATA, e,
				"%s is no checkpoint signed by %s: %s; %s such a file", path,
				key->name, err_text(e),
				is_national(key) ? "splotctl witnessed at a node prints"
						 : "splotctl freeze -o at the server writes");
	return DONE;
}

static enum outcome run_continue(struct cli *cli)
{
	struct control_request q = {.verb = CONTROL_CONTINUE};
	struct buf note = {0};
	struct vkey key;
	enum err e = ERR_OK;
	enum outcome outcome = cli_need(cli, "reason", &q.reason);

	if (outcome == DONE)
		outcome = cli_need(cli, "key", &q.key);
	if (outcome != DONE)
		return outcome;
	e = vkey_parse(bytes_of_text(q.key), &key);
	if (e != ERR_OK || key.type != KEY_ED25519)
		return cli_fail(
			cli, MISUSED, e != ERR_OK ? e : ERR_ARGUMENT,
			"--key takes the old log's verifier key, name+hash+base64, as splotctl "
			"trust list at the server shows it, or an old server card as its log-key");
	outcome = read_checkpoint(cli, cli->operands[0], &key, &note);
	q.document = buf_bytes(&note);
	q.name = key.name;
	if (outcome == DONE)
		outcome = act(
			cli, &q, text_in(&cli->arena, "this log goes on from %s", key.name),
			is_national(&key)
				? "enrol each log by the file that it was first enrolled by: "
				  "splotctl trust add FILE; each node takes the new server card "
				  "and says splotctl follow"
				: "state the records anew: splotctl import of an export that "
				  "shows what stands");
	buf_free(&note);
	return outcome;
}

/* ---- the verbs ---- */

static const struct option_rule freeze_options[] = {
	{"at", 0, "cosigned|SIZE", "how much of the log stands (default: all that is there)"},
	{"output", 'o', "FILE", "write the log's checkpoint of what stands, for splotctl continue"},
	{"reason", 0, "TEXT", "why: it is recorded"},
};

const struct verb verb_freeze = {
	.name = "freeze",
	.operands = "LOG",
	.operands_least = 1,
	.operands_most = 1,
	.summary = "let a log take nothing more, as when its key is in wrong hands",
	.examples = "  splotctl freeze 26 --reason 'laptop with the keys was stolen'\n"
		    "  splotctl freeze 26 --at cosigned -o 26.checkpoint --reason 'its key was "
		    "stolen'\n",
	.options = freeze_options,
	.option_count = sizeof freeze_options / sizeof *freeze_options,
	.asks = true,
	.run = run_freeze,
};

const struct verb verb_release = {
	.name = "release",
	.operands = "LOG",
	.operands_least = 1,
	.operands_most = 1,
	.summary = "let a frozen log go on with the history that the server holds",
	.examples =
		"  splotctl audit evidence\n"
		"  splotctl release 26 --reason 'the office put back an old copy; ours is whole'\n",
	.options = act_options,
	.option_count = ACT_OPTION_COUNT,
	.asks = true,
	.run = run_release,
};

static const struct option_rule redact_options[] = {
	{"leaf", 0, "HASH", "the event's leaf hash, for an event that is not here yet"},
	{"reason", 0, "TEXT", "why: it is recorded (without what is to be erased)"},
};

const struct verb verb_redact = {
	.name = "redact",
	.operands = "LOG INDEX",
	.operands_least = 2,
	.operands_most = 2,
	.summary = "erase one event's bytes everywhere; its leaf hash stays",
	.examples =
		"  splotctl redact 26 17 --reason 'a private address got into it, case 4/2026'\n",
	.options = redact_options,
	.option_count = sizeof redact_options / sizeof *redact_options,
	.asks = true,
	.run = run_redact,
};

const struct verb verb_rotate = {
	.name = "rotate",
	.operands = "",
	.summary = "let a node's log go on under the keys that keygen --rotate made",
	.examples = "  splotctl keygen --rotate /var/lib/splot/node.keys\n"
		    "  splotctl rotate --reason 'yearly change of keys'\n",
	.options = act_options,
	.option_count = ACT_OPTION_COUNT,
	.asks = true,
	.run = run_rotate,
};

static const struct option_rule continue_options[] = {
	{"key", 0, "VKEY", "the old log's verifier key: from splotctl trust list, or the old card"},
	{"reason", 0, "TEXT", "why: it is recorded"},
};

const struct verb verb_continue = {
	.name = "continue",
	.operands = "FILE",
	.operands_least = 1,
	.operands_most = 1,
	.summary = "begin a log anew: its first event quotes the old log's checkpoint",
	.examples =
		"  splotctl continue 26.checkpoint --key splot.example/region/26+0123abcd+Ac… \\\n"
		"      --reason 'new keys after a theft'\n"
		"  splotctl continue old.checkpoint --key "
		"splot.example/national/centrum+4567cdef+Ac… \\\n"
		"      --reason 'the disk was lost' --socket /run/splot/server.sock\n",
	.options = continue_options,
	.option_count = sizeof continue_options / sizeof *continue_options,
	.asks = true,
	.run = run_continue,
};
