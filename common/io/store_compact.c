/* Writing a store anew, so that what was deleted from it is in no file; one of before there were
 * sums gets them by it. */
#include "io/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	/* Bytes of rows in one transaction. */
	CHUNK_BYTES = 32 * 1024 * 1024,
	/* Pages of a table written in order are nearly full.  But where an old store gets its sums,
	 * a value that shared a page may come to need one for itself: twice as much then. */
	MAP_TIMES = 2,
	SPARE_MAP_BYTES = 64 * 1024 * 1024,
};

struct compaction {
	const char *folder;
	char data[STORE_PATH_BYTES], lock[STORE_PATH_BYTES], copy[STORE_PATH_BYTES];
	int writer_fd; /* nobody else writes */
	int lock_fd;   /* nobody reads: held as LMDB itself holds it */
	struct stat st;
	MDB_env *from, *to;
	MDB_txn *reading, *writing;
	MDB_dbi table, sums; /* in the copy */
	bool old;            /* of before there were sums: the copy has them */
	uint64_t seed, sum;  /* of the table's rows, as far as they are copied */
	size_t written;      /* bytes of rows in the open transaction */
};

/* ---- nobody else ---- */

/* Whoever has the environment open holds a lock on the first byte of LMDB's lock file. */
static enum err lock_readers(struct compaction *c)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};

	c->lock_fd = open(c->lock, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (c->lock_fd < 0)
		return errno == ENOENT ? ERR_OK : store_err(errno);
	if (fcntl(c->lock_fd, F_OFD_SETLK, &lock) == 0)
		return ERR_OK;
	return errno == EAGAIN || errno == EACCES ? ERR_BUSY : ERR_IO;
}

static enum err begin(struct compaction *c)
{
	enum err err = store_path(c->folder, "data.mdb", c->data);

	if (err == ERR_OK)
		err = store_path(c->folder, "lock.mdb", c->lock);
	if (err == ERR_OK)
		err = store_path(c->folder, "compact.mdb", c->copy);
	if (err == ERR_OK && stat(c->data, &c->st) != 0)
		err = store_err(errno);
	if (err == ERR_OK)
		err = store_lock_writer(c->folder, &c->writer_fd);
	if (err == ERR_OK)
		err = lock_readers(c);
	if (err == ERR_OK && unlink(c->copy) != 0 && errno != ENOENT)
		err = ERR_IO;
	return err;
}

/* ---- copying ---- */

static enum err open_env(const char *path, unsigned flags, size_t map, MDB_env **ret)
{
	MDB_env *env = NULL;
	int rc = mdb_env_create(&env);

	if (rc == 0 && map)
		rc = mdb_env_set_mapsize(env, map);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(env, STORE_TABLES_MOST);
	if (rc == 0)
		rc = mdb_env_open(env, path, flags | MDB_NOLOCK | MDB_NOTLS | MDB_NOSUBDIR, 0600);
	if (rc != 0) {
		if (env)
			mdb_env_close(env);
		return store_err(rc);
	}
	*ret = env;
	return ERR_OK;
}

static enum err open_both(struct compaction *c)
{
	size_t map = (size_t)c->st.st_size * MAP_TIMES + SPARE_MAP_BYTES;
	enum err err = open_env(c->data, MDB_RDONLY, 0, &c->from);

	if (err == ERR_OK)
		err = store_err(mdb_txn_begin(c->from, NULL, MDB_RDONLY, &c->reading));
	if (err == ERR_OK)
		err = open_env(c->copy, MDB_NOSYNC, map - map % 4096, &c->to);
	if (err == ERR_OK && chmod(c->copy, c->st.st_mode & 0777) != 0)
		err = ERR_IO;
	return err;
}

static enum err write_err(const struct compaction *c, int rc)
{
	int fd = -1;

	if (rc == 0)
		return ERR_OK;
	return mdb_env_get_fd(c->to, &fd) == 0 ? store_file_err(fd, rc) : store_err(rc);
}

static enum err commit(struct compaction *c)
{
	int rc = mdb_txn_commit(c->writing);

	c->writing = NULL;
	c->written = 0;
	return write_err(c, rc);
}

/* Appends a row with its sum, which it has already but in an old store. */
static int put_row(struct compaction *c, MDB_val k, MDB_val v)
{
	struct bytes value = {v.mv_data, v.mv_size};
	MDB_val room = {v.mv_size + SUM_BYTES, NULL};
	uint64_t sum = 0;
	int rc = 0;

	if (!c->old)
		return mdb_put(c->writing, c->table, &k, &v, MDB_APPEND);
	sum = store_row_sum(c->seed, (struct bytes){k.mv_data, k.mv_size}, value);
	rc = mdb_put(c->writing, c->table, &k, &room, MDB_APPEND | MDB_RESERVE);
	if (rc == 0)
		store_row_close(room.mv_data, value, sum);
	c->sum += sum;
	return rc;
}

