/* This node as a witness: it cosigns a server's national log as long as that provably only grows.
 * What it witnessed is on the disk before the cosignature leaves.  Two histories of one national
 * log are kept, and that server is trusted no more: not after a restart either. */
#include "node/node.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "tlog/cosignature.h"
#include "tlog/witness.h"

enum { OFFER_FRAMES = 4 };

/* An OFFER taken apart. */
struct offer {
	const struct vkey *log_key;
	struct bytes note;
	struct proof proof;
	struct bytes cosigned; /* the newest one with witnesses' lines; may be empty */
	bool readable;
};

/* Why an offer is not cosigned. */
struct decline {
	enum err code;
	const char *text;
	bool evidence;      /* `other` and what was witnessed, or `one`, are two histories */
	struct bytes other; /* a slice of the offer */
	struct bytes one;   /* another one, when the offer contradicts itself */
};

static const char *server_name(const struct node *n, size_t link)
{
	return n->settings.servers[link].name;
}

static const struct vkey *national_key(const struct node *n, size_t link)
{
	return &n->settings.servers[link].card.log_key;
}

/* ---- what was witnessed: national origin -> note ---- */

enum err witnessed_note(struct node *n, struct txn *t, size_t link, struct bytes *ret)
{
	enum err e = txn_get(t, n->witnessed, bytes_of_text(national_key(n, link)->name), ret);

	if (e == ERR_NOT_FOUND) {
		*ret = (struct bytes){NULL, 0};
		return ERR_OK;
	}
	return e;
}

static enum err witnessed_state(struct node *n, struct txn *t, size_t link, struct bytes *ret_note,
				struct witness_state *ret)
{
	struct checkpoint c;
	enum err e = witnessed_note(n, t, link, ret_note);

	*ret = (struct witness_state){.size = 0};
	if (e != ERR_OK || !ret_note->size)
		return e;
	e = checkpoint_open(*ret_note, national_key(n, link), &c);
	if (e == ERR_OK)
		*ret = (struct witness_state){.size = c.size, .root = c.root};
	return e == ERR_OK ? ERR_OK : ERR_CORRUPT;
}

/* ---- evidence: national origin, 0, time -> size of the first note, both notes ---- */

static enum err evidence_key(struct buf *ret, const char *origin)
{
	buf_add_text(ret, origin);
	buf_add_u8(ret, 0);
	return buf_check(ret);
}

enum err evidence_against(struct node *n, struct txn *t, size_t link, struct evidence_found *ret)
{
	struct buf prefix = {.limit = ORIGIN_BYTES_MAX + 1};
	struct scan *scan = NULL;
	struct bytes key, value;
	enum err e = evidence_key(&prefix, national_key(n, link)->name);

	*ret = (struct evidence_found){.at = {0}};
	if (e == ERR_OK)
		e = scan_open(t, n->evidence, &scan);
	if (e == ERR_OK)
		e = scan_seek(scan, buf_bytes(&prefix), &key, &value);
	if (e == ERR_OK && key.size == prefix.size + 8 &&
	    memcmp(key.data, prefix.data, prefix.size) == 0) {
		struct cursor k = cursor_of(bytes_of(key.data + prefix.size, 8));
		struct cursor v = cursor_of(value);

		ret->at.ms = (int64_t)cursor_u64be(&k);
		ret->note = cursor_bytes(&v, cursor_u32be(&v));
		ret->other = cursor_bytes(&v, cursor_left(&v));
		e = cursor_finish(&v) == ERR_OK ? ERR_OK : ERR_CORRUPT;
	}
	scan_close(scan);
	buf_free(&prefix);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err put_evidence(struct node *n, struct txn *write, size_t link, struct bytes note,
			     struct bytes other)
{
	struct buf key = {.limit = ORIGIN_BYTES_MAX + 16};
	struct buf value = {.limit = (size_t)4 * NOTE_BYTES_MAX};
	enum err e = evidence_key(&key, national_key(n, link)->name);

	buf_add_u64be(&key, (uint64_t)wall_now().ms);
	buf_add_u32be(&value, (uint32_t)note.size);
	buf_add_bytes(&value, note);
	buf_add_bytes(&value, other);
	if (e == ERR_OK)
		e = buf_check(&key);
	if (e == ERR_OK)
		e = buf_check(&value);
	if (e == ERR_OK)
		e = txn_put(write, n->evidence, buf_bytes(&key), buf_bytes(&value));
	buf_free(&key);
	buf_free(&value);
	return e;
}

enum err witness_distrust_known(struct node *n)
{
	for (size_t i = 0; i < n->settings.server_count; i++) {
		struct node_event distrust = {.kind = NODE_EV_DISTRUST, .link = i};
		struct evidence_found found;
		struct txn *read = NULL;
		enum err e = txn_begin(n->store, false, &read);

		if (e == ERR_OK)
			e = evidence_against(n, read, i, &found);
		txn_abort(read);
		if (e != ERR_OK)
			return e;
		if (found.at.ms)
			links_step(n, &distrust);
	}
	return ERR_OK;
}

/* ---- judging ---- */

static struct offer offer_of(const struct node *n, const struct node_action *a)
{
	struct offer o = {.log_key = national_key(n, a->link)};

