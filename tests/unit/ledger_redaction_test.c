/* What a node does with an act of a national log: whose it is, what it erases, what it leaves. */
#include "ledger_fixture.h"

#include "ledger/redaction.h"

enum { EVENTS = 10, ROTATION = 4 };

struct acting {
	struct fixture *f;
	struct log *log;
	struct table redacted;
	bool erased;
};

/* Ten events, of which one says which key signs. */
static struct acting acting_on(void **state)
{
	struct acting a = {.f = *state, .log = opened(*state, "26")};
	struct event rotates = event_of(NULL, 0);
	struct txn *t = NULL;

	rotates.act = EVENT_ROTATES;
	rotates.document = bytes_of_text("an enrolment");
	assert_ok(store_table(a.f->store, "redacted", true, &a.redacted));
	assert_ok(txn_begin(a.f->store, true, &t));
	for (uint64_t i = 0; i < EVENTS; i++)
		assert_ok(log_append(a.log, t,
				     i == ROTATION ? encoded(a.f, &rotates) : plain_event(a.f, i)));
	seal(a.f, a.log, t);
	assert_ok(txn_commit(t));
	return a;
}

static enum err carry_out(struct acting *a, uint64_t index, struct hash leaf)
{
	struct txn *t = NULL;
	enum err e = txn_begin(a->f->store, true, &t);

	assert_ok(e);
	e = redaction_carry_out(a->log, a->redacted, t, index, leaf, bytes_of_text("the entry"),
				&a->erased);
	if (e != ERR_OK) {
		txn_abort(t);
		return e;
	}
	return txn_commit(t);
}

static bool known(struct acting *a, uint64_t index, struct hash leaf)
{
	struct txn *t = NULL;
	bool found = false;

	assert_ok(txn_begin(a->f->store, false, &t));
	assert_ok(redaction_known(a->redacted, t, index, leaf, &found));
	txn_abort(t);
	return found;
}

static enum err event_at(struct acting *a, uint64_t index, struct hash *ret_leaf)
{
	struct txn *t = NULL;
	struct bytes event;
	enum err e = ERR_OK;

	assert_ok(txn_begin(a->f->store, false, &t));
	assert_ok(log_leaf(a->log, t, index, ret_leaf));
	e = log_event(a->log, t, index, &event);
	txn_abort(t);
	return e;
}

static void the_event_is_erased_once_and_the_act_is_kept(void **state)
{
	struct acting a = acting_on(state);
	struct hash leaf = hash_leaf(plain_event(a.f, 3));
	struct hash stays;

	assert_false(known(&a, 3, leaf));
	assert_ok(carry_out(&a, 3, leaf));
	assert_true(a.erased);
	assert_true(known(&a, 3, leaf));
	assert_false(known(&a, 3, hash_leaf(plain_event(a.f, 2))));
	assert_err(event_at(&a, 3, &stays), ERR_REDACTED);
	assert_true(hash_equal(stays, leaf));
	assert_ok(carry_out(&a, 3, leaf));
	assert_false(a.erased);
	assert_ok(event_at(&a, 2, &stays));
}

static void an_act_ahead_of_its_event_is_kept_and_erases_nothing(void **state)
{
	struct acting a = acting_on(state);
	struct hash leaf = hash_leaf(plain_event(a.f, EVENTS));

	assert_ok(carry_out(&a, EVENTS, leaf));
	assert_false(a.erased);
	assert_true(known(&a, EVENTS, leaf));
}

static void another_event_and_an_act_of_the_log_itself_are_left(void **state)
{
	struct acting a = acting_on(state);
	struct hash rotation;
	struct hash leaf;

	assert_err(carry_out(&a, 3, hash_leaf(plain_event(a.f, 2))), ERR_ROOT);
	assert_ok(event_at(&a, 3, &leaf));
	assert_false(known(&a, 3, leaf));
	assert_ok(event_at(&a, ROTATION, &rotation));
	assert_err(carry_out(&a, ROTATION, rotation), ERR_INVALID);
	assert_ok(event_at(&a, ROTATION, &rotation));
	assert_false(known(&a, ROTATION, rotation));
}

static void only_an_act_that_redacts_an_event_of_this_log_is_read(void **state)
{
	struct hash leaf = hash_leaf(bytes_of_text("x"));
	struct national_entry entry = {.kind = NATIONAL_ACT,
				       .act = "redact",
				       .log = name_of("26"),
				       .index = 7,
				       .leaf = bytes_of(leaf.b, HASH_BYTES)};
	struct hash said = hash_leaf(bytes_of_text("y"));
	uint64_t index = 0;

	(void)state;
	assert_ok(redaction_read(&entry, name_of("26"), &index, &said));
	assert_int_equal(index, 7);
	assert_true(hash_equal(said, leaf));
	assert_err(redaction_read(&entry, name_of("26/2"), &index, &said), ERR_OWNER);
	entry.leaf.size--;
	assert_err(redaction_read(&entry, name_of("26"), &index, &said), ERR_INVALID);
	entry.leaf.size++;
	entry.act = "freeze";
	assert_err(redaction_read(&entry, name_of("26"), &index, &said), ERR_INVALID);
	entry.act = "redact";
	entry.kind = NATIONAL_ACCEPTED;
	assert_err(redaction_read(&entry, name_of("26"), &index, &said), ERR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_event_is_erased_once_and_the_act_is_kept),
		TEST(an_act_ahead_of_its_event_is_kept_and_erases_nothing),
		TEST(another_event_and_an_act_of_the_log_itself_are_left),
		TEST(only_an_act_that_redacts_an_event_of_this_log_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
