/* Replies of every kind, as daemons give them: for seeds. */
#ifndef SPLOT_TESTS_FUZZ_REPLIES_H
#define SPLOT_TESTS_FUZZ_REPLIES_H

#include "samples.h"

#include "model/control.h"

enum { REPLY_KINDS = 7 };

/* Everything that it names lives as long as the program or the arena. */
static inline struct control_reply sample_reply(int kind, struct arena *arena)
{
	static const struct problem problems[] = {
		{1, "nip", "123", "bad-nip", "NIP ma 10 cyfr", "a NIP has 10 digits"}};
	static const struct count_row counts[] = {{"entities", "26", "CIS", "", 17},
						  {"entities", "26", "KIS", "x", -1}};
	static const struct peer_row peers[] = {{.name = "centrum",
						 .state = "live",
						 .size = 7,
						 .claimed = 9,
						 .last_contact_ms = 1764000000000,
						 .note = "",
						 .checkpoint = {NULL, 0}},
						{.name = "26",
						 .state = "frozen",
						 .size = 9,
						 .claimed = 7,
						 .note = "fork",
						 .checkpoint = {(const uint8_t *)"note", 4}}};
	static const struct refusal_row refusals[] = {{"26", "gap", 3}, {"", "unknown-key", 1}};
	static const struct trust_row trust[] = {{"26", "active", "k1", "k2", "k3", 1764000000000}};
	static const struct evidence_row evidence[] = {{"26",
							4,
							"",
							{(const uint8_t *)"one", 3},
							{(const uint8_t *)"two", 3},
							1764000000000}};
	static const struct witness_row witnesses[] = {{"24", "key", 5, 1764000000000}};
	static struct histogram_row histograms[] = {
		{"store", HISTOGRAM_BOUNDS_MAX, {0}, {1, 2, 3}, 900}};
	static const struct stored_row rows[] = {
		{{(const uint8_t *)"\0\0\0\0\0\0\0\1", 8}, {(const uint8_t *)"value", 5}}};
	struct control_reply r = {.code = ERR_OK,
				  .text = "",
				  .size = 9,
				  .position = 9,
				  .role = "",
				  .identity = "",
				  .realm = "",
				  .state = "",
				  .note = "",
				  .key = "",
				  .policy = "",
				  .verified = ""};
	struct event e = sample_event(arena);
	struct version *versions = arena_alloc(arena, SAMPLE_CHANGES * sizeof *versions);

	ALWAYS(versions);
	for (size_t i = 0; i < HISTOGRAM_BOUNDS_MAX; i++) /* as many as there may be */
		histograms[0].bounds_us[i] = 100 * (i + 1);
	for (size_t i = 0; i < SAMPLE_CHANGES; i++)
		versions[i] = (struct version){.position = i,
					       .log = {"26"},
					       .index = i,
					       .recorded = e.recorded,
					       .editor = "e1",
					       .reason = "r",
					       .source = "",
					       .change = e.changes[i]};
	switch (kind) {
	case 0:
		r.code = ERR_INVALID;
		r.text = "not so";
		r.problems = problems;
		r.problem_count = 1;
		break;
	case 1:
		r.versions = versions;
		r.version_count = SAMPLE_CHANGES;
		break;
	case 2:
		r.counts = counts;
		r.count_count = 2;
		r.more = true;
		break;
	case 3:
		r.rows = rows;
		r.row_count = 1;
		break;
	case 4:
		r.evidence = evidence;
		r.evidence_count = 1;
		break;
	default:
		r.role = kind == 5 ? "node" : "server";
		r.identity = kind == 5 ? "26" : "centrum";
		r.realm = "fuzz.example";
		r.state = "open";
		r.started_ms = 1764000000000;
		r.peers = peers;
		r.peer_count = 2;
		r.refusals = refusals;
		r.refusal_count = 2;
		r.trust = trust;
		r.trust_count = 1;
		r.witnesses = witnesses;
		r.witness_count = 1;
		r.histograms = histograms;
		r.histogram_count = 1;
		r.cosigned = bytes_of_text("note");
		r.verified = "{}";
		r.policy = "quorum none\n";
		r.written_ms = 1764000000000;
		r.interval_ms = 1000;
	}
	return r;
}

static inline void sample_reply_encode(int kind, struct buf *out)
{
	struct arena arena = {.head = NULL};
	struct control_reply r = sample_reply(kind, &arena);

	ALWAYS(control_reply_encode(&r, &arena, out) == ERR_OK);
	arena_free(&arena);
}

#endif
