/* What the tests of common/audit share: a server's store in small, with a national log and
 * region 26 in it, their keys and a few witnesses', and a folder for what is made of them. */
#ifndef SPLOT_TESTS_AUDIT_FIXTURE_H
#define SPLOT_TESTS_AUDIT_FIXTURE_H

#include "ledger_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/export.h"
#include "audit/keyring.h"
#include "audit/prove.h"
#include "audit/source.h"
#include "io/files.h"
#include "ledger/national.h"
#include "session/card.h"
#include "tlog/cosignature.h"

#define REALM "splot.test"

enum { NATION_WITNESSES = 3, NATION_PATH_BYTES = 512 };

struct party {
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer;
};

struct nation {
	struct fixture f;
	char folder[TEMPORARY_BYTES]; /* for exports */
	struct party region, server, witnesses[NATION_WITNESSES];
	struct log *national, *l26;
	struct table cosigned;
	struct source source; /* over the open store */
	struct keyring *keys;
};

/* ---- a source that takes its word back: leaves are gone with the next call ---- */

struct strict {
	const struct source_ops *inner;
	struct source_ops ops;
	struct buf run;
};
static struct strict strict;

static inline void strict_forget(void)
{
	if (strict.run.size)
		memset(strict.run.data, 0xee, strict.run.size);
}

static inline enum err strict_leaves(struct source *s, struct log_name log, uint64_t from,
				     uint64_t size, struct source_leaves *ret)
{
	enum err e = strict.inner->leaves(s, log, from, size, ret);
	size_t at = 0;

	strict_forget();
	buf_clear(&strict.run);
	for (size_t i = 0; e == ERR_OK && i < ret->count; i++)
		buf_add_bytes(&strict.run, ret->items[i]);
	for (size_t i = 0; e == ERR_OK && i < ret->count; i++) {
		ret->items[i].data = strict.run.data + at;
		at += ret->items[i].size;
	}
	return e;
}

static inline enum err strict_tile(struct source *s, struct log_name log, struct tile_id id,
				   unsigned width, struct buf *ret)
{
	strict_forget();
	return strict.inner->tile(s, log, id, width, ret);
}

static inline enum err strict_newest(struct source *s, struct log_name log, uint64_t *ret_size,
				     struct buf *ret_note)
{
	strict_forget();
	return strict.inner->newest(s, log, ret_size, ret_note);
}

static inline void strict_wrap(struct source *s)
{
	strict.inner = s->ops;
	strict.ops = *s->ops;
	strict.ops.leaves = strict_leaves;
	strict.ops.tile = strict_tile;
	strict.ops.newest = strict_newest;
	s->ops = &strict.ops;
}

static inline void party_make(struct party *p, const char *name, uint8_t type, uint8_t seed_byte)
{
	uint8_t seed[SIGN_SEED_BYTES] = {seed_byte};
	uint8_t public[SIGN_PUBLIC_BYTES];

	assert_int_equal(crypto_sign_seed_keypair(public, p->secret, seed), 0);
	assert_ok(vkey_make(name, type, public, &p->signer.key));
	p->signer.secret = p->secret;
}

static inline struct bytes kept(struct nation *n, struct bytes x)
{
	char *copy = arena_text(&n->f.arena, x);

	assert_non_null(copy);
	return bytes_of(copy, x.size);
}

/* A log's present checkpoint, signed. */
static inline struct bytes signed_note(struct nation *n, const struct party *by, uint64_t size,
				       struct hash root)
{
	struct checkpoint c = {.size = size, .root = root};
	struct buf note = {0};
	struct bytes copy = {NULL, 0};

	(void)snprintf(c.origin, sizeof c.origin, "%s", by->signer.key.name);
	assert_ok(checkpoint_sign(&c, &by->signer, &note));
	copy = kept(n, buf_bytes(&note));
	buf_free(&note);
	return copy;
}

static inline void seal_national(struct nation *n, struct txn *t)
{
	assert_ok(log_seal(
		n->national, t,
		signed_note(n, &n->server, n->national->edge.size, tree_root(&n->national->tree))));
}

/* One commit of these events to log 26, accepted. */
static inline void nation_commit(struct nation *n, const struct bytes *events, uint32_t count)
{
	struct tree tree = n->l26->tree;
	struct txn *t = NULL;

	for (uint32_t i = 0; i < count; i++)
		tree_append(&tree, hash_leaf(events[i]));
	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(national_accept(n->national, n->l26, t, (struct wall_ms){1000}, events, count,
				  signed_note(n, &n->region, tree.size, tree_root(&tree))));
	seal_national(n, t);
	assert_ok(txn_commit(t));
}

/* Log 26 grows to that size, in commits of up to 4,096. */
static inline void nation_grow(struct nation *n, uint64_t size)
{
	struct bytes *events = calloc(COMMIT_EVENTS_MAX, sizeof *events);

	assert_non_null(events);
	while (n->l26->edge.size < size) {
		uint64_t from = n->l26->edge.size;
		uint32_t count = 0;

		while (count < COMMIT_EVENTS_MAX && from + count < size) {
			events[count] = plain_event(&n->f, from + count);
			count++;
		}
		nation_commit(n, events, count);
	}
	free(events);
}

