/* Histories of invented logs, and messages made of them, for the tests of the session layer. */
#ifndef SPLOT_TESTS_SESSION_FIXTURE_H
#define SPLOT_TESTS_SESSION_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "model/event.h"
#include "model/wire.h"
#include "session/card.h"
#include "session/commit.h"

#define REALM "test.example"

enum { HISTORY_MAX = 64, FRAMES_MAX = 2 + COMMIT_FRAMES_MAX + 1 };

#define assert_ok(expression)        assert_string_equal(err_code(expression), "ok")
#define assert_err(expression, name) assert_string_equal(err_code(expression), name)

/* A log with its keys, and the tree at every size. */
struct history {
	struct log_name log;
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer;
	size_t count;
	struct buf events[HISTORY_MAX];
	struct tree trees[HISTORY_MAX + 1];
	uint64_t erased; /* this event travels without its bytes; UINT64_MAX: none does */
	struct arena arena;
};

static inline void make_signer(const char *name, uint8_t type, uint8_t seed_byte, uint8_t *secret,
			       struct signer *ret)
{
	uint8_t seed[SIGN_SEED_BYTES];
	uint8_t public[SIGN_PUBLIC_BYTES];

	memset(seed, seed_byte, sizeof(seed));
	assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
	assert_ok(vkey_make(name, type, public, &ret->key));
	ret->secret = secret;
}

static inline void history_begin(struct history *h, const char *log, uint8_t seed_byte)
{
	char origin[ORIGIN_BYTES_MAX + 1];

	memset(h, 0, sizeof(*h));
	assert_ok(log_name_parse(bytes_of_text(log), &h->log));
	assert_ok(log_origin(REALM, h->log, origin, sizeof(origin)));
	make_signer(origin, KEY_ED25519, seed_byte, h->secret, &h->signer);
	h->erased = UINT64_MAX;
	tree_init(&h->trees[0]);
}

static inline void history_add_raw(struct history *h, struct bytes event)
{
	assert_true(h->count < HISTORY_MAX);
	buf_add_bytes(&h->events[h->count], event);
	h->trees[h->count + 1] = h->trees[h->count];
	tree_append(&h->trees[h->count + 1], hash_leaf(event));
	h->count++;
}

static inline void history_add_event(struct history *h, struct event event)
{
	struct buf raw = {0};

	event.recorded.ms = 1700000000000 + (int64_t)h->count;
	event.editor = "e01";
	event.source = "";
	arena_reset(&h->arena);
	assert_ok(event_encode(&event, &h->arena, &raw));
	history_add_raw(h, buf_bytes(&raw));
	buf_free(&raw);
}

/* An event that retires the record `id`; `reason` makes one history differ from another. */
static inline void history_add(struct history *h, const char *id, const char *reason)
{
	struct change change = {.id = id, .kind = RECORD_OPERATOR, .retired = true};

	history_add_event(h,
			  (struct event){.reason = reason, .change_count = 1, .changes = &change});
}

/* `count` events about records of the log's own region. */
static inline void history_grow(struct history *h, size_t count, const char *reason)
{
	char id[64];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(id, sizeof(id), "pl%.2s-op-%zu", h->log.text, h->count);
		history_add(h, id, reason);
	}
}

/* A server's own log: its entries may be any bytes here. */
static inline void nation_begin(struct history *h)
{
	memset(h, 0, sizeof(*h));
	assert_ok(log_name_parse(bytes_of_text("national"), &h->log));
	make_signer(REALM "/national/centrum", KEY_ED25519, 40, h->secret, &h->signer);
	h->erased = UINT64_MAX;
	tree_init(&h->trees[0]);
}

static inline void nation_grow(struct history *h, size_t count, const char *told)
{
	char entry[64];

	for (size_t i = 0; i < count; i++) {
		(void)snprintf(entry, sizeof(entry), "%s %zu", told, h->count);
		history_add_raw(h, bytes_of_text(entry));
	}
}

static inline void history_end(struct history *h)
{
	for (size_t i = 0; i < h->count; i++)
		buf_free(&h->events[i]);
	arena_free(&h->arena);
}

/* A message's frames, owned. */
struct message {
	struct buf bufs[FRAMES_MAX];
	struct bytes frames[FRAMES_MAX];
	size_t count;
};

static inline void message_free(struct message *m)
{
	for (size_t i = 0; i < FRAMES_MAX; i++)
		buf_free(&m->bufs[i]);
	memset(m, 0, sizeof(*m));
}

static inline void message_add(struct message *m, struct bytes frame)
{
	assert_true(m->count < FRAMES_MAX);
	buf_add_bytes(&m->bufs[m->count], frame);
	m->frames[m->count] = buf_bytes(&m->bufs[m->count]);
	m->count++;
}

static inline void message_header(struct message *m, const struct wire_header *header)
{
	struct buf raw = {0};

	message_free(m);
	assert_ok(wire_encode(header, &raw));
	message_add(m, buf_bytes(&raw));
	buf_free(&raw);
}

