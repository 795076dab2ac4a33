#include "memstore_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERASED_LATER "to-be-erased-" /* as world.h says */

enum { DISKS_MAX = 96, DEFAULT_MAP_BYTES = 1 << 30 };

static struct disk *disks[DISKS_MAX];
static size_t disk_count;

/* ---- memory: a simulation without any cannot go on ---- */

void *mem_must(void *p)
{
	if (!p) {
		(void)fprintf(stderr, "splot-sim: out of memory\n");
		exit(3);
	}
	return p;
}

struct value *mem_value(struct bytes x)
{
	struct value *v = mem_must(malloc(sizeof(*v) + x.size));

	v->size = x.size;
	v->bad = false;
	if (x.size)
		memcpy(v->data, x.data, x.size);
	return v;
}

struct bytes mem_bytes(const struct value *v)
{
	return bytes_of(v->data, v->size);
}

/* LMDB's order: as memcmp, shorter first. */
static int order(const struct value *a, struct bytes b)
{
	size_t both = a->size < b.size ? a->size : b.size;
	int first = both ? memcmp(a->data, b.data, both) : 0;

	return first ? first : (a->size > b.size) - (a->size < b.size);
}

/* ---- tables ---- */

/* First entry with a key >= `key`.  Logs are written and read at their end. */
size_t mem_find(const struct mem_table *t, struct bytes key)
{
	size_t low = 0;
	size_t high = t->count;

	if (t->count > 0 && order(t->entries[t->count - 1]->key, key) < 0)
		return t->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (order(t->entries[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct entry *mem_entry(const struct mem_table *t, size_t i, struct bytes key)
{
	return i < t->count && order(t->entries[i]->key, key) == 0 ? t->entries[i] : NULL;
}

struct entry *mem_insert(struct mem_table *t, unsigned table, size_t i, struct bytes key)
{
	struct entry *e = mem_must(calloc(1, sizeof(*e)));

	if (t->count == t->capacity) {
		t->capacity = t->capacity ? 2 * t->capacity : 16;
		t->entries =
			(struct entry **)mem_must(realloc(t->entries, t->capacity * sizeof(e)));
	}
	memmove(t->entries + i + 1, t->entries + i, (t->count - i) * sizeof(e));
	t->entries[i] = e;
	t->count++;
	e->key = mem_value(key);
	e->table = table;
	return e;
}

void mem_remove(struct mem_table *t, struct entry *e)
{
	size_t i = mem_find(t, mem_bytes(e->key));

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
	d = mem_must(calloc(1, sizeof(*d)));
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	disks[disk_count++] = d;
	return d;
}

/* ---- what is left of what was freed ---- */

static bool holds(const struct value *v, struct bytes text)
{
	return v && memmem(v->data, v->size, text.data, text.size);
}

void mem_discard(struct disk *d, struct value *v)
{
	struct remains *r = &d->remains;

	if (v && v == d->damaged)
		d->damaged = NULL;
	if (!holds(v, bytes_of_text(ERASED_LATER))) {
		free(v);
		return;
	}
	if (r->count == r->capacity) {
		r->capacity = r->capacity ? 2 * r->capacity : 16;
		r->values = (struct value **)mem_must(
			realloc(r->values, r->capacity * sizeof(*r->values)));
	}
	r->values[r->count++] = v;
}

static void forget_remains(struct disk *d)
{
	for (size_t i = 0; i < d->remains.count; i++)
		free(d->remains.values[i]);
	free(d->remains.values);
	d->remains = (struct remains){0};
}

size_t memstore_holding(const char *disk, struct bytes text)
{
	const struct disk *d = disk_named(disk, false);
	size_t count = 0;

	for (size_t i = 0; d && i < d->remains.count; i++)
		count += holds(d->remains.values[i], text);
	for (size_t i = 0; d && i < d->table_count; i++) {
		const struct mem_table *t = &d->tables[i];

		for (size_t j = 0; j < t->count; j++)
			count += holds(t->entries[j]->committed, text) ||
				 holds(t->entries[j]->key, text);
	}
	return count;
}

struct disk *mem_disk(const char *name)
{
	return disk_named(name, false);
}

static void empty_disk(struct disk *d)
{
	for (size_t i = 0; i < d->table_count; i++)
		clear_table(&d->tables[i]);
	d->table_count = 0;
	d->used_bytes = 0;
	d->damaged = NULL;
	forget_remains(d);
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
	memstore_crash(disk);
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
			e = mem_insert(&b->tables[i], (unsigned)i, b->tables[i].count,
				       mem_bytes(t->entries[j]->key));
			e->committed = mem_value(mem_bytes(t->entries[j]->committed));
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
		    !bytes_equal(mem_bytes(e->key), mem_bytes(f->key)) ||
		    !bytes_equal(mem_bytes(e->committed), mem_bytes(f->committed)))
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
	s = mem_must(calloc(1, sizeof(*s)));
	s->disk = d;
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

void memstore_crash(const char *disk)
{
	struct disk *d = disk_named(disk, false);

	if (d)
		store_close(d->open);
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

enum err store_compact(const char *folder)
{
	struct disk *d = disk_named(folder, false);

	if (!d)
		return ERR_NOT_FOUND;
	if (d->open)
		return ERR_BUSY;
	forget_remains(d);
	return ERR_OK;
}
