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

/* Handle of a named table; plain value, valid as long as the store is open. */
struct table {
	unsigned id;
};

enum store_mode { STORE_SYNCED, STORE_LAZY_META /* NOMETASYNC: the last commit may be lost */ };

struct store_options {
	enum store_mode mode;
	bool read_only;
	size_t map_bytes;       /* to begin with; 0: a large default.  Grows when full. */
	size_t map_bytes_max;   /* 0: no bound but the address space */
	unsigned tables_max;    /* 0: 256 */
};

/* Creates the folder when missing.  BUSY when another process writes it, CORRUPT, IO,
 * DISK_FULL, DENIED.  Never open one store twice in a process, never use it across fork. */
MUST_USE enum err store_open(const char *folder, const struct store_options *options, struct store **ret);
void store_close(struct store *s); /* NULL-safe */

/* Opens a table; `create` needs a store that is not read-only and no open write
 * transaction in this thread.  NOT_FOUND when missing and not to be created. */
MUST_USE enum err store_table(struct store *s, const char *name, bool create, struct table *ret);

/* Bytes in use by data and the map's size. */
MUST_USE enum err store_usage(struct store *s, size_t *ret_used, size_t *ret_map);

MUST_USE enum err txn_begin(struct store *s, bool write, struct txn **ret);
/* Frees the transaction, also on failure.  SYNC means that the disk did not confirm: stop
 * the program.  DISK_FULL and MAP_FULL change nothing and may be tried again. */
MUST_USE enum err txn_commit(struct txn *t);
void txn_abort(struct txn *t); /* NULL-safe */
/* A long reader renews: scans opened in it end, values read from it are gone. */
MUST_USE enum err txn_renew(struct txn *t);

/* After MAP_FULL: enlarges the map (no transaction of this process may be open in this
 * thread; others are waited for).  LIMIT at map_bytes_max. */
MUST_USE enum err store_grow(struct store *s);

/* Values stay valid until the transaction ends or, in a write transaction, writes again. */
MUST_USE enum err txn_get(struct txn *t, struct table table, struct bytes key, struct bytes *ret);
MUST_USE enum err txn_put(struct txn *t, struct table table, struct bytes key, struct bytes value);
/* As put, but the key must be greater than all in the table (EXISTS if not). */
MUST_USE enum err txn_append(struct txn *t, struct table table, struct bytes key, struct bytes value);
MUST_USE enum err txn_delete(struct txn *t, struct table table, struct bytes key); /* NOT_FOUND */

/* Ordered reading.  Each gives key and value, or NOT_FOUND past the end. */
MUST_USE enum err scan_open(struct txn *t, struct table table, struct scan **ret);
void scan_close(struct scan *c); /* NULL-safe; before its transaction ends */
MUST_USE enum err scan_seek(struct scan *c, struct bytes key, struct bytes *ret_key, struct bytes *ret_value); /* first >= key */
MUST_USE enum err scan_next(struct scan *c, struct bytes *ret_key, struct bytes *ret_value);
MUST_USE enum err scan_prev(struct scan *c, struct bytes *ret_key, struct bytes *ret_value);
MUST_USE enum err scan_last(struct scan *c, struct bytes *ret_key, struct bytes *ret_value);

/* Walks every page and value of an environment (call it in a child process: damage can
 * end the process by a signal). */
MUST_USE enum err store_walk(const char *folder);

#endif
