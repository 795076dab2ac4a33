/* What the daemon says of itself, as JSON, as an event and as metrics. */
#include "api_support.h"

#include "tlog/cosignature.h"
#include "tlog/note.h"

enum { OLD_MS = 60000, INTERVAL_MS = 1000 };

/* ---- a daemon's word ---- */

struct told {
	struct control_reply status;
	struct peer_row peers[3];
	struct refusal_row refusals[2];
	struct witness_row witnesses[2];
	struct histogram_row histograms[2];
};

static struct signer signer_of(const char *name, uint8_t type, uint8_t *secret)
{
	uint8_t seed[SIGN_SEED_BYTES] = {type};
	uint8_t public[SIGN_PUBLIC_BYTES];
	struct signer s = {.secret = secret};

	assert_int_equal(crypto_sign_seed_keypair(public, secret, seed), 0);
	assert_ok(vkey_make(name, type, public, &s.key));
	return s;
}

static struct bytes kept(struct nation *n, struct buf *text)
{
	struct bytes ret = bytes_of(arena_text(&n->arena, buf_bytes(text)), text->size);

	buf_free(text);
	return ret;
}

/* The national checkpoint of 40 entries, cosigned by two witnesses. */
static struct bytes cosigned_note(struct nation *n)
{
	static uint8_t secrets[3][SIGN_SECRET_BYTES];
	struct signer log = signer_of("splot.test/national/mrpips", KEY_ED25519, secrets[0]);
	struct signer a = signer_of("splot.test/witness/24", KEY_COSIGNATURE, secrets[1]);
	struct signer b = signer_of("splot.test/witness/26/2", KEY_COSIGNATURE, secrets[2]);
	struct checkpoint c = {.size = 40};
	struct buf text = {.data = NULL};
	struct buf note = {.data = NULL};

	(void)snprintf(c.origin, sizeof c.origin, "%s", log.key.name);
	assert_ok(checkpoint_text(&c, &text));
	assert_ok(checkpoint_sign(&c, &log, &note));
	assert_ok(note_cosign(buf_bytes(&text), 1795341600, &a, &note));
	assert_ok(note_cosign(buf_bytes(&text), 1795341630, &b, &note));
	buf_free(&text);
	return kept(n, &note);
}

static struct bytes log_note(struct nation *n, const char *origin, uint64_t size)
{
	static uint8_t secret[SIGN_SECRET_BYTES];
	struct signer log = signer_of(origin, KEY_ED25519, secret);
	struct checkpoint c = {.size = size};
	struct buf note = {.data = NULL};

	(void)snprintf(c.origin, sizeof c.origin, "%s", origin);
	assert_ok(checkpoint_sign(&c, &log, &note));
	return kept(n, &note);
}

static void fill_histogram(struct histogram_row *h, const char *name)
{
	*h = (struct histogram_row){.name = name,
				    .bound_count = 3,
				    .bounds_us = {100, 2500, 1000000},
				    .counts = {1, 0, 5, 2},
				    .sum_us = 12345678};
}

static void server_says(struct nation *n, struct told *t)
{
	uint64_t now = (uint64_t)n->now.ms;

	*t = (struct told){.status = {.role = "server"}};
	t->peers[0] = (struct peer_row){
		.name = "24",
		.state = "live",
		.size = 10,
		.claimed = 12,
		.last_contact_ms = now - 500,
		.last_commit_ms = now - 7000,
		.note = "",
		.checkpoint = log_note(n, "splot.test/region/24", 10),
	};
	t->peers[1] = (struct peer_row){.name = "26",
					.state = "frozen",
					.size = 5,
					.claimed = 5,
					.last_contact_ms = now - 900,
					.note = "two \"histories\"\\"};
	t->peers[2] = (struct peer_row){.name = "26/2", .state = "away", .size = 1, .note = ""};
	t->refusals[0] = (struct refusal_row){"", "unknown-key", 3};
	t->refusals[1] = (struct refusal_row){"26", "fork", 1};
	t->witnesses[0] = (struct witness_row){"24", "key", 38, now - 2000};
	t->witnesses[1] = (struct witness_row){"26/2", "key", 0, 0};
	fill_histogram(&t->histograms[0], "store");
	fill_histogram(&t->histograms[1], "no such \"metric\"");
	t->status = (struct control_reply){
		.text = "",
		.size = 42,
		.role = "server",
		.identity = "mrpips",
		.realm = "splot.test",
		.state = "open",
		.note = "",
		.started_ms = now - 3600000,
		.peers = t->peers,
		.peer_count = 3,
		.refusals = t->refusals,
		.refusal_count = 2,
		.key = "splot.test/national/mrpips+00000000+AA==",
		.witnesses = t->witnesses,
		.witness_count = 2,
		.cosigned = cosigned_note(n),
		.quorum = true,
		.policy = "quorum none\n",
		.verified =
			"{\"at_ms\":1795340000000,\"damaged\":0,\"leaves\":57,\"leaf_bytes\":900,"
			"\"tiles\":4,\"checkpoints\":9,\"source\":\"/home/\\\"damaged\\\":7\","
			"\"keys\":\"given\",\"logs\":[{\"log\":\"26\",\"size\":5}],\"view\":{"
			"\"position\":41,\"records\":7,\"versions\":2,\"changes\":9,\"counts\":"
			"3},\"cosigned\":{\"size\":40,\"witnesses\":2,\"bad\":0,\"newest_s\":1,"
			"\"quorum\":false},\"unmatched\":false}\n",
		.histograms = t->histograms,
		.histogram_count = 2,
		.written_ms = now - 300,
		.interval_ms = INTERVAL_MS,
	};
	n->context.status = &t->status;
}

