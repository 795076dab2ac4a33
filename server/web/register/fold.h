/* Texts as a search compares them: without case, without marks, ł as l, and whatever is neither
 * letter nor digit as one space, so that "lodz" finds "Łódź" and "ul.Długa" finds "Długa".
 *
 * Layer: register. */
#ifndef SPLOT_REGISTER_FOLD_H
#define SPLOT_REGISTER_FOLD_H

#include "base/bytes.h"

enum {
	/* Of one folded text; what comes after is not searched.  A character may fold to many. */
	FOLD_BYTES_MAX = 8192
};

/* Appends the folded text: words with one space between them, ASCII letters and digits where Polish
 * allows it, UTF-8 otherwise.  Bytes that are no UTF-8 fold to spaces.  NOMEM. */
MUST_USE enum err fold_text(struct bytes text, struct buf *ret);

#endif