/* A row out of order is damage: then LMDB refuses to append it.  So is one without a sum among
 * others, and one with a sum where the table of sums is not to be found. */
static enum err put(struct compaction *c, MDB_val k, MDB_val v)
{
	int rc = 0;

	if (store_is_summed(c->seed, k, v) == c->old)
		return ERR_CORRUPT;
	if (!c->writing)
		rc = mdb_txn_begin(c->to, NULL, 0, &c->writing);
	if (rc == 0)
		rc = put_row(c, k, v);
	if (rc == MDB_KEYEXIST)
		return ERR_CORRUPT;
	if (rc != 0)
		return write_err(c, rc);
	c->written += k.mv_size + v.mv_size;
	return c->written < CHUNK_BYTES ? ERR_OK : commit(c);
}

static enum err copy_table(void *context, MDB_txn *reading, MDB_dbi from, const char *name)
{
	struct compaction *c = context;
	MDB_cursor *cursor = NULL;
	MDB_val k;
	MDB_val v;
	enum err err = ERR_OK;
	int rc = mdb_txn_begin(c->to, NULL, 0, &c->writing);

	c->seed = store_seed(name);
	c->sum = 0;
	if (rc == 0)
		rc = mdb_dbi_open(c->writing, name, MDB_CREATE, &c->table);
	if (rc != 0)
		return write_err(c, rc);
	err = commit(c); /* what remains of a table without rows */
	if (err == ERR_OK)
		err = store_err(mdb_cursor_open(reading, from, &cursor));
	while (err == ERR_OK && (rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0)
		err = put(c, k, v);
	if (cursor)
		mdb_cursor_close(cursor);
	if (err == ERR_OK && rc != MDB_NOTFOUND)
		err = store_err(rc);
	if (err == ERR_OK && c->old && !c->writing)
		err = store_err(mdb_txn_begin(c->to, NULL, 0, &c->writing));
	if (err == ERR_OK && c->old)
		err = write_err(c, store_sum_write(c->writing, c->sums, name, c->sum));
	if (err == ERR_OK && c->writing)
		err = commit(c);
	return err;
}

static enum err begin_sums(struct compaction *c)
{
	MDB_dbi from = 0;
	bool summed = false;
	enum err err = store_has_sums(c->reading, &from, &summed);
	int rc = 0;

	c->old = !summed;
	if (err != ERR_OK || summed)
		return err;
	rc = mdb_txn_begin(c->to, NULL, 0, &c->writing);
	if (rc == 0)
		rc = mdb_dbi_open(c->writing, SUMS_TABLE, MDB_CREATE, &c->sums);
	return rc == 0 ? commit(c) : write_err(c, rc);
}

static enum err copy(struct compaction *c)
{
	enum err err = open_both(c);

	if (err == ERR_OK)
		err = begin_sums(c);
	if (err == ERR_OK)
		err = store_each_table(c->reading, c, copy_table);
	if (err == ERR_OK)
		err = write_err(c, mdb_env_sync(c->to, 1));
	if (c->writing)
		mdb_txn_abort(c->writing);
	if (c->reading)
		mdb_txn_abort(c->reading);
	if (c->to)
		mdb_env_close(c->to);
	if (c->from)
		mdb_env_close(c->from);
	return err;
}

/* The lock file goes first: it tells how far the old file is, and a writer that met it beside the
 * new one would go on from there. */
static enum err replace(const struct compaction *c)
{
	if (unlink(c->lock) != 0 && errno != ENOENT)
		return ERR_IO;
	if (rename(c->copy, c->data) != 0)
		return store_err(errno);
	return store_sync_folder(c->folder);
}

enum err store_compact(const char *folder)
{
	struct compaction c = {.folder = folder, .writer_fd = -1, .lock_fd = -1};
	enum err err = begin(&c);

	if (err == ERR_OK) {
		err = copy(&c);
		if (err == ERR_OK)
			err = replace(&c);
		if (err != ERR_OK)
			(void)unlink(c.copy);
	}
	if (c.lock_fd >= 0)
		(void)close(c.lock_fd);
	if (c.writer_fd >= 0)
		(void)close(c.writer_fd);
	return err;
}
