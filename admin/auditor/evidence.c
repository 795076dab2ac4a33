/* audit evidence: lists what no single history explains, and writes it for others. */
#include <string.h>

#include "admin/auditor/evidence.h"
#include "admin/text.h"
#include "admin/verbs.h"
#include "base/time.h"
#include "model/json.h"
#include "tlog/encoding.h"

enum { ITEMS_MAX = 256 };

struct listing {
	struct audit_source *a;
	const char *dir; /* NULL: only listed */
	size_t count;
	struct evidence_item items[ITEMS_MAX]; /* texts and notes in the cli's arena */
	const char *folders[ITEMS_MAX];
	bool shown[ITEMS_MAX];
	size_t unread;
};

/* ---- collecting ---- */

/* A row that does not read is counted and told; the others go on. */
static enum err add(struct listing *l, const char *server, uint64_t number, uint64_t at_ms,
		    struct bytes note, struct bytes other)
{
	struct evidence_item item = {.server = server, .number = number, .at_ms = at_ms};
	enum err e = arena_bytes(&l->a->cli->arena, note, &note);

	if (e == ERR_OK)
		e = arena_bytes(&l->a->cli->arena, other, &other);
	if (e != ERR_OK)
		return e;
	if (l->count == ITEMS_MAX || evidence_read(note, other, &item) != ERR_OK)
		l->unread++;
	else
		l->items[l->count++] = item;
	return ERR_OK;
}

/* A store's own table, while its daemon is down or beside it. */
static enum outcome collect_from_store(struct listing *l)
{
	struct source *s = &l->a->source;
	struct buf key = {0};
	struct buf note = {0};
	struct buf other = {0};
	enum err e = ERR_OK;

	while (e == ERR_OK) {
		struct cursor c;
		uint64_t number = 0;

		e = s->ops->evidence(s, &key, &note, &other);
		if (e != ERR_OK)
			break;
		c = cursor_of(buf_bytes(&key));
		(void)cursor_bytes(&c, key.size > 8 ? key.size - 8 : 0);
		number = cursor_u64be(&c);
		e = add(l, "", number, 0, buf_bytes(&note), buf_bytes(&other));
	}
	buf_free(&key);
	buf_free(&note);
	buf_free(&other);
	return e == ERR_NOT_FOUND ? DONE : source_failed(l->a->cli, s, e);
}

/* Where the next page begins: behind the last row's key. */
static void next_page(const struct evidence_row *row, struct buf *key, struct control_request *q)
{
	buf_clear(key);
	buf_add_text(key, row->log);
	buf_add_u8(key, 0);
	buf_add_u64be(key, row->index);
	q->after_key = buf_bytes(key);
}

static enum outcome collect_from_daemon(struct listing *l)
{
	struct control_request q = {.verb = CONTROL_EVIDENCE};
	struct cli *cli = l->a->cli;
	struct control_reply reply;
	struct buf key = {0};
	struct link link;
	bool more = true;
	enum outcome outcome = link_open(cli, &link);

	while (outcome == DONE && more) {
		outcome = link_ask(&link, &q, &cli->arena, &reply);
		more = outcome == DONE && reply.more && reply.evidence_count;
		for (size_t i = 0; outcome == DONE && i < reply.evidence_count; i++) {
			const struct evidence_row *row = &reply.evidence[i];

			if (add(l, row->server, *row->server ? row->at_ms : row->index, row->at_ms,
				row->note, row->other) != ERR_OK)
				outcome = cli_fail(cli, FAILED, ERR_NOMEM, "out of memory");
		}
		if (more)
			next_page(&reply.evidence[reply.evidence_count - 1], &key, &q);
	}
	link_close(&link);
	buf_free(&key);
	return outcome;
}

/* ---- telling ---- */

static void print_note(const struct checkpoint *c, const char *title, struct buf *out)
{
	buf_printf(out, "  %s: size %llu, root ", title, (unsigned long long)c->size);
	encoding_add_base64(out, bytes_of(c->root.b, HASH_BYTES));
	buf_add_text(out, "\n");
}

static void print_item(const struct listing *l, size_t i, struct buf *out)
{
	const struct evidence_item *item = &l->items[i];
	char at[25];

	text_escape(out, item->checkpoints[0].origin);
	if (*item->server) {
		buf_add_text(out, ", server ");
		text_escape(out, item->server);
	}
	if (item->at_ms) {
		wall_format((struct wall_ms){(int64_t)item->at_ms}, at);
		buf_printf(out, ", %s", at);
	}
	buf_add_text(out, "\n");
	print_note(&item->checkpoints[0], "note 1", out);
	print_note(&item->checkpoints[1], "note 2", out);
	if (!l->folders[i])
		return;
	buf_printf(out, "  %s: %s\n", l->folders[i],
		   l->shown[i]
			   ? "convinces whoever has the log's key"
			   : "both notes; that they contradict each other is not shown by what is "
			     "here (try --from an export that holds the larger one)");
}

static void json_note(const struct evidence_item *item, size_t i, struct json *j)
{
	const struct checkpoint *c = &item->checkpoints[i];
	struct buf root = {0};

	json_open(j, '{');
	json_field_uint(j, "size", c->size);
	encoding_add_base64(&root, bytes_of(c->root.b, HASH_BYTES));
	json_field_text(j, "root", buf_text(&root));
	json_key(j, "note");
	json_bytes_text(j, item->notes[i]);
	json_close(j, '}');
	buf_free(&root);
}

