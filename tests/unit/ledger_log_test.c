/* Logs in a store: what is sealed stays and can be proved, what is aborted never was, and a
 * log that does not agree with its checkpoint is not opened. */
#include "ledger_fixture.h"

/* The tree of the first `size` plain events, worked out beside the log. */
static struct tree tree_beside(struct fixture *f, uint64_t size)
{
	struct tree tree;

	tree_init(&tree);
	for (uint64_t i = 0; i < size; i++)
		tree_append(&tree, hash_leaf(plain_event(f, i)));
	return tree;
}

static void assert_same_root(const struct tree *a, const struct tree *b)
{
	struct hash x = tree_root(a);
	struct hash y = tree_root(b);

	assert_int_equal(a->size, b->size);
	assert_memory_equal(x.b, y.b, HASH_BYTES);
}

/* ---- opening, appending ---- */

static void a_new_log_is_empty(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct txn *t = NULL;
	struct bytes note;
	uint64_t size = 0;

	assert_int_equal(l->edge.size, 0);
	assert_ok(txn_begin(f->store, false, &t));
	assert_err(log_newest(l, t, &size, &note), ERR_NOT_FOUND);
	assert_err(log_chunk(l, t, 0, &size, &note), ERR_NOT_FOUND);
	assert_err(log_event(l, t, 0, &note), ERR_NOT_FOUND);
	txn_abort(t);
	fixture_reopen(f);
	assert_ok(log_open(f->store, name_of("26"), false, l));
	assert_err(log_open(f->store, name_of("24"), false, l), ERR_NOT_FOUND);
}

static void what_was_sealed_is_there_after_reopening(void **state)
{
	static const uint64_t commits[] = {1, 1, 254, 1, 300, 400, 64, 3};
	struct fixture *f = *state;
	struct log *l = opened(f, "26/2");
	struct tree beside;
	struct txn *t = NULL;
	uint64_t size = 0;

	for (size_t i = 0; i < sizeof commits / sizeof commits[0]; i++) {
		commit_plain(f, l, commits[i]);
		size += commits[i];
		fixture_reopen(f);
		memset(l, 0, sizeof *l);
		assert_ok(log_open(f->store, name_of("26/2"), false, l));
		beside = tree_beside(f, size);
		assert_same_root(&l->tree, &beside);
		assert_int_equal(l->edge.size, size);
	}
	assert_ok(txn_begin(f->store, false, &t));
	for (uint64_t i = 0; i < size; i++) {
		struct bytes event;

		assert_ok(log_event(l, t, i, &event));
		assert_true(bytes_equal(event, plain_event(f, i)));
	}
	txn_abort(t);
}

static void a_log_of_two_tile_levels_opens_again(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "PL");
	struct log again;

	for (int i = 0; i < 17; i++)
		commit_plain(f, l, 4000);
	assert_true(l->edge.size > 65536);
	assert_ok(log_open(f->store, name_of("PL"), false, &again));
	assert_same_root(&again.tree, &l->tree);
	commit_plain(f, &again, 70);
	assert_ok(log_open(f->store, name_of("PL"), false, l));
	assert_same_root(&again.tree, &l->tree);
}

static void what_was_aborted_is_forgotten_by_a_reload(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct tree beside;
	struct txn *t = NULL;

	commit_plain(f, l, 250);
	assert_ok(txn_begin(f->store, true, &t));
	append_plain(f, l, t, 300);
	txn_abort(t);
	assert_int_equal(l->edge.size, 550);
	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_reload(l, t));
	txn_abort(t);
	assert_int_equal(l->edge.size, 250);
	commit_plain(f, l, 10);
	beside = tree_beside(f, 260);
	assert_same_root(&l->tree, &beside);
	assert_ok(log_open(f->store, name_of("26"), false, l));
}

static void an_event_over_the_limit_is_refused(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	size_t size = EVENT_BYTES_MAX + 1;
	uint8_t *raw = calloc(1, size);
	struct txn *t = NULL;

	assert_non_null(raw);
	assert_ok(txn_begin(f->store, true, &t));
	assert_err(log_append(l, t, bytes_of(raw, size)), ERR_LIMIT);
	assert_int_equal(l->edge.size, 0);
	assert_ok(log_append(l, t, bytes_of(raw, size - 1)));
	txn_abort(t);
	free(raw);
}

