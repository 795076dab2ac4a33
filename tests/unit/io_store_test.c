/* The store over real files: what is committed stays, what is aborted never was, and
 * damage is met before it is relied on. */
#include "temporary.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/store.h"

struct world {
	char folder[TEMPORARY_BYTES];
	char path[128];
	struct store *store;
	struct table table;
};

static void open_store(struct world *w, size_t map_bytes, size_t map_bytes_max)
{
	struct store_options o = {.map_bytes = map_bytes, .map_bytes_max = map_bytes_max};

	OK(store_open(w->path, &o, &w->store));
	OK(store_table(w->store, "things", true, &w->table));
}

static void close_store(struct world *w)
{
	store_close(w->store);
	w->store = NULL;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	temporary_make(w->folder, "store");
	(void)snprintf(w->path, sizeof w->path, "%s/a/store", w->folder);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	store_close(w->store);
	temporary_remove(w->folder);
	free(w);
	return 0;
}

static struct bytes key_of(uint32_t number, uint8_t raw[static 4])
{
	for (unsigned i = 0; i < 4; i++)
		raw[i] = (uint8_t)(number >> (24 - 8 * i));
	return bytes_of(raw, 4);
}

static uint32_t number_of(struct bytes key)
{
	struct cursor c = cursor_of(key);
	uint32_t number = cursor_u32be(&c);

	OK(cursor_finish(&c));
	return number;
}

static enum err put_number(struct txn *t, struct table table, uint32_t number, size_t size)
{
	uint8_t raw[4];
	uint8_t value[8192];

	memset(value, (int)(number & 0xff), sizeof value);
	return txn_put(t, table, key_of(number, raw), bytes_of(value, size));
}

static void commit_numbers(struct world *w, uint32_t from, uint32_t to, size_t size)
{
	struct txn *t = NULL;

	OK(txn_begin(w->store, true, &t));
	for (uint32_t i = from; i < to; i++)
		OK(put_number(t, w->table, i, size));
	OK(txn_commit(t));
}

static bool holds(struct world *w, uint32_t number)
{
	struct txn *t = NULL;
	struct bytes value;
	uint8_t raw[4];
	enum err err = ERR_OK;

	OK(txn_begin(w->store, false, &t));
	err = txn_get(t, w->table, key_of(number, raw), &value);
	if (err == ERR_OK)
		assert_true(value.size > 0 && value.data[0] == (number & 0xff));
	else
		assert_int_equal(err, ERR_NOT_FOUND);
	txn_abort(t);
	return err == ERR_OK;
}

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

/* ---- growing ---- */

struct reading {
	struct world *world;
	_Atomic bool stop;
	_Atomic unsigned passes;
};

static void *keep_reading(void *context)
{
	struct reading *r = context;
	struct txn *t = NULL;
	struct scan *c = NULL;
	struct bytes key;
	struct bytes value;

	if (txn_begin(r->world->store, false, &t) != ERR_OK)
		return context;
	while (!r->stop) {
		uint32_t expected = 0;

		if (txn_renew(t) != ERR_OK || scan_open(t, r->world->table, &c) != ERR_OK)
			return context;
		while (scan_next(c, &key, &value) == ERR_OK) {
			if (number_of(key) != expected || value.size != 4000 ||
			    value.data[3999] != (expected & 0xff))
				return context;
			expected++;
		}
		scan_close(c);
		r->passes++;
	}
	txn_abort(t);
	return NULL;
}

static void a_full_map_grows_under_a_reader_and_the_work_is_done_again(void **state)
{
	struct world *w = *state;
	struct reading r = {.world = w};
	pthread_t thread;
	void *failed = NULL;
	unsigned grown = 0;

	open_store(w, 1 << 20, 16 << 20);
	assert_int_equal(pthread_create(&thread, NULL, keep_reading, &r), 0);
	for (uint32_t i = 0; i < 1500; i += 100) {
		struct txn *t = NULL;
		enum err err = ERR_OK;

		OK(txn_begin(w->store, true, &t));
		for (uint32_t j = i; j < i + 100 && err == ERR_OK; j++)
			err = put_number(t, w->table, j, 4000);
		if (err == ERR_OK) {
			err = txn_commit(t);
		} else { /* what failed half-way can not be committed by mistake */
			assert_int_equal(err, ERR_MAP_FULL);
			assert_int_equal(txn_commit(t), ERR_MAP_FULL);
		}
		if (err == ERR_MAP_FULL) {
			assert_false(holds(w, i));
			OK(store_grow(w->store));
			grown++;
			i -= 100;
		} else {
			OK(err);
		}
	}
	r.stop = true;
	assert_int_equal(pthread_join(thread, &failed), 0);
	assert_null(failed);
	assert_true(grown >= 3);
	assert_true(holds(w, 1499));
}

