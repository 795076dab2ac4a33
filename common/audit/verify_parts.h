/* What the passes of a verification share.
 *
 * Inside the audit only. */
#ifndef SPLOT_AUDIT_VERIFY_PARTS_H
#define SPLOT_AUDIT_VERIFY_PARTS_H

#include "audit/verify.h"
#include "ledger/view.h"
#include "model/event.h"
#include "tlog/checkpoint.h"

/* One log as it stood when the verification began. */
struct verify_target {
	struct log_name name;
	bool national;
	uint64_t size;                     /* of its newest checkpoint; 0: it has none */
	struct hash newest;                /* the root that this one says */
	char origin[ORIGIN_BYTES_MAX + 1]; /* as this one says; "": it has none */
	uint64_t accepted;                 /* by the national entries seen so far */
	struct verify_log *row;
};

struct verify {
	struct source *source;
	const struct verify_options *options;
	const struct verify_watch *watch;
	struct verify_report *report;
	size_t count;
	struct verify_target targets[LOGS_MAX + 1];
	struct source_leaves *run; /* owned; scratch of one call */
	uint64_t done, total;      /* of the present pass */
};

void verify_found(struct verify *v, enum damage damage, struct log_name log, uint64_t index,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));
/* Moves the bar of pass `what` on by `more`. */
void verify_progress(struct verify *v, const char *what, uint64_t more);
struct verify_target *verify_target(struct verify *v, struct log_name log); /* NULL: none */
/* The log whose entries the view counts: the national one, or a node's only log; NULL: none. */
struct verify_target *verify_followed(struct verify *v);
/* What a source says of itself that is not as it should be, and no reason to stop. */
bool verify_is_damage(enum err e);

/* Leaves one after the other, each once: copied, so that others may be read between. */
struct verify_stream {
	struct verify *verify;
	struct log_name log;
	uint64_t size; /* where it ends */
	uint64_t next;
	size_t at, count;
	struct bytes *items; /* owned */
	struct buf copy;
};
MUST_USE enum err verify_stream_open(struct verify_stream *s, struct verify *v,
				     const struct verify_target *t);
/* The next leaf, size 0 when it was erased, valid until the next call; {NULL, 0} with *ret_there
 * false when it is missing.  ERR_NOT_FOUND behind the last. */
MUST_USE enum err verify_stream_next(struct verify_stream *s, struct bytes *ret, bool *ret_there);
void verify_stream_close(struct verify_stream *s); /* also a zeroed one */

/* The passes.  Damage is told, not returned. */
MUST_USE enum err verify_hashes(struct verify *v, struct verify_target *t);
MUST_USE enum err verify_signatures(struct verify *v, struct verify_target *t);
MUST_USE enum err verify_events(struct verify *v, struct verify_target *t);
MUST_USE enum err verify_national(struct verify *v, struct verify_target *national);
MUST_USE enum err verify_witnesses(struct verify *v, const struct verify_target *national);
/* The files of keys beside an export's logs, by the national log. */
MUST_USE enum err verify_key_files(struct verify *v, const struct verify_target *national);
MUST_USE enum err verify_view(struct verify *v);
MUST_USE enum err verify_fold_all(struct verify *v, const char *scratch, struct store **ret);

/* A view with its counts, as it stood at one moment: in a store, or rows that are asked for. */
struct verify_side {
	struct store *store;
	struct view view;
	const struct verify_rows *rows; /* NULL: in the store */
	uint64_t position;              /* entries that it stands for */
	struct count *counts;
	size_t count;
	struct arena arena; /* of the counts */
};
/* Position and counts, in one transaction. */
MUST_USE enum err verify_side_read(struct verify_side *s);
/* Compares a stored view, which may have been folded on since its side was read, with the one
 * folded anew up to the same position. */
MUST_USE enum err verify_compare(struct verify *v, const struct verify_side *stored,
				 const struct verify_side *anew);

/* Root of the first `size` leaves, by the source's tiles. */
MUST_USE enum err verify_root_at(struct verify *v, struct log_name log, uint64_t size,
				 struct hash *ret);

#endif
