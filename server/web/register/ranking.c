#include "register/ranking.h"

#include <stdlib.h>
#include <string.h>

/* A key that is kept: of a collation it is dear to make. */
struct kept_key {
	uint16_t size;
	uint8_t bytes[];
};

struct ranking {
	enum ranking_order order;
	const struct pool *pool;
	struct collator *collator;
	text_id *sorted; /* owned; those whose rank is 0 are no longer kept */
	size_t count, capacity;
	uint32_t *ranks; /* owned; by text */
	struct kept_key *
		*keys; /* owned, with what they point to; NULL: BY_BYTES, made of the text */
	size_t texts;  /* that both have room for */
	size_t key_bytes;
	bool stale; /* `sorted` holds some of rank 0 */
};

/* A text on its way in. */
struct arrival {
	uint64_t prefix; /* first bytes of its key, big-endian */
	struct bytes key;
	text_id text;
	size_t before; /* how many of the present ones sort before it */
};

static const uint32_t ON_ITS_WAY = UINT32_MAX;

enum err ranking_new(enum ranking_order order, const struct pool *pool, struct collator *collator,
		     struct ranking **ret)
{
	struct ranking *r = calloc(1, sizeof *r);

	if (!r)
		return ERR_NOMEM;
	r->order = order;
	r->pool = pool;
	r->collator = collator;
	*ret = r;
	return ERR_OK;
}

void ranking_free(struct ranking *r)
{
	if (!r)
		return;
	for (size_t i = 0; r->keys && i < r->texts; i++)
		free(r->keys[i]);
	free(r->keys);
	free(r->ranks);
	free(r->sorted);
	free(r);
}

/* ---- keys ---- */

static struct bytes text_bytes(const struct ranking *r, text_id text)
{
	size_t size = pool_size(r->pool, text);

	return bytes_of(pool_text(r->pool, text), size < COLLATE_KEY_MAX ? size : COLLATE_KEY_MAX);
}

struct bytes ranking_key_of(const struct ranking *r, text_id text)
{
	if (r->order == BY_BYTES)
		return text_bytes(r, text);
	if (text >= r->texts || !r->keys[text])
		return bytes_of(NULL, 0);
	return bytes_of(r->keys[text]->bytes, r->keys[text]->size);
}

enum err ranking_key(const struct ranking *r, text_id text, struct buf *ret)
{
	uint8_t number[NUMBER_KEY_MAX];
	struct bytes raw = text_bytes(r, text);
	size_t size = 0;

	if (r->order == BY_COLLATION)
		return collator_key(r->collator, bytes_of(raw.data, pool_size(r->pool, text)), ret);
	if (r->order == BY_VALUE && number_key(pool_text(r->pool, text), number, &size)) {
		buf_add(ret, number, size);
	} else {
		if (r->order == BY_VALUE) { /* after every number */
			buf_add_u8(ret, 0xff);
			raw.size -= raw.size == COLLATE_KEY_MAX;
		}
		buf_add_bytes(ret, raw);
	}
	return buf_check(ret);
}

static enum err keep_key(struct ranking *r, text_id text, struct buf *scratch)
{
	struct kept_key *key = NULL;
	enum err e = ERR_OK;

	if (r->order == BY_BYTES || r->keys[text])
		return ERR_OK;
	buf_clear(scratch);
	e = ranking_key(r, text, scratch);
	if (e != ERR_OK)
		return e;
	key = malloc(sizeof *key + scratch->size);
	if (!key)
		return ERR_NOMEM;
	key->size = (uint16_t)scratch->size;
	if (scratch->size)
		memcpy(key->bytes, scratch->data, scratch->size);
	r->keys[text] = key;
	r->key_bytes += sizeof *key + scratch->size;
	return ERR_OK;
}

void ranking_forget(struct ranking *r, text_id text)
{
	if (text >= r->texts)
		return;
	if (r->ranks[text])
		r->stale = true;
	r->ranks[text] = 0;
	if (r->keys && r->keys[text]) {
		r->key_bytes -= sizeof **r->keys + r->keys[text]->size;
		free(r->keys[text]);
		r->keys[text] = NULL;
	}
}

/* ---- those that come ---- */

static bool has_room(struct ranking *r)
{
	size_t texts = pool_texts(r->pool);
	void *grown = NULL;

	if (texts <= r->texts)
		return true;
	texts += texts / 4;
	grown = realloc(r->ranks, texts * sizeof *r->ranks);
	if (!grown)
		return false;
	r->ranks = grown;
	memset(r->ranks + r->texts, 0, (texts - r->texts) * sizeof *r->ranks);
	if (r->order != BY_BYTES) {
		grown = realloc(r->keys, texts * sizeof(struct kept_key *));
		if (!grown)
			return false;
		r->keys = grown;
		memset(r->keys + r->texts, 0, (texts - r->texts) * sizeof(struct kept_key *));
	}
	r->texts = texts;
	return true;
}

static void drop_stale(struct ranking *r)
{
	size_t kept = 0;

	if (!r->stale)
		return;
	for (size_t i = 0; i < r->count; i++) {
		if (r->ranks[r->sorted[i]])
			r->sorted[kept++] = r->sorted[i];
	}
	r->count = kept;
	r->stale = false;
}

