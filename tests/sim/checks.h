/* What must hold of the simulated nation: after every step, and in the end. */
#ifndef SPLOT_SIM_CHECKS_H
#define SPLOT_SIM_CHECKS_H

#include "world.h"

/* ---- checks.c ---- */
void check_promise(struct world *w, unsigned server, unsigned log); /* nothing confirmed is lost */
void check_prefix(struct world *w, unsigned server, unsigned log);  /* one history */
void check_opened(struct node_host *n);
void check_accepted(struct node_host *n); /* what a node accepted outlives a crash */
/* All is as it should be once the faults are over; `why` says what is not. */
bool check_converged(struct world *w, char why[static 160]);
void check_evidence(struct world *w);
/* ---- check_views.c ---- */
void check_views(struct world *w); /* equal to a fold anew */
/* The same after a step of that host: each start, and of the others some, for they are many. */
void check_node_step(struct node_host *n, bool start);
void check_server_step(struct server_host *s, bool start);
/* Every record at a server is what its node has. */
void check_records(struct world *w);
/* ---- check_peer.c ---- */

/* What a peer must not have changed, as it was before its message. */
struct before {
	bool unwelcome; /* nothing may change at all */
	unsigned log;   /* else: nothing of another log than this */
	bool shut;      /* nothing of it is taken */
	size_t count;
	struct server_log logs[LOGS + 1];
};
void check_before(struct server_host *s, const struct packet *p, struct before *ret);
void check_after(struct server_host *s, const struct packet *p, const struct before *before);
/* What became of the freezes of this turn. */
void check_turn(struct server_host *s, bool stored);
/* Around an act: `e` is what became of it. */
void check_act_begins(struct server_host *s, const struct act *a);
void check_act(struct server_host *s, const struct act *a, enum err e);
/* ---- check_rest.c ---- */

/* A verification of a damaged store finds that it is; the host is put right. */
void check_node_found(struct node_host *n);
void check_server_found(struct server_host *s);
/* What was redacted is in no store. */
bool check_erased(struct world *w, char why[static 160]);
/* ---- check_witness.c ---- */

/* Notes what a witness cosigned, and fails the seed when one of that size was another. */
void check_cosigned(struct world *w, unsigned server, const struct checkpoint *c);
/* Every cosigned checkpoint is of the history that the servers hold, and the newest carries the
 * line of every witness. */
void check_witnessed(struct world *w);

#endif
