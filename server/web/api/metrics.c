/* Prometheus text (exposition format 0.0.4) of what the view and the daemon's status say. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "api/claims.h"
#include "api/replication.h"
#include "api/sums.h"

enum { MICROSECONDS = 1000000, MILLISECONDS = 1000, MICRO_DIGITS = 6, MILLI_DIGITS = 3 };

/* ---- the format ---- */

static void family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP splot_%s %s\n# TYPE splot_%s %s\n", name, help, name, type);
}

struct label {
	const char *name, *value;
};

static void add_escaped(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			buf_add_text(b, "\\n");
		else if (*text == '"' || *text == '\\')
			buf_printf(b, "\\%c", *text);
		else
			buf_add_u8(b, (uint8_t)*text);
	}
}

/* Name and labels, up to the value.  Labels without a name are left out. */
static void sample(struct buf *b, const char *name, const char *suffix, const struct label *labels,
		   size_t count)
{
	bool any = false;

	buf_printf(b, "splot_%s%s", name, suffix);
	for (size_t i = 0; i < count; i++) {
		if (!labels[i].name)
			continue;
		buf_printf(b, "%s%s=\"", any ? "," : "{", labels[i].name);
		add_escaped(b, labels[i].value ? labels[i].value : "");
		buf_add_u8(b, '"');
		any = true;
	}
	buf_add_text(b, any ? "} " : " ");
}

static void put(struct buf *b, const char *name, struct label one, struct label two, uint64_t x)
{
	const struct label labels[] = {one, two};

	sample(b, name, "", labels, 2);
	buf_printf(b, "%" PRIu64 "\n", x);
}

static const struct label none = {NULL, NULL};

static void put_single(struct buf *b, const char *name, const char *type, const char *help,
		       uint64_t x)
{
	family(b, name, type, help);
	put(b, name, none, none, x);
}

static void put_scaled(struct buf *b, uint64_t x, uint64_t scale, int digits)
{
	buf_printf(b, "%" PRIu64 ".%0*" PRIu64 "\n", x / scale, digits, x % scale);
}

/* A time; nothing when it is not known. */
static void put_time(struct buf *b, const char *name, struct label one, uint64_t ms)
{
	if (!ms)
		return;
	sample(b, name, "", &one, 1);
	put_scaled(b, ms, MILLISECONDS, MILLI_DIGITS);
}

/* ---- the register ---- */

static void put_records(struct buf *b, const struct catalog *c)
{
	family(b, "records", "gauge", "Current records by kind.");
	for (int k = RECORD_KIND_FIRST; k <= RECORD_KIND_LAST; k++) {
		const struct kind *info = kind_of((enum record_kind)k);

		if (info)
			put(b, "records", (struct label){"kind", info->name}, none,
			    catalog_count(c, info->kind));
	}
}

static void put_by_kind(struct buf *b, const struct sums *s, const char *name, size_t offset)
{
	for (int place = 0; place < REGION_COUNT; place++) {
		const size_t *counts = (const void *)((const char *)&s->places[place] + offset);

		for (unsigned kind = 0; kind < KIND_OTHER; kind++)
			put(b, name, (struct label){"region", region_at(place)->code},
			    (struct label){"kind", entity_kind_name(kind)}, counts[kind]);
	}
}

static void put_by_region(struct buf *b, const struct sums *s, const char *name, size_t offset)
{
	for (int place = 0; place < REGION_COUNT; place++) {
		const size_t *count = (const void *)((const char *)&s->places[place] + offset);

		put(b, name, (struct label){"region", region_at(place)->code}, none, *count);
	}
}

static enum err put_register(struct buf *b, const struct api_context *x)
{
	struct sums sums;
	struct claims claims;
	enum err e = sums_make(x->catalog, day_of(x->now), x->arena, &sums);

	if (e == ERR_OK)
		e = claims_make(x->catalog, x->arena, &claims);
	if (e != ERR_OK)
		return e;
	put_single(b, "register_entries", "gauge",
		   "Entries of the followed log that the register in memory stands for.",
		   catalog_position(x->catalog));
	put_records(b, x->catalog);
	family(b, "entities", "gauge", "Entities on record, by region and kind.");
	put_by_kind(b, &sums, "entities", offsetof(struct place_sums, by_kind));
	family(b, "entities_in_network", "gauge",
	       "Those of them that are members of a network of a region.");
	put_by_kind(b, &sums, "entities_in_network", offsetof(struct place_sums, in_network));
	family(b, "entities_verified", "gauge", "Entities that were ever confirmed, by region.");
	put_by_region(b, &sums, "entities_verified",
		      offsetof(struct place_sums, freshness) + offsetof(struct freshness, known));
	family(b, "entities_verified_long_ago", "gauge",
	       "Those of them that were confirmed more than 12 months ago.");
	put_by_region(b, &sums, "entities_verified_long_ago",
		      offsetof(struct place_sums, freshness) +
			      offsetof(struct freshness, over_12_months));
	family(b, "statistics_in_conflict", "gauge",
	       "Kinds and measures of which two reporters state different values, by region.");
	for (int place = 0; place < REGION_COUNT; place++)
		put(b, "statistics_in_conflict", (struct label){"region", region_at(place)->code},
		    none, claims_conflicts(&claims, place));
	return ERR_OK;
}

