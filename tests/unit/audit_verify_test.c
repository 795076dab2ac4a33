/* Verifying a store: a whole one has nothing wrong, and each kind of damage is found by its name,
 * where it is, and alone. */
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

static struct bytes entity_event(struct audit *a, uint64_t i)
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

static void commit(struct audit *a, uint32_t count)
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

static void fold_all(struct audit *a)
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

static int audit_setup(void **state)
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

static int audit_teardown(void **state)
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

static void tell_all(const struct audit *a);

static void found(void *context, const struct finding *f)
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

static void progress(void *context, const char *what, uint64_t done, uint64_t total)
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

static void verify(struct audit *a)
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

static void tell_all(const struct audit *a)
{
	for (size_t i = 0; i < a->count; i++)
		print_message("  found: %s %s %llu %s\n", damage_code(a->told[i].damage),
			      a->told[i].log, (unsigned long long)a->told[i].index,
			      a->told[i].what);
}

static void assert_whole(struct audit *a)
{
	verify(a);
	if (a->count)
		tell_all(a);
	assert_int_equal(a->count, 0);
}

/* That and nothing else is found. */
static void assert_found(struct audit *a, enum damage damage, const char *log, uint64_t index)
{
	verify(a);
	if (a->count != 1)
		tell_all(a);
	assert_int_equal(a->count, 1);
	assert_string_equal(damage_code(a->told[0].damage), damage_code(damage));
	assert_string_equal(a->told[0].log, log);
	assert_int_equal(a->told[0].index, index);
}

static bool is_found(const struct audit *a, enum damage damage, const char *log, uint64_t index)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->told[i].damage == damage && strcmp(a->told[i].log, log) == 0 &&
		    a->told[i].index == index)
			return true;
	return false;
}

/* ---- tampering, as with a tool of LMDB's own ---- */

static struct bytes number(struct audit *a, int level, uint64_t x)
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

static struct bytes get(struct audit *a, struct store *s, struct table table, struct bytes key)
{
	struct txn *t = NULL;
	struct bytes value = {NULL, 0};

	assert_ok(txn_begin(s, false, &t));
	assert_ok(txn_get(t, table, key, &value));
	value = kept(a->n, value);
	txn_abort(t);
	return value;
}

static void put(struct store *s, struct table table, struct bytes key, struct bytes value)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(s, true, &t));
	assert_ok(txn_put(t, table, key, value));
	assert_ok(txn_commit(t));
}

static void delete (struct store *s, struct table table, struct bytes key)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(s, true, &t));
	assert_ok(txn_delete(t, table, key));
	assert_ok(txn_commit(t));
}

static void flip(struct audit *a, struct store *s, struct table table, struct bytes key, size_t at)
{
	struct bytes value = get(a, s, table, key);

	assert_true(at < value.size);
	((uint8_t *)(uintptr_t)value.data)[at] ^= 1;
	put(s, table, key, value);
}

/* The first row whose key is above `after`. */
static struct bytes row_after(struct audit *a, struct table table, const char *after)
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

/* ---- whole ---- */

static void a_whole_store_has_nothing_wrong(void **state)
{
	struct audit *a = *state;

	assert_whole(a);
	assert_int_equal(a->report.log_count, 2);
	assert_int_equal(a->report.leaves, EVENTS + 8);
	assert_int_equal(a->report.logs[0].size, EVENTS);
	assert_memory_equal(a->report.logs[0].root.b, tree_root(&a->n->l26->tree).b, HASH_BYTES);
	assert_int_equal(a->report.logs[0].checkpoints, 7);
	assert_int_equal(a->report.checkpoints, 15);
	assert_true(a->report.view_checked);
	assert_int_equal(a->report.position, 8);
	assert_int_equal(a->report.records, 100);
	assert_int_equal(a->report.versions, EVENTS - 100);
	assert_true(a->report.counts > 10);
	assert_true(a->report.hash_ns > 0 && a->report.check_ns > 0 && a->report.view_ns > 0);
}

static void grow_and_fold(struct audit *a)
{
	commit(a, 150);
	commit(a, 60);
	fold_all(a);
}

static void a_store_that_is_written_meanwhile_is_whole_as_well(void **state)
{
	struct audit *a = *state;

	a->meanwhile = grow_and_fold;
	assert_whole(a);
	assert_null(a->meanwhile);
	assert_int_equal(a->report.position, 8);
	assert_int_equal(a->report.records, 100);
	assert_whole(a);
	assert_int_equal(a->report.position, 10);
}

