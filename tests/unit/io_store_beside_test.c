/* A store read by other processes beside its writer: what they see without asking the system, how
 * they learn that it is another one by now, and whom the files let in. */
#include "temporary.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "io/store.h"

enum { MAP_BYTES = 1 << 20, NOBODY = 65534, TIMEOUT_S = 20 };

struct world {
	char root[TEMPORARY_BYTES];
	char folder[TEMPORARY_BYTES + 16];
	struct store *store;
	struct table table;
	int to_child[2], to_parent[2];
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	temporary_make(w->root, "beside");
	(void)snprintf(w->folder, sizeof w->folder, "%s/store", w->root);
	assert_int_equal(pipe(w->to_child), 0);
	assert_int_equal(pipe(w->to_parent), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	store_close(w->store);
	for (int i = 0; i < 2; i++) {
		(void)close(w->to_child[i]);
		(void)close(w->to_parent[i]);
	}
	temporary_remove(w->root);
	free(w);
	return 0;
}

static void open_writer(struct world *w, bool group_reads)
{
	struct store_options o = {.map_bytes = MAP_BYTES, .group_reads = group_reads};

	OK(store_open(w->folder, &o, &w->store));
	OK(store_table(w->store, "things", true, &w->table));
}

static void put(struct world *w, const char *key, size_t size)
{
	static const uint8_t zeros[100 * 1000];
	struct txn *t = NULL;
	enum err e = ERR_MAP_FULL;

	assert_true(size <= sizeof zeros);
	while (e == ERR_MAP_FULL) {
		OK(txn_begin(w->store, true, &t));
		e = txn_put(t, w->table, bytes_of_text(key), bytes_of(zeros, size));
		if (e == ERR_OK) {
			e = txn_commit(t);
			t = NULL;
		}
		txn_abort(t);
		if (e == ERR_MAP_FULL)
			OK(store_grow(w->store));
	}
	OK(e);
}

/* ---- the other process ---- */

static void say(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(90);
}

static void hear(int fd)
{
	char x = 0;

	if (read(fd, &x, 1) != 1)
		_exit(91);
}

/* In the child: `what` holds, or the number of this line is its exit status. */
#define MUST(what)                                                                                 \
	do {                                                                                       \
		if (!(what))                                                                       \
			_exit(__LINE__ & 0x7f ? __LINE__ & 0x7f : 1);                              \
	} while (0)

static struct store *open_beside(const struct world *w)
{
	const struct store_options o = {.read_only = true, .map_bytes = MAP_BYTES};
	struct store *s = NULL;

	MUST(store_open(w->folder, &o, &s) == ERR_OK);
	return s;
}

static bool has(struct store *s, const char *key)
{
	struct table table;
	struct txn *t = NULL;
	struct bytes value = {NULL, 0};
	enum err e = store_table(s, "things", false, &table);

	MUST(e == ERR_OK);
	MUST(txn_begin(s, false, &t) == ERR_OK);
	e = txn_get(t, table, bytes_of_text(key), &value);
	txn_abort(t);
	MUST(e == ERR_OK || e == ERR_NOT_FOUND);
	return e == ERR_OK;
}

static pid_t beside(struct world *w, void (*work)(struct world *w))
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)alarm(TIMEOUT_S);
		work(w);
		_exit(0);
	}
	return child;
}

static void child_ends_well(pid_t child)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- the stamp ---- */

static void watch_the_stamp(struct world *w)
{
	struct store *s = open_beside(w);
	uint64_t before = store_stamp(s);

	MUST(store_stamp(s) == before);
	say(w->to_parent[1]);
	hear(w->to_child[0]);
	MUST(store_stamp(s) != before);
	MUST(has(s, "b"));
	before = store_stamp(s);
	say(w->to_parent[1]);
	hear(w->to_child[0]); /* after the map has grown: nothing was read meanwhile */
	MUST(store_stamp(s) != before);
	MUST(has(s, "wide9"));
	before = store_stamp(s);
	MUST(store_stamp(s) == before && !store_replaced(s));
	store_close(s);
}

static void a_reader_sees_by_the_stamp_that_something_was_committed(void **state)
{
	struct world *w = *state;
	char key[] = "wide0";
	pid_t child = 0;

	open_writer(w, false);
	put(w, "a", 10);
	store_close(w->store);
	w->store = NULL;
	child = beside(w, watch_the_stamp);
	open_writer(w, false);
	hear(w->to_parent[0]);
	put(w, "b", 10);
	say(w->to_child[1]);
	hear(w->to_parent[0]);
	for (; key[4] <= '9'; key[4]++)
		put(w, key, 100 * 1000);
	for (int i = 0; i < 3; i++)
		OK(store_grow(w->store));
	for (key[4] = '0'; key[4] <= '9'; key[4]++) {
		for (int i = 0; i < 20; i++) {
			char more[32];

			(void)snprintf(more, sizeof more, "%s-%d", key, i);
			put(w, more, 50 * 1000);
		}
	}
	say(w->to_child[1]);
	child_ends_well(child);
}

