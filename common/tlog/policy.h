/* Which witnesses are enough: the policy file that Sigsum and C2SP tools read (C2SP tlog-policy).
 *
 *     log VKEY [ADDRESS]
 *     witness NAME VKEY [ADDRESS]
 *     group NAME K|any|all MEMBER…       members: witnesses or groups named above
 *     quorum NAME|none                   exactly once
 *
 * A line that begins with '#' is a comment.  Each key and each name stands once, and is a member
 * of at most one group, so that a witness counts in one way only.  Layer: tlog. */
#ifndef SPLOT_TLOG_POLICY_H
#define SPLOT_TLOG_POLICY_H

#include "tlog/note.h"

enum { POLICY_NAME_BYTES = 64 };

struct policy_member { /* a witness, or a group over earlier members */
	char name[POLICY_NAME_BYTES + 1];
	bool is_group;
	struct vkey key;  /* witness: type KEY_COSIGNATURE */
	unsigned needed;  /* group: how many of its members */
	uint64_t members; /* group: bit i: member i */
};

struct policy {
	size_t log_count;
	struct vkey logs[LOG_KEYS_MAX]; /* type KEY_ED25519 */
	size_t member_count;
	struct policy_member members[POLICY_MEMBERS_MAX];
	int quorum; /* index of a member; -1: none is needed */
};

/* DECODE (also no quorum), ENCODING, LIMIT, EXISTS (a name, key or quorum twice), NOT_FOUND (a
 * name not defined above), INVALID (a key of the wrong type, K of 0 or more than members), and
 * what vkey_parse says; `ret_line` (may be NULL): where, from 1, set on failure only. */
MUST_USE enum err policy_parse(struct bytes text, struct policy *ret, unsigned *ret_line);
/* Appends the text of a policy. */
MUST_USE enum err policy_text(const struct policy *p, struct buf *ret);
/* The usual one: `needed` of these witnesses, as group "regions"; witness names are what the key
 * names say behind "/witness/" ("26", "26/2").  INVALID, LIMIT, EXISTS as above. */
MUST_USE enum err policy_make(const struct vkey *logs, size_t log_count,
			      const struct vkey *witnesses, size_t count, unsigned needed,
			      struct policy *ret);

/* What the witnesses said of one note. */
struct policy_finding {
	bool quorum;
	unsigned cosigned;                 /* witnesses with a good line */
	unsigned bad;                      /* with a bad one */
	uint64_t at_s[POLICY_MEMBERS_MAX]; /* by member: when it cosigned; 0: it did not */
	uint64_t newest_s, oldest_s;       /* of those; 0 when none */
};
/* OK when the quorum stands; QUORUM when it does not.  The log's own signature is not looked at. */
MUST_USE enum err policy_judge(const struct policy *p, const struct note *n,
			       struct policy_finding *ret);

/* Appends the note as it is published: with NOTE_LINES_PUBLISHED signature lines at most, the
 * log's own among them.  Lines behind the first ones are left out, but none that the quorum needs:
 * a note with more of those stays longer.  `p` NULL: none is needed.  DECODE. */
MUST_USE enum err policy_trim(const struct policy *p, struct bytes note, struct buf *ret);

#endif