static void a_note_of_another_root_or_size_does_not_seal(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	append_plain(f, l, t, 5);
	assert_err(log_seal(l, t, note_of(f, 5, hash_empty())), ERR_ROOT);
	assert_err(log_seal(l, t, note_of(f, 4, tree_root(&l->tree))), ERR_ROOT);
	assert_err(log_seal(l, t, bytes_of_text("5")), ERR_DECODE);
	seal(f, l, t);
	assert_ok(txn_commit(t));
}

static void an_edge_that_is_not_the_stores_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct log *old = arena_alloc(&f->arena, sizeof *old);
	struct txn *t = NULL;

	assert_non_null(old);
	*old = *l;
	commit_plain(f, l, 2);
	assert_ok(txn_begin(f->store, true, &t));
	assert_err(log_append(old, t, bytes_of_text("x")), ERR_INTERNAL);
	txn_abort(t);
}

/* ---- damage ---- */

static struct bytes number_key(struct fixture *f, uint64_t x, int level)
{
	struct buf key = {.data = NULL};
	struct bytes kept;

	if (level >= 0)
		buf_add_u8(&key, (uint8_t)level);
	buf_add_u64be(&key, x);
	assert_ok(buf_check(&key));
	kept = bytes_of(arena_text(&f->arena, buf_bytes(&key)), key.size);
	buf_free(&key);
	return kept;
}

/* Turns one bit of a stored value. */
static void damage(struct fixture *f, struct table table, struct bytes key, size_t at)
{
	struct bytes value;
	uint8_t *copy = NULL;
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(txn_get(t, table, key, &value));
	assert_true(at < value.size);
	copy = (uint8_t *)arena_text(&f->arena, value);
	assert_non_null(copy);
	copy[at] ^= 1;
	assert_ok(txn_put(t, table, key, bytes_of(copy, value.size)));
	assert_ok(txn_commit(t));
}

static void put_or_delete(struct fixture *f, struct table table, struct bytes key, bool delete)
{
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	if (delete)
		assert_ok(txn_delete(t, table, key));
	else
		assert_ok(txn_put(t, table, key, bytes_of_text("more")));
	assert_ok(txn_commit(t));
}

static void assert_not_opened(struct fixture *f)
{
	static struct log untouched;

	memset(&untouched, 0x5a, sizeof untouched);
	assert_err(log_open(f->store, name_of("26"), false, &untouched), ERR_CORRUPT);
	for (size_t i = 0; i < sizeof untouched; i++)
		assert_int_equal(((const uint8_t *)&untouched)[i], 0x5a);
}

static void events_that_end_elsewhere_are_damage(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");

	put_or_delete(f, l->events, number_key(f, 0, -1), false);
	assert_not_opened(f);
	put_or_delete(f, l->events, number_key(f, 0, -1), true);
	commit_plain(f, l, 600);
	put_or_delete(f, l->events, number_key(f, 600, -1), false);
	assert_not_opened(f);
	put_or_delete(f, l->events, number_key(f, 600, -1), true);
	assert_ok(log_open(f->store, name_of("26"), false, l));
	put_or_delete(f, l->events, number_key(f, 599, -1), true);
	assert_not_opened(f);
}

static void tiles_that_give_another_root_are_damage(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");

	commit_plain(f, l, 600);
	damage(f, l->tiles, number_key(f, 2, 0), 40);
	assert_not_opened(f);
	damage(f, l->tiles, number_key(f, 2, 0), 40);
	assert_ok(log_open(f->store, name_of("26"), false, l));
	put_or_delete(f, l->tiles, number_key(f, 0, 1), true);
	assert_not_opened(f);
}

static void a_checkpoint_that_says_otherwise_is_damage(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	size_t origin = strlen("splot.test/region/26\n");

	commit_plain(f, l, 600);
	damage(f, l->checkpoints, number_key(f, 600, -1), origin); /* 600 -> 700 */
	assert_not_opened(f);
	damage(f, l->checkpoints, number_key(f, 600, -1), origin);
	assert_ok(log_open(f->store, name_of("26"), false, l));
	damage(f, l->checkpoints, number_key(f, 600, -1), origin + 3); /* the line's end */
	assert_not_opened(f);
}

