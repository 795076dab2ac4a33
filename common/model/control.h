/* What splotctl and a daemon say to each other over the control socket: one request,
 * one reply, each a protobuf message (proto/control.proto) behind a 4-byte big-endian
 * length.  Long answers are paged by the asker, so that no answer needs state.
 *
 * Plain structs; texts of a decoded message live in the arena given.
 * Layer: model. */
#ifndef SPLOT_MODEL_CONTROL_H
#define SPLOT_MODEL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "model/event.h"
#include "model/validate.h"

enum control_verb {
	CONTROL_NONE,
	CONTROL_EDIT,      /* node: draft, dry_run -> accepted | problems | failure */
	CONTROL_QUERY,     /* both: kind/id/after/limit/at/history -> versions, more, position */
	CONTROL_SUMMARY,   /* both: after_count -> counts, more, position */
	CONTROL_STATUS,    /* both -> status */
	CONTROL_ENROL,     /* server: document (enrolment), reason */
	CONTROL_REVOKE,    /* server: log, reason */
	CONTROL_TRUST,     /* server -> trust rows */
	CONTROL_WAIVE,     /* node: server name, reason */
	CONTROL_ROWS,      /* both: name, table, after_key, reverse, limit -> rows, more */
	CONTROL_EVIDENCE,  /* both -> evidence */
	CONTROL_FREEZE,    /* server: name, size, reason */
	CONTROL_RELEASE,   /* server: name, reason */
	CONTROL_REDACT,    /* server: name, index, leaf, reason */
	CONTROL_ROTATE,    /* node: reason */
	CONTROL_CONTINUE,  /* both: document, key, reason */
	CONTROL_WITNESSED, /* node -> witnessed */
	CONTROL_FOLLOW,    /* node: server name, reason */
};

struct count_row { /* one row of the summary: docs/splotctl.1 */
	const char *metric, *region, *kind, *key;
	int64_t value;
};

struct control_request {
	enum control_verb verb;
	/* EDIT: an encoded Event without editor and time; `supersedes` of each change says
	 * which version the editor saw */
	struct bytes draft;
	bool dry_run;
	/* QUERY */
	enum record_kind kind; /* NONE: any, when id is given */
	const char *id;        /* exact; "" for all of the kind, in id order */
	const char *after;     /* page on: ids bytewise after this one */
	uint32_t limit;        /* rows; 0 = QUERY_ROWS_MAX */
	uint64_t at; /* as of this position; 0 = now.  The first page's position fixes the rest */
	/* with `at` 0: as of the last entry recorded at or before this time; 0: now.  NOT_FOUND
	 * when the log begins later */
	struct wall_ms until;
	/* all versions of `id`, newest first: those before event `before_index` of entry `at`,
	 * as the last one of a page names them; both 0: all */
	bool history;
	uint64_t before_index;
	bool retired; /* tombstones too */
	/* SUMMARY: the rows after this one, the last of a page; no metric (NULL, ""): from the
	 * first.  Another `position` in the reply: what was counted has changed, begin again */
	struct count_row after_count;
	/* ENROL, REVOKE, WAIVE, FREEZE, RELEASE, REDACT, ROTATE, CONTINUE, FOLLOW */
	struct bytes document;
	const char *name; /* log or server */
	const char *reason;
	/* ROWS of log `name`: "events", "tiles", "checkpoints", "cosigned", "redacted"; of "view":
	 * "records", "versions", "changes", "times", "view" */
	const char *table;
	struct bytes after_key; /* those after it; empty: from the first */
	bool reverse;           /* downwards, those before it; empty: from the last */
	/* REDACT */
	uint64_t index;
	struct bytes leaf; /* 32 bytes; empty: of the event that is there */
	uint64_t size;     /* FREEZE: what stands; 0: all that is there */
	const char *key;   /* CONTINUE: verifier key of the old log */
};

struct stored_row { /* exact bytes; an empty value in "events": redacted */
	struct bytes key, value;
};

struct evidence_row {       /* two signed notes that no single history explains */
	const char *log;    /* a region's log, or "national" */
	uint64_t index;     /* server: the national entry of the freeze */
	const char *server; /* node: whose national log */
	struct bytes note, other;
	uint64_t at_ms;
};

struct witness_row {
	const char *log, *key;
	uint64_t size;  /* of the newest national checkpoint that it cosigned; 0: none */
	uint64_t at_ms; /* by its own word */
};