static void node_says(struct nation *n, struct told *t)
{
	uint64_t now = (uint64_t)n->now.ms;

	*t = (struct told){.status = {.role = "node"}};
	t->peers[0] = (struct peer_row){.name = "mrpips",
					.state = "live",
					.size = 30,
					.claimed = 30,
					.last_contact_ms = now - 500,
					.note = ""};
	t->status = (struct control_reply){.text = "",
					   .size = 33,
					   .role = "node",
					   .identity = "26/2",
					   .realm = "splot.test",
					   .state = "open",
					   .note = "",
					   .peers = t->peers,
					   .peer_count = 1,
					   .key = "",
					   .policy = "",
					   .verified = "",
					   .written_ms = now - 300,
					   .interval_ms = INTERVAL_MS};
	n->context.status = &t->status;
}

/* ---- as JSON ---- */

static void a_server_tells_of_its_logs_and_witnesses(void **state)
{
	struct nation *n = *state;
	struct told t;
	const char *body = NULL;

	server_says(n, &t);
	body = ask(n, "/api/v1/status");
	assert_status(n, 200);
	assert_true(n->answer.live);
	assert_has(body, "\"role\":\"server\",\"identity\":\"mrpips\",\"realm\":\"splot.test\"");
	assert_has(body, "\"started\":\"2026-11-22T09:00:00.000Z\"");
	assert_has(body, "\"age_ms\":300,\"stale\":false,\"size\":42,\"state\":\"open\",\"note\":"
			 "null");
	assert_has(body,
		   "{\"log\":\"24\",\"state\":\"live\",\"size\":10,\"claimed\":12,\"lag\":2,");
	assert_has(body, "\"checkpoint\":{\"origin\":\"splot.test/region/24\",\"size\":10,\"root\":"
			 "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"},\"frozen\":false}");
	assert_has(body, "\"note\":\"two \\\"histories\\\"\\\\\",\"checkpoint\":null,\"frozen\":"
			 "true}");
	/* nobody heard of that node since the start: what it has is not known */
	assert_has(body, "{\"log\":\"26/2\",\"state\":\"away\",\"size\":1,\"claimed\":null,\"lag\":"
			 "null,\"last_contact\":null");
	assert_has(body, "\"servers\":[],\"refusals\":[{\"log\":null,\"code\":\"unknown-key\","
			 "\"count\":3},{\"log\":\"26\",\"code\":\"fork\",\"count\":1}]");
	assert_has(body, "{\"log\":\"24\",\"size\":38,\"behind\":4,\"at\":\"");
	assert_has(body, "{\"log\":\"26/2\",\"size\":null,\"behind\":null,\"at\":null}");
	assert_has(body, "\"cosigned\":{\"origin\":\"splot.test/national/mrpips\",\"size\":40,");
	assert_has(body, "\"witnesses\":[\"24\",\"26/2\"],\"at\":\"2026-11-22T10:00:30.000Z\","
			 "\"quorum\":true}");
	assert_has(body, "\"frozen\":[\"26\"]");
}

