/* Who speaks to the server's machine, and what they may say: keys, cards and histories, which every
 * input meets as they are. */
#ifndef SPLOT_TESTS_FUZZ_SERVER_NATION_H
#define SPLOT_TESTS_FUZZ_SERVER_NATION_H

#include "fuzz.h"
#include "history.h"

enum { LOGS = 4, HISTORIES = 6, NATION_MAX = 256 };

struct nation {
	const char *const names[LOGS];
	struct fuzz_key key, stranger, log_keys[LOGS], next_key, witness_keys[LOGS];
	struct card cards[LOGS];
	struct hash roots[NATION_MAX + 1]; /* of the national log */
	/* 0: log 26, whose keys are rotated; 1: another history of it; 2: 24; 3: 26/2, which goes
	 * on from 8 events of 26; 4: PL; 5: what 24's key may sign though nobody should. */
	struct history histories[HISTORIES];
};

extern struct nation nation;

void nation_make(void); /* once is enough */
/* The first of a log. */
struct history *nation_history(size_t log);

#endif
