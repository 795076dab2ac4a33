/* Rounds of witnessing: the machine says to whom and when, here is what is sent and kept. */
#include "server/witness.h"

#include <stdio.h>
#include <string.h>

#include "audit/keyring.h"
#include "base/log.h"
#include "io/files.h"
#include "server/server.h"
#include "tlog/cosignature.h"
#include "tlog/witness.h"

/* How many of the newest cosigned checkpoints are looked at for one with its quorum. */
enum { JUDGED_MOST = 16 };

/* ---- offers ---- */

/* A proof from damaged tiles would look like another history, for good: nobody is to see it. */
static enum err check_proof(const struct log *national, struct txn *read,
			    const struct wire_header *offer, const struct proof *proof,
			    struct bytes note)
{
	struct checkpoint c;
	struct tree old;
	enum err e = log_note_read(note, &c);

	if (e == ERR_OK)
		e = log_tree_at(national, read, offer->from, &old);
	if (e != ERR_OK)
		return e;
	return proof_check_consistency(proof, offer->from, c.size, tree_root(&old), c.root) ==
			       ERR_OK
		       ? ERR_OK
		       : ERR_CORRUPT;
}

/* Frames: the checkpoint, the proof that it grew, the newest one that witnesses cosigned. */
static enum err offer_frames(struct server *s, struct txn *read, const struct wire_header *offer,
			     struct proof *proof, struct bytes frames[static 3])
{
	const struct log *national = s->archive.national;
	struct log_reader reader;
	uint64_t size = 0;
	enum err e = log_checkpoint(national, read, offer->size, &frames[0]);

