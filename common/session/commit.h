/* Checking a commit's bytes against the tree it is to extend: the one gate through which
 * events from another machine pass.
 *
 * Pure.  Layer: session. */
#ifndef SPLOT_SESSION_COMMIT_H
#define SPLOT_SESSION_COMMIT_H

#include "model/event.h"
#include "model/wire.h"
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
};

/* `before` has size == from (else GAP or OLD).  Checks, in this order: counts and bounds, bundles
 * (DECODE, LIMIT), checkpoint form, origin, key, signature and size (DECODE, ORIGIN, UNKNOWN_KEY,
 * SIGNATURE, GAP when the size is not from + count), root over all leaves (ROOT), then, when
 * `region` is not REGION_NONE, that each event decodes and belongs to the owner (DECODE,
 * LIMIT, OWNER, INVALID).  `arena` is reset and reused per event. */
MUST_USE enum err commit_check(const struct tree *before, uint64_t from, uint32_t count,
			       struct bytes note, const struct bytes *frames, size_t frame_count,
			       const struct vkey *key, int region, struct arena *arena,
			       struct commit *ret);

/* What a commit takes of a session's byte credit: the bytes of its event frames (frames 2 and
 * on), counted alike on both sides. */
uint64_t commit_frames_size(const struct bytes *frames, size_t frame_count);

#endif
