/* What the view's own files share: its numbers (cursor, format) and its superseded versions.
 *
 * Inside the ledger only. */
#ifndef SPLOT_LEDGER_VIEW_STATE_H
#define SPLOT_LEDGER_VIEW_STATE_H

#include "base/limits.h"
#include "ledger/keys.h"
#include "ledger/view.h"

#define STATE_POSITION "position"
#define STATE_FORMAT   "format"

/* NOT_FOUND, CORRUPT. */
MUST_USE enum err state_read(const struct view *v, struct txn *t, const char *name, uint64_t *ret);
MUST_USE enum err state_write(const struct view *v, struct txn *t, const char *name, uint64_t x);

/* What the view itself stored must decode: else CORRUPT. */
MUST_USE enum err view_decode(struct bytes raw, struct arena *arena, struct version *ret);
/* The id as text; ids are bounded, so that a longer one is nobody's: NOT_FOUND. */
MUST_USE enum err view_id_text(struct bytes id, char text[static ID_BYTES_MAX + 1]);

/* Moves `scan`, over versions, to the newest superseded version of a record before a place
 * ((0, 0): the newest of all), which may be one of another record; NOT_FOUND.  `prefix`:
 * key_versions. */
MUST_USE enum err versions_seek(struct scan *scan, const struct key *prefix,
				struct version_place before, struct bytes *ret_key,
				struct bytes *ret_value);
/* Whether a key is that of a version of this record. */
bool versions_of(struct bytes key, const struct key *prefix);

#endif