static inline uint64_t nation_act(struct nation *n, const struct national_entry *act)
{
	uint64_t index = n->national->edge.size;
	struct txn *t = NULL;

	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(national_act(n->national, t, act));
	seal_national(n, t);
	assert_ok(txn_commit(t));
	return index;
}

/* The national log's newest checkpoint, cosigned by the first `count` witnesses. */
static inline uint64_t nation_cosign(struct nation *n, size_t count)
{
	struct bytes note =
		signed_note(n, &n->server, n->national->edge.size, tree_root(&n->national->tree));
	struct buf all = {0};
	struct note parsed;
	struct txn *t = NULL;

	assert_ok(note_parse(note, &parsed));
	buf_add_bytes(&all, note);
	for (size_t i = 0; i < count; i++)
		assert_ok(note_cosign(parsed.text, 1700000000 + i, &n->witnesses[i].signer, &all));
	assert_ok(txn_begin(n->f.store, true, &t));
	assert_ok(cosigned_put(n->cosigned, t, n->national->edge.size, buf_bytes(&all)));
	assert_ok(txn_commit(t));
	buf_free(&all);
	return n->national->edge.size;
}

/* A region's enrolment, signed by its own log key. */
static inline struct bytes enrolment_of(struct nation *n, const char *log, const struct party *by,
					const struct party *witness)
{
	struct card card = {.realm = REALM,
			    .log = name_of(log),
			    .log_key = by->signer.key,
			    .witness_key = witness->signer.key};
	struct buf raw = {0};
	struct bytes copy = {NULL, 0};

	assert_ok(card_sign(&card, &by->signer, &raw));
	copy = kept(n, buf_bytes(&raw));
	buf_free(&raw);
	return copy;
}

static inline uint64_t nation_enrol(struct nation *n, const char *log, const struct party *by,
				    const struct party *witness)
{
	struct national_entry act = {.recorded = {900},
				     .kind = NATIONAL_ACT,
				     .log = name_of(log),
				     .act = "enrol",
				     .by = "root",
				     .reason = "letter 1",
				     .document = enrolment_of(n, log, by, witness)};

	return nation_act(n, &act);
}

static inline void nation_read_keys(struct nation *n)
{
	keyring_free(n->keys);
	n->keys = NULL;
	assert_ok(keyring_new(&n->keys));
	assert_ok(keyring_trust(n->keys, &n->server.signer.key));
	assert_ok(keyring_read(n->keys, &n->source));
}

static inline int nation_setup(void **state)
{
	static const char *const codes[] = {"26", "24", "22"};
	struct nation *n = calloc(1, sizeof *n);
	char name[64];

	assert_non_null(n);
	assert_true(sodium_init() >= 0);
	fixture_start(&n->f);
	temporary_make(n->folder, "audit");
	party_make(&n->region, REALM "/region/26", KEY_ED25519, 26);
	party_make(&n->server, REALM "/national/centrum", KEY_ED25519, 99);
	for (size_t i = 0; i < NATION_WITNESSES; i++) {
		(void)snprintf(name, sizeof name, REALM "/witness/%s", codes[i]);
		party_make(&n->witnesses[i], name, KEY_COSIGNATURE, (uint8_t)(100 + i));
	}
	n->national = opened(&n->f, "national");
	n->l26 = opened(&n->f, "26");
	assert_ok(cosigned_open(n->f.store, true, &n->cosigned));
	(void)nation_enrol(n, "26", &n->region, &n->witnesses[0]);
	assert_ok(source_of_store(n->f.store, "the test's store", &n->source));
	strict_wrap(&n->source);
	*state = n;
	return 0;
}

static inline int nation_teardown(void **state)
{
	struct nation *n = *state;

	source_close(&n->source);
	buf_free(&strict.run);
	keyring_free(n->keys);
	fixture_stop(&n->f);
	temporary_remove(n->folder);
	free(n);
	return 0;
}

/* ---- files ---- */

static inline void path_in(const struct nation *n, const char *file,
			   char path[static NATION_PATH_BYTES])
{
	assert_true(snprintf(path, NATION_PATH_BYTES, "%s/%s", n->folder, file) <
		    NATION_PATH_BYTES);
}

static inline bool has_file(const struct nation *n, const char *file)
{
	char path[NATION_PATH_BYTES];

	path_in(n, file, path);
	return file_exists(path);
}

static inline struct bytes file_of(struct nation *n, const char *file)
{
	char path[NATION_PATH_BYTES];
	struct buf content = {0};
	struct bytes copy = {NULL, 0};

	path_in(n, file, path);
	assert_ok(file_read(path, 32 * 1024 * 1024, &content));
	copy = kept(n, buf_bytes(&content));
	buf_free(&content);
	return copy;
}

static inline void put_file(const struct nation *n, const char *file, struct bytes content)
{
	char path[NATION_PATH_BYTES];

	path_in(n, file, path);
	assert_ok(file_replace(path, 0644, content));
}

/* ---- exports ---- */

static inline enum err export_all(struct nation *n, struct export_report *ret)
{
	const struct log_name all = {""};
	struct exporter *x = NULL;
	enum err e = ERR_OK;

	nation_read_keys(n);
	assert_ok(exporter_open(n->folder, &x));
	e = exporter_run(x, &n->source, n->keys, NULL, all, NULL, NULL, ret);
	exporter_close(x);
	return e;
}

#endif
