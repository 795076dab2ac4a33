/* The simulated server and its witnesses. */
#include <inttypes.h>
#include <string.h>

#include "tlog/witness.h"
#include "world.h"

enum { PUT_RIGHT_MS = 2000 };

/* ---- offers ---- */

static enum err prove(struct server_host *s, struct txn *read, const struct wire_header *h,
		      struct buf *ret)
{
	struct log_reader reader;
	struct proof proof;
	enum err e = ERR_OK;

	log_reader_init(&reader, &s->national, read);
	e = proof_consistency(&reader.tree, h->from, h->size, &proof);
	for (size_t i = 0; !e && i < proof.count; i++)
		buf_add(ret, proof.hashes[i].b, HASH_BYTES);
	return e ? e : buf_check(ret);
}

static enum err offer(struct server_host *s, const struct server_action *a, struct txn *read)
{
	struct bytes frames[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
	struct buf proof = {0};
	uint64_t size = 0;
	enum err e = log_checkpoint(&s->national, read, a->header.size, &frames[0]);

	if (!e)
		e = prove(s, read, &a->header, &proof);
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
	enum err e = txn_begin(s->store, false, &read);

	if (!e)
		e = offer(s, a, read);
	txn_abort(read);
	if (e)
		world_fail(s->w, "server %u cannot offer %" PRIu64 ": %s", s->number,
			   a->header.size, err_code(e));
}

/* ---- answers ---- */

enum err server_host_cosigned(struct server_host *s, const struct server_action *a)
{
	const struct vkey *key = &s->w->nodes[log_name_region(a->log)].witness.key;
	struct buf merged = {0};
	struct bytes note;
	uint64_t size = 0;
	enum err e = server_host_writing(s);

	if (!e)
		e = cosigned_at(s->cosigned, s->write, a->from, &size, &note);
	if (e == ERR_NOT_FOUND || (!e && size != a->from))
		e = log_checkpoint(&s->national, s->write, a->from, &note);
	if (!e)
		e = note_merge(note, a->note, key, &merged);
	if (!e)
		e = cosigned_put(s->cosigned, s->write, a->from, buf_bytes(&merged));
	buf_free(&merged);
	s->w->tally.cosigned += !e;
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
	world_plan(w, PUT_RIGHT_MS, AT_SERVER_START, s->number, 0, s->epoch, NULL);
}
