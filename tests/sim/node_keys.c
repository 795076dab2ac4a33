/* A simulated node's keys and its mark: what splot-node keeps beside its store.  Every checkpoint
 * is signed by the key of its size. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#include "tlog/succession.h"

enum { SLOTS = 2 * REGIONS, MARK_SYNC_MS = 1000, KILL_IN_ROTATION_PERMILLE = 300 };

/* ---- making ---- */

static void make_signer(const char *name, uint8_t type, const uint8_t tag[static 3],
			uint8_t *secret, struct signer *ret)
{
	uint8_t seed[SIGN_SEED_BYTES] = {tag[0], tag[1], tag[2]};
	uint8_t public[SIGN_PUBLIC_BYTES];

	if (crypto_sign_seed_keypair(public, secret, seed) ||
	    vkey_make(name, type, public, &ret->key))
		exit(3);
	ret->secret = secret;
}

void keys_server(const char *name, unsigned number, uint8_t *secret, struct signer *ret)
{
	const uint8_t tag[3] = {2, (uint8_t)number, 0};

	make_signer(name, KEY_ED25519, tag, secret, ret);
}

static struct log_name name_of(unsigned slot)
{
	struct log_name name;
	char text[LOG_NAME_BYTES];

	(void)snprintf(text, sizeof(text), "%s%s", region_at((int)(slot % REGIONS))->code,
		       slot < REGIONS ? "" : "/2");
	if (log_name_parse(bytes_of_text(text), &name))
		exit(3);
	return name;
}

const struct key_pair *keys_of(unsigned slot)
{
	static struct key_pair pairs[SLOTS][KEYS_MOST];
	static bool made[SLOTS];
	char log[ORIGIN_BYTES_MAX + 1], witness[ORIGIN_BYTES_MAX + 1];

	if (made[slot])
		return pairs[slot];
	made[slot] = true;
	if (log_origin(REALM, name_of(slot), log, sizeof(log)) ||
	    witness_origin(REALM, name_of(slot), witness, sizeof(witness)))
		exit(3);
	for (unsigned i = 0; i < KEYS_MOST; i++) {
		const uint8_t one[3] = {1, (uint8_t)slot, (uint8_t)i};
		const uint8_t other[3] = {3, (uint8_t)slot, (uint8_t)i};
		struct key_pair *p = &pairs[slot][i];

		make_signer(log, KEY_ED25519, one, p->secret, &p->signer);
		make_signer(witness, KEY_COSIGNATURE, other, p->witness_secret, &p->witness);
	}
	return pairs[slot];
}

static unsigned slot_of(const struct world *w, unsigned log)
{
	return log == ANEW ? REGIONS + w->revoked : log;
}

enum err keys_card(struct world *w, unsigned log, size_t number, struct card *ret,
		   struct buf *ret_document)
{
	unsigned slot = slot_of(w, log);
	const struct key_pair *p = &keys_of(slot)[number];
	struct card card = {.realm = REALM,
			    .log = name_of(slot),
			    .log_key = p->signer.key,
			    .witness_key = p->witness.key,
			    .curve_public = {1, (uint8_t)slot}};

	*ret = card;
	return card_sign(&card, &p->signer, ret_document);
}

/* ---- which key signs what ---- */

const struct key_pair *node_keys_present(const struct node_host *n)
{
	return &n->keys.pairs[n->keys.present];
}

static struct succession succession_of(const struct node_keys *k)
{
	struct succession s = {.count = k->present + 1};

	for (size_t i = 0; i < s.count; i++) {
		s.keys[i] = k->pairs[i].signer.key;
		s.ends[i] = k->ends[i];
	}
	return s;
}

static size_t number_at(const struct node_keys *k, uint64_t size)
{
	struct succession s = succession_of(k);

	return succession_at(&s, size);
}

enum err node_keys_at(void *context, uint64_t size, struct vkey *ret)
{
	const struct node_host *n = context;

	*ret = n->keys.pairs[number_at(&n->keys, size)].signer.key;
	return ERR_OK;
}

static const struct signer *before(const struct node_host *n)
{
	return n->keys.both_until_ms ? &n->keys.pairs[n->keys.present - 1].signer : NULL;
}

bool node_keys_can_sign(const void *context, uint64_t size)
{
	const struct node_host *n = context;
	size_t number = number_at(&n->keys, size);

	return number == n->keys.present || (number + 1 == n->keys.present && before(n));
}

