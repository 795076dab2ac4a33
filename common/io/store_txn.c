/* Transactions and scans of a store. */
#include "io/store_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/time.h"

enum { SPARE_READERS_MAX = 8, SNAPSHOT_TRIES = 1000 };

static const int64_t LEASE_US = (int64_t)STORE_LEASE_MS * 1000;

/* ---- readers apart ---- */

static int hold(struct store *s, struct guard *g)
{
	int rc = 0;

	if (g->held)
		mdb_txn_reset(g->mdb);
	g->held = false;
	rc = g->mdb ? mdb_txn_renew(g->mdb) : mdb_txn_begin(s->env, NULL, MDB_RDONLY, &g->mdb);
	g->held = rc == 0;
	g->since_us = mono_us();
	return rc;
}

int store_guard(struct store *s)
{
	struct guard *older = &s->guards[0];
	struct guard *younger = &s->guards[1];
	int rc = 0;

	if (!s->guarded)
		return 0;
	for (size_t i = 0; i < 2 && rc == 0; i++)
		if (!s->guards[i].held)
			rc = hold(s, &s->guards[i]);
	if (older->since_us > younger->since_us) {
		older = younger;
		younger = &s->guards[0];
	}
	if (rc == 0 && mono_us() - younger->since_us > LEASE_US)
		rc = hold(s, older);
	return rc;
}

void store_unguard(struct store *s)
{
	for (size_t i = 0; i < 2; i++) {
		mdb_txn_abort(s->guards[i].mdb); /* harmless for NULL */
		s->guards[i] = (struct guard){.mdb = NULL};
	}
}

/* Whether the snapshot is whole: it is copied from a meta page without the lock, and that page is
 * written again two commits later.  When none came meanwhile, nobody wrote there. */
static bool is_whole(struct txn *t)
{
	MDB_envinfo info;

	t->began_us = mono_us();
	return mdb_env_info(t->store->env, &info) == 0 && info.me_last_txnid == mdb_txn_id(t->mdb);
}

enum err txn_stands(const struct txn *t)
{
	return !t->store->apart || mono_us() - t->began_us < LEASE_US ? ERR_OK : ERR_AGAIN;
}

/* What a reader apart finds damaged past its lease is only written over. */
static enum err judged(const struct txn *t, enum err err)
{
	return err == ERR_CORRUPT && txn_stands(t) != ERR_OK ? ERR_AGAIN : err;
}

/* ---- beginning and ending ---- */

/* A reader kept from before (its slot in the lock file stays taken), or a new one. */
static enum err take_reader(struct store *s, struct txn **ret)
{
	struct txn *t = NULL;

	(void)pthread_mutex_lock(&s->gate);
	t = s->spare_readers;
	if (t) {
		s->spare_readers = t->next;
		s->spare_count--;
	}
	(void)pthread_mutex_unlock(&s->gate);
	if (!t)
		t = calloc(1, sizeof *t);
	if (!t)
		return ERR_NOMEM;
	t->store = s;
	t->next = NULL;
	*ret = t;
	return ERR_OK;
}

static void give_reader(struct store *s, struct txn *t)
{
	bool keep = false;

	(void)pthread_mutex_lock(&s->gate);
	keep = t->mdb && s->spare_count < SPARE_READERS_MAX;
	if (keep) {
		t->next = s->spare_readers;
		s->spare_readers = t;
		s->spare_count++;
	}
	(void)pthread_mutex_unlock(&s->gate);
	if (keep)
		return;
	if (t->mdb)
		mdb_txn_abort(t->mdb);
	txn_free_spare(t);
	free(t);
}

static int take_snapshot(struct txn *t)
{
	if (!t->mdb)
		return mdb_txn_begin(t->store->env, NULL, MDB_RDONLY, &t->mdb);
	return mdb_txn_renew(t->mdb);
}

static int start_reading(struct txn *t)
{
	int rc = take_snapshot(t);

	for (int i = 0; rc == 0 && t->store->apart && !is_whole(t); i++) {
		mdb_txn_reset(t->mdb);
		rc = i < SNAPSHOT_TRIES ? take_snapshot(t) : EAGAIN;
	}
	return rc;
}

static int start_writing(struct txn *t)
{
	int rc = store_guard(t->store);

	return rc == 0 ? mdb_txn_begin(t->store->env, NULL, 0, &t->mdb) : rc;
}

