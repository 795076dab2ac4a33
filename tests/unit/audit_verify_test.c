/* Verifying a store: a whole one has nothing wrong, and each kind of damage is found by its name,
 * where it is, and alone. */
#include "audit_verify_fixture.h"

#include <sys/stat.h>

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
				    a->told[j].damage == DAMAGE_CHANGE ||
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

/* The act that redacts event `index` of log 26, which it takes for these bytes. */
static void redact_by_act(struct audit *a, uint64_t index, struct bytes event)
{
	struct hash leaf = hash_leaf(event);
	struct national_entry act = {.kind = NATIONAL_ACT,
				     .log = name_of("26"),
				     .act = "redact",
				     .by = "root",
				     .reason = "letter 2",
				     .index = index,
				     .leaf = bytes_of(leaf.b, sizeof leaf.b)};

	(void)nation_act(a->n, &act);
}

static void an_event_erased_by_an_act_is_no_damage(void **state)
{
	struct audit *a = *state;

	erase(a, 300);
	redact_by_act(a, 300, entity_event(a, 300));
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

	erase(a, 300);
	redact_by_act(a, 300, entity_event(a, 301));
	fold_anew(a);
	verify(a);
	assert_true(is_found(a, DAMAGE_LEAF_ERASED, "26", 300));
}

