#include "http/cache.h"

#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 4096, ENTRY_BYTES = 128 };

struct entry {
	struct entry *same;          /* of the bucket */
	struct entry *newer, *older; /* by use */
	struct stamp stamp;
	struct mono_ms until;
	void *value;
	size_t size;
	uint64_t hash;
	size_t key_size;
	uint8_t key[];
};

struct cache {
	struct entry *buckets[BUCKETS];
	struct entry *newest, *oldest;
	size_t bytes, bytes_max, count;
	cache_free_value *free_value;
};

/* FNV-1a: keys are strangers' words, but a bucket's length is bounded by the cache's bytes, and
 * the buckets' number times the price of one entry is all of them. */
static uint64_t hash_of(struct bytes key)
{
	uint64_t hash = 1469598103934665603U;

	for (size_t i = 0; i < key.size; i++)
		hash = (hash ^ key.data[i]) * 1099511628211U;
	return hash;
}

enum err cache_new(size_t bytes_max, cache_free_value *free_value, struct cache **ret)
{
	struct cache *c = calloc(1, sizeof *c);

	if (!c)
		return ERR_NOMEM;
	c->bytes_max = bytes_max;
	c->free_value = free_value;
	*ret = c;
	return ERR_OK;
}

/* ---- links ---- */

static void unlink_use(struct cache *c, struct entry *e)
{
	if (e->newer)
		e->newer->older = e->older;
	else
		c->newest = e->older;
	if (e->older)
		e->older->newer = e->newer;
	else
		c->oldest = e->newer;
}

static void link_newest(struct cache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	if (c->newest)
		c->newest->newer = e;
	else
		c->oldest = e;
	c->newest = e;
}

static void drop(struct cache *c, struct entry *e)
{
	struct entry **link = &c->buckets[e->hash % BUCKETS];

	while (*link != e)
		link = &(*link)->same;
	*link = e->same;
	unlink_use(c, e);
	c->bytes -= e->size;
	c->count--;
	c->free_value(e->value);
	free(e);
}

static struct entry *find(const struct cache *c, struct bytes key, uint64_t hash)
{
	struct entry *e = c->buckets[hash % BUCKETS];

	while (e && (e->hash != hash || !bytes_equal(bytes_of(e->key, e->key_size), key)))
		e = e->same;
	return e;
}

/* ---- use ---- */

static bool fits(struct stamp good_for, struct stamp now)
{
	return (good_for.view == 0 || good_for.view == now.view) &&
	       (good_for.position == 0 || good_for.position == now.position) &&
	       (good_for.status == 0 || good_for.status == now.status);
}

void *cache_get(struct cache *c, struct bytes key, struct stamp now, struct mono_ms mono)
{
	struct entry *e = find(c, key, hash_of(key));

	if (!e)
		return NULL;
	if (!fits(e->stamp, now) || (e->until.ms != 0 && mono.ms > e->until.ms)) {
		drop(c, e);
		return NULL;
	}
	unlink_use(c, e);
	link_newest(c, e);
	return e->value;
}

static void make_room(struct cache *c)
{
	struct entry *e = c->oldest;

	while (e && c->bytes > c->bytes_max) {
		struct entry *newer = e->newer;

		drop(c, e);
		e = newer;
	}
}

bool cache_put(struct cache *c, struct bytes key, struct stamp good_for, struct mono_ms until,
	       void *value, size_t size)
{
	uint64_t hash = hash_of(key);
	struct entry *e = find(c, key, hash);

	if (e)
		drop(c, e);
	size += key.size + ENTRY_BYTES;
	e = size > c->bytes_max ? NULL : malloc(sizeof *e + key.size);
	if (!e) {
		c->free_value(value);
		return false;
	}
	*e = (struct entry){.stamp = good_for,
			    .until = until,
			    .value = value,
			    .size = size,
			    .hash = hash,
			    .key_size = key.size,
			    .same = c->buckets[hash % BUCKETS]};
	memcpy(e->key, key.data, key.size);
	c->buckets[hash % BUCKETS] = e;
	link_newest(c, e);
	c->bytes += size;
	c->count++;
	make_room(c);
	return true;
}

void cache_grew(struct cache *c, struct bytes key, size_t by)
{
	struct entry *e = find(c, key, hash_of(key));

	if (!e)
		return;
	e->size += by;
	c->bytes += by;
	make_room(c);
}

size_t cache_bytes(const struct cache *c)
{
	return c->bytes;
}

size_t cache_count(const struct cache *c)
{
	return c->count;
}

void cache_free(struct cache *c)
{
	struct entry *e = c ? c->newest : NULL;

	while (e) {
		struct entry *older = e->older;

		c->free_value(e->value);
		free(e);
		e = older;
	}
	free(c);
}