/* How often "again" was written: the size of its value. */
static uint64_t times_written(struct store *s, struct table table)
{
	struct txn *t = NULL;
	struct bytes value = {NULL, 0};

	MUST(txn_begin(s, false, &t) == ERR_OK);
	MUST(txn_get(t, table, bytes_of_text("again"), &value) == ERR_OK);
	txn_abort(t);
	return value.size;
}

enum { WRITINGS = 400 };

static void read_what_the_stamp_says(struct world *w)
{
	struct store *s = open_beside(w);
	struct table table;
	uint64_t before = 0;
	uint64_t written = 0;

	MUST(store_table(s, "things", false, &table) == ERR_OK);
	before = store_stamp(s) - times_written(s, table);
	say(w->to_parent[1]);
	while (written < WRITINGS) {
		uint64_t stamp = store_stamp(s);

		written = times_written(s, table);
		MUST(before + written >= stamp);
	}
	store_close(s);
}

/* Else whoever remembers the stamp misses a commit for as long as none follows. */
static void what_the_stamp_tells_of_can_be_read_at_once(void **state)
{
	struct world *w = *state;
	pid_t child = 0;

	open_writer(w, false);
	put(w, "again", 1);
	store_close(w->store);
	w->store = NULL;
	child = beside(w, read_what_the_stamp_says);
	open_writer(w, false);
	hear(w->to_parent[0]);
	for (size_t i = 2; i <= WRITINGS; i++)
		put(w, "again", i);
	child_ends_well(child);
}

/* ---- another environment ---- */

static void watch_it_being_replaced(struct world *w)
{
	struct store *s = open_beside(w);

	MUST(!store_replaced(s) && has(s, "a"));
	say(w->to_parent[1]);
	hear(w->to_child[0]);
	MUST(store_replaced(s)); /* gone */
	MUST(has(s, "a"));       /* what was open stands */
	say(w->to_parent[1]);
	hear(w->to_child[0]);
	MUST(store_replaced(s)); /* another one */
	MUST(!has(s, "b"));
	store_close(s);
	s = open_beside(w);
	MUST(!store_replaced(s) && has(s, "b") && !has(s, "a"));
	store_close(s);
}

