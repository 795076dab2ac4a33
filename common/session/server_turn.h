/* What the parts of the server's machine share: server.c keeps the table of logs and answers
 * STORED, FAILED and TICK; server_message.c lets messages in and opens sessions; server_commit.c
 * takes commits; server_limits.c bounds what one key may do; server_witness.c has the national log
 * witnessed.
 *
 * Layer: session, inside it only. */
#ifndef SPLOT_SESSION_SERVER_TURN_H
#define SPLOT_SESSION_SERVER_TURN_H

#include "session/server.h"

/* One message on its way through the rules. */
struct server_turn {
	struct server_machine *m;
	struct server_log *log;
	const struct server_event *event;
	struct wire_header header;
	struct server_update *ret;
};

/* ---- server.c ---- */

/* One more action, zeroed but for its kind; NULL when the update is full. */
struct server_action *server_add(struct server_update *ret, enum server_action_kind kind);
/* The same, to this log's session peer. */
struct server_action *server_add_to(const struct server_log *log, struct server_update *ret,
				    enum server_action_kind kind);

/* Refuses something of this log's session peer, and counts it. */
void server_refuse(struct server_log *log, struct server_update *ret, enum err code,
		   const char *text);
/* Says the ACK and the WELCOME that are due when nothing of the log is on its way to the disk, and
 * the work before it is forgotten (server_paid). */
void server_answer_due(const struct server_machine *m, struct server_log *log, struct wall_ms now,
		       struct server_update *ret);
void server_end_session(struct server_log *log);

/* ---- server_message.c ---- */

/* SERVER_EV_MESSAGE */
void server_message(struct server_machine *m, const struct server_event *event,
		    struct server_update *ret);
/* Refuses this message: the answer goes to whoever sent it, who need not be the session's peer.
 * Who has too many refused is cut off. */
void server_deny(const struct server_turn *t, enum err code, const char *text);
/* The answer alone, counted. */
void server_say_refused(const struct server_turn *t, enum err code, const char *text);
/* Opens a note of this log by the key that signs it, or by the one that this turn makes the next.
 * Keys of before are not known any more: UNKNOWN_KEY. */
MUST_USE enum err server_open_note(const struct server_turn *t, struct bytes note,
				   struct checkpoint *ret);
/* Compares a verified checkpoint with our own history.  True when it is no news: the same root, or
 * a size that we do not hold yet.  Else the message has been answered. */
bool server_explained(const struct server_turn *t, const struct checkpoint *checkpoint,
		      struct bytes note);

/* ---- server_commit.c ---- */
void server_commit(const struct server_turn *t);

/* ---- server_limits.c ---- */

/* Refuses this message, ends the session and every connection of this key, and keeps it out. */
void server_cut_off(const struct server_turn *t, enum err code, const char *text);
/* Whether its connection is one that is heard (still). */
bool server_is_heard(const struct server_turn *t);
/* Each takes from what the log's key may do.  False when it was too much: then the peer was cut
 * off (but for refusals, which are the answer's to cut off). */
bool server_afford_message(const struct server_turn *t);
bool server_afford_hello(const struct server_turn *t);
/* Notes work of its commits, in bytes. */
void server_worked(struct server_log *log, uint64_t work);
/* Whether the work of its commits so far is within what one key may ask for: until then nothing of
 * it is acknowledged, and no session begins, so that who keeps to its credit slows down. */
bool server_paid(const struct server_machine *m, struct server_log *log, struct wall_ms now);
/* A commit larger than was asked for is not cut off: it waits. */
bool server_afford_large(const struct server_turn *t);
bool server_afford_refusal(const struct server_turn *t);
/* The same allowance, for what is not refused but brings nothing new: what was said before, a
 * cosignature that is none, an offer declined.  False: too often, and it was cut off. */
bool server_afford_idle(const struct server_turn *t);
/* Answers the FETCH that waits in this log's session, when it is time. */
void server_fetches(struct server_log *log, struct wall_ms now, struct server_update *ret);

/* ---- server_witness.c ---- */

/* What a node says it witnessed.  False when our own key signed what our log does not contain:
 * then ROLLED_BACK was asked for.  A note of another log or key is as if there were none. */
bool server_witnessed(const struct server_turn *t, struct bytes note);
/* Offers the round's checkpoint to an open session that has not had it. */
void server_offer(const struct server_machine *m, struct server_log *log, struct wall_ms now,
		  struct server_update *ret);
/* Begins a round when it is time, and makes offers that are due. */
void server_round(struct server_machine *m, struct wall_ms now, struct server_update *ret);
void server_cosigned(const struct server_turn *t);
void server_declined(const struct server_turn *t);

#endif
