/* The register of one moment in memory: current records by columns, every text kept once, so that
 * a filter compares numbers, a facet counts them, and a hundred thousand entities are passed in
 * milliseconds.  Grows and changes by versions, in the order of the view's changes.
 *
 * Layer: register.  May use base and model.  One thread at a time. */
#ifndef SPLOT_REGISTER_CATALOG_H
#define SPLOT_REGISTER_CATALOG_H

#include "model/event.h"
#include "model/record.h"

struct catalog; /* opaque */

enum { CATALOG_COLUMNS_MAX = 48 }; /* of a kind: more than any has */

/* A kept text: 0 is "" (unknown).  The same number, the same text, over all kinds and columns. */
typedef uint32_t text_id;

/* Where a row's present version comes from. */
struct row_origin {
	struct log_name log;
	uint64_t index, position;
	struct wall_ms recorded;
};

/* CONFIG: this machine cannot sort Polish. */
MUST_USE enum err catalog_new(struct catalog **ret);
void catalog_free(struct catalog *c); /* NULL-safe */

/* The record becomes what the version says; a retired one is taken out.  A version of a kind that
 * is not known changes nothing.  NOMEM leaves the row as it was. */
MUST_USE enum err catalog_put(struct catalog *c, const struct version *v);
/* Orders ids and names, which the first question would do otherwise: for after the load. */
MUST_USE enum err catalog_prepare(const struct catalog *c);

/* How many entries of the log the view follows are in it, and when the last was recorded (0: none);
 * kept for the owner, who sets it. */
uint64_t catalog_position(const struct catalog *c);
struct wall_ms catalog_time(const struct catalog *c);
void catalog_stands_at(struct catalog *c, uint64_t position, struct wall_ms time);

/* Rows of a kind are 0 … count - 1; any put may renumber them. */
size_t catalog_count(const struct catalog *c, enum record_kind kind);
/* NOT_FOUND.  Of any kind when `kind` is RECORD_NONE; `ret_kind` may be NULL. */
MUST_USE enum err catalog_find(const struct catalog *c, enum record_kind kind, const char *id,
			       enum record_kind *ret_kind, size_t *ret_row);
/* Column `field` of the kind's table; never NULL, valid until the next put. */
const char *catalog_text(const struct catalog *c, enum record_kind kind, size_t row, size_t field);
text_id catalog_value(const struct catalog *c, enum record_kind kind, size_t row, size_t field);
/* The column's values by row, catalog_count of them: for passes over all rows (those that refer to
 * an id hold catalog_lookup's number).  Valid until the next put. */
const text_id *catalog_column(const struct catalog *c, enum record_kind kind, size_t field);
const struct row_origin *catalog_origin(const struct catalog *c, enum record_kind kind, size_t row);
/* What people call it: its name, else its id. */
const char *catalog_title(const struct catalog *c, enum record_kind kind, size_t row);
/* The column of a kind's name; that of its id when it has no names. */
size_t catalog_title_field(enum record_kind kind);
/* Whether a search looks into such a column: texts, ids and numbers of registers; not codes of
 * places, dates, figures or words of an enumeration. */
bool catalog_is_searched(const struct field *field);

/* Kept texts.  catalog_lookup: 0 for one that no record has. */
const char *catalog_of(const struct catalog *c, text_id text);
text_id catalog_lookup(const struct catalog *c, const char *text);
/* One more than the largest number in use: for arrays by text. */
size_t catalog_texts(const struct catalog *c);
/* Folded for searching (register/fold.h), "" when no column that is searched has it; valid until
 * the next put. */
const char *catalog_folded(const struct catalog *c, text_id text);
/* Sort key of Polish collation (register/collate.h): compare as bytes.  Valid until the next put;
 * empty without memory. */
struct bytes catalog_sort_key(const struct catalog *c, text_id text);

/* Bytes of memory that it holds, for the metrics. */
size_t catalog_memory(const struct catalog *c);

#endif