static void put_view(struct buf *b, const struct api_context *x)
{
	uint64_t position = 0;

	if (x->view && x->txn && view_position(x->view, x->txn, &position) == ERR_OK)
		put_single(b, "view_entries", "gauge",
			   "Entries of the followed log that are folded into the view.", position);
}

/* ---- the daemon ---- */

static void put_daemon(struct buf *b, const struct api_context *x)
{
	const struct control_reply *s = x->status;
	const struct label labels[] = {
		{"role", s->role}, {"identity", s->identity}, {"realm", s->realm}};

	family(b, "daemon_info", "gauge", "Whose view this is.");
	sample(b, "daemon_info", "", labels, sizeof labels / sizeof labels[0]);
	buf_add_text(b, "1\n");
	family(b, "daemon_start_timestamp_seconds", "gauge", "When the daemon was started.");
	put_time(b, "daemon_start_timestamp_seconds", none, s->started_ms);
	family(b, "daemon_told_timestamp_seconds", "gauge",
	       "When the daemon last told its status.");
	put_time(b, "daemon_told_timestamp_seconds", none, s->written_ms);
	put_single(b, "followed_log_entries_total", "counter",
		   "Entries of the followed log: the national one, or a node's own.", s->size);
}

/* One column of the peers; `ms`: a time. */
static void put_peers(struct buf *b, const struct control_reply *s, const char *name,
		      const char *label,
		      uint64_t (*value)(const struct control_reply *, const struct peer_row *),
		      bool ms)
{
	for (size_t i = 0; i < s->peer_count; i++) {
		const struct peer_row *p = &s->peers[i];
		const struct label of = {label, p->name};

		if (ms)
			put_time(b, name, of, value(s, p));
		else
			put(b, name, of, none, value(s, p));
	}
}

static uint64_t peer_size(const struct control_reply *s, const struct peer_row *p)
{
	(void)s;
	return p->size;
}

/* Of a log that claims nothing the lag is not known: 0 until its node comes. */
static uint64_t peer_lag(const struct control_reply *s, const struct peer_row *p)
{
	if (is_server(s))
		return log_lag(p);
	return s->size > p->size ? s->size - p->size : 0;
}

static uint64_t peer_contact(const struct control_reply *s, const struct peer_row *p)
{
	(void)s;
	return p->last_contact_ms;
}

static uint64_t peer_commit(const struct control_reply *s, const struct peer_row *p)
{
	(void)s;
	return p->last_commit_ms;
}

static void put_state(struct buf *b, const struct control_reply *s, const char *name,
		      const char *label)
{
	for (size_t i = 0; i < s->peer_count; i++)
		put(b, name, (struct label){label, s->peers[i].name},
		    (struct label){"state", s->peers[i].state}, 1);
}

static void put_logs(struct buf *b, const struct control_reply *s)
{
	family(b, "log_events_total", "counter", "Events of a region's log that are stored here.");
	put_peers(b, s, "log_events_total", "log", peer_size, false);
	family(b, "log_lag_events", "gauge", "Events that the region has and this server has not.");
	put_peers(b, s, "log_lag_events", "log", peer_lag, false);
	family(b, "log_state", "gauge", "1 for the state of a log's replication.");
	put_state(b, s, "log_state", "log");
	family(b, "log_contact_timestamp_seconds", "gauge",
	       "When the region's node was last heard.");
	put_peers(b, s, "log_contact_timestamp_seconds", "log", peer_contact, true);
	family(b, "log_commit_timestamp_seconds", "gauge", "When the log last grew here.");
	put_peers(b, s, "log_commit_timestamp_seconds", "log", peer_commit, true);
}

static void put_servers(struct buf *b, const struct control_reply *s)
{
	family(b, "server_confirmed_events_total", "counter",
	       "Events of this node's log that a server has confirmed.");
	put_peers(b, s, "server_confirmed_events_total", "server", peer_size, false);
	family(b, "server_lag_events", "gauge", "Events that a server has not confirmed yet.");
	put_peers(b, s, "server_lag_events", "server", peer_lag, false);
	family(b, "server_state", "gauge", "1 for the state of a server's link.");
	put_state(b, s, "server_state", "server");
	family(b, "server_contact_timestamp_seconds", "gauge", "When the server was last heard.");
	put_peers(b, s, "server_contact_timestamp_seconds", "server", peer_contact, true);
	family(b, "server_commit_timestamp_seconds", "gauge",
	       "When the server last confirmed something.");
	put_peers(b, s, "server_commit_timestamp_seconds", "server", peer_commit, true);
}

