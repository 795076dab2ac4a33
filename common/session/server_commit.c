#include <assert.h>
#include <string.h>

#include "session/server_turn.h"

/* A commit that begins inside what we hold: harmless when it tells the same history. */
static void replayed(const struct server_turn *t)
{
	const struct wire_header *h = &t->header;
	struct server_log *log = t->log;
	struct checkpoint checkpoint;
	enum err e = server_open_note(t, t->event->frames[1], &checkpoint);

	if (!e && checkpoint.size != h->from + h->count)
		e = ERR_GAP;
	if (e == ERR_UNKNOWN_KEY || (!e && checkpoint.size > log->pending.size))
		e = ERR_OLD; /* from before a rotation, or past what we hold */
	if (e) {
		server_deny(t, e, "a commit that begins before this size; go on from it");
		return;
	}
	if (!server_explained(t, &checkpoint, t->event->frames[1]))
		return;
	if (log->agreed < checkpoint.size)
		log->agreed = checkpoint.size;
	log->ack_due = true;
	server_answer_due(t->m, log, t->event->now, t->ret);
}

static bool take_credit(const struct server_turn *t)
{
	struct server_log *log = t->log;
	uint64_t bytes = commit_frames_size(t->event->frames + 2, t->event->frame_count - 2);

	if (bytes <= log->credit_left) {
		log->credit_left -= bytes;
		log->taken += bytes;
		server_worked(log, COMMIT_WORK_BYTES + bytes);
		return true;
	}
	server_cut_off(t, ERR_CREDIT, "wait for acknowledgements before sending more");
	return false;
}

/* ---- what only a server can check, beside session/commit.h ---- */

static bool same_signing_key(const struct card *a, const struct card *b)
{
	return memcmp(a->log_key.public, b->log_key.public, SIGN_PUBLIC_BYTES) == 0 ||
	       memcmp(a->witness_key.public, b->witness_key.public, SIGN_PUBLIC_BYTES) == 0;
}

/* Whether another log has one of these keys, or is about to: a card proves the log key only, and a
 * witness that counted twice would be none. */
static bool is_anothers(const struct server_turn *t, const struct card *next)
{
	for (size_t i = 0; i < t->m->log_count; i++) {
		const struct server_log *log = &t->m->logs[i];

		if (log != t->log && (same_signing_key(&log->card, next) ||
				      (log->rotating && same_signing_key(&log->next, next))))
			return true;
	}
	return false;
}

/* Of the size that is asked for each commit is less, if its ids are as they should be. */
static_assert((uint64_t)COMMIT_BYTES_ASKED / 12 *
			      (CHANGE_WORK_BYTES + REASON_BYTES_MAX + SOURCE_BYTES_MAX) <
		      COMMIT_WORK_MAX,
	      "nodes seal what can be taken");

static enum err check_work(const struct server_turn *t, struct commit *commit)
{
	(void)t;
	return commit->work > COMMIT_WORK_MAX ? ERR_LIMIT : ERR_OK;
}

/* A card names keys, and which transport key may speak: that one is the administrator's to
 * change. */
static enum err check_rotation(const struct server_turn *t, struct commit *commit)
{
	const struct card *card = &t->log->card;

	if (!commit->rotates)
		return ERR_OK;
	if (memcmp(card->curve_public, commit->next.curve_public, sizeof(card->curve_public)) != 0)
		return ERR_INVALID;
	return is_anothers(t, &commit->next) ? ERR_INVALID : ERR_OK;
}

/* A key signs a log once, and the keys of a log are a bounded list: else nobody who comes later
 * could say by which of them a checkpoint is to be checked. */
static enum err check_new_key(const struct server_turn *t, struct commit *commit)
{
	const struct server_lookup *lookup = &t->m->lookup;
	enum err e = ERR_OK;

	if (commit->rotates)
		e = lookup->new_key(lookup->context, t->log->card.log, &commit->next.log_key);
	return e == ERR_EXISTS || e == ERR_LIMIT ? ERR_INVALID : e;
}

/* An event that comes with its bytes although an act erased it goes on without them, unless the log
 * cannot be read without them. */
static enum err leave_out_redacted(const struct server_turn *t, struct commit *commit)
{
	const struct server_lookup *lookup = &t->m->lookup;
	uint64_t end = commit->from + commit->count;
	uint64_t at = commit->from;
	enum err e = lookup->next_redacted ? ERR_OK : ERR_NOT_FOUND;