static void the_map_ends_at_its_bound(void **state)
{
	struct world *w = *state;
	size_t used = 0;
	size_t map = 0;

	open_store(w, 1 << 20, 3 << 20);
	OK(store_grow(w->store));
	OK(store_grow(w->store));
	assert_int_equal(store_grow(w->store), ERR_LIMIT);
	OK(store_usage(w->store, &used, &map));
	assert_int_equal(map, 3 << 20);
	assert_true(used > 0 && used < map);
}

static void a_reader_in_another_process_follows_the_grown_map(void **state)
{
	struct world *w = *state;
	int to_child[2];
	int to_parent[2];
	int status = 0;
	char go = 0;
	pid_t child = 0;

	open_store(w, 1 << 20, 0);
	commit_numbers(w, 0, 10, 4000);
	close_store(w);
	assert_int_equal(pipe(to_child), 0);
	assert_int_equal(pipe(to_parent), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct store_options o = {.read_only = true, .map_bytes = 1 << 20};

		if (store_open(w->path, &o, &w->store) != ERR_OK ||
		    store_table(w->store, "things", false, &w->table) != ERR_OK || !holds(w, 9) ||
		    write(to_parent[1], "x", 1) != 1 || read(to_child[0], &go, 1) != 1)
			_exit(1);
		_exit(holds(w, 999) ? 0 : 2);
	}
	assert_int_equal(read(to_parent[0], &go, 1), 1);
	open_store(w, 1 << 20, 0);
	for (unsigned i = 0; i < 3; i++)
		OK(store_grow(w->store));
	commit_numbers(w, 10, 1000, 4000);
	assert_int_equal(write(to_child[1], "x", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	for (unsigned i = 0; i < 2; i++) {
		(void)close(to_child[i]);
		(void)close(to_parent[i]);
	}
}

/* ---- faults ---- */

static void a_full_disk_changes_nothing_and_passes(void **state)
{
	struct world *w = *state;
	struct rlimit usual;
	struct rlimit small;
	struct txn *t = NULL;
	enum err err = ERR_OK;
	char path[160];
	struct stat st;

	open_store(w, 0, 0);
	commit_numbers(w, 1, 50, 4000);
	(void)snprintf(path, sizeof path, "%s/data.mdb", w->path);
	assert_int_equal(stat(path, &st), 0);
	/* A bound on the file's size is met as a full disk is: first a short write. */
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
	small = usual;
	small.rlim_cur = (rlim_t)st.st_size + 30000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (unsigned i = 0; i < 3; i++) {
		OK(txn_begin(w->store, true, &t));
		for (uint32_t j = 100; j < 800; j++)
			OK(put_number(t, w->table, j, 4000));
		err = txn_commit(t);
		assert_int_equal(err, ERR_DISK_FULL);
	}
	assert_true(holds(w, 49));
	assert_false(holds(w, 100));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
	commit_numbers(w, 100, 800, 4000);
	assert_true(holds(w, 799));
	close_store(w);
	OK(store_walk(w->path));
}

/* Opens and walks in a child, as a daemon does after an unclean stop; the child's own
 * signals are its answer too. */
static bool found_damaged(struct world *w)
{
	int status = 0;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

		(void)dup2(nowhere, STDERR_FILENO);
		(void)signal(SIGBUS, SIG_DFL); /* not the test runner's */
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGABRT, SIG_DFL);
		_exit(store_walk(w->path) == ERR_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status != 0;
}

static void fill(struct world *w)
{
	open_store(w, 0, 0);
	for (uint32_t i = 0; i < 8; i++)
		commit_numbers(w, i * 100, i * 100 + 100, i % 2 ? 100 : 6000);
	close_store(w);
	assert_false(found_damaged(w));
}

static int open_data(struct world *w, off_t *ret_size)
{
	char path[160];
	int fd = -1;

	(void)snprintf(path, sizeof path, "%s/data.mdb", w->path);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	*ret_size = lseek(fd, 0, SEEK_END);
	return fd;
}

static void a_truncated_file_is_found_by_the_walk(void **state)
{
	struct world *w = *state;
	off_t size = 0;
	int fd = -1;

	fill(w);
	fd = open_data(w, &size);
	for (off_t cut = size / 2; cut > 0; cut /= 4) {
		assert_int_equal(ftruncate(fd, cut), 0);
		assert_true(found_damaged(w));
	}
	(void)close(fd);
}

static void a_file_cut_to_nothing_is_not_taken_for_a_new_store(void **state)
{
	struct world *w = *state;
	struct store_options o = {.map_bytes = 0};
	off_t size = 0;
	int fd = -1;

	fill(w);
	fd = open_data(w, &size);
	assert_int_equal(ftruncate(fd, 0), 0);
	(void)close(fd);
	assert_int_equal(store_open(w->path, &o, &w->store), ERR_CORRUPT);
}

static void garbage_in_the_first_pages_is_corrupt_at_opening(void **state)
{
	struct world *w = *state;
	struct store_options o = {.map_bytes = 0};
	uint8_t noise[8192];
	off_t size = 0;
	int fd = -1;

	fill(w);
	fd = open_data(w, &size);
	memset(noise, 0x5a, sizeof noise);
	assert_int_equal(pwrite(fd, noise, sizeof noise, 0), (ssize_t)sizeof noise);
	(void)close(fd);
	assert_int_equal(store_open(w->path, &o, &w->store), ERR_CORRUPT);
	assert_true(found_damaged(w));
}

static void garbage_over_the_pages_of_the_tree_is_found_by_the_walk(void **state)
{
	struct world *w = *state;
	uint8_t noise[4096];
	off_t size = 0;
	int fd = -1;

	fill(w);
	fd = open_data(w, &size);
	/* Every page but the first two: values too, so most pages of the tree are hit. */
	for (off_t at = 2 * (off_t)sizeof noise; at < size; at += (off_t)sizeof noise) {
		for (size_t i = 0; i < sizeof noise; i++)
			noise[i] = (uint8_t)(((uint64_t)at * 31 + i * 2654435761U) >> 7);
		assert_true(pwrite(fd, noise, sizeof noise, at) > 0);
	}
	(void)close(fd);
	assert_true(found_damaged(w));
}

static void walking_ends_with_an_error_or_a_signal_whichever_page_is_zeroed(void **state)
{
	struct world *w = *state;
	uint8_t page[4096];
	uint8_t zero[4096] = {0};
	unsigned found = 0;
	unsigned tried = 0;
	off_t size = 0;
	int fd = -1;

	open_store(w, 0, 0);
	commit_numbers(w, 0, 400, 100); /* no page is free, so that every page counts */
	close_store(w);
	fd = open_data(w, &size);
	for (off_t at = 2 * (off_t)sizeof page; at < size; at += (off_t)sizeof page) {
		assert_int_equal(pread(fd, page, sizeof page, at), (ssize_t)sizeof page);
		assert_int_equal(pwrite(fd, zero, sizeof zero, at), (ssize_t)sizeof zero);
		found += found_damaged(w);
		tried++;
		assert_int_equal(pwrite(fd, page, sizeof page, at), (ssize_t)sizeof page);
	}
	assert_false(found_damaged(w));
	(void)close(fd);
	/* A page or two is free already after the table was made. */
	assert_true(tried > 10);
	assert_true(found + 3 >= tried);
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
		T(a_full_map_grows_under_a_reader_and_the_work_is_done_again),
		T(the_map_ends_at_its_bound),
		T(a_reader_in_another_process_follows_the_grown_map),
		T(a_full_disk_changes_nothing_and_passes),
		T(a_truncated_file_is_found_by_the_walk),
		T(a_file_cut_to_nothing_is_not_taken_for_a_new_store),
		T(garbage_in_the_first_pages_is_corrupt_at_opening),
		T(garbage_over_the_pages_of_the_tree_is_found_by_the_walk),
		T(walking_ends_with_an_error_or_a_signal_whichever_page_is_zeroed),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
