/* What the audit's verbs share: where the logs are read, and whose keys are believed. */
#ifndef SPLOT_ADMIN_AUDITOR_SOURCE_H
#define SPLOT_ADMIN_AUDITOR_SOURCE_H

#include "admin/auditor/source_socket.h"
#include "audit/keyring.h"

/* For a verb's table of options. */
/* clang-format off */
#define AUDIT_FROM_OPTION                                                                          \
	{"from", 0, "FOLDER", "read a store or an export instead of asking a daemon"}
#define AUDIT_KEY_OPTIONS                                                                          \
	{"key", 'k', "VKEY", "verifier key that you trust (name+hash+key)"},                       \
	{"keys", 0, "FILE", "file of such keys: log.vkey, witnesses.vkeys, an enrolment"}
#define AUDIT_POLICY_OPTION                                                                        \
	{"policy", 0, "FILE", "which witnesses are enough"}
/* clang-format on */

struct audit_source {
	struct cli *cli;
	struct source source; /* zeroed: not open */
	/* Keys that the caller vouches for: from --key, --keys, or the daemon's keys file that
	 * --config names; where there are none, those that the source itself states. */
	struct keyring *trusted;
	bool stated; /* they are the source's own word */
	/* Those, and what the source's logs say: rotations, redactions, other logs' keys. */
	struct keyring *known;
	bool has_policy;
	struct policy policy; /* of --policy */
};

/* Opens `folder`, else --from, else the daemon that --socket, --config or $SPLOT_SOCKET names;
 * then collects trusted keys and reads --policy.  A failure was told. */
enum outcome audit_open(struct cli *cli, const char *folder, struct audit_source *ret);
/* The same, but no keys at all are no failure: `trusted` is empty then. */
enum outcome audit_open_keyless(struct cli *cli, const char *folder, struct audit_source *ret);
/* As audit_open over a source that is open already, which is taken over, also on failure. */
enum outcome audit_open_source(struct cli *cli, struct source source, struct audit_source *ret);
void audit_close(struct audit_source *a); /* also a zeroed one */
/* Reads the source's logs for `known`.  A failure was told. */
enum outcome audit_read_keys(struct audit_source *a);

/* Says so when a folder's own word is all that its keys rest on. */
void audit_tell_stated(const struct audit_source *a);

/* The keys of --key and --keys alone, for what is checked offline; none is told as misuse.
 * The caller frees the keyring. */
enum outcome audit_keys_given(struct cli *cli, struct keyring **ret);
/* The same, or the daemon's own that --config names, for what is done with or without keys: NULL
 * when none are named, which is told.  Named ones that cannot be used are a failure. */
enum outcome audit_keys_known(struct cli *cli, struct keyring **ret);
/* The policy of --policy; *ret_found false when none is given. */
enum outcome audit_policy_given(struct cli *cli, struct policy *ret, bool *ret_found);

/* A log's name as people write it ("26", "26/2", "26-2", "PL", "national"); misuse is told. */
enum outcome audit_log_named(struct cli *cli, const char *text, struct log_name *ret);
/* An index or size: digits, 0 too. */
enum outcome audit_number(struct cli *cli, const char *what, const char *text, uint64_t *ret);
/* A whole file of at most `limit` bytes; a failure was told. */
enum outcome audit_read_file(struct cli *cli, const char *path, size_t limit, struct buf *ret);
/* Writes a whole file, in place of an older one; a failure was told. */
enum outcome audit_write_file(struct cli *cli, const char *path, struct bytes content);

#endif
