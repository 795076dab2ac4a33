/* The view: what folding the logs gives.  Current records (and tombstones), superseded
 * versions, counts; each step atomic with its cursor.  The same code folds a region's own
 * log at a node (in the log's own transaction) and all logs at a server (in an environment
 * of its own).
 *
 * Tables: "records" (kind ‖ id -> Version), "versions" (kind ‖ id ‖ 0 ‖ position ‖ index
 * -> Version), "counts" (metric 0 region 0 kind 0 key -> int64), "links" (what counts need to
 * stay right as they fold: links.h), "changes" (position ‖ index ‖ number, 4 bytes -> kind ‖ id:
 * what happened, in order), "times" (position -> recorded time, ms, of that entry), "status" ("now"
 * -> what the daemon last said of itself), "view" ("position", "format").  Numbers are 8 bytes,
 * big-endian; a kind is one byte, the number of its field in Change; a text over ID_BYTES_MAX
 * stands in a key as "sha256:" and its hash.
 *
 * The fold is total: what looks wrong is counted and shown, never refused.
 * Layer: ledger. */
#ifndef SPLOT_LEDGER_VIEW_H
#define SPLOT_LEDGER_VIEW_H

#include "io/store.h"
#include "model/event.h"

struct view {
	struct table records, versions, counts, links, changes, times, status, state;
};

/* VERSION: the view was folded by a program that laid it out differently; throw it away and
 * fold anew.  NOT_FOUND: there is none yet, and it is not to be created. */
MUST_USE enum err view_open(struct store *s, bool create, struct view *ret);

/* After VERSION: the tables as this program lays them out, empty; the next fold begins anew. */
MUST_USE enum err view_renew(struct store *s, struct view *ret);

/* Whether the row "format" of a view's table "view" is what this program writes there. */
bool view_format_fits(struct bytes stored);

/* How many entries of the log it follows have been folded; 0 for a new view. */
MUST_USE enum err view_position(const struct view *v, struct txn *t, uint64_t *ret);

/* A batch of folding inside one write transaction: count changes are gathered in memory
 * and written once by view_fold_finish. */
struct view_fold; /* opaque, reusable */
MUST_USE enum err view_fold_new(struct view_fold **ret);
void view_fold_free(struct view_fold *f);
/* Notes when entry `position` was recorded; once for each entry, in order, beside what is applied
 * of it.  NULL: it does not say, so that the time of the one before stands. */
MUST_USE enum err view_fold_time(struct view_fold *f, const struct view *v, struct txn *t,
				 uint64_t position, const struct wall_ms *recorded);
/* Applies event `index` of `log`, as part of entry `position`: every change of it, or what it
 * says of its log. */
MUST_USE enum err view_fold_event(struct view_fold *f, const struct view *v, struct txn *t,
				  uint64_t position, struct log_name log, uint64_t index,
				  const struct event *e);
/* The same for an event as it is stored: one that was redacted or does not decode is counted.
 * The arena is reset for it. */
MUST_USE enum err view_fold_stored(struct view_fold *f, const struct view *v, struct txn *t,
				   uint64_t position, struct log_name log, uint64_t index,
				   struct bytes stored, struct arena *arena);
/* A stored event of the log that the view follows: an entry of its own, with its time. */
MUST_USE enum err view_fold_own(struct view_fold *f, const struct view *v, struct txn *t,
				struct log_name log, uint64_t index, struct bytes stored,
				struct arena *arena);
/* Whether what failed so to decode is counted and passed over: the fold is total. */
bool view_fold_ignores(enum err e);
/* Counts an event or entry that does not decode ("undecodable_events"). */
MUST_USE enum err view_fold_undecodable(struct view_fold *f);
/* Counts an event whose bytes were erased ("redacted_events"); it changes nothing. */
MUST_USE enum err view_fold_redacted(struct view_fold *f);
/* The work of what was folded since the last finish: the stored bytes and event_work of each event.
 * What is written, and the memory of the transaction, grow with it. */
uint64_t view_fold_work(const struct view_fold *f);
/* Empties every table of the view, "status" apart: the next fold begins anew. */
MUST_USE enum err view_clear(const struct view *v, struct txn *t);
/* Writes counts and the cursor (entries folded = `position`); the fold is empty again. */
MUST_USE enum err view_fold_finish(struct view_fold *f, const struct view *v, struct txn *t,
				   uint64_t position);