/* Enters the gate and starts; when another process moved the map, follows it. */
static enum err start(struct txn *t)
{
	struct store *s = t->store;
	enum err err = ERR_OK;
	int rc = 0;

	for (;;) {
		store_enter(t);
		rc = t->write ? start_writing(t) : start_reading(t);
		if (rc == 0)
			return ERR_OK;
		store_leave(t);
		if (rc != MDB_MAP_RESIZED)
			return store_err(rc);
		err = store_set_map(s, 0);
		if (err != ERR_OK)
			return err;
	}
}

enum err txn_begin(struct store *s, bool write, struct txn **ret)
{
	struct txn *t = NULL;
	enum err err = ERR_OK;

	if (write) {
		if (s->read_only)
			return ERR_DENIED;
		if (store_writes_here(s))
			return ERR_BUSY; /* LMDB would wait for this thread, that is for ever */
		(void)pthread_mutex_lock(&s->writers);
		t = &s->writer;
		t->failed = ERR_OK;
	} else {
		err = take_reader(s, &t);
		if (err != ERR_OK)
			return err;
	}
	err = start(t);
	if (err != ERR_OK) {
		if (write)
			(void)pthread_mutex_unlock(&s->writers);
		else
			give_reader(s, t);
		return err;
	}
	*ret = t;
	return ERR_OK;
}

/* Closes the cursors of all open scans; their structs wait for the next scan_open. */
static void end_scans(struct txn *t)
{
	struct scan *c = NULL;

	while ((c = t->open)) {
		t->open = c->next;
		if (c->cursor)
			mdb_cursor_close(c->cursor);
		c->cursor = NULL;
		c->next = t->spare;
		t->spare = c;
	}
}

void txn_free_spare(struct txn *t)
{
	struct scan *c = NULL;

	while ((c = t->spare)) {
		t->spare = c->next;
		free(c);
	}
}

static void end_reading(struct txn *t)
{
	struct store *s = t->store;

	mdb_txn_reset(t->mdb);
	store_leave(t);
	give_reader(s, t);
}

enum err txn_share_handles(struct txn *t)
{
	struct store *s = t->store;
	int rc = 0;

	if (t->write)
		return txn_commit(t);
	rc = mdb_txn_commit(t->mdb);
	t->mdb = NULL;
	store_leave(t);
	give_reader(s, t);
	return store_err(rc);
}

/* A failed write of the meta page makes LMDB refuse all further work: that must not look
 * like a full disk, which passes. */
static enum err commit_err(struct store *s, int rc)
{
	MDB_txn *probe = NULL;
	int again = mdb_txn_begin(s->env, NULL, 0, &probe);

	if (again == 0)
		mdb_txn_abort(probe);
	return again == MDB_PANIC ? ERR_SYNC : store_write_err(s, rc);
}

enum err txn_commit(struct txn *t)
{
	struct store *s = t->store;
	enum err err = t->failed;
	int rc = 0;

	end_scans(t);
	if (!t->write) {
		end_reading(t);
		return ERR_OK;
	}
	if (err == ERR_OK)
		rc = store_sums_commit(t);
	if (rc != 0)
		err = store_write_err(s, rc);
	if (err != ERR_OK) {
		mdb_txn_abort(t->mdb);
	} else {
		rc = mdb_txn_commit(t->mdb);
		if (rc != 0)
			err = commit_err(s, rc);
		else
			store_reserve(s);
	}
	store_sums_settle(s, err == ERR_OK);
	store_leave(t);
	(void)pthread_mutex_unlock(&s->writers);
	return err;
}

void txn_abort(struct txn *t)
{
	if (!t)
		return;
	end_scans(t);
	if (!t->write) {
		end_reading(t);
		return;
	}
	mdb_txn_abort(t->mdb);
	store_sums_settle(t->store, false);
	store_leave(t);
	(void)pthread_mutex_unlock(&t->store->writers);
}

enum err txn_renew(struct txn *t)
{
	struct scan *c = NULL;

	if (t->write)
		return ERR_ARGUMENT;
	for (c = t->open; c; c = c->next)
		c->place = SCAN_LOST;
	mdb_txn_reset(t->mdb);
	store_leave(t);
	return start(t);
}

