/* Administrative acts on keys: enrol and revoke. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "server/acts.h"

struct enrolment {
	struct card card;
	struct bytes document;
	struct wall_ms now;
};

static enum err write_enrolment(struct server *s, struct txn *write, const void *what)
{
	const struct enrolment *en = what;

	return trust_enrol(&s->trust, write, &en->card, en->document, en->now);
}

static bool same_keys(const struct card *a, const struct card *b)
{
	return memcmp(a->log_key.public, b->log_key.public, sizeof a->log_key.public) == 0 &&
	       memcmp(a->witness_key.public, b->witness_key.public, sizeof a->witness_key.public) ==
		       0 &&
	       memcmp(a->curve_public, b->curve_public, sizeof a->curve_public) == 0;
}

/* Another log with the same witness: it would count twice, or not at all.  NULL: none. */
static const struct trusted *witness_of(const struct trust *t, const struct card *card)
{
	for (size_t i = 0; i < t->count; i++)
		if (memcmp(t->entries[i].card.witness_key.public, card->witness_key.public,
			   sizeof card->witness_key.public) == 0)
			return &t->entries[i];
	return NULL;
}

/* Nothing was taken by that enrolment: it may have been the wrong file (a log whose keys were
 * rotated begins with the first ones). */
static bool is_replaceable(struct server *s, const struct trusted *there)
{
	const struct log *log = archive_log(&s->archive, there->card.log);

	return log && log->tree.size == 0 && there->now.state == LOG_ACTIVE;
}

/* False when the card cannot be enrolled here; the reply says why. */
static bool enrollable(struct server *s, const struct card *card, struct control_reply *ret)
{
	const struct trusted *there = trust_log(&s->trust, card->log);
	const struct trusted *user = trust_curve(&s->trust, card->curve_public);
	const struct trusted *writer = trust_writer(&s->trust, card->log);
	const struct trusted *witness = witness_of(&s->trust, card);
	char origin[ORIGIN_BYTES_MAX + 1];
	const char *log = card->log.text;

	if (card->server || log_name_region(card->log) == REGION_NONE)
		(void)act_refuse(s, ret, ERR_INVALID,
				 "this is no enrolment of a region's log; `splotctl enrol` on the "
				 "node's machine prints one");
	else if (strcmp(card->realm, s->realm) != 0)
		(void)act_refuse(
			s, ret, ERR_ORIGIN,
			"this enrolment is for the realm %s, this server serves %s; make the "
			"node's keys with `splotctl keygen --node %s/region/%s`",
			card->realm, s->realm, s->realm, log);
	else if (log_origin(s->realm, card->log, origin, sizeof origin) != ERR_OK ||
		 strcmp(origin, card->log_key.name) != 0)
		(void)act_refuse(s, ret, ERR_ORIGIN, "the log key is named %s, not as the log %s",
				 card->log_key.name, log);
	else if (there && there->now.state == LOG_REVOKED)
		(void)act_refuse(
			s, ret, ERR_EXISTS,
			"the log %s was revoked, and a revoked log stays so; the office makes "
			"keys for a new log (such as %.2s/2) and enrols that",
			log, log);
	else if (there && same_keys(&there->card, card))
		(void)act_refuse(s, ret, ERR_EXISTS,
				 "the log %s is enrolled with these keys already", log);
	else if (there && !is_replaceable(s, there))
		(void)act_refuse(
			s, ret, ERR_CONFLICT,
			"the log %s is enrolled with other keys; ask the office by telephone "
			"whose keys these are; if the old ones are lost, revoke %s and enrol "
			"a new log (such as %.2s/2)",
			log, log, log);
	else if (writer)
		(void)act_refuse(
			s, ret, ERR_CONFLICT,
			"the log %s writes the records of this region; a log that goes on in "
			"its place is enrolled when that one is revoked (or frozen)",
			writer->card.log.text);
	else if (user && user != there)
		(void)act_refuse(
			s, ret, ERR_CONFLICT,
			"the CURVE key of this enrolment belongs to the log %s; make new keys "
			"with `splotctl keygen`",
			user->card.log.text);
	else if (witness && witness != there)
		(void)act_refuse(
			s, ret, ERR_CONFLICT,
			"the witness key of this enrolment belongs to the log %s; make new keys "
			"with `splotctl keygen`",
			witness->card.log.text);
	else if (!there && s->trust.count == LOGS_MAX)
		(void)act_refuse(s, ret, ERR_LIMIT, "this server holds %d logs, more do not fit",
				 LOGS_MAX);
	else
		return true;
	return false;
}

