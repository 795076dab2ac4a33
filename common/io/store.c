#include "io/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "io/files.h"

static const size_t MAP_DEFAULT = sizeof(void *) > 4 ? (size_t)1 << 36 : (size_t)1 << 29;
static const size_t MAP_LEAST = (size_t)1 << 20;
enum { TABLES_DEFAULT = 256, LMDB_TABLES = 2 /* of its own */, PROBE_BYTES = 1024 * 1024 };
enum { LOCK_BYTES = 8192, BLOCK_BYTES = 512 }; /* 126 readers, as LMDB makes it; of st_blocks */
enum { RESERVE_LEAST = 1024 * 1024, RESERVE_MOST = 32 * 1024 * 1024 };

/* ---- errors ---- */

static const struct {
	int rc;
	enum err err;
} codes[] = {
	{MDB_SUCCESS, ERR_OK},
	{MDB_NOTFOUND, ERR_NOT_FOUND},
	{MDB_KEYEXIST, ERR_EXISTS},
	{MDB_MAP_FULL, ERR_MAP_FULL},
	{MDB_CORRUPTED, ERR_CORRUPT},
	{MDB_PAGE_NOTFOUND, ERR_CORRUPT},
	{MDB_INVALID, ERR_CORRUPT},
	{MDB_VERSION_MISMATCH, ERR_CORRUPT},
	{MDB_CURSOR_FULL, ERR_CORRUPT}, /* a tree deeper than any real one */
	{MDB_PAGE_FULL, ERR_CORRUPT},
	{MDB_INCOMPATIBLE, ERR_CORRUPT}, /* a table of a kind that we never make */
	{MDB_PANIC, ERR_SYNC},
	{MDB_READERS_FULL, ERR_BUSY},
	{MDB_DBS_FULL, ERR_LIMIT},
	{MDB_TXN_FULL, ERR_LIMIT},
	{MDB_BAD_VALSIZE, ERR_ARGUMENT},
	{MDB_BAD_DBI, ERR_ARGUMENT},
	{EINVAL, ERR_ARGUMENT},
	{ENOSPC, ERR_DISK_FULL},
	{EDQUOT, ERR_DISK_FULL},
	{EFBIG, ERR_DISK_FULL},
	{ENOMEM, ERR_NOMEM},
	{EMFILE, ERR_DESCRIPTORS},
	{ENFILE, ERR_DESCRIPTORS},
	{ENOENT, ERR_NOT_FOUND},
	{EACCES, ERR_DENIED},
	{EPERM, ERR_DENIED},
	{EROFS, ERR_DENIED},
	{EAGAIN, ERR_BUSY},
	{EIO, ERR_IO},
};

enum err store_err(int rc)
{
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		if (codes[i].rc == rc)
			return codes[i].err;
	return rc > 0 ? ERR_IO : ERR_INTERNAL;
}

/* Whether a data file can not grow by a little: no room, a quota or a size limit. */
static bool no_room(int fd)
{
	struct stat st;
	struct statvfs disk;
	struct rlimit most;

	if (fstat(fd, &st) != 0)
		return false;
	if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur != RLIM_INFINITY &&
	    (rlim_t)st.st_size + PROBE_BYTES > most.rlim_cur)
		return true;
	/* Blocks past the end, the size kept: LMDB writes there next anyway. */
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, st.st_size, PROBE_BYTES) == 0)
		return false;
	if (errno == EOPNOTSUPP)
		return fstatvfs(fd, &disk) == 0 && disk.f_bavail * disk.f_frsize < PROBE_BYTES;
	return errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
}

enum err store_file_err(int fd, int rc)
{
	enum err err = store_err(rc);

	/* LMDB calls a short write EIO, and a full disk gives short writes. */
	if (err == ERR_IO)
		err = no_room(fd) ? ERR_DISK_FULL : ERR_SYNC;
	return err;
}

enum err store_write_err(const struct store *s, int rc)
{
	return store_file_err(s->data_fd, rc);
}

