/* A store: named tables of ordered keys in one LMDB environment.  The only user of LMDB.
 * The simulator links another implementation of this header (tests/sim/memstore.c).
 *
 * Layer: io.  May use base; knows nothing of logs or records. */
#ifndef SPLOT_IO_STORE_H
#define SPLOT_IO_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct store; /* opaque: owns the environment */
struct txn;   /* opaque: a read or write transaction */
struct scan;  /* opaque: a cursor inside a transaction */

enum { STORE_LEASE_MS = 2000 };

/* Handle of a named table; plain value, valid as long as the store is open. */
struct table {
	unsigned id;
};

enum store_mode {
	STORE_SYNCED,
	STORE_LAZY_META, /* NOMETASYNC: the last commit may be lost */
	STORE_UNSYNCED,  /* by store_sync only; if the system falls before that, it is ruined */
};

struct store_options {
	enum store_mode mode;
	bool read_only;
	bool group_reads; /* for `apart` openings by accounts of the folder's group: the writer
			     lets it enter the folder and read the data, and leaves pages that were
			     freed alone for STORE_LEASE_MS */
	bool apart;       /* read-only, and nothing of the reader's is written, not even LMDB's lock
			     file: the writer knows nothing of it, so a transaction may last
			     STORE_LEASE_MS at most (txn_stands) */
	size_t map_bytes; /* to begin with; 0: a large default.  Grows when full. */
	size_t map_bytes_max; /* 0: no bound but the address space */
	unsigned tables_max;  /* 0: 256 */
};

/* Creates the folder when missing.  Read-only, an environment may be opened beside its writer, by
 * other processes: it is followed wherever the writer has it grow; NOT_FOUND when there is none.
 * BUSY when another process writes it, CORRUPT, IO,
 * DISK_FULL, DENIED.  Never open one store twice in a process, never use it across fork. */
MUST_USE enum err store_open(const char *folder, const struct store_options *options,
			     struct store **ret);
MUST_USE enum err store_sync(struct store *s);
/* Says that the store of this folder has been made, so that a data file that is cut to nothing is
 * seen: for who puts a whole one in place (store_open says so of its own).  BUSY: it is open. */
MUST_USE enum err store_call_made(const char *folder);
void store_close(struct store *s); /* NULL-safe */

/* Which commit a reader would see now, of whatever process: another number after each that changed
 * something.  Costs no system call, but is a short reading: not inside another one (txn_begin).  0
 * when that fails. */
uint64_t store_stamp(struct store *s);
/* Whether the folder holds another environment by now, or none: what is open here stands still and
 * is to be closed, and the new one opened. */
bool store_replaced(const struct store *s);
/* Frees what readers of other processes held that ended without closing: pages that one of them
 * read could not be used again.  For writers, now and then. */
void store_sweep(struct store *s);

/* Opens a table; `create` needs a store that is not read-only and no open write
 * transaction in this thread.  NOT_FOUND when missing and not to be created. */
MUST_USE enum err store_table(struct store *s, const char *name, bool create, struct table *ret);

/* Bytes of pages ever used (freed ones, which are used again, included) and the map's size. */
MUST_USE enum err store_usage(struct store *s, size_t *ret_used, size_t *ret_map);

/* One write transaction at a time: another thread's is waited for; BUSY when this thread has
 * one already.  A thread must not begin to read while it reads in the same store and another
 * thread may grow it. */
MUST_USE enum err txn_begin(struct store *s, bool write, struct txn **ret);
/* Frees the transaction, also on failure.  SYNC means that the disk did not confirm: stop
 * the program.  DISK_FULL and MAP_FULL change nothing and may be tried again; where a put or
 * delete failed, the commit changes nothing and gives that error again. */
MUST_USE enum err txn_commit(struct txn *t);
void txn_abort(struct txn *t); /* NULL-safe */
/* In a store that is read apart: AGAIN when the transaction lasted longer than the writer leaves
 * pages alone; what was read is then worth nothing.  Asked after reading and
 * before anything of it is used.  A reading that would be CORRUPT is AGAIN by then. */
MUST_USE enum err txn_stands(const struct txn *t);
/* A long reader renews: scans opened in it lose their place (seek or last give one again, next
 * and prev are refused with ARGUMENT), values read from it are gone.  After a failure only
 * txn_abort may follow. */
MUST_USE enum err txn_renew(struct txn *t);

/* After MAP_FULL: doubles the map (no transaction of this process may be open in this thread;
 * those of others are waited for until they end or renew).  LIMIT at map_bytes_max. */
MUST_USE enum err store_grow(struct store *s);

/* Values stay valid until the transaction ends or, in a write transaction, writes again. */
MUST_USE enum err txn_get(struct txn *t, struct table table, struct bytes key, struct bytes *ret);
MUST_USE enum err txn_put(struct txn *t, struct table table, struct bytes key, struct bytes value);
/* As put, but the key must be greater than all in the table (EXISTS if not). */
MUST_USE enum err txn_append(struct txn *t, struct table table, struct bytes key,
			     struct bytes value);
MUST_USE enum err txn_delete(struct txn *t, struct table table, struct bytes key); /* NOT_FOUND */

/* Gives the name of each table that the transaction sees, in order; an error of `take` ends it. */
MUST_USE enum err txn_tables(struct txn *t, void *context,
			     enum err (*take)(void *context, const char *name));

/* Deletes all rows; scans of the table lose their place. */
MUST_USE enum err txn_clear(struct txn *t, struct table table);

/* Ordered reading.  Each gives key and value, or NOT_FOUND past the end: then the scan stands
 * behind the last (or before the first) and turns back with prev (or next).  A new scan stands
 * before the first for next, behind the last for prev. */
MUST_USE enum err scan_open(struct txn *t, struct table table, struct scan **ret);
void scan_close(struct scan *c); /* NULL-safe; before its transaction ends, or not at all */
MUST_USE enum err scan_seek(struct scan *c, struct bytes key, struct bytes *ret_key,
			    struct bytes *ret_value); /* first >= key */
MUST_USE enum err scan_next(struct scan *c, struct bytes *ret_key, struct bytes *ret_value);
MUST_USE enum err scan_prev(struct scan *c, struct bytes *ret_key, struct bytes *ret_value);
MUST_USE enum err scan_last(struct scan *c, struct bytes *ret_key, struct bytes *ret_value);

/* Offline: writes the environment anew, row by row (what was deleted is then in no file, neither in
 * a free page nor in the rest of a used one), in place of the old one.  Nobody may have it open
 * (BUSY).  NOT_FOUND when there is none; DISK_FULL, CORRUPT, IO: the old one stands.
 *
 * A kill leaves the one or the other: the new one is written beside it (compact.mdb), synced, and
 * renamed over data.mdb in one step, then the folder is synced.  So a start needs to do nothing,
 * but until store_compact returned OK the old rows may still be there: call it again. */
MUST_USE enum err store_compact(const char *folder);

/* Walks every page and value of an environment (call it in a child process: damage can
 * end the process by a signal).  NOT_FOUND when there is none. */
MUST_USE enum err store_walk(const char *folder);

#endif