	while (e == ERR_OK && at < end) {
		struct bytes *event = NULL;
		struct hash leaf;
		uint8_t *kept = NULL;

		e = lookup->next_redacted(lookup->context, t->log->card.log, at, &at, &leaf);
		if (e || at >= end)
			break;
		event = &commit->events[at++ - commit->from];
		if (event->size == 0 || event_is_act(*event) ||
		    !hash_equal(commit_leaf(*event), leaf))
			continue;
		kept = arena_alloc(&t->m->arena, sizeof(leaf.b));
		if (!kept)
			return ERR_NOMEM;
		memcpy(kept, leaf.b, sizeof(leaf.b));
		*event = bytes_of(kept, 0);
		commit->redacted++;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* An event without its bytes needs an act that erased it. */
static enum err check_redacted(const struct server_turn *t, struct commit *commit)
{
	const struct server_lookup *lookup = &t->m->lookup;

	for (uint32_t i = 0; commit->redacted > 0 && i < commit->count; i++) {
		if (commit->events[i].size == 0 &&
		    !lookup->redacted(lookup->context, t->log->card.log, commit->from + i,
				      commit_leaf(commit->events[i])))
			return ERR_REDACTED;
	}
	return leave_out_redacted(t, commit);
}

/* The old log's keys may be others since then, made so by the very thief: a quote that is not
 * signed by the present one counts by what it says, which is compared with what is held. */
static enum err open_quote(struct bytes document, const struct vkey *key, struct checkpoint *ret)
{
	struct note note;
	enum err e = checkpoint_open(document, key, ret);

	if (e != ERR_UNKNOWN_KEY)
		return e;
	e = note_parse(document, &note);
	if (!e)
		e = checkpoint_parse(note.text, false, ret);
	return !e && strcmp(ret->origin, key->name) != 0 ? ERR_ORIGIN : e;
}

/* What event 0 of a log begun anew quotes must be what is held here of the log before it. */
static enum err check_quote(const struct server_turn *t, const struct event *event,
			    struct log_name before)
{
	const struct server_log *old = server_machine_log(t->m, before);
	const struct server_lookup *lookup = &t->m->lookup;
	struct checkpoint checkpoint;
	struct hash root;
	enum err e = ERR_OK;

	if (event->act != EVENT_CONTINUES || !log_name_equal(event->old_log, before))
		return ERR_INVALID;
	if (!old)
		return ERR_NOT_FOUND;
	if (old->state == LOG_ACTIVE)
		return ERR_DENIED;
	e = open_quote(event->document, &old->card.log_key, &checkpoint);
	if (e)
		return e;
	if (checkpoint.size != event->old_size || checkpoint.size > old->stands ||
	    checkpoint.size > old->pending.size)
		return ERR_INVALID;
	root = hash_empty();
	if (checkpoint.size > 0)
		e = lookup->root(lookup->context, before, checkpoint.size, &root);
	return !e && !hash_equal(root, checkpoint.root) ? ERR_INVALID : e;
}

static enum err check_beginning(const struct server_turn *t, struct commit *commit)
{
	struct log_name before;
	struct event event;
	bool anew = log_name_before(t->log->card.log, &before);
	enum err e = ERR_OK;

	if (commit->from > 0)
		return ERR_OK;
	if (commit->continues != anew)
		return ERR_INVALID;
	if (!anew)
		return ERR_OK;
	e = event_decode(commit->events[0], &t->m->arena, &event);
	return e ? e : check_quote(t, &event, before);
}

static_assert(LOG_KEYS_MAX == 32, "as the rule below says");

static const struct rule {
	enum err (*check)(const struct server_turn *t, struct commit *commit);
	const char *why;
} RULES[] = {
	{check_work, "more changes, with longer texts, than one commit may have"},
	{check_rotation,
	 "other log keys keep the transport key (enrol another one instead), and no other "
	 "log has them"},
	{check_new_key,
	 "log keys that this log had before do not come back, and it may have 32 of them in all; "
	 "go on in a log begun anew"},
	{check_beginning,
	 "the first event of a log begun anew, and no other, goes on from a "
	 "checkpoint of the log before it that stands here, and that log is frozen "
	 "or revoked here"},
	{check_redacted, "an event came without its bytes, but no act here erased it; ask the "
			 "administrator of the server to redact it here, too"},
};

void server_commit(const struct server_turn *t)
{
	const struct wire_header *h = &t->header;
	const struct server_event *event = t->event;
	struct server_log *log = t->log;
	struct commit *commit = &t->ret->commit;
	struct server_action *a = NULL;
	const char *why = "nothing of this commit was taken; go on from this size";
	enum err e = ERR_OK;

	if (!log->anchored) {
		server_deny(t, ERR_SESSION, "anchor before the first commit");
		return;
	}
	/* They were under way when one before them could not be stored, as the node was told. */
	if (log->lost && h->from > log->pending.size)
		return;
	log->lost = false;
	if (h->from == log->pending.size && !server_afford_large(t)) {
		server_deny(t, ERR_BUSY,
			    "a commit larger than this server asks for is taken now and then only");
		return;
	}
	if (!take_credit(t))
		return;
	if (h->from < log->pending.size) {
		if (server_afford_idle(t))
			replayed(t);
		return;
	}
	commit->events = t->m->events;
	e = commit_check(&log->pending, h->from, h->count, event->frames[1], event->frames + 2,
			 event->frame_count - 2,
			 log->rotating ? &log->next.log_key : &log->card.log_key,
			 log_name_region(log->card.log), &t->m->arena, commit);
	/* A log that comes back to a server which lost it shows its rotations once more. */
	if (h->from == 0 && (e == ERR_UNKNOWN_KEY || e == ERR_INVALID))
		why = "a log begins under its first keys: if they were rotated since, it has to be "
		      "enrolled by the file that it was first enrolled by";
	for (size_t i = 0; !e && i < sizeof(RULES) / sizeof(RULES[0]); i++) {
		e = RULES[i].check(t, commit);
		why = RULES[i].why;
	}
	if (e) {
		server_worked(log, commit->work); /* what was read before it was found out */
		server_deny(t, e, why);
		return;
	}
	a = server_add(t->ret, SERVER_APPEND);
	if (!a)
		return;
	a->log = log->card.log;
	a->commit = commit;
	if (commit->rotates) {
		log->rotating = true;
		log->next = commit->next;
	}
	server_worked(log, commit->work);
	log->pending = commit->after;
	log->agreed = commit->after.size;
	if (log->claimed < log->agreed)
		log->claimed = log->agreed;
	log->ack_due = true;
}