/* ---- opening ---- */

enum err store_path(const char *folder, const char *name, char path[static STORE_PATH_BYTES])
{
	int n = snprintf(path, STORE_PATH_BYTES, "%s/%s", folder, name);

	return n < 0 || n >= STORE_PATH_BYTES ? ERR_ARGUMENT : ERR_OK;
}

enum err store_lock_writer(const char *folder, int *ret_fd)
{
	char path[STORE_PATH_BYTES];
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	enum err err = store_path(folder, "writer.lock", path);
	int fd = -1;

	if (err != ERR_OK)
		return err;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return store_err(errno);
	if (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
		err = errno == EAGAIN || errno == EACCES ? ERR_BUSY : ERR_IO;
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return ERR_OK;
}

/* LMDB takes an empty data file for a new store.  The lock file remembers (its size is not
 * zero) that the store was made once, so that a file truncated to nothing is seen.  Before that,
 * after a fall of the current, one of LMDB's first two pages may be there without the other: while
 * neither tells of a commit they are made anew. */
enum err store_check_made(const char *folder, int lock_fd)
{
	char path[STORE_PATH_BYTES];
	struct stat named;
	struct stat data;
	struct stat lock;
	bool ours = false;
	int fd = -1;
	enum err err = store_path(folder, "data.mdb", path);

	if (err != ERR_OK)
		return err;
	if (fstat(lock_fd, &lock) != 0)
		return ERR_IO;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? ERR_OK : store_err(errno);
	ours = lstat(path, &named) == 0 && S_ISREG(named.st_mode); /* not behind a link */
	if (fstat(fd, &data) != 0)
		err = ERR_IO;
	else if (lock.st_size > 0)
		err = data.st_size == 0 ? ERR_CORRUPT : ERR_OK;
	else if (ours && named.st_ino == data.st_ino && store_holds_nothing(fd) &&
		 ftruncate(fd, 0) != 0)
		err = store_err(errno);
	(void)close(fd);
	return err;
}

enum err store_sync_folder(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (fd < 0)
		return store_err(errno);
	rc = fsync(fd);
	(void)close(fd);
	return rc == 0 ? ERR_OK : ERR_SYNC;
}

static enum err call_made(int lock_fd)
{
	static const char text[] = "this store has been made\n";

	if (pwrite(lock_fd, text, sizeof text - 1, 0) != (ssize_t)sizeof text - 1)
		return errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL : ERR_IO;
	return fsync(lock_fd) == 0 ? ERR_OK : ERR_SYNC;
}

enum err store_call_made(const char *folder)
{
	int fd = -1;
	enum err err = store_lock_writer(folder, &fd);

	if (err == ERR_OK)
		err = call_made(fd);
	if (fd >= 0)
		(void)close(fd);
	return err;
}

/* What a killed program wrote and did not come to sync is on the disk before anybody is told of it;
 * of a new store the names as well, before it is called made. */
static enum err settle(struct store *s, const char *folder, enum store_mode mode)
{
	struct stat st;
	bool made = false;
	enum err err = ERR_OK;

