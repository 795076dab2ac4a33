/* The part of status that auditors look at: witnesses and quorum, the last full verification,
 * and, loudly, evidence of two histories. */
#ifndef SPLOT_ADMIN_STATUS_AUDIT_H
#define SPLOT_ADMIN_STATUS_AUDIT_H

#include "admin/ask.h"
#include "base/time.h"
#include "model/json.h"

/* "12 s", "3 min", "5 h", "40 d" since then; "-" for never. */
const char *status_age(struct cli *cli, uint64_t then_ms, struct wall_ms now);
/* RFC 3339, or null for never. */
void status_json_time(struct json *j, const char *key, uint64_t ms);

/* What there is of evidence: first of all, since nothing else matters as much. */
void status_print_evidence(const struct control_reply *evidence, struct buf *out);
void status_print_audit(struct cli *cli, const struct control_reply *r, struct wall_ms now,
			struct buf *out);
void status_json_audit(const struct control_reply *r, const struct control_reply *evidence,
		       struct json *j);

#endif