/* In memory, after it is on disk. */
static enum err take_in(struct server *s, const struct enrolment *en)
{
	const struct log_standing active = {.state = LOG_ACTIVE, .size = UINT64_MAX};
	const struct log *log = archive_log(&s->archive, en->card.log);
	struct trusted *there = trust_log(&s->trust, en->card.log);
	enum err e = log ? ERR_OK : ERR_INTERNAL;

	if (e == ERR_OK && there)
		e = trust_replace(&s->trust, there, &en->card, en->document, en->now);
	else if (e == ERR_OK)
		e = trust_add(&s->trust, &en->card, en->document, active, en->now);
	if (there)
		feed_rebind(&s->feed); /* a publisher asks about keys at the handshake only */
	return e == ERR_OK ? server_machine_enrol(&s->machine, &en->card, &log->tree, LOG_ACTIVE)
			   : e;
}

enum err server_enrol(struct server *s, const struct control_call *call,
		      const struct control_request *q, struct control_reply *ret)
{
	struct enrolment en = {.document = q->document, .now = wall_now()};
	struct national_entry act = {.recorded = en.now,
				     .kind = NATIONAL_ACT,
				     .act = "enrol",
				     .reason = q->reason,
				     .document = q->document};
	char text[TEXT_BYTES_MAX + 1];
	char fingerprint[20];
	enum err e = ERR_OK;

	if (!act_admitted(s, call, q, ret, &act.by))
		return ERR_OK;
	if (server_waits(s)) {
		server_waits_text(s, text, sizeof text);
		return act_refuse(s, ret, ERR_GATED, "%s", text);
	}
	if (q->document.size > NOTE_BYTES_MAX)
		return act_refuse(s, ret, ERR_LIMIT, "an enrolment has at most %d bytes",
				  NOTE_BYTES_MAX);
	e = card_open(q->document, &en.card);
	if (e != ERR_OK)
		return act_refuse(s, ret, e,
				  "this enrolment does not read or its signature is not by its own "
				  "key (%s); get the file from the office again, unchanged",
				  err_text(e));
	if (!enrollable(s, &en.card, ret))
		return ERR_OK;
	act.log = en.card.log;
	e = archive_add(&s->archive, en.card.log);
	if (e == ERR_MAP_FULL) {
		e = store_grow(s->archive.store);
		if (e == ERR_OK)
			e = archive_add(&s->archive, en.card.log);
	}
	if (e == ERR_OK)
		e = act_store(s, &act, write_enrolment, &en);
	if (e == ERR_OK)
		e = take_in(s, &en);
	if (e != ERR_OK)
		return e;
	card_fingerprint(&en.card, fingerprint);
	log_line(LOG_NOTICE, "log %s: enrolled by %s, fingerprint %s", en.card.log.text, act.by,
		 fingerprint);
	return ERR_OK;
}

/* ---- revoke ---- */

static enum err write_revocation(struct server *s, struct txn *write, const void *what)
{
	const struct log_name *log = what;
	struct trusted *entry = trust_log(&s->trust, *log);
	const struct log_standing revoked = {.state = LOG_REVOKED,
					     .size = entry ? entry->now.size : 0};

	return entry ? trust_stage(&s->trust, write, entry, revoked) : ERR_INTERNAL;
}

enum err server_revoke(struct server *s, const struct control_call *call,
		       const struct control_request *q, struct control_reply *ret)
{
	struct national_entry act = {
		.recorded = wall_now(), .kind = NATIONAL_ACT, .act = "revoke", .reason = q->reason};
	const struct trusted *entry = NULL;
	enum err e = ERR_OK;

	if (!act_admitted(s, call, q, ret, &act.by))
		return ERR_OK;
	entry = act_log(s, q, ret, &act.log);
	if (!entry)
		return ERR_OK;
	if (entry->now.state == LOG_REVOKED)
		return act_refuse(s, ret, ERR_EXISTS, "the log %s is revoked already",
				  act.log.text);
	e = act_store(s, &act, write_revocation, &act.log);
	if (e == ERR_OK)
		e = server_machine_revoke(&s->machine, act.log);
	if (e != ERR_OK)
		return e;
	/* A publisher asks about keys at the handshake only. */
	feed_rebind(&s->feed);
	log_line(LOG_NOTICE, "log %s: revoked by %s", act.log.text, act.by);
	return ERR_OK;
}
