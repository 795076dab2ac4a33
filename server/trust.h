/* Whom the server trusts: the enrolled logs with their keys and state, and the evidence
 * against frozen ones.  Lives in the logs' store, so that an act and its entry in the
 * national log stand or fall together.
 *
 * Tables: "trust" (log name -> state, times, signed enrolment), "evidence" (log name ‖ 0 ‖
 * national index, 8 bytes -> the two signed notes). */
#ifndef SPLOT_SERVER_TRUST_H
#define SPLOT_SERVER_TRUST_H

#include "io/socket.h"
#include "io/store.h"
#include "session/server.h"

struct trusted {
	struct card card;
	enum server_log_state state;
	enum server_log_state staged;  /* what the open transaction makes of it */
	struct wall_ms since;          /* of the enrolment */
	char user[USER_BYTES_MAX + 1]; /* its CURVE key in base64: the name put on its messages */
	struct buf document;           /* the signed enrolment; owned */
};

struct trust {
	struct table logs, evidence;
	size_t count;
	struct trusted *entries; /* LOGS_MAX slots, owned: they never move */
};

/* Opens (makes) the tables; no write transaction may be open. */
MUST_USE enum err trust_open(struct trust *t, struct store *s);
void trust_free(struct trust *t);
/* Reads all entries.  CORRUPT with the log's name in ret_log when one does not read. */
MUST_USE enum err trust_load(struct trust *t, struct txn *read, struct log_name *ret_log);

struct trusted *trust_log(struct trust *t, struct log_name log); /* NULL: none */
struct trusted *trust_user(struct trust *t, const char *user);   /* NULL: none */
struct trusted *trust_curve(struct trust *t,
			    const uint8_t key[static CURVE_BYTES]); /* NULL: none */

/* Writes a new enrolment; it counts only after trust_add in memory. */
MUST_USE enum err trust_enrol(struct trust *t, struct txn *write, const struct card *card,
			      struct bytes document, struct wall_ms now);
MUST_USE enum err trust_add(struct trust *t, const struct card *card, struct bytes document,
			    enum server_log_state state, struct wall_ms since);
/* Writes another state; it counts after trust_settle. */
MUST_USE enum err trust_stage(struct trust *t, struct txn *write, struct trusted *entry,
			      enum server_log_state state);
/* The transaction was stored, or was not. */
void trust_settle(struct trust *t, bool stored);
/* Keeps the two notes of a fork. */
MUST_USE enum err trust_evidence(struct trust *t, struct txn *write, struct log_name log,
				 uint64_t index, struct bytes note, struct bytes other);

#endif
