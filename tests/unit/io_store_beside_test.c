/* A store read by other processes beside its writer: what they see without asking the system, how
 * they learn that it is another one by now, and whom the files let in. */
#include "io_store_beside.h"

#include <grp.h>
#include <signal.h>
#include <sys/stat.h>

enum { NOBODY = 65534 };

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
	close_writer(w);
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
	close_writer(w);
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
	close_writer(w);
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
	close_writer(w);
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
	close_writer(w);
	assert_int_equal(chmod(w->root, 0711), 0);
	child_ends_well(beside(w, read_as_another_account));
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
	close_writer(w);
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
		T(root_that_looks_in_does_not_shut_the_owner_out),
		T(other_stores_let_nobody_in_whatever_the_umask),
	};

	return cmocka_run_group_tests_name("store beside", tests, NULL, NULL);
}
