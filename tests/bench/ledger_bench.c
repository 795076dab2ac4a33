/* What the ledger does in a second: appending events to a log, and folding them into a view
 * of many records.  Everything synced as in the programs.
 *
 *     ledger_bench [FOLDER [EVENTS [RECORDS [FOLDED_AT_ONCE]]]]
 *
 * FOLDER (default: a new one under /tmp, removed at the end) must not hold stores. */
#include <ftw.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/limits.h"
#include "io/store.h"
#include "ledger/national.h"

enum { EVENT_BYTES = 400, ACCEPT_EVENTS = 1000 };

struct bench {
	char folder[256];
	size_t events, records, fold_events;
	struct signer signer;
	uint8_t secret[SIGN_SECRET_BYTES];
	struct buf note;
	struct arena arena;
	uint64_t random;
};

static void check(enum err e, const char *what)
{
	if (e == ERR_OK)
		return;
	(void)fprintf(stderr, "ledger_bench: %s: %s\n", what, err_text(e));
	exit(1);
}

static double seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of this process, the kernel's part included. */
static double processor_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct stopwatch {
	double begin, processor;
};

static struct stopwatch start(void)
{
	return (struct stopwatch){seconds(), processor_seconds()};
}

static void report(const struct stopwatch *w, const char *what, size_t events)
{
	double took = seconds() - w->begin;
	double processor = processor_seconds() - w->processor;

	printf("%-32s %9.0f events/s  %6.2f us of processor each\n", what, (double)events / took,
	       processor * 1e6 / (double)events);
}

