#include "session/anew.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct log_name NATIONAL = {"national"};

/* ---- what a log quotes ---- */

bool anew_same_server(const struct origin_parts *a, const struct origin_parts *b)
{
	return a->kind == ORIGIN_NATIONAL && b->kind == ORIGIN_NATIONAL &&
	       strcmp(a->realm, b->realm) == 0 && strcmp(a->server, b->server) == 0;
}

static enum err national_parts(const char *origin, struct origin_parts *ret)
{
	enum err e = origin_parse(bytes_of_text(origin), ret);

	return !e && ret->kind != ORIGIN_NATIONAL ? ERR_INVALID : e;
}

enum err anew_open(const char *origin, struct bytes note, const struct vkey *key,
		   struct anew_quote *ret)
{
	struct anew_quote q = {.key = *key};
	struct origin_parts now;
	struct origin_parts before;
	enum err e = national_parts(origin, &now);

	if (e || now.generation < 2)
		return ERR_INVALID;
	if (key->type != KEY_ED25519 || national_parts(key->name, &before) != ERR_OK ||
	    !anew_same_server(&now, &before) || before.generation >= now.generation)
		return ERR_ORIGIN;
	e = checkpoint_open(note, key, &q.checkpoint);
	if (!e && q.checkpoint.size == 0)
		e = ERR_INVALID;
	if (e)
		return e;
	q.generation = before.generation;
	*ret = q;
	return ERR_OK;
}

enum err anew_entry(const char *origin, uint64_t index, const struct national_entry *entry,
		    struct anew_quote *ret)
{
	struct anew_quote q = {.generation = 0};
	struct origin_parts parts;
	struct vkey key;
	bool quotes = entry->kind == NATIONAL_ACT && strcmp(entry->act, ANEW_ACT) == 0;
	enum err e = national_parts(origin, &parts);

	if (!e && quotes != (index == 0 && parts.generation > 1))
		e = ERR_INVALID;
	if (!e && quotes && !log_name_equal(entry->log, NATIONAL))
		e = ERR_INVALID;
	if (!e && quotes)
		e = vkey_parse(entry->other, &key);
	if (!e && quotes)
		e = anew_open(origin, entry->document, &key, &q);
	if (!e && quotes && q.checkpoint.size != entry->size)
		e = ERR_INVALID;
	if (!e)
		*ret = q;
	return e;
}

/* ---- what a node makes of it ---- */

static bool same_key(const struct vkey *a, const struct vkey *b)
{
	return memcmp(a->public, b->public, SIGN_PUBLIC_BYTES) == 0;
}

/* Whether this key is not the one that the node knew that log by, or that signed what it
 * witnessed of it: a store that was lost leaves the note alone. */
static bool is_stranger(const struct anew_seen *seen, const struct vkey *key)
{
	struct checkpoint c;

	if (seen->has_key)
		return !same_key(&seen->key, key);
	return seen->note.size > 0 && checkpoint_open(seen->note, key, &c) != ERR_OK;
}

enum anew_card anew_card_is(const struct vkey *card, uint32_t generation,
			    const struct anew_seen *seen, size_t count)
{
	const struct anew_seen *newest = NULL;

	for (size_t i = 0; i < count; i++)
		if (!newest || seen[i].generation > newest->generation)
			newest = &seen[i];
	if (!newest)
		return ANEW_FIRST;
	if (generation != newest->generation)
		return generation > newest->generation ? ANEW_LATER : ANEW_EARLIER;
	return is_stranger(newest, card) ? ANEW_STRANGE : ANEW_SAME;
}

/* The quoted log and the one witnessed are one: sizes and roots. */
static enum err compare(const struct anew_quote *quote, const struct anew_seen *seen, char *why)
{
	const struct checkpoint *quoted = &quote->checkpoint;
	struct checkpoint mine;
	enum err e = checkpoint_open(seen->note, &quote->key, &mine);

	if (e == ERR_UNKNOWN_KEY || e == ERR_SIGNATURE) {
		(void)snprintf(why, TEXT_BYTES_MAX + 1,
			       "what this node witnessed of the old log is signed by another key "
			       "than the one that the new log names: ask whose card this is");
		return ERR_UNKNOWN_KEY;
	}
	if (e) {
		(void)snprintf(why, TEXT_BYTES_MAX + 1,
			       "what this node witnessed of the old log does not read: %s",
			       err_text(e));
		return ERR_CORRUPT;
	}
	if (quoted->size < mine.size) {
		(void)snprintf(why, TEXT_BYTES_MAX + 1,
			       "this node witnessed %" PRIu64 " of the old log, the new one quotes "
			       "%" PRIu64 ": give the administrator the note that `splotctl "
			       "witnessed` prints",
			       mine.size, quoted->size);
		return ERR_ROLLBACK;
	}
	if (quoted->size == mine.size && !hash_equal(quoted->root, mine.root)) {
		(void)snprintf(why, TEXT_BYTES_MAX + 1,
			       "at size %" PRIu64 " the old log had another root when this node "
			       "witnessed it than the one that the new log quotes: two histories; "
			       "give the administrator the note that `splotctl witnessed` prints",
			       mine.size);
		return ERR_ROOT;
	}
	return ERR_OK;
}

enum err anew_judge(const struct anew_quote *quote, const struct anew_seen *seen, size_t count,
		    char why[static TEXT_BYTES_MAX + 1])
{
	const struct anew_seen *top = NULL;

	for (size_t i = 0; i < count; i++) {
		if (seen[i].generation == quote->generation && seen[i].has_key &&
		    !same_key(&seen[i].key, &quote->key)) {
			(void)snprintf(why, TEXT_BYTES_MAX + 1,
				       "the new log names another key of the old one than this "
				       "node knew it by: ask whose card this is");
			return ERR_UNKNOWN_KEY;
		}
		if (seen[i].note.size > 0 && (!top || seen[i].generation > top->generation))
			top = &seen[i];
	}
	if (!top)
		return ERR_OK;
	if (top->generation == quote->generation)
		return compare(quote, top, why);
	(void)snprintf(why, TEXT_BYTES_MAX + 1,
		       "the new log quotes generation %u of the old one, this node witnessed "
		       "generation %u: give the administrator the note that `splotctl witnessed` "
		       "prints",
		       (unsigned)quote->generation, (unsigned)top->generation);
	return top->generation > quote->generation ? ERR_ROLLBACK : ERR_PROOF;
}
