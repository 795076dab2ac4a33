/* Whatever is damaged in a store's file is found by the walk before the store is used, or has no
 * effect at all: not on what is read, and not on what is written later.  A value that was damaged
 * while the store was in use is not given. */
#include "io_store_rows.h"

#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
#ifdef __SANITIZE_ADDRESS__
	FLIPS = 200, /* each is a process, and those are slow */
	LOST_EVERY = 3,
#else
	FLIPS = 600,
	LOST_EVERY = 1,
#endif
	HIDDEN = 0, /* what the child of a trial says: found, or nothing to be seen of it */
	FOUND = 10,
	SERVED = 11,
};

static uint64_t random_below(struct world *w, uint64_t most)
{
	w->random = w->random * 6364136223846793005U + 1442695040888963407U;
	return (w->random >> 33) % most;
}

/* ---- one trial ---- */

/* Opens what the walk found whole, reads it, and writes more than its free pages hold. */
static int use(struct world *w)
{
	static char value[10000];
	char key[32];
	struct store_options o = {.mode = STORE_UNSYNCED, .map_bytes = MAP_BYTES};
	struct table tables[TABLES];
	struct store *s = NULL;
	struct txn *t = NULL;

	if (store_walk(w->folder) != ERR_OK || store_open(w->folder, &o, &s) != ERR_OK)
		return FOUND;
	for (size_t i = 0; i < TABLES; i++)
		if (store_table(s, names[i], false, &tables[i]) != ERR_OK)
			return SERVED;
	if (!reads_as_before(s, tables))
		return SERVED;
	for (uint32_t round = 0; round < 4; round++) {
		if (txn_begin(s, true, &t) != ERR_OK)
			return SERVED;
		for (uint32_t i = round; i < ROWS; i += 40)
			if (txn_put(t, tables[i % TABLES],
				    bytes_of(key, (size_t)snprintf(key, sizeof key, "new-%u", i)),
				    value_of(i, 0, value)) != ERR_OK)
				return SERVED;
		if (txn_commit(t) != ERR_OK)
			return SERVED;
	}
	store_close(s);
	return store_walk(w->folder) == ERR_OK ? HIDDEN : SERVED;
}

static int try(struct world *w, const uint8_t *content, size_t size)
{
	const struct rlimit none = {0, 0};
	int status = 0;
	int fd = open(w->data, O_WRONLY | O_TRUNC | O_CLOEXEC);
	pid_t child = 0;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, size), (ssize_t)size);
	(void)close(fd);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

		(void)dup2(nowhere, STDERR_FILENO);
		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGBUS, SIG_DFL);
		(void)signal(SIGSEGV, SIG_DFL);
		(void)signal(SIGABRT, SIG_DFL);
		_exit(use(w));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	/* The walk has a process of its own in the daemons: a signal there is an answer. */
	return WIFEXITED(status) ? WEXITSTATUS(status) : FOUND;
}

static void judge(int said, const char *what, size_t at, unsigned more, size_t found[static 2])
{
	if (said != FOUND && said != HIDDEN)
		fail_msg("%s at %zu (%u): %s", what, at, more,
			 said == SERVED ? "served or spoilt what is written" : "an odd end");
	found[said == FOUND]++;
}

/* ---- stories ---- */

static void the_whole_store_passes(void **state)
{
	struct world *w = *state;

	assert_int_equal(try(w, w->whole, w->whole_size), HIDDEN);
}

static void a_flipped_bit_is_found_or_harmless(void **state)
{
	struct world *w = *state;
	size_t found[2] = {0, 0};

	for (size_t i = 0; i < FLIPS; i++) {
		/* Every third one where trees are described: heads of pages and their first places.
		 */
		size_t at = random_below(w, w->whole_size);
		unsigned bit = (unsigned)random_below(w, 8);

		if (i % 3 == 0)
			at = at / PAGE * PAGE + at % 200;
		if (at >= w->whole_size)
			continue;
		w->whole[at] ^= (uint8_t)(1U << bit);
		judge(try(w, w->whole, w->whole_size), "bit flipped", at, bit, found);
		w->whole[at] ^= (uint8_t)(1U << bit);
	}
	print_message("of %d flipped bits %zu were found, %zu were without effect\n", FLIPS,
		      found[1], found[0]);
	assert_true(found[1] > FLIPS / 8);
}

