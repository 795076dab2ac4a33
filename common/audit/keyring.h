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
	const char *state;   /* "active", "frozen", "revoked": by the newest act; static */
};

struct redaction {
	struct log_name log;
	uint64_t index;
	struct hash leaf;
	uint64_t national_index; /* of the act */
};

struct keyring; /* opaque */

MUST_USE enum err keyring_new(struct keyring **ret);
void keyring_free(struct keyring *k); /* NULL-safe */
/* A key that the caller trusts; the log is known by its name (realm/region/26,
 * realm/national/NAME, realm/witness/26).  INVALID for a name of no log. */
MUST_USE enum err keyring_trust(struct keyring *k, const struct vkey *key);
/* Takes in entry `index` of the national log (acts; others change nothing), in order. */
MUST_USE enum err keyring_take_entry(struct keyring *k, uint64_t index, struct bytes entry);
/* Takes in an event that rotates keys, event `index` of `log`. */
MUST_USE enum err keyring_take_rotation(struct keyring *k, struct log_name log, uint64_t index,
					struct bytes enrolment);
/* All of a source's national log and, where there is none, the rotations of its own logs.
 * Nothing is verified by it. */
MUST_USE enum err keyring_read(struct keyring *k, struct source *s);

const struct log_keys *keyring_log(const struct keyring *k, struct log_name log); /* NULL: none */
/* The key for checkpoints of `size`; UNKNOWN_KEY. */
MUST_USE enum err keyring_key(const struct keyring *k, struct log_name log, uint64_t size,
			      struct vkey *ret);
const struct redaction *keyring_redaction(const struct keyring *k, struct log_name log,
					  uint64_t index); /* NULL: none */
size_t keyring_redactions(const struct keyring *k, const struct redaction **ret);
/* The witnesses: active logs of the sixteen regions, not PL. */
size_t keyring_witnesses(const struct keyring *k, struct vkey *ret, size_t most);

#endif
