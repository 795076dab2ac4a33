/* What daemons do alike: signals, readiness, walking the store after an unclean stop. */
#include "temporary.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

#include "io/daemon.h"
#include "io/files.h"
#include "io/store.h"

struct world {
	char folder[TEMPORARY_BYTES];
	char store[128];
	char marker[128];
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof *w);

	assert_non_null(w);
	temporary_make(w->folder, "daemon");
	(void)snprintf(w->store, sizeof w->store, "%s/store", w->folder);
	(void)snprintf(w->marker, sizeof w->marker, "%s/running", w->folder);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	temporary_remove(w->folder);
	free(w);
	return 0;
}

static void signals_wait_at_the_descriptor(void **state)
{
	int fd = -1;

	(void)state;
	OK(daemon_signals(&fd));
	assert_int_equal(daemon_signal(fd), 0);
	assert_int_equal(kill(getpid(), SIGHUP), 0);
	assert_int_equal(daemon_signal(fd), SIGHUP);
	assert_int_equal(kill(getpid(), SIGTERM), 0);
	assert_int_equal(daemon_signal(fd), SIGTERM);
	assert_int_equal(daemon_signal(fd), 0);
	(void)close(fd);
}

static void readiness_is_told_by_path_and_by_abstract_name(void **state)
{
	struct world *w = *state;

	for (int abstract = 0; abstract < 2; abstract++) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		char text[64] = {0};
		size_t size = 0;
		int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

		(void)snprintf(address.sun_path, sizeof address.sun_path, "%s%s/notify",
			       abstract ? "@" : "", w->folder);
		assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
		size = strlen(address.sun_path);
		if (abstract)
			address.sun_path[0] = 0;
		assert_int_equal(bind(fd, (const struct sockaddr *)&address,
				      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
				 0);
		daemon_notify("READY=1");
		assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), 7);
		assert_string_equal(text, "READY=1");
		(void)close(fd);
	}
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	daemon_notify("READY=1"); /* nobody asked: nothing happens */
}

static void make_store(struct world *w)
{
	struct store_options o = {.map_bytes = 1 << 22};
	struct store *s = NULL;
	struct table table;
	struct txn *t = NULL;
	char value[3000] = {1};

	OK(store_open(w->store, &o, &s));
	OK(store_table(s, "things", true, &table));
	OK(txn_begin(s, true, &t));
	for (unsigned char i = 1; i < 200; i++)
		OK(txn_put(t, table, bytes_of(&i, 1), bytes_of(value, sizeof value)));
	OK(txn_commit(t));
	store_close(s);
}

static void an_unclean_stop_is_told_from_a_clean_one(void **state)
{
	struct world *w = *state;
	bool unclean = true;

	OK(daemon_check_store(w->store, w->marker, &unclean)); /* the first start of all */
	assert_false(unclean);
	OK(daemon_check_store(w->store, w->marker, &unclean)); /* killed before it had a store */
	assert_true(unclean);
	make_store(w);
	OK(daemon_check_store(w->store, w->marker, &unclean)); /* killed */
	assert_true(unclean);
	daemon_clean_stop(w->marker);
	OK(daemon_check_store(w->store, w->marker, &unclean));
	assert_false(unclean);
	assert_true(file_exists(w->marker));
}

/* LMDB makes its file first and writes to it a moment later. */
static void a_kill_while_the_store_is_first_made_is_no_damage(void **state)
{
	struct world *w = *state;
	bool unclean = false;
	char path[160];
	int fd = -1;

	OK(daemon_check_store(w->store, w->marker, &unclean));
	assert_int_equal(mkdir(w->store, 0700), 0);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", w->store,
			       i ? "writer.lock" : "data.mdb");
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		(void)close(fd);
	}
	OK(daemon_check_store(w->store, w->marker, &unclean));
	/* After a fall of the current its two first pages may be there, or zeros, or one of them.
	 */
	(void)snprintf(path, sizeof path, "%s/data.mdb", w->store);
	for (off_t size = 1; size <= 2 * sysconf(_SC_PAGESIZE); size *= 2) {
		assert_int_equal(truncate(path, size), 0);
		OK(daemon_check_store(w->store, w->marker, &unclean));
	}
	assert_int_equal(truncate(path, 2 * sysconf(_SC_PAGESIZE)), 0);
	make_store(w);
	OK(daemon_check_store(w->store, w->marker, &unclean));
	/* Once it was made, an empty file is one that was cut to nothing. */
	(void)snprintf(path, sizeof path, "%s/data.mdb", w->store);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(daemon_check_store(w->store, w->marker, &unclean), ERR_CORRUPT);
}