static uint64_t prefix_of(struct bytes key)
{
	uint64_t prefix = 0;

	for (size_t i = 0; i < 8; i++)
		prefix = prefix << 8 | (i < key.size ? key.data[i] : 0);
	return prefix;
}

static int compare_arrivals(const void *a, const void *b)
{
	const struct arrival *x = a;
	const struct arrival *y = b;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return bytes_compare(x->key, y->key);
}

/* How many of the present ones sort before the key; `from` of them surely do. */
static size_t count_before(const struct ranking *r, struct bytes key, size_t from)
{
	size_t low = from;
	size_t high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (bytes_compare(ranking_key_of(r, r->sorted[middle]), key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Merges from the end, so that nothing is overwritten that is still needed. */
static void merge(struct ranking *r, const struct arrival *arrivals, size_t count)
{
	size_t old = r->count;
	size_t to = old + count;

	for (size_t i = count; i > 0; i--) {
		size_t before = arrivals[i - 1].before;
		size_t moved = old - before;

		to -= moved;
		memmove(r->sorted + to, r->sorted + before, moved * sizeof *r->sorted);
		r->sorted[--to] = arrivals[i - 1].text;
		old = before;
	}
	r->count += count;
}

/* Numbers all anew.  Two old neighbours are alike when their ranks were; a new one is compared. */
static void number(struct ranking *r)
{
	uint32_t before = 0; /* old rank of the one before */
	uint32_t rank = 0;

	for (size_t i = 0; i < r->count; i++) {
		text_id text = r->sorted[i];
		uint32_t old = r->ranks[text];
		bool alike = old == before;

		if (i > 0 && (old == ON_ITS_WAY || before == ON_ITS_WAY))
			alike = bytes_equal(ranking_key_of(r, text),
					    ranking_key_of(r, r->sorted[i - 1]));
		rank += i == 0 || !alike;
		before = old;
		r->ranks[text] = rank;
	}
}

static enum err take_in(struct ranking *r, struct arrival *arrivals, size_t count)
{
	struct buf scratch = {.data = NULL};
	size_t capacity = r->count + count + r->count / 8;
	text_id *grown = NULL;
	enum err e = ERR_OK;

	for (size_t i = 0; i < count && e == ERR_OK; i++)
		e = keep_key(r, arrivals[i].text, &scratch);
	buf_free(&scratch);
	if (e != ERR_OK)
		return e;
	if (r->count + count > r->capacity) {
		grown = realloc(r->sorted, capacity * sizeof *grown);
		if (!grown)
			return ERR_NOMEM;
		r->sorted = grown;
		r->capacity = capacity;
	}
	for (size_t i = 0; i < count; i++) {
		arrivals[i].key = ranking_key_of(r, arrivals[i].text);
		arrivals[i].prefix = prefix_of(arrivals[i].key);
	}
	qsort(arrivals, count, sizeof *arrivals, compare_arrivals);
	for (size_t i = 0; i < count; i++)
		arrivals[i].before =
			count_before(r, arrivals[i].key, i ? arrivals[i - 1].before : 0);
	merge(r, arrivals, count);
	number(r);
	return ERR_OK;
}

enum err ranking_cover(struct ranking *r, const text_id *texts, size_t count)
{
	struct arrival *arrivals = NULL;
	size_t fresh = 0;
	size_t found = 0;
	enum err e = ERR_NOMEM;

	if (!has_room(r))
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++)
		fresh += texts[i] && !r->ranks[texts[i]];
	if (fresh == 0)
		return ERR_OK;
	drop_stale(r);
	arrivals = malloc(fresh * sizeof *arrivals);
	for (size_t i = 0; arrivals && i < count; i++) {
		if (!texts[i] || r->ranks[texts[i]])
			continue;
		r->ranks[texts[i]] = ON_ITS_WAY; /* each once */
		arrivals[found++].text = texts[i];
	}
	if (arrivals)
		e = take_in(r, arrivals, found);
	for (size_t i = 0; e != ERR_OK && i < found; i++)
		r->ranks[arrivals[i].text] = 0;
	free(arrivals);
	return e;
}

/* ---- reading ---- */

const uint32_t *ranking_ranks(const struct ranking *r)
{
	return r->ranks;
}

uint32_t ranking_place(struct ranking *r, struct bytes key, bool *ret_found)
{
	size_t before = 0;

	drop_stale(r);
	before = count_before(r, key, 0);
	*ret_found = before < r->count && bytes_equal(ranking_key_of(r, r->sorted[before]), key);
	if (*ret_found)
		return r->ranks[r->sorted[before]];
	return before ? r->ranks[r->sorted[before - 1]] : 0;
}

size_t ranking_memory(const struct ranking *r)
{
	size_t keys =
		r->keys ? r->texts * sizeof(struct kept_key *) + r->key_bytes + r->count * 8 : 0;

	return sizeof *r + r->capacity * sizeof *r->sorted + r->texts * sizeof *r->ranks + keys;
}