/* ---- values ---- */

static MDB_val val_of(struct bytes x)
{
	return (MDB_val){x.size, (void *)(uintptr_t)x.data};
}

static struct bytes bytes_of_val(MDB_val v)
{
	return (struct bytes){v.mv_data, v.mv_size};
}

static bool key_fits(struct bytes key)
{
	return key.size > 0 && key.size <= KEY_BYTES_MAX;
}

/* The row as it stands, checked. */
static enum err get(const struct txn *t, struct table table, struct bytes key, struct bytes *ret,
		    uint64_t *ret_sum)
{
	MDB_val k = val_of(key);
	MDB_val v;
	int rc = mdb_get(t->mdb, table.id, &k, &v);

	return judged(t, rc == 0 ? store_row_open(t->store->sums[table.id].seed, k, v, ret, ret_sum)
				 : store_err(rc));
}

enum err txn_get(struct txn *t, struct table table, struct bytes key, struct bytes *ret)
{
	uint64_t sum = 0;

	return key_fits(key) ? get(t, table, key, ret, &sum) : ERR_ARGUMENT;
}

/* Reserves room for a value and its sum; `ret_before` is the sum of the row that stood there. */
static enum err reserve(struct txn *t, struct table table, struct bytes key, size_t size,
			unsigned flags, void **ret, uint64_t *ret_before)
{
	MDB_val k = val_of(key);
	MDB_val v = {size + SUM_BYTES, NULL};
	struct bytes old = {NULL, 0};
	enum err err = ERR_OK;
	int rc = mdb_put(t->mdb, table.id, &k, &v, flags | MDB_RESERVE);

	*ret_before = 0;
	if (rc == MDB_KEYEXIST && flags == MDB_NOOVERWRITE) {
		err = store_row_open(t->store->sums[table.id].seed, k, v, &old, ret_before);
		v = (MDB_val){size + SUM_BYTES, NULL};
		rc = err == ERR_OK ? mdb_put(t->mdb, table.id, &k, &v, MDB_RESERVE) : 0;
	}
	if (rc != 0)
		return store_write_err(t->store, rc);
	*ret = v.mv_data;
	return err;
}

static enum err put(struct txn *t, struct table table, struct bytes key, struct bytes value,
		    unsigned flags)
{
	uint64_t before = 0;
	uint64_t sum = 0;
	void *room = NULL;
	enum err err = ERR_OK;

	if (!t->write || !key_fits(key))
		return ERR_ARGUMENT;
	if (t->failed != ERR_OK)
		return t->failed;
	sum = store_row_sum(t->store->sums[table.id].seed, key, value);
	err = reserve(t, table, key, value.size, flags, &room, &before);
	if (err == ERR_OK) {
		store_row_close(room, value, sum);
		err = store_sum_move(t, table.id, before, sum);
	}
	if (err != ERR_OK && err != ERR_EXISTS)
		t->failed = err;
	return err;
}

enum err txn_put(struct txn *t, struct table table, struct bytes key, struct bytes value)
{
	return put(t, table, key, value, MDB_NOOVERWRITE);
}

enum err txn_append(struct txn *t, struct table table, struct bytes key, struct bytes value)
{
	return put(t, table, key, value, MDB_APPEND);
}

enum err txn_delete(struct txn *t, struct table table, struct bytes key)
{
	MDB_val k = val_of(key);
	struct bytes old = {NULL, 0};
	uint64_t sum = 0;
	enum err err = ERR_OK;
	int rc = 0;

	if (!t->write || !key_fits(key))
		return ERR_ARGUMENT;
	if (t->failed != ERR_OK)
		return t->failed;
	err = get(t, table, key, &old, &sum);
	if (err == ERR_OK) {
		rc = mdb_del(t->mdb, table.id, &k, NULL);
		err = rc == 0 ? store_sum_move(t, table.id, sum, 0) : store_write_err(t->store, rc);
	}
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		t->failed = err;
	return err;
}

enum err txn_clear(struct txn *t, struct table table)
{
	int rc = 0;

	if (!t->write)
		return ERR_ARGUMENT;
	if (t->failed != ERR_OK)
		return t->failed;
	rc = mdb_drop(t->mdb, table.id, 0);
	if (rc != 0)
		t->failed = store_write_err(t->store, rc);
	else
		store_sum_clear(t, table.id);
	return t->failed;
}