static void a_verification_is_told_without_the_paths_in_it(void **state)
{
	struct nation *n = *state;
	struct told t;
	const char *body = NULL;

	server_says(n, &t);
	body = ask(n, "/api/v1/status");
	assert_has(body, "\"damaged\":0,\"leaves\":57,\"leaf_bytes\":900,\"tiles\":4,"
			 "\"checkpoints\":9,\"view\":{\"position\":41,\"records\":7,\"versions\":2,"
			 "\"changes\":9,\"counts\":3},\"cosigned\":{\"size\":40,\"witnesses\":2,"
			 "\"bad\":0,\"quorum\":false}}");
	assert_lacks(body, "/home/");
	/* a file that somebody cut, or that is none */
	t.status.verified = "{\"at_ms\":1795340000000,\"damaged\":1,\"view\":{\"position\":4";
	body = ask(n, "/api/v1/status");
	assert_has(body, "\"damaged\":1,\"leaves\":null,");
	assert_has(body, "\"view\":null,\"cosigned\":null}");
	t.status.verified = "at_ms";
	assert_has(ask(n, "/api/v1/status"), "\"verified\":null");
}

static void latencies_are_told_cumulatively_in_seconds(void **state)
{
	struct nation *n = *state;
	struct told t;

	server_says(n, &t);
	assert_has(ask(n, "/api/v1/status"),
		   "\"latencies\":[{\"name\":\"store\",\"unit\":\"s\",\"buckets\":[{\"le\":"
		   "0.000100,\"count\":1},{\"le\":0.002500,\"count\":1},{\"le\":1.000000,"
		   "\"count\":6}],\"count\":8,\"sum\":12.345678}");
}

static void a_node_tells_what_each_server_confirmed(void **state)
{
	struct nation *n = *state;
	struct told t;
	const char *body = NULL;

	node_says(n, &t);
	body = ask(n, "/api/v1/status");
	assert_has(body, "\"logs\":[],\"servers\":[{\"name\":\"mrpips\",\"state\":\"live\","
			 "\"confirmed\":30,\"size\":30,\"lag\":3,");
	assert_has(body, "\"cosigned\":null,\"policy\":null,\"key\":null,\"verified\":null,");
	body = ask(n, "/api/v1/summary");
	assert_has(body, "\"scope\":{\"role\":\"node\",\"identity\":\"26/2\",\"realm\":"
			 "\"splot.test\",\"region\":\"26\"}");
	assert_has(body, "\"replication\":[]");
}

static void what_a_silent_daemon_said_is_stale(void **state)
{
	struct nation *n = *state;
	struct told t;

	n->context.status = NULL;
	assert_has(ask(n, "/api/v1/status"),
		   "\"role\":null,\"identity\":null,\"realm\":null,\"version\":");
	assert_has(buf_text(&n->body), "\"written\":null,\"age_ms\":null,\"stale\":true,"
				       "\"size\":null");
	assert_has(ask(n, "/api/v1/summary"), "\"scope\":{\"role\":null,");
	server_says(n, &t);
	t.status.written_ms -= 4000;
	assert_has(ask(n, "/api/v1/status"), "\"stale\":false");
	t.status.written_ms -= 4000;
	assert_has(ask(n, "/api/v1/status"), "\"stale\":true");
	t.status.written_ms += OLD_MS; /* by a clock that runs before ours */
	assert_has(ask(n, "/api/v1/status"), "\"age_ms\":0,\"stale\":false");
}

static void a_region_shows_its_newest_log(void **state)
{
	struct nation *n = *state;
	struct told t;

	server_says(n, &t);
	assert_has(ask(n, "/api/v1/regions/26"), "\"log\":{\"log\":\"26/2\",\"state\":\"away\"");
	assert_has(ask(n, "/api/v1/regions/28"), "\"log\":null");
	assert_int_equal(times_in(ask(n, "/api/v1/summary"), "\"last_contact\""), 5);
}

/* ---- the event ---- */

static const char *event_of_status(struct nation *n)
{
	(void)ask(n, "/api/v1/status"); /* the catalog of now */
	buf_clear(&n->body);
	assert_ok(api_status_event(&n->context, &n->body));
	return buf_text(&n->body);
}

static void an_event_changes_only_with_what_a_reader_sees(void **state)
{
	struct nation *n = *state;
	struct told t;
	char before[2048];

	server_says(n, &t);
	(void)snprintf(before, sizeof before, "%s", event_of_status(n));
	assert_has(before, "\"stale\":false,\"logs\":[{\"log\":\"24\",\"state\":\"live\",\"size\":"
			   "10,\"claimed\":12,\"lag\":2,\"note\":null,\"frozen\":false}");
	assert_has(before, "\"quorum\":true,\"frozen\":[\"26\"]}");
	assert_null(strchr(before, '\n'));
	t.peers[0].last_contact_ms += 100;
	t.peers[0].last_commit_ms += 100;
	t.status.written_ms += 100;
	n->now.ms += 100;
	assert_string_equal(event_of_status(n), before);
	t.peers[0].size++;
	assert_string_not_equal(event_of_status(n), before);
	t.peers[0].size--;
	t.status.written_ms -= OLD_MS;
	assert_has(event_of_status(n), "\"stale\":true");
	node_says(n, &t);
	assert_has(event_of_status(n), "\"logs\":[],\"quorum\":null,\"frozen\":[]}");
}

