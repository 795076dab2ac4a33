/* A server's store in small, verified; what is found is gathered, and rows of the store are written
 * over as with a tool of LMDB's own. */
#ifndef SPLOT_TESTS_AUDIT_VERIFY_FIXTURE_H
#define SPLOT_TESTS_AUDIT_VERIFY_FIXTURE_H

#include "audit_fixture.h"

#include "audit/verify.h"
#include "ledger/view.h"

enum { EVENTS = 700, FOUND_MOST = 64, VIEW_MAP = 64 * 1024 * 1024 };

struct told {
	enum damage damage;
	char log[LOG_NAME_BYTES];
	uint64_t index;
	char what[200];
};

struct audit {
	struct nation *n;
	struct log *anew; /* 26/2, when there is one */
	char view_folder[TEMPORARY_BYTES + 8], scratch[TEMPORARY_BYTES + 8];
	struct store *store; /* with the view */
	struct view view;
	struct view_fold *fold;
	struct arena arena;
	size_t count;
	struct told told[FOUND_MOST];
	uint64_t progressed;
	bool no_view;
	bool plain; /* events that do not decode: that is not what is looked at */
	void (*meanwhile)(struct audit *a); /* called once, as the view begins to be compared */
	struct verify_report report;
	struct verify_options options;
};

/* ---- a server in small ---- */

static inline struct bytes entity_event(struct audit *a, uint64_t i)
{
	struct fixture *f = &a->n->f;
	char id[40];
	char name[40];
	struct record *r = NULL;
	struct change c;
	struct event e;

	(void)snprintf(id, sizeof id, "pl26-cis-%03u", (unsigned)(i * 7 % 100));
	(void)snprintf(name, sizeof name, "name %u", (unsigned)i);
	r = record_with(&f->arena, RECORD_ENTITY, "id", id, "kind", i % 3 ? "CIS" : "KIS", "name",
			name, NULL);
	c = i % 41 == 40 ? retire_change(RECORD_ENTITY, id) : put_change(r);
	e = event_of(&c, 1);
	return encoded(f, &e);
}

static inline void commit(struct audit *a, uint32_t count)
{
	struct bytes *events = arena_alloc(&a->n->f.arena, count * sizeof *events);

	assert_non_null(events);
	for (uint32_t i = 0; i < count; i++)
		events[i] = entity_event(a, a->n->l26->edge.size + i);
	nation_commit(a->n, events, count);
}

static const struct log *find_log(void *context, struct log_name name)
{
	const struct audit *a = context;

	if (a->anew && log_name_equal(name, a->anew->name))
		return a->anew;
	return log_name_equal(name, a->n->l26->name) ? a->n->l26 : NULL;
}

static inline void fold_all(struct audit *a)
{
	struct log_finder finder = {a, find_log};
	struct txn *read = NULL;
	struct txn *write = NULL;
	uint64_t position = 0;
	size_t events = 0;

	assert_ok(txn_begin(a->n->f.store, false, &read));
	assert_ok(txn_begin(a->store, true, &write));
	assert_ok(national_fold(a->n->national, &finder, read, &a->view, write, a->fold, &a->arena,
				SIZE_MAX, &position, &events));
	txn_abort(read);
	assert_ok(txn_commit(write));
}

static inline int audit_setup(void **state)
{
	static const uint32_t commits[] = {1, 1, 255, 3, 200, 39, 201};
	struct store_options options = {.map_bytes = VIEW_MAP};
	struct audit *a = calloc(1, sizeof *a);

	assert_non_null(a);
	assert_int_equal(nation_setup((void **)&a->n), 0);
	(void)snprintf(a->view_folder, sizeof a->view_folder, "%s/view", a->n->folder);
	(void)snprintf(a->scratch, sizeof a->scratch, "%s/anew", a->n->folder);
	assert_ok(folder_make(a->scratch, 0700));
	assert_ok(store_open(a->view_folder, &options, &a->store));
	assert_ok(view_open(a->store, true, &a->view));
	assert_ok(view_fold_new(&a->fold));
	for (size_t i = 0; i < sizeof commits / sizeof *commits; i++)
		commit(a, commits[i]);
	assert_int_equal(a->n->l26->edge.size, EVENTS);
	fold_all(a);
	*state = a;
	return 0;
}

static inline int audit_teardown(void **state)
{
	struct audit *a = *state;
	void *n = a->n;

	view_fold_free(a->fold);
	store_close(a->store);
	arena_free(&a->arena);
	free(a);
	return nation_teardown(&n);
}

/* ---- verifying ---- */

static inline void tell_all(const struct audit *a);

static inline void found(void *context, const struct damage_found *f)
{
	struct audit *a = context;
	struct told *t = NULL;

	if (a->plain && f->damage == DAMAGE_LEAF_UNREADABLE)
		return;
	t = &a->told[a->count++];
	if (a->count >= FOUND_MOST)
		tell_all(a);
	assert_true(a->count < FOUND_MOST);
	t->damage = f->damage;
	t->index = f->index;
	(void)snprintf(t->log, sizeof t->log, "%s", f->log.text);
	(void)snprintf(t->what, sizeof t->what, "%s", f->what);
}

