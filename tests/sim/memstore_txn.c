#include <stdlib.h>
#include <string.h>

#include "memstore_parts.h"

/* ---- transactions ---- */

enum err txn_begin(struct store *s, bool write, struct txn **ret)
{
	struct txn *t = NULL;

	if (write && (s->writer || s->read_only))
		return ERR_INTERNAL;
	t = mem_must(calloc(1, sizeof(*t)));
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
			mem_remove(&d->tables[e->table], e);
	}
	if (t->write)
		d->used_bytes = t->used_before;
	txn_end(t);
}

static void make_durable(struct txn *t)
{
	struct disk *d = t->store->disk;

	for (size_t i = 0; i < t->touched_count; i++) {
		struct entry *e = t->touched[i];

		mem_discard(d, e->committed);
		e->committed = e->current;
		e->touched = false;
		if (!e->committed)
			mem_remove(&d->tables[e->table], e);
	}
	txn_end(t);
}

/* What is on the disk then, and what the program is told. */
static const struct {
	bool durable;
	enum err answer;
} ends[MEMSTORE_DEATHS] = {
	[MEMSTORE_LIVES] = {true, ERR_OK},
	[MEMSTORE_DIES_BEFORE] = {false, ERR_IO},
	[MEMSTORE_DIES_DURING_OLD] = {false, ERR_IO},
	[MEMSTORE_DIES_DURING_NEW] = {true, ERR_IO},
	[MEMSTORE_DIES_AFTER] = {true, ERR_IO},
	[MEMSTORE_FAILS_OLD] = {false, ERR_SYNC},
	[MEMSTORE_FAILS_NEW] = {true, ERR_SYNC},
};

static unsigned lies_one_in, since_lie;

void memstore_lie(unsigned one_in)
{
	lies_one_in = one_in;
	since_lie = 0;
}

static bool lies(void)
{
	if (lies_one_in == 0 || ++since_lie < lies_one_in)
		return false;
	since_lie = 0;
	return true;
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
	if (ends[death].durable && !lies())
		make_durable(t);
	else
		txn_abort(t);
	d->died = ends[death].answer == ERR_IO;
	return ends[death].answer;
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
	const struct entry *e = mem_entry(m, mem_find(m, key), key);
	const struct value *v = e ? seen(t, e) : NULL;

	if (!v)
		return ERR_NOT_FOUND;
	if (v->bad)
		return ERR_CORRUPT;
	*ret = mem_bytes(v);
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
			t->touched = (struct entry **)mem_must(
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
	size_t at = mem_find(m, key);
	struct entry *e = mem_entry(m, at, key);

	if (!t->write || key.size == 0 || key.size > 511)
		return ERR_INTERNAL;
	if (d->used_bytes + key.size + value.size > d->map_bytes)
		return ERR_MAP_FULL;
	if (!e)
		e = mem_insert(m, table.id, at, key);
	touch(t, e, mem_value(value));
	return ERR_OK;
}

enum err txn_append(struct txn *t, struct table table, struct bytes key, struct bytes value)
{
	const struct mem_table *m = &t->store->disk->tables[table.id];

	for (size_t i = mem_find(m, key); i < m->count; i++) {
		if (seen(t, m->entries[i]))
			return ERR_EXISTS;
	}
	return txn_put(t, table, key, value);
}

enum err txn_delete(struct txn *t, struct table table, struct bytes key)
{
	struct mem_table *m = &t->store->disk->tables[table.id];
	struct entry *e = mem_entry(m, mem_find(m, key), key);

	if (!t->write)
		return ERR_INTERNAL;
	if (!e || !e->current)
		return ERR_NOT_FOUND;
	touch(t, e, NULL);
	return ERR_OK;
}

enum err txn_clear(struct txn *t, struct table table)
{
	struct mem_table *m = &t->store->disk->tables[table.id];

	if (!t->write)
		return ERR_INTERNAL;
	for (size_t i = 0; i < m->count; i++) {
		if (m->entries[i]->current)
			touch(t, m->entries[i], NULL);
	}
	return ERR_OK;
}

/* ---- scans: they keep their key, so that writes between two reads do no harm ---- */

enum err scan_open(struct txn *t, struct table table, struct scan **ret)
{
	struct scan *c = mem_must(calloc(1, sizeof(*c)));

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
	c->key = mem_value(mem_bytes(e->key));
	if (seen(c->txn, e)->bad)
		return ERR_CORRUPT;
	*ret_key = mem_bytes(e->key);
	*ret_value = mem_bytes(seen(c->txn, e));
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
	return give_from(c, mem_find(&c->txn->store->disk->tables[c->table], key), ret_key,
			 ret_value);
}

enum err scan_next(struct scan *c, struct bytes *ret_key, struct bytes *ret_value)
{
	const struct mem_table *m = &c->txn->store->disk->tables[c->table];
	size_t at = c->key ? mem_find(m, mem_bytes(c->key)) : 0;

	if (c->key && mem_entry(m, at, mem_bytes(c->key)))
		at++;
	return give_from(c, at, ret_key, ret_value);
}

enum err scan_prev(struct scan *c, struct bytes *ret_key, struct bytes *ret_value)
{
	const struct mem_table *m = &c->txn->store->disk->tables[c->table];

	return give_before(c, c->key ? mem_find(m, mem_bytes(c->key)) : m->count, ret_key,
			   ret_value);
}

enum err scan_last(struct scan *c, struct bytes *ret_key, struct bytes *ret_value)
{
	return give_before(c, c->txn->store->disk->tables[c->table].count, ret_key, ret_value);
}