static void a_view_that_lags_behind_is_compared_where_it_stands(void **state)
{
	struct audit *a = *state;

	commit(a, 10);
	assert_whole(a);
	assert_int_equal(a->report.position, 8);
}

/* ---- events ---- */

static void an_altered_event_is_found_alone(void **state)
{
	static const uint64_t indexes[] = {0, 255, 256, 600, EVENTS - 1};
	struct audit *a = *state;
	const struct log *l = a->n->l26;

	for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++) {
		struct bytes key = number(a, -1, indexes[i]);
		struct bytes value = get(a, a->n->f.store, l->events, key);

		flip(a, a->n->f.store, l->events, key, value.size / 2);
		verify(a);
		assert_true(is_found(a, DAMAGE_LEAF, "26", indexes[i]));
		for (size_t j = 0; j < a->count; j++) /* no tile, no root: those stand */
			assert_true(a->told[j].damage == DAMAGE_LEAF ||
				    a->told[j].damage == DAMAGE_LEAF_UNREADABLE ||
				    a->told[j].damage == DAMAGE_RECORD ||
				    a->told[j].damage == DAMAGE_VERSION ||
				    a->told[j].damage == DAMAGE_TALLY);
		flip(a, a->n->f.store, l->events, key, value.size / 2);
	}
	assert_whole(a);
}

static void two_events_that_changed_places_are_both_found(void **state)
{
	struct audit *a = *state;
	const struct log *l = a->n->l26;
	struct bytes one = get(a, a->n->f.store, l->events, number(a, -1, 300));
	struct bytes two = get(a, a->n->f.store, l->events, number(a, -1, 301));

	put(a->n->f.store, l->events, number(a, -1, 300), two);
	put(a->n->f.store, l->events, number(a, -1, 301), one);
	verify(a);
	assert_true(is_found(a, DAMAGE_LEAF, "26", 300));
	assert_true(is_found(a, DAMAGE_LEAF, "26", 301));
}

static void events_that_are_missing_are_one_finding_a_run(void **state)
{
	struct audit *a = *state;
	const struct log *l = a->n->l26;

	a->no_view = true;
	for (uint64_t i = 650; i < EVENTS; i++)
		delete (a->n->f.store, l->events, number(a, -1, i));
	delete (a->n->f.store, l->events, number(a, -1, 10));
	verify(a);
	assert_true(is_found(a, DAMAGE_LEAF_MISSING, "26", 10));
	assert_true(is_found(a, DAMAGE_LEAF_MISSING, "26", 650));
	assert_false(is_found(a, DAMAGE_LEAF_MISSING, "26", 651));
}

static void an_event_behind_the_end_is_found(void **state)
{
	struct audit *a = *state;

	put(a->n->f.store, a->n->l26->events, number(a, -1, EVENTS), bytes_of_text("more"));
	assert_found(a, DAMAGE_LEAF_EXTRA, "26", EVENTS);
}

static void an_event_of_another_owner_is_found(void **state)
{
	struct audit *a = *state;
	struct fixture *f = &a->n->f;
	struct change c =
		put_change(record_with(&f->arena, RECORD_ENTITY, "id", "pl24-cis-a", NULL));
	struct event e = event_of(&c, 1);
	struct bytes event = encoded(f, &e);

	nation_commit(a->n, &event, 1);
	fold_all(a);
	assert_found(a, DAMAGE_LEAF_UNREADABLE, "26", EVENTS);
}

/* ---- erased ---- */

static void erase(struct audit *a, uint64_t index)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(a->n->f.store, true, &t));
	assert_ok(log_redact(a->n->l26, t, index, hash_leaf(entity_event(a, index))));
	assert_ok(txn_commit(t));
}

static void fold_anew(struct audit *a)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(a->store, true, &t));
	assert_ok(view_clear(&a->view, t));
	assert_ok(txn_commit(t));
	fold_all(a);
}

static void an_event_erased_by_an_act_is_no_damage(void **state)
{
	struct audit *a = *state;
	struct hash leaf = hash_leaf(entity_event(a, 300));
	struct national_entry act = {.kind = NATIONAL_ACT,
				     .log = name_of("26"),
				     .act = "redact",
				     .by = "root",
				     .reason = "letter 2",
				     .index = 300,
				     .leaf = bytes_of(leaf.b, sizeof leaf.b)};

	erase(a, 300);
	(void)nation_act(a->n, &act);
	fold_anew(a);
	assert_whole(a);
	assert_int_equal(a->report.logs[0].redacted, 1);
}

