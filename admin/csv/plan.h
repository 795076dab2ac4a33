/* What an import would do: the rows of the files against what the register holds.  Pure:
 * snapshots in, a plan out; nothing is asked or sent here. */
#ifndef SPLOT_ADMIN_CSV_PLAN_H
#define SPLOT_ADMIN_CSV_PLAN_H

#include "admin/csv/finding.h"
#include "admin/merge.h"
#include "admin/snapshot.h"

enum row_fate {
	ROW_PENDING,
	ROW_SAME,
	ROW_ADDED,
	ROW_CHANGED,
	ROW_ASIDE,    /* another owner's, with --own */
	ROW_BAD,      /* something is wrong with it */
	ROW_CONFLICT, /* changed on both sides */
};

struct plan_row {
	const char *file;
	size_t row;         /* as in the file */
	const char **cells; /* by field; NULL: the file has no such column */
	const char *id;     /* "" until minted */
	bool minted;
	bool has_state;
	struct state_mark state; /* what the row was exported as */
	bool flawed;             /* something is wrong with it: found and listed */
	uint64_t unsure;         /* bit per field: damaged, and more than one reading fits */
	enum row_fate fate;
	const struct version *current; /* NULL: new */
	struct record *record;         /* what it is to be */
};

/* What a spreadsheet had done to a cell, undone. */
struct plan_repair {
	const struct plan_row *row;
	int field;
	const char *from, *to;
};

struct plan_conflict {
	const struct plan_row *row; /* NULL: a record missing from the file */
	const char *id;
	int field; /* -1: the whole record */
	const char *base, *in_register, *in_file;
};

struct plan_missing {
	const struct version *current;
	bool retire;
};

/* The register as of an older size, for files that came back. */
struct plan_base {
	uint64_t size;
	struct snapshot rows;
};
enum { PLAN_BASES_MAX = 16 };

struct plan_options {
	int region; /* whose node it is */
	bool own, overwrite, retire_missing;
	bool incomplete; /* a file could not be read: nobody knows what is missing */
};

/* One kind. */
struct plan {
	const struct kind *kind;
	struct plan_row *rows; /* owned array; addresses are stable once comparing begins */
	size_t row_count, row_capacity;
	bool three_way;      /* some row has a state */
	struct snapshot now; /* owned; tombstones too */
	struct plan_base bases[PLAN_BASES_MAX];
	size_t base_count;
	struct plan_missing *missing; /* owned array */
	size_t missing_count;
	struct plan_conflict *conflicts; /* owned array */
	size_t conflict_count, conflict_capacity;
	struct plan_repair *repairs; /* owned array */
	size_t repair_count, repair_capacity;
};

void plan_free(struct plan *p);
/* A copy of the row is added. */
MUST_USE enum err plan_add_row(struct plan *p, const struct plan_row *row);
/* Undoes in one row what a spreadsheet did; in plan_repair.c. */
MUST_USE enum err plan_repair_row(struct plan *p, struct plan_row *row, struct arena *arena);
/* Repairs, decides every row's fate, mints ids, finds what is missing.  Snapshots are filled
 * already. */
MUST_USE enum err plan_compare(struct plan *p, const struct plan_options *options,
			       struct arena *arena, struct findings *findings);
/* How many rows have that fate. */
size_t plan_count(const struct plan *p, enum row_fate fate);

#endif
