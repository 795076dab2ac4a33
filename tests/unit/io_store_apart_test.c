/* Readers that the writer knows nothing of: what they read stands for a lease, and who took longer
 * is told. */
#include "io_store_beside.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/time.h"

enum { ROWS = 200, ROW_BYTES = 500, ROUND_BYTES = 4 };

/* Every row says the same round. */
static enum err try_round(struct world *w, uint32_t round)
{
	uint8_t value[ROW_BYTES];
	struct txn *t = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; i < ROW_BYTES; i += ROUND_BYTES)
		memcpy(value + i, &round, ROUND_BYTES);
	OK(txn_begin(w->store, true, &t));
	for (uint32_t row = 0; row < ROWS && e == ERR_OK; row++)
		e = txn_put(t, w->table, bytes_of(&row, sizeof row), bytes_of(value, ROW_BYTES));
	if (e == ERR_OK)
		return txn_commit(t);
	txn_abort(t);
	return e;
}

/* The store grows meanwhile, from a small one: what is read apart stands all the same. */
static void write_round(struct world *w, uint32_t round)
{
	enum err e = try_round(w, round);

	while (e == ERR_MAP_FULL) {
		OK(store_grow(w->store));
		e = try_round(w, round);
	}
	OK(e);
}

static void read_round(struct txn *t, struct table table, uint32_t *round)
{
	for (uint32_t row = 0; row < ROWS; row++) {
		struct bytes value = {NULL, 0};

		MUST(txn_get(t, table, bytes_of(&row, sizeof row), &value) == ERR_OK);
		MUST(value.size == ROW_BYTES);
		for (size_t i = 0; i < ROW_BYTES; i += ROUND_BYTES) {
			uint32_t here = 0;

			memcpy(&here, value.data + i, ROUND_BYTES);
			if (*round == 0)
				*round = here;
			MUST(here == *round);
		}
	}
}

/* One snapshot for most of a lease, while rounds go by; then the next, which is a newer one. */
static void read_long_snapshots(struct world *w)
{
	struct store *s = open_apart(w);
	struct table table;
	uint32_t last = 0;

	MUST(store_table(s, "things", false, &table) == ERR_OK);
	for (int snapshot = 0; snapshot < 3; snapshot++) {
		int64_t until = mono_now().ms + STORE_LEASE_MS * 3 / 4;
		uint32_t round = 0;
		struct txn *t = NULL;

		MUST(txn_begin(s, false, &t) == ERR_OK);
		while (mono_now().ms < until)
			read_round(t, table, &round);
		if (txn_stands(t) == ERR_OK)
			MUST(round > last);
		last = round;
		txn_abort(t);
	}
	store_close(s);
}