static inline void progress(void *context, const char *what, uint64_t done, uint64_t total)
{
	struct audit *a = context;

	(void)total;
	a->progressed = done;
	if (strcmp(what, "view") == 0 && done > 0 && a->meanwhile) {
		void (*meanwhile)(struct audit * a) = a->meanwhile;

		a->meanwhile = NULL;
		meanwhile(a);
	}
}

static inline void verify(struct audit *a)
{
	const struct verify_watch watch = {a, progress, found};

	a->count = 0;
	nation_read_keys(a->n);
	a->options.trusted = a->n->keys;
	a->options.is_store = true;
	a->options.view = a->no_view ? NULL : a->store;
	a->options.scratch = a->scratch;
	assert_ok(verify_run(&a->n->source, &a->options, &watch, &a->report));
	assert_true(a->plain || a->report.damaged == a->count);
	assert_int_equal(rmdir(a->scratch), 0); /* nothing is left in it */
	assert_ok(folder_make(a->scratch, 0700));
}

static inline void tell_all(const struct audit *a)
{
	for (size_t i = 0; i < a->count; i++)
		print_message("  found: %s %s %llu %s\n", damage_code(a->told[i].damage),
			      a->told[i].log, (unsigned long long)a->told[i].index,
			      a->told[i].what);
}

static inline void assert_whole(struct audit *a)
{
	verify(a);
	if (a->count)
		tell_all(a);
	assert_int_equal(a->count, 0);
}

/* One damage and nothing else is found, wherever. */
static inline void assert_found_one(struct audit *a, enum damage damage)
{
	verify(a);
	if (a->count != 1)
		tell_all(a);
	assert_int_equal(a->count, 1);
	assert_string_equal(damage_code(a->told[0].damage), damage_code(damage));
}

static inline void assert_found(struct audit *a, enum damage damage, const char *log,
				uint64_t index)
{
	assert_found_one(a, damage);
	assert_string_equal(a->told[0].log, log);
	assert_int_equal(a->told[0].index, index);
}

static inline bool is_found(const struct audit *a, enum damage damage, const char *log,
			    uint64_t index)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->told[i].damage == damage && strcmp(a->told[i].log, log) == 0 &&
		    a->told[i].index == index)
			return true;
	return false;
}

/* ---- tampering, as with a tool of LMDB's own ---- */

static inline struct bytes number(struct audit *a, int level, uint64_t x)
{
	struct buf key = {0};
	struct bytes copy = {NULL, 0};

	if (level >= 0)
		buf_add_u8(&key, (uint8_t)level);
	buf_add_u64be(&key, x);
	copy = kept(a->n, buf_bytes(&key));
	buf_free(&key);
	return copy;
}

static inline struct bytes get(struct audit *a, struct store *s, struct table table,
			       struct bytes key)
{
	struct txn *t = NULL;
	struct bytes value = {NULL, 0};

	assert_ok(txn_begin(s, false, &t));
	assert_ok(txn_get(t, table, key, &value));
	value = kept(a->n, value);
	txn_abort(t);
	return value;
}

static inline void put(struct store *s, struct table table, struct bytes key, struct bytes value)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(s, true, &t));
	assert_ok(txn_put(t, table, key, value));
	assert_ok(txn_commit(t));
}

static inline void delete (struct store *s, struct table table, struct bytes key)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(s, true, &t));
	assert_ok(txn_delete(t, table, key));
	assert_ok(txn_commit(t));
}

static inline void flip(struct audit *a, struct store *s, struct table table, struct bytes key,
			size_t at)
{
	struct bytes value = get(a, s, table, key);

	assert_true(at < value.size);
	((uint8_t *)(uintptr_t)value.data)[at] ^= 1;
	put(s, table, key, value);
}

/* The first row whose key is above `after`. */
static inline struct bytes row_after(struct audit *a, struct table table, const char *after)
{
	struct txn *t = NULL;
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};

	assert_ok(txn_begin(a->store, false, &t));
	assert_ok(scan_open(t, table, &scan));
	assert_ok(scan_seek(scan, bytes_of_text(after), &key, &value));
	key = kept(a->n, key);
	scan_close(scan);
	txn_abort(t);
	return key;
}

/* ---- exports ---- */

/* Verifies the folder that the nation was exported to. */
static inline void verify_export(struct audit *a)
{
	const struct verify_watch watch = {a, progress, found};
	struct source source;

	a->count = 0;
	assert_ok(source_open_export(a->n->folder, &source));
	a->options = (struct verify_options){.trusted = a->n->keys};
	assert_ok(verify_run(&source, &a->options, &watch, &a->report));
	source_close(&source);
	if (a->count > 1)
		tell_all(a);
}

static inline void flip_file(struct audit *a, const char *file, size_t at)
{
	struct bytes content = file_of(a->n, file);

	assert_true(at < content.size);
	((uint8_t *)(uintptr_t)content.data)[at] ^= 1;
	put_file(a->n, file, content);
}

static inline void unlink_file(const struct audit *a, const char *file)
{
	char path[NATION_PATH_BYTES];

	path_in(a->n, file, path);
	assert_int_equal(unlink(path), 0);
}

#define AUDIT(name) cmocka_unit_test_setup_teardown(name, audit_setup, audit_teardown)

#endif
