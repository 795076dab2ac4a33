/* The store over real files: what is committed stays, what is aborted never was, and who may write
 * beside whom. */
#include "io_store_numbers.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static void what_is_committed_is_there_after_reopening(void **state)
{
	struct world *w = *state;

	open_store(w, 0, 0);
	commit_numbers(w, 1, 100, 300);
	close_store(w);
	open_store(w, 0, 0);
	assert_true(holds(w, 1));
	assert_true(holds(w, 99));
	assert_false(holds(w, 100));
}

static void what_is_aborted_never_was(void **state)
{
	struct world *w = *state;
	struct txn *t = NULL;
	uint8_t raw[4];

	open_store(w, 0, 0);
	commit_numbers(w, 1, 3, 10);
	OK(txn_begin(w->store, true, &t));
	OK(put_number(t, w->table, 7, 10));
	OK(txn_delete(t, w->table, key_of(1, raw)));
	assert_int_equal(txn_delete(t, w->table, key_of(9, raw)), ERR_NOT_FOUND);
	txn_abort(t);
	assert_true(holds(w, 1));
	assert_false(holds(w, 7));
}

static void a_reader_sees_its_snapshot_until_it_renews(void **state)
{
	struct world *w = *state;
	struct txn *t = NULL;
	struct scan *c = NULL;
	struct bytes key;
	struct bytes value;
	uint8_t raw[4];

	open_store(w, 0, 0);
	commit_numbers(w, 1, 3, 10);
	OK(txn_begin(w->store, false, &t));
	OK(scan_open(t, w->table, &c));
	OK(scan_last(c, &key, &value));
	assert_int_equal(number_of(key), 2);
	commit_numbers(w, 3, 5, 10);
	assert_int_equal(txn_get(t, w->table, key_of(4, raw), &value), ERR_NOT_FOUND);
	OK(txn_renew(t));
	OK(txn_get(t, w->table, key_of(4, raw), &value));
	assert_int_equal(scan_next(c, &key, &value), ERR_ARGUMENT); /* its place is lost */
	OK(scan_seek(c, key_of(3, raw), &key, &value));
	assert_int_equal(number_of(key), 3);
	txn_abort(t); /* with the scan still open */
}

static void scans_go_both_ways_and_stop_at_both_ends(void **state)
{
	struct world *w = *state;
	struct txn *t = NULL;
	struct scan *c = NULL;
	struct bytes key;
	struct bytes value;
	uint8_t raw[4];

	open_store(w, 0, 0);
	OK(txn_begin(w->store, true, &t));
	for (uint32_t i = 10; i < 50; i += 10)
		OK(put_number(t, w->table, i, 5));
	OK(txn_commit(t));
	OK(txn_begin(w->store, false, &t));
	OK(scan_open(t, w->table, &c));
	for (uint32_t i = 10; i < 50; i += 10) {
		OK(scan_next(c, &key, &value));
		assert_int_equal(number_of(key), i);
	}
	assert_int_equal(scan_next(c, &key, &value), ERR_NOT_FOUND);
	assert_int_equal(scan_next(c, &key, &value), ERR_NOT_FOUND);
	for (uint32_t i = 40; i >= 10; i -= 10) {
		OK(scan_prev(c, &key, &value));
		assert_int_equal(number_of(key), i);
	}
	assert_int_equal(scan_prev(c, &key, &value), ERR_NOT_FOUND);
	OK(scan_next(c, &key, &value));
	assert_int_equal(number_of(key), 10);
	OK(scan_seek(c, key_of(21, raw), &key, &value));
	assert_int_equal(number_of(key), 30);
	OK(scan_prev(c, &key, &value));
	assert_int_equal(number_of(key), 20);
	assert_int_equal(scan_seek(c, key_of(41, raw), &key, &value), ERR_NOT_FOUND);
	OK(scan_prev(c, &key, &value));
	assert_int_equal(number_of(key), 40);
	OK(scan_seek(c, bytes_of(NULL, 0), &key, &value));
	assert_int_equal(number_of(key), 10);
	scan_close(c);
	OK(scan_open(t, w->table, &c));
	OK(scan_prev(c, &key, &value));
	assert_int_equal(number_of(key), 40);
	scan_close(c);
	txn_abort(t);
}

