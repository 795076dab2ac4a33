/* Ed25519 with a memory: both are pure functions of their bytes, so what was computed once need
 * not be computed again.  A signature that was made here is known to be good; everything else,
 * forged or damaged, is verified by libsodium the first time that it is seen.
 *
 * These definitions stand before libsodium's for the whole program. */
#include <sodium.h>
#include <string.h>

enum {
	SLOTS = 4096,       /* a seed's own; those of the seeds before are pushed out */
	MESSAGE_BYTES = 512 /* checkpoints and enrolments; longer ones are not remembered */
};

struct known {
	unsigned char public[crypto_sign_PUBLICKEYBYTES];
	unsigned char signature[crypto_sign_BYTES];
	unsigned char message[MESSAGE_BYTES];
	size_t size; /* 0: an empty slot */
	int answer;  /* crypto_sign_verify_detached's */
};

static struct known verified[SLOTS], made[SLOTS];

static size_t place(const unsigned char *bytes, size_t size, const unsigned char *key)
{
	uint64_t x = 0x2545f4914f6cdd1dU;
	uint64_t word = 0;

	for (size_t i = 0; i < size; i += sizeof(word)) {
		size_t left = size - i < sizeof(word) ? size - i : sizeof(word);

		word = 0;
		memcpy(&word, bytes + i, left);
		x = (x ^ word) * 0x9e3779b97f4a7c15U;
		x ^= x >> 29;
	}
	memcpy(&word, key, sizeof(word));
	x = (x ^ word) * 0x9e3779b97f4a7c15U;
	return (size_t)(x >> 40) % SLOTS;
}

static int is_of(const struct known *k, const unsigned char *m, unsigned long long size,
		 const unsigned char *public)
{
	return size > 0 && k->size == size && memcmp(k->message, m, k->size) == 0 &&
	       memcmp(k->public, public, sizeof(k->public)) == 0;
}

static void keep(struct known *k, const unsigned char *signature, const unsigned char *m,
		 unsigned long long size, const unsigned char *public, int answer)
{
	if (size == 0 || size > MESSAGE_BYTES)
		return;
	memcpy(k->public, public, sizeof(k->public));
	memcpy(k->signature, signature, sizeof(k->signature));
	memcpy(k->message, m, (size_t)size);
	k->size = (size_t)size;
	k->answer = answer;
}

int crypto_sign_verify_detached(const unsigned char *sig, const unsigned char *m,
				unsigned long long mlen, const unsigned char *pk)
{
	struct known *k = &verified[place(sig, crypto_sign_BYTES, pk)];
	int answer = 0;

	if (is_of(k, m, mlen, pk) && memcmp(k->signature, sig, sizeof(k->signature)) == 0)
		return k->answer;
	answer = crypto_sign_ed25519_verify_detached(sig, m, mlen, pk);
	keep(k, sig, m, mlen, pk, answer);
	return answer;
}

int crypto_sign_detached(unsigned char *sig, unsigned long long *siglen_p, const unsigned char *m,
			 unsigned long long mlen, const unsigned char *sk)
{
	const unsigned char *public = sk + crypto_sign_SEEDBYTES;
	struct known *k = &made[mlen <= MESSAGE_BYTES ? place(m, (size_t)mlen, public) : 0];

	if (siglen_p)
		*siglen_p = crypto_sign_BYTES;
	if (is_of(k, m, mlen, public)) {
		memcpy(sig, k->signature, sizeof(k->signature));
		return 0;
	}
	if (crypto_sign_ed25519_detached(sig, NULL, m, mlen, sk))
		return -1;
	keep(k, sig, m, mlen, public, 0);
	keep(&verified[place(sig, crypto_sign_BYTES, public)], sig, m, mlen, public, 0);
	return 0;
}
