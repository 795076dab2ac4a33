/* What the tests of common/ledger share: a store in a folder of its own, a key that signs
 * checkpoints, records and events made of a few words. */
#ifndef SPLOT_TESTS_LEDGER_FIXTURE_H
#define SPLOT_TESTS_LEDGER_FIXTURE_H

#include "temporary.h"

#include <sodium.h>
#include <string.h>

#include "base/limits.h"
#include "io/store.h"
#include "ledger/log.h"
#include "model/event.h"

#define assert_ok(x)            assert_string_equal(err_code(x), "ok")
#define assert_err(x, expected) assert_string_equal(err_code(x), err_code(expected))

enum { TEST_MAP_BYTES = 256 * 1024 * 1024 };

struct fixture {
	char folder[TEMPORARY_BYTES];
	struct store *store;
	struct arena arena;
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer;
};

static inline void fixture_reopen(struct fixture *f)
{
	struct store_options options = {.map_bytes = TEST_MAP_BYTES};

	store_close(f->store);
	f->store = NULL;
	assert_ok(store_open(f->folder, &options, &f->store));
}

static inline void fixture_start(struct fixture *f)
{
	uint8_t seed[SIGN_SEED_BYTES] = {7};
	uint8_t public[SIGN_PUBLIC_BYTES];

	memset(f, 0, sizeof *f);
	temporary_make(f->folder, "ledger");
	fixture_reopen(f);
	assert_int_equal(crypto_sign_seed_keypair(public, f->secret, seed), 0);
	assert_ok(vkey_make("splot.test/region/26", KEY_ED25519, public, &f->signer.key));
	f->signer.secret = f->secret;
}

static inline void fixture_stop(struct fixture *f)
{
	store_close(f->store);
	arena_free(&f->arena);
	temporary_remove(f->folder);
}

static inline int setup(void **state)
{
	struct fixture *f = malloc(sizeof *f);

	assert_non_null(f);
	assert_true(sodium_init() >= 0);
	fixture_start(f);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	fixture_stop(f);
	free(f);
	return 0;
}

static inline struct log_name name_of(const char *text)
{
	struct log_name name;

	assert_ok(log_name_parse(bytes_of_text(text), &name));
	return name;
}

/* The signed note of a size and root; lives in the arena. */
static inline struct bytes note_of(struct fixture *f, uint64_t size, struct hash root)
{
	struct checkpoint c = {.size = size, .root = root};
	struct buf note = {.data = NULL};
	struct bytes kept = {NULL, 0};

	(void)snprintf(c.origin, sizeof c.origin, "%s", f->signer.key.name);
	assert_ok(checkpoint_sign(&c, &f->signer, &note));
	kept = bytes_of(arena_text(&f->arena, buf_bytes(&note)), note.size);
	buf_free(&note);
	return kept;
}

static inline void seal(struct fixture *f, struct log *l, struct txn *t)
{
	assert_ok(log_seal(l, t, note_of(f, l->edge.size, tree_root(&l->tree))));
}

static inline struct log *opened(struct fixture *f, const char *name)
{
	struct log *l = arena_alloc(&f->arena, sizeof *l);

	assert_non_null(l);
	assert_ok(log_open(f->store, name_of(name), true, l));
	return l;
}

/* A text that differs from index to index, of some odd length. */
static inline struct bytes plain_event(struct fixture *f, uint64_t index)
{
	char text[400];
	int size = snprintf(text, sizeof text, "event %llu %0*d", (unsigned long long)index,
			    (int)(index % 300) + 1, 0);

	return bytes_of(arena_text(&f->arena, bytes_of(text, (size_t)size)), (size_t)size);
}

/* ---- records ---- */

/* record_with(arena, kind, "name", "value", …, NULL) */
static inline struct record *record_with(struct arena *arena, enum record_kind kind, ...)
{
	struct record *r = record_new(arena, kind);
	const char *name = NULL;
	va_list args;

	assert_non_null(r);
	va_start(args, kind);
	while ((name = va_arg(args, const char *))) {
		int field = field_named(kind_of(kind), name);

		assert_true(field >= 0);
		assert_ok(record_set(r, arena, (size_t)field,
				     bytes_of_text(va_arg(args, const char *))));
	}
	va_end(args);
	return r;
}

static inline struct change put_change(const struct record *r)
{
	return (struct change){
		.id = record_get_named(r, "id"), .kind = record_kind(r), .record = r};
}

static inline struct change retire_change(enum record_kind kind, const char *id)
{
	return (struct change){.id = id, .kind = kind, .retired = true};
}

static inline struct event event_of(struct change *changes, size_t count)
{
	return (struct event){
		.recorded = {1000},
		.editor = "e07",
		.reason = "test",
		.source = "letter",
		.change_count = count,
		.changes = changes,
	};
}

/* The exact bytes of an event; they live in the arena. */
static inline struct bytes encoded(struct fixture *f, const struct event *e)
{
	struct buf raw = {.data = NULL};
	struct bytes kept = {NULL, 0};

	assert_ok(event_encode(e, &f->arena, &raw));
	kept = bytes_of(arena_text(&f->arena, buf_bytes(&raw)), raw.size);
	buf_free(&raw);
	return kept;
}

static inline void append_plain(struct fixture *f, struct log *l, struct txn *t, uint64_t count)
{
	while (count--)
		assert_ok(log_append(l, t, plain_event(f, l->edge.size)));
}

/* One sealed commit. */
static inline void commit_plain(struct fixture *f, struct log *l, uint64_t count)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	append_plain(f, l, t, count);
	seal(f, l, t);
	assert_ok(txn_commit(t));
}

#endif
