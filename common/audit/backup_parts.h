/* What the files of a backup share.
 *
 * Inside the audit only. */
#ifndef SPLOT_AUDIT_BACKUP_PARTS_H
#define SPLOT_AUDIT_BACKUP_PARTS_H

#include "audit/backup.h"
#include "ledger/log.h"

enum {
	/* A real store has a dozen beside those of its logs. */
	BACKUP_TABLES_MAX = 64,
	/* Three a log, and those. */
	STORE_TABLES = 3 * (LOGS_MAX + 1) + BACKUP_TABLES_MAX,
	BACKUP_INDEX_BYTES = 8,
};

/* One log on both sides. */
struct backup_pair {
	struct log from, to;
	struct backup_log *row;
	bool national;
	bool fresh;        /* the copy has no such log yet: `to` is not open */
	uint64_t size;     /* that is copied */
	uint64_t accepted; /* by the national entries that were added */
	struct buf note;   /* the checkpoint of that size */
};

/* A table that is compared row by row. */
struct backup_rows {
	char name[BACKUP_TABLE_NAME_BYTES];
	struct table from, to;
	bool gone;  /* the source has it no more */
	bool fresh; /* the copy has it not yet */
};

struct backup {
	struct store *from, *to;
	const struct backup_options *options;
	struct backup_report *report;
	size_t pair_count;
	struct backup_pair *pairs[LOGS_MAX + 1]; /* owned; in order of name */
	size_t rows_count;
	struct backup_rows rows[BACKUP_TABLES_MAX];
	struct table scrub; /* of the copy */
	bool has_redacted;
	struct table redacted;  /* of the source */
	struct tree redactions; /* over its rows, as they stood at first */
	struct txn *read, *write;
	int64_t renewed_us;
	size_t part_bytes; /* of rows in the open write transaction */
	uint64_t done, total;
	struct arena arena;
};

struct bytes backup_index_key(uint64_t index, uint8_t key[static BACKUP_INDEX_BYTES]);
/* Says where it failed and why; gives `e`. */
enum err backup_failed(struct backup *b, struct log_name log, uint64_t at, const char *why,
		       enum err e);
/* The same for the copy. */
enum err backup_copy_failed(struct backup *b, struct log_name log, enum err e);
struct backup_pair *backup_pair(struct backup *b, struct log_name log); /* NULL: none */
/* The log whose key is trusted: the national one, or a node's only log; NULL: none. */
struct backup_pair *backup_followed(struct backup *b);
/* Counts a row that was written, and begins another transaction when this one has its part. */
MUST_USE enum err backup_wrote(struct backup *b, size_t bytes);

/* Fixes what is copied of a log and whether that grew from the copy. */
MUST_USE enum err backup_fix_log(struct backup *b, struct backup_pair *p);
MUST_USE enum err backup_copy_log(struct backup *b, struct backup_pair *p);
/* Takes bytes out of the copy that the source erased since. */
MUST_USE enum err backup_erase(struct backup *b);
/* Root over the rows of "redacted"; the empty tree where there is none. */
MUST_USE enum err backup_redactions(struct backup *b, struct tree *ret);

#endif
