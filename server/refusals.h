/* Refused messages in the log: at most one line a second for each log and code, so that a
 * hostile peer fills counters and not the disk. */
#ifndef SPLOT_SERVER_REFUSALS_H
#define SPLOT_SERVER_REFUSALS_H

#include "session/server.h"

struct refusals {
	uint64_t told[LOGS_MAX][ERR_COUNT]; /* counted when last told, by the machine's slots */
	uint64_t told_unknown[ERR_COUNT];
	uint64_t told_rejected;
	struct {
		enum err code;
		char text[TEXT_BYTES_MAX + 1]; /* what the peer was told last */
	} last[LOGS_MAX];
};

/* Remembers what a peer was told. */
void refusals_note(struct refusals *r, const struct server_machine *m, struct log_name log,
		   enum err code, const char *text);
/* Logs what was refused since the last time; once a second. */
void refusals_tell(struct refusals *r, const struct server_machine *m, uint64_t rejected);

#endif