/* A disk that says it wrote a page and did not: then that page is the one of before. */
static void a_lost_page_is_found_or_harmless(void **state)
{
	struct world *w = *state;
	size_t found[2] = {0, 0};
	uint8_t page[PAGE];

	for (size_t at = 0; at + PAGE <= w->whole_size; at += (size_t)LOST_EVERY * PAGE) {
		memcpy(page, w->whole + at, PAGE);
		for (unsigned how = 0; how < 3; how++) {
			const uint8_t *from =
				w->whole + random_below(w, w->whole_size / PAGE) * PAGE;

			if (how == 0)
				memset(w->whole + at, 0, PAGE);
			else if (how == 1 && at + PAGE <= w->older_size)
				memcpy(w->whole + at, w->older + at, PAGE);
			else
				memmove(w->whole + at, from, PAGE);
			/* The older of two commits is a whole one: whoever loses the newest commit
			 * as such finds it by what others hold. */
			if (at >= (size_t)2 * PAGE || how != 1)
				judge(try(w, w->whole, w->whole_size), "page lost", at, how, found);
			memcpy(w->whole + at, page, PAGE);
		}
	}
	assert_true(found[1] > 20);
}

static void a_file_cut_short_is_found(void **state)
{
	struct world *w = *state;

	for (size_t size = 0; size < w->whole_size; size += w->whole_size / 60 + 13) {
		int said = try(w, w->whole, size);

		/* Of nothing at all a store is made anew; the mark of writer.lock tells. */
		if (said != FOUND)
			fail_msg("cut at %zu: not found", size);
	}
}

/* Of a branch page, the key that parts its first two children: above all others, it hides what the
 * second one holds from whoever looks it up, and from nobody who reads all. */
static uint8_t *separator(uint8_t *page, size_t number)
{
	uint64_t said = 0;
	uint16_t flags = 0;
	uint16_t lower = 0;
	uint16_t at = 0;
	uint16_t key_size = 0;

	memcpy(&said, page, sizeof said);
	memcpy(&flags, page + 10, sizeof flags);
	memcpy(&lower, page + 12, sizeof lower);
	memcpy(&at, page + 16 + sizeof at, sizeof at);
	if (said != number || flags != 1 || lower < 16 + 2 * sizeof at || at > PAGE - 9)
		return NULL;
	memcpy(&key_size, page + at + 6, sizeof key_size);
	return key_size > 0 ? page + at + 8 : NULL;
}

static void a_separator_that_is_off_is_found_or_harmless(void **state)
{
	struct world *w = *state;
	size_t found[2] = {0, 0};

	for (size_t i = 2; (i + 1) * PAGE <= w->whole_size; i++) {
		uint8_t *key = separator(w->whole + i * PAGE, i);
		uint8_t was = key ? *key : 0;

		if (!key)
			continue;
		*key = '~';
		judge(try(w, w->whole, w->whole_size), "separator", i, 0, found);
		*key = was;
	}
	assert_true(found[1] > 0); /* others stand on free pages */
}

