/* The simulated server and its witnesses. */
#include <inttypes.h>
#include <string.h>

#include "tlog/witness.h"
#include "world.h"

enum { PUT_RIGHT_MS = 2000 };

/* ---- offers ---- */

/* A proof from damaged tiles would look like another history: nobody is to see it. */
static enum err check_proof(struct server_host *s, struct txn *read, const struct wire_header *h,
			    const struct proof *proof, struct bytes note)
{
	struct checkpoint c;
	struct tree old;
	enum err e = log_note_read(note, &c);

	if (!e)
		e = log_tree_at(s->archive.national, read, h->from, &old);
	if (!e && proof_check_consistency(proof, h->from, c.size, tree_root(&old), c.root))
		e = ERR_CORRUPT;
	return e;
}

static enum err prove(struct server_host *s, struct txn *read, const struct wire_header *h,
		      struct bytes note, struct buf *ret)
{
	struct log_reader reader;
	struct proof proof;
	enum err e = ERR_OK;

	log_reader_init(&reader, s->archive.national, read);
	e = proof_consistency(&reader.tree, h->from, h->size, &proof);
	if (!e)
		e = check_proof(s, read, h, &proof, note);
	for (size_t i = 0; !e && i < proof.count; i++)
		buf_add(ret, proof.hashes[i].b, HASH_BYTES);
	return e ? e : buf_check(ret);
}

static enum err offer(struct server_host *s, const struct server_action *a, struct txn *read)
{
	struct bytes frames[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
	struct buf proof = {0};
	uint64_t size = 0;
	enum err e = log_checkpoint(s->archive.national, read, a->header.size, &frames[0]);

	if (!e)
		e = prove(s, read, &a->header, frames[0], &proof);
	frames[1] = buf_bytes(&proof);
	if (!e)
		e = cosigned_at(s->cosigned, read, UINT64_MAX, &size, &frames[2]);
	if (!e || e == ERR_NOT_FOUND) {
		e = ERR_OK;
		server_host_send(s, a, &a->header, frames, 3);
	}
	buf_free(&proof);
	return e;
}

void server_host_offer(struct server_host *s, const struct server_action *a)
{
	struct txn *read = NULL;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (!e)
		e = offer(s, a, read);
	txn_abort(read);
	if (e)
		server_logs_noticed(s, "it cannot make an offer", e);
}

/* ---- answers ---- */

enum err server_host_cosigned(struct server_host *s, const struct server_action *a)
{
	const struct trusted *entry = trust_log(&s->trust, a->log);
	struct buf merged = {0};
	struct bytes note;
	struct txn *write = NULL;
	uint64_t size = 0;
	enum err merge = ERR_OK;
	enum err e = entry ? archive_write(&s->archive, &write) : ERR_INTERNAL;

	if (!e)
		e = cosigned_at(s->cosigned, write, a->from, &size, &note);
	if (e == ERR_NOT_FOUND || (!e && size != a->from))
		e = log_checkpoint(s->archive.national, write, a->from, &note);
	if (!e)
		merge = note_merge(note, a->note, &entry->card.witness_key, &merged);
	if (!e && !merge)
		e = cosigned_put(s->cosigned, write, a->from, buf_bytes(&merged));
	buf_free(&merged);
	/* A line too many is no reason to lose what else came in that turn. */
	if (merge && merge != ERR_LIMIT)
		server_logs_noticed(s, "a cosignature is not of the note that is kept here", merge);
	s->w->tally.cosigned += !e && !merge;
	return e;
}

/* ---- an older copy ---- */

void server_host_rolled_back(struct server_host *s, const struct server_action *a)
{
	struct world *w = s->w;
	struct checkpoint seen;

	if (w->put_back != PUT_BACK_RUNS || w->put_back_server != s->number) {
		world_fail(w, "server %u is taken for an older copy, and is none", s->number);
		return;
	}
	if (checkpoint_open(a->note, &s->signer.key, &seen) || seen.size <= w->copied_size) {
		world_fail(w, "what shows that server %u is an older copy shows nothing",
			   s->number);
		return;
	}
	w->put_back = PUT_BACK_NOTICED;
	w->tally.put_back++;
	world_tell(w, server_host_name(s), "log %s has seen %" PRIu64 " national entries",
		   a->log.text, seen.size);
	server_host_crash(s, "it is an older copy; the newest is put in its place");
	memstore_wipe(s->disk);
	memstore_wipe(s->view_disk);
	if (memstore_copy(s->newest, s->disk))
		world_fail(w, "the newest store cannot be put back");
	memcpy(s->hearing, s->hearing_newest, sizeof(s->hearing));
	world_plan(w, PUT_RIGHT_MS, AT_SERVER_START, s->number, 0, s->epoch, NULL);
}