static void put_refusals(struct buf *b, const struct control_reply *s)
{
	family(b, "refusals_total", "counter",
	       "Messages that were refused since the daemon's start, by log and reason.");
	for (size_t i = 0; i < s->refusal_count; i++)
		put(b, "refusals_total", (struct label){"log", s->refusals[i].log},
		    (struct label){"reason", s->refusals[i].code}, s->refusals[i].count);
}

static void put_witnesses(struct buf *b, const struct control_reply *s)
{
	struct checkpoint c;
	struct note note;

	if (!is_server(s))
		return;
	family(b, "witness_entries_total", "counter",
	       "Size of the newest national checkpoint that a witness cosigned.");
	for (size_t i = 0; i < s->witness_count; i++)
		put(b, "witness_entries_total", (struct label){"witness", s->witnesses[i].log},
		    none, s->witnesses[i].size);
	family(b, "witness_cosigned_timestamp_seconds", "gauge", "When it did, by its own word.");
	for (size_t i = 0; i < s->witness_count; i++)
		put_time(b, "witness_cosigned_timestamp_seconds",
			 (struct label){"witness", s->witnesses[i].log}, s->witnesses[i].at_ms);
	put_single(b, "quorum", "gauge",
		   "1 when the newest cosigned checkpoint has the quorum of its policy.",
		   s->quorum);
	if (note_checkpoint(s->cosigned, &note, &c))
		put_single(
			b, "cosigned_entries_total", "counter",
			"Size of the newest national checkpoint with its quorum, or with most of "
			"it.",
			c.size);
}

static void put_verified(struct buf *b, const struct control_reply *s)
{
	uint64_t at_ms = 0;
	uint64_t damaged = 0;

	if (!verified_number(s->verified, "at_ms", &at_ms) ||
	    !verified_number(s->verified, "damaged", &damaged))
		return;
	family(b, "verified_timestamp_seconds", "gauge", "When all logs were last verified.");
	put_time(b, "verified_timestamp_seconds", none, at_ms);
	put_single(b, "verified_damages", "gauge", "How many bad places that found.", damaged);
}

/* ---- histograms ---- */

static const char *latency_help(const char *name)
{
	static const struct {
		const char *name, *help;
	} texts[] = {
		{"store", "How long storing a batch took, synced."},
		{"arrival", "Age of an event, by its recorded time, when it was stored here."},
		{"visible", "How long a stored entry waited until the view showed it."},
		{"witness", "How long a witness took to cosign what it was offered."},
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		if (strcmp(texts[i].name, name) == 0)
			return texts[i].help;
	}
	return NULL;
}

static void put_histogram(struct buf *b, const struct histogram_row *h, const char *help)
{
	char name[64];
	uint64_t count = 0;

	(void)snprintf(name, sizeof name, "%s_seconds", h->name);
	family(b, name, "histogram", help);
	for (size_t i = 0; i < h->bound_count; i++) {
		char le[32];
		const struct label label = {"le", le};

		count += h->counts[i];
		(void)snprintf(le, sizeof le, "%g", (double)h->bounds_us[i] / MICROSECONDS);
		sample(b, name, "_bucket", &label, 1);
		buf_printf(b, "%" PRIu64 "\n", count);
	}
	count += h->counts[h->bound_count];
	sample(b, name, "_bucket", &(struct label){"le", "+Inf"}, 1);
	buf_printf(b, "%" PRIu64 "\n", count);
	sample(b, name, "_sum", NULL, 0);
	put_scaled(b, h->sum_us, MICROSECONDS, MICRO_DIGITS);
	sample(b, name, "_count", NULL, 0);
	buf_printf(b, "%" PRIu64 "\n", count);
}

static void put_histograms(struct buf *b, const struct control_reply *s)
{
	for (size_t i = 0; i < s->histogram_count; i++) {
		const char *help = latency_help(s->histograms[i].name);

		if (help) /* a name that is not known here might be no metric's */
			put_histogram(b, &s->histograms[i], help);
	}
}

enum err api_metrics(const struct api_context *x, struct buf *ret)
{
	const struct control_reply *s = x->status;
	enum err e = put_register(ret, x);

	if (e != ERR_OK)
		return e;
	put_view(ret, x);
	put_single(ret, "stale", "gauge",
		   "1 when the daemon has not told its status for long, or never did.",
		   status_stale(s, x->now));
	if (s) {
		put_daemon(ret, x);
		if (is_server(s))
			put_logs(ret, s);
		else
			put_servers(ret, s);
		put_refusals(ret, s);
		put_witnesses(ret, s);
		put_verified(ret, s);
		put_histograms(ret, s);
	}
	return buf_check(ret) == ERR_OK ? ERR_OK : ERR_NOMEM;
}