static void an_event_erased_without_an_act_is_damage(void **state)
{
	struct audit *a = *state;

	erase(a, 300);
	fold_anew(a);
	assert_found(a, DAMAGE_LEAF_ERASED, "26", 300);
}

static void an_act_about_another_event_does_not_cover_it(void **state)
{
	struct audit *a = *state;
	struct hash leaf = hash_leaf(entity_event(a, 301));
	struct national_entry act = {.kind = NATIONAL_ACT,
				     .log = name_of("26"),
				     .act = "redact",
				     .by = "root",
				     .reason = "letter 2",
				     .index = 300,
				     .leaf = bytes_of(leaf.b, sizeof leaf.b)};

	erase(a, 300);
	(void)nation_act(a->n, &act);
	fold_anew(a);
	verify(a);
	assert_true(is_found(a, DAMAGE_LEAF_ERASED, "26", 300));
}

/* Said ahead of the event, by mistake: nothing was erased by it. */
static void an_act_about_an_event_that_never_came_is_no_damage(void **state)
{
	struct audit *a = *state;
	struct hash leaf = hash_leaf(entity_event(a, 301));
	struct national_entry act = {.kind = NATIONAL_ACT,
				     .log = name_of("26"),
				     .act = "redact",
				     .by = "root",
				     .reason = "letter 2",
				     .index = 300,
				     .leaf = bytes_of(leaf.b, sizeof leaf.b)};

	(void)nation_act(a->n, &act);
	fold_anew(a);
	assert_whole(a);
}

/* ---- tiles and checkpoints ---- */

static void an_altered_tile_is_found_alone(void **state)
{
	struct audit *a = *state;
	const struct log *l = a->n->l26;

	flip(a, a->n->f.store, l->tiles, number(a, 0, 1), 40);
	assert_found(a, DAMAGE_TILE, "26", 1);
	flip(a, a->n->f.store, l->tiles, number(a, 0, 1), 40);
	flip(a, a->n->f.store, l->tiles, number(a, 0, 2), 40); /* the partial one */
	assert_found(a, DAMAGE_TILE, "26", 2);
	flip(a, a->n->f.store, l->tiles, number(a, 0, 2), 40);
	flip(a, a->n->f.store, l->tiles, number(a, 1, 0), 40);
	assert_found(a, DAMAGE_TILE, "26", 0);
	assert_string_equal(a->told[0].what, "tile/1/000.p/2");
	delete (a->n->f.store, l->tiles, number(a, 1, 0));
	assert_found(a, DAMAGE_TILE_MISSING, "26", 0);
}

static void an_altered_checkpoint_is_found_by_what_is_wrong_with_it(void **state)
{
	struct audit *a = *state;
	const struct log *l = a->n->l26;
	struct store *s = a->n->f.store;
	struct bytes key = number(a, -1, 257);
	struct bytes note = get(a, s, l->checkpoints, key);
	const char *text = (const char *)note.data;
	size_t root = (size_t)(strchr(strchr(text, '\n') + 1, '\n') + 1 - text);

	flip(a, s, l->checkpoints, key, note.size - 10); /* in its signature */
	verify(a);
	assert_true(is_found(a, DAMAGE_SIGNATURE, "26", 257));
	put(s, l->checkpoints, key, note);
	flip(a, s, l->checkpoints, key, root + 5);
	verify(a);
	assert_true(is_found(a, DAMAGE_ROOT, "26", 257));
	assert_true(is_found(a, DAMAGE_SIGNATURE, "26", 257));
	put(s, l->checkpoints, key, get(a, s, l->checkpoints, number(a, -1, 260)));
	verify(a);
	assert_true(is_found(a, DAMAGE_CHECKPOINT, "26", 257));
	delete (s, l->checkpoints, key);
	assert_found(a, DAMAGE_CHECKPOINT_MISSING, "26", 257);
}

static void a_log_whose_key_nobody_named_is_told_once(void **state)
{
	struct audit *a = *state;
	const struct verify_watch watch = {a, progress, found};
	struct keyring *none = NULL;

	assert_ok(keyring_new(&none));
	a->options = (struct verify_options){.trusted = none};
	assert_ok(verify_run(&a->n->source, &a->options, &watch, &a->report));
	assert_true(is_found(a, DAMAGE_SIGNATURE, "26", EVENTS));
	assert_true(is_found(a, DAMAGE_SIGNATURE, "national", 8));
	keyring_free(none);
}

