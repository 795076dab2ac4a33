/* The encodings that notes are written in, read strictly: what is accepted here has one
 * form only.
 *
 * Layer: tlog. */
#ifndef SPLOT_TLOG_ENCODING_H
#define SPLOT_TLOG_ENCODING_H

#include "base/bytes.h"

/* ENCODING unless it is UTF-8 without control characters other than newline. */
MUST_USE enum err encoding_check_text(struct bytes text);
/* A key name: not empty, as text, without any Unicode space or '+'; else INVALID. */
MUST_USE enum err encoding_check_name(struct bytes name);

/* RFC 4648 section 4 with padding, canonical; DECODE, also when it gives more than `max`
 * bytes.  `ret` is scratch on failure. */
MUST_USE enum err encoding_base64(struct bytes text, uint8_t *ret, size_t max, size_t *ret_size);
void encoding_add_base64(struct buf *b, struct bytes x);

/* Decimal without sign or leading zeros, at most 2^63 - 1; DECODE. */
MUST_USE enum err encoding_number(struct bytes text, uint64_t *ret);

/* Cuts *rest at the first `mark`: *ret_part is what is before it, *rest what is behind.
 * DECODE when there is none. */
MUST_USE enum err encoding_cut(struct bytes *rest, char mark, struct bytes *ret_part);

#endif
