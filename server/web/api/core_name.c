#include "api/core_name.h"

#include <string.h>

/* Folded.  Words of operators and of units alike; what they leave tells two of them apart. */
static const char common[] =
	"stowarzyszenie stowarzyszenia stowarzyszeniu fundacja fundacji spoldzielnia spoldzielni "
	"socjalna socjalnej zwiazek organizacja opp pozytku publicznego sp z o oo "
	"gmina gminy gminny miasto miasta miejski powiat powiatu powiatowy miejsko urzad "
	"osrodek osrodku pomocy spolecznej mops gops mgops ops "
	"kis cis wtz zaz klub klubu klubie centrum integracji warsztat warsztaty terapii "
	"zajeciowej "
	"zaklad aktywnosci zawodowej "
	"im imienia przy w we na i dla";

static const uint64_t HASH_START = UINT64_C(0xcbf29ce484222325);
static const uint64_t HASH_PRIME = UINT64_C(0x100000001b3);

static uint64_t hash_bytes(const char *text, size_t size)
{
	uint64_t h = HASH_START;

	for (size_t i = 0; i < size; i++)
		h = (h ^ (uint8_t)text[i]) * HASH_PRIME;
	return h ? h : HASH_START;
}

uint64_t hash_text(const char *text)
{
	return hash_bytes(text, strlen(text));
}

uint64_t hash_mix(uint64_t a, uint64_t b)
{
	uint64_t h = (a ^ (b + UINT64_C(0x9e3779b97f4a7c15) + (a << 6) + (a >> 2))) * HASH_PRIME;

	return h ^ h >> 32;
}

/* The next word of a folded text; false at its end. */
static bool next_word(const char **at, const char **ret, size_t *ret_size)
{
	*at += strspn(*at, " ");
	*ret = *at;
	*ret_size = strcspn(*at, " ");
	*at += *ret_size;
	return *ret_size > 0;
}

/* Where the hash is, or the free slot where it would be: far fewer words than slots. */
static size_t slot_of(const struct common_words *w, uint64_t hash)
{
	size_t at = (size_t)(hash ^ hash >> 32) % COMMON_SLOTS;

	while (w->slots[at] && w->slots[at] != hash)
		at = (at + 1) % COMMON_SLOTS;
	return at;
}

void common_words_init(struct common_words *w)
{
	const char *at = common;
	const char *word = NULL;
	size_t size = 0;

	memset(w, 0, sizeof *w);
	while (next_word(&at, &word, &size)) {
		uint64_t hash = hash_bytes(word, size);

		w->slots[slot_of(w, hash)] = hash;
	}
}

/* Polish names of places change at their end ("w Jeleniej Górze", "w Żywcu"): the same when they
 * begin with the same three letters at least, and with half of the longer one. */
static bool same_stem(const char *a, size_t a_size, const char *b, size_t b_size)
{
	enum { STEM_BYTES_MIN = 3 };
	size_t longer = a_size > b_size ? a_size : b_size;
	size_t same = 0;

	while (same < a_size && same < b_size && a[same] == b[same])
		same++;
	return same >= STEM_BYTES_MIN && 2 * same >= longer;
}

static bool names_place(const char *word, size_t size, const char *place)
{
	const char *part = NULL;
	size_t part_size = 0;

	while (next_word(&place, &part, &part_size)) {
		if (same_stem(word, size, part, part_size))
			return true;
	}
	return false;
}

void core_name_of(const struct common_words *w, const char *name, const char *place,
		  struct core_name *ret)
{
	const char *word = NULL;
	size_t size = 0;

	ret->count = 0;
	while (ret->count < CORE_WORDS_MAX && next_word(&name, &word, &size)) {
		uint64_t hash = hash_bytes(word, size);

		if (w->slots[slot_of(w, hash)] || (*place && names_place(word, size, place)))
			continue;
		ret->numbers[ret->count] = *word >= '0' && *word <= '9';
		ret->words[ret->count++] = hash;
	}
}

bool core_name_same(const struct core_name *a, const struct core_name *b)
{
	return a->count == b->count &&
	       memcmp(a->words, b->words, a->count * sizeof a->words[0]) == 0;
}

bool core_name_similar(const struct core_name *a, const struct core_name *b)
{
	const struct core_name *longer = a->count >= b->count ? a : b;
	const struct core_name *other = longer == a ? b : a;
	size_t extra = longer->count - other->count;
	size_t head = 0, tail = 0;

	if (extra > 1)
		return false;
	while (head < other->count && longer->words[head] == other->words[head])
		head++;
	while (head + tail < other->count &&
	       longer->words[longer->count - 1 - tail] == other->words[other->count - 1 - tail])
		tail++;
	if (head + tail < 2 || head + tail + 1 != longer->count || longer->numbers[head])
		return false;
	return extra == 1 || !other->numbers[head];
}

uint64_t core_name_key(const struct core_name *n, size_t without)
{
	uint64_t h = HASH_START;

	for (size_t i = 0; i < n->count; i++) {
		if (i != without)
			h = hash_mix(h, n->words[i]);
	}
	return h;
}
