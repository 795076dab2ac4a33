/* A server's national log that begins anew (".../national/NAME/2"), since the one before it was
 * lost: which log may follow which, what its first entry says, and whether that is enough for a
 * witness of the logs before it.
 *
 * Entry 0 of such a log, and no other entry of any log, is the act "continues": `log` is
 * "national", `document` the newest checkpoint that any node witnessed of a lower generation (exact
 * bytes), `other` the verifier key of that log as text, `size` the size it says.
 *
 * Pure.  Layer: session.  May use base, model, tlog. */
#ifndef SPLOT_SESSION_ANEW_H
#define SPLOT_SESSION_ANEW_H

#include "model/event.h"
#include "tlog/checkpoint.h"

#define ANEW_ACT "continues"

/* ---- what a log quotes ---- */

struct anew_quote { /* the log before, as entry 0 quotes it */
	uint32_t generation;
	struct vkey key;
	struct checkpoint checkpoint;
};

/* Whether both are logs of one server, whatever their generations. */
bool anew_same_server(const struct origin_parts *a, const struct origin_parts *b);
/* Whether the national log `origin` may begin by quoting `note`: INVALID when it did not begin
 * anew, or the checkpoint is of size 0; ORIGIN when the key is of no lower generation of the same
 * server; DECODE, UNKNOWN_KEY, SIGNATURE. */
MUST_USE enum err anew_open(const char *origin, struct bytes note, const struct vkey *key,
			    struct anew_quote *ret);
/* Entry `index` of the national log `origin`.  `ret` has generation 0 when the entry quotes
 * nothing, as it should; else what it quotes.  INVALID when it should quote and does not, or the
 * other way round; what anew_open says. */
MUST_USE enum err anew_entry(const char *origin, uint64_t index, const struct national_entry *entry,
			     struct anew_quote *ret);

/* ---- what a node makes of it ---- */

/* What a node knows of one generation of a server. */
struct anew_seen {
	uint32_t generation;
	bool has_key; /* by the card that it had then */
	struct vkey key;
	struct bytes note; /* the newest checkpoint that it witnessed; empty: none */
};

enum anew_card {
	ANEW_FIRST,   /* nothing was known of this server */
	ANEW_SAME,    /* the log that this node follows */
	ANEW_LATER,   /* a later generation of it: followed by an explicit act only */
	ANEW_EARLIER, /* an earlier one: never followed */
	ANEW_STRANGE, /* the same name, but another key: never followed */
};

/* What a card with this log key is to a node that knows `seen` of that server. */
enum anew_card anew_card_is(const struct vkey *card, uint32_t generation,
			    const struct anew_seen *seen, size_t count);

/* Whether the quote bears out all that this node witnessed of lower generations.  The quoted log
 * must be the highest of them that it witnessed, since that one answered for those before it.  OK;
 * else why not, and what to do, in `why`: UNKNOWN_KEY (another key than the node knew that log by),
 * ROLLBACK (less than it witnessed), ROOT (another tree of that size), PROOF (a log that it never
 * witnessed, so that nothing can be compared), CORRUPT (its own note does not read). */
MUST_USE enum err anew_judge(const struct anew_quote *quote, const struct anew_seen *seen,
			     size_t count, char why[static TEXT_BYTES_MAX + 1]);

#endif