static void json_item(const struct listing *l, size_t i, struct json *j)
{
	const struct evidence_item *item = &l->items[i];
	char at[25];

	json_open(j, '{');
	json_field_text(j, "log", item->log.text);
	json_field_text(j, "origin", item->checkpoints[0].origin);
	json_field_text(j, "server", item->server);
	json_key(j, "at");
	if (item->at_ms) {
		wall_format((struct wall_ms){(int64_t)item->at_ms}, at);
		json_text(j, at);
	} else {
		json_null(j);
	}
	json_key(j, "notes");
	json_open(j, '[');
	json_note(item, 0, j);
	json_note(item, 1, j);
	json_close(j, ']');
	if (l->folders[i]) {
		json_field_text(j, "folder", l->folders[i]);
		json_field_bool(j, "shown", l->shown[i]);
	}
	json_close(j, '}');
}

static enum outcome tell(const struct listing *l)
{
	struct cli *cli = l->a->cli;
	struct buf out = {0};
	struct json j = json_to(&out);
	enum outcome outcome = DONE;

	if (cli->json) {
		json_open(&j, '{');
		json_key(&j, "evidence");
		json_open(&j, '[');
		for (size_t i = 0; i < l->count; i++)
			json_item(l, i, &j);
		json_close(&j, ']');
		json_field_uint(&j, "unreadable", l->unread);
		json_close(&j, '}');
		buf_add_text(&out, "\n");
	} else if (!l->count) {
		buf_add_text(&out, "no evidence: no two histories of any log were met\n");
	} else {
		for (size_t i = 0; i < l->count; i++)
			print_item(l, i, &out);
	}
	outcome = cli_print(cli, &out);
	buf_free(&out);
	if (l->unread)
		cli_note(cli, "%s left out",
			 text_count(&cli->arena, l->unread, "row of evidence cannot be read and is",
				    "rows of evidence cannot be read and are"));
	return outcome;
}

/* ---- the verb ---- */

static enum outcome write_folders(struct listing *l)
{
	struct cli *cli = l->a->cli;
	enum outcome outcome = DONE;

	for (size_t i = 0; outcome == DONE && i < l->count; i++) {
		char log[LOG_NAME_BYTES];

		source_folder_name(l->items[i].log, log);
		l->folders[i] = text_in(&cli->arena, "%s/%s-%llu", l->dir, log,
					(unsigned long long)l->items[i].number);
		outcome = evidence_write(l->a, &l->items[i], l->folders[i], &l->shown[i]);
	}
	return outcome;
}

static enum outcome list(struct cli *cli, struct audit_source *a)
{
	struct listing *l = arena_alloc(&cli->arena, sizeof *l);
	enum outcome outcome = DONE;

	if (!l)
		return cli_fail(cli, FAILED, ERR_NOMEM, "out of memory");
	memset(l, 0, sizeof *l);
	l->a = a;
	l->dir = cli_option(cli, "dir");
	if (!a->source.ops->evidence && cli_option(cli, "from"))
		return cli_fail(
			cli, MISUSED, ERR_ARGUMENT,
			"%s: an export, which has no evidence in it; daemons keep it: name a "
			"data folder, or ask one with --socket or --config",
			a->source.what);
	outcome = a->source.ops->evidence ? collect_from_store(l) : collect_from_daemon(l);
	if (outcome == DONE && l->dir && l->count)
		outcome = audit_read_keys(a);
	if (outcome == DONE && l->dir)
		outcome = write_folders(l);
	return outcome == DONE ? tell(l) : outcome;
}

static enum outcome run_audit_evidence(struct cli *cli)
{
	const char *check = cli_option(cli, "check");
	struct audit_source a;
	enum outcome outcome = DONE;

	if (check && (cli_option(cli, "dir") || cli_option(cli, "from")))
		return cli_fail(
			cli, MISUSED, ERR_ARGUMENT,
			"--check checks a folder that is there; it takes no --dir or --from");
	if (check)
		return evidence_check(cli, check);
	outcome = audit_open_keyless(cli, NULL, &a);
	if (outcome != DONE)
		return outcome;
	outcome = list(cli, &a);
	audit_close(&a);
	return outcome;
}

static const struct option_rule options[] = {
	AUDIT_FROM_OPTION,
	{"dir", 0, "DIR", "write a folder for each into DIR"},
	{"check", 0, "DIR", "check one such folder offline; needs --key or --keys"},
	AUDIT_KEY_OPTIONS,
};

const struct verb verb_audit_evidence = {
	.name = "audit evidence",
	.operands = "",
	.summary = "list forks with both signed notes, write them for others, check such a folder",
	.examples = "  splotctl audit evidence --socket /run/splot-server/control\n"
		    "  splotctl audit evidence --dir evidence/ --config /etc/splot/server.ini\n"
		    "  splotctl audit evidence --from /var/lib/splot-server\n"
		    "  splotctl audit evidence --check evidence/26-41 --keys log.vkey\n",
	.options = options,
	.option_count = sizeof options / sizeof *options,
	.asks = true,
	.run = run_audit_evidence,
};
