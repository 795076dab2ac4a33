/* Change events, entries of the national log, and versions in the view: plain
 * structs and their exact bytes (proto/event.proto, national.proto, view.proto).
 *
 * Decoding: every bound of base/limits.h is checked, nothing is allocated outside
 * the arena given, and decoded texts live in that arena.  Unknown fields inside
 * records are kept and encoded again.
 *
 * Layer: model. */
#ifndef SPLOT_MODEL_EVENT_H
#define SPLOT_MODEL_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/time.h"
#include "model/record.h"
#include "model/region.h"
#include "model/text.h"

struct change {
	const char *id;
	bool has_supersedes;
	uint64_t supersedes;
	enum record_kind kind;       /* RECORD_NONE: a kind this program does not know */
	const struct record *record; /* NULL when retired (or of an unknown kind) */
	bool retired;
};

/* What an event says of its own log, instead of changing records. */
enum event_act {
	EVENT_CHANGES,   /* no act */
	EVENT_CONTINUES, /* first event of a log begun anew */
	EVENT_ROTATES,   /* other keys from the next event on */
	EVENT_ACT_UNKNOWN
};

struct event {
	struct wall_ms recorded;
	const char *editor;
	const char *reason;
	const char *source;
	size_t change_count;
	struct change *changes;
	enum event_act act;
	struct log_name old_log; /* CONTINUES: what it goes on from */
	uint64_t old_size;       /*   and how much of it stands */
	struct bytes document; /* CONTINUES: the old log's note of that size; ROTATES: enrolment */
};

/* LIMIT when the result is over EVENT_BYTES_MAX, or an act's document over NOTE_BYTES_MAX;
 * ARGUMENT for an act that is not known here (nothing is added then). Appends to ret. */
MUST_USE enum err event_encode(const struct event *e, struct arena *scratch, struct buf *ret);
/* DECODE (also for a NUL inside a text, and for a single field that comes twice), LIMIT
 * (size, changes, lengths of ids, fields, texts and documents), NOMEM. */
MUST_USE enum err event_decode(struct bytes raw, struct arena *arena, struct event *ret);
/* Which text of an event is longer than it may be, when event_decode said LIMIT; false: none, it
 * is another bound. */
bool event_over(struct bytes raw, struct over *ret);
/* Bytes that this change takes inside an event (for packing many changes into few events). */
size_t change_size(const struct change *c, struct arena *scratch);

/* What an event is to check, store and fold, beside its own bytes, as so many bytes more:
 * EVENT_WORK_BYTES, and for each change but the first CHANGE_WORK_BYTES, with reason and source
 * once more, since every version has them. */
uint64_t event_work(const struct event *e);
/* The same of the bytes of one that was decoded before; of others, as of one change. */
uint64_t event_work_of(struct bytes raw);

/* The recorded time alone, of an event or a national entry (field 1 of both); cheap, for
 * bytes that were decoded before they were stored.  DECODE, also for no bytes: an event that
 * was redacted has no time. */
MUST_USE enum err recorded_time(struct bytes raw, struct wall_ms *ret);

/* Whether an event names other keys, as cheaply. False for no bytes: a redacted one's keys are told
 * by the act of the national log. */
bool event_rotates(struct bytes raw);
/* Whether an event says something of its log itself, as cheaply: where it goes on from, which keys
 * sign it.  Who reads the log later needs that, so such an event is never redacted. */
bool event_is_act(struct bytes raw);
/* When an encoded event was recorded, without decoding the rest; DECODE. */
MUST_USE enum err event_time(struct bytes raw, struct wall_ms *ret);

/* What the append of a server refuses beside undecodable bytes: a change whose id
 * names another owner (OWNER), the same id twice, no id, or no change at all without an act, an
 * act beside changes, of a kind not known here or without its document (INVALID); a record with
 * another id than its change (INVALID), or whose region or network is another owner's (OWNER); a
 * CONTINUES that names a log of another region (OWNER). */
MUST_USE enum err event_check_owner(const struct event *e, int region);

/* ---- the national log ---- */

enum national_kind { NATIONAL_NONE, NATIONAL_ACCEPTED, NATIONAL_ACT };

struct national_entry {
	struct wall_ms recorded;
	enum national_kind kind;
	struct log_name log;
	/* accepted */
	uint64_t from;
	uint64_t size;
	struct bytes checkpoint;
	/* act */
	const char *act; /* "enrol", "revoke", "freeze", "release", "rotate", "redact",
			    "continues" (session/anew.h) */
	const char *by;
	const char *reason;
	struct bytes document;
	struct bytes other;
	uint64_t index;    /* redact, rotate: an event of `log` */
	struct bytes leaf; /* redact: its leaf hash */
			   /* `size`, too: freeze, release: how much of the log stands */
};

MUST_USE enum err national_encode(const struct national_entry *e, struct buf *ret);
MUST_USE enum err national_decode(struct bytes raw, struct arena *arena,
				  struct national_entry *ret);

/* ---- versions in the view ---- */

struct version {
	uint64_t position;
	struct log_name log;
	uint64_t index;
	struct wall_ms recorded;
	const char *editor;
	const char *reason;
	const char *source;
	struct change change;
};

MUST_USE enum err version_encode(const struct version *v, struct arena *scratch, struct buf *ret);
MUST_USE enum err version_decode(struct bytes raw, struct arena *arena, struct version *ret);

#endif
