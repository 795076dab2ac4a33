/* Acts of a server's national log that a node carries out on its own log.  One is known: redact.
 * The event's bytes are erased; its leaf hash, the entry that orders it and the tree stay.
 *
 * Table "redacted" of a node: index, 8 bytes -> leaf hash, then the entry.
 *
 * Layer: ledger. */
#ifndef SPLOT_LEDGER_REDACTION_H
#define SPLOT_LEDGER_REDACTION_H

#include "ledger/log.h"
#include "model/event.h"

/* The event of log `own` that an entry has erased.  INVALID: it is no such act; OWNER: of another
 * log. */
MUST_USE enum err redaction_read(const struct national_entry *entry, struct log_name own,
				 uint64_t *ret_index, struct hash *ret_leaf);
/* Whether the table has an act for that very event. */
MUST_USE enum err redaction_known(struct table redacted, struct txn *t, uint64_t index,
				  struct hash leaf, bool *ret);
/* Erases the event and keeps the act.  An act may come ahead of its event, which is then taken
 * without bytes; `ret_erased`: bytes were there, and are in the file until it is written anew.
 * ROOT when the event here is another one; INVALID when it is what the log cannot be read
 * without. */
MUST_USE enum err redaction_carry_out(const struct log *l, struct table redacted, struct txn *t,
				      uint64_t index, struct hash leaf, struct bytes entry,
				      bool *ret_erased);

#endif
