/* Which events were erased, and by which act; and whether their bytes are still to be scrubbed
 * from the files.
 *
 * Tables: "redacted" (log name ‖ 0 ‖ index, 8 bytes -> leaf hash ‖ national index of the act, 8
 * bytes), "scrub" ("pending" -> nothing). */
#ifndef SPLOT_SERVER_REDACTIONS_H
#define SPLOT_SERVER_REDACTIONS_H

#include "ledger/log.h"

struct redactions {
	struct table events, scrub;
	bool any; /* false: nothing needs to be looked up */
};

struct redacted {
	uint64_t index;
	struct hash leaf;
	uint64_t act; /* the national entry */
};

/* Opens (makes) the tables; no write transaction may be open. */
MUST_USE enum err redactions_open(struct redactions *r, struct store *s);
MUST_USE enum err redactions_put(struct redactions *r, struct txn *write, struct log_name log,
				 const struct redacted *what);
/* The first redacted event of `log` at or after `from`; NOT_FOUND. */
MUST_USE enum err redactions_next(const struct redactions *r, struct txn *t, struct log_name log,
				  uint64_t from, struct redacted *ret);

/* The bytes of what was erased in this transaction are in free pages, and in the view: at the
 * next start they go. */
MUST_USE enum err redactions_ask_scrub(const struct redactions *r, struct txn *write);

/* Before anybody opens the stores: throws the view away and writes the logs' store anew when a
 * scrub is pending.  Whatever it is cut off by, the next start does it again.  OK also when it
 * cannot be done now (`ret_waits`: BUSY, another program reads the store, or DISK_FULL). */
MUST_USE enum err redactions_scrub(const char *logs_path, const char *view_path,
				   const struct store_options *options, bool *ret_done,
				   enum err *ret_waits);

#endif
