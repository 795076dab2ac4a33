/* SHA-256 over parts, by two libraries.  libcrypto is the fast one (it uses the processor's
 * SHA instructions: four times libsodium's speed); it can fail, for want of memory or of a
 * provider.  libsodium's needs nothing and cannot.  hash.c falls back from one to the other.
 *
 * Layer: tlog, for hash.c. */
#ifndef SPLOT_TLOG_SHA256_H
#define SPLOT_TLOG_SHA256_H

#include "tlog/hash.h"

/* False when libcrypto cannot serve now; ret is then untouched. */
MUST_USE bool sha256_libcrypto(const struct bytes *parts, size_t count, struct hash *ret);
void sha256_libsodium(const struct bytes *parts, size_t count, struct hash *ret);

#endif
