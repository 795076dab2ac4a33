#include "admin/auditor/source_socket.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ledger/keys.h"

struct daemon {
	struct link link;
	struct arena arena; /* of the last reply: its rows are what the caller looks at */
};

/* ---- asking ---- */

enum err source_ask(struct source *s, const struct control_request *q, struct control_reply *ret)
{
	struct daemon *d = s->context;
	enum err e = ERR_CLOSED;

	arena_reset(&d->arena);
	if (d->link.fd >= 0)
		e = link_try(&d->link, q, &d->arena, ret);
	if (e == ERR_CLOSED) {
		e = link_renew(&d->link);
		if (e == ERR_OK)
			e = link_try(&d->link, q, &d->arena, ret);
		else
			e = ERR_CLOSED;
	}
	return e == ERR_OK ? ret->code : e;
}

/* Rows of one table, after `key`; NOT_FOUND when there are none. */
static enum err ask_rows(struct source *s, struct log_name log, const char *table, struct bytes key,
			 bool reverse, uint32_t limit, struct control_reply *ret)
{
	const struct control_request q = {.verb = CONTROL_ROWS,
					  .name = log.text,
					  .table = table,
					  .after_key = key,
					  .reverse = reverse,
					  .limit = limit};
	enum err e = source_ask(s, &q, ret);

	return e == ERR_OK && !ret->row_count ? ERR_NOT_FOUND : e;
}

/* A row whose key is a size and whose value is a note. */
static enum err take_note(const struct control_reply *reply, uint64_t *ret_size,
			  struct buf *ret_note)
{
	if (reply->rows[0].key.size != INDEX_KEY_BYTES)
		return ERR_DECODE;
	buf_add_bytes(ret_note, reply->rows[0].value);
	*ret_size = u64_read(reply->rows[0].key.data);
	return buf_check(ret_note);
}

/* ---- the functions of a source ---- */

static int by_name(const void *a, const void *b)
{
	const struct log_name *x = a;
	const struct log_name *y = b;

	return strcmp(x->text, y->text);
}

static enum err daemon_names(struct source *s, struct source_names *ret)
{
	const struct control_request q = {.verb = CONTROL_STATUS};
	struct source_names names = {0};
	struct control_reply reply;
	enum err e = source_ask(s, &q, &reply);

	if (e != ERR_OK)
		return e;
	if (!strcmp(reply.role, "node")) {
		e = log_name_parse(bytes_of_text(reply.identity), &names.items[0]);
		names.count = 1;
	} else if (reply.peer_count > LOGS_MAX) {
		e = ERR_LIMIT;
	} else {
		for (size_t i = 0; e == ERR_OK && i < reply.peer_count; i++)
			e = log_name_parse(bytes_of_text(reply.peers[i].name), &names.items[i]);
		names.count = reply.peer_count;
		qsort(names.items, names.count, sizeof *names.items, by_name);
		if (e == ERR_OK)
			e = log_name_parse(bytes_of_text("national"), &names.items[names.count++]);
	}
	if (e != ERR_OK)
		return e == ERR_LIMIT ? e : ERR_DECODE;
	*ret = names;
	return ERR_OK;
}

static enum err daemon_newest(struct source *s, struct log_name log, uint64_t *ret_size,
			      struct buf *ret_note)
{
	const struct bytes last = {NULL, 0};
	struct control_reply reply;
	enum err e = ask_rows(s, log, "checkpoints", last, true, 1, &reply);

	return e == ERR_OK ? take_note(&reply, ret_size, ret_note) : e;
}

static enum err daemon_leaves(struct source *s, struct log_name log, uint64_t from, uint64_t size,
			      struct source_leaves *ret)
{
	uint8_t before[INDEX_KEY_BYTES];
	struct control_reply reply;
	size_t count = 0;
	enum err e = ERR_OK;

	if (from >= size)
		return ERR_NOT_FOUND;
	u64_write(before, from - 1);
	e = ask_rows(s, log, "events", bytes_of(before, from ? sizeof before : 0), false,
		     size - from < QUERY_ROWS_MAX ? (uint32_t)(size - from) : QUERY_ROWS_MAX,
		     &reply);
	if (e != ERR_OK)
		return e;
	/* As many as stand one behind the other: a row that is missing is never counted over. */
	while (count < reply.row_count && count < SOURCE_LEAVES_MAX &&
	       reply.rows[count].key.size == INDEX_KEY_BYTES &&
	       u64_read(reply.rows[count].key.data) == from + count && from + count < size) {
		ret->items[count] = reply.rows[count].value;
		count++;
	}
	ret->count = count;
	return count ? ERR_OK : ERR_NOT_FOUND;
}

