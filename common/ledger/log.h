/* Logs in a store: events, tiles, checkpoints, and the state of each log.  Joins tlog and
 * the store; used by node and server alike, and by the simulator over its own store.
 *
 * Tables for log NAME: "NAME.events" (index, 8 bytes big-endian -> exact event bytes),
 * "NAME.tiles" (level, 1 byte; number, 8 bytes -> hashes), "NAME.checkpoints" (size, 8 bytes ->
 * signed note).  docs/ARCHITECTURE.md has the whole layout.
 *
 * Layer: ledger.  May use base, model, tlog, and the header io/store.h. */
#ifndef SPLOT_LEDGER_LOG_H
#define SPLOT_LEDGER_LOG_H

#include "base/bytes.h"
#include "base/time.h"
#include "io/store.h"
#include "model/region.h"
#include "tlog/checkpoint.h"
#include "tlog/tile.h"

struct log {
	struct log_name name;
	struct table events, tiles, checkpoints;
	struct tile_edge edge; /* in memory: as of the last append, committed or not */
	struct tree tree;      /* the same as a compact range */
	uint64_t tiles_size;   /* size as of the last log_seal: what tiles on disk stand for */
};

/* Opens or (create) makes the tables and loads the edge.  CORRUPT when the newest
 * checkpoint, the events and the tiles do not agree. */
MUST_USE enum err log_open(struct store *s, struct log_name name, bool create, struct log *ret);
/* Forgets what an aborted transaction appended: loads the edge again. */
MUST_USE enum err log_reload(struct log *l, struct txn *read);

/* Appends one event inside a write transaction. Full tiles are written at once.  After a
 * failure of this or of log_seal: abort the transaction, then log_reload.  LIMIT; ARGUMENT for
 * an event of no bytes, which is how a redacted one is stored. */
MUST_USE enum err log_append(struct log *l, struct txn *t, struct bytes event);
/* The same for an event that was redacted: its leaf hash is all there is. */
MUST_USE enum err log_append_redacted(struct log *l, struct txn *t, struct hash leaf);
/* Erases a stored event's bytes; hash, tiles and checkpoints stay as they are.  The file's free
 * pages still hold them until store_compact.  NOT_FOUND; ROOT when `leaf` is not its hash. */
MUST_USE enum err log_redact(const struct log *l, struct txn *t, uint64_t index, struct hash leaf);
/* Writes the partial tiles and the checkpoint note for the present size; once per commit.
 * ROOT when the note says another size or root than the log has; DECODE, LIMIT. */
MUST_USE enum err log_seal(struct log *l, struct txn *t, struct bytes note);

/* The last event appended, in the writer's own transaction, sealed or not; NOT_FOUND. */
MUST_USE enum err log_last(const struct log *l, struct txn *t, struct bytes *ret);

/* What a note's text says; its signatures are not looked at.  DECODE, LIMIT. */
MUST_USE enum err log_note_read(struct bytes note, struct checkpoint *ret);

/* The functions below read what is sealed, through the table handles of `l` alone: a copy
 * of a struct log may be read with in another thread, in a transaction of its own. */

/* An event's exact bytes (valid as long as the transaction's values are); CORRUPT when its
 * leaf hash is not the stored one; NOT_FOUND past the end; REDACTED when its bytes were erased
 * (log_leaf gives its hash all the same). */
MUST_USE enum err log_event(const struct log *l, struct txn *t, uint64_t index, struct bytes *ret);
/* The same for many in a row: their tile, 8 KiB with a sum of its own, is read once.  Begins as
 * {0}; good for this log and transaction, until something is written in it. */
struct log_leaves {
	struct bytes tile;
	uint64_t number;
};
MUST_USE enum err log_event_next(const struct log *l, struct txn *t, struct log_leaves *leaves,
				 uint64_t index, struct bytes *ret);
/* An event's leaf hash, from the tiles; NOT_FOUND past the end. */
MUST_USE enum err log_leaf(const struct log *l, struct txn *t, uint64_t index, struct hash *ret);
/* How many leading events were recorded at or before `until` (recorded times never fall): a
 * binary search.  What has no time, being redacted or unreadable, counts with the one before. */
MUST_USE enum err log_size_at(const struct log *l, struct txn *t, struct wall_ms until,
			      uint64_t *ret);
/* Root and compact range at any size up to the newest checkpoint that `t` sees; else ARGUMENT. */
MUST_USE enum err log_tree_at(const struct log *l, struct txn *t, uint64_t size, struct tree *ret);
/* The same, shown to be what the newest checkpoint grew from, and that one, where `l` has its tree
 * in memory, to be of that tree: CORRUPT when the tiles or that checkpoint are damaged (not by one
 * who writes the store of a running program on purpose).  In the thread that opened the log or
 * writes it; for whoever signs that root, or accuses somebody by it. */
MUST_USE enum err log_tree_proved(const struct log *l, struct txn *t, uint64_t size,
				  struct tree *ret);
/* A tree_reader over the stored tiles inside `t`; context must outlive it. */
struct log_reader {
	const struct log *log;
	struct txn *txn;
	struct tile_reader tiles;
	struct tree_reader tree;
};
void log_reader_init(struct log_reader *r, const struct log *l, struct txn *t);
/* The stored checkpoint of exactly that size; NOT_FOUND. */
MUST_USE enum err log_checkpoint(const struct log *l, struct txn *t, uint64_t size,
				 struct bytes *ret);
/* The newest checkpoint; NOT_FOUND in an empty log. */
MUST_USE enum err log_newest(const struct log *l, struct txn *t, uint64_t *ret_size,
			     struct bytes *ret_note);
/* The largest checkpoint in (from, from + COMMIT_EVENTS_MAX] whose events fit a commit (in work,
 * too, where one of those does), and none but the last of which rotates keys: the next chunk of a
 * RANGE answer.  NOT_FOUND when the log has nothing past `from`. */
MUST_USE enum err log_chunk(const struct log *l, struct txn *t, uint64_t from, uint64_t *ret_size,
			    struct bytes *ret_note);
/* How many events from `from` on fit a commit of `bytes_max` packed bytes (bundle_packed), are no
 * more than COMMIT_WORK_MAX and end at or before `size`; at most COMMIT_EVENTS_MAX, and none past
 * one that rotates keys. */
MUST_USE enum err log_fit(const struct log *l, struct txn *t, uint64_t from, uint64_t size,
			  size_t bytes_max, uint32_t *ret_count);

/* What bounds the next commit to a server. */
struct log_cut {
	uint64_t from, size; /* it begins at `from` and ends at or before `size` */
	size_t bytes_max;    /* packed: what the server asks for, or what its window leaves */
	uint32_t events_max; /* what the server asks for */
	bool narrow;         /* the window left less than the server asks for */
	bool under_way;      /* commits before it are not acknowledged: then there is more room */
	bool (*signs)(const void *context,
		      uint64_t size); /* whether the key of that size is here */
	const void *context;
};
/* How many events the next commit has: up to a stored checkpoint where one fits, none past one that
 * rotates keys, and more than the server asks for only where what a key sealed that is gone cannot
 * be divided any more.  0: wait for more room. */
MUST_USE enum err log_cut(const struct log *l, struct txn *t, const struct log_cut *c,
			  uint32_t *ret_count);

#endif
