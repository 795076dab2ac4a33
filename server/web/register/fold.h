/* Texts as a search compares them: without case, without marks, ł as l, and whatever is neither
 * letter nor digit as one space, so that "lodz" finds "Łódź" and "ul.Długa" finds "Długa".
 *
 * Layer: register. */
#ifndef SPLOT_REGISTER_FOLD_H
#define SPLOT_REGISTER_FOLD_H

#include "base/bytes.h"

/* Appends the folded text (ASCII letters and digits where Polish allows it, UTF-8 otherwise).
 * Bytes that are no UTF-8 fold to spaces.  NOMEM. */
MUST_USE enum err fold_text(struct bytes text, struct buf *ret);

#endif