static void an_altered_event_is_not_served(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct txn *t = NULL;
	struct bytes event = {NULL, 0};

	commit_plain(f, l, 300);
	damage(f, l->events, number_key(f, 258, -1), 3);
	assert_ok(txn_begin(f->store, false, &t));
	assert_err(log_event(l, t, 258, &event), ERR_CORRUPT);
	assert_null(event.data);
	assert_ok(log_event(l, t, 257, &event));
	assert_err(log_event(l, t, 300, &event), ERR_NOT_FOUND);
	txn_abort(t);
}

static void events_in_a_row_are_those_one_by_one_and_an_altered_one_is_not_served(void **state)
{
	static const uint64_t order[] = {0, 1, 255, 256, 257, 599, 3, 511, 512};
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct log_leaves leaves = {.number = 0};
	struct txn *t = NULL;
	struct bytes event = {NULL, 0};

	commit_plain(f, l, 600);
	damage(f, l->events, number_key(f, 258, -1), 3);
	damage(f, l->tiles, number_key(f, 1, 0), (300 % TILE_WIDTH) * HASH_BYTES);
	assert_ok(txn_begin(f->store, false, &t));
	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		assert_ok(log_event_next(l, t, &leaves, order[i], &event));
		assert_true(bytes_equal(event, plain_event(f, order[i])));
	}
	assert_err(log_event_next(l, t, &leaves, 600, &event), ERR_NOT_FOUND);
	assert_err(log_event_next(l, t, &leaves, 258, &event), ERR_CORRUPT);
	assert_err(log_event_next(l, t, &leaves, 300, &event), ERR_CORRUPT);
	txn_abort(t);
}

/* ---- reading ---- */

static void the_tree_at_any_size_and_its_proofs(void **state)
{
	static const uint64_t sizes[] = {0, 1, 2, 255, 256, 257, 300, 511, 512, 777, 1000};
	enum { SIZES = sizeof sizes / sizeof sizes[0] };
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct log_reader reader;
	struct hash roots[SIZES];
	struct tree tree;
	struct txn *t = NULL;

	commit_plain(f, l, 400);
	commit_plain(f, l, 600);
	assert_ok(txn_begin(f->store, false, &t));
	log_reader_init(&reader, l, t);
	for (size_t i = 0; i < SIZES; i++) {
		struct tree beside = tree_beside(f, sizes[i]);

		assert_ok(log_tree_at(l, t, sizes[i], &tree));
		assert_same_root(&tree, &beside);
		roots[i] = tree_root(&tree);
		assert_ok(log_tree_proved(l, t, sizes[i], &tree));
		assert_same_root(&tree, &beside);
	}
	for (size_t i = 1; i < SIZES; i++) {
		struct hash leaf = hash_leaf(plain_event(f, sizes[i] - 1));
		struct proof p;

		assert_ok(proof_consistency(&reader.tree, sizes[i - 1], sizes[i], &p));
		assert_ok(proof_check_consistency(&p, sizes[i - 1], sizes[i], roots[i - 1],
						  roots[i]));
		assert_ok(proof_inclusion(&reader.tree, sizes[i] - 1, 1000, &p));
		assert_ok(proof_check_inclusion(&p, sizes[i] - 1, 1000, leaf, roots[SIZES - 1]));
	}
	assert_err(log_tree_at(l, t, 1001, &tree), ERR_ARGUMENT);
	txn_abort(t);
}

/* A full tile is read for old sizes alone, so that its damage shows at no opening. */
static void an_old_root_from_a_damaged_tile_is_told_from_another_history(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct tree beside = tree_beside(f, 512);
	struct tree tree;
	struct txn *t = NULL;

	commit_plain(f, l, 600);
	damage(f, l->tiles, number_key(f, 0, 0), 0);
	assert_ok(log_open(f->store, name_of("26"), false, l));
	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_tree_at(l, t, 100, &tree));
	assert_err(log_tree_proved(l, t, 100, &tree), ERR_CORRUPT);
	assert_ok(log_tree_proved(l, t, 512, &tree));
	assert_same_root(&tree, &beside);
	assert_err(log_tree_proved(l, t, 601, &tree), ERR_ARGUMENT);
	txn_abort(t);
}

