#include "memstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DISKS_MAX = 96, TABLES_MAX = 96, NAME_BYTES = 48, DEFAULT_MAP_BYTES = 1 << 30 };

struct value {
	size_t size;
	uint8_t data[];
};

/* A key with what is on the disk and what the open write transaction makes of it; NULL: nothing. */
struct entry {
	struct value *key;
	struct value *committed;
	struct value *current; /* the same pointer unless touched */
	unsigned table;
	bool touched; /* by the open write transaction: it is in its list */
};

struct mem_table {
	char name[NAME_BYTES];
	struct entry **entries; /* in the order of their keys */
	size_t count, capacity;
};

/* What the last commit of a lazy store replaced. */
struct undo {
	unsigned table;
	struct value *key, *old;
};

struct disk {
	char name[NAME_BYTES];
	struct mem_table tables[TABLES_MAX];
	size_t table_count;
	size_t used_bytes, map_bytes, map_bytes_max;
	bool full, died;
	enum memstore_death death;
	struct undo *undo;
	size_t undo_count;
	struct store *open;
};

struct txn {
	struct store *store;
	bool write;
	size_t used_before;
	struct entry **touched;
	size_t touched_count, touched_capacity;
	struct txn *next; /* of the store's open ones */
};

struct store {
	struct disk *disk;
	enum store_mode mode;
	bool read_only;
	struct txn *writer;
	struct txn *open;
};

struct scan {
	struct txn *txn;
	unsigned table;
	struct value *key; /* of the entry last given; NULL: none */
};

static struct disk *disks[DISKS_MAX];
static size_t disk_count;

/* ---- memory: a simulation without any cannot go on ---- */

static void *must(void *p)
{
	if (!p) {
		(void)fprintf(stderr, "splot-sim: out of memory\n");
		exit(3);
	}
	return p;
}

static struct value *value_of(struct bytes x)
{
	struct value *v = must(malloc(sizeof(*v) + x.size));

	v->size = x.size;
	if (x.size)
		memcpy(v->data, x.data, x.size);
	return v;
}

static struct bytes value_bytes(const struct value *v)
{
	return bytes_of(v->data, v->size);
}

/* LMDB's order: as memcmp, shorter first. */
static int order(const struct value *a, struct bytes b)
{
	return bytes_compare(value_bytes(a), b);
}

/* ---- tables ---- */

