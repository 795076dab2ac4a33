#include "server/acts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "ledger/answer.h"

enum err act_refuse(struct server *s, struct control_reply *ret, enum err code, const char *format,
		    ...)
{
	char text[TEXT_BYTES_MAX + 1];
	const char *kept = NULL;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	kept = arena_text(&s->arena, bytes_of_text(text));
	*ret = answer_plain(code, kept ? kept : err_text(code));
	return ERR_OK;
}

bool act_admitted(struct server *s, const struct control_call *call,
		  const struct control_request *q, struct control_reply *ret, const char **ret_by)
{
	const char *by = settings_admin(&s->settings, call->uid);

	if (!by) {
		(void)act_refuse(
			s, ret, ERR_DENIED,
			"the account with uid %u is no administrator of this server; add it "
			"under [admins] in the server's configuration and send SIGHUP",
			(unsigned)call->uid);
		return false;
	}
	if (!q->reason || text_is_blank(q->reason)) { /* too long ones do not decode */
		(void)act_refuse(s, ret, ERR_ARGUMENT,
				 "say why (--reason): it is kept in the national log");
		return false;
	}
	*ret_by = by;
	return true;
}

/* One try: the change and its entry, stored together. */
static enum err store_once(struct server *s, const struct national_entry *act,
			   act_write_fn *write_it, const void *what)
{
	struct txn *write = NULL;
	enum err e = archive_write(&s->archive, &write);
	enum err undone = ERR_OK;

	if (e == ERR_OK)
		e = write_it(s, write, what);
	if (e == ERR_OK)
		e = archive_act(&s->archive, act);
	if (e == ERR_OK)
		return archive_commit(&s->archive);
	undone = archive_abort(&s->archive);
	return undone == ERR_OK ? e : undone;
}

enum err act_store(struct server *s, const struct national_entry *act, act_write_fn *write_it,
		   const void *what)
{
	uint64_t from = s->archive.size;
	enum err e = store_once(s, act, write_it, what);

	if (e == ERR_MAP_FULL) {
		trust_settle(&s->trust, false);
		e = store_grow(s->archive.store);
		e = e == ERR_OK ? store_once(s, act, write_it, what) : ERR_MAP_FULL;
	}
	trust_settle(&s->trust, e == ERR_OK);
	if (e != ERR_OK)
		return e;
	server_wake_threads(s);
	e = feed_publish(&s->feed, &s->archive, from);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "feed: entry %llu was not published: %s",
			 (unsigned long long)from, err_text(e));
	return ERR_OK;
}

struct trusted *act_log(struct server *s, const struct control_request *q,
			struct control_reply *ret, struct log_name *ret_log)
{
	const char *name = q->name ? q->name : "";
	struct trusted *entry = NULL;

	if (log_name_parse(bytes_of_text(name), ret_log) == ERR_OK)
		entry = trust_log(&s->trust, *ret_log);
	if (!entry)
		(void)act_refuse(s, ret, ERR_NOT_FOUND,
				 "no log \"%.40s\" is enrolled here; `splotctl trust list` shows "
				 "those that are",
				 name);
	return entry;
}
