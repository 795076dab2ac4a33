/* A version of a record with what stood before it: what was changed, and what the record is called.
 *
 * Inside the api layer. */
#ifndef SPLOT_API_STEP_H
#define SPLOT_API_STEP_H

#include "api/api.h"
#include "model/json.h"

struct step {
	const struct version *now;
	const struct record *before; /* NULL: there was none, the version creates it */
	const char *title;           /* of one that ended: its last */
};

/* Texts live in the arena given.  `now` is borrowed. */
MUST_USE enum err step_of(const struct api_context *x, const struct version *now,
			  struct arena *arena, struct step *ret);

/* The next field that differs, from place *at on (begin with 0); false: no more.  Of a new record
 * every known field; of one that ends none; never the id. */
struct step_field {
	const char *name;
	const char *from, *to; /* "": unknown */
};
bool step_next(const struct step *s, size_t *at, struct step_field *ret);
bool step_has(const struct step *s, const char *field);

/* Members of a version: log, index, position, recorded, editor, reason, source, created, retired,
 * diff, proof. */
void write_step(struct json *j, const struct api_context *x, const struct step *s);

/* A record's name, else its id. */
const char *record_title(const struct record *r);
/* Whose record it is: by its id, else by its column; "" for nobody's. */
const char *record_region(const char *id, const struct record *r);

/* The version of an id, of whatever kind, that stood at the context's position (maybe a tombstone),
 * as a step.  NOT_FOUND when it was never there.  All of it lives in the context's arena. */
MUST_USE enum err step_find(const struct api_context *x, const char *id, struct step *ret);

#endif
