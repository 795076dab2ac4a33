/* Logs of an invented realm, with what an honest and a dishonest keeper of their keys may send. */
#ifndef SPLOT_TESTS_FUZZ_HISTORY_H
#define SPLOT_TESTS_FUZZ_HISTORY_H

#include "signers.h"

#include "model/event.h"
#include "model/wire.h"
#include "session/card.h"
#include "tlog/tree.h"

enum { HISTORY_MAX = 40, MESSAGE_FRAMES_MAX = 2 + COMMIT_FRAMES_MAX + 2 };

/* A log with its tree at every size.  From `rotated` on the second key signs. */
struct history {
	struct log_name log;
	const struct fuzz_key *key, *next; /* next: NULL, none */
	uint64_t rotated;                  /* size with the event that names `next` */
	size_t count;
	struct buf events[HISTORY_MAX];
	struct tree trees[HISTORY_MAX + 1];
};

static inline void history_begin(struct history *h, const char *log, const struct fuzz_key *key)
{
	memset(h, 0, sizeof *h);
	ALWAYS(log_name_parse(bytes_of_text(log), &h->log) == ERR_OK);
	h->key = key;
	h->rotated = UINT64_MAX;
	tree_init(&h->trees[0]);
}

static inline void history_add_raw(struct history *h, struct bytes event)
{
	ALWAYS(h->count < HISTORY_MAX);
	buf_add_bytes(&h->events[h->count], event);
	ALWAYS(buf_check(&h->events[h->count]) == ERR_OK);
	h->trees[h->count + 1] = h->trees[h->count];
	tree_append(&h->trees[++h->count], hash_leaf(event));
}

static inline void history_add(struct history *h, struct event e)
{
	struct arena arena = {.head = NULL};
	struct buf raw = {.data = NULL};

	e.recorded.ms = 1764000000000 + (int64_t)h->count;
	e.editor = "e01";
	e.source = "";
	ALWAYS(event_encode(&e, &arena, &raw) == ERR_OK);
	history_add_raw(h, buf_bytes(&raw));
	buf_free(&raw);
	arena_free(&arena);
}

/* `count` events that retire records of the log's region; `reason` tells histories apart. */
static inline void history_grow(struct history *h, size_t count, const char *reason)
{
	for (size_t i = 0; i < count; i++) {
		char id[32];
		struct change c = {.id = id, .kind = RECORD_OPERATOR, .retired = true};

		(void)snprintf(id, sizeof id, "pl%.2s-op-%zu", h->log.text, h->count);
		history_add(h, (struct event){.reason = reason, .change_count = 1, .changes = &c});
	}
}

static inline void history_card(const struct history *h, const struct fuzz_key *key,
				const struct fuzz_key *witness, uint8_t curve, struct card *ret)
{
	*ret = (struct card){
		.log = h->log, .log_key = key->signer.key, .witness_key = witness->signer.key};
	memcpy(ret->realm, FUZZ_REALM, sizeof FUZZ_REALM);
	memset(ret->curve_public, curve, sizeof ret->curve_public);
}

/* The last event names other keys, which sign from then on. */
static inline void history_rotate(struct history *h, const struct fuzz_key *next,
				  const struct card *card)
{
	struct buf note = {.data = NULL};

	ALWAYS(card_sign(card, &next->signer, &note) == ERR_OK);
	history_add(h, (struct event){.reason = "keys",
				      .act = EVENT_ROTATES,
				      .document = fuzz_done(&note)});
	buf_free(&note);
	h->next = next;
	h->rotated = h->count;
}

/* The note of a size, as the log's keeper signs it. */
static inline void history_note(const struct history *h, uint64_t size, struct buf *ret)
{
	bool later = size > h->rotated;

	fuzz_checkpoint(later ? h->next : h->key, size, tree_root(&h->trees[size]), ret);
	if (size == h->rotated)
		ALWAYS(note_sign_also(&h->next->signer, ret) == ERR_OK);
}

/* ---- messages ---- */

struct message {
	size_t count;
	struct buf bufs[MESSAGE_FRAMES_MAX];
	struct bytes frames[MESSAGE_FRAMES_MAX]; /* copies with nothing behind them */
};

static inline struct buf *message_frame(struct message *m)
{
	ALWAYS(m->count < MESSAGE_FRAMES_MAX);
	buf_clear(&m->bufs[m->count]);
	return &m->bufs[m->count++];
}

static inline void message_header(struct message *m, const struct wire_header *h)
{
	m->count = 0;
	if (wire_encode(h, message_frame(m)) != ERR_OK)
		buf_clear(&m->bufs[0]);
}

static inline void message_events(struct message *m, const struct history *h, uint64_t from,
				  uint64_t size, uint64_t redacted)
{
	struct buf *frame = message_frame(m);

	for (uint64_t i = from; i < size; i++) {
		if (i == redacted)
			bundle_add_redacted(frame, hash_leaf(buf_bytes(&h->events[i])).b);
		else
			bundle_add(frame, buf_bytes(&h->events[i]));
	}
}

/* Frames changed as the input says: a count, then what and where. */
static inline void message_spoil(struct message *m, struct cursor *in)
{
	for (uint8_t left = cursor_u8(in) % 8; left > 0; left--) {
		uint8_t what = cursor_u8(in);
		size_t frame = cursor_u8(in) % (m->count ? m->count : 1);
		uint16_t at = cursor_u16be(in);
		struct buf *b = &m->bufs[frame];

		switch (what % 4) {
		case 0:
			if (b->size > 0)
				b->data[at % b->size] ^= (uint8_t)(1 + what / 4);
			break;
		case 1:
			if (m->count > 0)
				m->count--;
			break;
		case 2:
			if (b->size > 0)
				b->size -= 1 + at % b->size;
			break;
		default:
			if (m->count < MESSAGE_FRAMES_MAX)
				buf_add_bytes(message_frame(m),
					      cursor_bytes(in, at % 64 < cursor_left(in)
								       ? at % 64
								       : cursor_left(in)));
		}
	}
}

/* Frames that are nothing but the input. */
static inline void message_raw(struct message *m, struct cursor *in)
{
	m->count = 0;
	for (uint8_t left = cursor_u8(in) % (MESSAGE_FRAMES_MAX + 1); left > 0; left--) {
		size_t size = cursor_u8(in);

		if (size > cursor_left(in))
			size = cursor_left(in);
		buf_add_bytes(message_frame(m), cursor_bytes(in, size));
	}
}

static inline const struct bytes *message_done(struct message *m)
{
	for (size_t i = 0; i < m->count; i++) {
		ALWAYS(buf_check(&m->bufs[i]) == ERR_OK);
		m->frames[i] = fuzz_copy(buf_bytes(&m->bufs[i]));
	}
	return m->frames;
}

static inline void message_over(struct message *m)
{
	for (size_t i = 0; i < m->count; i++)
		fuzz_free(m->frames[i]);
	m->count = 0;
}

static inline void message_free(struct message *m)
{
	for (size_t i = 0; i < MESSAGE_FRAMES_MAX; i++)
		buf_free(&m->bufs[i]);
}

#endif
