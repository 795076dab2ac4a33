/* A folder of evidence: two signed notes of one log that no single history explains.
 *
 *     note-1, note-2   the signed notes, the one of the smaller size first
 *     consistency      of different sizes: the proof that leads to note-2 …
 *     root             … and the checkpoint (without a signature) that it leads from: what
 *                      note-2's own tree says at note-1's size
 *     log.vkey         keys of the log, as the writer knows them
 *     README.md        how to check it */
#ifndef SPLOT_ADMIN_AUDITOR_EVIDENCE_H
#define SPLOT_ADMIN_AUDITOR_EVIDENCE_H

#include "admin/auditor/source.h"
#include "audit/consistency.h"

#define EVIDENCE_SMALL       "note-1"
#define EVIDENCE_LARGE       "note-2"
#define EVIDENCE_CONSISTENCY "consistency"
#define EVIDENCE_ROOT        "root"

/* One row: the notes and what they say. */
struct evidence_item {
	struct log_name log;
	const char *server;    /* at a node: whose national log; "" else */
	uint64_t number;       /* tells the rows of one log apart */
	uint64_t at_ms;        /* 0: not known */
	struct bytes notes[2]; /* the one of the smaller size first */
	struct checkpoint checkpoints[2];
};

/* Puts the notes in order and reads them; DECODE, ORIGIN (of two logs). */
MUST_USE enum err evidence_read(struct bytes note, struct bytes other, struct evidence_item *ret);

/* Writes `folder`; *ret_shown: whether it shows a contradiction.  A failure was told. */
enum outcome evidence_write(struct audit_source *a, const struct evidence_item *item,
			    const char *folder, bool *ret_shown);
/* Checks such a folder offline, by --key and --keys. */
enum outcome evidence_check(struct cli *cli, const char *folder);

#endif
