/* Walking a whole store, so that damage shows before it is relied on. */
#include "io/store_internal.h"

#include <string.h>

enum { FREE_LIST = 0 /* LMDB's own table of free pages */ };

/* Reads every byte, so that pages that are not there are met now. */
static void touch(MDB_val v)
{
	const volatile unsigned char *at = v.mv_data;

	for (size_t i = 0; i < v.mv_size; i++)
		(void)at[i];
}

/* Keys must rise and be as many as the table says: that also ends a walk in circles. */
static enum err walk_table(MDB_txn *txn, MDB_dbi dbi)
{
	MDB_cursor *cursor = NULL;
	MDB_stat stat;
	MDB_val before = {0, NULL};
	MDB_val k;
	MDB_val v;
	size_t count = 0;
	int rc = mdb_stat(txn, dbi, &stat);

	if (rc == 0)
		rc = mdb_cursor_open(txn, dbi, &cursor);
	if (rc != 0)
		return store_err(rc);
	while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
		if (++count > stat.ms_entries)
			break;
		if (before.mv_data && mdb_cmp(txn, dbi, &before, &k) >= 0)
			break;
		touch(k);
		touch(v);
		before = k;
	}
	mdb_cursor_close(cursor);
	if (rc != MDB_NOTFOUND)
		return rc == 0 ? ERR_CORRUPT : store_err(rc);
	return count == stat.ms_entries ? ERR_OK : ERR_CORRUPT;
}

/* Names of tables are the keys of the main one. */
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

enum err txn_tables(struct txn *t, void *context, enum err (*take)(void *context, const char *name))
{
	return each_name(t->mdb, context, take);
}

static enum err walk_named(void *context, MDB_txn *txn, MDB_dbi dbi, const char *name)
{
	(void)context;
	(void)name;
	return walk_table(txn, dbi);
}

static enum err walk_env(MDB_env *env)
{
	MDB_txn *txn = NULL;
	MDB_dbi main_dbi = 0;
	enum err err = store_err(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));

	if (err != ERR_OK)
		return err;
	err = walk_table(txn, FREE_LIST);
	if (err == ERR_OK)
		err = store_err(mdb_dbi_open(txn, NULL, 0, &main_dbi));
	if (err == ERR_OK)
		err = walk_table(txn, main_dbi);
	if (err == ERR_OK)
		err = store_each_table(txn, NULL, walk_named);
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

enum err store_walk(const char *folder)
{
	MDB_env *env = NULL;
	enum err err = open_to_walk(folder, &env);

	if (err != ERR_OK)
		return err;
	err = walk_env(env);
	mdb_env_close(env);
	return err;
}
