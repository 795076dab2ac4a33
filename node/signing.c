/* Which key signs what: this log's keys may have been rotated, and every checkpoint is signed by
 * the key of its size. */
#include "node/node.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"

/* The keys of the file as keys of this log: previous ones are named there by their text. */
enum err signing_load(struct node *n)
{
	enum err e = vkey_make(n->keys.name, KEY_ED25519, n->keys.log_public, &n->signer.key);

	n->signer.secret = n->keys.log_secret;
	for (size_t i = 0; i < n->keys.previous_count && e == ERR_OK; i++) {
		e = vkey_parse(bytes_of_text(n->keys.previous[i].vkey), &n->previous[i]);
		if (e == ERR_OK && strcmp(n->previous[i].name, n->keys.name) != 0)
			e = ERR_ORIGIN;
	}
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

/* The first key whose checkpoints reach that far; the present one when none does. */
static size_t key_number(const struct node *n, uint64_t size)
{
	size_t i = 0;

	while (i < n->keys.previous_count && size > n->keys.previous[i].size)
		i++;
	return i;
}

enum err signing_key_at(void *context, uint64_t size, struct vkey *ret)
{
	const struct node *n = context;
	size_t i = key_number(n, size);

	*ret = i < n->keys.previous_count ? n->previous[i] : n->signer.key;
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
	size_t number = key_number(n, size);

	return number == n->keys.previous_count ||
	       (number + 1 == n->keys.previous_count && n->keys.old_secret);
}

/* By the key of that size. */
static enum err sign(const struct node *n, uint64_t size, const struct tree *tree, struct buf *ret)
{
	struct checkpoint c = {.size = size, .root = tree_root(tree)};
	enum err e = ERR_OK;

	if (!signing_can(n, size))
		return ERR_UNKNOWN_KEY;
	memcpy(c.origin, n->signer.key.name, sizeof c.origin);
	if (key_number(n, size) < n->keys.previous_count)
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

/* The root of an old size comes from stored tiles.  Were one of them damaged, its root would be
 * another history, signed. */
static enum err tree_to_sign(const struct node *n, struct txn *t, uint64_t size, struct tree *ret)
{
	enum err e = log_tree_proved(&n->log, t, size, ret);

	if (e == ERR_CORRUPT)
		log_line(LOG_ERROR,
			 "log %s: the tiles of %s do not give the root of size %" PRIu64
			 ": they are damaged, and nothing of that size is signed; stop the node, "
			 "move the folder aside and start again: the log is fetched back",
			 n->log.name.text, n->settings.data, size);
	return e;
}

/* Signed by the key of its size, and with no bad line by another of this log's keys: whoever knows
 * one refuses a note with a bad line by it. */
static enum err check_stored(struct node *n, uint64_t size, struct bytes note)
{
	struct vkey keys[KEYS_PREVIOUS_MAX + 1];
	struct note parsed;
	struct checkpoint c;
	size_t count = n->keys.previous_count;
	enum err e = signing_key_at(n, size, &keys[count]);

	if (e == ERR_OK)
		e = checkpoint_open(note, &keys[count], &c);
	if (e == ERR_OK && c.size != size)
		e = ERR_CORRUPT;
	if (e != ERR_OK || count == 0)
		return e;
	memcpy(keys, n->previous, count * sizeof *keys);
	keys[count++] = n->signer.key;
	e = note_parse(note, &parsed);
	return e == ERR_OK ? note_verify_all(&parsed, keys, count) : e;
}

/* A damaged one is as none: no server would take it, and what it says is in the tree as well. */
static enum err stored_note(struct node *n, struct txn *t, uint64_t size, struct bytes *ret)
{
	enum err e = log_checkpoint(&n->log, t, size, ret);
	enum err why = e == ERR_OK ? check_stored(n, size, *ret) : ERR_OK;

	if (why == ERR_OK)
		return e;
	log_line(LOG_WARN,
		 "log %s: the checkpoint of size %" PRIu64
		 " in %s is damaged (%s): it is shown to nobody, and signed anew instead%s",
		 n->log.name.text, size, n->settings.data, err_text(why),
		 signing_can(n, size) ? ""
				      : "; but the key of that size is gone: a server that has "
					"less than that cannot be sent it from this folder; once "
					"another one has confirmed all, stop the node, move the "
					"folder aside and start again: the log is fetched back");
	return ERR_NOT_FOUND;
}

enum err note_at(struct node *n, struct txn *t, uint64_t size, struct buf *ret)
{
	struct bytes stored;
	struct tree tree;
	enum err e = stored_note(n, t, size, &stored);

	if (e == ERR_OK) {
		buf_add_bytes(ret, stored);
		return buf_check(ret);
	}
	if (e != ERR_NOT_FOUND)
		return e;
	e = tree_to_sign(n, t, size, &tree);
	return e == ERR_OK ? sign(n, size, &tree, ret) : e;
}

/* Unless it stands there already. */
static enum err sign_too(const struct signer *by, struct buf *note)
{
	struct note parsed;
	enum err e = note_parse(buf_bytes(note), &parsed);

	if (e == ERR_OK)
		e = note_verify(&parsed, &by->key);
	return e == ERR_UNKNOWN_KEY ? note_sign_also(by, note) : e;
}

enum err note_to_show(struct node *n, struct txn *t, uint64_t size, struct buf *ret)
{
	struct checkpoint c = {.size = size};
	struct tree tree;
	enum err e = note_at(n, t, size, ret);

	if (e == ERR_UNKNOWN_KEY) { /* of an old size, and nobody can sign as it was signed then */
		memcpy(c.origin, n->signer.key.name, sizeof c.origin);
		e = tree_to_sign(n, t, size, &tree);
		if (e == ERR_OK) {
			c.root = tree_root(&tree);
			e = checkpoint_sign(&c, &n->signer, ret);
		}
	}
	if (e == ERR_OK && n->keys.previous_count > 0)
		e = sign_too(&n->signer, ret);
	if (e == ERR_OK && signs_with_both(n))
		e = sign_too(&n->old_signer, ret);
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