static void a_reader_sees_that_the_environment_was_thrown_away_and_made_anew(void **state)
{
	static const char *const names[] = {"data.mdb", "lock.mdb", "writer.lock"};
	struct world *w = *state;
	pid_t child = 0;

	open_writer(w, false);
	put(w, "a", 10);
	store_close(w->store);
	w->store = NULL;
	child = beside(w, watch_it_being_replaced);
	hear(w->to_parent[0]);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[TEMPORARY_BYTES + 32];

		(void)snprintf(path, sizeof path, "%s/%s", w->folder, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	say(w->to_child[1]);
	hear(w->to_parent[0]);
	open_writer(w, false);
	put(w, "b", 10);
	say(w->to_child[1]);
	child_ends_well(child);
}

static void read_until_told(struct world *w)
{
	struct store *s = open_beside(w);

	MUST(has(s, "a"));
	say(w->to_parent[1]);
	hear(w->to_child[0]);
	MUST(!store_replaced(s));
	store_close(s);
	say(w->to_parent[1]);
	hear(w->to_child[0]);
	s = open_beside(w);
	MUST(has(s, "a"));
	store_close(s);
}

static void a_store_is_written_anew_once_its_readers_have_closed_it(void **state)
{
	struct world *w = *state;
	pid_t child = 0;

	open_writer(w, false);
	put(w, "a", 10);
	store_close(w->store);
	w->store = NULL;
	child = beside(w, read_until_told);
	hear(w->to_parent[0]);
	assert_int_equal(store_compact(w->folder), ERR_BUSY);
	say(w->to_child[1]);
	hear(w->to_parent[0]);
	OK(store_compact(w->folder));
	say(w->to_child[1]);
	child_ends_well(child);
}

/* ---- a reader that died ---- */

static void die_reading(struct world *w)
{
	struct store *s = open_beside(w);
	struct txn *t = NULL;

	MUST(txn_begin(s, false, &t) == ERR_OK);
	say(w->to_parent[1]);
	(void)pause();
}

static size_t used(struct world *w)
{
	size_t bytes = 0;
	size_t map = 0;

	OK(store_usage(w->store, &bytes, &map));
	return bytes;
}

static void write_over_and_over(struct world *w)
{
	for (int i = 0; i < 200; i++)
		put(w, "again", 90 * 1000);
}

static void what_a_killed_reader_held_is_used_again_after_a_sweep(void **state)
{
	struct world *w = *state;
	size_t swept = 0;
	pid_t child = 0;
	int status = 0;

	open_writer(w, false);
	put(w, "again", 90 * 1000);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) { /* the store that is open here is the parent's: it is not touched */
		(void)alarm(TIMEOUT_S);
		die_reading(w);
		_exit(0);
	}
	hear(w->to_parent[0]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	write_over_and_over(w);
	assert_true(used(w) > 10 * 1000 * 1000); /* every page since then is kept for the dead */
	store_sweep(w->store);
	write_over_and_over(w);
	swept = used(w);
	write_over_and_over(w);
	assert_true(used(w) <= swept + 1000 * 1000);
}

/* ---- whom the files let in ---- */

static mode_t mode_of(const struct world *w, const char *name)
{
	char path[TEMPORARY_BYTES + 32];
	struct stat st;

	(void)snprintf(path, sizeof path, "%s%s%s", w->folder, *name ? "/" : "", name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static struct store *open_apart(const struct world *w)
{
	const struct store_options o = {.read_only = true, .apart = true, .map_bytes = MAP_BYTES};
	struct store *s = NULL;

	MUST(store_open(w->folder, &o, &s) == ERR_OK);
	return s;
}

static void read_as_another_account(struct world *w)
{
	struct stat st;

	MUST(stat(w->folder, &st) == 0);
	MUST(setgroups(0, NULL) == 0 && setgid(st.st_gid) == 0 && setuid(NOBODY) == 0);
	MUST(has(open_apart(w), "a"));
	MUST(access(w->folder, W_OK) != 0);
}

static void a_view_lets_the_group_read_whatever_the_umask(void **state)
{
	struct world *w = *state;
	mode_t before = umask(0077);

	open_writer(w, true);
	(void)umask(before);
	put(w, "a", 10);
	assert_int_equal(mode_of(w, ""), 0750);
	assert_int_equal(mode_of(w, "data.mdb"), 0640);
	assert_int_equal(mode_of(w, "lock.mdb"), 0600);
	assert_int_equal(mode_of(w, "writer.lock"), 0600);
	if (geteuid() != 0)
		return; /* nobody else can be tried */
	store_close(w->store);
	w->store = NULL;
	assert_int_equal(chmod(w->root, 0711), 0);
	child_ends_well(beside(w, read_as_another_account));
}

/* ---- readers that the writer knows nothing of ---- */

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

static void root_that_looks_in_does_not_shut_the_owner_out(void **state)
{
	struct world *w = *state;
	const struct store_options reading = {.read_only = true};
	char data[TEMPORARY_BYTES + 32];
	char lock[TEMPORARY_BYTES + 32];
	struct stat st;

	if (geteuid() != 0)
		skip();
	open_writer(w, false);
	store_close(w->store);
	w->store = NULL;
	(void)snprintf(data, sizeof data, "%s/data.mdb", w->folder);
	(void)snprintf(lock, sizeof lock, "%s/lock.mdb", w->folder);
	assert_int_equal(chown(data, NOBODY, NOBODY), 0);
	assert_int_equal(unlink(lock), 0);
	OK(store_open(w->folder, &reading, &w->store));
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_uid, NOBODY);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void other_stores_let_nobody_in_whatever_the_umask(void **state)
{
	struct world *w = *state;
	mode_t before = umask(0);

	open_writer(w, false);
	(void)umask(before);
	assert_int_equal(mode_of(w, ""), 0700);
	assert_int_equal(mode_of(w, "data.mdb"), 0600);
	assert_int_equal(mode_of(w, "lock.mdb"), 0600);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_reader_sees_by_the_stamp_that_something_was_committed),
		T(what_the_stamp_tells_of_can_be_read_at_once),
		T(a_reader_sees_that_the_environment_was_thrown_away_and_made_anew),
		T(a_store_is_written_anew_once_its_readers_have_closed_it),
		T(what_a_killed_reader_held_is_used_again_after_a_sweep),
		T(a_view_lets_the_group_read_whatever_the_umask),
		T(a_reader_apart_keeps_its_snapshot_for_a_lease_however_much_is_written),
		T(what_was_written_once_is_given_room_again),
		T(who_reads_apart_for_too_long_is_told),
		T(what_is_written_over_past_the_lease_is_no_damage),
		T(root_that_looks_in_does_not_shut_the_owner_out),
		T(other_stores_let_nobody_in_whatever_the_umask),
	};

	return cmocka_run_group_tests_name("store beside", tests, NULL, NULL);
}
