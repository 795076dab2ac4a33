/* Administrative acts on a log's history: freeze it at a signed checkpoint, or let it go on. */
#include <string.h>

#include "base/log.h"
#include "server/acts.h"

struct freeze {
	struct trusted *entry;
	struct log_standing standing;
};

static enum err write_standing(struct server *s, struct txn *write, const void *what)
{
	const struct freeze *f = what;

	return trust_stage(&s->trust, write, f->entry, f->standing);
}

/* ---- what stands ---- */

/* The newest stored checkpoint of at most `size`; NOT_FOUND. */
static enum err checkpoint_below(const struct log *l, struct txn *read, uint64_t size,
				 struct bytes *ret, uint64_t *ret_size)
{
	struct checkpoint checkpoint;
	struct bytes key = {NULL, 0};
	struct scan *scan = NULL;
	struct buf above = {.data = NULL};
	enum err e = ERR_OK;

	buf_add_u64be(&above, size == UINT64_MAX ? size : size + 1);
	e = buf_check(&above);
	if (e == ERR_OK)
		e = scan_open(read, l->checkpoints, &scan);
	if (e == ERR_OK)
		e = scan_seek(scan, buf_bytes(&above), &key, ret);
	if (e == ERR_OK || e == ERR_NOT_FOUND)
		e = scan_prev(scan, &key, ret);
	if (e == ERR_OK)
		e = log_note_read(*ret, &checkpoint);
	if (e == ERR_OK)
		*ret_size = checkpoint.size;
	scan_close(scan);
	buf_free(&above);
	return e;
}

/* What stands when the act names `size`, and the node's own note that says so. */
static enum err find_standing(struct server *s, struct txn *read, struct log_name log,
			      uint64_t size, struct bytes *ret_note, uint64_t *ret_size)
{
	const struct log *l = archive_log(&s->archive, log);
	enum err e = l ? ERR_OK : ERR_INTERNAL;

	if (e == ERR_OK && size == UINT64_MAX && !s->witnessing.quorum)
		e = ERR_QUORUM;
	else if (e == ERR_OK && size == UINT64_MAX && l->tree.size > 0)
		e = national_size_of(s->archive.national, read, log, s->witnessing.size, &size);
	else if (size == 0)
		size = UINT64_MAX;
	if (e == ERR_OK)
		e = checkpoint_below(l, read, size, ret_note, ret_size);
	if (e == ERR_NOT_FOUND) { /* nothing of it stands */
		*ret_note = bytes_of("", 0);
		*ret_size = 0;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- freeze ---- */

static enum err freeze_at(struct server *s, struct freeze *f, struct national_entry *act,
			  uint64_t size)
{
	struct txn *read = NULL;
	struct buf note = {.data = NULL};
	struct bytes found = {NULL, 0};
	enum err e = server_judge_witnesses(s);

	if (e == ERR_OK)
		e = txn_begin(s->archive.store, false, &read);
	if (e == ERR_OK)
		e = find_standing(s, read, act->log, size, &found, &act->size);
	if (e == ERR_OK)
		buf_add_bytes(&note, found);
	txn_abort(read);
	if (e == ERR_OK)
		e = buf_check(&note);
	act->document = buf_bytes(&note);
	f->standing.size = act->size;
	if (e == ERR_OK)
		e = act_store(s, act, write_standing, f);
	buf_free(&note);
	return e;
}

enum err server_freeze(struct server *s, const struct control_call *call,
		       const struct control_request *q, struct control_reply *ret)
{
	struct national_entry act = {
		.recorded = wall_now(), .kind = NATIONAL_ACT, .act = "freeze", .reason = q->reason};
	struct freeze f = {.standing = {.state = LOG_FROZEN}};
	struct server_log *state = NULL;
	enum err e = ERR_OK;

	if (!act_admitted(s, call, q, ret, &act.by))
		return ERR_OK;
	f.entry = act_log(s, q, ret, &act.log);
	if (!f.entry)
		return ERR_OK;
	if (f.entry->now.state == LOG_REVOKED)
		return act_refuse(s, ret, ERR_EXISTS,
				  "the log %s is revoked: nothing of it is accepted any more",
				  act.log.text);
	e = freeze_at(s, &f, &act, q->size);
	if (e == ERR_QUORUM)
		return act_refuse(s, ret, e,
				  "no checkpoint of the national log has its quorum of witnesses; "
				  "`splotctl status` shows who cosigned. Name a size instead");
	if (e == ERR_OK)
		e = server_machine_freeze(&s->machine, act.log);
	state = server_machine_log(&s->machine, act.log);
	if (e != ERR_OK || !state)
		return e != ERR_OK ? e : ERR_INTERNAL;
	state->stands = act.size;
	ret->index = act.size;
	log_line(LOG_NOTICE,
		 "log %s: frozen by %s, size %llu of %llu stands; it goes on in a new log, or is "
		 "released",
		 act.log.text, act.by, (unsigned long long)act.size,
		 (unsigned long long)state->durable.size);
	/* Whoever asked is in a hurry: it takes nothing more in any case. */
	if (q->size != UINT64_MAX && q->size > state->durable.size)
		return act_refuse(
			s, ret, ERR_ARGUMENT,
			"the log %s is frozen now, but it has %llu events here, not %llu: "
			"all of them stand. If the number was a slip, freeze it again at the "
			"right one; `splotctl log --log %s` shows its events",
			act.log.text, (unsigned long long)state->durable.size,
			(unsigned long long)q->size, act.log.text);
	return ERR_OK;
}

/* ---- release ---- */

enum err server_release(struct server *s, const struct control_call *call,
			const struct control_request *q, struct control_reply *ret)
{
	struct national_entry act = {.recorded = wall_now(),
				     .kind = NATIONAL_ACT,
				     .act = "release",
				     .reason = q->reason};
	struct freeze f = {.standing = {.state = LOG_ACTIVE, .size = UINT64_MAX}};
	const struct trusted *writer = NULL;
	const struct log *log = NULL;
	enum err e = ERR_OK;

	if (!act_admitted(s, call, q, ret, &act.by))
		return ERR_OK;
	f.entry = act_log(s, q, ret, &act.log);
	if (!f.entry)
		return ERR_OK;
	if (f.entry->now.state != LOG_FROZEN)
		return act_refuse(s, ret, ERR_EXISTS, "the log %s is not frozen", act.log.text);
	writer = trust_writer(&s->trust, act.log);
	if (writer)
		return act_refuse(s, ret, ERR_CONFLICT,
				  "the log %s writes the records of this region now; %s stays "
				  "frozen as long as it does",
				  writer->card.log.text, act.log.text);
	log = archive_log(&s->archive, act.log);
	if (!log)
		return ERR_INTERNAL;
	act.size = log->tree.size;
	e = act_store(s, &act, write_standing, &f);
	if (e == ERR_OK)
		e = server_machine_release(&s->machine, act.log);
	if (e == ERR_OK)
		log_line(LOG_NOTICE, "log %s: released by %s, it goes on from %llu", act.log.text,
			 act.by, (unsigned long long)act.size);
	return e;
}