	if (fstat(s->lock_fd, &st) != 0)
		return ERR_IO;
	made = st.st_size > 0;
	if (!made || mode != STORE_UNSYNCED)
		err = store_sync(s);
	if (made || err != ERR_OK)
		return err;
	err = store_sync_folder(folder);
	if (err == ERR_OK)
		err = folder_settle(folder);
	return err == ERR_OK ? call_made(s->lock_fd) : err;
}

/* That of sums is one more. */
static unsigned tables_max(const struct store_options *o)
{
	return (o->tables_max ? o->tables_max : TABLES_DEFAULT) + 1;
}

static int open_env(const char *folder, const struct store_options *o, size_t map, MDB_env **ret)
{
	unsigned flags = MDB_NOTLS;
	MDB_env *env = NULL;
	int rc = mdb_env_create(&env);

	if (rc != 0)
		return rc;
	if (o->mode == STORE_LAZY_META)
		flags |= MDB_NOMETASYNC;
	if (o->mode == STORE_UNSYNCED)
		flags |= MDB_NOSYNC;
	if (o->read_only)
		flags |= MDB_RDONLY;
	if (o->read_only && o->apart)
		flags |= MDB_NOLOCK;
	rc = mdb_env_set_mapsize(env, map);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(env, tables_max(o));
	if (rc == 0)
		rc = mdb_env_open(env, folder, flags, 0600);
	if (rc != 0) {
		mdb_env_close(env);
		return rc;
	}
	*ret = env;
	return 0;
}

/* LMDB maps its lock file and writes there: where the disk has no room for it, that is a signal and
 * no error.  Left alone when it has its blocks: who closes it gives up what this process holds. */
static enum err reserve_lock(const char *folder, bool read_only)
{
	char data[STORE_PATH_BYTES];
	char lock[STORE_PATH_BYTES];
	struct stat st;
	enum err err = store_path(folder, "data.mdb", data);
	bool made = false;
	int fd = -1;

	if (err == ERR_OK)
		err = store_path(folder, "lock.mdb", lock);
	if (err != ERR_OK || (read_only && stat(data, &st) != 0))
		return err;
	made = stat(lock, &st) != 0;
	if (!made && st.st_blocks * BLOCK_BYTES >= LOCK_BYTES)
		return ERR_OK;
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL : ERR_OK;
	/* Root that looks into a store must not shut its owner out of it. */
	if (made && stat(data, &st) == 0 && st.st_uid != geteuid())
		(void)!fchown(fd, st.st_uid, st.st_gid);
	if (fallocate(fd, 0, 0, LOCK_BYTES) != 0 && (errno == ENOSPC || errno == EDQUOT))
		err = ERR_DISK_FULL;
	(void)close(fd);
	return err; /* whatever else it is, LMDB says it */
}

static enum err open_mapped(struct store *s, const char *folder, const struct store_options *o)
{
	size_t map = o->map_bytes ? o->map_bytes : MAP_DEFAULT;
	size_t least = o->map_bytes ? map : MAP_LEAST;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int dead = 0;
	int rc = 0;

	if (s->map_bytes_max && map > s->map_bytes_max)
		map = s->map_bytes_max;
	map -= map % page;
	if (map < page * 4)
		return ERR_ARGUMENT;
	if (!s->apart) {
		enum err err = reserve_lock(folder, s->read_only);

		if (err != ERR_OK)
			return err;
	}
	/* Where the address space is bounded, take what it gives. */
	while ((rc = open_env(folder, o, map, &s->env)) == ENOMEM && map / 2 >= least)
		map /= 2;
	if (rc != 0)
		return store_err(rc);
	rc = mdb_env_get_fd(s->env, &s->data_fd);
	if (rc == 0)
		rc = mdb_reader_check(s->env, &dead);
	return store_err(rc);
}

static enum err add_rights(const char *path, mode_t rights)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return store_err(errno);
	if ((st.st_mode & rights) == rights)
		return ERR_OK;
	return chmod(path, (st.st_mode & 07777) | rights) == 0 ? ERR_OK : store_err(errno);
}

/* Whatever the umask.  The lock file, which is mapped and believed, is nobody else's: who could
 * write it could end the writer. */
static enum err let_group_read(const char *folder)
{
	char path[STORE_PATH_BYTES];
	enum err err = add_rights(folder, 0750);

	if (err == ERR_OK)
		err = store_path(folder, "data.mdb", path);
	return err == ERR_OK ? add_rights(path, 0640) : err;
}

/* Made as it is to be, so far as the umask lets it: where nobody may set the bit that hands the
 * group down (RestrictSUIDSGID= of a unit), a folder that has it cannot be opened later. */
static enum err open_writer(struct store *s, const char *folder, bool group_reads)
{
	enum err err = folder_make(folder, group_reads ? 0750 : 0700);

