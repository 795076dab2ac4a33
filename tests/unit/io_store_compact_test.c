/* A store written anew: what was deleted is in no file, what was not is all there, and a kill
 * leaves the one or the other. */
#include "temporary.h"

#include <dirent.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/store.h"

enum { ROWS = 3000, VALUE_BYTES = 200, MAP_BYTES = 64 * 1024 * 1024 };

struct world {
	char root[TEMPORARY_BYTES];
	char folder[TEMPORARY_BYTES + 16];
	struct store *store;
	struct table rows, few, empty;
};

static void open_store(struct world *w)
{
	struct store_options o = {.map_bytes = MAP_BYTES};

	OK(store_open(w->folder, &o, &w->store));
	OK(store_table(w->store, "rows", true, &w->rows));
	OK(store_table(w->store, "few", true, &w->few));
	OK(store_table(w->store, "empty", true, &w->empty));
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
	temporary_make(w->root, "compact");
	(void)snprintf(w->folder, sizeof w->folder, "%s/store", w->root);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	store_close(w->store);
	temporary_remove(w->root);
	free(w);
	return 0;
}

/* Row `i`: a value that is found by its text, wherever it lies. */
static struct bytes value_of(unsigned i, char text[static VALUE_BYTES])
{
	(void)snprintf(text, VALUE_BYTES, "{row-%06u: %0*u}", i, (int)(20 + i % 150), i);
	return bytes_of_text(text);
}

static struct bytes key_of(unsigned i, char text[static 16])
{
	(void)snprintf(text, 16, "%08u", i);
	return bytes_of_text(text);
}

static void fill(struct world *w)
{
	char key[16];
	char text[VALUE_BYTES];

	open_store(w);
	for (unsigned i = 0; i < ROWS; i += 100) {
		struct txn *t = NULL;

		OK(txn_begin(w->store, true, &t));
		for (unsigned j = i; j < i + 100; j++)
			OK(txn_put(t, w->rows, key_of(j, key), value_of(j, text)));
		OK(txn_put(t, w->few, key_of(i, key), value_of(i + ROWS, text)));
		OK(txn_commit(t));
	}
}

static bool is_erased(unsigned i)
{
	return i % 7 == 3;
}

/* Empties some rows, as a redaction does, and deletes others. */
static void erase(struct world *w)
{
	char key[16];
	struct txn *t = NULL;

	OK(txn_begin(w->store, true, &t));
	for (unsigned i = 0; i < ROWS; i++) {
		if (is_erased(i) && i % 2)
			OK(txn_put(t, w->rows, key_of(i, key), bytes_of("", 0)));
		else if (is_erased(i))
			OK(txn_delete(t, w->rows, key_of(i, key)));
	}
	OK(txn_commit(t));
}

static bool file_holds(const char *path, const char *text)
{
	struct stat st;
	FILE *f = fopen(path, "rb");
	uint8_t *raw = NULL;
	bool found = false;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	raw = malloc((size_t)st.st_size + 1);
	assert_non_null(raw);
	assert_int_equal(fread(raw, 1, (size_t)st.st_size, f), (size_t)st.st_size);
	found = memmem(raw, (size_t)st.st_size, text, strlen(text)) != NULL;
	free(raw);
	assert_int_equal(fclose(f), 0);
	return found;
}

/* How many of the erased rows some file of the folder still shows, by `length` bytes of them. */
static unsigned erased_found(const struct world *w, size_t length)
{
	unsigned found = 0;
	DIR *d = opendir(w->folder);
	const struct dirent *entry = NULL;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		char path[512];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", w->folder, entry->d_name);
		for (unsigned i = 3; i < ROWS; i += 7) {
			char text[VALUE_BYTES];

			(void)value_of(i, text);
			text[length] = 0;
			found += file_holds(path, text);
		}
	}
	assert_int_equal(closedir(d), 0);
	return found;
}

static void assert_rows(struct world *w)
{
	char key[16];
	char text[VALUE_BYTES];
	struct txn *t = NULL;

	open_store(w);
	OK(txn_begin(w->store, false, &t));
	for (unsigned i = 0; i < ROWS; i++) {
		struct bytes expected = is_erased(i) ? bytes_of("", 0) : value_of(i, text);
		struct bytes value = {NULL, 0};
		enum err e = txn_get(t, w->rows, key_of(i, key), &value);

		assert_int_equal(e, is_erased(i) && i % 2 == 0 ? ERR_NOT_FOUND : ERR_OK);
		assert_true(e == ERR_NOT_FOUND || bytes_equal(value, expected));
		if (i % 100 == 0) {
			OK(txn_get(t, w->few, key_of(i, key), &value));
			assert_true(bytes_equal(value, value_of(i + ROWS, text)));
		}
	}
	txn_abort(t);
	close_store(w);
}

