/* A witness's decision about a checkpoint (C2SP tlog-witness, without HTTP): cosign only what
 * provably grew from what was witnessed before.
 *
 * Pure: the caller stores the new state, synced, before the cosignature leaves.
 * Layer: tlog. */
#ifndef SPLOT_TLOG_WITNESS_H
#define SPLOT_TLOG_WITNESS_H

#include "tlog/checkpoint.h"
#include "tlog/tree.h"

struct witness_state { /* of one origin */
	uint64_t size; /* 0: nothing witnessed yet */
	struct hash root;
};

enum witness_answer {
	WITNESS_COSIGN,      /* 200: store *ret, then cosign */
	WITNESS_BAD_REQUEST, /* 400: not a checkpoint, or old > size */
	WITNESS_FORBIDDEN,   /* 403: no good signature by the log's key */
	WITNESS_UNKNOWN_LOG, /* 404: another origin */
	WITNESS_CONFLICT,    /* 409: `old` is not what was witnessed: ask again from state->size */
	WITNESS_OTHER_ROOT,  /* 409: signed, of the witnessed size, other root: two histories */
	WITNESS_BAD_PROOF,   /* 422: signed, but not shown to have grown from what was witnessed */
};

/* `ret` is the checkpoint whenever it was signed by the log (COSIGN, CONFLICT, OTHER_ROOT,
 * BAD_PROOF). */
enum witness_answer witness_judge(const struct vkey *log_key, const struct witness_state *state,
				  uint64_t old, const struct proof *proof, struct bytes note,
				  struct checkpoint *ret);
/* Whether what was judged, with what was witnessed, shows two histories: another root at one size,
 * or a larger tree that was not shown to have grown from the one witnessed although it was asked
 * from there.  A proof that nobody needed proves nothing, whatever it is. */
bool witness_shows_fork(enum witness_answer a, const struct witness_state *state, uint64_t old,
			const struct checkpoint *judged);

/* Whether `line` is one good cosignature of that text by `by`, and from when (Unix seconds): DECODE
 * when it is anything else than one line, UNKNOWN_KEY when by another one, SIGNATURE. */
MUST_USE enum err cosignature_line(struct bytes text, struct bytes line, const struct vkey *by,
				   uint64_t *ret_time_s);
/* Appends the note (text, signatures) with a witness's line added, in place of older ones by the
 * same key.  LIMIT when more than WITNESSES_MAX lines would stand beside those in the log's own
 * name; cosignature_line's when `line` is no good one by `by`; DECODE. */
MUST_USE enum err note_merge(struct bytes note, struct bytes line, const struct vkey *by,
			     struct buf *ret);

#endif
