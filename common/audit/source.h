/* Where an audit reads logs from: a store (also while its daemon writes), a running daemon, or
 * an export folder.  What comes from a source is not believed: audit/verify.h checks it.
 *
 * A source that is written meanwhile only grows: what is read below a size that newest() gave
 * does not change (but for redactions).
 *
 * Layer: audit.  May use base, model, tlog, session, ledger, io. */
#ifndef SPLOT_AUDIT_SOURCE_H
#define SPLOT_AUDIT_SOURCE_H

#include "model/region.h"
#include "tlog/tile.h"

enum { SOURCE_LEAVES_MAX = 4096 };

/* A run of leaves, exact bytes; a redacted one has size 0. */
struct source_leaves {
	size_t count;
	struct bytes items[SOURCE_LEAVES_MAX]; /* valid until the next call on this source */
};

struct source_names {
	size_t count;
	struct log_name items[LOGS_MAX + 1]; /* regions' logs in order of name, then "national" */
};

struct store;
struct source; /* what follows is a table of functions and a context */

struct source_ops {
	MUST_USE enum err (*names)(struct source *s, struct source_names *ret);
	/* The newest signed checkpoint; NOT_FOUND in an empty log.  Appends the note. */
	MUST_USE enum err (*newest)(struct source *s, struct log_name log, uint64_t *ret_size,
				    struct buf *ret_note);
	/* From `from` on and below `size`, at least one, as many as come cheaply; NOT_FOUND past
	 * the end, or when that one is missing (a run ends before a gap).  Bytes as they are
	 * stored: nothing is checked. */
	MUST_USE enum err (*leaves)(struct source *s, struct log_name log, uint64_t from,
				    uint64_t size, struct source_leaves *ret);
	/* A tile's hashes at least `width` wide, appended; NOT_FOUND. */
	MUST_USE enum err (*tile)(struct source *s, struct log_name log, struct tile_id id,
				  unsigned width, struct buf *ret);
	/* The first stored checkpoint of a size above `after`; NOT_FOUND when there is none. An
	 * export holds one. */
	MUST_USE enum err (*checkpoint)(struct source *s, struct log_name log, uint64_t after,
					uint64_t *ret_size, struct buf *ret_note);
	/* The newest cosigned national checkpoint at or below `size`; NOT_FOUND. */
	MUST_USE enum err (*cosigned)(struct source *s, uint64_t size, uint64_t *ret_size,
				      struct buf *ret_note);
	/* Verifier keys that the source itself states, as lines of text (an export's log.vkey, an
	 * enrolment): hints for a keyring, trusted only when the caller says so. NOT_FOUND. */
	MUST_USE enum err (*keys)(struct source *s, struct log_name log, struct buf *ret);
	/* The policy that the source states; NOT_FOUND. */
	MUST_USE enum err (*policy)(struct source *s, struct buf *ret);
	/* The witnesses' keys that an export states, one a line; NOT_FOUND.  May be NULL. */
	MUST_USE enum err (*witnesses)(struct source *s, struct buf *ret);
	/* The national act that ordered an erasure, where it is kept beside the log and not in a
	 * national one (a node): the first of an event at or after `from`.  Appends the entry;
	 * NOT_FOUND.  May be NULL: no such source. */
	MUST_USE enum err (*duty)(struct source *s, struct log_name log, uint64_t from,
				  uint64_t *ret_index, struct buf *ret_entry);
	/* Two notes that no single history explains, kept by a daemon (its table "evidence"): the
	 * row behind *key (empty: the first), whose key *key becomes: a log's name or origin, 0,
	 * and a number of 8 bytes.  Both notes are put in place of what the buffers held;
	 * NOT_FOUND. May be NULL. */
	MUST_USE enum err (*evidence)(struct source *s, struct buf *key, struct buf *ret_note,
				      struct buf *ret_other);
	void (*close)(struct source *s);
};

struct source {
	const struct source_ops *ops;
	void *context;  /* owned */
	bool single;    /* an export's folder of one log: what stands beside it is not looked at */
	char what[256]; /* for people: the folder or socket */
};

/* A store folder (a node's data folder, a server's data folder or its logs/). NOT_FOUND when it is
 * none; DENIED, CORRUPT. */
MUST_USE enum err source_open_store(const char *folder, struct source *ret);
/* A store that this process has open; borrowed, and used by one thread at a time.  `what` as in
 * struct source. */
MUST_USE enum err source_of_store(struct store *store, const char *what, struct source *ret);
/* An export folder: of one log, or of all (one folder a log: "26", "26-2", "national"). */
MUST_USE enum err source_open_export(const char *folder, struct source *ret);
/* Whichever of the two it is. */
MUST_USE enum err source_open(const char *folder, struct source *ret);
void source_close(struct source *s); /* NULL-safe, also a zeroed one */

/* Whose log a key's or a checkpoint's name is: "realm/region/26", "realm/national/NAME" or, with
 * `ret_witness` set, "realm/witness/26".  INVALID for any other. */
MUST_USE enum err source_origin_log(struct bytes origin, struct bytes *ret_realm,
				    struct log_name *ret, bool *ret_witness);
/* "26/2" <-> "26-2": a log's folder in an export. */
void source_folder_name(struct log_name log, char ret[static LOG_NAME_BYTES]);
MUST_USE enum err source_folder_log(const char *folder, struct log_name *ret);

#endif
