/* Secret keys on disk and in guarded memory.  The file is text, mode 0600:
 *
 *     # splot secret keys: whoever reads this file can speak for this log
 *     kind node            (or server)
 *     name splot.example/region/26     (origin of the log the keys speak for)
 *     log-seed BASE64      (Ed25519 seed: signs the log's checkpoints)
 *     witness-seed BASE64  (Ed25519 seed: cosigns the national log; nodes only)
 *     curve-secret BASE64  (X25519)
 *
 * Layer: io. */
#ifndef SPLOT_IO_KEYS_H
#define SPLOT_IO_KEYS_H

#include "base/bytes.h"
#include "base/limits.h"

enum key_kind { KEYS_NODE, KEYS_SERVER };

struct keys {
	enum key_kind kind;
	char name[ORIGIN_BYTES_MAX + 1];
	/* all in one sodium_malloc region, read-only once loaded; owned */
	uint8_t *log_secret;     /* 64: Ed25519 secret as libsodium keeps it */
	uint8_t *witness_secret; /* 64; NULL for a server */
	uint8_t *curve_secret;   /* 32 */
	uint8_t log_public[32];
	uint8_t witness_public[32];
	uint8_t curve_public[32];
};

/* Makes new keys and writes them; EXISTS rather than overwrite.  ARGUMENT when the name is
 * empty, over ORIGIN_BYTES_MAX, or holds spaces, '+' or other than ASCII. */
MUST_USE enum err keys_generate(const char *path, enum key_kind kind, const char *name);
/* NOT_FOUND; DENIED when others may read the file (mode) or it is another user's;
 * DECODE, LIMIT; `why` (a buffer of TEXT_BYTES_MAX + 1, may be NULL) says what and what to do. */
MUST_USE enum err keys_load(const char *path, struct keys *ret, char *why);
void keys_free(struct keys *k); /* wipes; also a zeroed one */
/* No core dumps, no ptrace by others.  Call first in main. */
void keys_protect_process(void);

#endif
