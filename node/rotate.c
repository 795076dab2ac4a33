/* ROTATE: this log's keys are replaced.  The next keys wait in KEYS.next; an event signed by both
 * names them, and only when it is on the disk do they take the place of KEYS.  A kill in between
 * is mended at the start: the log says which keys are to be used. */
#include "node/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static bool same_key(const struct vkey *a, const struct vkey *b)
{
	return memcmp(a->public, b->public, SIGN_PUBLIC_BYTES) == 0;
}

/* One that signs now, or signed before. */
static bool known_key(const struct node *n, const struct vkey *key)
{
	bool known = false;

	for (size_t i = 0; i < n->succession.count; i++)
		known = known || same_key(key, &n->succession.keys[i]);
	return known;
}

/* ---- installing ---- */

/* The log holds the rotation and has `size` events with it: nothing of it may be signed by the
 * key before from here on. */
static enum err install(struct node *n, uint64_t size)
{
	char why[TEXT_BYTES_MAX + 1] = "";
	char old[VKEY_BYTES];
	int64_t until_ms = 0;
	enum err e = ERR_OK;

	vkey_text(&n->signer.key, old);
	if (n->settings.rotation_days > 0)
		until_ms = wall_now().ms + (int64_t)n->settings.rotation_days * DAY_MS;
	e = keys_install_next(n->settings.keys, old, size, until_ms, why);
	if (e == ERR_OK)
		e = signing_reload(n);
	else
		log_line(LOG_ERROR,
			 "log %s: its keys were rotated at size %" PRIu64
			 ", and the new ones cannot be installed: %s; stopping: nothing may be "
			 "signed by the old ones; the next start installs them",
			 n->log.name.text, size, why);
	if (e == ERR_OK)
		log_line(LOG_NOTICE,
			 "log %s: keys rotated: from size %" PRIu64
			 " on the new ones sign, and the old one beside them for %u days",
			 n->log.name.text, size + 1, n->settings.rotation_days);
	return e;
}

/* Whether the keys that wait are those that the enrolment names. */
static bool waiting_are(const struct node *n, const struct card *next)
{
	char path[KEYS_PATH_BYTES];
	struct keys waiting = {0};
	bool same = false;

	keys_next_path(n->settings.keys, path);
	if (keys_load(path, &waiting, NULL) != ERR_OK)
		return false;
	same = memcmp(waiting.log_public, next->log_key.public, sizeof waiting.log_public) == 0;
	keys_free(&waiting);
	return same;
}

/* The log says where the key before ended: a rotation that was lost with the store came again. */
static enum err move_end(struct node *n, uint64_t size)
{
	char why[TEXT_BYTES_MAX + 1] = "";
	enum err e = ERR_OK;

	if (n->keys.previous[n->keys.previous_count - 1].size == size)
		return ERR_OK;
	e = keys_move_end(n->settings.keys, size, why);
	if (e != ERR_OK)
		log_line(LOG_ERROR, "log %s: %s; stopping: the next start tries again",
			 n->log.name.text, why);
	return e == ERR_OK ? signing_reload(n) : e;
}

enum err rotate_follow(struct node *n, const struct card *next, uint64_t size)
{
	if (n->keys.previous_count > 0 && same_key(&next->log_key, &n->signer.key))
		return move_end(n, size);
	if (known_key(n, &next->log_key))
		return ERR_OK;
	if (waiting_are(n, next))
		return install(n, size);
	log_line(LOG_ERROR,
		 "log %s: its keys were rotated at size %" PRIu64
		 " to keys that are neither in %s nor in %s.next; put the keys back that were made "
		 "for that rotation",
		 n->log.name.text, size, n->settings.keys, n->settings.keys);
	return ERR_CONFIG;
}

/* The rotation of a kill between commit and install is the last event of the log: nothing is
 * appended before the new keys stand. */
enum err rotate_heal(struct node *n, struct txn *read)
{
	struct bytes raw = {NULL, 0};
	struct event last;
	struct card next;
	enum err e = keys_drop_installed(n->settings.keys, &n->keys);

	if (e != ERR_OK) {
		log_line(LOG_ERROR,
			 "log %s: %s.next was installed and cannot be removed: %s; remove it",
			 n->log.name.text, n->settings.keys, err_text(e));
		return ERR_CONFIG;
	}
	if (n->log.tree.size > 0)
		e = log_event(&n->log, read, n->log.tree.size - 1, &raw);
	if (e != ERR_OK || !raw.size)
		return e == ERR_REDACTED ? ERR_OK : e;
	arena_reset(&n->arena);
	e = event_decode(raw, &n->arena, &last);
	if (e != ERR_OK || last.act != EVENT_ROTATES)
		return e;
	e = card_open(last.document, &next);
	return e == ERR_OK ? rotate_follow(n, &next, n->log.tree.size) : e;
}

/* ---- ROTATE ---- */

/* The enrolment of the keys that wait. */
static enum err next_card(const struct node *n, const struct keys *next, struct card *ret,
			  struct signer *ret_signer)
{
	char witness[KEY_NAME_BYTES_MAX + 1];
	enum err e = vkey_make(next->name, KEY_ED25519, next->log_public, &ret->log_key);

	if (e == ERR_OK)
		e = witness_origin(n->realm, n->log.name, witness, sizeof witness);
	if (e == ERR_OK)
		e = vkey_make(witness, KEY_COSIGNATURE, next->witness_public, &ret->witness_key);
	if (e != ERR_OK)
		return e;
	memcpy(ret->realm, n->realm, sizeof ret->realm);
	ret->log = n->log.name;
	memcpy(ret->curve_public, next->curve_public, sizeof ret->curve_public);
	*ret_signer = (struct signer){.key = ret->log_key, .secret = next->log_secret};
	return ERR_OK;
}

