/* What one version of a record changed against the one before it, field by field. */
#ifndef SPLOT_ADMIN_LOG_DIFFERENCE_H
#define SPLOT_ADMIN_LOG_DIFFERENCE_H

#include "model/json.h"
#include "model/record.h"

struct difference {
	const struct field *field;
	const char *from, *to; /* "": empty */
};

/* The next field that differs, from place *at on (begin with 0); false: no more.  `before` NULL,
 * or of another kind: every field that is not empty.  `after` NULL (a record that ends):
 * none.  Ids are left out. */
bool difference_next(const struct record *before, const struct record *after, size_t *at,
		     struct difference *ret);
/* True when the field of that name differs. */
bool difference_has(const struct record *before, const struct record *after, const char *field);

/* A line for each: `indent`, name, "from" -> "to"; of a new record the text alone. */
void difference_print(const struct record *before, const struct record *after, const char *indent,
		      struct buf *out);
/* An array of {"field","from","to"}; `from` null when what was before is not known. */
void difference_json(const struct record *before, const struct record *after, bool before_known,
		     struct json *j);

#endif
