/* What is erased in the source is erased in its backup, whenever the act comes. */
#include "audit_backup_fixture.h"

static void erase(struct copying *c, uint64_t index)
{
	struct buf key = {0};
	struct hash leaf;
	struct txn *t = NULL;

	buf_add(&key, "26", 3);
	buf_add_u64be(&key, index);
	assert_ok(txn_begin(c->n->f.store, true, &t));
	assert_ok(log_leaf(c->n->l26, t, index, &leaf));
	assert_ok(log_redact(c->n->l26, t, index, leaf));
	assert_ok(txn_put(t, c->redacted, buf_bytes(&key), bytes_of(leaf.b, HASH_BYTES)));
	assert_ok(txn_commit(t));
	buf_free(&key);
}

static void what_is_erased_in_the_source_is_erased_in_the_copy_and_waits_for_a_scrub(void **state)
{
	struct copying *c = *state;
	bool waits = true;

	nation_grow(c->n, 20);
	must_copy(c);
	assert_ok(backup_scrub_waits(c->copy, &waits));
	assert_false(waits);
	nation_grow(c->n, 40);
	erase(c, 7);
	erase(c, 30); /* which the copy never had */
	must_copy(c);
	assert_int_equal(c->report.erased, 1);
	assert_same_log(c, "26", c->n->l26);
	assert_same_table(c, "26.events");
	assert_same_table(c, "redacted");
	open_copy(c);
	assert_ok(backup_scrub_waits(c->copy, &waits));
	assert_true(waits);
	store_close(c->copy);
	c->copy = NULL;
	assert_ok(store_compact(c->folder));
	open_copy(c);
	assert_ok(backup_scrubbed(c->copy));
	assert_ok(backup_scrub_waits(c->copy, &waits));
	assert_false(waits);
	must_copy(c);
	assert_int_equal(c->report.erased, 0);
}

static void erase_the_first(struct copying *c)
{
	erase(c, 0);
}

/* The act would be in no table of the copy, its event gone. */
static void an_erasure_while_it_reads_asks_for_another_try(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 700);
	c->meanwhile = erase_the_first;
	assert_err(copy_with(c, false), ERR_AGAIN);
	assert_int_equal(row_of(c, c->copy, "26.events", number(c, 1)).size, 0);
	must_copy(c);
	assert_same_table(c, "26.events");
	assert_same_table(c, "redacted");
}

static void a_try_in_parts_that_is_to_be_made_again_leaves_no_copy_to_go_on_from(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 10);
	grow_long(c);
	c->meanwhile = erase_the_first;
	assert_err(copy_with(c, true), ERR_AGAIN);
	assert_true(row_of(c, c->copy, "26.events", number(c, 0)).size > 0);
	assert_err(copy_with(c, true), ERR_CORRUPT);
	assert_true(c->report.copy_failed);
}

/* An act that names another event than came erased nothing. */
static void an_act_ahead_of_its_event_takes_nothing(void **state)
{
	struct copying *c = *state;
	struct bytes key = kept(c->n, bytes_of("26\0\0\0\0\0\0\0\0\5", 11));

	put_row(c, c->n->f.store, "redacted", key,
		bytes_of("0123456789abcdef0123456789abcdef", 32));
	nation_grow(c->n, 20);
	must_copy(c);
	must_copy(c);
	assert_int_equal(c->report.erased, 0);
	assert_same_table(c, "26.events");
}

int main(void)
{
#define WITH_COPY(f) cmocka_unit_test_setup_teardown(f, copying_setup, copying_teardown)
	const struct CMUnitTest tests[] = {
		WITH_COPY(what_is_erased_in_the_source_is_erased_in_the_copy_and_waits_for_a_scrub),
		WITH_COPY(an_erasure_while_it_reads_asks_for_another_try),
		WITH_COPY(a_try_in_parts_that_is_to_be_made_again_leaves_no_copy_to_go_on_from),
		WITH_COPY(an_act_ahead_of_its_event_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
