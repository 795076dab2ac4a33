/* Who may say what, as signed text: a node's enrolment and a server's card.  Both are C2SP
 * signed notes by the key they introduce:
 *
 *     splot enrolment v1                       splot server card v1
 *     log splot.example/region/26              log splot.example/national/centrum
 *     log-key NAME+HASH+KEY                    log-key NAME+HASH+KEY
 *     witness-key NAME+HASH+KEY                curve-key BASE64
 *     curve-key BASE64
 *
 *     — splot.example/region/26 …
 *
 * Pure.  Layer: session.  May use base, model, tlog. */
#ifndef SPLOT_SESSION_CARD_H
#define SPLOT_SESSION_CARD_H

#include "model/region.h"
#include "tlog/note.h"

struct card {
	bool server;
	char realm[REALM_BYTES_MAX + 1];
	struct log_name log;                 /* a node's; "national" for a server */
	char server_name[SERVER_NAME_BYTES]; /* a server's */
	uint32_t generation;                 /* of its national log; 0: as 1 */
	struct vkey log_key;
	struct vkey witness_key; /* a node's: name "<realm>/witness/26", type 0x04 */
	uint8_t curve_public[32];
};

MUST_USE enum err card_sign(const struct card *c, const struct signer *by, struct buf *ret);
/* Parses and verifies by the key inside: it proves that whoever made it holds the key. */
MUST_USE enum err card_open(struct bytes raw, struct card *ret);
/* What people compare by telephone: "xxxx-xxxx-xxxx-xxxx" (first 16 hex digits of the
 * SHA-256 of log-key and curve-key lines). */
void card_fingerprint(const struct card *c, char text[static 20]);

#endif