static void an_old_root_is_proved_by_no_other_history_than_the_opened_one(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct tree other, tree;
	struct txn *t = NULL;

	commit_plain(f, l, 10);
	commit_plain(f, l, 600);
	tree_init(&other);
	while (other.size < 610)
		tree_append(&other, hash_leaf(bytes_of_text("another")));
	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_tree_proved(l, t, 10, &tree));
	l->tree = other;
	assert_err(log_tree_proved(l, t, 10, &tree), ERR_CORRUPT);
	assert_err(log_tree_proved(l, t, 610, &tree), ERR_CORRUPT);
	txn_abort(t);
}

static void an_old_root_is_proved_by_no_older_checkpoint_in_the_place_of_the_newest(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct bytes old, key = number_key(f, 610, -1);
	struct tree tree;
	struct txn *t = NULL;

	commit_plain(f, l, 10);
	commit_plain(f, l, 600);
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(log_checkpoint(l, t, 10, &old));
	assert_ok(arena_bytes(&f->arena, old, &old));
	assert_ok(txn_put(t, l->checkpoints, key, old));
	assert_err(log_tree_proved(l, t, 10, &tree), ERR_CORRUPT);
	txn_abort(t);
}

static void a_reader_sees_what_is_sealed_while_a_writer_appends(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct log *copy = arena_alloc(&f->arena, sizeof *copy);
	struct txn *read = NULL;
	struct txn *write = NULL;
	struct bytes note;
	struct tree tree;
	uint64_t size = 0;

	assert_non_null(copy);
	*copy = *l;
	commit_plain(f, l, 100);
	assert_ok(txn_begin(f->store, false, &read));
	assert_ok(txn_begin(f->store, true, &write));
	append_plain(f, l, write, 200);
	assert_ok(log_newest(copy, read, &size, &note));
	assert_int_equal(size, 100);
	assert_ok(log_tree_at(copy, read, 100, &tree));
	assert_err(log_tree_at(copy, read, 101, &tree), ERR_ARGUMENT);
	assert_ok(log_event(copy, read, 99, &note));
	seal(f, l, write);
	assert_ok(txn_commit(write));
	assert_ok(txn_renew(read));
	assert_ok(log_newest(copy, read, &size, &note));
	assert_int_equal(size, 300);
	assert_ok(log_event(copy, read, 299, &note));
	txn_abort(read);
}

static void checkpoints_are_found_by_their_size(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct checkpoint c;
	struct txn *t = NULL;
	struct bytes note;
	uint64_t size = 0;

	commit_plain(f, l, 10);
	commit_plain(f, l, 5);
	assert_ok(txn_begin(f->store, false, &t));
	assert_ok(log_checkpoint(l, t, 10, &note));
	assert_ok(checkpoint_open(note, &f->signer.key, &c));
	assert_int_equal(c.size, 10);
	assert_err(log_checkpoint(l, t, 11, &note), ERR_NOT_FOUND);
	assert_ok(log_newest(l, t, &size, &note));
	assert_int_equal(size, 15);
	assert_ok(checkpoint_open(note, &f->signer.key, &c));
	assert_int_equal(c.size, 15);
	txn_abort(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_log_is_empty),
		TEST(what_was_sealed_is_there_after_reopening),
		TEST(a_log_of_two_tile_levels_opens_again),
		TEST(what_was_aborted_is_forgotten_by_a_reload),
		TEST(an_event_over_the_limit_is_refused),
		TEST(a_note_of_another_root_or_size_does_not_seal),
		TEST(an_edge_that_is_not_the_stores_is_noticed),
		TEST(events_that_end_elsewhere_are_damage),
		TEST(tiles_that_give_another_root_are_damage),
		TEST(a_checkpoint_that_says_otherwise_is_damage),
		TEST(an_altered_event_is_not_served),
		TEST(events_in_a_row_are_those_one_by_one_and_an_altered_one_is_not_served),
		TEST(the_tree_at_any_size_and_its_proofs),
		TEST(an_old_root_from_a_damaged_tile_is_told_from_another_history),
		TEST(an_old_root_is_proved_by_no_other_history_than_the_opened_one),
		TEST(an_old_root_is_proved_by_no_older_checkpoint_in_the_place_of_the_newest),
		TEST(a_reader_sees_what_is_sealed_while_a_writer_appends),
		TEST(checkpoints_are_found_by_their_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
