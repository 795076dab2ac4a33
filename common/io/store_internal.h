/* What the files of the store share; nobody else includes this.
 *
 * Layer: io. */
#ifndef SPLOT_IO_STORE_INTERNAL_H
#define SPLOT_IO_STORE_INTERNAL_H

#include <lmdb.h>
#include <pthread.h>

#include "io/store.h"

enum {
	KEY_BYTES_MAX = 511, /* LMDB's own bound, fixed when it is compiled */
	STORE_PATH_BYTES = 4096,
	STORE_TABLES_MOST = 1024, /* in an environment that is walked or compacted */
	SUM_BYTES = 8,            /* at the end of each value: store_sums.c */
};

#define SUMS_TABLE "sums"

/* What is known of a table beside its handle. */
struct table_sum {
	char *name;    /* owned; NULL: nobody asked for that table yet */
	uint64_t seed; /* of its rows' sums */
	/* The writer's alone: */
	uint64_t sum; /* of all its rows, as of what the transaction wrote */
	bool known;   /* `sum` was read */
	bool moved;   /* and is to be written at the commit */
};

/* Where a scan stands; LMDB's own idea of "past the end" differs from call to call. */
/* A reader of the writer's own, which keeps LMDB from using again what was freed since. */
struct guard {
	MDB_txn *mdb; /* reads nothing, so it stands while the map is moved */
	bool held;
	int64_t since_us;
};

enum scan_place { SCAN_FRESH, SCAN_AT, SCAN_BEFORE_FIRST, SCAN_AFTER_LAST, SCAN_LOST };

struct scan {
	struct txn *txn;
	MDB_cursor *cursor;
	uint64_t seed; /* of its table */
	enum scan_place place;
	struct scan *next; /* in the transaction's list of open or spare scans */
};

struct txn {
	struct store *store;
	MDB_txn *mdb; /* a spare reader keeps its own, reset */
	bool write;
	bool inside;      /* it is in the store's list of those inside the gate */
	pthread_t thread; /* that went in with it */
	int64_t began_us; /* a reader apart: when it took its snapshot */
	enum err failed;  /* the first failed write: nothing of it may be committed */
	struct scan *open;
	struct scan *spare; /* owned, for the next scan_open */
	struct txn *next;   /* in the store's list of spare readers */
};

struct store {
	MDB_env *env;
	char *folder; /* owned */
	int lock_fd;  /* the writer's lock; -1 for a reader */
	int data_fd;  /* LMDB's own descriptor of the data file; borrowed */
	bool read_only;
	bool apart;
	bool guarded; /* readers apart may be there */
	struct guard guards[2];
	size_t map_bytes_max;
	uint64_t reserve_at; /* bytes in use at which room is reserved next */
	/* The gate: the map may move only while no transaction of this process is open. */
	pthread_mutex_t gate;
	pthread_cond_t gate_moved;
	struct txn *inside;      /* the transactions open */
	bool closed;             /* the map is being moved: nobody enters */
	pthread_mutex_t writers; /* held as long as the write transaction lasts */
	struct txn writer;       /* that one */
	struct txn *spare_readers;
	unsigned spare_count;
	pthread_mutex_t tables; /* one mdb_dbi_open at a time */
	struct table_sum *sums; /* owned; by handle */
	unsigned sums_count;
	struct table sums_table; /* the writer's */
};

/* LMDB's and the system's codes as ours. */
enum err store_err(int rc);
/* The same for a failed write: tells a full disk from one that does not confirm. */
enum err store_write_err(const struct store *s, int rc);

MUST_USE enum err store_file_err(int fd, int rc);

/* FOLDER/NAME; ARGUMENT when it is too long. */
MUST_USE enum err store_path(const char *folder, const char *name,
			     char path[static STORE_PATH_BYTES]);
