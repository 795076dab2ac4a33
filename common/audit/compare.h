/* Whether two daemons, data folders or backups hold the same: their logs by size and root, their
 * current records and counts by digest.  What is each server's own does not count: its national
 * log, and with it the positions and times of its entries.
 *
 * Layer: audit. */
#ifndef SPLOT_AUDIT_COMPARE_H
#define SPLOT_AUDIT_COMPARE_H

#include "audit/verify.h"
#include "model/event.h"

struct compare_side {
	struct source *logs;            /* borrowed */
	const struct verify_rows *view; /* borrowed; NULL: there is none */
};

enum compare_state {
	COMPARE_EQUAL,
	COMPARE_A_AHEAD, /* the other is what it grew from */
	COMPARE_B_AHEAD,
	COMPARE_FORK, /* no single history explains both */
	COMPARE_ONLY_A,
	COMPARE_ONLY_B,
	COMPARE_OTHER, /* logs of one name and two origins */
	COMPARE_OWN,   /* national logs of two servers: not compared */
};

/* [0]: A, [1]: B */
struct compare_log {
	struct log_name log;
	enum compare_state state;
	bool there[2]; /* the side knows a log of that name */
	uint64_t size[2];
	struct hash root[2];
	char origin[2][ORIGIN_BYTES_MAX + 1];
};

struct compare_region {
	char region[8]; /* as the counts name it */
	uint64_t rows[2];
	struct hash digest[2];
};

struct compare_record {
	char id[ID_BYTES_MAX + 1];
	enum record_kind kind;
	bool there[2];
	struct log_name log[2]; /* of the version */
	uint64_t index[2];
};

enum { COMPARE_FIRST = 10, COMPARE_REGIONS_MAX = REGION_COUNT + 1 };

struct compare_report {
	size_t log_count;
	struct compare_log logs[2 * (LOGS_MAX + 1)];
	bool of_one_log;               /* one side is a node: only what its log says is compared */
	bool viewed;                   /* records and counts were compared */
	uint64_t position[2], size[2]; /* entries that the views stand for, and that there are */
	uint64_t records[2];
	struct hash records_digest[2];
	uint64_t differing; /* records */
	size_t first_count;
	struct compare_record first[COMPARE_FIRST];
	size_t region_count;
	struct compare_region regions[COMPARE_REGIONS_MAX];
	bool equal; /* all that was compared */
};

/* AGAIN when one side changed meanwhile, or its view has not caught up with its logs (position and
 * size say so).  Errors of reading: *ret_side says whose. */
MUST_USE enum err compare_run(const struct compare_side sides[static 2], struct compare_report *ret,
			      int *ret_side);

/* The digests: roots of RFC 6962 trees (SHA-256) over rows in the order of their keys.
 *
 * A record's row is its key (kind, 1 byte; id), and its current version or tombstone as the view
 * encodes it, with position 0; key and version each behind its size, 4 bytes big-endian.  A count's
 * row is metric 0 kind 0 key 0 value, 8 bytes big-endian; a tree for each region. */
MUST_USE enum err compare_record_row(struct bytes key, struct bytes stored, struct arena *arena,
				     struct buf *ret, struct version *ret_version);

#endif
