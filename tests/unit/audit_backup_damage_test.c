/* A backup takes nothing that is damaged, and nothing that its signatures do not stand for. */
#include "audit_backup_fixture.h"

static void assert_damaged(struct copying *c, const char *log, uint64_t at)
{
	assert_err(copy_with(c, false), ERR_CORRUPT);
	assert_string_equal(c->report.failed.text, log);
	assert_int_equal(c->report.failed_at, at);
	assert_true(*c->report.why);
	assert_false(c->report.copy_failed);
}

static void damage_in_the_source_is_named_and_nothing_of_it_is_taken(void **state)
{
	struct copying *c = *state;
	struct bytes event;

	nation_grow(c->n, 20);
	must_copy(c);
	nation_grow(c->n, 60);
	flip(c, "26.events", number(c, 40));
	assert_damaged(c, "26", 40);
	assert_int_equal(row_of(c, c->copy, "26.events", number(c, 20)).size, 0);
	flip(c, "26.events", number(c, 40));
	event = row_of(c, c->n->f.store, "26.events", number(c, 41));
	put_row(c, c->n->f.store, "26.events", number(c, 41), bytes_of("", 0));
	assert_damaged(c, "26", 41); /* no act erased it */
	delete_row(c->n->f.store, "26.events", number(c, 41));
	assert_damaged(c, "26", 41);
	put_row(c, c->n->f.store, "26.events", number(c, 41), event);
	must_copy(c);
	assert_same_log(c, "26", c->n->l26);
}

static void a_checkpoint_on_the_way_that_says_another_root_is_damage(void **state)
{
	struct copying *c = *state;
	struct bytes other;

	nation_grow(c->n, 30);
	nation_grow(c->n, 60);
	other = signed_note(c->n, &c->n->region, 30, hash_plain(bytes_of_text("x")));
	put_row(c, c->n->f.store, "26.checkpoints", number(c, 30), other);
	assert_damaged(c, "26", 30);
	delete_row(c->n->f.store, "26.checkpoints", number(c, 30));
	/* The national log accepted it, and it is not here. */
	assert_damaged(c, "national", 1);
}

/* Of the same size and root, but not what the region signed. */
static void a_checkpoint_that_is_not_the_one_accepted_is_damage(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 30);
	flip(c, "26.checkpoints", number(c, 30));
	assert_damaged(c, "national", 1);
	flip(c, "26.checkpoints", number(c, 30));
	must_copy(c);
}

static void what_no_national_entry_accepted_is_not_taken(void **state)
{
	struct copying *c = *state;
	struct txn *t = NULL;

	nation_grow(c->n, 30);
	assert_ok(txn_begin(c->n->f.store, true, &t));
	assert_ok(log_append(c->n->l26, t, bytes_of_text("on its own")));
	assert_ok(log_seal(c->n->l26, t,
			   signed_note(c->n, &c->n->region, 31, tree_root(&c->n->l26->tree))));
	assert_ok(txn_commit(t));
	assert_damaged(c, "26", 30);
}

static void a_damaged_copy_is_told_from_a_damaged_source(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 30);
	must_copy(c);
	delete_row(c->copy, "26.events", number(c, 29));
	assert_err(copy_with(c, false), ERR_CORRUPT);
	assert_true(c->report.copy_failed);
	assert_string_equal(c->report.failed.text, "26");
}

static void the_newest_checkpoint_is_signed_by_a_trusted_key(void **state)
{
	struct copying *c = *state;

	nation_grow(c->n, 30);
	keyring_free(c->trusted);
	assert_ok(keyring_new(&c->trusted));
	assert_ok(keyring_trust(c->trusted, &c->n->region.signer.key));
	assert_err(copy_with(c, false), ERR_UNKNOWN_KEY);
	assert_false(has_table(c->copy, "26.events")); /* not touched */
	assert_ok(keyring_trust(c->trusted, &c->n->server.signer.key));
	must_copy(c);
}

int main(void)
{
#define WITH_COPY(f) cmocka_unit_test_setup_teardown(f, copying_setup, copying_teardown)
	const struct CMUnitTest tests[] = {
		WITH_COPY(damage_in_the_source_is_named_and_nothing_of_it_is_taken),
		WITH_COPY(a_checkpoint_on_the_way_that_says_another_root_is_damage),
		WITH_COPY(a_checkpoint_that_is_not_the_one_accepted_is_damage),
		WITH_COPY(what_no_national_entry_accepted_is_not_taken),
		WITH_COPY(a_damaged_copy_is_told_from_a_damaged_source),
		WITH_COPY(the_newest_checkpoint_is_signed_by_a_trusted_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
