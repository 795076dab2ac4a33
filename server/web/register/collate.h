/* Sort keys of Polish collation (ICU, locale "pl"): a ą b c ć …; digits by their numbers.
 *
 * Layer: register. */
#ifndef SPLOT_REGISTER_COLLATE_H
#define SPLOT_REGISTER_COLLATE_H

#include "base/bytes.h"

enum {
	COLLATE_CHARACTERS = 128, /* of a text that count (UTF-16); the same up to there: equal */
	COLLATE_KEY_MAX = 512,    /* bytes of a key: it stands in cursors */
};

struct collator; /* opaque */
/* CONFIG: this machine's ICU has no Polish. */
MUST_USE enum err collator_new(struct collator **ret);
void collator_free(struct collator *c); /* NULL-safe */
/* Appends the key of a text: keys compare bytewise as the texts sort. */
MUST_USE enum err collator_key(struct collator *c, struct bytes text, struct buf *ret);

#endif
