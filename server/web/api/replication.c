#include "api/replication.h"

#include <string.h>

#include "tlog/checkpoint.h"
#include "tlog/encoding.h"

bool is_server(const struct control_reply *status)
{
	return status && status->role && strcmp(status->role, "server") == 0;
}

struct wall_ms wall_of(uint64_t ms)
{
	return (struct wall_ms){ms > INT64_MAX ? 0 : (int64_t)ms};
}

bool log_frozen(const struct peer_row *log)
{
	return log->state && strcmp(log->state, "frozen") == 0;
}

/* Whether the node said what it has, since the server's start. */
bool log_claims(const struct peer_row *log)
{
	return log->last_contact_ms > 0 || log->claimed > 0;
}

uint64_t log_lag(const struct peer_row *log)
{
	return log->claimed > log->size ? log->claimed - log->size : 0;
}

bool note_checkpoint(struct bytes raw, struct note *note, struct checkpoint *ret)
{
	return raw.size > 0 && note_parse(raw, note) == ERR_OK &&
	       checkpoint_parse(note->text, true, ret) == ERR_OK;
}

void write_checkpoint_members(struct json *j, const struct checkpoint *c)
{
	struct buf root = {.data = NULL};

	encoding_add_base64(&root, bytes_of(c->root.b, HASH_BYTES));
	json_field_text(j, "origin", c->origin);
	json_field_uint(j, "size", c->size);
	json_field_text(j, "root", buf_text(&root));
	if (root.failed)
		j->out->failed = true;
	buf_free(&root);
}

static void write_checkpoint(struct json *j, struct bytes raw)
{
	struct checkpoint c;
	struct note note;

	json_key(j, "checkpoint");
	if (!note_checkpoint(raw, &note, &c)) {
		json_null(j);
		return;
	}
	json_open(j, '{');
	write_checkpoint_members(j, &c);
	json_close(j, '}');
}

void write_log(struct json *j, const struct peer_row *log)
{
	bool claims = log_claims(log);

	json_open(j, '{');
	json_field_text(j, "log", log->name);
	json_field_text(j, "state", log->state);
	json_field_uint(j, "size", log->size);
	write_uint_or_null(j, "claimed", claims, log->claimed);
	write_uint_or_null(j, "lag", claims, log_lag(log));
	write_time(j, "last_contact", wall_of(log->last_contact_ms));
	write_time(j, "last_commit", wall_of(log->last_commit_ms));
	write_or_null(j, "note", log->note);
	write_checkpoint(j, log->checkpoint);
	json_field_bool(j, "frozen", log_frozen(log));
	json_close(j, '}');
}

void write_logs(struct json *j, const char *key, const struct control_reply *status)
{
	json_key(j, key);
	json_open(j, '[');
	for (size_t i = 0; is_server(status) && i < status->peer_count; i++)
		write_log(j, &status->peers[i]);
	json_close(j, ']');
}

void write_frozen(struct json *j, const char *key, const struct control_reply *status)
{
	json_key(j, key);
	json_open(j, '[');
	for (size_t i = 0; is_server(status) && i < status->peer_count; i++) {
		if (log_frozen(&status->peers[i]))
			json_text(j, status->peers[i].name);
	}
	json_close(j, ']');
}

/* A region's newest log: "26/2" comes after "26", "26/10" after "26/9". */
static bool newer(const char *a, const char *b)
{
	size_t x = strlen(a);
	size_t y = strlen(b);

	return x != y ? x > y : strcmp(a, b) > 0;
}

void write_log_of(struct json *j, const char *key, const struct control_reply *status,
		  const char *region)
{
	const struct peer_row *found = NULL;
	size_t size = strlen(region);

	for (size_t i = 0; is_server(status) && i < status->peer_count; i++) {
		const struct peer_row *p = &status->peers[i];

		if (strncmp(p->name, region, size) == 0 &&
		    (p->name[size] == '/' || !p->name[size]) &&
		    (!found || newer(p->name, found->name)))
			found = p;
	}
	json_key(j, key);
	if (found)
		write_log(j, found);
	else
		json_null(j);
}