/* Changes a row behind the store's back: `raw`, its value with its sum, or none of it. */
static void put_raw(struct world *w, struct bytes key, struct buf *read, const struct buf *raw)
{
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_dbi dbi = 0;
	MDB_val k = {key.size, (void *)(uintptr_t)key.data};
	MDB_val v = {0, NULL};

	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, TABLES + 1), 0);
	assert_int_equal(mdb_env_open(env, w->folder, MDB_NOLOCK, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, names[0], 0, &dbi), 0);
	if (read) {
		assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);
		buf_add(read, v.mv_data, v.mv_size);
		OK(buf_check(read));
	} else if (raw) {
		v = (MDB_val){raw->size, raw->data};
		assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
	} else {
		assert_int_equal(mdb_del(txn, dbi, &k, NULL), 0);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void put_row(struct world *w, struct bytes key, const char *value)
{
	struct store *s = NULL;
	struct table tables[TABLES];
	struct txn *t = NULL;

	open_store(w, &s, tables);
	OK(txn_begin(s, true, &t));
	OK(txn_put(t, tables[0], key, bytes_of_text(value)));
	OK(txn_commit(t));
	store_close(s);
}

/* Each row left fits its own sum, and every page fits the others: only the table's sum knows. */
static void a_row_of_before_and_one_that_is_gone_are_found(void **state)
{
	struct world *w = *state;
	const struct bytes key = bytes_of_text("of two turns");
	struct buf first = {.data = NULL};
	struct buf second = {.data = NULL};

	put_row(w, key, "first");
	put_raw(w, key, &first, NULL);
	put_row(w, key, "second");
	put_raw(w, key, &second, NULL);
	put_raw(w, key, NULL, &first);
	assert_int_equal(store_walk(w->folder), ERR_CORRUPT);
	put_raw(w, key, NULL, &second);
	OK(store_walk(w->folder));
	put_raw(w, key, NULL, NULL);
	assert_int_equal(store_walk(w->folder), ERR_CORRUPT);
	put_raw(w, key, NULL, &second);
	OK(store_walk(w->folder));
	buf_free(&first);
	buf_free(&second);
}

/* The page cache is the file: what is damaged while it is in use is met at the next reading. */
static void a_value_damaged_in_use_is_not_given(void **state)
{
	struct world *w = *state;
	static char value[10000];
	char key[32];
	struct store *s = NULL;
	struct table tables[TABLES];
	struct txn *t = NULL;
	struct scan *c = NULL;
	struct bytes k;
	struct bytes v;
	enum err e = ERR_OK;
	const uint32_t i = 1;
	struct bytes wanted = value_of(i, 0, value);
	uint8_t *place = NULL;
	int fd = -1;

	assert_int_equal(try(w, w->whole, w->whole_size), HIDDEN); /* and so grown a little */
	free(w->whole);
	w->whole = read_file(w->data, &w->whole_size);
	open_store(w, &s, tables);
	OK(txn_begin(s, false, &t));
	OK(txn_get(t, tables[i % TABLES], key_of(i, key), &v));
	assert_true(bytes_equal(v, wanted));
	txn_abort(t);
	fd = open(w->data, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	/* Every copy of it in the file: those of earlier commits are in free pages. */
	for (place = w->whole; (place = memmem(place, (size_t)(w->whole + w->whole_size - place),
					       wanted.data, wanted.size));
	     place++)
		assert_int_equal(pwrite(fd, "?", 1, place - w->whole + 3), 1);
	(void)close(fd);
	OK(txn_begin(s, false, &t));
	assert_int_equal(txn_get(t, tables[i % TABLES], key_of(i, key), &v), ERR_CORRUPT);
	OK(scan_open(t, tables[i % TABLES], &c));
	while ((e = scan_next(c, &k, &v)) == ERR_OK)
		;
	assert_int_equal(e, ERR_CORRUPT);
	txn_abort(t);
	OK(txn_begin(s, true, &t));
	assert_int_equal(txn_put(t, tables[i % TABLES], key_of(i, key), bytes_of_text("new")),
			 ERR_CORRUPT);
	assert_int_equal(txn_commit(t), ERR_CORRUPT);
	store_close(s);
	assert_int_equal(store_walk(w->folder), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_whole_store_passes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_flipped_bit_is_found_or_harmless, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_lost_page_is_found_or_harmless, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_cut_short_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_separator_that_is_off_is_found_or_harmless, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_row_of_before_and_one_that_is_gone_are_found,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_value_damaged_in_use_is_not_given, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
