/* What the system does to a store: a full disk changes nothing, and a file that was cut short or
 * written over is met before it is relied on. */
#include "io_store_numbers.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
		T(a_full_disk_changes_nothing_and_passes),
		T(a_truncated_file_is_found_by_the_walk),
		T(a_file_cut_to_nothing_is_not_taken_for_a_new_store),
		T(garbage_in_the_first_pages_is_corrupt_at_opening),
		T(garbage_over_the_pages_of_the_tree_is_found_by_the_walk),
		T(walking_ends_with_an_error_or_a_signal_whichever_page_is_zeroed),
	};

	return cmocka_run_group_tests_name("store faults", tests, NULL, NULL);
}
