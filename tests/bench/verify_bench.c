/* How fast a log is verified: a region's log of events of 300 bytes, a checkpoint for every
 * thousand, as `splotctl audit verify` reads it from a store.
 *
 *     verify_bench [EVENTS]
 *
 * The hash pass: every leaf hashed, every tile and every checkpoint's root compared.  The check
 * pass: every signature, every event decoded and held against its log. */
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "audit/verify.h"
#include "ledger/log.h"
#include "model/event.h"

enum { EVENT_BYTES = 300, PER_COMMIT = 1000, PADDING_MOST = 300, ROUNDS = 3 };

struct bench {
	char folder[64];
	struct store *store;
	struct log log;
	struct signer signer;
	uint8_t secret[SIGN_SECRET_BYTES];
	struct arena arena;
	struct buf event, note;
};

static void check(enum err e, const char *what)
{
	if (e == ERR_OK)
		return;
	(void)fprintf(stderr, "verify_bench: %s: %s\n", what, err_text(e));
	exit(1);
}

/* Of this process. */
static double processor_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void encode(struct bench *b, uint64_t number, size_t padding)
{
	char text[PADDING_MOST + 1];
	struct record *r = NULL;
	struct change c = {.kind = RECORD_ENTITY};
	struct event e = {.recorded = {1700000000000},
			  .editor = "e07",
			  .reason = "import",
			  .source = "rejestr.csv",
			  .change_count = 1,
			  .changes = &c};

	arena_reset(&b->arena);
	buf_clear(&b->event);
	r = record_new(&b->arena, RECORD_ENTITY);
	if (!r)
		exit(1);
	(void)snprintf(text, sizeof text, "pl26-cis-%08llx", (unsigned long long)number);
	check(record_set(r, &b->arena, (size_t)field_named(record_info(r), "id"),
			 bytes_of_text(text)),
	      "id");
	memset(text, 'x', padding);
	text[padding] = 0;
	check(record_set(r, &b->arena, (size_t)field_named(record_info(r), "name"),
			 bytes_of_text(text)),
	      "name");
	c.id = record_get_named(r, "id");
	c.record = r;
	check(event_encode(&e, &b->arena, &b->event), "encode");
}

/* The padding that makes an event as long as wanted. */
static size_t find_padding(struct bench *b)
{
	for (size_t padding = 1; padding < PADDING_MOST; padding++) {
		encode(b, 1, padding);
		if (b->event.size == EVENT_BYTES)
			return padding;
	}
	check(ERR_INTERNAL, "no event has the size wanted");
	return 0;
}

static void fill(struct bench *b, uint64_t events)
{
	size_t padding = find_padding(b);

	while (b->log.edge.size < events) {
		struct checkpoint c = {.size = 0};
		struct txn *t = NULL;

		check(txn_begin(b->store, true, &t), "begin");
		for (size_t i = 0; i < PER_COMMIT; i++) {
			encode(b, b->log.edge.size, padding);
			check(log_append(&b->log, t, buf_bytes(&b->event)), "append");
		}
		c.size = b->log.tree.size;
		c.root = tree_root(&b->log.tree);
		(void)snprintf(c.origin, sizeof c.origin, "%s", b->signer.key.name);
		buf_clear(&b->note);
		check(checkpoint_sign(&c, &b->signer, &b->note), "sign");
		check(log_seal(&b->log, t, buf_bytes(&b->note)), "seal");
		check(txn_commit(t), "commit");
	}
}

/* Processor time of each pass, by where the progress says that it begins. */
struct passes {
	double begin;
	const char *now; /* NULL: none yet */
	double hash, check;
};

static void end_pass(struct passes *p)
{
	double took = processor_seconds() - p->begin;

	if (p->now && strcmp(p->now, "hash") == 0)
		p->hash = took < p->hash ? took : p->hash;
	else if (p->now)
		p->check = took < p->check ? took : p->check;
	p->begin = processor_seconds();
}

static void progress(void *context, const char *what, uint64_t done, uint64_t total)
{
	struct passes *p = context;

	(void)done;
	(void)total;
	if (p->now && strcmp(p->now, what) == 0)
		return;
	end_pass(p);
	p->now = what;
}

/* The best of a few rounds: others use the machine as well. */
static void verify(struct bench *b)
{
	struct verify_options options = {.is_store = true};
	struct passes passes = {.hash = 1e9, .check = 1e9};
	const struct verify_watch watch = {.context = &passes, .progress = progress};
	struct verify_report r = {.leaves = 0};
	struct keyring *keys = NULL;

	check(keyring_new(&keys), "keys");
	check(keyring_trust(keys, &b->signer.key), "keys");
	options.trusted = keys;
	for (int i = 0; i < ROUNDS; i++) {
		struct source source;

		check(source_of_store(b->store, b->folder, &source), "source");
		passes.now = NULL;
		check(verify_run(&source, &options, &watch, &r), "verify");
		end_pass(&passes);
		source_close(&source);
		if (r.damaged)
			check(ERR_CORRUPT, "a whole log");
	}
	printf("%llu leaves of %.0f bytes, %llu checkpoints; a second of one core:\n",
	       (unsigned long long)r.leaves, (double)r.leaf_bytes / (double)r.leaves,
	       (unsigned long long)r.checkpoints);
	printf("verify, hash pass   %9.0f leaves  (by the clock %9.0f)\n",
	       (double)r.leaves / passes.hash, (double)r.leaves * 1e9 / (double)r.hash_ns);
	printf("verify, check pass  %9.0f events  (by the clock %9.0f)\n",
	       (double)r.leaves / passes.check, (double)r.leaves * 1e9 / (double)r.check_ns);
	keyring_free(keys);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int main(int argc, char **argv)
{
	struct bench b = {.folder = "/tmp/splot-verify-XXXXXX"};
	struct store_options options = {.mode = STORE_UNSYNCED};
	uint64_t events = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	uint8_t seed[SIGN_SEED_BYTES] = {7};
	uint8_t public[SIGN_PUBLIC_BYTES];
	struct log_name name;

	if (events == 0 || sodium_init() < 0 || !mkdtemp(b.folder))
		return 1;
	(void)crypto_sign_seed_keypair(public, b.secret, seed);
	check(vkey_make("splot.test/region/26", KEY_ED25519, public, &b.signer.key), "key");
	b.signer.secret = b.secret;
	check(store_open(b.folder, &options, &b.store), b.folder);
	check(log_name_parse(bytes_of_text("26"), &name), "name");
	check(log_open(b.store, name, true, &b.log), "log");
	fill(&b, events);
	verify(&b);
	store_close(b.store);
	buf_free(&b.event);
	buf_free(&b.note);
	arena_free(&b.arena);
	(void)nftw(b.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}
