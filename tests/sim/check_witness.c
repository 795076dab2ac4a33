/* What must hold of witnesses: nobody cosigned two histories, and the newest checkpoint of a server
 * carries the lines of all. */
#include <inttypes.h>
#include <stdlib.h>

#include "checks.h"

void check_cosigned(struct world *w, unsigned server, const struct checkpoint *c)
{
	for (size_t i = 0; i < w->cosigned_count; i++) {
		const struct cosigned *old = &w->cosigned[i];

		if (old->server != server || old->size != c->size)
			continue;
		if (!hash_equal(old->root, c->root))
			world_fail(w, "server %u: two roots of %" PRIu64 " entries are cosigned",
				   server, c->size);
		return;
	}
	if (w->cosigned_count == w->cosigned_capacity) {
		w->cosigned_capacity = w->cosigned_capacity ? 2 * w->cosigned_capacity : 64;
		w->cosigned = realloc(w->cosigned, w->cosigned_capacity * sizeof(*w->cosigned));
		if (!w->cosigned)
			exit(3);
	}
	w->cosigned[w->cosigned_count++] = (struct cosigned){server, c->size, c->root};
}

/* All that was ever cosigned is in the history that the server holds. */
static enum err check_history(struct server_host *s, struct txn *read)
{
	struct world *w = s->w;
	enum err e = ERR_OK;

	for (size_t i = 0; !e && i < w->cosigned_count; i++) {
		const struct cosigned *c = &w->cosigned[i];
		struct tree tree;

		if (c->server != s->number)
			continue;
		e = log_tree_at(s->archive.national, read, c->size, &tree);
		if (!e && !hash_equal(tree_root(&tree), c->root))
			world_fail(w,
				   "server %u: %" PRIu64 " cosigned entries are not what it holds",
				   s->number, c->size);
	}
	return e;
}

static enum err check_newest(struct server_host *s, struct txn *read)
{
	struct world *w = s->w;
	struct note note;
	struct bytes raw;
	uint64_t size = 0;
	enum err e = cosigned_at(s->cosigned, read, UINT64_MAX, &size, &raw);

	if (!e)
		e = note_parse(raw, &note);
	if (!e && size != server_host_size(s))
		e = ERR_OLD;
	for (unsigned i = 0; !e && i < NODES; i++) {
		const struct node_host *n = &w->nodes[i];

		if (n->exists && log_name_region(n->name) != REGION_PL && !world_is_forked(w, i) &&
		    i != w->revoked && !world_distrusts(w, i, s->number))
			e = note_verify(&note, &node_keys_present(n)->witness.key);
	}
	return e ? e : note_verify(&note, &s->signer.key);
}

void check_witnessed(struct world *w)
{
	for (unsigned i = 0; i < SERVERS; i++) {
		struct server_host *s = &w->servers[i];
		struct txn *read = NULL;
		enum err e = txn_begin(s->archive.store, false, &read);

		if (!e)
			e = check_history(s, read);
		if (!e && server_host_size(s) > 0)
			e = check_newest(s, read);
		txn_abort(read);
		if (e)
			world_fail(w, "server %u: what was witnessed does not hold: %s", i,
				   err_code(e));
	}
}
