#include "server/trust.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { TRUST_FORMAT = 3 };

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
	t->entries = calloc(LOGS_MAX, sizeof *t->entries);
	if (!t->entries)
		return ERR_NOMEM;
	return store_table(s, "trust", true, &t->logs);
}

void trust_free(struct trust *t)
{
	for (size_t i = 0; i < t->count; i++) {
		buf_free(&t->entries[i].document);
		buf_free(&t->entries[i].next_document);
	}
	free(t->entries);
	*t = (struct trust){.count = 0};
}

static struct past_keys past_read(struct cursor *c)
{
	struct past_keys past = {.count = cursor_u8(c)};

	if (past.count > LOG_KEYS_MAX - 1)
		c->err = ERR_CORRUPT;
	for (size_t i = 0; c->err == ERR_OK && i < past.count; i++) {
		struct bytes key = cursor_bytes(c, SIGN_PUBLIC_BYTES);

		if (c->err == ERR_OK)
			memcpy(past.keys[i], key.data, SIGN_PUBLIC_BYTES);
	}
	return past;
}

/* Row: format, state, since (8), how much stands (8; not in format 1), how many log keys it had
 * before and these (1, 32 each; not in formats 1 and 2), the signed enrolment. */
static enum err row_read(struct trust *t, struct bytes key, struct bytes value)
{
	struct cursor c = cursor_of(value);
	uint8_t format = cursor_u8(&c);
	uint8_t number = cursor_u8(&c);
	struct wall_ms since = {(int64_t)cursor_u64be(&c)};
	struct log_standing now = {.size = format > 1 ? cursor_u64be(&c) : UINT64_MAX};
	struct past_keys past = {.count = 0};
	struct bytes document = {NULL, 0};
	struct card card;
	enum err e = ERR_OK;

	if (format > 2)
		past = past_read(&c);
	document = cursor_bytes(&c, cursor_left(&c));
	e = cursor_finish(&c);

	if (e != ERR_OK || format == 0 || format > TRUST_FORMAT)
		return ERR_CORRUPT;
	e = state_of(number, &now.state);
	if (e == ERR_OK)
		e = card_open(document, &card);
	if (e == ERR_OK && !bytes_equal(key, bytes_of_text(card.log.text)))
		e = ERR_CORRUPT;
	if (e == ERR_OK)
		e = trust_add(t, &card, document, now, since);
	if (e == ERR_OK)
		t->entries[t->count - 1].past = past;
	return e;
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

const struct trusted *trust_writer(const struct trust *t, struct log_name log)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct trusted *entry = &t->entries[i];

		if (entry->now.state == LOG_ACTIVE &&
		    log_name_region(entry->card.log) == log_name_region(log) &&
		    !log_name_equal(entry->card.log, log))
			return entry;
	}
	return NULL;
}

static enum err row_write(struct trust *t, struct txn *write, struct log_name log,
			  struct log_standing what, struct wall_ms since,
			  const struct past_keys *past, struct bytes document)
{
	struct buf row = {.data = NULL};
	enum err e = ERR_OK;

	buf_add_u8(&row, TRUST_FORMAT);
	buf_add_u8(&row, number_of(what.state));
	buf_add_u64be(&row, (uint64_t)since.ms);
	buf_add_u64be(&row, what.size);
	buf_add_u8(&row, (uint8_t)past->count);
	buf_add(&row, past->keys, past->count * SIGN_PUBLIC_BYTES);
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
	const struct log_standing active = {.state = LOG_ACTIVE, .size = UINT64_MAX};
	const struct past_keys none = {.count = 0};

	return row_write(t, write, card->log, active, now, &none, document);
}

/* Into a slot that owns nothing. */
static enum err fill(struct trusted *entry, const struct card *card, struct bytes document,
		     struct log_standing now, struct wall_ms since)
{
	static_assert(sodium_base64_ENCODED_LEN(CURVE_BYTES, sodium_base64_VARIANT_ORIGINAL) ==
			      USER_BYTES_MAX + 1,
		      "a CURVE key in base64 is a user name");
	*entry = (struct trusted){.card = *card, .now = now, .staged = now, .since = since};
	(void)sodium_bin2base64(entry->user, sizeof entry->user, card->curve_public, CURVE_BYTES,
				sodium_base64_VARIANT_ORIGINAL);
	buf_add_bytes(&entry->document, document);
	return buf_check(&entry->document);
}

