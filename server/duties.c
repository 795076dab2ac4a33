/* Acts that nodes carry out on their own logs, and what a national log begun anew says first: each
 * with the proof that it is in the national log. */
#include "base/log.h"
#include "server/server.h"

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
	server_send(s, to->peer, to->log, &header, frames, 3);
	return ERR_OK;
}

void server_send_duties(struct server *s, struct bytes peer, struct log_name log, uint64_t session)
{
	struct duty_to to = {.server = s,
			     .peer = peer,
			     .log = log,
			     .header = {.kind = WIRE_DUTY, .session = session}};
	struct redacted row = {.index = 0};
	bool anew = s->generation > 1 && s->archive.size > 0;
	enum err e = ERR_OK;

	if (!s->redactions.any && !anew)
		return;
	e = txn_begin(s->archive.store, false, &to.read);
	if (e == ERR_OK && anew)
		e = send_duty(&to, 0);
	if (e == ERR_OK && !s->redactions.any)
		e = ERR_NOT_FOUND;
	for (uint64_t from = 0; e == ERR_OK; from = row.index + 1) {
		e = redactions_next(&s->redactions, to.read, log, from, &row);
		if (e == ERR_OK)
			e = send_duty(&to, row.act);
	}
	txn_abort(to.read);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		log_line(LOG_ERROR, "log %s: its node could not be told its duties: %s", log.text,
			 err_text(e));
}