/* First entry with a key >= `key`. */
static size_t find(const struct mem_table *t, struct bytes key)
{
	size_t low = 0;
	size_t high = t->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (order(t->entries[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct entry *entry_at(const struct mem_table *t, size_t i, struct bytes key)
{
	return i < t->count && order(t->entries[i]->key, key) == 0 ? t->entries[i] : NULL;
}

static struct entry *insert(struct mem_table *t, unsigned table, size_t i, struct bytes key)
{
	struct entry *e = must(calloc(1, sizeof(*e)));

	if (t->count == t->capacity) {
		t->capacity = t->capacity ? 2 * t->capacity : 16;
		t->entries = (struct entry **)must(realloc(t->entries, t->capacity * sizeof(e)));
	}
	memmove(t->entries + i + 1, t->entries + i, (t->count - i) * sizeof(e));
	t->entries[i] = e;
	t->count++;
	e->key = value_of(key);
	e->table = table;
	return e;
}

static void remove_entry(struct mem_table *t, struct entry *e)
{
	size_t i = find(t, value_bytes(e->key));

	memmove(t->entries + i, t->entries + i + 1, (t->count - i - 1) * sizeof(e));
	t->count--;
	free(e->key);
	free(e);
}

static void clear_table(struct mem_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		struct entry *e = t->entries[i];

		if (e->current != e->committed)
			free(e->current);
		free(e->committed);
		free(e->key);
		free(e);
	}
	free(t->entries);
	t->entries = NULL;
	t->count = 0;
	t->capacity = 0;
}

/* ---- disks ---- */

static struct disk *disk_named(const char *name, bool create)
{
	struct disk *d = NULL;

	for (size_t i = 0; i < disk_count; i++) {
		if (strcmp(disks[i]->name, name) == 0)
			return disks[i];
	}
	if (!create || disk_count == DISKS_MAX)
		return NULL;
	d = must(calloc(1, sizeof(*d)));
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	disks[disk_count++] = d;
	return d;
}

static void forget_undo(struct disk *d)
{
	for (size_t i = 0; i < d->undo_count; i++) {
		free(d->undo[i].key);
		free(d->undo[i].old);
	}
	free(d->undo);
	d->undo = NULL;
	d->undo_count = 0;
}

static void empty_disk(struct disk *d)
{
	for (size_t i = 0; i < d->table_count; i++)
		clear_table(&d->tables[i]);
	d->table_count = 0;
	d->used_bytes = 0;
	forget_undo(d);
}

void memstore_reset(void)
{
	while (disk_count > 0) {
		struct disk *d = disks[--disk_count];

		store_close(d->open);
		empty_disk(d);
		free(d);
	}
}

void memstore_wipe(const char *disk)
{
	struct disk *d = disk_named(disk, false);

	if (!d)
		return;
	memstore_crash(disk, false);
	empty_disk(d);
}

enum err memstore_copy(const char *from, const char *to)
{
	struct disk *a = disk_named(from, false);
	struct disk *b = disk_named(to, true);

	if (!a || !b)
		return ERR_NOT_FOUND;
	memstore_wipe(to);
	for (size_t i = 0; i < a->table_count; i++) {
		const struct mem_table *t = &a->tables[i];

		memcpy(b->tables[i].name, t->name, sizeof(t->name));
		for (size_t j = 0; j < t->count; j++) {
			struct entry *e = NULL;

			if (!t->entries[j]->committed)
				continue;
			e = insert(&b->tables[i], (unsigned)i, b->tables[i].count,
				   value_bytes(t->entries[j]->key));
			e->committed = value_of(value_bytes(t->entries[j]->committed));
			e->current = e->committed;
			b->used_bytes += e->key->size + e->committed->size;
		}
	}
	b->table_count = a->table_count;
	return ERR_OK;
}

void memstore_fill(const char *disk, bool full)
{
	struct disk *d = disk_named(disk, true);

	if (d)
		d->full = full;
}

void memstore_kill_at_commit(const char *disk, enum memstore_death when)
{
	struct disk *d = disk_named(disk, true);

	if (d)
		d->death = when;
}

bool memstore_died(const char *disk)
{
	const struct disk *d = disk_named(disk, false);

	return d && d->died;
}

static const struct mem_table *table_named(const struct disk *d, const char *name)
{
	for (size_t i = 0; d && i < d->table_count; i++) {
		if (strcmp(d->tables[i].name, name) == 0)
			return &d->tables[i];
	}
	return NULL;
}

bool memstore_same(const char *a, const char *b, const char *table)
{
	const struct mem_table *x = table_named(disk_named(a, false), table);
	const struct mem_table *y = table_named(disk_named(b, false), table);

	if (!x || !y || x->count != y->count)
		return x == y;
	for (size_t i = 0; i < x->count; i++) {
		const struct entry *e = x->entries[i];
		const struct entry *f = y->entries[i];

		if (!e->committed || !f->committed ||
		    !bytes_equal(value_bytes(e->key), value_bytes(f->key)) ||
		    !bytes_equal(value_bytes(e->committed), value_bytes(f->committed)))
			return false;
	}
	return true;
}

/* ---- stores ---- */

enum err store_open(const char *folder, const struct store_options *options, struct store **ret)
{
	struct disk *d = disk_named(folder, true);
	struct store *s = NULL;

	if (!d)
		return ERR_LIMIT;
	if (d->open)
		return ERR_BUSY;
	s = must(calloc(1, sizeof(*s)));
	s->disk = d;
	s->mode = options->mode;
	s->read_only = options->read_only;
	d->map_bytes = options->map_bytes ? options->map_bytes : DEFAULT_MAP_BYTES;
	d->map_bytes_max = options->map_bytes_max ? options->map_bytes_max : DEFAULT_MAP_BYTES;
	while (d->map_bytes < d->used_bytes)
		d->map_bytes *= 2;
	d->died = false;
	d->death = MEMSTORE_LIVES;
	d->open = s;
	*ret = s;
	return ERR_OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	while (s->open)
		txn_abort(s->open);
	s->disk->open = NULL;
	free(s);
}

static void undo_last_commit(struct disk *d)
{
	for (size_t i = 0; i < d->undo_count; i++) {
		struct undo *u = &d->undo[i];
		struct mem_table *t = &d->tables[u->table];
		size_t at = find(t, value_bytes(u->key));
		struct entry *e = entry_at(t, at, value_bytes(u->key));

		if (e) {
			d->used_bytes -= e->key->size + e->committed->size;
			free(e->committed);
		} else if (u->old) {
			e = insert(t, u->table, at, value_bytes(u->key));
		} else {
			continue;
		}
		e->committed = u->old;
		e->current = u->old;
		u->old = NULL;
		if (e->committed)
			d->used_bytes += e->key->size + e->committed->size;
		else
			remove_entry(t, e);
	}
	forget_undo(d);
}

void memstore_crash(const char *disk, bool lose_last)
{
	struct disk *d = disk_named(disk, false);
	bool lazy = d && d->open && d->open->mode == STORE_LAZY_META;

	if (!d)
		return;
	store_close(d->open);
	if (lazy && lose_last)
		undo_last_commit(d);
	forget_undo(d);
}

enum err store_table(struct store *s, const char *name, bool create, struct table *ret)
{
	struct disk *d = s->disk;

	for (size_t i = 0; i < d->table_count; i++) {
		if (strcmp(d->tables[i].name, name) == 0) {
			ret->id = (unsigned)i;
			return ERR_OK;
		}
	}
	if (!create)
		return ERR_NOT_FOUND;
	if (s->read_only || s->writer || d->table_count == TABLES_MAX || strlen(name) >= NAME_BYTES)
		return ERR_INTERNAL;
	(void)snprintf(d->tables[d->table_count].name, NAME_BYTES, "%s", name);
	ret->id = (unsigned)d->table_count++;
	return ERR_OK;
}

enum err store_usage(struct store *s, size_t *ret_used, size_t *ret_map)
{
	*ret_used = s->disk->used_bytes;
	*ret_map = s->disk->map_bytes;
	return ERR_OK;
}

enum err store_grow(struct store *s)
{
	if (s->open)
		return ERR_INTERNAL;
	if (s->disk->map_bytes >= s->disk->map_bytes_max)
		return ERR_LIMIT;
	s->disk->map_bytes *= 2;
	return ERR_OK;
}

enum err store_walk(const char *folder)
{
	return disk_named(folder, false) ? ERR_OK : ERR_NOT_FOUND;
}

/* ---- transactions ---- */

enum err txn_begin(struct store *s, bool write, struct txn **ret)
{
	struct txn *t = NULL;

	if (write && (s->writer || s->read_only))
		return ERR_INTERNAL;
	t = must(calloc(1, sizeof(*t)));
	t->store = s;
	t->write = write;
	t->used_before = s->disk->used_bytes;
	t->next = s->open;
	s->open = t;
	if (write)
		s->writer = t;
	*ret = t;
	return ERR_OK;
}

static void txn_end(struct txn *t)
{
	struct txn **at = &t->store->open;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	if (t->store->writer == t)
		t->store->writer = NULL;
	free(t->touched);
	free(t);
}

void txn_abort(struct txn *t)
{
	struct disk *d = t ? t->store->disk : NULL;

	if (!t)
		return;
	for (size_t i = 0; i < t->touched_count; i++) {
		struct entry *e = t->touched[i];

		free(e->current);
		e->current = e->committed;
		e->touched = false;
		if (!e->committed)
			remove_entry(&d->tables[e->table], e);
	}
	if (t->write)
		d->used_bytes = t->used_before;
	txn_end(t);
}

static void make_durable(struct txn *t)
{
	struct disk *d = t->store->disk;
	bool lazy = t->store->mode == STORE_LAZY_META;

	forget_undo(d);
	if (lazy)
		d->undo = must(calloc(t->touched_count + 1, sizeof(*d->undo)));
	for (size_t i = 0; i < t->touched_count; i++) {
		struct entry *e = t->touched[i];
		struct value *old = e->committed;

		if (lazy) {
			d->undo[d->undo_count++] =
				(struct undo){.table = e->table,
					      .key = value_of(value_bytes(e->key)),
					      .old = old};
			old = NULL;
		}
		free(old);
		e->committed = e->current;
		e->touched = false;
		if (!e->committed)
			remove_entry(&d->tables[e->table], e);
	}
	txn_end(t);
}

/* A read transaction that lived across a commit would see it change: the program under test
 * must not do that here, since the real store would show it the past. */
enum err txn_commit(struct txn *t)
{
	struct disk *d = t->store->disk;
	enum memstore_death death = d->death;

	if (!t->write || t->touched_count == 0) {
		txn_abort(t);
		return ERR_OK;
	}
	if (t->store->open != t || t->next) {
		txn_abort(t);
		return ERR_INTERNAL;
	}
	if (d->full) {
		txn_abort(t);
		return ERR_DISK_FULL;
	}
	d->death = MEMSTORE_LIVES;
	if (death == MEMSTORE_DIES_BEFORE_COMMIT)
		txn_abort(t);
	else
		make_durable(t);
	if (death == MEMSTORE_LIVES)
		return ERR_OK;
	d->died = true;
	return ERR_IO;
}

enum err txn_renew(struct txn *t)
{
	return t->write ? ERR_ARGUMENT : ERR_OK;
}

/* What this transaction sees. */
static struct value *seen(const struct txn *t, const struct entry *e)
{
	return t->write ? e->current : e->committed;
}

enum err txn_get(struct txn *t, struct table table, struct bytes key, struct bytes *ret)
{
	const struct mem_table *m = &t->store->disk->tables[table.id];
	const struct entry *e = entry_at(m, find(m, key), key);
	const struct value *v = e ? seen(t, e) : NULL;

	if (!v)
		return ERR_NOT_FOUND;
	*ret = value_bytes(v);
	return ERR_OK;
}

static void touch(struct txn *t, struct entry *e, struct value *v)
{
	struct disk *d = t->store->disk;

	if (e->current)
		d->used_bytes -= e->key->size + e->current->size;
	if (v)
		d->used_bytes += e->key->size + v->size;
	if (e->touched) {
		free(e->current);
	} else {
		if (t->touched_count == t->touched_capacity) {
			t->touched_capacity = t->touched_capacity ? 2 * t->touched_capacity : 16;
			t->touched = (struct entry **)must(
				realloc(t->touched, t->touched_capacity * sizeof(e)));
		}
		t->touched[t->touched_count++] = e;
		e->touched = true;
	}
	e->current = v;
}

enum err txn_put(struct txn *t, struct table table, struct bytes key, struct bytes value)
{
	struct disk *d = t->store->disk;
	struct mem_table *m = &d->tables[table.id];
	size_t at = find(m, key);
	struct entry *e = entry_at(m, at, key);

	if (!t->write || key.size == 0 || key.size > 511)
		return ERR_INTERNAL;
	if (d->used_bytes + key.size + value.size > d->map_bytes)
		return ERR_MAP_FULL;
	if (!e)
		e = insert(m, table.id, at, key);
	touch(t, e, value_of(value));
	return ERR_OK;
}

enum err txn_append(struct txn *t, struct table table, struct bytes key, struct bytes value)
{
	const struct mem_table *m = &t->store->disk->tables[table.id];

	for (size_t i = find(m, key); i < m->count; i++) {
		if (seen(t, m->entries[i]))
			return ERR_EXISTS;
	}
	return txn_put(t, table, key, value);
}

enum err txn_delete(struct txn *t, struct table table, struct bytes key)
{
	struct mem_table *m = &t->store->disk->tables[table.id];
	struct entry *e = entry_at(m, find(m, key), key);

	if (!t->write)
		return ERR_INTERNAL;
	if (!e || !e->current)
		return ERR_NOT_FOUND;
	touch(t, e, NULL);
	return ERR_OK;
}

/* ---- scans: they keep their key, so that writes between two reads do no harm ---- */

enum err scan_open(struct txn *t, struct table table, struct scan **ret)
{
	struct scan *c = must(calloc(1, sizeof(*c)));

	c->txn = t;
	c->table = table.id;
	*ret = c;
	return ERR_OK;
}

void scan_close(struct scan *c)
{
	if (!c)
		return;
	free(c->key);
	free(c);
}

static enum err give(struct scan *c, const struct entry *e, struct bytes *ret_key,
		     struct bytes *ret_value)
{
	free(c->key);
	c->key = value_of(value_bytes(e->key));
	*ret_key = value_bytes(e->key);
	*ret_value = value_bytes(seen(c->txn, e));
	return ERR_OK;
}

static enum err give_from(struct scan *c, size_t at, struct bytes *ret_key, struct bytes *ret_value)
{
	const struct mem_table *m = &c->txn->store->disk->tables[c->table];

	for (; at < m->count; at++) {
		if (seen(c->txn, m->entries[at]))
			return give(c, m->entries[at], ret_key, ret_value);
	}
	return ERR_NOT_FOUND;
}

static enum err give_before(struct scan *c, size_t at, struct bytes *ret_key,
			    struct bytes *ret_value)
{
	const struct mem_table *m = &c->txn->store->disk->tables[c->table];

	while (at > 0) {
		at--;
		if (seen(c->txn, m->entries[at]))
			return give(c, m->entries[at], ret_key, ret_value);
	}
	return ERR_NOT_FOUND;
}

enum err scan_seek(struct scan *c, struct bytes key, struct bytes *ret_key, struct bytes *ret_value)
{
	return give_from(c, find(&c->txn->store->disk->tables[c->table], key), ret_key, ret_value);
}

enum err scan_next(struct scan *c, struct bytes *ret_key, struct bytes *ret_value)
{
	const struct mem_table *m = &c->txn->store->disk->tables[c->table];
	size_t at = c->key ? find(m, value_bytes(c->key)) : 0;

	if (c->key && entry_at(m, at, value_bytes(c->key)))
		at++;
	return give_from(c, at, ret_key, ret_value);
}

enum err scan_prev(struct scan *c, struct bytes *ret_key, struct bytes *ret_value)
{
	const struct mem_table *m = &c->txn->store->disk->tables[c->table];

	return give_before(c, c->key ? find(m, value_bytes(c->key)) : m->count, ret_key, ret_value);
}

enum err scan_last(struct scan *c, struct bytes *ret_key, struct bytes *ret_value)
{
	return give_before(c, c->txn->store->disk->tables[c->table].count, ret_key, ret_value);
}