enum err node_keys_sign(struct node_host *n, uint64_t size, const struct tree *tree,
			struct buf *ret)
{
	const struct signer *present = &node_keys_present(n)->signer;
	struct checkpoint c = {.size = size, .root = tree_root(tree)};
	enum err e = ERR_OK;

	if (!node_keys_can_sign(n, size))
		return ERR_UNKNOWN_KEY;
	memcpy(c.origin, present->key.name, sizeof(c.origin));
	if (number_at(&n->keys, size) < n->keys.present)
		return checkpoint_sign(&c, before(n), ret);
	e = checkpoint_sign(&c, present, ret);
	return !e && before(n) ? note_sign_also(before(n), ret) : e;
}

static enum err proved(struct node_host *n, struct txn *t, uint64_t size, struct tree *ret)
{
	enum err e = log_tree_proved(&n->log, t, size, ret);

	if (e == ERR_CORRUPT)
		node_host_noticed(n, "its tiles do not give an old root", e);
	return e;
}

static enum err stored_note(struct node_host *n, struct txn *t, uint64_t size, struct buf *ret)
{
	struct succession s = succession_of(&n->keys);
	struct bytes stored;
	enum err e = log_checkpoint(&n->log, t, size, &stored);

	if (e)
		return e;
	if (succession_check(&s, size, stored))
		return succession_mend(&s, size, stored, &node_keys_present(n)->signer, ret);
	buf_add_bytes(ret, stored);
	return buf_check(ret);
}

enum err node_keys_note(struct node_host *n, struct txn *t, uint64_t size, struct buf *ret)
{
	struct succession s = succession_of(&n->keys);
	struct tree tree;
	enum err e = stored_note(n, t, size, ret);

	if (e != ERR_NOT_FOUND)
		return e;
	e = proved(n, t, size, &tree);
	if (!e)
		e = node_keys_sign(n, size, &tree, ret);
	return e ? e : succession_introduce(&s, size, &node_keys_present(n)->signer, ret);
}

enum err node_keys_keep(const struct node_host *n, struct bytes note, const struct vkey *next,
			struct buf *ret)
{
	struct succession s = succession_of(&n->keys);

	return succession_keep(&s, note, next, ret);
}

/* For a server, which may know the key of that size, the present one or the one before. */
enum err node_keys_show(struct node_host *n, struct txn *t, uint64_t size, struct buf *ret)
{
	const struct signer *present = &node_keys_present(n)->signer;
	struct checkpoint c = {.size = size};
	struct tree tree;
	enum err e = node_keys_note(n, t, size, ret);

	if (e == ERR_UNKNOWN_KEY) {
		memcpy(c.origin, present->key.name, sizeof(c.origin));
		e = proved(n, t, size, &tree);
		c.root = tree_root(&tree);
		if (!e)
			e = checkpoint_sign(&c, present, ret);
	}
	if (!e && n->keys.present > 0)
		e = note_sign_once(present, ret);
	if (!e && before(n))
		e = note_sign_once(before(n), ret);
	return e;
}

/* ---- the mark ---- */

static void settle(struct node_host *n)
{
	struct node_keys *k = &n->keys;

	if (k->mark_synced == k->mark || n->w->now_ms - k->mark_synced_ms < MARK_SYNC_MS)
		return;
	k->mark_synced = k->mark;
	k->mark_synced_ms = n->w->now_ms;
}

/* Written before anything of that size leaves, synced once a second. */
void node_keys_raise_mark(struct node_host *n)
{
	struct node_keys *k = &n->keys;

	if (!k->mark_found || n->log.tree.size <= k->mark)
		return;
	k->mark = n->log.tree.size;
	settle(n);
}

/* What a killed program wrote may not be synced yet: it is, before anything else is done. */
void node_keys_open_mark(struct node_host *n)
{
	n->keys.mark_synced = n->keys.mark;
	n->keys.mark_synced_ms = n->w->now_ms;
	node_keys_raise_mark(n); /* it may have died between commit and mark */
}

/* ---- rotation ---- */

static bool same_key(const struct vkey *a, const struct vkey *b)
{
	return memcmp(a->public, b->public, SIGN_PUBLIC_BYTES) == 0;
}

static void install(struct node_host *n, uint64_t size)
{
	n->keys.ends[n->keys.present++] = size;
	n->keys.both_until_ms = node_host_wall(n).ms + BOTH_KEYS_MS;
	n->w->tally.rotated++;
	world_tell(n->w, node_host_name(n), "other keys sign from %" PRIu64 " on", size + 1);
}

