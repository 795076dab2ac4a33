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

/* A kept text: 0 is "" (unknown).  The same number, the same text, over all kinds and columns. */
typedef uint32_t text_id;

/* Where a row's present version comes from. */
struct row_origin {
	struct log_name log;
	uint64_t index, position;
	struct wall_ms recorded;
};

MUST_USE enum err catalog_new(struct catalog **ret);
void catalog_free(struct catalog *c); /* NULL-safe */

/* The record becomes what the version says; a retired one is taken out.  A version of a kind that
 * is not known changes nothing.  NOMEM leaves the row as it was. */
MUST_USE enum err catalog_put(struct catalog *c, const struct version *v);

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
const struct row_origin *catalog_origin(const struct catalog *c, enum record_kind kind, size_t row);
/* What people call it: its name, else its id. */
const char *catalog_title(const struct catalog *c, enum record_kind kind, size_t row);

/* Kept texts.  catalog_lookup: 0 for one that no record has. */
const char *catalog_of(const struct catalog *c, text_id text);
text_id catalog_lookup(const struct catalog *c, const char *text);
/* One more than the largest number in use: for arrays by text. */
size_t catalog_texts(const struct catalog *c);
/* Folded for searching (register/fold.h); as long as the text is kept. */
const char *catalog_folded(const struct catalog *c, text_id text);
/* Sort key of Polish collation (register/collate.h): compare as bytes. */
struct bytes catalog_sort_key(const struct catalog *c, text_id text);

/* Bytes of memory that it holds, for the metrics. */
size_t catalog_memory(const struct catalog *c);

#endif
