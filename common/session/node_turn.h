/* What the parts of the node's machine share: node.c steps, keeps time and the gate;
 * node_link.c moves one link between its phases; node_message.c says what a server's message
 * means.
 *
 * Layer: session, inside it only. */
#ifndef SPLOT_SESSION_NODE_TURN_H
#define SPLOT_SESSION_NODE_TURN_H

#include "session/node.h"

/* One step, seen from one link. */
struct node_turn {
	struct node_machine *m;
	const struct node_event *event;
	struct node_update *ret;
	size_t number;
	struct node_link *link;
};

struct node_turn node_turn_of(struct node_machine *m, const struct node_event *event,
			      struct node_update *ret, size_t link);

/* ---- node_link.c ---- */

/* One more action for this link, zeroed; NULL when the update is full. */
struct node_action *node_add(const struct node_turn *t, enum node_action_kind kind);
/* A header of the open session; returns the action to fill in further. */
struct node_action *node_say(const struct node_turn *t, enum node_action_kind kind,
			     enum wire_kind header);

void node_connect(const struct node_turn *t); /* a fresh socket, then HELLO */
void node_greet(const struct node_turn *t);   /* HELLO on the socket that is there */
/* The server's answer to HELLO was taken over: show our root at the smaller size. */
void node_anchor(const struct node_turn *t);
void node_live(const struct node_turn *t);
void node_behind(
	const struct node_turn *t);         /* FETCHING: it holds more; asked when it is its turn */
void node_fetch(const struct node_turn *t); /* asks for what follows our size */
/* Whether what was shown last stands where both histories meet.  A server that is shown nothing is
 * met as long as it holds more than we do. */
bool node_met(const struct node_turn *t);
/* Greets anew: at once the first time, with back-off when that does not help. */
void node_restart(const struct node_turn *t);
void node_drop(const struct node_turn *t); /* AWAY, to be connected after a while */
/* So, too: it is heard, and does not answer what others wait for. */
void node_stalled(const struct node_turn *t);
/* The server's refusal, which only time, only a person, or nobody can mend. */
void node_wait(const struct node_turn *t, enum err code, const char *text);
/* The session stands, and the commit that was refused goes again after a while. */
void node_later(const struct node_turn *t, enum err code, const char *text);
void node_refused(const struct node_turn *t, enum err code, const char *text);
void node_frozen(const struct node_turn *t, enum err code, const char *text);
/* Whether it is so still; nothing is shown, since a branch would have the log frozen anew. */
void node_ask_frozen(const struct node_turn *t);
/* It told two histories of its national log. */
void node_distrust(const struct node_turn *t);
/* Its card is of a log that is not followed, or is followed now. */
void node_hold(const struct node_turn *t);
void node_follow(const struct node_turn *t);
/* What it refused is over; how it goes on is not known yet. */
void node_forgive(const struct node_turn *t);
/* The server answers in an open session: forget all that was wrong. */
void node_well(const struct node_turn *t);

/* ---- node_message.c ---- */
void node_message(const struct node_turn *t);

#endif
