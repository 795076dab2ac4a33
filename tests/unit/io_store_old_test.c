/* Stores of before there were sums get them at their first opening. */
#include "io_store_rows.h"

#include <lmdb.h>
#include <unistd.h>

enum {
	TIGHT_ROWS = 36000,
	TIGHT_BYTES = 2020,
	SPARE_BYTES = 64 * 1024 * 1024, /* what a copy had room for beside what it copies */
};

static void make_old_store(struct world *w)
{
	static char value[10000];
	char key[32];
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_dbi dbi = 0;

	assert_int_equal(unlink(w->data), 0);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, TABLES), 0);
	assert_int_equal(mdb_env_set_mapsize(env, MAP_BYTES), 0);
	assert_int_equal(mdb_env_open(env, w->folder, MDB_NOLOCK, 0600), 0);
	for (uint32_t table = 0; table < TABLES; table++) {
		assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
		assert_int_equal(mdb_dbi_open(txn, names[table], MDB_CREATE, &dbi), 0);
		for (uint32_t i = table; i < ROWS; i += TABLES) {
			uint32_t turn = 0;
			bool there = turn_of(i, &turn);
			struct bytes k = key_of(i, key);
			struct bytes v = value_of(i, turn, value);
			MDB_val mk = {k.size, (void *)(uintptr_t)k.data};
			MDB_val mv = {v.size, (void *)(uintptr_t)v.data};

			if (there)
				assert_int_equal(mdb_put(txn, dbi, &mk, &mv, 0), 0);
		}
		assert_int_equal(mdb_txn_commit(txn), 0);
	}
	mdb_env_close(env);
}

static void a_store_of_before_there_were_sums_gets_them(void **state)
{
	struct world *w = *state;
	struct store_options reader = {.map_bytes = MAP_BYTES, .read_only = true, .apart = true};
	struct table tables[TABLES];
	struct store *s = NULL;

	make_old_store(w);
	OK(store_walk(w->folder));
	assert_int_equal(store_open(w->folder, &reader, &s), ERR_VERSION);
	for (int i = 0; i < 2; i++) {
		open_store(w, &s, tables);
		assert_true(reads_as_before(s, tables));
		store_close(s);
		OK(store_walk(w->folder));
	}
	OK(store_compact(w->folder));
	OK(store_walk(w->folder));
	OK(store_open(w->folder, &reader, &s));
	for (size_t i = 0; i < TABLES; i++)
		OK(store_table(s, names[i], false, &tables[i]));
	assert_true(reads_as_before(s, tables));
	store_close(s);
}

/* Two values to a page; with their sums each is too long to stand beside another. */
static void make_tight_old_store(struct world *w)
{
	static char value[TIGHT_BYTES];
	MDB_env *env = NULL;
	MDB_txn *txn = NULL;
	MDB_dbi dbi = 0;

	assert_int_equal(unlink(w->data), 0);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, TABLES), 0);
	assert_int_equal(mdb_env_set_mapsize(env, (size_t)TIGHT_ROWS * PAGE), 0);
	assert_int_equal(mdb_env_open(env, w->folder, MDB_NOLOCK | MDB_NOSYNC, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, names[0], MDB_CREATE, &dbi), 0);
	for (uint32_t i = 0; i < TIGHT_ROWS; i++) {
		uint8_t key[8] = {0,
				  0,
				  0,
				  0,
				  (uint8_t)(i >> 24),
				  (uint8_t)(i >> 16),
				  (uint8_t)(i >> 8),
				  (uint8_t)i};
		MDB_val mk = {sizeof key, key};
		MDB_val mv = {sizeof value, value};

		assert_int_equal(mdb_put(txn, dbi, &mk, &mv, MDB_APPEND), 0);
	}
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
}

static void sums_may_make_an_old_store_much_larger(void **state)
{
	struct world *w = *state;
	const struct store_options any = {.mode = STORE_SYNCED};
	struct store *s = NULL;
	struct stat before;
	struct stat after;

	make_tight_old_store(w);
	assert_int_equal(stat(w->data, &before), 0);
	OK(store_open(w->folder, &any, &s));
	store_close(s);
	assert_int_equal(stat(w->data, &after), 0);
	assert_true(after.st_size > before.st_size + SPARE_BYTES);
	OK(store_walk(w->folder));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_store_of_before_there_were_sums_gets_them, setup,
						teardown),
		cmocka_unit_test_setup_teardown(sums_may_make_an_old_store_much_larger, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
