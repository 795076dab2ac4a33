/* The order of texts as numbers: what sorts alike has the same rank, so that a page is chosen by
 * comparing numbers.  Only texts that somebody sorts by are ranked.
 *
 * Layer: register, of use inside it only. */
#ifndef SPLOT_REGISTER_RANKING_H
#define SPLOT_REGISTER_RANKING_H

#include "register/collate.h"
#include "register/pool.h"

enum ranking_order {
	BY_BYTES,     /* codes, ids, dates: as their bytes */
	BY_VALUE,     /* numbers; what is none comes after them */
	BY_COLLATION, /* as Polish sorts */
	RANKING_ORDERS
};

struct ranking; /* opaque */
/* Borrows the pool and the collator (used by BY_COLLATION only). */
MUST_USE enum err ranking_new(enum ranking_order order, const struct pool *pool,
			      struct collator *collator, struct ranking **ret);
void ranking_free(struct ranking *r); /* NULL-safe */

/* Ranks those of the texts that are not yet; 0 (unknown) has none.  NOMEM: none is added. */
MUST_USE enum err ranking_cover(struct ranking *r, const text_id *texts, size_t count);
/* The text is no longer kept. */
void ranking_forget(struct ranking *r, text_id text);

/* By text, from 1 on, as of the last ranking_cover: 0 for what is not ranked.  NULL before the
 * first. */
const uint32_t *ranking_ranks(const struct ranking *r);
/* The key that a text is sorted by, at most COLLATE_KEY_MAX bytes; appended. NOMEM */
MUST_USE enum err ranking_key(const struct ranking *r, text_id text, struct buf *ret);
/* The rank of what sorts as the key does (`ret_found`), else of the last before it; 0: none. */
uint32_t ranking_place(struct ranking *r, struct bytes key, bool *ret_found);
size_t ranking_memory(const struct ranking *r);

/* Of a ranked text, for as long as it is kept. */
struct bytes ranking_key_of(const struct ranking *r, text_id text);

/* A number's text as bytes that compare as the numbers do; false for what is none. */
enum { NUMBER_KEY_MAX = 256 };
bool number_key(const char *text, uint8_t key[static NUMBER_KEY_MAX], size_t *ret_size);

#endif