	log_reader_init(&reader, national, read);
	if (e == ERR_OK)
		e = proof_consistency(&reader.tree, offer->from, offer->size, proof);
	if (e == ERR_OK)
		e = check_proof(national, read, offer, proof, frames[0]);
	if (e != ERR_OK)
		return e;
	frames[1] = bytes_of(proof->hashes, proof->count * HASH_BYTES);
	e = cosigned_at(s->witnessing.cosigned, read, UINT64_MAX, &size, &frames[2]);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void server_send_offer(struct server *s, const struct server_action *action)
{
	const struct wire_header *header = &action->header;
	struct bytes frames[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
	struct proof proof = {.count = 0};
	struct txn *read = NULL;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (e == ERR_OK)
		e = offer_frames(s, read, header, &proof, frames);
	if (e == ERR_OK)
		server_send(s, bytes_of(action->peer, action->peer_size), action->log, header,
			    frames, 3);
	else
		log_line(LOG_ERROR,
			 "log %s: the national checkpoint of size %llu could not be offered to "
			 "this witness: %s",
			 action->log.text, (unsigned long long)header->size, err_text(e));
	txn_abort(read);
}

/* ---- cosignatures ---- */

/* The note that the line is put to: with the other witnesses' lines, or the log's alone. */
static enum err cosigned_note(struct server *s, struct txn *t, uint64_t size, struct bytes *ret)
{
	uint64_t found = 0;
	enum err e = cosigned_at(s->witnessing.cosigned, t, size, &found, ret);

	if (e == ERR_NOT_FOUND || (e == ERR_OK && found != size))
		e = log_checkpoint(s->archive.national, t, size, ret);
	return e;
}

enum err server_keep_line(struct server *s, const struct server_action *action)
{
	const struct trusted *entry = trust_log(&s->trust, action->log);
	struct buf merged = {.limit = NOTE_BYTES_MAX};
	struct bytes note = {NULL, 0};
	struct txn *write = NULL;
	enum err merge = ERR_OK;
	enum err e = entry ? archive_write(&s->archive, &write) : ERR_INTERNAL;

	if (e == ERR_OK)
		e = cosigned_note(s, write, action->from, &note);
	if (e == ERR_OK)
		merge = note_merge(note, action->note, &entry->card.witness_key, &merged);
	if (e == ERR_OK && merge == ERR_OK)
		e = cosigned_put(s->witnessing.cosigned, write, action->from, buf_bytes(&merged));
	buf_free(&merged);
	/* A line too many is of no use, and no reason to lose the turn's commits. */
	if (merge != ERR_OK || e == ERR_NOT_FOUND)
		log_line(LOG_WARN, "log %s: its cosignature on size %llu was not kept: %s",
			 action->log.text, (unsigned long long)action->from,
			 err_text(merge != ERR_OK ? merge : e));
	s->witnessing.stale = true;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- the policy ---- */

bool server_is_witness(struct log_name log)
{
	int region = log_name_region(log);

	return region != REGION_NONE && region != REGION_PL;
}

static enum err usual_policy(struct server *s)
{
	struct witnessing *w = &s->witnessing;
	struct vkey keys[LOGS_MAX];
	size_t count = 0;
	enum err e = ERR_OK;

	for (size_t i = 0; i < s->trust.count; i++) {
		const struct trusted *entry = &s->trust.entries[i];

		if (entry->now.state == LOG_ACTIVE && server_is_witness(entry->card.log))
			keys[count++] = entry->card.witness_key;
	}
	w->trust_revision = s->trust.revision;
	w->known = false;
	buf_clear(&w->policy_text);
	if (count > 0) {
		e = policy_make(&s->signer.key, 1, keys, count,
				count < QUORUM_USUAL ? (unsigned)count / 2 + 1 : QUORUM_USUAL,
				&w->policy);
		if (e == ERR_OK)
			e = policy_text(&w->policy, &w->policy_text);
		w->known = e == ERR_OK;
	}
	return e;
}

void server_follow_trust(struct server *s)
{
	struct witnessing *w = &s->witnessing;
	enum err e = ERR_OK;

	if (w->fixed || w->trust_revision == s->trust.revision)
		return;
	e = usual_policy(s);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "no policy for the witnesses: %s", err_text(e));
	w->stale = true;
	exporting_policy(&s->exporting, w->known ? &w->policy : NULL);
}

static bool speaks_of(const struct policy *p, const struct vkey *log)
{
	for (size_t i = 0; i < p->log_count; i++)
		if (memcmp(p->logs[i].public, log->public, sizeof log->public) == 0)
			return true;
	return p->log_count == 0;
}

enum err witness_policy(const char *path, const struct vkey *key, struct policy *ret,
			struct buf *ret_text, char *why)
{
	unsigned line = 0;
	enum err e = file_read(path, POLICY_BYTES_MAX, ret_text);

	if (e != ERR_OK) {
		(void)snprintf(why, WHY_BYTES, "%s: the policy cannot be read: %s", path,
			       err_text(e));
		return e;
	}
	e = policy_parse(buf_bytes(ret_text), ret, &line);
	if (e != ERR_OK) {
		(void)snprintf(why, WHY_BYTES,
			       "%s:%u: this policy cannot be used: %s; see WITNESSES in "
			       "splot-server(8)",
			       path, line, err_text(e));
	} else if (!speaks_of(ret, key)) {
		e = ERR_UNKNOWN_KEY;
		(void)snprintf(why, WHY_BYTES,
			       "%s: this policy is about other logs; name this server's log-key in "
			       "a line \"log\" (`splotctl server-card` prints it)",
			       path);
	}
	return e;
}

static enum err load_policy(struct server *s)
{
	struct witnessing *w = &s->witnessing;
	char why[WHY_BYTES];

	if (witness_policy(s->settings.policy, &s->signer.key, &w->policy, &w->policy_text, why) !=
	    ERR_OK) {
		log_line(LOG_ERROR, "%s", why);
		return ERR_CONFIG;
	}
	w->fixed = w->known = true;
	return ERR_OK;
}

/* ---- what stands ---- */

static enum err keep(struct witnessing *w, uint64_t size, struct bytes note, bool quorum)
{
	buf_clear(&w->note);
	buf_add_bytes(&w->note, note);
	w->size = size;
	w->quorum = quorum;
	return buf_check(&w->note);
}

static enum err judge_newest(struct server *s, struct txn *read)
{
	struct witnessing *w = &s->witnessing;
	struct policy_finding finding;
	struct bytes raw = {NULL, 0};
	struct note note;
	uint64_t size = UINT64_MAX;
	enum err e = keep(w, 0, bytes_of("", 0), false);

	for (int i = 0; i < JUDGED_MOST && e == ERR_OK && !w->quorum && size > 0; i++) {
		e = cosigned_at(w->cosigned, read, i == 0 ? size : size - 1, &size, &raw);
		if (e == ERR_OK)
			e = note_parse(raw, &note);
		if (e != ERR_OK)
			break;
		if (w->known && policy_judge(&w->policy, &note, &finding) == ERR_OK)
			e = keep(w, size, raw, true);
		else if (w->note.size == 0)
			e = keep(w, size, raw, false);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err server_judge_witnesses(struct server *s)
{
	struct witnessing *w = &s->witnessing;
	struct txn *read = NULL;
	enum err e = ERR_OK;

	if (!w->stale)
		return ERR_OK;
	e = txn_begin(s->archive.store, false, &read);
	if (e == ERR_OK)
		e = judge_newest(s, read);
	txn_abort(read);
	w->stale = e != ERR_OK;
	return e;
}

/* ---- at the start ---- */

static void take_times(struct server_machine *m, uint64_t size, const struct note *note)
{
	for (size_t i = 0; i < m->log_count; i++) {
		struct server_log *log = &m->logs[i];
		uint64_t at_s = 0;

		if (log->cosigned > 0 || !server_is_witness(log->card.log) ||
		    note_cosigned_at(note, &log->card.witness_key, &at_s) != ERR_OK)
			continue;
		log->cosigned = size;
		log->cosigned_at.ms = at_s < INT64_MAX / 1000 ? (int64_t)at_s * 1000 : INT64_MAX;
	}
}

/* Who cosigned what before the last stop. */
static enum err restore(struct server *s)
{
	struct txn *read = NULL;
	struct bytes raw = {NULL, 0};
	struct note note;
	uint64_t size = UINT64_MAX;
	enum err e = txn_begin(s->archive.store, false, &read);

	while (e == ERR_OK && size > 0) {
		e = cosigned_at(s->witnessing.cosigned, read, size == UINT64_MAX ? size : size - 1,
				&size, &raw);
		if (e == ERR_OK && note_parse(raw, &note) == ERR_OK)
			take_times(&s->machine, size, &note);
	}
	txn_abort(read);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err server_witness_start(struct server *s)
{
	enum err e = cosigned_open(s->archive.store, true, &s->witnessing.cosigned);

	s->machine.round_ms = s->settings.round_ms;
	s->machine.national_size = s->archive.size;
	s->witnessing.stale = true;
	if (e == ERR_OK)
		e = restore(s);
	if (e != ERR_OK) {
		log_line(LOG_ERROR, "%s: the witnesses' lines cannot be read: %s", s->logs_path,
			 err_text(e));
		return e;
	}
	if (s->settings.policy)
		return load_policy(s);
	s->witnessing.trust_revision = UINT64_MAX; /* none was made yet */
	server_follow_trust(s);
	return ERR_OK;
}