static enum err daemon_tile(struct source *s, struct log_name log, struct tile_id id,
			    unsigned width, struct buf *ret)
{
	uint8_t key[TILE_KEY_BYTES] = {(uint8_t)id.level};
	uint8_t before[TILE_KEY_BYTES] = {(uint8_t)id.level};
	bool first = !id.level && !id.number;
	struct control_reply reply;
	enum err e = ERR_OK;

	if (id.level >= TREE_LEVELS_MAX)
		return ERR_NOT_FOUND;
	u64_write(key + 1, id.number);
	u64_write(before + 1, id.number - 1); /* behind the last number of the level below */
	if (!id.number && id.level)
		before[0]--;
	e = ask_rows(s, log, "tiles", bytes_of(before, first ? 0 : sizeof before), false, 1,
		     &reply);
	if (e != ERR_OK)
		return e;
	if (!bytes_equal(reply.rows[0].key, bytes_of(key, sizeof key)) ||
	    reply.rows[0].value.size / HASH_BYTES < width)
		return ERR_NOT_FOUND;
	buf_add_bytes(ret, reply.rows[0].value);
	return buf_check(ret);
}

static enum err daemon_checkpoint(struct source *s, struct log_name log, uint64_t after,
				  uint64_t *ret_size, struct buf *ret_note)
{
	uint8_t key[INDEX_KEY_BYTES];
	struct control_reply reply;
	enum err e = ERR_OK;

	u64_write(key, after);
	e = ask_rows(s, log, "checkpoints", bytes_of(key, sizeof key), false, 1, &reply);
	return e == ERR_OK ? take_note(&reply, ret_size, ret_note) : e;
}

static enum err daemon_cosigned(struct source *s, uint64_t size, uint64_t *ret_size,
				struct buf *ret_note)
{
	const struct log_name national = {"national"};
	uint8_t above[INDEX_KEY_BYTES];
	struct control_reply reply;
	enum err e = ERR_OK;

	u64_write(above, size + 1);
	e = ask_rows(s, national, "cosigned",
		     bytes_of(above, size == UINT64_MAX ? 0 : sizeof above), true, 1, &reply);
	return e == ERR_OK ? take_note(&reply, ret_size, ret_note) : e;
}

/* Of the log that the daemon signs: its own key; of another log: as it is enrolled there. */
static enum err daemon_keys(struct source *s, struct log_name log, struct buf *ret)
{
	struct control_request q = {.verb = CONTROL_STATUS};
	struct control_reply reply;
	const char *key = "";
	bool own = false;
	enum err e = source_ask(s, &q, &reply);

	if (e != ERR_OK)
		return e;
	own = !strcmp(!strcmp(reply.role, "node") ? reply.identity : "national", log.text);
	if (own) {
		key = reply.key;
	} else if (strcmp(reply.role, "node") != 0) {
		q.verb = CONTROL_TRUST;
		e = source_ask(s, &q, &reply);
		for (size_t i = 0; e == ERR_OK && i < reply.trust_count; i++)
			if (!strcmp(reply.trust[i].log, log.text))
				key = reply.trust[i].log_key;
	}
	if (e != ERR_OK || !*key)
		return e == ERR_OK ? ERR_NOT_FOUND : e;
	buf_printf(ret, "%s\n", key);
	return buf_check(ret);
}

static enum err daemon_policy(struct source *s, struct buf *ret)
{
	const struct control_request q = {.verb = CONTROL_STATUS};
	struct control_reply reply;
	enum err e = source_ask(s, &q, &reply);

	if (e != ERR_OK)
		return e;
	if (!*reply.policy)
		return ERR_NOT_FOUND;
	buf_add_text(ret, reply.policy);
	return buf_check(ret);
}

/* A node keeps the act beside its log: index -> leaf hash, entry.  A server's table of this name
 * has longer keys. */