	if (a->frame_count != OFFER_FRAMES)
		return o;
	o.note = a->frames[1];
	o.cosigned = a->frames[3];
	o.readable = proof_read(a->frames[2], &o.proof) == ERR_OK &&
		     o.note.size <= NOTE_BYTES_MAX && o.cosigned.size <= NOTE_BYTES_MAX;
	return o;
}

/* Whether a note that the server signed says another root than `state` at the same size. */
static bool contradicts(const struct vkey *key, struct bytes note,
			const struct witness_state *state)
{
	struct checkpoint c;

	return note.size && state->size && checkpoint_open(note, key, &c) == ERR_OK &&
	       c.size == state->size && !hash_equal(c.root, state->root);
}

static const char other_history[] =
	"the national log does not extend what this node witnessed: both notes are kept";

/* OK: `ret_now` is to be witnessed. */
static enum err judge(const struct offer *o, const struct witness_state *state, uint64_t old,
		      struct checkpoint *ret_now, struct decline *ret)
{
	static const struct {
		enum err code;
		const char *text;
	} answers[] = {
		[WITNESS_COSIGN] = {ERR_OK, ""},
		[WITNESS_BAD_REQUEST] = {ERR_DECODE, "this is no offer of a checkpoint"},
		[WITNESS_FORBIDDEN] = {ERR_SIGNATURE, "not signed by the key of the server's card"},
		[WITNESS_UNKNOWN_LOG] = {ERR_ORIGIN, "another log than that of the server's card"},
		[WITNESS_CONFLICT] = {ERR_OLD, "offer it from the size that was witnessed"},
		[WITNESS_OTHER_ROOT] = {ERR_FORK, other_history},
		[WITNESS_BAD_PROOF] = {ERR_PROOF, "not shown to have grown"},
	};
	struct witness_state now;
	enum witness_answer a = WITNESS_BAD_REQUEST;

	*ret = (struct decline){.code = ERR_FORK, .text = other_history, .evidence = true};
	if (o->readable && contradicts(o->log_key, o->cosigned, state)) {
		ret->other = o->cosigned;
		return ERR_FORK;
	}
	ret->other = o->note;
	if (o->readable)
		a = witness_judge(o->log_key, state, old, &o->proof, o->note, ret_now);
	if (witness_shows_fork(a, state, old, ret_now))
		return ERR_FORK;
	ret->evidence = false;
	ret->code = answers[a].code;
	ret->text = answers[a].text;
	if (a != WITNESS_COSIGN)
		return ret->code;
	now = (struct witness_state){.size = ret_now->size, .root = ret_now->root};
	if (contradicts(o->log_key, o->cosigned, &now)) {
		*ret = (struct decline){.code = ERR_FORK,
					.text = other_history,
					.evidence = true,
					.other = o->cosigned,
					.one = o->note};
		return ERR_FORK;
	}
	return ERR_OK;
}

/* ---- storing, answering ---- */

/* What is not empty, in one synced transaction. */
static enum err try_keep(struct node *n, size_t link, struct bytes witnessed, struct bytes mine,
			 struct bytes other)
{
	struct txn *write = NULL;
	enum err e = txn_begin(n->store, true, &write);

	if (e == ERR_OK && witnessed.size)
		e = txn_put(write, n->witnessed, bytes_of_text(national_key(n, link)->name),
			    witnessed);
	if (e == ERR_OK && other.size)
		e = put_evidence(n, write, link, mine, other);
	if (e == ERR_OK) {
		e = txn_commit(write);
		write = NULL;
	}
	txn_abort(write);
	if (e == ERR_SYNC || e == ERR_IO || e == ERR_CORRUPT)
		n->fault = e;
	return e;
}

static enum err keep(struct node *n, size_t link, struct bytes witnessed, struct bytes mine,
		     struct bytes other)
{
	enum err e = witnessed.size
			     ? witnessed_write_down(n, national_key(n, link)->name, witnessed)
			     : ERR_OK;