	if (err == ERR_OK)
		err = store_lock_writer(folder, &s->lock_fd);
	return err == ERR_OK ? store_check_made(folder, s->lock_fd) : err;
}

/* The table of sums comes before any other: a store that has others only is of before there were
 * sums. */
static enum err open_sums(struct store *s)
{
	MDB_stat stat;
	enum err err = store_table(s, SUMS_TABLE, false, &s->sums_table);

	if (err != ERR_NOT_FOUND)
		return err;
	if (mdb_env_stat(s->env, &stat) != 0)
		return ERR_INTERNAL;
	if (stat.ms_entries > 0)
		return ERR_VERSION;
	return s->read_only ? ERR_OK : store_table(s, SUMS_TABLE, true, &s->sums_table);
}

static enum err open_once(const char *folder, const struct store_options *options,
			  struct store **ret)
{
	struct store *s = calloc(1, sizeof *s);
	enum err err = ERR_OK;

	if (!s)
		return ERR_NOMEM;
	*s = (struct store){.lock_fd = -1,
			    .data_fd = -1,
			    .read_only = options->read_only,
			    .apart = options->read_only && options->apart,
			    .guarded = !options->read_only && options->group_reads,
			    .map_bytes_max = options->map_bytes_max,
			    .writer = {.store = s, .write = true}};
	(void)pthread_mutex_init(&s->gate, NULL);
	(void)pthread_mutex_init(&s->tables, NULL);
	(void)pthread_mutex_init(&s->writers, NULL);
	(void)pthread_cond_init(&s->gate_moved, NULL);
	s->folder = strdup(folder);
	if (!s->folder)
		err = ERR_NOMEM;
	if (err == ERR_OK && !s->read_only)
		err = open_writer(s, folder, options->group_reads);
	if (err == ERR_OK)
		err = store_sums_new(s, tables_max(options) + LMDB_TABLES);
	if (err == ERR_OK)
		err = open_mapped(s, folder, options);
	/* A folder that is somebody else's stays as it is: then readers are told. */
	if (err == ERR_OK && !s->read_only && options->group_reads)
		(void)!let_group_read(folder);
	if (err == ERR_OK && !s->read_only)
		err = settle(s, folder, options->mode);
	if (err == ERR_OK)
		err = open_sums(s);
	if (err != ERR_OK) {
		store_close(s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

enum err store_open(const char *folder, const struct store_options *options, struct store **ret)
{
	enum err err = open_once(folder, options, ret);

	if (err != ERR_VERSION || options->read_only)
		return err;
	err = store_compact(folder); /* which gives it sums */
	return err == ERR_OK ? open_once(folder, options, ret) : err;
}

enum err store_sync(struct store *s)
{
	int rc = mdb_env_sync(s->env, 1);

	return rc == 0 ? ERR_OK : store_write_err(s, rc);
}

/* ---- beside other processes ---- */

uint64_t store_stamp(struct store *s)
{
	struct txn *t = NULL;
	uint64_t stamp = 0;

	/* Not from the file's newest meta page: as long as the writer waits for its disk, that page
	 * is there already, and a reader still gets what was before. */
	if (txn_begin(s, false, &t) != ERR_OK)
		return 0;
	stamp = mdb_txn_id(t->mdb);
	txn_abort(t);
	return stamp;
}

bool store_replaced(const struct store *s)
{
	char path[STORE_PATH_BYTES];
	struct stat here;
	struct stat there;

	if (store_path(s->folder, "data.mdb", path) != ERR_OK || fstat(s->data_fd, &here) != 0)
		return true;
	return stat(path, &there) != 0 || there.st_dev != here.st_dev ||
	       there.st_ino != here.st_ino;
}

void store_sweep(struct store *s)
{
	int dead = 0;

	(void)mdb_reader_check(s->env, &dead);
}

/* ---- room ---- */

enum err store_usage(struct store *s, size_t *ret_used, size_t *ret_map)
{
	MDB_envinfo info;
	MDB_stat stat;

	if (mdb_env_info(s->env, &info) != 0 || mdb_env_stat(s->env, &stat) != 0)
		return ERR_INTERNAL;
	*ret_used = (info.me_last_pgno + 1) * stat.ms_psize;
	*ret_map = info.me_mapsize;
	return ERR_OK;
}

void store_reserve(struct store *s)
{
	struct rlimit most;
	struct stat st;
	size_t used = 0;
	size_t map = 0;
	size_t step = 0;

	if (store_usage(s, &used, &map) != ERR_OK || used < s->reserve_at)
		return;
	step = used / 8;
	step = step < RESERVE_LEAST ? RESERVE_LEAST : step > RESERVE_MOST ? RESERVE_MOST : step;
	if (map - used < step)
		step = map - used;
	/* Whatever comes of it, not at every commit: where there is no room, LMDB will say so. */
	s->reserve_at = used + step / 2;
	if (getrlimit(RLIMIT_FSIZE, &most) != 0 ||
	    (most.rlim_cur != RLIM_INFINITY && used + step > most.rlim_cur) ||
	    fstat(s->data_fd, &st) != 0 || (uint64_t)st.st_size >= used + step)
		return;
	(void)!fallocate(s->data_fd, 0, st.st_size, (off_t)(used + step) - st.st_size);
}

/* At a clean end the file is as long as what is in it, also after a commit that found no room. */
static void give_back(struct store *s)
{
	size_t used = 0;
	size_t map = 0;
	struct stat st;

	if (store_usage(s, &used, &map) == ERR_OK && fstat(s->data_fd, &st) == 0 &&
	    (uint64_t)st.st_size > used)
		(void)!ftruncate(s->data_fd, (off_t)used);
}

void store_close(struct store *s)
{
	struct txn *t = NULL;

	if (!s)
		return;
	store_unguard(s);
	while ((t = s->spare_readers)) {
		s->spare_readers = t->next;
		mdb_txn_abort(t->mdb);
		txn_free_spare(t);
		free(t);
	}
	txn_free_spare(&s->writer);
	if (s->env && !s->read_only)
		give_back(s);
	if (s->env)
		mdb_env_close(s->env);
	if (s->lock_fd >= 0)
		(void)close(s->lock_fd);
	(void)pthread_cond_destroy(&s->gate_moved);
	(void)pthread_mutex_destroy(&s->tables);
	(void)pthread_mutex_destroy(&s->writers);
	(void)pthread_mutex_destroy(&s->gate);
	store_sums_free(s);
	free(s->folder);
	free(s);
}

/* ---- tables ---- */

/* Opens the handle in a transaction of its own; a handle is shared once that commits. */
static enum err open_table(struct store *s, const char *name, bool create, struct table *ret)
{
	struct txn *t = NULL;
	MDB_dbi dbi = 0;
	enum err err = txn_begin(s, create, &t);
	int rc = 0;

	if (err != ERR_OK)
		return err;
	rc = mdb_dbi_open(t->mdb, name, create ? MDB_CREATE : 0, &dbi);
	if (rc != 0) {
		err = create ? store_write_err(s, rc) : store_err(rc);
		txn_abort(t);
		return err;
	}
	err = txn_share_handles(t);
	if (err == ERR_OK)
		err = store_sums_name(s, dbi, name);
	if (err == ERR_OK)
		ret->id = dbi;
	return err;
}

enum err store_table(struct store *s, const char *name, bool create, struct table *ret)
{
	enum err err = ERR_OK;

	if (create && (s->read_only || store_writes_here(s)))
		return ERR_ARGUMENT;
	(void)pthread_mutex_lock(&s->tables);
	err = open_table(s, name, false, ret);
	if (err == ERR_NOT_FOUND && create)
		err = open_table(s, name, true, ret);
	(void)pthread_mutex_unlock(&s->tables);
	return err;
}
