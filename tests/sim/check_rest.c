/* What must hold of what is at rest: damage is found by whoever verifies, and what was erased is
 * nowhere. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "checks.h"
#include "tlog/note_line.h"

/* ---- verifying, as splotctl audit verify does ---- */

/* Every leaf, and the root that they give. */
static enum err verify_tree(const struct log *log, struct txn *read)
{
	struct tree tree;
	struct hash leaf, root;
	enum err e = ERR_OK;

	tree_init(&tree);
	for (uint64_t i = 0; !e && i < log->tree.size; i++) {
		struct bytes raw;

		e = log_event(log, read, i, &raw);
		if (e == ERR_REDACTED)
			e = ERR_OK;
		if (!e)
			e = log_leaf(log, read, i, &leaf);
		if (!e)
			tree_append(&tree, leaf);
	}
	root = tree_root(&log->tree);
	leaf = tree_root(&tree);
	return !e && !hash_equal(root, leaf) ? ERR_CORRUPT : e;
}

/* What of this log's is signed. */
struct signing {
	struct vkey keys[KEYS_MOST];
	size_t count;
	bool strange; /* found: a line by none of them */
};

static bool has_stranger(const struct note *note, const struct signing *by)
{
	size_t known = 0;

	for (size_t i = 0; i < note->signature_count; i++) {
		for (size_t k = 0; k < by->count; k++)
			known += note_line_is_by(&note->signatures[i], &by->keys[k]);
	}
	return known < note->signature_count;
}

/* Every checkpoint: signed, with no bad line, and of this history. */
static enum err verify_checkpoints(const struct log *log, struct txn *read, struct signing *by)
{
	struct scan *scan = NULL;
	struct bytes key, raw;
	enum err e = scan_open(read, log->checkpoints, &scan);

	if (!e)
		e = scan_next(scan, &key, &raw);
	while (!e) {
		struct checkpoint c;
		struct note note;
		struct tree tree;
		struct hash root;

		e = note_parse(raw, &note);
		if (!e)
			e = note_verify_all(&note, by->keys, by->count);
		if (!e)
			by->strange = by->strange || has_stranger(&note, by);
		if (!e)
			e = log_note_read(raw, &c);
		if (!e)
			e = log_tree_at(log, read, c.size, &tree);
		root = e ? hash_empty() : tree_root(&tree);
		if (!e && !hash_equal(root, c.root))
			e = ERR_CORRUPT;
		if (!e)
			e = scan_next(scan, &key, &raw);
	}
	scan_close(scan);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err verify_log(struct world *w, const struct log *log, unsigned number,
			   struct txn *read, bool *strange)
{
	struct signing by = {.count = KEYS_MOST};
	enum err e = verify_tree(log, read);

	for (size_t i = 0; i < KEYS_MOST; i++)
		by.keys[i] = w->nodes[number].keys.pairs[i].signer.key;
	if (!e)
		e = verify_checkpoints(log, read, &by);
	*strange = *strange || by.strange;
	return e;
}

/* Every row of a table can be read. */
static enum err read_table(struct store *s, const char *name, struct txn *read)
{
	struct table table;
	struct scan *scan = NULL;
	struct bytes key, value;
	enum err e = store_table(s, name, false, &table);

	if (!e)
		e = scan_open(read, table, &scan);
	while (!e)
		e = scan_next(scan, &key, &value);
	scan_close(scan);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err read_view(struct store *s, struct txn *read)
{
	static const char *const TABLES[] = {"records", "versions", "counts"};
	enum err e = ERR_OK;

	for (size_t i = 0; !e && i < sizeof(TABLES) / sizeof(TABLES[0]); i++)
		e = read_table(s, TABLES[i], read);
	return e;
}

static enum err verify_node(struct node_host *n, bool *strange)
{
	struct txn *read = NULL;
	enum err e = txn_begin(n->store, false, &read);

	if (!e)
		e = verify_log(n->w, &n->log, n->number, read, strange);
	if (!e)
		e = read_view(n->store, read);
	txn_abort(read);
	return e;
}

static enum err verify_server(struct server_host *s, bool *strange)
{
	struct signing national = {.keys = {s->signer.key}, .count = 1};
	struct txn *read = NULL;
	enum err e = txn_begin(s->archive.store, false, &read);

	if (!e)
		e = verify_tree(s->archive.national, read);
	if (!e)
		e = verify_checkpoints(s->archive.national, read, &national);
	for (unsigned i = 0; !e && i < LOGS; i++) {
		const struct log *log = server_host_log(s, i);

		if (log)
			e = verify_log(s->w, log, i, read, strange);
	}
	if (!e)
		e = read_table(s->archive.store, "trust", read);
	txn_abort(read);
	if (e)
		return e;
	e = txn_begin(s->view_store, false, &read);
	if (!e)
		e = read_view(s->view_store, read);
	txn_abort(read);
	return e;
}

/* ---- what verifying finds ---- */

/* Damage that no verification can tell: of a checkpoint's two lines one was hit in its name or in
 * its key's id, and is now one by a key that nobody knows, as anybody may add; by the other it is
 * good.  Such damage is forgiven, and not forgotten: who wants just that line may yet meet it. */
static bool is_beyond_telling(const struct damage *d, bool strange)
{
	return strange && strstr(d->where, ".checkpoints");
}

void check_node_found(struct node_host *n)
{
	bool strange = false;
	enum err e = verify_node(n, &strange);

	if (e)
		node_host_noticed(n, "verified", e);
	else if (!memstore_is_damaged(n->disk)) /* it was written anew meanwhile */
		n->damage = (struct damage){0};
	else if (!is_beyond_telling(&n->damage, strange))
		world_fail(n->w, "node %s: its %s are damaged, and a verification finds nothing",
			   node_host_name(n), n->damage.where);
	(void)node_host_survives(n);
}

void check_server_found(struct server_host *s)
{
	bool strange = false;
	enum err e = verify_server(s, &strange);

	if (e)
		server_host_noticed(s, "verified", e);
	else if (!memstore_is_damaged(s->damage.view ? s->view_disk : s->disk))
		s->damage = (struct damage){0};
	else if (!is_beyond_telling(&s->damage, strange))
		world_fail(s->w, "server %u: its %s are damaged, and a verification finds nothing",
			   s->number, s->damage.where);
	(void)server_host_survives(s);
}

/* ---- what was erased ---- */

static bool is_gone(const struct world *w, struct bytes text, char why[static 160])
{
	for (unsigned i = 0; i < NODES; i++) {
		const struct node_host *n = &w->nodes[i];

		(void)snprintf(why, 160, "%s still stands at node %s", (const char *)text.data,
			       node_host_name(n));
		if (n->exists && i != w->revoked && memstore_holding(n->disk, text) > 0)
			return false;
	}
	for (unsigned i = 0; i < SERVERS; i++) {
		const struct server_host *s = &w->servers[i];

		(void)snprintf(why, 160, "%s still stands at server %u", (const char *)text.data,
			       i);
		if (memstore_holding(s->disk, text) + memstore_holding(s->view_disk, text) > 0)
			return false;
	}
	return true;
}

bool check_erased(struct world *w, char why[static 160])
{
	for (size_t i = 0; i < w->erased_count; i++) {
		if (!is_gone(w, bytes_of_text(w->erased[i].text), why))
			return false;
	}
	return true;
}
