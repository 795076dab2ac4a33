/* Keys of fixed seeds, and notes signed by them. */
#ifndef SPLOT_TESTS_FUZZ_SIGNERS_H
#define SPLOT_TESTS_FUZZ_SIGNERS_H

#include "fuzz.h"

#include <sodium.h>

#include "tlog/checkpoint.h"
#include "tlog/cosignature.h"

#define FUZZ_REALM "fuzz.example"

struct fuzz_key {
	uint8_t secret[SIGN_SECRET_BYTES];
	struct signer signer; /* borrows `secret` */
};

static inline void fuzz_key_make(struct fuzz_key *k, const char *name, uint8_t type, uint8_t number)
{
	uint8_t seed[SIGN_SEED_BYTES];
	uint8_t public[SIGN_PUBLIC_BYTES];

	memset(seed, number, sizeof seed);
	ALWAYS(sodium_init() >= 0);
	ALWAYS(crypto_sign_seed_keypair(public, k->secret, seed) == 0);
	ALWAYS(vkey_make(name, type, public, &k->signer.key) == ERR_OK);
	k->signer.secret = k->secret;
}

/* "splot.example/region/26" and the like, of this realm. */
static inline void fuzz_log_key(struct fuzz_key *k, const char *path, uint8_t number)
{
	char name[KEY_NAME_BYTES_MAX + 1];

	(void)snprintf(name, sizeof name, FUZZ_REALM "/%s", path);
	fuzz_key_make(k, name, strncmp(path, "witness/", 8) == 0 ? KEY_COSIGNATURE : KEY_ED25519,
		      number);
}

/* Appends the signed checkpoint of that size and root. */
static inline void fuzz_checkpoint(const struct fuzz_key *by, uint64_t size, struct hash root,
				   struct buf *ret)
{
	struct checkpoint c = {.size = size, .root = root};

	memcpy(c.origin, by->signer.key.name, sizeof c.origin);
	ALWAYS(checkpoint_sign(&c, &by->signer, ret) == ERR_OK);
}

#endif
