/* How much of a log goes in one message: where a chunk that is read ends, and where a commit is
 * cut. */
#include "ledger_fixture.h"

static void assert_chunk(const struct log *l, struct txn *t, uint64_t from, uint64_t expected)
{
	struct checkpoint c;
	struct bytes note;
	uint64_t size = 0;

	assert_ok(log_chunk(l, t, from, &size, &note));
	assert_int_equal(size, expected);
	assert_ok(log_note_read(note, &c));
	assert_int_equal(c.size, expected);
}

static void a_chunk_ends_at_the_last_checkpoint_that_fits_by_number(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct txn *t = NULL;
	struct bytes note;
	uint64_t size = 0;

	for (int i = 0; i < 6; i++)
		commit_plain(f, l, 1000);
	assert_ok(txn_begin(f->store, false, &t));
	assert_chunk(l, t, 0, 4000);
	assert_chunk(l, t, 904, 5000);
	assert_chunk(l, t, 903, 4000);
	assert_chunk(l, t, 4000, 6000);
	assert_chunk(l, t, 5999, 6000);
	assert_err(log_chunk(l, t, 6000, &size, &note), ERR_NOT_FOUND);
	assert_err(log_chunk(l, t, 9000, &size, &note), ERR_NOT_FOUND);
	txn_abort(t);
}

/* Keys sign what is beyond `context`. */
static bool signs_beyond(const void *context, uint64_t size)
{
	return size > *(const uint64_t *)context;
}

static void assert_cut(const struct log *l, struct txn *t, const struct log_cut *c,
		       uint32_t expected)
{
	uint32_t count = 77;

	assert_ok(log_cut(l, t, c, &count));
	assert_int_equal(count, expected);
}

static void a_commit_is_cut_where_a_checkpoint_is_stored_or_can_be_signed(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct txn *t = NULL;
	uint64_t gone = 0;
	struct log_cut c = {.size = 120,
			    .bytes_max = COMMIT_BYTES_MAX,
			    .events_max = 25,
			    .signs = signs_beyond,
			    .context = &gone};

	commit_plain(f, l, 10);
	commit_plain(f, l, 10);
	commit_plain(f, l, 100);
	assert_ok(txn_begin(f->store, false, &t));
	assert_cut(l, t, &c, 20); /* the last one that fits */
	c.from = 20;
	assert_cut(l, t, &c, 25); /* none: signed there */
	c.narrow = true;
	assert_cut(l, t, &c, 25); /* a window that will not become wider */
	c.under_way = true;
	assert_cut(l, t, &c, 0);
	c.narrow = false;
	assert_cut(l, t, &c, 25);
	gone = 45; /* the key of that size */
	assert_cut(l, t, &c, 0);
	c.under_way = false;
	assert_cut(l, t, &c, 100); /* whole */
	c.from = 30;
	assert_cut(l, t, &c, 25); /* 55 can be signed */
	c.from = 20;
	c.events_max = 100;
	assert_cut(l, t, &c, 100);
	c.events_max = 25;
	c.bytes_max = 1;
	assert_cut(l, t, &c, 0); /* not one event fits */
	txn_abort(t);
}

/* The commits before a rotation are signed by one key, those behind it by another. */
static void a_chunk_ends_with_the_event_that_rotates_keys(void **state)
{
	struct event rotation = {.editor = "e07",
				 .reason = "yearly",
				 .source = "",
				 .act = EVENT_ROTATES,
				 .document = bytes_of_text("card")};
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	struct txn *t = NULL;
	uint32_t count = 0;

	commit_plain(f, l, 10);
	assert_ok(txn_begin(f->store, true, &t));
	assert_ok(log_append(l, t, encoded(f, &rotation)));
	seal(f, l, t);
	assert_ok(txn_commit(t));
	commit_plain(f, l, 10);
	assert_ok(txn_begin(f->store, false, &t));
	assert_chunk(l, t, 0, 11);
	assert_chunk(l, t, 10, 11);
	assert_chunk(l, t, 11, 21);
	assert_ok(log_fit(l, t, 3, 21, COMMIT_BYTES_MAX, &count));
	assert_int_equal(count, 8);
	assert_ok(log_fit(l, t, 11, 21, COMMIT_BYTES_MAX, &count));
	assert_int_equal(count, 10);
	txn_abort(t);
}