static void a_reader_apart_keeps_its_snapshot_for_a_lease_however_much_is_written(void **state)
{
	struct world *w = *state;
	struct store_options o = {
		.mode = STORE_UNSYNCED, .map_bytes = MAP_BYTES, .group_reads = true};
	uint32_t round = 1;
	int status = 0;
	pid_t child = 0;

	OK(store_open(w->folder, &o, &w->store));
	OK(store_table(w->store, "things", true, &w->table));
	write_round(w, round++);
	child = beside(w, read_long_snapshots);
	while (waitpid(child, &status, WNOHANG) == 0)
		write_round(w, round++);
	assert_true(round > 100);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void what_was_written_once_is_given_room_again(void **state)
{
	struct world *w = *state;
	struct store_options o = {
		.mode = STORE_UNSYNCED, .map_bytes = (size_t)1 << 34, .group_reads = true};
	size_t before = 0;
	size_t after = 0;
	size_t map = 0;
	int64_t until = 0;

	OK(store_open(w->folder, &o, &w->store));
	OK(store_table(w->store, "things", true, &w->table));
	for (until = mono_now().ms + 3 * STORE_LEASE_MS; mono_now().ms < until; usleep(20000))
		write_round(w, 1);
	OK(store_usage(w->store, &before, &map));
	for (until = mono_now().ms + 2 * STORE_LEASE_MS; mono_now().ms < until; usleep(20000))
		write_round(w, 2);
	OK(store_usage(w->store, &after, &map));
	assert_true(after < before + before / 2); /* without it, it would grow by two thirds */
}

static void outlast_a_lease(struct world *w)
{
	struct store *s = open_apart(w);
	struct txn *t = NULL;

	MUST(txn_begin(s, false, &t) == ERR_OK);
	MUST(txn_stands(t) == ERR_OK);
	(void)usleep((STORE_LEASE_MS + 100) * 1000);
	MUST(txn_stands(t) == ERR_AGAIN);
	txn_abort(t);
	MUST(txn_begin(s, false, &t) == ERR_OK);
	MUST(txn_stands(t) == ERR_OK);
	txn_abort(t);
	store_close(s);
}

static void who_reads_apart_for_too_long_is_told(void **state)
{
	struct world *w = *state;

	open_writer(w, true);
	put(w, "a", 10);
	child_ends_well(beside(w, outlast_a_lease));
}

static void write_over(const struct world *w, const char *was, char by)
{
	char path[TEMPORARY_BYTES + 32];
	struct stat st;
	uint8_t *raw = NULL;
	uint8_t *at = NULL;
	int fd = -1;

	(void)snprintf(path, sizeof path, "%s/data.mdb", w->folder);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	raw = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(raw != MAP_FAILED);
	at = memmem(raw, (size_t)st.st_size, was, strlen(was));
	assert_non_null(at);
	for (; at; at = memmem(raw, (size_t)st.st_size, was, strlen(was)))
		*at = (uint8_t)by;
	(void)munmap(raw, (size_t)st.st_size);
	(void)close(fd);
}

static enum err read_torn(struct txn *t, struct table table, bool scanning)
{
	struct scan *scan = NULL;
	struct bytes key = {NULL, 0};
	struct bytes value = {NULL, 0};
	enum err e = ERR_OK;

	if (!scanning)
		return txn_get(t, table, bytes_of_text("torn"), &value);
	e = scan_open(t, table, &scan);
	if (e == ERR_OK)
		e = scan_seek(scan, bytes_of_text("torn"), &key, &value);
	scan_close(scan);
	return e;
}

static void read_what_is_written_over(struct world *w)
{
	struct store *s = open_apart(w);
	struct table table;
	struct txn *t = NULL;

	MUST(store_table(s, "things", false, &table) == ERR_OK);
	MUST(txn_begin(s, false, &t) == ERR_OK);
	MUST(read_torn(t, table, false) == ERR_OK);
	say(w->to_parent[1]);
	hear(w->to_child[0]);
	MUST(read_torn(t, table, false) == ERR_CORRUPT);
	MUST(read_torn(t, table, true) == ERR_CORRUPT);
	(void)usleep((STORE_LEASE_MS + 100) * 1000);
	MUST(read_torn(t, table, false) == ERR_AGAIN);
	MUST(read_torn(t, table, true) == ERR_AGAIN);
	txn_abort(t);
	store_close(s);
}

static void what_is_written_over_past_the_lease_is_no_damage(void **state)
{
	struct world *w = *state;
	struct txn *t = NULL;
	pid_t child = 0;

	open_writer(w, true);
	OK(txn_begin(w->store, true, &t));
	OK(txn_put(t, w->table, bytes_of_text("torn"), bytes_of_text("what stood here before")));
	OK(txn_commit(t));
	child = beside(w, read_what_is_written_over);
	hear(w->to_parent[0]);
	write_over(w, "what stood here before", 'W');
	say(w->to_child[1]);
	child_ends_well(child);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_reader_apart_keeps_its_snapshot_for_a_lease_however_much_is_written),
		T(what_was_written_once_is_given_room_again),
		T(who_reads_apart_for_too_long_is_told),
		T(what_is_written_over_past_the_lease_is_no_damage),
	};

	return cmocka_run_group_tests_name("store apart", tests, NULL, NULL);
}