/* The log says where a key ended: a rotation that was lost with the store came again. */
enum err node_keys_follow(struct node_host *n, const struct vkey *key, uint64_t size)
{
	for (size_t i = 0; i <= n->keys.present; i++) {
		if (!same_key(key, &n->keys.pairs[i].signer.key))
			continue;
		if (i > 0)
			n->keys.ends[i - 1] = size;
		return ERR_OK;
	}
	if (n->keys.present + 1 == KEYS_MOST ||
	    !same_key(key, &n->keys.pairs[n->keys.present + 1].signer.key))
		return ERR_CONFIG;
	install(n, size);
	return ERR_OK;
}

/* A rotation whose keys were not installed is the last event of the log. */
enum err node_keys_heal(struct node_host *n)
{
	struct txn *read = NULL;
	struct bytes raw = {NULL, 0};
	struct event last;
	struct card next;
	enum err e = txn_begin(n->store, false, &read);

	arena_reset(&n->arena);
	if (!e && n->log.tree.size > 0)
		e = log_event(&n->log, read, n->log.tree.size - 1, &raw);
	if (!e && event_rotates(raw)) {
		e = event_decode(raw, &n->arena, &last);
		if (!e)
			e = card_open(last.document, &next);
		if (!e)
			e = node_keys_follow(n, &next.log_key, n->log.tree.size);
	}
	txn_abort(read);
	return e == ERR_REDACTED ? ERR_OK : e;
}

/* Every server has what the key before the present one signed: none needs it any more. */
static bool all_follow(const struct node_host *n)
{
	const struct node_keys *k = &n->keys;

	for (unsigned i = 0; k->present > 0 && i < SERVERS; i++) {
		if (n->machine.links[i].confirmed < k->ends[k->present - 1])
			return false;
	}
	return true;
}

void node_keys_tick(struct node_host *n)
{
	struct node_keys *k = &n->keys;

	settle(n);
	if (k->both_until_ms && node_host_wall(n).ms >= k->both_until_ms && all_follow(n))
		k->both_until_ms = 0;
}

/* The event that names the keys of that number, signed by those before them as well. */
static enum err append_rotation(struct node_host *n, size_t number)
{
	struct event event = {
		.editor = "admin", .reason = "keys", .source = "", .act = EVENT_ROTATES};
	struct buf document = {0};
	struct card card;
	enum err e = keys_card(n->w, n->number, number, &card, &document);

	event.document = buf_bytes(&document);
	if (!e)
		e = node_log_act(n, &event, &n->keys.pairs[number].signer);
	buf_free(&document);
	return e;
}

bool node_keys_mend(struct node_host *n)
{
	struct node_keys *k = &n->keys;
	enum err e = ERR_OK;

	if (k->present == 0 || n->log.tree.size >= k->ends[k->present - 1])
		return false;
	e = append_rotation(n, k->present);
	if (memstore_died(n->disk) || n->fault)
		return false;
	if (e == ERR_DISK_FULL)
		n->fault = e; /* it ends, and is started again */
	else if (e)
		node_host_noticed(n, "a lost rotation cannot be told again", e);
	if (e)
		return false;
	k->ends[k->present - 1] = n->log.tree.size;
	world_tell(n->w, node_host_name(n),
		   "tells again, at %" PRIu64 ", of a rotation that was lost", n->log.tree.size);
	return true;
}

void node_keys_rotate(struct node_host *n)
{
	const struct node_event grew = {.kind = NODE_EV_GREW, .tree = &n->log.tree};
	enum err e = ERR_OK;

	if (!n->up || n->machine.gated || n->keys.present + 1 == KEYS_MOST ||
	    world_is_forked(n->w, n->number) || !all_follow(n))
		return;
	e = append_rotation(n, n->keys.present + 1);
	if (!node_host_survives(n))
		return;
	if (e && e != ERR_DISK_FULL && e != ERR_MAP_FULL)
		node_host_noticed(n, "its keys cannot be rotated", e);
	if (e)
		return;
	if (world_chance(n->w, KILL_IN_ROTATION_PERMILLE)) {
		node_host_crash(n, "killed before its keys were installed");
		world_plan(n->w, 500, AT_NODE_START, n->number, 0, n->epoch, NULL);
		return;
	}
	install(n, n->log.tree.size);
	node_host_step(n, &grew);
}