static void tiles_of_three_levels_are_compared(void **state)
{
	struct audit *a = *state;
	const struct log *l = a->n->l26;

	a->plain = true;
	a->no_view = true;
	nation_grow(a->n, 66000);
	assert_whole(a);
	flip(a, a->n->f.store, l->tiles, number(a, 2, 0), 5);
	assert_found(a, DAMAGE_TILE, "26", 0);
	assert_string_equal(a->told[0].what, "tile/2/000.p/1");
	flip(a, a->n->f.store, l->tiles, number(a, 2, 0), 5);
	flip(a, a->n->f.store, l->tiles, number(a, 1, 1), 5);
	assert_found(a, DAMAGE_TILE, "26", 1);
	flip(a, a->n->f.store, l->tiles, number(a, 1, 1), 5);
	flip(a, a->n->f.store, l->events, number(a, -1, 65536), 5);
	assert_found(a, DAMAGE_LEAF, "26", 65536);
}

/* ---- the national log ---- */

static void a_log_rolled_back_below_what_was_accepted_is_found(void **state)
{
	struct audit *a = *state;
	struct store *s = a->n->f.store;
	const struct log *l = a->n->l26;

	a->no_view = true;
	for (uint64_t i = 499; i < EVENTS; i++)
		delete (s, l->events, number(a, -1, i));
	delete (s, l->checkpoints, number(a, -1, EVENTS));
	verify(a);
	assert_true(is_found(a, DAMAGE_CHECKPOINT_MISSING, "26", EVENTS));
}

static void what_no_entry_accepted_is_found(void **state)
{
	struct audit *a = *state;
	struct txn *t = NULL;

	assert_ok(txn_begin(a->n->f.store, true, &t));
	assert_ok(log_append(a->n->l26, t, entity_event(a, EVENTS)));
	assert_ok(log_seal(
		a->n->l26, t,
		signed_note(a->n, &a->n->region, EVENTS + 1, tree_root(&a->n->l26->tree))));
	assert_ok(txn_commit(t));
	assert_found(a, DAMAGE_NATIONAL, "26", EVENTS);
}

static void a_mark_above_the_log_is_a_rollback(void **state)
{
	struct audit *a = *state;
	struct txn *t = NULL;
	struct source own;
	const struct verify_watch watch = {a, progress, found};
	struct fixture node;
	struct log *l = NULL;
	struct view view;
	struct keyring *keys = NULL;

	fixture_start(&node);
	l = opened(&node, "26");
	assert_ok(view_open(node.store, true, &view));
	assert_ok(txn_begin(node.store, true, &t));
	for (uint64_t i = 0; i < 40; i++) {
		struct bytes event = entity_event(a, i);

		assert_ok(log_append(l, t, event));
		assert_ok(view_fold_stored(a->fold, &view, t, i, l->name, i, event, &a->arena));
	}
	seal(&node, l, t);
	assert_ok(view_fold_finish(a->fold, &view, t, 40));
	assert_ok(txn_commit(t));
	assert_ok(source_of_store(node.store, "node", &own));
	assert_ok(keyring_new(&keys));
	assert_ok(keyring_trust(keys, &node.signer.key));
	a->options = (struct verify_options){.trusted = keys,
					     .is_store = true,
					     .view = node.store,
					     .scratch = a->scratch,
					     .highwater = 40};
	assert_ok(verify_run(&own, &a->options, &watch, &a->report));
	assert_int_equal(a->count, 0);
	assert_int_equal(a->report.position, 40);
	assert_true(a->report.view_checked);
	a->options.highwater = 41;
	assert_ok(verify_run(&own, &a->options, &watch, &a->report));
	assert_int_equal(a->count, 1);
	assert_true(is_found(a, DAMAGE_ROLLBACK, "26", 40));
	keyring_free(keys);
	source_close(&own);
	fixture_stop(&node);
}

/* ---- a log begun anew ---- */