static void name_in(const struct world *w, const char *name, char path[static 160])
{
	(void)snprintf(path, 160, "%s/%s", w->store, name);
}

static off_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static void lmdbs_own_first_pages_are_no_damage(void **state)
{
	struct world *w = *state;
	MDB_env *env = NULL;
	bool unclean = false;
	char path[160];

	OK(daemon_check_store(w->store, w->marker, &unclean));
	assert_int_equal(mkdir(w->store, 0700), 0);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_open(env, w->store, 0, 0600), 0);
	mdb_env_close(env);
	name_in(w, "data.mdb", path);
	assert_int_equal(truncate(path, sysconf(_SC_PAGESIZE)), 0); /* the second did not come */
	OK(daemon_check_store(w->store, w->marker, &unclean));
	make_store(w);
	OK(daemon_check_store(w->store, w->marker, &unclean));
}

/* A copy made by hand may leave out the lock file, and with it what says that the store was made.
 */
static void what_holds_something_is_never_emptied_without_the_mark(void **state)
{
	struct world *w = *state;
	bool unclean = false;
	char mark[160];
	char path[160];
	off_t whole = 0;

	make_store(w);
	name_in(w, "writer.lock", mark);
	name_in(w, "data.mdb", path);
	whole = size_of(path);
	assert_int_equal(truncate(mark, 0), 0);
	OK(daemon_check_store(w->store, w->marker, &unclean));
	assert_int_equal(size_of(path), whole);
	for (off_t pages = 2; pages > 0; pages--) {
		assert_int_equal(truncate(path, pages * sysconf(_SC_PAGESIZE)), 0);
		assert_int_equal(daemon_check_store(w->store, w->marker, &unclean), ERR_CORRUPT);
		assert_int_equal(size_of(path), pages * sysconf(_SC_PAGESIZE));
	}
	OK(store_call_made(w->store));
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(daemon_check_store(w->store, w->marker, &unclean), ERR_CORRUPT);
}

static void what_a_link_leads_to_is_never_emptied(void **state)
{
	struct world *w = *state;
	bool unclean = false;
	char path[160];
	char other[160];
	int fd = -1;

	assert_int_equal(mkdir(w->store, 0700), 0);
	name_in(w, "data.mdb", path);
	name_in(w, "other", other);
	assert_int_equal(symlink("other", path), 0);
	fd = open(other, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && ftruncate(fd, 100) == 0);
	(void)close(fd);
	assert_int_equal(daemon_check_store(w->store, w->marker, &unclean), ERR_CORRUPT);
	assert_int_equal(size_of(other), 100);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(unlink(path), 0);
	/* A whole store behind one that is emptied is seen as everywhere. */
	make_store(w);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink("other", path), 0);
	OK(daemon_check_store(w->store, w->marker, &unclean));
	assert_int_equal(truncate(other, 0), 0);
	assert_int_equal(daemon_check_store(w->store, w->marker, &unclean), ERR_CORRUPT);
	assert_int_equal(unlink(other), 0);
}

static bool is_held(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool held = false;

	if (fd < 0)
		return false;
	held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	(void)close(fd);
	return held;
}

static bool comes_to(const char *path, bool held)
{
	for (int i = 0; i < 1000; i++) {
		if (is_held(path) == held)
			return true;
		(void)usleep(10 * 1000);
	}
	return false;
}

