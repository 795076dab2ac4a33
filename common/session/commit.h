/* Checking a commit's bytes against the tree it is to extend: the one gate through which
 * events from another machine pass.
 *
 * Pure.  Layer: session. */
#ifndef SPLOT_SESSION_COMMIT_H
#define SPLOT_SESSION_COMMIT_H

#include "model/event.h"
#include "model/wire.h"
#include "session/card.h"
#include "tlog/checkpoint.h"
#include "tlog/tree.h"

struct commit {
	uint64_t from;     /* index of the first event */
	uint32_t count;    /* > 0 */
	struct bytes note; /* borrowed: the signed checkpoint of size from + count */
	struct bytes
		*events; /* COMMIT_EVENTS_MAX slots given by the caller; slices of the frames */
	struct checkpoint checkpoint;
	struct tree after; /* the tree with these events */
	bool continues;    /* its first event is event 0 of the log, and goes on from an old one */
	bool rotates;      /* its last event names other keys, and the note is signed by both */
	struct card next;  /*   the log's card from here on */
	uint64_t work;     /* event_work of all its events */
	size_t redacted;   /* events of which only the leaf hash came: slices of size 0 whose data
			      are the hash (the caller decides whether that is allowed) */
};

/* The leaf hash of an event of a commit, redacted or not. */
struct hash commit_leaf(struct bytes event);

/* `before` has size == from (else GAP or OLD).  Checks, in this order: counts and bounds, bundles
 * (DECODE, LIMIT), checkpoint form, origin, key, signature and size (DECODE, ORIGIN, UNKNOWN_KEY,
 * SIGNATURE, GAP when the size is not from + count), root over all leaves (ROOT), then, when
 * `region` is not REGION_NONE, that each event decodes and belongs to the owner (DECODE,
 * LIMIT, OWNER, INVALID).  An event that goes on from an old log is event 0 (INVALID).  One that
 * rotates keys is the last (INVALID), its card a good one of the same realm and log by another log
 * key (INVALID, SIGNATURE), and the note signed by that key as well (UNKNOWN_KEY, SIGNATURE);
 * whether the card keeps the transport key is for the caller to compare.  `arena` is reset and
 * reused per event.  On failure only `work` is written: what was decoded by then. */
MUST_USE enum err commit_check(const struct tree *before, uint64_t from, uint32_t count,
			       struct bytes note, const struct bytes *frames, size_t frame_count,
			       const struct vkey *key, int region, struct arena *arena,
			       struct commit *ret);

/* What a commit takes of a session's byte credit: the bytes of its event frames (frames 2 and
 * on), counted alike on both sides. */
uint64_t commit_frames_size(const struct bytes *frames, size_t frame_count);

#endif
