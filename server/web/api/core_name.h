/* What is left of a name when the words are taken out that many names have: legal forms, kinds of
 * units, prepositions, and the place where it is.
 *
 * Inside the api layer.  Pure. */
#ifndef SPLOT_API_CORE_NAME_H
#define SPLOT_API_CORE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CORE_WORDS_MAX = 12, COMMON_SLOTS = 256 };

/* Words by their hashes. */
struct common_words {
	uint64_t slots[COMMON_SLOTS];
};
void common_words_init(struct common_words *w);

struct core_name {
	size_t count;
	uint64_t words[CORE_WORDS_MAX]; /* hashes, in the order of the name */
	bool numbers[CORE_WORDS_MAX];   /* begins with a digit: tells units apart */
};
/* Of folded texts (register/fold.h); `place` may be "". */
void core_name_of(const struct common_words *w, const char *name, const char *place,
		  struct core_name *ret);
bool core_name_same(const struct core_name *a, const struct core_name *b);
/* One word, not a number, is another or is missing, and two at least are the same. */
bool core_name_similar(const struct core_name *a, const struct core_name *b);
/* Hash of all words, but one when `without` is below their count. */
uint64_t core_name_key(const struct core_name *n, size_t without);

uint64_t hash_mix(uint64_t a, uint64_t b);
uint64_t hash_text(const char *text);

#endif
