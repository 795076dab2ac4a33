/* Each job is a process of its own, so that a seed that ends its program is known by its number. */
#include "run.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "memstore.h"
#include "world.h"

enum {
	LIE_ONE_IN = 300,
	SEEDS_WITH_ALL = 200, /* in so many, one after the other, everything happens */
};

/* What a job says through its pipe: that it begins a seed, and how that ended. */
struct word {
	uint64_t seed;
	bool over, held;
	int64_t converge_ms;
	struct tally tally;
};

struct job {
	pid_t pid;
	int pipe;      /* -1: it has ended */
	uint64_t seed; /* the one being played */
	bool playing;
};

struct sum {
	struct tally tally;
	uint64_t done;
	int64_t *converge_ms; /* of each; owned */
	time_t began;
};

static uint64_t seed_at(const struct run *run, uint64_t i)
{
	return run->list ? run->list[i] : run->from + i;
}

static void add(struct sum *sum, const struct word *word)
{
	enum { FIELDS = sizeof(struct tally) / sizeof(uint64_t) };
	uint64_t a[FIELDS], b[FIELDS];

	memcpy(a, &sum->tally, sizeof(a));
	memcpy(b, &word->tally, sizeof(b));
	for (size_t i = 0; i < FIELDS; i++)
		a[i] += b[i];
	memcpy(&sum->tally, a, sizeof(a));
	sum->converge_ms[sum->done++] = word->converge_ms;
}

/* ---- one seed ---- */

static struct word play(struct world *w, uint64_t seed, const struct run *run, bool verbose)
{
	struct word word = {.seed = seed, .over = true};

	memstore_lie(run->lying_disks ? LIE_ONE_IN : 0);
	word.held = world_play(w, seed, verbose);
	word.converge_ms = w->converge_ms;
	word.tally = w->tally;
	return word;
}

/* Plays it (again) here, and tells what happened. */
static int tell(uint64_t seed, const struct run *run, bool verbose)
{
	struct world *w = calloc(1, sizeof(*w));
	struct word word;

	if (!w)
		return 3;
	word = play(w, seed, run, verbose);
	if (!word.held)
		(void)printf("%s\nseed %" PRIu64
			     " FAILED; again: splot-sim --seeds 1 --from %" PRIu64 "%s --verbose\n",
			     buf_text(&w->story), seed, seed,
			     run->lying_disks ? " --lying-disks" : "");
	world_free(w);
	free(w);
	return word.held ? 0 : 1;
}

/* ---- jobs ---- */

static void say(int to, const struct word *word)
{
	if (write(to, word, sizeof(*word)) != (ssize_t)sizeof(*word))
		_exit(3);
}

static void work(const struct run *run, uint64_t first, int to)
{
	struct world *w = calloc(1, sizeof(*w));

	for (uint64_t i = first; w && i < run->seeds; i += run->jobs) {
		struct word word = {.seed = seed_at(run, i)};

		say(to, &word);
		word = play(w, word.seed, run, false);
		world_free(w);
		say(to, &word);
		if (!word.held)
			break;
	}
	free(w);
	_exit(w ? 0 : 3);
}

static bool start(const struct run *run, uint64_t number, struct job *ret)
{
	int ends[2];

	if (pipe(ends) != 0)
		return false;
	(void)fflush(NULL);
	ret->pid = fork();
	if (ret->pid == 0) {
		(void)close(ends[0]);
		work(run, number, ends[1]);
	}
	(void)close(ends[1]);
	ret->pipe = ends[0];
	return ret->pid > 0;
}

static void end(struct job *jobs, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (jobs[i].pid <= 0)
			continue;
		(void)kill(jobs[i].pid, SIGTERM);
		(void)waitpid(jobs[i].pid, NULL, 0);
		if (jobs[i].pipe >= 0)
			(void)close(jobs[i].pipe);
	}
}

/* False when its seed did not hold. */
static bool hear(struct job *job, struct sum *sum)
{
	struct word word;
	ssize_t got = read(job->pipe, &word, sizeof(word));

	if (got == (ssize_t)sizeof(word)) {
		job->seed = word.seed;
		job->playing = !word.over;
		if (!word.over)
			return true;
		job->playing = !word.held;
		if (word.held)
			add(sum, &word);
		return word.held;
	}
	(void)close(job->pipe);
	job->pipe = -1;
	return !job->playing;
}

static void progress(const struct run *run, const struct sum *sum)
{
	static time_t told;

	if (!isatty(STDERR_FILENO) || time(NULL) == told)
		return;
	told = time(NULL);
	(void)fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds", sum->done, run->seeds);
}

/* True when all held; else `ret_failed` is one that did not. */
static bool hear_all(const struct run *run, struct job *jobs, struct sum *sum, uint64_t *ret_failed)
{
	struct pollfd fds[JOBS_MAX];
	uint64_t open = run->jobs;

	while (open > 0) {
		open = 0;
		for (uint64_t i = 0; i < run->jobs; i++) {
			fds[i] = (struct pollfd){.fd = jobs[i].pipe, .events = POLLIN};
			open += jobs[i].pipe >= 0;
		}
		if (open == 0 || poll(fds, (nfds_t)run->jobs, -1) < 0)
			continue;
		for (uint64_t i = 0; i < run->jobs; i++) {
			if (!fds[i].revents || hear(&jobs[i], sum))
				continue;
			*ret_failed = jobs[i].seed;
			return false;
		}
		progress(run, sum);
	}
	return true;
}

/* ---- what it adds up to ---- */

