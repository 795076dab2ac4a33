#include "tlog/sha256.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium.h>

static_assert(HASH_BYTES == crypto_hash_sha256_BYTES, "a hash is a SHA-256");

/* Fetched once for the process; each thread keeps one context, freed when it ends. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *algorithm; /* NULL: libcrypto cannot serve */
static pthread_key_t at_thread_end;
static _Thread_local EVP_MD_CTX *context;

static void free_context(void *old)
{
	EVP_MD_CTX_free(old);
	context = NULL;
}

static void fetch(void)
{
	EVP_MD *fetched = NULL;

	if (pthread_key_create(&at_thread_end, free_context) != 0)
		return;
	fetched = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	if (fetched && EVP_MD_get_size(fetched) == HASH_BYTES)
		algorithm = fetched;
	else
		EVP_MD_free(fetched);
}

/* This thread's context, bound to the algorithm; NULL when there is none. */
static EVP_MD_CTX *thread_context(void)
{
	EVP_MD_CTX *made = NULL;

	if (context)
		return context;
	if (pthread_once(&once, fetch) != 0 || !algorithm)
		return NULL;
	made = EVP_MD_CTX_new();
	if (!made)
		return NULL;
	if (EVP_DigestInit_ex2(made, algorithm, NULL) != 1 ||
	    pthread_setspecific(at_thread_end, made) != 0) {
		EVP_MD_CTX_free(made);
		return NULL;
	}
	context = made;
	return made;
}

bool sha256_libcrypto(const struct bytes *parts, size_t count, struct hash *ret)
{
	EVP_MD_CTX *c = thread_context();
	struct hash h;

	if (!c || EVP_DigestInit_ex2(c, NULL, NULL) != 1)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (EVP_DigestUpdate(c, parts[i].data, parts[i].size) != 1)
			return false;
	}
	if (EVP_DigestFinal_ex(c, h.b, NULL) != 1)
		return false;
	*ret = h;
	return true;
}

/* These three return 0 always: there is nothing in them that could fail. */
void sha256_libsodium(const struct bytes *parts, size_t count, struct hash *ret)
{
	crypto_hash_sha256_state state;

	(void)crypto_hash_sha256_init(&state);
	for (size_t i = 0; i < count; i++)
		(void)crypto_hash_sha256_update(&state, parts[i].data, parts[i].size);
	(void)crypto_hash_sha256_final(&state, ret->b);
}
