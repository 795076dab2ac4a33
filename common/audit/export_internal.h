/* What the files of the exporter share; nobody else includes this.
 *
 * Layer: audit. */
#ifndef SPLOT_AUDIT_EXPORT_INTERNAL_H
#define SPLOT_AUDIT_EXPORT_INTERNAL_H

#include "audit/export.h"
#include "audit/prove.h"

enum { EXPORT_PATH_BYTES = 4096 };

/* An event that its bundle leaves out. */
struct erased {
	uint64_t index;
	struct hash leaf;
};

/* One log's folder: what is known to be in it, and what this run makes of it. */
struct exported {
	struct log_name log;
	char folder[EXPORT_PATH_BYTES];
	bool looked;
	uint64_t size; /* of the checkpoint that is there; 0: none */
	struct hash root;
	struct buf note;       /* its bytes */
	uint64_t written;      /* bundles and tiles of so many leaves are there, maybe more */
	struct erased *erased; /* owned */
	size_t erased_count, erased_room;
	char **partials; /* owned: files of partial tiles and bundles, inside the folder */
	size_t partial_count, partial_room;
	/* this run */
	struct checkpoint target;
	struct buf target_note;
	bool changed; /* the target waits to become the folder's checkpoint */
};

struct export_run {
	struct source *source;
	const struct keyring *keys;
	const struct policy *policy; /* NULL: none */
	void (*progress)(void *context, uint64_t done, uint64_t total);
	void *context;
	uint64_t done, total;
	struct export_report report;
};

/* ---- export_files.c ---- */

/* Replaces a file whole, making its folders; not synced. */
MUST_USE enum err export_put(const char *folder, const char *file, struct bytes content,
			     struct export_run *run);
/* The same, synced, and only when the file holds something else. */
MUST_USE enum err export_put_changed(const char *folder, const char *file, struct bytes content,
				     struct export_run *run);
/* Reads what is in a log's folder: its checkpoint, how far a run that was ended came, what is
 * erased, which partial files there are. */
MUST_USE enum err export_look(struct exported *x);
/* The folder holds a log that was lost and began anew under another name: it becomes
 * ../before/NAME beside the others, as it is.  EXISTS when that is there. */
MUST_USE enum err export_set_aside(const struct exported *x, const char *name);
/* Notes how far bundles and tiles are written, synced, so that a later run goes on from there. */
MUST_USE enum err export_note_progress(struct exported *x, const struct checkpoint *so_far,
				       struct export_run *run);
/* Makes the target the folder's checkpoint, all before it being synced, and removes the partial
 * files that neither it nor the one before needs. */
MUST_USE enum err export_finish(struct exported *x, struct export_run *run);
/* Notes a partial file that is there now. */
MUST_USE enum err export_add_partial(struct exported *x, const char *file);
/* Removes every partial file of a bundle but `keep`. */
void export_drop_bundles(struct exported *x, uint64_t number, const char *keep);
MUST_USE enum err export_sync(const char *folder);

/* ---- export_log.c ---- */

/* Writes what is missing below the target's size, and leaves out what was erased since.  Sets
 * `changed` when there is anything to finish. */
MUST_USE enum err export_grow(struct exported *x, struct export_run *run);
MUST_USE enum err export_add_erased(struct exported *x, uint64_t index, struct hash leaf);

/* ---- export_readme.c ---- */

extern const char *const export_readme[]; /* the text, in parts; ends in NULL */
extern const char export_readme_first[];  /* how it begins */

#endif
