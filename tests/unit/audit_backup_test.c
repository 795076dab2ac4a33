/* A store's truth copied into another store: all of one moment, and what is new later. */
#include "audit_backup_fixture.h"

/* ---- what is what ---- */

static void each_table_has_a_kind_and_a_new_one_is_unknown(void **state)
{
	static const struct {
		const char *name;
		enum backup_kind kind;
	} rows[] = {
		{"26.events", BACKUP_LOG},          {"26/2.tiles", BACKUP_LOG},
		{"PL.checkpoints", BACKUP_LOG},     {"national.events", BACKUP_LOG},
		{"national.cosigned", BACKUP_ROWS}, {"trust", BACKUP_ROWS},
		{"witnessed", BACKUP_ROWS},         {"scrub", BACKUP_OWN},
		{"records", BACKUP_VIEW},           {"status", BACKUP_VIEW},
		{"27.events", BACKUP_UNKNOWN},      {"26.other", BACKUP_UNKNOWN},
		{"events", BACKUP_UNKNOWN},         {"anything", BACKUP_UNKNOWN},
	};
	struct log_name log = {""};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_int_equal(backup_kind_of(rows[i].name, &log), rows[i].kind);
	assert_int_equal(backup_kind_of("26/2.tiles", &log), BACKUP_LOG);
	assert_string_equal(log.text, "26/2");
}

/* ---- copying ---- */

static void logs_and_small_tables_come_and_the_view_does_not(void **state)
{
	static const char *const same[] = {"26.events",         "26.tiles",       "26.checkpoints",
					   "national.events",   "national.tiles", "trust",
					   "national.cosigned", "redacted",       "a later table"};
	struct copying *c = *state;
	struct store *s = c->n->f.store;

	nation_grow(c->n, 700);
	(void)nation_cosign(c->n, 2);
	put_row(c, s, "trust", bytes_of_text("26"), bytes_of_text("a key"));
	put_row(c, s, "a later table", bytes_of_text("k"), bytes_of_text("v"));
	put_row(c, s, "records", bytes_of_text("k"), bytes_of_text("v"));
	put_row(c, s, "scrub", bytes_of_text("pending"), bytes_of_text("1"));
	must_copy(c);
	assert_same_log(c, "26", c->n->l26);
	assert_same_log(c, "national", c->n->national);
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		assert_same_table(c, same[i]);
	assert_false(has_table(c->copy, "records"));
	assert_int_equal(row_of(c, c->copy, "scrub", bytes_of_text("pending")).size, 0);
	assert_int_equal(c->report.unknown_count, 1);
	assert_string_equal(c->report.unknown[0], "a later table");
	assert_int_equal(c->report.log_count, 2);
	assert_string_equal(c->report.logs[0].origin, REALM "/region/26");
	assert_string_equal(c->report.logs[1].log.text, "national");
	assert_true(hash_equal(c->report.logs[1].root, tree_root(&c->n->national->tree)));
}

static void a_second_copy_reads_and_writes_what_is_new(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 700);
	must_copy(c);
	assert_int_equal(c->report.logs[0].before, 0);
	assert_int_equal(c->report.logs[0].size, 700);
	assert_true(c->report.rows_read > 700);
	must_copy(c);
	assert_int_equal(c->report.rows_read, 0);
	assert_int_equal(c->report.rows_written, 0);
	nation_grow(c->n, 703);
	put_row(c, c->n->f.store, "trust", bytes_of_text("26"), bytes_of_text("a key"));
	put_row(c, c->n->f.store, "trust", bytes_of_text("28"), bytes_of_text("a key"));
	must_copy(c);
	assert_int_equal(c->report.logs[0].before, 700);
	/* three events, one entry, their checkpoints, two rows */
	assert_int_equal(c->report.rows_read, 3 + 1 + 2 + 2);
	assert_same_log(c, "26", c->n->l26);
	delete_row(c->n->f.store, "trust", bytes_of_text("26"));
	must_copy(c);
	assert_same_table(c, "trust");
	assert_same_table(c, "26.tiles");
}