	if (e == ERR_SYNC)
		n->fault = e;
	if (e != ERR_OK)
		return e;
	e = try_keep(n, link, witnessed, mine, other);
	while (e != ERR_OK && batch_grow(n, e) == ERR_OK)
		e = try_keep(n, link, witnessed, mine, other);
	return e;
}

static void send_cosigned(struct node *n, const struct node_action *a, const struct checkpoint *c)
{
	struct wire_header header = {
		.kind = WIRE_COSIGNED, .session = a->header.session, .size = c->size};
	char name[KEY_NAME_BYTES_MAX + 1];
	struct signer signer = {.secret = n->keys.witness_secret};
	struct buf text = {.limit = NOTE_BYTES_MAX};
	enum err e = witness_origin(n->realm, n->log.name, name, sizeof name);

	buf_clear(&n->note);
	if (e == ERR_OK)
		e = vkey_make(name, KEY_COSIGNATURE, n->keys.witness_public, &signer.key);
	if (e == ERR_OK)
		e = checkpoint_text(c, &text);
	if (e == ERR_OK)
		e = note_cosign(buf_bytes(&text), (uint64_t)(wall_now().ms / 1000), &signer,
				&n->note);
	if (e == ERR_OK)
		e = link_send(n, a->link, &header, buf_bytes(&n->note));
	link_say_unsent(n, a->link, "a cosignature", e);
	buf_free(&text);
}

static void send_declined(struct node *n, const struct node_action *a, const struct decline *d,
			  uint64_t size, struct bytes mine)
{
	struct wire_header header = {
		.kind = WIRE_DECLINED, .session = a->header.session, .size = size, .code = d->code};

	(void)snprintf(header.text, sizeof header.text, "%s", d->text);
	link_say_unsent(n, a->link, "why it does not witness",
			link_send(n, a->link, &header, mine));
}

static void tell_declined(const struct node *n, size_t link, const struct decline *d, uint64_t size)
{
	if (d->evidence)
		log_line(LOG_ERROR,
			 "log %s: server %s: its national log is not the one that this node "
			 "witnessed at size %" PRIu64 ": DISTRUSTED; both signed notes are kept "
			 "(`splotctl audit evidence`); nothing more is sent there or taken from "
			 "there; tell the other regions and the ministry",
			 n->log.name.text, server_name(n, link), size);
	else if (d->code != ERR_OLD)
		log_line(LOG_WARN, "log %s: server %s: its national log was not witnessed: %s",
			 n->log.name.text, server_name(n, link), d->text);
}

/* What was witnessed is copied: storing writes over it. */
static enum err read_state(struct node *n, size_t link, struct buf *ret_note,
			   struct witness_state *ret)
{
	struct txn *read = NULL;
	struct bytes note = {NULL, 0};
	enum err e = txn_begin(n->store, false, &read);

	if (e == ERR_OK)
		e = witnessed_state(n, read, link, &note, ret);
	if (e == ERR_OK) {
		buf_add_bytes(ret_note, note);
		e = buf_check(ret_note);
	}
	txn_abort(read);
	return e;
}

/* A log begun anew of which nothing was witnessed yet goes on from the checkpoint that its first
 * entry was shown in: that entry vouches for no other history. */
static enum err begin_at(const struct node *n, const struct node_action *a, struct buf *mine,
			 struct witness_state *state, uint64_t *old)
{
	const struct buf *by = &n->links[a->link].begun_by;
	struct checkpoint c;
	enum err e = ERR_OK;

	if (!by->size)
		return ERR_OK;
	buf_add_bytes(mine, buf_bytes(by));
	e = buf_check(mine);
	if (e == ERR_OK)
		e = checkpoint_open(buf_bytes(by), national_key(n, a->link), &c);
	if (e != ERR_OK)
		return e;
	*state = (struct witness_state){.size = c.size, .root = c.root};
	if (*old == 0 && a->header.size == c.size)
		*old = c.size; /* the very one: it needs no proof */
	return ERR_OK;
}

/* Whether it was cosigned, or why not; what has to be on the disk first is there. */
static struct decline answer_of(struct node *n, const struct node_action *a, struct buf *mine,
				struct witness_state *state, struct checkpoint *now)
{
	const struct bytes none = {NULL, 0};
	struct offer o = offer_of(n, a);
	struct decline d = {.code = ERR_OK};
	uint64_t old = a->header.from;
	enum err e = read_state(n, a->link, mine, state);
	bool kept = mine->size > 0;

	if (e == ERR_OK && !kept && !follow_may_witness(n, a->link, &d.code, &d.text))
		return d;
	if (e == ERR_OK && !kept)
		e = begin_at(n, a, mine, state, &old);
	if (e == ERR_OK && judge(&o, state, old, now, &d) == ERR_OK) {
		if (now->size == state->size && kept)
			return d; /* witnessed before: the answer was lost */
		e = keep(n, a->link, o.note, none, none);
	} else if (e == ERR_OK) {
		struct bytes one = d.one.size ? d.one : buf_bytes(mine);

		/* Evidence that finds no room is said aloud all the same. */
		if (d.evidence && keep(n, a->link, none, one, d.other) != ERR_OK)
			log_line(LOG_ERROR, "log %s: the evidence could not be stored",
				 n->log.name.text);
		return d;
	}
	if (e != ERR_OK)
		d = (struct decline){.code = e, .text = "it cannot be stored just now"};
	return d;
}

bool witness_offer(struct node *n, const struct node_action *a)
{
	struct witness_state state = {.size = 0};
	struct checkpoint now = {.size = 0};
	struct buf mine = {.limit = NOTE_BYTES_MAX};
	struct decline d = answer_of(n, a, &mine, &state, &now);

	if (n->fault == ERR_OK && d.code == ERR_OK) {
		send_cosigned(n, a, &now);
	} else if (n->fault == ERR_OK) {
		tell_declined(n, a->link, &d, state.size);
		send_declined(n, a, &d, state.size, buf_bytes(&mine));
	}
	buf_free(&mine);
	return d.evidence && n->fault == ERR_OK;
}
