/* Folded texts behind one another, so that a search is one pass over memory.
 *
 * Layer: register, of use inside it only. */
#ifndef SPLOT_REGISTER_HEAP_H
#define SPLOT_REGISTER_HEAP_H

#include "register/catalog.h"

/* Where each stands; in the order of the bytes. */
struct heap_place {
	size_t at;    /* of its first byte, a space: every word has one before it */
	text_id text; /* 0: let go */
};
struct heap {
	struct buf bytes;          /* " klub integracji\0 …" */
	struct heap_place *places; /* owned; 0 is none */
	size_t count, capacity;
	size_t garbage, garbage_places;
};

void heap_free(struct heap *h);
/* Folds and adds; NOMEM. */
MUST_USE enum err heap_add(struct heap *h, text_id text, const char *raw, uint32_t *ret_place);
void heap_drop(struct heap *h, uint32_t place);
/* After many were dropped: closes the gaps.  `places` by text is told where each stands now. */
bool heap_wants_packing(const struct heap *h);
void heap_pack(struct heap *h, void *context,
	       void (*moved)(void *context, text_id text, uint32_t place));
const char *heap_text(const struct heap *h, uint32_t place);
/* Whether a word of the text begins so. */
bool heap_has(const struct heap *h, uint32_t place, struct bytes word);
/* How often words begin so in a sample of all; for choosing the rarest of some. */
size_t heap_sample(const struct heap *h, struct bytes word);
/* Sets the bits of the texts with a word that begins so. */
void heap_search(const struct heap *h, struct bytes word, uint64_t *bits);
size_t heap_memory(const struct heap *h);

#endif
