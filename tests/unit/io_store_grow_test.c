/* A full map grows, under readers of the same process and of another, up to its bound. */
#include "io_store_numbers.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_full_map_grows_under_a_reader_and_the_work_is_done_again),
		T(the_map_ends_at_its_bound),
		T(a_reader_in_another_process_follows_the_grown_map),
	};

	return cmocka_run_group_tests_name("store grows", tests, NULL, NULL);
}