static int by_size(const void *a, const void *b)
{
	int64_t x = 0;
	int64_t y = 0;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* After how long all agreed, in the order of size. */
static double seconds(const struct sum *sum, uint64_t number)
{
	return (double)sum->converge_ms[number] / 1000;
}

static const struct {
	size_t at;
	const char *what;
} COUNTS[] = {
	{offsetof(struct tally, events), "events accepted by nodes"},
	{offsetof(struct tally, commits), "commits of theirs"},
	{offsetof(struct tally, confirmed), "events confirmed by servers"},
	{offsetof(struct tally, accepted), "commits taken by servers"},
	{offsetof(struct tally, folds), "events folded there"},
	{offsetof(struct tally, fetched), "events fetched back"},
	{offsetof(struct tally, restarts), "starts"},
	{offsetof(struct tally, restores), "stores lost or put back"},
	{offsetof(struct tally, frozen), "logs frozen for a fork"},
	{offsetof(struct tally, refusals), "refusals"},
	{offsetof(struct tally, lost), "messages lost"},
	{offsetof(struct tally, doubled), "messages doubled"},
	{offsetof(struct tally, full), "full disks met"},
	{offsetof(struct tally, grown), "maps grown"},
	{offsetof(struct tally, cosigned), "cosignatures"},
	{offsetof(struct tally, put_back), "servers put back and noticed"},
	{offsetof(struct tally, fell), "machines that fell"},
	{offsetof(struct tally, unsynced), "unsynced views thrown away"},
	{offsetof(struct tally, damaged), "bits flipped at rest"},
	{offsetof(struct tally, noticed), "of them noticed"},
	{offsetof(struct tally, jumps), "clocks that jumped"},
	{offsetof(struct tally, stalls), "hosts stalled or slow"},
	{offsetof(struct tally, rotated), "rotations"},
	{offsetof(struct tally, revoked), "revocations"},
	{offsetof(struct tally, released), "releases"},
	{offsetof(struct tally, redacted), "redactions"},
	{offsetof(struct tally, hostile), "hostile messages"},
	{offsetof(struct tally, unwelcome), "of unwelcome keys"},
	{offsetof(struct tally, acks_late), "acknowledgements that waited"},
	{offsetof(struct tally, owed), "messages that waited for their log's share"},
	{offsetof(struct tally, shares), "turns ended by a log's share"},
	{offsetof(struct tally, due), "commits in their time"},
	{offsetof(struct tally, thefts), "offers of a thief"},
	{offsetof(struct tally, distrusted), "servers distrusted for two histories"},
};

/* False: something never happened, so that these seeds show nothing about it. */
static bool print(const struct run *run, struct sum *sum)
{
	bool all = true;

	(void)printf("%" PRIu64 " seeds held; all agreed after %.2f s (median), %.2f s (longest) "
		     "of simulated time;",
		     run->seeds, seconds(sum, sum->done / 2), seconds(sum, sum->done - 1));
	for (size_t i = 0; i < sizeof(COUNTS) / sizeof(COUNTS[0]); i++) {
		uint64_t count = 0;

		memcpy(&count, (const char *)&sum->tally + COUNTS[i].at, sizeof(count));
		(void)printf("%s %" PRIu64 " %s", i ? "," : "", count, COUNTS[i].what);
		all = all && count > 0;
	}
	(void)printf("\n");
	return all || run->list || run->seeds < SEEDS_WITH_ALL;
}

static bool record(const struct run *run, const struct sum *sum)
{
	FILE *f = fopen(run->record, "a");

	if (!f)
		return false;
	(void)fprintf(f,
		      "{\"fault\": \"simulation: all faults\", \"rounds\": %" PRIu64
		      ", \"stake\": %" PRIu64 ", \"lost\": 0, \"median\": %.3f, \"longest\": %.3f, "
		      "\"seed\": %" PRIu64 ", \"ran_s\": %lld, \"at\": %lld}\n",
		      sum->done, sum->tally.confirmed, /* a seed that lost ends the run before */
		      seconds(sum, sum->done / 2), seconds(sum, sum->done - 1), seed_at(run, 0),
		      (long long)(time(NULL) - sum->began), (long long)time(NULL));
	return fclose(f) == 0;
}

static int report(const struct run *run, struct sum *sum)
{
	if (sum->done != run->seeds)
		return 3;
	qsort(sum->converge_ms, sum->done, sizeof(*sum->converge_ms), by_size);
	if (!print(run, sum)) {
		(void)printf("what is counted 0 times was not tested\n");
		return 1;
	}
	return run->record && !record(run, sum) ? 3 : 0;
}

static int play_all(const struct run *run, struct job *jobs, struct sum *sum)
{
	uint64_t failed = 0;
	bool held = true;

	for (uint64_t i = 0; i < run->jobs; i++) {
		if (!start(run, i, &jobs[i])) {
			end(jobs, i);
			return 3;
		}
	}
	held = hear_all(run, jobs, sum, &failed);
	end(jobs, run->jobs);
	if (held)
		return report(run, sum);
	(void)printf("seed %" PRIu64 " did not hold; this is its story:\n", failed);
	(void)fflush(stdout);
	return tell(failed, run, run->verbose) == 0 ? 3 : 1;
}

int run_seeds(const struct run *run)
{
	struct job jobs[JOBS_MAX] = {0};
	struct sum sum = {.began = time(NULL)};
	int status = 3;

	if (run->seeds == 1 && !run->record)
		return tell(seed_at(run, 0), run, run->verbose);
	if (run->seeds == 0)
		return 2;
	sum.converge_ms = calloc(run->seeds, sizeof(*sum.converge_ms));
	if (sum.converge_ms)
		status = play_all(run, jobs, &sum);
	free(sum.converge_ms);
	return status;
}
