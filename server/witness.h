/* Witnesses of the national log: what they cosigned, and whether they are enough.
 *
 * Table "national.cosigned" (ledger/national.h). */
#ifndef SPLOT_SERVER_WITNESS_H
#define SPLOT_SERVER_WITNESS_H

#include "ledger/national.h"
#include "tlog/policy.h"

struct witnessing {
	struct table cosigned;
	bool fixed;              /* the policy is that of a file */
	bool known;              /* there is a policy: somebody is enrolled */
	struct policy policy;    /*   this one */
	struct buf policy_text;  /* owned */
	uint64_t trust_revision; /* that the usual policy was made for */
	bool stale;              /* what follows is to be found out anew */
	uint64_t size;           /* of the newest checkpoint with its quorum, else with any line */
	struct buf note;         /* owned; that checkpoint; empty: none */
	bool quorum;
};

/* Reads a policy and sees that it speaks of the national log of `key`.  Appends its text; on
 * failure `why` (WHY_BYTES) says what and what to do. */
MUST_USE enum err witness_policy(const char *path, const struct vkey *key, struct policy *ret,
				 struct buf *ret_text, char *why);

#endif
