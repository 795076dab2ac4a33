/* A nation's store and the store that it is copied into, and what stands in both. */
#ifndef SPLOT_TESTS_AUDIT_BACKUP_FIXTURE_H
#define SPLOT_TESTS_AUDIT_BACKUP_FIXTURE_H

#include "audit_fixture.h"

#include "audit/backup.h"

struct copying {
	struct nation *n;
	char folder[TEMPORARY_BYTES + 8];
	struct store *copy;
	struct keyring *trusted;
	struct table redacted;
	struct backup_report report;
	uint64_t progressed;
	void (*meanwhile)(struct copying *c); /* called once, while events are read */
};

static inline void open_copy(struct copying *c)
{
	struct store_options options = {.map_bytes = TEST_MAP_BYTES};

	store_close(c->copy);
	c->copy = NULL;
	assert_ok(store_open(c->folder, &options, &c->copy));
}

static inline int copying_setup(void **state)
{
	struct copying *c = calloc(1, sizeof *c);

	assert_non_null(c);
	assert_int_equal(nation_setup((void **)&c->n), 0);
	(void)snprintf(c->folder, sizeof c->folder, "%s/copy", c->n->folder);
	open_copy(c);
	assert_ok(keyring_new(&c->trusted));
	assert_ok(keyring_trust(c->trusted, &c->n->server.signer.key));
	assert_ok(store_table(c->n->f.store, "redacted", true, &c->redacted));
	*state = c;
	return 0;
}

static inline int copying_teardown(void **state)
{
	struct copying *c = *state;
	void *n = c->n;

	keyring_free(c->trusted);
	store_close(c->copy);
	free(c);
	return nation_teardown(&n);
}

static inline void count_progress(void *context, uint64_t done, uint64_t total)
{
	struct copying *c = context;

	assert_true(done <= total);
	c->progressed = done;
	if (c->meanwhile) {
		void (*meanwhile)(struct copying * c) = c->meanwhile;

		c->meanwhile = NULL;
		meanwhile(c);
	}
}

static inline enum err copy_with(struct copying *c, bool in_parts)
{
	const struct backup_options options = {.in_parts = in_parts,
					       .trusted = c->trusted,
					       .context = c,
					       .progress = count_progress};

	return backup_copy(c->n->f.store, c->copy, &options, &c->report);
}

static inline void must_copy(struct copying *c)
{
	enum err e = copy_with(c, false);

	if (e != ERR_OK)
		print_error("log %s at %llu: %s\n", c->report.failed.text,
			    (unsigned long long)c->report.failed_at, c->report.why);
	assert_ok(e);
}

/* ---- rows ---- */

static inline struct bytes number(struct copying *c, uint64_t x)
{
	struct buf b = {0};
	struct bytes copy;

	buf_add_u64be(&b, x);
	copy = kept(c->n, buf_bytes(&b));
	buf_free(&b);
	return copy;
}

static inline bool has_table(struct store *s, const char *name)
{
	struct table t;

	return store_table(s, name, false, &t) == ERR_OK;
}

static inline struct bytes row_of(struct copying *c, struct store *s, const char *table,
				  struct bytes key)
{
	struct txn *t = NULL;
	struct table in;
	struct bytes value = {NULL, 0};

	assert_ok(store_table(s, table, false, &in));
	assert_ok(txn_begin(s, false, &t));
	if (txn_get(t, in, key, &value) == ERR_OK)
		value = kept(c->n, value);
	txn_abort(t);
	return value;
}

static inline void put_row(struct copying *c, struct store *s, const char *table, struct bytes key,
			   struct bytes value)
{
	struct txn *t = NULL;
	struct table in;

	(void)c;
	assert_ok(store_table(s, table, true, &in));
	assert_ok(txn_begin(s, true, &t));
	assert_ok(txn_put(t, in, key, value));
	assert_ok(txn_commit(t));
}

static inline void delete_row(struct store *s, const char *table, struct bytes key)
{
	struct txn *t = NULL;
	struct table in;

	assert_ok(store_table(s, table, false, &in));
	assert_ok(txn_begin(s, true, &t));
	assert_ok(txn_delete(t, in, key));
	assert_ok(txn_commit(t));
}

/* Another last byte. */
static inline void flip(struct copying *c, const char *table, struct bytes key)
{
	struct bytes value = row_of(c, c->n->f.store, table, key);
	struct buf other = {0};

	assert_true(value.size > 0);
	buf_add_bytes(&other, value);
	other.data[other.size - 1] ^= 1;
	put_row(c, c->n->f.store, table, key, buf_bytes(&other));
	buf_free(&other);
}

/* The copy's log as its daemon would open it, with the same root as the source's. */
static inline void assert_same_log(struct copying *c, const char *name, const struct log *source)
{
	struct log *l = calloc(1, sizeof *l);

	assert_non_null(l);
	assert_ok(log_open(c->copy, name_of(name), false, l));
	assert_int_equal(l->tree.size, source->tree.size);
	assert_true(hash_equal(tree_root(&l->tree), tree_root(&source->tree)));
	free(l);
}

static inline void assert_same_table(struct copying *c, const char *name)
{
	struct txn *reads[2] = {NULL, NULL};
	struct store *stores[2] = {c->n->f.store, c->copy};
	struct scan *scans[2] = {NULL, NULL};
	struct table tables[2];
	struct bytes keys[2];
	struct bytes values[2];
	enum err found[2] = {ERR_OK, ERR_OK};

	for (int i = 0; i < 2; i++) {
		assert_ok(store_table(stores[i], name, false, &tables[i]));
		assert_ok(txn_begin(stores[i], false, &reads[i]));
		assert_ok(scan_open(reads[i], tables[i], &scans[i]));
	}
	while (found[0] == ERR_OK) {
		for (int i = 0; i < 2; i++)
			found[i] = scan_next(scans[i], &keys[i], &values[i]);
		assert_err(found[1], found[0]);
		if (found[0] == ERR_OK) {
			assert_true(bytes_equal(keys[0], keys[1]));
			assert_true(bytes_equal(values[0], values[1]));
		}
	}
	for (int i = 0; i < 2; i++) {
		scan_close(scans[i]);
		txn_abort(reads[i]);
	}
}

enum { LONG_EVENT_BYTES = 60 * 1024 };

/* More than goes into one transaction. */
static inline void grow_long(struct copying *c)
{
	const uint32_t count = 16;
	struct bytes events[16];
	char *text = malloc(LONG_EVENT_BYTES);

	assert_non_null(text);
	for (uint64_t total = 0; total <= BACKUP_PART_BYTES; total += count * LONG_EVENT_BYTES) {
		for (uint32_t i = 0; i < count; i++) {
			memset(text, 'a' + (int)i, LONG_EVENT_BYTES);
			memcpy(text, &total, sizeof total);
			events[i] = kept(c->n, bytes_of(text, LONG_EVENT_BYTES));
		}
		nation_commit(c->n, events, count);
		arena_reset(&c->n->f.arena);
		/* handles lived in it */
		c->n->l26 = opened(&c->n->f, "26");
		c->n->national = opened(&c->n->f, "national");
	}
	free(text);
}

#endif
