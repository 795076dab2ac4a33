/* A request's target taken apart: a path of plain segments and the parameters of a query, decoded,
 * checked, and in one order, so that one question has one name.  Pure. */
#ifndef SPLOT_WEB_HTTP_TARGET_H
#define SPLOT_WEB_HTTP_TARGET_H

#include <stdbool.h>

#include "base/bytes.h"

enum { TARGET_PARAMS_MAX = 128, TARGET_PATH_MAX = 1024 };

struct param {
	const char *name, *value;
};

struct target {
	const char *path; /* decoded; "/" or "/a/b", at the end maybe "/" */
	size_t param_count;
	struct param params[TARGET_PARAMS_MAX]; /* by name, then by value */
};

/* Texts live in the arena.  INVALID with `why` (static) for a path that has empty, "." or ".."
 * segments, encoded slashes, backslashes, control characters or NUL, and for text that is no UTF-8;
 * LIMIT for too many parameters or too long a path; NOMEM. */
MUST_USE enum err target_parse(struct bytes raw, struct arena *arena, struct target *ret,
			       const char **why);
/* Appends path and parameters in a form that no other target has. */
void target_key(const struct target *t, struct buf *ret);
/* The first of that name; NULL. */
const char *target_param(const struct target *t, const char *name);

/* Whole UTF-8: no overlong form, no surrogate, nothing past U+10FFFF. */
bool is_utf8(const char *text, size_t size);

#endif