/* Said ahead of the event, by mistake: nothing was erased by it. */
static void an_act_about_an_event_that_never_came_is_no_damage(void **state)
{
	struct audit *a = *state;

	redact_by_act(a, 300, entity_event(a, 301));
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

static void a_checkpoint_of_another_log_is_found(void **state)
{
	struct audit *a = *state;
	const struct log *l = a->n->l26;
	struct bytes key = number(a, -1, 257);
	struct checkpoint c;

	assert_ok(log_note_read(get(a, a->n->f.store, l->checkpoints, key), &c));
	put(a->n->f.store, l->checkpoints, key, signed_note(a->n, &a->n->server, c.size, c.root));
	assert_found(a, DAMAGE_CHECKPOINT, "26", 257);
}

static void a_checkpoint_whose_signature_does_not_even_decode_is_found(void **state)
{
	struct audit *a = *state;
	struct store *s = a->n->f.store;
	struct bytes key = number(a, -1, 257);
	struct bytes note = get(a, s, a->n->l26->checkpoints, key);

	((uint8_t *)(uintptr_t)note.data)[note.size - 10] = '@'; /* no base64 */
	put(s, a->n->l26->checkpoints, key, note);
	assert_found(a, DAMAGE_SIGNATURE, "26", 257);
}

static void a_log_whose_key_nobody_named_is_told_once(void **state)
{
	struct audit *a = *state;
	const struct verify_watch watch = {a, progress, found};
	struct keyring *none = NULL;

	assert_ok(keyring_new(&none));
	a->options = (struct verify_options){.trusted = none};
	assert_ok(verify_run(&a->n->source, &a->options, &watch, &a->report));
	assert_int_equal(a->count, 2);
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

/* ---- exports ---- */

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

/* Whoever takes a whole log away, or puts an older one back, which its key has signed as well. */
static void an_export_that_holds_less_than_was_accepted_is_found(void **state)
{
	struct audit *a = *state;
	struct export_report report;
	struct bytes older = {NULL, 0};

	assert_ok(export_all(a->n, &report));
	older = file_of(a->n, "26/checkpoint");
	commit(a, TILE_WIDTH);
	assert_ok(export_all(a->n, &report));
	verify_export(a);
	assert_int_equal(a->count, 0);
	put_file(a->n, "26/checkpoint", older);
	verify_export(a);
	assert_int_equal(a->count, 1);
	assert_true(is_found(a, DAMAGE_CHECKPOINT_MISSING, "26", EVENTS + TILE_WIDTH));
	unlink_file(a, "26/checkpoint");
	verify_export(a);
	assert_int_equal(a->count, 0); /* the national log alone says nothing of it */
}

static void a_log_that_an_export_lacks_beside_others_is_told_once(void **state)
{
	struct audit *a = *state;
	struct export_report report;
	struct party by;
	char folder[NATION_PATH_BYTES];

	party_make(&by, "splot.test/region/24", KEY_ED25519, 24);
	assert_ok(export_all(a->n, &report));
	path_in(a->n, "24", folder);
	assert_int_equal(mkdir(folder, 0755), 0);
	put_file(a->n, "24/checkpoint",
		 signed_note(a->n, &by, 0, tree_root(&(struct tree){.size = 0})));
	unlink_file(a, "26/checkpoint");
	verify_export(a);
	assert_true(is_found(a, DAMAGE_NATIONAL, "national", 1));
	for (size_t i = 0; i < a->count; i++)
		assert_true(a->told[i].damage != DAMAGE_NATIONAL || a->told[i].index == 1);
}

static void put_behind(struct audit *a, const char *file, const char *more)
{
	struct buf longer = {0};

	buf_add_bytes(&longer, file_of(a->n, file));
	buf_add_text(&longer, more);
	assert_ok(buf_check(&longer));
	put_file(a->n, file, buf_bytes(&longer));
	buf_free(&longer);
}

static void what_stands_behind_an_exports_entries_and_hashes_is_found(void **state)
{
	static const struct {
		const char *file;
		enum damage damage;
	} rows[] = {
		{"26/tile/entries/001", DAMAGE_LEAF_MISSING},
		{"26/tile/entries/002.p/188", DAMAGE_LEAF_MISSING},
		{"26/tile/0/001", DAMAGE_TILE},
		{"26/tile/0/002.p/188", DAMAGE_TILE},
		{"26/log.vkey", DAMAGE_SIGNATURE},
	};
	struct audit *a = *state;
	struct export_report report;

	assert_ok(export_all(a->n, &report));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bytes was = file_of(a->n, rows[i].file);
		bool is_told = false;

		put_behind(a, rows[i].file, "32 bytes, as if one hash more...");
		verify_export(a);
		for (size_t k = 0; k < a->count; k++)
			is_told = is_told || a->told[k].damage == rows[i].damage;
		if (!is_told)
			tell_all(a);
		assert_true(is_told);
		put_file(a->n, rows[i].file, was);
	}
	verify_export(a);
	assert_int_equal(a->count, 0);
}

/* ---- an export of a log that grows ---- */

static struct {
	struct audit *audit;
	const struct source_ops *inner;
} growing;

/* After log 26 was looked at, more of it is accepted. */
static enum err grow_behind(struct source *s, struct log_name log, uint64_t *ret_size,
			    struct buf *ret_note)
{
	enum err e = growing.inner->newest(s, log, ret_size, ret_note);

	if (growing.audit && strcmp(log.text, "26") == 0) {
		struct audit *a = growing.audit;

		growing.audit = NULL;
		commit(a, 3);
	}
	return e;
}

static void an_export_holds_what_its_national_log_accepted_also_while_it_grows(void **state)
{
	struct audit *a = *state;
	struct export_report report;
	struct source_ops ops = *a->n->source.ops;

	growing.audit = a;
	growing.inner = a->n->source.ops;
	ops.newest = grow_behind;
	a->n->source.ops = &ops;
	assert_ok(export_all(a->n, &report));
	a->n->source.ops = growing.inner;
	assert_null(growing.audit);
	verify_export(a);
	assert_int_equal(a->count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		AUDIT(a_whole_store_has_nothing_wrong),
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
		AUDIT(a_checkpoint_of_another_log_is_found),
		AUDIT(a_checkpoint_whose_signature_does_not_even_decode_is_found),
		AUDIT(a_log_whose_key_nobody_named_is_told_once),
		AUDIT(tiles_of_three_levels_are_compared),
		AUDIT(an_export_is_verified_as_a_store_is),
		AUDIT(an_export_that_holds_less_than_was_accepted_is_found),
		AUDIT(a_log_that_an_export_lacks_beside_others_is_told_once),
		AUDIT(what_stands_behind_an_exports_entries_and_hashes_is_found),
		AUDIT(an_export_holds_what_its_national_log_accepted_also_while_it_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
