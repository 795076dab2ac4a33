/* Whom the server trusts: the enrolled logs with their keys and state.  Lives in the logs' store,
 * so that an act and its entry in the national log stand or fall together.
 *
 * Table: "trust" (log name -> state, how much stands, times, keys of before, signed enrolment). */
#ifndef SPLOT_SERVER_TRUST_H
#define SPLOT_SERVER_TRUST_H

#include "io/socket.h"
#include "io/store.h"
#include "session/server.h"

struct log_standing {
	enum server_log_state state;
	uint64_t size; /* how much of a frozen log stands; UINT64_MAX: all of it */
};

/* Log keys that signed a log before the present one, oldest first. */
struct past_keys {
	size_t count;
	uint8_t keys[LOG_KEYS_MAX][SIGN_PUBLIC_BYTES];
};

struct trusted {
	struct card card;
	struct past_keys past;
	struct log_standing now;
	struct wall_ms since;          /* of the enrolment */
	char user[USER_BYTES_MAX + 1]; /* its CURVE key in base64: the name put on its messages */
	struct buf document;           /* the signed enrolment of the present keys; owned */
	/* what the open transaction makes of it */
	struct log_standing staged;
	bool rotates;
	struct card next;
	struct past_keys next_past;
	struct buf next_document; /* owned */
};

struct trust {
	struct table logs;
	size_t count;
	struct trusted *entries; /* LOGS_MAX slots, owned: they never move */
	uint64_t revision;       /* raised whenever keys or states change */
};

/* Opens (makes) the table; no write transaction may be open. */
MUST_USE enum err trust_open(struct trust *t, struct store *s);
void trust_free(struct trust *t);
/* Reads all entries.  CORRUPT with the log's name in ret_log when one does not read. */
MUST_USE enum err trust_load(struct trust *t, struct txn *read, struct log_name *ret_log);

struct trusted *trust_log(struct trust *t, struct log_name log); /* NULL: none */
struct trusted *trust_user(struct trust *t, const char *user);   /* NULL: none */
struct trusted *trust_curve(struct trust *t,
			    const uint8_t key[static CURVE_BYTES]); /* NULL: none */

/* Another log of the same region that is heard: two would write the same records. NULL: none. */
const struct trusted *trust_writer(const struct trust *t, struct log_name log);

/* Writes a new enrolment; it counts only after trust_add in memory. */
MUST_USE enum err trust_enrol(struct trust *t, struct txn *write, const struct card *card,
			      struct bytes document, struct wall_ms now);
MUST_USE enum err trust_add(struct trust *t, const struct card *card, struct bytes document,
			    struct log_standing now, struct wall_ms since);
/* Another enrolment in the place of one by which nothing was taken. */
MUST_USE enum err trust_replace(struct trust *t, struct trusted *entry, const struct card *card,
				struct bytes document, struct wall_ms since);
/* Writes another state; it counts after trust_settle. */
MUST_USE enum err trust_stage(struct trust *t, struct txn *write, struct trusted *entry,
			      struct log_standing what);
/* Whether this key may sign the log after those that the open transaction makes it have: EXISTS
 * when it was one of them, LIMIT when there are LOG_KEYS_MAX. */
MUST_USE enum err trust_new_key(const struct trusted *entry, const struct vkey *key);
/* Writes other keys, with the enrolment that names them; they count after trust_settle.  LIMIT. */
MUST_USE enum err trust_stage_keys(struct trust *t, struct txn *write, struct trusted *entry,
				   const struct card *next, struct bytes document);
/* The transaction was stored, or was not. */
void trust_settle(struct trust *t, bool stored);

#endif
