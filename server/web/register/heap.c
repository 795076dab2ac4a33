#include "register/heap.h"

#include <stdlib.h>
#include <string.h>

#include "register/fold.h"
#include "register/pool.h"

enum {
	PLACES_FIRST = 1024,
	GARBAGE_LEAST = 64 * 1024, /* bytes, before packing is worth its while */
	SLICES = 16,
	SLICE_BYTES = 4096,
};

void heap_free(struct heap *h)
{
	buf_free(&h->bytes);
	free(h->places);
	*h = (struct heap){.count = 0};
}

static bool has_room(struct heap *h)
{
	size_t capacity = h->capacity ? 2 * h->capacity : PLACES_FIRST;
	struct heap_place *grown = NULL;

	if (h->count < h->capacity)
		return true;
	if (capacity > UINT32_MAX)
		return false;
	grown = realloc(h->places, capacity * sizeof *grown);
	if (!grown)
		return false;
	h->places = grown;
	h->capacity = capacity;
	if (h->count == 0) {
		h->places[0] = (struct heap_place){.at = 0};
		h->count = 1;
	}
	return true;
}

enum err heap_add(struct heap *h, text_id text, const char *raw, uint32_t *ret_place)
{
	size_t at = h->bytes.size;

	if (!has_room(h))
		return ERR_NOMEM;
	buf_add_u8(&h->bytes, ' ');
	if (fold_text(bytes_of_text(raw), &h->bytes) == ERR_OK)
		buf_add_u8(&h->bytes, 0);
	if (buf_check(&h->bytes) != ERR_OK) {
		h->bytes.size = at;
		h->bytes.failed = false;
		return ERR_NOMEM;
	}
	h->places[h->count] = (struct heap_place){at, text};
	*ret_place = (uint32_t)h->count++;
	return ERR_OK;
}

static size_t end_of(const struct heap *h, size_t place)
{
	return place + 1 < h->count ? h->places[place + 1].at : h->bytes.size;
}

void heap_drop(struct heap *h, uint32_t place)
{
	if (!place)
		return;
	h->places[place].text = 0;
	h->garbage += end_of(h, place) - h->places[place].at;
	h->garbage_places++;
}

bool heap_wants_packing(const struct heap *h)
{
	return h->garbage + sizeof *h->places * h->garbage_places > GARBAGE_LEAST &&
	       (h->garbage > h->bytes.size / 2 || h->garbage_places > h->count / 2);
}

/* Gives room back that the packed content no longer needs; staying as it is is no failure. */
static void shrink(struct heap *h)
{
	size_t bytes = h->bytes.size + h->bytes.size / 2 + 1;
	size_t places = h->count + h->count / 2;
	void *smaller = NULL;

	if (h->bytes.data && bytes < h->bytes.capacity / 2) {
		smaller = realloc(h->bytes.data, bytes);
		if (smaller) {
			h->bytes.data = smaller;
			h->bytes.capacity = bytes;
		}
	}
	if (places && places < h->capacity / 2) {
		smaller = realloc(h->places, places * sizeof *h->places);
		if (smaller) {
			h->places = smaller;
			h->capacity = places;
		}
	}
}

void heap_pack(struct heap *h, void *context,
	       void (*moved)(void *context, text_id text, uint32_t place))
{
	size_t to = 0;
	size_t kept = 1;

	for (size_t i = 1; i < h->count; i++) {
		struct heap_place place = h->places[i];
		size_t size = end_of(h, i) - place.at;

		if (!place.text)
			continue;
		memmove(h->bytes.data + to, h->bytes.data + place.at, size);
		h->places[kept] = (struct heap_place){to, place.text};
		moved(context, place.text, (uint32_t)kept);
		to += size;
		kept++;
	}
	h->bytes.size = to;
	h->count = kept;
	h->garbage = 0;
	h->garbage_places = 0;
	shrink(h);
}

const char *heap_text(const struct heap *h, uint32_t place)
{
	return place ? (const char *)h->bytes.data + h->places[place].at + 1 : "";
}

/* A word as it stands in the heap where one begins. */
struct needle {
	uint8_t bytes[FOLD_BYTES_MAX + 1];
	size_t size;
};

static bool needle_of(struct bytes word, struct needle *ret)
{
	if (!word.size || word.size > FOLD_BYTES_MAX)
		return false;
	ret->bytes[0] = ' ';
	memcpy(ret->bytes + 1, word.data, word.size);
	ret->size = word.size + 1;
	return true;
}

bool heap_has(const struct heap *h, uint32_t place, struct bytes word)
{
	struct needle needle;
	size_t at = place ? h->places[place].at : 0;

	return place && needle_of(word, &needle) &&
	       memmem(h->bytes.data + at, end_of(h, place) - at, needle.bytes, needle.size);
}

size_t heap_sample(const struct heap *h, struct bytes word)
{
	struct needle needle;
	size_t found = 0;

	if (h->bytes.size < SLICE_BYTES || !needle_of(word, &needle))
		return 0;
	for (size_t i = 0; i < SLICES; i++) {
		const uint8_t *at = h->bytes.data + (h->bytes.size - SLICE_BYTES) / SLICES * i;
		const uint8_t *end = at + SLICE_BYTES;

		while ((at = memmem(at, (size_t)(end - at), needle.bytes, needle.size)) != NULL) {
			found++;
			at++;
		}
	}
	return found;
}

void heap_search(const struct heap *h, struct bytes word, uint64_t *bits)
{
	const uint8_t *end = h->bytes.data + h->bytes.size;
	const uint8_t *at = h->bytes.data;
	struct needle needle;
	size_t place = 1;

	if (!h->bytes.size || !needle_of(word, &needle))
		return;
	while (at < end && (at = memmem(at, (size_t)(end - at), needle.bytes, needle.size))) {
		size_t found = (size_t)(at - h->bytes.data);

		while (end_of(h, place) <= found)
			place++;
		if (h->places[place].text)
			bit_set(bits, h->places[place].text);
		at = h->bytes.data + end_of(h, place);
	}
}

size_t heap_memory(const struct heap *h)
{
	return h->bytes.capacity + h->capacity * sizeof *h->places;
}