static uint64_t next_random(struct bench *b)
{
	uint64_t x = b->random += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static struct store *open_store(const struct bench *b, const char *name, enum store_mode mode)
{
	struct store_options options = {.mode = mode};
	struct store *s = NULL;
	char path[300];

	(void)snprintf(path, sizeof path, "%s/%s", b->folder, name);
	check(store_open(path, &options, &s), path);
	return s;
}

static struct log *open_log(struct store *s, const char *name)
{
	struct log *l = malloc(sizeof *l);
	struct log_name parsed;

	if (!l)
		exit(1);
	check(log_name_parse(bytes_of_text(name), &parsed), name);
	check(log_open(s, parsed, true, l), name);
	return l;
}

static struct bytes sign(struct bench *b, const struct tree *tree)
{
	struct checkpoint c = {.size = tree->size, .root = tree_root(tree)};

	(void)snprintf(c.origin, sizeof c.origin, "%s", b->signer.key.name);
	buf_clear(&b->note);
	check(checkpoint_sign(&c, &b->signer, &b->note), "signing");
	return buf_bytes(&b->note);
}

/* ---- appending ---- */

static void bench_append(struct bench *b, const char *name, size_t per_commit)
{
	struct store *s = open_store(b, name, STORE_SYNCED);
	struct log *l = open_log(s, "26");
	uint8_t event[EVENT_BYTES] = {0};
	struct stopwatch watch = start();
	char what[64];

	for (uint64_t i = 0; i < b->events;) {
		struct txn *t = NULL;

		check(txn_begin(s, true, &t), "begin");
		for (size_t j = 0; j < per_commit; j++, i++) {
			memcpy(event, &i, sizeof i);
			check(log_append(l, t, bytes_of(event, sizeof event)), "append");
		}
		check(log_seal(l, t, sign(b, &l->tree)), "seal");
		check(txn_commit(t), "commit");
	}
	(void)snprintf(what, sizeof what, "append, %zu a commit", per_commit);
	report(&watch, what, (size_t)l->edge.size);
	free(l);
	store_close(s);
}

/* ---- folding ---- */

struct server {
	struct store *logs, *views;
	struct log *national, *log;
	struct view view;
	struct view_fold *fold;
};

static const struct log *find_log(void *context, struct log_name name)
{
	const struct server *s = context;

	return log_name_equal(name, s->log->name) ? s->log : NULL;
}

static void set(struct bench *b, struct record *r, const char *field, const char *text)
{
	check(record_set(r, &b->arena, (size_t)field_named(record_info(r), field),
			 bytes_of_text(text)),
	      field);
}

static void encode_entity(struct bench *b, uint64_t number, uint64_t round, struct buf *ret)
{
	struct record *r = record_new(&b->arena, RECORD_ENTITY);
	struct change c = {.kind = RECORD_ENTITY, .record = r};
	struct event e = {.recorded = {1700000000000},
			  .editor = "e07",
			  .reason = "import",
			  .source = "rejestr.csv",
			  .change_count = 1,
			  .changes = &c};
	char id[64];
	char name[64];

	if (!r)
		exit(1);
	(void)snprintf(id, sizeof id, "pl26-cis-%08llx",
		       (unsigned long long)(number * 2654435761U & 0xffffffff));
	(void)snprintf(name, sizeof name, "Centrum Integracji Społecznej %llu/%llu",
		       (unsigned long long)number, (unsigned long long)round);
	set(b, r, "id", id);
	set(b, r, "region", "26");
	set(b, r, "kind", number % 2 ? "CIS" : "KIS");
	set(b, r, "name", name);
	set(b, r, "name_basis", "źródło");
	set(b, r, "operator_id", "pl26-op-fundacja-pomocna-dlon");
	set(b, r, "operator_name", "Fundacja Pomocna Dłoń");
	set(b, r, "operator_form", "fundacja");
	set(b, r, "operator_sector", "ngo");
	set(b, r, "place", "Skarżysko-Kamienna");
	set(b, r, "street", "Sokola");
	set(b, r, "building", "38");
	set(b, r, "postcode", "26-110");
	set(b, r, "powiat", "2610");
	set(b, r, "gmina", "2610011");
	set(b, r, "gmina_name", "Skarżysko-Kamienna");
	set(b, r, "started_on", "2016-03-01");
	set(b, r, "registered_on", "2016-03");
	set(b, r, "status", round % 2 ? "registered" : "active");
	set(b, r, "status_as_of", "2019-07-04");
	set(b, r, "participants_total", "49");
	set(b, r, "source", "000_3eb32ffc4be20968.txt");
	c.id = record_get_named(r, "id");
	check(event_encode(&e, &b->arena, ret), "encode");
}

/* One accepted commit: records in order of `number` mixed up, or any of them. */
static void accept(struct bench *b, struct server *s, uint64_t first, uint64_t round)
{
	struct bytes events[ACCEPT_EVENTS];
	struct buf raw = {.data = NULL};
	struct tree tree = s->log->tree;
	struct txn *t = NULL;
	size_t at[ACCEPT_EVENTS + 1] = {0};

	for (size_t i = 0; i < ACCEPT_EVENTS; i++) {
		arena_reset(&b->arena);
		encode_entity(b, round ? next_random(b) % b->records : first + i, round, &raw);
		at[i + 1] = raw.size;
	}
	for (size_t i = 0; i < ACCEPT_EVENTS; i++) {
		events[i] = bytes_of(raw.data + at[i], at[i + 1] - at[i]);
		tree_append(&tree, hash_leaf(events[i]));
	}
	check(txn_begin(s->logs, true, &t), "begin");
	check(national_accept(s->national, s->log, t, (struct wall_ms){1}, events, ACCEPT_EVENTS,
			      sign(b, &tree)),
	      "accept");
	check(log_seal(s->national, t, sign(b, &s->national->tree)), "seal");
	check(txn_commit(t), "commit");
	buf_free(&raw);
}

static void fold_all(struct bench *b, struct server *s, const char *what)
{
	struct log_finder finder = {s, find_log};
	struct stopwatch watch = start();
	size_t folded = 0;
	size_t total = 0;

	do {
		struct txn *read = NULL;
		struct txn *write = NULL;
		uint64_t position = 0;

		check(txn_begin(s->logs, false, &read), "begin");
		check(txn_begin(s->views, true, &write), "begin");
		check(national_fold(s->national, &finder, read, &s->view, write, s->fold, &b->arena,
				    b->fold_events, &position, &folded),
		      "fold");
		txn_abort(read);
		check(txn_commit(write), "commit");
		total += folded;
	} while (folded > 0);
	report(&watch, what, total);
}

static void bench_fold(struct bench *b)
{
	struct server s = {.logs = open_store(b, "logs", STORE_SYNCED),
			   .views = open_store(b, "view", STORE_LAZY_META)};

	s.national = open_log(s.logs, "national");
	s.log = open_log(s.logs, "26");
	check(view_open(s.views, true, &s.view), "view");
	check(view_fold_new(&s.fold), "fold");
	for (uint64_t i = 0; i < b->records; i += ACCEPT_EVENTS)
		accept(b, &s, i, 0);
	fold_all(b, &s, "fold, new records");
	for (uint64_t i = 0; i < b->events; i += ACCEPT_EVENTS)
		accept(b, &s, 0, 1 + i / ACCEPT_EVENTS);
	fold_all(b, &s, "fold, changed records");
	view_fold_free(s.fold);
	free(s.national);
	free(s.log);
	store_close(s.logs);
	store_close(s.views);
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
	struct bench b = {.events = 200000, .records = 200000, .fold_events = 4096};
	uint8_t seed[SIGN_SEED_BYTES] = {7};
	uint8_t public[SIGN_PUBLIC_BYTES];

	if (argc > 1)
		(void)snprintf(b.folder, sizeof b.folder, "%s", argv[1]);
	else
		(void)snprintf(b.folder, sizeof b.folder, "/tmp/splot-bench-XXXXXX");
	if (argc > 2)
		b.events = strtoul(argv[2], NULL, 10);
	if (argc > 3)
		b.records = strtoul(argv[3], NULL, 10);
	if (argc > 4)
		b.fold_events = strtoul(argv[4], NULL, 10);
	if (b.events == 0 || b.records == 0 || b.fold_events == 0 || sodium_init() < 0)
		return 1;
	if (argc <= 1 && !mkdtemp(b.folder))
		return 1;
	(void)crypto_sign_seed_keypair(public, b.secret, seed);
	check(vkey_make("splot.test/region/26", KEY_ED25519, public, &b.signer.key), "key");
	b.signer.secret = b.secret;
	bench_append(&b, "append-64", 64);
	bench_append(&b, "append-1000", 1000);
	bench_fold(&b);
	buf_free(&b.note);
	arena_free(&b.arena);
	if (argc <= 1)
		(void)nftw(b.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return 0;
}