/* Log 26/2, whose first event quotes `note` as the old log's checkpoint of `size`. */
static void begin_anew(struct audit *a, uint64_t size, struct bytes note)
{
	struct fixture *f = &a->n->f;
	struct log *anew = opened(f, "26/2");
	struct party by;
	struct party witness;
	struct event e = event_of(NULL, 0);
	struct bytes event = {NULL, 0};
	struct txn *t = NULL;
	struct tree tree;

	party_make(&by, REALM "/region/26/2", KEY_ED25519, 62);
	party_make(&witness, REALM "/witness/26/2", KEY_COSIGNATURE, 63);
	(void)nation_enrol(a->n, "26/2", &by, &witness);
	e.act = EVENT_CONTINUES;
	e.old_log = name_of("26");
	e.old_size = size;
	e.document = note;
	event = encoded(f, &e);
	tree = anew->tree;
	tree_append(&tree, hash_leaf(event));
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(national_accept(a->n->national, anew, t, (struct wall_ms){1000}, &event, 1,
				  signed_note(a->n, &by, 1, tree_root(&tree))));
	seal_national(a->n, t);
	assert_ok(txn_commit(t));
	a->anew = anew;
	fold_all(a);
}

static void a_log_begun_anew_is_held_against_the_old_one(void **state)
{
	struct audit *a = *state;

	begin_anew(a, 460, get(a, a->n->f.store, a->n->l26->checkpoints, number(a, -1, 460)));
	assert_whole(a);
	assert_int_equal(a->report.log_count, 3);
	assert_int_equal(a->report.records, 100);
}

static void an_old_log_that_is_quoted_wrongly_is_found(void **state)
{
	struct audit *a = *state;

	begin_anew(a, 460, signed_note(a->n, &a->n->region, 460, hash_empty()));
	assert_found(a, DAMAGE_LEAF_UNREADABLE, "26/2", 0);
}

/* ---- witnesses ---- */

static void witnesses_are_counted_and_their_lines_checked(void **state)
{
	struct audit *a = *state;
	struct store *s = a->n->f.store;
	struct party other;
	uint64_t size = 0;
	struct bytes note;

	party_make(&other, REALM "/region/24", KEY_ED25519, 24);
	(void)nation_enrol(a->n, "24", &other, &a->n->witnesses[1]);
	size = nation_cosign(a->n, 2);
	a->options.quorum_needed = true;
	verify(a);
	assert_int_equal(a->report.cosigned_size, size);
	assert_true(a->report.policy_known);
	note = get(a, s, a->n->cosigned, number(a, -1, size));
	flip(a, s, a->n->cosigned, number(a, -1, size), note.size - 10);
	verify(a);
	assert_true(is_found(a, DAMAGE_COSIGNATURE, "national", size));
	put(s, a->n->cosigned, number(a, -1, size + 100), note);
	verify(a);
	assert_true(is_found(a, DAMAGE_CHECKPOINT, "national", size + 100));
}

static void fewer_cosignatures_than_wanted_are_damage_only_when_asked(void **state)
{
	struct audit *a = *state;

	assert_whole(a);
	assert_false(a->report.witnesses.quorum);
	a->options.quorum_needed = true;
	assert_found(a, DAMAGE_QUORUM, "national", 0);
}

/* ---- the view ---- */

static void an_altered_record_is_found_by_its_id(void **state)
{
	struct audit *a = *state;
	struct bytes key = row_after(a, a->view.records, "\x02pl26-cis-050");
	struct bytes value = get(a, a->store, a->view.records, key);

	flip(a, a->store, a->view.records, key, value.size - 4);
	verify(a);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->told[0].damage, DAMAGE_RECORD);
	assert_non_null(strstr(a->told[0].what, "pl26-cis-0"));
	delete (a->store, a->view.records, key);
	verify(a);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->told[0].damage, DAMAGE_RECORD);
	put(a->store, a->view.records, key, value);
	assert_whole(a);
	put(a->store, a->view.records, bytes_of_text("\x02pl26-cis-zzz"), value);
	verify(a);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->told[0].damage, DAMAGE_RECORD);
}

static void an_altered_version_is_found_by_its_event(void **state)
{
	struct audit *a = *state;
	struct bytes key = row_after(a, a->view.versions, "\x02pl26-cis-050");
	struct bytes value = get(a, a->store, a->view.versions, key);
	struct bytes other = kept(a->n, key);

	flip(a, a->store, a->view.versions, key, value.size - 4);
	verify(a);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->told[0].damage, DAMAGE_VERSION);
	assert_string_equal(a->told[0].log, "26");
	delete (a->store, a->view.versions, key);
	verify(a);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->told[0].damage, DAMAGE_VERSION);
	put(a->store, a->view.versions, key, value);
	((uint8_t *)(uintptr_t)other.data)[other.size - 1] ^= 0x40; /* an event that is not there */
	put(a->store, a->view.versions, other, value);
	verify(a);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->told[0].damage, DAMAGE_VERSION);
}