static enum err daemon_duty(struct source *s, struct log_name log, uint64_t from,
			    uint64_t *ret_index, struct buf *ret_entry)
{
	uint8_t before[INDEX_KEY_BYTES];
	struct control_reply reply;
	struct bytes value = {NULL, 0};
	enum err e = ERR_OK;

	u64_write(before, from - 1);
	e = ask_rows(s, log, "redacted", bytes_of(before, from ? sizeof before : 0), false, 1,
		     &reply);
	if (e == ERR_OK && reply.rows[0].key.size != INDEX_KEY_BYTES)
		e = ERR_NOT_FOUND;
	if (e != ERR_OK)
		return e;
	value = reply.rows[0].value;
	if (value.size < HASH_BYTES)
		return ERR_DECODE;
	buf_add(ret_entry, value.data + HASH_BYTES, value.size - HASH_BYTES);
	*ret_index = u64_read(reply.rows[0].key.data);
	return buf_check(ret_entry);
}

static void daemon_close(struct source *s)
{
	struct daemon *d = s->context;

	link_close(&d->link);
	arena_free(&d->arena);
	free(d);
}

static const struct source_ops daemon_ops = {
	.names = daemon_names,
	.newest = daemon_newest,
	.leaves = daemon_leaves,
	.tile = daemon_tile,
	.checkpoint = daemon_checkpoint,
	.cosigned = daemon_cosigned,
	.keys = daemon_keys,
	.policy = daemon_policy,
	.duty = daemon_duty,
	.close = daemon_close,
};

/* ---- opening ---- */

static enum outcome open_daemon(struct cli *cli, const char *socket, struct source *ret)
{
	struct daemon *d = calloc(1, sizeof *d);
	enum outcome outcome = DONE;

	if (!d)
		return cli_fail(cli, FAILED, ERR_NOMEM, "out of memory");
	outcome = socket ? link_open_at(cli, socket, &d->link) : link_open(cli, &d->link);
	if (outcome != DONE) {
		free(d);
		return outcome;
	}
	*ret = (struct source){.ops = &daemon_ops, .context = d};
	(void)snprintf(ret->what, sizeof ret->what, "%s", d->link.path);
	return DONE;
}

enum outcome source_open_daemon(struct cli *cli, struct source *ret)
{
	return open_daemon(cli, NULL, ret);
}

enum outcome source_open_daemon_at(struct cli *cli, const char *socket, struct source *ret)
{
	return open_daemon(cli, socket, ret);
}

static bool is_empty(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry = NULL;
	bool empty = dir != NULL;

	while (empty && (entry = readdir(dir)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (dir)
		(void)closedir(dir);
	return empty;
}

/* Why a name is no source, and what would be one. */
static enum outcome tell_no_source(struct cli *cli, const char *folder)
{
	static const char wanted[] = "name a daemon's data folder, or an export of logs (splotctl "
				     "audit export makes one)";
	const char *why = "there is nothing of this name";
	struct stat st;

	if (stat(folder, &st) == 0 && S_ISDIR(st.st_mode))
		why = is_empty(folder) ? "an empty folder" : "a folder with something else in it";
	else if (stat(folder, &st) == 0)
		why = "a file, not a folder";
	return cli_fail(cli, FAILED, ERR_NOT_FOUND, "%s: %s; %s", folder, why, wanted);
}

enum outcome source_named(struct cli *cli, const char *folder, struct source *ret)
{
	enum err e = ERR_OK;

	if (!folder)
		return source_open_daemon(cli, ret);
	e = source_open(folder, ret);
	if (e == ERR_OK)
		return DONE;
	if (e == ERR_NOT_FOUND)
		return tell_no_source(cli, folder);
	return cli_fail(cli, FAILED, e, "%s: %s%s", folder, err_text(e),
			e == ERR_DENIED ? ": use the account of its daemon, or ask the daemon with "
					  "--socket"
					: "");
}

enum outcome source_failed(struct cli *cli, const struct source *s, enum err e)
{
	if (s->ops != &daemon_ops || (e != ERR_CLOSED && e != ERR_TIMEOUT && e != ERR_DECODE))
		return cli_fail(cli, FAILED, e, "%s: %s", s->what, err_text(e));
	return link_lost(&((struct daemon *)s->context)->link, e);
}
