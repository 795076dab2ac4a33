/* Writes logs as static files in tlog-tiles layout (C2SP tlog-tiles v0.1.0): one folder a log
 * with "checkpoint", "tile/…", "tile/entries/…" and "log.vkey"; beside them "witnesses.vkeys",
 * "policy" and a README for outsiders.
 *
 * Incremental: full tiles are written once; tiles first, the checkpoint last, each file replaced
 * whole, so that the folder can be served while it is written and a kill is mended by the next
 * run.  A redacted event has length 0 in its bundle and is named in "redacted".
 *
 * Layer: audit. */
#ifndef SPLOT_AUDIT_EXPORT_H
#define SPLOT_AUDIT_EXPORT_H

#include "audit/keyring.h"
#include "audit/source.h"
#include "tlog/policy.h"

struct export_report {
	size_t logs;            /* that the folder holds now */
	uint64_t files;         /* written now */
	uint64_t leaves;        /* new ones */
	struct log_name failed; /* the first log that could not be exported; "": none */
	struct log_name unsaid; /* the first log whose key is not known: no log.vkey; "": none */
	uint64_t cosigned;      /* size of the exported national checkpoint */
	bool quorum;            /* it has its quorum */
};

struct exporter; /* opaque: remembers what the folder holds, so that a run costs what changed */

/* Makes the folder when it is missing.  EXISTS when something else is in it (a store, a README.md
 * that is none of ours); BUSY while another exporter writes it. */
MUST_USE enum err exporter_open(const char *folder, struct exporter **ret);
void exporter_close(struct exporter *x); /* NULL-safe */
/* Brings the folder up to what the source holds.  `keys` were read from it; `policy` NULL: the
 * source's own, else the usual one.  The national checkpoint is the newest one with its quorum,
 * when there is one; else the newest.  A folder never goes back to a smaller size.
 * `only`: one log, or "" for all.  `progress` may be NULL.
 *
 * What is written was hashed first: CORRUPT when leaves do not give the checkpoint's root,
 * SIGNATURE when its key did not sign it, FORK when the folder holds another history, ROLLBACK
 * when it holds more than the source.  A log that fails does not keep the others from being
 * written; *ret is filled also then, and names the first.  A national log that was lost, and that
 * the source's goes on from under another name, is moved to before/national-N, N its generation. */
MUST_USE enum err exporter_run(struct exporter *x, struct source *s, const struct keyring *keys,
			       const struct policy *policy, struct log_name only,
			       void (*progress)(void *context, uint64_t done, uint64_t total),
			       void *context, struct export_report *ret);

#endif
