/* Seeds played side by side, and what they add up to. */
#ifndef SPLOT_SIM_RUN_H
#define SPLOT_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

enum { JOBS_MAX = 64 };

struct run {
	uint64_t seeds, from, jobs;
	uint64_t *list; /* instead of a range; owned by who made it */
	const char *record;
	bool verbose;
	bool lying_disks; /* each seed is to fail */
};

/* 0: all held; 1: one failed, and its story was printed; 3: it could not be done. */
int run_seeds(const struct run *run);

#endif
