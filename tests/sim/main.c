/* splot-sim: plays seeds; a seed that fails tells its story and how to play it again. */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

static int usage(FILE *to)
{
	(void)fprintf(to, "usage: splot-sim [--seeds N] [--from S] [--verbose]\n"
			  "Plays N seeds (100) from S (1) on; exits 1 at the first that fails.\n");
	return to == stdout ? 0 : 2;
}

static bool number(const char *text, uint64_t *ret)
{
	char *end = NULL;

	*ret = text ? strtoull(text, &end, 10) : 0;
	return text && *text && end && *end == '\0';
}

static void add(struct tally *sum, const struct tally *one)
{
	enum { FIELDS = sizeof(*sum) / sizeof(uint64_t) };
	uint64_t a[FIELDS], b[FIELDS];

	memcpy(a, sum, sizeof(a));
	memcpy(b, one, sizeof(b));
	for (size_t i = 0; i < FIELDS; i++)
		a[i] += b[i];
	memcpy(sum, a, sizeof(a));
}

static int play(uint64_t from, uint64_t seeds, bool verbose)
{
	struct world *w = calloc(1, sizeof(*w));
	struct tally sum = {0};

	if (!w)
		return 3;
	for (uint64_t seed = from; seed < from + seeds; seed++) {
		bool held = world_play(w, seed, verbose);

		add(&sum, &w->tally);
		if (!held) {
			(void)printf("%s\nseed %" PRIu64 " FAILED; again: splot-sim --seeds 1 "
				     "--from %" PRIu64 " --verbose\n",
				     buf_text(&w->story), seed, seed);
			world_free(w);
			free(w);
			return 1;
		}
		world_free(w);
	}
	free(w);
	(void)printf("%" PRIu64 " seeds held: %" PRIu64 " events in %" PRIu64 " commits, %" PRIu64
		     " accepted by servers, %" PRIu64 " folded, %" PRIu64 " fetched back; %" PRIu64
		     " starts, %" PRIu64 " stores put back, %" PRIu64 " logs frozen, %" PRIu64
		     " refusals, %" PRIu64 " messages lost, %" PRIu64 " doubled, %" PRIu64
		     " full disks, %" PRIu64 " maps grown, %" PRIu64 " cosignatures, %" PRIu64
		     " servers put back and noticed\n",
		     seeds, sum.events, sum.commits, sum.accepted, sum.folds, sum.fetched,
		     sum.restarts, sum.restores, sum.frozen, sum.refusals, sum.lost, sum.doubled,
		     sum.full, sum.grown, sum.cosigned, sum.put_back);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t seeds = 100;
	uint64_t from = 1;
	bool verbose = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--verbose") == 0)
			verbose = true;
		else if (strcmp(argv[i], "--help") == 0)
			return usage(stdout);
		else if (strcmp(argv[i], "--seeds") == 0 && number(argv[i + 1], &seeds))
			i++;
		else if (strcmp(argv[i], "--from") == 0 && number(argv[i + 1], &from))
			i++;
		else
			return usage(stderr);
	}
	if (sodium_init() < 0)
		return 3;
	return play(from, seeds, verbose);
}
