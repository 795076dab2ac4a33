/* Grows the log 26 of a store: what the foreign check and the exporter are tried on at sizes
 * that an office would take years to reach.
 *
 *     grow-log FOLDER SIZE     appends made-up events up to SIZE; prints the log's verifier key
 *
 * The key is the same each time, so that a log can be grown in steps. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "io/store.h"
#include "ledger/log.h"
#include "model/event.h"

#define ORIGIN "splot.example/region/26"

struct grower {
	struct log log;
	struct arena arena;
	struct buf event, note;
	struct signer signer;
	uint8_t secret[SIGN_SECRET_BYTES];
};

static void check(enum err e, const char *what)
{
	if (e == ERR_OK)
		return;
	(void)fprintf(stderr, "grow-log: %s: %s\n", what, err_text(e));
	exit(1);
}

static void set(struct record *r, struct arena *arena, const char *field, const char *value)
{
	int number = field_named(record_info(r), field);

	if (number < 0)
		check(ERR_INTERNAL, field);
	check(record_set(r, arena, (size_t)number, bytes_of_text(value)), field);
}

/* A club that was never there before, with a name of some odd length. */
static struct bytes make_event(struct grower *g, uint64_t index)
{
	struct change change = {.kind = RECORD_ENTITY};
	struct event event = {.recorded = {1767225600000 + (int64_t)index},
			      .editor = "e01",
			      .reason = "a log that grows",
			      .source = "grow-log",
			      .change_count = 1,
			      .changes = &change};
	struct record *r = NULL;
	char id[ID_BYTES_MAX + 1];
	char name[256];

	arena_reset(&g->arena);
	buf_clear(&g->event);
	(void)snprintf(id, sizeof id, "pl26-kis-%llu", (unsigned long long)index);
	(void)snprintf(name, sizeof name, "Klub %0*llu", (int)(1 + index % 200),
		       (unsigned long long)index);
	r = record_new(&g->arena, RECORD_ENTITY);
	if (!r)
		check(ERR_NOMEM, "record");
	set(r, &g->arena, "id", id);
	set(r, &g->arena, "kind", "KIS");
	set(r, &g->arena, "region", "26");
	set(r, &g->arena, "name", name);
	change.id = id;
	change.record = r;
	check(event_encode(&event, &g->arena, &g->event), "event");
	return buf_bytes(&g->event);
}

static void seal(struct grower *g, struct txn *t)
{
	struct checkpoint c = {
		.origin = ORIGIN, .size = g->log.tree.size, .root = tree_root(&g->log.tree)};

	buf_clear(&g->note);
	check(checkpoint_sign(&c, &g->signer, &g->note), "signing");
	check(log_seal(&g->log, t, buf_bytes(&g->note)), "sealing");
}

static void grow(struct grower *g, struct store *s, uint64_t size)
{
	while (g->log.tree.size < size) {
		uint64_t end = size - g->log.tree.size > COMMIT_EVENTS_MAX
				       ? g->log.tree.size + COMMIT_EVENTS_MAX
				       : size;
		struct txn *t = NULL;

		check(txn_begin(s, true, &t), "begin");
		for (uint64_t i = g->log.tree.size; i < end; i++)
			check(log_append(&g->log, t, make_event(g, i)), "append");
		seal(g, t);
		check(txn_commit(t), "commit");
	}
}

int main(int argc, char **argv)
{
	const struct store_options options = {.mode = STORE_SYNCED};
	const uint8_t seed[SIGN_SEED_BYTES] = {26};
	static struct grower g;
	uint8_t public[SIGN_PUBLIC_BYTES];
	char key[VKEY_BYTES];
	struct log_name name;
	struct store *s = NULL;

	if (argc != 3 || sodium_init() < 0 ||
	    crypto_sign_seed_keypair(public, g.secret, seed) != 0) {
		(void)fprintf(stderr, "usage: grow-log FOLDER SIZE\n");
		return 2;
	}
	g.signer.secret = g.secret;
	check(vkey_make(ORIGIN, KEY_ED25519, public, &g.signer.key), "key");
	check(log_name_parse(bytes_of_text("26"), &name), "name");
	check(store_open(argv[1], &options, &s), argv[1]);
	check(log_open(s, name, true, &g.log), "log");
	grow(&g, s, strtoull(argv[2], NULL, 10));
	vkey_text(&g.signer.key, key);
	printf("%s\n", key);
	store_close(s);
	arena_free(&g.arena);
	buf_free(&g.event);
	buf_free(&g.note);
	return 0;
}