/* One writer process: an open-file lock, gone with the process however it ends.  BUSY. */
MUST_USE enum err store_lock_writer(const char *folder, int *ret_fd);
/* Whether the data file has nothing but what LMDB begins with: no commit was ever made there. */
bool store_holds_nothing(int fd);
/* CORRUPT when the data file is empty and the store had been made.  One that was never called made
 * and holds nothing is emptied; what holds something is left as it is.  For who has the lock. */
MUST_USE enum err store_check_made(const char *folder, int lock_fd);
MUST_USE enum err store_sync_folder(const char *folder);
/* Gives each named table of the environment to `take`, in order of name; the main table holds
 * tables only, anything else is CORRUPT. */
MUST_USE enum err store_each_table(MDB_txn *txn, void *context,
				   enum err (*take)(void *context, MDB_txn *txn, MDB_dbi dbi,
						    const char *name));

/* Before a write transaction begins: renews the older guard once the younger has stood for
 * STORE_LEASE_MS.  So whoever took a snapshot has one not younger than it for at least that long:
 * the guard that was the younger then goes only a lease after the other one came. */
MUST_USE int store_guard(struct store *s);
/* The store is closed. */
void store_unguard(struct store *s);

void store_enter(struct txn *t);
void store_leave(struct txn *t); /* harmless for one that is not inside */
/* Closes the gate, waits until all have left, changes the map's size (0: take over what
 * another process set), opens it again. */
MUST_USE enum err store_set_map(struct store *s, size_t bytes);
/* True when this thread holds the write transaction. */
bool store_writes_here(struct store *s);
/* Keeps the data file ahead of what is in use: a commit that makes the file longer has the file
 * system write its own records as well, in the same sync.  Nothing depends on it. */
void store_reserve(struct store *s);
void txn_free_spare(struct txn *t);

/* ---- sums ---- */

/* What the sums of a table's rows begin with. */
uint64_t store_seed(const char *table);
uint64_t store_row_sum(uint64_t seed, struct bytes key, struct bytes value);
/* The value of a row without its sum, and that; CORRUPT when they do not fit. */
MUST_USE enum err store_row_open(uint64_t seed, MDB_val k, MDB_val v, struct bytes *ret,
				 uint64_t *ret_sum);
/* Value and sum into the SUM_BYTES more that were reserved. */
void store_row_close(void *to, struct bytes value, uint64_t sum);

MUST_USE enum err store_sums_new(struct store *s, unsigned tables);
void store_sums_free(struct store *s);
MUST_USE enum err store_sums_name(struct store *s, unsigned table, const char *name);
/* A table's row in the table of sums; 0 when there is none. */
MUST_USE enum err store_sum_read(MDB_txn *txn, MDB_dbi sums, const char *name, uint64_t *ret);
MUST_USE int store_sum_write(MDB_txn *txn, MDB_dbi sums, const char *name, uint64_t sum);
/* A row's sum is another one now; 0 stands for no row. */
MUST_USE enum err store_sum_move(struct txn *t, unsigned table, uint64_t before, uint64_t after);
void store_sum_clear(struct txn *t, unsigned table);
/* Writes what moved, at the end of the transaction. */
MUST_USE int store_sums_commit(struct txn *t);
/* The transaction is over: what it did not commit is forgotten. */
void store_sums_settle(struct store *s, bool committed);
/* Opens the table of sums, where there is one. */
MUST_USE enum err store_has_sums(MDB_txn *txn, MDB_dbi *ret, bool *ret_has);
/* Whether a row ends in its sum. */
bool store_is_summed(uint64_t seed, MDB_val k, MDB_val v);
/* Whether the pages of a file that nobody writes make up its tables: each where it says it is,
 * within itself whole, in order, used once, and none of them free.  CORRUPT; NOT_FOUND when nothing
 * was written yet; a file that is cut short meanwhile may end the process by a signal. */
MUST_USE enum err store_check_pages(const char *folder);

/* Ends a transaction so that table handles opened in it stay. */
MUST_USE enum err txn_share_handles(struct txn *t);

#endif
