/* Records that may be one thing written down twice.  They are proposed to people, with a score and
 * what speaks for and against it, and never merged.
 *
 * Candidates are found by equal keys (identifiers, names without words that many have, such names
 * less one word, addresses), so that the work grows with the number of records, not of pairs.
 *
 * Inside the api layer.  Pure. */
#ifndef SPLOT_API_DUPLICATES_H
#define SPLOT_API_DUPLICATES_H

#include "api/pieces.h"

enum {
	DUPLICATES_MAX = 500,             /* proposed, the likeliest */
	DUPLICATE_CANDIDATES_MAX = 20000, /* pairs that are looked at, of one kind of record */
	DUPLICATE_BLOCK_MAX = 8,          /* records of one key that are paired with each other */
	DUPLICATE_PERCENT_MIN = 30,       /* less likely ones are not proposed */
};

/* X(NAME, "reason", percent): how likely it makes a duplicate by itself; percent 0: speaks against
 * it, and takes from the score what `against` says in the table of the code. */
#define DUPLICATE_REASONS(X)                                                                       \
	X(NIP, "same_nip", 95)                                                                     \
	X(REGON, "same_regon", 95)                                                                 \
	X(KRS, "same_krs", 95)                                                                     \
	X(NAME_PLACE, "same_name_and_place", 80)                                                   \
	X(NAME_REGION, "same_name_and_region", 70)                                                 \
	X(ADDRESS, "same_address", 60)                                                             \
	X(SIMILAR, "similar_name", 50)                                                             \
	X(NAME, "same_name", 40)                                                                   \
	X(OPERATOR, "same_operator", 20)                                                           \
	X(OTHER_IDENTIFIER, "different_identifier", 0)                                             \
	X(OTHER_OPERATOR, "different_operator", 0)                                                 \
	X(OTHER_FORM, "different_form", 0)

enum duplicate_reason {
#define DUPLICATE_ENUM(name, text, percent) DUPLICATE_##name,
	DUPLICATE_REASONS(DUPLICATE_ENUM)
#undef DUPLICATE_ENUM
		DUPLICATE_REASON_COUNT
};
const char *duplicate_reason_name(unsigned reason);

struct duplicate {
	enum record_kind kind; /* RECORD_OPERATOR, RECORD_ENTITY */
	size_t rows[2];
	unsigned reasons; /* bit by reason */
	unsigned percent;
};

/* The likeliest first.  `ret_more`: not all are there.  In the arena.  NOMEM. */
MUST_USE enum err duplicates_find(const struct catalog *c, struct arena *arena,
				  struct duplicate **ret, size_t *ret_count, bool *ret_more);

#endif