struct witnessed_row {
	const char *server; /* its name */
	const char *origin; /* of its national log, this generation of it */
	struct bytes note;  /* the newest checkpoint of it that this node witnessed */
	bool followed;      /* it is the log that this node follows */
};

struct peer_row {          /* node: one per server; server: one per log */
	const char *name;  /* server's name, or log */
	const char *state; /* "live", "connecting", "catching-up", "fetching", "frozen", "refused",
			      "held", "revoked", "away", "off" */
	uint64_t size;     /* confirmed there / durable here */
	uint64_t claimed;  /* server: what the node says it has; node: the server's size */
	uint64_t last_contact_ms; /* wall ms; 0 never */
	uint64_t last_commit_ms;
	const char *note;        /* why, and what to do; "" when well */
	struct bytes checkpoint; /* server: the log's newest signed note; empty: none */
};

/* How often something took how long (base/histogram.h). */
enum { HISTOGRAM_BOUNDS_MAX = 32 };
struct histogram_row {
	const char *name; /* "store", "arrival", "visible", "witness": docs/splot-server.8 */
	size_t bound_count;
	uint64_t bounds_us[HISTOGRAM_BOUNDS_MAX]; /* rising */
	/* up to each bound and above the one before; the last one: above all */
	uint64_t counts[HISTOGRAM_BOUNDS_MAX + 1];
	uint64_t sum_us;
};

struct refusal_row {
	const char *log; /* "" when not known */
	const char *code;
	uint64_t count;
};

struct trust_row {
	const char *log, *state, *log_key, *witness_key, *curve_key;
	uint64_t since_ms;
};

struct control_reply {
	enum err code;    /* OK or why not */
	const char *text; /* what, where, what to do next; "" when OK */
	/* EDIT */
	uint64_t index; /* of the event in the log */
	/* all */
	uint64_t size;     /* log size (node), national size (server) */
	uint64_t position; /* that the view stands for: the number of log entries folded */
	const struct problem *problems;
	size_t problem_count;
	/* EDIT with CONFLICT, QUERY */
	const struct version *versions;
	size_t version_count;
	bool more;
	const struct count_row *counts;
	size_t count_count;
	/* STATUS */
	const char *role;     /* "node", "server" */
	const char *identity; /* log, or server name */
	const char *realm;
	const char *state; /* "open", "gated", …: whether edits are taken */
	const char *note;
	uint64_t started_ms;
	const struct peer_row *peers;
	size_t peer_count;
	const struct refusal_row *refusals;
	size_t refusal_count;
	const struct trust_row *trust;
	size_t trust_count;
	/* ROWS */
	const struct stored_row *rows;
	size_t row_count;
	/* EVIDENCE */
	const struct evidence_row *evidence;
	size_t evidence_count;
	/* WITNESSED */
	const struct witnessed_row *witnessed;
	size_t witnessed_count;
	/* STATUS */
	const char *key;                     /* verifier key of the log that this daemon signs */
	const struct witness_row *witnesses; /* server, and what follows */
	size_t witness_count;
	struct bytes cosigned;   /* newest national note with its quorum, or with most of it */
	bool quorum;             /* it has its quorum */
	const char *policy;      /* the policy in force, as its file's text */
	const char *verified;    /* both: report of the last full verification, one line of JSON */
	struct bytes checkpoint; /* both: newest signed note of the log that this daemon signs */
	const struct histogram_row *histograms; /* both: since the start */
	size_t histogram_count;
	/* when this was said; and, where it stands in a view, after how long at the latest it is
	 * said again */
	uint64_t written_ms, interval_ms;
};

MUST_USE enum err control_request_encode(const struct control_request *q, struct buf *ret);
MUST_USE enum err control_request_decode(struct bytes raw, struct arena *arena,
					 struct control_request *ret);
/* Which part of an encoded request is longer than it may be; false: none is. */
bool control_request_over(struct bytes raw, struct over *ret);
/* The text for whoever sent what control_request_decode refused with `e`, in the arena. */
const char *control_request_why(struct bytes raw, enum err e, struct arena *arena);
/* LIMIT over CONTROL_BYTES_MAX. */
MUST_USE enum err control_reply_encode(const struct control_reply *r, struct arena *scratch,
				       struct buf *ret);
MUST_USE enum err control_reply_decode(struct bytes raw, struct arena *arena,
				       struct control_reply *ret);

#endif
