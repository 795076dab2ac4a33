#include "ledger/redaction.h"

#include <string.h>

#include "ledger/keys.h"

enum err redaction_read(const struct national_entry *entry, struct log_name own,
			uint64_t *ret_index, struct hash *ret_leaf)
{
	if (entry->kind != NATIONAL_ACT || strcmp(entry->act, "redact") != 0 ||
	    entry->leaf.size != HASH_BYTES)
		return ERR_INVALID;
	if (!log_name_equal(entry->log, own))
		return ERR_OWNER;
	*ret_index = entry->index;
	memcpy(ret_leaf->b, entry->leaf.data, HASH_BYTES);
	return ERR_OK;
}

enum err redaction_known(struct table redacted, struct txn *t, uint64_t index, struct hash leaf,
			 bool *ret)
{
	uint8_t key[INDEX_KEY_BYTES];
	struct bytes row = {NULL, 0};
	enum err e = ERR_OK;

	u64_write(key, index);
	e = txn_get(t, redacted, bytes_of(key, sizeof key), &row);
	if (e == ERR_OK && row.size < HASH_BYTES)
		return ERR_CORRUPT;
	*ret = e == ERR_OK && memcmp(row.data, leaf.b, HASH_BYTES) == 0;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err erase(const struct log *l, struct txn *t, uint64_t index, struct hash leaf,
		      bool *ret_erased)
{
	struct bytes event;
	struct hash ours;
	enum err e = ERR_OK;

	*ret_erased = false;
	if (index >= l->tree.size)
		return ERR_OK;
	e = log_leaf(l, t, index, &ours);
	if (e == ERR_OK && !hash_equal(ours, leaf))
		e = ERR_ROOT;
	if (e == ERR_OK)
		e = log_event(l, t, index, &event);
	if (e == ERR_REDACTED)
		return ERR_OK;
	if (e == ERR_OK && event_is_act(event))
		e = ERR_INVALID;
	if (e == ERR_OK)
		e = log_redact(l, t, index, leaf);
	*ret_erased = e == ERR_OK;
	return e;
}

enum err redaction_carry_out(const struct log *l, struct table redacted, struct txn *t,
			     uint64_t index, struct hash leaf, struct bytes entry, bool *ret_erased)
{
	uint8_t key[INDEX_KEY_BYTES];
	struct buf row = {.limit = HASH_BYTES + EVENT_BYTES_MAX};
	enum err e = erase(l, t, index, leaf, ret_erased);

	u64_write(key, index);
	buf_add(&row, leaf.b, HASH_BYTES);
	buf_add_bytes(&row, entry);
	if (e == ERR_OK)
		e = buf_check(&row);
	if (e == ERR_OK)
		e = txn_put(t, redacted, bytes_of(key, sizeof key), buf_bytes(&row));
	buf_free(&row);
	return e;
}
