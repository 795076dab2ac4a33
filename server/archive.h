/* The truth: every log that the server holds, the national log, and the one write
 * transaction that a turn of the main loop may open.
 *
 *   archive_write … national_accept … archive_commit    all of it is on disk, or
 *                                     archive_abort     none of it ever was
 *
 * A second, never changing set of handles serves the fold thread. */
#ifndef SPLOT_SERVER_ARCHIVE_H
#define SPLOT_SERVER_ARCHIVE_H

#include <pthread.h>

#include "ledger/national.h"
#include "tlog/checkpoint.h"

struct archive_log {
	struct log *log;    /* owned: what the main thread appends to */
	struct log *handle; /* owned: tables only, for the fold thread */
	bool touched;       /* by the open transaction */
};

struct archive {
	struct store *store;         /* owned */
	const struct signer *signer; /* the national log's key */
	struct log *national;        /* owned */
	struct log *national_handle; /* owned */
	uint64_t size;               /* national entries on disk */
	size_t log_count;
	struct archive_log *logs; /* LOGS_MAX slots, owned */
	pthread_mutex_t lock;     /* of log_count and the handles */
	struct txn *write;        /* open, or NULL */
	int64_t begun_us;         /* when it was begun: mono_us */
	size_t entry_bytes;       /* about what it adds to the national log */
	struct buf note;          /* newest national checkpoint */
};

MUST_USE enum err archive_open(struct archive *a, const char *folder,
			       const struct store_options *options, const struct signer *signer);
void archive_close(struct archive *a);

/* Checks the newest national checkpoint against the server's own key and takes it over. */
MUST_USE enum err archive_check_national(struct archive *a);
/* Opens (or makes) a log; no write transaction may be open. */
MUST_USE enum err archive_add(struct archive *a, struct log_name name);
/* OK when the log's newest checkpoint verifies by `key`, or the log is empty. */
MUST_USE enum err archive_check_log(struct archive *a, const struct log *l, const struct vkey *key);

struct log *archive_log(struct archive *a, struct log_name name); /* also "national"; NULL: none */
/* For the fold thread: its handles. */
struct log_finder archive_finder(struct archive *a);

/* The turn's write transaction, begun when there is none. */
MUST_USE enum err archive_write(struct archive *a, struct txn **ret);
/* A commit's events with its national entry. */
MUST_USE enum err archive_accept(struct archive *a, struct log_name name, struct wall_ms now,
				 const struct bytes *events, uint32_t count, struct bytes note);
/* An administrative act. */
MUST_USE enum err archive_act(struct archive *a, const struct national_entry *act);
/* Signs the national log at its new size, when it grew, and commits.  On failure nothing of the
 * transaction stands, in memory either; SYNC: stop the program. */
MUST_USE enum err archive_commit(struct archive *a);
MUST_USE enum err archive_abort(struct archive *a);

/* Root of a log at a size, also at one that the open transaction made.  CORRUPT, logged, when
 * the newest checkpoint did not grow from it: the tiles are damaged. */
MUST_USE enum err archive_root(struct archive *a, struct log_name name, uint64_t size,
			       struct hash *ret);

#endif
