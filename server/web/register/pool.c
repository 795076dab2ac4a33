#include "register/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "register/heap.h"

enum { SLOTS_FIRST = 1024, TEXTS_FIRST = 512 };

struct kept {
	char *text;    /* owned; NULL: the number is free */
	uint32_t size; /* bytes */
	uint32_t users;
	uint32_t hash;   /* of a free number: the next free one */
	uint32_t folded; /* place in the heap; 0: not searched */
};

struct pool {
	struct kept *texts; /* owned; 0 is the empty text */
	size_t count, capacity;
	uint32_t free;     /* the first free number; 0: none */
	text_id *slots;    /* owned; linear probing, never over 3/4 full */
	size_t slot_count; /* a power of two */
	size_t used;
	size_t text_bytes;
	uint64_t seed[2];
	struct heap heap;
};

/* ---- hash: SipHash-1-3, keyed, so that nobody can choose texts that collide ---- */

static uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static uint32_t hash_of(const struct pool *p, const char *text, size_t size)
{
	uint64_t v[4] = {p->seed[0] ^ 0x736f6d6570736575, p->seed[1] ^ 0x646f72616e646f6d,
			 p->seed[0] ^ 0x6c7967656e657261, p->seed[1] ^ 0x7465646279746573};
	uint64_t last = (uint64_t)size << 56;
	uint64_t word = 0;

	for (; size >= 8; size -= 8, text += 8) {
		memcpy(&word, text, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	word = 0;
	memcpy(&word, text, size);
	last |= word;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	word = v[0] ^ v[1] ^ v[2] ^ v[3];
	return (uint32_t)(word ^ word >> 32);
}

/* ---- life ---- */

enum err pool_new(struct pool **ret)
{
	struct pool *p = calloc(1, sizeof *p);

	if (!p)
		return ERR_NOMEM;
	if (getrandom(p->seed, sizeof p->seed, 0) != (ssize_t)sizeof p->seed) {
		pool_free(p);
		return ERR_IO;
	}
	p->capacity = TEXTS_FIRST;
	p->texts = calloc(p->capacity, sizeof *p->texts);
	p->slot_count = SLOTS_FIRST;
	p->slots = calloc(p->slot_count, sizeof *p->slots);
	if (!p->texts || !p->slots) {
		pool_free(p);
		return ERR_NOMEM;
	}
	p->count = 1;
	*ret = p;
	return ERR_OK;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	for (size_t i = 1; p->texts && i < p->count; i++)
		free(p->texts[i].text);
	free(p->texts);
	free(p->slots);
	heap_free(&p->heap);
	free(p);
}

/* ---- the table ---- */

/* The slot that holds the text, else the empty one where it would go. */
static size_t slot_of(const struct pool *p, const char *text, size_t size, uint32_t hash)
{
	size_t mask = p->slot_count - 1;
	size_t at = hash & mask;

	while (p->slots[at]) {
		const struct kept *k = &p->texts[p->slots[at]];

		if (k->hash == hash && k->size == size && memcmp(k->text, text, size) == 0)
			break;
		at = (at + 1) & mask;
	}
	return at;
}

static bool grow_slots(struct pool *p)
{
	size_t count = p->slot_count * 2;
	text_id *slots = NULL;

	if (p->used < p->slot_count / 4 * 3)
		return true;
	slots = calloc(count, sizeof *slots);
	if (!slots)
		return false;
	for (size_t i = 0; i < p->slot_count; i++) {
		size_t at = 0;

		if (!p->slots[i])
			continue;
		at = p->texts[p->slots[i]].hash & (count - 1);
		while (slots[at])
			at = (at + 1) & (count - 1);
		slots[at] = p->slots[i];
	}
	free(p->slots);
	p->slots = slots;
	p->slot_count = count;
	return true;
}

/* Empties a slot and moves up what probed past it. */
static void empty_slot(struct pool *p, size_t hole)
{
	size_t mask = p->slot_count - 1;
	size_t at = hole;

	for (;;) {
		size_t home = 0;

		at = (at + 1) & mask;
		if (!p->slots[at])
			break;
		home = p->texts[p->slots[at]].hash & mask;
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			p->slots[hole] = p->slots[at];
			hole = at;
		}
	}
	p->slots[hole] = 0;
	p->used--;
}

/* ---- keep and release ---- */

/* A number for a new text: 0 without memory. */
static text_id number(struct pool *p)
{
	text_id text = p->free;
	struct kept *grown = NULL;

	if (text) {
		p->free = p->texts[text].hash;
		return text;
	}
	if (p->count == p->capacity) {
		if (p->capacity > UINT32_MAX / 2)
			return 0;
		grown = realloc(p->texts, 2 * p->capacity * sizeof *grown);
		if (!grown)
			return 0;
		p->texts = grown;
		p->capacity *= 2;
	}
	return (text_id)p->count++;
}

static void number_back(struct pool *p, text_id text)
{
	p->texts[text] = (struct kept){.text = NULL, .hash = p->free};
	p->free = text;
}

static enum err keep_new(struct pool *p, const char *text, size_t size, uint32_t hash,
			 bool searched, text_id *ret)
{
	struct kept k = {.size = (uint32_t)size, .users = 1, .hash = hash};
	text_id id = 0;

	if (!grow_slots(p))
		return ERR_NOMEM;
	k.text = malloc(size + 1);
	if (!k.text)
		return ERR_NOMEM;
	memcpy(k.text, text, size + 1);
	id = number(p);
	if (!id) {
		free(k.text);
		return ERR_NOMEM;
	}
	if (searched && heap_add(&p->heap, id, text, &k.folded) != ERR_OK) {
		free(k.text);
		number_back(p, id);
		return ERR_NOMEM;
	}
	p->texts[id] = k;
	p->slots[slot_of(p, text, size, hash)] = id;
	p->used++;
	p->text_bytes += size + 1;
	*ret = id;
	return ERR_OK;
}

enum err pool_keep(struct pool *p, const char *text, bool searched, text_id *ret)
{
	size_t size = strlen(text);
	uint32_t hash = 0;
	struct kept *k = NULL;
	text_id id = 0;

	if (size == 0) {
		*ret = 0;
		return ERR_OK;
	}
	if (size >= UINT32_MAX)
		return ERR_LIMIT;
	hash = hash_of(p, text, size);
	id = p->slots[slot_of(p, text, size, hash)];
	if (!id)
		return keep_new(p, text, size, hash, searched, ret);
	k = &p->texts[id];
	if (k->users == UINT32_MAX)
		return ERR_LIMIT;
	if (searched && !k->folded && heap_add(&p->heap, id, k->text, &k->folded) != ERR_OK)
		return ERR_NOMEM;
	k->users++;
	*ret = id;
	return ERR_OK;
}

static void note_place(void *context, text_id text, uint32_t place)
{
	struct pool *p = context;

	p->texts[text].folded = place;
}

bool pool_release(struct pool *p, text_id text)
{
	struct kept *k = &p->texts[text];

	if (!text || --k->users)
		return false;
	empty_slot(p, slot_of(p, k->text, k->size, k->hash));
	heap_drop(&p->heap, k->folded);
	p->text_bytes -= k->size + 1;
	free(k->text);
	number_back(p, text);
	if (heap_wants_packing(&p->heap))
		heap_pack(&p->heap, p, note_place);
	return true;
}

/* ---- reading ---- */

text_id pool_lookup(const struct pool *p, const char *text)
{
	size_t size = strlen(text);

	return size ? p->slots[slot_of(p, text, size, hash_of(p, text, size))] : 0;
}

const char *pool_text(const struct pool *p, text_id text)
{
	return text && text < p->count && p->texts[text].text ? p->texts[text].text : "";
}

size_t pool_size(const struct pool *p, text_id text)
{
	return text < p->count ? p->texts[text].size : 0;
}

size_t pool_texts(const struct pool *p)
{
	return p->count;
}

const char *pool_folded(const struct pool *p, text_id text)
{
	return text < p->count ? heap_text(&p->heap, p->texts[text].folded) : "";
}

void pool_search(const struct pool *p, struct bytes word, uint64_t *bits)
{
	heap_search(&p->heap, word, bits);
}

bool pool_has(const struct pool *p, text_id text, struct bytes word)
{
	return text < p->count && heap_has(&p->heap, p->texts[text].folded, word);
}

size_t pool_sample(const struct pool *p, struct bytes word)
{
	return heap_sample(&p->heap, word);
}

size_t pool_memory(const struct pool *p)
{
	/* malloc keeps about 8 bytes with each piece and rounds it up. */
	return sizeof *p + p->capacity * sizeof *p->texts + p->slot_count * sizeof *p->slots +
	       p->text_bytes + p->used * 16 + heap_memory(&p->heap);
}