/* ---- metrics ---- */

static const char *metrics_of(struct nation *n)
{
	struct txn *txn = NULL;

	(void)ask(n, "/api/v1/status");
	buf_clear(&n->body);
	assert_ok(txn_begin(n->store, false, &txn));
	n->context.txn = txn;
	assert_ok(api_metrics(&n->context, &n->body));
	txn_abort(txn);
	return buf_text(&n->body);
}

/* The program that monitoring trusts looks at it, where it is installed. */
static void judge(const char *text)
{
	FILE *promtool = NULL;

	if (system("command -v promtool > /dev/null") != 0) /* NOLINT: a fixed command */
		skip();
	promtool = popen("promtool check metrics", "w"); /* NOLINT: the same */
	assert_non_null(promtool);
	assert_true(fputs(text, promtool) >= 0);
	assert_int_equal(pclose(promtool), 0);
}

static void metrics_of_a_server_are_accepted(void **state)
{
	struct nation *n = *state;
	struct told t;
	const char *text = NULL;

	HAPPENS(n, "26", "2026-11-01T09:00:00Z",
		PUT(n, RECORD_ENTITY, "id", "pl26-kis-a", "kind", "KIS", "name", "A", "verified_on",
		    "2019"));
	server_says(n, &t);
	text = metrics_of(n);
	assert_has(text, "\nsplot_entities{region=\"26\",kind=\"KIS\"} 1\n");
	assert_has(text, "\nsplot_entities_verified_long_ago{region=\"26\"} 1\n");
	assert_has(text, "\nsplot_view_entries 1\n");
	assert_has(text, "# TYPE splot_log_events_total counter\nsplot_log_events_total{log=\"24\"}"
			 " 10\n");
	assert_has(text, "\nsplot_log_lag_events{log=\"24\"} 2\n");
	assert_has(text, "\nsplot_log_state{log=\"26\",state=\"frozen\"} 1\n");
	assert_has(text, "\nsplot_refusals_total{log=\"26\",reason=\"fork\"} 1\n");
	assert_has(text, "\nsplot_quorum 1\n");
	assert_has(text, "\nsplot_cosigned_entries_total 40\n");
	assert_has(text, "\nsplot_verified_timestamp_seconds 1795340000.000\n");
	assert_has(text, "# TYPE splot_store_seconds histogram\n"
			 "splot_store_seconds_bucket{le=\"0.0001\"} 1\n"
			 "splot_store_seconds_bucket{le=\"0.0025\"} 1\n"
			 "splot_store_seconds_bucket{le=\"1\"} 6\n"
			 "splot_store_seconds_bucket{le=\"+Inf\"} 8\n"
			 "splot_store_seconds_sum 12.345678\nsplot_store_seconds_count 8\n");
	assert_lacks(text, "no such");
	judge(text);
}

static void metrics_of_a_node_and_of_nobody_are_accepted(void **state)
{
	struct nation *n = *state;
	struct told t;
	const char *text = NULL;

	node_says(n, &t);
	t.peers[0].name = "a \"b\"\\\nc"; /* what no daemon says, but a label must bear */
	text = metrics_of(n);
	assert_has(text, "\nsplot_server_lag_events{server=\"a \\\"b\\\"\\\\\\nc\"} 3\n");
	assert_lacks(text, "splot_log_");
	judge(text);
	n->context.status = NULL;
	text = metrics_of(n);
	assert_has(text, "\nsplot_stale 1\n");
	judge(text);
}

int main(void)
{
#define STORY(f) cmocka_unit_test_setup_teardown(f, nation_setup, nation_teardown)
	const struct CMUnitTest tests[] = {
		STORY(a_server_tells_of_its_logs_and_witnesses),
		STORY(a_verification_is_told_without_the_paths_in_it),
		STORY(latencies_are_told_cumulatively_in_seconds),
		STORY(a_node_tells_what_each_server_confirmed),
		STORY(what_a_silent_daemon_said_is_stale),
		STORY(a_region_shows_its_newest_log),
		STORY(an_event_changes_only_with_what_a_reader_sees),
		STORY(metrics_of_a_server_are_accepted),
		STORY(metrics_of_a_node_and_of_nobody_are_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