/* Why these keys cannot follow; NULL when they can. */
static const char *unfit(const struct node *n, const struct keys *next)
{
	struct vkey key = {.name = ""};

	memcpy(key.public, next->log_public, sizeof key.public);
	if (next->kind != KEYS_NODE || strcmp(next->name, n->keys.name) != 0)
		return "they are of another log; make them with `splotctl keygen --rotate`";
	if (memcmp(next->curve_public, n->keys.curve_public, sizeof next->curve_public) != 0)
		return "they have another transport key, by which no server would know this node; "
		       "make them with `splotctl keygen --rotate`";
	if (known_key(n, &key))
		return "this log was signed by them before; make new ones with `splotctl keygen "
		       "--rotate`";
	if (!rotate_is_everywhere(n))
		return "a server lacks the rotation before and would know none of the keys; rotate "
		       "when `splotctl status` shows that every server confirmed it, or waive that "
		       "one";
	if (n->keys.previous_count == KEYS_PREVIOUS_MAX)
		return "this log had as many keys as a log may have; the server's administrator "
		       "freezes it (`splotctl freeze`), and a new log (such as 26/2) goes on";
	return NULL;
}

static enum err append_rotation(struct node *n, const struct act *act, const struct keys *next)
{
	struct card card = {.server = false};
	struct buf document = {.limit = NOTE_BYTES_MAX};
	struct signer signer;
	enum err e = next_card(n, next, &card, &signer);

	if (e == ERR_OK)
		e = card_sign(&card, &signer, &document);
	if (e == ERR_OK) {
		struct event event = {.editor = act->by,
				      .reason = act->reason,
				      .source = "",
				      .act = EVENT_ROTATES,
				      .document = buf_bytes(&document)};

		e = act_append(n, &event, &signer);
	}
	buf_free(&document);
	return e;
}

/* ---- a rotation that was lost ---- */

bool rotate_again(struct node *n)
{
	const struct act act = {
		.by = "node",
		.reason = "these keys were named before, and that was lost with the store"};
	size_t last = n->keys.previous_count;
	enum err e = ERR_OK;

	if (last == 0 || n->log.tree.size >= n->keys.previous[last - 1].size || anew_waits(n))
		return false;
	e = n->keys.old_secret ? append_rotation(n, &act, &n->keys) : ERR_UNKNOWN_KEY;
	if (e == ERR_OK)
		e = move_end(n, n->log.tree.size);
	if (e == ERR_OK) {
		log_line(
			LOG_NOTICE,
			"log %s: no server had heard of its rotation when the store was lost: told "
			"again at size %" PRIu64,
			n->log.name.text, n->log.tree.size);
		return true;
	}
	log_line(LOG_ERROR,
		 "log %s: no server has heard of its keys, and they cannot be told again: %s; "
		 "stopping%s",
		 n->log.name.text, err_text(e),
		 e == ERR_UNKNOWN_KEY ? ": the key before is gone; the log is begun anew" : "");
	n->fault = e;
	return false;
}

bool rotate_is_everywhere(const struct node *n)
{
	size_t last = n->keys.previous_count;

	for (size_t i = 0; last > 0 && i < n->settings.server_count; i++) {
		if (!n->machine.links[i].waived &&
		    n->links[i].confirmed < n->keys.previous[last - 1].size)
			return false;
	}
	return true;
}

static void reply_rotated(struct node *n, struct open_call *call)
{
	struct control_reply reply = answer_plain(ERR_OK, "");

	reply.index = n->log.tree.size - 1;
	reply.size = n->log.tree.size;
	reply.position = n->log.tree.size;
	call_reply(n, call, &reply);
}

void act_rotate(struct node *n, struct open_call *call)
{
	char path[KEYS_PATH_BYTES];
	char why[TEXT_BYTES_MAX + 1] = "";
	char text[2 * TEXT_BYTES_MAX];
	struct keys next = {0};
	struct act act;
	enum err e = ERR_OK;

	if (!act_begin(n, call, &act))
		return;
	if (gate_closed(n)) {
		gate_text(n, why, sizeof why);
		act_reply(n, call, ERR_GATED, why);
		return;
	}
	keys_next_path(n->settings.keys, path);
	e = keys_load(path, &next, why);
	if (e == ERR_OK && unfit(n, &next)) {
		(void)snprintf(why, sizeof why, "%.200s: %s", path, unfit(n, &next));
		e = ERR_INVALID;
	} else if (e == ERR_NOT_FOUND) {
		(void)snprintf(why, sizeof why,
			       "no keys wait in %.300s: make them with `splotctl keygen --rotate "
			       "KEYS`",
			       path);
	}
	if (e == ERR_OK) {
		e = append_rotation(n, &act, &next);
		(void)snprintf(why, sizeof why, "nothing was changed: %s", err_text(e));
	}
	keys_free(&next);
	if (e != ERR_OK) {
		act_reply(n, call, e, why);
		return;
	}
	e = install(n, n->log.tree.size);
	if (e != ERR_OK) {
		n->fault = e;
		(void)snprintf(text, sizeof text,
			       "the rotation is in the log, and %.300s could not be installed; the "
			       "node stops, and its next start installs them",
			       path);
		act_reply(n, call, e, text);
		return;
	}
	log_line(LOG_NOTICE, "log %s: keys rotated by %s: %s", n->log.name.text, act.account,
		 act.reason);
	reply_rotated(n, call);
	act_grew(n);
}
