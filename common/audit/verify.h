/* Proves that a source's logs are whole: every leaf hashed, every tile and checkpoint compared,
 * every national entry matched with its regional checkpoint, the view folded anew and compared
 * with the stored one.  Says every bad place by log, index and kind of damage.
 *
 * Work is streamed: memory does not grow with the logs, readers are renewed every 50 ms.
 * Layer: audit. */
#ifndef SPLOT_AUDIT_VERIFY_H
#define SPLOT_AUDIT_VERIFY_H

#include "audit/keyring.h"
#include "audit/source.h"
#include "io/store.h"
#include "tlog/policy.h"

/* X(NAME, "code", "what it means") */
#define DAMAGE_TABLE(X)                                                                            \
	X(LEAF, "leaf", "an event's bytes are not those that were signed")                         \
	X(LEAF_MISSING, "leaf-missing", "an event below the signed size is not there")             \
	X(LEAF_EXTRA, "leaf-extra", "an event above the signed size")                              \
	X(LEAF_ERASED, "leaf-erased", "an event's bytes are gone without an act that says so")     \
	X(LEAF_UNREADABLE, "leaf-unreadable", "an event that does not decode or fit its log")      \
	X(TILE, "tile", "a tile holds other hashes than the events give")                          \
	X(TILE_MISSING, "tile-missing", "a tile is not there, or too short")                       \
	X(CHECKPOINT, "checkpoint", "a checkpoint that is damaged or of another log")              \
	X(SIGNATURE, "signature", "a checkpoint without a good signature by the log's key")        \
	X(ROOT, "root", "a checkpoint says another root than the events give")                     \
	X(CHECKPOINT_MISSING, "checkpoint-missing", "a national entry's checkpoint is not stored") \
	X(NATIONAL, "national", "a national entry does not fit the log that it accepts")           \
	X(COSIGNATURE, "cosignature", "a witness's line that does not verify")                     \
	X(QUORUM, "quorum", "too few witnesses cosigned the national log")                         \
	X(KEYS, "keys", "an export's file of keys is missing, or not what the national log says")  \
	X(ROLLBACK, "rollback", "older than what its own key has signed")                          \
	X(RECORD, "record", "a record in the view is not what the logs give")                      \
	X(VERSION, "version", "a superseded version in the view is not what the logs give")        \
	X(CHANGE, "change",                                                                        \
	  "what changed, or when, as the view lists it, is not what the logs give")                \
	X(TALLY, "count", "a count in the view is not what the logs give")                         \
	X(VIEW, "view", "the view cannot be read, or stands elsewhere than the logs")

enum damage {
#define DAMAGE_ENUM(name, code, text) DAMAGE_##name,
	DAMAGE_TABLE(DAMAGE_ENUM)
#undef DAMAGE_ENUM
		DAMAGE_COUNT
};

const char *damage_code(enum damage d);
const char *damage_text(enum damage d);

struct damage_found {
	enum damage damage;
	struct log_name log; /* "" for what no log says: a record or count that nobody wrote */
	uint64_t index;      /* of the event or entry; number of a tile; size of a checkpoint */
	const char *what;    /* more, for people: a tile's path, a record's id; may be "" */
};

struct verify_log {
	struct log_name log;
	uint64_t size;
	uint64_t checkpoints; /* checked */
	uint64_t redacted;
	struct hash root;
};

struct verify_report {
	size_t log_count;
	struct verify_log logs[LOGS_MAX + 1];
	uint64_t leaves, leaf_bytes, tiles, checkpoints;
	uint64_t damaged; /* findings in all */
	bool view_checked;
	uint64_t records, versions, changes, times, counts; /* of the view, compared */
	uint64_t position;      /* entries that the compared view stands for */
	bool unmatched;         /* the national log is here without regional ones, with
				   which its entries would be matched */
	uint64_t cosigned_size; /* of the newest cosigned national checkpoint */
	struct policy_finding witnesses;
	bool policy_known;
	int64_t hash_ns, check_ns, view_ns; /* time of the passes */
};

/* The stored view where this process cannot open it: a running daemon's.  What a function gives
 * is valid until the next one is called. */
enum { VERIFY_PAGE_ROWS = 512 };

struct stored_row;
struct count;
struct verify_rows {
	void *context;
	/* Position and counts in their order, of one moment, into the arena; BUSY when it goes on
	 * changing. */
	MUST_USE enum err (*state)(void *context, struct arena *arena, uint64_t *ret_position,
				   struct count **ret_counts, size_t *ret_count);
	/* Rows of table "records", "versions", "changes" or "times" behind a key (empty: from the
	 * first), up to VERIFY_PAGE_ROWS; none past the end. */
	MUST_USE enum err (*page)(void *context, const char *table, struct bytes after,
				  const struct stored_row **ret, size_t *ret_count);
	/* One row of those or of "view"; NOT_FOUND. */
	MUST_USE enum err (*row)(void *context, const char *table, struct bytes key,
				 struct bytes *ret);
};

struct verify_options {
	const struct keyring *trusted; /* keys that the caller vouches for, and what was read from
					  the source (keyring_read); borrowed */
	const struct policy *policy;   /* NULL: the source's own, else the usual one of the
					  witnesses enrolled */
	bool quorum_needed;            /* no quorum is damage; else it is only reported */
	bool is_store;      /* the source is a store: it ends where its checkpoints say, and
			       a server's logs hold nothing but what its national log accepted */
	struct store *view; /* store with the view, open (a node's is its only store) */
	const struct verify_rows *rows; /* the view where there is no such store; both NULL: no
					   view is compared */
	const char *scratch; /* where the view is folded anew, in files that no folder names */
	uint64_t highwater;  /* a node's mark; 0: none.  Below it: ROLLBACK */
};

/* Called as the work goes on; either may be NULL. `what` is "hash", "check" or "view". */
struct verify_watch {
	void *context;
	void (*progress)(void *context, const char *what, uint64_t done, uint64_t total);
	void (*found)(void *context, const struct damage_found *f); /* each, as it is found */
};

/* OK when the pass could be made, whatever it found (report->damaged); an error when it could
 * not (the source cannot be read, no room for the scratch). */
MUST_USE enum err verify_run(struct source *s, const struct verify_options *options,
			     const struct verify_watch *watch, struct verify_report *ret);

/* Folds a source's logs as they stand now into a view of their own, in files below `scratch` that
 * no folder names any more; `watch` may be NULL.  Nothing is verified.  The caller closes the
 * store. */
MUST_USE enum err verify_fold(struct source *s, const char *scratch,
			      const struct verify_watch *watch, struct store **ret);

#endif