/* Its data file is a pipe that nobody writes: the walk takes for ever. */
static void a_walk_ends_with_the_daemon_that_is_killed(void **state)
{
	struct world *w = *state;
	bool unclean = false;
	char data[160];
	char lock[160];
	pid_t child = 0;

	(void)snprintf(data, sizeof data, "%s/data.mdb", w->store);
	(void)snprintf(lock, sizeof lock, "%s/writer.lock", w->store);
	assert_int_equal(mkdir(w->store, 0700), 0);
	assert_int_equal(mkfifo(data, 0600), 0);
	child = fork();
	if (child == 0)
		_exit((int)daemon_check_store(w->store, w->marker, &unclean));
	assert_true(comes_to(lock, true));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(comes_to(lock, false));
}

static void an_unsynced_store_is_ruined_by_a_fall_of_the_system_only(void **state)
{
	struct world *w = *state;
	const char other[] = "running, since another start of the system\n";
	bool unclean = true;

	OK(daemon_check_unsynced(w->store, w->marker, &unclean));
	assert_false(unclean);
	make_store(w);
	OK(daemon_check_unsynced(w->store, w->marker, &unclean)); /* killed */
	assert_true(unclean);
	OK(file_replace(w->marker, 0600, bytes_of_text(other)));
	for (int i = 0; i < 2; i++) /* until another stands in its place */
		assert_int_equal(daemon_check_unsynced(w->store, w->marker, &unclean), ERR_CORRUPT);
	OK(daemon_mark(w->marker));
	OK(daemon_check_unsynced(w->store, w->marker, &unclean));
	OK(file_replace(w->marker, 0600, bytes_of_text(other)));
	OK(daemon_check_store(w->store, w->marker, &unclean)); /* a synced one is walked */
}

static void a_damaged_store_is_found_before_it_is_used(void **state)
{
	struct world *w = *state;
	bool unclean = false;
	char data[160];
	struct stat st;
	pid_t child = 0;
	int status = 0;

	make_store(w);
	OK(daemon_check_store(w->store, w->marker, &unclean));
	daemon_clean_stop(w->marker); /* what a disk does, it does after a clean stop too */
	(void)snprintf(data, sizeof data, "%s/data.mdb", w->store);
	assert_int_equal(stat(data, &st), 0);
	assert_int_equal(truncate(data, st.st_size / 2), 0);
	/* In a child of its own: what the walking grandchild prints as it dies is no news. */
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

		(void)dup2(nowhere, STDERR_FILENO);
		_exit(daemon_check_store(w->store, w->marker, &unclean) == ERR_CORRUPT ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_false(file_exists(w->marker));
}

static void a_fault_names_the_store_and_ends_the_process(void **state)
{
	struct world *w = *state;
	char text[1200] = {0};
	int fds[2];
	int status = 0;
	pid_t child = 0;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)dup2(fds[1], STDERR_FILENO);
		daemon_name_store_on_fault(w->store);
		(void)raise(SIGBUS);
		_exit(0);
	}
	(void)close(fds[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGBUS);
	assert_true(read(fds[0], text, sizeof text - 1) > 0);
	assert_non_null(strstr(text, w->store));
	assert_memory_equal(text, "<2>", 3);
	(void)close(fds[0]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(signals_wait_at_the_descriptor),
		T(readiness_is_told_by_path_and_by_abstract_name),
		T(an_unclean_stop_is_told_from_a_clean_one),
		T(a_kill_while_the_store_is_first_made_is_no_damage),
		T(lmdbs_own_first_pages_are_no_damage),
		T(what_holds_something_is_never_emptied_without_the_mark),
		T(what_a_link_leads_to_is_never_emptied),
		T(a_walk_ends_with_the_daemon_that_is_killed),
		T(an_unsynced_store_is_ruined_by_a_fall_of_the_system_only),
		T(a_damaged_store_is_found_before_it_is_used),
		T(a_fault_names_the_store_and_ends_the_process),
	};

	return cmocka_run_group_tests_name("daemon", tests, NULL, NULL);
}