static void an_altered_count_is_found_by_its_row(void **state)
{
	struct audit *a = *state;
	static const char row[] = "entities\0PL\0CIS\0";
	struct bytes key = bytes_of(row, sizeof row - 1);

	flip(a, a->store, a->view.counts, key, 7);
	verify(a);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->told[0].damage, DAMAGE_TALLY);
	assert_non_null(strstr(a->told[0].what, "entities PL CIS"));
	delete (a->store, a->view.counts, key);
	verify(a);
	assert_int_equal(a->count, 1);
	assert_int_equal(a->told[0].damage, DAMAGE_TALLY);
}

static void a_view_ahead_of_its_log_is_found(void **state)
{
	struct audit *a = *state;
	struct txn *t = NULL;

	assert_ok(txn_begin(a->store, true, &t));
	assert_ok(view_fold_finish(a->fold, &a->view, t, 50));
	assert_ok(txn_commit(t));
	assert_found(a, DAMAGE_VIEW, "national", 50);
	assert_false(a->report.view_checked);
}

/* ---- exports ---- */

/* Verifies the folder that the nation was exported to. */
static void verify_export(struct audit *a)
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

static void flip_file(struct audit *a, const char *file, size_t at)
{
	struct bytes content = file_of(a->n, file);

	assert_true(at < content.size);
	((uint8_t *)(uintptr_t)content.data)[at] ^= 1;
	put_file(a->n, file, content);
}

static void an_export_is_verified_as_a_store_is(void **state)
{
	struct audit *a = *state;
	struct export_report report;

	assert_ok(export_all(a->n, &report));
	verify_export(a);
	assert_int_equal(a->count, 0);
	assert_int_equal(a->report.leaves, EVENTS + 8);
	assert_false(a->report.view_checked);
	flip_file(a, "26/tile/entries/001", 50);
	verify_export(a);
	assert_true(is_found(a, DAMAGE_LEAF, "26", 256));
	flip_file(a, "26/tile/entries/001", 50);
	flip_file(a, "26/tile/0/001", 50);
	verify_export(a);
	assert_int_equal(a->count, 1);
	assert_true(is_found(a, DAMAGE_TILE, "26", 1));
	flip_file(a, "26/tile/0/001", 50);
	flip_file(a, "26/checkpoint", file_of(a->n, "26/checkpoint").size - 8);
	verify_export(a);
	assert_int_equal(a->count, 1);
	assert_true(is_found(a, DAMAGE_SIGNATURE, "26", EVENTS));
}

#define AUDIT(name) cmocka_unit_test_setup_teardown(name, audit_setup, audit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUDIT(a_whole_store_has_nothing_wrong),
		AUDIT(a_store_that_is_written_meanwhile_is_whole_as_well),
		AUDIT(a_view_that_lags_behind_is_compared_where_it_stands),
		AUDIT(an_altered_event_is_found_alone),
		AUDIT(two_events_that_changed_places_are_both_found),
		AUDIT(events_that_are_missing_are_one_finding_a_run),
		AUDIT(an_event_behind_the_end_is_found),
		AUDIT(an_event_of_another_owner_is_found),
		AUDIT(an_event_erased_by_an_act_is_no_damage),
		AUDIT(an_event_erased_without_an_act_is_damage),
		AUDIT(an_act_about_another_event_does_not_cover_it),
		AUDIT(an_act_about_an_event_that_never_came_is_no_damage),
		AUDIT(an_altered_tile_is_found_alone),
		AUDIT(an_altered_checkpoint_is_found_by_what_is_wrong_with_it),
		AUDIT(a_log_whose_key_nobody_named_is_told_once),
		AUDIT(tiles_of_three_levels_are_compared),
		AUDIT(a_log_rolled_back_below_what_was_accepted_is_found),
		AUDIT(what_no_entry_accepted_is_found),
		AUDIT(a_mark_above_the_log_is_a_rollback),
		AUDIT(a_log_begun_anew_is_held_against_the_old_one),
		AUDIT(an_old_log_that_is_quoted_wrongly_is_found),
		AUDIT(witnesses_are_counted_and_their_lines_checked),
		AUDIT(fewer_cosignatures_than_wanted_are_damage_only_when_asked),
		AUDIT(an_export_is_verified_as_a_store_is),
		AUDIT(an_altered_record_is_found_by_its_id),
		AUDIT(an_altered_version_is_found_by_its_event),
		AUDIT(an_altered_count_is_found_by_its_row),
		AUDIT(a_view_ahead_of_its_log_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
