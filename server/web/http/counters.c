#include "http/counters.h"

#include <inttypes.h>

/* Upper bounds of the histogram's buckets, in microseconds; the last one has none. */
static const uint64_t bounds_us[COUNTER_BUCKETS - 1] = {
	50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000,
};

static const char *const drops[DROP_COUNT] = {
#define DROP_NAME(name, text) text,
	DROP_TABLE(DROP_NAME)
#undef DROP_NAME
};

void counters_answer(struct counters *c, unsigned status, uint64_t took_us)
{
	size_t bucket = 0;

	if (status < COUNTER_STATUSES)
		c->answers[status]++;
	while (bucket < COUNTER_BUCKETS - 1 && took_us > bounds_us[bucket])
		bucket++;
	c->seconds[bucket]++;
	c->seconds_us += took_us;
}

static void head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP splot_web_%s %s\n# TYPE splot_web_%s %s\n", name, help, name, type);
}

static void one(struct buf *b, const char *name, const char *type, const char *help, uint64_t x)
{
	head(b, name, type, help);
	buf_printf(b, "splot_web_%s %" PRIu64 "\n", name, x);
}

static void write_labelled(const struct counters *c, struct buf *b)
{
	head(b, "answers_total", "counter", "Answers by HTTP status.");
	for (unsigned i = 0; i < COUNTER_STATUSES; i++)
		if (c->answers[i] > 0)
			buf_printf(b, "splot_web_answers_total{status=\"%u\"} %" PRIu64 "\n", i,
				   c->answers[i]);
	head(b, "refused_total", "counter", "Requests refused by their head, by what was wrong.");
	for (unsigned i = GUARD_OK + 1; i < GUARD_COUNT; i++)
		buf_printf(b, "splot_web_refused_total{reason=\"%s\"} %" PRIu64 "\n",
			   guard_metric((enum guard)i), c->refused[i]);
	head(b, "dropped_total", "counter", "Connections that this program shut, by reason.");
	for (unsigned i = 0; i < DROP_COUNT; i++)
		buf_printf(b, "splot_web_dropped_total{reason=\"%s\"} %" PRIu64 "\n", drops[i],
			   c->dropped[i]);
}

static void write_seconds(const struct counters *c, struct buf *b)
{
	uint64_t sum = 0;

	head(b, "answer_seconds", "histogram", "Time to make an answer, sending apart.");
	for (size_t i = 0; i < COUNTER_BUCKETS - 1; i++) {
		sum += c->seconds[i];
		buf_printf(b, "splot_web_answer_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
			   (double)bounds_us[i] / 1e6, sum);
	}
	sum += c->seconds[COUNTER_BUCKETS - 1];
	buf_printf(b, "splot_web_answer_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n", sum);
	buf_printf(b, "splot_web_answer_seconds_sum %g\n", (double)c->seconds_us / 1e6);
	buf_printf(b, "splot_web_answer_seconds_count %" PRIu64 "\n", sum);
}

void counters_write(const struct counters *c, struct buf *b)
{
	write_labelled(c, b);
	write_seconds(c, b);
	one(b, "cache_hits_total", "counter", "Answers that were kept.", c->cache_hits);
	one(b, "cache_misses_total", "counter", "Answers that were made.", c->cache_misses);
	one(b, "cache_bytes", "gauge", "Bytes of kept answers.", c->cache_bytes);
	one(b, "bodies_bytes", "gauge", "Bytes of all bodies, kept or under way.", c->bodies_bytes);
	one(b, "connections_total", "counter", "Connections taken.", c->connections_taken);
	one(b, "connections", "gauge", "Connections now.", c->connections);
	one(b, "event_readers", "gauge", "Readers of events now.", c->readers);
	one(b, "events_total", "counter", "Events made for readers.", c->messages);
	one(b, "snapshots_total", "counter", "Registers of the past that were made.",
	    c->snapshots_made);
	one(b, "snapshots_failed_total", "counter", "Registers of the past that could not be made.",
	    c->snapshots_failed);
	one(b, "snapshots", "gauge", "Registers of the past that are kept.", c->snapshots_kept);
	one(b, "snapshots_bytes", "gauge", "Bytes of them.", c->snapshots_bytes);
	one(b, "catalog_bytes", "gauge", "Bytes of the register in memory.", c->catalog_bytes);
	one(b, "views_opened_total", "counter", "Times that the view was opened.", c->views_opened);
}
