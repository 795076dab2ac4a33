/* The simulated node as a witness of its servers' national logs. */
#include <inttypes.h>
#include <string.h>

#include "tlog/cosignature.h"
#include "tlog/witness.h"
#include "checks.h"

enum { KILL_PERMILLE = 3 }; /* between the file and the store */

enum err node_host_witnessed(struct node_host *n, unsigned server, struct txn *t, struct bytes *ret)
{
	return txn_get(t, n->witnessed, bytes_of_text(n->w->servers[server].signer.key.name), ret);
}

/* What was witnessed so far, with its note in n->note. */
static enum err load(struct node_host *n, unsigned server, struct witness_state *ret)
{
	struct checkpoint seen;
	struct txn *read = NULL;
	struct bytes note;
	enum err e = txn_begin(n->store, false, &read);

	*ret = (struct witness_state){0};
	buf_clear(&n->note);
	if (e)
		return e;
	e = node_host_witnessed(n, server, read, &note);
	if (!e)
		e = log_note_read(note, &seen);
	if (!e) {
		buf_add_bytes(&n->note, note);
		*ret = (struct witness_state){seen.size, seen.root};
	}
	txn_abort(read);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err keep_once(struct node_host *n, struct bytes origin, struct bytes note)
{
	struct txn *t = NULL;
	enum err e = txn_begin(n->store, true, &t);

	if (!e)
		e = txn_put(t, n->witnessed, origin, note);
	if (!e)
		return txn_commit(t);
	txn_abort(t);
	return e;
}

/* The file beside the keys first, then the store: from now on this node stands by that note. */
static enum err keep(struct node_host *n, unsigned server, struct bytes note)
{
	struct bytes origin = bytes_of_text(n->w->servers[server].signer.key.name);
	enum err e = ERR_OK;

	buf_clear(&n->keys.witnessed[server]);
	buf_add_bytes(&n->keys.witnessed[server], note);
	if (world_chance(n->w, KILL_PERMILLE))
		memstore_kill_at_commit(n->disk, MEMSTORE_DIES_BEFORE);
	e = keep_once(n, origin, note);

	while (e && node_log_grow(n, e))
		e = keep_once(n, origin, note);
	return e;
}

static enum err recall(struct node_host *n, unsigned server)
{
	struct bytes file = buf_bytes(&n->keys.witnessed[server]);
	struct checkpoint before, kept;
	struct txn *read = NULL;
	struct bytes note;
	enum err e = file.size ? txn_begin(n->store, false, &read) : ERR_NOT_FOUND;
	bool knows = false;

	if (e)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = log_note_read(file, &kept);
	if (!e)
		e = node_host_witnessed(n, server, read, &note);
	if (!e)
		e = log_note_read(note, &before);
	knows = !e && before.size >= kept.size;
	txn_abort(read);
	if (knows || (e && e != ERR_NOT_FOUND))
		return e;
	e = keep_once(n, bytes_of_text(kept.origin), file);
	while (e && node_log_grow(n, e))
		e = keep_once(n, bytes_of_text(kept.origin), file);
	return e;
}

enum err node_witness_recall(struct node_host *n)
{
	enum err e = ERR_OK;

	for (unsigned i = 0; !e && i < SERVERS; i++)
		e = recall(n, i);
	return e;
}

static void decline(struct node_host *n, const struct node_action *a, enum err code, uint64_t size)
{
	const struct wire_header header = {.kind = WIRE_DECLINED,
					   .session = a->header.session,
					   .size = size,
					   .code = code,
					   .text = "not cosigned"};
	struct bytes note = buf_bytes(&n->note);

	world_tell(n->w, node_host_name(n), "declines to cosign %" PRIu64 ": %s", a->header.size,
		   err_code(code));
	(void)!node_host_send(n, a->link, &header, &note, size ? 1 : 0);
}

static void cosign(struct node_host *n, const struct node_action *a, const struct checkpoint *c)
{
	const struct wire_header header = {
		.kind = WIRE_COSIGNED, .session = a->header.session, .size = c->size};
	struct buf text = {0};
	struct buf line = {0};
	struct bytes frame;
	enum err e = checkpoint_text(c, &text);

	if (!e)
		e = note_cosign(buf_bytes(&text), (uint64_t)node_host_wall(n).ms / 1000,
				&node_keys_present(n)->witness, &line);
	frame = buf_bytes(&line);
	if (e)
		world_fail(n->w, "node %s cannot cosign: %s", n->name.text, err_code(e));
	else
		(void)!node_host_send(n, a->link, &header, &frame, 1);
	check_cosigned(n->w, (unsigned)a->link, c);
	buf_free(&text);
	buf_free(&line);
}

/* Other witnesses saw the same, or one of the two was told something else. */
static bool others_agree(const struct vkey *key, const struct witness_state *state,
			 struct bytes cosigned)
{
	struct checkpoint theirs;

	if (cosigned.size == 0)
		return true;
	return !checkpoint_open(cosigned, key, &theirs) &&
	       (theirs.size != state->size || hash_equal(theirs.root, state->root));
}

bool node_host_witness(struct node_host *n, const struct node_action *a)
{
	const struct vkey *key = &n->w->servers[a->link].signer.key;
	struct witness_state state;
	struct checkpoint c;
	struct proof proof;
	enum witness_answer answer = WITNESS_BAD_REQUEST;
	bool stolen = n->hears && n->hears->hostile;
	enum err e = load(n, (unsigned)a->link, &state);

	if (e) {
		node_host_noticed(n, "what was witnessed cannot be read", e);
		return false;
	}
	if (proof_read(a->frames[2], &proof) == ERR_OK)
		answer = witness_judge(key, &state, a->header.from, &proof, a->frames[1], &c);
	if (!others_agree(key, &state, a->frames[3]) ||
	    witness_shows_fork(answer, &state, a->header.from, &c)) {
		if (stolen && n->hears->lies)
			thief_is_found_out(n, (unsigned)a->link);
		else
			world_fail(n->w, "node %s sees two histories of an honest server (%d)",
				   n->name.text, (int)answer);
		return true;
	}
	if (answer == WITNESS_CONFLICT) {
		decline(n, a, ERR_OLD, state.size);
		return false;
	}
	if (answer != WITNESS_COSIGN) {
		decline(n, a, ERR_PROOF, 0);
		if (!stolen)
			server_host_blamed(&n->w->servers[a->link], n->hears,
					   "a witness cannot take its offer", ERR_PROOF);
		return false;
	}
	if (stolen)
		world_fail(n->w, "node %s cosigns what was not shown to have grown", n->name.text);
	if (c.size != state.size)
		e = keep(n, (unsigned)a->link, a->frames[1]);
	if (e == ERR_SYNC)
		n->fault = e;
	if (memstore_died(n->disk) || n->fault)
		return false;
	if (e)
		decline(n, a, e, 0);
	else
		cosign(n, a, &c);
	return false;
}
