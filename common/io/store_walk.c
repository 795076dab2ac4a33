/* Walking a whole store, so that damage shows before it is relied on: first its pages, then
 * each row against its sum, then the sums of whole tables. */
#include "io/store_internal.h"

#include <string.h>
#include <unistd.h>

#include "io/files.h"

enum { FREE_LIST = 0 /* LMDB's own table of free pages */ };

/* Reads every byte, so that pages that are not there are met now. */
static void touch(MDB_val v)
{
	const volatile unsigned char *at = v.mv_data;

	for (size_t i = 0; i < v.mv_size; i++)
		(void)at[i];
}

/* Keys must rise and be as many as the table says: that also ends a walk in circles.  With a
 * seed each row must fit its sum; `ret_sum` is that of all. */
static enum err walk_table(MDB_txn *txn, MDB_dbi dbi, const uint64_t *seed, uint64_t *ret_sum)
{
	MDB_cursor *cursor = NULL;
	MDB_stat stat;
	MDB_val before = {0, NULL};
	MDB_val k;
	MDB_val v;
	size_t count = 0;
	uint64_t sum = 0;
	int rc = mdb_stat(txn, dbi, &stat);

	if (rc == 0)
		rc = mdb_cursor_open(txn, dbi, &cursor);
	if (rc != 0)
		return store_err(rc);
	while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
		struct bytes value = {NULL, 0};

		if (++count > stat.ms_entries)
			break;
		if (before.mv_data && mdb_cmp(txn, dbi, &before, &k) >= 0)
			break;
		if (seed && store_row_open(*seed, k, v, &value, &sum) != ERR_OK)
			break;
		if (!seed)
			touch(v);
		*ret_sum += sum;
		before = k;
	}
	mdb_cursor_close(cursor);
	if (rc != MDB_NOTFOUND)
		return rc == 0 ? ERR_CORRUPT : store_err(rc);
	return count == stat.ms_entries ? ERR_OK : ERR_CORRUPT;
}

/* Gives each name of a table; the main table holds nothing else. */
static enum err each_name(MDB_txn *txn, void *context,
			  enum err (*take)(void *context, const char *name))
{
	MDB_cursor *cursor = NULL;
	MDB_dbi main_dbi = 0;
	MDB_val k;
	MDB_val v;
	int rc = mdb_dbi_open(txn, NULL, 0, &main_dbi);
	enum err err = ERR_OK;

	if (rc == 0)
		rc = mdb_cursor_open(txn, main_dbi, &cursor);
	if (rc != 0)
		return store_err(rc);
	while (err == ERR_OK && (rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT_NODUP)) == 0) {
		char name[KEY_BYTES_MAX + 1] = {0};

		if (k.mv_size > KEY_BYTES_MAX) {
			err = ERR_CORRUPT;
			break;
		}
		memcpy(name, k.mv_data, k.mv_size);
		err = take(context, name);
	}
	mdb_cursor_close(cursor);
	if (err == ERR_OK && rc != MDB_NOTFOUND)
		err = store_err(rc);
	return err;
}

struct opening {
	MDB_txn *txn;
	void *context;
	enum err (*take)(void *context, MDB_txn *txn, MDB_dbi dbi, const char *name);
};

static enum err open_named(void *context, const char *name)
{
	const struct opening *o = context;
	MDB_dbi dbi = 0;

	if (mdb_dbi_open(o->txn, name, 0, &dbi) != 0)
		return ERR_CORRUPT;
	return o->take(o->context, o->txn, dbi, name);
}

enum err store_each_table(MDB_txn *txn, void *context,
			  enum err (*take)(void *context, MDB_txn *txn, MDB_dbi dbi,
					   const char *name))
{
	struct opening o = {txn, context, take};

	return each_name(txn, &o, open_named);
}

struct naming {
	void *context;
	enum err (*take)(void *context, const char *name);
};

static enum err take_named(void *context, const char *name)
{
	const struct naming *n = context;

	return strcmp(name, SUMS_TABLE) == 0 ? ERR_OK : n->take(n->context, name);
}

enum err txn_tables(struct txn *t, void *context, enum err (*take)(void *context, const char *name))
{
	struct naming n = {context, take};

	return each_name(t->mdb, &n, take_named);
}

struct walk {
	MDB_dbi sums;
	bool old; /* of before there were sums */
};

