#include "server/trust.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { TRUST_FORMAT = 1 };

/* Numbers on disk; stable. */
static const struct {
	uint8_t number;
	enum server_log_state state;
} states[] = {{1, LOG_ACTIVE}, {2, LOG_FROZEN}, {3, LOG_REVOKED}};

static enum err state_of(uint8_t number, enum server_log_state *ret)
{
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		if (states[i].number == number) {
			*ret = states[i].state;
			return ERR_OK;
		}
	}
	return ERR_CORRUPT;
}

static uint8_t number_of(enum server_log_state state)
{
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (states[i].state == state)
			return states[i].number;
	return 0;
}

enum err trust_open(struct trust *t, struct store *s)
{
	enum err e = ERR_OK;

	t->entries = calloc(LOGS_MAX, sizeof *t->entries);
	if (!t->entries)
		return ERR_NOMEM;
	e = store_table(s, "trust", true, &t->logs);
	return e == ERR_OK ? store_table(s, "evidence", true, &t->evidence) : e;
}

void trust_free(struct trust *t)
{
	for (size_t i = 0; i < t->count; i++)
		buf_free(&t->entries[i].document);
	free(t->entries);
	*t = (struct trust){.count = 0};
}

/* Row: format, state, since (8), the signed enrolment. */
static enum err row_read(struct trust *t, struct bytes key, struct bytes value)
{
	struct cursor c = cursor_of(value);
	uint8_t format = cursor_u8(&c);
	uint8_t number = cursor_u8(&c);
	struct wall_ms since = {(int64_t)cursor_u64be(&c)};
	struct bytes document = cursor_bytes(&c, cursor_left(&c));
	enum server_log_state state = LOG_ACTIVE;
	struct card card;
	enum err e = cursor_finish(&c);

	if (e != ERR_OK || format != TRUST_FORMAT)
		return ERR_CORRUPT;
	e = state_of(number, &state);
	if (e == ERR_OK)
		e = card_open(document, &card);
	if (e == ERR_OK && !bytes_equal(key, bytes_of_text(card.log.text)))
		e = ERR_CORRUPT;
	return e == ERR_OK ? trust_add(t, &card, document, state, since) : e;
}

enum err trust_load(struct trust *t, struct txn *read, struct log_name *ret_log)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = scan_open(read, t->logs, &scan);

	if (e != ERR_OK)
		return e;
	for (e = scan_seek(scan, bytes_of("", 0), &key, &value); e == ERR_OK;
	     e = scan_next(scan, &key, &value)) {
		e = row_read(t, key, value);
		if (e != ERR_OK) {
			size_t size = key.size < LOG_NAME_BYTES ? key.size : LOG_NAME_BYTES - 1;

			*ret_log = (struct log_name){.text = ""};
			memcpy(ret_log->text, key.data, size);
			break;
		}
	}
	scan_close(scan);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

struct trusted *trust_log(struct trust *t, struct log_name log)
{
	for (size_t i = 0; i < t->count; i++)
		if (log_name_equal(t->entries[i].card.log, log))
			return &t->entries[i];
	return NULL;
}

struct trusted *trust_user(struct trust *t, const char *user)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->entries[i].user, user) == 0)
			return &t->entries[i];
	return NULL;
}

struct trusted *trust_curve(struct trust *t, const uint8_t key[static CURVE_BYTES])
{
	for (size_t i = 0; i < t->count; i++)
		if (memcmp(t->entries[i].card.curve_public, key, CURVE_BYTES) == 0)
			return &t->entries[i];
	return NULL;
}

static enum err row_write(struct trust *t, struct txn *write, struct log_name log,
			  enum server_log_state state, struct wall_ms since, struct bytes document)
{
	struct buf row = {.data = NULL};
	enum err e = ERR_OK;

	buf_add_u8(&row, TRUST_FORMAT);
	buf_add_u8(&row, number_of(state));
	buf_add_u64be(&row, (uint64_t)since.ms);
	buf_add_bytes(&row, document);
	e = buf_check(&row);
	if (e == ERR_OK)
		e = txn_put(write, t->logs, bytes_of_text(log.text), buf_bytes(&row));
	buf_free(&row);
	return e;
}

enum err trust_enrol(struct trust *t, struct txn *write, const struct card *card,
		     struct bytes document, struct wall_ms now)
{
	return row_write(t, write, card->log, LOG_ACTIVE, now, document);
}

enum err trust_add(struct trust *t, const struct card *card, struct bytes document,
		   enum server_log_state state, struct wall_ms since)
{
	struct trusted *entry = &t->entries[t->count];
	enum err e = ERR_OK;

	static_assert(sodium_base64_ENCODED_LEN(CURVE_BYTES, sodium_base64_VARIANT_ORIGINAL) ==
			      USER_BYTES_MAX + 1,
		      "a CURVE key in base64 is a user name");
	if (t->count == LOGS_MAX)
		return ERR_LIMIT;
	*entry = (struct trusted){.card = *card, .state = state, .staged = state, .since = since};
	(void)sodium_bin2base64(entry->user, sizeof entry->user, card->curve_public, CURVE_BYTES,
				sodium_base64_VARIANT_ORIGINAL);
	buf_add_bytes(&entry->document, document);
	e = buf_check(&entry->document);
	if (e == ERR_OK)
		t->count++;
	else
		buf_free(&entry->document);
	return e;
}

enum err trust_stage(struct trust *t, struct txn *write, struct trusted *entry,
		     enum server_log_state state)
{
	enum err e = row_write(t, write, entry->card.log, state, entry->since,
			       buf_bytes(&entry->document));

	if (e == ERR_OK)
		entry->staged = state;
	return e;
}

void trust_settle(struct trust *t, bool stored)
{
	for (size_t i = 0; i < t->count; i++) {
		struct trusted *entry = &t->entries[i];

		if (stored)
			entry->state = entry->staged;
		else
			entry->staged = entry->state;
	}
}

enum err trust_evidence(struct trust *t, struct txn *write, struct log_name log, uint64_t index,
			struct bytes note, struct bytes other)
{
	struct buf key = {.data = NULL};
	struct buf value = {.data = NULL};
	enum err e = note.size > NOTE_BYTES_MAX || other.size > NOTE_BYTES_MAX ? ERR_LIMIT : ERR_OK;

	buf_add_text(&key, log.text);
	buf_add_u8(&key, 0);
	buf_add_u64be(&key, index);
	buf_add_u32be(&value, (uint32_t)note.size);
	buf_add_bytes(&value, note);
	buf_add_bytes(&value, other);
	if (e == ERR_OK)
		e = buf_check(&key);
	if (e == ERR_OK)
		e = buf_check(&value);
	if (e == ERR_OK)
		e = txn_put(write, t->evidence, buf_bytes(&key), buf_bytes(&value));
	buf_free(&key);
	buf_free(&value);
	return e;
}
