/* One import: the files given, the plan of each kind, what is wrong.  Shared by the files
 * import*.c alone. */
#ifndef SPLOT_ADMIN_CSV_IMPORT_H
#define SPLOT_ADMIN_CSV_IMPORT_H

#include "admin/draft.h"
#include "admin/csv/encoding.h"
#include "admin/csv/plan.h"

enum { KIND_COUNT = RECORD_KIND_LAST - RECORD_KIND_FIRST + 1 };

struct import_file {
	const char *path;
	const struct kind *kind;
	enum text_encoding encoding;
	char delimiter;
	size_t rows;
};

struct import {
	struct cli *cli;
	struct link link;
	struct plan_options options;
	bool dry_run, skip_bad;
	const char *reason, *source;
	const char *log;           /* the node's */
	uint64_t position;         /* of the register that was compared */
	struct import_file *files; /* owned array */
	size_t file_count;
	struct plan plans[KIND_COUNT]; /* kind NULL: no file of it */
	struct findings findings;
	bool unreadable;   /* some file could not be read to its end */
	bool kept_missing; /* retiring was left undone because rows are bad */
	struct sent sent;  /* what the node accepted */
};

/* Reads and maps one file into its plan; what is wrong is a finding.  Told when the file
 * cannot be opened or its kind is not known. */
enum outcome import_load(struct import *im, const char *path);

/* What was found and done, for people (`details`: row by row, field by field) or as JSON. */
void import_print(const struct import *im, bool details, struct buf *out);
/* `failure`: NULL or the text of the error that the document holds. */
void import_json(const struct import *im, enum err code, const char *failure, struct buf *out);
size_t import_conflicts(const struct import *im);

#endif
