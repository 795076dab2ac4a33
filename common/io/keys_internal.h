/* Within io: how a key file is written and refused, for what makes and rotates keys.
 *
 * Layer: io. */
#ifndef SPLOT_IO_KEYS_INTERNAL_H
#define SPLOT_IO_KEYS_INTERNAL_H

#include <sys/types.h>

#include "io/keys.h"

/* file_create or file_replace */
typedef enum err keys_write_fn(const char *path, mode_t mode, struct bytes content);

/* Writes what `k` holds, by way of guarded memory alone.  LIMIT when the file would be too long;
 * else as `how`. */
MUST_USE enum err keys_write(const char *path, const struct keys *k, keys_write_fn *how);
/* Writes a new file with random secrets, of the kind and name of `like`, with this curve secret
 * of 32 bytes, if given, and no previous keys.  EXISTS, NOMEM; else as file_create. */
MUST_USE enum err keys_draw(const char *path, const struct keys *like, const uint8_t *curve);
/* Says why in `why` (TEXT_BYTES_MAX + 1, may be NULL) and gives `err` back. */
__attribute__((format(printf, 3, 4))) enum err keys_refuse(char *why, enum err err,
							   const char *format, ...);

#endif
