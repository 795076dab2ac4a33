/* A copy of a store's truth in another store of the same layout: logs behind where the copy ends,
 * small tables row by row; the view is left to be folded anew.  What is added is hashed on its way
 * and held against the signed checkpoints.
 *
 * The source may be written meanwhile: one moment of it is copied.
 * Layer: audit. */
#ifndef SPLOT_AUDIT_BACKUP_H
#define SPLOT_AUDIT_BACKUP_H

#include "audit/keyring.h"
#include "io/store.h"

enum backup_kind {
	BACKUP_LOG,     /* NAME.events, NAME.tiles, NAME.checkpoints: only grows */
	BACKUP_ROWS,    /* small and changing: compared row by row */
	BACKUP_OWN,     /* says something of the file it stands in: each file has its own */
	BACKUP_VIEW,    /* folded from the logs */
	BACKUP_UNKNOWN, /* nobody said what it is: copied as rows */
};

/* What a table of that name is; for one of a log *ret_log is whose. */
enum backup_kind backup_kind_of(const char *name, struct log_name *ret_log);

struct backup_log {
	struct log_name log;
	char origin[ORIGIN_BYTES_MAX + 1]; /* "" of an empty log */
	uint64_t before, size;             /* events that the copy had, and has */
	struct hash root;                  /* at `size` */
};

enum { BACKUP_TABLE_NAME_BYTES = 64, BACKUP_UNKNOWN_TOLD = 4 };

struct backup_report {
	size_t log_count;
	struct backup_log logs[LOGS_MAX + 1]; /* regions' logs in order of name, then "national" */
	uint64_t rows_read;                   /* of the source */
	uint64_t rows_written, bytes_written; /* keys and values of the copy */
	uint64_t erased;      /* events whose bytes were taken out of the copy's tables now */
	size_t unknown_count; /* tables that are BACKUP_UNKNOWN; the first of them */
	char unknown[BACKUP_UNKNOWN_TOLD][BACKUP_TABLE_NAME_BYTES];
	/* Set when it failed, else "": where, and in which words for people. */
	struct log_name failed;
	uint64_t failed_at; /* event, or size of a checkpoint */
	const char *why;    /* static */
	bool copy_failed;   /* it is the copy that cannot be read or written, not the source */
};

struct backup_options {
	bool in_parts; /* several bounded transactions: for a copy on which nobody relies yet.  Else
			  one, that changes all or nothing; LIMIT when that would be too large */
	const struct keyring *trusted; /* keys of the national log, or of a node's own; NULL: its
					  signature is not looked at.  Borrowed */
	void *context;
	void (*progress)(void *context, uint64_t done, uint64_t total); /* may be NULL */
};

/* What one transaction of a copy takes at most: LMDB keeps the memory of its largest one. */
enum { BACKUP_PART_BYTES = 32 * 1024 * 1024 };

/* Brings `to` up to what `from` holds now.  `ret` is filled also on failure, and then nothing of a
 * copy in one transaction changed but that tables without rows may have come to be.
 *
 * ROLLBACK: the copy is ahead of the source.  FORK: the source's log did not grow from the copy's.
 * ORIGIN: they are not the same logs.  CORRUPT: one of the two is damaged (copy_failed). SIGNATURE,
 * UNKNOWN_KEY: the newest checkpoint is not by a trusted key.  AGAIN: the source was changed in a
 * way that asks for another try; one in parts begins with another copy, what is left of this one is
 * CORRUPT.  LIMIT: see in_parts.  DISK_FULL, MAP_FULL, SYNC: of the copy. */
MUST_USE enum err backup_copy(struct store *from, struct store *to,
			      const struct backup_options *options, struct backup_report *ret);

/* Whether bytes that were taken out of the copy may still be in free pages of its file: then it is
 * to be closed and written anew (store_compact), and only that being done, backup_scrubbed. */
MUST_USE enum err backup_scrub_waits(struct store *copy, bool *ret);
MUST_USE enum err backup_scrubbed(struct store *copy);

#endif