void view_fold_abandon(struct view_fold *f); /* after an abort */

/* The current version (maybe a tombstone); NOT_FOUND. Texts live in the arena. */
MUST_USE enum err view_get(const struct view *v, struct txn *t, enum record_kind kind,
			   struct bytes id, struct arena *arena, struct version *ret);
/* As view_get, but as the view stood when `at` entries had been folded (0 = now). */
MUST_USE enum err view_get_at(const struct view *v, struct txn *t, enum record_kind kind,
			      struct bytes id, uint64_t at, struct arena *arena,
			      struct version *ret);
/* True when the id was ever used, of whatever kind. */
MUST_USE enum err view_id_used(const struct view *v, struct txn *t, struct bytes id, bool *ret);

/* Up to `limit` versions of a kind in id order, after `after`, as of `at`; tombstones only
 * when `retired`.  Stops early at `bytes_max` of encoded size, but never
 * before the first row.  `ret_more`: there are others. */
MUST_USE enum err view_list(const struct view *v, struct txn *t, enum record_kind kind,
			    const char *after, uint64_t at, bool retired, size_t limit,
			    size_t bytes_max, struct arena *arena, struct version *ret_versions,
			    size_t *ret_count, bool *ret_more);
/* A place in a record's history: event `index`, in entry `position`. */
struct version_place {
	uint64_t position, index;
};
/* All versions of one record, newest first, those before the place given (0, 0: all), which
 * for the next page is that of the last one here: one entry may hold more versions of a
 * record than fit one page. */
MUST_USE enum err view_history(const struct view *v, struct txn *t, enum record_kind kind,
			       struct bytes id, struct version_place before, size_t limit,
			       size_t bytes_max, struct arena *arena, struct version *ret_versions,
			       size_t *ret_count, bool *ret_more);

/* ---- what changed, in order: for readers that follow ---- */

/* Change `number` of event `index`, in entry `position`.  Ordered by position, index, number. */
struct change_place {
	uint64_t position, index;
	uint32_t number;
};
struct view_change {
	struct change_place place;
	struct version version; /* what the record became by it */
};
/* Up to `limit` changes of entries below `end`: those after `from` in order (NULL: from the first),
 * or, `backward`, those before it, newest first (NULL: from the last).  Stops early at `bytes_max`
 * of encoded size, but never before the first.  `ret_more`: there are others. */
MUST_USE enum err view_changes(const struct view *v, struct txn *t, const struct change_place *from,
			       bool backward, uint64_t end, size_t limit, size_t bytes_max,
			       struct arena *arena, struct view_change *ret, size_t *ret_count,
			       bool *ret_more);
/* The version of a record that the one of that place superseded; NOT_FOUND when it was the first.
 */
MUST_USE enum err view_before(const struct view *v, struct txn *t, enum record_kind kind,
			      struct bytes id, struct version_place place, struct arena *arena,
			      struct version *ret);
/* When entry `position` was recorded; NOT_FOUND when it is not folded. */
MUST_USE enum err view_time(const struct view *v, struct txn *t, uint64_t position,
			    struct wall_ms *ret);
/* How many entries were recorded at or before that time (times never fall). */
MUST_USE enum err view_position_at(const struct view *v, struct txn *t, struct wall_ms until,
				   uint64_t *ret);

/* ---- what the daemon says of itself, for readers in other processes ---- */

/* An encoded control_reply of STATUS (model/control.h); NOT_FOUND.  Valid in `t`. */
MUST_USE enum err view_status(const struct view *v, struct txn *t, struct bytes *ret);
MUST_USE enum err view_put_status(const struct view *v, struct txn *t, struct bytes status);

/* ---- counts: the metrics of the summary ---- */

struct count {
	const char *metric, *region, *kind, *key; /* in the arena */
	int64_t value;
};
/* What a row takes of `bytes_max` beside its texts. */
enum { COUNT_ROW_BYTES = 32 };
/* The rows of the summary that are not 0 (metrics.c has the table; beside it
 * "changes_of_unknown_kind" and "undecodable_events"), sorted by metric, region, kind, key:
 * those after `after` (NULL: from the first), up to `bytes_max`, but at least one. */
MUST_USE enum err view_counts(const struct view *v, struct txn *t, const struct count *after,
			      size_t bytes_max, struct arena *arena, struct count **ret_rows,
			      size_t *ret_count, bool *ret_more);

#endif
