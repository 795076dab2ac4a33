/* Texts, each kept once however many records have it, and let go when none has it any more.
 *
 * Layer: register, of use inside it only. */
#ifndef SPLOT_REGISTER_POOL_H
#define SPLOT_REGISTER_POOL_H

#include "register/catalog.h"

struct pool; /* opaque */
MUST_USE enum err pool_new(struct pool **ret);
void pool_free(struct pool *p); /* NULL-safe */

/* One more user of the text; `searched`: it is folded, so that pool_search finds it, for as long
 * as anybody uses it.  The empty text is 0 and costs nothing.  NOMEM. */
MUST_USE enum err pool_keep(struct pool *p, const char *text, bool searched, text_id *ret);
/* One user less; true when that was the last: the number may soon stand for another text. */
bool pool_release(struct pool *p, text_id text);

text_id pool_lookup(const struct pool *p, const char *text); /* 0: nobody has it */
const char *pool_text(const struct pool *p, text_id text);
size_t pool_size(const struct pool *p, text_id text); /* bytes */
size_t pool_texts(const struct pool *p);              /* one more than the largest number */
/* "" for a text that is not searched; valid until the next pool_keep or pool_release. */
const char *pool_folded(const struct pool *p, text_id text);
/* Sets the bit of every searched text that has a word beginning with this folded one. `bits` has
 * room for pool_texts(). */
void pool_search(const struct pool *p, struct bytes word, uint64_t *bits);
bool pool_has(const struct pool *p, text_id text, struct bytes word);
/* How often the word begins so in a sample: to search the rarest first. */
size_t pool_sample(const struct pool *p, struct bytes word);
size_t pool_memory(const struct pool *p);

static inline bool bit_is_set(const uint64_t *bits, size_t i)
{
	return bits[i / 64] >> (i % 64) & 1;
}
static inline void bit_set(uint64_t *bits, size_t i)
{
	bits[i / 64] |= (uint64_t)1 << (i % 64);
}

#endif
