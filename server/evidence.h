/* Signed notes that no single history explains: of a node's log (a fork, which freezes it), or by
 * this server's own key (its store went back: it does not run on it).
 *
 * Table "evidence": log name, or "national" ‖ 0 ‖ number, 8 bytes: the national entry of the
 * freeze, or the size of the national log that the note tells of -> size of the first note, 4
 * bytes, both notes. */
#ifndef SPLOT_SERVER_EVIDENCE_H
#define SPLOT_SERVER_EVIDENCE_H

#include "ledger/log.h"
#include "model/control.h"

struct evidence {
	struct table table;
};

/* Opens (makes) the table; no write transaction may be open. */
MUST_USE enum err evidence_open(struct evidence *v, struct store *s);
MUST_USE enum err evidence_put(const struct evidence *v, struct txn *write, struct log_name log,
			       uint64_t number, struct bytes note, struct bytes other);
/* Whether there is any against `log`. */
MUST_USE enum err evidence_against(const struct evidence *v, struct txn *read, struct log_name log,
				   bool *ret);
/* Rows of the control call EVIDENCE, copied into the arena; `national` tells the times. */
MUST_USE enum err evidence_answer(const struct evidence *v, struct txn *read,
				  const struct log *national, const struct control_request *q,
				  struct arena *arena, struct control_reply *ret);

#endif