enum err store_has_sums(MDB_txn *txn, MDB_dbi *ret, bool *ret_has)
{
	int rc = mdb_dbi_open(txn, SUMS_TABLE, 0, ret);

	*ret_has = rc == 0;
	return rc == MDB_NOTFOUND ? ERR_OK : store_err(rc);
}

bool store_is_summed(uint64_t seed, MDB_val k, MDB_val v)
{
	struct bytes value = {NULL, 0};
	uint64_t sum = 0;

	return store_row_open(seed, k, v, &value, &sum) == ERR_OK;
}

/* A table without sums must not have any: else the table of them was lost. */
static enum err walk_old(MDB_txn *txn, MDB_dbi dbi, uint64_t seed)
{
	MDB_cursor *cursor = NULL;
	MDB_val k;
	MDB_val v;
	uint64_t sum = 0;
	enum err err = walk_table(txn, dbi, NULL, &sum);

	if (err == ERR_OK)
		err = store_err(mdb_cursor_open(txn, dbi, &cursor));
	if (err == ERR_OK && mdb_cursor_get(cursor, &k, &v, MDB_FIRST) == 0 &&
	    store_is_summed(seed, k, v))
		err = ERR_CORRUPT;
	if (cursor)
		mdb_cursor_close(cursor);
	return err;
}

static enum err walk_named(void *context, MDB_txn *txn, MDB_dbi dbi, const char *name)
{
	const struct walk *w = context;
	uint64_t seed = store_seed(name);
	uint64_t sum = 0;
	uint64_t wanted = 0;
	enum err err = ERR_OK;

	if (w->old)
		return walk_old(txn, dbi, seed);
	err = walk_table(txn, dbi, &seed, &sum);
	if (err == ERR_OK && strcmp(name, SUMS_TABLE) != 0) {
		err = store_sum_read(txn, w->sums, name, &wanted);
		if (err == ERR_OK && sum != wanted)
			err = ERR_CORRUPT;
	}
	return err;
}

static enum err walk_env(MDB_env *env)
{
	struct walk walk = {.old = false};
	MDB_txn *txn = NULL;
	MDB_dbi main_dbi = 0;
	uint64_t sum = 0;
	bool summed = false;
	enum err err = store_err(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));

	if (err != ERR_OK)
		return err;
	err = walk_table(txn, FREE_LIST, NULL, &sum);
	if (err == ERR_OK)
		err = store_err(mdb_dbi_open(txn, NULL, 0, &main_dbi));
	if (err == ERR_OK)
		err = walk_table(txn, main_dbi, NULL, &sum);
	if (err == ERR_OK)
		err = store_has_sums(txn, &walk.sums, &summed);
	walk.old = !summed;
	if (err == ERR_OK)
		err = store_each_table(txn, &walk, walk_named);
	mdb_txn_abort(txn);
	return err;
}

static enum err open_to_walk(const char *folder, MDB_env **ret)
{
	MDB_env *env = NULL;
	int rc = mdb_env_create(&env);

	if (rc != 0)
		return store_err(rc);
	rc = mdb_env_set_maxdbs(env, STORE_TABLES_MOST);
	if (rc == 0)
		rc = mdb_env_open(env, folder, MDB_RDONLY | MDB_NOTLS, 0660);
	if (rc != 0) {
		mdb_env_close(env);
		return store_err(rc);
	}
	*ret = env;
	return ERR_OK;
}

/* The file itself can only be looked at while nobody writes it: who does found it whole. */
static enum err check_pages(const char *folder)
{
	int lock_fd = -1;
	enum err err = ERR_OK;

	if (!file_exists(folder))
		return ERR_NOT_FOUND;
	err = store_lock_writer(folder, &lock_fd);
	if (err == ERR_BUSY)
		return ERR_OK;
	if (err == ERR_OK)
		err = store_check_made(folder, lock_fd);
	if (err == ERR_OK)
		err = store_check_pages(folder);
	if (lock_fd >= 0)
		(void)close(lock_fd);
	return err;
}

enum err store_walk(const char *folder)
{
	MDB_env *env = NULL;
	enum err err = check_pages(folder);

	if (err == ERR_OK)
		err = open_to_walk(folder, &env);
	if (err != ERR_OK)
		return err;
	err = walk_env(env);
	mdb_env_close(env);
	return err;
}
