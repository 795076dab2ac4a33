/* One question to a catalog's kind: filters, search, order, page, facets.
 *
 * Layer: register.  Pure. */
#ifndef SPLOT_REGISTER_QUERY_H
#define SPLOT_REGISTER_QUERY_H

#include "register/catalog.h"

enum {
	QUERY_FILTERS_MAX = 32, /* conditions in one question */
	QUERY_VALUES_MAX = 64,  /* alternatives in one condition */
	QUERY_WORDS_MAX = 8,    /* words that are searched: each may be a pass over all texts */
	QUERY_TEXT_MAX = 256,   /* bytes of the search */
	QUERY_FACETS_MAX = 8,
	QUERY_FACET_VALUES = 100, /* of one facet, the most frequent */
	QUERY_LIMIT = 50,         /* rows of a page unless asked otherwise */
	QUERY_LIMIT_MAX = 1000,   /* rows of a page */
	QUERY_CURSOR_MAX = 1024,  /* characters of a cursor */
};

/* A reduced date is each of its days: "2019" is from 2019-06 and to 2019-03, and a bound "2019"
 * holds 2019-12-31.  Unknown values and what is no date or number never lie in a range. */
enum condition {
	IS_ANY_OF, /* one of `values`, exactly; the empty text: unknown */
	IS_FROM,   /* dates, numbers: not before, not below values[0] */
	IS_TO,     /* not after, not above */
	STARTS,    /* begins with values[0] (TERYT codes, ids) */
};

struct filter {
	size_t field; /* of the kind */
	enum condition condition;
	size_t value_count;
	const char *values[QUERY_VALUES_MAX]; /* borrowed */
};

struct query {
	enum record_kind kind;
	size_t filter_count;
	struct filter filters[QUERY_FILTERS_MAX]; /* all must hold */
	/* Every word of it begins a word of some text of the record (catalog_is_searched) or of the
	 * name of what the record refers to; NULL, or without any letter or digit: all. */
	const char *search;
	size_t sort;        /* field; by Polish collation, dates and numbers by value; then by id */
	bool descending;    /* unknown values come last both ways */
	const char *cursor; /* of the page before; NULL: the first page */
	size_t limit;       /* rows; 0: all */
	size_t facet_count;
	size_t facets[QUERY_FACETS_MAX]; /* fields */
};

/* What was asked, by parameters name=value as a URL has them:
 *   FIELD=a&FIELD=b  one of these       FIELD=        unknown
 *   FIELD.from=, FIELD.to=              FIELD.starts=
 *   q=words   sort=FIELD | -FIELD   limit=N   cursor=…   facets=FIELD,FIELD
 * Without `sort`: by name, or by id where there are none; without `limit`: QUERY_LIMIT.
 * `names[i]` that are in `ignored` (NULL-ended) are somebody else's.  Anything else is INVALID, and
 * `why` (TEXT_BYTES_MAX + 1) says which and what is allowed.  Everything is borrowed. */
MUST_USE enum err query_parse(enum record_kind kind, const char *const *names,
			      const char *const *values, size_t count, const char *const *ignored,
			      struct query *ret, char *why);

struct facet_value {
	text_id value;
	size_t count;
};
struct facet {
	size_t field;
	size_t value_count, distinct;     /* shown, in all */
	const struct facet_value *values; /* most frequent first, then by collation */
};
struct query_result {
	size_t total; /* rows that the filters and the search leave, whatever the page */
	size_t row_count;
	const size_t *rows; /* of the page, in order */
	const char *next;   /* cursor of the next page; NULL: this is the last */
	/* Each counted without the filters on its own field. */
	struct facet facets[QUERY_FACETS_MAX];
};
/* All of it lives in the arena, for as long as nothing is put into the catalog.  A cursor holds the
 * last row's sort key and id, so a record that stays as it is comes once however others change
 * between pages.  INVALID: the cursor is none of this order (`why`). */
MUST_USE enum err query_run(const struct catalog *c, const struct query *q, struct arena *arena,
			    struct query_result *ret, char *why);

#endif