static void a_scan_in_a_write_transaction_goes_on_past_what_it_deletes(void **state)
{
	struct world *w = *state;
	struct txn *t = NULL;
	struct scan *c = NULL;
	struct bytes key;
	struct bytes value;
	uint32_t seen = 0;
	enum err err = ERR_OK;

	open_store(w, 0, 0);
	commit_numbers(w, 0, 1000, 50);
	OK(txn_begin(w->store, true, &t));
	OK(scan_open(t, w->table, &c));
	while ((err = scan_next(c, &key, &value)) == ERR_OK) {
		uint8_t raw[4];

		assert_int_equal(number_of(key), seen);
		OK(txn_delete(t, w->table, key_of(seen, raw)));
		seen++;
	}
	assert_int_equal(err, ERR_NOT_FOUND);
	assert_int_equal(seen, 1000);
	OK(txn_commit(t));
	assert_false(holds(w, 500));
}

static void append_takes_rising_keys_only_and_the_transaction_goes_on(void **state)
{
	struct world *w = *state;
	struct txn *t = NULL;
	uint8_t raw[4];
	struct bytes x = bytes_of_text("x");

	open_store(w, 0, 0);
	OK(txn_begin(w->store, true, &t));
	for (uint32_t i = 0; i < 5000; i++)
		OK(txn_append(t, w->table, key_of(i * 2, raw), x));
	assert_int_equal(txn_append(t, w->table, key_of(9998, raw), x), ERR_EXISTS);
	assert_int_equal(txn_append(t, w->table, key_of(7, raw), x), ERR_EXISTS);
	OK(txn_append(t, w->table, key_of(10001, raw), bytes_of("\x11", 1)));
	OK(txn_commit(t));
	assert_true(holds(w, 10001));
}

static void keys_that_do_not_fit_are_refused(void **state)
{
	struct world *w = *state;
	struct txn *t = NULL;
	char key[600] = {0};
	struct bytes value;

	open_store(w, 0, 0);
	OK(txn_begin(w->store, true, &t));
	assert_int_equal(txn_put(t, w->table, bytes_of(key, 512), bytes_of(key, 1)), ERR_ARGUMENT);
	assert_int_equal(txn_put(t, w->table, bytes_of(key, 0), bytes_of(key, 1)), ERR_ARGUMENT);
	assert_int_equal(txn_get(t, w->table, bytes_of(key, 0), &value), ERR_ARGUMENT);
	OK(txn_put(t, w->table, bytes_of(key, 511), bytes_of(key, 0)));
	OK(txn_commit(t));
}

static void a_table_opened_twice_is_the_same_and_a_missing_one_is_not_found(void **state)
{
	struct world *w = *state;
	struct table again = {0};
	struct table other = {0};

	open_store(w, 0, 0);
	OK(store_table(w->store, "things", true, &again));
	assert_int_equal(again.id, w->table.id);
	assert_int_equal(store_table(w->store, "absent", false, &other), ERR_NOT_FOUND);
	OK(store_table(w->store, "other", true, &other));
	assert_int_not_equal(other.id, w->table.id);
	close_store(w);
	open_store(w, 0, 0);
	OK(store_table(w->store, "other", false, &other));
}