enum err trust_add(struct trust *t, const struct card *card, struct bytes document,
		   struct log_standing now, struct wall_ms since)
{
	struct trusted *entry = &t->entries[t->count];
	enum err e = ERR_OK;

	if (t->count == LOGS_MAX)
		return ERR_LIMIT;
	e = fill(entry, card, document, now, since);
	if (e == ERR_OK)
		t->count++;
	else
		buf_free(&entry->document);
	t->revision++;
	return e;
}

enum err trust_replace(struct trust *t, struct trusted *entry, const struct card *card,
		       struct bytes document, struct wall_ms since)
{
	struct trusted fresh;
	enum err e = fill(&fresh, card, document, entry->now, since);

	if (e != ERR_OK) {
		buf_free(&fresh.document);
		return e;
	}
	buf_free(&entry->document);
	buf_free(&entry->next_document);
	*entry = fresh;
	t->revision++;
	return ERR_OK;
}

/* As the open transaction has made them so far. */
static const struct past_keys *staged_past(const struct trusted *entry)
{
	return entry->rotates ? &entry->next_past : &entry->past;
}

static const struct vkey *staged_key(const struct trusted *entry)
{
	return entry->rotates ? &entry->next.log_key : &entry->card.log_key;
}

/* The row as the open transaction has made it so far. */
static enum err stage_row(struct trust *t, struct txn *write, struct trusted *entry)
{
	const struct buf *document = entry->rotates ? &entry->next_document : &entry->document;

	return row_write(t, write, entry->card.log, entry->staged, entry->since, staged_past(entry),
			 buf_bytes(document));
}

enum err trust_stage(struct trust *t, struct txn *write, struct trusted *entry,
		     struct log_standing what)
{
	entry->staged = what;
	return stage_row(t, write, entry);
}

enum err trust_new_key(const struct trusted *entry, const struct vkey *key)
{
	const struct past_keys *past = staged_past(entry);

	for (size_t i = 0; i < past->count; i++)
		if (memcmp(past->keys[i], key->public, SIGN_PUBLIC_BYTES) == 0)
			return ERR_EXISTS;
	if (memcmp(staged_key(entry)->public, key->public, SIGN_PUBLIC_BYTES) == 0)
		return ERR_EXISTS;
	return past->count == LOG_KEYS_MAX - 1 ? ERR_LIMIT : ERR_OK;
}

enum err trust_stage_keys(struct trust *t, struct txn *write, struct trusted *entry,
			  const struct card *next, struct bytes document)
{
	struct past_keys past = *staged_past(entry);
	enum err e = past.count == LOG_KEYS_MAX - 1 ? ERR_LIMIT : ERR_OK;

	buf_clear(&entry->next_document);
	buf_add_bytes(&entry->next_document, document);
	if (e == ERR_OK)
		e = buf_check(&entry->next_document);
	if (e != ERR_OK)
		return e;
	memcpy(past.keys[past.count++], staged_key(entry)->public, SIGN_PUBLIC_BYTES);
	entry->next_past = past;
	entry->next = *next;
	entry->rotates = true;
	return stage_row(t, write, entry);
}

static bool is_staged(const struct trusted *entry)
{
	return entry->rotates || entry->staged.state != entry->now.state ||
	       entry->staged.size != entry->now.size;
}

static void take_keys(struct trusted *entry)
{
	struct buf spare = entry->document;

	entry->card = entry->next;
	entry->past = entry->next_past;
	entry->document = entry->next_document;
	entry->next_document = spare;
}

void trust_settle(struct trust *t, bool stored)
{
	for (size_t i = 0; i < t->count; i++) {
		struct trusted *entry = &t->entries[i];

		if (!is_staged(entry))
			continue;
		if (stored && entry->rotates)
			take_keys(entry);
		if (stored)
			entry->now = entry->staged;
		else
			entry->staged = entry->now;
		entry->rotates = false;
		t->revision++;
	}
}