static void what_is_too_much_for_one_transaction_changes_nothing_and_goes_in_parts(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 10);
	must_copy(c);
	grow_long(c);
	assert_err(copy_with(c, false), ERR_LIMIT);
	assert_string_equal(c->report.why, "");
	open_copy(c);
	assert_int_equal(row_of(c, c->copy, "26.events", number(c, 10)).size, 0);
	assert_ok(copy_with(c, true));
	assert_same_log(c, "26", c->n->l26);
	assert_same_table(c, "26.events");
	assert_same_table(c, "26.checkpoints");
	assert_true(c->progressed > 0);
}

/* ---- copies that do not belong ---- */

static void a_source_that_went_back_is_refused(void **state)
{
	struct copying *c = *state;
	struct copying *other = NULL;

	nation_grow(c->n, 30);
	must_copy(c);
	assert_int_equal(copying_setup((void **)&other), 0);
	nation_grow(other->n, 20);
	store_close(other->copy);
	other->copy = c->copy;
	assert_err(copy_with(other, false), ERR_ROLLBACK);
	assert_string_equal(other->report.failed.text, "26");
	assert_same_log(c, "26", c->n->l26);
	nation_commit(other->n, (struct bytes[]){bytes_of_text("another past")}, 1);
	nation_grow(other->n, 40);
	assert_err(copy_with(other, false), ERR_FORK);
	assert_same_log(c, "26", c->n->l26);
	other->copy = NULL;
	(void)copying_teardown((void **)&other);
}

static void another_log_of_that_name_is_refused(void **state)
{
	struct copying *c = *state;
	struct copying *other = NULL;

	nation_grow(c->n, 5);
	must_copy(c);
	assert_int_equal(copying_setup((void **)&other), 0);
	party_make(&other->n->region, "elsewhere.test/region/26", KEY_ED25519, 26);
	nation_grow(other->n, 20);
	store_close(other->copy);
	other->copy = c->copy;
	assert_err(copy_with(other, false), ERR_ORIGIN);
	other->copy = NULL;
	(void)copying_teardown((void **)&other);
}

static void a_log_that_the_source_has_no_more_is_refused(void **state)
{
	struct copying *c = *state;
	struct log *l = opened(&c->n->f, "28");
	struct copying *other = NULL;
	struct txn *t = NULL;

	assert_ok(txn_begin(c->n->f.store, true, &t));
	assert_ok(log_append(l, t, bytes_of_text("one")));
	assert_ok(log_seal(l, t, signed_note(c->n, &c->n->region, 1, tree_root(&l->tree))));
	assert_ok(txn_commit(t));
	assert_err(copy_with(c, false), ERR_CORRUPT); /* nobody accepted it */
	delete_row(c->n->f.store, "28.checkpoints", number(c, 1));
	delete_row(c->n->f.store, "28.events", number(c, 0));
	must_copy(c); /* an empty log */
	assert_int_equal(copying_setup((void **)&other), 0);
	store_close(other->copy);
	other->copy = c->copy;
	must_copy(other); /* that has no such log: nothing is lost */
	other->copy = NULL;
	(void)copying_teardown((void **)&other);
}

/* ---- what comes meanwhile ---- */

static void grow_by_one(struct copying *c)
{
	nation_grow(c->n, c->n->l26->edge.size + 1);
}

static void what_comes_while_it_reads_is_for_the_next_time(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 700);
	c->meanwhile = grow_by_one;
	must_copy(c);
	assert_int_equal(c->report.logs[0].size, 700);
	assert_int_equal(c->report.logs[1].size, 2);
	assert_same_table(c, "redacted");
	must_copy(c);
	assert_int_equal(c->report.logs[0].size, 701);
	assert_same_log(c, "national", c->n->national);
}

int main(void)
{
#define WITH_COPY(f) cmocka_unit_test_setup_teardown(f, copying_setup, copying_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_table_has_a_kind_and_a_new_one_is_unknown),
		WITH_COPY(logs_and_small_tables_come_and_the_view_does_not),
		WITH_COPY(a_second_copy_reads_and_writes_what_is_new),
		WITH_COPY(what_is_too_much_for_one_transaction_changes_nothing_and_goes_in_parts),
		WITH_COPY(a_source_that_went_back_is_refused),
		WITH_COPY(another_log_of_that_name_is_refused),
		WITH_COPY(a_log_that_the_source_has_no_more_is_refused),
		WITH_COPY(what_comes_while_it_reads_is_for_the_next_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