static void a_second_write_transaction_in_one_thread_is_refused_not_waited_for(void **state)
{
	struct world *w = *state;
	struct txn *t = NULL;
	struct txn *second = NULL;
	struct table table;

	open_store(w, 0, 0);
	OK(txn_begin(w->store, true, &t));
	assert_int_equal(txn_begin(w->store, true, &second), ERR_BUSY);
	assert_int_equal(store_table(w->store, "late", true, &table), ERR_ARGUMENT);
	assert_int_equal(store_grow(w->store), ERR_ARGUMENT);
	txn_abort(t);
	OK(txn_begin(w->store, true, &t));
	txn_abort(t);
	OK(txn_begin(w->store, false, &t));
	assert_int_equal(store_grow(w->store), ERR_ARGUMENT); /* rather than wait for itself */
	txn_abort(t);
	OK(store_grow(w->store));
}

struct writing {
	struct world *world;
	uint32_t from;
};

static void *write_some(void *context)
{
	struct writing *x = context;

	for (uint32_t i = x->from; i < x->from + 50; i++) {
		struct txn *t = NULL;

		if (txn_begin(x->world->store, true, &t) != ERR_OK)
			return context;
		if (put_number(t, x->world->table, i, 10) != ERR_OK)
			return context;
		if (i % 3 == 0 && txn_commit(t) != ERR_OK)
			return context;
		if (i % 3 != 0)
			txn_abort(t);
	}
	return NULL;
}

static void writers_of_several_threads_wait_for_each_other(void **state)
{
	struct world *w = *state;
	struct writing each[3] = {{w, 0}, {w, 1000}, {w, 2000}};
	pthread_t threads[3];

	open_store(w, 1 << 20, 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_some, &each[i]), 0);
	for (size_t i = 0; i < 3; i++) {
		void *failed = NULL;

		OK(store_grow(w->store)); /* as they go */
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_true(holds(w, 48) && holds(w, 1002) && holds(w, 2001));
	assert_false(holds(w, 49) || holds(w, 1000));
}

static void a_second_writer_is_busy_and_a_reader_is_not(void **state)
{
	struct world *w = *state;
	struct store *second = NULL;
	struct store_options o = {.map_bytes = 1 << 20};
	int status = 0;
	pid_t child = 0;

	open_store(w, 1 << 20, 0);
	commit_numbers(w, 1, 10, 100);
	assert_int_equal(store_open(w->path, &o, &second), ERR_BUSY);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct txn *t = NULL;
		struct table table;
		struct bytes value;
		uint8_t raw[4];

		if (store_open(w->path, &o, &second) != ERR_BUSY)
			_exit(1);
		o.read_only = true;
		if (store_open(w->path, &o, &second) != ERR_OK ||
		    store_table(second, "things", false, &table) != ERR_OK ||
		    txn_begin(second, true, &t) != ERR_DENIED ||
		    txn_begin(second, false, &t) != ERR_OK ||
		    txn_get(t, table, key_of(5, raw), &value) != ERR_OK || value.size != 100)
			_exit(2);
		txn_abort(t);
		store_close(second);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void a_reader_of_nothing_is_told_so(void **state)
{
	struct world *w = *state;
	struct store_options o = {.read_only = true};

	assert_int_equal(store_open(w->path, &o, &w->store), ERR_NOT_FOUND);
	assert_int_equal(store_walk(w->path), ERR_NOT_FOUND);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_is_committed_is_there_after_reopening),
		T(what_is_aborted_never_was),
		T(a_reader_sees_its_snapshot_until_it_renews),
		T(scans_go_both_ways_and_stop_at_both_ends),
		T(a_scan_in_a_write_transaction_goes_on_past_what_it_deletes),
		T(append_takes_rising_keys_only_and_the_transaction_goes_on),
		T(keys_that_do_not_fit_are_refused),
		T(a_table_opened_twice_is_the_same_and_a_missing_one_is_not_found),
		T(a_second_write_transaction_in_one_thread_is_refused_not_waited_for),
		T(writers_of_several_threads_wait_for_each_other),
		T(a_second_writer_is_busy_and_a_reader_is_not),
		T(a_reader_of_nothing_is_told_so),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
