/* Acts that nodes carry out on their own logs, and what a national log begun anew says first: each
 * with the proof that it is in the national log. */
#include <string.h>

#include "base/log.h"
#include "server/server.h"

enum { TURN_DUTIES = 64 /* of one log: others are not to wait */ };

struct duty_to {
	struct server *server;
	struct txn *read;
	struct bytes peer;
	struct log_name log;
	struct wire_header header;
};

static enum err send_duty(const struct duty_to *to, uint64_t act)
{
	struct server *s = to->server;
	const struct log *national = s->archive.national;
	struct wire_header header = to->header;
	struct bytes frames[3];
	struct log_reader reader;
	struct proof proof;
	enum err e = log_newest(national, to->read, &header.size, &frames[0]);

	header.index = act;
	log_reader_init(&reader, national, to->read);
	if (e == ERR_OK)
		e = proof_inclusion(&reader.tree, act, header.size, &proof);
	if (e == ERR_OK)
		e = log_event(national, to->read, act, &frames[1]);
	if (e != ERR_OK)
		return e;
	frames[2] = bytes_of(proof.hashes, proof.count * HASH_BYTES);
	return server_try_send(s, to->peer, to->log, &header, frames, 3);
}

/* As many as there is room for; `d` says where to go on.  NOT_FOUND: all are sent. */
static enum err send_some(struct server *s, const struct trusted *of, struct duties *d)
{
	struct duty_to to = {.server = s,
			     .peer = bytes_of(d->peer, d->peer_size),
			     .log = of->card.log,
			     .header = {.kind = WIRE_DUTY, .session = d->session}};
	struct redacted row = {.index = 0};
	enum err e = txn_begin(s->archive.store, false, &to.read);

	if (e == ERR_OK && d->first)
		e = send_duty(&to, 0);
	if (e == ERR_OK)
		d->first = false;
	if (e == ERR_OK && !s->redactions.any)
		e = ERR_NOT_FOUND;
	for (size_t i = 0; e == ERR_OK && i < TURN_DUTIES; i++) {
		e = redactions_next(&s->redactions, to.read, to.log, d->from, &row);
		if (e == ERR_OK)
			e = send_duty(&to, row.act);
		if (e == ERR_OK)
			d->from = row.index + 1;
	}
	txn_abort(to.read);
	return e;
}

static void go_on(struct server *s, const struct trusted *of, struct duties *d)
{
	enum err e = send_some(s, of, d);

	/* A peer that does not read is cut off after a while, one that is gone says HELLO. */
	d->due = e == ERR_OK || e == ERR_AGAIN;
	if (!d->due && e != ERR_NOT_FOUND && e != ERR_CLOSED)
		log_line(LOG_ERROR, "log %s: its node could not be told its duties: %s",
			 of->card.log.text, err_text(e));
}

void server_send_duties(struct server *s, struct bytes peer, struct log_name log, uint64_t session)
{
	const struct trusted *of = trust_log(&s->trust, log);
	bool anew = s->generation > 1 && s->archive.size > 0;
	struct duties *d = of ? &s->duties[of - s->trust.entries] : NULL;

	if (!d || peer.size > sizeof d->peer || (!s->redactions.any && !anew))
		return;
	*d = (struct duties){.first = anew, .session = session, .peer_size = peer.size};
	memcpy(d->peer, peer.data, peer.size);
	go_on(s, of, d);
}

bool server_duties_wait(const struct server *s, struct log_name log)
{
	for (size_t i = 0; i < s->trust.count; i++)
		if (log_name_equal(s->trust.entries[i].card.log, log))
			return s->duties[i].due;
	return false;
}

void server_duties_go_on(struct server *s)
{
	for (size_t i = 0; i < s->trust.count; i++)
		if (s->duties[i].due)
			go_on(s, &s->trust.entries[i], &s->duties[i]);
}
