/* Replication as the daemon's status tells it.
 *
 * Inside the api layer. */
#ifndef SPLOT_API_REPLICATION_H
#define SPLOT_API_REPLICATION_H

#include "api/pieces.h"
#include "tlog/checkpoint.h"

struct wall_ms wall_of(uint64_t ms);

/* True for the status of a server, whose peers are logs; a node's are servers. */
bool is_server(const struct control_reply *status);
bool log_frozen(const struct peer_row *log);
/* Whether it is known what the node has; else there is no lag. */
bool log_claims(const struct peer_row *log);
uint64_t log_lag(const struct peer_row *log);

/* One replicated log: {"log","state","size",…,"frozen"}. */
void write_log(struct json *j, const struct peer_row *log);
/* `key`: [ … ] of all logs; none without a server's status. */
void write_logs(struct json *j, const char *key, const struct control_reply *status);
/* `key`: the names of those that are frozen. */
void write_frozen(struct json *j, const char *key, const struct control_reply *status);
/* `key`: the newest log of a region, or null. */
void write_log_of(struct json *j, const char *key, const struct control_reply *status,
		  const char *region);

/* A signed note's checkpoint; false for none.  Nobody's signature is checked here: the daemon,
 * whose word it is, did that. */
bool note_checkpoint(struct bytes raw, struct note *note, struct checkpoint *ret);
void write_checkpoint_members(struct json *j, const struct checkpoint *c);

/* `key`: what a report of `audit verify` (one line of JSON) says, or null. */
void write_verified(struct json *j, const char *key, const char *report);
/* A number that the report says; false when it does not. */
bool verified_number(const char *report, const char *key, uint64_t *ret);

/* How old the status is, and whether that is too old; -1: there is none. */
int64_t status_age_ms(const struct control_reply *status, struct wall_ms now);
bool status_stale(const struct control_reply *status, struct wall_ms now);

#endif
