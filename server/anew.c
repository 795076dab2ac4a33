/* CONTINUE: a national log that begins anew (".../national/NAME/2") because the one before was
 * lost.  Its first entry quotes the newest checkpoint of the old log that any node witnessed;
 * before that nobody is enrolled, so no node is let in. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "server/acts.h"
#include "session/anew.h"

bool server_waits(const struct server *s)
{
	return s->generation > 1 && s->archive.size == 0;
}

void server_waits_text(const struct server *s, char *text, size_t size)
{
	(void)snprintf(text, size,
		       "closed: the national log %.128s begins anew and takes nothing before its "
		       "first entry says where the old one ended: `splotctl continue FILE --key "
		       "OLDKEY --reason …`; FILE is the newest checkpoint that `splotctl "
		       "witnessed` prints at any node, OLDKEY the log-key of the old card",
		       s->keys.name);
}

/* ---- at the start ---- */

static enum err check_first(struct server *s, struct txn *read, struct arena *arena)
{
	struct national_entry entry;
	struct anew_quote quote;
	struct bytes raw = {NULL, 0};
	enum err e = log_event(s->archive.national, read, 0, &raw);

	if (e == ERR_OK)
		e = national_decode(raw, arena, &entry);
	return e == ERR_OK ? anew_entry(s->keys.name, 0, &entry, &quote) : e;
}

enum err server_check_beginning(struct server *s)
{
	char text[TEXT_BYTES_MAX + 1];
	struct arena arena = {.head = NULL};
	struct txn *read = NULL;
	enum err e = ERR_OK;

	if (server_waits(s)) {
		server_waits_text(s, text, sizeof text);
		log_line(LOG_WARN, "%s", text);
	}
	if (s->archive.size == 0)
		return ERR_OK;
	e = txn_begin(s->archive.store, false, &read);
	if (e == ERR_OK)
		e = check_first(s, read, &arena);
	txn_abort(read);
	arena_free(&arena);
	if (e == ERR_OK)
		return e;
	log_line(LOG_ERROR,
		 "%s: the first entry of the national log %s is not what it has to be (%s): one "
		 "that begins anew quotes the log before it there, and no other does. Nothing was "
		 "changed. Put a backup of the folder back, and ask who could write to it",
		 s->logs_path, s->keys.name, err_text(e));
	return ERR_CORRUPT;
}

/* ---- CONTINUE ---- */

static enum err write_nothing(struct server *s, struct txn *write, const void *what)
{
	(void)s;
	(void)write;
	(void)what;
	return ERR_OK; /* the entry says it all */
}

/* False when the log cannot begin so; the reply says why. */
static bool quotable(struct server *s, const struct control_request *q, struct control_reply *ret,
		     struct anew_quote *ret_quote)
{
	struct vkey key;
	enum err e = vkey_parse(bytes_of_text(q->key ? q->key : ""), &key);

	if (s->generation < 2)
		(void)act_refuse(s, ret, ERR_INVALID,
				 "the national log %s did not begin anew: only one like %s/2, "
				 "with keys of its own, goes on from another",
				 s->keys.name, s->keys.name);
	else if (!server_waits(s))
		(void)act_refuse(s, ret, ERR_EXISTS,
				 "the national log %s holds %" PRIu64
				 " entries: where it goes on from is its first",
				 s->keys.name, s->archive.size);
	else if (e != ERR_OK)
		(void)act_refuse(s, ret, e,
				 "--key is no verifier key (%s): give the log-key of the old "
				 "server card",
				 err_text(e));
	else if (q->document.size > NOTE_BYTES_MAX)
		(void)act_refuse(s, ret, ERR_LIMIT, "a checkpoint has at most %d bytes",
				 NOTE_BYTES_MAX);
	else
		e = anew_open(s->keys.name, q->document, &key, ret_quote);
	if (ret->code != ERR_OK)
		return false;
	if (e == ERR_ORIGIN)
		(void)act_refuse(s, ret, e,
				 "--key is of %.128s, and the file has to be a checkpoint of it: "
				 "%.128s goes on from an earlier log of this server only",
				 key.name, s->keys.name);
	else if (e != ERR_OK)
		(void)act_refuse(s, ret, e,
				 "the file is no checkpoint of %.128s signed by that key: %s",
				 key.name, err_text(e));
	return e == ERR_OK;
}

enum err server_continue(struct server *s, const struct control_call *call,
			 const struct control_request *q, struct control_reply *ret)
{
	char key[VKEY_BYTES];
	struct anew_quote quote = {.generation = 0};
	struct national_entry act = {.recorded = wall_now(),
				     .kind = NATIONAL_ACT,
				     .log = s->archive.national->name,
				     .act = ANEW_ACT,
				     .reason = q->reason,
				     .document = q->document};
	enum err e = ERR_OK;

	if (!act_admitted(s, call, q, ret, &act.by) || !quotable(s, q, ret, &quote))
		return ERR_OK;
	vkey_text(&quote.key, key);
	act.other = bytes_of_text(key);
	act.size = quote.checkpoint.size;
	e = act_store(s, &act, write_nothing, NULL);
	if (e != ERR_OK)
		return e;
	log_line(LOG_NOTICE,
		 "national log %s: goes on from %s as of its size %" PRIu64
		 ", said by %s; now enrol the logs by the files that they were first enrolled by",
		 s->keys.name, quote.key.name, quote.checkpoint.size, act.by);
	return ERR_OK;
}
