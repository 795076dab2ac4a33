/* Checkpoints by the keys that a keyring has collected: one that is shown, by the key of its size;
 * one that was stored, by every key of its log. */
#include "audit/keyring.h"

#include "ledger/log.h"

/* The first of the keys that begin last below `size`. */
static const struct log_key *key_for(const struct log_keys *l, uint64_t size)
{
	const struct log_key *found = NULL;

	for (size_t i = 0; l && i < l->count; i++) {
		if (l->keys[i].from > 0 && l->keys[i].from >= size)
			break;
		if (!found || l->keys[i].from > found->from)
			found = &l->keys[i];
	}
	return found;
}

enum err keyring_checkpoint(const struct keyring *k, struct log_name log, struct bytes note,
			    struct checkpoint *ret)
{
	const struct log_keys *l = keyring_log(k, log);
	const struct log_key *key = NULL;
	struct checkpoint c;
	enum err found = ERR_UNKNOWN_KEY;
	enum err e = log_note_read(note, &c);

	if (e != ERR_OK)
		return e;
	key = key_for(l, c.size);
	for (uint64_t from = key ? key->from : 0;
	     key && key < l->keys + l->count && key->from == from; key++) {
		e = checkpoint_open(note, &key->key, ret);
		if (e != ERR_UNKNOWN_KEY && e != ERR_ORIGIN)
			return e;
		/* Of several, another name may be the right one: then that one's word counts. */
		found = found == ERR_UNKNOWN_KEY ? e : found;
	}
	return found;
}

enum err keyring_stored(const struct keyring *k, struct log_name log, struct bytes note,
			struct checkpoint *ret)
{
	const struct log_keys *l = keyring_log(k, log);
	struct vkey keys[LOG_KEYS_MAX];
	struct checkpoint c;
	struct note parsed;
	enum err e = keyring_checkpoint(k, log, note, &c);

	if (e == ERR_OK && l->count > 1) { /* by one key all was said */
		for (size_t i = 0; i < l->count; i++)
			keys[i] = l->keys[i].key;
		e = note_parse(note, &parsed);
		if (e == ERR_OK)
			e = note_verify_all(&parsed, keys, l->count);
	}
	if (e == ERR_OK)
		*ret = c;
	return e;
}