static void what_was_erased_is_in_no_file_and_the_rest_is_there(void **state)
{
	struct world *w = *state;

	fill(w);
	erase(w);
	close_store(w);
	assert_true(erased_found(w, 12) > 0); /* else this test shows nothing */
	OK(store_compact(w->folder));
	assert_int_equal(erased_found(w, 12), 0);
	assert_rows(w);
	OK(store_walk(w->folder));
	OK(store_compact(w->folder));
	assert_rows(w);
}

static void a_store_written_anew_is_written_on_and_keeps_its_mode(void **state)
{
	struct world *w = *state;
	struct stat before;
	struct stat after;
	char path[128];
	char key[16];
	struct txn *t = NULL;

	(void)snprintf(path, sizeof path, "%s/data.mdb", w->folder);
	fill(w);
	erase(w);
	close_store(w);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(stat(path, &before), 0);
	OK(store_compact(w->folder));
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_true(after.st_size < before.st_size);
	for (unsigned i = 0; i < 5; i++) {
		open_store(w);
		OK(txn_begin(w->store, true, &t));
		OK(txn_put(t, w->empty, key_of(i, key), bytes_of_text("more")));
		OK(txn_commit(t));
		close_store(w);
	}
	assert_rows(w);
	OK(store_walk(w->folder));
}

static void who_has_it_open_keeps_it_as_it_is(void **state)
{
	struct world *w = *state;
	struct store_options reader = {.read_only = true, .map_bytes = MAP_BYTES};
	int ready[2];
	int status = 0;
	char byte = 0;
	pid_t child = 0;

	fill(w);
	assert_int_equal(store_compact(w->folder), ERR_BUSY);
	close_store(w);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct store *s = NULL;
		bool opened = store_open(w->folder, &reader, &s) == ERR_OK;

		if (!opened || write(ready[1], "r", 1) != 1)
			_exit(1);
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(store_compact(w->folder), ERR_BUSY);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	OK(store_compact(w->folder));
	assert_int_equal(close(ready[0]), 0);
	assert_int_equal(close(ready[1]), 0);
}

static void there_is_nothing_to_write_anew_where_no_store_is(void **state)
{
	struct world *w = *state;

	assert_int_equal(store_compact(w->folder), ERR_NOT_FOUND);
	assert_int_equal(access(w->folder, F_OK), -1);
}

static void damage_leaves_the_old_store(void **state)
{
	struct world *w = *state;
	char path[128];
	struct stat before;
	struct stat after;

	fill(w);
	close_store(w);
	(void)snprintf(path, sizeof path, "%s/data.mdb", w->folder);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_not_equal(store_compact(w->folder), ERR_OK);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	(void)snprintf(path, sizeof path, "%s/compact.mdb", w->folder);
	assert_int_equal(access(path, F_OK), -1);
}

/* Kills it at some moment, many times: whatever is left opens and holds everything. */
static void a_kill_at_any_moment_leaves_a_whole_store(void **state)
{
	struct world *w = *state;

	fill(w);
	erase(w);
	close_store(w);
	for (useconds_t wait = 0; wait < 24000; wait += 800) {
		int status = 0;
		pid_t child = fork();

		assert_true(child >= 0);
		if (child == 0) {
			for (;;) {
				if (store_compact(w->folder) != ERR_OK)
					_exit(1);
			}
		}
		assert_int_equal(usleep(2000 + wait), 0);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_rows(w);
	}
	OK(store_compact(w->folder));
	assert_int_equal(erased_found(w, 12), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_erased_is_in_no_file_and_the_rest_is_there),
		TEST(a_store_written_anew_is_written_on_and_keeps_its_mode),
		TEST(who_has_it_open_keeps_it_as_it_is),
		TEST(there_is_nothing_to_write_anew_where_no_store_is),
		TEST(damage_leaves_the_old_store),
		TEST(a_kill_at_any_moment_leaves_a_whole_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
