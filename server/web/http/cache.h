/* Values kept by key, bounded in bytes; the one that was used longest ago goes first.  A value is
 * good for one stamp: what is asked with another one is gone.  Knows nothing of what it keeps. */
#ifndef SPLOT_WEB_HTTP_CACHE_H
#define SPLOT_WEB_HTTP_CACHE_H

#include "base/bytes.h"
#include "base/time.h"

/* What a value is good for.  0 fits any. */
struct stamp {
	uint64_t view;     /* which view, and which opening of it */
	uint64_t position; /* of the view */
	uint64_t status;   /* what the daemon said of itself */
};

struct cache; /* opaque */
typedef void cache_free_value(void *value);

MUST_USE enum err cache_new(size_t bytes_max, cache_free_value *free_value, struct cache **ret);
void cache_free(struct cache *c); /* NULL-safe; frees the values */

/* NULL when it is not there, or was put for another stamp, or is older than its time.  Valid until
 * the next put. */
void *cache_get(struct cache *c, struct bytes key, struct stamp now, struct mono_ms mono);
/* Takes the value over; it is freed at once when it cannot be kept (then false).  `until` 0: no
 * end. */
bool cache_put(struct cache *c, struct bytes key, struct stamp good_for, struct mono_ms until,
	       void *value, size_t size);
/* A value grew by so much. */
void cache_grew(struct cache *c, struct bytes key, size_t by);
size_t cache_bytes(const struct cache *c);
size_t cache_count(const struct cache *c);

#endif