/* ---- scans ---- */

enum err scan_open(struct txn *t, struct table table, struct scan **ret)
{
	struct scan *c = t->spare;
	int rc = 0;

	if (!c)
		c = calloc(1, sizeof *c);
	else
		t->spare = c->next;
	if (!c)
		return ERR_NOMEM;
	*c = (struct scan){.txn = t, .place = SCAN_FRESH, .seed = t->store->sums[table.id].seed};
	rc = mdb_cursor_open(t->mdb, table.id, &c->cursor);
	if (rc != 0) {
		c->next = t->spare;
		t->spare = c;
		return store_err(rc);
	}
	c->next = t->open;
	t->open = c;
	*ret = c;
	return ERR_OK;
}

void scan_close(struct scan *c)
{
	struct scan **link = NULL;

	if (!c)
		return;
	link = &c->txn->open;
	while (*link && *link != c)
		link = &(*link)->next;
	if (!*link)
		return;
	*link = c->next;
	mdb_cursor_close(c->cursor);
	c->cursor = NULL;
	c->next = c->txn->spare;
	c->txn->spare = c;
}

/* Moves the cursor; `missed` is where the scan stands when there is nothing that way. */
static enum err move(struct scan *c, MDB_cursor_op op, MDB_val *k, enum scan_place missed,
		     struct bytes *ret_key, struct bytes *ret_value)
{
	MDB_val v;
	uint64_t sum = 0;
	int rc = mdb_cursor_get(c->cursor, k, &v, op);

	if (rc == 0) {
		c->place = SCAN_AT;
		*ret_key = bytes_of_val(*k);
		return judged(c->txn, store_row_open(c->seed, *k, v, ret_value, &sum));
	}
	if (rc == MDB_NOTFOUND) {
		c->place = missed;
	}
	return judged(c->txn, store_err(rc));
}

/* After txn_renew a cursor belongs to the old snapshot until it is bound again. */
static enum err bind(struct scan *c)
{
	int rc = 0;

	if (c->place != SCAN_LOST)
		return ERR_OK;
	rc = mdb_cursor_renew(c->txn->mdb, c->cursor);
	if (rc == 0)
		c->place = SCAN_FRESH;
	return store_err(rc);
}

enum err scan_seek(struct scan *c, struct bytes key, struct bytes *ret_key, struct bytes *ret_value)
{
	MDB_val k = val_of(key);
	enum err err = bind(c);

	if (err != ERR_OK)
		return err;
	if (key.size > KEY_BYTES_MAX)
		return ERR_ARGUMENT;
	if (key.size == 0)
		return move(c, MDB_FIRST, &k, SCAN_AFTER_LAST, ret_key, ret_value);
	return move(c, MDB_SET_RANGE, &k, SCAN_AFTER_LAST, ret_key, ret_value);
}

enum err scan_next(struct scan *c, struct bytes *ret_key, struct bytes *ret_value)
{
	MDB_cursor_op op = c->place == SCAN_AT ? MDB_NEXT : MDB_FIRST;
	MDB_val k = {0, NULL};

	if (c->place == SCAN_LOST)
		return ERR_ARGUMENT;
	if (c->place == SCAN_AFTER_LAST)
		return ERR_NOT_FOUND;
	return move(c, op, &k, SCAN_AFTER_LAST, ret_key, ret_value);
}

enum err scan_prev(struct scan *c, struct bytes *ret_key, struct bytes *ret_value)
{
	MDB_cursor_op op = c->place == SCAN_AT ? MDB_PREV : MDB_LAST;
	MDB_val k = {0, NULL};

	if (c->place == SCAN_LOST)
		return ERR_ARGUMENT;
	if (c->place == SCAN_BEFORE_FIRST)
		return ERR_NOT_FOUND;
	return move(c, op, &k, SCAN_BEFORE_FIRST, ret_key, ret_value);
}

enum err scan_last(struct scan *c, struct bytes *ret_key, struct bytes *ret_value)
{
	MDB_val k = {0, NULL};
	enum err err = bind(c);

	if (err != ERR_OK)
		return err;
	return move(c, MDB_LAST, &k, SCAN_BEFORE_FIRST, ret_key, ret_value);
}
