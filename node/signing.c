/* Which key signs what: this log's keys may have been rotated, and every checkpoint is signed by
 * the key of its size. */
#include "node/node.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"

/* The keys of the file as keys of this log: previous ones are named there by their text. */
enum err signing_load(struct node *n)
{
	struct succession *s = &n->succession;
	enum err e = vkey_make(n->keys.name, KEY_ED25519, n->keys.log_public, &n->signer.key);

	n->signer.secret = n->keys.log_secret;
	s->count = 0;
	for (size_t i = 0; i < n->keys.previous_count && e == ERR_OK; i++) {
		e = vkey_parse(bytes_of_text(n->keys.previous[i].vkey), &s->keys[s->count]);
		if (e == ERR_OK && strcmp(s->keys[s->count].name, n->keys.name) != 0)
			e = ERR_ORIGIN;
		s->ends[s->count++] = n->keys.previous[i].size;
	}
	s->keys[s->count++] = n->signer.key;
	if (e == ERR_OK && n->keys.old_secret) {
		n->old_signer.secret = n->keys.old_secret;
		e = vkey_make(n->keys.name, KEY_ED25519, n->keys.old_public, &n->old_signer.key);
	}
	if (e != ERR_OK)
		log_line(LOG_ERROR,
			 "keys %s: a previous key does not fit this log: %s; use the "
			 "file as it was written by the node",
			 n->settings.keys, err_text(e));
	return e == ERR_OK ? ERR_OK : ERR_CONFIG;
}

enum err signing_key_at(void *context, uint64_t size, struct vkey *ret)
{
	const struct node *n = context;

	*ret = n->succession.keys[succession_at(&n->succession, size)];
	return ERR_OK;
}

/* ---- signing ---- */

static bool signs_with_both(const struct node *n)
{
	return n->keys.old_secret && wall_now().ms < n->keys.old_until_ms;
}

/* The key before the present one is there for a while only. */
bool signing_can(const void *context, uint64_t size)
{
	const struct node *n = context;
	size_t number = succession_at(&n->succession, size) + 1;

	return number == n->succession.count ||
	       (number + 1 == n->succession.count && n->keys.old_secret);
}

/* By the key of that size. */
static enum err sign(const struct node *n, uint64_t size, const struct tree *tree, struct buf *ret)
{
	struct checkpoint c = {.size = size, .root = tree_root(tree)};
	enum err e = ERR_OK;

	if (!signing_can(n, size))
		return ERR_UNKNOWN_KEY;
	memcpy(c.origin, n->signer.key.name, sizeof c.origin);
	if (succession_at(&n->succession, size) + 1 < n->succession.count)
		return checkpoint_sign(&c, &n->old_signer, ret);
	e = checkpoint_sign(&c, &n->signer, ret);
	if (e == ERR_OK && signs_with_both(n))
		e = note_sign_also(&n->old_signer, ret);
	return e;
}

enum err sign_present(const struct node *n, struct buf *ret)
{
	return sign(n, n->log.tree.size, &n->log.tree, ret);
}

static void tell_damaged(struct node *n, uint64_t size, enum err why)
{
	if (n->damaged_told == size)
		return;
	n->damaged_told = size;
	log_line(LOG_WARN,
		 "log %s: the checkpoint of size %" PRIu64
		 " in %s is damaged (%s): its lines that are whole are shown, or it is signed anew",
		 n->log.name.text, size, n->settings.data, err_text(why));
}

static enum err stored_note(struct node *n, struct txn *t, uint64_t size, struct buf *ret)
{
	struct bytes stored;
	enum err e = log_checkpoint(&n->log, t, size, &stored);
	enum err why = e == ERR_OK ? succession_check(&n->succession, size, stored) : e;

	if (e != ERR_OK)
		return e;
	if (why != ERR_OK) {
		tell_damaged(n, size, why);
		return succession_mend(&n->succession, size, stored, &n->signer, ret);
	}
	buf_add_bytes(ret, stored);
	return buf_check(ret);
}

/* The root of an old size comes from stored tiles, and were one of them damaged, it would be
 * another history, signed: so it is proved. */
enum err note_at(struct node *n, struct txn *t, uint64_t size, struct buf *ret)
{
	struct tree tree;
	enum err e = stored_note(n, t, size, ret);

	if (e != ERR_NOT_FOUND)
		return e;
	e = log_tree_proved(&n->log, t, size, &tree);
	if (e == ERR_OK)
		e = sign(n, size, &tree, ret);
	return e == ERR_OK ? succession_introduce(&n->succession, size, &n->signer, ret) : e;
}

enum err note_to_show(struct node *n, struct txn *t, uint64_t size, struct buf *ret)
{
	struct checkpoint c = {.size = size};
	struct tree tree;
	enum err e = note_at(n, t, size, ret);

	if (e == ERR_UNKNOWN_KEY) { /* of an old size, and nobody can sign as it was signed then */
		memcpy(c.origin, n->signer.key.name, sizeof c.origin);
		e = log_tree_proved(&n->log, t, size, &tree);
		if (e == ERR_OK) {
			c.root = tree_root(&tree);
			e = checkpoint_sign(&c, &n->signer, ret);
		}
	}
	if (e == ERR_OK && n->keys.previous_count > 0)
		e = note_sign_once(&n->signer, ret);
	if (e == ERR_OK && signs_with_both(n))
		e = note_sign_once(&n->old_signer, ret);
	return e;
}

/* ---- the end of the old key ---- */

/* Loads the key file again; the transport keys in it are those in use. */
enum err signing_reload(struct node *n)
{
	char why[TEXT_BYTES_MAX + 1] = "";
	struct keys keys = {0};
	enum err e = keys_load(n->settings.keys, &keys, why);

	if (e != ERR_OK) {
		log_line(LOG_ERROR, "log %s: %s", n->log.name.text, why);
		return e;
	}
	keys_free(&n->keys);
	n->keys = keys;
	return signing_load(n);
}

void signing_tick(struct node *n)
{
	char why[TEXT_BYTES_MAX + 1] = "";
	enum err e = ERR_OK;

	if (!n->keys.old_secret || signs_with_both(n) || n->old_kept || !rotate_is_everywhere(n))
		return;
	e = keys_forget_old(n->settings.keys, why);
	if (e != ERR_OK) {
		n->old_kept = true; /* it signs nothing more; the next start tries again */
		log_line(LOG_WARN, "log %s: %s; the old key stays in that file", n->log.name.text,
			 why);
		return;
	}
	log_line(LOG_NOTICE, "log %s: the time of the old key is over: it is forgotten",
		 n->log.name.text);
	e = signing_reload(n);
	if (e != ERR_OK)
		n->fault = e;
}