static void a_chunk_ends_at_the_last_checkpoint_that_fits_by_bytes(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	size_t event_size = (COMMIT_BYTES_MAX / 32) - 2; /* 32 of them fill a commit exactly */
	uint8_t *raw = calloc(1, event_size);
	struct txn *t = NULL;
	uint32_t count = 0;

	assert_non_null(raw);
	for (int i = 0; i < 50; i++) {
		assert_ok(txn_begin(f->store, true, &t));
		assert_ok(log_append(l, t, bytes_of(raw, event_size)));
		seal(f, l, t);
		assert_ok(txn_commit(t));
	}
	free(raw);
	assert_ok(txn_begin(f->store, false, &t));
	assert_chunk(l, t, 0, 32);
	assert_chunk(l, t, 18, 50);
	assert_ok(log_fit(l, t, 0, 50, COMMIT_BYTES_MAX, &count));
	assert_int_equal(count, 32);
	assert_ok(log_fit(l, t, 0, 50, COMMIT_BYTES_MAX - 1, &count));
	assert_int_equal(count, 31);
	assert_ok(log_fit(l, t, 0, 7, COMMIT_BYTES_MAX, &count));
	assert_int_equal(count, 7);
	assert_ok(log_fit(l, t, 40, 50, 3 * (event_size + 2), &count));
	assert_int_equal(count, 3);
	assert_ok(log_fit(l, t, 50, 50, COMMIT_BYTES_MAX, &count));
	assert_int_equal(count, 0);
	assert_ok(log_fit(l, t, 0, 50, 1, &count));
	assert_int_equal(count, 0);
	txn_abort(t);
}

/* As many changes as an event may have, with a long reason. */
static struct bytes heavy_event(struct fixture *f)
{
	static struct change changes[EVENT_CHANGES_MAX];
	static char ids[EVENT_CHANGES_MAX][24];
	static char reason[REASON_BYTES_MAX + 1];
	struct event e = event_of(changes, EVENT_CHANGES_MAX);
	struct bytes raw = {NULL, 0};

	memset(reason, 'r', REASON_BYTES_MAX);
	e.reason = reason;
	for (size_t i = 0; i < EVENT_CHANGES_MAX; i++) {
		(void)snprintf(ids[i], sizeof ids[i], "pl26-op-%zu", i);
		changes[i] = retire_change(RECORD_OPERATOR, ids[i]);
	}
	raw = encoded(f, &e);
	assert_int_equal(event_work_of(raw), event_work(&e));
	return raw;
}

static void commit_heavy(struct fixture *f, struct log *l, uint64_t count)
{
	struct bytes event = heavy_event(f);
	struct txn *t = NULL;

	assert_ok(txn_begin(f->store, true, &t));
	while (count--)
		assert_ok(log_append(l, t, event));
	seal(f, l, t);
	assert_ok(txn_commit(t));
}

static void a_chunk_ends_at_the_last_checkpoint_that_fits_by_work(void **state)
{
	struct fixture *f = *state;
	struct log *l = opened(f, "26");
	const uint64_t most = COMMIT_WORK_MAX / event_work_of(heavy_event(f));
	struct txn *t = NULL;
	uint32_t count = 0;

	for (uint64_t i = 0; i < most + 2; i++)
		commit_heavy(f, l, 1);
	commit_heavy(f, l, most + 1); /* no server would take that, but it is there */
	assert_ok(txn_begin(f->store, false, &t));
	assert_chunk(l, t, 0, most);
	assert_chunk(l, t, most, most + 2);
	assert_chunk(l, t, most + 2, 2 * most + 3);
	assert_ok(log_fit(l, t, 0, most + 2, COMMIT_BYTES_MAX, &count));
	assert_int_equal(count, most);
	txn_abort(t);
}

static void work_of_what_is_no_event_is_that_of_one_change(void **state)
{
	(void)state;
	assert_int_equal(event_work_of(bytes_of(NULL, 0)), EVENT_WORK_BYTES);
	assert_int_equal(event_work_of(bytes_of_text("\xff\xff\xff")), EVENT_WORK_BYTES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_chunk_ends_at_the_last_checkpoint_that_fits_by_number),
		TEST(a_chunk_ends_at_the_last_checkpoint_that_fits_by_bytes),
		TEST(a_chunk_ends_at_the_last_checkpoint_that_fits_by_work),
		TEST(work_of_what_is_no_event_is_that_of_one_change),
		TEST(a_commit_is_cut_where_a_checkpoint_is_stored_or_can_be_signed),
		TEST(a_chunk_ends_with_the_event_that_rotates_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
