/* Who may sign which log, from which size on, as the logs themselves say: an enrolment in the
 * national log names a log's first keys, a ROTATES event (and its act) the next ones; redactions
 * are named by acts.  The national log's own key, and the keys of a log that is read without the
 * national one, are given by whoever verifies.
 *
 * Layer: audit. */
#ifndef SPLOT_AUDIT_KEYRING_H
#define SPLOT_AUDIT_KEYRING_H

#include "audit/source.h"
#include "session/card.h"
#include "tlog/checkpoint.h"
#include "tlog/policy.h"

struct log_key {
	uint64_t from; /* checkpoints of sizes above it are signed by this key */
	struct vkey key;
};

struct log_keys {
	struct log_name log;
	size_t count;
	struct log_key keys[LOG_KEYS_MAX]; /* in order of `from` */
	bool has_witness;
	struct vkey witness; /* the newest */
	size_t past_count;
	struct vkey past[LOG_KEYS_MAX]; /* witness keys before it, the last so many */
	const char *state; /* "active", "frozen", "revoked": by the newest act; static */
};

struct redaction {
	struct log_name log;
	uint64_t index;
	struct hash leaf;
	uint64_t
		national_index; /* of the act; UINT64_MAX: not known (a node keeps the act alone) */
};

struct keyring; /* opaque */

MUST_USE enum err keyring_new(struct keyring **ret);
void keyring_free(struct keyring *k); /* NULL-safe */
MUST_USE enum err keyring_copy(const struct keyring *k, struct keyring **ret);
/* One that trusts the national log's keys of `k` and nothing else: what it takes in then is known
 * by that log's acts alone. */
MUST_USE enum err keyring_of_acts(const struct keyring *k, struct keyring **ret);
/* A key that the caller trusts; the log is known by its name (realm/region/26,
 * realm/national/NAME, realm/witness/26).  INVALID for a name of no log, or of another realm than
 * the first key's.  Several of one log: from size 0 on until a rotation says otherwise. */
MUST_USE enum err keyring_trust(struct keyring *k, const struct vkey *key);
/* The same for one that signs checkpoints of sizes above `from`. */
MUST_USE enum err keyring_trust_from(struct keyring *k, const struct vkey *key, uint64_t from);
/* Takes in entry `index` of the national log (acts; others change nothing), in order. */
MUST_USE enum err keyring_take_entry(struct keyring *k, uint64_t index, struct bytes entry);
/* Whether what failed so to be taken in is passed over: an entry that does not read, or whose keys
 * cannot be its log's, is that log's trouble and no other's. */
bool keyring_passes_over(enum err e);
/* Takes in an event that rotates keys, event `index` of `log`. */
MUST_USE enum err keyring_take_rotation(struct keyring *k, struct log_name log, uint64_t index,
					struct bytes enrolment);
/* All of a source's national log and, where there is none, the rotations of its own logs and
 * the redactions that it was told of.  What does not read is passed over; nothing is verified. */
MUST_USE enum err keyring_read(struct keyring *k, struct source *s);

const struct log_keys *keyring_log(const struct keyring *k, struct log_name log); /* NULL: none */
/* Parses a signed checkpoint of `log` and verifies it by the key for its size (or one of them,
 * when several are trusted from one size on).  DECODE, ORIGIN, UNKNOWN_KEY, SIGNATURE. */
MUST_USE enum err keyring_checkpoint(const struct keyring *k, struct log_name log,
				     struct bytes note, struct checkpoint *ret);
/* The same of a note as it was stored, in which a line by any other key of the log counts as well:
 * SIGNATURE when one is bad. */
MUST_USE enum err keyring_stored(const struct keyring *k, struct log_name log, struct bytes note,
				 struct checkpoint *ret);
const struct redaction *keyring_redaction(const struct keyring *k, struct log_name log,
					  uint64_t index); /* NULL: none */
size_t keyring_redactions(const struct keyring *k, const struct redaction **ret);
/* The witnesses: active logs of the sixteen regions, not PL. */
size_t keyring_witnesses(const struct keyring *k, struct vkey *ret, size_t most);
/* Whether that is a witness key of such a region, the newest one or one before it, whatever became
 * of its log. */
bool keyring_was_witness(const struct keyring *k, const struct vkey *key);
/* Whether keys of that very name are trusted for `log`, and this one is not among them. */
bool keyring_contradicts(const struct keyring *k, struct log_name log, const struct vkey *key);
/* The first of a policy's keys that is neither one of the national log nor such a witness's; NULL:
 * it names no other. */
const struct vkey *keyring_stranger(const struct keyring *k, const struct policy *p);
/* The policy where nobody wrote one: QUORUM_USUAL of these witnesses, more than half of them
 * where there are too few for that; QUORUM when there is none. */
enum { QUORUM_USUAL = 9 };
MUST_USE enum err keyring_policy(const struct keyring *k, struct policy *ret);
/* The policy that the source states, or that one. */
MUST_USE enum err keyring_source_policy(const struct keyring *k, struct source *s,
					struct policy *ret);

#endif