/* A checkpoint of `size` with the root of `tree`, whatever its size. */
static inline void sign_root(const struct signer *by, const char *origin, uint64_t size,
			     const struct tree *tree, struct buf *ret)
{
	struct checkpoint c = {.size = size, .root = tree_root(tree)};
	struct buf text = {0};

	memcpy(c.origin, origin, strlen(origin) + 1);
	assert_ok(checkpoint_text(&c, &text));
	assert_ok(note_sign(buf_bytes(&text), by, ret));
	buf_free(&text);
}

static inline void message_note(struct message *m, const struct history *h, uint64_t size)
{
	struct buf note = {0};

	sign_root(&h->signer, h->signer.key.name, size, &h->trees[size], &note);
	message_add(m, buf_bytes(&note));
	buf_free(&note);
}

static inline void message_events(struct message *m, const struct history *h, uint64_t from,
				  uint64_t size)
{
	struct buf frame = {0};

	for (uint64_t i = from; i < size; i++) {
		struct hash leaf = hash_leaf(buf_bytes(&h->events[i]));

		if (frame.size + bundle_packed(h->events[i].size) > FRAME_BYTES_MAX) {
			message_add(m, buf_bytes(&frame));
			buf_clear(&frame);
		}
		if (i == h->erased)
			bundle_add_redacted(&frame, leaf.b);
		else
			bundle_add(&frame, buf_bytes(&h->events[i]));
	}
	message_add(m, buf_bytes(&frame));
	buf_free(&frame);
}

static inline void message_hello(struct message *m, const struct history *h, uint64_t size)
{
	struct wire_header header = {
		.kind = WIRE_HELLO, .protocol = WIRE_PROTOCOL, .log = h->log, .size = size};

	message_header(m, &header);
	if (size)
		message_note(m, h, size);
}

static inline void message_anchor(struct message *m, const struct history *h, uint64_t session,
				  uint64_t size)
{
	struct wire_header header = {.kind = WIRE_ANCHOR, .session = session, .size = size};

	message_header(m, &header);
	if (size)
		message_note(m, h, size);
}

static inline void message_commit(struct message *m, const struct history *h, uint64_t session,
				  uint64_t from, uint64_t size)
{
	struct wire_header header = {.kind = WIRE_COMMIT,
				     .session = session,
				     .from = from,
				     .count = (uint32_t)(size - from)};

	message_header(m, &header);
	message_note(m, h, size);
	message_events(m, h, from, size);
}

static inline void message_range(struct message *m, const struct history *h, uint64_t session,
				 uint64_t from, uint64_t size)
{
	struct wire_header header = {.kind = WIRE_RANGE,
				     .session = session,
				     .log = h->log,
				     .from = from,
				     .count = (uint32_t)(size - from)};

	message_header(m, &header);
	message_note(m, h, size);
	message_events(m, h, from, size);
}

/* A node's card for a history's key. */
static inline void history_card(const struct history *h, struct card *ret)
{
	char witness[KEY_NAME_BYTES_MAX + 1];

	*ret = (struct card){.log = h->log, .log_key = h->signer.key};
	memcpy(ret->realm, REALM, sizeof(REALM));
	(void)snprintf(witness, sizeof(witness), "%s/witness/%s", REALM, h->log.text);
	assert_ok(vkey_make(witness, KEY_COSIGNATURE, h->signer.key.public, &ret->witness_key));
	memset(ret->curve_public, 7, sizeof(ret->curve_public));
}

/* Other keys for a history's log. */
struct next_keys {
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer;
	struct card card;
	struct buf enrolment;
};

static inline void next_keys_begin(struct next_keys *k, const struct history *h, uint8_t seed_byte)
{
	memset(k, 0, sizeof(*k));
	history_card(h, &k->card);
	make_signer(h->signer.key.name, KEY_ED25519, seed_byte, k->secret, &k->signer);
	k->card.log_key = k->signer.key;
	assert_ok(card_sign(&k->card, &k->signer, &k->enrolment));
}

static inline void history_rotate(struct history *h, struct bytes enrolment)
{
	history_add_event(h, (struct event){.reason = "other keys",
					    .act = EVENT_ROTATES,
					    .document = enrolment});
}

/* The first event of a log that goes on from `size` events of `old`. */
static inline void history_continue(struct history *h, const struct history *old, uint64_t size,
				    struct bytes note)
{
	history_add_event(h, (struct event){.reason = "anew",
					    .act = EVENT_CONTINUES,
					    .old_log = old->log,
					    .old_size = size,
					    .document = note});
}

/* The note in frame 1 gets one more signature. */
static inline void message_sign_also(struct message *m, const struct signer *by)
{
	assert_ok(note_sign_also(by, &m->bufs[1]));
	m->frames[1] = buf_bytes(&m->bufs[1]);
}

#endif
