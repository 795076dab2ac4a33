/* Signature lines, for those who write or check them: note.c and cosignature.c.
 *
 * Layer: tlog. */
#ifndef SPLOT_TLOG_NOTE_LINE_H
#define SPLOT_TLOG_NOTE_LINE_H

#include "tlog/note.h"

/* Whether `by` may sign `text` as a key of that type: ARGUMENT (key or secret do not fit, no
 * final newline), ENCODING, LIMIT. */
MUST_USE enum err note_signable(struct bytes text, const struct signer *by, uint8_t type);
/* Appends "— name base64(id || body)\n". */
MUST_USE enum err note_add_line(const struct vkey *key, struct bytes body, struct buf *ret);
/* Name and id name a key, either alone does not. */
bool note_line_is_by(const struct note_signature *s, const struct vkey *key);

#endif
